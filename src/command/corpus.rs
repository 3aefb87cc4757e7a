//! What `run`, `quotes`, `merge` and `verify` share: a run into a file that can be interrupted,
//! split and checked.

use std::time::SystemTime;

use anyhow::{Context, anyhow};
use clap::{ArgMatches, Args, CommandFactory, ValueEnum};
use quotestance::Run;
use quotestance::article::Articles;
use quotestance::corpus::identity::{self, Identity};
use quotestance::corpus::manifest::{About, RowsOptions};
use quotestance::corpus::{Corpus, OutputFiles};
use quotestance::duplicates::DuplicateIndex;
use quotestance::output::Output;
use quotestance::pipeline::{Course, Document, Duplicates, Summary};
use quotestance::shard::Shard;
use rayon::ThreadPool;
use serde_json::{Map, Value};

use super::progress::Progress;
use super::signals::Signals;
use super::{Cli, CommonArgs, InputArgs, OutputArgs, Sink, Stop, finished, is_stdout};

/// How a corpus is gone through.
#[derive(Args)]
pub struct CorpusArgs {
    /// Do one part of the corpus only, such as 3/16; `quotestance merge` puts the parts together
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Near copies of earlier articles: keep them (do not look for them), mark them (columns
    /// duplicate_of and copies), or mark and skip their rows
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    duplicates: DuplicatesArg,
    /// Begin anew where an interrupted run could be gone on with
    #[arg(long)]
    restart: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum DuplicatesArg {
    Keep,
    Mark,
    Skip,
}

impl CorpusArgs {
    /// What rows are made for; a shard cannot know which of its articles are copies of another's,
    /// so that skipping them is left to the end, and to the merge.
    pub fn duplicates_in_run(&self) -> Duplicates {
        match (self.duplicates(), self.shard) {
            (Duplicates::Skip, Some(_)) => Duplicates::Mark,
            (duplicates, _) => duplicates,
        }
    }

    /// Whether near copies are looked for.
    pub fn are_duplicates_found(&self) -> bool {
        self.duplicates() != Duplicates::Keep
    }

    fn duplicates(&self) -> Duplicates {
        match self.duplicates {
            DuplicatesArg::Keep => Duplicates::Keep,
            DuplicatesArg::Mark => Duplicates::Mark,
            DuplicatesArg::Skip => Duplicates::Skip,
        }
    }
}

/// Options that do not change a byte of the output, or that the identity holds elsewhere.
const NO_SETTINGS: [&str; 9] = [
    "inputs",
    "files_from",
    "output",
    "shard",
    "restart",
    "threads",
    "quiet",
    "verbose",
    "log",
];

/// Everything the command line asks for, by the option's name. Options added later are part of it
/// by themselves.
pub fn settings(matches: &ArgMatches) -> Map<String, Value> {
    let mut settings = Map::new();
    let Some((name, matches)) = matches.subcommand() else {
        return settings;
    };
    settings.insert("command".into(), name.into());
    let mut cli = Cli::command();
    cli.build();
    let command = cli.find_subcommand(name);
    let arguments = command.into_iter().flat_map(clap::Command::get_arguments);
    for argument in arguments {
        let id = argument.get_id().as_str();
        let given = matches.try_get_raw(id).ok().flatten();
        let asked = matches.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
        let (Some(values), true) = (given, asked && !NO_SETTINGS.contains(&id)) else {
            continue;
        };
        let values: Vec<Value> = values
            .map(|value| value.to_string_lossy().into_owned().into())
            .collect();
        let name = argument
            .get_long()
            .map_or(id.to_owned(), |long| format!("--{long}"));
        settings.insert(name, values.into());
    }
    settings
}

/// What an option stands for, or its default: which models, and how they are computed.
pub fn facts(run: &Run) -> Map<String, Value> {
    let mut facts = Map::new();
    let tagger = run.finder.tagger();
    let finder = tagger.map_or("rules-only", |tagger| tagger.model().name());
    facts.insert("finder".into(), finder.into());
    if let Some(tagger) = tagger {
        let engine = tagger.model().encoder().description();
        facts.insert("finder_engine".into(), engine.into());
    }
    if let Some(labelling) = &run.labelling {
        let classifier = &labelling.classifier;
        facts.insert("model".into(), classifier.model_name().into());
        facts.insert("engine".into(), classifier.engine().into());
        // The file of targets and the model's config.json may change while a run stands still.
        let names = labelling.targets.iter().map(|target| target.name().into());
        facts.insert("targets".into(), Value::Array(names.collect()));
        if let Some(threshold) = labelling.min_confidence {
            facts.insert("threshold".into(), threshold.into());
        }
    }
    facts
}

/// With `--verbose`: which models a run has.
pub fn tell_models(run: &Run, common: &CommonArgs) {
    if let Some(tagger) = run.finder.tagger() {
        common.tell_model("tagger", tagger.model());
    }
    if let Some(labelling) = &run.labelling {
        common.tell_model("model", labelling.classifier.model());
    }
}

/// One run, as the command line asks for it.
pub struct CorpusRun<'a> {
    pub run: &'a Run,
    pub pool: &'a ThreadPool,
    /// Nothing has been read of them but what columns they have.
    pub articles: Articles,
    pub input: &'a InputArgs,
    pub output: &'a OutputArgs,
    pub corpus: &'a CorpusArgs,
    pub common: &'a CommonArgs,
    pub settings: Map<String, Value>,
}

impl CorpusRun<'_> {
    pub fn run(mut self) -> Result<(), Stop> {
        if let Some(shard) = self.corpus.shard {
            self.articles.only(move |id| shard.has(id));
        }
        let signals = Signals::catch().context("signals cannot be caught")?;
        tell_models(self.run, self.common);
        match &self.output.output {
            Some(path) if !is_stdout(Some(path)) => self.into_file(OutputFiles::of(path), &signals),
            _ => self.into_stdout(&signals),
        }
    }

    fn into_stdout(mut self, signals: &Signals) -> Result<(), Stop> {
        let needs_file = |what: &str| anyhow!("{what}: name the file to write with --output");
        if self.corpus.are_duplicates_found() {
            let message = "copies are counted when all articles are read, and standard output cannot wait for that";
            return Err(needs_file(message).into());
        }
        if self.corpus.shard.is_some() {
            return Err(needs_file("a shard is merged by the files beside its output").into());
        }
        let mut sink = Stdout(Output::new(Sink::stdout(), self.run.output.clone())?.finish()?);
        let mut progress = Progress::new(self.common.quiet);
        let course = Course {
            articles: &mut self.articles,
            sink: &mut sink,
            observer: &mut progress,
            index: DuplicateIndex::new(),
            done: Summary::default(),
            stop: signals.stop(),
        };
        let done = self.run.run(self.pool, course);
        progress.finish();
        let summary = done?;
        sink.0
            .finish()
            .context("standard output cannot be written")?;
        progress.summarise(&summary);
        if summary.stopped {
            return Err(Stop::Signal(signals.exit_code()));
        }
        finished(summary.articles, summary.failed)
    }

    fn into_file(mut self, files: OutputFiles, signals: &Signals) -> Result<(), Stop> {
        let started = SystemTime::now();
        let mut progress = Progress::new(self.common.quiet);
        let mut settings = std::mem::take(&mut self.settings);
        settings.extend(facts(self.run));
        let engine = (self.run.labelling.as_ref())
            .map_or_else(String::new, |labelling| labelling.classifier.engine());
        let identity = Identity {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            settings,
            inputs: identity::inputs(
                &self.input.given(),
                self.input.input_format.is_some(),
                files.out(),
            )?,
            shard: self.corpus.shard,
        };
        let header = Output::new(Vec::new(), self.run.output.clone())?.finish()?;
        let mut corpus = Corpus::begin(files.clone(), &identity, &header, self.corpus.restart)?;
        if corpus.is_resumed() {
            progress.say(&format!(
                "going on with an interrupted run: {} articles are done",
                corpus.summary().articles
            ));
        }
        let mut summary = corpus.summary().clone();
        if !corpus.is_read() {
            let articles = &mut self.articles;
            articles.skip_to(corpus.next_document());
            let course = Course {
                articles: &mut *articles,
                index: corpus.take_index(),
                done: summary,
                sink: &mut corpus,
                observer: &mut progress,
                stop: signals.stop(),
            };
            let done = self.run.run(self.pool, course);
            progress.finish();
            summary = done?;
            if summary.stopped {
                corpus.sync()?;
                progress.say(&format!(
                    "stopped after {} articles; the same command goes on from there",
                    summary.articles
                ));
                return Err(Stop::Signal(signals.exit_code()));
            }
            corpus.end(Articles::position(articles))?;
        }
        let rows = RowsOptions {
            output: self.run.output.clone(),
            duplicates: self.corpus.duplicates(),
        };
        let about = about(started, self.pool.current_num_threads(), engine)?;
        corpus.finish(&identity, &rows, &about)?;
        progress.summarise(&summary);
        if summary.failed > 0 {
            progress.say(&format!("their errors are in {}", files.errors().display()));
            // Of a small shard all documents may have failed, and the whole is none the worse.
            if self.corpus.shard.is_some() {
                return Err(Stop::SomeFailed);
            }
        }
        finished(summary.articles, summary.failed)
    }
}

/// What the manifest tells of this process.
pub fn about(started: SystemTime, threads: usize, engine: String) -> anyhow::Result<About> {
    let command = std::env::args_os().skip(1);
    Ok(About {
        command: command
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        folder: std::env::current_dir().context("the current folder is gone")?,
        started,
        threads,
        engine,
    })
}

/// Rows as they come, without a journal.
struct Stdout(Sink);

impl quotestance::pipeline::Sink for Stdout {
    fn put(&mut self, document: &Document) -> quotestance::Result<()> {
        use std::io::Write;
        let Ok(piece) = &document.outcome else {
            return Ok(());
        };
        self.0.write_all(&piece.rows).map_err(|error| {
            quotestance::Error::new(
                quotestance::ErrorKind::Io,
                "standard output cannot be written",
            )
            .because(error)
        })
    }
}
