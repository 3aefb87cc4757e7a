//! An [`Adaptation`] is a stance head made better for one analyst's target, from rows that the
//! analyst has labelled. The encoder stays as it is: what it makes of each row (its pooled vector)
//! is fed to a multinomial logistic regression that begins at the shipped head and is drawn back to
//! it (L2), so that few rows cannot ruin it. How strongly is chosen by cross-validation.
//!
//! The gain it states is cross-validated once more around that choice: each row is judged by a head
//! that saw neither it nor another row of the same text, with a strength chosen without them.

mod folder;
mod regression;

pub use folder::write_adapted;

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::evaluation::labels::{calibration_error, macro_f1};
use crate::evaluation::{Bootstrap, Estimate};
use crate::prediction::Head;
use regression::{Fit, Standard, moved};

/// The fewest rows to learn from.
pub const LEAST_ROWS: usize = 30;
/// The fewest rows that two of the labels must have.
const LEAST_OF_LABEL: usize = 5;
/// Strengths of the pull to the shipped head that are tried, from strong to weak; before them all
/// stands the shipped head itself. For features of variance 1 and a mean loss: above 10 nothing
/// moves, below .01 two thousand rows are learned by heart.
const STRENGTHS: [f64; 7] = [10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01];
const INNER_FOLDS: usize = 5;

/// Labelled rows, as the encoder sees them.
#[derive(Clone, Debug)]
pub struct LabelledRows {
    /// Pooled vectors: `[row, hidden]`.
    pub features: Array2<f32>,
    /// Index of each row's label in the order of [`Task::labels`](crate::Task::labels): `[row]`.
    pub labels: Vec<usize>,
    /// What stands for each row's text; rows of one text are never on both sides of a
    /// cross-validation: `[row]`.
    pub texts: Vec<[u8; 32]>,
}

impl LabelledRows {
    /// What stands for a text.
    pub fn text_key(text: &str) -> [u8; 32] {
        Sha256::digest(text.trim()).into()
    }
}

/// A head for an analyst's rows, with what cross-validation says of it.
#[derive(Clone, Debug)]
pub struct Adaptation {
    /// The head, fitted on all rows.
    pub head: Head,
    /// What its logits are divided by, fitted on the cross-validated logits.
    pub temperature: f64,
    /// What is known of it.
    pub report: AdaptationReport,
}

/// How an adapted head compares with the shipped one, on rows that each was not fitted on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdaptationReport {
    /// Rows learned from.
    pub rows: usize,
    /// Rows of each label, in the order of the task's.
    pub rows_by_label: [usize; 3],
    /// The pull to the shipped head that was chosen for all rows; `None`: that head itself.
    pub strength: Option<f64>,
    /// Macro-F1 of the shipped head on the rows.
    pub shipped_macro_f1: f64,
    /// Macro-F1 of adapted heads, cross-validated.
    pub adapted_macro_f1: f64,
    /// Their difference, and its 95 % interval over resamples of the rows.
    pub gain: f64,
    /// See `gain`.
    pub gain_interval: [f64; 2],
    /// Expected calibration error of the shipped head with its own temperature.
    pub shipped_ece: f64,
    /// The same of adapted heads, cross-validated, with the temperature found.
    pub adapted_ece: f64,
}

impl AdaptationReport {
    /// Whether the gain is beyond noise: its interval lies above 0.
    pub fn is_gain(&self) -> bool {
        self.gain_interval[0] > 0.0
    }
}

impl Adaptation {
    /// Fits a head to labelled rows, from the shipped head on. The same rows give the same head,
    /// whatever the number of threads.
    ///
    /// # Errors
    /// Fewer than [`LEAST_ROWS`] rows, or not two labels with five rows.
    pub fn new(rows: &LabelledRows, shipped: &Head, bootstrap: Bootstrap) -> Result<Adaptation> {
        let rows_by_label = check(rows)?;
        let all: Vec<usize> = (0..rows.labels.len()).collect();
        let outer_folds = if all.len() < 200 { 10 } else { 5 };
        let folds = folds(rows, &all, outer_folds, b"outer");
        let starting = shipped.logits(rows.features.view());
        // [row, label], each row by a head that was fitted without it.
        let mut held_out = Array2::zeros(starting.raw_dim());
        let of_folds: Vec<(Vec<usize>, Array2<f64>)> = (0..outer_folds)
            .into_par_iter()
            .map(|fold| {
                let (train, test) = split(&all, &folds, fold);
                let (head, _) = fit(rows, shipped, &train);
                let features = rows.features.select(Axis(0), &test);
                (test, head.logits(features.view()))
            })
            .collect();
        for (test, logits) in &of_folds {
            for (row, logits) in test.iter().zip(logits.outer_iter()) {
                held_out.row_mut(*row).assign(&logits);
            }
        }
        let temperature = temperature(held_out.view(), &rows.labels);
        let (head, strength) = fit(rows, shipped, &all);
        let (before, after) = (tops(starting.view()), tops(held_out.view()));
        let score = |predicted: &[usize], times: &[u32]| macro_f1(&rows.labels, predicted, times);
        let once = vec![1; all.len()];
        let (shipped_f1, adapted_f1) = (score(&before, &once), score(&after, &once));
        let gains = bootstrap.map(all.len(), 0, |times| {
            Some(score(&after, times) - score(&before, times))
        });
        let gain = adapted_f1 - shipped_f1;
        let interval = Estimate::of_resamples(Some(gain), &gains).interval;
        let error = |logits: ArrayView2<f64>, temperature: f64| {
            let tops = tops(logits);
            let sure = regression::probabilities(logits, temperature);
            let answers = tops.iter().zip(sure.outer_iter()).zip(&rows.labels);
            calibration_error(answers.map(|((&top, row), label)| (row[top], top == *label)))
        };
        Ok(Adaptation {
            head,
            temperature,
            report: AdaptationReport {
                rows: all.len(),
                rows_by_label,
                strength,
                shipped_macro_f1: shipped_f1,
                adapted_macro_f1: adapted_f1,
                gain,
                gain_interval: interval.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]),
                shipped_ece: error(starting.view(), 1.0),
                adapted_ece: error(held_out.view(), temperature),
            },
        })
    }
}

fn check(rows: &LabelledRows) -> Result<[usize; 3]> {
    let mut by_label = [0; 3];
    for &label in &rows.labels {
        by_label[label] += 1;
    }
    let few = |message: String| {
        Error::new(ErrorKind::Option, message).hint("label more rows, and run it again")
    };
    if rows.labels.len() < LEAST_ROWS {
        return Err(few(format!(
            "{} labelled rows, expected at least {LEAST_ROWS}",
            rows.labels.len()
        )));
    }
    let enough = by_label.iter().filter(|&&rows| rows >= LEAST_OF_LABEL);
    if enough.count() < 2 {
        return Err(few(format!(
            "{} rows are favor, {} against and {} neutral, expected {LEAST_OF_LABEL} of two of them at least",
            by_label[0], by_label[1], by_label[2]
        )));
    }
    Ok(by_label)
}

/// The fold of each of these rows: labels are spread evenly, and a text is in one fold only.
fn folds(rows: &LabelledRows, chosen: &[usize], folds: usize, salt: &[u8]) -> Vec<usize> {
    let mut texts: Vec<(usize, [u8; 32], [u8; 32])> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for &row in chosen {
        let text = rows.texts[row];
        if known.insert(text) {
            let mut order = Sha256::new();
            order.update(salt);
            order.update(text);
            texts.push((rows.labels[row], order.finalize().into(), text));
        }
    }
    texts.sort_unstable();
    let fold_of: std::collections::HashMap<[u8; 32], usize> = (texts.iter().enumerate())
        .map(|(index, (_, _, text))| (*text, index % folds))
        .collect();
    chosen
        .iter()
        .map(|&row| fold_of[&rows.texts[row]])
        .collect()
}

/// The rows of all other folds, and of this one.
fn split(chosen: &[usize], folds: &[usize], fold: usize) -> (Vec<usize>, Vec<usize>) {
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (&row, &of) in chosen.iter().zip(folds) {
        match of == fold {
            true => test.push(row),
            false => train.push(row),
        }
    }
    (train, test)
}

/// A head fitted on these rows with the strength that cross-validation over them prefers: the one
/// of the least mean loss on rows held out.
fn fit(rows: &LabelledRows, shipped: &Head, chosen: &[usize]) -> (Head, Option<f64>) {
    let folds = folds(rows, chosen, INNER_FOLDS, b"inner");
    // [fold][strength], the shipped head first.
    let losses: Vec<Vec<f64>> = (0..INNER_FOLDS)
        .into_par_iter()
        .map(|fold| {
            let (train, test) = split(chosen, &folds, fold);
            let features = rows.features.select(Axis(0), &test);
            let labels: Vec<usize> = test.iter().map(|&row| rows.labels[row]).collect();
            let loss = |head: &Head| {
                let logits = head.logits(features.view());
                regression::loss(logits.view(), &labels)
            };
            let mut path = Path::new(rows, shipped, &train);
            std::iter::once(loss(shipped))
                .chain(STRENGTHS.iter().map(|&strength| loss(&path.next(strength))))
                .collect()
        })
        .collect();
    let total = |index: usize| losses.iter().map(|fold| fold[index]).sum::<f64>();
    // Of equals the stronger pull.
    let best = (1..=STRENGTHS.len()).fold(0, |best, index| {
        if total(index) < total(best) {
            index
        } else {
            best
        }
    });
    let mut path = Path::new(rows, shipped, chosen);
    let mut fitted = (shipped.clone(), None);
    for &strength in &STRENGTHS[..best] {
        fitted = (path.next(strength), Some(strength));
    }
    fitted
}

/// Fits of ever weaker pull, each from where the last one ended.
struct Path<'a> {
    fit: Fit,
    standard: Standard,
    shipped: &'a Head,
}

impl<'a> Path<'a> {
    fn new(rows: &LabelledRows, shipped: &'a Head, chosen: &[usize]) -> Path<'a> {
        let features = rows.features.select(Axis(0), chosen);
        let labels = chosen.iter().map(|&row| rows.labels[row]).collect();
        let standard = Standard::of(features.view());
        let starting = shipped.logits(features.view());
        Path {
            fit: Fit::new(standard.apply(features.view()), starting, labels),
            standard,
            shipped,
        }
    }

    fn next(&mut self, strength: f64) -> Head {
        self.fit.minimise(strength);
        moved(self.shipped, &self.fit, &self.standard)
    }
}

fn tops(logits: ArrayView2<f64>) -> Vec<usize> {
    let top = |row: ndarray::ArrayView1<f64>| {
        (1..row.len()).fold(
            0,
            |best, index| if row[index] > row[best] { index } else { best },
        )
    };
    logits.outer_iter().map(top).collect()
}

/// The temperature of the least loss, to two decimals.
fn temperature(logits: ArrayView2<f64>, labels: &[usize]) -> f64 {
    let tried = (25..=400)
        .step_by(2)
        .map(|hundredth| f64::from(hundredth) / 100.0);
    let loss = |temperature: f64| regression::loss((&logits / temperature).view(), labels);
    let losses = tried.map(|temperature| (loss(temperature), temperature));
    losses
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(1.0, |(_, temperature)| temperature)
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use rand_pcg::Pcg64;

    use super::*;
    use crate::evaluation::bootstrap::below;

    /// Rows of 8 features, of which the label follows the first; the shipped head follows the
    /// second, which means nothing here.
    fn rows(n: usize, learnable: bool) -> (LabelledRows, Head) {
        let mut random = Pcg64::new(3, 0);
        let mut number = || below(&mut random, 2001) as f32 / 1000.0 - 1.0;
        let mut features = Array2::zeros((n, 8));
        features.iter_mut().for_each(|x| *x = number());
        let labels = (0..n).map(|row| {
            let at = if learnable {
                features[[row, 0]]
            } else {
                number()
            };
            usize::from(at > -0.3) + usize::from(at > 0.4)
        });
        let labels = labels.collect();
        let texts = (0..n)
            .map(|row| LabelledRows::text_key(&row.to_string()))
            .collect();
        let mut weight = Array2::zeros((3, 8));
        (weight[[0, 1]], weight[[1, 1]]) = (1.0, -1.0);
        let shipped = Head {
            weight,
            bias: array![0.0, 0.0, 0.0],
        };
        (
            LabelledRows {
                features,
                labels,
                texts,
            },
            shipped,
        )
    }

    #[test]
    fn what_can_be_learned_is_a_gain_and_what_cannot_is_none() {
        let (learnable, shipped) = rows(200, true);
        let adapted = Adaptation::new(&learnable, &shipped, Bootstrap::default()).unwrap();
        assert!(adapted.report.is_gain(), "{:?}", adapted.report);
        assert!(
            adapted.report.adapted_macro_f1 > 0.8,
            "{:?}",
            adapted.report
        );
        assert!(adapted.report.adapted_ece < 0.15, "{:?}", adapted.report);
        let (noise, shipped) = rows(200, false);
        let adapted = Adaptation::new(&noise, &shipped, Bootstrap::default()).unwrap();
        assert!(!adapted.report.is_gain(), "{:?}", adapted.report);
    }

    #[test]
    fn rows_of_one_text_are_in_one_fold_and_labels_are_spread() {
        let (mut rows, _) = rows(100, true);
        for row in 0..50 {
            rows.texts[row + 50] = rows.texts[row];
        }
        let all: Vec<usize> = (0..100).collect();
        let folds = folds(&rows, &all, 5, b"");
        assert_eq!(folds[..50], folds[50..]);
        for fold in 0..5 {
            assert_eq!(folds.iter().filter(|of| **of == fold).count(), 20);
        }
    }

    #[test]
    fn too_few_rows_are_refused() {
        let (few, shipped) = rows(29, true);
        let error = Adaptation::new(&few, &shipped, Bootstrap::default()).unwrap_err();
        assert!(error.to_string().contains("29 labelled rows"), "{error}");
        let (mut alike, shipped) = rows(60, true);
        alike.labels.fill(1);
        let error = Adaptation::new(&alike, &shipped, Bootstrap::default()).unwrap_err();
        assert!(
            error.to_string().contains("0 rows are favor, 60 against"),
            "{error}"
        );
    }
}
