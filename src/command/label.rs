//! `quotestance label`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use quotestance::article::{ID_COLUMNS, TEXT_COLUMNS};
use quotestance::output::{OutputFormat, guarded, real, write_csv};
use quotestance::pipeline::{Observer, Summary};
use quotestance::prediction::Distribution;
use quotestance::table::{Row, Table, TableFormat, TableOptions};
use quotestance::{Classifier, Error, ErrorKind, Target, Task};

use super::progress::Progress;
use super::{CommonArgs, ModelArgs, OutputArgs, Sink, Stop, finished};

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
    #[arg(long, value_name = "COL", conflicts_with = "target")]
    target_column: Option<String>,
    /// One target for all rows
    #[arg(long, value_name = "T")]
    target: Option<String>,
    /// What to label [default: the row's own, if there is a column task, else stance]
    #[arg(long)]
    task: Option<TaskArg>,
    #[command(flatten)]
    output: OutputArgs,
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

/// Rows in flight at most.
const CHUNK_ROWS: usize = 2048;

impl LabelArgs {
    pub fn run(self) -> Result<(), Stop> {
        if let Some(target) = &self.target {
            Target::new(target, [])?;
        }
        if self.output.format()? == OutputFormat::Parquet {
            return Err(anyhow!("label writes .csv and .jsonl").into());
        }
        let format = TableFormat::of(&self.pairs).ok_or_else(|| {
            anyhow!(
                "{}: expected a table ending in .csv, .tsv, .jsonl or .parquet, plain or with .gz or .zst",
                self.pairs.display()
            )
        })?;
        let mut table = Table::open(&self.pairs, format, &TableOptions::default())?;
        let columns = self.columns(&table)?;
        let classifier = self.model.load()?;
        if self.common.verbose {
            let (model, engine) = (classifier.model_name(), classifier.engine());
            say!("model: {model}, {engine}");
        }
        let mut labels =
            LabelOutput::new(self.output.open()?, &self.output, &self.tasks(&columns))?;
        let pool = self.common.pool()?;
        let mut progress = Progress::new(self.common.quiet, self.common.log);
        let mut summary = Summary::default();
        loop {
            let mut pairs = Vec::new();
            let rows = table.by_ref().take(CHUNK_ROWS);
            let mut read = 0;
            for row in rows {
                read += 1;
                match row.and_then(|row| self.pair(&row, &columns)) {
                    Ok(pair) => pairs.push(pair),
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
            summary.articles += pairs.len() as u64;
            if read < CHUNK_ROWS {
                break;
            }
        }
        progress.finish();
        labels.out.finish()?;
        if summary.failed > 0 {
            say!("{} rows failed; they are named above", summary.failed);
        }
        finished(summary.articles, summary.failed)
    }

    fn columns(&self, table: &Table) -> anyhow::Result<Columns> {
        let text = table
            .column(self.text.as_deref(), &TEXT_COLUMNS)?
            .ok_or_else(|| {
                table
                    .no_column(TEXT_COLUMNS[0])
                    .hint("name the column with the texts with --text")
            })?;
        let id = table.column(self.id_column.as_deref(), &ID_COLUMNS)?;
        let target = match self.target {
            Some(_) => None,
            None => table.column(self.target_column.as_deref(), &["target"])?,
        };
        let stance = self.task.is_none_or(|task| task.task() != Task::Sentiment);
        if stance && target.is_none() && self.target.is_none() {
            return Err(
                Error::new(ErrorKind::Option, "no target to hold the texts against")
                    .at(&self.pairs)
                    .hint("name one with --target, or its column with --target-column"),
            )
            .context("cannot label");
        }
        let task = match self.task {
            Some(_) => None,
            None => table.column(None, &["task"])?,
        };
        if !self.common.quiet && self.text.is_none() {
            say!("note: reading column {text:?} as text");
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

    fn pair(&self, row: &Row, columns: &Columns) -> quotestance::Result<Pair> {
        let failed = |kind, message: String, column: &str| {
            Error::new(kind, message)
                .at(&self.pairs)
                .at_row(row.at)
                .at_column(column)
        };
        let text = row
            .get(&columns.text)
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
        let own = columns.target.as_deref().and_then(|column| row.get(column));
        let target = self.target.as_deref().or(own).unwrap_or_default().trim();
        if target.is_empty() && task != Task::Sentiment {
            let column = columns.target.as_deref().unwrap_or("target");
            return Err(failed(
                ErrorKind::Empty,
                "no target in this row".into(),
                column,
            ));
        }
        let id = columns.id.as_deref().and_then(|column| row.get(column));
        Ok(Pair {
            id: id.map_or_else(|| row.at.number().to_string(), str::to_owned),
            text: text.to_owned(),
            target: target.to_owned(),
            task,
        })
    }
}

fn label(classifier: &Classifier, pairs: &[Pair]) -> quotestance::Result<Vec<Distribution>> {
    let texts: Vec<(&str, &str)> = pairs
        .iter()
        .map(|pair| (pair.text.as_str(), pair.target.as_str()))
        .collect();
    let scores = classifier.score(&texts)?;
    let scored = pairs.iter().zip(&scores);
    scored
        .map(|(pair, score)| classifier.distribution(score, pair.task))
        .collect()
}

struct LabelOutput {
    out: Sink,
    /// The labels that have a column each, named after them; `None` for JSONL.
    columns: Option<Vec<&'static str>>,
    formula_guard: bool,
}

impl LabelOutput {
    /// Writes a CSV's header: a column for every label of these tasks.
    fn new(mut out: Sink, args: &OutputArgs, tasks: &[Task]) -> anyhow::Result<LabelOutput> {
        let mut columns = Vec::new();
        for label in tasks.iter().flat_map(|task| task.labels()) {
            if !columns.contains(&label) {
                columns.push(label);
            }
        }
        let columns = (args.format()? == OutputFormat::Csv).then_some(columns);
        if let Some(columns) = &columns {
            write_csv(&mut out, ["id", "label"].iter().chain(columns))?;
        }
        Ok(LabelOutput {
            out,
            columns,
            formula_guard: !args.no_formula_guard,
        })
    }

    fn write(&mut self, pair: &Pair, distribution: &Distribution) -> anyhow::Result<()> {
        let label = pair.task.labels()[distribution.top()];
        if let Some(columns) = &self.columns {
            let id = if self.formula_guard {
                guarded(&pair.id)
            } else {
                pair.id.clone()
            };
            let (labels, probabilities) = (pair.task.labels(), distribution.probabilities());
            // A label of another task is missing, not improbable.
            let cells = columns.iter().map(|column| {
                let index = labels.iter().position(|label| label == column);
                index.map_or_else(String::new, |index| real(probabilities[index]).to_string())
            });
            write_csv(
                &mut self.out,
                [id, label.to_owned()].into_iter().chain(cells),
            )?;
            return Ok(());
        }
        let object = serde_json::json!({
            "id": pair.id, "label": label, "probs": distribution.to_json(pair.task),
        });
        writeln!(self.out, "{object}")?;
        Ok(())
    }
}
