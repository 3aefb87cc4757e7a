//! A [`Linear`] is a weight matrix packed once, at load, in the order the kernels read it.

use half::bf16;
use rayon::prelude::*;

use super::kernels::{Chosen, Kernels};
use super::product::{Product, Then};
use super::rows::{Pairs, Quads, Steps};
use crate::encoder::Precision;
use crate::encoder::weights;
use crate::error::{Error, ErrorKind, Result};

/// `y = x Wᵀ + b`, in panels of as many output channels as the kernels take at once.
pub(super) struct Linear {
    inputs: usize,
    panels: Panels,
    /// `[out]`
    bias: Vec<f32>,
}

enum Panels {
    /// `[panel][in][width]`
    F32(Vec<f32>),
    /// `[panel][in / 2][width][2]`
    Bf16(Vec<bf16>),
    /// `[panel][in / 2][width][2]`
    Pairs(Integers<i16>),
    /// `[panel][in / 4][width][4]`
    Quads(Integers<i8>),
}

/// Weights as integers.
struct Integers<T> {
    weights: Vec<T>,
    /// Of each output channel: `w ≈ weights * scale`.
    scale: Vec<f32>,
    /// Of each output channel's weights, times the scale.
    sum: Vec<f32>,
    /// For the activations.
    steps: Steps,
}

/// Activations as the weights need them; working memory.
#[derive(Default)]
pub(super) struct Quantized {
    pairs: Pairs,
    quads: Quads,
    bf16: Vec<bf16>,
}

/// Largest weight at int16, and at int8. Sums stay within i32 by the weights of each product: at
/// int16, what the weights leave is given to the activations. Weights have no outliers as
/// activations have, so they need fewer of the bits: 11, which leaves the activations of a product
/// of 1,536 inputs about 13.
const LARGEST_INT16: f32 = 1023.0;
const LARGEST_INT8: f32 = 127.0;

impl Linear {
    /// Packs products of the same input side by side.
    ///
    /// # Errors
    /// A weight that is not finite.
    pub(super) fn pack(
        parts: &[&weights::Linear],
        precision: Precision,
        chosen: Chosen,
    ) -> Result<Linear> {
        let inputs = parts[0].weight.row_len();
        let bias: Vec<f32> = parts.iter().flat_map(|part| part.bias.to_f32()).collect();
        let width = chosen.kernels.panel;
        let panels = match precision {
            Precision::Int8 if chosen.vnni => {
                let steps = |_| Steps {
                    count: 255.0,
                    centred: false,
                };
                let packed = integers::<i8, 4>(parts, width, LARGEST_INT8, steps)?;
                Panels::Quads(packed)
            }
            Precision::Int8 => {
                let steps = |_| Steps {
                    count: 255.0,
                    centred: false,
                };
                Panels::Pairs(integers::<i16, 2>(parts, width, LARGEST_INT8, steps)?)
            }
            Precision::Int16 => {
                let steps = |sum: u32| Steps {
                    // A whole number each side, so that the lowest and the highest are integers.
                    count: 2.0 * (i32::MAX as u32 / sum.max(1)).min(32_767) as f32,
                    centred: true,
                };
                Panels::Pairs(integers::<i16, 2>(parts, width, LARGEST_INT16, steps)?)
            }
            Precision::Bf16 => Panels::Bf16(reals::<_, 2>(parts, width, bf16::from_f32)),
            Precision::Auto | Precision::F32 => Panels::F32(reals::<_, 1>(parts, width, |w| w)),
        };
        Ok(Linear {
            inputs,
            panels,
            bias,
        })
    }

    /// `x` (`[rows, in]`) to `out` (`[rows, out]`).
    pub(super) fn apply(
        &self,
        kernels: &Kernels,
        x: &[f32],
        quantized: &mut Quantized,
        then: Then,
        out: &mut [f32],
    ) {
        let inputs = self.inputs;
        let product = Product {
            inputs,
            bias: &self.bias,
            then,
            out,
        };
        // SAFETY: kernels are chosen only where the processor has them.
        unsafe {
            match &self.panels {
                Panels::F32(weights) => (kernels.product_f32)(x, weights, product),
                Panels::Bf16(weights) => {
                    let x16 = &mut quantized.bf16;
                    x16.resize(x.len(), bf16::ZERO);
                    (kernels.round_bf16)(x, x16);
                    (kernels.product_bf16)(x16, weights, product);
                }
                Panels::Pairs(w) => {
                    let x8 = &mut quantized.pairs;
                    (kernels.quantize_pairs)(x, inputs, w.steps, x8);
                    (kernels.product_pairs)(x8, &w.weights, &w.scale, &w.sum, product);
                }
                Panels::Quads(w) => {
                    let x8 = &mut quantized.quads;
                    (kernels.quantize_quads)(x, inputs, w.steps, x8);
                    (kernels.product_quads)(x8, &w.weights, &w.scale, &w.sum, product);
                }
            }
        }
    }
}

/// Packs `TOGETHER` inputs side by side.
fn reals<T: Copy + Default + Send, const TOGETHER: usize>(
    parts: &[&weights::Linear],
    width: usize,
    round: impl Fn(f32) -> T + Sync,
) -> Vec<T> {
    let inputs = parts[0].weight.row_len();
    let outputs: usize = parts.iter().map(|part| part.weight.shape[0]).sum();
    let mut packed = vec![T::default(); inputs * outputs];
    let panels = packed.par_chunks_mut(width * inputs).enumerate();
    panels.for_each_init(
        || vec![0.0; inputs],
        |values, (panel, packed)| {
            for j in 0..width {
                let (part, own) = part_of(parts, panel * width + j);
                part.weight.read_row(own, values);
                for (i, value) in values.iter().enumerate() {
                    let (step, place) = (i / TOGETHER, i % TOGETHER);
                    packed[(step * width + j) * TOGETHER + place] = round(*value);
                }
            }
        },
    );
    packed
}

/// An integer type of weights.
trait Weight: Copy + Default + Send {
    fn of(value: i32) -> Self;
}

impl Weight for i8 {
    fn of(value: i32) -> i8 {
        value as i8
    }
}

impl Weight for i16 {
    fn of(value: i32) -> i16 {
        value as i16
    }
}

/// Quantises every output channel by its largest weight, and packs `TOGETHER` inputs side by side.
/// `steps` is told the largest sum of absolute weights of a channel.
fn integers<T: Weight, const TOGETHER: usize>(
    parts: &[&weights::Linear],
    width: usize,
    largest: f32,
    steps: impl Fn(u32) -> Steps,
) -> Result<Integers<T>> {
    let inputs = parts[0].weight.row_len();
    let outputs = parts.iter().map(|part| part.weight.shape[0]).sum();
    let mut packed = vec![T::default(); inputs * outputs];
    let (mut scale, mut sum) = (vec![0.0; outputs], vec![0.0; outputs]);
    let panels = packed.par_chunks_mut(width * inputs);
    let panels = panels.zip(scale.par_chunks_mut(width).zip(sum.par_chunks_mut(width)));
    let heaviest = panels.enumerate().map_init(
        || (vec![0.0; inputs], vec![0i32; inputs]),
        |(values, rounded), (panel, (packed, (scale, sum)))| {
            let mut heaviest = 0;
            for j in 0..width {
                scale[j] = quantized_row(parts, panel * width + j, largest, values, rounded)?;
                let total: i32 = rounded.iter().sum();
                sum[j] = total as f32 * scale[j];
                heaviest = heaviest.max(rounded.iter().map(|value| value.unsigned_abs()).sum());
                for (i, together) in rounded.chunks_exact(TOGETHER).enumerate() {
                    let packed = &mut packed[(i * width + j) * TOGETHER..][..TOGETHER];
                    for (packed, value) in packed.iter_mut().zip(together) {
                        *packed = T::of(*value);
                    }
                }
            }
            Ok(heaviest)
        },
    );
    let heaviest = heaviest.try_reduce(|| 0, |a, b| Ok(a.max(b)))?;
    Ok(Integers {
        weights: packed,
        scale,
        sum,
        steps: steps(heaviest),
    })
}

/// One output channel's weights as integers within `largest`, and their scale. Weights stored as
/// int8 are taken as they are, not rounded a second time.
fn quantized_row(
    parts: &[&weights::Linear],
    row: usize,
    largest: f32,
    values: &mut [f32],
    rounded: &mut [i32],
) -> Result<f32> {
    let (part, own) = part_of(parts, row);
    let scale = if let Some((bytes, scale)) = part.weight.int8_row(own) {
        for (rounded, byte) in rounded.iter_mut().zip(bytes) {
            *rounded = i32::from(*byte as i8);
        }
        scale
    } else {
        part.weight.read_row(own, values);
        // Without their sign, bits order as the values do, and NaN above everything.
        let most = values
            .iter()
            .fold(0, |most: u32, value| most.max(value.to_bits() << 1));
        let most = f32::from_bits(most >> 1);
        let factor = if most < 1e-30 { 0.0 } else { largest / most };
        for (rounded, value) in rounded.iter_mut().zip(values.iter()) {
            // Ties to even, as the kernels round.
            *rounded = ((value * factor + super::lanes::ROUND).to_bits() as i32)
                .wrapping_sub(super::lanes::ROUND.to_bits() as i32);
        }
        if factor == 0.0 { 0.0 } else { most / largest }
    };
    if scale.is_finite() {
        return Ok(scale);
    }
    let message = "a weight of the encoder is not finite";
    Err(Error::new(ErrorKind::Model, message)
        .hint("the file is damaged, or was trained until it overflowed"))
}

/// Which of the parts has this row of all of them, and which of its own it is.
fn part_of<'p, 'a>(
    parts: &'p [&'p weights::Linear<'a>],
    mut row: usize,
) -> (&'p weights::Linear<'a>, usize) {
    for part in parts {
        let rows = part.weight.shape[0];
        if row < rows {
            return (part, row);
        }
        row -= rows;
    }
    unreachable!("rows are counted over the same parts")
}
