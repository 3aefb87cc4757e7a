//! [`WordSpan`]s are read off a chunk's label scores by the best path through them.

use ndarray::{Array2, ArrayView2, s};

use crate::tagger::words::{Mark, Word};

/// O, B, I, and C, which begins a further span of the quote that the span before belongs to.
const CONTENT: [usize; 4] = [0, 1, 2, 3];
/// O, B, I.
const CUE: [usize; 3] = [4, 5, 6];
const SOURCE: [usize; 3] = [7, 8, 9];
const SPEECH: usize = 10;
/// Columns of the label scores.
pub(crate) const LABELS: usize = 11;

const OUTSIDE: usize = 0;
const INSIDE: usize = 2;
const CONTINUES: usize = 3;

/// First and last word, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WordSpan {
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// A span of quoted or reported words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    pub(crate) span: WordSpan,
    /// It goes on with the quote before.
    pub(crate) continues: bool,
    /// Mean probability that its words are content.
    pub(crate) score: f64,
}

/// The spans of one chunk, each kind in order.
pub(crate) struct Decoded {
    pub(crate) contents: Vec<Content>,
    pub(crate) sources: Vec<WordSpan>,
    pub(crate) cues: Vec<WordSpan>,
}

/// Reads the spans off the label scores, `[words, LABELS]`. `begin_bias` is added to the log
/// probabilities of a content's beginning.
pub(crate) fn decode(words: &[Word], scores: ArrayView2<f32>, begin_bias: f64) -> Decoded {
    let spans = |columns: [usize; 3]| -> Vec<WordSpan> {
        let path = best_path(&log_softmax(scores, &columns));
        let found = spans_of_path(&path).into_iter();
        found.filter_map(|(span, _)| trim(words, span)).collect()
    };
    Decoded {
        contents: contents(words, scores, begin_bias),
        sources: spans(SOURCE),
        cues: spans(CUE),
    }
}

/// Probability, for each of these words in the mean, that the report is speech rather than belief,
/// intention or plan.
pub(crate) fn speech(scores: ArrayView2<f32>, span: WordSpan) -> f64 {
    let part = scores.slice(s![span.first..=span.last, SPEECH]);
    let sum: f64 = part.iter().map(|x| 1.0 / (1.0 + f64::from(-x).exp())).sum();
    sum / part.len() as f64
}

fn contents(words: &[Word], scores: ArrayView2<f32>, begin_bias: f64) -> Vec<Content> {
    let plain = log_softmax(scores, &CONTENT);
    let mut biased = plain.clone();
    for column in [1, CONTINUES] {
        biased.column_mut(column).map_inplace(|x| *x += begin_bias);
    }
    let mut found: Vec<Content> = Vec::new();
    let mut last_end = None;
    for (span, label) in spans_of_path(&best_path(&biased)) {
        let Some(trimmed) = trim(words, span) else {
            continue;
        };
        let outside = plain.slice(s![trimmed.first..=trimmed.last, OUTSIDE]);
        let outside = outside.iter().map(|x| x.exp()).sum::<f64>() / outside.len() as f64;
        let snapped = snap_to_marks(words, trimmed);
        // One that reached over the next to the closing mark has swallowed it.
        if last_end.is_none_or(|end| snapped.first > end) {
            found.push(Content {
                span: snapped,
                continues: label == CONTINUES,
                score: 1.0 - outside,
            });
        }
        last_end = Some(snapped.last);
    }
    found
}

/// Log probabilities of some labels against each other, `[words, columns]`.
fn log_softmax(scores: ArrayView2<f32>, columns: &[usize]) -> Array2<f64> {
    let mut out = Array2::from_shape_fn((scores.nrows(), columns.len()), |(word, label)| {
        f64::from(scores[[word, columns[label]]])
    });
    for mut row in out.outer_iter_mut() {
        let most = row.fold(f64::NEG_INFINITY, |most, x| most.max(*x));
        let sum: f64 = row.iter().map(|x| (x - most).exp()).sum();
        row.map_inplace(|x| *x -= most + sum.ln());
    }
    out
}

/// The most probable label of each word, given that I follows neither O nor the chunk's start. Of
/// equals the first.
fn best_path(scores: &Array2<f64>) -> Vec<usize> {
    const IMPOSSIBLE: f64 = -1e9;
    let (words, labels) = scores.dim();
    let allowed = |from: usize, to: usize| to != INSIDE || from != OUTSIDE;
    let mut back = Array2::<usize>::zeros((words, labels));
    let mut best: Vec<f64> = (0..labels)
        .map(|label| match label {
            INSIDE => IMPOSSIBLE,
            _ => scores[[0, label]],
        })
        .collect();
    let top = |values: &[f64]| {
        (1..values.len()).fold(0, |top, k| if values[k] > values[top] { k } else { top })
    };
    for word in 1..words {
        let mut next = vec![0.0; labels];
        for (to, next) in next.iter_mut().enumerate() {
            let step: Vec<f64> = (0..labels)
                .map(|from| {
                    if allowed(from, to) {
                        best[from]
                    } else {
                        IMPOSSIBLE
                    }
                })
                .collect();
            let from = top(&step);
            back[[word, to]] = from;
            *next = step[from] + scores[[word, to]];
        }
        best = next;
    }
    let mut path = vec![top(&best); words];
    for word in (1..words).rev() {
        path[word - 1] = back[[word, path[word]]];
    }
    path
}

/// Spans of a path with the label each begins with.
fn spans_of_path(path: &[usize]) -> Vec<(WordSpan, usize)> {
    let mut found: Vec<(WordSpan, usize)> = Vec::new();
    for (at, label) in path.iter().enumerate() {
        match (*label, found.last_mut()) {
            (OUTSIDE, _) => {}
            (INSIDE, Some((span, _))) => span.last = at,
            (INSIDE, None) => {}
            (begin, _) => found.push((
                WordSpan {
                    first: at,
                    last: at,
                },
                begin,
            )),
        }
    }
    found
}

/// The span without marks, stops and breaks at its ends; `None` if no word is left.
fn trim(words: &[Word], span: WordSpan) -> Option<WordSpan> {
    let mut inner = (span.first..=span.last).filter(|at| words[*at].is_word());
    let first = inner.next()?;
    let last = inner.next_back().unwrap_or(first);
    Some(WordSpan { first, last })
}

/// A span that begins or ends within three words of an outer mark, inside the marks, reaches to it.
fn snap_to_marks(words: &[Word], span: WordSpan) -> WordSpan {
    const REACH: usize = 4;
    let ends = |at: &usize, mark: Mark| {
        words[*at].mark == mark || !words[*at].inside || words[*at].is_break()
    };
    let mut snapped = span;
    if words[span.first].inside {
        let mut before = (span.first.saturating_sub(REACH)..span.first).rev();
        if let Some(at) = before.find(|at| ends(at, Mark::Open))
            && words[at].mark == Mark::Open
        {
            snapped.first = at + 1;
        }
    }
    if words[span.last].inside {
        let mut after = span.last + 1..words.len().min(span.last + 1 + REACH);
        if let Some(at) = after.find(|at| ends(at, Mark::Close))
            && words[at].mark == Mark::Close
        {
            snapped.last = at - 1;
        }
    }
    snapped
}
