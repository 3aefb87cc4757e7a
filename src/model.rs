//! A [`Model`] is a tokenizer, an encoder and a classifier loaded from one folder: text goes in as
//! token ids, logits come out, and the folder's own files say what each means.

pub mod config;
pub mod folder;
pub mod tensors;

use std::path::Path;
use std::sync::OnceLock;

use ndarray::{Array1, Array2, ArrayD, ArrayView2, Ix1, Ix2};
use sha2::{Digest, Sha256};
use tokenizers::Tokenizer;

#[cfg(feature = "libtorch")]
use crate::encoder::libtorch::LibtorchEncoder;
use crate::encoder::packed::PackedEncoder;
use crate::encoder::reference::ReferenceEncoder;
use crate::encoder::{Device, Encoder, Engine, EngineOptions, Sequence};
use crate::error::{Error, ErrorKind, Result};
use crate::model::config::{ModelConfig, Pooling};
use crate::model::folder::{FileBytes, ModelFolder};
use crate::model::tensors::Tensors;
use crate::span::Span;

/// A loaded model.
pub struct Model {
    folder_name: String,
    /// `config.json` and `tokenizer.json`, for the name.
    small_files: [FileBytes; 2],
    name: OnceLock<String>,
    config: ModelConfig,
    tokenizer: Tokenizer,
    template: Template,
    tensors: Tensors,
    encoder: Box<dyn Encoder>,
    classifier: Option<Classifier>,
}

/// `logits = hidden Wᵀ + b`.
struct Classifier {
    /// `[label, hidden]`
    weight: Array2<f32>,
    /// `[label]`
    bias: Array1<f32>,
}

/// A text as token ids, without special tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Ids from the model's vocabulary, `[tokens]`.
    pub ids: Vec<u32>,
    /// Where each token stands in the text, in bytes, `[tokens]`. Spans do not overlap, except
    /// that one character may give several tokens.
    pub spans: Vec<Span>,
}

impl Model {
    /// Loads the model kept in a directory.
    ///
    /// # Errors
    /// A missing or broken file, files that do not belong together, an architecture outside the
    /// BERT family, or an engine this machine or build does not have.
    pub fn open(dir: &Path, options: &EngineOptions) -> Result<Model> {
        Model::load(ModelFolder::open(dir)?, options)
    }

    /// Loads the stance model compiled into the program.
    ///
    /// # Errors
    /// Built without the feature `embedded-model`; otherwise as [`Model::open`].
    pub fn embedded(options: &EngineOptions) -> Result<Model> {
        Model::load(ModelFolder::embedded()?, options)
    }

    /// Loads a model from its files.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn load(folder: ModelFolder, options: &EngineOptions) -> Result<Model> {
        let config = ModelConfig::parse(&folder.config, &folder.place("config.json"))?;
        let (place, tokenizer_place) = (folder.place(""), folder.place("tokenizer.json"));
        let tensors = Tensors::read(folder.weights, place.join("model.safetensors"))?;
        let (tokenizer, encoder) = rayon::join(
            || read_tokenizer(&folder.tokenizer, &tokenizer_place),
            || build_encoder(&tensors, &config, options),
        );
        let ((tokenizer, template), encoder) = (tokenizer?, encoder?);
        let vocabulary = tokenizer.get_vocab_size(true);
        if vocabulary > config.encoder.vocab_size {
            return Err(Error::new(
                ErrorKind::Model,
                format!(
                    "tokenizer.json has {vocabulary} tokens, but the model has embeddings for {}",
                    config.encoder.vocab_size
                ),
            )
            .at(place)
            .hint("tokenizer.json and model.safetensors must come from the same model"));
        }
        let classifier = read_classifier(&tensors, &config).map_err(|error| error.at(&place))?;
        Ok(Model {
            folder_name: folder.name,
            small_files: [folder.config, folder.tokenizer],
            name: OnceLock::new(),
            config,
            tokenizer,
            template,
            tensors,
            encoder,
            classifier,
        })
    }

    /// A stable id: the folder's name and the first eight hexadecimal digits of the SHA-256 of
    /// `config.json`, `tokenizer.json` and `model.safetensors` one after another, such as
    /// `stance-1a2b3c4d`: whatever decides a label or a probability. Hashed when first asked for.
    pub fn name(&self) -> &str {
        self.name.get_or_init(|| {
            let [config, tokenizer] = &self.small_files;
            let digest = Sha256::new_with_prefix(&**config)
                .chain_update(&**tokenizer)
                .chain_update(self.tensors.file())
                .finalize();
            let short: String = digest[..4]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("{}-{short}", self.folder_name)
        })
    }

    /// What each logit stands for, such as "stance:favor", in the order of the logits; empty for
    /// a model whose `config.json` has no `id2label`.
    pub fn labels(&self) -> &[String] {
        &self.config.labels
    }

    /// What `config.json` says.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The tokenizer, without truncation and padding. Words that look like special tokens are
    /// read as words: a text cannot forge a separator.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The engine.
    pub fn encoder(&self) -> &dyn Encoder {
        &*self.encoder
    }

    /// A tensor of the checkpoint as f32, for heads beyond the classifier.
    ///
    /// # Errors
    /// No such tensor, or one of an unknown type.
    pub fn tensor(&self, name: &str) -> Result<ArrayD<f32>> {
        self.tensors.array(name)
    }

    /// The ids of a text, without special tokens: `[tokens]`, empty for an empty text.
    ///
    /// # Errors
    /// The tokenizer failed, which no text should make it do.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.tokenizer.encode_fast(text, false);
        Ok(encoding.map_err(tokenizing_failed)?.get_ids().to_vec())
    }

    /// The ids of a text with the place of each, without special tokens.
    ///
    /// # Errors
    /// As [`Model::ids`].
    pub fn tokens(&self, text: &str) -> Result<Tokens> {
        let encoding = self
            .tokenizer
            .encode(text, false)
            .map_err(tokenizing_failed)?;
        let spans = encoding.get_offsets().iter();
        Ok(Tokens {
            ids: encoding.get_ids().to_vec(),
            spans: spans.map(|(start, end)| Span::new(*start, *end)).collect(),
        })
    }

    /// `[CLS] text [SEP] target [SEP]`, with token type 0 and 1, as the model's own tokenizer
    /// would join them; an empty target leaves `[CLS] text [SEP] [SEP]`.
    pub fn pair(&self, text_ids: &[u32], target_ids: &[u32]) -> Sequence {
        self.template.pair.join(text_ids, target_ids)
    }

    /// `[CLS] text [SEP]`.
    pub fn single(&self, text_ids: &[u32]) -> Sequence {
        self.template.single.join(text_ids, &[])
    }

    /// Special tokens that [`Model::pair`] adds: what of [`Encoder::max_tokens`] is not for words.
    pub fn pair_overhead(&self) -> usize {
        self.template.pair.overhead()
    }

    /// Special tokens that [`Model::single`] adds.
    pub fn single_overhead(&self) -> usize {
        self.template.single.overhead()
    }

    /// The logits of each sequence, `[batch, label]`: mean over the last hidden states, then the
    /// classifier. An empty batch gives no rows.
    ///
    /// # Errors
    /// A sequence the encoder cannot take, a result that is not finite, or a model without a
    /// classifier or without `"pooling"` in its `config.json`.
    pub fn logits(&self, batch: &[Sequence]) -> Result<Array2<f32>> {
        // Before the encoder works for nothing.
        self.classifier()?;
        self.logits_of(self.encoder.encode_pooled(batch)?.view())
    }

    /// The logits of pooled states `[batch, hidden]`, as [`Encoder::encode_pooled`] gives them:
    /// `[batch, label]`.
    ///
    /// # Errors
    /// As [`Model::logits`], but for sequences.
    ///
    /// # Panics
    /// The pooled states are not as wide as the model's.
    pub fn logits_of(&self, pooled: ArrayView2<'_, f32>) -> Result<Array2<f32>> {
        let classifier = self.classifier()?;
        let mut logits = Array2::zeros((pooled.nrows(), classifier.bias.len()));
        // Row by row: a product over the whole batch may sum in an order that depends on its size.
        for (mut logits, pooled) in logits.outer_iter_mut().zip(pooled.outer_iter()) {
            for (label, logit) in logits.iter_mut().enumerate() {
                *logit = classifier.weight.row(label).dot(&pooled) + classifier.bias[label];
            }
        }
        if logits.iter().any(|logit| !logit.is_finite()) {
            let message = format!("model {} gave logits that are not finite", self.name());
            return Err(Error::new(ErrorKind::Inference, message));
        }
        Ok(logits)
    }

    fn classifier(&self) -> Result<&Classifier> {
        self.classifier.as_ref().ok_or_else(|| {
            let message = format!("model {} has no classifier over pooled states", self.name());
            Error::new(ErrorKind::Model, message)
                .hint("config.json must say \"pooling\": \"mean\" and name the labels in id2label")
        })
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("folder", &self.folder_name)
            .field("encoder", &self.encoder.description())
            .field("labels", &self.config.labels)
            .finish_non_exhaustive()
    }
}

fn build_encoder(
    tensors: &Tensors,
    config: &ModelConfig,
    options: &EngineOptions,
) -> Result<Box<dyn Encoder>> {
    if options.device != Device::Cpu && options.engine != Engine::Libtorch {
        let message = format!(
            "the {} engine runs on the CPU only, not on {}",
            options.engine, options.device
        );
        return Err(Error::new(ErrorKind::Option, message).hint("use --engine libtorch for a GPU"));
    }
    Ok(match options.engine {
        Engine::Native => Box::new(PackedEncoder::load(tensors, &config.encoder, options)?),
        Engine::Reference => Box::new(ReferenceEncoder::load(tensors, &config.encoder)?),
        #[cfg(feature = "libtorch")]
        Engine::Libtorch => Box::new(LibtorchEncoder::load(tensors, &config.encoder, options)?),
        #[cfg(not(feature = "libtorch"))]
        Engine::Libtorch => {
            return Err(Error::new(
                ErrorKind::Option,
                "this program was built without the libtorch engine",
            )
            .hint("build it with --features libtorch (see scripts/libtorch.sh), or use --engine native"));
        }
    })
}

fn read_classifier(tensors: &Tensors, config: &ModelConfig) -> Result<Option<Classifier>> {
    let (labels, hidden) = (config.labels.len(), config.encoder.hidden_size);
    match config.pooling {
        Some(Pooling::Mean) if labels > 0 => {}
        _ => return Ok(None),
    }
    tensors.shaped("classifier.weight", &[labels, hidden])?;
    tensors.shaped("classifier.bias", &[labels])?;
    let shaped = "its shape has just been checked";
    let weight = tensors.array("classifier.weight")?;
    let bias = tensors.array("classifier.bias")?;
    Ok(Some(Classifier {
        weight: weight.into_dimensionality::<Ix2>().expect(shaped),
        bias: bias.into_dimensionality::<Ix1>().expect(shaped),
    }))
}

fn read_tokenizer(json: &[u8], place: &Path) -> Result<(Tokenizer, Template)> {
    let broken = |problem: &str, source: tokenizers::Error| {
        Error::new(ErrorKind::Model, problem)
            .at(place)
            .because(source)
    };
    let mut tokenizer = Tokenizer::from_bytes(json)
        .map_err(|error| broken("could not understand tokenizer.json", error))?;
    tokenizer
        .with_truncation(None)
        .map_err(|error| broken("could not switch truncation off", error))?;
    tokenizer.with_padding(None);
    let template = Template::of(&tokenizer)
        .map_err(|error| broken("could not join a text and a target", error))?;
    tokenizer.set_encode_special_tokens(true);
    Ok((tokenizer, template))
}

fn tokenizing_failed(source: tokenizers::Error) -> Error {
    Error::new(ErrorKind::Internal, "the tokenizer failed on a text").because(source)
}

/// Which special tokens stand around one text and around a pair, read off the tokenizer's own
/// post-processor, so that every family is joined as it was trained.
struct Template {
    single: Frame,
    pair: Frame,
}

/// Special tokens with their types, before, between and after the texts.
#[derive(Default)]
struct Frame {
    before: Vec<(u32, u32)>,
    between: Vec<(u32, u32)>,
    after: Vec<(u32, u32)>,
    text_type: u32,
    target_type: u32,
}

impl Template {
    fn of(tokenizer: &Tokenizer) -> tokenizers::Result<Template> {
        // Any words will do: only what the tokenizer puts around them is kept.
        let single = tokenizer.encode("a", true)?;
        let pair = tokenizer.encode(("a", "a"), true)?;
        let template = Template {
            single: Frame::of(&single),
            pair: Frame::of(&pair),
        };
        if template.pair.overhead() == 0 {
            return Err("its post_processor adds no special tokens around a pair".into());
        }
        Ok(template)
    }
}

impl Frame {
    fn of(encoding: &tokenizers::Encoding) -> Frame {
        let mut frame = Frame::default();
        let ids = encoding.get_ids().iter().zip(encoding.get_type_ids());
        let (mut texts, mut inside) = (0, false);
        for ((id, kind), special) in ids.zip(encoding.get_special_tokens_mask()) {
            if *special == 0 {
                texts += usize::from(!inside);
                inside = true;
                match texts {
                    1 => frame.text_type = *kind,
                    _ => frame.target_type = *kind,
                }
            } else {
                inside = false;
                match texts {
                    0 => frame.before.push((*id, *kind)),
                    1 => frame.between.push((*id, *kind)),
                    _ => frame.after.push((*id, *kind)),
                }
            }
        }
        frame
    }

    fn overhead(&self) -> usize {
        self.before.len() + self.between.len() + self.after.len()
    }

    fn join(&self, text: &[u32], target: &[u32]) -> Sequence {
        let text = text.iter().map(|id| (*id, self.text_type));
        let target = target.iter().map(|id| (*id, self.target_type));
        let tokens = (self.before.iter().copied())
            .chain(text)
            .chain(self.between.iter().copied())
            .chain(target)
            .chain(self.after.iter().copied());
        let (input_ids, token_type_ids) = tokens.unzip();
        Sequence {
            input_ids,
            token_type_ids,
        }
    }
}
