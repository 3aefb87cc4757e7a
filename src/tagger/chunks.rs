//! A [`Chunk`] is the part of an article that the quote tagger reads in one pass.

use crate::tagger::words::{Mark, Word};

/// `words[begin..end]` of an article; what is decided of the words from `core` on is kept, those
/// before it are context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) begin: usize,
    pub(crate) core: usize,
    pub(crate) end: usize,
}

/// Whole lines, greedily, up to `core_pieces` each, after up to `context_pieces` of what precedes.
/// `lengths`: pieces of each word, `[words]`. A line longer than a chunk is cut after its last full
/// stop, question or exclamation mark (and what closes after it) that still fits, or, without one,
/// where it must.
pub(crate) fn chunks(
    words: &[Word],
    lengths: &[usize],
    core_pieces: usize,
    context_pieces: usize,
) -> Vec<Chunk> {
    let (mut found, mut core) = (Vec::new(), 0);
    while core < words.len() {
        let (mut used, mut end) = (0, core);
        let (mut stop, mut line_end) = (None, None);
        while end < words.len() && used + lengths[end] <= core_pieces {
            let word = &words[end];
            used += lengths[end];
            let closes = word.mark == Mark::Close || matches!(word.text, ")" | "]");
            if word.is_break() {
                line_end = Some(end + 1);
            } else if matches!(word.text, "." | "!" | "?") && used > core_pieces / 2
                || stop == Some(end) && closes
            {
                stop = Some(end + 1);
            }
            end += 1;
        }
        if end < words.len() {
            end = line_end.or(stop).unwrap_or(end.max(core + 1));
        }
        let (mut begin, mut used) = (core, 0);
        while begin > 0 && used + lengths[begin - 1] <= context_pieces {
            begin -= 1;
            used += lengths[begin];
        }
        found.push(Chunk { begin, core, end });
        core = end;
    }
    found
}
