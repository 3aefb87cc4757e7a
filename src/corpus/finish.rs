//! The end of a run: rows become the output, and what stands beside it is written. Every file gets
//! its name when it is whole and on the disk; a run killed on the way does this again.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::identity::Identity;
use super::manifest::{About, Counts, FileFacts, Machine, Manifest, RowsOptions, Timings};
use super::whole::{Out, aside, digest_of, hexadecimal, remove, rename, sync_folder, write_whole};
use super::{Corpus, cannot_read, cannot_write};
use crate::error::Result;
use crate::journal::{Done, Entry, entries};
use crate::output::package::data_package;
use crate::output::parquet::from_rows;
use crate::output::{OutputFormat, guarded, write_csv};
use crate::pipeline::Duplicates;
use crate::record::DUPLICATE_COLUMNS;

impl Corpus {
    /// Makes the output whole. The inputs must have been [read to their end](Corpus::end).
    ///
    /// # Errors
    /// If a file cannot be written; the same run can be started again to finish.
    pub fn finish(self, identity: &Identity, rows: &RowsOptions, about: &About) -> Result<()> {
        let files = &self.files;
        let separate = rows.are_made_at_the_end();
        let folder = files.out().parent().unwrap_or(Path::new("."));
        if let Some(file) = &self.rows {
            let partial = files.partial();
            file.sync_data()
                .map_err(|error| cannot_write(&partial, error))?;
            let whole = match separate {
                true => {
                    let whole = files.beside("whole");
                    self.make(&partial, rows, &whole)?;
                    whole
                }
                false => partial,
            };
            self.write_errors()?;
            let package = data_package(files.out(), &rows.output);
            let path = files.package();
            write_whole(&path, |out| {
                writeln!(out, "{package:#}").map_err(|error| cannot_write(&path, error))
            })?;
            let manifest = self.manifest(identity, rows, about, &whole)?;
            let path = files.manifest();
            write_whole(&path, |out| {
                serde_json::to_writer_pretty(&mut *out, &manifest)
                    .map_err(io::Error::from)
                    .and_then(|()| out.write_all(b"\n"))
                    .map_err(|error| cannot_write(&path, error))
            })?;
            rename(&whole, files.out())?;
            sync_folder(folder)?;
        }
        if identity.shard.is_some() {
            if separate && files.partial().exists() {
                rename(&files.partial(), &files.shard_rows())?;
            } else if !separate {
                remove(&files.shard_rows())?;
            }
            rename(&files.journal(), &files.shard())?;
        } else {
            remove(&files.partial())?;
            remove(&files.journal())?;
        }
        sync_folder(folder)
    }

    /// Makes the output from its rows.
    fn make(&self, rows: &Path, options: &RowsOptions, whole: &Path) -> Result<()> {
        let marked = |out: &mut Out| with_duplicates(rows, self.journal.path(), options, out);
        let parquet = |rows: &Path| {
            let file = File::open(rows).map_err(|error| cannot_read(rows, error))?;
            let lines = BufReader::with_capacity(1 << 16, file);
            aside(whole, |out| {
                from_rows(lines, &options.output, out).map_err(|error| error.at(whole))
            })
        };
        let is_marked = options.duplicates != Duplicates::Keep;
        match (options.output.format, is_marked) {
            (OutputFormat::Parquet, false) => parquet(rows),
            (OutputFormat::Parquet, true) => {
                let lines = self.files.beside("lines");
                aside(&lines, marked)?;
                parquet(&lines)?;
                remove(&lines)
            }
            _ => aside(whole, marked),
        }
    }

    fn write_errors(&self) -> Result<()> {
        let path = self.files.errors();
        if self.progress.summary.failed == 0 {
            return remove(&path);
        }
        write_whole(&path, |out| {
            for entry in entries(self.journal.path())? {
                if let Entry::Failed(failed) = entry?.0 {
                    writeln!(out, "{}", failed.error)
                        .map_err(|error| cannot_write(&path, error))?;
                }
            }
            Ok(())
        })
    }

    fn manifest(
        &self,
        identity: &Identity,
        rows: &RowsOptions,
        about: &About,
        whole: &Path,
    ) -> Result<Manifest> {
        let mut texts = Sha256::new();
        for entry in entries(self.journal.path())? {
            if let Entry::Done(done) = entry?.0 {
                texts.update(format!("{}\t{:016x}\n", done.id, done.digest));
            }
        }
        let summary = &self.progress.summary;
        let seconds = about.started.elapsed().unwrap_or(Duration::ZERO);
        let name = self.files.out().file_name().unwrap_or_default();
        let (bytes, sha256) = digest_of(whole)?;
        Ok(Manifest {
            command: about.command.clone(),
            folder: about.folder.clone(),
            identity: identity.clone(),
            rows: rows.clone(),
            counts: Counts {
                documents: self.progress.documents.unwrap_or(self.progress.next),
                articles: summary.articles,
                quotes: summary.quotes,
                duplicates: summary.duplicates,
                failed: summary.failed,
                met: summary.counts,
            },
            texts_sha256: hexadecimal(&texts.finalize()),
            output: FileFacts {
                name: name.to_string_lossy().into_owned(),
                bytes,
                sha256,
            },
            timings: Timings {
                started: timestamp(about.started),
                ended: timestamp(SystemTime::now()),
                seconds: (seconds.as_secs_f64() * 1e3).round() / 1e3,
                resumed: self.resumed,
            },
            machine: Machine {
                system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
                processor: processor(),
                processors: std::thread::available_parallelism().map_or(0, usize::from),
                threads: about.threads,
                engine: about.engine.clone(),
            },
        })
    }
}

/// Copies the rows with two cells more in each: the first print that the article is a near copy
/// of, and how many articles print it. They are known when all articles are.
fn with_duplicates(
    rows: &Path,
    journal: &Path,
    options: &RowsOptions,
    out: &mut Out,
) -> Result<()> {
    let mut copies: HashMap<u64, u64> = HashMap::new();
    for entry in entries(journal)? {
        if let Entry::Done(Done {
            duplicate_of: Some(first),
            ..
        }) = entry?.0
        {
            *copies.entry(first.number).or_insert(0) += 1;
        }
    }
    let file = File::open(rows).map_err(|error| cannot_read(rows, error))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (mut bytes, mut at) = (Vec::new(), 0);
    let mut next = |end: u64, bytes: &mut Vec<u8>| {
        bytes.clear();
        let read = Read::by_ref(&mut reader).take(end - at).read_to_end(bytes);
        at = end;
        read.map_err(|error| cannot_read(rows, error))
    };
    let format = options.output.format;
    let mut put = |bytes: &[u8], cells: &Cells| {
        cells
            .add_to(bytes, format, out)
            .map_err(|error| cannot_write(rows, error))
    };
    for entry in entries(journal)? {
        match entry?.0 {
            Entry::Begin { header, .. } => {
                next(header, &mut bytes)?;
                let names = DUPLICATE_COLUMNS.map(|column| column.name.to_owned());
                put(&bytes, &Cells::header(names))?;
            }
            Entry::Done(done) => {
                next(done.end, &mut bytes)?;
                if done.duplicate_of.is_some() && options.duplicates == Duplicates::Skip {
                    continue;
                }
                let first = done.duplicate_of.as_ref();
                let number = first.map_or(done.number, |first| first.number);
                let count = 1 + copies.get(&number).copied().unwrap_or(0);
                let cells = Cells::new(
                    first.map(|first| first.id.as_str()),
                    count,
                    options.output.formula_guard,
                );
                put(&bytes, &cells)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Two cells as they end a row.
struct Cells {
    csv: Vec<u8>,
    json: String,
}

impl Cells {
    fn new(first: Option<&str>, copies: u64, formula_guard: bool) -> Cells {
        let id = first.unwrap_or_default();
        let guarded = match formula_guard {
            true => guarded(id),
            false => id.to_owned(),
        };
        Cells {
            csv: csv_cells([guarded, copies.to_string()]),
            json: format!(
                ",\"duplicate_of\":{},\"copies\":{copies}}}\n",
                serde_json::json!(first)
            ),
        }
    }

    fn header(names: [String; 2]) -> Cells {
        Cells {
            csv: csv_cells(names),
            json: String::new(),
        }
    }

    /// Writes each row of these with the cells at its end.
    fn add_to(&self, rows: &[u8], format: OutputFormat, out: &mut impl Write) -> io::Result<()> {
        let csv = format == OutputFormat::Csv;
        let (mut quoted, mut start) = (false, 0);
        for (place, byte) in rows.iter().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                // A line break in JSON is always a row's end, in CSV only outside quotes.
                b'\n' if csv && !quoted => {
                    let row = &rows[start..place];
                    out.write_all(row.strip_suffix(b"\r").unwrap_or(row))?;
                    out.write_all(&self.csv)?;
                    start = place + 1;
                }
                b'\n' if !csv => {
                    out.write_all(&rows[start..place - 1])?;
                    out.write_all(self.json.as_bytes())?;
                    start = place + 1;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn csv_cells(cells: [String; 2]) -> Vec<u8> {
    let mut bytes = vec![b','];
    write_csv(&mut bytes, cells).expect("a vector takes all that is written to it");
    bytes
}

fn timestamp(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(|_| String::new(), |time| format!("{time:.0}"))
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':'));
    name.map_or_else(String::new, |(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_go_to_the_end_of_each_row() {
        let check = |format, rows: &str, expected: &str| {
            let mut out = Vec::new();
            let cells = Cells::new(Some("=a,1"), 3, true);
            cells.add_to(rows.as_bytes(), format, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check(
            OutputFormat::Csv,
            "a,\"b \"\"c\"\"\r\nd\"\r\ne,f\r\n",
            "a,\"b \"\"c\"\"\r\nd\",\"'=a,1\",3\r\ne,f,\"'=a,1\",3\r\n",
        );
        check(
            OutputFormat::Jsonl,
            "{\"a\":\"\\n}\"}\n{\"a\":1}\n",
            "{\"a\":\"\\n}\",\"duplicate_of\":\"=a,1\",\"copies\":3}\n{\"a\":1,\"duplicate_of\":\"=a,1\",\"copies\":3}\n",
        );
    }
}
