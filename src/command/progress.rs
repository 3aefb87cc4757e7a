//! What the user sees of a run: lines on stderr.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quotestance::output::MAX_CELL_UNITS;
use quotestance::output::failures::Failures;
use quotestance::pipeline::{Observer, Summary};
use quotestance::{Error, Summary as RunSummary};
use serde_json::json;

use super::log::{self, LogForm};

/// A line that is redrawn on a terminal; elsewhere a plain line every few seconds.
pub struct Progress {
    bar: ProgressBar,
    quiet: bool,
    plain: bool,
    started: Instant,
    last_line: Instant,
}

const PLAIN_EVERY: Duration = Duration::from_secs(5);

impl Progress {
    /// Nothing has happened yet.
    pub fn new(quiet: bool) -> Progress {
        let terminal = std::io::stderr().is_terminal() && log::form() == LogForm::Text;
        let target = match terminal && !quiet {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}")
            .expect("the template is a constant");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        let now = Instant::now();
        Progress {
            bar,
            quiet,
            plain: !terminal && !quiet,
            started: now,
            last_line: now,
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Something a user would want to know of the run as a whole.
    pub fn say(&self, words: &str) {
        if !self.quiet {
            self.line("info", words, json!({}));
        }
    }

    /// The last lines of a run.
    pub fn summarise(&self, summary: &RunSummary) {
        if !self.quiet {
            self.report(summary);
        }
        if summary.failed > 0 {
            let line = format!("{} documents failed; they are named above", summary.failed);
            self.line("error", &line, json!({ "failed": summary.failed }));
        }
    }

    fn report(&self, summary: &RunSummary) {
        let counts = &summary.counts;
        self.line("info", &self.state(summary), self.numbers(summary));
        let count = |count: u64, what: &str| {
            if count > 0 {
                self.line("info", &format!("{count} {what}"), json!({}));
            }
        };
        count(
            counts.furniture,
            "paragraphs were set aside as page furniture (captions, links, prompts)",
        );
        count(
            counts.not_utf8,
            "articles were not UTF-8; the column encoding tells what each was",
        );
        count(
            counts.not_english,
            "articles not in English: direct quotes only, without speakers",
        );
        count(
            counts.long_cells,
            &format!("cells are longer than Excel takes ({MAX_CELL_UNITS}); it would cut them off"),
        );
    }

    fn state(&self, summary: &Summary) -> String {
        let seconds = self.started.elapsed().as_secs_f64().max(1e-3);
        format!(
            "{} articles, {} quotes in {seconds:.1} s ({:.0} articles/s, {:.0} quotes/s)",
            summary.articles,
            summary.quotes,
            summary.articles as f64 / seconds,
            summary.quotes as f64 / seconds,
        )
    }

    fn numbers(&self, summary: &Summary) -> serde_json::Value {
        json!({
            "articles": summary.articles,
            "quotes": summary.quotes,
            "failed": summary.failed,
            "elapsed_ms": self.started.elapsed().as_millis() as u64,
        })
    }

    /// One line on stderr: the words, or an object with them and `more`.
    fn line(&self, level: &str, words: &str, more: serde_json::Value) {
        self.bar
            .suspend(|| log::write(&log::line(level, words, more)));
    }
}

impl Observer for Progress {
    fn notice(&mut self, words: &str) {
        if !self.quiet {
            self.bar.suspend(|| log::note(words));
        }
    }

    fn failure(&mut self, error: &Error) {
        let mut line = Failures::new(Vec::new());
        let written = line.write(error).and_then(|()| line.finish());
        let object = written.expect("memory takes all writes");
        if log::form() == LogForm::Json {
            let more = serde_json::from_slice(&object).unwrap_or_default();
            self.line("error", &error.to_string(), more);
        } else {
            let place = error.place().map(|place| format!("{place}: "));
            let place = place.unwrap_or_default();
            self.line(
                "error",
                &format!("failed: {place}{}", error.reason()),
                json!({}),
            );
            if let Some(hint) = error.way_out() {
                self.line("error", &format!("  hint: {hint}"), json!({}));
            }
        }
    }

    fn progress(&mut self, summary: &Summary) {
        self.bar.set_message(self.state(summary));
        self.bar.tick();
        if self.plain && self.last_line.elapsed() >= PLAIN_EVERY {
            self.last_line = Instant::now();
            self.line("info", &self.state(summary), self.numbers(summary));
        }
    }
}
