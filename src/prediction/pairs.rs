//! How a pair of text and target becomes sequences: a long text in overlapping windows, each followed by the target.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::encoder::Sequence;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;

/// Tokens of a pair's text, and windows it is read in.
pub(super) struct PairSize {
    pub n_tokens: usize,
    pub windows: usize,
}

/// Tokens of a window, special tokens and target included: what the start model was trained on.
/// A shorter window than the encoder's 512 positions also costs less attention.
const WINDOW_TOKENS: usize = 128;
/// A target may take this much of a window.
const MOST_TARGET_TOKENS: usize = 64;

/// The sequences that pairs are read in, and for each pair the tokens of its text and the
/// number of its sequences.
pub(super) fn sequences(
    model: &Model,
    pairs: &[(&str, &str)],
) -> Result<(Vec<Sequence>, Vec<PairSize>)> {
    let texts = TokenIds::new(model, pairs.iter().map(|pair| pair.0))?;
    let targets = TokenIds::new(model, pairs.iter().map(|pair| pair.1))?;
    let window_tokens = WINDOW_TOKENS.min(model.encoder().max_tokens());
    let mut sequences = Vec::with_capacity(pairs.len());
    let mut sizes = Vec::with_capacity(pairs.len());
    for (text, target) in pairs {
        let (text_ids, target_ids) = (texts.of(text), targets.of(target));
        fits(target, target_ids)?;
        let room = window_tokens - model.pair_overhead() - target_ids.len();
        let before = sequences.len();
        sequences.extend(windows(text_ids, room).map(|ids| model.pair(ids, target_ids)));
        sizes.push(PairSize {
            n_tokens: text_ids.len(),
            windows: sequences.len() - before,
        });
    }
    Ok((sequences, sizes))
}

/// Whether a target leaves room for a text.
///
/// # Errors
/// A target of more tokens than half of a window.
pub(super) fn check_target(model: &Model, target: &str) -> Result<()> {
    // A token is a byte at least.
    match target.len() <= MOST_TARGET_TOKENS {
        true => Ok(()),
        false => fits(target, &model.ids(target)?),
    }
}

fn fits(target: &str, ids: &[u32]) -> Result<()> {
    if ids.len() <= MOST_TARGET_TOKENS {
        return Ok(());
    }
    // Longer than a message should be.
    let beginning: String = target.chars().take(60).collect();
    let message = format!(
        "the target that begins {beginning:?} has {} tokens, expected at most {MOST_TARGET_TOKENS}",
        ids.len()
    );
    Err(Error::new(ErrorKind::Option, message).hint("name the target in fewer words"))
}

/// The ids of a text in pieces of at most `room`, each but the last half new; all of it in one
/// where it fits. The last ends with the text and is as full as the others.
fn windows(ids: &[u32], room: usize) -> impl Iterator<Item = &[u32]> {
    let step = (room / 2).max(1);
    let more = ids.len().saturating_sub(room).div_ceil(step);
    (0..=more).map(move |window| {
        let end = (window * step + room).min(ids.len());
        &ids[end.saturating_sub(room)..end]
    })
}

/// Token ids of texts, each text tokenised once however often it comes.
struct TokenIds<'t>(HashMap<&'t str, Vec<u32>>);

impl<'t> TokenIds<'t> {
    fn new(model: &Model, texts: impl Iterator<Item = &'t str>) -> Result<TokenIds<'t>> {
        let mut unique: Vec<&str> = texts.collect();
        unique.sort_unstable();
        unique.dedup();
        let ids: Vec<Vec<u32>> = unique
            .par_iter()
            .map(|text| model.ids(text))
            .collect::<Result<_>>()?;
        Ok(TokenIds(unique.into_iter().zip(ids).collect()))
    }

    fn of(&self, text: &str) -> &[u32] {
        &self.0[text]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_every_token() {
        let ids: Vec<u32> = (0..300).collect();
        for room in [1, 2, 7, 100, 299, 300, 500] {
            for length in [0, 1, room, room + 1, 300] {
                let ids = &ids[..length.min(300)];
                let windows: Vec<&[u32]> = windows(ids, room).collect();
                let mut covered: Vec<u32> = windows.concat();
                covered.sort_unstable();
                covered.dedup();
                assert_eq!(covered, ids);
                assert!(windows.iter().all(|window| window.len() <= room));
                assert_eq!(windows.len() == 1, ids.len() <= room);
            }
        }
    }
}
