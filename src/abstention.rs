//! A [`RiskCoverage`] counts, for each of a grid of thresholds, how many predictions on labelled
//! data were at least that sure, and how many of these were wrong. From it follows a threshold
//! that keeps a promise: "at most E errors among those kept, at confidence 95 %".
//!
//! The promise is computed by learn-then-test (Angelopoulos, Bates, Candès, Jordan and Lei 2021).
//! For a threshold with n kept and k wrong, "the true share of errors is above E" is rejected at
//! level δ where a binomial of n and E gives k or fewer with a probability of at most δ: the exact
//! test, that of the Clopper-Pearson bound. Thresholds are tested from strict to lenient until one
//! is not rejected (fixed-sequence testing), from several starts that are fixed beforehand and
//! share the level between them, since the strictest threshold keeps too few to reject anything.
//! With probability 95 % over the labelled data, no threshold that is rejected has more than E
//! errors among what it keeps of texts drawn as the labelled ones were. Of other texts nothing is
//! promised.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::error::{Error, ErrorKind, Result};

/// The thresholds: keep all, then each hundredth above a third, which the surest of three labels
/// always has.
pub fn thresholds() -> Vec<f64> {
    let hundredths = (34..100).map(|hundredth| f64::from(hundredth) / 100.0);
    std::iter::once(0.0).chain(hundredths).collect()
}

/// Where the tests begin; each goes on to lower thresholds at its share of [`LEVEL`].
const STARTS: [f64; 5] = [0.95, 0.9, 0.8, 0.7, 0.6];
/// How often the promise may fail, over the data it was computed on.
const LEVEL: f64 = 0.05;

/// Counts by threshold, and what they were counted on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskCoverage {
    /// What the labelled data were, in words: the population of the promise.
    pub data: String,
    /// Probabilities of the label, from low to high: `[threshold]`.
    pub thresholds: Vec<f64>,
    /// Predictions whose probability is at least the threshold: `[threshold]`.
    pub kept: Vec<u64>,
    /// Those of them that are wrong: `[threshold]`.
    pub wrong: Vec<u64>,
}

impl RiskCoverage {
    /// Counts predictions, each with the probability of its label and whether that is right.
    pub fn new(data: &str, answers: impl IntoIterator<Item = (f64, bool)>) -> RiskCoverage {
        let thresholds = thresholds();
        let (mut kept, mut wrong) = (vec![0; thresholds.len()], vec![0; thresholds.len()]);
        for (probability, right) in answers {
            let reached = thresholds.partition_point(|&threshold| threshold <= probability);
            kept[..reached].iter_mut().for_each(|kept| *kept += 1);
            let errors = u64::from(!right);
            wrong[..reached]
                .iter_mut()
                .for_each(|wrong| *wrong += errors);
        }
        RiskCoverage {
            data: data.to_owned(),
            thresholds,
            kept,
            wrong,
        }
    }

    /// Predictions counted.
    pub fn rows(&self) -> u64 {
        self.kept.first().copied().unwrap_or(0)
    }

    /// What is wrong with a table that was read from a file, if anything is.
    pub fn problem(&self) -> Option<&'static str> {
        let (kept, wrong) = (&self.kept, &self.wrong);
        let rises = |values: &[f64]| values.windows(2).all(|pair| pair[0] < pair[1]);
        let falls = |counts: &[u64]| counts.windows(2).all(|pair| pair[0] >= pair[1]);
        if kept.len() != self.thresholds.len() || wrong.len() != kept.len() {
            Some("thresholds, kept and wrong differ in length")
        } else if !rises(&self.thresholds) || !falls(kept) || !falls(wrong) {
            Some("thresholds must rise, and kept and wrong fall")
        } else if kept.iter().zip(wrong).any(|(kept, wrong)| wrong > kept) {
            Some("more are wrong than are kept")
        } else {
            None
        }
    }

    /// The lowest threshold above which at most this share of predictions is wrong, at confidence
    /// 95 %; see the module for what that means. `None`: there is none.
    pub fn threshold(&self, max_error: f64) -> Option<f64> {
        let level = LEVEL / STARTS.len() as f64;
        let rejected = |index: usize| {
            let kept = self.kept[index];
            let binomial = Binomial::new(max_error, kept).ok()?;
            (kept > 0 && binomial.cdf(self.wrong[index]) <= level).then_some(index)
        };
        let lowest = STARTS.iter().filter_map(|&start| {
            let begin = (self.thresholds).partition_point(|&threshold| threshold <= start);
            (0..begin).rev().map_while(rejected).last()
        });
        lowest.min().map(|index| self.thresholds[index])
    }

    /// As [`RiskCoverage::threshold`].
    ///
    /// # Errors
    /// A share that is none, or one for which there is no threshold; the message says which
    /// could be promised.
    pub fn promised(&self, max_error: f64) -> Result<f64> {
        if !(max_error > 0.0 && max_error < 1.0) {
            let message = format!("a share of errors of {max_error}, expected one between 0 and 1");
            return Err(Error::new(ErrorKind::Option, message));
        }
        self.threshold(max_error).ok_or_else(|| {
            let least = (1..100).map(|hundredth| f64::from(hundredth) / 100.0);
            let least = least.clone().find(|&share| self.threshold(share).is_some());
            let error = Error::new(
                ErrorKind::Option,
                format!(
                    "at most {max_error} errors among those kept cannot be promised at confidence 95 % by the model's {} calibration rows",
                    self.rows()
                ),
            );
            match least {
                Some(least) => error.hint(format!(
                    "the least that can is {least}; or choose a threshold yourself with --min-confidence"
                )),
                None => error.hint("choose a threshold yourself with --min-confidence"),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use rand_pcg::Pcg64;
    use rand_pcg::rand_core::Rng;

    use super::*;

    /// Probabilities over 1/3 to 1, right as often as they say less a third of what they claim
    /// above chance: an overconfident model.
    fn draw(random: &mut Pcg64, n: usize) -> Vec<(f64, bool)> {
        let mut uniform = || random.next_u64() as f64 / u64::MAX as f64;
        (0..n)
            .map(|_| {
                let probability = 1.0 / 3.0 + uniform() * 2.0 / 3.0;
                (probability, uniform() < true_accuracy(probability))
            })
            .collect()
    }

    fn true_accuracy(probability: f64) -> f64 {
        probability - (probability - 1.0 / 3.0) / 5.0
    }

    /// The mean error above a threshold, of uniform probabilities.
    fn true_risk(threshold: f64) -> f64 {
        1.0 - true_accuracy((threshold.max(1.0 / 3.0) + 1.0) / 2.0)
    }

    #[test]
    fn the_promise_fails_at_most_as_often_as_it_says() {
        let mut random = Pcg64::new(1, 1);
        let (mut failed, mut given) = (0, 0);
        for _ in 0..400 {
            let table = RiskCoverage::new("", draw(&mut random, 1000));
            assert_eq!(table.problem(), None);
            if let Some(threshold) = table.threshold(0.3) {
                given += 1;
                failed += usize::from(true_risk(threshold) > 0.3);
            }
        }
        assert!(given > 300, "{given}");
        assert!(failed <= 20, "{failed} of 400");
    }

    #[test]
    fn a_share_that_cannot_be_promised_is_refused_with_one_that_can() {
        let table = RiskCoverage::new("", draw(&mut Pcg64::new(2, 1), 2000));
        let error = table.promised(0.05).unwrap_err();
        assert!(error.to_string().contains("0.05"), "{error}");
        let hint = error.way_out().unwrap();
        let least = hint.split([' ', ';']).find_map(|word| word.parse().ok());
        assert!(table.promised(least.unwrap()).is_ok(), "{hint}");
        assert!(table.promised(1.5).is_err());
        // Lenient enough, everything is kept.
        assert_eq!(table.promised(0.9).unwrap(), 0.0);
    }

    #[test]
    fn the_test_is_the_clopper_pearson_bound() {
        // 2 wrong of 100: the 99 % upper bound is .0814 (R: binom.test(2, 100, alternative =
        // "less", conf.level = .99)).
        let answers = (0..100).map(|row| (0.97, row >= 2));
        let table = RiskCoverage::new("", answers);
        assert_eq!(table.threshold(0.081), None);
        assert_eq!(table.threshold(0.082), Some(0.0));
    }
}
