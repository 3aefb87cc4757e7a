//! A [`QuoteFinder`] takes an article's text to its attributed quotes: marks, clauses, cues,
//! mentions and names, one stage after the other.

mod article;
mod choice;
mod confidence;
mod head;
mod interview;
mod join;
mod marks_only;
mod paragraph;
mod source;
mod tagged;

use std::sync::Arc;

use rayon::prelude::*;

use self::choice::is_audience;
use self::interview::Interview;
use self::join::joined;
use self::paragraph::{Carried, Paragraph};
use crate::attribution::frame::Frame;
use crate::attribution::names::Names;
use crate::attribution::{AttributedQuote, Attribution};
use crate::error::Result;
use crate::furniture::layout;
use crate::language::Language;
use crate::quote::marks::passages;
use crate::tagger::{Calibration, TaggedSpan, Tagger};

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
                tagged::attributed(texts[at], spans, tagger.calibration(), &by_rules[at])
            })
            .collect();
        let mut quotes = by_rules;
        for (at, joined) in readable.into_iter().zip(joined) {
            quotes[at] = joined;
        }
        Ok(quotes)
    }

    /// The quotes of a text whose spans a tagger has found before.
    pub fn join(
        text: &str,
        spans: &[TaggedSpan],
        calibration: Calibration,
    ) -> Vec<AttributedQuote> {
        let (by_rules, language) = by_rules(text);
        match language.is_english() {
            true => tagged::attributed(text, spans, calibration, &by_rules),
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
    quotes.retain(|quote| !is_anonymity(quote.quote.spans[0].of(text)));
    quotes.sort_by_key(|quote: &AttributedQuote| quote.quote.spans[0].start);
    names.settle(&mut quotes);
    for quote in &mut quotes {
        if is_audience(text, &quote.attribution) {
            quote.attribution = Attribution::unknown();
        }
        quote.attribution.confidence = confidence::by_rules(quote);
    }
    (joined(text, quotes), language)
}

/// Whether words are the condition on which somebody spoke, "not to be named", and not what was said.
fn is_anonymity(words: &str) -> bool {
    const NAMED: [&str; 4] = ["named", "identified", "quoted", "photographed"];
    let words = words.strip_prefix("not ").unwrap_or(words);
    (words.strip_prefix("to be "))
        .is_some_and(|rest| NAMED.iter().any(|word| rest.starts_with(word)))
}
