//! What the user sees of a run, on stderr.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quotestance::pipeline::{Observer, Summary};
use quotestance::{Error, Summary as RunSummary};

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
    pub fn new(quiet: bool) -> Progress {
        let terminal = std::io::stderr().is_terminal();
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

    /// The last line of a run.
    pub fn summarise(&self, summary: &RunSummary) {
        if !self.quiet {
            eprintln!("{}", self.line(summary));
        }
        if summary.failed > 0 {
            eprintln!("{} documents failed; they are named above", summary.failed);
        }
    }

    fn line(&self, summary: &Summary) -> String {
        let seconds = self.started.elapsed().as_secs_f64().max(1e-3);
        format!(
            "{} articles, {} quotes in {seconds:.1} s ({:.0} articles/s, {:.0} quotes/s)",
            summary.articles,
            summary.quotes,
            summary.articles as f64 / seconds,
            summary.quotes as f64 / seconds,
        )
    }

    fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }
}

impl Observer for Progress {
    fn notice(&mut self, words: &str) {
        if !self.quiet {
            self.say(&format!("note: {words}"));
        }
    }

    fn failure(&mut self, error: &Error) {
        let causes =
            std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        let causes: String = causes.map(|cause| format!(": {cause}")).collect();
        self.say(&format!("failed: {error}{causes}"));
        if let Some(hint) = error.way_out() {
            self.say(&format!("  hint: {hint}"));
        }
    }

    fn progress(&mut self, summary: &Summary) {
        self.bar.set_message(self.line(summary));
        self.bar.tick();
        if self.plain && self.last_line.elapsed() >= PLAIN_EVERY {
            self.last_line = Instant::now();
            eprintln!("{}", self.line(summary));
        }
    }
}
