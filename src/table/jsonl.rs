//! Rows of JSONL.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::{Row, RowPlace, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::input::encoding::decode;
use crate::input::{Exceeded, Input, cannot_read, read_line};

/// Lines that may be bad before the first object, or the file is something else.
const BAD_LINES: usize = 1000;
/// Objects whose fields are the columns; those of later ones are read all the same where they have these names.
const COLUMN_LINES: usize = 200;
/// No more lines are read for the columns when they have so many bytes.
const COLUMN_BYTES: u64 = 1 << 20;

/// The objects, one a line.
pub struct Objects {
    source: Source,
    input: Input,
    /// The number of the last line read.
    line: u64,
    /// Bytes of all lines read.
    bytes: u64,
    /// What was read to learn the columns: the first rows, and lines among them that are none.
    first: VecDeque<Result<Row>>,
    /// The stream failed: there is nothing to read any more.
    broken: bool,
}

impl Objects {
    /// The columns of the first objects, in the order in which they turn up, and all objects.
    pub fn read(source: Source, input: Input) -> Result<(Vec<String>, Objects)> {
        let mut objects = Objects {
            source,
            input,
            line: 0,
            bytes: 0,
            first: VecDeque::new(),
            broken: false,
        };
        let (mut columns, mut rows) = (Vec::new(), 0);
        while rows < COLUMN_LINES
            && objects.bytes < COLUMN_BYTES
            && (rows > 0 || objects.first.len() <= BAD_LINES)
            && let Some(row) = objects.read_next()
        {
            if let Ok(row) = &row {
                let new = row.columns.iter().filter(|name| !columns.contains(*name));
                let new: Vec<String> = new.cloned().collect();
                columns.extend(new);
                rows += 1;
            }
            objects.first.push_back(row);
        }
        if rows > 0 {
            return Ok((columns, objects));
        }
        Err(match objects.first.pop_front() {
            Some(Err(error)) => error,
            _ => Error::new(ErrorKind::Empty, "no line with a JSON object")
                .at(&objects.source.path)
                .hint("a JSONL file holds one object a line, such as {\"id\": \"a1\", \"text\": \"…\"}"),
        })
    }

    pub fn next(&mut self) -> Option<Result<Row>> {
        match self.first.pop_front() {
            Some(first) => Some(first),
            None => self.read_next(),
        }
    }

    fn read_next(&mut self) -> Option<Result<Row>> {
        let mut bytes = Vec::new();
        while !self.broken {
            self.line += 1;
            match read_line(&mut self.input, &mut bytes, &self.source.options.limits) {
                Ok(false) => return None,
                Ok(true) if bytes.trim_ascii().is_empty() => {}
                Ok(true) => {
                    self.bytes += bytes.len() as u64;
                    return Some(self.row(bytes));
                }
                Err(error) => {
                    self.broken = !is_long_line(&error);
                    let error = cannot_read(&self.source.path, error);
                    return Some(Err(error.at_line(self.line)));
                }
            }
        }
        None
    }

    fn row(&self, bytes: Vec<u8>) -> Result<Row> {
        // A stream that was UTF-16 is UTF-8 by now.
        let asked = match self.source.encoding {
            Some(_) => None,
            None => self.source.options.encoding,
        };
        let decoded =
            decode(bytes, asked).map_err(|error| self.source.not_text(self.line, error))?;
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&decoded.text).map_err(|error| {
                Error::new(ErrorKind::Format, "not a JSON object")
                    .at(&self.source.path)
                    .at_line(self.line)
                    .because(error)
            })?;
        let not_text = (object.values().enumerate())
            .filter_map(|(index, value)| Some((index, not_text(value)?)))
            .collect();
        let (columns, values) = object
            .into_iter()
            .map(|(name, value)| (name, field(value)))
            .unzip();
        Ok(Row {
            at: RowPlace::Line(self.line),
            encoding: decoded.encoding.or(self.source.encoding),
            columns: Arc::new(columns),
            values,
            not_text,
        })
    }
}

/// True where the lines after it can still be read.
fn is_long_line(error: &io::Error) -> bool {
    let exceeded = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Exceeded>());
    matches!(exceeded, Some(Exceeded::Document(_)))
}

/// A JSON value as a text field: strings as they are, null as missing, the rest as JSON.
fn field(value: serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// What a value is that nobody would write for a text; numbers may be ids.
fn not_text(value: &serde_json::Value) -> Option<&'static str> {
    match value {
        serde_json::Value::Array(_) => Some("a JSON list"),
        serde_json::Value::Object(_) => Some("a JSON object"),
        serde_json::Value::Bool(_) => Some("true or false"),
        _ => None,
    }
}
