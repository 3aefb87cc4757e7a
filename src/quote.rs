//! A [`Quote`] is one utterance of one speaker: the words between quotation marks, a reported
//! clause, or both, possibly interrupted by its attribution.

pub mod marks;

use crate::span::Span;

/// How the words are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuoteKind {
    /// Between quotation marks (at least nine words in ten).
    Direct,
    /// A reported clause of which a part stands between quotation marks.
    Mixed,
    /// A reported clause without quotation marks.
    Indirect,
}

/// One utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The words, in order: one span, or more where the attribution or a paragraph break
    /// interrupts them. Never empty; without the outer marks of a direct quote.
    pub spans: Vec<Span>,
    /// Whether direct, mixed or indirect.
    pub kind: QuoteKind,
    /// The parts of `spans` that stand between quotation marks, marks excluded.
    pub marked: Vec<Span>,
}

impl QuoteKind {
    /// As written in the rows.
    pub fn name(self) -> &'static str {
        match self {
            QuoteKind::Direct => "direct",
            QuoteKind::Mixed => "mixed",
            QuoteKind::Indirect => "indirect",
        }
    }
}

impl Quote {
    /// From the first word to the last, with what interrupts the quote.
    pub fn extent(&self) -> Span {
        let ends = self.spans.iter().map(|span| span.end);
        let start = self.spans.first().map_or(0, |span| span.start);
        Span::new(start, ends.max().unwrap_or(start))
    }

    /// The words: its spans, joined by a space.
    pub fn text(&self, article: &str) -> String {
        let pieces: Vec<&str> = self.spans.iter().map(|span| span.of(article)).collect();
        pieces.join(" ")
    }
}
