//! A [`Sentence`] is what phrases are read in.

use std::ops::Range;

use crate::attribution::frame::Item;

/// A sentence among the items of its paragraph.
#[derive(Clone, Copy)]
pub(super) struct Sentence<'a> {
    pub text: &'a str,
    /// All of the paragraph's.
    pub items: &'a [Item],
    /// Its first item.
    pub start: usize,
    /// The item behind its last.
    pub end: usize,
    /// Whether its words have capitals because it is a heading.
    pub heading: bool,
}

impl<'a> Sentence<'a> {
    /// The items `range` of a paragraph, of no heading.
    pub fn new(text: &'a str, items: &'a [Item], range: Range<usize>) -> Sentence<'a> {
        let Range { start, end } = range;
        Sentence {
            text,
            items,
            start,
            end,
            heading: false,
        }
    }

    /// An item, where the sentence has not ended.
    pub fn get(&self, at: usize) -> Option<&'a Item> {
        self.items.get(at).filter(|_| at < self.end)
    }

    /// The item before one, where the sentence has begun.
    pub fn before(&self, at: usize) -> Option<&'a Item> {
        (at > self.start).then(|| &self.items[at - 1])
    }

    /// The words of an item.
    pub fn word(&self, at: usize) -> &'a str {
        self.items[at].span.of(self.text)
    }
}
