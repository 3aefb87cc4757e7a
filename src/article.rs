//! An [`Article`] is one news text with the id that its rows carry; [`Articles`] reads them.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Place, Result};
use crate::table::{Table, TableFormat, cannot_open, cannot_read, not_utf8};

/// One text to find quotes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// What the rows of this article carry; unique within a run.
    pub id: String,
    /// The text as read, without a byte order mark. Never edited: every span points into it.
    pub text: String,
    /// Where it was read, for messages.
    pub place: Place,
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
    /// What every input is. Default: by its ending, standard input by its first character.
    pub format: Option<InputFormat>,
    /// The column with the text, in tables. Default: the first of [`TEXT_COLUMNS`] there is.
    pub text_column: Option<String>,
    /// The column with the id, in tables. Default: the first of [`ID_COLUMNS`] there is, else
    /// file name and line.
    pub id_column: Option<String>,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputFormat {
    /// One article a file.
    Text,
    /// One article a row.
    Table(TableFormat),
}

impl InputFormat {
    fn of(path: &Path) -> Option<InputFormat> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "txt" | "md" | "text" | "markdown" => Some(InputFormat::Text),
            _ => TableFormat::of(path).map(InputFormat::Table),
        }
    }
}

/// The articles of some inputs, read one at a time and in a fixed order: inputs as given, folders
/// sorted by path. What cannot be read is an `Err` that names it; the rest follows.
pub struct Articles {
    inputs: VecDeque<Input>,
    table: Option<OpenTable>,
    options: ReadOptions,
    /// How often each id came, by its hash.
    seen: HashMap<String, u32>,
    notices: Vec<String>,
    position: u64,
    only: Option<Wanted>,
}

/// Tells by its id whether a document is to be read.
type Wanted = Box<dyn FnMut(&str) -> bool + Send>;

enum Input {
    /// As given on the command line: a file, a folder or `-`.
    Given(PathBuf),
    /// Found in a folder; its id is the path below that folder.
    Found { path: PathBuf, id: String },
    /// Could not be listed.
    Failed(Error),
}

struct OpenTable {
    rows: Table,
    path: PathBuf,
    text_column: String,
    id_column: Option<String>,
}

impl Articles {
    /// Will read these inputs: files, folders, or `-` for standard input.
    pub fn new(inputs: impl IntoIterator<Item = PathBuf>, options: ReadOptions) -> Articles {
        Articles {
            inputs: inputs.into_iter().map(Input::Given).collect(),
            table: None,
            options,
            seen: HashMap::new(),
            notices: Vec::new(),
            position: 0,
            only: None,
        }
    }

    /// The number of the next document, from 0.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Passes over documents until the next one has this number.
    pub fn skip_to(&mut self, number: u64) {
        while self.position < number && self.next_any().is_some() {}
    }

    /// Passes over documents whose id is refused; they are counted all the same.
    pub fn only(&mut self, wanted: impl FnMut(&str) -> bool + Send + 'static) {
        self.only = Some(Box::new(wanted));
    }

    /// What was guessed since the last call, in words for the user.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    fn open(&mut self, input: Input) -> Option<Result<Article>> {
        match input {
            Input::Failed(error) => Some(Err(error)),
            Input::Given(path) if path.as_os_str() == "-" => self.open_stdin(),
            Input::Given(path) if path.is_dir() => {
                let found = list(&path);
                if found.is_empty() {
                    return Some(Err(Error::new(
                        ErrorKind::Empty,
                        "no file to read in this folder",
                    )
                    .at(path)
                    .hint("files ending in .txt, .md, .csv, .tsv or .jsonl are read")));
                }
                for input in found.into_iter().rev() {
                    self.inputs.push_front(input);
                }
                None
            }
            Input::Given(path) => {
                let id = path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                self.open_file(&path, id)
            }
            Input::Found { path, id } => self.open_file(&path, id),
        }
    }

    fn open_file(&mut self, path: &Path, id: String) -> Option<Result<Article>> {
        let Some(format) = self.options.format.or_else(|| InputFormat::of(path)) else {
            let there = path.try_exists().unwrap_or(false);
            return Some(Err(if there {
                Error::new(ErrorKind::Format, "its ending does not say what it is")
                    .at(path)
                    .hint("say it with --input-format text, csv, tsv or jsonl")
            } else {
                no_such_file(path)
            }));
        };
        match std::fs::File::open(path) {
            Ok(file) => self.open_reader(path, id, format, Box::new(BufReader::new(file))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Some(Err(no_such_file(path)))
            }
            Err(error) => Some(Err(cannot_open(path).because(error))),
        }
    }

    fn open_stdin(&mut self) -> Option<Result<Article>> {
        let path = Path::new("standard input");
        let mut input = BufReader::new(std::io::stdin());
        let format = self.options.format.unwrap_or_else(|| {
            let object = input
                .fill_buf()
                .is_ok_and(|bytes| bytes.trim_ascii_start().starts_with(b"{"));
            if object {
                InputFormat::Table(TableFormat::Jsonl)
            } else {
                InputFormat::Text
            }
        });
        self.open_reader(path, "stdin".to_owned(), format, Box::new(input))
    }

    fn open_reader(
        &mut self,
        path: &Path,
        id: String,
        format: InputFormat,
        input: Box<dyn BufRead + Send>,
    ) -> Option<Result<Article>> {
        match format {
            InputFormat::Text => Some(self.read_text(path, id, input)),
            InputFormat::Table(format) => match self.open_table(path, format, input) {
                Ok(table) => {
                    self.table = Some(table);
                    None
                }
                Err(error) => Some(Err(error)),
            },
        }
    }

    fn read_text(
        &mut self,
        path: &Path,
        id: String,
        mut input: Box<dyn BufRead + Send>,
    ) -> Result<Article> {
        let mut bytes = Vec::new();
        input
            .read_to_end(&mut bytes)
            .map_err(|error| cannot_read(path).because(error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count();
            not_utf8(path)
                .at_line(line as u64)
                .because(error.utf8_error())
        })?;
        let place = Place {
            path: Some(path.to_owned()),
            ..Place::default()
        };
        self.article(id, text, place)
    }

    fn open_table(
        &mut self,
        path: &Path,
        format: TableFormat,
        input: Box<dyn BufRead + Send>,
    ) -> Result<OpenTable> {
        let rows = Table::read(path, format, input)?;
        let text_column = rows.column(self.options.text_column.as_deref(), &TEXT_COLUMNS);
        let text_column = text_column
            .map_err(|error| error.hint("name the column with the text with --text-column"))?
            .ok_or_else(|| {
                rows.no_column(TEXT_COLUMNS[0])
                    .hint("name the column with the text with --text-column")
            })?;
        let id_column = rows
            .column(self.options.id_column.as_deref(), &ID_COLUMNS)
            .map_err(|error| error.hint("name the column with the id with --id-column"))?;
        if self.options.text_column.is_none() || self.options.id_column.is_none() {
            let id = id_column
                .as_ref()
                .map_or("file name and line as id".to_owned(), |name| {
                    format!("column {name:?} as id")
                });
            self.notices.push(format!(
                "{}: reading column {text_column:?} as text, {id}",
                path.display()
            ));
        }
        Ok(OpenTable {
            rows,
            path: path.to_owned(),
            text_column,
            id_column,
        })
    }

    fn next_row(&mut self) -> Option<Result<Article>> {
        let table = self.table.as_mut()?;
        let row = match table.rows.next() {
            None => {
                self.table = None;
                return None;
            }
            Some(Err(error)) => return Some(Err(error)),
            Some(Ok(row)) => row,
        };
        let place = Place {
            path: Some(table.path.clone()),
            line: Some(row.line),
            ..Place::default()
        };
        let given = table
            .id_column
            .as_deref()
            .and_then(|column| row.get(column));
        let id = match given.map(str::trim) {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => {
                let file = table.path.file_name().unwrap_or(table.path.as_os_str());
                format!("{}:{}", file.to_string_lossy(), row.line)
            }
        };
        let Some(text) = row.get(&table.text_column) else {
            return Some(Err(Error::new(ErrorKind::Empty, "no text in this row")
                .at(&table.path)
                .at_line(row.line)
                .at_column(&table.text_column)));
        };
        let text = text.to_owned();
        Some(self.article(id, text, place))
    }

    /// Checks the text and makes the id unique: a second "a" becomes "a~2", with a notice.
    fn article(&mut self, id: String, mut text: String, place: Place) -> Result<Article> {
        if text.starts_with('\u{feff}') {
            text.remove(0);
        }
        if text.trim().is_empty() {
            let error = Error::new(ErrorKind::Empty, "no text, expected an article").in_article(id);
            return Err(error.at_place(place));
        }
        let times = self.seen.entry(id.clone()).or_insert(0);
        *times += 1;
        let id = if *times == 1 {
            id
        } else {
            let unique = format!("{id}~{times}");
            self.notices.push(format!(
                "{place}: the id {id:?} came before; this article is {unique:?}"
            ));
            unique
        };
        Ok(Article { id, text, place })
    }
}

impl Iterator for Articles {
    type Item = Result<Article>;

    fn next(&mut self) -> Option<Result<Article>> {
        loop {
            let next = self.next_any()?;
            let id = match &next {
                Ok(article) => article.id.clone(),
                Err(error) => error.place().map(ToString::to_string).unwrap_or_default(),
            };
            if self.only.as_mut().is_none_or(|wanted| wanted(&id)) {
                return Some(next);
            }
        }
    }
}

impl Articles {
    fn next_any(&mut self) -> Option<Result<Article>> {
        loop {
            if let Some(article) = self.next_row() {
                self.position += 1;
                return Some(article);
            }
            let input = self.inputs.pop_front()?;
            if let Some(article) = self.open(input) {
                self.position += 1;
                return Some(article);
            }
        }
    }
}

/// The readable files below a folder, by path; ids are their paths below it, without the ending.
fn list(folder: &Path) -> Vec<Input> {
    let walk = walkdir::WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name();
    let entries = walk.into_iter().filter_map(|entry| match entry {
        Ok(entry) if !entry.file_type().is_file() => None,
        Ok(entry) => {
            InputFormat::of(entry.path())?;
            let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let id = below
                .with_extension("")
                .to_string_lossy()
                .replace('\\', "/");
            Some(Input::Found {
                path: entry.into_path(),
                id,
            })
        }
        Err(error) => {
            let path = error.path().unwrap_or(folder).to_owned();
            Some(Input::Failed(cannot_read(&path).because(error)))
        }
    });
    entries.collect()
}

fn no_such_file(path: &Path) -> Error {
    Error::new(ErrorKind::Io, "no such file or folder")
        .at(path)
        .hint("check the spelling; relative paths start at the current folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        path: &Path,
        options: ReadOptions,
    ) -> Vec<std::result::Result<(String, String), String>> {
        Articles::new([path.to_owned()], options)
            .map(|article| {
                article
                    .map(|article| (article.id, article.text))
                    .map_err(|error| error.to_string().replace(&path.display().to_string(), "IN"))
            })
            .collect()
    }

    fn ok(id: &str, text: &str) -> std::result::Result<(String, String), String> {
        Ok((id.to_owned(), text.to_owned()))
    }

    #[test]
    fn a_folder_is_walked_in_order_and_bad_files_do_not_stop_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::create_dir(path.join("sub")).unwrap();
        std::fs::write(path.join("b.txt"), "\u{feff}Bee\r\n").unwrap();
        std::fs::write(path.join("a.md"), "Ay").unwrap();
        std::fs::write(path.join("bad.txt"), b"one\n\xff").unwrap();
        std::fs::write(path.join("empty.txt"), " \n").unwrap();
        std::fs::write(path.join("image.png"), "no").unwrap();
        std::fs::write(
            path.join("sub/c.jsonl"),
            "{\"text\":\"See\"}\n{\"id\":\"a\",\"text\":\"Ay2\"}",
        )
        .unwrap();
        assert_eq!(
            read(path, ReadOptions::default()),
            [
                ok("a", "Ay"),
                ok("b", "Bee\r\n"),
                Err("IN/bad.txt, line 2: not UTF-8".into()),
                Err("IN/empty.txt, article \"empty\": no text, expected an article".into()),
                ok("c.jsonl:1", "See"),
                ok("c.jsonl:2", "Ay2"),
            ]
        );
    }

    #[test]
    fn ids_stay_unique() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "id,text\n7,a\n7,b\n,c\n8,\n").unwrap();
        let mut articles = Articles::new([path], ReadOptions::default());
        let ids: Vec<_> = articles
            .by_ref()
            .map(|article| article.map_or("-".into(), |a| a.id))
            .collect();
        assert_eq!(ids, ["7", "7~2", "t.csv:4", "-"]);
        assert_eq!(articles.take_notices().len(), 2);
    }
}
