//! `quotestance adapt`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use ndarray::{Array2, Axis, concatenate};
use quotestance::adaptation::{Adaptation, AdaptationReport, LabelledRows, write_adapted};
use quotestance::article::TEXT_COLUMNS;
use quotestance::evaluation::Bootstrap;
use quotestance::model::folder::ModelFolder;
use quotestance::pipeline::Observer;
use quotestance::table::{Row, Table, TableFormat};
use quotestance::{Classifier, Error, ErrorKind, Target, Task};

use super::progress::Progress;
use super::{CommonArgs, ModelArgs, ReadingArgs, Stop};

#[derive(Args)]
pub struct AdaptArgs {
    /// A table (.csv, .tsv, .jsonl or .parquet) of 30 to 2,000 texts that you have labelled favor,
    /// against or neutral
    #[arg(value_name = "LABELS")]
    labels: PathBuf,
    /// The folder to write; it must not be there yet. Use it with --model
    #[arg(short, long, value_name = "MODEL_DIR")]
    output: PathBuf,
    /// The column with the texts [default: text, …]
    #[arg(long, value_name = "COL")]
    text: Option<String>,
    /// The column with the labels
    #[arg(long, value_name = "COL", default_value = "label")]
    label_column: String,
    /// The column with each row's target
    #[arg(
        long,
        value_name = "COL",
        default_value = "target",
        conflicts_with = "target"
    )]
    target_column: String,
    /// One target for all rows
    #[arg(long, value_name = "T")]
    target: Option<String>,
    /// The seed of the resampling that gives the gain its interval
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    reading: ReadingArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    common: CommonArgs,
}

/// Rows that take less than two minutes.
const MOST_ROWS: usize = 2000;

/// Rows that go through the encoder at once.
const CHUNK_ROWS: usize = 512;

struct Labelled {
    text: String,
    target: String,
    label: usize,
}

impl AdaptArgs {
    pub fn run(self) -> Result<(), Stop> {
        if self.output.exists() {
            return Err(anyhow!(
                "{}: exists already; name a folder that is not there yet",
                self.output.display()
            )
            .into());
        }
        let mut progress = Progress::new(self.common.quiet);
        let pool = self.common.pool()?;
        let classifier = pool.install(|| self.model.load())?;
        self.common.tell_model("model", classifier.model());
        let (rows, failed) = self.rows(&classifier, &mut progress)?;
        if rows.len() > MOST_ROWS {
            progress.say(&format!(
                "{} rows: more than the {MOST_ROWS} that this is made for; it takes longer",
                rows.len()
            ));
        }
        let shipped = classifier.head(Task::Stance)?;
        let mut features = Vec::new();
        for rows in rows.chunks(CHUNK_ROWS) {
            let pairs = rows
                .iter()
                .map(|row| (row.text.as_str(), row.target.as_str()));
            let pairs: Vec<_> = pairs.collect();
            features.push(pool.install(|| classifier.pooled(&pairs))?);
        }
        let views: Vec<_> = features.iter().map(|chunk| chunk.view()).collect();
        let labelled = LabelledRows {
            features: match views.is_empty() {
                true => Array2::zeros((0, shipped.weight.ncols())),
                false => concatenate(Axis(0), &views)?,
            },
            labels: rows.iter().map(|row| row.label).collect(),
            texts: rows
                .iter()
                .map(|row| LabelledRows::text_key(&row.text))
                .collect(),
        };
        let bootstrap = Bootstrap {
            seed: self.seed,
            ..Bootstrap::default()
        };
        let adaptation = pool
            .install(|| Adaptation::new(&labelled, &shipped, bootstrap))
            .map_err(|error| error.at(&self.labels))?;
        let report = &adaptation.report;
        std::io::stdout().write_all(words(report).as_bytes())?;
        if !report.is_gain() {
            return Err(Stop::NoGain);
        }
        let folder = match &self.model.model {
            Some(folder) => ModelFolder::open(folder)?,
            None => ModelFolder::embedded()?,
        };
        write_adapted(folder, &adaptation, classifier.model_name(), &self.output)?;
        progress.say(&format!(
            "written; use it with --model {}",
            self.output.display()
        ));
        match failed {
            0 => Ok(()),
            _ => Err(Stop::SomeFailed),
        }
    }

    /// The rows that are understood, and how many are not; these are named.
    fn rows(
        &self,
        classifier: &Classifier,
        progress: &mut Progress,
    ) -> anyhow::Result<(Vec<Labelled>, u64)> {
        let format = TableFormat::of(&self.labels).ok_or_else(|| {
            anyhow!(
                "{}: expected a table ending in .csv, .tsv, .jsonl or .parquet",
                self.labels.display()
            )
        })?;
        let table = Table::open(&self.labels, format, &self.reading.table_options()?)?;
        let text = table.column(self.text.as_deref(), &TEXT_COLUMNS)?;
        let text = text.ok_or_else(|| {
            let error = table.no_column(TEXT_COLUMNS[0]);
            error.hint("name the column with the texts with --text")
        })?;
        if let Some(target) = &self.target {
            Target::new(target, [])?;
            classifier.check_target(target)?;
        }
        let columns = [
            (Some(&self.label_column), "--label-column"),
            (
                self.target.is_none().then_some(&self.target_column),
                "--target or --target-column",
            ),
        ];
        for (column, option) in columns {
            if let Some(column) = column
                && !table.columns().contains(column)
            {
                let error = table.no_column(column);
                return Err(error.hint(format!("name it with {option}")).into());
            }
        }
        let (mut rows, mut failed) = (Vec::new(), 0);
        for row in table {
            match row.and_then(|row| self.labelled(&row, &text, classifier)) {
                Ok(row) => rows.push(row),
                Err(error) => {
                    failed += 1;
                    progress.failure(&error);
                }
            }
        }
        Ok((rows, failed))
    }

    fn labelled(
        &self,
        row: &Row,
        text_column: &str,
        classifier: &Classifier,
    ) -> quotestance::Result<Labelled> {
        let at =
            |error: Error, column: &str| error.at(&self.labels).at_row(row.at).at_column(column);
        let broken =
            |message: String, column: &str| at(Error::new(ErrorKind::Format, message), column);
        let filled = |column: &str| {
            let cell = row.text(column).map_err(|error| at(error, column))?;
            Ok::<_, Error>(cell.map(str::trim).filter(|cell| !cell.is_empty()))
        };
        let text = filled(text_column)?;
        let text = text.ok_or_else(|| broken("no text in this row".into(), text_column))?;
        let target = match &self.target {
            // Checked before the rows are read.
            Some(target) => target.trim(),
            None => {
                let column = &self.target_column;
                let own = filled(column)?;
                let own = own.ok_or_else(|| broken("no target in this row".into(), column))?;
                classifier
                    .check_target(own)
                    .map_err(|error| at(error, column))?;
                own
            }
        };
        let name = filled(&self.label_column)?.unwrap_or_default();
        let labels = Task::Stance.labels();
        let label = labels
            .iter()
            .position(|label| label.eq_ignore_ascii_case(name));
        let label = label.ok_or_else(|| {
            let message = format!("the label {name:?}, expected favor, against or neutral");
            broken(message, &self.label_column)
        })?;
        Ok(Labelled {
            text: text.to_owned(),
            target: target.to_owned(),
            label,
        })
    }
}

fn words(report: &AdaptationReport) -> String {
    let [favor, against, neutral] = report.rows_by_label;
    let [low, high] = report.gain_interval;
    let strength = match report.strength {
        Some(strength) => format!("pull to the shipped head: {strength}"),
        None => "no pull was weak enough to be worth it: the shipped head is the best".to_owned(),
    };
    format!(
        "{} rows: {favor} favor, {against} against, {neutral} neutral\n\
         {strength}\n\
         macro-F1, cross-validated: shipped head {:.3}, adapted {:.3}, gain {:+.3} [{low:+.3} {high:+.3}]\n\
         calibration error: shipped head {:.3}, adapted {:.3}\n",
        report.rows,
        report.shipped_macro_f1,
        report.adapted_macro_f1,
        report.gain,
        report.shipped_ece,
        report.adapted_ece,
    )
}
