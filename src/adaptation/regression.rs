//! A [`Fit`] is a multinomial logistic regression that is drawn back to where it began: L-BFGS over
//! all rows at once, in f64 and in a fixed order of sums.

use std::collections::VecDeque;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use crate::prediction::Head;

/// A head, moved by a fit over standardised features, for the features as they are.
pub(super) fn moved(head: &Head, fit: &Fit, standard: &Standard) -> Head {
    let change = &fit.weight() / &standard.deviation;
    Head {
        bias: &head.bias + &fit.bias() - change.dot(&standard.mean),
        weight: &head.weight + &change,
    }
}

/// Mean and standard deviation of each feature: `[hidden]`.
pub(super) struct Standard {
    mean: Array1<f64>,
    deviation: Array1<f64>,
}

impl Standard {
    pub fn of(features: ArrayView2<f32>) -> Standard {
        let features = features.mapv(f64::from);
        let hidden = features.ncols();
        let zero = || Array1::zeros(hidden);
        // A feature that does not vary teaches nothing, and stays small.
        let deviation = features.std_axis(Axis(0), 0.0).mapv(|d| d.max(1e-3));
        Standard {
            mean: features.mean_axis(Axis(0)).unwrap_or_else(zero),
            deviation,
        }
    }

    pub fn apply(&self, features: ArrayView2<f32>) -> Array2<f64> {
        (features.mapv(f64::from) - &self.mean) / &self.deviation
    }
}

/// Softmax of logits divided by a temperature, `[row, label]`.
pub fn probabilities(logits: ArrayView2<f64>, temperature: f64) -> Array2<f64> {
    let mut probabilities = &logits / temperature;
    for mut row in probabilities.outer_iter_mut() {
        let most = row.fold(f64::NEG_INFINITY, |most, &logit| most.max(logit));
        row.mapv_inplace(|logit| (logit - most).exp());
        let sum = row.sum();
        row /= sum;
    }
    probabilities
}

/// Mean negative log likelihood.
pub fn loss(logits: ArrayView2<f64>, labels: &[usize]) -> f64 {
    let of_row = |(row, &label): (ArrayView1<f64>, &usize)| {
        let most = row.fold(f64::NEG_INFINITY, |most, &logit| most.max(logit));
        let sum: f64 = row.iter().map(|logit| (logit - most).exp()).sum();
        most + sum.ln() - row[label]
    };
    let total: f64 = logits.outer_iter().zip(labels).map(of_row).sum();
    total / labels.len().max(1) as f64
}

/// Rows with the logits they begin with, and how far the head has moved.
pub(super) struct Fit {
    /// `[row, hidden]`
    features: Array2<f64>,
    /// `[row, label]`
    starting: Array2<f64>,
    labels: Vec<usize>,
    /// Weights by label, then biases: `[label * hidden + label]`.
    moved: Array1<f64>,
}

/// The bias is drawn back less than a weight: the shares of labels are what a target changes first.
const BIAS_PULL: f64 = 0.1;
/// Steps that L-BFGS remembers.
const MEMORY: usize = 8;
const MOST_STEPS: usize = 60;
/// It ends where the largest part of the gradient is this small.
const TOLERANCE: f64 = 1e-4;

impl Fit {
    pub fn new(features: Array2<f64>, starting: Array2<f64>, labels: Vec<usize>) -> Fit {
        let moved = Array1::zeros(starting.ncols() * (features.ncols() + 1));
        Fit {
            features,
            starting,
            labels,
            moved,
        }
    }

    /// `[label, hidden]`
    pub fn weight(&self) -> Array2<f64> {
        let shape = (self.starting.ncols(), self.features.ncols());
        let weights = self.moved.iter().take(shape.0 * shape.1).copied().collect();
        Array2::from_shape_vec(shape, weights).expect("as many as the shape says")
    }

    /// `[label]`
    pub fn bias(&self) -> Array1<f64> {
        let weights = self.starting.ncols() * self.features.ncols();
        self.moved.iter().skip(weights).copied().collect()
    }

    /// Moves to the minimum of the mean loss and of `strength / 2` times the square of the way
    /// moved.
    pub fn minimise(&mut self, strength: f64) {
        let (mut value, mut gradient) = self.value(&self.moved, strength);
        // (step, change of the gradient, 1 / their product), the newest last.
        let mut memory: VecDeque<(Array1<f64>, Array1<f64>, f64)> = VecDeque::new();
        for _ in 0..MOST_STEPS {
            if gradient.iter().all(|part| part.abs() < TOLERANCE) {
                return;
            }
            let mut direction = -two_loop(&gradient, &memory);
            let mut slope = direction.dot(&gradient);
            if slope >= 0.0 {
                memory.clear();
                direction = -&gradient;
                slope = direction.dot(&gradient);
            }
            let first = 1.0 / gradient.dot(&gradient).sqrt();
            let mut length = if memory.is_empty() {
                first.min(1.0)
            } else {
                1.0
            };
            // Armijo: a step must bring a small part of what the slope promises.
            let (moved, next_value, next_gradient) = loop {
                let moved = &self.moved + &(&direction * length);
                let (next, next_gradient) = self.value(&moved, strength);
                if next <= value + 1e-4 * length * slope {
                    break (moved, next, next_gradient);
                }
                length /= 2.0;
                if length < 1e-10 {
                    return;
                }
            };
            let step = &moved - &self.moved;
            let change = &next_gradient - &gradient;
            let product = step.dot(&change);
            if product > 1e-12 {
                memory.push_back((step, change, 1.0 / product));
                if memory.len() > MEMORY {
                    memory.pop_front();
                }
            }
            (self.moved, value, gradient) = (moved, next_value, next_gradient);
        }
    }

    /// The value to minimise and its gradient.
    fn value(&self, moved: &Array1<f64>, strength: f64) -> (f64, Array1<f64>) {
        let (labels, hidden) = (self.starting.ncols(), self.features.ncols());
        let weights = labels * hidden;
        let weight = moved.slice(ndarray::s![..weights]);
        let weight = weight
            .to_shape((labels, hidden))
            .expect("as many as the shape says");
        let bias = moved.slice(ndarray::s![weights..]);
        let logits = self.features.dot(&weight.t()) + bias + &self.starting;
        let mut value = loss(logits.view(), &self.labels);
        let mut errors = probabilities(logits.view(), 1.0);
        for (mut row, &label) in errors.outer_iter_mut().zip(&self.labels) {
            row[label] -= 1.0;
        }
        errors /= self.labels.len() as f64;
        let of_weight = errors.t().dot(&self.features);
        let of_bias = errors.sum_axis(Axis(0));
        let mut gradient: Array1<f64> = of_weight.iter().chain(&of_bias).copied().collect();
        for (index, (part, moved)) in gradient.iter_mut().zip(moved).enumerate() {
            let pull = strength * if index < weights { 1.0 } else { BIAS_PULL };
            value += pull / 2.0 * moved * moved;
            *part += pull * moved;
        }
        (value, gradient)
    }
}

/// The inverse of the curvature, as the last steps show it, times the gradient (Nocedal 1980).
fn two_loop(
    gradient: &Array1<f64>,
    memory: &VecDeque<(Array1<f64>, Array1<f64>, f64)>,
) -> Array1<f64> {
    let mut direction = gradient.clone();
    let mut shares = Vec::with_capacity(memory.len());
    for (step, change, scale) in memory.iter().rev() {
        let share = scale * step.dot(&direction);
        direction.scaled_add(-share, change);
        shares.push(share);
    }
    if let Some((_, change, scale)) = memory.back() {
        direction /= scale * change.dot(change);
    }
    for ((step, change, scale), share) in memory.iter().zip(shares.iter().rev()) {
        let back = scale * change.dot(&direction);
        direction.scaled_add(share - back, step);
    }
    direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_is_where_the_gradient_is_nothing() {
        let mut state = 1_u64;
        let mut number = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 40) as f64 / f64::from(1 << 23) - 1.0
        };
        let features = Array2::from_shape_simple_fn((60, 20), &mut number);
        let starting = Array2::from_shape_simple_fn((60, 3), &mut number);
        let labels = (0..60).map(|row| row % 3).collect();
        let mut fit = Fit::new(features, starting, labels);
        fit.minimise(0.01);
        let (least, gradient) = fit.value(&fit.moved, 0.01);
        assert!(gradient.iter().all(|part| part.abs() < 2.0 * TOLERANCE));
        // The gradient is that of the value.
        let mut moved = fit.moved.clone();
        for index in [0, 25, 59, 61] {
            let (at, step) = (moved[index], 1e-5);
            moved[index] = at + 0.1;
            let (_, gradient) = fit.value(&moved, 0.01);
            let mut side = |step: f64| {
                moved[index] += step;
                let (value, _) = fit.value(&moved, 0.01);
                moved[index] -= step;
                value
            };
            let numeric = (side(step) - side(-step)) / (2.0 * step);
            assert!((gradient[index] - numeric).abs() < 1e-7);
            let (value, _) = fit.value(&moved, 0.01);
            assert!(value > least);
            moved[index] = at;
        }
    }
}
