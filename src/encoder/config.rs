//! An [`EncoderConfig`] is the shape of a transformer encoder of the BERT family.

/// Sizes and rules of one encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderConfig {
    /// The family, which decides the tensors' names and the rules below.
    pub architecture: Architecture,
    /// Rows of the word embeddings.
    pub vocab_size: usize,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Attention heads in each layer; each is `hidden_size / heads` wide.
    pub heads: usize,
    /// Width between the two halves of the feed-forward part.
    pub intermediate_size: usize,
    /// Rows of the position embeddings.
    pub positions: usize,
    /// The row of the first token's position.
    pub position_offset: usize,
    /// Rows of the token type embeddings; 0 where the family has none.
    pub token_types: usize,
    /// Added to the variance by LayerNorm.
    pub layer_norm_epsilon: f32,
    /// Between the two halves of the feed-forward part.
    pub activation: Activation,
    /// Buckets of MPNet's relative attention bias.
    pub relative_buckets: Option<usize>,
}

impl EncoderConfig {
    /// Longest sequence, in tokens, special tokens included.
    pub fn max_tokens(&self) -> usize {
        self.positions - self.position_offset
    }

    /// Width of one attention head.
    pub fn head_size(&self) -> usize {
        self.hidden_size / self.heads
    }
}

/// The families that can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// BERT, and what shares its shape, such as MiniLM.
    Bert,
    /// DistilBERT: no token types, other names.
    DistilBert,
    /// RoBERTa, XLM-RoBERTa, CamemBERT: positions counted from one past the padding id.
    Roberta,
    /// MPNet: a bias by relative position in every layer's attention, no token types.
    Mpnet,
}

/// The function between the two halves of the feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x Φ(x)` with the error function, not its tanh approximation.
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

/// The bucket of MPNet's relative attention bias for a key `distance` tokens after the query
/// (negative: before it): half the buckets for each direction, exact near, logarithmic up to a
/// distance of 128. From MPNet's published code, which took it from T5.
pub(crate) fn relative_bucket(distance: i64, buckets: usize) -> usize {
    let half = (buckets / 2) as i64;
    let exact = half / 2;
    // MPNet counts buckets of keys after the query from `half` on.
    let base = if distance > 0 { half } else { 0 };
    let n = distance.abs();
    let within = if n < exact {
        n
    } else {
        let steps = (n as f32 / exact as f32).ln() / (128.0 / exact as f32).ln();
        (exact + (steps * (half - exact) as f32) as i64).min(half - 1)
    };
    (base + within) as usize
}
