//! The native engine against the reference, and against itself in every arrangement.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ndarray::Axis;
use quotestance::ErrorKind;
use quotestance::encoder::{Engine, EngineOptions, Isa, Precision, Sequence};
use quotestance::model::Model;
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;

const ISAS: [Isa; 3] = [Isa::Avx512, Isa::Avx2, Isa::Portable];

fn model(options: EngineOptions) -> Option<Model> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/stance");
    match Model::open(&folder, &options) {
        Ok(model) => Some(model),
        // The only thing a machine may lack is the instruction set that was forced.
        Err(error) if options.isa != Isa::Auto => {
            assert_eq!(error.kind(), ErrorKind::Option, "{error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Sequences of ids that look random, the same in every run, of 3 to `longest` tokens.
fn sequences(count: usize, longest: u64) -> Vec<Sequence> {
    let mut state = 1u64;
    let mut next = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let mut sequence = || {
        let words = next(longest - 2);
        let cut = next(words + 1);
        let middle = (0..words).map(|_| 1000 + next(29_000) as u32);
        let ids = [101].into_iter().chain(middle).chain([102, 102]);
        Sequence {
            input_ids: ids.collect(),
            token_type_ids: (0..words + 3).map(|token| u32::from(token > cut)).collect(),
        }
    };
    (0..count).map(|_| sequence()).collect()
}

#[test]
fn f32_and_int16_agree_with_the_reference() {
    let mut batch = sequences(24, 100);
    batch.extend(sequences(1, 512));
    batch[24].input_ids.resize(512, 2000);
    batch[24].token_type_ids.resize(512, 1);
    let reference = model(EngineOptions {
        engine: Engine::Reference,
        ..Default::default()
    })
    .unwrap();
    let expected = reference.logits(&batch).unwrap();
    for (precision, isa) in [Precision::F32, Precision::Int16]
        .into_iter()
        .flat_map(|precision| ISAS.map(|isa| (precision, isa)))
    {
        let options = EngineOptions {
            precision,
            isa,
            ..Default::default()
        };
        let Some(model) = model(options) else {
            continue;
        };
        let tolerance = match precision {
            Precision::F32 => 1e-4,
            _ => 1e-2,
        };
        let found = model.logits(&batch).unwrap();
        for (expected, found) in expected.iter().zip(&found) {
            assert!(
                (expected - found).abs() < tolerance,
                "{precision} {isa}: expected {expected}, found {found}"
            );
        }
    }
}

#[test]
fn int8_and_bf16_stay_close_to_f32_on_every_instruction_set() {
    let batch = sequences(24, 100);
    let reference = model(EngineOptions {
        engine: Engine::Reference,
        ..Default::default()
    })
    .unwrap();
    let expected = reference.encoder().encode_pooled(&batch).unwrap();
    let least = [(Precision::Int8, 0.99), (Precision::Bf16, 0.999)];
    for ((precision, least), isa) in least.into_iter().flat_map(|p| ISAS.map(|isa| (p, isa))) {
        let options = EngineOptions {
            precision,
            isa,
            ..Default::default()
        };
        let Some(model) = model(options) else {
            continue;
        };
        let found = model.encoder().encode_pooled(&batch).unwrap();
        for (a, b) in expected.outer_iter().zip(found.outer_iter()) {
            let cosine = a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt();
            assert!(cosine > least, "{precision} {isa}: cosine {cosine}");
        }
    }
}

#[test]
fn a_sequence_gets_the_same_bits_whatever_stands_beside_it() {
    // The default on 1,000; the others differ from it in their products alone.
    for (precision, count) in [
        (Precision::Int16, 1000),
        (Precision::Int8, 200),
        (Precision::Bf16, 200),
        (Precision::F32, 200),
    ] {
        let batch = sequences(count, 60);
        let load = |threads| {
            model(EngineOptions {
                precision,
                threads,
                ..Default::default()
            })
            .unwrap()
        };
        let (one, three) = (load(1), load(3));
        let bits = |values: ndarray::Array2<f32>| values.mapv(f32::to_bits);
        let expected = bits(one.logits(&batch).unwrap());
        let reversed: Vec<_> = batch.iter().rev().cloned().collect();
        let mut found = bits(three.logits(&reversed).unwrap());
        found.invert_axis(ndarray::Axis(0));
        assert_eq!(
            expected, found,
            "{precision}: other threads, order, neighbours"
        );
        for index in (0..batch.len()).step_by(batch.len() / 20) {
            let alone = bits(three.logits(&batch[index..=index]).unwrap());
            assert_eq!(expected.row(index), alone.row(0), "{precision}: alone");
        }
    }
}

/// `tests/reference/mpnet.json`, which `make_mpnet_reference.py` makes.
#[derive(Deserialize)]
struct MpnetReference {
    config: serde_json::Value,
    tensors: BTreeMap<String, Vec<usize>>,
    rows: Vec<MpnetRow>,
}

/// A sequence and the mean of its last hidden states.
#[derive(Deserialize)]
struct MpnetRow {
    ids: Vec<u32>,
    types: Vec<u32>,
    mean: Vec<f32>,
}

#[test]
fn an_mpnet_with_token_types_agrees_with_transformers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = fs::read(root.join("tests/reference/mpnet.json")).unwrap();
    let reference: MpnetReference = serde_json::from_slice(&reference).unwrap();
    // The weights are counted out as there.
    let weights: Vec<Vec<u8>> = (reference.tensors.iter().enumerate())
        .map(|(tensor, (name, shape))| {
            let one = if name.ends_with("LayerNorm.weight") {
                1.0
            } else {
                0.0
            };
            (0..shape.iter().product())
                .flat_map(|at: usize| {
                    let counted = ((tensor * 7919 + at * 104_729) % 2003) as f32;
                    ((counted / 2003.0 - 0.5) / 2.0 + one).to_le_bytes()
                })
                .collect()
        })
        .collect();
    let tensors = (reference.tensors.iter().zip(&weights)).map(|((name, shape), bytes)| {
        (
            name,
            TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
        )
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    safetensors::serialize_to_file(tensors, None, &file).unwrap();
    let config = folder.path().join("config.json");
    fs::write(config, reference.config.to_string()).unwrap();
    fs::copy(
        root.join("models/tagger/tokenizer.json"),
        folder.path().join("tokenizer.json"),
    )
    .unwrap();

    let batch: Vec<Sequence> = (reference.rows.iter())
        .map(|row| Sequence {
            input_ids: row.ids.clone(),
            token_type_ids: row.types.clone(),
        })
        .collect();
    for (engine, precision) in [
        (Engine::Reference, Precision::F32),
        (Engine::Native, Precision::F32),
        (Engine::Native, Precision::Int16),
    ] {
        let options = EngineOptions {
            engine,
            precision,
            ..Default::default()
        };
        let model = Model::open(folder.path(), &options).unwrap();
        let states = model.encoder().encode_tokens(&batch).unwrap();
        for (row, states) in reference.rows.iter().zip(&states) {
            let found = states.mean_axis(Axis(0)).unwrap();
            for (expected, found) in row.mean.iter().zip(&found) {
                assert!(
                    (expected - found).abs() < 2e-3,
                    "{engine:?} {precision:?}: expected {expected}, found {found}"
                );
            }
        }
    }
}
