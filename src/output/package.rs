//! `datapackage.json`: what each column of an output means, as a Frictionless Table Schema.

use std::path::Path;

use serde_json::{Value, json};

use super::{OutputFormat, OutputOptions};
use crate::record::{CellKind, Column, DUPLICATE_COLUMNS};

/// The descriptor of this output, to stand beside it; of the file it says its name alone. One
/// article a line is not a table: its descriptor has no schema.
pub fn data_package(output: &Path, options: &OutputOptions) -> Value {
    let name = output.file_name().unwrap_or(output.as_os_str());
    let name = name.to_string_lossy();
    let (format, media_type) = match options.format {
        OutputFormat::Csv => ("csv", "text/csv"),
        OutputFormat::Jsonl => ("jsonl", "application/jsonl"),
        OutputFormat::ArticlesJsonl => ("jsonl", "application/jsonl"),
        OutputFormat::Parquet => ("parquet", "application/vnd.apache.parquet"),
    };
    let mut resource = json!({
        "name": slug(&name),
        "path": name,
        "format": format,
        "mediatype": media_type,
        "encoding": "utf-8",
    });
    if options.format != OutputFormat::ArticlesJsonl {
        resource["type"] = "table".into();
        resource["schema"] = json!({ "fields": fields(options), "missingValues": [""] });
    }
    json!({
        "name": slug(&name),
        "profile": "data-package",
        "title": "Quotes found by quotestance",
        "description": description(options),
        "resources": [resource],
    })
}

fn description(options: &OutputOptions) -> &'static str {
    match options.format {
        OutputFormat::Csv if options.formula_guard => {
            "One row a quote and target. A text that a spreadsheet would run as a formula has a ' before it that is not the article's."
        }
        OutputFormat::ArticlesJsonl => "One article a line, its quotes nested.",
        _ => "One row a quote and target.",
    }
}

fn fields(options: &OutputOptions) -> Vec<Value> {
    let own = options.columns().into_iter();
    let own = own.map(|column| field(column, options));
    let names = options.kept_names();
    let kept = names
        .iter()
        .zip(&options.metadata.kept)
        .map(|(name, column)| {
            json!({
                "name": name,
                "type": "string",
                "description": format!("The input's column {column:?}, as it was."),
            })
        });
    let duplicates = DUPLICATE_COLUMNS.iter().filter(|_| options.copies);
    let duplicates = duplicates.map(|column| field(column, options));
    own.chain(kept).chain(duplicates).collect()
}

fn field(column: &Column, options: &OutputOptions) -> Value {
    let kind = match column.kind {
        CellKind::Text => "string",
        CellKind::Boolean => "boolean",
        CellKind::Integer => "integer",
        CellKind::Real => "number",
        // Text in CSV and Parquet (`12-40 61-90`).
        CellKind::Places if options.format == OutputFormat::Jsonl => "array",
        CellKind::Places => "string",
    };
    json!({
        "name": column.name,
        "type": kind,
        "description": column.meaning.trim(),
    })
}

/// Lower case letters, digits, `-`, `_` and `.`, as the standard wants names.
fn slug(name: &str) -> String {
    name.chars()
        .map(|c| match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
            _ => '-',
        })
        .collect()
}
