//! A [`Row`] is one record of a CSV, TSV, JSONL or Parquet file: text fields by column name, and
//! its place.

mod delimited;
mod jsonl;
mod parquet;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use encoding_rs::Encoding;

use crate::error::{Error, ErrorKind, Result};
use crate::input::encoding::{NotText, table_input};
use crate::input::{self, Input, Limits, cannot_read, without_compression};

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands in its file.
    pub at: RowPlace,
    /// What it was decoded from; `None`: UTF-8.
    pub encoding: Option<&'static str>,
    columns: Arc<Vec<String>>,
    values: Vec<Option<String>>,
    /// Values that are no text but JSON written out, and what they are.
    not_text: Vec<(usize, &'static str)>,
}

impl Row {
    /// The field of this column. `None`: the row has no such column, or null there.
    pub fn get(&self, column: &str) -> Option<&str> {
        let index = self.columns.iter().position(|name| name == column)?;
        self.values[index].as_deref()
    }

    /// As [`Row::get`], of a column that must hold text.
    ///
    /// # Errors
    /// A JSON list, object or truth value stands there.
    pub fn text(&self, column: &str) -> Result<Option<&str>> {
        let found = (self.not_text.iter()).find(|(index, _)| self.columns[*index] == column);
        match found {
            None => Ok(self.get(column)),
            Some((_, what)) => Err(Error::new(
                ErrorKind::Format,
                format!("expected a text, found {what}"),
            )
            .at_column(column)
            .hint(
                "join the pieces of a text into one string, with empty lines between paragraphs",
            )),
        }
    }

    /// All fields with their columns, in order.
    pub fn cells(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let values = self.values.iter().map(Option::as_deref);
        self.columns.iter().map(String::as_str).zip(values)
    }
}

/// Where a row stands in its file, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowPlace {
    /// The line it starts on.
    Line(u64),
    /// How many records came before it and itself, in a file without lines.
    Record(u64),
}

impl RowPlace {
    /// The line's or record's number.
    pub fn number(self) -> u64 {
        match self {
            RowPlace::Line(number) | RowPlace::Record(number) => number,
        }
    }
}

impl Error {
    /// Names the row.
    pub fn at_row(self, row: RowPlace) -> Error {
        match row {
            RowPlace::Line(line) => self.at_line(line),
            RowPlace::Record(record) => self.at_record(record),
        }
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
    /// Apache Parquet.
    Parquet,
}

impl TableFormat {
    /// By a file name's ending, that of its compression left out; `None` where it is not a
    /// table's.
    pub fn of(path: &Path) -> Option<TableFormat> {
        let path = without_compression(path);
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(TableFormat::Csv),
            "tsv" | "tab" => Some(TableFormat::Tsv),
            "jsonl" | "ndjson" => Some(TableFormat::Jsonl),
            "parquet" | "pq" => Some(TableFormat::Parquet),
            _ => None,
        }
    }
}

/// How to read a table.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableOptions {
    /// How large its rows may be, and how far it may be compressed.
    pub limits: Limits,
    /// The encoding of CSV, TSV and JSONL. Default: each row as it looks.
    pub encoding: Option<&'static Encoding>,
}

/// The rows of one table, read one at a time. A row that cannot be read is an `Err` that names its
/// place; the rows after it follow, but for a file that cannot be read on.
pub struct Table {
    path: PathBuf,
    columns: Vec<String>,
    rows: Rows,
}

enum Rows {
    Delimited(delimited::Records),
    Jsonl(jsonl::Objects),
    Parquet(parquet::Records),
}

impl Table {
    /// Opens a file, decompressing it, and reads its column names: of the header (CSV, TSV), of
    /// the first objects (JSONL) or of the schema (Parquet).
    ///
    /// # Errors
    /// If it cannot be opened, or has no header.
    pub fn open(path: &Path, format: TableFormat, options: &TableOptions) -> Result<Table> {
        if format == TableFormat::Parquet
            && let Some(records) = parquet::Records::of_file(path, &options.limits)?
        {
            return Ok(Table::of_parquet(path, records));
        }
        Table::read(path, format, input::open(path, &options.limits)?, options)
    }

    /// As [`Table::open`], from a stream that is decompressed already; `path` is what messages
    /// call it. A Parquet file is taken into memory, within the limit of a document.
    ///
    /// # Errors
    /// If there is no header.
    pub fn read(
        path: &Path,
        format: TableFormat,
        mut input: Input,
        options: &TableOptions,
    ) -> Result<Table> {
        if format == TableFormat::Parquet {
            let bytes = input::read_document(&mut input, &options.limits)
                .map_err(|error| cannot_read(path, error))?;
            let records = parquet::Records::of_bytes(path, bytes, &options.limits)?;
            return Ok(Table::of_parquet(path, records));
        }
        let (input, encoding) =
            table_input(input, options.encoding).map_err(|error| cannot_read(path, error))?;
        let source = Source {
            path: path.to_owned(),
            encoding,
            options: *options,
        };
        let (columns, rows) = match format {
            TableFormat::Csv | TableFormat::Tsv => {
                let tabs = format == TableFormat::Tsv;
                let records = delimited::Records::read(source, input, tabs)?;
                (records.columns.to_vec(), Rows::Delimited(records))
            }
            _ => {
                let (columns, objects) = jsonl::Objects::read(source, input)?;
                (columns, Rows::Jsonl(objects))
            }
        };
        Ok(Table {
            path: path.to_owned(),
            columns,
            rows,
        })
    }

    fn of_parquet(path: &Path, records: parquet::Records) -> Table {
        Table {
            path: path.to_owned(),
            columns: records.columns(),
            rows: Rows::Parquet(records),
        }
    }

    /// The column names.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Reads these columns only, where the format can spare the others. To be called before the
    /// first row.
    ///
    /// # Errors
    /// If the file cannot be read so.
    pub fn project(&mut self, columns: &[&str]) -> Result<()> {
        match &mut self.rows {
            Rows::Parquet(records) => records.project(columns),
            Rows::Delimited(_) | Rows::Jsonl(_) => Ok(()),
        }
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
        let other = ['|', ';', ','].map(|mark| there.contains(mark).then_some(mark));
        let message = match (&self.columns[..], other.iter().flatten().next()) {
            ([one], Some(mark)) => format!(
                "no column {name:?}; the one column is {one:?}: the fields are set apart by {mark:?}, which this format does not know (.csv: commas, semicolons or tabs; .tsv: tabs)"
            ),
            _ => format!("no column {name:?}; the columns are {there}"),
        };
        Error::new(ErrorKind::Format, message).at(&self.path)
    }
}

impl Iterator for Table {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        match &mut self.rows {
            Rows::Delimited(records) => records.next(),
            Rows::Jsonl(objects) => objects.next(),
            Rows::Parquet(records) => records.next(),
        }
    }
}

/// What the readers of lines have in common.
struct Source {
    path: PathBuf,
    /// What the whole stream was before it became UTF-8.
    encoding: Option<&'static str>,
    options: TableOptions,
}

impl Source {
    fn not_text(&self, line: u64, error: NotText) -> Error {
        not_text(error).at(&self.path).at_line(line)
    }
}

/// The error for bytes that cannot be decoded; its place is still to be named.
pub(crate) fn not_text(error: NotText) -> Error {
    Error::new(ErrorKind::Encoding, error.message).hint(
        "say what it is with --encoding, such as --encoding windows-1252, or convert it first",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(format: TableFormat, text: &'static [u8]) -> Vec<std::result::Result<Row, String>> {
        let options = TableOptions::default();
        Table::read(Path::new("t"), format, Box::new(text), &options)
            .unwrap()
            .map(|row| row.map_err(|error| error.to_string()))
            .collect()
    }

    #[test]
    fn csv_rows_have_lines_and_bad_ones_are_named() {
        let got = rows(
            TableFormat::Csv,
            b"\xef\xbb\xbfid,text\r\n1,\"a\r\nb\"\r\n2\r\n3,\xff\0\r\n4,caf\xe9 d\r\n",
        );
        assert_eq!(got.len(), 4);
        let first = got[0].as_ref().unwrap();
        assert_eq!(
            (first.at, first.get("id"), first.get("text")),
            (RowPlace::Line(2), Some("1"), Some("a\r\nb"))
        );
        assert_eq!(
            got[1].as_ref().unwrap_err(),
            "t, line 4: 1 fields where the header has 2"
        );
        assert_eq!(
            got[2].as_ref().unwrap_err(),
            "t, line 5: not text: it holds bytes that no text has"
        );
        let last = got[3].as_ref().unwrap();
        assert_eq!(last.get("text"), Some("café d"));
        assert_eq!(last.encoding, Some("windows-1252"));
    }

    #[test]
    fn a_csv_that_is_cut_off_within_a_field_is_named() {
        for (text, good) in [
            (&b"id,text\n1,a\n2,\"b"[..], 1),
            (b"id,text\n1,a\n2,\"b \"\"c\"\"\n", 1),
            (b"id,text\n1,a\n2,\"b \"\"c\"\"\"", 2),
            (b"id,text\n1,a\n2,5\" pipe", 2),
            (b"id,text\r\n1,a\r\n\r\n", 1),
        ] {
            let got = rows(TableFormat::Csv, text);
            assert_eq!(
                got.iter().filter(|row| row.is_ok()).count(),
                good,
                "{got:?}"
            );
            let error =
                "t, line 3: the file ends within a field whose quotation marks are not closed";
            let errors: Vec<_> = got.iter().filter_map(|row| row.as_ref().err()).collect();
            assert!(errors.iter().all(|found| *found == error), "{got:?}");
            assert_eq!(errors.len(), usize::from(got.len() > good), "{got:?}");
        }
    }

    #[test]
    fn text_after_a_closing_mark_fails_its_row_alone() {
        let text = b"id,text\n1,\"I see,\" said Ann.\n2,\"I see,\"\" said Bo\"\n3,an \"open\" one\n4,\"x\" \n5,y\n";
        let got = rows(TableFormat::Csv, text);
        let error = |line| format!("t, line {line}: text after a closing quotation mark");
        assert_eq!(got[0].as_ref().unwrap_err(), &error(2));
        let text = |row: usize| got[row].as_ref().unwrap().get("text").unwrap();
        assert_eq!(text(1), "I see,\" said Bo");
        assert_eq!(text(2), "an \"open\" one");
        assert_eq!(got[3].as_ref().unwrap_err(), &error(5));
        assert_eq!(text(4), "y");
        let got = rows(TableFormat::Tsv, b"id\ttext\n2\t\"Nope\n3\t\"I see\n4\tz\n");
        assert_eq!(got[0].as_ref().unwrap_err(), &error(2));
        assert_eq!(got[1].as_ref().unwrap().get("text"), Some("z"));
    }

    #[test]
    fn lines_are_counted_over_empty_ones_and_all_line_ends() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["", "id,text", "1,a", "", "", "2,\"b", "c\"", "", "3,d", ""].join(end);
            let lines: Vec<_> = rows(TableFormat::Csv, text.leak().as_bytes())
                .into_iter()
                .map(|row| row.unwrap().at.number())
                .collect();
            assert_eq!(lines, [3, 6, 9], "{end:?}");
        }
    }

    #[test]
    fn a_field_that_only_a_later_object_has_is_a_column() {
        let text = b"{\"text\":\"a\"}\nnope\n{\"id\":\"x\",\"text\":[\"b\"]}\n";
        let options = TableOptions::default();
        let mut table = Table::read(
            Path::new("t"),
            TableFormat::Jsonl,
            Box::new(&text[..]),
            &options,
        )
        .unwrap();
        assert_eq!(table.columns(), ["text", "id"]);
        assert_eq!(
            table.next().unwrap().unwrap().text("text").unwrap(),
            Some("a")
        );
        assert!(table.next().unwrap().is_err());
        let error = table.next().unwrap().unwrap().text("text").unwrap_err();
        assert_eq!(error.reason(), "expected a text, found a JSON list");
    }

    #[test]
    fn jsonl_rows_keep_null_and_numbers_apart() {
        let got = rows(
            TableFormat::Jsonl,
            b"\ntorn\n{\"id\":7,\"text\":null}\nnope\n{\"text\":\"x\"}",
        );
        assert_eq!(got[0].as_ref().unwrap_err(), "t, line 2: not a JSON object");
        let first = got[1].as_ref().unwrap();
        assert_eq!(
            (first.at, first.get("id"), first.get("text")),
            (RowPlace::Line(3), Some("7"), None)
        );
        assert_eq!(got[2].as_ref().unwrap_err(), "t, line 4: not a JSON object");
        assert_eq!(got[3].as_ref().unwrap().get("text"), Some("x"));
    }

    #[test]
    fn a_table_in_utf16_is_a_table() {
        let text: &'static str = "id\ttext\r\n1\tnaïve\r\n";
        let bytes = text.encode_utf16().flat_map(u16::to_le_bytes);
        let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(bytes).collect();
        let got = rows(TableFormat::Tsv, bytes.leak());
        let row = got[0].as_ref().unwrap();
        assert_eq!(
            (row.get("text"), row.encoding, row.at),
            (Some("naïve"), Some("UTF-16LE"), RowPlace::Line(2))
        );
    }

    #[test]
    fn an_unclosed_quotation_mark_does_not_take_the_memory() {
        let options = TableOptions {
            limits: Limits {
                max_document_bytes: 100_000,
                ..Limits::default()
            },
            encoding: None,
        };
        let text = format!("id,text\n1,a\n2,\"{}", "x".repeat(1_000_000));
        let input = Box::new(std::io::Cursor::new(text));
        let table = Table::read(Path::new("t"), TableFormat::Csv, input, &options).unwrap();
        let got: Vec<_> = table
            .map(|row| row.map(|row| row.at).map_err(|error| error.to_string()))
            .collect();
        assert_eq!(got.len(), 2);
        let error = got[1].as_ref().unwrap_err();
        assert!(error.starts_with("t, line 3: a row larger"), "{error}");
    }

    #[test]
    fn semicolons_and_tabs_set_fields_apart_where_the_header_has_no_comma() {
        let options = TableOptions::default();
        for (text, columns, value) in [
            ("id;text\n1;\"a; b, c\"\n", vec!["id", "text"], "a; b, c"),
            ("id\ttext\n1\ta; b\n", vec!["id", "text"], "a; b"),
            ("\"id, old\";text\n1;a\n", vec!["id, old", "text"], "a"),
            ("id;old,text\n1,a\n", vec!["id;old", "text"], "a"),
            (
                "\"number; street\",text\n1,a\n",
                vec!["number; street", "text"],
                "a",
            ),
            ("text\na; b\n", vec!["text"], "a; b"),
        ] {
            let input = Box::new(std::io::Cursor::new(text));
            let mut table =
                Table::read(Path::new("t.csv"), TableFormat::Csv, input, &options).unwrap();
            assert_eq!(table.columns, columns);
            assert_eq!(table.next().unwrap().unwrap().get("text"), Some(value));
        }
    }

    #[test]
    fn a_column_not_there_is_named_with_those_that_are() {
        let table = Table::read(
            Path::new("t.csv"),
            TableFormat::Csv,
            Box::new(&b"id,Body\n"[..]),
            &TableOptions::default(),
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
