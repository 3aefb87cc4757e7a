//! A [`Span`] is a place in an article: where it starts and where it ends, in bytes.
//!
//! Every paragraph, sentence, quote, cue and mention is a span of the article *as read*, so that
//! each can be cut out of it again. Counts in other units (Unicode scalars for Python and R,
//! UTF-16 units for JavaScript and Java) are made only when a row is written, by [`Offsets`].

use serde::{Deserialize, Serialize};

/// A half-open range of bytes, `start..end`, both on character boundaries of the article's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span `start..end`.
    ///
    /// # Panics
    /// If `start > end`: such a span cannot be cut out of any text.
    pub fn new(start: usize, end: usize) -> Span {
        assert!(start <= end, "a span ends before it starts: {start}..{end}");
        Span { start, end }
    }

    /// The words at this place.
    ///
    /// # Panics
    /// If the span is not of this text (out of bounds, or inside a character).
    pub fn of<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.end]
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// True where there is nothing between start and end.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// True where every byte of `other` is also in `self`.
    pub fn contains(&self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// True where the two share at least one byte.
    pub fn overlaps(&self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The span without white space at its ends; empty at its start if it is all white space.
    pub fn trim(&self, text: &str) -> Span {
        let words = self.of(text);
        let start = self.start + (words.len() - words.trim_start().len());
        Span::new(start, (start + words.trim().len()).max(start))
    }
}

/// Turns byte offsets of one text into other units; built once per article, each look-up is
/// `O(log n)` in the number of characters that are not ASCII.
#[derive(Clone, Debug)]
pub struct Offsets {
    /// For each non-ASCII character, in order: the byte just past it, and how many bytes more
    /// than scalars and than UTF-16 units the text has up to there.
    steps: Vec<(usize, usize, usize)>,
}

impl Offsets {
    /// Reads the text once.
    pub fn new(text: &str) -> Offsets {
        let (mut steps, mut scalars, mut utf16) = (Vec::new(), 0, 0);
        for (start, character) in text.char_indices() {
            if !character.is_ascii() {
                scalars += character.len_utf8() - 1;
                utf16 += character.len_utf8() - character.len_utf16();
                steps.push((start + character.len_utf8(), scalars, utf16));
            }
        }
        Offsets { steps }
    }

    /// Unicode scalars before this byte: an index into a Python `str`.
    pub fn scalar(&self, byte: usize) -> usize {
        byte - self.step(byte).map_or(0, |step| step.1)
    }

    /// UTF-16 units before this byte: an index into a JavaScript or Java string.
    pub fn utf16(&self, byte: usize) -> usize {
        byte - self.step(byte).map_or(0, |step| step.2)
    }

    fn step(&self, byte: usize) -> Option<&(usize, usize, usize)> {
        let passed = self.steps.partition_point(|step| step.0 <= byte);
        passed.checked_sub(1).map(|last| &self.steps[last])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_agree_with_counting() {
        let text = "a“é😀”b\u{a0}c";
        let offsets = Offsets::new(text);
        for (byte, _) in text.char_indices().chain([(text.len(), ' ')]) {
            assert_eq!(offsets.scalar(byte), text[..byte].chars().count());
            assert_eq!(offsets.utf16(byte), text[..byte].encode_utf16().count());
        }
    }

    #[test]
    fn trim_keeps_only_the_words() {
        let text = "a  b c \n";
        assert_eq!(Span::new(1, 8).trim(text).of(text), "b c");
        assert!(Span::new(1, 3).trim(text).is_empty());
    }
}
