//! An [`Encoder`] turns token ids into hidden states. One small trait, several engines.

pub mod config;
#[cfg(feature = "libtorch")]
pub mod libtorch;
pub mod packed;
pub mod reference;
pub(crate) mod weights;

use std::fmt;
use std::str::FromStr;

use ndarray::{Array2, ArrayView2};

use crate::encoder::config::EncoderConfig;
use crate::error::{Error, ErrorKind, Result};

/// One tokenised text or pair, special tokens included, without padding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sequence {
    /// Ids from the model's own vocabulary: `[tokens]`, at least one.
    pub input_ids: Vec<u32>,
    /// Segment of each token (0 = text, 1 = target): `[tokens]`.
    pub token_type_ids: Vec<u32>,
}

impl Sequence {
    /// Tokens, special ones included.
    pub fn len(&self) -> usize {
        self.input_ids.len()
    }

    /// True for a sequence without tokens, which no encoder takes.
    pub fn is_empty(&self) -> bool {
        self.input_ids.is_empty()
    }

    /// The rows of a padded batch, padding dropped: for callers who hold `input_ids`,
    /// `token_type_ids` and `attention_mask` as arrays, each `[batch, seq]`. A token is kept where
    /// its mask is not 0.
    ///
    /// # Errors
    /// Arrays of different shapes, or a row without any token.
    pub fn from_padded(
        input_ids: ArrayView2<u32>,
        token_type_ids: ArrayView2<u32>,
        attention_mask: ArrayView2<u32>,
    ) -> Result<Vec<Sequence>> {
        let shape = input_ids.shape();
        if token_type_ids.shape() != shape || attention_mask.shape() != shape {
            return Err(Error::new(
                ErrorKind::Inference,
                format!(
                    "input_ids {shape:?}, token_type_ids {:?} and attention_mask {:?} differ in shape",
                    token_type_ids.shape(),
                    attention_mask.shape()
                ),
            ));
        }
        let rows = input_ids.outer_iter().enumerate().map(|(row, ids)| {
            let kept = |values: ndarray::ArrayView1<u32>| -> Vec<u32> {
                let mask = attention_mask.row(row);
                let kept = values.into_iter().zip(mask).filter(|(_, mask)| **mask != 0);
                kept.map(|(value, _)| *value).collect()
            };
            let sequence = Sequence {
                input_ids: kept(ids),
                token_type_ids: kept(token_type_ids.row(row)),
            };
            if sequence.is_empty() {
                let message = format!("row {row} of the batch has no tokens under its mask");
                return Err(Error::new(ErrorKind::Inference, message));
            }
            Ok(sequence)
        });
        rows.collect()
    }
}

/// An engine with a model's encoder loaded. Each sequence's result depends on that sequence alone:
/// bit for bit the same whatever stands beside it, in whatever order, on however many threads.
/// (libtorch keeps this only for the same batch: its products may sum in another order in another.)
pub trait Encoder: Send + Sync {
    /// Width of the hidden states.
    fn hidden_size(&self) -> usize;

    /// Longest sequence, in tokens, special tokens included.
    fn max_tokens(&self) -> usize;

    /// Engine, precision and instruction set, for `run.json` and benchmarks.
    fn description(&self) -> String;

    /// Mean of the last hidden states over all tokens: `[batch, hidden]`.
    ///
    /// # Errors
    /// A sequence that is empty, too long, or has an id outside the vocabulary; a result that is
    /// not finite.
    fn encode_pooled(&self, batch: &[Sequence]) -> Result<Array2<f32>>;

    /// Last hidden states, for each sequence `[tokens, hidden]`.
    ///
    /// # Errors
    /// As [`Encoder::encode_pooled`].
    fn encode_tokens(&self, batch: &[Sequence]) -> Result<Vec<Array2<f32>>>;
}

/// Which engine runs the model, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// The engine; the default is this crate's own.
    pub engine: Engine,
    /// How the weights are held and multiplied.
    pub precision: Precision,
    /// Threads of the engine's own pool; 0 (the default) runs on the caller's rayon pool, which
    /// is as wide as the machine unless the caller made another.
    pub threads: usize,
    /// The instruction set, to force one for tests and comparisons.
    pub isa: Isa,
    /// Where it runs; only [`Engine::Libtorch`] knows a device other than the CPU.
    pub device: Device,
}

/// Where an engine runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// A CUDA device, by its number from 0.
    Cuda(usize),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(name: &str) -> Result<Device> {
        let index = name
            .strip_prefix("cuda:")
            .and_then(|index| index.parse().ok());
        match (name, index) {
            ("cpu", _) => Ok(Device::Cpu),
            ("cuda", _) => Ok(Device::Cuda(0)),
            (_, Some(index)) => Ok(Device::Cuda(index)),
            _ => Err(
                Error::new(ErrorKind::Option, format!("unknown device {name:?}"))
                    .hint("one of: cpu cuda cuda:0 cuda:1 …"),
            ),
        }
    }
}

/// The engines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// This crate's own.
    #[default]
    Native,
    /// Plain f32, readable and slow: what the others are held to.
    Reference,
    /// rust-bert on libtorch, for GPUs; in builds with the feature `libtorch`.
    Libtorch,
}

/// How weights are held and multiplied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// The fastest that has been measured to give the labels of f32: int16 (with AVX-512 about as
    /// fast as f32), and f32 where the instruction set is portable.
    #[default]
    Auto,
    /// Weights as int8 with a scale for each output channel, activations as u8 with a scale and an
    /// offset for each token. The same integers on every machine; only VNNI makes them faster than
    /// int16.
    Int8,
    /// Weights with 11 bits and activations with 13 to 16 bits as 16-bit integers, with scales as
    /// for int8; sums are exact and cannot overflow.
    Int16,
    /// Weights and activations as bf16, summed in f32. No processor measured so far
    /// runs it faster than f32, and int16 is closer to f32 than it.
    Bf16,
    /// Everything in f32.
    F32,
}

/// Instruction sets the native engine knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isa {
    /// The best this machine has.
    #[default]
    Auto,
    /// AVX-512 with VNNI.
    Avx512,
    /// AVX2, with AVX-VNNI where present.
    Avx2,
    /// Plain Rust for any processor.
    Portable,
}

/// Implements `Display` and `FromStr` by the names users type.
macro_rules! names {
    ($type:ident, $what:literal, $($name:literal => $value:ident),+) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($type::$value => $name),+ })
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(name: &str) -> Result<$type> {
                match name {
                    $($name => Ok($type::$value),)+
                    other => {
                        let message = format!(concat!("unknown ", $what, " {:?}"), other);
                        Err(Error::new(ErrorKind::Option, message)
                            .hint(concat!("one of:" $(, " ", $name)+)))
                    }
                }
            }
        }
    };
}

names!(Engine, "engine", "native" => Native, "reference" => Reference, "libtorch" => Libtorch);
names!(Precision, "precision", "auto" => Auto, "int8" => Int8, "int16" => Int16, "bf16" => Bf16, "f32" => F32);
names!(Isa, "instruction set", "auto" => Auto, "avx512" => Avx512, "avx2" => Avx2, "portable" => Portable);

/// Refuses sequences that the encoder cannot take, before any work is done.
pub(crate) fn check_sequences(batch: &[Sequence], config: &EncoderConfig) -> Result<()> {
    for (index, sequence) in batch.iter().enumerate() {
        let fail = |problem: String| {
            let message = format!("sequence {index} of {}: {problem}", batch.len());
            Err(Error::new(ErrorKind::Inference, message))
        };
        let tokens = sequence.len();
        if tokens == 0 {
            return fail("it has no tokens".into());
        }
        if tokens > config.max_tokens() {
            return fail(format!(
                "it has {tokens} tokens, but the model takes at most {}",
                config.max_tokens()
            ));
        }
        if sequence.token_type_ids.len() != tokens {
            return fail(format!(
                "{tokens} ids, but {} token types",
                sequence.token_type_ids.len()
            ));
        }
        let vocab = config.vocab_size as u32;
        if let Some(id) = sequence.input_ids.iter().find(|id| **id >= vocab) {
            return fail(format!("id {id} is outside the vocabulary of {vocab}"));
        }
        // Families without token types ignore them, as their published code does.
        let types = config.token_types as u32;
        if types > 0
            && let Some(kind) = sequence.token_type_ids.iter().find(|kind| **kind >= types)
        {
            return fail(format!("token type {kind}, but the model has {types}"));
        }
    }
    Ok(())
}

/// Refuses a result with NaN or infinities, so that no row is written from it.
pub(crate) fn check_finite<'v>(
    values: impl IntoIterator<Item = &'v f32>,
    index: usize,
    batch: &[Sequence],
    encoder: &dyn Encoder,
) -> Result<()> {
    if values.into_iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    let message = format!(
        "{} gave a result that is not finite for sequence {index} of {} ({} tokens)",
        encoder.description(),
        batch.len(),
        batch[index].len()
    );
    Err(Error::new(ErrorKind::Inference, message)
        .hint("the weights are damaged, or too large for this precision; try --precision f32"))
}
