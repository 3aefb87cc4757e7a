//! [`EncoderWeights`] are the tensors of one encoder under the names its family gives them, with
//! their shapes checked against the configuration.

use crate::encoder::config::{Architecture, EncoderConfig};
use crate::error::Result;
use crate::model::tensors::{Tensor, Tensors};

/// All tensors of an encoder, still where they are stored.
pub(crate) struct EncoderWeights<'a> {
    /// `[vocab, hidden]`
    pub(crate) words: Tensor<'a>,
    /// `[position, hidden]`
    pub(crate) positions: Tensor<'a>,
    /// `[type, hidden]`
    pub(crate) types: Option<Tensor<'a>>,
    pub(crate) norm: Norm<'a>,
    pub(crate) layers: Vec<LayerWeights<'a>>,
    /// `[bucket, head]`
    pub(crate) relative_bias: Option<Tensor<'a>>,
}

/// One transformer layer.
pub(crate) struct LayerWeights<'a> {
    pub(crate) query: Linear<'a>,
    pub(crate) key: Linear<'a>,
    pub(crate) value: Linear<'a>,
    pub(crate) attention_output: Linear<'a>,
    pub(crate) attention_norm: Norm<'a>,
    pub(crate) expand: Linear<'a>,
    pub(crate) contract: Linear<'a>,
    pub(crate) output_norm: Norm<'a>,
}

/// `y = x Wᵀ + b`.
pub(crate) struct Linear<'a> {
    /// `[out, in]`
    pub(crate) weight: Tensor<'a>,
    /// `[out]`
    pub(crate) bias: Tensor<'a>,
}

/// LayerNorm's gain and shift.
pub(crate) struct Norm<'a> {
    /// `[hidden]`
    pub(crate) weight: Tensor<'a>,
    /// `[hidden]`
    pub(crate) bias: Tensor<'a>,
}

/// What a family calls the parts of a layer, after the layer's own prefix.
struct Names {
    prefix: &'static str,
    layer: &'static str,
    query: &'static str,
    key: &'static str,
    value: &'static str,
    attention_output: &'static str,
    attention_norm: &'static str,
    expand: &'static str,
    contract: &'static str,
    output_norm: &'static str,
}

const BERT: Names = Names {
    prefix: "bert.",
    layer: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attention_output: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    expand: "intermediate.dense",
    contract: "output.dense",
    output_norm: "output.LayerNorm",
};

const ROBERTA: Names = Names {
    prefix: "roberta.",
    ..BERT
};

const MPNET: Names = Names {
    prefix: "mpnet.",
    query: "attention.attn.q",
    key: "attention.attn.k",
    value: "attention.attn.v",
    attention_output: "attention.attn.o",
    attention_norm: "attention.LayerNorm",
    ..BERT
};

const DISTILBERT: Names = Names {
    prefix: "distilbert.",
    layer: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attention_output: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    expand: "ffn.lin1",
    contract: "ffn.lin2",
    output_norm: "output_layer_norm",
};

impl<'a> EncoderWeights<'a> {
    /// Finds every tensor, under the family's prefix (`bert.` …) or, as in checkpoints of a bare
    /// encoder, without one.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape.
    pub(crate) fn find(tensors: &'a Tensors, config: &EncoderConfig) -> Result<EncoderWeights<'a>> {
        let names = match config.architecture {
            Architecture::Bert => BERT,
            Architecture::DistilBert => DISTILBERT,
            Architecture::Roberta => ROBERTA,
            Architecture::Mpnet => MPNET,
        };
        let bare = tensors.contains("embeddings.word_embeddings.weight");
        let prefix = if bare { "" } else { names.prefix };
        let hidden = config.hidden_size;

        let find =
            |name: String, shape: &[usize]| tensors.shaped(&format!("{prefix}{name}"), shape);
        let norm = |name: String| -> Result<Norm<'a>> {
            Ok(Norm {
                weight: find(format!("{name}.weight"), &[hidden])?,
                bias: find(format!("{name}.bias"), &[hidden])?,
            })
        };
        let linear = |name: String, out: usize, into: usize| -> Result<Linear<'a>> {
            Ok(Linear {
                weight: find(format!("{name}.weight"), &[out, into])?,
                bias: find(format!("{name}.bias"), &[out])?,
            })
        };

        let embeddings =
            |name: &str, rows: usize| find(format!("embeddings.{name}.weight"), &[rows, hidden]);
        let wide = config.intermediate_size;
        let layers = (0..config.layers).map(|layer| {
            let part = |name: &str| format!("{}.{layer}.{name}", names.layer);
            Ok(LayerWeights {
                query: linear(part(names.query), hidden, hidden)?,
                key: linear(part(names.key), hidden, hidden)?,
                value: linear(part(names.value), hidden, hidden)?,
                attention_output: linear(part(names.attention_output), hidden, hidden)?,
                attention_norm: norm(part(names.attention_norm))?,
                expand: linear(part(names.expand), wide, hidden)?,
                contract: linear(part(names.contract), hidden, wide)?,
                output_norm: norm(part(names.output_norm))?,
            })
        });
        Ok(EncoderWeights {
            words: embeddings("word_embeddings", config.vocab_size)?,
            positions: embeddings("position_embeddings", config.positions)?,
            types: match config.token_types {
                0 => None,
                rows => Some(embeddings("token_type_embeddings", rows)?),
            },
            norm: norm("embeddings.LayerNorm".into())?,
            layers: layers.collect::<Result<_>>()?,
            relative_bias: match config.relative_buckets {
                None => None,
                Some(buckets) => Some(find(
                    "encoder.relative_attention_bias.weight".into(),
                    &[buckets, config.heads],
                )?),
            },
        })
    }
}
