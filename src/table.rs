//! A [`Row`] is one record of a CSV, TSV or JSONL file: text fields by column name, and its line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line it starts on, from 1.
    pub line: u64,
    columns: Arc<Vec<String>>,
    values: Vec<Option<String>>,
}

impl Row {
    /// The field of this column. `None`: the row has no such column, or null there.
    pub fn get(&self, column: &str) -> Option<&str> {
        let index = self.columns.iter().position(|name| name == column)?;
        self.values[index].as_deref()
    }
}

/// How a table is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// RFC 4180, with a header line.
    Csv,
    /// The same with tabs.
    Tsv,
    /// One JSON object a line.
    Jsonl,
}

impl TableFormat {
    /// By a file name's ending; `None` where it is not a table's.
    pub fn of(path: &Path) -> Option<TableFormat> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(TableFormat::Csv),
            "tsv" | "tab" => Some(TableFormat::Tsv),
            "jsonl" | "ndjson" => Some(TableFormat::Jsonl),
            _ => None,
        }
    }
}

/// The rows of one table, read one at a time. A row that cannot be read is an `Err` that names its
/// line; the rows after it follow.
pub struct Table {
    path: PathBuf,
    columns: Vec<String>,
    rows: Rows,
}

enum Rows {
    /// The reader, its columns, and what to add to the reader's line numbers.
    Csv(
        Box<csv::Reader<Box<dyn Read + Send>>>,
        Arc<Vec<String>>,
        u64,
    ),
    /// The reader, the number of the last line read, and the first row, read to learn its columns.
    Jsonl(Box<dyn BufRead + Send>, u64, Option<Result<Row>>),
}

impl Table {
    /// Opens a file and reads its header (CSV, TSV) or its first object (JSONL).
    ///
    /// # Errors
    /// If it cannot be opened, or has no header.
    pub fn open(path: &Path, format: TableFormat) -> Result<Table> {
        let file = File::open(path).map_err(|error| cannot_open(path).because(error))?;
        Table::read(path, format, Box::new(BufReader::new(file)))
    }

    /// As [`Table::open`], from any reader; `path` is what messages call it.
    ///
    /// # Errors
    /// If there is no header.
    pub fn read(
        path: &Path,
        format: TableFormat,
        mut input: Box<dyn BufRead + Send>,
    ) -> Result<Table> {
        skip_bom(&mut input).map_err(|error| cannot_read(path).because(error))?;
        let delimiter = match format {
            TableFormat::Csv => b',',
            TableFormat::Tsv => b'\t',
            TableFormat::Jsonl => return Table::read_jsonl(path, input),
        };
        // The csv crate ends a line at CR and takes LF for the start of the next, so that with CR LF
        // a record's position is one line early.
        let head = input
            .fill_buf()
            .map_err(|error| cannot_read(path).because(error))?;
        let first_end = head.iter().position(|&byte| byte == b'\n').unwrap_or(0);
        let late = u64::from(first_end > 0 && head[first_end - 1] == b'\r');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(Box::new(input) as Box<dyn Read + Send>);
        let header = reader
            .headers()
            .map_err(|error| cannot_read(path).at_line(1).because(error))?;
        let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        if columns.iter().all(String::is_empty) {
            return Err(
                Error::new(ErrorKind::Format, "no header line with column names")
                    .at(path)
                    .hint("the first line of a CSV names its columns, such as id,text"),
            );
        }
        let rows = Rows::Csv(Box::new(reader), Arc::new(columns.clone()), late);
        Ok(Table {
            path: path.to_owned(),
            columns,
            rows,
        })
    }

    fn read_jsonl(path: &Path, mut input: Box<dyn BufRead + Send>) -> Result<Table> {
        let mut line = 0;
        let first = next_object(&mut input, &mut line, path);
        let columns = match &first {
            Some(Ok(row)) => row.columns.to_vec(),
            Some(Err(_)) => Vec::new(),
            None => {
                return Err(Error::new(ErrorKind::Empty, "no line with a JSON object")
                    .at(path)
                    .hint("a JSONL file holds one object a line, such as {\"id\": \"a1\", \"text\": \"…\"}"));
            }
        };
        Ok(Table {
            path: path.to_owned(),
            columns,
            rows: Rows::Jsonl(input, line, first),
        })
    }

    /// The column names: of the header, or of the first object.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The column to read: the one asked for, else the first of `guesses` that the table has
    /// (in any case of letters).
    ///
    /// # Errors
    /// If the one asked for is not there.
    pub fn column(&self, asked: Option<&str>, guesses: &[&str]) -> Result<Option<String>> {
        match asked {
            Some(name) if self.columns.iter().any(|column| column == name) => {
                Ok(Some(name.to_owned()))
            }
            Some(name) => Err(self.no_column(name)),
            None => Ok(guesses.iter().find_map(|guess| {
                let found = self
                    .columns
                    .iter()
                    .find(|name| name.eq_ignore_ascii_case(guess));
                found.cloned()
            })),
        }
    }

    /// The error for a column that is not there, with the columns that are.
    pub fn no_column(&self, name: &str) -> Error {
        let there = self.columns.join(", ");
        Error::new(
            ErrorKind::Format,
            format!("no column {name:?}; the columns are {there}"),
        )
        .at(&self.path)
    }
}

impl Iterator for Table {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        match &mut self.rows {
            Rows::Csv(reader, columns, late) => next_record(reader, columns, *late, &self.path),
            Rows::Jsonl(input, line, first) => first
                .take()
                .or_else(|| next_object(input, line, &self.path)),
        }
    }
}

fn next_record(
    reader: &mut csv::Reader<Box<dyn Read + Send>>,
    columns: &Arc<Vec<String>>,
    late: u64,
    path: &Path,
) -> Option<Result<Row>> {
    let mut record = csv::ByteRecord::new();
    let line = reader.position().line() + late;
    match reader.read_byte_record(&mut record) {
        Ok(false) => return None,
        Ok(true) => {}
        Err(error) => return Some(Err(cannot_read(path).at_line(line).because(error))),
    }
    let line = record
        .position()
        .map_or(line, |position| position.line() + late);
    if record.len() != columns.len() {
        let message = format!(
            "{} fields where the header has {}",
            record.len(),
            columns.len()
        );
        return Some(Err(Error::new(ErrorKind::Format, message)
            .at(path)
            .at_line(line)
            .hint(
                "a field with commas, quotation marks or line breaks stands between double quotes",
            )));
    }
    let values = record.iter().zip(columns.iter()).map(|(field, column)| {
        std::str::from_utf8(field)
            .map(|text| Some(text.to_owned()))
            .map_err(|error| {
                not_utf8(path)
                    .at_line(line)
                    .at_column(column)
                    .because(error)
            })
    });
    Some(values.collect::<Result<_>>().map(|values| Row {
        line,
        columns: columns.clone(),
        values,
    }))
}

fn next_object(input: &mut dyn BufRead, line: &mut u64, path: &Path) -> Option<Result<Row>> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        *line += 1;
        match input.read_until(b'\n', &mut bytes) {
            Ok(0) => return None,
            Ok(_) if bytes.trim_ascii().is_empty() => {}
            Ok(_) => break,
            Err(error) => return Some(Err(cannot_read(path).at_line(*line).because(error))),
        }
    }
    if let Err(error) = std::str::from_utf8(&bytes) {
        return Some(Err(not_utf8(path).at_line(*line).because(error)));
    }
    let object: serde_json::Map<String, serde_json::Value> = match serde_json::from_slice(&bytes) {
        Ok(object) => object,
        Err(error) => {
            return Some(Err(Error::new(ErrorKind::Format, "not a JSON object")
                .at(path)
                .at_line(*line)
                .because(error)));
        }
    };
    let (columns, values) = object
        .into_iter()
        .map(|(name, value)| (name, field(value)))
        .unzip();
    Some(Ok(Row {
        line: *line,
        columns: Arc::new(columns),
        values,
    }))
}

/// A JSON value as a text field: strings as they are, null as missing, the rest as JSON.
fn field(value: serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

fn skip_bom(input: &mut dyn BufRead) -> std::io::Result<()> {
    if input.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
        input.consume(3);
    }
    Ok(())
}

pub(crate) fn cannot_open(path: &Path) -> Error {
    Error::new(ErrorKind::Io, "cannot be opened").at(path)
}

pub(crate) fn cannot_read(path: &Path) -> Error {
    Error::new(ErrorKind::Io, "cannot be read").at(path)
}

pub(crate) fn not_utf8(path: &Path) -> Error {
    Error::new(ErrorKind::Encoding, "not UTF-8")
        .at(path)
        .hint("convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 FILE")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(format: TableFormat, text: &'static [u8]) -> Vec<std::result::Result<Row, String>> {
        Table::read(Path::new("t"), format, Box::new(text))
            .unwrap()
            .map(|row| row.map_err(|error| error.to_string()))
            .collect()
    }

    #[test]
    fn csv_rows_have_lines_and_bad_ones_are_named() {
        let got = rows(
            TableFormat::Csv,
            b"\xef\xbb\xbfid,text\r\n1,\"a\r\nb\"\r\n2\r\n3,\xff\r\n4,d\r\n",
        );
        assert_eq!(got.len(), 4);
        let first = got[0].as_ref().unwrap();
        assert_eq!(
            (first.line, first.get("id"), first.get("text")),
            (2, Some("1"), Some("a\r\nb"))
        );
        assert_eq!(
            got[1].as_ref().unwrap_err(),
            "t, line 4: 1 fields where the header has 2"
        );
        assert_eq!(
            got[2].as_ref().unwrap_err(),
            "t, line 5, column \"text\": not UTF-8"
        );
        assert_eq!(got[3].as_ref().unwrap().get("text"), Some("d"));
    }

    #[test]
    fn jsonl_rows_keep_null_and_numbers_apart() {
        let got = rows(
            TableFormat::Jsonl,
            b"\n{\"id\":7,\"text\":null}\nnope\n{\"text\":\"x\"}",
        );
        let first = got[0].as_ref().unwrap();
        assert_eq!(
            (first.line, first.get("id"), first.get("text")),
            (2, Some("7"), None)
        );
        assert_eq!(got[1].as_ref().unwrap_err(), "t, line 3: not a JSON object");
        assert_eq!(got[2].as_ref().unwrap().get("text"), Some("x"));
    }

    #[test]
    fn a_column_not_there_is_named_with_those_that_are() {
        let table = Table::read(
            Path::new("t.csv"),
            TableFormat::Csv,
            Box::new(&b"id,Body\n"[..]),
        )
        .unwrap();
        assert_eq!(
            table.column(None, &["text", "body"]).unwrap().as_deref(),
            Some("Body")
        );
        assert_eq!(
            table.column(Some("text"), &[]).unwrap_err().to_string(),
            "t.csv: no column \"text\"; the columns are id, Body"
        );
    }
}
