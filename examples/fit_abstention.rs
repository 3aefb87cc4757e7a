//! Counts, by threshold, what a model keeps and gets wrong on half of labelled rows, and puts the
//! counts into its config.json, from which `--max-error` computes its promise. Then checks the
//! promise: on the other half, on other labelled rows, and on 200 random halves.
//!
//!     quotestance label dev.jsonl -o dev.pred.jsonl
//!     cargo run --release --example fit_abstention -- MODEL_DIR stance "what the rows are" \
//!         dev.jsonl dev.pred.jsonl [OTHER.jsonl OTHER.pred.jsonl]…
//!
//! Halves are by a hash of the id, as in training/stance_data.py. Temperatures are fitted on half
//! 0, so the counts are those of half 1.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use quotestance::Task;
use quotestance::abstention::RiskCoverage;
use quotestance::evaluation::Bootstrap;
use quotestance::evaluation::bootstrap::below;
use quotestance::evaluation::labels::{Gold, LabelOptions, read_answers};
use rand_pcg::Pcg64;
use sha2::{Digest, Sha256};

const SHARES: [f64; 7] = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35];
const DRAWS: usize = 200;

struct Answered {
    id: String,
    group: String,
    probability: f64,
    right: bool,
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, task, data, files @ ..] = &args[..] else {
        return Err(anyhow!(
            "expected MODEL_DIR TASK WORDS GOLD PRED [GOLD PRED]…"
        ));
    };
    let task = Task::named(task).ok_or_else(|| anyhow!("{task}: no task"))?;
    let [gold, predictions, reports @ ..] = files else {
        return Err(anyhow!("expected GOLD and PRED"));
    };
    let rows = read(Path::new(gold), Path::new(predictions), task)?;
    let is_first = |row: &&Answered| Sha256::digest(&row.id)[0] & 1 == 0;
    let (other, fit): (Vec<&Answered>, Vec<&Answered>) = rows.iter().partition(is_first);
    let table = count(data, &fit);
    write(model, task, &table)?;
    println!("{} rows counted, {} to check\n", fit.len(), other.len());
    let mut checks = vec![
        ("counted".to_owned(), fit),
        ("other half".to_owned(), other),
    ];
    for pair in reports.chunks_exact(2) {
        let rows: &[Answered] = read(Path::new(&pair[0]), Path::new(&pair[1]), task)?.leak();
        let mut groups: BTreeMap<&str, Vec<&Answered>> = BTreeMap::new();
        for row in rows {
            groups.entry(&row.group).or_default().push(row);
        }
        checks.extend(
            groups
                .into_iter()
                .map(|(name, rows)| (name.to_owned(), rows)),
        );
    }
    let mut by_source: BTreeMap<String, Vec<&Answered>> = BTreeMap::new();
    for row in &checks[1].1 {
        let name = format!("other half, {}", row.group);
        by_source.entry(name).or_default().push(row);
    }
    checks.extend(by_source);
    for share in SHARES {
        let Some(threshold) = table.threshold(share) else {
            println!("at most {share}: cannot be promised");
            continue;
        };
        println!("at most {share}: threshold {threshold}");
        for (name, rows) in &checks {
            println!("  {name:32} {}", risk(rows, threshold));
        }
    }
    println!("\n{DRAWS} random halves: how often more is wrong than promised");
    let all: Vec<&Answered> = rows.iter().collect();
    for share in SHARES {
        draws(&all, share);
    }
    Ok(())
}

fn read(gold: &Path, predictions: &Path, task: Task) -> anyhow::Result<Vec<Answered>> {
    let options = LabelOptions {
        task,
        by: "source".to_owned(),
        strict: false,
        bootstrap: Bootstrap::default(),
    };
    let gold = Gold::read(gold, &options)?;
    let answers: HashMap<_, _> = read_answers(predictions, task)?;
    let answered = gold
        .answered(&answers)
        .map(|(row, probability, right)| Answered {
            id: row.id.clone(),
            group: row.group.clone(),
            probability,
            right,
        });
    Ok(answered.collect())
}

fn count(data: &str, rows: &[&Answered]) -> RiskCoverage {
    RiskCoverage::new(data, rows.iter().map(|row| (row.probability, row.right)))
}

/// `kept 812 of 2988 (.272), wrong .118`
fn risk(rows: &[&Answered], threshold: f64) -> String {
    let kept: Vec<_> = rows
        .iter()
        .filter(|row| row.probability >= threshold)
        .collect();
    let wrong = kept.iter().filter(|row| !row.right).count();
    format!(
        "kept {} of {} ({:.3}), wrong {:.3}",
        kept.len(),
        rows.len(),
        kept.len() as f64 / rows.len().max(1) as f64,
        wrong as f64 / kept.len().max(1) as f64
    )
}

/// Promises on random halves, checked on the other halves and on all rows: the latter are the
/// population that a half was drawn from, the former differ from it by chance as well.
fn draws(rows: &[&Answered], share: f64) {
    let mut random = Pcg64::new(5, 0);
    let (mut given, mut kept, mut failed, mut failed_all) = (0, 0.0, 0, 0);
    for _ in 0..DRAWS {
        let (fit, other): (Vec<&Answered>, Vec<&Answered>) = rows
            .iter()
            .copied()
            .partition(|_| below(&mut random, 2) == 0);
        let Some(threshold) = count("", &fit).threshold(share) else {
            continue;
        };
        let error = |rows: &[&Answered]| {
            let kept: Vec<_> = rows
                .iter()
                .filter(|row| row.probability >= threshold)
                .collect();
            let wrong = kept.iter().filter(|row| !row.right).count();
            (kept.len(), wrong as f64 / kept.len().max(1) as f64)
        };
        given += 1;
        kept += error(&other).0 as f64 / other.len() as f64;
        failed += usize::from(error(&other).1 > share);
        failed_all += usize::from(error(rows).1 > share);
    }
    println!(
        "  at most {share}: promised {given} times, keeping {:.3}; broken {failed} times on the other half, {failed_all} times on all rows",
        kept / f64::from(given.max(1))
    );
}

fn write(model: &str, task: Task, table: &RiskCoverage) -> anyhow::Result<()> {
    let path = PathBuf::from(model).join("config.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut config: serde_json::Value = serde_json::from_str(&text)?;
    let tables = &mut config["risk_coverage"];
    tables[task.name()] = serde_json::to_value(table)?;
    // The counts on one line, and last: printed over lines they would hide the rest.
    let tables = config["risk_coverage"].take();
    if let Some(config) = config.as_object_mut() {
        config.shift_remove("risk_coverage");
    }
    let rest = format!("{config:#}");
    let rest = rest.trim_end().trim_end_matches('}').trim_end();
    std::fs::write(
        &path,
        format!("{rest},\n  \"risk_coverage\": {tables}\n}}\n"),
    )?;
    Ok(())
}
