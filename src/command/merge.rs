//! `quotestance merge`.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Context;
use clap::Args;
use quotestance::corpus::OutputFiles;
use quotestance::corpus::merge::merge;

use super::corpus::about;
use super::signals::Signals;
use super::{Stop, finished, log};

#[derive(Args)]
pub struct MergeArgs {
    /// The outputs of all shards, in any order, with the files that stand beside them
    #[arg(required = true, value_name = "OUT")]
    inputs: Vec<PathBuf>,
    /// The file to write: the same bytes as from a run without shards
    #[arg(short, long, required = true, value_name = "WHOLE")]
    output: PathBuf,
    /// Begin anew where an interrupted merge could be gone on with
    #[arg(long)]
    restart: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

impl MergeArgs {
    pub fn run(self) -> Result<(), Stop> {
        let signals = Signals::catch().context("signals cannot be caught")?;
        let about = about(SystemTime::now(), 1, String::new())?;
        let whole = OutputFiles::of(&self.output);
        let summary = merge(&self.inputs, whole, self.restart, &about, signals.stop())?;
        if summary.stopped {
            return Err(Stop::Signal(signals.exit_code()));
        }
        if !self.quiet {
            log::info(&format!(
                "{} articles, {} quotes from {} shards",
                summary.articles,
                summary.quotes,
                self.inputs.len()
            ));
        }
        if summary.failed > 0 {
            log::info(&format!(
                "{} documents failed in the shards' runs",
                summary.failed
            ));
        }
        finished(summary.articles, summary.failed)
    }
}
