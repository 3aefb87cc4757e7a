//! A [`Distribution`] is what one head of the model says: probabilities of a [`Task`]'s three labels.

use crate::number::real;

/// What a head of the model tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Where the text stands toward the target.
    Stance,
    /// In what tone it speaks: of the target or, without one, of anything.
    Sentiment,
    /// Whether the text entails the target, taken as a hypothesis.
    Nli,
}

impl Task {
    /// The name before the colon in the model's `id2label`.
    pub fn name(self) -> &'static str {
        match self {
            Task::Stance => "stance",
            Task::Sentiment => "sentiment",
            Task::Nli => "nli",
        }
    }

    /// By its name; `tsc` (targeted sentiment, as corpora call it) is the sentiment task.
    pub fn named(name: &str) -> Option<Task> {
        match name {
            "stance" => Some(Task::Stance),
            "sentiment" | "tsc" => Some(Task::Sentiment),
            "nli" => Some(Task::Nli),
            _ => None,
        }
    }

    /// The labels, in the order of a [`Distribution`].
    pub fn labels(self) -> [&'static str; 3] {
        match self {
            Task::Stance => ["favor", "against", "neutral"],
            Task::Sentiment => ["positive", "negative", "neutral"],
            Task::Nli => ["entailment", "contradiction", "neutral"],
        }
    }
}

/// Probabilities of a task's three labels; they sum to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distribution([f32; 3]);

impl Distribution {
    /// Softmax of three logits divided by a temperature.
    pub(super) fn of_logits(logits: [f32; 3], temperature: f32) -> Distribution {
        let most = logits
            .iter()
            .fold(f32::NEG_INFINITY, |most, &logit| most.max(logit));
        let powers = logits.map(|logit| ((logit - most) / temperature).exp());
        let sum: f32 = powers.iter().sum();
        Distribution(powers.map(|power| power / sum))
    }

    /// In the order of [`Task::labels`].
    pub fn probabilities(&self) -> [f32; 3] {
        self.0
    }

    /// The probabilities by label, six decimals each.
    pub fn to_json(self, task: Task) -> serde_json::Map<String, serde_json::Value> {
        let labels = task.labels().into_iter().map(str::to_owned);
        labels
            .zip(self.0.map(|probability| real(probability).into()))
            .collect()
    }

    /// Whether the most probable label has at least this probability, as rows write it: to six
    /// decimals.
    pub fn is_sure(&self, least: f64) -> bool {
        real(self.0[self.top()]) >= least
    }

    /// Index of the most probable label; of equals the first.
    pub fn top(&self) -> usize {
        (1..3).fold(0, |best, index| {
            if self.0[index] > self.0[best] {
                index
            } else {
                best
            }
        })
    }
}

/// The mean of each label's probability.
pub(super) fn mean(distributions: &[Distribution]) -> Distribution {
    let sum = |index| {
        distributions
            .iter()
            .map(|distribution: &Distribution| distribution.0[index])
            .sum::<f32>()
    };
    Distribution([sum(0), sum(1), sum(2)].map(|sum| sum / distributions.len() as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_sums_to_one_and_the_first_of_equals_wins() {
        let distribution = Distribution::of_logits([1000.0, 1000.0, -1000.0], 1.0);
        assert_eq!(distribution.probabilities(), [0.5, 0.5, 0.0]);
        assert_eq!(distribution.top(), 0);
    }
}
