//! rten, from the same ONNX files as ONNX Runtime: see `peer.py` for what a peer answers.
//!
//! `peer-rten MODEL_FOLDER IDS_JSON THREADS VARIANT`, the variant a file that `export_onnx.py` writes.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use rten::{Model, NodeId, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

/// As `peer.py` batches.
const BATCH_TEXTS: usize = 32;
const BATCH_TOKENS: usize = 4096;

struct Peer {
    model: Model,
    ids: NodeId,
    mask: NodeId,
    output: NodeId,
    options: RunOptions,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [_, ids, threads, variant] = &arguments[..] else {
        bail!("expected MODEL_FOLDER IDS_JSON THREADS VARIANT, found {arguments:?}");
    };
    let folder = Path::new(ids).parent().context("ids without a folder")?;
    let model = Model::load_file(folder.join("onnx").join(format!("{variant}.onnx")))?;
    let pool = Arc::new(ThreadPool::with_num_threads(threads.parse()?));
    let peer = Peer {
        ids: model.node_id("input_ids")?,
        mask: model.node_id("attention_mask")?,
        output: *model.output_ids().first().context("no output")?,
        options: RunOptions::default().with_thread_pool(Some(pool)),
        model,
    };
    let sets: BTreeMap<String, Vec<Vec<i32>>> = serde_json::from_slice(&std::fs::read(ids)?)?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let set = sets
            .get(*words.get(1).unwrap_or(&""))
            .context("no such set")?;
        let start = Instant::now();
        let pooled = peer.encode(set)?;
        let seconds = start.elapsed().as_secs_f64();
        if let ["pooled", _, path] = words[..] {
            let bytes: Vec<u8> = pooled
                .concat()
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect();
            std::fs::write(path, bytes)?;
        }
        println!("{seconds}");
    }
    Ok(())
}

impl Peer {
    /// The means of the last hidden states: `[texts][hidden]`.
    fn encode(&self, texts: &[Vec<i32>]) -> anyhow::Result<Vec<Vec<f32>>> {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|place| texts[*place].len());
        let mut pooled = vec![Vec::new(); texts.len()];
        let mut rest = &order[..];
        while !rest.is_empty() {
            let mut count = BATCH_TEXTS.min(rest.len());
            while count > 1 && count * texts[rest[count - 1]].len() > BATCH_TOKENS {
                count -= 1;
            }
            let (places, more) = rest.split_at(count);
            rest = more;
            let longest = texts[places[count - 1]].len();
            let mut ids = NdTensor::<i32, 2>::zeros([count, longest]);
            let mut mask = NdTensor::<i32, 2>::zeros([count, longest]);
            for (row, place) in places.iter().enumerate() {
                for (column, id) in texts[*place].iter().enumerate() {
                    ids[[row, column]] = *id;
                    mask[[row, column]] = 1;
                }
            }
            let inputs = vec![(self.ids, ids.into()), (self.mask, mask.into())];
            let mut outputs = self
                .model
                .run(inputs, &[self.output], Some(self.options.clone()))?;
            let means: NdTensor<f32, 2> = outputs.remove(0).try_into()?;
            for (row, place) in places.iter().enumerate() {
                pooled[*place] = means.slice(row).to_vec();
            }
        }
        Ok(pooled)
    }
}
