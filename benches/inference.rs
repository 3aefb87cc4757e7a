//! Tokens per second of the encoder by length, precision, instruction set and threads.
//!
//! `cargo bench --bench inference`; a part of it by name: `cargo bench --bench inference -- mixed`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quotestance::encoder::{EngineOptions, Isa, Precision, Sequence};
use quotestance::model::Model;
use quotestance::model::folder::ModelFolder;

/// Tokens in a batch, about: enough packs for several threads.
const BATCH_TOKENS: usize = 8_000;

/// Sequences of these lengths in turn. Which ids they have does not change the work.
fn batch(lengths: &[usize]) -> Vec<Sequence> {
    let mut tokens = 0;
    let mut batch = Vec::new();
    for (index, length) in lengths.iter().cycle().enumerate() {
        if tokens >= BATCH_TOKENS {
            break;
        }
        let ids = (0..*length).map(|token| (1000 + (index * 131 + token * 7) % 29_000) as u32);
        batch.push(Sequence {
            input_ids: ids.collect(),
            token_type_ids: vec![0; *length],
        });
        tokens += length;
    }
    batch
}

fn encoder(criterion: &mut Criterion) {
    // 7 to 116 tokens with a mean near 47, as quotes with their targets are.
    let mixed: Vec<usize> = (0..64)
        .map(|i| 7 + (i * i * 37) % 114 * (i % 3 + 1) / 3)
        .collect();
    let mixes = [
        ("10", vec![10]),
        ("40", vec![40]),
        ("120", vec![120]),
        ("400", vec![400]),
        ("mixed", mixed),
    ];
    for (mix, lengths) in &mixes {
        let batch = batch(lengths);
        let tokens: usize = batch.iter().map(Sequence::len).sum();
        let mut group = criterion.benchmark_group(format!("encoder/{mix}"));
        group.throughput(Throughput::Elements(tokens as u64));
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(3));
        group.warm_up_time(Duration::from_millis(500));
        for isa in [Isa::Avx512, Isa::Avx2, Isa::Portable] {
            for precision in [Precision::F32, Precision::Int16, Precision::Int8] {
                for threads in [1, 2] {
                    let options = EngineOptions {
                        precision,
                        isa,
                        threads,
                        ..EngineOptions::default()
                    };
                    let folder =
                        ModelFolder::open("models/stance").expect("run in the source tree");
                    let Ok(model) = Model::load(folder, &options) else {
                        // This machine lacks the instruction set.
                        continue;
                    };
                    let name = format!("{isa} {precision}");
                    group.bench_function(BenchmarkId::new(name, threads), |bencher| {
                        bencher.iter(|| black_box(model.encoder().encode_pooled(&batch)));
                    });
                }
            }
        }
    }
}

criterion_group!(benches, encoder);
criterion_main!(benches);
