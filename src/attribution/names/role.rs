//! What a phrase is in its sentence, as far as its neighbours tell.

use std::ops::Range;

use super::antecedent::Role;
use super::phrase::Name;
use super::sentence::Sentence;
use crate::attribution::frame::Item;
use crate::lexicon::Class;

/// True where a name belongs to the noun after it, as nobody who is spoken of: "a Wisconsin dairy farm".
pub(super) fn modifies(sentence: &Sentence, name: &Name) -> bool {
    let is_article =
        |item: &Item| (["a", "an"].iter()).any(|word| item.is_word(sentence.text, word));
    let noun = sentence.get(name.words.end);
    sentence.before(name.start()).is_some_and(is_article)
        && noun.is_some_and(|item| item.word && item.first.is_lowercase())
}

/// "Wullie Baird, 84, of Kirk Wynd": where somebody lives.
pub(super) fn is_address(sentence: &Sentence, name: &Name) -> bool {
    let [.., age, comma, of] = &sentence.items[sentence.start..name.start()] else {
        return false;
    };
    of.is_word(sentence.text, "of") && comma.sign(',') && age.first.is_numeric()
}

/// What a phrase is in its sentence.
pub(super) fn role_of(sentence: &Sentence, range: &Range<usize>, possessive: bool) -> Role {
    if possessive {
        return Role::Possessive;
    }
    let oblique = sentence.before(range.start).is_some_and(is_preposition);
    let verb = behind(sentence, range).any(|at| verb_from(sentence, at))
        || apposed(sentence, range) && verb_from(sentence, range.end + 1);
    let spoken = speaks(sentence, range);
    match (verb || spoken, oblique) {
        (_, true) if !spoken => Role::Oblique,
        (true, _) => Role::Subject,
        _ => Role::Other,
    }
}

fn is_preposition(item: &Item) -> bool {
    item.class.is(Class::PREPOSITION) && !item.class.is(Class::SUBORDINATOR) && !item.capital
}

/// Where a phrase's verb can stand: right behind it, or behind one, two or three asides. "NAME said", "NAME, the
/// mayor, said", "NAME (34), who drives, said".
fn behind(sentence: &Sentence, range: &Range<usize>) -> impl Iterator<Item = usize> {
    const LONGEST: usize = 25;
    let Sentence { items, end, .. } = *sentence;
    let sign = |at: usize, open: bool| {
        let item = items[at];
        item.sign(',') || item.dash() || item.sign(if open { '(' } else { ')' })
    };
    let first = over_complement(sentence, range);
    // Where the verb can be, and where the next aside begins.
    let places = std::iter::successors(Some((first, first)), move |&(_, open)| {
        let open = Some(open).filter(|&open| open < end && sign(open, true))?;
        let close = (open + 1..end.min(open + 1 + LONGEST)).find(|&at| sign(at, false))?;
        let next = close + 1;
        let goes_on = items[close].sign(')') && next < end && items[next].sign(',');
        Some(if goes_on {
            (next + 1, next)
        } else {
            (next, close)
        })
    });
    places.map(move |(at, _)| at.min(end)).take(4)
}

/// Behind what a phrase that opens its sentence is of or in: "A foreman in the public seats told".
fn over_complement(sentence: &Sentence, range: &Range<usize>) -> usize {
    const WORDS: usize = 10;
    let (items, end) = (sentence.items, range.end);
    if range.start > sentence.start || end >= sentence.end || !is_preposition(&items[end]) {
        return end;
    }
    let verb = |item: &Item| {
        item.past
            || item.class.is(Class::AUX | Class::MODAL)
            || item.class.is(Class::FINITE) && !item.class.is(Class::NOUN_TOO)
    };
    let reach = sentence.end.min(end + WORDS);
    let stop = (end + 1..reach).find(|&at| !items[at].word || verb(&items[at]));
    stop.filter(|&at| verb(&items[at]) || items[at].sign(','))
        .unwrap_or(end)
}

/// Whether a finite verb stands at `at` or after adverbs there.
fn verb_from(sentence: &Sentence, at: usize) -> bool {
    (sentence.items[at.min(sentence.end)..sentence.end].iter())
        .find(|item| {
            !item.class.is(Class::ADVERB) || item.class.is(Class::AUX | Class::PREPOSITION)
        })
        .is_some_and(|item| {
            item.class
                .is(Class::AUX | Class::MODAL | Class::VERB | Class::FINITE)
                || item.past
                || item.word
                    && !item.capital
                    && item.class == Class::default()
                    && third_person(item)
        })
}

/// True of what stands between commas, as a name after its description: "the firm's head, NAME, said".
fn apposed(sentence: &Sentence, range: &Range<usize>) -> bool {
    let comma = |item: Option<&Item>| item.is_some_and(|item| item.sign(','));
    comma(sentence.before(range.start)) && comma(sentence.get(range.end))
}

/// A short unlisted word after a name is as often a verb as not: counted only right after it.
fn third_person(item: &Item) -> bool {
    item.span.len() > 3 && item.span.len() < 12
}

/// True where a verb of speech stands beside a phrase: "NAME said", "said NAME", "NAME, the mayor,
/// said".
pub(super) fn speaks(sentence: &Sentence, range: &Range<usize>) -> bool {
    let items = sentence.items;
    let speech = |item: &Item| {
        item.class.is(Class::SPEECH)
            && item.class.is(Class::FINITE | Class::BASE)
            && !item.class.is(Class::PARTICIPLE)
    };
    // "An electrician in Luang, who gave no name, said": not Luang.
    if range.start >= sentence.start + 2 && is_preposition(&items[range.start - 1]) {
        return false;
    }
    let beside = behind(sentence, range).any(|at| {
        let verb = (items[at..sentence.end].iter())
            .find(|item| !item.class.is(Class::ADVERB | Class::AUX));
        verb.is_some_and(speech)
    });
    let spoken = || sentence.get(range.end + 1).is_some_and(speech);
    if beside || apposed(sentence, range) && spoken() {
        return true;
    }
    let inverted = sentence.before(range.start).is_some_and(speech);
    inverted && range.start >= sentence.start + 2 && {
        let before = items[range.start - 2];
        before.passage.is_some() || before.sign(',') || before.dash()
    }
}
