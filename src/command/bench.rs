//! `quotestance bench`: how fast a model runs on this machine, as a table for an issue report.

use std::time::{Duration, Instant};

use clap::Args;
use quotestance::Model;
use quotestance::encoder::packed::roofline::Roofline;
use quotestance::encoder::{Engine, EngineOptions, Precision, Sequence};

use super::{ModelArgs, Stop};

/// Options of `bench`.
#[derive(Args)]
pub struct BenchArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// The most threads to measure [default: one a core]; one thread is measured too
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,
}

/// How long each row is measured: passes over the same texts, of which the best counts.
const EACH: Duration = Duration::from_millis(2500);
/// Tokens of a pass for each thread: enough packs for all of them to end together.
const TOKENS_A_THREAD: usize = 2_000;

impl BenchArgs {
    /// Measures and prints.
    pub fn run(self) -> Result<(), Stop> {
        let most = match self.threads {
            Some(threads) => threads.get(),
            None => std::thread::available_parallelism().map_or(1, |threads| threads.get()),
        };
        let options = self.model.engine.options();
        let mut threads = vec![1, most];
        threads.dedup();
        let precisions = match (options.engine, options.precision) {
            (Engine::Native, Precision::Auto) => vec![Precision::F32, Precision::Auto],
            (_, asked) => vec![asked],
        };
        println!(
            "quotestance {}, {} {}, {}\n",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH,
            processor()
        );
        println!("| engine | threads | tokens in a text | texts/s | tokens/s | % of roofline |");
        println!("|---|---|---|---|---|---|");
        let mut rooflines = Vec::new();
        for precision in precisions {
            for threads in &threads {
                let options = EngineOptions {
                    precision,
                    threads: *threads,
                    ..options.clone()
                };
                let model = self.model.open(&options)?;
                let roofline = match options.engine {
                    Engine::Native => Some(Roofline::measure(&options, *threads)?),
                    _ => None,
                };
                // Those of quotes with their targets, and a long text.
                for (name, lengths) in [("9-118", &MIXED[..]), ("400", &[400][..])] {
                    if name == "400" && *threads != most {
                        continue;
                    }
                    let vocabulary = model.config().encoder.vocab_size;
                    let batch = batch(lengths, *threads * TOKENS_A_THREAD, vocabulary);
                    let seconds = best(&model, &batch)?.as_secs_f64();
                    let tokens: usize = batch.iter().map(Sequence::len).sum();
                    let share = roofline.map_or("".into(), |roofline| {
                        let lengths = batch.iter().map(Sequence::len);
                        let least = roofline.least_time(&model.config().encoder, lengths);
                        format!("{:.0}", 100.0 * least.as_secs_f64() / seconds)
                    });
                    println!(
                        "| {} | {threads} | {name} | {:.0} | {:.0} | {share} |",
                        model.encoder().description(),
                        batch.len() as f64 / seconds,
                        tokens as f64 / seconds
                    );
                }
                if let Some(roofline) = roofline {
                    rooflines.push((model.encoder().description(), *threads, roofline));
                }
            }
        }
        if !rooflines.is_empty() {
            println!("\nWhat the processor can multiply and add, by loops over registers alone:\n");
            println!("| engine | threads | weights, 10⁹/s | attention (f32), 10⁹/s |");
            println!("|---|---|---|---|");
        }
        for (engine, threads, roofline) in rooflines {
            println!(
                "| {engine} | {threads} | {:.1} | {:.1} |",
                roofline.products_per_second / 1e9,
                roofline.f32_per_second / 1e9
            );
        }
        Ok(())
    }
}

/// Lengths with a mean near 48.
const MIXED: [usize; 16] = [
    31, 72, 12, 55, 24, 118, 40, 9, 63, 35, 96, 17, 48, 28, 83, 44,
];

/// Sequences of these lengths in turn. Which ids they have does not change the work.
fn batch(lengths: &[usize], tokens: usize, vocabulary: usize) -> Vec<Sequence> {
    let (mut batch, mut so_far) = (Vec::new(), 0);
    for length in lengths.iter().cycle() {
        if so_far >= tokens {
            break;
        }
        let ids = (0..*length).map(|token| ((so_far + token) * 131 % vocabulary) as u32);
        batch.push(Sequence {
            input_ids: ids.collect(),
            token_type_ids: vec![0; *length],
        });
        so_far += length;
    }
    batch
}

/// The best of some passes.
fn best(model: &Model, batch: &[Sequence]) -> quotestance::Result<Duration> {
    let mut best = Duration::MAX;
    let started = Instant::now();
    while started.elapsed() < EACH {
        let start = Instant::now();
        model.encoder().encode_pooled(batch)?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

/// The processor's name, where the system tells it in a file.
fn processor() -> String {
    let known = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = known.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| value.trim().to_owned())
    });
    name.unwrap_or_else(|| "unknown processor".into())
}
