//! The library's one [`Error`]: what failed, where, and a way out.

use std::fmt;
use std::path::{Path, PathBuf};

/// A result of this library.
pub type Result<T> = std::result::Result<T, Error>;

/// What failed, where, why, and, where there is one, a way out.
#[derive(Debug)]
pub struct Error(Box<Details>);

#[derive(Debug)]
struct Details {
    kind: ErrorKind,
    message: String,
    place: Option<Place>,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of failure a caller may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file or folder could not be opened, read or written.
    Io,
    /// Bytes that are not text in the encoding expected.
    Encoding,
    /// A file that is not of its format: bad CSV, bad JSON, a missing column.
    Format,
    /// A document without any text.
    Empty,
    /// More than a limit allows: a decompression bomb, a page nested without end, a document
    /// larger than memory should hold.
    TooLarge,
    /// An option that makes no sense, such as an empty target.
    Option,
    /// A model folder that is broken or of an unknown architecture.
    Model,
    /// The model ran and gave something that is no result, such as NaN.
    Inference,
    /// A fault of the program itself that one document has brought to light.
    Internal,
    /// An output that another process is writing, or that belongs to another run.
    Busy,
}

impl ErrorKind {
    /// Its word in `errors.jsonl`; these stay as they are.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Io => "io",
            ErrorKind::Encoding => "encoding",
            ErrorKind::Format => "format",
            ErrorKind::Empty => "empty",
            ErrorKind::TooLarge => "too-large",
            ErrorKind::Option => "option",
            ErrorKind::Model => "model",
            ErrorKind::Inference => "inference",
            ErrorKind::Internal => "internal",
            ErrorKind::Busy => "busy",
        }
    }
}

/// Where it failed; what is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file or folder.
    pub path: Option<PathBuf>,
    /// The line in that file, from 1.
    pub line: Option<u64>,
    /// The record in that file, from 1, where it has no lines (Parquet).
    pub record: Option<u64>,
    /// The column (field) of that line, by its name.
    pub column: Option<String>,
    /// The article's id.
    pub article: Option<String>,
}

impl Error {
    /// An error of this kind; the message says what was tried, expected and found, in lower case
    /// and without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Details {
            kind,
            message: message.into(),
            place: None,
            hint: None,
            source: None,
        }))
    }

    /// Names the file or folder.
    pub fn at(mut self, path: impl AsRef<Path>) -> Error {
        self.place_mut().path = Some(path.as_ref().to_owned());
        self
    }

    /// Names the line in the file, from 1.
    pub fn at_line(mut self, line: u64) -> Error {
        self.place_mut().line = Some(line);
        self
    }

    /// Names the record of a file without lines, from 1.
    pub fn at_record(mut self, record: u64) -> Error {
        self.place_mut().record = Some(record);
        self
    }

    /// Names the column.
    pub fn at_column(mut self, column: impl Into<String>) -> Error {
        self.place_mut().column = Some(column.into());
        self
    }

    /// Names the article.
    pub fn in_article(mut self, id: impl Into<String>) -> Error {
        self.place_mut().article = Some(id.into());
        self
    }

    /// Names the place, but for what is known already.
    pub fn at_place(mut self, place: Place) -> Error {
        let known = self.0.place.take().unwrap_or_default();
        self.0.place = Some(Place {
            path: known.path.or(place.path),
            line: known.line.or(place.line),
            record: known.record.or(place.record),
            column: known.column.or(place.column),
            article: known.article.or(place.article),
        });
        self
    }

    /// Adds a way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Keeps the error that caused this one.
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// What failed.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What failed, without the place, and all its causes, joined by colons.
    pub fn reason(&self) -> String {
        let source = std::error::Error::source(self);
        let causes = std::iter::successors(source, |cause| cause.source());
        let causes: String = causes.map(|cause| format!(": {cause}")).collect();
        format!("{}{causes}", self.0.message)
    }

    /// Where it failed.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// A way out, where there is one.
    pub fn way_out(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    fn place_mut(&mut self) -> &mut Place {
        self.0.place.get_or_insert_default()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.0.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.path.as_ref().map(|path| path.display().to_string()));
        parts.extend(self.line.map(|line| format!("line {line}")));
        parts.extend(self.record.map(|record| format!("record {record}")));
        parts.extend(self.column.as_ref().map(|name| format!("column {name:?}")));
        parts.extend(self.article.as_ref().map(|id| format!("article {id:?}")));
        f.write_str(&parts.join(", "))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}
