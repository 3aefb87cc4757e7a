//! `quotestance run` and `quotestance quotes`.

use clap::Args;
use quotestance::pipeline::Labelling;
use quotestance::prediction::ScoreCache;
use quotestance::{QuoteFinder, Run, Target};
use serde_json::{Map, Value};

use super::corpus::{CorpusArgs, CorpusRun};
use super::{CommonArgs, InputArgs, ModelArgs, OutputArgs, Stop};

#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    input: InputArgs,
    /// What the stance is toward, such as "Microsoft's contract with ICE"; several give a row each
    #[arg(long, required = true, value_name = "TEXT")]
    target: Vec<String>,
    /// Another name for the target; the stance is the mean over all names
    #[arg(long, value_name = "TEXT")]
    alias: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
    /// Add offsets in bytes and in UTF-16 units
    #[arg(long)]
    offsets: bool,
    #[command(flatten)]
    corpus: CorpusArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Args)]
pub struct QuotesArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Add offsets in bytes and in UTF-16 units
    #[arg(long)]
    offsets: bool,
    #[command(flatten)]
    corpus: CorpusArgs,
    #[command(flatten)]
    common: CommonArgs,
}

/// Pairs whose scores are kept, and as many again: some 15 MB.
const CACHED_PAIRS: usize = 60_000;

impl RunArgs {
    pub fn run(self, settings: Map<String, Value>) -> Result<(), Stop> {
        if self.target.len() > 1 && !self.alias.is_empty() {
            return Err(anyhow::anyhow!(
                "--alias with {} targets: it is not clear which one it names; run once for each target",
                self.target.len()
            )
            .into());
        }
        let targets = self
            .target
            .iter()
            .map(|name| Target::new(name, self.alias.iter().cloned()))
            .collect::<quotestance::Result<_>>()?;
        let options = self.output.options(true, self.offsets)?;
        let classifier = self.model.load()?;
        if self.common.verbose {
            eprintln!(
                "model: {}, {}",
                classifier.model_name(),
                classifier.engine()
            );
        }
        let labelling = Labelling {
            classifier,
            targets,
            cache: ScoreCache::new(CACHED_PAIRS),
        };
        let run = Run {
            finder: QuoteFinder::rules_only(),
            labelling: Some(labelling),
            output: options,
            duplicates: self.corpus.duplicates_in_run(),
        };
        let corpus_run = CorpusRun {
            run: &run,
            input: &self.input,
            output: &self.output,
            corpus: &self.corpus,
            common: &self.common,
            settings,
        };
        corpus_run.run()
    }
}

impl QuotesArgs {
    pub fn run(self, settings: Map<String, Value>) -> Result<(), Stop> {
        let options = self.output.options(false, self.offsets)?;
        let run = Run {
            finder: QuoteFinder::rules_only(),
            labelling: None,
            output: options,
            duplicates: self.corpus.duplicates_in_run(),
        };
        let corpus_run = CorpusRun {
            run: &run,
            input: &self.input,
            output: &self.output,
            corpus: &self.corpus,
            common: &self.common,
            settings,
        };
        corpus_run.run()
    }
}
