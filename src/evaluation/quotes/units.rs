//! [`Unit`]s, quotes or fragments of them as sets of words, and how gold and predicted ones are matched.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::scored::ScoredQuote;
use super::words::{Place, ScoredText};
use crate::quote::QuoteKind;

/// A quote or a piece of one, as it is matched.
pub(super) struct Unit<'q> {
    pub(super) words: BTreeSet<usize>,
    pub(super) kind: QuoteKind,
    pub(super) quote: &'q ScoredQuote,
    pub(super) start: usize,
}

/// Direct: nine tenths of the words or more are between marks; indirect: none are.
fn kind(text: &ScoredText, places: &[Place]) -> QuoteKind {
    match text.count_quoted(places) {
        (_, 0) => QuoteKind::Indirect,
        (words, quoted) if quoted as f64 / words as f64 >= 0.9 => QuoteKind::Direct,
        _ => QuoteKind::Mixed,
    }
}

pub(super) fn units<'q>(
    text: &ScoredText,
    quotes: &'q [ScoredQuote],
    whole: bool,
) -> Vec<Unit<'q>> {
    let mut units = Vec::new();
    for quote in quotes {
        let places = quote.places(text.len());
        if places.is_empty() {
            continue;
        }
        let kind = kind(text, &places);
        let pieces = match whole {
            true => vec![places],
            false => (fragments(text, places).into_iter())
                .map(|place| vec![place])
                .collect(),
        };
        for (index, piece) in pieces.iter().enumerate() {
            let words: BTreeSet<usize> = text.words(piece, index == 0).into_iter().collect();
            if !words.is_empty() {
                units.push(Unit {
                    words,
                    kind,
                    quote,
                    start: piece[0][0],
                });
            }
        }
    }
    units
}

/// Pieces with neither a word nor a line break between them are one; then each is cut at line
/// breaks.
fn fragments(text: &ScoredText, mut places: Vec<Place>) -> Vec<Place> {
    places.sort_unstable();
    let mut joined: Vec<Place> = Vec::new();
    for [start, end] in places {
        match joined.last_mut() {
            Some(last)
                if !text.has_word([last[1], start])
                    && !text.slice([last[1], start]).contains('\n') =>
            {
                last[1] = last[1].max(end);
            }
            _ => joined.push([start, end]),
        }
    }
    let mut fragments = Vec::new();
    for [start, end] in joined {
        let mut at = start;
        for piece in text.slice([start, end]).split('\n') {
            let length = piece.chars().count();
            if !piece.trim().is_empty() {
                fragments.push([at, at + length]);
            }
            at += length + 1;
        }
    }
    fragments
}

/// Pairs (gold, predicted, IoU), one to one, the largest IoU first; of equals the one that begins
/// first.
pub(super) fn matched(gold: &[Unit], predicted: &[Unit]) -> Vec<(usize, usize, f64)> {
    let mut with_word: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, unit) in predicted.iter().enumerate() {
        for &word in &unit.words {
            with_word.entry(word).or_default().push(index);
        }
    }
    let mut candidates = Vec::new();
    for (g, unit) in gold.iter().enumerate() {
        let mut common: BTreeMap<usize, usize> = BTreeMap::new();
        for word in &unit.words {
            for &p in with_word.get(word).into_iter().flatten() {
                *common.entry(p).or_default() += 1;
            }
        }
        for (p, n) in common {
            let either = unit.words.len() + predicted[p].words.len() - n;
            candidates.push((g, p, n as f64 / either as f64));
        }
    }
    candidates.sort_by(|a, b| {
        let place = |&(g, p, _): &(usize, usize, f64)| (gold[g].start, predicted[p].start, g, p);
        match b.2.total_cmp(&a.2) {
            Ordering::Equal => place(a).cmp(&place(b)),
            order => order,
        }
    });
    let (mut gold_used, mut predicted_used) =
        (vec![false; gold.len()], vec![false; predicted.len()]);
    candidates.retain(|&(g, p, _)| {
        let free = !gold_used[g] && !predicted_used[p];
        if free {
            (gold_used[g], predicted_used[p]) = (true, true);
        }
        free
    });
    candidates
}
