//! The [`ReferenceEncoder`] computes in f32 with plain ndarray, as the papers' formulas read. It is
//! what the fast engine is held to; nothing in it is tuned but running texts in parallel.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use crate::encoder::config::{Activation, EncoderConfig, relative_bucket};
use crate::encoder::weights::{self, EncoderWeights};
use crate::encoder::{Encoder, Sequence, check_finite, check_sequences};
use crate::error::Result;
use crate::model::tensors::{Tensor, Tensors};

/// An encoder in plain f32.
#[derive(Debug)]
pub struct ReferenceEncoder {
    config: EncoderConfig,
    /// `[vocab, hidden]`
    words: Array2<f32>,
    /// `[position, hidden]`
    positions: Array2<f32>,
    /// `[type, hidden]`
    types: Option<Array2<f32>>,
    norm: Norm,
    layers: Vec<Layer>,
    /// `[bucket, head]`
    relative_bias: Option<Array2<f32>>,
}

#[derive(Debug)]
struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attention_output: Linear,
    attention_norm: Norm,
    expand: Linear,
    contract: Linear,
    output_norm: Norm,
}

#[derive(Debug)]
struct Linear {
    /// `[out, in]`
    weight: Array2<f32>,
    /// `[out]`
    bias: Array1<f32>,
}

#[derive(Debug)]
struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
    epsilon: f32,
}

impl ReferenceEncoder {
    /// Takes an encoder's tensors, as f32.
    ///
    /// # Errors
    /// A tensor that is missing, or whose shape is not the configuration's.
    pub fn load(tensors: &Tensors, config: &EncoderConfig) -> Result<ReferenceEncoder> {
        let weights = EncoderWeights::find(tensors, config)?;
        let norm = |norm: &weights::Norm| Norm {
            weight: vector(&norm.weight),
            bias: vector(&norm.bias),
            epsilon: config.layer_norm_epsilon,
        };
        let layers = weights.layers.iter().map(|layer| Layer {
            query: linear(&layer.query),
            key: linear(&layer.key),
            value: linear(&layer.value),
            attention_output: linear(&layer.attention_output),
            attention_norm: norm(&layer.attention_norm),
            expand: linear(&layer.expand),
            contract: linear(&layer.contract),
            output_norm: norm(&layer.output_norm),
        });
        Ok(ReferenceEncoder {
            config: config.clone(),
            words: matrix(&weights.words),
            positions: matrix(&weights.positions),
            types: weights.types.as_ref().map(matrix),
            norm: norm(&weights.norm),
            layers: layers.collect(),
            relative_bias: weights.relative_bias.as_ref().map(matrix),
        })
    }

    /// Last hidden states of one sequence, `[tokens, hidden]`.
    fn encode(&self, sequence: &Sequence) -> Array2<f32> {
        let mut x = self.norm.apply(self.embed(sequence));
        for layer in &self.layers {
            let attended = layer.attention_output.apply(&self.attend(layer, &x));
            x = layer.attention_norm.apply(x + attended);
            let mut wide = layer.expand.apply(&x);
            match self.config.activation {
                Activation::Gelu => wide.mapv_inplace(gelu),
                Activation::Relu => wide.mapv_inplace(|value| value.max(0.0)),
            }
            x = layer.output_norm.apply(x + layer.contract.apply(&wide));
        }
        x
    }

    /// Sum of the embeddings, `[tokens, hidden]`.
    fn embed(&self, sequence: &Sequence) -> Array2<f32> {
        let tokens = sequence.input_ids.len();
        let mut x = Array2::zeros((tokens, self.config.hidden_size));
        for (token, mut row) in x.outer_iter_mut().enumerate() {
            row += &self.words.row(sequence.input_ids[token] as usize);
            row += &self.positions.row(token + self.config.position_offset);
            if let Some(types) = &self.types {
                row += &types.row(sequence.token_type_ids[token] as usize);
            }
        }
        x
    }

    /// Every head's weighted values side by side, `[tokens, hidden]`.
    fn attend(&self, layer: &Layer, x: &Array2<f32>) -> Array2<f32> {
        let size = self.config.head_size();
        let query = layer.query.apply(x) / (size as f32).sqrt();
        let (key, value) = (layer.key.apply(x), layer.value.apply(x));
        let mut attended = Array2::zeros(x.raw_dim());
        for head in 0..self.config.heads {
            let columns = s![.., head * size..(head + 1) * size];
            // [tokens, tokens]
            let mut scores = query.slice(columns).dot(&key.slice(columns).t());
            if let Some(bias) = &self.relative_bias {
                let buckets = bias.nrows();
                for ((from, to), score) in scores.indexed_iter_mut() {
                    *score += bias[[relative_bucket(to as i64 - from as i64, buckets), head]];
                }
            }
            softmax_rows(&mut scores);
            let mixed = scores.dot(&value.slice(columns));
            attended.slice_mut(columns).assign(&mixed);
        }
        attended
    }
}

impl Encoder for ReferenceEncoder {
    fn hidden_size(&self) -> usize {
        self.config.hidden_size
    }

    fn max_tokens(&self) -> usize {
        self.config.max_tokens()
    }

    fn description(&self) -> String {
        "reference f32".into()
    }

    fn encode_pooled(&self, batch: &[Sequence]) -> Result<Array2<f32>> {
        let states = self.encode_tokens(batch)?;
        let mut pooled = Array2::zeros((batch.len(), self.config.hidden_size));
        for (mut row, states) in pooled.outer_iter_mut().zip(&states) {
            row.assign(&states.mean_axis(Axis(0)).expect("at least one token"));
        }
        Ok(pooled)
    }

    fn encode_tokens(&self, batch: &[Sequence]) -> Result<Vec<Array2<f32>>> {
        check_sequences(batch, &self.config)?;
        let states: Vec<_> = batch
            .par_iter()
            .map(|sequence| self.encode(sequence))
            .collect();
        for (index, states) in states.iter().enumerate() {
            check_finite(states.iter(), index, batch, self)?;
        }
        Ok(states)
    }
}

impl Linear {
    fn apply(&self, x: &Array2<f32>) -> Array2<f32> {
        x.dot(&self.weight.t()) + &self.bias
    }
}

impl Norm {
    fn apply(&self, mut x: Array2<f32>) -> Array2<f32> {
        for mut row in x.outer_iter_mut() {
            let mean = row.sum() / row.len() as f32;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>();
            let scale = 1.0 / (variance / row.len() as f32 + self.epsilon).sqrt();
            row.zip_mut_with(&self.weight, |value, gain| {
                *value = (*value - mean) * scale * gain
            });
            row += &self.bias;
        }
        x
    }
}

fn softmax_rows(scores: &mut Array2<f32>) {
    for mut row in scores.outer_iter_mut() {
        let largest = row.fold(f32::NEG_INFINITY, |largest, value| largest.max(*value));
        row.mapv_inplace(|value| (value - largest).exp());
        let total = row.sum();
        row /= total;
    }
}

fn linear(linear: &weights::Linear) -> Linear {
    Linear {
        weight: matrix(&linear.weight),
        bias: vector(&linear.bias),
    }
}

fn matrix(tensor: &Tensor) -> Array2<f32> {
    let shape = (tensor.shape[0], tensor.row_len());
    ArrayView2::from_shape(shape, &tensor.to_f32())
        .expect("as many values as the shape says")
        .to_owned()
}

fn vector(tensor: &Tensor) -> Array1<f32> {
    Array1::from_vec(tensor.to_f32())
}

/// `x Φ(x)`.
fn gelu(x: f32) -> f32 {
    let x = f64::from(x);
    (0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2))) as f32
}

/// The error function to 1.2e-7 (Numerical Recipes, 2nd ed., section 6.2, `erfcc`): below f32's
/// own resolution around 1.
fn erf(x: f64) -> f64 {
    const C: [f64; 10] = [
        -1.26551223,
        1.00002368,
        0.37409196,
        0.09678418,
        -0.18628806,
        0.27886807,
        -1.13520398,
        1.48851587,
        -0.82215223,
        0.17087277,
    ];
    let t = 1.0 / (1.0 + 0.5 * x.abs());
    let polynomial = C.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let tail = t * (polynomial - x * x).exp();
    if x >= 0.0 { 1.0 - tail } else { tail - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_agrees_with_tabulated_values() {
        // Abramowitz & Stegun, table 7.1.
        for (x, expected) in [
            (0.0, 0.0),
            (0.1, 0.112_462_916),
            (0.5, 0.520_499_878),
            (1.0, 0.842_700_793),
            (2.0, 0.995_322_265),
        ] {
            assert!((erf(x) - expected).abs() < 2e-7, "erf({x}) = {}", erf(x));
            assert!((erf(-x) + expected).abs() < 2e-7, "erf(-{x})");
        }
    }
}
