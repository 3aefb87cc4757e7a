//! [`LabelFigures`] of stance, sentiment or NLI labels against gold ones, as `score_labels.py`
//! defines them:
//!
//! - `acc`: share right; `macro_f1`: mean F1 over the labels that occur in the gold; `f_avg`: mean
//!   F1 of the two poles (SemEval-2016's measure).
//! - `ece`: expected calibration error, 15 equal-width bins of the label's probability.
//! - `aurc`: area under the risk-coverage curve, the mean error when the surest rows are kept
//!   first; `cov@5%`: the largest share that can be kept so with at most 5 % errors.
//!
//! A gold row without a prediction counts as wrong. A row on which the model abstained counts in
//! none of the figures but `abstained`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Bootstrap, Estimate};
use crate::abstention::RiskCoverage;
use crate::error::{Error, ErrorKind, Result};
use crate::output::guarded;
use crate::prediction::Task;
use crate::table::{Row, Table, TableFormat, TableOptions};

/// How rows are read and grouped.
#[derive(Clone, Debug)]
pub struct LabelOptions {
    /// Rows of this task are evaluated; those of others are counted.
    pub task: Task,
    /// The column that groups rows; where a row has none, its column `source`.
    pub by: String,
    /// Whether labels of the column `also_right` count as wrong.
    pub strict: bool,
    /// For the intervals.
    pub bootstrap: Bootstrap,
}

/// A labelled row.
#[derive(Clone, Debug, PartialEq)]
pub struct GoldRow {
    /// Joins it with its prediction.
    pub id: String,
    /// The text and the target, where the file has them.
    pub text: Option<String>,
    /// What the label is toward; empty for the tone of the text itself.
    pub target: String,
    /// Index of the label in [`Task::labels`].
    label: usize,
    also_right: Vec<usize>,
    /// Its task and what the rows are grouped by, such as `stance:vast`.
    pub group: String,
}

/// What a model said of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Index of the label in [`Task::labels`]; `None`: it abstained.
    pub label: Option<usize>,
    /// The label's probability, where it is known.
    pub probability: Option<f64>,
}

/// The gold rows of a task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gold {
    /// Of the task asked for, in the order of the file.
    pub rows: Vec<GoldRow>,
    /// Rows of other tasks.
    pub other_tasks: u64,
}

/// The figures of one group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelFigures {
    /// Gold rows.
    pub n: u64,
    /// Those without a prediction.
    pub missing: u64,
    /// Those on which the model abstained.
    pub abstained: u64,
    /// See the module.
    pub acc: Estimate,
    /// See the module.
    pub macro_f1: Estimate,
    /// See the module.
    pub f_avg: Estimate,
    /// See the module. Its interval is mirrored: resampling makes it larger by itself.
    pub ece: Estimate,
    /// See the module.
    pub aurc: Estimate,
    /// See the module.
    pub cov5: Estimate,
    /// Rows by gold label and by predicted label, abstained and missing: `[gold][predicted]`.
    pub confusion: [[u64; 5]; 3],
    /// Kept and wrong by threshold, where there are probabilities.
    pub risk_coverage: Option<RiskCoverage>,
}

/// A whole evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelReport {
    /// The task.
    pub task: Task,
    /// By `task:group`, in alphabetical order.
    pub groups: BTreeMap<String, LabelFigures>,
    /// All rows together.
    pub all: LabelFigures,
    /// The mean over the groups of each figure, where there are several.
    pub mean: Option<LabelFigures>,
    /// Gold rows of other tasks, left out.
    pub other_tasks: u64,
    /// Predictions for ids that the gold does not have.
    pub unknown_ids: u64,
}

/// A row as it counts.
struct Scored {
    gold: usize,
    /// `None`: missing.
    predicted: Option<usize>,
    probability: Option<f64>,
}

impl Gold {
    /// Reads labelled rows: `id`, `label`, and where the file has them `task`, `text`, `target`,
    /// `also_right` (a JSON list) and the column that groups. Without a column `task`, all rows
    /// are of the task asked for; targeted sentiment (`tsc`) is of the sentiment task.
    ///
    /// # Errors
    /// A file that is no table, or the first row that is not understood, with its place.
    pub fn read(path: &Path, options: &LabelOptions) -> Result<Gold> {
        let mut gold = Gold::default();
        let (table, columns) = open(path)?;
        let has_column = |name: &str| table.columns().iter().any(|column| column == name);
        if options.by != "source" && !has_column(&options.by) {
            return Err(table.no_column(&options.by));
        }
        let mut places = HashMap::new();
        for row in table {
            let row = row?;
            let broken = |error: Error| error.at(path).at_row(row.at);
            let task_name = row.get("task").unwrap_or(options.task.name());
            if Task::named(task_name) != Some(options.task) {
                gold.other_tasks += 1;
                continue;
            }
            let label = |name: &str| label_index(options.task, name).map_err(broken);
            let also_right: Vec<String> = match row.get("also_right") {
                None | Some("") => Vec::new(),
                Some(list) => serde_json::from_str(list).map_err(|error| {
                    let message = "also_right: expected a JSON list of labels";
                    broken(Error::new(ErrorKind::Format, message).because(error))
                })?,
            };
            let by = row.get(&options.by).filter(|group| !group.is_empty());
            let group = by.or(row.get("source")).unwrap_or("all");
            let id = need(&row, "id", &columns).map_err(broken)?;
            if let Some(first) = places.insert(id.to_owned(), row.at.number()) {
                let message = format!("the id {id:?} a second time; the first is that of {first}");
                return Err(broken(
                    Error::new(ErrorKind::Format, message)
                        .at_column("id")
                        .hint("predictions are found by id: give each row its own"),
                ));
            }
            gold.rows.push(GoldRow {
                id: id.to_owned(),
                text: row.get("text").map(str::to_owned),
                target: row.get("target").unwrap_or_default().trim().to_owned(),
                label: label(need(&row, "label", &columns).map_err(broken)?)?,
                also_right: (also_right.iter().map(|name| label(name))).collect::<Result<_>>()?,
                group: format!("{task_name}:{group}"),
            });
        }
        if gold.rows.is_empty() {
            let message = format!(
                "no row of the task {}, but {} of other tasks",
                options.task.name(),
                gold.other_tasks
            );
            return Err(Error::new(ErrorKind::Empty, message).at(path));
        }
        Ok(gold)
    }

    /// The rows that have a label with a probability, with this and whether the label is right
    /// (or can be defended).
    pub fn answered<'a>(
        &'a self,
        answers: &'a HashMap<String, Answer>,
    ) -> impl Iterator<Item = (&'a GoldRow, f64, bool)> {
        self.rows.iter().filter_map(|row| {
            let answer = answer_to(&row.id, answers)?;
            let label = answer.label?;
            let right = label == row.label || row.also_right.contains(&label);
            Some((row, answer.probability?, right))
        })
    }

    /// The figures of these predictions, by id.
    pub fn evaluate(
        &self,
        answers: &HashMap<String, Answer>,
        options: &LabelOptions,
    ) -> LabelReport {
        let mut groups: BTreeMap<&str, Vec<(&GoldRow, Option<&Answer>)>> = BTreeMap::new();
        let mut all = Vec::new();
        for row in &self.rows {
            let pair = (row, answer_to(&row.id, answers));
            groups.entry(&row.group).or_default().push(pair);
            all.push(pair);
        }
        let figures = |rows: &[_], stream: u64| LabelFigures::of(rows, options, stream);
        let found: Vec<_> = (groups.values().zip(1..))
            .map(|(rows, stream)| figures(rows, stream))
            .collect();
        let ids: HashSet<String> = (self.rows.iter())
            .flat_map(|row| [row.id.clone(), guarded(&row.id)])
            .collect();
        let unknown_ids = answers.keys().filter(|id| !ids.contains(*id)).count();
        LabelReport {
            task: options.task,
            all: figures(&all, 0).0,
            mean: (found.len() > 1).then(|| mean(&found)),
            groups: (groups.keys().map(|name| (*name).to_owned()))
                .zip(found.into_iter().map(|(figures, _)| figures))
                .collect(),
            other_tasks: self.other_tasks,
            unknown_ids: unknown_ids as u64,
        }
    }
}

/// The answer to a row: by its id, or by the id as `quotestance label` guards it in CSV.
fn answer_to<'a>(id: &str, answers: &'a HashMap<String, Answer>) -> Option<&'a Answer> {
    answers.get(id).or_else(|| answers.get(&guarded(id)))
}

/// Reads predictions as `quotestance label` writes them: `id`, `label` (empty where the model
/// abstained) and, for the figures of calibration, `probs` (a JSON object) or a column for each
/// label. Rows whose label is of another task are left out.
///
/// # Errors
/// A file that is no table or has no column `label`, the first row that is not understood, or an
/// id that comes twice.
pub fn read_answers(path: &Path, task: Task) -> Result<HashMap<String, Answer>> {
    let mut answers = HashMap::new();
    let (table, columns) = open(path)?;
    if !table.columns().iter().any(|column| column == "label") {
        return Err(table.no_column("label").hint(
            "predictions are in the columns id and label, as `quotestance label` writes them",
        ));
    }
    for row in table {
        let row = row?;
        let broken = |error: Error| error.at(path).at_row(row.at);
        let id = need(&row, "id", &columns).map_err(broken)?;
        let name = row.get("label").unwrap_or_default();
        let label = match name {
            "" => None,
            name => match label_index(task, name) {
                Ok(label) => Some(label),
                Err(_) if is_label_of_another(task, name) => continue,
                Err(error) => return Err(broken(error)),
            },
        };
        let probability = match label {
            None => None,
            Some(_) => probability(&row, name).map_err(broken)?,
        };
        let answer = Answer { label, probability };
        if answers.insert(id.to_owned(), answer).is_some() {
            let message = format!("a second prediction for the id {id:?}");
            return Err(broken(Error::new(ErrorKind::Format, message).hint(
                "a file with several targets is evaluated a target at a time, and each row of a table needs its own id",
            )));
        }
    }
    Ok(answers)
}

fn open(path: &Path) -> Result<(Table, String)> {
    let format = TableFormat::of(path).ok_or_else(|| {
        Error::new(
            ErrorKind::Format,
            "expected a table ending in .jsonl, .csv, .tsv or .parquet",
        )
        .at(path)
    })?;
    let table = Table::open(path, format, &TableOptions::default())?;
    let columns = table.columns().join(", ");
    Ok((table, columns))
}

fn need<'r>(row: &'r Row, column: &str, columns: &str) -> Result<&'r str> {
    row.get(column).ok_or_else(|| {
        let message = format!("no value for {column:?}; the columns are {columns}");
        Error::new(ErrorKind::Format, message).at_column(column)
    })
}

fn label_index(task: Task, name: &str) -> Result<usize> {
    let labels = task.labels();
    (labels.iter().position(|label| *label == name)).ok_or_else(|| {
        let message = format!(
            "unknown label {name:?}, expected one of {}",
            labels.join(", ")
        );
        Error::new(ErrorKind::Format, message).at_column("label")
    })
}

/// A file may hold predictions for several tasks.
fn is_label_of_another(task: Task, name: &str) -> bool {
    [Task::Stance, Task::Sentiment, Task::Nli]
        .iter()
        .any(|other| *other != task && other.labels().contains(&name))
}

fn probability(row: &Row, label: &str) -> Result<Option<f64>> {
    let broken = |message: String| Error::new(ErrorKind::Format, message);
    let value = match row.get("probs") {
        Some(probs) => {
            let probs: Map<String, Value> = serde_json::from_str(probs)
                .map_err(|error| broken("probs: expected a JSON object".into()).because(error))?;
            let of_label = probs.get(label).and_then(Value::as_f64);
            Some(of_label.ok_or_else(|| broken(format!("probs has no number for {label:?}")))?)
        }
        None => match row.get(label).filter(|cell| !cell.is_empty()) {
            None => None,
            Some(cell) => Some(cell.parse().map_err(|error| {
                broken(format!("{cell:?} is no probability"))
                    .at_column(label)
                    .because(error)
            })?),
        },
    };
    if let Some(p) = value.filter(|p| !(0.0..=1.0).contains(p)) {
        return Err(broken(format!("a probability of {p}, expected 0 to 1")));
    }
    Ok(value)
}

/// Acc, macro-F1, F_avg, ECE, AURC and cov@5%, in this order.
type Six = [Option<f64>; 6];

impl LabelFigures {
    fn of(
        rows: &[(&GoldRow, Option<&Answer>)],
        options: &LabelOptions,
        stream: u64,
    ) -> (LabelFigures, Vec<Six>) {
        let mut confusion = [[0; 5]; 3];
        let mut scored = Vec::new();
        for (gold, answer) in rows {
            let mut predicted = answer.and_then(|answer| answer.label);
            let abstained = answer.is_some() && predicted.is_none();
            if let Some(label) = predicted
                && !options.strict
                && gold.also_right.contains(&label)
            {
                predicted = Some(gold.label);
            }
            let column = predicted.unwrap_or(if abstained { 3 } else { 4 });
            confusion[gold.label][column] += 1;
            if !abstained {
                scored.push(Scored {
                    gold: gold.label,
                    predicted,
                    probability: answer.and_then(|answer| answer.probability),
                });
            }
        }
        // Surest first; the sort is stable, as the scorer's is. Rows without a probability last.
        let key = |row: &Scored| row.probability.unwrap_or(-1.0);
        scored.sort_by(|a, b| key(b).total_cmp(&key(a)));
        let once = vec![1; scored.len()];
        let values = six(&scored, &once);
        let bootstrap = options.bootstrap;
        let resampled = bootstrap.map(scored.len(), stream, |times| six(&scored, times));
        let sure = scored.iter().filter_map(|row| {
            let probability = row.probability?;
            Some((probability, row.predicted == Some(row.gold)))
        });
        let risk_coverage = RiskCoverage::new("the rows evaluated", sure);
        let figures = LabelFigures {
            n: rows.len() as u64,
            missing: confusion.iter().map(|gold| gold[4]).sum(),
            abstained: confusion.iter().map(|gold| gold[3]).sum(),
            confusion,
            risk_coverage: (risk_coverage.rows() > 0).then_some(risk_coverage),
            ..estimates(values, &resampled)
        };
        (figures, resampled)
    }

    /// Everything as JSON, estimates as [`Estimate::to_json`] writes them.
    pub fn to_json(&self, task: Task) -> Value {
        let mut columns: Vec<&str> = task.labels().into();
        columns.extend(["abstained", "missing"]);
        let confusion: Map<String, Value> = (task.labels().iter().zip(&self.confusion))
            .map(|(gold, counts)| {
                let counts = columns.iter().zip(counts);
                let counts: Map<_, _> = counts
                    .map(|(label, count)| ((*label).to_owned(), (*count).into()))
                    .collect();
                ((*gold).to_owned(), counts.into())
            })
            .collect();
        let mut object = json!({
            "n": self.n, "missing": self.missing, "abstained": self.abstained,
        });
        for (name, estimate) in self.named() {
            object[name] = estimate.to_json();
        }
        object["confusion"] = confusion.into();
        if let Some(table) = &self.risk_coverage {
            object["risk_coverage"] = json!({
                "thresholds": table.thresholds, "kept": table.kept, "wrong": table.wrong,
            });
        }
        object
    }

    /// The figures by their names.
    pub fn named(&self) -> [(&'static str, Estimate); 6] {
        [
            ("acc", self.acc),
            ("macro_f1", self.macro_f1),
            ("f_avg", self.f_avg),
            ("ece", self.ece),
            ("aurc", self.aurc),
            ("cov@5%", self.cov5),
        ]
    }
}

fn estimates(values: Six, resampled: &[Six]) -> LabelFigures {
    let of = |index: usize| -> Vec<_> { resampled.iter().map(|six| six[index]).collect() };
    let estimate = |index: usize| Estimate::of_resamples(values[index], &of(index));
    LabelFigures {
        acc: estimate(0),
        macro_f1: estimate(1),
        f_avg: estimate(2),
        ece: Estimate::of_resamples_mirrored(values[3], &of(3)),
        aurc: estimate(4),
        cov5: estimate(5),
        ..LabelFigures::default()
    }
}

/// The figures of rows that count so many times each; rows stand surest first.
fn six(rows: &[Scored], times: &[u32]) -> Six {
    let total: u32 = times.iter().sum();
    if total == 0 {
        return [None; 6];
    }
    // [gold][predicted]; a missing prediction is in none of the columns.
    let mut counts = [[0_u32; 3]; 3];
    let mut of_gold = [0_u32; 3];
    let mut bins = Bins::default();
    let (mut sure, mut wrong, mut risk, mut covered) = (0_u32, 0_u32, 0.0, 0_u32);
    for (row, &times) in rows.iter().zip(times) {
        of_gold[row.gold] += times;
        if let Some(predicted) = row.predicted {
            counts[row.gold][predicted] += times;
        }
        let Some(probability) = row.probability else {
            continue;
        };
        let right = row.predicted == Some(row.gold);
        bins.add(probability, right, times);
        for _ in 0..times {
            sure += 1;
            wrong += u32::from(!right);
            let share = f64::from(wrong) / f64::from(sure);
            risk += share;
            if share <= 0.05 {
                covered = sure;
            }
        }
    }
    let f1 = f1s(&counts, &of_gold);
    let right: u32 = (0..3).map(|label| counts[label][label]).sum();
    let of_sure = |sum: f64| (sure > 0).then(|| sum / f64::from(sure));
    [
        Some(f64::from(right) / f64::from(total)),
        Some(mean_f1(&f1, &of_gold)),
        Some((f1[0] + f1[1]) / 2.0),
        of_sure(bins.gaps()),
        of_sure(risk),
        of_sure(f64::from(covered)),
    ]
}

/// Of each label, from counts by `[gold][predicted]` and by gold label, of which some may have no
/// prediction; 0 for a label that is nowhere.
fn f1s(counts: &[[u32; 3]; 3], of_gold: &[u32; 3]) -> [f64; 3] {
    std::array::from_fn(|label| {
        let predicted: u32 = counts.iter().map(|gold| gold[label]).sum();
        match predicted + of_gold[label] {
            0 => 0.0,
            both => f64::from(2 * counts[label][label]) / f64::from(both),
        }
    })
}

/// Over the labels that occur in the gold.
fn mean_f1(f1: &[f64; 3], of_gold: &[u32; 3]) -> f64 {
    let occurring: Vec<usize> = (0..3).filter(|&label| of_gold[label] > 0).collect();
    occurring.iter().map(|&label| f1[label]).sum::<f64>() / occurring.len().max(1) as f64
}

/// Macro-F1 of rows that count so many times each: `[row]`, labels by their index.
pub fn macro_f1(gold: &[usize], predicted: &[usize], times: &[u32]) -> f64 {
    let (mut counts, mut of_gold) = ([[0; 3]; 3], [0; 3]);
    for ((&gold, &predicted), times) in gold.iter().zip(predicted).zip(times) {
        counts[gold][predicted] += times;
        of_gold[gold] += times;
    }
    mean_f1(&f1s(&counts, &of_gold), &of_gold)
}

/// Expected calibration error of answers with their probability and whether they are right; 0 of
/// none.
pub fn calibration_error(answers: impl Iterator<Item = (f64, bool)>) -> f64 {
    let (mut bins, mut rows) = (Bins::default(), 0_u32);
    for (probability, right) in answers {
        bins.add(probability, right, 1);
        rows += 1;
    }
    bins.gaps() / f64::from(rows.max(1))
}

/// Sums of probabilities and of right answers, in 15 bins of equal width.
#[derive(Default)]
struct Bins([(f64, u32); 15]);

impl Bins {
    fn add(&mut self, probability: f64, right: bool, times: u32) {
        let bin = &mut self.0[((probability * 15.0) as usize).min(14)];
        bin.0 += probability * f64::from(times);
        bin.1 += u32::from(right) * times;
    }

    fn gaps(&self) -> f64 {
        let gaps = self.0.iter();
        gaps.map(|(said, right)| (said - f64::from(*right)).abs())
            .sum()
    }
}

/// Each group counts the same, and is resampled by itself.
fn mean(groups: &[(LabelFigures, Vec<Six>)]) -> LabelFigures {
    let over = |sixes: Vec<Six>| -> Six {
        std::array::from_fn(|index| {
            let values: Option<Vec<f64>> = sixes.iter().map(|six| six[index]).collect();
            values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
        })
    };
    let resamples = groups.iter().map(|(_, resampled)| resampled.len()).min();
    let resampled: Vec<Six> = (0..resamples.unwrap_or(0))
        .map(|resample| over(groups.iter().map(|(_, all)| all[resample]).collect()))
        .collect();
    let value = |figures: &LabelFigures| figures.named().map(|(_, estimate)| estimate.value);
    let values = over(groups.iter().map(|(figures, _)| value(figures)).collect());
    let sum = |of: fn(&LabelFigures) -> u64| groups.iter().map(|(figures, _)| of(figures)).sum();
    LabelFigures {
        n: sum(|figures| figures.n),
        missing: sum(|figures| figures.missing),
        abstained: sum(|figures| figures.abstained),
        ..estimates(values, &resampled)
    }
}

impl LabelReport {
    /// The whole report as one JSON object.
    pub fn to_json(&self) -> Value {
        let groups: Map<String, Value> = (self.groups.iter())
            .map(|(name, figures)| (name.clone(), figures.to_json(self.task)))
            .collect();
        let mut object = json!({
            "task": self.task.name(),
            "groups": groups,
            "all": self.all.to_json(self.task),
        });
        if let Some(mean) = &self.mean {
            let named = mean.named().into_iter();
            let figures: Map<_, _> = named
                .map(|(name, estimate)| (name.to_owned(), estimate.to_json()))
                .collect();
            object["mean_of_groups"] = figures.into();
        }
        object["missing"] = self.all.missing.into();
        object["rows_of_other_tasks"] = self.other_tasks.into();
        object["predictions_not_in_gold"] = self.unknown_ids.into();
        object
    }
}
