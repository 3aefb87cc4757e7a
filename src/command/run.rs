//! `quotestance run` and `quotestance quotes`.

use std::path::PathBuf;

use clap::Args;
use quotestance::article::Articles;
use quotestance::encoder::EngineOptions;
use quotestance::output::OutputOptions;
use quotestance::pipeline::Labelling;
use quotestance::prediction::ScoreCache;
use quotestance::{QuoteFinder, Run, Tagger, Target, Task};
use rayon::ThreadPool;
use serde_json::{Map, Value};

use super::corpus::{CorpusArgs, CorpusRun};
use super::targets::{AbstentionArgs, TargetArgs};
use super::{CommonArgs, EngineArgs, InputArgs, ModelArgs, OutputArgs, Stop, log};

#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Another name for the target; the stance is the mean over all names
    #[arg(long, value_name = "TEXT")]
    alias: Vec<String>,
    #[command(flatten)]
    abstention: AbstentionArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    batch: BatchArgs,
}

#[derive(Args)]
pub struct QuotesArgs {
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    batch: BatchArgs,
}

/// What both say: what is read, how quotes are found, and where rows go.
#[derive(Args)]
struct BatchArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Add offsets in bytes and in UTF-16 units
    #[arg(long)]
    offsets: bool,
    #[command(flatten)]
    finder: FinderArgs,
    #[command(flatten)]
    corpus: CorpusArgs,
    #[command(flatten)]
    common: CommonArgs,
}

impl BatchArgs {
    /// What is to be read, and how rows are written.
    fn open(&self, labelled: bool, abstention: bool) -> anyhow::Result<(Articles, OutputOptions)> {
        let mut articles = self.input.articles()?;
        let metadata = articles.metadata_columns()?;
        let duplicates = self.corpus.are_duplicates_found();
        let options =
            self.output
                .options(labelled, abstention, self.offsets, metadata, duplicates)?;
        Ok((articles, options))
    }

    fn run(
        &self,
        settings: Map<String, Value>,
        prepare: impl FnOnce(&ThreadPool) -> anyhow::Result<(Run, Articles)>,
    ) -> Result<(), Stop> {
        let pool = self.common.pool()?;
        let (run, articles) = prepare(&pool)?;
        let corpus_run = CorpusRun {
            run: &run,
            pool: &pool,
            articles,
            input: &self.input,
            output: &self.output,
            corpus: &self.corpus,
            common: &self.common,
            settings,
        };
        corpus_run.run()
    }
}

/// Pairs whose scores are kept, and as many again: some 15 MB.
const CACHED_PAIRS: usize = 60_000;

/// How quotes are found.
#[derive(Args)]
pub struct FinderArgs {
    /// Find quotes by rules and word lists alone, without the quote tagger: faster, but fewer
    /// indirect quotes and less exact. Articles not in English have direct quotes only, either way
    #[arg(long)]
    rules_only: bool,
    /// A folder with a quote tagger [default: the built-in one]
    #[arg(long, value_name = "DIR", conflicts_with = "rules_only")]
    tagger: Option<PathBuf>,
}

impl FinderArgs {
    pub fn load(&self, engine: &EngineOptions) -> quotestance::Result<QuoteFinder> {
        Ok(match &self.tagger {
            _ if self.rules_only => QuoteFinder::rules_only(),
            Some(folder) => QuoteFinder::with_tagger(Tagger::open(folder, engine)?),
            None => QuoteFinder::with_tagger(Tagger::embedded(engine)?),
        })
    }
}

impl RunArgs {
    pub fn run(self, settings: Map<String, Value>) -> Result<(), Stop> {
        self.batch.run(settings, |pool| self.prepare(pool))
    }

    /// The run that is asked for, its models loaded in `pool`, and what it is to read.
    pub fn prepare(&self, pool: &ThreadPool) -> anyhow::Result<(Run, Articles)> {
        let names = self.target.names()?;
        if names.is_empty() {
            return Err(anyhow::anyhow!(
                "no target: name one with --target, --targets or --hypothesis, or find quotes only with `quotestance quotes`"
            ));
        }
        if names.len() > 1 && !self.alias.is_empty() {
            return Err(anyhow::anyhow!(
                "--alias with {} targets: it is not clear which one it names; run once for each target",
                names.len()
            ));
        }
        let targets = names
            .iter()
            .map(|name| Target::new(name, self.alias.iter().cloned()))
            .collect::<quotestance::Result<_>>()?;
        let (articles, output) = self.batch.open(true, self.abstention.is_asked())?;
        let engine = self.model.engine.options();
        let (classifier, finder) =
            pool.install(|| rayon::join(|| self.model.load(), || self.batch.finder.load(&engine)));
        let (classifier, finder) = (classifier?, finder?);
        for name in names.iter().chain(&self.alias) {
            classifier.check_target(name)?;
        }
        let min_confidence = self.abstention.threshold(&classifier, Task::Stance)?;
        if let (Some(share), Some(threshold), false) = (
            self.abstention.max_error,
            min_confidence,
            self.batch.common.quiet,
        ) {
            log::note(&format!(
                "--max-error {share} keeps stances of a probability of {threshold} and more"
            ));
        }
        let labelling = Labelling {
            classifier,
            targets,
            min_confidence,
            cache: ScoreCache::new(CACHED_PAIRS),
        };
        let run = Run {
            finder,
            labelling: Some(labelling),
            output,
            duplicates: self.batch.corpus.duplicates_in_run(),
        };
        Ok((run, articles))
    }

    pub fn into_input(self) -> InputArgs {
        self.batch.input
    }
}

impl QuotesArgs {
    pub fn run(self, settings: Map<String, Value>) -> Result<(), Stop> {
        self.batch.run(settings, |pool| self.prepare(pool))
    }

    /// The run that is asked for, its models loaded in `pool`, and what it is to read.
    pub fn prepare(&self, pool: &ThreadPool) -> anyhow::Result<(Run, Articles)> {
        let (articles, output) = self.batch.open(false, false)?;
        let run = Run {
            finder: pool.install(|| self.batch.finder.load(&self.engine.options()))?,
            labelling: None,
            output,
            duplicates: self.batch.corpus.duplicates_in_run(),
        };
        Ok((run, articles))
    }

    pub fn into_input(self) -> InputArgs {
        self.batch.input
    }
}
