//! Where rows go: CSV, JSONL, Parquet, or one article a line.

pub mod failures;
mod nested;
pub mod package;
pub mod parquet;

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use self::nested::ArticleLine;
use crate::article::Article;
use crate::article::metadata::MetadataColumns;
use crate::attribution::AttributedQuote;
use crate::furniture;
use crate::language::Language;
use crate::number::real;
use crate::prediction::TargetPrediction;
use crate::record::{COLUMNS, Column, Group, Places, Record, Value};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// RFC 4180, one row a quote and target.
    Csv,
    /// One JSON object a quote and target.
    Jsonl,
    /// One JSON object an article, quotes nested.
    ArticlesJsonl,
    /// Apache Parquet, one row a quote and target: made at the end, by [`parquet::from_rows`],
    /// from the rows as JSONL, which [`Output`] writes in the meantime.
    Parquet,
}

impl OutputFormat {
    /// By a file name's ending.
    pub fn of(name: &str) -> Option<OutputFormat> {
        let name = name.to_ascii_lowercase();
        [
            (".articles.jsonl", OutputFormat::ArticlesJsonl),
            (".jsonl", OutputFormat::Jsonl),
            (".csv", OutputFormat::Csv),
            (".parquet", OutputFormat::Parquet),
        ]
        .into_iter()
        .find_map(|(ending, format)| name.ends_with(ending).then_some(format))
    }
}

/// What the rows carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputOptions {
    /// How they are written down.
    pub format: OutputFormat,
    /// Whether rows carry stance and sentiment.
    pub predictions: bool,
    /// Whether rows say if the model abstained.
    pub abstention: bool,
    /// Whether rows carry offsets in bytes and UTF-16 units too.
    pub offsets: bool,
    /// Whether text cells that a spreadsheet would take for a formula get a leading `'`
    /// (CSV only). Default: yes.
    pub formula_guard: bool,
    /// Whether the file begins with a byte order mark, by which Excel knows UTF-8 (CSV only).
    /// Default: no.
    pub bom: bool,
    /// Which metadata of the articles rows carry.
    pub metadata: MetadataColumns,
    /// Whether rows end with [`DUPLICATE_COLUMNS`](crate::record::DUPLICATE_COLUMNS). [`Output`]
    /// does not write them: they are known, and added, when all articles are read.
    pub copies: bool,
}

impl OutputOptions {
    /// The columns of a row, in order; after them come those that are kept, and then those of
    /// near copies.
    pub fn columns(&self) -> Vec<&'static Column> {
        let wanted = |column: &&Column| match column.group {
            Group::Quote => true,
            Group::Offsets => self.offsets,
            Group::Prediction => self.predictions,
            Group::Abstention => self.abstention,
            Group::Metadata => self.metadata.guessed.contains(column.name),
            Group::Duplicates => self.copies,
        };
        COLUMNS.iter().filter(wanted).collect()
    }

    /// The names under which kept columns stand in the output: their own, but `input_…` where
    /// the output has such a column itself.
    pub fn kept_names(&self) -> Vec<String> {
        let own = |name: &str| COLUMNS.iter().any(|column| column.name == name);
        let names = self.metadata.kept.iter();
        names
            .map(|name| match own(name) {
                true => format!("input_{name}"),
                false => name.clone(),
            })
            .collect()
    }
}

/// Writes results in the order given. What an article adds depends on that article alone.
pub struct Output<W: Write> {
    out: W,
    options: OutputOptions,
    columns: Vec<usize>,
    kept: Vec<String>,
    counts: Counts,
}

/// What was met on the way that a user should hear of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Cells of a CSV longer than Excel's 32,767 UTF-16 units, which it would cut off.
    pub long_cells: u64,
    /// Paragraphs of articles that are page furniture.
    pub furniture: u64,
    /// Articles that were not UTF-8.
    pub not_utf8: u64,
    /// Articles that are not in English: of these there are direct quotes only.
    pub not_english: u64,
}

impl Counts {
    /// Adds those of one article more.
    pub fn add(&mut self, more: &Counts) {
        self.long_cells += more.long_cells;
        self.furniture += more.furniture;
        self.not_utf8 += more.not_utf8;
        self.not_english += more.not_english;
    }

    /// True where nothing was met.
    pub fn is_zero(&self) -> bool {
        *self == Counts::default()
    }
}

/// What a CSV begins with for Excel: U+FEFF in UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// UTF-16 units in a cell of a spreadsheet at most.
pub const MAX_CELL_UNITS: usize = 32_767;

impl<W: Write> Output<W> {
    /// Writes the CSV header, with a byte order mark before it if asked for.
    ///
    /// # Errors
    /// If writing fails.
    pub fn new(out: W, options: OutputOptions) -> io::Result<Output<W>> {
        let mut output = Output::append(out, options);
        if output.options.format == OutputFormat::Csv {
            if output.options.bom {
                output.out.write_all(BYTE_ORDER_MARK)?;
            }
            let names = output.columns.iter().map(|&index| COLUMNS[index].name);
            let kept = output.kept.iter().map(String::as_str);
            write_csv(&mut output.out, names.chain(kept))?;
        }
        Ok(output)
    }

    /// Writes no header: the rows go after others.
    pub fn append(out: W, options: OutputOptions) -> Output<W> {
        let wanted = options.columns();
        let columns = (0..COLUMNS.len()).filter(|&index| wanted.contains(&&COLUMNS[index]));
        Output {
            out,
            columns: columns.collect(),
            kept: options.kept_names(),
            options,
            counts: Counts::default(),
        }
    }

    /// What was met so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Writes one article's rows.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(&mut self, result: &ArticleResult) -> io::Result<()> {
        let layout = furniture::layout(&result.article.text);
        let language = Language::of(&result.article.text, &layout.body);
        let aside = layout.furniture.len() as u64;
        self.counts.not_english += u64::from(!language.is_english());
        self.counts.furniture += aside;
        self.counts.not_utf8 += u64::from(result.article.encoding.is_some());
        if self.options.format == OutputFormat::ArticlesJsonl {
            let line = ArticleLine::new(result, aside, &self.kept);
            serde_json::to_writer(&mut self.out, &line)?;
            return self.out.write_all(b"\n");
        }
        let places = Places::new(&result.article.text);
        for (index, quote) in result.quotes.iter().enumerate() {
            let record =
                |prediction| Record::new(&result.article, &places, index + 1, quote, prediction);
            match result.predictions.get(index) {
                Some(predictions) => {
                    for prediction in predictions {
                        self.write_row(&record(Some(prediction)), &result.article)?;
                    }
                }
                None => self.write_row(&record(None), &result.article)?,
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

    fn write_row(&mut self, record: &Record, article: &Article) -> io::Result<()> {
        let values = record.values();
        let own = self
            .columns
            .iter()
            .map(|&index| (COLUMNS[index].name, values[index].clone()));
        let kept = self.kept.iter().zip(&article.metadata.kept);
        let kept = kept.map(|(name, value)| (name.as_str(), Value::from(value.clone())));
        let cells = own.chain(kept);
        if self.options.format == OutputFormat::Csv {
            let guard = self.options.formula_guard;
            let cells: Vec<String> = cells.map(|(_, value)| csv_cell(&value, guard)).collect();
            let long = cells.iter().filter(|cell| is_long(cell)).count();
            self.counts.long_cells += long as u64;
            return write_csv(&mut self.out, cells);
        }
        let object: serde_json::Map<_, _> = cells
            .map(|(name, value)| (name.to_owned(), json_value(&value)))
            .collect();
        serde_json::to_writer(&mut self.out, &object)?;
        self.out.write_all(b"\n")
    }
}

fn is_long(cell: &str) -> bool {
    cell.len() > MAX_CELL_UNITS && cell.encode_utf16().count() > MAX_CELL_UNITS
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
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => real(*number).to_string(),
        Value::Places(places) => places_text(places),
    }
}

/// `12-40 61-90`
fn places_text(places: &[[u64; 2]]) -> String {
    let places: Vec<String> = places
        .iter()
        .map(|[start, end]| format!("{start}-{end}"))
        .collect();
    places.join(" ")
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
        Value::Boolean(truth) => (*truth).into(),
        Value::Integer(number) => (*number).into(),
        Value::Real(number) => real(*number).into(),
        Value::Places(places) => serde_json::json!(places),
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
