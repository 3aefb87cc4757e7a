//! Writes a model's last hidden states, what training/train_stance.py `--states` teaches a smaller
//! model by.
//!
//!     cargo run --release --example token_states -- MODEL_DIR ROWS.jsonl PROJECTION STATES LOGITS
//!
//! A row is `{"text": [ids], "target": [ids]}`, the model's own ids without special ones. For each
//! id, row by row, `STATES` gets one line of int8: the state less a mean, in directions of its
//! own, in units of a 24th of the direction's width. `PROJECTION` is raw f32 in the processor's
//! order: the mean `[hidden]`, then the directions `[hidden, directions]`, divided by their widths.
//! `LOGITS` gets the logits of each row, divided by their heads' temperatures, raw f32
//! `[row, label]`. A `STATES` and a `LOGITS` that are there already are continued.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use ndarray::{Array1, Array2, Axis, s};
use quotestance::encoder::{EngineOptions, Precision};
use quotestance::model::Model;
use serde::Deserialize;

/// Units in a direction's width.
const UNITS: f32 = 24.0;
/// Rows encoded at once, between two writes.
const ROWS: usize = 256;

#[derive(Deserialize)]
struct Row {
    text: Vec<u32>,
    target: Vec<u32>,
}

impl Row {
    fn len(&self) -> usize {
        self.text.len() + self.target.len()
    }
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, rows, projection, states, logits] = &args[..] else {
        return Err(anyhow!("expected MODEL_DIR ROWS PROJECTION STATES LOGITS"));
    };
    let options = EngineOptions {
        precision: Precision::Int8,
        ..EngineOptions::default()
    };
    let model = Model::open(Path::new(model), &options)?;
    let temperature = |label: &String| {
        let head = label
            .split_once(':')
            .map_or(label.as_str(), |(head, _)| head);
        *model.config().temperatures.get(head).unwrap_or(&1.0)
    };
    let teacher = Teacher {
        projection: read_projection(Path::new(projection), model.config().encoder.hidden_size)?,
        temperatures: model.labels().iter().map(temperature).collect(),
        model,
    };
    let rows = read_rows(Path::new(rows))?;
    let answer = teacher.temperatures.len() * size_of::<f32>();
    // Logits are written after the states of the same rows.
    let answered = written(logits)? / answer;
    let mut done = rows.len();
    if answered < done {
        done = answered / ROWS * ROWS;
    }
    let kept = rows[..done].iter().map(Row::len).sum::<usize>() * teacher.projection.1.ncols();
    let (mut states, mut logits) = (continued(states, kept)?, continued(logits, done * answer)?);
    for chunk in rows[done..].chunks(ROWS) {
        let (found, answers) = teacher.encode(chunk)?;
        states.write_all(&found)?;
        states.flush()?;
        logits.write_all(&answers)?;
        logits.flush()?;
        done += chunk.len();
        eprintln!("{done} rows");
    }
    Ok(())
}

/// How many bytes a file has, none if it is not there.
fn written(path: &str) -> anyhow::Result<usize> {
    match std::fs::metadata(path) {
        Ok(data) => Ok(usize::try_from(data.len())?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error).with_context(|| path.to_owned()),
    }
}

/// A file to go on with after its first `kept` bytes.
fn continued(path: &str, kept: usize) -> anyhow::Result<BufWriter<File>> {
    let there = written(path)?;
    ensure!(
        there >= kept,
        "{path}: {there} bytes, expected at least {kept}"
    );
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    file.set_len(kept as u64)?;
    Ok(BufWriter::new(file))
}

struct Teacher {
    model: Model,
    /// The mean `[hidden]` and the directions `[hidden, directions]`.
    projection: (Array1<f32>, Array2<f32>),
    /// `[label]`
    temperatures: Array1<f32>,
}

impl Teacher {
    /// The bytes of the states and of the logits of rows, in their order.
    fn encode(&self, rows: &[Row]) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
        let sequences: Vec<_> = rows
            .iter()
            .map(|row| self.model.pair(&row.text, &row.target))
            .collect();
        let between = self.model.pair_overhead() - 2;
        let (mean, directions) = &self.projection;
        let mut states = Vec::new();
        let mut pooled = Array2::zeros((rows.len(), mean.len()));
        let found = self.model.encoder().encode_tokens(&sequences)?;
        for ((row, hidden), mut pooled) in rows.iter().zip(found).zip(pooled.outer_iter_mut()) {
            let text = 1..1 + row.text.len();
            let target = text.end + between..text.end + between + row.target.len();
            for words in [text, target] {
                let centred = &hidden.slice(s![words, ..]) - &mean.view().insert_axis(Axis(0));
                let units = centred.dot(directions) * UNITS;
                // Widths beyond five are cut: `as` saturates.
                #[expect(clippy::cast_possible_truncation, reason = "saturates")]
                states.extend(units.iter().map(|unit| unit.round() as i8 as u8));
            }
            pooled.assign(&hidden.mean_axis(Axis(0)).context("no token")?);
        }
        let logits = self.model.logits_of(pooled.view())? / &self.temperatures;
        let logits = logits.iter().flat_map(|logit| logit.to_ne_bytes());
        Ok((states, logits.collect()))
    }
}

fn read_projection(path: &Path, hidden: usize) -> anyhow::Result<(Array1<f32>, Array2<f32>)> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let numbers: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|number| f32::from_ne_bytes([number[0], number[1], number[2], number[3]]))
        .collect();
    ensure!(
        numbers.len() > hidden && numbers.len().is_multiple_of(hidden),
        "{}: {} numbers are no projection of {hidden}",
        path.display(),
        numbers.len()
    );
    let directions = numbers.len() / hidden - 1;
    let matrix = Array2::from_shape_vec((hidden, directions), numbers[hidden..].to_vec())?;
    Ok((Array1::from(numbers[..hidden].to_vec()), matrix))
}

fn read_rows(path: &Path) -> anyhow::Result<Vec<Row>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut rows = Vec::new();
    for (line, text) in BufReader::new(file).lines().enumerate() {
        let row = serde_json::from_str(&text?)
            .with_context(|| format!("{}:{}", path.display(), line + 1))?;
        rows.push(row);
    }
    Ok(rows)
}
