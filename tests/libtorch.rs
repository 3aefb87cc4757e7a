//! The libtorch engine against the native one: same folder, same labels, logits within 1e-4.
#![cfg(feature = "libtorch")]

use std::path::Path;

use quotestance::ErrorKind;
use quotestance::encoder::{Device, Engine, EngineOptions, Precision, Sequence};
use quotestance::model::Model;

fn open(options: EngineOptions) -> quotestance::Result<Model> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/stance");
    Model::open(&folder, &options)
}

fn libtorch() -> EngineOptions {
    EngineOptions {
        engine: Engine::Libtorch,
        ..EngineOptions::default()
    }
}

/// Texts of very different lengths, so that batches are padded, toward a target.
fn sequences(model: &Model) -> Vec<Sequence> {
    let words = "The council should never have signed the cameras' contract, she said";
    let target = model.ids("the contract").unwrap();
    let mut sequences: Vec<Sequence> = (0..40)
        .map(|n| {
            let text: String = words.repeat(1 + n % 7).chars().skip(n).collect();
            model.pair(&model.ids(&text).unwrap(), &target)
        })
        .collect();
    let long = model.ids(&words.repeat(60)).unwrap();
    sequences.push(model.pair(&long[..500], &target));
    sequences.push(model.pair(&[], &[]));
    sequences
}

#[test]
fn logits_and_labels_agree_with_the_native_engine() {
    let native = open(EngineOptions {
        precision: Precision::F32,
        ..EngineOptions::default()
    })
    .unwrap();
    let libtorch = open(libtorch()).unwrap();
    assert_eq!(libtorch.encoder().description(), "libtorch f32 cpu");
    let batch = sequences(&native);
    let expected = native.logits(&batch).unwrap();
    let found = libtorch.logits(&batch).unwrap();
    for (index, (expected, found)) in expected.outer_iter().zip(found.outer_iter()).enumerate() {
        for (expected, found) in expected.iter().zip(found) {
            assert!(
                (expected - found).abs() < 1e-4,
                "sequence {index}: native {expected}, libtorch {found}"
            );
        }
    }
}

#[test]
fn hidden_states_come_without_the_padding() {
    let libtorch = open(libtorch()).unwrap();
    let batch = sequences(&libtorch);
    let tokens = libtorch.encoder().encode_tokens(&batch).unwrap();
    let pooled = libtorch.encoder().encode_pooled(&batch).unwrap();
    for ((sequence, tokens), pooled) in batch.iter().zip(&tokens).zip(pooled.outer_iter()) {
        assert_eq!(tokens.dim(), (sequence.len(), pooled.len()));
        let mean = tokens.mean_axis(ndarray::Axis(0)).unwrap();
        for (mean, pooled) in mean.iter().zip(pooled) {
            assert!((mean - pooled).abs() < 1e-4, "{mean} and {pooled}");
        }
    }
}

#[test]
fn an_empty_batch_gives_no_rows() {
    let libtorch = open(libtorch()).unwrap();
    assert_eq!(libtorch.logits(&[]).unwrap().dim(), (0, 9));
}

#[test]
fn what_it_cannot_do_is_refused_with_a_way_out() {
    let cases = [
        EngineOptions {
            device: Device::Cuda(99),
            ..libtorch()
        },
        EngineOptions {
            precision: Precision::Int8,
            ..libtorch()
        },
    ];
    for options in cases {
        let error = open(options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Option, "{error}");
        assert!(error.way_out().is_some(), "{error}");
    }
}
