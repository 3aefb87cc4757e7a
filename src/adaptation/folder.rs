//! The folder of an adapted model: that of the model it came from, with another stance head.

use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use super::Adaptation;
use crate::error::{Error, ErrorKind, Result};
use crate::model::config::ModelConfig;
use crate::model::folder::ModelFolder;
use crate::model::tensors::Tensors;
use crate::prediction::Task;

const WEIGHT: &str = "classifier.weight";
const BIAS: &str = "classifier.bias";

/// Writes the model of `folder` with the adapted stance head into a new folder: made beside its
/// name, and named when whole. `from` is the id of the model adapted. What the old head was
/// calibrated by does not hold for the new one, so that `risk_coverage` of stance is left out.
///
/// # Errors
/// A folder that exists, or cannot be written.
pub fn write_adapted(
    folder: ModelFolder,
    adaptation: &Adaptation,
    from: &str,
    out: &Path,
) -> Result<()> {
    if out.exists() {
        return Err(Error::new(ErrorKind::Option, "exists already")
            .at(out)
            .hint("name a folder that is not there yet, or remove this one"));
    }
    let config = config(&folder, adaptation, from)?;
    let (parsed, place) = (
        ModelConfig::parse(&folder.config, &folder.place("config.json"))?,
        folder.place("model.safetensors"),
    );
    let tokenizer = folder.tokenizer.to_vec();
    let weights = weights(Tensors::read(folder.weights, place)?, &parsed, adaptation)?;
    let mut partial = out.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, "the model cannot be written")
            .at(out)
            .because(error)
    };
    if partial.exists() {
        std::fs::remove_dir_all(&partial).map_err(failed)?;
    }
    std::fs::create_dir_all(&partial).map_err(failed)?;
    for (name, bytes) in [
        ("config.json", format!("{config:#}\n").into_bytes()),
        ("tokenizer.json", tokenizer),
        ("model.safetensors", weights),
    ] {
        std::fs::write(partial.join(name), bytes).map_err(failed)?;
    }
    std::fs::rename(&partial, out).map_err(failed)
}

fn config(folder: &ModelFolder, adaptation: &Adaptation, from: &str) -> Result<Value> {
    let broken = |error: serde_json::Error| {
        Error::new(ErrorKind::Model, "could not understand config.json")
            .at(folder.place("config.json"))
            .because(error)
    };
    let mut config: Value = serde_json::from_slice(&folder.config).map_err(broken)?;
    let stance = Task::Stance.name();
    config["temperatures"][stance] = adaptation.temperature.into();
    if let Some(tables) = config["risk_coverage"].as_object_mut() {
        tables.shift_remove(stance);
    }
    let empty = config["risk_coverage"].is_null();
    if let Some(config) = config.as_object_mut() {
        // The head was fitted on whole texts.
        config.shift_remove("surest_sentence");
        if empty {
            config.shift_remove("risk_coverage");
        }
    }
    let mut adapted = serde_json::to_value(&adaptation.report).map_err(broken)?;
    adapted["from"] = from.into();
    config["adapted"] = adapted;
    Ok(config)
}

/// All tensors as they are, but for the rows of the stance head. Those become f32.
fn weights(tensors: Tensors, config: &ModelConfig, adaptation: &Adaptation) -> Result<Vec<u8>> {
    let (mut weight, mut bias) = (tensors.array(WEIGHT)?, tensors.array(BIAS)?);
    for (index, label) in Task::Stance.labels().iter().enumerate() {
        let name = format!("{}:{label}", Task::Stance.name());
        let row = config.labels.iter().position(|known| *known == name);
        let row = row.ok_or_else(|| {
            Error::new(ErrorKind::Model, format!("the model has no label {name}"))
        })?;
        let head = &adaptation.head;
        let new = head.weight.row(index).mapv(|value| value as f32);
        weight.index_axis_mut(ndarray::Axis(0), row).assign(&new);
        bias[[row]] = head.bias[index] as f32;
    }
    let bytes = |array: &ndarray::ArrayD<f32>| -> Vec<u8> {
        array.iter().flat_map(|value| value.to_le_bytes()).collect()
    };
    let (weight_bytes, bias_bytes) = (bytes(&weight), bytes(&bias));
    let broken = |error: safetensors::SafeTensorError| {
        Error::new(ErrorKind::Model, "the tensors cannot be put together").because(error)
    };
    let known = SafeTensors::deserialize(tensors.file()).map_err(broken)?;
    let scales = [WEIGHT, BIAS].map(|name| format!("{name}_scale"));
    let mut all = Vec::new();
    for (name, view) in known.tensors() {
        let new = match name.as_str() {
            WEIGHT => Some(&weight_bytes),
            BIAS => Some(&bias_bytes),
            name if scales.iter().any(|scale| scale == name) => continue,
            _ => None,
        };
        let view = match new {
            Some(bytes) => {
                TensorView::new(Dtype::F32, view.shape().to_vec(), bytes).map_err(broken)?
            }
            None => view,
        };
        all.push((name, view));
    }
    let metadata = [("format".to_owned(), "pt".to_owned())]
        .into_iter()
        .collect();
    safetensors::serialize(all, Some(metadata)).map_err(broken)
}
