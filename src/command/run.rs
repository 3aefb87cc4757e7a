//! `quotestance run` and `quotestance quotes`.

use std::path::PathBuf;

use clap::Args;
use quotestance::article::Articles;
use quotestance::encoder::EngineOptions;
use quotestance::output::{Output, OutputOptions};
use quotestance::pipeline::Labelling;
use quotestance::{QuoteFinder, Run, Tagger, Target};

use super::progress::Progress;
use super::{CommonArgs, InputArgs, ModelArgs, OutputArgs, Stop, finished};

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
    finder: FinderArgs,
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
    finder: FinderArgs,
    #[command(flatten)]
    common: CommonArgs,
}

/// How quotes are found.
#[derive(Args)]
struct FinderArgs {
    /// Find quotes by rules and word lists alone, without the quote tagger: faster, but fewer
    /// indirect quotes and less exact. Articles not in English have direct quotes only, either way
    #[arg(long)]
    rules_only: bool,
    /// A folder with a quote tagger [default: the built-in one]
    #[arg(long, value_name = "DIR", conflicts_with = "rules_only")]
    tagger: Option<PathBuf>,
}

impl FinderArgs {
    fn load(&self) -> quotestance::Result<QuoteFinder> {
        let options = EngineOptions::default();
        Ok(match &self.tagger {
            _ if self.rules_only => QuoteFinder::rules_only(),
            Some(folder) => QuoteFinder::with_tagger(Tagger::open(folder, &options)?),
            None => QuoteFinder::with_tagger(Tagger::embedded(&options)?),
        })
    }
}

impl RunArgs {
    pub fn run(self) -> Result<(), Stop> {
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
        let mut articles = self.input.articles()?;
        let metadata = articles.metadata_columns()?;
        let options = self.output.options(true, self.offsets, metadata)?;
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
        };
        let run = Run {
            finder: self.finder.load()?,
            labelling: Some(labelling),
        };
        process(&run, articles, &self.output, options, &self.common)
    }
}

impl QuotesArgs {
    pub fn run(self) -> Result<(), Stop> {
        let mut articles = self.input.articles()?;
        let metadata = articles.metadata_columns()?;
        let options = self.output.options(false, self.offsets, metadata)?;
        let run = Run {
            finder: self.finder.load()?,
            labelling: None,
        };
        process(&run, articles, &self.output, options, &self.common)
    }
}

fn process(
    run: &Run,
    mut articles: Articles,
    output: &OutputArgs,
    options: OutputOptions,
    common: &CommonArgs,
) -> Result<(), Stop> {
    let mut rows = Output::new(output.open()?, options.clone())?;
    let mut progress = Progress::new(common.quiet, common.log, output.output.as_deref());
    let done = common.on_threads(|| run.run(&mut articles, &mut rows, &mut progress))?;
    progress.finish();
    let summary = done?;
    let counts = rows.counts();
    let sink = rows.finish()?;
    sink.finish(Some(&options))?;
    progress.write_errors()?;
    progress.summarise(&summary, &counts);
    finished(summary.articles, summary.failed)
}
