//! The [`LibtorchEncoder`] runs BERT by rust-bert on libtorch: the engine for GPUs, and a second
//! opinion on the CPU. All of rust-bert and tch that the crate uses is in this file.
//!
//! Sequences are sorted by length and cut into padded batches by a token budget. Unlike the other
//! engines, libtorch does not promise a sequence the same last bits in whatever batch it stands;
//! the same batch gives the same bits on one machine.

use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use ndarray::Array2;
use rust_bert::bert::{BertConfig, BertEmbeddings, BertModel};
use tch::nn::VarStore;
use tch::{Cuda, Device as TchDevice, Kind, Tensor};

use crate::encoder::config::{Activation, Architecture, EncoderConfig};
use crate::encoder::{
    Device, Encoder, EngineOptions, Precision, Sequence, check_finite, check_sequences,
};
use crate::error::{Error, ErrorKind, Result};
use crate::model::tensors::Tensors;

/// Tokens of a batch, padding included. On a CPU, more than a few sequences at a time only costs
/// cache; a GPU wants its thousands of lanes full.
const MAX_BATCH_TOKENS_CPU: usize = 2048;
const MAX_BATCH_TOKENS_CUDA: usize = 32_768;

/// The epsilon that rust-bert 0.23 writes into every LayerNorm, whatever `config.json` says.
const RUST_BERT_EPSILON: f32 = 1e-12;

/// An encoder on libtorch.
pub struct LibtorchEncoder {
    config: EncoderConfig,
    device: TchDevice,
    kind: Kind,
    /// rust-bert's models may be sent to another thread but not shared.
    model: Mutex<BertModel<BertEmbeddings>>,
}

impl LibtorchEncoder {
    /// Copies an encoder's tensors to the device.
    ///
    /// # Errors
    /// A family other than BERT, tensors that are missing or of another shape, a device this
    /// machine does not have, or a precision that libtorch does not have on it.
    pub fn load(
        tensors: &Tensors,
        config: &EncoderConfig,
        options: &EngineOptions,
    ) -> Result<LibtorchEncoder> {
        let bert = rust_bert_config(config)?;
        let device = available(options.device)?;
        let kind = kind(options.precision, device)?;
        if options.threads > 0 {
            // libtorch has one pool for the whole process.
            tch::set_num_threads(i32::try_from(options.threads).unwrap_or(i32::MAX));
        }
        // Weights are copied in f32 on the CPU, then moved whole.
        let mut store = VarStore::new(TchDevice::Cpu);
        let model = BertModel::new_with_optional_pooler(store.root() / "bert", &bert, false);
        let bare = tensors.contains("embeddings.word_embeddings.weight");
        for (name, mut variable) in store.variables() {
            let stored = match bare {
                true => name.trim_start_matches("bert."),
                false => &name,
            };
            let shape: Vec<usize> = variable.size().iter().map(|size| *size as usize).collect();
            let values = tensors.shaped(stored, &shape)?.to_f32();
            let values = Tensor::from_slice(&values).view_(variable.size());
            tch::no_grad(|| variable.copy_(&values));
        }
        store.freeze();
        if kind != Kind::Float {
            store.set_kind(kind);
        }
        store.set_device(device);
        Ok(LibtorchEncoder {
            config: config.clone(),
            device,
            kind,
            model: Mutex::new(model),
        })
    }

    /// Runs each batch and gives every sequence's index and result to `each`: its last hidden
    /// states (`[tokens, hidden]`, flat) or, pooled, their mean (`[hidden]`).
    fn run(
        &self,
        batch: &[Sequence],
        pooled: bool,
        mut each: impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        check_sequences(batch, &self.config)?;
        // A failed batch leaves nothing behind in the model.
        let model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        for indices in self.batches(batch) {
            let rows: Vec<&Sequence> = indices.iter().map(|index| &batch[*index]).collect();
            // rust-bert panics where libtorch fails, as it does when a GPU is out of memory.
            let run = AssertUnwindSafe(|| tch::no_grad(|| self.forward(&model, &rows, pooled)));
            let states = match catch_unwind(run) {
                Ok(states) => states.map_err(|error| self.batch_failed(&rows, error))?,
                Err(panic) => return Err(self.batch_failed(&rows, panic_words(&*panic).into())),
            };
            let width = states.len() / rows.len();
            for ((index, row), states) in indices.iter().zip(rows).zip(states.chunks_exact(width)) {
                let own = match pooled {
                    true => states,
                    false => &states[..row.len() * self.config.hidden_size],
                };
                check_finite(own, *index, batch, self)?;
                each(*index, own);
            }
        }
        Ok(())
    }

    /// Indices of the sequences of each batch, the shortest first.
    fn batches(&self, batch: &[Sequence]) -> Vec<Vec<usize>> {
        let budget = match self.device {
            TchDevice::Cpu => MAX_BATCH_TOKENS_CPU,
            _ => MAX_BATCH_TOKENS_CUDA,
        };
        let mut order: Vec<usize> = (0..batch.len()).collect();
        order.sort_by_key(|index| batch[*index].len());
        let mut batches: Vec<Vec<usize>> = Vec::new();
        for index in order {
            match batches.last_mut() {
                Some(last) if (last.len() + 1) * batch[index].len() <= budget => last.push(index),
                _ => batches.push(vec![index]),
            }
        }
        batches
    }

    /// Last hidden states of a batch, `[batch, seq, hidden]`, or their mean over each sequence's
    /// own tokens, `[batch, hidden]`; flat, in f32.
    fn forward(
        &self,
        model: &BertModel<BertEmbeddings>,
        rows: &[&Sequence],
        pooled: bool,
    ) -> std::result::Result<Vec<f32>, Box<dyn StdError + Send + Sync>> {
        let longest = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let padded = |values: &dyn Fn(&Sequence) -> Vec<u32>| {
            let mut cells = Vec::with_capacity(rows.len() * longest);
            for (row, sequence) in rows.iter().enumerate() {
                cells.extend(values(sequence).into_iter().map(i64::from));
                cells.resize((row + 1) * longest, 0);
            }
            self.tensor(&cells, rows.len(), longest)
        };
        let ids = padded(&|sequence| sequence.input_ids.clone());
        let types = padded(&|sequence| sequence.token_type_ids.clone());
        // An integer mask: rust-bert inverts it bit by bit.
        let mask = padded(&|sequence| vec![1; sequence.len()]);
        let output = model.forward_t(
            Some(&ids),
            Some(&mask),
            Some(&types),
            None,
            None,
            None,
            None,
            false,
        )?;
        let mut states = output.hidden_state.to_kind(Kind::Float);
        if pooled {
            let mask = mask.to_kind(Kind::Float);
            let sum = (states * mask.unsqueeze(-1)).sum_dim_intlist([1i64].as_slice(), false, None);
            states = sum / mask.sum_dim_intlist([1i64].as_slice(), true, None);
        }
        let flat = states.to_device(TchDevice::Cpu).contiguous().view(-1);
        Ok(Vec::try_from(flat)?)
    }

    /// `[batch, seq]` on the device. Through pinned memory to a GPU, so that the copy does not
    /// hold up the host.
    fn tensor(&self, values: &[i64], batch: usize, seq: usize) -> Tensor {
        let tensor = Tensor::from_slice(values).view([batch as i64, seq as i64]);
        match self.device {
            TchDevice::Cpu => tensor,
            device => tensor
                .pin_memory(device)
                .to_device_(device, Kind::Int64, true, false),
        }
    }

    fn batch_failed(&self, rows: &[&Sequence], error: Box<dyn StdError + Send + Sync>) -> Error {
        let longest = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let message = format!(
            "{} failed on input_ids [{}, {longest}]",
            self.description(),
            rows.len()
        );
        Error::new(ErrorKind::Inference, message)
            .hint("out of memory? run with --engine native, or on another --device")
            .because(error)
    }
}

impl Encoder for LibtorchEncoder {
    fn hidden_size(&self) -> usize {
        self.config.hidden_size
    }

    fn max_tokens(&self) -> usize {
        self.config.max_tokens()
    }

    fn description(&self) -> String {
        let device = match self.device {
            TchDevice::Cuda(index) => format!("cuda:{index}"),
            _ => "cpu".to_owned(),
        };
        let precision = match self.kind {
            Kind::Half => "f16",
            Kind::BFloat16 => "bf16",
            _ => "f32",
        };
        format!("libtorch {precision} {device}")
    }

    fn encode_pooled(&self, batch: &[Sequence]) -> Result<Array2<f32>> {
        let mut pooled = Array2::zeros((batch.len(), self.config.hidden_size));
        self.run(batch, true, |index, states| {
            fill(pooled.row_mut(index).as_slice_mut(), states);
        })?;
        Ok(pooled)
    }

    fn encode_tokens(&self, batch: &[Sequence]) -> Result<Vec<Array2<f32>>> {
        let mut encoded: Vec<Array2<f32>> = batch
            .iter()
            .map(|sequence| Array2::zeros((sequence.len(), self.config.hidden_size)))
            .collect();
        self.run(batch, false, |index, states| {
            fill(encoded[index].as_slice_mut(), states);
        })?;
        Ok(encoded)
    }
}

fn fill(own: Option<&mut [f32]>, states: &[f32]) {
    own.expect("new arrays are contiguous")
        .copy_from_slice(states);
}

fn rust_bert_config(config: &EncoderConfig) -> Result<BertConfig> {
    let lacking = |what: String| {
        Error::new(
            ErrorKind::Option,
            format!("the libtorch engine has no {what}"),
        )
        .hint("run it with --engine native")
    };
    if config.architecture != Architecture::Bert {
        return Err(lacking(format!("{:?}, only Bert", config.architecture)));
    }
    if config.layer_norm_epsilon != RUST_BERT_EPSILON {
        return Err(lacking(format!(
            "LayerNorm epsilon {:e}, only {RUST_BERT_EPSILON:e}",
            config.layer_norm_epsilon
        )));
    }
    Ok(BertConfig {
        hidden_act: match config.activation {
            Activation::Gelu => rust_bert::Activation::gelu,
            Activation::Relu => rust_bert::Activation::relu,
        },
        attention_probs_dropout_prob: 0.0,
        hidden_dropout_prob: 0.0,
        hidden_size: config.hidden_size as i64,
        intermediate_size: config.intermediate_size as i64,
        max_position_embeddings: config.positions as i64,
        num_attention_heads: config.heads as i64,
        num_hidden_layers: config.layers as i64,
        type_vocab_size: config.token_types as i64,
        vocab_size: config.vocab_size as i64,
        ..BertConfig::default()
    })
}

/// The device, if this machine and this libtorch have it.
fn available(device: Device) -> Result<TchDevice> {
    match device {
        Device::Cpu => Ok(TchDevice::Cpu),
        Device::Cuda(index) if (index as i64) < Cuda::device_count() => Ok(TchDevice::Cuda(index)),
        Device::Cuda(_) => {
            let found = match Cuda::device_count() {
                0 => "this libtorch sees no CUDA device".to_owned(),
                count => format!("this libtorch sees {count} CUDA devices, counted from 0"),
            };
            let message = format!("device {device} is not there: {found}");
            Err(Error::new(ErrorKind::Option, message)
                .hint("a libtorch with CUDA: scripts/libtorch.sh --cuda; or --device cpu"))
        }
    }
}

/// Half precision on a GPU unless f32 is asked for; f32 on a CPU unless bf16 is.
fn kind(precision: Precision, device: TchDevice) -> Result<Kind> {
    match (precision, device) {
        (Precision::F32, _) | (Precision::Auto, TchDevice::Cpu) => Ok(Kind::Float),
        (Precision::Bf16, _) => Ok(Kind::BFloat16),
        (Precision::Auto, _) => Ok(Kind::Half),
        (Precision::Int8 | Precision::Int16, _) => Err(Error::new(
            ErrorKind::Option,
            format!("the libtorch engine has no {precision}"),
        )
        .hint("use --engine native, or --precision f32")),
    }
}

fn panic_words(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    words
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("libtorch panicked")
        .to_owned()
}
