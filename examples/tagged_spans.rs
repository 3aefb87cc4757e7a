//! The quote tagger's spans of a JSONL file of articles (`id`, `text`), one article a line: what
//! `training/fit_quote_confidence.py` fits the confidence on. Offsets in bytes.
//!
//!     cargo run --release --example tagged_spans -- ARTICLES.jsonl SPANS.jsonl [TAGGER_FOLDER]

use std::io::{BufRead, BufReader, BufWriter, Write};

use quotestance::span::Span;
use quotestance::{TaggedSpan, Tagger};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let mut paths = std::env::args().skip(1);
    let (Some(articles), Some(spans)) = (paths.next(), paths.next()) else {
        anyhow::bail!("expected two paths, articles and spans, and perhaps a tagger's folder");
    };
    let options = Default::default();
    let tagger = match paths.next() {
        Some(folder) => Tagger::open(folder.as_ref(), &options)?,
        None => Tagger::embedded(&options)?,
    };
    let mut out = BufWriter::new(std::fs::File::create(spans)?);
    for line in BufReader::new(std::fs::File::open(articles)?).lines() {
        let article: Value = serde_json::from_str(&line?)?;
        let text = article["text"].as_str().unwrap_or_default();
        let spans = tagger.tag(&[text])?.remove(0);
        let spans: Vec<Value> = spans.iter().map(span).collect();
        writeln!(out, "{}", json!({"id": article["id"], "spans": spans}))?;
    }
    Ok(out.flush()?)
}

fn span(span: &TaggedSpan) -> Value {
    let pair = |span: &Span| json!([span.start, span.end]);
    json!({
        "lines": span.lines.iter().map(pair).collect::<Vec<_>>(),
        "score": span.score,
        "speech": span.speech,
        "source": span.source.as_ref().map(pair),
        "source_probability": span.source_probability,
    })
}
