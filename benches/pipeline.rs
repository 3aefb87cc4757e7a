//! Articles per second of whole runs of the program, start and writing included.
//!
//! `cargo bench --bench pipeline`; a part of it by name: `cargo bench --bench pipeline -- start`.

mod articles;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use articles::articles;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Runs the program on `input` with the options that `words` are, its output into a file beside.
fn run(input: &Path, words: &str) {
    let output = input.with_extension("csv");
    let status = Command::new(env!("CARGO_BIN_EXE_quotestance"))
        .args(words.split(' '))
        .arg(input)
        .args(["--quiet", "--restart", "-o"])
        .arg(&output)
        .status()
        .expect("it is built");
    assert!(status.success(), "{words}");
}

fn pipeline(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let corpus = |count: usize| {
        let path = folder.path().join(format!("{count}.jsonl"));
        let line = |text| serde_json::json!({ "text": text }).to_string() + "\n";
        let lines: String = articles(count).into_iter().map(line).collect();
        std::fs::write(&path, lines).expect("it can be written");
        path
    };
    let mut group = criterion.benchmark_group("pipeline");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    for (name, count, words) in [
        ("start to end of one article", 1, "run --target bridge"),
        ("run, one thread", 20, "run --target bridge --threads 1"),
        ("run, two threads", 20, "run --target bridge --threads 2"),
        (
            "run by rules, two threads",
            20,
            "run --target bridge --threads 2 --rules-only",
        ),
        ("quotes, two threads", 20, "quotes --threads 2"),
        (
            "quotes by rules, two threads",
            2000,
            "quotes --threads 2 --rules-only",
        ),
    ] {
        let input = corpus(count);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(name, |bencher| bencher.iter(|| run(&input, words)));
    }
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
