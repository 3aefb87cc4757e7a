//! A source that the tagger chose, mended where its words are cut wrongly.

use std::ops::Range;

use super::article::Article;
use crate::attribution::frame::{Frame, Item};
use crate::attribution::mention::{described, is_relative};
use crate::attribution::names::name_after_note;
use crate::attribution::report::{only_told_about, trimmed};
use crate::attribution::{Attribution, Rule};
use crate::lexicon::Class;
use crate::span::Span;

impl Article<'_> {
    /// The paragraph that a span begins in.
    fn frame(&self, span: Span) -> Option<&Frame> {
        let frame = self.paragraph(span.start).checked_sub(1);
        frame.and_then(|at| self.frames.get(at))
    }

    /// The items of the paragraph that a span begins in.
    fn all(&self, span: Span) -> &[Item] {
        self.frame(span).map_or(&[], |frame| &frame.items)
    }

    /// The part of a source that stands in the sentence of its `cue`, where that is a part of it.
    fn in_sentence(&self, source: Span, cue: Option<Span>) -> Span {
        let place = self.frame(source).zip(cue).and_then(|(frame, cue)| {
            let items = &frame.items;
            let before = |sentence: &Range<usize>| items[sentence.end - 1].span.end <= cue.start;
            let sentence = frame
                .sentences
                .get(frame.sentences.partition_point(before))?;
            let words = &items[trimmed(items, sentence.clone())];
            Some(Span::new(words.first()?.span.start, words.last()?.span.end))
        });
        let holds =
            |place: &Span| place.overlaps(source) && cue.is_some_and(|cue| place.overlaps(cue));
        match place.filter(holds) {
            Some(place) => Span::new(source.start.max(place.start), source.end.min(place.end)),
            None => source,
        }
    }

    /// The part of a source before the marks that it reaches into: "Ada Vey, who runs the ferry," of
    /// "Ada Vey, who runs the ferry, “a", whose last words go on.
    fn before_passage(&self, source: Span) -> Span {
        let cut = self.items(source).and_then(|(_, items, _)| {
            let last = items[items.len() - 1];
            last.passage.filter(|words| words.end > source.end)?;
            let word = items[..items.len() - 1].iter().rfind(|item| item.word)?;
            Some(Span::new(source.start, word.span.end))
        });
        cut.unwrap_or(source)
    }

    /// How many items stand before a span in its paragraph; the items that it touches; those after.
    fn items(&self, span: Span) -> Option<(usize, &[Item], &[Item])> {
        let all = self.all(span);
        let from = all.partition_point(|item| item.span.end <= span.start);
        let to = all.partition_point(|item| item.span.start < span.end);
        (from < to).then(|| (from, &all[from..to], &all[to..]))
    }

    /// The source with the whole name that it ends in ("Mayor Lena Brandt" of "Mayor Lena") and the name
    /// that it describes ("Lena Brandt, who" of "who"), without an age or a bracket left open after
    /// the name. It does not reach into its `cue`, nor out of the cue's sentence.
    pub(super) fn mended_source(&self, source: Span, cue: Option<Span>) -> Span {
        let source = self.before_passage(self.in_sentence(source, cue));
        let Some((before, items, after)) = self.items(source) else {
            return source;
        };
        if items.iter().any(|item| item.passage.is_some()) {
            return source;
        }
        // "who teaches law at Ghent": whoever stands before it.
        let first = items[0].span;
        if items.len() > 1 && is_relative(first.of(self.text)) {
            return self.mended_source(first, cue);
        }
        // "71" of "Ada Vey, 71,": whose age it is.
        let all = self.all(source);
        if items.len() == 1
            && first.of(self.text).parse::<u8>().is_ok()
            && before > 1
            && all[before - 1].sign(',')
            && all[before - 2].name()
        {
            let names = all[..before - 1]
                .iter()
                .rev()
                .take_while(|item| item.name())
                .count();
            return Span::new(all[before - 1 - names].span.start, all[before - 2].span.end);
        }
        // "whom Ada Vey called a fool": whoever follows is the speaker.
        if is_relative(source.of(self.text))
            && let Some(first) = after.first()
            && (first.name() || first.class.is(Class::STRONG_PRONOUN))
        {
            let names = after.iter().take_while(|item| item.name()).count().max(1);
            return Span::new(first.span.start, after[names - 1].span.end);
        }
        // "Maj. Gen. (retd.)" of "Maj. Gen. (retd.) A. K. Sodhi"
        let noted = (before + 1..=before + items.len()).find_map(|at| name_after_note(all, at));
        if let Some(name) = noted {
            return Span::new(source.start, all[name.end - 1].span.end.max(source.end));
        }
        let described = match items.len() {
            1 => None,
            _ => described(&all[..before + 1], 0, before),
        };
        let start = described.map_or(source.start, |name| all[name.start].span.start);
        let mut last = items[items.len() - 1];
        // A source may leave out an ending: "Lena Brandt" of "Lena Brandt's".
        let whole = last.span.end <= source.end || last.span.of(self.text).ends_with('.');
        let verb = Class::SPEECH | Class::FINITE | Class::VERB | Class::AUX | Class::MODAL;
        // "the" of "the new mayor", "its" of "its supporters", "aide" of "aide Lena Brandt"
        let bare = items.iter().all(|item| {
            item.class.is(Class::DETERMINER | Class::POSSESSIVE) && !item.class.is(Class::PRONOUN)
                || item.first.is_ascii_digit()
        });
        // "one of" of "one of them"
        let mut open = bare || last.is_word(self.text, "of");
        for item in after.iter().filter(|_| whole) {
            let beside = self.text[last.span.end..item.span.start]
                .chars()
                .all(|c| c == ' ' || c == '\u{a0}');
            let named = (last.name() || last.class.is(Class::TITLE | Class::ROLE)) && item.name();
            open &= item.word && !item.class.is(Class::PREPOSITION);
            // "an attendant waved people through"
            let acts = item.past && !last.class.is(Class::DETERMINER | Class::ADVERB);
            // "its supporters point out"
            let reports = cue.is_some_and(|cue| cue.overlaps(item.span));
            if !(named || open) || !beside || item.class.is(verb) || acts || reports {
                break;
            }
            last = *item;
        }
        let end = if whole {
            last.span.end.max(source.end)
        } else {
            source.end
        };
        let open = items.iter().rposition(|item| item.sign('('));
        let age = items.iter().rposition(|item| item.sign(','));
        let cut = match (open, age) {
            (Some(open), _) if !items[open..].iter().any(|item| item.sign(')')) => Some(open),
            (_, Some(comma))
                if comma + 2 == items.len() && items[comma + 1].first.is_ascii_digit() =>
            {
                Some(comma)
            }
            _ => None,
        };
        match cut.filter(|&cut| cut > 0) {
            Some(cut) => Span::new(start, items[cut - 1].span.end),
            None => self.subject_pronoun(Span::new(start, end)),
        }
    }

    /// "he" of "his old master he", as in "Of his old master he said".
    fn subject_pronoun(&self, source: Span) -> Span {
        match self.items(source) {
            Some((_, [.., before, last], _))
                if last.class.is(Class::STRONG_PRONOUN)
                    && before.word
                    && !before.class.is(Class::COORDINATOR) =>
            {
                last.span
            }
            _ => source,
        }
    }

    /// Whether a source only says what the quote is about: "On the mayor: “…”".
    pub(super) fn is_topic(&self, source: Span, quote: Span) -> bool {
        let Some(frame) = self.frame(quote) else {
            return false;
        };
        let items = &frame.items;
        let at = items.partition_point(|item| item.span.end <= quote.start);
        let holds = |sentence: &&Range<usize>| sentence.contains(&at);
        let Some(sentence) = frame.sentences.iter().find(holds) else {
            return false;
        };
        only_told_about(self.text, items, sentence, at)
            && (items[sentence.start].span.start..items[at].span.start).contains(&source.start)
    }

    /// Whom a paragraph that is a quotation alone has its signature from, in the next: "- Ada Vey."
    pub(super) fn signature_below(&self, quote: Span) -> Option<Attribution> {
        let here = self.paragraph(quote.start).checked_sub(1)?;
        let passage = self.frames.get(here)?;
        if !passage.items.iter().all(|item| item.passage.is_some()) {
            return None;
        }
        let items = &self.frames.get(here + 1)?.items;
        let name = signature(items)?;
        Some(Attribution {
            cue: None,
            mention: Some(Span::new(
                items[name.start].span.start,
                items[name.end - 1].span.end,
            )),
            speaker: None,
            chain: Vec::new(),
            rule: Rule::Signature,
            confidence: None,
        })
    }

    /// True where marked words are a heading: a line of their own, short and without a full stop.
    pub(super) fn is_heading(&self, quote: Span, source: Option<Span>) -> bool {
        let here = self.paragraph(quote.start);
        let Some(frame) = self.frame(quote) else {
            return false;
        };
        let words = quote.of(self.text);
        frame.items.len() == 1
            && frame.items[0].passage.is_some()
            && !words.ends_with(['.', '!', '?', ',', '…', '’', '"', '”'])
            && words.split(' ').nth(7).is_none()
            && source.is_none_or(|source| self.paragraph(source.start) != here)
    }
}

/// The name of a line that is a dash and a name, perhaps with a title: "— Ada Vey, mayor".
pub(super) fn signature(items: &[Item]) -> Option<std::ops::Range<usize>> {
    let dashes = items.iter().take_while(|item| item.dash()).count();
    let named = items[dashes..]
        .iter()
        .take_while(|item| item.name())
        .count();
    let name = dashes..dashes + named;
    let ends = items
        .get(name.end)
        .is_none_or(|item| item.sign(',') || item.sign('.') || item.sign('('));
    (dashes > 0 && named > 0 && ends && items.len() <= 16).then_some(name)
}
