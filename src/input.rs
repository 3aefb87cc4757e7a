//! An input is a file's bytes as a stream: decompressed where it is gzip or zstd, within
//! [`Limits`], and never written to disk on the way.

pub mod encoding;

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// Bytes to read, one buffer at a time.
pub type Input = Box<dyn BufRead + Send>;

/// What an input may grow to. Whoever crosses a limit is refused as one document (or one table)
/// and named; nothing is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one document or row, decompressed. Default: 256 MiB.
    pub max_document_bytes: u64,
    /// Bytes out for a byte in, once [`RATIO_FREE_BYTES`] are out. News text compresses 3 to 10
    /// times, tables of boilerplate 50 times, bombs 1,000 times and more. Default: 200.
    pub max_ratio: u64,
    /// Bytes of one compressed file, decompressed. Default: 1 TiB.
    pub max_decompressed_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_document_bytes: 256 << 20,
            max_ratio: 200,
            max_decompressed_bytes: 1 << 40,
        }
    }
}

/// Decompressed bytes that no ratio is asked of: a short file of one letter is no bomb.
pub const RATIO_FREE_BYTES: u64 = 1 << 20;

const BUFFER_BYTES: usize = 64 << 10;

/// The path without an ending for compression: `a.csv.gz` is a CSV.
pub fn without_compression(path: &Path) -> PathBuf {
    let compressed = path.extension().is_some_and(|ending| {
        ["gz", "gzip", "zst", "zstd"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    });
    if compressed {
        path.with_extension("")
    } else {
        path.to_owned()
    }
}

/// Opens a file; it is decompressed if its first bytes say gzip or zstd, whatever its name.
///
/// # Errors
/// If it cannot be opened or its first bytes cannot be read.
pub fn open(path: &Path, limits: &Limits) -> Result<Input> {
    let file = File::open(path).map_err(|error| cannot_open(path, error))?;
    decompressed(file, limits).map_err(|error| cannot_read(path, error))
}

/// The error for a file that cannot be opened; one that is not there is told apart.
pub(crate) fn cannot_open(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => no_such_file(path),
        _ => Error::new(ErrorKind::Io, "cannot be opened")
            .at(path)
            .because(error),
    }
}

pub(crate) fn no_such_file(path: &Path) -> Error {
    Error::new(ErrorKind::Io, "no such file or folder")
        .at(path)
        .hint("check the spelling; relative paths start at the current folder")
}

/// The bytes of a reader, decompressed if the first of them say gzip or zstd.
///
/// # Errors
/// If they cannot be read.
pub fn decompressed(input: impl Read + Send + 'static, limits: &Limits) -> io::Result<Input> {
    let taken = Arc::new(AtomicU64::new(0));
    let mut input = BufReader::with_capacity(
        BUFFER_BYTES,
        Counted {
            input,
            taken: taken.clone(),
        },
    );
    let output: Box<dyn Read + Send> = match input.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
        _ => return Ok(Box::new(input)),
    };
    let capped = Capped {
        output,
        taken,
        given: 0,
        limits: *limits,
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, capped)))
}

/// All bytes of one document.
///
/// # Errors
/// If they cannot be read, or are more than a document may have.
pub fn read_document(input: &mut dyn BufRead, limits: &Limits) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input
        .take(limits.max_document_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limits.max_document_bytes {
        return Err(Exceeded::Document(limits.max_document_bytes).into());
    }
    Ok(bytes)
}

/// Reads up to and with the next line feed into `line`, but no more than a document may have; of
/// a longer line the rest is passed over. False: no line is left.
///
/// # Errors
/// If it cannot be read, or is too long; in that case the next line may still be read.
pub fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>, limits: &Limits) -> io::Result<bool> {
    line.clear();
    let max = limits.max_document_bytes;
    let length = (&mut *input)
        .take(max.saturating_add(1))
        .read_until(b'\n', line)?;
    if length as u64 <= max {
        return Ok(length > 0);
    }
    if !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
    }
    line.clear();
    Err(Exceeded::Document(max).into())
}

/// The error for a file that fails while it is read; a limit crossed is told apart.
pub fn cannot_read(path: &Path, error: io::Error) -> Error {
    let exceeded = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Exceeded>());
    match exceeded {
        Some(exceeded) => Error::new(ErrorKind::TooLarge, exceeded.to_string())
            .at(path)
            .hint(exceeded.way_out()),
        None => Error::new(ErrorKind::Io, "cannot be read")
            .at(path)
            .because(error),
    }
}

/// Which limit was crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// More bytes in one document than this.
    Document(u64),
    /// More bytes in one row of a CSV than this.
    Record(u64),
    /// More bytes out for a byte in than this.
    Ratio(u64),
    /// More bytes out of one file than this.
    Total(u64),
}

impl Exceeded {
    fn way_out(self) -> &'static str {
        match self {
            Exceeded::Document(_) => "a larger limit can be set with --max-document MIB",
            Exceeded::Record(_) => {
                "look for a quotation mark that is opened and not closed; a larger limit can be set with --max-document MIB"
            }
            Exceeded::Ratio(_) => {
                "if the file is what it should be, decompress it first or set a larger --max-ratio"
            }
            Exceeded::Total(_) => "decompress it first",
        }
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exceeded::Document(limit) => {
                write!(f, "larger than a document may be, {} MiB", limit >> 20)
            }
            Exceeded::Record(limit) => {
                write!(
                    f,
                    "a row larger than a document may be, {} MiB",
                    limit >> 20
                )
            }
            Exceeded::Ratio(limit) => write!(
                f,
                "refused as a decompression bomb: more than {limit} bytes out for a byte in"
            ),
            Exceeded::Total(limit) => write!(
                f,
                "refused as a decompression bomb: more than {} GiB out",
                limit >> 30
            ),
        }
    }
}

impl std::error::Error for Exceeded {}

impl From<Exceeded> for io::Error {
    fn from(exceeded: Exceeded) -> io::Error {
        io::Error::other(exceeded)
    }
}

/// Counts the compressed bytes taken.
struct Counted<R> {
    input: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Holds decompressed bytes to the limits.
struct Capped {
    output: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
    given: u64,
    limits: Limits,
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.output.read(buffer)?;
        self.given += count as u64;
        let taken = self.taken.load(Ordering::Relaxed);
        if self.given > RATIO_FREE_BYTES && self.given > taken.saturating_mul(self.limits.max_ratio)
        {
            return Err(Exceeded::Ratio(self.limits.max_ratio).into());
        }
        if self.given > self.limits.max_decompressed_bytes {
            return Err(Exceeded::Total(self.limits.max_decompressed_bytes).into());
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Instant;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let limits = Limits::default();
        let mut input = decompressed(io::Cursor::new(bytes), &limits)?;
        read_document(&mut input, &limits)
    }

    #[test]
    fn members_and_frames_follow_one_another() {
        let two = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(read(two).unwrap(), b"one two");
        let frame = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
        assert_eq!(
            read([frame(b"one "), frame(b"two")].concat()).unwrap(),
            b"one two"
        );
        assert_eq!(read(b"plain".to_vec()).unwrap(), b"plain");
        assert_eq!(read(Vec::new()).unwrap(), b"");
    }

    #[test]
    fn bombs_are_refused_at_once() {
        let zeros = vec![0; 64 << 20];
        for bomb in [gzip(&zeros), zstd::encode_all(&zeros[..], 19).unwrap()] {
            assert!(bomb.len() < 100_000);
            let started = Instant::now();
            let error = read(bomb).unwrap_err();
            assert!(error.to_string().contains("bomb"), "{error}");
            // Not a speed claim: the bomb would take much longer than this to go off.
            assert!(started.elapsed().as_secs() < 1);
        }
    }

    #[test]
    fn a_cut_off_stream_is_an_error() {
        let whole = gzip(&(0..9999u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
        assert!(read(whole[..whole.len() / 2].to_vec()).is_err());
    }

    #[test]
    fn a_line_too_long_is_an_error_and_the_next_follows() {
        let limits = Limits {
            max_document_bytes: 4,
            ..Limits::default()
        };
        let mut input: &[u8] = b"abc\n0123456789\n\nx";
        let mut line = Vec::new();
        assert!(read_line(&mut input, &mut line, &limits).unwrap());
        assert_eq!(line, b"abc\n");
        assert!(read_line(&mut input, &mut line, &limits).is_err());
        assert!(read_line(&mut input, &mut line, &limits).unwrap());
        assert_eq!(line, b"\n");
        assert!(read_line(&mut input, &mut line, &limits).unwrap());
        assert_eq!(line, b"x");
        assert!(!read_line(&mut input, &mut line, &limits).unwrap());
    }
}
