//! Rows of CSV and TSV.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Row, RowPlace, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::input::encoding::decode;
use crate::input::{Exceeded, Input, cannot_read};

/// Fed to the parser after the last byte of a file: it comes back as a record of its own, or, where
/// the file ends within quotation marks, as the end of the last field. A file cut off in the middle
/// would pass for a whole one otherwise.
const AFTER_THE_END: &str = "\u{1}the file has ended\u{1}";

/// The records after the header line.
pub struct Records {
    pub columns: Arc<Vec<String>>,
    source: Source,
    reader: csv::Reader<Metered>,
    /// What to add to the reader's line numbers.
    late: u64,
    since_record: Arc<AtomicU64>,
    /// The stream failed: there is nothing to read any more.
    broken: bool,
}

impl Records {
    pub fn read(source: Source, mut input: Input, tabs: bool) -> Result<Records> {
        // The csv crate ends a line at CR and takes LF for the start of the next, so that with CR LF
        // a record's position is one line early.
        let head = input
            .fill_buf()
            .map_err(|error| cannot_read(&source.path, error))?;
        let first_end = head.iter().position(|&byte| byte == b'\n').unwrap_or(0);
        let late = u64::from(first_end > 0 && head[first_end - 1] == b'\r');
        let since_record = Arc::new(AtomicU64::new(0));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(if tabs { b'\t' } else { b',' })
            .flexible(true)
            .from_reader(Metered {
                input,
                since_record: since_record.clone(),
                limit: source.options.limits.max_document_bytes,
                after: After::Nothing,
            });
        let mut header = csv::ByteRecord::new();
        reader
            .byte_headers()
            .map(|names| header.clone_from(names))
            .map_err(|error| failed(&source, 1, error))?;
        if is_cut_off(&header) {
            return Err(not_closed(&source, 1));
        }
        let (names, _) = decoded(&source, 1, &header)?;
        let columns: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        if columns.iter().all(String::is_empty) {
            return Err(
                Error::new(ErrorKind::Format, "no header line with column names")
                    .at(&source.path)
                    .hint("the first line of a CSV names its columns, such as id,text"),
            );
        }
        Ok(Records {
            columns: Arc::new(columns),
            source,
            reader,
            late,
            since_record,
            broken: false,
        })
    }

    pub fn next(&mut self) -> Option<Result<Row>> {
        if self.broken {
            return None;
        }
        self.since_record.store(0, Ordering::Relaxed);
        let mut record = csv::ByteRecord::new();
        let line = self.reader.position().line() + self.late;
        match self.reader.read_byte_record(&mut record) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(error) => {
                self.broken = true;
                return Some(Err(failed(&self.source, line, error)));
            }
        }
        let line = record
            .position()
            .map_or(line, |position| position.line() + self.late);
        if record.len() == 1 && &record[0] == AFTER_THE_END.as_bytes() {
            self.broken = true;
            return None;
        }
        if is_cut_off(&record) {
            return Some(Err(not_closed(&self.source, line)));
        }
        Some(self.row(line, &record))
    }

    fn row(&self, line: u64, record: &csv::ByteRecord) -> Result<Row> {
        if record.len() != self.columns.len() {
            let message = format!(
                "{} fields where the header has {}",
                record.len(),
                self.columns.len()
            );
            return Err(Error::new(ErrorKind::Format, message)
                .at(&self.source.path)
                .at_line(line)
                .hint(
                    "a field with commas, quotation marks or line breaks stands between double quotes",
                ));
        }
        let (values, encoding) = decoded(&self.source, line, record)?;
        Ok(Row {
            at: RowPlace::Line(line),
            encoding,
            columns: self.columns.clone(),
            values: values.into_iter().map(Some).collect(),
        })
    }
}

fn is_cut_off(record: &csv::ByteRecord) -> bool {
    let last = record.get(record.len().wrapping_sub(1)).unwrap_or_default();
    last.trim_ascii_end().ends_with(AFTER_THE_END.as_bytes())
}

fn not_closed(source: &Source, line: u64) -> Error {
    let message = "the file ends within a field whose quotation marks are not closed";
    Error::new(ErrorKind::Format, message)
        .at(&source.path)
        .at_line(line)
        .hint("the file is cut off, or a quotation mark in this row should be doubled")
}

/// The fields as text. All are taken to be in one encoding, told from all of them: a short field
/// by itself says little.
fn decoded(
    source: &Source,
    line: u64,
    record: &csv::ByteRecord,
) -> Result<(Vec<String>, Option<&'static str>)> {
    let as_utf8 = || -> Option<Vec<String>> {
        let fields = record.iter().map(std::str::from_utf8);
        fields.map(|field| field.ok().map(str::to_owned)).collect()
    };
    let asked = source.options.encoding;
    if asked.is_none_or(|asked| asked == encoding_rs::UTF_8 || source.encoding.is_some())
        && let Some(fields) = as_utf8()
    {
        return Ok((fields, source.encoding));
    }
    let whole =
        decode(record.as_slice().to_vec(), asked).map_err(|error| source.not_text(line, error))?;
    let encoding = whole
        .encoding
        .and_then(|name| encoding_rs::Encoding::for_label(name.as_bytes()));
    let fields = record.iter().map(|field| {
        let decoded = decode(field.to_vec(), encoding);
        decoded
            .map(|decoded| decoded.text)
            .map_err(|error| source.not_text(line, error))
    });
    Ok((fields.collect::<Result<_>>()?, whole.encoding))
}

fn failed(source: &Source, line: u64, error: csv::Error) -> Error {
    let error = match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    };
    cannot_read(&source.path, error).at_line(line)
}

/// Counts what was read since the last record began, so that a mark opened and never closed does
/// not take a whole file into memory.
struct Metered {
    input: Input,
    since_record: Arc<AtomicU64>,
    limit: u64,
    after: After,
}

/// What is fed after the end.
enum After {
    /// Nothing was read: an empty file stays empty.
    Nothing,
    Still(io::Cursor<Vec<u8>>),
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        if count == 0
            && let After::Still(rest) = &mut self.after
        {
            return rest.read(buffer);
        }
        if count > 0 && matches!(self.after, After::Nothing) {
            let rest = format!("\n{AFTER_THE_END}\n").into_bytes();
            self.after = After::Still(io::Cursor::new(rest));
        }
        let before = self.since_record.fetch_add(count as u64, Ordering::Relaxed);
        if before > self.limit {
            return Err(Exceeded::Record(self.limit).into());
        }
        Ok(count)
    }
}
