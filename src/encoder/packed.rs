//! The [`PackedEncoder`] is this crate's own engine: sequences stand one after another without
//! padding, weights are packed once at load, working memory is reused, and kernels are chosen when
//! the model is loaded: AVX-512 with VNNI, AVX2, or plain Rust.

mod attention;
mod kernels;
mod lanes;
mod linear;
mod portable;
mod product;
mod rows;

pub mod roofline;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

#[cfg(test)]
mod tests;

use std::sync::Mutex;

use ndarray::Array2;
use rayon::ThreadPool;
use rayon::prelude::*;

use self::attention::Head;
use self::kernels::Chosen;
use self::linear::{Linear, Quantized};
use self::product::Then;
use crate::encoder::config::{EncoderConfig, relative_bucket};
use crate::encoder::weights::{self, EncoderWeights};
use crate::encoder::{
    Encoder, EngineOptions, Isa, Precision, Sequence, check_finite, check_sequences,
};
use crate::error::{Error, ErrorKind, Result};
use crate::model::tensors::{KeptTensor, Tensor, Tensors};

/// Most tokens that are run together, unless one sequence is longer. Enough that a pass over the
/// weights is shared by many rows; few enough that the last pack of a batch is soon done.
const MAX_PACK_TOKENS: usize = 192;

/// Rows that go through the feed-forward half of a layer together: their intermediate results stay
/// in a core's second-level cache. A multiple of the kernels' six rows.
const BLOCK_ROWS: usize = 96;

/// Widths must be whole panels of every instruction set.
const WIDTH: usize = 64;

/// An encoder with packed weights.
pub struct PackedEncoder {
    config: EncoderConfig,
    chosen: Chosen,
    precision: Precision,
    pool: Option<ThreadPool>,
    /// `[vocab, hidden]`, where the model's file has them: most words never come.
    words: KeptTensor,
    /// `[position, hidden]`
    positions: Vec<f32>,
    /// `[type, hidden]`; empty where the family has none.
    types: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    /// For each head, the bias by distance: `[head, 2 * max_tokens - 1]`.
    relative_bias: Option<Vec<f32>>,
    spare: Mutex<Vec<Scratch>>,
    spare_packs: Mutex<Vec<Vec<Pack>>>,
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

/// Neighbouring sequences that are run together: the first, and one past the last.
type Pack = (usize, usize);

/// Working memory of one pack; kept between packs.
#[derive(Default)]
struct Scratch {
    states: Vec<f32>,
    qkv: Vec<f32>,
    attended: Vec<f32>,
    wide: Vec<f32>,
    attention: attention::Memory,
    quantized: Quantized,
}

impl PackedEncoder {
    /// Whether this engine has the shape: widths in whole panels of 64, heads in whole lanes of
    /// 16. All published BERT, MiniLM, DistilBERT, RoBERTa and MPNet sizes above "tiny" are.
    pub fn supports(config: &EncoderConfig) -> bool {
        config.hidden_size.is_multiple_of(WIDTH)
            && config.intermediate_size.is_multiple_of(WIDTH)
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
        if !PackedEncoder::supports(config) {
            let message = format!(
                "the native engine cannot run hidden size {}, intermediate size {} and heads of {}",
                config.hidden_size,
                config.intermediate_size,
                config.head_size()
            );
            return Err(Error::new(ErrorKind::Option, message).hint("use the reference engine"));
        }
        let chosen = kernels::choose(options.isa)?;
        let precision = precision(options.precision, chosen);
        let weights = EncoderWeights::find(tensors, config)?;
        let layers: Result<_> = weights
            .layers
            .par_iter()
            .map(|layer| {
                let pack = |parts: &[&weights::Linear]| Linear::pack(parts, precision, chosen);
                Ok(Layer {
                    qkv: pack(&[&layer.query, &layer.key, &layer.value])?,
                    attention_output: pack(&[&layer.attention_output])?,
                    attention_norm: Norm::read(&layer.attention_norm),
                    expand: pack(&[&layer.expand])?,
                    contract: pack(&[&layer.contract])?,
                    output_norm: Norm::read(&layer.output_norm),
                })
            })
            .collect();
        let pool = match options.threads {
            0 => None,
            threads => {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                Some(pool.map_err(|error| {
                    let message = format!("could not start {threads} threads");
                    Error::new(ErrorKind::Option, message).because(error)
                })?)
            }
        };
        Ok(PackedEncoder {
            chosen,
            precision,
            pool,
            words: tensors.keep(&weights.words),
            positions: weights.positions.to_f32(),
            types: weights.types.map_or_else(Vec::new, |types| types.to_f32()),
            norm: Norm::read(&weights.norm),
            layers: layers?,
            relative_bias: weights
                .relative_bias
                .map(|bias| bias_by_distance(&bias, config)),
            spare: Mutex::default(),
            spare_packs: Mutex::default(),
            config: config.clone(),
        })
    }

    /// Runs every pack and gives each sequence's last hidden states (`[tokens, hidden]`, flat) to
    /// `each` beside its own slot: `per_sequence` values of `slots`.
    fn run<S: Send>(
        &self,
        batch: &[Sequence],
        slots: &mut [S],
        per_sequence: usize,
        each: impl Fn(&[f32], &mut [S]) + Sync,
    ) -> Result<()> {
        check_sequences(batch, &self.config)?;
        let spare = self.spare_packs.lock().expect(UNPOISONED).pop();
        let mut packs = spare.unwrap_or_default();
        let threads = match &self.pool {
            Some(pool) => pool.current_num_threads(),
            None => rayon::current_num_threads(),
        };
        cut_packs(batch, threads, &mut packs);
        let work = Work {
            encoder: self,
            batch,
            per_sequence,
            each: &each,
        };
        let done = match &self.pool {
            Some(pool) => pool.install(|| work.share(&packs, slots)),
            None => work.share(&packs, slots),
        };
        self.spare_packs.lock().expect(UNPOISONED).push(packs);
        done
    }

    /// Fills `scratch.states` with the last hidden states of a pack.
    fn forward(&self, pack: &[Sequence], scratch: &mut Scratch) {
        let kernels = self.chosen.kernels;
        let (hidden, wide_size) = (self.config.hidden_size, self.config.intermediate_size);
        let Scratch {
            states,
            qkv,
            attended,
            wide,
            attention,
            quantized,
        } = scratch;
        self.embed(pack, states);
        let tokens = states.len() / hidden;
        let qkv = room(qkv, tokens * 3 * hidden);
        let attended = room(attended, tokens * hidden);
        let wide = room(wide, BLOCK_ROWS * wide_size);
        for layer in &self.layers {
            let blocks = states.chunks(BLOCK_ROWS * hidden);
            for (states, qkv) in blocks.zip(qkv.chunks_mut(BLOCK_ROWS * 3 * hidden)) {
                layer
                    .qkv
                    .apply(kernels, states, quantized, Then::Store, qkv);
            }
            let mut first = 0;
            for sequence in pack {
                let rows = first..first + sequence.len();
                let own = &qkv[rows.start * 3 * hidden..rows.end * 3 * hidden];
                let out = &mut attended[rows.start * hidden..rows.end * hidden];
                self.attend(own, attention, out);
                first = rows.end;
            }
            let blocks = states.chunks_mut(BLOCK_ROWS * hidden);
            for (states, attended) in blocks.zip(attended.chunks(BLOCK_ROWS * hidden)) {
                let wide = &mut wide[..states.len() / hidden * wide_size];
                let activate = Then::Activate(self.config.activation);
                let output = &layer.attention_output;
                output.apply(kernels, attended, quantized, Then::Add, states);
                self.normalize(&layer.attention_norm, states);
                layer
                    .expand
                    .apply(kernels, states, quantized, activate, wide);
                layer
                    .contract
                    .apply(kernels, wide, quantized, Then::Add, states);
                self.normalize(&layer.output_norm, states);
            }
        }
    }

    /// Sum of the embeddings, normalised.
    fn embed(&self, pack: &[Sequence], states: &mut Vec<f32>) {
        let hidden = self.config.hidden_size;
        let tokens: usize = pack.iter().map(Sequence::len).sum();
        states.resize(tokens * hidden, 0.0);
        let mut rows = states.chunks_exact_mut(hidden);
        for sequence in pack {
            for (token, id) in sequence.input_ids.iter().enumerate() {
                let row = rows.next().expect("a row for each token");
                self.words.read_row(*id as usize, row);
                let position = token + self.config.position_offset;
                let position = &self.positions[position * hidden..][..hidden];
                for (state, position) in row.iter_mut().zip(position) {
                    *state += position;
                }
                if !self.types.is_empty() {
                    let kind = sequence.token_type_ids[token] as usize;
                    let kind = &self.types[kind * hidden..][..hidden];
                    for (state, kind) in row.iter_mut().zip(kind) {
                        *state += kind;
                    }
                }
            }
        }
        self.normalize(&self.norm, states);
    }

    fn normalize(&self, norm: &Norm, states: &mut [f32]) {
        let epsilon = self.config.layer_norm_epsilon;
        // SAFETY: kernels are chosen only where the processor has them.
        unsafe { (self.chosen.kernels.normalize)(states, &norm.weight, &norm.bias, epsilon) }
    }

    fn attend(&self, qkv: &[f32], memory: &mut attention::Memory, out: &mut [f32]) {
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
            // SAFETY: kernels are chosen only where the processor has them.
            unsafe { (self.chosen.kernels.attend)(&head, memory, out) }
        }
    }
}

/// The first `len` values of working memory, which grows when it must and never shrinks: to shrink and
/// grow with every pack would write it anew each time.
fn room(memory: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if memory.len() < len {
        memory.resize(len, 0.0);
    }
    &mut memory[..len]
}

const UNPOISONED: &str = "no thread panics while it holds this lock";

/// Cuts a batch into packs of neighbours: few enough tokens in each that every thread gets several,
/// where there are so many. A sequence's result does not depend on it.
fn cut_packs(batch: &[Sequence], threads: usize, packs: &mut Vec<Pack>) {
    let tokens: usize = batch.iter().map(Sequence::len).sum();
    let most = tokens
        .div_ceil(threads * 4)
        .clamp(BLOCK_ROWS / 2, MAX_PACK_TOKENS);
    packs.clear();
    let mut tokens = 0;
    for (index, sequence) in batch.iter().enumerate() {
        match packs.last_mut() {
            Some((_, end)) if tokens + sequence.len() <= most => {
                *end += 1;
                tokens += sequence.len();
            }
            _ => {
                packs.push((index, index + 1));
                tokens = sequence.len();
            }
        }
    }
}

/// One batch's work, shared out by halves: no list of jobs is allocated.
struct Work<'a, E> {
    encoder: &'a PackedEncoder,
    batch: &'a [Sequence],
    per_sequence: usize,
    each: &'a E,
}

impl<E> Work<'_, E> {
    fn share<S: Send>(&self, packs: &[Pack], slots: &mut [S]) -> Result<()>
    where
        E: Fn(&[f32], &mut [S]) + Sync,
    {
        match packs {
            [] => Ok(()),
            [(first, end)] => self.one(*first, *end, slots),
            _ => {
                let (left, right) = packs.split_at(packs.len() / 2);
                let cut = (right[0].0 - left[0].0) * self.per_sequence;
                let (left_slots, right_slots) = slots.split_at_mut(cut);
                let (left, right) = rayon::join(
                    || self.share(left, left_slots),
                    || self.share(right, right_slots),
                );
                left.and(right)
            }
        }
    }

    fn one<S>(&self, first: usize, end: usize, slots: &mut [S]) -> Result<()>
    where
        E: Fn(&[f32], &mut [S]),
    {
        let encoder = self.encoder;
        let spare = encoder.spare.lock().expect(UNPOISONED).pop();
        let mut scratch = spare.unwrap_or_default();
        let pack = &self.batch[first..end];
        encoder.forward(pack, &mut scratch);
        let mut states = &scratch.states[..];
        let slots = slots.chunks_exact_mut(self.per_sequence);
        for (offset, (sequence, slot)) in pack.iter().zip(slots).enumerate() {
            let (own, rest) = states.split_at(sequence.len() * encoder.config.hidden_size);
            check_finite(own, first + offset, self.batch, encoder)?;
            (self.each)(own, slot);
            states = rest;
        }
        encoder.spare.lock().expect(UNPOISONED).push(scratch);
        Ok(())
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
        let extension = match (self.precision, self.chosen.isa) {
            (Precision::Bf16, _) if self.chosen.bf16 => " with BF16",
            (Precision::Int8 | Precision::Int16, Isa::Avx2) if self.chosen.vnni => " with AVX-VNNI",
            _ => "",
        };
        format!("native {} {}{extension}", self.precision, self.chosen.isa)
    }

    fn encode_pooled(&self, batch: &[Sequence]) -> Result<Array2<f32>> {
        let hidden = self.config.hidden_size;
        let mut pooled = Array2::zeros((batch.len(), hidden));
        let slots = pooled.as_slice_mut().expect("new arrays are contiguous");
        self.run(batch, slots, hidden, |states, pooled| {
            let rows = states.chunks_exact(hidden);
            let tokens = rows.len() as f32;
            for row in rows {
                for (mean, value) in pooled.iter_mut().zip(row) {
                    *mean += value;
                }
            }
            pooled.iter_mut().for_each(|mean| *mean /= tokens);
        })?;
        Ok(pooled)
    }

    fn encode_tokens(&self, batch: &[Sequence]) -> Result<Vec<Array2<f32>>> {
        let mut encoded: Vec<Array2<f32>> = batch
            .iter()
            .map(|sequence| Array2::zeros((sequence.len(), self.config.hidden_size)))
            .collect();
        self.run(batch, &mut encoded, 1, |states, encoded| {
            let encoded = encoded[0].as_slice_mut();
            let encoded = encoded.expect("new arrays are contiguous");
            encoded.copy_from_slice(states);
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

/// What a precision comes to on this machine.
fn precision(asked: Precision, chosen: Chosen) -> Precision {
    match asked {
        Precision::Auto if chosen.isa == Isa::Portable => Precision::F32,
        Precision::Auto => Precision::Int16,
        other => other,
    }
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
