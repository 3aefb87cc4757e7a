//! A [`Report`] is one reporting cue in a sentence, the mention of who speaks, and the items that
//! are their words.

use std::ops::Range;

mod following;
mod introduced;
mod verb;

use super::frame::Item;
use super::mention::{Mention, is_relative};
use super::rule::Rule;
use crate::lexicon::Class;
use introduced::introduced;
pub use introduced::{first_subject, introducer, only_told_about};
use verb::verb;

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
        let according = according(text, &items[at..sentence.end]);
        if according.is_none() && !class.is_reporting() {
            continue;
        }
        let inside = found
            .iter()
            .any(|report| report.content.iter().any(|range| range.contains(&at)));
        let report = if let Some(words) = according {
            according_to(text, items, &sentence, at..at + words)
                .filter(|report| !holds_again(items, report, &found))
        } else {
            verb(text, items, &sentence, at, has_passage, found.last())
        };
        let Some(report) = report else { continue };
        if inside {
            // A second cue coordinated with the first ends the first one's words.
            let last = found
                .last_mut()
                .expect("something holds the cue, so something was found");
            if !resumes(text, items, &report, at, last) {
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
        found.extend(introduced(text, items, &sentence));
    }
    found
}

/// True where the cue at `at` begins a report of its own rather than being part of the words of
/// the one before: ", adding that", " and said".
fn resumes(text: &str, items: &[Item], report: &Report, at: usize, last: &Report) -> bool {
    let previous = items[at - 1];
    let joined =
        previous.sign(',') || previous.class.is(Class::COORDINATOR) || previous.passage.is_some();
    let participle = items[at].class.is(Class::PARTICIPLE);
    let same = report.mention.is_some() && report.mention == last.mention;
    if joined && (participle && previous.sign(',') || same && !participle) {
        return true;
    }
    let (Some(mention), Some(other)) = (&report.mention, &last.mention) else {
        return false;
    };
    // "Ada Vey, who has told them it is over, said": the clause about her ends.
    let about = items[other.start].is_word(text, "who") && mention.end <= other.start;
    // "He said wages fell, to which Ada Vey replied: “…”"
    let introduces = mention.start > last.cue.end
        && mention.start >= 1
        && report.rule == Rule::PreCue
        && items[report.content[0].start - 1].sign(':')
        && {
            let before = items[mention.start - 1];
            before.sign(',') || before.class.is(Class::COORDINATOR | Class::SUBORDINATOR)
        };
    previous.sign(',') && about || introduces
}

/// True where a report before it has marked words of this one: "“…,” Ada Vey wrote, according to the
/// report". They stay hers.
fn holds_again(items: &[Item], report: &Report, found: &[Report]) -> bool {
    let held = |at: usize| {
        let mut ranges = found.iter().flat_map(|other| &other.content);
        ranges.any(|range| range.contains(&at))
    };
    (report.content.iter().flat_map(|range| range.clone()))
        .any(|at| items[at].passage.is_some() && held(at))
}

/// How many words "according to" and its like are, where items begin with one.
fn according(text: &str, items: &[Item]) -> Option<usize> {
    let phrases: [&[&str]; 2] = [&["according", "to"], &["in", "the", "words", "of"]];
    let begins = |phrase: &&[&str]| {
        let mut words = phrase.iter().zip(items);
        items.len() > phrase.len() && words.all(|(word, item)| item.is_word(text, word))
    };
    phrases
        .iter()
        .find(|phrase| begins(phrase))
        .map(|phrase| phrase.len())
}

/// The words that `cue`, "according to" or the like, gives to somebody.
fn according_to(
    text: &str,
    items: &[Item],
    sentence: &Range<usize>,
    cue: Range<usize>,
) -> Option<Report> {
    let mention = according_mention(text, items, cue.end, sentence.end)?;
    let mut content = Vec::new();
    if cue.start <= sentence.start + 1 {
        let comma = (mention.end..sentence.end).find(|&index| items[index].sign(','))?;
        // Over an aside: "According to Ada Vey, who heads the union, wages fell."
        let mut from = comma + 1;
        if items.get(from).is_some_and(|item| {
            item.class.is(Class::SUBORDINATOR) && is_relative(item.span.of(text))
                || item.class.is(Class::DETERMINER)
                    && next_comma(items, from, sentence.end).is_some_and(|comma| comma - from < 6)
        }) {
            from = next_comma(items, from, sentence.end)? + 1;
        }
        content.push(trimmed(items, from..sentence.end));
    } else {
        content.push(trimmed(items, sentence.start..cue.start));
        // "The sign, according to the memo, will go."
        let (at, end) = (mention.end, sentence.end);
        let rest = predicate_after(items, at, end).or_else(|| clause_after(text, items, at, end));
        content.extend(rest);
    }
    Some(Report {
        cue,
        mention: Some(mention),
        content: filled(content)?,
        rule: Rule::AccordingTo,
    })
}

/// The rest of a sentence that an attribution, which ends at `at`, has interrupted between subject and verb: a comma
/// and a verb come next.
fn predicate_after(items: &[Item], at: usize, end: usize) -> Option<Range<usize>> {
    let verb = Class::AUX | Class::MODAL | Class::FINITE;
    let resumes = at + 2 < end && items[at].sign(',') && items[at + 1].class.is(verb);
    resumes.then(|| trimmed(items, at + 1..end))
}

/// What joins a clause to what was said before an attribution.
pub const JOINING: [&str; 4] = ["and", "but", "because", "so"];

/// The clause with a subject of its own that a comma and a conjunction at `at` join to what was said, "The price is
/// fair, Ada Vey said, and nobody disputes it"; `None` where another report stands in it.
fn clause_after(text: &str, items: &[Item], at: usize, end: usize) -> Option<Range<usize>> {
    let verb = Class::AUX | Class::MODAL | Class::FINITE | Class::VERB;
    let joins = |item: &Item| JOINING.iter().any(|word| item.is_word(text, word));
    let joined = at + 3 < end && items[at].sign(',') && joins(&items[at + 1]);
    let subject = items.get(at + 2).filter(|_| joined)?;
    let rest = at + 1..end;
    let reported = |item: &Item| item.class.is(Class::SPEECH) && item.class.is(Class::FINITE);
    let goes_on = subject.word
        && !subject.past
        && !subject
            .class
            .is(verb | Class::PREPOSITION | Class::PARTICIPLE)
        && clause(items, at + 2, end)
        && !items[rest.clone()].iter().any(reported);
    goes_on.then(|| trimmed(items, rest))
}

/// The ranges that hold something; `None` if none does.
fn filled(mut content: Vec<Range<usize>>) -> Option<Vec<Range<usize>>> {
    content.retain(|range| !range.is_empty());
    (!content.is_empty()).then_some(content)
}

fn next_comma(items: &[Item], from: usize, end: usize) -> Option<usize> {
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
