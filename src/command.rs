//! The commands of the binary, one module each, and what they share: options, messages, exit codes.

mod adapt;
mod bench;
mod corpus;
mod evaluate;
mod label;
mod log;
mod merge;
mod progress;
mod run;
mod signals;
mod targets;
mod verify;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use quotestance::article::metadata::MetadataColumns;
use quotestance::article::source::Given;
use quotestance::article::{Articles, InputFormat, ReadOptions};
use quotestance::encoder::{Device, Engine, EngineOptions, Isa, Precision};
use quotestance::input::Limits;
use quotestance::input::encoding::of_label;
use quotestance::output::{OutputFormat, OutputOptions};
use quotestance::table::{TableFormat, TableOptions};
use quotestance::{Classifier, Error, ErrorKind, Model};

use log::LogForm;

const EXAMPLES: &str = "\
Examples:
  Who said what in an article, and is it for or against the contract?
    quotestance run article.txt --target \"Microsoft's contract with ICE\" -o quotes.csv
  A folder of articles, and two names for one target:
    quotestance run articles/ --target \"the airport's expansion\" --alias \"a third runway\" -o out.csv
  A table of articles with columns of its own:
    quotestance run news.csv --text-column body --id-column url --target \"the merger\" -o out.jsonl
  Only the quotes and their speakers:
    quotestance quotes articles/ -o quotes.jsonl
  Stance of texts you already have:
    quotestance label pairs.csv --text comment --target \"the school tax\" -o labels.csv
  Many targets, and only the stances that are at least 70 % sure:
    quotestance run articles/ --targets targets.txt --min-confidence 0.7 -o out.csv
  How good are the labels, where the right ones are known?
    quotestance evaluate --task stance gold.csv labels.csv";

const EXIT_CODES: &str = "\
Exit codes: 0 all done; 1 verify has found differences; 2 an error, nothing or not all was done; 3 done, but some documents failed
(each is named on stderr; by run, quotes and merge in OUT.errors.jsonl too); 4 adapt: no gain, nothing written; 130 or 143 stopped by Ctrl-C or SIGTERM, to be gone
on with by the same command.";

#[derive(Parser)]
#[command(name = "quotestance", version, about, before_help = EXAMPLES, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find quotes and speakers, and label each quote's stance toward a target and its sentiment
    Run(run::RunArgs),
    /// Find quotes and speakers only
    Quotes(run::QuotesArgs),
    /// Label the stance or sentiment of texts toward targets, both given in a table
    Label(label::LabelArgs),
    /// Make a better stance head for your target from 30 to 2,000 texts that you have labelled
    Adapt(adapt::AdaptArgs),
    /// Hold predictions against gold labels or quotes: figures, intervals, confusion table
    Evaluate(evaluate::EvaluateArgs),
    /// Put the outputs of all shards together
    Merge(merge::MergeArgs),
    /// Work a sample of an output's articles out anew, and tell what differs
    Verify(verify::VerifyArgs),
    /// Measure how fast the model runs on this machine; takes less than half a minute
    Bench(bench::BenchArgs),
}

/// Where to write.
#[derive(Args)]
struct OutputArgs {
    /// The file to write; its ending picks the format: .csv, .jsonl, .parquet (a row a quote), or
    /// .articles.jsonl (an article a line). Default, or -: CSV on standard output
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// The format, whatever the file's ending
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatArg>,
    #[command(flatten)]
    csv: CsvArgs,
}

/// How CSV is written.
#[derive(Args)]
struct CsvArgs {
    /// Write text that looks like a formula as it is, for machines; without this it gets a
    /// leading ' in CSV, so that no spreadsheet runs it
    #[arg(long)]
    no_formula_guard: bool,
    /// Begin a CSV with a byte order mark, by which Excel knows that it is UTF-8
    #[arg(long)]
    bom: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    Csv,
    Jsonl,
    #[value(name = "articles.jsonl")]
    ArticlesJsonl,
    Parquet,
}

/// What to read.
#[derive(Args)]
struct InputArgs {
    /// Files (.txt, .md, .html, .csv, .tsv, .jsonl, .parquet, plain or with .gz or .zst), folders of
    /// them, patterns such as "news/2024-*/*.html", or - for standard input
    #[arg(required_unless_present = "files_from", value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Read the files that LIST names, one a line; - for standard input
    #[arg(long, value_name = "LIST")]
    files_from: Option<PathBuf>,
    /// The column with the article's text, in tables [default: text, article, body, …]
    #[arg(long, value_name = "COL")]
    text_column: Option<String>,
    /// The column with the article's id, in tables [default: id, article_id, …, else file and line]
    #[arg(long, value_name = "COL")]
    id_column: Option<String>,
    /// Carry these columns of the tables to the output, as they are; date, outlet, title and url
    /// are carried where a column's name says that it is that
    #[arg(long, value_name = "COLS", value_delimiter = ',')]
    keep: Vec<String>,
    /// What the inputs are [default: by their endings]
    #[arg(long, value_name = "FORMAT")]
    input_format: Option<InputFormatArg>,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// How files are turned into text.
#[derive(Args)]
struct ReadingArgs {
    /// What texts are encoded in, such as windows-1252 [default: UTF-8, else as each looks; the
    /// output says so]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// The largest document to read, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    max_document: u64,
    /// How many bytes a compressed file may give for each of its own, before it is refused as a
    /// decompression bomb
    #[arg(long, value_name = "N", default_value_t = 200)]
    max_ratio: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum InputFormatArg {
    Text,
    Html,
    Csv,
    Tsv,
    Jsonl,
    Parquet,
}

/// How much to say, and how many threads to use.
#[derive(Args)]
struct CommonArgs {
    /// Threads to use [default: one a core]. The output is the same with any number
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
    /// Say which models run, and how they are computed
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    /// How lines on standard error are written: for people, or one JSON object each
    #[arg(long, value_name = "FORM", default_value = "text")]
    log: LogForm,
}

/// Which model, and how it runs.
#[derive(Args)]
struct ModelArgs {
    /// A folder with config.json, tokenizer.json and model.safetensors [default: the built-in model]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
}

/// How models are computed: the stance model and the quote tagger alike.
#[derive(Args)]
struct EngineArgs {
    /// What computes: native, reference (plain f32, slow, to check the other by), or libtorch (in
    /// builds with it)
    #[arg(long, value_name = "ENGINE", default_value_t)]
    engine: Engine,
    /// Where the libtorch engine runs: cpu, cuda:0, cuda:1, …
    #[arg(long, value_name = "DEVICE", default_value_t)]
    device: Device,
    /// How weights are held and multiplied: auto (the fastest that labels as f32 does: int16, or
    /// f32 with --isa portable), int8 (faster where the processor has VNNI, but about 1 label in
    /// 100 differs from f32), int16, bf16 (for processors with AVX-512 BF16), f32
    #[arg(long, value_name = "PRECISION", default_value_t)]
    precision: Precision,
    /// The instruction set: auto (the best here), avx512, avx2, portable
    #[arg(long, value_name = "ISA", default_value_t)]
    isa: Isa,
}

/// Runs the command given; the exit code is in the help.
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Some((_, matches)) = matches.subcommand() {
        let form = matches.try_get_one("log").ok().flatten();
        log::set_form(form.copied().unwrap_or(LogForm::Text));
    }
    let settings = corpus::settings(&matches);
    let done = match cli.command {
        Command::Run(args) => args.run(settings),
        Command::Quotes(args) => args.run(settings),
        Command::Label(args) => args.run(),
        Command::Adapt(args) => args.run(),
        Command::Evaluate(args) => args.run(),
        Command::Merge(args) => args.run(),
        Command::Verify(args) => args.run(),
        Command::Bench(args) => args.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::SomeFailed) => ExitCode::from(3),
        Err(Stop::Differs) => ExitCode::from(1),
        Err(Stop::NoGain) => {
            log::error(
                "no gain beyond noise over the shipped head (the interval reaches 0): nothing is written",
                Some("label more rows, or go on with the shipped model"),
            );
            ExitCode::from(4)
        }
        Err(Stop::Signal(code)) => ExitCode::from(code),
        Err(Stop::Error(error)) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(Stop::Error(error)) => {
            report(&error);
            ExitCode::from(2)
        }
    }
}

/// Why a command did not end with 0.
enum Stop {
    /// It finished, but some documents failed; they have been named.
    SomeFailed,
    /// What was verified differs; it has been told how.
    Differs,
    /// What was to be made better was not.
    NoGain,
    /// A signal has ended it; this is its exit code.
    Signal(u8),
    /// It could not finish.
    Error(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::Error(error.into())
    }
}

/// The end of a run over documents of which some may have failed.
fn finished(done: u64, failed: u64) -> Result<(), Stop> {
    match (done, failed) {
        (_, 0) => Ok(()),
        (0, failed) => Err(anyhow!("nothing could be read: all {failed} documents failed").into()),
        _ => Err(Stop::SomeFailed),
    }
}

fn report(error: &anyhow::Error) {
    let hint = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Error>()?.way_out());
    log::error(&format!("{error:#}"), hint);
}

/// A reader such as `head` that has seen enough is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

impl CommonArgs {
    /// With `--verbose`: which model runs, and how it is computed.
    fn tell_model(&self, what: &str, model: &Model) {
        if self.verbose {
            let how = model.encoder().description();
            log::info(&format!("{what}: {}, {how}", model.name()));
        }
    }

    /// As many threads as asked for.
    fn pool(&self) -> anyhow::Result<rayon::ThreadPool> {
        if self.threads == Some(0) {
            return Err(anyhow!("--threads 0: expected at least one thread"));
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads.unwrap_or(0))
            .build()
            .context("cannot start the threads")
    }
}

impl InputArgs {
    fn articles(&self) -> anyhow::Result<Articles> {
        Ok(Articles::new(self.given(), self.read_options()?))
    }

    fn given(&self) -> Vec<Given> {
        let list = self.files_from.iter().cloned().map(Given::List);
        let inputs = self.inputs.iter().cloned().map(Given::Path);
        inputs.chain(list).collect()
    }

    fn read_options(&self) -> quotestance::Result<ReadOptions> {
        let TableOptions { encoding, limits } = self.reading.table_options()?;
        Ok(ReadOptions {
            format: self.input_format.map(|format| match format {
                InputFormatArg::Text => InputFormat::Text,
                InputFormatArg::Html => InputFormat::Html,
                InputFormatArg::Csv => InputFormat::Table(TableFormat::Csv),
                InputFormatArg::Tsv => InputFormat::Table(TableFormat::Tsv),
                InputFormatArg::Jsonl => InputFormat::Table(TableFormat::Jsonl),
                InputFormatArg::Parquet => InputFormat::Table(TableFormat::Parquet),
            }),
            text_column: self.text_column.clone(),
            id_column: self.id_column.clone(),
            keep: self.keep.clone(),
            encoding,
            limits,
        })
    }
}

impl ReadingArgs {
    fn table_options(&self) -> quotestance::Result<TableOptions> {
        let encoding = self.encoding.as_ref().map(|label| {
            of_label(label).ok_or_else(|| {
                Error::new(ErrorKind::Option, format!("--encoding {label}: no such encoding, expected a name such as utf-8, windows-1252, iso-8859-2 or gbk"))
            })
        });
        Ok(TableOptions {
            encoding: encoding.transpose()?,
            limits: Limits {
                max_document_bytes: self.max_document.saturating_mul(1 << 20),
                max_ratio: self.max_ratio,
                ..Limits::default()
            },
        })
    }
}

impl ModelArgs {
    fn load(&self) -> anyhow::Result<Classifier> {
        Ok(Classifier::new(self.open(&self.engine.options())?)?)
    }

    /// The model without its heads.
    fn open(&self, options: &EngineOptions) -> quotestance::Result<Model> {
        match &self.model {
            Some(folder) => Model::open(folder, options),
            None => Model::embedded(options),
        }
    }
}

impl EngineArgs {
    fn options(&self) -> EngineOptions {
        EngineOptions {
            engine: self.engine,
            device: self.device,
            precision: self.precision,
            isa: self.isa,
            // The commands bring their own pool.
            threads: 0,
        }
    }
}

impl OutputArgs {
    fn format(&self) -> anyhow::Result<OutputFormat> {
        let by_ending = |path: &PathBuf| {
            OutputFormat::of(&path.to_string_lossy()).ok_or_else(|| {
                anyhow!(
                    "{}: its ending is no format, expected .csv, .jsonl, .parquet or .articles.jsonl; or say --format",
                    path.display()
                )
            })
        };
        match (self.format, &self.output) {
            (Some(FormatArg::Csv), _) | (None, None) => Ok(OutputFormat::Csv),
            (Some(FormatArg::Jsonl), _) => Ok(OutputFormat::Jsonl),
            (Some(FormatArg::ArticlesJsonl), _) => Ok(OutputFormat::ArticlesJsonl),
            (Some(FormatArg::Parquet), path) if is_stdout(path.as_deref()) => Err(anyhow!(
                "Parquet goes to a file: name one with -o OUT.parquet"
            )),
            (Some(FormatArg::Parquet), _) => Ok(OutputFormat::Parquet),
            (None, Some(path)) if is_stdout(Some(path)) => Ok(OutputFormat::Csv),
            (None, Some(path)) => by_ending(path),
        }
    }

    fn options(
        &self,
        predictions: bool,
        abstention: bool,
        offsets: bool,
        metadata: MetadataColumns,
        copies: bool,
    ) -> anyhow::Result<OutputOptions> {
        Ok(OutputOptions {
            format: self.format()?,
            predictions,
            abstention,
            offsets,
            formula_guard: !self.csv.no_formula_guard,
            bom: self.csv.bom,
            metadata,
            copies,
        })
    }
}

/// Whether an output is standard output: not named, or `-`.
fn is_stdout(path: Option<&Path>) -> bool {
    path.is_none_or(|path| path.as_os_str() == "-")
}

/// Standard output, or a file that is written beside its name and gets it when whole.
enum Sink {
    Stdout(BufWriter<io::Stdout>),
    File {
        writer: BufWriter<File>,
        path: PathBuf,
        partial: PathBuf,
    },
}

impl Sink {
    fn open(path: Option<&Path>) -> anyhow::Result<Sink> {
        let Some(path) = path.filter(|path| !is_stdout(Some(path))) else {
            return Ok(Sink::stdout());
        };
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial)
            .with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(Sink::File {
            writer: BufWriter::new(file),
            path: path.to_owned(),
            partial,
        })
    }

    fn stdout() -> Sink {
        Sink::Stdout(BufWriter::new(io::stdout()))
    }

    /// Makes the output whole. Until then its rows stand in the file ending in `.partial`.
    fn finish(self) -> anyhow::Result<()> {
        match self {
            Sink::Stdout(mut writer) => Ok(writer.flush()?),
            Sink::File {
                mut writer,
                path,
                partial,
            } => {
                writer.flush()?;
                writer.get_ref().sync_all()?;
                std::fs::rename(&partial, &path).with_context(|| {
                    format!(
                        "{}: cannot be renamed to {}",
                        partial.display(),
                        path.display()
                    )
                })
            }
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Stdout(writer) => writer.write(bytes),
            Sink::File { writer, .. } => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Stdout(writer) => writer.flush(),
            Sink::File { writer, .. } => writer.flush(),
        }
    }
}
