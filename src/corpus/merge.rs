//! Merging: the shards of one corpus become the output that a run without shards would have
//! written, to the byte.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::manifest::{About, Manifest};
use super::{Corpus, OutputFiles, cannot_read};
use crate::duplicates::DuplicateIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Done, Entry, entries};
use crate::output::Counts;
use crate::pipeline::{Duplicates, Summary};
use crate::shard::Shard;

/// Merges the outputs of all shards into `whole`. An interrupted merge goes on like any run.
///
/// # Errors
/// If an output is no shard's or not whole, if they are not parts of the same run, if one is
/// missing or given twice, or if a file cannot be read or written.
pub fn merge(
    shards: &[PathBuf],
    whole: OutputFiles,
    restart: bool,
    about: &About,
    stop: &AtomicBool,
) -> Result<Summary> {
    let parts: Vec<(OutputFiles, Manifest)> = shards
        .iter()
        .map(|out| {
            let files = OutputFiles::of(out);
            Manifest::read(&files.manifest()).map(|manifest| (files, manifest))
        })
        .collect::<Result<_>>()?;
    check(&parts, &whole)?;
    let first = &parts[0].1;
    let rows = first.rows.clone();
    let mut readers: Vec<Part> = parts
        .iter()
        .map(|(files, manifest)| Part::open(files, manifest))
        .collect::<Result<_>>()?;
    let mut identity = first.identity.unsharded();
    identity
        .settings
        .insert("merged".into(), parts.len().into());
    let mut corpus = Corpus::begin(whole, &identity, &readers[0].header, restart)?;
    let mut index: DuplicateIndex = corpus.take_index();
    let mut order: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    for (place, part) in readers.iter_mut().enumerate() {
        part.advance()?;
        order.extend(part.number().map(|number| Reverse((number, place))));
    }
    let mut expected = 0;
    let documents = first.counts.documents;
    while let Some(Reverse((number, place))) = order.pop() {
        if corpus.is_read() || stop.load(Ordering::Relaxed) {
            break;
        }
        if number != expected {
            return Err(not_whole(expected.min(number)));
        }
        expected += 1;
        let part = &mut readers[place];
        let (entry, mut bytes) = part.take()?;
        order.extend(part.number().map(|number| Reverse((number, place))));
        if number < corpus.next_document() {
            continue;
        }
        let entry = match entry {
            Entry::Done(mut done) => {
                let duplicate_of = done
                    .sketch
                    .as_ref()
                    .and_then(|sketch| index.place(number, &done.id, sketch));
                if duplicate_of.is_some() && rows.duplicates == Duplicates::Skip {
                    bytes.clear();
                    done.counts = Counts::default();
                }
                Entry::Done(Done {
                    duplicate_of,
                    ..done
                })
            }
            entry => entry,
        };
        corpus.add(entry, &bytes)?;
    }
    let mut summary = corpus.summary().clone();
    if stop.load(Ordering::Relaxed) && !corpus.is_read() {
        corpus.sync()?;
        summary.stopped = true;
        return Ok(summary);
    }
    if !corpus.is_read() {
        if expected != documents {
            return Err(not_whole(expected));
        }
        corpus.end(documents)?;
    }
    let about = About {
        folder: first.folder.clone(),
        ..about.clone()
    };
    corpus.finish(&identity, &rows, &about)?;
    Ok(summary)
}

/// Whether these are the parts of one whole, each once.
fn check(parts: &[(OutputFiles, Manifest)], whole: &OutputFiles) -> Result<()> {
    let mut numbers: Vec<(Shard, &Path)> = Vec::new();
    for (files, manifest) in parts {
        let out = files.out();
        if files == whole {
            return Err(
                refused(out, "the output is one of the shards").hint("name another --output")
            );
        }
        let Some(shard) = manifest.identity.shard else {
            return Err(refused(out, "is no shard: its run had no --shard"));
        };
        let (first_files, first) = &parts[0];
        let mut differences = manifest.identity.part_differences(&first.identity);
        if let Some(other) = first.identity.shard
            && other.of != shard.of
        {
            differences.push(format!("it is shard {shard}, the other {other}"));
        }
        if manifest.counts.documents != first.counts.documents {
            differences.push(format!(
                "it has seen {} documents, the other {}",
                manifest.counts.documents, first.counts.documents
            ));
        }
        if manifest.rows != first.rows {
            differences.push("their columns or formats differ".to_owned());
        }
        if !differences.is_empty() {
            return Err(refused(
                out,
                format!(
                    "does not belong with {}: {}",
                    first_files.out().display(),
                    differences.join("; ")
                ),
            )
            .hint("all shards must come from the same command but for --shard"));
        }
        if let Some((_, other)) = numbers.iter().find(|(known, _)| *known == shard) {
            return Err(refused(
                out,
                format!("is shard {shard}, and so is {}", other.display()),
            ));
        }
        numbers.push((shard, out));
    }
    let of = numbers.first().map_or(0, |(shard, _)| shard.of);
    let missing: Vec<String> = (1..=of)
        .filter(|number| !numbers.iter().any(|(shard, _)| shard.number == *number))
        .map(|number| format!("{number}/{of}"))
        .collect();
    if !missing.is_empty() {
        return Err(Error::new(
            ErrorKind::Option,
            format!("shards are missing: {}", missing.join(", ")),
        )
        .hint("run them, and name the outputs of all"));
    }
    Ok(())
}

fn refused(out: &Path, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Option, message).at(out)
}

fn not_whole(number: u64) -> Error {
    Error::new(
        ErrorKind::Format,
        format!("document {number} is in no shard or in two"),
    )
    .hint("the inputs have changed between the shards' runs; run them again")
}

/// One shard's documents in order.
struct Part {
    path: PathBuf,
    header: Vec<u8>,
    entries: Box<dyn Iterator<Item = Result<(Entry, u64)>>>,
    rows: BufReader<File>,
    /// Length of the rows read.
    at: u64,
    next: Option<Entry>,
    ended: bool,
}

impl Part {
    fn open(files: &OutputFiles, manifest: &Manifest) -> Result<Part> {
        let path = match manifest.rows.are_made_at_the_end() {
            true => files.shard_rows(),
            false => files.out().to_owned(),
        };
        let hint = "keep the files that stand beside a shard's output, .run.json, .shard and .shard.rows, with it";
        let file = File::open(&path).map_err(|error| cannot_read(&path, error).hint(hint))?;
        let mut journal = entries(&files.shard()).map_err(|error| error.hint(hint))?;
        let mut part = Part {
            header: Vec::new(),
            rows: BufReader::with_capacity(1 << 16, file),
            at: 0,
            next: None,
            ended: false,
            entries: Box::new(std::iter::empty()),
            path,
        };
        match journal.next().transpose()? {
            Some((Entry::Begin { run, header }, _)) if run == manifest.identity => {
                part.header = part.read(header)?;
            }
            _ => {
                return Err(refused(
                    &files.shard(),
                    "is not of the same run as the run.json beside it",
                ));
            }
        }
        part.entries = Box::new(journal);
        Ok(part)
    }

    fn number(&self) -> Option<u64> {
        self.next.as_ref().and_then(Entry::number)
    }

    /// The document that is next, and its rows.
    fn take(&mut self) -> Result<(Entry, Vec<u8>)> {
        let entry = self.next.take().expect("asked for only where there is one");
        let bytes = match &entry {
            Entry::Done(done) => {
                let bytes = self.read(done.end - self.at)?;
                if crc32fast::hash(&bytes) != done.crc {
                    return Err(self.changed());
                }
                bytes
            }
            _ => Vec::new(),
        };
        self.advance()?;
        Ok((entry, bytes))
    }

    fn advance(&mut self) -> Result<()> {
        while let Some(entry) = self.entries.next().transpose()? {
            match entry.0 {
                entry @ (Entry::Done(_) | Entry::Failed(_)) => {
                    self.next = Some(entry);
                    return Ok(());
                }
                Entry::End { .. } => self.ended = true,
                _ => {}
            }
        }
        match self.ended {
            true => Ok(()),
            false => Err(refused(
                &self.path,
                "its .shard file is torn: the end is missing",
            )),
        }
    }

    fn read(&mut self, length: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = Read::by_ref(&mut self.rows)
            .take(length)
            .read_to_end(&mut bytes);
        read.map_err(|error| cannot_read(&self.path, error))?;
        self.at += length;
        match bytes.len() as u64 == length {
            true => Ok(bytes),
            false => Err(self.changed()),
        }
    }

    fn changed(&self) -> Error {
        refused(&self.path, "has been changed since its run wrote it")
            .hint("a spreadsheet that saves a CSV changes it; run this shard again")
    }
}
