//! Writes the candidates of every he and she with their features, a JSON line a pronoun, for
//! `training/fit_antecedents.py`: `antecedents ARTICLES.jsonl > CANDIDATES.jsonl`.

use std::io::Write;

use quotestance::attribution::frame::Frame;
use quotestance::attribution::names::Names;
use quotestance::quote::marks::passages;
use quotestance::sentence::paragraphs;
use quotestance::span::Offsets;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: antecedents ARTICLES.jsonl")?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::fs::read_to_string(path)?.lines() {
        let article: serde_json::Value = serde_json::from_str(line)?;
        let text = article["text"].as_str().ok_or("an article has no text")?;
        let offsets = Offsets::new(text);
        let mut names = Names::default();
        let mut found = Vec::new();
        for paragraph in paragraphs(text) {
            let frame = Frame::new(text, paragraph, &passages(text, paragraph));
            names.read_watched(text, &frame, &mut |at, candidates| {
                found.push((offsets.scalar(at), candidates()));
            });
        }
        for (pronoun, candidates) in found {
            let row = serde_json::json!({ "article": article["id"], "pronoun": pronoun, "candidates": candidates });
            writeln!(out, "{row}")?;
        }
    }
    Ok(())
}
