//! What texts are held against, and when the model abstains: options that `run` and `label` share.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use quotestance::{Classifier, Target, Task};

/// Targets, in the order of rows: those of `target`, of the file, then the claims.
#[derive(Args)]
pub struct TargetArgs {
    /// What the stance is toward, such as "Microsoft's contract with ICE"; several give a row each
    #[arg(long, value_name = "TEXT")]
    target: Vec<String>,
    /// Read targets from FILE, one a line
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// A claim in place of a target, such as "Microsoft should cancel its contract": favor then
    /// means that the words agree with it, against that they reject it
    #[arg(long, value_name = "CLAIM")]
    hypothesis: Vec<String>,
}

impl TargetArgs {
    /// All targets; none twice.
    pub fn names(&self) -> anyhow::Result<Vec<String>> {
        let mut names = self.target.clone();
        if let Some(path) = &self.targets {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{}: the targets cannot be read", path.display()))?;
            let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
            let before = names.len();
            names.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
            if names.len() == before {
                return Err(anyhow!(
                    "{}: expected a target a line, found none",
                    path.display()
                ));
            }
        }
        names.extend(self.hypothesis.iter().cloned());
        for (index, name) in names.iter().enumerate() {
            Target::new(name, [])?;
            if names[..index].contains(name) {
                return Err(anyhow!("the target {name:?} is named twice"));
            }
        }
        Ok(names)
    }

    /// Whether rows must say which target they are about.
    pub fn are_several(&self) -> bool {
        self.targets.is_some() || self.target.len() + self.hypothesis.len() > 1
    }
}

/// When the model abstains.
#[derive(Args)]
pub struct AbstentionArgs {
    /// Leave the label empty, and set `abstained`, where its probability is below P
    #[arg(long, value_name = "P", conflicts_with = "max_error")]
    min_confidence: Option<f64>,
    /// Leave labels empty, the least probable first, so that at most this share of those kept is
    /// wrong, at confidence 95 %, on texts like those the model was calibrated on (see its card)
    #[arg(long, value_name = "E")]
    pub max_error: Option<f64>,
}

impl AbstentionArgs {
    /// Whether the model may abstain.
    pub fn is_asked(&self) -> bool {
        self.min_confidence.is_some() || self.max_error.is_some()
    }

    /// The probability below which it does.
    pub fn threshold(&self, classifier: &Classifier, task: Task) -> anyhow::Result<Option<f64>> {
        if let Some(least) = self.min_confidence {
            if !(0.0..=1.0).contains(&least) {
                return Err(anyhow!(
                    "--min-confidence {least}: expected a probability, 0 to 1"
                ));
            }
            return Ok(Some(least));
        }
        let share = self
            .max_error
            .map(|share| classifier.threshold(task, share));
        share.transpose().context("--max-error")
    }
}
