//! Where rows go: CSV, JSONL, or one article a line.

use std::io::{self, Write};

use serde::Serialize;

use crate::article::Article;
use crate::attribution::{AttributedQuote, Link};
use crate::prediction::{TargetPrediction, Task};
use crate::record::{COLUMNS, Group, Places, Record, Value};
use crate::span::Span;

/// One article with all that was found in it.
#[derive(Clone, Debug)]
pub struct ArticleResult {
    /// As read.
    pub article: Article,
    /// In the order of the text.
    pub quotes: Vec<AttributedQuote>,
    /// For each quote, its prediction for each target; empty where there is no target.
    pub predictions: Vec<Vec<TargetPrediction>>,
}

/// How rows are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// RFC 4180, one row a quote and target.
    Csv,
    /// One JSON object a quote and target.
    Jsonl,
    /// One JSON object an article, quotes nested.
    ArticlesJsonl,
}

impl OutputFormat {
    /// By a file name's ending.
    pub fn of(name: &str) -> Option<OutputFormat> {
        let name = name.to_ascii_lowercase();
        [
            (".articles.jsonl", OutputFormat::ArticlesJsonl),
            (".jsonl", OutputFormat::Jsonl),
            (".csv", OutputFormat::Csv),
        ]
        .into_iter()
        .find_map(|(ending, format)| name.ends_with(ending).then_some(format))
    }
}

/// What the rows carry.
#[derive(Clone, Copy, Debug)]
pub struct OutputOptions {
    /// How they are written down.
    pub format: OutputFormat,
    /// Whether rows carry stance and sentiment.
    pub predictions: bool,
    /// Whether rows carry offsets in bytes and UTF-16 units too.
    pub offsets: bool,
    /// Whether text cells that a spreadsheet would take for a formula get a leading `'`
    /// (CSV only). Default: yes.
    pub formula_guard: bool,
}

/// Writes results in the order given.
pub struct Output<W: Write> {
    out: W,
    options: OutputOptions,
    columns: Vec<usize>,
}

impl<W: Write> Output<W> {
    /// Writes the CSV header.
    ///
    /// # Errors
    /// If writing fails.
    pub fn new(mut out: W, options: OutputOptions) -> io::Result<Output<W>> {
        let wanted = |group| match group {
            Group::Quote => true,
            Group::Offsets => options.offsets,
            Group::Prediction => options.predictions,
        };
        let columns: Vec<usize> = (0..COLUMNS.len())
            .filter(|&index| wanted(COLUMNS[index].group))
            .collect();
        if options.format == OutputFormat::Csv {
            let names = columns.iter().map(|&index| COLUMNS[index].name);
            write_csv(&mut out, names)?;
        }
        Ok(Output {
            out,
            options,
            columns,
        })
    }

    /// Writes one article's rows.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(&mut self, result: &ArticleResult) -> io::Result<()> {
        if self.options.format == OutputFormat::ArticlesJsonl {
            serde_json::to_writer(&mut self.out, &ArticleLine::new(result))?;
            return self.out.write_all(b"\n");
        }
        let places = Places::new(&result.article.text);
        for (index, quote) in result.quotes.iter().enumerate() {
            let record =
                |prediction| Record::new(&result.article, &places, index + 1, quote, prediction);
            match result.predictions.get(index) {
                Some(predictions) => {
                    for prediction in predictions {
                        self.write_row(&record(Some(prediction)))?;
                    }
                }
                None => self.write_row(&record(None))?,
            }
        }
        Ok(())
    }

    /// Hands on what is buffered, and gives the writer back.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn write_row(&mut self, record: &Record) -> io::Result<()> {
        let values = record.values();
        let cells = self
            .columns
            .iter()
            .map(|&index| (COLUMNS[index].name, &values[index]));
        if self.options.format == OutputFormat::Csv {
            let guard = self.options.formula_guard;
            return write_csv(
                &mut self.out,
                cells.map(|(_, value)| csv_cell(value, guard)),
            );
        }
        let object: serde_json::Map<_, _> = cells
            .map(|(name, value)| (name.to_owned(), json_value(value)))
            .collect();
        serde_json::to_writer(&mut self.out, &object)?;
        self.out.write_all(b"\n")
    }
}

/// Writes one RFC 4180 record, ended by CR LF.
///
/// # Errors
/// If writing fails.
pub fn write_csv(
    out: &mut impl Write,
    cells: impl IntoIterator<Item = impl AsRef<str>>,
) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for cell in cells {
        writer.write_field(cell.as_ref())?;
    }
    writer.write_record(None::<&[u8]>)?;
    out.write_all(
        &writer
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?,
    )
}

fn csv_cell(value: &Value, formula_guard: bool) -> String {
    match value {
        Value::Missing => String::new(),
        Value::Text(text) if formula_guard => guarded(text),
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => real(*number).to_string(),
        Value::Places(places) => {
            let places: Vec<String> = places
                .iter()
                .map(|[start, end]| format!("{start}-{end}"))
                .collect();
            places.join(" ")
        }
    }
}

/// A text that a spreadsheet would run as a formula gets a leading `'`, which it shows as text.
pub fn guarded(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

fn json_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Missing => serde_json::Value::Null,
        Value::Text(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Real(number) => real(*number).into(),
        Value::Places(places) => serde_json::json!(places),
    }
}

/// Six decimals: more than the model can mean, and the same text in CSV and JSON.
pub fn real(number: f32) -> f64 {
    (f64::from(number) * 1e6).round() / 1e6
}

/// One line of `.articles.jsonl`: the shape that quotation scorers read, in which `speaker` is
/// the mention as written and `speaker_canonical` the name it stands for. Offsets count Unicode
/// scalars.
#[derive(Serialize)]
struct ArticleLine<'a> {
    id: &'a str,
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
    stance: &'a str,
    stance_probs: serde_json::Map<String, serde_json::Value>,
    sentiment: &'a str,
    sentiment_probs: serde_json::Map<String, serde_json::Value>,
    n_tokens: usize,
    windows: usize,
    model: &'a str,
}

impl<'a> ArticleLine<'a> {
    fn new(result: &'a ArticleResult) -> ArticleLine<'a> {
        let places = Places::new(&result.article.text);
        let quotes = result.quotes.iter().enumerate().map(|(index, found)| {
            let predictions = result.predictions.get(index).map_or(&[][..], Vec::as_slice);
            QuoteLine::new(&result.article.text, &places, found, predictions)
        });
        ArticleLine {
            id: &result.article.id,
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
            speaker: attribution.mention.map(|span| span.of(text)),
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
            stance: Task::Stance.labels()[prediction.stance.top()],
            stance_probs: prediction.stance.to_json(Task::Stance),
            sentiment: Task::Sentiment.labels()[prediction.sentiment.top()],
            sentiment_probs: prediction.sentiment.to_json(Task::Sentiment),
            n_tokens: prediction.n_tokens,
            windows: prediction.windows,
            model: &prediction.model,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_in_text_only() {
        assert_eq!(csv_cell(&Value::Text("=1+1".into()), true), "'=1+1");
        assert_eq!(csv_cell(&Value::Text("=1+1".into()), false), "=1+1");
        assert_eq!(csv_cell(&Value::Text("a=1".into()), true), "a=1");
        assert_eq!(csv_cell(&Value::Real(-0.25), true), "-0.25");
    }

    #[test]
    fn csv_is_rfc_4180() {
        let mut out = Vec::new();
        write_csv(&mut out, ["a", "b \"c\"", "d,e", "f\ng", ""]).unwrap();
        assert_eq!(out, b"a,\"b \"\"c\"\"\",\"d,e\",\"f\ng\",\r\n");
    }

    #[test]
    fn endings_pick_the_format() {
        assert_eq!(
            OutputFormat::of("x.articles.jsonl"),
            Some(OutputFormat::ArticlesJsonl)
        );
        assert_eq!(OutputFormat::of("x.JSONL"), Some(OutputFormat::Jsonl));
        assert_eq!(OutputFormat::of("x.xlsx"), None);
    }
}
