//! An [`Encoder`] turns token ids into hidden states. One small trait, several engines.

use ndarray::Array2;

use crate::error::Result;

/// One tokenised text or pair, special tokens included, without padding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sequence {
    /// Ids from the model's own vocabulary: `[tokens]`, at least one.
    pub input_ids: Vec<u32>,
    /// Segment of each token (0 = text, 1 = target): `[tokens]`.
    pub token_type_ids: Vec<u32>,
}

/// An engine with a model's encoder loaded. Each sequence's result depends on that sequence alone:
/// bit for bit the same whatever stands beside it, in whatever order, on however many threads.
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
