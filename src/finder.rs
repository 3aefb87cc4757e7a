//! A [`QuoteFinder`] takes an article's text to its attributed quotes: marks, clauses, cues,
//! mentions and names, one stage after the other.

use crate::attribution::{AttributedQuote, Attribution, Speaker, SpeakerKind};
use crate::quote::{Quote, QuoteKind};
use crate::span::Span;

/// Finds quotes in a text and says whose they are.
#[derive(Clone, Debug, Default)]
pub struct QuoteFinder {}

impl QuoteFinder {
    /// A finder that works by rules and word lists alone, without any model.
    pub fn rules_only() -> QuoteFinder {
        QuoteFinder::default()
    }

    /// The quotes of this text, in the order of their first spans. A text without any gives an
    /// empty list.
    pub fn find(&self, text: &str) -> Vec<AttributedQuote> {
        let mut quotes = Vec::new();
        let mut line_start = 0;
        for line in text.split_inclusive('\n') {
            let line_span = Span::new(line_start, line_start + line.len());
            line_start = line_span.end;
            quotes.extend(find_in_line(text, line_span));
        }
        quotes
    }
}

const CUES: &[&str] = &[
    "said",
    "says",
    "told",
    "wrote",
    "added",
    "asked",
    "replied",
    "tweeted",
    "argued",
    "announced",
];

fn find_in_line(text: &str, line: Span) -> Option<AttributedQuote> {
    let (mut spans, mut outside, mut open, mut last) = (Vec::new(), Vec::new(), None, line.start);
    for (offset, character) in line.of(text).char_indices() {
        let at = line.start + offset;
        let after = at + character.len_utf8();
        match (character, open) {
            ('“' | '"', None) => {
                outside.push(Span::new(last, at));
                open = Some(after);
            }
            ('”' | '"', Some(start)) => {
                let words = Span::new(start, at).trim(text);
                if !words.is_empty() {
                    spans.push(words);
                }
                open = None;
                last = after;
            }
            _ => {}
        }
    }
    if open.is_none() {
        outside.push(Span::new(last, line.end));
    }
    if spans.is_empty() {
        return None;
    }
    let (cue, mention) = outside
        .iter()
        .find_map(|gap| cue_and_mention(text, *gap))
        .map_or((None, None), |(cue, mention)| (Some(cue), mention));
    cue?;
    Some(AttributedQuote {
        quote: Quote {
            marked: spans.clone(),
            spans,
            kind: QuoteKind::Direct,
        },
        attribution: Attribution {
            cue,
            mention,
            speaker: mention.map(|mention| Speaker {
                name: mention.of(text).to_owned(),
                kind: SpeakerKind::Person,
            }),
            chain: Vec::new(),
            rule: "post-cue",
            confidence: None,
        },
    })
}

/// The first reporting verb in the gap and the capitalised words or pronoun beside it.
fn cue_and_mention(text: &str, gap: Span) -> Option<(Span, Option<Span>)> {
    let words: Vec<Span> = words(text, gap);
    let at = words
        .iter()
        .position(|word| CUES.contains(&word.of(text)))?;
    let named = |word: &Span| {
        word.of(text).starts_with(char::is_uppercase)
            || ["he", "she", "they", "it"].contains(&word.of(text))
    };
    let before = words[..at].iter().rev().take_while(|word| named(word));
    let after = words[at + 1..].iter().take_while(|word| named(word));
    let (first, last) = match before.clone().last() {
        Some(first) => (Some(first), before.clone().next()),
        None => (after.clone().next(), after.last()),
    };
    Some((
        words[at],
        first.zip(last).map(|(a, b)| Span::new(a.start, b.end)),
    ))
}

fn words(text: &str, gap: Span) -> Vec<Span> {
    let mut found = Vec::new();
    let mut start = None;
    for (offset, character) in gap.of(text).char_indices() {
        let at = gap.start + offset;
        match (character.is_alphanumeric() || character == '-', start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push(Span::new(from, at));
                start = None;
            }
            _ => {}
        }
    }
    found.extend(start.map(|from| Span::new(from, gap.end)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_followed_by_its_speaker() {
        let text = "A title\n\n“We knew,” said Ada Okafor.\n";
        let quotes = QuoteFinder::rules_only().find(text);
        assert_eq!(quotes.len(), 1);
        assert_eq!(quotes[0].quote.spans[0].of(text), "We knew,");
        let attribution = &quotes[0].attribution;
        assert_eq!(attribution.cue.map(|cue| cue.of(text)), Some("said"));
        assert_eq!(attribution.mention.map(|m| m.of(text)), Some("Ada Okafor"));
    }
}
