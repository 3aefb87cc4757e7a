//! A [`Corpus`] is an output in the making: rows, and the journal that says whose they are. A run
//! that is interrupted, even killed, is taken up where its journal ends.
//!
//! While a run lasts, its rows stand in `OUT.partial` and its journal in `OUT.journal`. A document
//! is first written to the rows, then to the journal: what the journal does not know of is cut off
//! again. In the end (`corpus/finish.rs`) `OUT` gets its name when it is whole, and the journal goes.

mod finish;
pub mod identity;
pub mod manifest;
pub mod merge;
pub mod verify;
mod whole;

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::corpus::identity::Identity;
use crate::duplicates::DuplicateIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Done, Entry, Failed, Journal};
use crate::output::failures::Failures;
use crate::pipeline::{Document, Sink, Summary};

/// An output and the files beside it; all are named after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFiles(PathBuf);

impl OutputFiles {
    /// The files of this output.
    pub fn of(out: impl Into<PathBuf>) -> OutputFiles {
        OutputFiles(out.into())
    }

    /// The output itself.
    pub fn out(&self) -> &Path {
        &self.0
    }

    /// Its rows while the run lasts.
    pub fn partial(&self) -> PathBuf {
        self.beside("partial")
    }

    /// The run's journal.
    pub fn journal(&self) -> PathBuf {
        self.beside("journal")
    }

    /// The documents that have failed, if any.
    pub fn errors(&self) -> PathBuf {
        self.beside("errors.jsonl")
    }

    /// What the run was: its settings, inputs and counts.
    pub fn manifest(&self) -> PathBuf {
        self.beside("run.json")
    }

    /// A shard's journal, kept for `merge`.
    pub fn shard(&self) -> PathBuf {
        self.beside("shard")
    }

    /// A shard's rows, kept for `merge` where the output is made of them: with near copies marked, and
    /// for Parquet.
    pub fn shard_rows(&self) -> PathBuf {
        self.beside("shard.rows")
    }

    /// What its columns mean.
    pub fn package(&self) -> PathBuf {
        self.beside("datapackage.json")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        crate::beside::beside(&self.0, ending)
    }
}

/// An output in the making, held by this process alone.
pub struct Corpus {
    files: OutputFiles,
    journal: Journal,
    /// `None`: the output has its name already, and only the journal is left.
    rows: Option<File>,
    progress: Progress,
    resumed: bool,
    synced: Instant,
}

/// How far it has come.
struct Progress {
    /// Length of the rows.
    end: u64,
    /// The first document not in it.
    next: u64,
    /// Documents of the whole input, once it has been read to its end.
    documents: Option<u64>,
    summary: Summary,
    index: DuplicateIndex,
}

/// What a power failure may cost. A killed process costs nothing that it has written.
const SYNC_EVERY: Duration = Duration::from_secs(5);

impl Corpus {
    /// Begins an output, or goes on with it where its journal ends. `header` is what stands before
    /// the first row.
    ///
    /// # Errors
    /// If another process is writing it, if it was begun as a run of another identity (unless
    /// `restart`, which begins anew), or if its files cannot be written.
    pub fn begin(
        files: OutputFiles,
        identity: &Identity,
        header: &[u8],
        restart: bool,
    ) -> Result<Corpus> {
        let mut journal = Journal::open(&files.journal())?;
        let begun = match restart {
            true => None,
            false => replay(&files, &mut journal, identity)?,
        };
        let resumed = begun.is_some();
        let (rows, progress) = match begun {
            Some(begun) => begun,
            None => {
                let partial = files.partial();
                let mut rows = open_rows(&partial, true)?;
                rows.write_all(header)
                    .map_err(|error| cannot_write(&partial, error))?;
                journal.cut(0)?;
                journal.add(&Entry::Begin {
                    run: identity.clone(),
                    header: header.len() as u64,
                })?;
                let progress = Progress {
                    end: header.len() as u64,
                    next: 0,
                    documents: None,
                    summary: Summary::default(),
                    index: DuplicateIndex::new(),
                };
                (Some(rows), progress)
            }
        };
        Ok(Corpus {
            files,
            journal,
            rows,
            progress,
            resumed,
            synced: Instant::now(),
        })
    }

    /// Whether it goes on with what an earlier run has begun.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// The number of the first document that is still to be done.
    pub fn next_document(&self) -> u64 {
        self.progress.next
    }

    /// Whether every document is done, and [`finish`](Corpus::finish) is all that is left.
    pub fn is_read(&self) -> bool {
        self.progress.documents.is_some()
    }

    /// What has been done so far.
    pub fn summary(&self) -> &Summary {
        &self.progress.summary
    }

    /// The first prints among what has been done.
    pub fn take_index(&mut self) -> DuplicateIndex {
        std::mem::take(&mut self.progress.index)
    }

    /// Says that the inputs have been read to their end, and how many documents they hold in all,
    /// other shards' included.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn end(&mut self, documents: u64) -> Result<()> {
        self.sync()?;
        self.journal.add(&Entry::End { documents })?;
        self.journal.sync()?;
        self.progress.documents = Some(documents);
        Ok(())
    }

    /// Adds a document: its entry, in which the rows' place is still to be filled in, and its rows.
    fn add(&mut self, mut entry: Entry, rows: &[u8]) -> Result<()> {
        let partial = self.files.partial();
        let file = self.rows.as_mut().ok_or_else(|| {
            Error::new(ErrorKind::Busy, "the output is whole already").at(&partial)
        })?;
        file.write_all(rows)
            .map_err(|error| cannot_write(&partial, error))?;
        self.progress.end += rows.len() as u64;
        if let Entry::Done(done) = &mut entry {
            done.end = self.progress.end;
            done.crc = crc32fast::hash(rows);
        }
        self.journal.add(&entry)?;
        self.progress.take(&entry);
        if self.synced.elapsed() >= SYNC_EVERY {
            self.sync()?;
        }
        Ok(())
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn sync(&mut self) -> Result<()> {
        if let Some(rows) = &self.rows {
            rows.sync_data()
                .map_err(|error| cannot_write(&self.files.partial(), error))?;
        }
        self.journal.add(&Entry::Synced)?;
        self.journal.sync()?;
        self.synced = Instant::now();
        Ok(())
    }
}

impl Sink for Corpus {
    fn put(&mut self, document: &Document) -> Result<()> {
        match &document.outcome {
            Ok(piece) => {
                let entry = Entry::Done(Done {
                    number: document.number,
                    id: piece.id.clone(),
                    end: 0,
                    crc: 0,
                    quotes: piece.quotes,
                    counts: piece.counts,
                    digest: u64::from_be_bytes(piece.digest),
                    sketch: piece.sketch.clone(),
                    duplicate_of: piece.duplicate_of.clone(),
                });
                self.add(entry, &piece.rows)
            }
            Err(error) => {
                let entry = Entry::Failed(Failed {
                    number: document.number,
                    error: failure_line(error),
                });
                self.add(entry, &[])
            }
        }
    }
}

impl Progress {
    fn take(&mut self, entry: &Entry) {
        entry.count(&mut self.summary);
        if let Some(number) = entry.number() {
            self.next = number + 1;
        }
        match entry {
            Entry::Done(done) => self.end = done.end,
            Entry::End { documents } => self.documents = Some(*documents),
            _ => {}
        }
    }
}

/// Reads what an interrupted run has left, and cuts off what its journal does not vouch for.
/// `None`: it left nothing.
fn replay(
    files: &OutputFiles,
    journal: &mut Journal,
    identity: &Identity,
) -> Result<Option<(Option<File>, Progress)>> {
    let mut progress: Option<Progress> = None;
    // Entries since the last that are known to be on the disk, with the journal's end before each.
    let mut unsure: Vec<(Entry, u64)> = Vec::new();
    let (mut sure_end, mut before) = (0, 0);
    let path = journal.path().to_owned();
    for read in crate::journal::entries(&path)? {
        let (entry, after) = read?;
        let Some(progress) = &mut progress else {
            let Entry::Begin { run, header } = entry else {
                break;
            };
            identity.same_as(&run, files)?;
            progress = Some(Progress {
                end: header,
                next: 0,
                documents: None,
                summary: Summary::default(),
                index: DuplicateIndex::new(),
            });
            (sure_end, before) = (header, after);
            continue;
        };
        match entry {
            Entry::Synced => {
                for (entry, _) in unsure.drain(..) {
                    progress.take_back(&entry);
                }
                sure_end = progress.end;
            }
            Entry::End { .. } => progress.take(&entry),
            entry => unsure.push((entry, before)),
        }
        before = after;
    }
    let Some(mut progress) = progress else {
        return Ok(None);
    };
    let partial = files.partial();
    if progress.documents.is_some() && !partial.exists() && files.out().exists() {
        return Ok(Some((None, progress)));
    }
    let mut rows = open_rows(&partial, false)?;
    let length = rows.metadata().map(|meta| meta.len());
    let length = length.map_err(|error| cannot_read(&partial, error))?;
    if length < sure_end {
        return Err(Error::new(
            ErrorKind::Busy,
            format!("holds {length} bytes, but its journal speaks of {sure_end}"),
        )
        .at(&partial)
        .hint("something else has changed this file; --restart begins anew"));
    }
    rows.seek(SeekFrom::Start(sure_end))
        .map_err(|error| cannot_read(&partial, error))?;
    let mut bytes = Vec::new();
    for (entry, journal_end) in unsure {
        if let Entry::Done(done) = &entry {
            bytes.clear();
            let wanted = done.end.saturating_sub(progress.end);
            let read = Read::by_ref(&mut rows).take(wanted).read_to_end(&mut bytes);
            read.map_err(|error| cannot_read(&partial, error))?;
            if bytes.len() as u64 != wanted || crc32fast::hash(&bytes) != done.crc {
                before = journal_end;
                break;
            }
        }
        progress.take_back(&entry);
    }
    let cut = rows.set_len(progress.end);
    cut.and_then(|()| rows.seek(SeekFrom::Start(progress.end)))
        .map_err(|error| cannot_write(&partial, error))?;
    journal.cut(before)?;
    Ok(Some((Some(rows), progress)))
}

impl Progress {
    /// As [`Progress::take`], and remembers a first print anew.
    fn take_back(&mut self, entry: &Entry) {
        if let Entry::Done(done) = entry
            && let Some(sketch) = &done.sketch
        {
            self.index.place(done.number, &done.id, sketch);
        }
        self.take(entry);
    }
}

/// A document's line in `errors.jsonl`.
fn failure_line(error: &Error) -> String {
    let mut line = Failures::new(Vec::new());
    let written = line.write(error).and_then(|()| line.finish());
    let line = written.expect("a vector takes all that is written to it");
    String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
}

fn open_rows(path: &Path, anew: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(anew).truncate(anew);
    options.open(path).map_err(|error| {
        Error::new(ErrorKind::Io, "the output cannot be written")
            .at(path)
            .hint("--restart begins anew where an interrupted run's rows are gone")
            .because(error)
    })
}

pub(crate) fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, "cannot be written")
        .at(path)
        .because(error)
}

pub(crate) fn cannot_read(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, "cannot be read")
        .at(path)
        .because(error)
}
