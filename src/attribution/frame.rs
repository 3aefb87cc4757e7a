//! A [`Frame`] is a sentence seen from outside its quotations: each passage between marks is one
//! item, beside the words and signs around it.

use std::ops::Range;

use crate::lexicon::Class;
use crate::quote::marks::{Passage, SIGNS, is_nickname};
use crate::sentence::{Token, tokens};
use crate::span::Span;

/// A word, a sign, or a whole passage between marks.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Where it stands; of a passage, marks included.
    pub span: Span,
    /// Its classes; none for signs and passages.
    pub class: Class,
    /// True for a word or number.
    pub word: bool,
    /// True where it begins with an upper-case letter.
    pub capital: bool,
    /// Its first character; `Q` stands for a passage.
    pub first: char,
    /// True for an unlisted word in -ed.
    pub past: bool,
    /// The passage's words, marks excluded.
    pub passage: Option<Span>,
}

impl Item {
    /// A token as an item of its own.
    pub fn outside(text: &str, token: Token) -> Item {
        Item {
            span: token.span,
            class: token.class,
            word: token.word,
            capital: token.capital || article_in_name(token.span.of(text)),
            first: token.first,
            past: !token.capital
                && token.class == Class::default()
                && token.span.len() > 4
                && token.span.of(text).ends_with("ed"),
            passage: None,
        }
    }

    /// The words and signs of a place, as items of their own.
    pub fn all_outside(text: &str, place: Span) -> impl Iterator<Item = Item> {
        let tokens = tokens(text, place).into_iter();
        tokens.map(move |token| Item::outside(text, token))
    }

    /// True for this sign of punctuation.
    pub fn sign(&self, sign: char) -> bool {
        !self.word && self.passage.is_none() && self.first == sign
    }

    /// True for any dash.
    pub fn dash(&self) -> bool {
        self.sign('—') || self.sign('–') || self.sign('-')
    }

    /// True for a word that can begin the name of somebody.
    pub fn name(&self) -> bool {
        self.word && self.capital && !self.class.is(Class::NOT_NAME | Class::TIME)
    }

    /// True for this word, whatever its case.
    pub fn is_word(&self, text: &str, word: &str) -> bool {
        self.word && self.span.of(text).eq_ignore_ascii_case(word)
    }
}

/// "al-Hadi": an Arabic name keeps its article in lower case.
fn article_in_name(word: &str) -> bool {
    let name = word
        .strip_prefix("al-")
        .or_else(|| word.strip_prefix("el-"));
    name.is_some_and(|name| name.starts_with(char::is_uppercase))
}

/// One paragraph's sentences.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Everything in the paragraph, in order.
    pub items: Vec<Item>,
    /// Its sentences, as ranges of `items`.
    pub sentences: Vec<Range<usize>>,
}

impl Frame {
    /// Reads one paragraph, given its passages.
    pub fn new(text: &str, paragraph: Span, passages: &[Passage]) -> Frame {
        let mut items = Vec::new();
        let mut from = paragraph.start;
        for passage in passages {
            let gap = Span::new(from, passage.outer.start.max(from));
            items.extend(Item::all_outside(text, gap));
            items.push(Item {
                span: passage.outer,
                class: Class::default(),
                word: false,
                capital: false,
                first: 'Q',
                past: false,
                passage: Some(passage.inner),
            });
            from = passage.outer.end;
        }
        let gap = Span::new(from, paragraph.end.max(from));
        items.extend(Item::all_outside(text, gap));
        for at in 1..items.len() {
            // The one newspaper named after a day.
            if items[at].capital
                && items[at].is_word(text, "today")
                && items[at - 1].is_word(text, "usa")
            {
                items[at].class = Class::default();
            }
        }
        let items = join_nicknames(text, items);
        let sentences = sentences(text, &items);
        Frame { items, sentences }
    }
}

/// Makes one word of "Midge", marks included, in "Marguerite "Midge" Tolliver".
fn join_nicknames(text: &str, items: Vec<Item>) -> Vec<Item> {
    /// Two words and two signs on either side.
    const LONGEST: usize = 6;
    let mark = |item: &Item| !item.word && SIGNS.contains(&item.first);
    let nickname = |at: usize| {
        let opens = at > 0 && mark(&items[at]) && items[at - 1].name();
        let end = (at + 2..items.len().min(at + LONGEST + 1))
            .filter(|_| opens)
            .find(|&end| mark(&items[end - 1]) && !mark(&items[end]))?;
        let outer = Span::new(items[at].span.start, items[end - 1].span.end);
        is_nickname(text, outer).then_some((end, outer))
    };
    let mut joined = Vec::with_capacity(items.len());
    let mut at = 0;
    while at < items.len() {
        let (end, item) = match nickname(at) {
            Some((end, span)) => (
                end,
                Item {
                    span,
                    word: true,
                    capital: true,
                    ..items[at + 1]
                },
            ),
            None => (at + 1, items[at]),
        };
        joined.push(item);
        at = end;
    }
    joined
}

fn sentences(text: &str, items: &[Item]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for at in 0..items.len() {
        if ends_sentence(text, items, at) {
            found.push(start..at + 1);
            start = at + 1;
        }
    }
    if start < items.len() {
        found.push(start..items.len());
    }
    found
}

fn ends_sentence(text: &str, items: &[Item], at: usize) -> bool {
    let item = items[at];
    let Some(next) = items.get(at + 1) else {
        return true;
    };
    if let Some(inner) = item.passage {
        let words = inner
            .of(text)
            .trim_end_matches(['’', '”', '\'', '"', ')', ']', '»']);
        if !words.ends_with(['.', '!', '?', '…']) {
            return false;
        }
        return match next.passage {
            Some(_) => true,
            None if next.sign('(') => true,
            None => next.capital && !attribution_follows(items, at + 1, words.ends_with('.')),
        };
    }
    let begins = next.passage.is_some()
        || next.capital
        || next.first.is_numeric()
        || matches!(next.first, '(' | '[' | '@' | '#');
    if item.word {
        let full_stop = item.class.is(Class::ABBREVIATION) && item.span.of(text).ends_with('.');
        return full_stop
            && !item.class.is(Class::TITLE)
            && item.span.len() > 2
            && (next.passage.is_some() || (next.capital && next.class.is(Class::NOT_NAME)));
    }
    matches!(item.first, '.' | '!' | '?' | '…') && (begins || next.dash())
}

/// True where a name and a reporting verb follow a passage that ends like a sentence.
fn attribution_follows(items: &[Item], from: usize, strict: bool) -> bool {
    if items[from]
        .class
        .is(Class::STRONG_PRONOUN | Class::DETERMINER | Class::SUBORDINATOR)
    {
        return false;
    }
    for at in from..items.len().min(from + 10) {
        let item = items[at];
        if item.class.is(Class::SPEECH) && item.class.is(Class::FINITE) && at > from {
            return match items.get(at + 1) {
                None => true,
                Some(after) if after.sign('.') => true,
                Some(after) => {
                    !strict && !after.sign(':') && after.passage.is_none() && !after.sign(',')
                }
            };
        }
        if !item.word || item.class.is(Class::AUX | Class::VERB | Class::MODAL) {
            return false;
        }
    }
    false
}
