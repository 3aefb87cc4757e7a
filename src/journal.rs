//! A [`Journal`] stands beside an output while it is written and says, document by document, what
//! has been done, so that an interrupted run can go on. A line is the CRC-32 of an entry, a space,
//! and the [`Entry`] as JSON; a line that a crash has torn is where reading it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::corpus::identity::Identity;
use crate::duplicates::{First, Sketch};
use crate::error::{Error, ErrorKind, Result};
use crate::output::Counts;
use crate::pipeline::Summary;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The first line: what the run is, so that no other run goes on with it.
    Begin {
        /// The run.
        run: Identity,
        /// Length of what stands before the first row.
        header: u64,
    },
    /// An article is done.
    Done(Done),
    /// A document has failed.
    Failed(Failed),
    /// Everything up to here is on the disk, not only on its way.
    Synced,
    /// The last line: the inputs held so many documents, other shards' included.
    End {
        /// Documents in all.
        documents: u64,
    },
}

/// An article that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The document's number among all of the inputs, from 0.
    #[serde(rename = "n")]
    pub number: u64,
    /// The article's id.
    pub id: String,
    /// Length of the rows' file after its rows.
    pub end: u64,
    /// CRC-32 of its rows.
    pub crc: u32,
    /// Quotes found.
    pub quotes: u64,
    /// What was met in the article.
    #[serde(default, skip_serializing_if = "Counts::is_zero")]
    pub counts: Counts,
    /// First eight bytes of the SHA-256 of its text, as a number.
    pub digest: u64,
    /// The text in brief, where near copies are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sketch: Option<Sketch>,
    /// The first print, where it is a near copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<First>,
}

/// A document that has failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// The document's number among all of the inputs, from 0.
    #[serde(rename = "n")]
    pub number: u64,
    /// Its line in `errors.jsonl`, without the line's end.
    pub error: String,
}

impl Entry {
    /// The document's number, if it is about one.
    pub fn number(&self) -> Option<u64> {
        match self {
            Entry::Done(done) => Some(done.number),
            Entry::Failed(failed) => Some(failed.number),
            _ => None,
        }
    }

    /// Counts the document it is about.
    pub fn count(&self, summary: &mut Summary) {
        match self {
            Entry::Done(done) => {
                summary.articles += 1;
                summary.quotes += done.quotes;
                summary.counts.add(&done.counts);
                summary.duplicates += u64::from(done.duplicate_of.is_some());
            }
            Entry::Failed(_) => summary.failed += 1,
            _ => {}
        }
    }

    fn line(&self) -> String {
        let json = serde_json::to_string(self).expect("an entry has no keys but strings");
        format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()))
    }

    fn of_line(line: &[u8]) -> Option<Entry> {
        let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
        let (crc, json) = line.split_once(' ')?;
        (u32::from_str_radix(crc, 16).ok()? == crc32fast::hash(json.as_bytes()))
            .then(|| serde_json::from_str(json).ok())?
    }
}

/// A journal that this process alone writes, for as long as it holds it.
pub struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Opens or creates it, and locks it against other processes. Nothing has been read yet.
    ///
    /// # Errors
    /// If another process holds it, or it cannot be opened.
    pub fn open(path: &Path) -> Result<Journal> {
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(|error| cannot(path, "be opened").because(error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::new(
                        ErrorKind::Busy,
                        "another run is writing to this output",
                    )
                    .at(path)
                    .hint("wait for it to end, or name another file with --output"));
                }
                Err(TryLockError::Error(error)) => {
                    return Err(cannot(path, "be locked").because(error));
                }
            }
            // The run that held it before may have ended and taken its file away meanwhile.
            if is_still_at(&file, path) {
                return Ok(Journal {
                    file,
                    path: path.to_owned(),
                });
            }
        }
    }

    /// Forgets everything after this length.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn cut(&mut self, end: u64) -> Result<()> {
        let cut = self.file.set_len(end);
        cut.and_then(|()| self.file.seek(SeekFrom::Start(end)))
            .map_err(|error| self.cannot_write(error))?;
        Ok(())
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, entry: &Entry) -> Result<()> {
        let line = entry.line();
        self.file
            .write_all(line.as_bytes())
            .map_err(|error| self.cannot_write(error))
    }

    /// Waits until it is on the disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn sync(&self) -> Result<()> {
        self.file
            .sync_data()
            .map_err(|error| self.cannot_write(error))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn cannot_write(&self, error: io::Error) -> Error {
        cannot(&self.path, "be written").because(error)
    }
}

/// The entries of a journal, each with the length of the journal after it, up to the end or the
/// first torn line.
///
/// # Errors
/// If it cannot be opened or read.
pub fn entries(path: &Path) -> Result<impl Iterator<Item = Result<(Entry, u64)>> + use<>> {
    let file = File::open(path).map_err(|error| cannot(path, "be opened").because(error))?;
    let (mut reader, mut end, path) = (BufReader::with_capacity(1 << 16, file), 0, path.to_owned());
    let mut line = Vec::new();
    Ok(std::iter::from_fn(move || {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(length) => {
                end += length as u64;
                Entry::of_line(&line).map(|entry| Ok((entry, end)))
            }
            Err(error) => Some(Err(cannot(&path, "be read").because(error))),
        }
    }))
}

fn cannot(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Io, format!("the run's journal cannot {what}")).at(path)
}

#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Elsewhere an open file cannot be taken away.
#[cfg(not(unix))]
fn is_still_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(number: u64) -> Entry {
        Entry::Failed(Failed {
            number,
            error: "{\"message\":\"no text\"}".into(),
        })
    }

    fn read(path: &Path) -> Vec<Entry> {
        entries(path)
            .unwrap()
            .map(|entry| entry.unwrap().0)
            .collect()
    }

    #[test]
    fn a_line_torn_anywhere_is_where_reading_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let mut journal = Journal::open(&path).unwrap();
        for number in 0..3 {
            journal.add(&failed(number)).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        let before = whole.len() / 3 * 2;
        for length in before..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(read(&path), [failed(0), failed(1)]);
        }
        for place in [0, 5, 9, 30] {
            let mut spoilt = whole.clone();
            spoilt[before + place] ^= 1;
            std::fs::write(&path, &spoilt).unwrap();
            assert_eq!(read(&path), [failed(0), failed(1)]);
        }
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(read(&path).len(), 3);
    }

    #[test]
    fn only_one_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let journal = Journal::open(&path).unwrap();
        let refused = Journal::open(&path).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Busy);
        drop(journal);
        assert!(Journal::open(&path).is_ok());
    }
}
