//! A [`ModelConfig`] is what `config.json` says of a model: the encoder's shape, what the logits
//! mean, how the hidden states are pooled.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::abstention::RiskCoverage;
use crate::encoder::config::{Activation, Architecture, EncoderConfig};
use crate::error::{Error, ErrorKind, Result};

/// `config.json`, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// The shape of the encoder.
    pub encoder: EncoderConfig,
    /// What each logit stands for, in the order of the classifier's rows; empty if the file names
    /// none.
    pub labels: Vec<String>,
    /// How the hidden states become one vector; `None` if the file does not say.
    pub pooling: Option<Pooling>,
    /// What a head's logits are divided by before the softmax, by the part of `labels` before the
    /// colon: fitted on data held aside, so that a probability is the share of right labels. A
    /// head that is not named has 1.
    pub temperatures: BTreeMap<String, f32>,
    /// How often a head was right on labelled data that it was not fitted on, by threshold; named
    /// as in `temperatures`.
    pub risk_coverage: BTreeMap<String, RiskCoverage>,
    /// How the stance of long texts is read; `None`: like that of short ones.
    pub surest_sentence: Option<SurestSentence>,
}

/// Of a text of `least_words` words or more, separated by white space, the sentence that takes a side most surely counts
/// beside the whole: the stance's logits are (whole + `weight` · sentence) / (1 + `weight`).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct SurestSentence {
    /// From how many words on.
    pub least_words: usize,
    /// What the sentence counts, the whole counting 1; above 0.
    pub weight: f32,
}

/// How the hidden states of a sequence become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The mean over all tokens, special ones included.
    Mean,
}

/// The fields that are read; each family has its own names for the same things.
#[derive(Deserialize)]
struct RawConfig {
    model_type: Option<String>,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    vocab_size: Option<usize>,
    #[serde(alias = "dim")]
    hidden_size: Option<usize>,
    #[serde(alias = "n_layers")]
    num_hidden_layers: Option<usize>,
    #[serde(alias = "n_heads")]
    num_attention_heads: Option<usize>,
    #[serde(alias = "hidden_dim")]
    intermediate_size: Option<usize>,
    #[serde(alias = "activation")]
    hidden_act: Option<String>,
    max_position_embeddings: Option<usize>,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f32>,
    pad_token_id: Option<usize>,
    position_embedding_type: Option<String>,
    relative_attention_num_buckets: Option<usize>,
    id2label: Option<BTreeMap<String, String>>,
    pooling: Option<String>,
    #[serde(default)]
    temperatures: BTreeMap<String, f32>,
    #[serde(default)]
    risk_coverage: BTreeMap<String, RiskCoverage>,
    surest_sentence: Option<SurestSentence>,
}

impl ModelConfig {
    /// Understands a `config.json`; `place` is for messages.
    ///
    /// # Errors
    /// Not JSON, a field that is missing or makes no sense, or an architecture that is not of the
    /// BERT family, by name.
    pub fn parse(json: &[u8], place: &Path) -> Result<ModelConfig> {
        let broken = |message: String| Error::new(ErrorKind::Model, message).at(place);
        let raw: RawConfig = serde_json::from_slice(json)
            .map_err(|error| broken("could not understand config.json".into()).because(error))?;

        let architecture = architecture(&raw).map_err(|name| {
            broken(format!("cannot run architecture {name:?}")).hint(
                "supported model types: bert (MiniLM too), distilbert, roberta, xlm-roberta, \
                 camembert, mpnet",
            )
        })?;
        let need = |field: Option<usize>, name: &str| match field {
            Some(value) if value > 0 => Ok(value),
            Some(_) => Err(broken(format!("{name} is 0"))),
            None => Err(broken(format!("{name} is missing"))),
        };
        let kind = raw.position_embedding_type.as_deref();
        if !matches!(kind, None | Some("absolute")) {
            return Err(broken(format!(
                "cannot run position_embedding_type {:?}, only \"absolute\"",
                kind.unwrap_or_default()
            )));
        }
        let positions = need(raw.max_position_embeddings, "max_position_embeddings")?;
        // RoBERTa numbers positions from one past the padding id (fairseq's convention); its
        // first rows are never used. MPNet does the same, with the padding id fixed at 1.
        let position_offset = match architecture {
            Architecture::Bert | Architecture::DistilBert => 0,
            Architecture::Roberta => raw.pad_token_id.unwrap_or(1) + 1,
            Architecture::Mpnet => 2,
        };
        if position_offset >= positions {
            return Err(broken(format!(
                "max_position_embeddings is {positions}, but {position_offset} are reserved"
            )));
        }
        let encoder = EncoderConfig {
            architecture,
            vocab_size: need(raw.vocab_size, "vocab_size")?,
            hidden_size: need(raw.hidden_size, "hidden_size")?,
            layers: need(raw.num_hidden_layers, "num_hidden_layers")?,
            heads: need(raw.num_attention_heads, "num_attention_heads")?,
            intermediate_size: need(raw.intermediate_size, "intermediate_size")?,
            positions,
            position_offset,
            token_types: match architecture {
                Architecture::Bert | Architecture::Roberta => {
                    need(raw.type_vocab_size.or(Some(2)), "type_vocab_size")?
                }
                Architecture::DistilBert => 0,
                // The published ones have none; a quote tagger says what words are by them.
                Architecture::Mpnet => raw.type_vocab_size.unwrap_or(0),
            },
            layer_norm_epsilon: raw.layer_norm_eps.unwrap_or(1e-12),
            activation: match raw.hidden_act.as_deref() {
                None | Some("gelu") => Activation::Gelu,
                Some("relu") => Activation::Relu,
                Some(other) => {
                    return Err(broken(format!("cannot run hidden_act {other:?}"))
                        .hint("supported: gelu, relu"));
                }
            },
            relative_buckets: match architecture {
                Architecture::Mpnet => Some(raw.relative_attention_num_buckets.unwrap_or(32)),
                _ => None,
            },
        };
        if !encoder.hidden_size.is_multiple_of(encoder.heads) {
            return Err(broken(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                encoder.hidden_size, encoder.heads
            )));
        }
        let pooling = match raw.pooling.as_deref() {
            None => None,
            Some("mean") => Some(Pooling::Mean),
            Some(other) => {
                return Err(broken(format!("cannot pool by {other:?}")).hint("supported: mean"));
            }
        };
        let labels = labels(raw.id2label.unwrap_or_default()).map_err(broken)?;
        let above_zero = |name: &str, value: f32| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(broken(format!(
                "{name} is {value}, expected a number above 0"
            ))),
        };
        for (head, &temperature) in &raw.temperatures {
            above_zero(&format!("temperatures: {head:?}"), temperature)?;
        }
        if let Some(surest) = raw.surest_sentence {
            above_zero("surest_sentence: weight", surest.weight)?;
        }
        for (head, table) in &raw.risk_coverage {
            if let Some(problem) = table.problem() {
                return Err(broken(format!("risk_coverage: {head:?}: {problem}")));
            }
        }
        let heads = |field, heads: Vec<&String>| {
            let known = |head: &&String| {
                let of_label = |label: &String| label.split(':').next() == Some(head);
                labels.iter().any(of_label)
            };
            match heads.into_iter().find(|head| !known(head)) {
                None => Ok(()),
                Some(head) => Err(broken(format!(
                    "{field}: {head:?} is no head of id2label, whose labels are {}",
                    labels.join(", ")
                ))),
            }
        };
        heads("temperatures", raw.temperatures.keys().collect())?;
        heads("risk_coverage", raw.risk_coverage.keys().collect())?;
        Ok(ModelConfig {
            encoder,
            labels,
            pooling,
            temperatures: raw.temperatures,
            risk_coverage: raw.risk_coverage,
            surest_sentence: raw.surest_sentence,
        })
    }
}

/// The architecture, or the name of one that is not known.
fn architecture(raw: &RawConfig) -> std::result::Result<Architecture, String> {
    match raw.model_type.as_deref() {
        Some("bert") => Ok(Architecture::Bert),
        Some("distilbert") => Ok(Architecture::DistilBert),
        Some("roberta" | "xlm-roberta" | "camembert") => Ok(Architecture::Roberta),
        Some("mpnet") => Ok(Architecture::Mpnet),
        Some(other) => Err(other.to_owned()),
        None => {
            let names = raw.architectures.as_deref().unwrap_or_default();
            Err(names.first().map_or("unnamed", String::as_str).to_owned())
        }
    }
}

/// `id2label` in the order of its numbers, which must run from 0 without a gap.
fn labels(id2label: BTreeMap<String, String>) -> std::result::Result<Vec<String>, String> {
    let mut numbered = BTreeMap::new();
    for (id, label) in id2label {
        let number: usize = id
            .parse()
            .map_err(|_| format!("id2label has the key {id:?}, expected a number"))?;
        numbered.insert(number, label);
    }
    for (expected, found) in numbered.keys().enumerate() {
        if expected != *found {
            return Err(format!("id2label has no key \"{expected}\""));
        }
    }
    Ok(numbered.into_values().collect())
}
