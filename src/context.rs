//! A context is what the article says around a quote: the paragraph it stands in without the
//! quote's own words, the speaker's other quotes, and the paragraph before. A quote alone often
//! does not say what it speaks of.
//!
//! The stance model is trained on the same form (`training/own_articles.py`, `both`); the two must
//! change together.

use std::collections::HashMap;

use crate::attribution::{AttributedQuote, SpeakerKind};
use crate::sentence::paragraphs;
use crate::span::Span;

/// Stands where a quote's own words are cut out.
const CUT: &str = "…";

/// The context of each quote, at most `max_words` words separated by single spaces; empty where
/// the article holds nothing but the quote. The quotes are those of this article, in its order.
///
/// The paragraph comes first, then the speaker's other quotes, nearest first, then the paragraph
/// before, so that a reader with little room cuts off what tells least. Linear in the length of
/// the article and `max_words` for each quote.
pub fn contexts(article: &str, quotes: &[AttributedQuote], max_words: usize) -> Vec<String> {
    let paragraphs = paragraphs(article);
    let mut by_speaker: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, quote) in quotes.iter().enumerate() {
        if let Some(name) = name(quote) {
            by_speaker.entry(name).or_default().push(index);
        }
    }
    let context = |(index, quote): (usize, &AttributedQuote)| {
        let mut words = Words::new(max_words);
        let start = quote.quote.spans[0].start;
        // A quote stands in the last paragraph that begins no later.
        let own = paragraphs.partition_point(|paragraph| paragraph.start <= start);
        let own = own.saturating_sub(1);
        if let Some(paragraph) = paragraphs.get(own) {
            words.push_without(article, *paragraph, &quote.quote.spans);
        }
        let same = name(quote).map_or(&[][..], |name| &by_speaker[name]);
        for other in nearest_first(same, index) {
            if words.full() {
                break;
            }
            words.push(&quotes[other].quote.text(article));
        }
        if own > 0 {
            words.push(paragraphs[own - 1].of(article));
        }
        words.text
    };
    quotes.iter().enumerate().map(context).collect()
}

/// The speaker's name, if it is one person's or body's: "he" unresolved may be anybody.
fn name(quote: &AttributedQuote) -> Option<&str> {
    let speaker = quote.attribution.speaker.as_ref()?;
    (speaker.kind != SpeakerKind::Pronoun).then_some(speaker.name.as_str())
}

/// The indices but `index`, by their distance from it; of two equally near the earlier first.
fn nearest_first(sorted: &[usize], index: usize) -> impl Iterator<Item = usize> {
    let place = sorted.partition_point(|other| *other < index);
    let mut before = sorted[..place].iter().rev().copied().peekable();
    let after = sorted[place..].iter().copied();
    let mut after = after.filter(move |other| *other != index).peekable();
    std::iter::from_fn(move || match (before.peek(), after.peek()) {
        (Some(left), Some(right)) if right - index < index - left => after.next(),
        (Some(_), _) => before.next(),
        (None, _) => after.next(),
    })
}

/// Words separated by single spaces, up to a number of them.
struct Words {
    text: String,
    left: usize,
}

impl Words {
    fn new(most: usize) -> Words {
        Words {
            text: String::new(),
            left: most,
        }
    }

    fn full(&self) -> bool {
        self.left == 0
    }

    fn push(&mut self, text: &str) {
        for word in text.split_whitespace().take(self.left) {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(word);
            self.left -= 1;
        }
    }

    /// The words of a paragraph with an ellipsis for each of these spans.
    fn push_without(&mut self, article: &str, paragraph: Span, spans: &[Span]) {
        let (mut kept, mut place) = (String::new(), paragraph.start);
        for span in spans.iter().filter(|span| span.overlaps(paragraph)) {
            kept.push_str(&article[place..span.start.max(place)]);
            kept.push_str(CUT);
            place = place.max(span.end);
        }
        if place < paragraph.end {
            kept.push_str(&article[place..paragraph.end]);
        }
        self.push(&kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QuoteFinder;

    const ARTICLE: &str = "The bridge closed on Monday.\n\n“It was time,” said Ada Lund, who \
        runs the ferry. “I told them so.”\n\nThe mayor was not there. “Ask him tomorrow,” Lund said.\n";

    #[test]
    fn a_context_has_the_paragraph_the_speakers_other_quotes_and_the_paragraph_before() {
        let quotes = QuoteFinder::rules_only().find(ARTICLE);
        let texts: Vec<String> = quotes.iter().map(|q| q.quote.text(ARTICLE)).collect();
        let found = contexts(ARTICLE, &quotes, 64);
        let last = texts
            .iter()
            .position(|text| text.starts_with("Ask"))
            .unwrap();
        assert!(
            found[last].starts_with("The mayor was not there. “…” Lund said. "),
            "{found:?}"
        );
        assert!(found[last].contains("It was time"), "{found:?}");
        assert!(found[last].ends_with("“I told them so.”"), "{found:?}");
        assert!(!found[last].contains("Ask him"), "{found:?}");
        assert!(
            found[0].ends_with("The bridge closed on Monday."),
            "{found:?}"
        );
        for context in contexts(ARTICLE, &quotes, 5) {
            assert_eq!(context.split(' ').count(), 5);
        }
    }

    #[test]
    fn the_nearest_come_first() {
        let order = |index| nearest_first(&[1, 4, 5, 9], index).collect::<Vec<_>>();
        assert_eq!(order(5), [4, 1, 9]);
        assert_eq!(order(4), [5, 1, 9]);
        assert_eq!(order(1), [4, 5, 9]);
    }
}
