//! An article as the tagger's spans are read in it: its paragraphs, what stands between marks in
//! them, and whom the mentions in it stand for.

use std::collections::HashMap;

use super::head::head;
use super::interview;
use super::paragraph::finish;
use crate::attribution::frame::{Frame, Item};
use crate::attribution::names::Names;
use crate::attribution::{AttributedQuote, Speaker, SpeakerKind, Step};
use crate::furniture::layout;
use crate::quote::marks::{Passage, passages};
use crate::quote::{Quote, QuoteKind};
use crate::span::Span;
use crate::tagger::{TaggedQuote, TaggedSpan};

/// An article's paragraphs and what stands between marks in them.
pub(super) struct Article<'t> {
    pub(super) text: &'t str,
    paragraphs: Vec<Span>,
    passages: Vec<Passage>,
    /// Of each paragraph.
    pub(super) frames: Vec<Frame>,
    /// What is said without marks, in interviews.
    turns: &'t [Span],
}

impl<'t> Article<'t> {
    /// `turns` are what the rules have found to be said without marks, in order: one of a paragraph.
    pub(super) fn new(text: &'t str, turns: &'t [Span]) -> Article<'t> {
        let paragraphs = layout(text).body;
        let (mut all, mut frames) = (Vec::new(), Vec::new());
        for paragraph in &paragraphs {
            let found = match first_in(turns, *paragraph) {
                Some(words) => vec![interview::passage(text, *paragraph, words)],
                None => passages(text, *paragraph),
            };
            frames.push(Frame::new(text, *paragraph, &found));
            all.extend(found);
        }
        Article {
            text,
            paragraphs,
            passages: all,
            frames,
            turns,
        }
    }

    /// Whether a turn of an interview holds some of this place.
    pub(super) fn overlaps_turn(&self, place: Span) -> bool {
        first_in(self.turns, place).is_some()
    }

    /// The number of the paragraph that this byte stands in, or after.
    pub(super) fn paragraph(&self, byte: usize) -> usize {
        self.paragraphs
            .partition_point(|paragraph| paragraph.start <= byte)
    }

    /// Whether this byte stands in a paragraph of the article, not in page furniture.
    pub(super) fn holds(&self, byte: usize) -> bool {
        let before = self.paragraph(byte).checked_sub(1);
        before.is_some_and(|at| byte < self.paragraphs[at].end)
    }

    /// The passage this byte stands in.
    fn passage(&self, byte: usize) -> Option<&Passage> {
        let after = self
            .passages
            .partition_point(|passage| passage.inner.start <= byte);
        let passage = self.passages.get(after.checked_sub(1)?)?;
        (byte < passage.inner.end).then_some(passage)
    }

    /// The spans to keep. One that begins with a passage between marks, or holds most of it, holds
    /// all of it: what follows may lie in the next chunk, where the tagger does not see its
    /// beginning.
    pub(super) fn whole_passages(
        &self,
        spans: &[TaggedSpan],
        keep: impl Fn(&TaggedSpan) -> bool,
    ) -> Vec<TaggedSpan> {
        let mut kept: Vec<TaggedSpan> = Vec::new();
        for span in spans.iter().filter(|span| keep(span)) {
            let taken = kept
                .last()
                .and_then(|before| before.lines.last())
                .map_or(0, |line| line.end);
            let mut span = span.clone();
            let last = span.lines.len() - 1;
            if span.lines[last].end <= taken {
                continue;
            }
            span.lines[0].start = span.lines[0].start.max(taken);
            let start = span.lines[0].start;
            if let Some(passage) = self.passage(start)
                && taken <= passage.inner.start
                && start > passage.inner.start
                && 2 * (span.lines[0].end.min(passage.inner.end) - start) >= passage.inner.len()
            {
                span.lines[0].start = passage.inner.start;
            }
            let line = span.lines[last];
            if let Some(passage) = self.passage(line.end.saturating_sub(1))
                && line.end < passage.inner.end
                && line.start <= passage.inner.start + 1
            {
                span.lines[last].end = passage.inner.end;
            }
            kept.push(span);
        }
        kept
    }

    /// The quote that a tagged one is, without the outer marks.
    pub(super) fn quote(&self, tagged: &TaggedQuote) -> Quote {
        let mut quote = Quote {
            spans: Vec::new(),
            kind: QuoteKind::Indirect,
            marked: Vec::new(),
        };
        for span in &tagged.spans {
            let first = self
                .passages
                .partition_point(|passage| passage.inner.end <= span.start);
            let marked: Vec<Span> = self.passages[first..]
                .iter()
                .take_while(|passage| passage.inner.start < span.end)
                .map(|passage| {
                    let inner = passage.inner;
                    Span::new(inner.start.max(span.start), inner.end.min(span.end))
                })
                .filter(|part| part.of(self.text).contains(char::is_alphanumeric))
                .collect();
            let mut from = span.start;
            let mut outside = false;
            for part in &marked {
                outside |= self.text[from..part.start].contains(char::is_alphanumeric);
                from = part.end;
            }
            outside |= self.text[from..span.end].contains(char::is_alphanumeric);
            if outside {
                // A clause that ends with a passage ends with its closing mark.
                let closing = (self.passages[first..].iter())
                    .find(|passage| passage.inner.end == span.end)
                    .map_or(span.end, |passage| passage.outer.end);
                let opening = (self.passages[first..].iter())
                    .find(|passage| passage.inner.start == span.start)
                    .map_or(span.start, |passage| passage.outer.start);
                quote
                    .spans
                    .push(Span::new(opening, closing).trim(self.text));
            } else {
                quote.spans.extend(&marked);
            }
            quote.marked.extend(marked);
        }
        finish(self.text, &mut quote);
        quote
    }

    /// Cuts off what stands between the cue and the clause: "a little wearily, that" of "says, a little wearily,
    /// that the price is fair".
    pub(super) fn cut_aside(&self, quote: &mut Quote, cue: Option<Span>) {
        const LONGEST: usize = 60;
        let Some(first) = quote.spans.first_mut() else {
            return;
        };
        let begins = |cue: Span| {
            cue.end < first.start && matches!(self.text[cue.end..first.start].trim(), "," | "out,")
        };
        if !cue.is_some_and(begins) {
            return;
        }
        let aside = first
            .of(self.text)
            .find(", that ")
            .filter(|at| *at <= LONGEST);
        let marked = |end: usize| {
            quote
                .marked
                .iter()
                .any(|part| part.start < first.start + end)
        };
        if let Some(aside) = aside.filter(|&aside| !marked(aside)) {
            first.start += aside + ", that ".len();
        }
    }

    /// Says whom each mention stands for, read paragraph by paragraph as the rules read.
    pub(super) fn resolve(&self, found: &mut [AttributedQuote]) {
        let mut mentions: Vec<Span> = (found.iter())
            .filter_map(|found| found.attribution.mention)
            .collect();
        mentions.sort_by_key(|mention| (mention.start, mention.end));
        mentions.dedup();
        let mut speakers: HashMap<Span, (Speaker, Vec<Step>)> = HashMap::new();
        let mut names = Names::default();
        let mut mentions = mentions.into_iter().peekable();
        for (paragraph, frame) in self.paragraphs.iter().zip(&self.frames) {
            names.read(self.text, frame);
            while let Some(mention) = mentions.next_if(|mention| mention.start < paragraph.end) {
                let items = head(self.text, items_of(frame, mention));
                let quoted = items.iter().any(|item| item.passage.is_some());
                if items.is_empty() || quoted {
                    continue;
                }
                let resolved = names.resolve(self.text, items);
                names.spoke(mention.start, &resolved);
                if let Some(speaker) = resolved.speaker {
                    speakers.insert(mention, (speaker, resolved.chain));
                }
            }
        }
        for found in &mut *found {
            let attribution = &mut found.attribution;
            let Some(mention) = attribution.mention else {
                continue;
            };
            let known = speakers.get(&mention).cloned();
            let (speaker, chain) =
                known.unwrap_or_else(|| (as_written(self.text, mention), Vec::new()));
            attribution.speaker = Some(speaker);
            attribution.chain = chain;
        }
        names.settle(found);
    }
}

/// The first of some spans, in order and apart from each other, that overlaps a place.
fn first_in(spans: &[Span], place: Span) -> Option<Span> {
    let at = spans.partition_point(|span| span.end <= place.start);
    spans.get(at).copied().filter(|span| span.start < place.end)
}

/// The items of a mention.
fn items_of(frame: &Frame, mention: Span) -> &[Item] {
    let items = &frame.items;
    let start = items.partition_point(|item| item.span.end <= mention.start);
    let end = items.partition_point(|item| item.span.start < mention.end);
    &items[start..end.max(start)]
}

/// A speaker of whom nothing is known but the mention.
fn as_written(text: &str, mention: Span) -> Speaker {
    let name = mention.of(text).to_owned();
    let kind = match name.starts_with(char::is_uppercase) {
        true => SpeakerKind::Person,
        false => SpeakerKind::Role,
    };
    Speaker {
        name,
        kind,
        entity: None,
    }
}
