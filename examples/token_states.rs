//! Writes a model's last hidden states, what training/train_stance.py `--states` teaches a smaller
//! model by.
//!
//!     cargo run --release --example token_states -- MODEL_DIR ROWS.jsonl PROJECTION STATES
//!
//! A row is `{"text": [ids], "target": [ids]}`, the model's own ids without special ones. For each
//! id, row by row, `STATES` gets one line of int8: the state less a mean, in directions of its
//! own, in units of a 24th of the direction's width. `PROJECTION` is raw f32 in the processor's
//! order: the mean `[hidden]`, then the directions `[hidden, directions]`, divided by their widths.
//! A `STATES` that is there already is continued.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
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
    let [model, rows, projection, states] = &args[..] else {
        return Err(anyhow!("expected MODEL_DIR ROWS PROJECTION STATES"));
    };
    let options = EngineOptions {
        precision: Precision::Int8,
        ..EngineOptions::default()
    };
    let model = Model::open(Path::new(model), &options)?;
    let (mean, directions) =
        read_projection(Path::new(projection), model.config().encoder.hidden_size)?;
    let rows = read_rows(Path::new(rows))?;
    let out = OpenOptions::new().create(true).append(true).open(states)?;
    let written = usize::try_from(out.metadata()?.len())?;
    let (mut done, mut kept) = (0, 0);
    for chunk in rows.chunks(ROWS) {
        let bytes = chunk.iter().map(Row::len).sum::<usize>() * directions.ncols();
        if kept + bytes > written {
            break;
        }
        (done, kept) = (done + chunk.len(), kept + bytes);
    }
    out.set_len(kept as u64)?;
    let mut out = BufWriter::new(out);
    for chunk in rows[done..].chunks(ROWS) {
        out.write_all(&encode(&model, chunk, &mean, &directions)?)?;
        out.flush()?;
        done += chunk.len();
        eprintln!("{done} rows");
    }
    Ok(())
}

/// The bytes of rows, in their order.
fn encode(
    model: &Model,
    rows: &[Row],
    mean: &Array1<f32>,
    directions: &Array2<f32>,
) -> anyhow::Result<Vec<u8>> {
    let sequences: Vec<_> = rows
        .iter()
        .map(|row| model.pair(&row.text, &row.target))
        .collect();
    let between = model.pair_overhead() - 2;
    let mut out = Vec::new();
    for (row, hidden) in rows.iter().zip(model.encoder().encode_tokens(&sequences)?) {
        let text = 1..1 + row.text.len();
        let target = text.end + between..text.end + between + row.target.len();
        for words in [text, target] {
            let centred = &hidden.slice(s![words, ..]) - &mean.view().insert_axis(Axis(0));
            let units = centred.dot(directions) * UNITS;
            // Widths beyond five are cut: `as` saturates.
            #[expect(clippy::cast_possible_truncation, reason = "saturates")]
            out.extend(units.iter().map(|unit| unit.round() as i8 as u8));
        }
    }
    Ok(out)
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
