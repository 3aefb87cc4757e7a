//! An evaluation holds predictions against gold answers: [`labels`] those of stance and sentiment,
//! [`quotes`] those of quotes and speakers. Figures are defined as in the two Python scorers of the
//! field's shared data (`score_labels.py`, `score_quotes.py`), and come with the interval that a
//! [`Bootstrap`] gives them.

pub mod bootstrap;
pub mod labels;
pub mod quotes;

pub use bootstrap::Bootstrap;

use serde_json::{Value, json};

/// A figure with its 95 % interval, where one was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Of all rows; `None` where nothing defines it, such as an accuracy of no rows.
    pub value: Option<f64>,
    /// The 2.5th and 97.5th percentile over the resamples.
    pub interval: Option<[f64; 2]>,
}

impl Estimate {
    /// `{"value": …, "interval": [low, high]}`, rounded to six decimals.
    pub fn to_json(self) -> Value {
        let round = |x: f64| (x * 1e6).round() / 1e6;
        match self.interval {
            Some(interval) => {
                json!({ "value": self.value.map(round), "interval": interval.map(round) })
            }
            None => json!({ "value": self.value.map(round) }),
        }
    }

    /// The value over the resamples' values: percentiles of those that are defined.
    pub fn of_resamples(value: Option<f64>, resampled: &[Option<f64>]) -> Estimate {
        let mut known: Vec<f64> = resampled.iter().copied().flatten().collect();
        known.sort_by(f64::total_cmp);
        let interval = (value.is_some() && known.len() > 1)
            .then(|| [percentile(&known, 0.025), percentile(&known, 0.975)]);
        Estimate { value, interval }
    }

    /// As [`Estimate::of_resamples`], mirrored about the value (the "basic" interval) and not
    /// below 0: for figures that resampling itself makes larger, such as a calibration error.
    pub fn of_resamples_mirrored(value: Option<f64>, resampled: &[Option<f64>]) -> Estimate {
        let mut estimate = Estimate::of_resamples(value, resampled);
        if let (Some(value), Some([low, high])) = (value, estimate.interval) {
            let mirrored = [2.0 * value - high, 2.0 * value - low];
            estimate.interval = Some(mirrored.map(|end| end.max(0.0)));
        }
        estimate
    }
}

/// Of sorted values, at least one; between two of them the line.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}
