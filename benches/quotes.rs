//! Articles per second of finding quotes and speakers, on the calling thread's pool.
//!
//! `cargo bench --bench quotes`; a part of it by name: `cargo bench --bench quotes -- rules`.

mod articles;

use std::hint::black_box;
use std::time::Duration;

use articles::articles;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quotestance::{QuoteFinder, Tagger};

fn quotes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("quotes");
    group.measurement_time(Duration::from_secs(5));

    // One thread: what a core does.
    let finder = QuoteFinder::rules_only();
    let texts = articles(100);
    group.throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("rules only, one thread", |bencher| {
        bencher.iter(|| {
            for text in &texts {
                black_box(finder.find(black_box(text)));
            }
        });
    });

    // All threads, as a run has it. A batch is what fills them.
    let tagger = Tagger::embedded(&Default::default()).expect("it is built in");
    let finder = QuoteFinder::with_tagger(tagger);
    let texts = articles(32);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    group.sample_size(10);
    group.throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("with the tagger, all threads", |bencher| {
        bencher.iter(|| finder.find_all(black_box(&texts)).expect("the tagger runs"));
    });
    group.finish();
}

criterion_group!(benches, quotes);
criterion_main!(benches);
