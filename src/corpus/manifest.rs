//! `OUT.run.json`: what a run was, what it read and wrote, and on what machine.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::cannot_read;
use super::identity::Identity;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{OutputFormat, OutputOptions};
use crate::pipeline::Duplicates;

/// `OUT.run.json`: what a run was and came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The command line, without the program.
    pub command: Vec<String>,
    /// The folder that relative paths of the inputs start in: where the command was given, or,
    /// after a merge, the first shard's.
    pub folder: PathBuf,
    /// Version, settings, inputs.
    #[serde(flatten)]
    pub identity: Identity,
    /// How rows are written down.
    pub rows: RowsOptions,
    /// What was done.
    pub counts: Counts,
    /// SHA-256 over the lines `ID TAB DIGEST` of all articles in order, where DIGEST is the first
    /// 16 digits of the SHA-256 of the article's text: what was read, whatever files it stood in.
    pub texts_sha256: String,
    /// The output as it was written.
    pub output: FileFacts,
    /// When, and for how long.
    pub timings: Timings,
    /// On what.
    pub machine: Machine,
}

/// How rows are written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowsOptions {
    /// Format and columns.
    #[serde(flatten)]
    pub output: OutputOptions,
    /// What was done with near copies.
    pub duplicates: Duplicates,
}

impl RowsOptions {
    /// Whether the output is made from the rows when all are there, and is not these rows itself.
    pub(super) fn are_made_at_the_end(&self) -> bool {
        self.duplicates != Duplicates::Keep || self.output.format == OutputFormat::Parquet
    }
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Documents of the inputs, other shards' included.
    pub documents: u64,
    /// Articles done.
    pub articles: u64,
    /// Quotes found in them.
    pub quotes: u64,
    /// Articles that are near copies of earlier ones.
    pub duplicates: u64,
    /// Documents that failed.
    pub failed: u64,
    /// What was met in the articles.
    #[serde(flatten)]
    pub met: crate::output::Counts,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// As `sha256sum` tells it.
    pub sha256: String,
}

/// When, and for how long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// When the run began, or was last taken up (UTC).
    pub started: String,
    /// When it ended.
    pub ended: String,
    /// Seconds between the two.
    pub seconds: f64,
    /// Whether an interrupted run was taken up; what came before is not in `seconds`.
    pub resumed: bool,
}

/// A computer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Operating system and architecture.
    pub system: String,
    /// The processor's own name, where the system tells it.
    pub processor: String,
    /// Processors that the run could use.
    pub processors: usize,
    /// Threads that it used.
    pub threads: usize,
    /// Engine, precision and instruction set of the model.
    pub engine: String,
}

/// What the manifest tells of the run, and only its caller knows.
#[derive(Clone, Debug)]
pub struct About {
    /// The command line, without the program.
    pub command: Vec<String>,
    /// The folder it was given in.
    pub folder: PathBuf,
    /// When it began or went on.
    pub started: SystemTime,
    /// Threads of the run.
    pub threads: usize,
    /// Engine, precision and instruction set of the model; empty without one.
    pub engine: String,
}

impl Manifest {
    /// Reads `OUT.run.json`.
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Manifest> {
        let bytes = std::fs::read(path).map_err(|error| {
            cannot_read(path, error).hint(
                "quotestance writes it beside each output, as OUT.run.json, when a run is done",
            )
        })?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(ErrorKind::Format, "not a run.json of this version")
                .at(path)
                .because(error)
        })
    }
}
