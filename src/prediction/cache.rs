//! A [`ScoreCache`] keeps what the model said of pairs seen lately, so that a quote printed by
//! forty papers is read once. A score depends on its pair alone: the cache changes no result.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::Score;

/// Scores by (text, target), at most twice as many as it was made for.
pub struct ScoreCache {
    most: usize,
    scores: Mutex<Generations>,
}

/// The pair's SHA-256, cut: two pairs with the same 16 bytes will not be met.
type Key = [u8; 16];

/// What was asked for lately, and what before that; when the first is full it becomes the second.
#[derive(Default)]
struct Generations {
    young: HashMap<Key, Score>,
    old: HashMap<Key, Score>,
}

impl ScoreCache {
    /// A cache of at least the last `most` pairs (at most twice as many, about 130 bytes each).
    pub fn new(most: usize) -> ScoreCache {
        ScoreCache {
            most: most.max(1),
            scores: Mutex::default(),
        }
    }

    pub(super) fn get(&self, text: &str, target: &str) -> Option<Score> {
        let key = key(text, target);
        let mut scores = self.scores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(score) = scores.young.get(&key) {
            return Some(score.clone());
        }
        let score = scores.old.remove(&key)?;
        scores.put(key, score.clone(), self.most);
        Some(score)
    }

    pub(super) fn put(&self, text: &str, target: &str, score: &Score) {
        let mut scores = self.scores.lock().unwrap_or_else(PoisonError::into_inner);
        scores.put(key(text, target), score.clone(), self.most);
    }
}

impl Generations {
    fn put(&mut self, key: Key, score: Score, most: usize) {
        if self.young.len() >= most {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, score);
    }
}

fn key(text: &str, target: &str) -> Key {
    let mut hash = Sha256::new();
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
    hash.update(target);
    let mut key = Key::default();
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(number: usize) -> Score {
        Score {
            logits: vec![number as f32],
            n_tokens: number,
            windows: 1,
        }
    }

    #[test]
    fn what_is_asked_for_stays_and_the_size_is_bounded() {
        let cache = ScoreCache::new(10);
        for number in 0..100 {
            cache.put(&number.to_string(), "t", &score(number));
            assert_eq!(cache.get("0", "t"), Some(score(0)));
            let scores = cache.scores.lock().unwrap();
            assert!(scores.young.len() <= 10 && scores.old.len() <= 10);
        }
        assert_eq!(cache.get("1", "t"), None);
        assert_eq!(cache.get("0t", ""), None);
    }
}
