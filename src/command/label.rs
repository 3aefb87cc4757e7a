//! `quotestance label`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use quotestance::article::{ID_COLUMNS, TEXT_COLUMNS};
use quotestance::corpus::identity::refuse_same;
use quotestance::number::real;
use quotestance::output::{BYTE_ORDER_MARK, OutputFormat, guarded, write_csv};
use quotestance::pipeline::{Observer, Summary};
use quotestance::prediction::Distribution;
use quotestance::table::{Row, Table, TableFormat};
use quotestance::{Classifier, Error, ErrorKind, Task};

use super::progress::Progress;
use super::targets::{AbstentionArgs, TargetArgs};
use super::{CommonArgs, CsvArgs, ModelArgs, ReadingArgs, Sink, Stop, finished, is_stdout, log};

#[derive(Args)]
pub struct LabelArgs {
    /// A table (.csv, .tsv, .jsonl or .parquet, plain or with .gz or .zst) of texts, and of targets if each row has its own
    #[arg(value_name = "PAIRS")]
    pairs: PathBuf,
    /// The column with the texts [default: text, …]
    #[arg(long, value_name = "COL")]
    text: Option<String>,
    /// The column with the ids [default: id, …, else the line]
    #[arg(long, value_name = "COL")]
    id_column: Option<String>,
    /// The column with each row's target [default: target, if there is one]
    #[arg(long, value_name = "COL", conflicts_with_all = ["target", "targets", "hypothesis"])]
    target_column: Option<String>,
    /// Targets of all rows, whatever the table says
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    abstention: AbstentionArgs,
    /// What to label [default: the row's own, if there is a column task, else stance]
    #[arg(long)]
    task: Option<TaskArg>,
    /// The file to write, .csv or .jsonl. Default, or -: CSV on standard output
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// The format, whatever the file's ending
    #[arg(long, value_name = "FORMAT")]
    format: Option<LabelFormat>,
    #[command(flatten)]
    csv: CsvArgs,
    #[command(flatten)]
    reading: ReadingArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum TaskArg {
    Stance,
    Sentiment,
    Nli,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum LabelFormat {
    Csv,
    Jsonl,
}

impl TaskArg {
    fn task(self) -> Task {
        match self {
            TaskArg::Stance => Task::Stance,
            TaskArg::Sentiment => Task::Sentiment,
            TaskArg::Nli => Task::Nli,
        }
    }
}

/// One text to label.
struct Pair {
    id: String,
    text: String,
    target: String,
    task: Task,
}

/// Which columns to read.
struct Columns {
    text: String,
    id: Option<String>,
    target: Option<String>,
    task: Option<String>,
}

/// Pairs of text and target in flight, but for a row with more targets than that.
const CHUNK_PAIRS: usize = 2048;

impl LabelArgs {
    pub fn run(self) -> Result<(), Stop> {
        let targets = self.targets.names()?;
        let label_format = self.format()?;
        let format = TableFormat::of(&self.pairs).ok_or_else(|| {
            anyhow!(
                "{}: expected a table ending in .csv, .tsv, .jsonl or .parquet, plain or with .gz or .zst",
                self.pairs.display()
            )
        })?;
        if let Some(out) = &self.output {
            refuse_same(&self.pairs, out)?;
        }
        let mut table = Table::open(&self.pairs, format, &self.reading.table_options()?)?;
        let columns = self.columns(&table, targets.is_empty())?;
        let pool = self.common.pool()?;
        let classifier = pool.install(|| self.model.load())?;
        for target in &targets {
            classifier.check_target(target)?;
        }
        self.common.tell_model("model", classifier.model());
        let thresholds = self.thresholds(&classifier, &self.tasks(&columns))?;
        let mut labels = LabelOutput::new(
            Sink::open(self.output.as_deref())?,
            label_format,
            &self.csv,
            thresholds,
            self.targets.are_several(),
        )?;
        let chunk_rows = (CHUNK_PAIRS / targets.len().max(1)).max(1);
        let mut progress = Progress::new(self.common.quiet);
        let mut summary = Summary::default();
        loop {
            let mut pairs = Vec::new();
            let rows = table.by_ref().take(chunk_rows);
            let mut read = 0;
            for row in rows {
                read += 1;
                match row.and_then(|row| self.pairs(&row, &columns, &targets, &classifier)) {
                    Ok(of_row) => {
                        summary.articles += 1;
                        pairs.extend(of_row);
                    }
                    Err(error) => {
                        summary.failed += 1;
                        progress.failure(&error);
                    }
                }
            }
            let distributions = pool.install(|| label(&classifier, &pairs))?;
            for (pair, distribution) in pairs.iter().zip(&distributions) {
                labels.write(pair, distribution)?;
            }
            if read < chunk_rows {
                break;
            }
        }
        progress.finish();
        labels.out.finish()?;
        if summary.failed > 0 {
            log::info(&format!(
                "{} rows failed; they are named above",
                summary.failed
            ));
        }
        finished(summary.articles, summary.failed)
    }

    fn format(&self) -> anyhow::Result<LabelFormat> {
        let path = self.output.as_deref();
        match (self.format, path) {
            (Some(format), _) => Ok(format),
            (None, Some(path)) if !is_stdout(Some(path)) => {
                match OutputFormat::of(&path.to_string_lossy()) {
                    Some(OutputFormat::Csv) => Ok(LabelFormat::Csv),
                    Some(OutputFormat::Jsonl) => Ok(LabelFormat::Jsonl),
                    _ => Err(anyhow!(
                        "{}: label writes .csv and .jsonl; or say --format",
                        path.display()
                    )),
                }
            }
            (None, _) => Ok(LabelFormat::Csv),
        }
    }

    fn columns(&self, table: &Table, own_targets: bool) -> anyhow::Result<Columns> {
        let text = table
            .column(self.text.as_deref(), &TEXT_COLUMNS)?
            .ok_or_else(|| {
                table
                    .no_column(TEXT_COLUMNS[0])
                    .hint("name the column with the texts with --text")
            })?;
        let id = table.column(self.id_column.as_deref(), &ID_COLUMNS)?;
        let target = match own_targets {
            false => None,
            true => table.column(self.target_column.as_deref(), &["target"])?,
        };
        let stance = self.task.is_none_or(|task| task.task() != Task::Sentiment);
        if stance && target.is_none() && own_targets {
            return Err(
                Error::new(ErrorKind::Option, "no target to hold the texts against")
                    .at(&self.pairs)
                    .hint("name one with --target, several with --targets, or their column with --target-column"),
            )
            .context("cannot label");
        }
        let task = match self.task {
            Some(_) => None,
            None => table.column(None, &["task"])?,
        };
        if !self.common.quiet && self.text.is_none() {
            log::note(&format!("reading column {text:?} as text"));
        }
        Ok(Columns {
            text,
            id,
            target,
            task,
        })
    }

    /// What rows may be labelled with.
    fn tasks(&self, columns: &Columns) -> Vec<Task> {
        match (self.task, &columns.task) {
            (Some(task), _) => vec![task.task()],
            (None, Some(_)) => vec![Task::Stance, Task::Sentiment, Task::Nli],
            (None, None) => vec![Task::Stance],
        }
    }

    /// One for each task, at least one of which has a threshold where one is asked for.
    fn thresholds(
        &self,
        classifier: &Classifier,
        tasks: &[Task],
    ) -> anyhow::Result<Vec<(Task, Threshold)>> {
        let (mut thresholds, mut refused) = (Vec::new(), Vec::new());
        for &task in tasks {
            let threshold = match self.abstention.threshold(classifier, task) {
                Ok(None) => Threshold::NotAsked,
                Ok(Some(least)) => Threshold::Least(least),
                Err(error) => {
                    let reason = format!("{error:#}");
                    refused.push(error);
                    Threshold::Refused(Some(reason))
                }
            };
            thresholds.push((task, threshold));
        }
        match refused.len() == tasks.len() {
            true => Err(refused.swap_remove(0)),
            false => Ok(thresholds),
        }
    }

    /// The row's text with its own target, or with each of `targets`.
    fn pairs(
        &self,
        row: &Row,
        columns: &Columns,
        targets: &[String],
        classifier: &Classifier,
    ) -> quotestance::Result<Vec<Pair>> {
        let at =
            |error: Error, column: &str| error.at(&self.pairs).at_row(row.at).at_column(column);
        let failed = |kind, message: String, column: &str| at(Error::new(kind, message), column);
        let text = row
            .text(&columns.text)
            .map_err(|error| at(error, &columns.text))?
            .filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| {
            failed(
                ErrorKind::Empty,
                "no text in this row".into(),
                &columns.text,
            )
        })?;
        let task = match columns.task.as_deref() {
            None => self.task.map_or(Task::Stance, TaskArg::task),
            Some(column) => {
                let name = row.get(column).unwrap_or("stance");
                Task::named(name).ok_or_else(|| {
                    let message =
                        format!("unknown task {name:?}, expected stance, sentiment, tsc or nli");
                    failed(ErrorKind::Format, message, column)
                })?
            }
        };
        let column = columns.target.as_deref().unwrap_or("target");
        let own = match &columns.target {
            Some(column) => row.text(column).map_err(|error| at(error, column))?,
            None => None,
        };
        let own = [own.unwrap_or_default().trim().to_owned()];
        classifier
            .check_target(&own[0])
            .map_err(|error| at(error, column))?;
        let targets = if targets.is_empty() {
            &own[..]
        } else {
            targets
        };
        if targets[0].is_empty() && task != Task::Sentiment {
            return Err(failed(
                ErrorKind::Empty,
                "no target in this row".into(),
                column,
            ));
        }
        let id = columns.id.as_deref().and_then(|column| row.get(column));
        let pairs = targets.iter().map(|target| Pair {
            id: id.map_or_else(|| row.at.number().to_string(), str::to_owned),
            text: text.to_owned(),
            target: target.clone(),
            task,
        });
        Ok(pairs.collect())
    }
}

fn label(classifier: &Classifier, pairs: &[Pair]) -> quotestance::Result<Vec<Distribution>> {
    let asked = pairs.iter();
    let asked = asked.map(|pair| (pair.text.as_str(), pair.target.as_str(), pair.task));
    classifier.label(&asked.collect::<Vec<_>>())
}

/// The probability below which the model abstains from labelling for a task.
enum Threshold {
    NotAsked,
    Least(f64),
    /// There is none, so that it abstains on all rows; the reason, until the first of them has told it.
    Refused(Option<String>),
}

struct LabelOutput {
    out: Sink,
    /// The labels that have a column each, named after them; `None` for JSONL.
    columns: Option<Vec<&'static str>>,
    thresholds: Vec<(Task, Threshold)>,
    /// Whether rows say their target.
    targets: bool,
    formula_guard: bool,
}

impl LabelOutput {
    /// Writes a CSV's header: a column for every label of these tasks.
    fn new(
        mut out: Sink,
        format: LabelFormat,
        args: &CsvArgs,
        thresholds: Vec<(Task, Threshold)>,
        targets: bool,
    ) -> anyhow::Result<LabelOutput> {
        let mut columns = Vec::new();
        for label in thresholds.iter().flat_map(|(task, _)| task.labels()) {
            if !columns.contains(&label) {
                columns.push(label);
            }
        }
        let columns = (format == LabelFormat::Csv).then_some(columns);
        if let Some(columns) = &columns {
            let before: &[_] = if targets {
                &["id", "target", "label"]
            } else {
                &["id", "label"]
            };
            let asked = |(_, threshold): &_| !matches!(threshold, Threshold::NotAsked);
            let asked = thresholds.iter().any(asked);
            let after: &[_] = if asked { &["abstained"] } else { &[] };
            if args.bom {
                out.write_all(BYTE_ORDER_MARK)?;
            }
            write_csv(&mut out, before.iter().chain(columns).chain(after))?;
        }
        Ok(LabelOutput {
            out,
            columns,
            thresholds,
            targets,
            formula_guard: !args.no_formula_guard,
        })
    }

    /// Whether the model abstains; `None` where it may not.
    fn abstains(&mut self, task: Task, distribution: &Distribution) -> Option<bool> {
        let mut thresholds = self.thresholds.iter_mut();
        match &mut thresholds.find(|(known, _)| *known == task)?.1 {
            Threshold::NotAsked => None,
            Threshold::Least(least) => Some(!distribution.is_sure(*least)),
            Threshold::Refused(reason) => {
                if let Some(reason) = reason.take() {
                    log::note(&format!(
                        "no row of task {} gets a label: {reason}",
                        task.name()
                    ));
                }
                Some(true)
            }
        }
    }

    fn write(&mut self, pair: &Pair, distribution: &Distribution) -> anyhow::Result<()> {
        let abstained = self.abstains(pair.task, distribution);
        let label = pair.task.labels()[distribution.top()];
        let label = (abstained != Some(true)).then_some(label);
        if let Some(columns) = &self.columns {
            let text = |text: &str| match self.formula_guard {
                true => guarded(text),
                false => text.to_owned(),
            };
            let target = self.targets.then(|| text(&pair.target));
            let before = std::iter::once(text(&pair.id)).chain(target);
            let before = before.chain([label.unwrap_or_default().to_owned()]);
            let (labels, probabilities) = (pair.task.labels(), distribution.probabilities());
            // A label of another task is missing, not improbable.
            let cells = columns.iter().map(|column| {
                let index = labels.iter().position(|label| label == column);
                index.map_or_else(String::new, |index| real(probabilities[index]).to_string())
            });
            let abstained = abstained.map(|abstained| abstained.to_string());
            write_csv(&mut self.out, before.chain(cells).chain(abstained))?;
            return Ok(());
        }
        let mut object = serde_json::json!({
            "id": pair.id, "label": label, "probs": distribution.to_json(pair.task),
        });
        if self.targets {
            object["target"] = pair.target.as_str().into();
        }
        if let Some(abstained) = abstained {
            object["abstained"] = abstained.into();
        }
        writeln!(self.out, "{object}")?;
        Ok(())
    }
}
