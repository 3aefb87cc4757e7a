//! An [`Article`] is one news text with the id that its rows carry; [`Articles`] reads them.

pub mod html;
mod ids;
pub mod metadata;
pub mod source;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;

use crate::error::{Error, ErrorKind, Place, Result};
use crate::input::encoding::decode;
use crate::input::{self, Input, Limits, cannot_read, without_compression};
use crate::table::{Row, RowPlace, Table, TableFormat, TableOptions, not_text};
use ids::Ids;
use metadata::{Metadata, MetadataColumns, TableMetadata};
use source::{Given, Sources};

/// One text to find quotes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Article {
    /// What the rows of this article carry; unique within a run.
    pub id: String,
    /// The text as read and decoded, without a byte order mark; of a web page, the article's
    /// text. Never edited: every span points into it.
    pub text: String,
    /// Where it was read, for messages.
    pub place: Place,
    /// Its number among all documents of the inputs, from 0, those that failed counted.
    pub number: u64,
    /// What it was decoded from. `None`: UTF-8.
    pub encoding: Option<&'static str>,
    /// What its source says about it.
    pub metadata: Metadata,
}

/// Column names taken for the text where none is named, in this order.
pub const TEXT_COLUMNS: [&str; 9] = [
    "text",
    "article",
    "body",
    "content",
    "full_text",
    "fulltext",
    "article_text",
    "story",
    "document",
];
/// Column names taken for the id where none is named, in this order.
pub const ID_COLUMNS: [&str; 8] = [
    "id",
    "article_id",
    "articleid",
    "doc_id",
    "document_id",
    "uid",
    "uuid",
    "url",
];

/// How to read the inputs.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// What every input is. Default: by its ending, standard input by its first bytes.
    pub format: Option<InputFormat>,
    /// The column with the text, in tables. Default: the first of [`TEXT_COLUMNS`] there is.
    pub text_column: Option<String>,
    /// The column with the id, in tables. Default: the first of [`ID_COLUMNS`] there is, else
    /// file name and line.
    pub id_column: Option<String>,
    /// Columns of tables that the output is to carry.
    pub keep: Vec<String>,
    /// What texts and tables are encoded in. Default: each document as it looks.
    pub encoding: Option<&'static Encoding>,
    /// How large documents may be.
    pub limits: Limits,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputFormat {
    /// One article a file.
    Text,
    /// One web page a file.
    Html,
    /// One article a row.
    Table(TableFormat),
}

impl InputFormat {
    /// By a file name's ending, that of its compression left out.
    pub fn of(path: &Path) -> Option<InputFormat> {
        let plain = without_compression(path);
        let ending = plain.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "txt" | "md" | "text" | "markdown" => Some(InputFormat::Text),
            "html" | "htm" | "xhtml" => Some(InputFormat::Html),
            _ => TableFormat::of(path).map(InputFormat::Table),
        }
    }

    /// By a file's first bytes: an object is JSONL, a tag a web page, anything else text.
    fn of_content(head: &[u8]) -> InputFormat {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let lower = head.trim_ascii_start().to_ascii_lowercase();
        if lower.starts_with(b"{") {
            InputFormat::Table(TableFormat::Jsonl)
        } else if lower.starts_with(b"par1") {
            InputFormat::Table(TableFormat::Parquet)
        } else if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
            InputFormat::Html
        } else {
            InputFormat::Text
        }
    }
}

/// The articles of some inputs, read one at a time and in a fixed order. What cannot be read is an
/// `Err` that names it; the rest follows.
///
/// Articles and failures alike are *documents* and take one number each, from 0, that depends on
/// the inputs alone: reading can start at any of them.
pub struct Articles {
    given: Vec<Given>,
    sources: Sources,
    table: Option<OpenTable>,
    /// Standard input, opened early to learn its columns.
    stdin: Option<Result<Opened>>,
    options: ReadOptions,
    ids: Ids,
    number: u64,
    first: u64,
    wanted: Option<Wanted>,
    metadata: Option<MetadataColumns>,
    notices: VecDeque<String>,
}

/// Whether the document of this id is wanted.
type Wanted = Box<dyn FnMut(&str) -> bool + Send>;

struct OpenTable {
    rows: Table,
    path: PathBuf,
    text_column: String,
    id_column: Option<String>,
    metadata: TableMetadata,
}

enum Opened {
    Table(Box<OpenTable>),
    Document(Input, InputFormat),
}

/// A document that is next, before it is read.
enum Document {
    /// A row of the table that is open.
    Row(Result<Row>),
    /// A file that is one document.
    File(PathBuf, InputFormat),
    /// The same, open already.
    Open(Input, InputFormat),
    /// Something that cannot be read.
    Failed(Error),
}

/// Tables whose headers are looked at for metadata before the first article is read.
const SURVEYED_TABLES: usize = 64;

impl Articles {
    /// Will read these inputs.
    pub fn new(inputs: impl IntoIterator<Item = Given>, options: ReadOptions) -> Articles {
        let given: Vec<Given> = inputs.into_iter().collect();
        Articles {
            sources: Sources::new(given.clone(), options.format.is_some()),
            given,
            table: None,
            stdin: None,
            options,
            ids: Ids::default(),
            number: 0,
            first: 0,
            wanted: None,
            metadata: None,
            notices: VecDeque::new(),
        }
    }

    /// What was guessed since the last call, in words for the user.
    pub fn take_notices(&mut self) -> Vec<String> {
        self.notices.extend(self.sources.take_notices());
        self.notices.drain(..).collect()
    }

    /// The number of the next document: how many were yielded or passed over.
    pub fn position(&self) -> u64 {
        self.number
    }

    /// Passes over all documents before this number. Files are listed but not opened; rows of
    /// tables are read past. Ids come out as in a whole run.
    pub fn skip_to(&mut self, number: u64) {
        self.first = number;
    }

    /// Passes over documents whose id is not wanted, failed ones too; they keep their numbers.
    pub fn only(&mut self, wanted: impl FnMut(&str) -> bool + Send + 'static) {
        self.wanted = Some(Box::new(wanted));
    }

    /// Which metadata the articles may have, from names of files and headers of tables (the first
    /// 64 of them); known before the first article is read. What a later table has beyond
    /// these is not carried.
    ///
    /// # Errors
    /// If a column that was to be kept is in none of the tables.
    pub fn metadata_columns(&mut self) -> Result<MetadataColumns> {
        if let Some(columns) = &self.metadata {
            return Ok(columns.clone());
        }
        let mut columns = MetadataColumns {
            kept: self.options.keep.clone(),
            ..MetadataColumns::default()
        };
        let mut missing = columns.kept.clone();
        let (mut tables, mut seen) = (0, String::new());
        let any_ending = self.options.format.is_some();
        for source in Sources::new(self.surveyed(), any_ending).flatten() {
            let opened;
            let table = if source.is_stdin() {
                let stdin = self.open_stdin();
                match self.stdin.insert(stdin) {
                    Ok(Opened::Table(table)) => &**table,
                    _ => continue,
                }
            } else {
                match self.format_of(&source.path) {
                    Some(InputFormat::Html) => {
                        columns.add_page();
                        continue;
                    }
                    Some(InputFormat::Table(format)) => {
                        let Ok(table) = self.open_table(&source.path, format, None) else {
                            continue;
                        };
                        opened = table;
                        &opened
                    }
                    _ => continue,
                }
            };
            let names = table.metadata.names();
            columns.guessed.extend(names.map(str::to_owned));
            missing.retain(|name| !table.rows.columns().contains(name));
            seen = table.rows.columns().join(", ");
            tables += 1;
            if tables == SURVEYED_TABLES {
                break;
            }
        }
        if let (Some(name), true) = (missing.first(), tables > 0) {
            let message = format!("no table has a column {name:?}; the last one's are {seen}");
            return Err(
                Error::new(ErrorKind::Option, message).hint("check the names given to --keep")
            );
        }
        self.metadata = Some(columns.clone());
        Ok(columns)
    }

    /// What can be looked at twice: a list on standard input cannot.
    fn surveyed(&self) -> Vec<Given> {
        let stdin = Given::List("-".into());
        let given = self.given.iter().filter(|&given| *given != stdin);
        given.cloned().collect()
    }

    fn format_of(&self, path: &Path) -> Option<InputFormat> {
        self.options.format.or_else(|| InputFormat::of(path))
    }

    fn open_stdin(&self) -> Result<Opened> {
        let path = Path::new("standard input");
        let (input, guess) = source::stdin(&self.options.limits)?;
        match self.options.format.unwrap_or(guess) {
            InputFormat::Table(format) => {
                let table = self.open_table(path, format, Some(input))?;
                Ok(Opened::Table(Box::new(table)))
            }
            format => Ok(Opened::Document(input, format)),
        }
    }

    fn open_table(
        &self,
        path: &Path,
        format: TableFormat,
        input: Option<Input>,
    ) -> Result<OpenTable> {
        let options = TableOptions {
            limits: self.options.limits,
            encoding: self.options.encoding,
        };
        let mut rows = match input {
            Some(input) => Table::read(path, format, input, &options)?,
            None => Table::open(path, format, &options)?,
        };
        let text_column = rows
            .column(self.options.text_column.as_deref(), &TEXT_COLUMNS)
            .map_err(|error| error.hint("name the column with the text with --text-column"))?
            .ok_or_else(|| {
                rows.no_column(TEXT_COLUMNS[0])
                    .hint("name the column with the text with --text-column")
            })?;
        let id_column = rows
            .column(self.options.id_column.as_deref(), &ID_COLUMNS)
            .map_err(|error| error.hint("name the column with the id with --id-column"))?;
        let metadata = TableMetadata::of(&rows, &text_column, &self.options.keep)?;
        let read = metadata.columns().chain([text_column.as_str()]);
        rows.project(&read.chain(id_column.as_deref()).collect::<Vec<_>>())?;
        Ok(OpenTable {
            rows,
            path: path.to_owned(),
            text_column,
            id_column,
            metadata,
        })
    }

    /// Makes this table the next to read rows of, and says what was guessed.
    fn enter(&mut self, table: OpenTable) {
        let path = table.path.display();
        let guessed = self.options.text_column.is_none()
            || self.options.id_column.is_none()
            || table.metadata.names().next().is_some();
        if guessed {
            let id = (table.id_column.as_ref())
                .map_or("file name and line as id".to_owned(), |name| {
                    format!("column {name:?} as id")
                });
            self.notices.push_back(format!(
                "{path}: reading column {:?} as text, {id}{}",
                table.text_column,
                table.metadata.guesses()
            ));
        }
        if let Some(columns) = &self.metadata {
            let names = table.metadata.names();
            let lost: Vec<_> = names
                .filter(|name| !columns.guessed.contains(*name))
                .collect();
            if !lost.is_empty() {
                self.notices.push_back(format!(
                    "{path}: its {} is not carried to the output, as the first tables have none",
                    lost.join(", ")
                ));
            }
        }
        self.table = Some(table);
    }

    /// The next document and its id, if any is left.
    fn next_document(&mut self) -> Option<(Document, String)> {
        loop {
            if let Some(table) = &mut self.table {
                match table.rows.next() {
                    Some(row) => {
                        let id = table.id_of(&row);
                        return Some((Document::Row(row), id));
                    }
                    None => self.table = None,
                }
            }
            let source = match self.sources.next()? {
                Ok(source) => source,
                Err(error) => {
                    let id = error.place().map(ToString::to_string);
                    return Some((Document::Failed(error), id.unwrap_or_default()));
                }
            };
            let opened = if source.is_stdin() {
                let stdin = self.stdin.take().unwrap_or_else(|| self.open_stdin());
                stdin.map(|opened| match opened {
                    Opened::Document(input, format) => Err(Document::Open(input, format)),
                    Opened::Table(table) => Ok(*table),
                })
            } else {
                match self.format_of(&source.path) {
                    Some(InputFormat::Table(format)) => {
                        self.open_table(&source.path, format, None).map(Ok)
                    }
                    Some(format) => Ok(Err(Document::File(source.path, format))),
                    None => Err(no_format(&source.path)),
                }
            };
            match opened {
                Ok(Ok(table)) => self.enter(table),
                Ok(Err(document)) => return Some((document, source.id)),
                Err(error) => return Some((Document::Failed(error), source.id)),
            }
        }
    }

    fn read(&mut self, document: Document, id: String) -> Result<Article> {
        match document {
            Document::Failed(error) | Document::Row(Err(error)) => Err(error),
            Document::File(path, format) => {
                let input = input::open(&path, &self.options.limits)?;
                self.read_file(&path, input, format, id)
            }
            Document::Open(input, format) => {
                self.read_file(Path::new("standard input"), input, format, id)
            }
            Document::Row(Ok(row)) => {
                let table = self.table.as_ref().expect("the row is of the open table");
                let place = table.place(row.at);
                let no_text = || Error::new(ErrorKind::Empty, "no text in this row");
                let text = row
                    .text(&table.text_column)
                    .and_then(|text| text.ok_or_else(no_text))
                    .map_err(|error| error.at_place(place.clone()).at_column(&table.text_column))?;
                Ok(Article {
                    id,
                    text: text.to_owned(),
                    place,
                    encoding: row.encoding,
                    metadata: table.metadata.of_row(&row),
                    ..Article::default()
                })
            }
        }
    }

    fn read_file(
        &self,
        path: &Path,
        mut input: Input,
        format: InputFormat,
        id: String,
    ) -> Result<Article> {
        let bytes = input::read_document(&mut input, &self.options.limits)
            .map_err(|error| cannot_read(path, error))?;
        let is_page = format == InputFormat::Html;
        let decoded = match is_page {
            true => html::decode_page(bytes, self.options.encoding),
            false => decode(bytes, self.options.encoding),
        };
        let decoded = decoded.map_err(|error| {
            let line = error.line;
            let error = not_text(error).at(path);
            match line {
                Some(line) => error.at_line(line),
                None => error,
            }
        })?;
        let mut article = Article {
            id,
            text: decoded.text,
            place: Place {
                path: Some(path.to_owned()),
                ..Place::default()
            },
            encoding: decoded.encoding,
            ..Article::default()
        };
        if is_page {
            let page = html::extract(&article.text)
                .map_err(|error| error.at_place(article.place.clone()))?;
            article.text = page.text;
            article.metadata = page.metadata;
        }
        article.metadata.kept.resize(self.options.keep.len(), None);
        Ok(article)
    }
}

impl Iterator for Articles {
    type Item = Result<Article>;

    fn next(&mut self) -> Option<Result<Article>> {
        loop {
            let (document, id) = self.next_document()?;
            let number = self.number;
            self.number += 1;
            // Where it failed to be listed or parsed, its id is a place, which is left as it is.
            let is_place = matches!(document, Document::Failed(_) | Document::Row(Err(_)));
            let unique = self.ids.unique(id, is_place);
            let passed_over = number < self.first
                || (self.wanted.as_mut()).is_some_and(|wanted| !wanted(&unique.id));
            if passed_over {
                continue;
            }
            if unique.was_given {
                self.notices.push_back(format!(
                    "an article's id came before; this one is {:?}",
                    unique.id
                ));
            }
            let id = unique.id;
            return Some(
                self.read(document, id.clone())
                    .and_then(checked)
                    .map_or_else(
                        |error| {
                            Err(error.at_place(Place {
                                article: Some(id),
                                ..Place::default()
                            }))
                        },
                        |article| Ok(Article { number, ..article }),
                    ),
            );
        }
    }
}

/// Takes a byte order mark off (a table's field may have one), and refuses an article of white
/// space alone.
fn checked(mut article: Article) -> Result<Article> {
    if article.text.starts_with('\u{feff}') {
        article.text.remove(0);
    }
    if article.text.trim().is_empty() {
        let error = Error::new(ErrorKind::Empty, "no text, expected an article");
        return Err(error.at_place(article.place));
    }
    Ok(article)
}

impl OpenTable {
    /// The id column's value, else file name and line.
    fn id_of(&self, row: &Result<Row>) -> String {
        let (given, number) = match row {
            Ok(row) => {
                let given = self.id_column.as_deref().and_then(|column| row.get(column));
                (given.map(str::trim), row.at.number())
            }
            Err(error) => {
                let place = error.place();
                let number = place.and_then(|place| place.line.or(place.record));
                (None, number.unwrap_or(0))
            }
        };
        match given {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => {
                let file = self.path.file_name().unwrap_or(self.path.as_os_str());
                format!("{}:{number}", file.to_string_lossy())
            }
        }
    }

    fn place(&self, at: RowPlace) -> Place {
        let (line, record) = match at {
            RowPlace::Line(line) => (Some(line), None),
            RowPlace::Record(record) => (None, Some(record)),
        };
        Place {
            path: Some(self.path.clone()),
            line,
            record,
            ..Place::default()
        }
    }
}

fn no_format(path: &Path) -> Error {
    if path.try_exists().unwrap_or(false) {
        Error::new(ErrorKind::Format, "its ending does not say what it is")
            .at(path)
            .hint("say it with --input-format text, html, csv, tsv, jsonl or parquet")
    } else {
        input::no_such_file(path)
    }
}

#[cfg(test)]
mod tests;
