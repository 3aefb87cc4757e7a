//! Lines on standard error: for people, or one JSON object each.

use std::io::Write;
use std::sync::OnceLock;

use clap::ValueEnum;
use serde_json::{Value, json};

/// How lines on standard error are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    Text,
    Json,
}

static FORM: OnceLock<LogForm> = OnceLock::new();

/// Chooses the form, once for the process.
pub fn set_form(form: LogForm) {
    FORM.get_or_init(|| form);
}

/// The form chosen, or text.
pub fn form() -> LogForm {
    FORM.get().copied().unwrap_or(LogForm::Text)
}

/// Something a user would want to know.
pub fn info(words: &str) {
    write(&line("info", words, json!({})));
}

/// Something a user should know of how the input or an option was understood.
pub fn note(words: &str) {
    match form() {
        LogForm::Text => write(&format!("note: {words}")),
        LogForm::Json => write(&line("note", words, json!({}))),
    }
}

/// Why the command ends, and a way out if there is one.
pub fn error(words: &str, way_out: Option<&str>) {
    match form() {
        LogForm::Text => {
            write(&format!("error: {words}"));
            if let Some(way_out) = way_out {
                write(&format!("  hint: {way_out}"));
            }
        }
        LogForm::Json => {
            let more = way_out.map_or_else(|| json!({}), |hint| json!({ "hint": hint }));
            write(&line("error", words, more));
        }
    }
}

/// The words, or an object with them and `more`.
pub fn line(level: &str, words: &str, more: Value) -> String {
    if form() == LogForm::Text {
        return words.to_owned();
    }
    let mut line = json!({ "level": level, "message": words });
    if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
        line.extend(more);
    }
    line.to_string()
}

/// Writes a line. That standard error is gone or full is no reason to end a run.
pub fn write(line: &str) {
    drop(std::io::stderr().write_all(format!("{line}\n").as_bytes()));
}
