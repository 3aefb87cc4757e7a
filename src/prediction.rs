//! A [`TargetPrediction`] says where a quote stands toward a target, and in what tone it speaks.
//!
//! The model reads the pair (quote, target); for the tone it reads the quote alone. A quote too
//! long for one pass is read in overlapping windows, whose logits are averaged: nothing is cut. Of long
//! quotes the surest sentence counts besides, where the model's folder says so.

mod cache;
mod distribution;
mod head;
mod pairs;
mod sentences;

use std::collections::HashMap;

pub use cache::ScoreCache;
use distribution::mean;
pub use distribution::{Distribution, Task};
pub use head::Head;
use ndarray::{Array2, Axis};
use pairs::{PairSize, check_target, sequences};

use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;

/// What the model says of one text and target.
#[derive(Clone, Debug, PartialEq)]
struct Score {
    logits: Vec<f32>,
    /// Length of the text in the model's tokens.
    n_tokens: usize,
    /// Windows the text was read in; 0 for a text without a token.
    windows: usize,
}

/// What is read: a text and its target, and for which task.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Reading<'a> {
    text: &'a str,
    target: &'a str,
    /// For the stance the surest sentence of a long text counts besides.
    stance: bool,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str, target: &'a str, task: Task) -> Reading<'a> {
        let stance = task == Task::Stance;
        Reading {
            text,
            target,
            stance,
        }
    }
}

/// Where one quote stands toward one target, and its tone.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetPrediction {
    /// The target as given.
    pub target: String,
    /// Toward the target.
    pub stance: Distribution,
    /// Whether the stance is less sure than was asked for; `None`: nothing was asked for.
    pub abstained: Option<bool>,
    /// Of the quote's words.
    pub sentiment: Distribution,
    /// Length of the quote in the model's tokens.
    pub n_tokens: usize,
    /// Windows the quote was read in.
    pub windows: usize,
    /// The model's id.
    pub model: String,
}

/// What quotes are held against: a name, and other names for the same thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    name: String,
    aliases: Vec<String>,
}

impl Target {
    /// A target and its other names. The stance is the mean over all of them.
    ///
    /// # Errors
    /// If a name has no words.
    pub fn new(name: &str, aliases: impl IntoIterator<Item = String>) -> Result<Target> {
        let clean = |name: &str| {
            let name = name.trim();
            if name.chars().any(char::is_alphanumeric) {
                return Ok(name.to_owned());
            }
            Err(Error::new(
                ErrorKind::Option,
                format!("the target {name:?} has no words"),
            )
            .hint("name what the stance is toward, such as \"the city's contract with Acme\""))
        };
        Ok(Target {
            name: clean(name)?,
            aliases: aliases
                .into_iter()
                .map(|alias| clean(&alias))
                .collect::<Result<_>>()?,
        })
    }

    /// The name, as written in the rows.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// A model with its heads.
pub struct Classifier {
    model: Model,
    heads: Vec<(Task, LogitsOf)>,
}

/// Where a task's labels stand among the logits, in the order of [`Task::labels`].
struct LogitsOf {
    logits: [usize; 3],
    temperature: f32,
}

impl LogitsOf {
    fn distribution(&self, score: &Score) -> Distribution {
        let logits = self.logits.map(|index| score.logits[index]);
        Distribution::of_logits(logits, self.temperature)
    }
}

impl Classifier {
    /// Finds the heads by the model's own labels, `stance:favor` and so on.
    ///
    /// # Errors
    /// If it has no stance head, or a head lacks one of its labels.
    pub fn new(model: Model) -> Result<Classifier> {
        let mut heads = Vec::new();
        for task in [Task::Stance, Task::Sentiment, Task::Nli] {
            let index = |label: &&str| {
                let name = format!("{}:{label}", task.name());
                model.labels().iter().position(|known| *known == name)
            };
            let labels = task.labels();
            let found: Vec<usize> = labels.iter().filter_map(index).collect();
            match <[usize; 3]>::try_from(found) {
                Ok(logits) => {
                    let fitted = model.config().temperatures.get(task.name());
                    let temperature = fitted.copied().unwrap_or(1.0);
                    let head = LogitsOf {
                        logits,
                        temperature,
                    };
                    heads.push((task, head));
                }
                Err(found) if found.is_empty() && task != Task::Stance => {}
                Err(_) => {
                    return Err(Error::new(
                        ErrorKind::Model,
                        format!(
                            "model {}: expected the labels {}, found {}",
                            model.name(),
                            labels
                                .map(|label| format!("{}:{label}", task.name()))
                                .join(", "),
                            model.labels().join(", ")
                        ),
                    )
                    .hint("id2label in the model's config.json names the labels"));
                }
            }
        }
        Ok(Classifier { model, heads })
    }

    /// The model below the heads, with its name and engine.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The model's id, as written in the rows.
    pub fn model_name(&self) -> &str {
        self.model.name()
    }

    /// Engine, precision and instruction set.
    pub fn engine(&self) -> String {
        self.model.encoder().description()
    }

    /// The threshold of the label's probability above which at most this share of labels is wrong,
    /// at confidence 95 %, for texts like those the model's folder holds counts of.
    ///
    /// # Errors
    /// If the folder holds no such counts for the task, or they allow no such promise.
    pub fn threshold(&self, task: Task, max_error: f64) -> Result<f64> {
        let name = task.name();
        let table = self.model.config().risk_coverage.get(name).ok_or_else(|| {
            let message = format!(
                "model {} holds no risk_coverage for {name}: it cannot promise a share of errors",
                self.model.name()
            );
            Error::new(ErrorKind::Model, message)
                .hint("choose a threshold yourself with --min-confidence")
        })?;
        table.promised(max_error)
    }

    fn logits_of(&self, task: Task) -> Result<&LogitsOf> {
        let head = self.heads.iter().find(|(known, _)| *known == task);
        head.map(|(_, head)| head).ok_or_else(|| {
            let message = format!("model {} has no {} head", self.model.name(), task.name());
            Error::new(ErrorKind::Model, message).hint("choose another model with --model")
        })
    }

    /// A task's part of the classifier, its temperature divided in: what it gives of
    /// [`Classifier::pooled`] are the logits that probabilities are made of.
    ///
    /// # Errors
    /// If the model has no such head.
    pub fn head(&self, task: Task) -> Result<Head> {
        let of_task = self.logits_of(task)?;
        let weight = self.model.tensor("classifier.weight")?;
        let bias = self.model.tensor("classifier.bias")?;
        let temperature = f64::from(of_task.temperature);
        let scaled = |value: &f32| f64::from(*value) / temperature;
        let rows = weight.select(Axis(0), &of_task.logits).map(scaled);
        let biases = bias.select(Axis(0), &of_task.logits).map(scaled);
        let shaped = "the classifier was checked when the model was loaded";
        Ok(Head {
            weight: rows.into_dimensionality().expect(shaped),
            bias: biases.into_dimensionality().expect(shaped),
        })
    }

    /// What the encoder makes of each (text, target), `[pair, hidden]`: the mean over the windows
    /// of a long text of the mean over a window's tokens.
    ///
    /// # Errors
    /// A target too long for the model, or a failure of the model.
    pub fn pooled(&self, pairs: &[(&str, &str)]) -> Result<Array2<f32>> {
        let (sequences, sizes) = sequences(&self.model, pairs)?;
        let of_windows = self.model.encoder().encode_pooled(&sequences)?;
        let mut windows = of_windows.outer_iter();
        let mut pooled = Array2::zeros((pairs.len(), of_windows.ncols()));
        for (mut row, size) in pooled.outer_iter_mut().zip(sizes) {
            windows
                .by_ref()
                .take(size.windows)
                .for_each(|window| row += &window);
            row /= size.windows as f32;
        }
        Ok(pooled)
    }

    /// Stance of each text toward each target, and its tone: `[texts][targets]`. What the cache
    /// knows is not computed again.
    ///
    /// # Errors
    /// A target too long for the model, or a failure of the model.
    pub fn predict(
        &self,
        texts: &[String],
        targets: &[Target],
        cache: &ScoreCache,
    ) -> Result<Vec<Vec<TargetPrediction>>> {
        let mut readings = Vec::new();
        for text in texts {
            readings.push(Reading::new(text, "", Task::Sentiment));
            let names = targets.iter().flat_map(Target::names);
            readings.extend(names.map(|name| Reading::new(text, name, Task::Stance)));
        }
        let scores = self.score(&readings, Some(cache))?;
        let mut scores = scores.iter();
        let mut next = || scores.next().expect("a score for each pair asked for");
        let mut predictions = Vec::with_capacity(texts.len());
        for _ in texts {
            let tone = next();
            let sentiment = self.distribution(tone, Task::Sentiment)?;
            let mut of_text = Vec::with_capacity(targets.len());
            for target in targets {
                let toward: Vec<Distribution> = target
                    .names()
                    .map(|_| self.distribution(next(), Task::Stance))
                    .collect::<Result<_>>()?;
                of_text.push(TargetPrediction {
                    target: target.name().to_owned(),
                    stance: mean(&toward),
                    abstained: None,
                    sentiment,
                    n_tokens: tone.n_tokens,
                    windows: tone.windows,
                    model: self.model.name().to_owned(),
                });
            }
            predictions.push(of_text);
        }
        Ok(predictions)
    }

    /// Whether the model can read texts against this target.
    ///
    /// # Errors
    /// A target of more tokens than half of a window.
    pub fn check_target(&self, target: &str) -> Result<()> {
        check_target(&self.model, target)
    }

    /// The probabilities of each (text, target) for its task; what comes twice is computed once.
    ///
    /// # Errors
    /// A target too long for the model, a task it has no head for, or a failure of the model.
    pub fn label(&self, pairs: &[(&str, &str, Task)]) -> Result<Vec<Distribution>> {
        let readings = pairs.iter();
        let readings = readings.map(|&(text, target, task)| Reading::new(text, target, task));
        let scores = self.score(&readings.collect::<Vec<_>>(), None)?;
        let scored = pairs.iter().zip(&scores);
        scored
            .map(|((.., task), score)| self.distribution(score, *task))
            .collect()
    }

    /// The probabilities a score gives for a task.
    fn distribution(&self, score: &Score, task: Task) -> Result<Distribution> {
        Ok(self.logits_of(task)?.distribution(score))
    }

    fn score(&self, readings: &[Reading], cache: Option<&ScoreCache>) -> Result<Vec<Score>> {
        let mut scores: HashMap<Reading, Option<Score>> = HashMap::new();
        let mut unknown = Vec::new();
        for reading in readings {
            scores.entry(*reading).or_insert_with(|| {
                let score = cache.and_then(|cache| cache.get(reading.text, reading.target));
                if score.is_none() {
                    unknown.push(*reading);
                }
                score
            });
        }
        for (reading, score) in unknown.iter().zip(self.score_unique(&unknown)?) {
            if let Some(cache) = cache {
                cache.put(reading.text, reading.target, &score);
            }
            scores.insert(*reading, Some(score));
        }
        let score = |reading| {
            scores[reading]
                .clone()
                .expect("every reading has been scored")
        };
        Ok(readings.iter().map(score).collect())
    }

    fn score_unique(&self, readings: &[Reading]) -> Result<Vec<Score>> {
        let surest = self.model.config().surest_sentence;
        let mut read = Vec::with_capacity(readings.len());
        let mut counts = Vec::with_capacity(readings.len());
        for &Reading {
            text,
            target,
            stance,
        } in readings
        {
            let sentences = match surest {
                Some(surest) if stance => surest.of(text),
                _ => Vec::new(),
            };
            counts.push(sentences.len());
            read.push((text, target));
            read.extend(sentences.into_iter().map(|sentence| (sentence, target)));
        }
        let mut scores = self.score_whole(&read)?.into_iter();
        let Some(surest) = surest else {
            return Ok(scores.collect());
        };
        let head = self.logits_of(Task::Stance)?;
        let moved = counts.into_iter().map(|count| {
            let whole = scores.next().expect("every text is read whole");
            with_surest(whole, scores.by_ref().take(count), head, surest.weight)
        });
        Ok(moved.collect())
    }

    fn score_whole(&self, pairs: &[(&str, &str)]) -> Result<Vec<Score>> {
        let (sequences, sizes) = sequences(&self.model, pairs)?;
        let logits = self.model.logits(&sequences)?;
        let mut rows = logits.rows().into_iter();
        let scores = sizes.into_iter().map(|PairSize { n_tokens, windows }| {
            let mut sum = vec![0.0; logits.ncols()];
            for row in rows.by_ref().take(windows) {
                sum.iter_mut()
                    .zip(row)
                    .for_each(|(sum, logit)| *sum += logit);
            }
            Score {
                logits: sum.into_iter().map(|sum| sum / windows as f32).collect(),
                n_tokens,
                windows,
            }
        });
        Ok(scores.collect())
    }
}

/// A text's score, whose stance is moved by the one of its sentences that takes a side most surely; of equals the first.
fn with_surest(
    mut whole: Score,
    sentences: impl Iterator<Item = Score>,
    stance: &LogitsOf,
    weight: f32,
) -> Score {
    let side = |sentence: &Score| {
        let [favor, against, _] = stance.distribution(sentence).probabilities();
        favor.max(against)
    };
    let surest = sentences
        .map(|sentence| (side(&sentence), sentence))
        .reduce(|most, next| if next.0 > most.0 { next } else { most });
    if let Some((_, sentence)) = surest {
        for index in stance.logits {
            let both = whole.logits[index] + weight * sentence.logits[index];
            whole.logits[index] = both / (1.0 + weight);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_needs_words() {
        assert!(Target::new(" \t", []).is_err());
        assert!(Target::new("x", [String::from("…")]).is_err());
        assert_eq!(Target::new(" ICE ", []).unwrap().name(), "ICE");
    }
}
