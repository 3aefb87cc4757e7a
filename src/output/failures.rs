//! `errors.jsonl`: a line for each document that failed.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::Error;

/// Writes failures, one JSON object a line; what a line says depends on its error alone.
pub struct Failures<W: Write> {
    out: W,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    /// The file or folder.
    file: Option<String>,
    /// The line in it, from 1.
    line: Option<u64>,
    /// The record in a file without lines, from 1.
    record: Option<u64>,
    column: Option<&'a str>,
    /// The article's id.
    article: Option<&'a str>,
    /// [`crate::ErrorKind::name`].
    kind: &'static str,
    /// What failed, with its causes.
    reason: String,
    /// A way out, where there is one.
    hint: Option<&'a str>,
}

impl<W: Write> Failures<W> {
    /// Writes to this.
    pub fn new(out: W) -> Failures<W> {
        Failures { out }
    }

    /// Writes one line.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(&mut self, error: &Error) -> io::Result<()> {
        let place = error.place();
        let line = Line {
            file: place
                .and_then(|place| place.path.as_ref())
                .map(|path| path.display().to_string()),
            line: place.and_then(|place| place.line),
            record: place.and_then(|place| place.record),
            column: place.and_then(|place| place.column.as_deref()),
            article: place.and_then(|place| place.article.as_deref()),
            kind: error.kind().name(),
            reason: error.reason(),
            hint: error.way_out(),
        };
        serde_json::to_writer(&mut self.out, &line)?;
        self.out.write_all(b"\n")
    }

    /// Hands on what is buffered, and gives the writer back.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
