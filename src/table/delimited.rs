//! Rows of CSV and TSV.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::sync::{Arc, Mutex};

use super::{Row, RowPlace, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::input::encoding::decode;
use crate::input::{Exceeded, Input, cannot_read};

/// Fed to the parser after the last byte of a file: it comes back as a record of its own, or, where
/// the file ends within quotation marks, as the end of the last field. A file cut off in the middle
/// would pass for a whole one otherwise.
const AFTER_THE_END: &str = "\u{1}the file has ended\u{1}";

/// Of a header line, what is looked at for its delimiter.
const HEADER_BYTES: u64 = 1 << 16;

/// The records after the header line.
pub struct Records {
    pub columns: Arc<Vec<String>>,
    source: Source,
    reader: csv::Reader<Metered>,
    seen: Arc<Mutex<Seen>>,
    /// The stream failed: there is nothing to read any more.
    broken: bool,
}

impl Records {
    pub fn read(source: Source, mut input: Input, tabs: bool) -> Result<Records> {
        let mut first = Vec::new();
        (&mut input)
            .take(HEADER_BYTES)
            .read_until(b'\n', &mut first)
            .map_err(|error| cannot_read(&source.path, error))?;
        let delimiter = if tabs { b'\t' } else { delimiter(&first) };
        let input: Input = Box::new(io::Cursor::new(first).chain(input));
        let seen = Arc::new(Mutex::new(Seen::new(delimiter)));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(Metered {
                input,
                seen: seen.clone(),
                limit: source.options.limits.max_document_bytes,
                after: After::Nothing,
            });
        let mut header = csv::ByteRecord::new();
        reader
            .byte_headers()
            .map(|names| header.clone_from(names))
            .map_err(|error| failed(&source, 1, error))?;
        let (line, strays) = locked(&seen).record(reader.position().byte());
        if is_cut_off(&header) {
            return Err(not_closed(&source, line));
        }
        if strays {
            return Err(stray_mark(&source, line));
        }
        let (names, _) = decoded(&source, line, &header)?;
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
            seen,
            broken: false,
        })
    }

    pub fn next(&mut self) -> Option<Result<Row>> {
        if self.broken {
            return None;
        }
        locked(&self.seen).since_record = 0;
        let mut record = csv::ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(error) => {
                self.broken = true;
                let (line, _) = locked(&self.seen).record(0);
                return Some(Err(failed(&self.source, line, error)));
            }
        }
        let end = self.reader.position().byte();
        let (line, strays) = locked(&self.seen).record(end);
        if record.len() == 1 && &record[0] == AFTER_THE_END.as_bytes() {
            self.broken = true;
            return None;
        }
        if is_cut_off(&record) {
            return Some(Err(not_closed(&self.source, line)));
        }
        if strays {
            return Some(Err(stray_mark(&self.source, line)));
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
            let hint = "a field with delimiters, quotation marks or line breaks stands between double quotes";
            return Err(broken_row(&self.source, line, &message, hint));
        }
        let (values, encoding) = decoded(&self.source, line, record)?;
        Ok(Row {
            at: RowPlace::Line(line),
            encoding,
            columns: self.columns.clone(),
            values: values.into_iter().map(Some).collect(),
            not_text: Vec::new(),
        })
    }
}

/// What sets the names in the first line of a CSV apart: commas, or where there is none (outside
/// quotation marks) the semicolons of spreadsheets whose decimal mark is a comma, or tabs.
fn delimiter(header: &[u8]) -> u8 {
    let outside = header.split(|&byte| byte == b'"').step_by(2);
    let marks: Vec<u8> = outside.flatten().copied().collect();
    let there = [b',', b';', b'\t']
        .into_iter()
        .find(|mark| marks.contains(mark));
    there.unwrap_or(b',')
}

fn is_cut_off(record: &csv::ByteRecord) -> bool {
    let last = record.get(record.len().wrapping_sub(1)).unwrap_or_default();
    last.trim_ascii_end().ends_with(AFTER_THE_END.as_bytes())
}

fn not_closed(source: &Source, line: u64) -> Error {
    let message = "the file ends within a field whose quotation marks are not closed";
    let hint = "the file is cut off, or a quotation mark in this row should be doubled";
    broken_row(source, line, message, hint)
}

fn stray_mark(source: &Source, line: u64) -> Error {
    let message = "text after a closing quotation mark";
    let hint = "a field that begins with a quotation mark ends with one, and marks within it are doubled: \"\"I see,\"\" he said\"; write the table anew with a CSV library, or as JSONL";
    broken_row(source, line, message, hint)
}

fn broken_row(source: &Source, line: u64, message: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Format, message)
        .at(&source.path)
        .at_line(line)
        .hint(hint)
}

fn locked(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().expect("nothing panics while it is held")
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

/// What has gone by of the stream, by the parser's own rules: it says neither where a record
/// begins after empty lines, nor that a field went on after its closing quotation mark.
struct Seen {
    delimiter: u8,
    state: State,
    /// Bytes so far.
    bytes: u64,
    /// The number of the line being read.
    line: u64,
    after_cr: bool,
    /// Lines on which records begin that the parser has not come to.
    starts: VecDeque<u64>,
    /// Where something stands after a closing mark that should not.
    strays: VecDeque<u64>,
    /// Bytes since the last record.
    since_record: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    RecordStart,
    FieldStart,
    Unquoted,
    Quoted,
    /// A mark within a quoted field: its end, or the first of two.
    Mark,
}

impl Seen {
    fn new(delimiter: u8) -> Seen {
        Seen {
            delimiter,
            state: State::RecordStart,
            bytes: 0,
            line: 1,
            after_cr: false,
            starts: VecDeque::new(),
            strays: VecDeque::new(),
            since_record: 0,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let ends = matches!(byte, b'\r' | b'\n');
            if self.state == State::RecordStart && !ends {
                self.starts.push_back(self.line);
            }
            self.state = match self.state {
                State::Quoted if byte == b'"' => State::Mark,
                State::Quoted => State::Quoted,
                State::Mark if byte == b'"' => State::Quoted,
                _ if ends => State::RecordStart,
                _ if byte == self.delimiter => State::FieldStart,
                State::RecordStart | State::FieldStart if byte == b'"' => State::Quoted,
                State::Mark => {
                    self.strays.push_back(self.bytes);
                    State::Unquoted
                }
                _ => State::Unquoted,
            };
            // CR LF ends one line, and so does either alone.
            self.line += u64::from(byte == b'\r' || byte == b'\n' && !self.after_cr);
            self.after_cr = byte == b'\r';
            self.bytes += 1;
        }
        self.since_record += bytes.len() as u64;
    }

    /// The line that the parser's next record begins on, and whether anything strays in it; it
    /// ends before the byte `end`.
    fn record(&mut self, end: u64) -> (u64, bool) {
        let before = self.strays.partition_point(|&at| at < end);
        self.strays.drain(..before);
        (self.starts.pop_front().unwrap_or(self.line), before > 0)
    }
}

/// Watches what is read, so that a mark opened and never closed does not take a whole file into
/// memory.
struct Metered {
    input: Input,
    seen: Arc<Mutex<Seen>>,
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
        let mut count = self.input.read(buffer)?;
        match &mut self.after {
            After::Still(rest) if count == 0 => count = rest.read(buffer)?,
            After::Nothing if count > 0 => {
                let rest = format!("\n{AFTER_THE_END}\n").into_bytes();
                self.after = After::Still(io::Cursor::new(rest));
            }
            _ => {}
        }
        let mut seen = locked(&self.seen);
        if seen.since_record > self.limit {
            return Err(Exceeded::Record(self.limit).into());
        }
        seen.take(&buffer[..count]);
        Ok(count)
    }
}
