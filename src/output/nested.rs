//! The line of one article in `.articles.jsonl`.

use serde::Serialize;

use super::{ArticleResult, real};
use crate::attribution::{AttributedQuote, Link};
use crate::prediction::{TargetPrediction, Task};
use crate::record::Places;
use crate::span::Span;

/// One line of `.articles.jsonl`: the shape that quotation scorers read, in which `speaker` is
/// the mention as written (the name where none is written) and `speaker_canonical` the name it stands for. Offsets count Unicode
/// scalars.
#[derive(Serialize)]
pub struct ArticleLine<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outlet: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    /// The columns that were kept, by their names.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    kept: serde_json::Map<String, serde_json::Value>,
    /// What the article was decoded from, if not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'a str>,
    /// Paragraphs set aside as page furniture.
    furniture: u64,
    quotes: Vec<QuoteLine<'a>>,
}

#[derive(Serialize)]
struct QuoteLine<'a> {
    start: u64,
    end: u64,
    spans: Vec<[u64; 2]>,
    content: String,
    kind: &'a str,
    speaker: Option<&'a str>,
    speaker_start: Option<u64>,
    speaker_end: Option<u64>,
    speaker_canonical: Option<&'a str>,
    speaker_type: Option<&'a str>,
    /// From `speaker` to `speaker_canonical`, step by step.
    chain: Vec<StepLine<'a>>,
    cue: Option<&'a str>,
    cue_start: Option<u64>,
    cue_end: Option<u64>,
    rule: String,
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    predictions: Vec<PredictionLine<'a>>,
}

/// The words that the mention, or the step before, stands for, and why.
#[derive(Serialize)]
struct StepLine<'a> {
    start: u64,
    end: u64,
    text: &'a str,
    link: Link,
}

#[derive(Serialize)]
struct PredictionLine<'a> {
    target: &'a str,
    /// `null`: the model abstained.
    stance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    abstained: Option<bool>,
    stance_probs: serde_json::Map<String, serde_json::Value>,
    sentiment: &'a str,
    sentiment_probs: serde_json::Map<String, serde_json::Value>,
    n_tokens: usize,
    windows: usize,
    model: &'a str,
}

impl<'a> ArticleLine<'a> {
    pub fn new(result: &'a ArticleResult, furniture: u64, kept: &[String]) -> ArticleLine<'a> {
        let metadata = &result.article.metadata;
        let kept = kept.iter().zip(&metadata.kept);
        let places = Places::new(&result.article.text);
        let quotes = result.quotes.iter().enumerate().map(|(index, found)| {
            let predictions = result.predictions.get(index).map_or(&[][..], Vec::as_slice);
            QuoteLine::new(&result.article.text, &places, found, predictions)
        });
        ArticleLine {
            id: &result.article.id,
            date: metadata.date.as_deref(),
            outlet: metadata.outlet.as_deref(),
            title: metadata.title.as_deref(),
            url: metadata.url.as_deref(),
            kept: kept
                .map(|(name, value)| (name.clone(), value.clone().into()))
                .collect(),
            encoding: result.article.encoding,
            furniture,
            quotes: quotes.collect(),
        }
    }
}

impl<'a> QuoteLine<'a> {
    fn new(
        text: &'a str,
        places: &Places,
        found: &'a AttributedQuote,
        predictions: &'a [TargetPrediction],
    ) -> QuoteLine<'a> {
        let AttributedQuote { quote, attribution } = found;
        let scalars = |span: Option<Span>| span.map(|span| places.scalars(span));
        let [start, end] = places.scalars(quote.extent());
        let (mention, cue) = (scalars(attribution.mention), scalars(attribution.cue));
        let speaker = attribution.speaker.as_ref();
        QuoteLine {
            start,
            end,
            spans: quote
                .spans
                .iter()
                .map(|&span| places.scalars(span))
                .collect(),
            content: quote.text(text),
            kind: quote.kind.name(),
            speaker: attribution.as_written(text),
            speaker_start: mention.map(|mention| mention[0]),
            speaker_end: mention.map(|mention| mention[1]),
            speaker_canonical: speaker.map(|speaker| speaker.name.as_str()),
            speaker_type: speaker.map(|speaker| speaker.kind.name()),
            chain: attribution
                .chain
                .iter()
                .map(|step| {
                    let [start, end] = places.scalars(step.span);
                    let text = step.span.of(text);
                    StepLine {
                        start,
                        end,
                        text,
                        link: step.link,
                    }
                })
                .collect(),
            cue: attribution.cue.map(|span| span.of(text)),
            cue_start: cue.map(|cue| cue[0]),
            cue_end: cue.map(|cue| cue[1]),
            rule: attribution.rule.to_string(),
            confidence: attribution.confidence.map(real),
            predictions: predictions.iter().map(PredictionLine::new).collect(),
        }
    }
}

impl<'a> PredictionLine<'a> {
    fn new(prediction: &'a TargetPrediction) -> PredictionLine<'a> {
        PredictionLine {
            target: &prediction.target,
            stance: (prediction.abstained != Some(true))
                .then(|| Task::Stance.labels()[prediction.stance.top()]),
            abstained: prediction.abstained,
            stance_probs: prediction.stance.to_json(Task::Stance),
            sentiment: Task::Sentiment.labels()[prediction.sentiment.top()],
            sentiment_probs: prediction.sentiment.to_json(Task::Sentiment),
            n_tokens: prediction.n_tokens,
            windows: prediction.windows,
            model: &prediction.model,
        }
    }
}
