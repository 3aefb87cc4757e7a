//! How sure an attribution is: the probability that the words are a quote, at least half of them, and
//! that the speaker's surname is right. Measured, never guessed: see `training/fit_quote_confidence.py`.

use crate::attribution::{AttributedQuote, Rule};
use crate::quote::QuoteKind;

/// What speaks for a quote.
#[derive(Clone, Copy, Debug)]
pub(super) enum Evidence {
    /// A rule; no tagger has read the text.
    RuleAlone,
    /// A rule; the tagger has read the words and marked none of them, or few.
    RuleAgainstTagger,
    /// The tagger.
    Tagged {
        /// Probability that the words are a quote's.
        score: f32,
        /// Probability of the source it chose, or that there is none.
        source_probability: f32,
    },
}

/// Logistic regression on 628 quotes of the 40 PolNeAR training articles that the tagger was not
/// trained on; of each probability p its log-odds, ln(p / (1 - p)), between those of .01 and .99.
const AGREED: f32 = -0.397;
const BY_MODEL: f32 = -1.451;
const BY_RULE: f32 = -1.173;
const SCORE: f32 = 0.492;
/// Only where the tagger's source was taken.
const SOURCE: f32 = 0.321;
/// Words between marks, all or some.
const MARKED: f32 = 0.658;

/// Of a rule's quotes that the tagger does not have, the share that is right, with and without words
/// between marks: (right + 1) / (all + 2) of the 29 and 71 in PolNeAR's training part.
const AGAINST_TAGGER: (f32, f32) = (0.19, 0.55);

/// The confidence of an attribution; `None` where nobody is named, or where it has not been measured.
pub(super) fn confidence(found: &AttributedQuote, evidence: Evidence) -> Option<f32> {
    let attribution = &found.attribution;
    attribution.speaker.as_ref()?;
    let marked = found.quote.kind != QuoteKind::Indirect;
    let (score, source_probability) = match evidence {
        // The tagger was trained on no interviews, so that its silence says nothing.
        Evidence::RuleAgainstTagger if attribution.rule == Rule::Turn => return None,
        Evidence::RuleAlone => return precision(attribution.rule, marked),
        Evidence::RuleAgainstTagger => {
            let (with, without) = AGAINST_TAGGER;
            return Some(if marked { with } else { without });
        }
        Evidence::Tagged {
            score,
            source_probability,
        } => (score, source_probability),
    };
    let (group, source) = match attribution.rule {
        Rule::Agreed => (AGREED, SOURCE),
        Rule::Model => (BY_MODEL, SOURCE),
        _ => (BY_RULE, 0.0),
    };
    let sum = group
        + SCORE * log_odds(score)
        + source * log_odds(source_probability)
        + if marked { MARKED } else { 0.0 };
    Some(1.0 / (1.0 + (-sum).exp()))
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
