//! A [`ScoredArticle`] is a line of gold or of predictions.

use std::io::BufRead;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::words::{Place, last_name};
use crate::attribution::AttributedQuote;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{self, Limits, cannot_read};
use crate::number::real;
use crate::span::{Offsets, Span};

/// One article with its quotes, gold or predicted: a line of the file. Offsets count Unicode
/// scalars.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ScoredArticle {
    /// Joins gold and prediction.
    #[serde(deserialize_with = "id")]
    pub id: String,
    /// The article's text; only gold needs it.
    #[serde(default)]
    pub text: Option<String>,
    /// Its quotes.
    pub quotes: Vec<ScoredQuote>,
}

/// A quote in the shape of the scorer, which is that of `.articles.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ScoredQuote {
    pub(super) start: i64,
    pub(super) end: i64,
    #[serde(default)]
    pub(super) spans: Option<Vec<[i64; 2]>>,
    #[serde(default)]
    pub(super) speaker: Option<String>,
    #[serde(default)]
    pub(super) speaker_start: Option<i64>,
    #[serde(default)]
    pub(super) speaker_end: Option<i64>,
    #[serde(default)]
    pub(super) speaker_canonical: Option<String>,
    #[serde(default)]
    pub(super) cue_class: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) confidence: Option<f64>,
}

impl ScoredArticle {
    /// What a finder found, as `.articles.jsonl` would tell it.
    pub fn of_found(id: &str, text: &str, quotes: &[AttributedQuote]) -> ScoredArticle {
        let offsets = Offsets::new(text);
        let scalars = |span: Span| [span.start, span.end].map(|byte| offsets.scalar(byte) as i64);
        let quotes = quotes.iter().map(|found| {
            let AttributedQuote { quote, attribution } = found;
            let [start, end] = scalars(quote.extent());
            let mention = attribution.mention.map(scalars);
            ScoredQuote {
                start,
                end,
                spans: Some(quote.spans.iter().copied().map(scalars).collect()),
                speaker: attribution.as_written(text).map(str::to_owned),
                speaker_start: mention.map(|mention| mention[0]),
                speaker_end: mention.map(|mention| mention[1]),
                speaker_canonical: (attribution.speaker.as_ref())
                    .map(|speaker| speaker.name.clone()),
                confidence: attribution.confidence.map(real),
                ..ScoredQuote::default()
            }
        });
        ScoredArticle {
            id: id.to_owned(),
            text: None,
            quotes: quotes.collect(),
        }
    }
}

/// An id may be written as a number.
fn id<'de, D: serde::Deserializer<'de>>(value: D) -> std::result::Result<String, D::Error> {
    match Value::deserialize(value)? {
        Value::String(id) => Ok(id),
        Value::Number(id) => Ok(id.to_string()),
        _ => Err(serde::de::Error::custom("id is neither text nor a number")),
    }
}

/// Reads articles with quotes, one JSON object a line.
///
/// # Errors
/// A file that cannot be read, or the first line that is none, with its number.
pub fn read_articles(path: &Path) -> Result<Vec<ScoredArticle>> {
    let failed = |error| cannot_read(path, error);
    let file = input::open(path, &Limits::default())?;
    let mut articles: Vec<ScoredArticle> = Vec::new();
    for (line, text) in (1..).zip(file.lines()) {
        let text = text.map_err(failed)?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        let article = serde_json::from_str(text).map_err(|error| {
            Error::new(ErrorKind::Format, "not an article with its quotes")
                .at(path)
                .at_line(line)
                .hint("one JSON object a line: {\"id\", \"text\", \"quotes\": [{\"start\", \"end\", \"speaker\"}]}, as .articles.jsonl has them")
                .because(error)
        })?;
        articles.push(article);
    }
    Ok(articles)
}

impl ScoredQuote {
    /// Its pieces within a text of so many scalars; none for one that lies outside.
    pub(super) fn places(&self, len: usize) -> Vec<Place> {
        let whole = [[self.start, self.end]];
        let spans = match &self.spans {
            Some(spans) if !spans.is_empty() => &spans[..],
            _ => &whole[..],
        };
        let within = |at: i64| usize::try_from(at).unwrap_or(0).min(len);
        let places = spans.iter().map(|span| span.map(within));
        places.filter(|[start, end]| start < end).collect()
    }

    pub(super) fn speaker(&self) -> Option<&str> {
        self.speaker.as_deref().filter(|name| !name.is_empty())
    }

    pub(super) fn speaker_place(&self) -> Option<[i64; 2]> {
        Some([self.speaker_start?, self.speaker_end?])
    }

    pub(super) fn last_name(&self) -> String {
        last_name(self.speaker().unwrap_or_default())
    }
}
