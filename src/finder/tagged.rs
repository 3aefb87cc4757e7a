//! From the tagger's quotes to [`AttributedQuote`]s: the names come from the same resolution as
//! the rules', and quotes whose source is not beside them take the rules' attribution.

use crate::attribution::frame::{Frame, Item};
use crate::attribution::names::Names;
use crate::attribution::{AttributedQuote, Attribution, Speaker, SpeakerKind};
use crate::quote::Quote;
use crate::quote::marks::passages;
use crate::sentence::paragraphs;
use crate::span::Span;
use crate::tagger::{TaggedQuote, TaggedSpan, Thresholds, quotes};

/// Bytes that two quotes share, of the bytes that either has, from which on they are one quote.
const SAME_QUOTE: f64 = 0.5;

/// Attributes an article's tagged quotes; `by_rules` are the quotes the rules find in it.
pub(super) fn attributed(
    text: &str,
    spans: &[TaggedSpan],
    thresholds: Thresholds,
    by_rules: &[AttributedQuote],
) -> Vec<AttributedQuote> {
    let tagged = &quotes(spans, |span| thresholds.keep(span))[..];
    let mut speakers = resolved(text, tagged);
    let mut found: Vec<AttributedQuote> = tagged
        .iter()
        .zip(&mut speakers)
        .filter_map(|(tagged, speaker)| {
            let quote = tagged.quote();
            if quote.spans.is_empty() {
                return None;
            }
            let by_rule = || {
                let same = by_rules
                    .iter()
                    .map(|rule| (overlap(&rule.quote, &quote), rule));
                // Of equals the first.
                let best = same.fold(None, |best: Option<(f64, _)>, next| match best {
                    Some(best) if best.0 >= next.0 => Some(best),
                    _ => Some(next),
                });
                let best = best.filter(|(share, _)| *share >= SAME_QUOTE);
                best.map(|(_, rule)| rule.attribution.clone())
                    .filter(|attribution| attribution.speaker.is_some())
            };
            let by_model = |(speaker, chain): (Option<Speaker>, Vec<Span>)| Attribution {
                cue: tagged.first.cue,
                mention: tagged.first.source,
                speaker,
                chain,
                rule: "model",
                confidence: Some(tagged.first.source_probability),
            };
            let attribution = match tagged.first.source {
                Some(_) => by_model(std::mem::take(speaker)),
                None => by_rule().unwrap_or_else(|| by_model((None, Vec::new()))),
            };
            Some(AttributedQuote { quote, attribution })
        })
        .collect();
    found.sort_by_key(|found| found.quote.spans[0].start);
    found
}

/// Whom each quote's source stands for, read paragraph by paragraph as the rules read.
fn resolved(text: &str, tagged: &[TaggedQuote]) -> Vec<(Option<Speaker>, Vec<Span>)> {
    let mut names = Names::default();
    let mut speakers = vec![(None, Vec::new()); tagged.len()];
    for paragraph in paragraphs(text) {
        let frame = Frame::new(text, paragraph, &passages(text, paragraph));
        names.read(text, &frame);
        for (tagged, speaker) in tagged.iter().zip(&mut speakers) {
            let Some(source) = tagged.first.source.filter(|source| paragraph.contains(*source)) else {
                continue;
            };
            let items = items_of(&frame, source);
            *speaker = if items.is_empty() {
                (Some(as_written(text, source)), Vec::new())
            } else {
                let resolved = names.resolve(text, items);
                names.spoke(source.start, &resolved);
                (resolved.speaker, resolved.chain)
            };
        }
    }
    for (tagged, speaker) in tagged.iter().zip(&mut speakers) {
        if let (Some(source), None) = (tagged.first.source, &speaker.0) {
            speaker.0 = Some(as_written(text, source));
        }
    }
    speakers
}

/// The items of a mention; none where it stands inside a quotation.
fn items_of(frame: &Frame, mention: Span) -> &[Item] {
    let items = &frame.items;
    let start = items.partition_point(|item| item.span.end <= mention.start);
    let end = items.partition_point(|item| item.span.start < mention.end);
    let items = &items[start..end.max(start)];
    match items.iter().any(|item| item.passage.is_some()) {
        true => &[],
        false => items,
    }
}

/// A speaker of whom nothing is known but the mention.
fn as_written(text: &str, mention: Span) -> Speaker {
    let name = mention.of(text).to_owned();
    let kind = match name.starts_with(char::is_uppercase) {
        true => SpeakerKind::Person,
        false => SpeakerKind::Role,
    };
    Speaker { name, kind }
}

/// Bytes in both, of bytes in either.
fn overlap(one: &Quote, other: &Quote) -> f64 {
    let length = |quote: &Quote| quote.spans.iter().map(Span::len).sum::<usize>();
    let shared: usize = (one.spans.iter())
        .flat_map(|a| other.spans.iter().map(move |b| (a, b)))
        .map(|(a, b)| a.end.min(b.end).saturating_sub(a.start.max(b.start)))
        .sum();
    shared as f64 / (length(one) + length(other) - shared).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: Thresholds = Thresholds {
        min_score: 0.7,
        min_score_marked: 0.5,
        min_speech: 0.5,
    };

    fn tagged(text: &str, words: &str, source: Option<&str>) -> TaggedSpan {
        let place = |part: &str| {
            let start = text.find(part).unwrap();
            Span::new(start, start + part.len())
        };
        TaggedSpan {
            lines: vec![place(words)],
            marked: vec![place(words)],
            words: 1,
            words_inside: 1,
            continues: false,
            score: 1.0,
            speech: 1.0,
            source: source.map(place),
            source_probability: 0.9,
            cue: None,
            cue_probability: 0.9,
        }
    }

    #[test]
    fn sources_are_resolved_and_the_rules_fill_the_gaps() {
        let text = "“We knew it all,” said Ada Okafor.\n\n“The quay is sinking,” Okafor said.\n";
        let mut quotes = [
            tagged(text, "We knew it all,", None),
            tagged(text, "The quay is sinking,", Some("Okafor said")),
        ];
        quotes[1].source = quotes[1]
            .source
            .map(|place| Span::new(place.start, place.end - 5));
        let by_rules = super::super::QuoteFinder::rules_only().find(text);
        let found = attributed(text, &quotes, THRESHOLDS, &by_rules);
        let names: Vec<_> = found
            .iter()
            .map(|found| found.attribution.speaker.as_ref().map(|s| s.name.as_str()))
            .collect();
        assert_eq!(names, [Some("Ada Okafor"), Some("Ada Okafor")]);
        assert_ne!(found[0].attribution.rule, "model");
        assert_eq!(found[1].attribution.rule, "model");
        assert_eq!(found[1].attribution.confidence, Some(0.9));
    }
}
