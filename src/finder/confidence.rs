//! How sure an attribution is: the probability that the words are a quote, at least half of them, and
//! that the speaker's surname is right. Measured, never guessed: see `training/fit_quote_confidence.py`.

use crate::attribution::{AttributedQuote, Rule};
use crate::quote::QuoteKind;
use crate::tagger::Confidence;

/// What speaks for a quote in a text that a tagger has read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Evidence {
    /// A rule; the tagger has marked none of the words, or few.
    RuleAgainstTagger,
    /// The tagger.
    Tagged {
        /// Probability that the words are a quote's.
        score: f32,
        /// Probability of the source it chose, or that there is none.
        source_probability: f32,
    },
}

/// The confidence of what rules have found in a text that no tagger has read; `None` where nobody is named, or
/// where it has not been measured.
pub(super) fn by_rules(found: &AttributedQuote) -> Option<f32> {
    let attribution = &found.attribution;
    attribution.speaker.as_ref()?;
    precision(attribution.rule, is_marked(found))
}

impl Confidence {
    /// Likewise of a text that its tagger has read.
    pub(super) fn of(&self, found: &AttributedQuote, evidence: Evidence) -> Option<f32> {
        let attribution = &found.attribution;
        attribution.speaker.as_ref()?;
        let marked = is_marked(found);
        let (score, source_probability) = match evidence {
            // The tagger was trained on no interviews, so that its silence says nothing.
            Evidence::RuleAgainstTagger if attribution.rule == Rule::Turn => return None,
            Evidence::RuleAgainstTagger if marked => return Some(self.missed_marked),
            Evidence::RuleAgainstTagger => return Some(self.missed_clause),
            Evidence::Tagged {
                score,
                source_probability,
            } => (score, source_probability),
        };
        let (group, source) = match attribution.rule {
            Rule::Agreed => (self.agreed, self.source_probability),
            Rule::Model => (self.model, self.source_probability),
            _ => (self.rule, 0.0),
        };
        let sum = group
            + self.score * log_odds(score)
            + source * log_odds(source_probability)
            + if marked { self.marked } else { 0.0 };
        Some(1.0 / (1.0 + (-sum).exp()))
    }
}

fn is_marked(found: &AttributedQuote) -> bool {
    found.quote.kind != QuoteKind::Indirect
}

fn log_odds(probability: f32) -> f32 {
    let p = probability.clamp(0.01, 0.99);
    (p / (1.0 - p)).ln()
}

/// The share of a rule's quotes that are right, of words with and without marks, on PolNeAR's training
/// part by rules alone, (right + 1) / (all + 2); `None` where there were fewer than five.
fn precision(rule: Rule, marked: bool) -> Option<f32> {
    let (with, without) = match rule {
        Rule::PostCue => (Some(0.97), None),
        Rule::Inverted => (Some(0.95), Some(0.50)),
        Rule::PreCue => (Some(0.86), None),
        Rule::PostCueIndirect => (Some(0.78), Some(0.71)),
        Rule::AccordingTo => (Some(0.70), Some(0.86)),
        Rule::ThatClause => (Some(0.81), Some(0.78)),
        Rule::BareClause => (Some(0.79), Some(0.72)),
        Rule::WhetherClause => (Some(0.70), Some(0.65)),
        Rule::Infinitive => (Some(0.67), Some(0.47)),
        Rule::ObjectComplement => (Some(0.67), Some(0.50)),
        Rule::Colon => (Some(0.73), Some(0.50)),
        Rule::Label => (Some(0.71), None),
        Rule::Announced => (Some(0.77), None),
        Rule::Carried => (Some(0.58), None),
        Rule::PrecedingSubject => (Some(0.44), None),
        Rule::Embedded => (Some(0.35), None),
        Rule::Turn
        | Rule::Signature
        | Rule::Model
        | Rule::Agreed
        | Rule::Unattributed
        | Rule::MarksOnly => (None, None),
    };
    if marked { with } else { without }
}
