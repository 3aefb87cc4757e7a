//! This crate's engine as a peer among the others: see `peer.py` for what it answers.
//!
//! `peer_native MODEL_FOLDER IDS_JSON THREADS VARIANT`, the variant as `ENGINE-PRECISION-ISA`, such as
//! `native-int16-auto`. `roofline SET` is answered with the least seconds this machine could take.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Instant;

use anyhow::{Context, bail};
use quotestance::Model;
use quotestance::encoder::packed::roofline::Roofline;
use quotestance::encoder::{EngineOptions, Sequence};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, ids, threads, variant] = &arguments[..] else {
        bail!("expected MODEL_FOLDER IDS_JSON THREADS VARIANT, found {arguments:?}");
    };
    let mut parts = variant.split('-');
    let mut part = || parts.next().context("expected ENGINE-PRECISION-ISA");
    let options = EngineOptions {
        engine: part()?.parse()?,
        precision: part()?.parse()?,
        isa: part()?.parse()?,
        threads: threads.parse()?,
        ..EngineOptions::default()
    };
    let model = Model::open(folder.as_ref(), &options)?;
    let sets: BTreeMap<String, Vec<Vec<u32>>> = serde_json::from_slice(&std::fs::read(ids)?)?;
    let sets: BTreeMap<_, Vec<_>> = sets
        .into_iter()
        .map(|(name, texts)| (name, texts.into_iter().map(sequence).collect()))
        .collect();
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let set = |name: &str| sets.get(name).with_context(|| format!("no set {name}"));
        match words[..] {
            ["time", name] => {
                let start = Instant::now();
                model.encoder().encode_pooled(set(name)?)?;
                println!("{}", start.elapsed().as_secs_f64());
            }
            ["pooled", name, path] => {
                let start = Instant::now();
                let pooled = model.encoder().encode_pooled(set(name)?)?;
                let seconds = start.elapsed().as_secs_f64();
                let bytes: Vec<u8> = pooled
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect();
                std::fs::write(path, bytes)?;
                println!("{seconds}");
            }
            ["roofline", name] => {
                let lengths = set(name)?.iter().map(Sequence::len);
                let roofline = Roofline::measure(&options, options.threads)?;
                let least = roofline.least_time(&model.config().encoder, lengths);
                println!("{}", least.as_secs_f64());
            }
            _ => bail!("cannot answer {line:?}"),
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn sequence(input_ids: Vec<u32>) -> Sequence {
    Sequence {
        token_type_ids: vec![0; input_ids.len()],
        input_ids,
    }
}
