//! Reports whose cue is a verb: its subject before or after it, and words on either side.

use std::ops::Range;

use super::following::following;
use super::introduced::{first_subject, subject_or_topic};
use super::{Report, clause, trimmed};
use crate::attribution::Rule;
use crate::attribution::frame::Item;
use crate::attribution::mention::{Mention, after, before};
use crate::lexicon::Class;

pub(super) fn verb(
    text: &str,
    items: &[Item],
    sentence: &Range<usize>,
    at: usize,
    has_passage: bool,
    last: Option<&Report>,
) -> Option<Report> {
    let class = items[at].class;
    if class.is(Class::MENTAL) && !(class.is(Class::QUOTING) && has_passage) {
        return None;
    }
    if items[at].capital && at > sentence.start && items[at - 1].passage.is_none() {
        return None;
    }
    // Back over adverbs and auxiliaries.
    let mut left = at;
    let mut passive = false;
    while left > sentence.start {
        let item = items[left - 1];
        if item.class.is(Class::NEGATION) {
            return None;
        }
        if item.class.is(Class::MODAL) && !item.capital && !item.class.is(Class::STRONG_PRONOUN) {
            if item.is_word(text, "would")
                || item.is_word(text, "could")
                || item.is_word(text, "might")
            {
                return None;
            }
        } else if item.class.is(Class::AUX) {
            passive |= is_be(text, &item);
        } else if !(item.class == Class::ADVERB
            || (item.class.is(Class::ADVERB)
                && !item
                    .class
                    .is(Class::PREPOSITION | Class::DETERMINER | Class::PRONOUN | Class::TIME)))
        {
            break;
        }
        left -= 1;
    }
    if passive && class.is(Class::PAST) {
        return None;
    }
    let previous = (left > sentence.start).then(|| items[left - 1]);
    if let Some(previous) = previous {
        if previous.is_word(text, "to") {
            let on = left >= sentence.start + 2
                && (items[left - 2].is_word(text, "on")
                    || items[left - 2].is_word(text, "continued"));
            if !on {
                return None;
            }
        }
        let nominal = previous.class.is(Class::DETERMINER | Class::POSSESSIVE)
            && !previous.class.is(Class::PRONOUN);
        if nominal
            || (previous.class.is(Class::PREPOSITION)
                && !class.is(Class::PARTICIPLE)
                && !previous.is_word(text, "to"))
        {
            return None;
        }
        if previous.span.of(text).ends_with("'s") || previous.span.of(text).ends_with("’s") {
            return None;
        }
        // "officials claim", but "deputy press secretary"
        let plural = previous.class.is(Class::STRONG_PRONOUN | Class::GROUP)
            || previous.class.is(Class::ROLE) && previous.span.of(text).ends_with('s');
        if class.is(Class::NOUN_TOO) && class.is(Class::BASE) && !plural {
            return None;
        }
    } else if class.is(Class::BASE | Class::NOUN_TOO) && !class.is(Class::PAST | Class::PARTICIPLE)
    {
        return None;
    }
    // Inverted: "…," said Ada Vey.
    let words_before = left > sentence.start
        && (items[left - 1].passage.is_some()
            || items[left - 1].sign(',')
            || items[left - 1].dash());
    let speech = class.is(Class::SPEECH) && class.is(Class::FINITE | Class::BASE);
    // "Ada Vey, who had left, told reporters": whoever is told stands after it.
    let told = class.is(Class::ADDRESSEE) && before(text, items, sentence.start, left).is_some();
    if speech
        && words_before
        && !told
        && !class.is(Class::PARTICIPLE)
        && let Some(mention) = after(text, items, at + 1, sentence.end)
    {
        let direct = items[left - 1].passage.is_some()
            || (items[left - 1].sign(',')
                && left >= sentence.start + 2
                && items[left - 2].passage.is_some());
        // "One librarian, who was shy, said the students had": a verb after what would be the
        // speaker says that it is the subject of what was said.
        let goes_on = items
            .get(mention.end)
            .filter(|_| mention.end < sentence.end);
        let verb_after = goes_on.is_some_and(|item| {
            item.class
                .is(Class::AUX | Class::MODAL | Class::VERB | Class::FINITE)
                || item.word && item.first.is_lowercase() && item.class == Class::default()
        });
        let aside = || before(text, items, sentence.start, left).is_some();
        // "Practise kindness, says Ada Vey."
        let full_name = mention.len() > 1 && items[mention.clone()].iter().all(Item::name);
        if direct
            || (items[left - 1].sign(',')
                && (clause(items, sentence.start, left - 1)
                    || full_name && left > sentence.start + 2)
                && !(verb_after && aside()))
        {
            let mut content = vec![post_content(items, sentence.start, left)];
            content.extend(later_passages(items, mention.end, sentence.end));
            content.retain(|range| !range.is_empty());
            if !content.is_empty() {
                return Some(Report {
                    cue: at..at + 1,
                    mention: Some(mention),
                    content,
                    rule: Rule::Inverted,
                });
            }
        }
    }
    let subject = if left == sentence.start {
        None
    } else if class.is(Class::PARTICIPLE) {
        accompanying(text, items, sentence.start, left)
    } else {
        before(text, items, sentence.start, left)
    };
    let shared = |subject: fn(&str, &[Item], &Range<usize>, usize) -> Option<Mention>| {
        last.and_then(|report| report.mention.clone())
            .or_else(|| subject(text, items, sentence, at))
    };
    let (mention, whole) = match subject {
        Some((mention, whole)) => (Some(mention), whole),
        None if class.is(Class::PARTICIPLE) => {
            let joined = previous.is_none_or(|item| {
                item.sign(',')
                    || item.passage.is_some()
                    || item.class.is(Class::PREPOSITION | Class::COORDINATOR)
                    || is_be(text, &item)
                    || item.sign(':')
                    || item.dash()
            });
            if !joined {
                return None;
            }
            (shared(first_subject), left)
        }
        None if previous.is_some_and(|item| {
            item.class.is(Class::COORDINATOR)
                || item.sign(',')
                || item.is_word(text, "to")
                || item.dash()
                || item.passage.is_some()
        }) && class.is(Class::FINITE) =>
        {
            (shared(subject_or_topic), left)
        }
        None => return None,
    };
    // Words after the cue.
    if let Some((content, rule)) = following(text, items, sentence.clone(), at, has_passage) {
        mention.as_ref()?;
        let mut content = vec![trimmed(items, content)];
        content.retain(|range| !range.is_empty());
        if !content.is_empty() {
            // "“A,” Ada Vey said, adding “B”" has words on both sides; the first ones are direct.
            if class.is(Class::SPEECH)
                && whole > sentence.start
                && left_passage(items, sentence.start, whole)
                && last.is_none()
            {
                let first = post_content(items, sentence.start, whole);
                if !first.is_empty() {
                    content.insert(0, first);
                }
            }
            return Some(Report {
                cue: at..at + 1,
                mention,
                content,
                rule,
            });
        }
    }
    // Words before the cue.
    if class.is(Class::QUOTING | Class::THAT)
        && whole > sentence.start
        && !class.is(Class::PARTICIPLE)
    {
        let edge = items[whole - 1];
        let quoted = edge.passage.is_some()
            || (edge.sign(',') || edge.dash())
                && whole >= sentence.start + 2
                && items[whole - 2].passage.is_some();
        if quoted
            || (edge.sign(',')
                && class.is(Class::SPEECH)
                && clause(items, sentence.start, whole - 1))
        {
            let from = last.map_or(sentence.start, |report| {
                report
                    .content
                    .last()
                    .map_or(report.cue.end, |range| range.end)
                    .max(report.cue.end)
            });
            let from = if quoted {
                from.max(sentence.start)
            } else {
                sentence.start
            };
            if !quoted && last.is_some() {
                return None;
            }
            let mut content = vec![post_content(items, from, whole)];
            if quoted || speech {
                content.extend(resumed(items, at + 1, sentence.end, quoted));
            }
            content.retain(|range| !range.is_empty());
            if !content.is_empty() {
                let rule = if quoted {
                    Rule::PostCue
                } else {
                    Rule::PostCueIndirect
                };
                return Some(Report {
                    cue: at..at + 1,
                    mention,
                    content,
                    rule,
                });
            }
        }
    }
    None
}

/// Who speaks in "with the spokesman Ada Vey saying".
fn accompanying(text: &str, items: &[Item], floor: usize, cue: usize) -> Option<(Mention, usize)> {
    let with = (floor..cue)
        .rev()
        .take(12)
        .take_while(|&at| items[at].word)
        .find(|&at| items[at].is_word(text, "with"))?;
    before(text, items, with + 1, cue).filter(|(_, whole)| *whole == with + 1)
}

fn left_passage(items: &[Item], start: usize, whole: usize) -> bool {
    let edge = items[whole - 1];
    edge.passage.is_some()
        || (edge.sign(',') && whole >= start + 2 && items[whole - 2].passage.is_some())
}

/// What follows a post-posed attribution in its sentence: passages, or the rest of a clause that
/// the attribution interrupts (", he said, ").
fn resumed(items: &[Item], from: usize, end: usize, quoted: bool) -> Vec<Range<usize>> {
    let passages = later_passages(items, from, end);
    if quoted || !passages.is_empty() {
        return passages;
    }
    if items.get(from).is_some_and(|item| item.sign(','))
        && from + 2 < end
        && !items[from + 1]
            .class
            .is(Class::PARTICIPLE | Class::COORDINATOR | Class::PREPOSITION | Class::SUBORDINATOR)
    {
        return vec![trimmed(items, from + 1..end)];
    }
    Vec::new()
}

fn later_passages(items: &[Item], from: usize, end: usize) -> Vec<Range<usize>> {
    let mut joined = false;
    let mut found = Vec::new();
    for at in from..end {
        let item = items[at];
        joined |=
            item.sign(',') || item.sign(':') || item.dash() || item.class.is(Class::COORDINATOR);
        if item.class.is(Class::FINITE | Class::PARTICIPLE) && item.class.is_reporting() {
            break;
        }
        if item.passage.is_some() && at > 0 {
            let before = items[at - 1];
            if before.sign(',')
                || before.sign(':')
                || before.dash()
                || before.passage.is_some() && joined
                || before.class.is(Class::COORDINATOR) && joined
            {
                found.push(at..at + 1);
            }
        }
    }
    found
}

/// The words before a post-posed attribution: the passage alone where it is a sentence of its own
/// after a colon or an introduction, else everything from the sentence's start.
fn post_content(items: &[Item], start: usize, end: usize) -> Range<usize> {
    let mut content = trimmed(items, start..end);
    // A leading conjunction is the reporter's where a quotation follows it.
    if content.len() > 1 && items[content.end - 1].passage.is_some() {
        let colon = (content.clone()).rev().find(|&at| items[at].sign(':'));
        if let Some(colon) = colon {
            content.start = colon + 1;
        }
        let first = items[content.start];
        if content.len() == 2 && first.word && first.class.is(Class::COORDINATOR | Class::ADVERB) {
            content.start += 1;
        }
        let last = items[content.end - 1];
        if content.len() > 2 && items[content.end - 2].sign(',') && last.span.len() > 60 {
            content.start = content.end - 1;
        }
    }
    content
}

fn is_be(text: &str, item: &Item) -> bool {
    ["is", "are", "was", "were", "be", "been", "being"]
        .iter()
        .any(|form| item.is_word(text, form))
}
