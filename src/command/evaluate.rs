//! `quotestance evaluate`.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use quotestance::Task;
use quotestance::abstention::RiskCoverage;
use quotestance::evaluation::labels::{Answer, Gold, LabelFigures, LabelOptions, LabelReport};
use quotestance::evaluation::quotes::{QuoteFigures, QuoteOptions, ScoredArticle};
use quotestance::evaluation::{Bootstrap, Estimate, labels, quotes};
use quotestance::number::real;
use quotestance::pipeline::{Observer, Summary};
use quotestance::quote::QuoteKind;

use super::progress::Progress;
use super::run::FinderArgs;
use super::{CommonArgs, ModelArgs, Stop};

#[derive(Args)]
pub struct EvaluateArgs {
    /// The gold: labelled rows (id, label, and text, target, task, source, also_right where there
    /// are such columns; .jsonl, .csv, .tsv, .parquet), or for quotes one article a line (.jsonl)
    #[arg(value_name = "GOLD")]
    gold: PathBuf,
    /// The predictions: what `label` wrote, or `quotes` or `run` as .articles.jsonl
    #[arg(
        value_name = "PRED",
        required_unless_present = "run",
        conflicts_with = "run"
    )]
    predictions: Option<PathBuf>,
    /// Predict the texts of GOLD now, in place of PRED
    #[arg(long)]
    run: bool,
    /// What is evaluated
    #[arg(long, value_name = "TASK")]
    task: EvaluatedTask,
    /// The column by which labelled rows are grouped
    #[arg(long, value_name = "COL", default_value = "source")]
    by: String,
    /// Labels in the column also_right count as wrong
    #[arg(long)]
    strict: bool,
    /// Show what is kept and wrong at each threshold of the label's probability
    #[arg(long)]
    risk_coverage: bool,
    /// Quotes: the gold that counts
    #[arg(long, value_name = "KIND", default_value = "all")]
    subset: Subset,
    /// Quotes: leave out gold whose cue_class is not speech (beliefs, intentions)
    #[arg(long)]
    speech_only: bool,
    /// Quotes: match whole quotes instead of their contiguous pieces
    #[arg(long)]
    whole: bool,
    /// Quotes: the overlap (common words / all words of both) from which a speaker is scored
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    iou: f64,
    /// Resamples for the 95 % intervals, of rows or, for quotes, of articles; 0: no intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    bootstrap: usize,
    /// The seed of the resampling
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Write one JSON object instead of tables
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    finder: FinderArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum EvaluatedTask {
    Stance,
    Sentiment,
    Nli,
    Quotes,
}

#[derive(Clone, Copy, ValueEnum)]
enum Subset {
    All,
    /// Direct and mixed
    Quoted,
    Direct,
    Mixed,
    Indirect,
}

impl Subset {
    fn kinds(self) -> Vec<QuoteKind> {
        match self {
            Subset::All => vec![QuoteKind::Direct, QuoteKind::Mixed, QuoteKind::Indirect],
            Subset::Quoted => vec![QuoteKind::Direct, QuoteKind::Mixed],
            Subset::Direct => vec![QuoteKind::Direct],
            Subset::Mixed => vec![QuoteKind::Mixed],
            Subset::Indirect => vec![QuoteKind::Indirect],
        }
    }
}

/// Rows predicted at once.
const CHUNK_ROWS: usize = 2048;
/// Articles read for quotes at once.
const CHUNK_ARTICLES: usize = 32;

impl EvaluateArgs {
    pub fn run(self) -> Result<(), Stop> {
        let report = match self.task {
            EvaluatedTask::Stance => self.labels(Task::Stance)?,
            EvaluatedTask::Sentiment => self.labels(Task::Sentiment)?,
            EvaluatedTask::Nli => self.labels(Task::Nli)?,
            EvaluatedTask::Quotes => self.quotes()?,
        };
        std::io::stdout().write_all(report.as_bytes())?;
        Ok(())
    }

    fn bootstrap(&self) -> Bootstrap {
        Bootstrap {
            resamples: self.bootstrap,
            seed: self.seed,
        }
    }

    fn labels(&self, task: Task) -> anyhow::Result<String> {
        let options = LabelOptions {
            task,
            by: self.by.clone(),
            strict: self.strict,
            bootstrap: self.bootstrap(),
        };
        let gold = Gold::read(&self.gold, &options)?;
        let answers = match &self.predictions {
            Some(path) => labels::read_answers(path, task)?,
            None => self.predict_labels(&gold, task)?,
        };
        let report = gold.evaluate(&answers, &options);
        if report.all.missing == report.all.n {
            return Err(anyhow!(
                "none of the {} gold rows has a prediction: the ids of the two files do not meet",
                report.all.n
            ));
        }
        Ok(match self.json {
            true => format!("{:#}\n", report.to_json()),
            false => self.label_tables(&report),
        })
    }

    fn predict_labels(&self, gold: &Gold, task: Task) -> anyhow::Result<HashMap<String, Answer>> {
        let pool = self.common.pool()?;
        let classifier = pool.install(|| self.model.load())?;
        self.common.tell_model("model", classifier.model());
        let mut answers = HashMap::new();
        for rows in gold.rows.chunks(CHUNK_ROWS) {
            let pairs = rows.iter().map(|row| {
                let place = || format!("{}: the row {:?}", self.gold.display(), row.id);
                let text = row.text.as_deref();
                let text = text.filter(|text| !text.trim().is_empty());
                let text = text.ok_or_else(|| anyhow!("{} has no text to predict", place()))?;
                if row.target.is_empty() && task != Task::Sentiment {
                    return Err(anyhow!("{} has no target (column target)", place()));
                }
                classifier.check_target(&row.target).with_context(place)?;
                Ok((text, row.target.as_str(), task))
            });
            let pairs: Vec<_> = pairs.collect::<anyhow::Result<_>>()?;
            let distributions = pool.install(|| classifier.label(&pairs))?;
            for (row, distribution) in rows.iter().zip(&distributions) {
                let label = distribution.top();
                let answer = Answer {
                    label: Some(label),
                    // As `label` would have written it.
                    probability: Some(real(distribution.probabilities()[label])),
                };
                answers.insert(row.id.clone(), answer);
            }
        }
        Ok(answers)
    }

    fn quotes(&self) -> anyhow::Result<String> {
        let options = QuoteOptions {
            kinds: self.subset.kinds(),
            speech_only: self.speech_only,
            whole: self.whole,
            speaker_iou: self.iou,
            bootstrap: self.bootstrap(),
        };
        if !(0.0..=1.0).contains(&self.iou) {
            return Err(anyhow!("--iou {}: expected a share, 0 to 1", self.iou));
        }
        let gold = quotes::read_articles(&self.gold)?;
        let predicted = match &self.predictions {
            Some(path) => quotes::read_articles(path)?,
            None => self.find_quotes(&gold)?,
        };
        let known: HashSet<&str> = predicted
            .iter()
            .map(|article| article.id.as_str())
            .collect();
        if !gold.is_empty()
            && !gold
                .iter()
                .any(|article| known.contains(article.id.as_str()))
        {
            return Err(anyhow!(
                "none of the {} gold articles has a prediction: the ids of the two files do not meet",
                gold.len()
            ));
        }
        let figures = QuoteFigures::of(&gold, &predicted, &options)?;
        Ok(match self.json {
            true => format!("{:#}\n", figures.to_json()),
            false => quote_tables(&figures),
        })
    }

    fn find_quotes(&self, gold: &[ScoredArticle]) -> anyhow::Result<Vec<ScoredArticle>> {
        let pool = self.common.pool()?;
        let finder = pool.install(|| self.finder.load(&self.model.engine.options()))?;
        if let Some(tagger) = finder.tagger() {
            self.common.tell_model("tagger", tagger.model());
        }
        let mut progress = Progress::new(self.common.quiet);
        let mut summary = Summary::default();
        let mut predicted = Vec::with_capacity(gold.len());
        for articles in gold.chunks(CHUNK_ARTICLES) {
            let texts: Vec<&str> = (articles.iter())
                .map(|article| article.text.as_deref().unwrap_or_default())
                .collect();
            let found = pool.install(|| finder.find_all(&texts))?;
            for ((article, text), quotes) in articles.iter().zip(texts).zip(&found) {
                predicted.push(ScoredArticle::of_found(&article.id, text, quotes));
                summary.quotes += quotes.len() as u64;
            }
            summary.articles += articles.len() as u64;
            progress.progress(&summary);
        }
        progress.finish();
        Ok(predicted)
    }

    fn label_tables(&self, report: &LabelReport) -> String {
        let all = &report.all;
        let mut text = format!(
            "{}: {} gold rows, {} without a prediction (these count as wrong), {} on which the model abstained (these count in no figure)\n",
            report.task.name(),
            all.n,
            all.missing,
            all.abstained,
        );
        if report.other_tasks > 0 {
            let _ = writeln!(text, "left out: {} rows of other tasks", report.other_tasks);
        }
        if report.unknown_ids > 0 {
            let _ = writeln!(
                text,
                "predictions for ids that the gold does not have: {}",
                report.unknown_ids
            );
        }
        let mut table = vec![header(all)];
        let several = report.groups.len() > 1;
        table.extend(report.groups.iter().map(|(name, of)| line(name, of)));
        if several {
            table.push(line("all rows", all));
        }
        table.extend((report.mean.iter()).map(|mean| line("mean of groups", mean)));
        let _ = write!(text, "\n{}", aligned(&table));
        let mut table = vec![
            ["gold \\ predicted"]
                .into_iter()
                .chain(report.task.labels())
                .chain(["abstained", "missing"])
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        ];
        for (label, counts) in report.task.labels().iter().zip(&all.confusion) {
            let counts = counts.iter().map(u64::to_string);
            table.push(std::iter::once((*label).to_owned()).chain(counts).collect());
        }
        let _ = write!(text, "\n{}", aligned(&table));
        if let (true, Some(counts)) = (self.risk_coverage, &all.risk_coverage) {
            let _ = write!(text, "\n{}", risk_coverage_table(counts));
        }
        text
    }
}

/// One line for every twentieth, and the first.
fn risk_coverage_table(counts: &RiskCoverage) -> String {
    let names = ["threshold", "kept", "share", "wrong", "error"];
    let mut table = vec![names.map(str::to_owned).to_vec()];
    let rows = counts
        .thresholds
        .iter()
        .zip(&counts.kept)
        .zip(&counts.wrong);
    for ((threshold, &kept), wrong) in rows {
        let hundredths = (threshold * 100.0).round() as u32;
        if hundredths.is_multiple_of(5) && kept > 0 {
            table.push(vec![
                format!("{threshold:.2}"),
                kept.to_string(),
                format!("{:.3}", kept as f64 / counts.rows() as f64),
                wrong.to_string(),
                format!("{:.3}", *wrong as f64 / kept as f64),
            ]);
        }
    }
    aligned(&table)
}

fn header(figures: &LabelFigures) -> Vec<String> {
    let names = figures.named().into_iter().map(|(name, _)| name.to_owned());
    ["group", "n"]
        .map(str::to_owned)
        .into_iter()
        .chain(names)
        .collect()
}

fn line(name: &str, figures: &LabelFigures) -> Vec<String> {
    let cells = figures.named().into_iter().map(|(_, figure)| cell(figure));
    [name.to_owned(), figures.n.to_string()]
        .into_iter()
        .chain(cells)
        .collect()
}

/// `0.657 [0.636 0.678]`
fn cell(estimate: Estimate) -> String {
    let value = estimate.value.map_or("-".into(), |x| format!("{x:.3}"));
    match estimate.interval {
        Some([low, high]) => format!("{value} [{low:.3} {high:.3}]"),
        None => value,
    }
}

fn quote_tables(figures: &QuoteFigures) -> String {
    let mut text = format!(
        "quotes: {} gold articles; predicted articles that the gold does not have: {}\n\n",
        figures.articles, figures.unknown_articles
    );
    let names = ["figure", "value", "precision", "recall"];
    let mut table = vec![names.map(str::to_owned).to_vec()];
    for (name, estimate) in &figures.figures {
        let of_matches = (figures.matches.iter())
            .find(|(matches, _)| name.strip_suffix("_f1") == Some(*matches));
        let share = |index: usize| {
            of_matches.map_or(String::new(), |(_, values)| format!("{:.3}", values[index]))
        };
        table.push(vec![
            (*name).to_owned(),
            cell(*estimate),
            share(0),
            share(1),
        ]);
    }
    text += &aligned(&table);
    let kinds = ["direct", "mixed", "indirect", "none"];
    let mut table = vec![
        std::iter::once("gold \\ predicted")
            .chain(kinds)
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    ];
    for (index, (kind, counts)) in kinds.iter().zip(&figures.kinds).enumerate() {
        let counts = counts.iter().enumerate().map(|(column, count)| {
            // What neither side has is not counted.
            match (index, column) {
                (3, 3) => String::new(),
                _ => count.to_string(),
            }
        });
        table.push(std::iter::once((*kind).to_owned()).chain(counts).collect());
    }
    let _ = write!(text, "\n{}", aligned(&table));
    if !figures.by_tag.is_empty() {
        let names = ["phenomenon", "n", "found", "found with speaker"];
        let mut table = vec![names.map(str::to_owned).to_vec()];
        for (tag, [n, found, right]) in &figures.by_tag {
            let share = |count: u64| format!("{:.3}", count as f64 / (*n).max(1) as f64);
            table.push(vec![
                tag.clone(),
                n.to_string(),
                share(*found),
                share(*right),
            ]);
        }
        let _ = write!(text, "\n{}", aligned(&table));
    }
    text
}

/// Columns of equal width, two spaces between them, without spaces at the ends of lines.
fn aligned(table: &[Vec<String>]) -> String {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in table {
        let cells = row.iter().zip(&widths);
        let padded: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text += padded.join("  ").trim_end();
        text.push('\n');
    }
    text
}
