//! The words after a reporting verb, and where they begin: past the addressee, the place and the day.

use std::ops::Range;

use super::{clause, passages_end};
use crate::attribution::Rule;
use crate::attribution::frame::Item;
use crate::lexicon::Class;

/// The words after a cue of a sentence, and the rule that found them.
pub(super) fn following(
    text: &str,
    items: &[Item],
    Range { start, end }: Range<usize>,
    cue: usize,
    has_passage: bool,
) -> Option<(Range<usize>, Rule)> {
    let class = items[cue].class;
    // "As Ada Vey pointed out in May, “…”"
    let as_told = items[start].is_word(text, "as") && class.is(Class::QUOTING);
    let mut at = cue + 1;
    let get = |at: usize| items.get(at).filter(|_| at < end);
    if class.is(Class::OBJECT) && has_passage && !class.is(Class::QUOTING) {
        let passage = (at..end.min(at + 25)).find(|&index| items[index].passage.is_some())?;
        let mut to = passage + 1;
        while to < end
            && !(items[to].sign(',')
                || items[to].class.is(Class::SUBORDINATOR | Class::COORDINATOR))
        {
            to += 1;
        }
        return Some((at..to, Rule::ObjectComplement));
    }
    if get(at)?.is_word(text, "out") || get(at)?.class == Class::ADVERB {
        at += 1;
    }
    // Over the addressee, the place and the day, to what can begin the words.
    let mut steps = 0;
    let mut colon = None;
    while at < end && steps < 24 {
        let item = items[at];
        if item.is_word(text, "that")
            && !(at == cue + 1 && get(at + 1).is_some_and(|next| next.sign('.')))
            && class.is(Class::THAT)
        {
            return (at + 1 < end).then_some((at + 1..end, Rule::ThatClause));
        }
        if item.passage.is_some() {
            let before = items[at - 1];
            if before.sign(':')
                || before.sign(',')
                || at == cue + 1
                || (steps < 6 && class.is(Class::ADDRESSEE))
            {
                return Some((at..passages_end(text, items, at, end), Rule::PreCue));
            }
            return None;
        }
        if item.sign(':') && get(at + 1).is_some() {
            colon = Some(at);
            at += 1;
            continue;
        }
        if colon.is_some() && item.word && colon == Some(at - 1) && class.is(Class::SPEECH) {
            return Some((at..end, Rule::Colon));
        }
        let whether = item.is_word(text, "whether")
            || item.is_word(text, "if")
            || item.is_word(text, "why")
            || item.is_word(text, "how")
            || item.is_word(text, "what");
        if whether && class.is(Class::WHETHER) {
            return Some((at..end, Rule::WhetherClause));
        }
        if item.is_word(text, "to")
            && class.is(Class::INFINITIVE)
            && steps < 8
            && get(at + 1).is_some_and(|next| next.word && !next.capital)
        {
            let from = if class.is(Class::ADDRESSEE | Class::WHETHER) && steps > 0 {
                cue + 1
            } else {
                at
            };
            return Some((from..end, Rule::Infinitive));
        }
        if item.sign(',') && steps == 0 && has_passage {
            at += 1;
            steps += 1;
            continue;
        }
        if item.sign(',') || item.sign('.') || item.sign(';') || item.dash() {
            let later = (at..end.min(at + 30)).find(|&index| {
                items[index].passage.is_some()
                    && (items[index - 1].sign(':')
                        || items[index - 1].sign(',') && (class.is(Class::SPEECH) || as_told))
            })?;
            let clean = items[at..later]
                .iter()
                .all(|item| !(item.class.is(Class::FINITE) && item.class.is_reporting()));
            return clean.then(|| (later..passages_end(text, items, later, end), Rule::PreCue));
        }
        if class.is(Class::BARE) {
            let skipped = skip_adverbial(
                text,
                items,
                at,
                end,
                steps == 0 && class.is(Class::ADDRESSEE),
            );
            if skipped > at {
                steps += skipped - at;
                at = skipped;
                continue;
            }
            if begins_clause(&item) && clause(items, at, end) {
                return Some((at..end, Rule::BareClause));
            }
        }
        at += 1;
        steps += 1;
        if class.is(Class::BARE) && !class.is(Class::ADDRESSEE) && steps > 10 {
            break;
        }
    }
    None
}

/// Past "in a statement", "on Wednesday", "Monday night", "reporters".
fn skip_adverbial(text: &str, items: &[Item], at: usize, end: usize, addressee: bool) -> usize {
    let item = items[at];
    if item.class.is(Class::TIME) || item.class == Class::ADVERB {
        return at + 1;
    }
    let preposition = item.class.is(Class::PREPOSITION)
        && !item.class.is(Class::DETERMINER | Class::SUBORDINATOR)
        && !item.capital
        && !item.is_word(text, "of")
        && !item.is_word(text, "about");
    if !preposition && !addressee {
        return at;
    }
    let mut to = if preposition { at + 1 } else { at };
    let first = to;
    while to < end && to < at + 14 {
        let next = items[to];
        if !next.word
            || next
                .class
                .is(Class::STRONG_PRONOUN | Class::SUBORDINATOR | Class::AUX | Class::MODAL)
                && !next.class.is(Class::PREPOSITION)
        {
            break;
        }
        if to > first
            && next.class.is(Class::DETERMINER | Class::POSSESSIVE)
            && !items[to - 1].class.is(Class::PREPOSITION)
        {
            break;
        }
        if to > first && next.class.is(Class::TIME) {
            return to + 1;
        }
        if to > first
            && next.capital
            && !items[to - 1].capital
            && !items[to - 1]
                .class
                .is(Class::PREPOSITION | Class::DETERMINER | Class::POSSESSIVE)
        {
            break;
        }
        to += 1;
    }
    // Nothing tells where the phrase ends and the words begin.
    let stopped = items.get(to).filter(|_| to < end);
    if stopped.is_some_and(|next| next.class.is(Class::AUX | Class::MODAL)) {
        return if addressee && !preposition {
            at + 1
        } else {
            at
        };
    }
    to
}

fn begins_clause(item: &Item) -> bool {
    let adverbial = Class::PREPOSITION | Class::TIME;
    item.word
        && !item.class.is(Class::COORDINATOR)
        && (!item.class.is(adverbial) || item.capital || item.class.is(Class::DETERMINER))
}
