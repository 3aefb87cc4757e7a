//! Verifying: a sample of an output's articles is worked out anew from the inputs, and what comes
//! out is held against what stands in the output.

use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::ThreadPool;
use sha2::{Digest, Sha256};

use super::manifest::Manifest;
use super::whole::digest_of;
use super::{OutputFiles, cannot_read};
use crate::article::Articles;
use crate::duplicates::DuplicateIndex;
use crate::error::{Error, Result};
use crate::input::Limits;
use crate::output::parquet::from_rows;
use crate::output::{Output, OutputFormat, OutputOptions, guarded};
use crate::pipeline::{Course, Document, Duplicates, Observer, Run, Sink, Summary};
use crate::record::DUPLICATE_COLUMNS;
use crate::table::{Row, Table, TableFormat, TableOptions};

/// Which documents to work out anew.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// How many; all where there are fewer.
    pub documents: usize,
    /// Another seed draws rows. A document is drawn by the SHA-256 of the seed and its id.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Documents worked out anew.
    pub documents: u64,
    /// Rows of theirs that stand in the output.
    pub rows: u64,
    /// Articles without rows in an output that leaves near copies out: whether they are copies
    /// only the whole run can tell.
    pub left_out: u64,
    /// Documents for which something differs.
    pub differing: u64,
    /// What differs, in words, each with its place.
    pub differences: Vec<String>,
}

/// Holds a sample of an output's documents against what comes out now. `articles` opens the
/// inputs, which is done twice; `run` is the recorded run, but for its [`Run::output`] and
/// [`Run::duplicates`], which are the manifest's.
///
/// # Errors
/// If a file cannot be read, or the model fails.
pub fn verify(
    files: &OutputFiles,
    manifest: &Manifest,
    run: &mut Run,
    mut articles: impl FnMut() -> Result<Articles>,
    sample: Sample,
    pool: &ThreadPool,
) -> Result<Report> {
    let mut report = Report::default();
    let (bytes, sha256) = digest_of(files.out())?;
    if (bytes, &sha256) != (manifest.output.bytes, &manifest.output.sha256) {
        let message = "has been changed since its run wrote it (its SHA-256 is another)";
        let place = files.out().display();
        report.differences.push(format!("{place}: {message}"));
    }
    let (wanted, documents) = draw(articles()?, manifest, sample);
    if documents != manifest.counts.documents {
        report.differences.push(format!(
            "the inputs held {} documents, now {documents}",
            manifest.counts.documents
        ));
    }
    run.output = manifest.rows.output.clone();
    run.duplicates = Duplicates::Keep;
    let mut anew = Anew(Vec::new());
    let mut reading = articles()?;
    let ids = wanted.clone();
    reading.only(move |id| ids.contains(id));
    run.run(
        pool,
        Course {
            articles: &mut reading,
            sink: &mut anew,
            observer: &mut anew_observer(),
            index: DuplicateIndex::new(),
            done: Summary::default(),
            stop: &AtomicBool::new(false),
        },
    )?;
    let failed = failures(files, manifest)?;
    compare(files, manifest, &anew.0, &failed, &mut report)?;
    Ok(report)
}

/// The hash that a document is drawn by, and its id.
type Drawn = ([u8; 32], String);

/// The documents drawn, by their ids, and how many there are in all. Nothing but ids is read.
fn draw(mut articles: Articles, manifest: &Manifest, sample: Sample) -> (BTreeSet<String>, u64) {
    let drawn: Arc<Mutex<BinaryHeap<Drawn>>> = Arc::default();
    let (heap, shard) = (drawn.clone(), manifest.identity.shard);
    articles.only(move |id| {
        if shard.is_none_or(|shard| shard.has(id)) {
            let mut hash = Sha256::new();
            hash.update(sample.seed.to_le_bytes());
            hash.update(id);
            let mut heap = heap.lock().unwrap_or_else(PoisonError::into_inner);
            heap.push((hash.finalize().into(), id.to_owned()));
            if heap.len() > sample.documents {
                heap.pop();
            }
        }
        false
    });
    while articles.next().is_some() {}
    let drawn = std::mem::take(&mut *drawn.lock().unwrap_or_else(PoisonError::into_inner));
    let ids = drawn.into_iter().map(|(_, id)| id).collect();
    (ids, articles.position())
}

/// The documents that were worked out anew.
struct Anew(Vec<(String, Result<Vec<u8>>)>);

impl Sink for Anew {
    fn put(&mut self, document: &Document) -> Result<()> {
        let (id, outcome) = match &document.outcome {
            Ok(piece) => (piece.id.clone(), Ok(piece.rows.clone())),
            Err(error) => {
                let id = error.place().and_then(|place| place.article.clone());
                let again = Error::new(error.kind(), error.reason());
                (id.unwrap_or_default(), Err(again))
            }
        };
        self.0.push((id, outcome));
        Ok(())
    }
}

/// Nobody needs to hear of a failure that was to be expected.
fn anew_observer() -> impl Observer {
    struct Silent;
    impl Observer for Silent {
        fn notice(&mut self, _: &str) {}
        fn failure(&mut self, _: &Error) {}
        fn progress(&mut self, _: &Summary) {}
    }
    Silent
}

/// The reasons of the documents that failed in the run, by their ids.
fn failures(files: &OutputFiles, manifest: &Manifest) -> Result<HashMap<String, String>> {
    let mut failed = HashMap::new();
    if manifest.counts.failed == 0 {
        return Ok(failed);
    }
    let path = files.errors();
    let file = File::open(&path).map_err(|error| cannot_read(&path, error))?;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| cannot_read(&path, error))?;
        let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        if let (Some(id), Some(reason)) = (line["article"].as_str(), line["reason"].as_str()) {
            failed.insert(id.to_owned(), reason.to_owned());
        }
    }
    Ok(failed)
}

/// A row as its cells, by their columns; near copies are left out.
type Cells = Vec<(String, Option<String>)>;

fn cells(row: &Row) -> Cells {
    row.cells()
        .filter(|(name, _)| DUPLICATE_COLUMNS.iter().all(|column| column.name != *name))
        .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
        .collect()
}

fn compare(
    files: &OutputFiles,
    manifest: &Manifest,
    anew: &[(String, Result<Vec<u8>>)],
    failed: &HashMap<String, String>,
    report: &mut Report,
) -> Result<()> {
    let options = &manifest.rows.output;
    let written_id = |id: &str| match options.format == OutputFormat::Csv && options.formula_guard {
        true => guarded(id),
        false => id.to_owned(),
    };
    let id_column = match options.format {
        OutputFormat::ArticlesJsonl => "id",
        _ => "article",
    };
    let mut there: HashMap<String, Vec<Cells>> = anew
        .iter()
        .map(|(id, _)| (written_id(id), Vec::new()))
        .collect();
    for row in rows_of_file(files.out(), options.format)? {
        let row = row?;
        let rows = row.get(id_column).and_then(|id| there.get_mut(id));
        if let Some(rows) = rows {
            rows.push(cells(&row));
        }
    }
    for (id, outcome) in anew {
        report.documents += 1;
        let rows = there.remove(&written_id(id)).unwrap_or_default();
        report.rows += rows.len() as u64;
        let before = report.differences.len();
        let mut differs = |what: String| report.differences.push(format!("{id}: {what}"));
        match (outcome, failed.get(id)) {
            (Err(now), Some(then)) if now.reason() == *then => {}
            (Err(now), Some(then)) => {
                differs(format!("failed then: {then}; fails now: {}", now.reason()));
            }
            (Err(now), None) => differs(format!("fails now: {}", now.reason())),
            (Ok(_), Some(then)) => differs(format!("failed then: {then}; does not now")),
            (Ok(bytes), None) => {
                let expected = rows_of_bytes(bytes, options)?;
                if rows.is_empty()
                    && !expected.is_empty()
                    && manifest.rows.duplicates == Duplicates::Skip
                {
                    report.left_out += 1;
                    continue;
                }
                row_differences(&rows, &expected, &mut differs);
            }
        }
        report.differing += u64::from(report.differences.len() > before);
    }
    Ok(())
}

fn row_differences(there: &[Cells], now: &[Cells], differs: &mut impl FnMut(String)) {
    if there.len() != now.len() {
        let (there, now) = (there.len(), now.len());
        differs(format!("the output has {there} rows, now there are {now}"));
        return;
    }
    let words = |cell: &Option<String>| match cell {
        Some(cell) => format!("{cell:?}"),
        None => "nothing".to_owned(),
    };
    let mut rows = 0;
    for (index, (there, now)) in there.iter().zip(now).enumerate() {
        let names: BTreeSet<&str> = (there.iter().chain(now))
            .map(|(name, _)| name.as_str())
            .collect();
        let difference = |name: &str| {
            let cell = |row: &Cells| {
                let cell = row.iter().find(|(column, _)| column == name);
                cell.and_then(|(_, value)| value.clone())
            };
            let (there, now) = (cell(there), cell(now));
            (there != now).then(|| {
                let (there, now) = (words(&there), words(&now));
                format!("{name}: the output has {there}, now it is {now}")
            })
        };
        let found: Vec<String> = names.into_iter().filter_map(difference).collect();
        if !found.is_empty() {
            rows += 1;
            if rows <= ROWS_TOLD {
                differs(format!("row {}, {}", index + 1, found.join("; ")));
            }
        }
    }
    if rows > ROWS_TOLD {
        differs(format!("and {} rows more", rows - ROWS_TOLD));
    }
}

/// Rows of one document whose differences are told in full; one letter more in a text moves all.
const ROWS_TOLD: usize = 3;

/// The output's limits are those of what the program has written itself.
fn reading() -> TableOptions {
    TableOptions {
        limits: Limits {
            max_document_bytes: u64::MAX / 2,
            max_ratio: u64::MAX,
            ..Limits::default()
        },
        encoding: Some(encoding_rs::UTF_8),
    }
}

fn table_format(format: OutputFormat) -> TableFormat {
    match format {
        OutputFormat::Csv => TableFormat::Csv,
        OutputFormat::Jsonl | OutputFormat::ArticlesJsonl => TableFormat::Jsonl,
        OutputFormat::Parquet => TableFormat::Parquet,
    }
}

fn rows_of_file(
    path: &Path,
    format: OutputFormat,
) -> Result<Box<dyn Iterator<Item = Result<Row>>>> {
    let length = std::fs::metadata(path).map_err(|error| cannot_read(path, error))?;
    if length.len() == 0 {
        return Ok(Box::new(std::iter::empty()));
    }
    Ok(Box::new(Table::open(
        path,
        table_format(format),
        &reading(),
    )?))
}

/// The rows of one article, read as the output is: what reading makes of a cell is no difference.
fn rows_of_bytes(rows: &[u8], options: &OutputOptions) -> Result<Vec<Cells>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let header = Output::new(Vec::new(), options.clone()).and_then(Output::finish);
    let mut bytes = header.expect("a vector takes all that is written to it");
    bytes.extend_from_slice(rows);
    if options.format == OutputFormat::Parquet {
        let lines = std::mem::take(&mut bytes);
        from_rows(&lines[..], options, &mut bytes)?;
    }
    let place = Path::new("rows worked out anew");
    let format = table_format(options.format);
    let table = Table::read(place, format, Box::new(Cursor::new(bytes)), &reading())?;
    table.map(|row| row.map(|row| cells(&row))).collect()
}
