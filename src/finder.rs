//! A [`QuoteFinder`] takes an article's text to its attributed quotes: marks, clauses, cues,
//! mentions and names, one stage after the other.

mod article;
mod choice;
mod confidence;
mod interview;
mod marks_only;
mod paragraph;
mod source;
mod tagged;

use std::sync::Arc;

use rayon::prelude::*;

use self::choice::is_audience;
use self::confidence::{Evidence, confidence};
use self::interview::Interview;
use self::paragraph::{Carried, Paragraph};
use crate::attribution::frame::Frame;
use crate::attribution::names::Names;
use crate::attribution::{AttributedQuote, Attribution};
use crate::error::Result;
use crate::furniture::layout;
use crate::language::Language;
use crate::quote::QuoteKind;
use crate::quote::marks::passages;
use crate::span::Span;
use crate::tagger::{TaggedSpan, Tagger, Thresholds};

/// What a quotation can begin with.
const OPENING: [&str; 9] = ["“", "\"", "‘", "'", "``", "''", "«", "»", "„"];

/// Finds quotes in a text and says whose they are.
#[derive(Clone, Debug, Default)]
pub struct QuoteFinder {
    tagger: Option<Arc<Tagger>>,
}

impl QuoteFinder {
    /// A finder that works by rules and word lists alone, without any model.
    pub fn rules_only() -> QuoteFinder {
        QuoteFinder::default()
    }

    /// A finder that marks quotes with a tagger; names, and speakers carried over from the
    /// paragraph before, still come by rules.
    pub fn with_tagger(tagger: Tagger) -> QuoteFinder {
        QuoteFinder {
            tagger: Some(Arc::new(tagger)),
        }
    }

    /// The tagger, unless this finder works by rules alone.
    pub fn tagger(&self) -> Option<&Tagger> {
        self.tagger.as_deref()
    }

    /// The quotes of each text, in order, each as it would be found alone. The tagger, which knows
    /// English only, does not read texts in other languages: these have direct quotes alone,
    /// without speakers.
    ///
    /// # Errors
    /// If the tagger fails; rules never do.
    pub fn find_all(&self, texts: &[&str]) -> Result<Vec<Vec<AttributedQuote>>> {
        let by_rules: Vec<_> = texts.par_iter().map(|text| by_rules(text)).collect();
        let Some(tagger) = &self.tagger else {
            return Ok(by_rules.into_iter().map(|(quotes, _)| quotes).collect());
        };
        let (by_rules, languages): (Vec<_>, Vec<_>) = by_rules.into_iter().unzip();
        let english = |at: &usize| languages[*at].is_english();
        let readable: Vec<usize> = (0..texts.len()).filter(english).collect();
        let tagged = tagger.tag(&readable.iter().map(|&at| texts[at]).collect::<Vec<_>>())?;
        let joined: Vec<_> = (readable.par_iter().zip(&tagged))
            .map(|(&at, spans)| {
                tagged::attributed(texts[at], spans, tagger.thresholds(), &by_rules[at])
            })
            .collect();
        let mut quotes = by_rules;
        for (at, joined) in readable.into_iter().zip(joined) {
            quotes[at] = joined;
        }
        Ok(quotes)
    }

    /// The quotes of a text whose spans a tagger has found before.
    pub fn join(text: &str, spans: &[TaggedSpan], thresholds: Thresholds) -> Vec<AttributedQuote> {
        let (by_rules, language) = by_rules(text);
        match language.is_english() {
            true => tagged::attributed(text, spans, thresholds, &by_rules),
            false => by_rules,
        }
    }

    /// The quotes that the rules find in this text, in the order of their first spans. A text
    /// without any gives an empty list, and so does page furniture. Nothing that follows a paragraph changes the quotes found in it.
    pub fn find(&self, text: &str) -> Vec<AttributedQuote> {
        by_rules(text).0
    }
}

/// The quotes that the rules find, and the language of the text.
fn by_rules(text: &str) -> (Vec<AttributedQuote>, Language) {
    let mut names = Names::default();
    let mut language = Language::default();
    let mut interview = Interview::default();
    let mut carried: Option<Carried> = None;
    let mut quotes = Vec::new();
    for paragraph in layout(text).body {
        let mut found = passages(text, paragraph);
        let turn = (language.is_english())
            .then(|| interview.read(text, paragraph, &found, &names))
            .flatten();
        if let Some(turn) = &turn {
            found = vec![interview::passage(text, paragraph, turn.words)];
        }
        let frame = Frame::new(text, paragraph, &found);
        language.read(text, &frame);
        let paragraph = Paragraph {
            text,
            frame: &frame,
        };
        if !language.is_english() {
            paragraph.marks_only(&mut quotes);
            carried = None;
            continue;
        }
        names.read(text, &frame);
        if let Some(turn) = turn {
            let quote = turn.quote(text, &mut names, &mut quotes);
            quotes.extend(quote);
            carried = None;
            continue;
        }
        let open = found.last().is_some_and(|last| !last.closed);
        carried = paragraph.quotes(&mut names, carried, open, &mut quotes);
    }
    quotes.sort_by_key(|quote: &AttributedQuote| quote.quote.spans[0].start);
    names.settle(&mut quotes);
    for quote in &mut quotes {
        if is_audience(text, &quote.attribution) {
            quote.attribution = Attribution::unknown();
        }
        quote.attribution.confidence = confidence(quote, Evidence::RuleAlone);
    }
    (joined(text, quotes), language)
}

/// A quotation of several paragraphs opens its marks anew in each and closes them in the last: one
/// quote, and so is what its speaker interrupts. The part that has a cue of its own says
/// whose it is.
fn joined(text: &str, quotes: Vec<AttributedQuote>) -> Vec<AttributedQuote> {
    let mut whole: Vec<AttributedQuote> = Vec::with_capacity(quotes.len());
    for quote in quotes {
        // Over a clause between the marks: "“…,” said Ada Vey, who asked that … “…”"
        let over = (whole.last()).is_some_and(|last| last.quote.kind == QuoteKind::Indirect);
        let first = whole.len().checked_sub(1 + usize::from(over));
        match first.map(|first| &mut whole[first]) {
            Some(first) if goes_on(text, first, &quote) || is_interrupted(text, first, &quote) => {
                first.quote.spans.extend(quote.quote.spans);
                first.quote.marked.extend(quote.quote.marked);
                if first.attribution.cue.is_none() {
                    first.attribution = quote.attribution;
                }
            }
            _ => whole.push(quote),
        }
    }
    whole
}

/// What stands between two direct quotes, the first of which ends before the next begins.
fn between_direct(first: &AttributedQuote, next: &AttributedQuote) -> Option<Span> {
    let direct = |quote: &AttributedQuote| quote.quote.kind == QuoteKind::Direct;
    let (end, start) = (first.quote.extent().end, next.quote.spans[0].start);
    (direct(first) && direct(next) && end <= start).then(|| Span::new(end, start))
}

/// True where their speaker alone stands between the marks of both: "“There is,” Ada Vey said, “nothing.”",
/// "“There is nothing,” Ada Vey said. “Go home.”"
fn is_interrupted(text: &str, first: &AttributedQuote, next: &AttributedQuote) -> bool {
    let Some(between) = between_direct(first, next).filter(|between| between.len() <= 200) else {
        return false;
    };
    let attribution = between.of(text).trim_end_matches([' ', '\u{a0}']);
    let attribution = OPENING
        .iter()
        .find_map(|mark| attribution.strip_suffix(mark))
        .filter(|words| !words.contains('\n'));
    let Some(attribution) = attribution.map(str::trim_end) else {
        return false;
    };
    let closing = ['”', '"', '’', '\'', '»', '“'];
    let paused = text[..between.start].ends_with(',')
        || (between.of(text).trim_start_matches(closing)).starts_with(',');
    let goes_on = text[between.end..].starts_with(char::is_lowercase);
    let one_sentence = paused && goes_on && attribution.ends_with(',');
    let mentions = [first, next].map(|quote| quote.attribution.mention);
    let mut mentions = mentions.into_iter().flatten().peekable();
    (one_sentence || attribution.ends_with('.'))
        && mentions.peek().is_some()
        && mentions.all(|mention| between.contains(mention))
}

/// True where nothing but a line break and an opening mark stands between two direct quotes: the
/// first was not closed.
fn goes_on(text: &str, first: &AttributedQuote, next: &AttributedQuote) -> bool {
    let Some(between) = between_direct(first, next) else {
        return false;
    };
    // Its last words end within their marks, not after them.
    let open = first
        .quote
        .marked
        .last()
        .is_some_and(|last| last.end == between.start);
    let between = between.of(text);
    open && between
        .trim_start_matches([' ', '\t', '\r'])
        .starts_with('\n')
        && OPENING.contains(&between.trim())
}
