//! The [`PackedEncoder`] is this crate's own engine: sequences stand one after another without
//! padding, weights are packed once at load, working memory is reused, and kernels are chosen when
//! the model is loaded (AVX-512 with VNNI, otherwise plain Rust).

mod plain;

#[cfg(target_arch = "x86_64")]
mod avx512;

use std::sync::Mutex;

use ndarray::{Array2, ArrayViewMut1};
use rayon::ThreadPool;
use rayon::prelude::*;

use self::plain::{Head, PANEL};
use crate::encoder::config::{Activation, EncoderConfig, relative_bucket};
use crate::encoder::weights::{self, EncoderWeights};
use crate::encoder::{
    Encoder, EngineOptions, Isa, Precision, Sequence, check_finite, check_sequences,
};
use crate::error::{Error, ErrorKind, Result};
use crate::model::tensors::{Tensor, Tensors};

/// Most tokens that are run together, unless one sequence is longer: the intermediate results of
/// so many stay in a core's second-level cache.
const MAX_PACK_TOKENS: usize = 192;

/// Rows of activations that share each load of weights.
const ROWS: usize = 6;

/// An encoder with packed weights.
pub struct PackedEncoder {
    config: EncoderConfig,
    kernels: Kernels,
    precision: Precision,
    pool: Option<ThreadPool>,
    /// `[vocab, hidden]`
    words: Vec<f32>,
    /// `[position, hidden]`
    positions: Vec<f32>,
    /// `[type, hidden]`; empty where the family has none.
    types: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    /// For each head, the bias by distance: `[head, 2 * max_tokens - 1]`.
    relative_bias: Option<Vec<f32>>,
    spare: Mutex<Vec<Scratch>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kernels {
    Avx512,
    Plain,
}

struct Layer {
    /// Query, key and value as one product.
    qkv: Linear,
    attention_output: Linear,
    attention_norm: Norm,
    expand: Linear,
    contract: Linear,
    output_norm: Norm,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// Weights in panels of 64 output channels, in the order the kernels read them.
struct Linear {
    inputs: usize,
    outputs: usize,
    panels: Panels,
    bias: Vec<f32>,
}

enum Panels {
    /// `[panel][in][64]`
    F32(Vec<f32>),
    /// `[panel][in / 4][64][4]`, each weight plus 128, and the scale of each output channel.
    Int8 { weights: Vec<u8>, scale: Vec<f32> },
}

/// Working memory of one pack; kept between packs.
#[derive(Default)]
struct Scratch {
    states: Vec<f32>,
    qkv: Vec<f32>,
    attended: Vec<f32>,
    wide: Vec<f32>,
    keys: Vec<f32>,
    scores: Vec<f32>,
    quantized: Quantized,
}

/// Activations as int8, with the scale and the sum of each row.
#[derive(Default)]
struct Quantized {
    values: Vec<i8>,
    scale: Vec<f32>,
    sum: Vec<i32>,
}

/// What becomes of a product's result.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Store,
    Add,
    Activate(Activation),
}

impl PackedEncoder {
    /// Whether this engine has the shape: widths in whole panels of 64, heads in whole lanes of
    /// 16. All published BERT, MiniLM, DistilBERT, RoBERTa and MPNet sizes above "tiny" are.
    pub fn supports(config: &EncoderConfig) -> bool {
        config.hidden_size.is_multiple_of(PANEL)
            && config.intermediate_size.is_multiple_of(PANEL)
            && config.head_size().is_multiple_of(16)
    }

    /// Packs an encoder's tensors.
    ///
    /// # Errors
    /// Tensors that are missing, of another shape or not finite; a shape, precision or instruction
    /// set that this engine or machine does not have.
    pub fn load(
        tensors: &Tensors,
        config: &EncoderConfig,
        options: &EngineOptions,
    ) -> Result<PackedEncoder> {
        let lacking = |message: String, hint: &str| {
            Err(Error::new(ErrorKind::Option, message).hint(hint.to_owned()))
        };
        if !PackedEncoder::supports(config) {
            return lacking(
                format!(
                    "the native engine cannot run hidden size {}, intermediate size {} and heads of {}",
                    config.hidden_size,
                    config.intermediate_size,
                    config.head_size()
                ),
                "use the reference engine",
            );
        }
        let precision = match options.precision {
            Precision::Int8 => Precision::Int8,
            Precision::Auto | Precision::F32 => Precision::F32,
            Precision::Bf16 => {
                return lacking(
                    "the native engine has no bf16 path".into(),
                    "use int8 or f32",
                );
            }
        };
        let kernels = match options.isa {
            Isa::Auto if avx512_available() => Kernels::Avx512,
            Isa::Auto | Isa::Portable => Kernels::Plain,
            Isa::Avx512 if avx512_available() => Kernels::Avx512,
            Isa::Avx512 => {
                return lacking(
                    "this processor has no AVX-512 VNNI".into(),
                    "use --isa auto",
                );
            }
            Isa::Avx2 => {
                return lacking(
                    "the native engine has no AVX2 path".into(),
                    "use --isa portable",
                );
            }
        };
        let weights = EncoderWeights::find(tensors, config)?;
        let layers: Result<_> = weights
            .layers
            .par_iter()
            .map(|layer| {
                Ok(Layer {
                    qkv: Linear::pack(&[&layer.query, &layer.key, &layer.value], precision)?,
                    attention_output: Linear::pack(&[&layer.attention_output], precision)?,
                    attention_norm: Norm::read(&layer.attention_norm),
                    expand: Linear::pack(&[&layer.expand], precision)?,
                    contract: Linear::pack(&[&layer.contract], precision)?,
                    output_norm: Norm::read(&layer.output_norm),
                })
            })
            .collect();
        let pool = match options.threads {
            0 => None,
            threads => {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                Some(pool.map_err(|error| {
                    Error::new(
                        ErrorKind::Option,
                        format!("could not start {threads} threads"),
                    )
                    .because(error)
                })?)
            }
        };
        Ok(PackedEncoder {
            kernels,
            precision,
            pool,
            words: weights.words.to_f32(),
            positions: weights.positions.to_f32(),
            types: weights.types.map_or_else(Vec::new, |types| types.to_f32()),
            norm: Norm::read(&weights.norm),
            layers: layers?,
            relative_bias: weights
                .relative_bias
                .map(|bias| bias_by_distance(&bias, config)),
            spare: Mutex::default(),
            config: config.clone(),
        })
    }

    /// Runs every pack and gives each sequence's last hidden states (`[tokens, hidden]`, flat) to
    /// `each` beside its own slot.
    fn run<S: Send>(
        &self,
        batch: &[Sequence],
        slots: Vec<S>,
        each: impl Fn(usize, &[f32], S) -> Result<()> + Sync,
    ) -> Result<()> {
        check_sequences(batch, &self.config)?;
        let mut packs: Vec<(usize, Vec<S>)> = Vec::new();
        let mut tokens = 0;
        for (index, slot) in slots.into_iter().enumerate() {
            let length = batch[index].len();
            match packs.last_mut() {
                Some((_, pack)) if tokens + length <= MAX_PACK_TOKENS => {
                    pack.push(slot);
                    tokens += length;
                }
                _ => {
                    packs.push((index, vec![slot]));
                    tokens = length;
                }
            }
        }
        let work = || {
            packs
                .into_par_iter()
                .with_max_len(1)
                .try_for_each(|(first, slots)| {
                    let poisoned = "no thread panics while it holds this lock";
                    let spare = self.spare.lock().expect(poisoned).pop();
                    let mut scratch = spare.unwrap_or_default();
                    let pack = &batch[first..first + slots.len()];
                    self.forward(pack, &mut scratch);
                    let mut states = &scratch.states[..];
                    for (offset, slot) in slots.into_iter().enumerate() {
                        let (own, rest) =
                            states.split_at(pack[offset].len() * self.config.hidden_size);
                        check_finite(own, first + offset, batch, self)?;
                        each(first + offset, own, slot)?;
                        states = rest;
                    }
                    self.spare.lock().expect(poisoned).push(scratch);
                    Ok(())
                })
        };
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Fills `scratch.states` with the last hidden states of a pack.
    fn forward(&self, pack: &[Sequence], scratch: &mut Scratch) {
        let hidden = self.config.hidden_size;
        let Scratch {
            states,
            qkv,
            attended,
            wide,
            keys,
            scores,
            quantized,
        } = scratch;
        self.embed(pack, states);
        let tokens = states.len() / hidden;
        qkv.resize(tokens * 3 * hidden, 0.0);
        attended.resize(tokens * hidden, 0.0);
        wide.resize(tokens * self.config.intermediate_size, 0.0);
        for layer in &self.layers {
            self.multiply(&layer.qkv, states, quantized, qkv, Then::Store);
            let mut first = 0;
            for sequence in pack {
                let rows = first..first + sequence.len();
                let own = &qkv[rows.start * 3 * hidden..rows.end * 3 * hidden];
                let out = &mut attended[rows.start * hidden..rows.end * hidden];
                self.attend(own, keys, scores, out);
                first = rows.end;
            }
            self.multiply(
                &layer.attention_output,
                attended,
                quantized,
                states,
                Then::Add,
            );
            self.normalize(&layer.attention_norm, states);
            let then = Then::Activate(self.config.activation);
            self.multiply(&layer.expand, states, quantized, wide, then);
            self.multiply(&layer.contract, wide, quantized, states, Then::Add);
            self.normalize(&layer.output_norm, states);
        }
    }

    /// Sum of the embeddings, normalised.
    fn embed(&self, pack: &[Sequence], states: &mut Vec<f32>) {
        let hidden = self.config.hidden_size;
        states.clear();
        for sequence in pack {
            for (token, id) in sequence.input_ids.iter().enumerate() {
                let word = &self.words[*id as usize * hidden..][..hidden];
                let position = token + self.config.position_offset;
                let position = &self.positions[position * hidden..][..hidden];
                let start = states.len();
                states.extend(
                    word.iter()
                        .zip(position)
                        .map(|(word, position)| word + position),
                );
                if !self.types.is_empty() {
                    let kind = sequence.token_type_ids[token] as usize;
                    let kind = &self.types[kind * hidden..][..hidden];
                    for (state, kind) in states[start..].iter_mut().zip(kind) {
                        *state += kind;
                    }
                }
            }
        }
        self.normalize(&self.norm, states);
    }

    fn normalize(&self, norm: &Norm, states: &mut [f32]) {
        let epsilon = self.config.layer_norm_epsilon;
        for row in states.chunks_exact_mut(self.config.hidden_size) {
            match self.kernels {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: these kernels are chosen only where the processor has them.
                Kernels::Avx512 => unsafe {
                    avx512::normalize(row, &norm.weight, &norm.bias, epsilon)
                },
                _ => plain::normalize(row, &norm.weight, &norm.bias, epsilon),
            }
        }
    }

    fn attend(&self, qkv: &[f32], keys: &mut Vec<f32>, scores: &mut Vec<f32>, out: &mut [f32]) {
        let size = self.config.head_size();
        let center = self.config.max_tokens() - 1;
        for head in 0..self.config.heads {
            let bias = self.relative_bias.as_ref();
            let head = Head {
                qkv,
                hidden: self.config.hidden_size,
                column: head * size,
                size,
                bias: bias.map(|bias| (&bias[head * (2 * center + 1)..][..2 * center + 1], center)),
            };
            match self.kernels {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: these kernels are chosen only where the processor has them.
                Kernels::Avx512 => unsafe { avx512::attend(&head, keys, scores, out) },
                _ => plain::attend(&head, keys, scores, out),
            }
        }
    }

    /// `x` (`[tokens, in]`) times the weights into `out` (`[tokens, out]`).
    fn multiply(
        &self,
        linear: &Linear,
        x: &[f32],
        quantized: &mut Quantized,
        out: &mut [f32],
        then: Then,
    ) {
        let (k, n) = (linear.inputs, linear.outputs);
        let tokens = x.len() / k;
        if let Panels::Int8 { .. } = linear.panels {
            self.quantize(x, k, quantized);
        }
        let mut tile = [[0.0; PANEL]; ROWS];
        for panel in 0..n / PANEL {
            for first in (0..tokens).step_by(ROWS) {
                let rows = ROWS.min(tokens - first);
                match &linear.panels {
                    Panels::F32(weights) => {
                        let w = &weights[panel * PANEL * k..][..PANEL * k];
                        let bias = &linear.bias[panel * PANEL..][..PANEL];
                        let a = &x[first * k..][..rows * k];
                        self.tile_f32(a, k, w, bias, &mut tile[..rows]);
                    }
                    Panels::Int8 { weights, scale } => {
                        let mut sums = [[0; PANEL]; ROWS];
                        let w = &weights[panel * PANEL * k..][..PANEL * k];
                        let a = &quantized.values[first * k..][..rows * k];
                        self.tile_int8(a, k, &quantized.sum[first..], w, &mut sums[..rows]);
                        let scale = &scale[panel * PANEL..][..PANEL];
                        let bias = &linear.bias[panel * PANEL..][..PANEL];
                        for row in 0..rows {
                            let own = quantized.scale[first + row];
                            for j in 0..PANEL {
                                tile[row][j] = sums[row][j] as f32 * (scale[j] * own) + bias[j];
                            }
                        }
                    }
                }
                for (row, tile) in tile[..rows].iter_mut().enumerate() {
                    let out = &mut out[(first + row) * n + panel * PANEL..][..PANEL];
                    match then {
                        Then::Store => out.copy_from_slice(tile),
                        Then::Add => out.iter_mut().zip(tile).for_each(|(out, v)| *out += *v),
                        Then::Activate(activation) => {
                            self.activate(activation, tile);
                            out.copy_from_slice(tile);
                        }
                    }
                }
            }
        }
    }

    fn activate(&self, activation: Activation, values: &mut [f32]) {
        match (activation, self.kernels) {
            (Activation::Relu, _) => values.iter_mut().for_each(|value| {
                // Written so that NaN stays NaN, where f32::max would hide it.
                *value = if *value < 0.0 { 0.0 } else { *value }
            }),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: these kernels are chosen only where the processor has them.
            (Activation::Gelu, Kernels::Avx512) => unsafe { avx512::gelu(values) },
            (Activation::Gelu, _) => plain::gelu(values),
        }
    }

    fn quantize(&self, x: &[f32], k: usize, out: &mut Quantized) {
        out.values.resize(x.len(), 0);
        out.scale.clear();
        out.sum.clear();
        for (row, values) in x.chunks_exact(k).zip(out.values.chunks_exact_mut(k)) {
            let (scale, sum) = match self.kernels {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: these kernels are chosen only where the processor has them.
                Kernels::Avx512 => unsafe { avx512::quantize(row, values) },
                _ => plain::quantize(row, values),
            };
            out.scale.push(scale);
            out.sum.push(sum);
        }
    }

    fn tile_f32(&self, a: &[f32], k: usize, w: &[f32], bias: &[f32], out: &mut [[f32; PANEL]]) {
        #[cfg(target_arch = "x86_64")]
        if self.kernels == Kernels::Avx512 {
            macro_rules! rows {
                ($($rows:literal)+) => {
                    match out.len() {
                        $($rows => {
                            let out = out.try_into().expect("as many rows as matched");
                            // SAFETY: chosen only where the processor has the instructions.
                            unsafe { avx512::panel_f32::<$rows>(a, k, w, bias, out) }
                        })+
                        _ => unreachable!("at most {ROWS} rows"),
                    }
                };
            }
            return rows!(1 2 3 4 5 6);
        }
        for (a, out) in a.chunks_exact(k).zip(out) {
            plain::panel_f32(a, w, bias, out);
        }
    }

    fn tile_int8(&self, a: &[i8], k: usize, sums: &[i32], w: &[u8], out: &mut [[i32; PANEL]]) {
        #[cfg(target_arch = "x86_64")]
        if self.kernels == Kernels::Avx512 {
            macro_rules! rows {
                ($($rows:literal)+) => {
                    match out.len() {
                        $($rows => {
                            let out = out.try_into().expect("as many rows as matched");
                            // SAFETY: chosen only where the processor has the instructions.
                            unsafe { avx512::panel_int8::<$rows>(a, k, sums, w, out) }
                        })+
                        _ => unreachable!("at most {ROWS} rows"),
                    }
                };
            }
            return rows!(1 2 3 4 5 6);
        }
        for (a, out) in a.chunks_exact(k).zip(out) {
            plain::panel_int8(a, w, out);
        }
    }
}

impl Encoder for PackedEncoder {
    fn hidden_size(&self) -> usize {
        self.config.hidden_size
    }

    fn max_tokens(&self) -> usize {
        self.config.max_tokens()
    }

    fn description(&self) -> String {
        let isa = match self.kernels {
            Kernels::Avx512 => Isa::Avx512,
            Kernels::Plain => Isa::Portable,
        };
        format!("native {} {isa}", self.precision)
    }

    fn encode_pooled(&self, batch: &[Sequence]) -> Result<Array2<f32>> {
        let mut pooled = Array2::zeros((batch.len(), self.config.hidden_size));
        let slots: Vec<ArrayViewMut1<f32>> = pooled.outer_iter_mut().collect();
        self.run(batch, slots, |_, states, mut pooled| {
            let rows = states.chunks_exact(self.config.hidden_size);
            let tokens = rows.len() as f32;
            for row in rows {
                for (mean, value) in pooled.iter_mut().zip(row) {
                    *mean += value;
                }
            }
            pooled /= tokens;
            Ok(())
        })?;
        Ok(pooled)
    }

    fn encode_tokens(&self, batch: &[Sequence]) -> Result<Vec<Array2<f32>>> {
        let mut encoded: Vec<Array2<f32>> = batch
            .iter()
            .map(|sequence| Array2::zeros((sequence.len(), self.config.hidden_size)))
            .collect();
        self.run(batch, encoded.iter_mut().collect(), |_, states, encoded| {
            let encoded = encoded.as_slice_mut().expect("new arrays are contiguous");
            encoded.copy_from_slice(states);
            Ok(())
        })?;
        Ok(encoded)
    }
}

impl Norm {
    fn read(norm: &weights::Norm) -> Norm {
        Norm {
            weight: norm.weight.to_f32(),
            bias: norm.bias.to_f32(),
        }
    }
}

impl Linear {
    /// Packs products of the same input side by side.
    fn pack(parts: &[&weights::Linear], precision: Precision) -> Result<Linear> {
        let inputs = parts[0].weight.row_len();
        let outputs = parts.iter().map(|part| part.weight.shape[0]).sum();
        let bias = parts.iter().flat_map(|part| part.bias.to_f32()).collect();
        let rows = parts
            .iter()
            .flat_map(|part| (0..part.weight.shape[0]).map(|row| (&part.weight, row)));
        let mut values = vec![0.0; inputs];
        let panels = if precision == Precision::F32 {
            let mut packed = vec![0.0; inputs * outputs];
            for (j, (weight, row)) in rows.enumerate() {
                weight.read_row(row, &mut values);
                let panel = &mut packed[j / PANEL * PANEL * inputs..];
                for (i, value) in values.iter().enumerate() {
                    panel[i * PANEL + j % PANEL] = *value;
                }
            }
            Panels::F32(packed)
        } else {
            let mut packed = vec![0; inputs * outputs];
            let mut scales = Vec::with_capacity(outputs);
            let mut own = vec![0; inputs];
            for (j, (weight, row)) in rows.enumerate() {
                // Weights stored as int8 are taken as they are, not rounded a second time.
                let scale = if let Some((bytes, scale)) = weight.int8_row(row) {
                    own.iter_mut()
                        .zip(bytes)
                        .for_each(|(own, byte)| *own = *byte as i8);
                    scale
                } else {
                    weight.read_row(row, &mut values);
                    plain::quantize(&values, &mut own).0
                };
                if !scale.is_finite() {
                    let message = "a weight of the encoder is not finite";
                    return Err(Error::new(ErrorKind::Model, message)
                        .hint("the file is damaged, or was trained until it overflowed"));
                }
                scales.push(scale);
                let panel = &mut packed[j / PANEL * PANEL * inputs..];
                for (i, value) in own.iter().enumerate() {
                    panel[(i / 4 * PANEL + j % PANEL) * 4 + i % 4] = (*value as u8) ^ 0x80;
                }
            }
            Panels::Int8 {
                weights: packed,
                scale: scales,
            }
        };
        Ok(Linear {
            inputs,
            outputs,
            panels,
            bias,
        })
    }
}

fn avx512_available() -> bool {
    #[cfg(target_arch = "x86_64")]
    return avx512::available();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The relative bias of each head by distance, from `-(max_tokens - 1)` up.
fn bias_by_distance(bias: &Tensor, config: &EncoderConfig) -> Vec<f32> {
    let (buckets, heads) = (bias.shape[0], config.heads);
    let values = bias.to_f32();
    let reach = config.max_tokens() as i64 - 1;
    let distances = -reach..=reach;
    (0..heads)
        .flat_map(|head| {
            let bucket = |distance| relative_bucket(distance, buckets);
            let values = &values;
            distances
                .clone()
                .map(move |distance| values[bucket(distance) * heads + head])
        })
        .collect()
}
