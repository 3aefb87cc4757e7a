//! The files that stand beside an output and are named after it.

use std::path::{Path, PathBuf};

/// The name of a file that stands beside an output: `quotes.csv.errors.jsonl`.
pub fn beside(output: &Path, name: &str) -> PathBuf {
    let mut path = output.as_os_str().to_owned();
    path.push(".");
    path.push(name);
    path.into()
}

/// What stands beside an output, while its run lasts or after; a shard's too.
const BESIDE: [&str; 9] = [
    "partial",
    "journal",
    "errors.jsonl",
    "run.json",
    "datapackage.json",
    "shard",
    "shard.rows",
    "whole",
    "lines",
];

/// Whether a file is an output of a run, interrupted or done, or stands beside one: what a run has
/// written into a folder is not read as if it were an article of that folder.
pub fn is_output(path: &Path) -> bool {
    let belongs = |name: &str| {
        let path = path.to_str()?.strip_suffix(name)?.strip_suffix('.')?;
        Some(is_output(Path::new(path)))
    };
    ["run.json", "journal"]
        .iter()
        .any(|name| beside(path, name).exists())
        || BESIDE.iter().any(|name| belongs(name) == Some(true))
}
