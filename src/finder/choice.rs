//! Whether the tagger or the rules say whose words a quote is, where the two differ.

use super::tagged::Article;
use crate::attribution::{AttributedQuote, Attribution, Rule};
use crate::quote::{Quote, QuoteKind};
use crate::span::Span;
use crate::tagger::TaggedQuote;

/// A source that the tagger is less sure of than this gives way to a rule's that stands nearer to
/// the same cue. Of those that differ on articles kept out of training, half are right there.
const UNSURE: f32 = 0.6;

/// What an attribution rests on, from which its confidence is computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    /// What the tagger gives the words, 0 where it did not find them.
    score: f32,
    speech: f32,
    /// What it gives the source it chose, or that there is none.
    source_probability: f32,
    /// How the two attributions stand to each other.
    agreement: Agreement,
}

/// How the tagger's source and the rule's mention stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreement {
    /// They overlap.
    Same,
    /// Both name somebody, not the same one.
    Differ,
    /// Only the tagger names somebody.
    TaggerAlone,
    /// Only a rule does.
    RuleAlone,
    /// Neither.
    Nobody,
}

impl Evidence {
    /// Of a quote that only the rules have found.
    pub(super) fn of_rule(_quote: &Quote) -> Evidence {
        Evidence {
            score: 0.0,
            speech: 1.0,
            source_probability: 0.0,
            agreement: Agreement::RuleAlone,
        }
    }

    /// How sure the attribution is, 0 to 1; `None` where nobody is named.
    pub(super) fn confidence(&self, found: &AttributedQuote) -> Option<f32> {
        found.attribution.speaker.as_ref()?;
        let _ = (self.score, self.speech, self.agreement);
        Some(self.source_probability)
    }
}

/// The attribution of a tagged quote; `rule` is the rules' quote that holds it.
pub(super) fn choose(
    article: &Article,
    quote: &Quote,
    tagged: &TaggedQuote,
    rule: Option<&AttributedQuote>,
) -> (Attribution, Evidence) {
    let first = &tagged.first;
    let rule = rule
        .map(|rule| &rule.attribution)
        .filter(|rule| rule.mention.is_some());
    let agreement = match (first.source, rule.and_then(|rule| rule.mention)) {
        (Some(source), Some(mention)) if source.overlaps(mention) => Agreement::Same,
        (Some(_), Some(_)) => Agreement::Differ,
        (Some(_), None) => Agreement::TaggerAlone,
        (None, Some(_)) => Agreement::RuleAlone,
        (None, None) => Agreement::Nobody,
    };
    let evidence = Evidence {
        score: first.score,
        speech: first.speech,
        source_probability: first.source_probability,
        agreement,
    };
    let by_tagger = |rule: Rule| Attribution {
        cue: first.cue,
        mention: first.source,
        speaker: None,
        chain: Vec::new(),
        rule,
        confidence: None,
    };
    let attribution = match (rule, first.source) {
        (None, None) => by_tagger(Rule::Unattributed),
        (None, Some(_)) => by_tagger(Rule::Model),
        (Some(rule), None) => rule.clone(),
        (Some(rule), Some(source)) => {
            let mention = rule.mention.unwrap_or(source);
            if prefers_rule(article, quote, tagged, rule, source, mention) {
                rule.clone()
            } else if agreement == Agreement::Same {
                by_tagger(Rule::Agreed)
            } else {
                by_tagger(Rule::Model)
            }
        }
    };
    (attribution, evidence)
}

fn prefers_rule(
    article: &Article,
    quote: &Quote,
    tagged: &TaggedQuote,
    rule: &Attribution,
    source: Span,
    mention: Span,
) -> bool {
    let text = article.text;
    if source.overlaps(mention) {
        // "the" of "the statement"; a description with its name at its end, "Acme's founder, Ada
        // Vey", has the name in the rule's mention.
        let part = mention.contains(source) && mention != source;
        let ends_with_name = source.end == mention.end
            && source.start < mention.start
            && text[source.start..mention.start].trim_end().ends_with(',');
        return part || ends_with_name;
    }
    // "its president, Ada Vey": the tagger stopped at the comma.
    if source.end < mention.start && text[source.end..mention.start].trim() == "," {
        return true;
    }
    let here = article.paragraph(quote.spans[0].start);
    let (source_here, mention_here) = (
        article.paragraph(source.start) == here,
        article.paragraph(mention.start) == here,
    );
    let marked = quote.kind != QuoteKind::Indirect;
    let beside = matches!(rule.rule, Rule::PostCue | Rule::Inverted | Rule::PreCue);
    match (source_here, mention_here) {
        (false, true) => marked || beside,
        (false, false) => beside || matches!(rule.rule, Rule::Carried | Rule::Announced),
        (true, false) => false,
        (true, true) => {
            let cue = rule
                .cue
                .filter(|cue| tagged.first.cue.is_some_and(|own| own.overlaps(*cue)));
            cue.is_some_and(|cue| {
                gap(mention, cue) < gap(source, cue)
                    && (tagged.first.source_probability < UNSURE
                        || between(text, source, cue).contains(['.', '!', '?', '”', '"']))
            })
        }
    }
}

/// The text between two spans; empty where they overlap.
fn between(text: &str, one: Span, other: Span) -> &str {
    let (from, to) = (one.end.min(other.end), one.start.max(other.start));
    text.get(from..to).unwrap_or("")
}

/// Bytes between two spans.
fn gap(one: Span, other: Span) -> usize {
    one.start
        .saturating_sub(other.end)
        .max(other.start.saturating_sub(one.end))
}
