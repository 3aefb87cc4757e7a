//! A [`Report`] is one reporting cue in a sentence, the mention of who speaks, and the items that
//! are their words.

use std::ops::Range;

use super::frame::Item;
use super::mention::{Mention, after, before};
use super::rule::Rule;
use crate::lexicon::Class;

/// One cue with its speaker and its words, as items of a paragraph.
#[derive(Clone, Debug)]
pub struct Report {
    /// The reporting verb or phrase.
    pub cue: Range<usize>,
    /// Who speaks, as mentioned beside the cue.
    pub mention: Option<Mention>,
    /// The words, in order; at least one range.
    pub content: Vec<Range<usize>>,
    /// Which rule found it.
    pub rule: Rule,
}

/// The reports of one sentence, in the order of their cues.
pub fn reports(text: &str, items: &[Item], sentence: Range<usize>) -> Vec<Report> {
    let mut found: Vec<Report> = Vec::new();
    let has_passage = items[sentence.clone()]
        .iter()
        .any(|item| item.passage.is_some());
    for at in sentence.clone() {
        let class = items[at].class;
        let according = items[at].is_word(text, "according")
            && items
                .get(at + 1)
                .is_some_and(|next| next.is_word(text, "to"));
        if !according && !class.is_reporting() {
            continue;
        }
        let inside = found
            .iter()
            .any(|report| report.content.iter().any(|range| range.contains(&at)));
        let report = if according {
            according_to(text, items, &sentence, at)
        } else {
            verb(text, items, &sentence, at, has_passage, found.last())
        };
        let Some(report) = report else { continue };
        if inside {
            // A second cue coordinated with the first ends the first one's words.
            let last = found
                .last_mut()
                .expect("something holds the cue, so something was found");
            if !resumes(items, &report, at, last) {
                continue;
            }
            let cut = report
                .mention
                .as_ref()
                .filter(|mention| mention.start > last.cue.end && mention.end <= at)
                .map_or(at, |mention| mention.start);
            for range in &mut last.content {
                range.end = range.end.min(cut).max(range.start);
            }
            last.content.retain(|range| !range.is_empty());
            last.content = last
                .content
                .iter()
                .map(|range| trimmed(items, range.clone()))
                .filter(|range| !range.is_empty())
                .collect();
            if last.content.is_empty() {
                found.pop();
            }
        }
        found.push(report);
    }
    if found.is_empty() {
        found.extend(labelled(text, items, sentence));
    }
    found
}

/// True where the cue at `at` begins a report of its own rather than being part of the words of
/// the one before: ", adding that", " and said".
fn resumes(items: &[Item], report: &Report, at: usize, last: &Report) -> bool {
    let previous = items[at - 1];
    let joined =
        previous.sign(',') || previous.class.is(Class::COORDINATOR) || previous.passage.is_some();
    let participle = items[at].class.is(Class::PARTICIPLE);
    let same = report.mention.is_some() && report.mention == last.mention;
    joined && (participle && previous.sign(',') || same && !participle)
}

fn according_to(text: &str, items: &[Item], sentence: &Range<usize>, at: usize) -> Option<Report> {
    let mention = according_mention(text, items, at + 2, sentence.end)?;
    let content = if at <= sentence.start + 1 {
        let comma = (mention.end..sentence.end).find(|&index| items[index].sign(','))?;
        // Over an aside: "According to Ada Vey, who heads the union, wages fell."
        let mut from = comma + 1;
        if items.get(from).is_some_and(|item| {
            item.class.is(Class::SUBORDINATOR)
                && (item.is_word(text, "who") || item.is_word(text, "which"))
                || item.class.is(Class::DETERMINER)
                    && second_comma(items, from, sentence.end).is_some_and(|comma| comma - from < 6)
        }) {
            from = second_comma(items, from, sentence.end)? + 1;
        }
        from..sentence.end
    } else {
        sentence.start..at
    };
    let content = trimmed(items, content);
    (!content.is_empty()).then(|| Report {
        cue: at..at + 2,
        mention: Some(mention),
        content: vec![content],
        rule: Rule::AccordingTo,
    })
}

fn second_comma(items: &[Item], from: usize, end: usize) -> Option<usize> {
    (from..end).find(|&index| items[index].sign(','))
}

fn according_mention(text: &str, items: &[Item], start: usize, end: usize) -> Option<Mention> {
    let stop = (start..end.min(start + 25)).find(|&index| {
        !items[index].word
            && !items[index].sign('’')
            && !items[index].sign('\'')
            && !items[index].sign('&')
            || items[index].is_word(text, "who")
    });
    let mut last = stop.unwrap_or(end.min(start + 25));
    // "three people who were present" keeps its clause: nothing else tells who they are.
    if stop.is_some_and(|index| items[index].word) && !items[start].capital {
        last = (last..end).find(|&index| !items[index].word).unwrap_or(end);
    }
    (start < last).then_some(start..last)
}

fn verb(
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
        if class.is(Class::NOUN_TOO)
            && class.is(Class::BASE)
            && !(previous
                .class
                .is(Class::STRONG_PRONOUN | Class::ROLE | Class::GROUP))
        {
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
    if speech
        && words_before
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
        if direct
            || (items[left - 1].sign(',')
                && clause(items, sentence.start, left - 1)
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
    let subject = if left == sentence.start || class.is(Class::PARTICIPLE) {
        None
    } else {
        before(text, items, sentence.start, left)
    };
    let shared = || {
        last.and_then(|report| report.mention.clone())
            .or_else(|| first_subject(text, items, sentence, at))
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
            (shared(), left)
        }
        None if previous.is_some_and(|item| {
            item.class.is(Class::COORDINATOR)
                || item.sign(',')
                || item.is_word(text, "to")
                || item.dash()
                || item.passage.is_some()
        }) && class.is(Class::FINITE) =>
        {
            (shared(), left)
        }
        None => return None,
    };
    // Words after the cue.
    if let Some((content, rule)) = following(text, items, at, sentence.end, has_passage) {
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

/// The words after a cue, and the rule that found them.
fn following(
    text: &str,
    items: &[Item],
    cue: usize,
    end: usize,
    has_passage: bool,
) -> Option<(Range<usize>, Rule)> {
    let class = items[cue].class;
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
                        || items[index - 1].sign(',') && class.is(Class::SPEECH))
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

/// True where the items hold a finite verb after their first word, as far as can be told: a listed
/// one, a word in -ed, or one inside marks.
fn clause(items: &[Item], start: usize, end: usize) -> bool {
    let verbal = Class::AUX | Class::MODAL | Class::VERB | Class::FINITE;
    end > start + 1
        && items[start..end]
            .iter()
            .skip(1)
            .take(40)
            .any(|item| item.class.is(verbal) || item.passage.is_some() || item.past)
}

/// Where the words that begin with the passage `at` end: after the last passage that follows
/// directly, or with the clause that the passage is a part of.
fn passages_end(text: &str, items: &[Item], at: usize, end: usize) -> usize {
    let inner = items[at].passage.map_or("", |inner| inner.of(text));
    if inner.ends_with([',', '.', '!', '?', '…']) || inner.starts_with(char::is_uppercase) {
        let mut to = at + 1;
        while to < end && items[to].passage.is_some() {
            to += 1;
        }
        return to;
    }
    end
}

/// "NAME: words", as headlines, tweets and transcripts have it.
fn labelled(text: &str, items: &[Item], sentence: Range<usize>) -> Option<Report> {
    let colon =
        (sentence.start..sentence.end.min(sentence.start + 24)).find(|&at| items[at].sign(':'))?;
    let next = items.get(colon + 1).filter(|_| colon + 1 < sentence.end)?;
    next.passage?;
    let named = items[sentence.start..colon]
        .iter()
        .all(|item| item.name() || item.capital)
        && colon - sentence.start <= 7;
    let mention = if named {
        sentence.start..colon
    } else {
        first_subject(text, items, &sentence, colon)?
    };
    (!mention.is_empty()).then(|| Report {
        cue: colon..colon + 1,
        mention: Some(mention),
        content: std::iter::once(colon + 1..passages_end(text, items, colon + 1, sentence.end))
            .collect(),
        rule: if named { Rule::Label } else { Rule::Colon },
    })
}

/// The subject of the sentence's first finite verb.
pub fn first_subject(
    text: &str,
    items: &[Item],
    sentence: &Range<usize>,
    end: usize,
) -> Option<Mention> {
    for at in sentence.start + 1..end.min(sentence.end).min(sentence.start + 40) {
        let item = items[at];
        let finite = item
            .class
            .is(Class::AUX | Class::MODAL | Class::VERB | Class::FINITE)
            || item.word
                && !item.capital
                && item.span.len() > 4
                && item.class == Class::default()
                && item.span.of(text).ends_with("ed");
        if finite {
            let mut left = at;
            while left > sentence.start && items[left - 1].class == Class::ADVERB {
                left -= 1;
            }
            if let Some((mention, _)) = before(text, items, sentence.start, left) {
                return Some(mention);
            }
        }
    }
    None
}

fn is_be(text: &str, item: &Item) -> bool {
    ["is", "are", "was", "were", "be", "been", "being"]
        .iter()
        .any(|form| item.is_word(text, form))
}

/// Without the commas, dashes and full stops at either end.
pub fn trimmed(items: &[Item], range: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (range.start, range.end);
    let edge = |item: &Item| {
        !item.word
            && item.passage.is_none()
            && !matches!(item.first, '(' | ')' | '[' | ']' | '$' | '€' | '£' | '%')
    };
    while start < end && edge(&items[start]) {
        start += 1;
    }
    while end > start && (edge(&items[end - 1]) || items[end - 1].class.is(Class::COORDINATOR)) {
        end -= 1;
    }
    start..end
}
