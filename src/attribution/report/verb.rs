//! Reports whose cue is a verb: its subject before or after it, and words on either side.

use std::ops::Range;

use super::following::following;
use super::introduced::{first_subject, subject_or_topic};
use super::{Report, clause, clause_after, filled, next_comma, predicate_after, trimmed};
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
    let left = group_start(text, items, sentence, at)?;
    let cue = Cue {
        text,
        items,
        sentence,
        at,
        left,
        last,
    };
    if !cue.is_verb() {
        return None;
    }
    if let Some(report) = cue.inverted() {
        return Some(report);
    }
    let (mention, whole) = cue.subject()?;
    if let Some((content, rule)) = following(text, items, sentence.clone(), at, has_passage) {
        mention.as_ref()?;
        if let Some(content) = cue.words_after(content, whole) {
            return Some(cue.report(mention, content, rule));
        }
    }
    let (content, rule) = cue.words_before(whole)?;
    Some(cue.report(mention, content, rule))
}

/// Where the verb group that ends with the cue begins: back over adverbs and auxiliaries. `None` if
/// these say that nobody has said anything.
fn group_start(text: &str, items: &[Item], sentence: &Range<usize>, at: usize) -> Option<usize> {
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
    (!passive || !items[at].class.is(Class::PAST)).then_some(left)
}

/// A verb that may be a cue, in its sentence.
struct Cue<'a> {
    text: &'a str,
    items: &'a [Item],
    sentence: &'a Range<usize>,
    at: usize,
    /// Where its verb group begins.
    left: usize,
    /// The report before it in the sentence.
    last: Option<&'a Report>,
}

impl Cue<'_> {
    fn class(&self) -> Class {
        self.items[self.at].class
    }

    /// What stands before the verb group.
    fn previous(&self) -> Option<Item> {
        (self.left > self.sentence.start).then(|| self.items[self.left - 1])
    }

    fn report(&self, mention: Option<Mention>, content: Vec<Range<usize>>, rule: Rule) -> Report {
        Report {
            cue: self.at..self.at + 1,
            mention,
            content,
            rule,
        }
    }

    /// Whether it is one here: not a noun, nor what somebody is to say.
    fn is_verb(&self) -> bool {
        let (text, class) = (self.text, self.class());
        let Some(previous) = self.previous() else {
            return !class.is(Class::BASE | Class::NOUN_TOO)
                || class.is(Class::PAST | Class::PARTICIPLE);
        };
        if previous.is_word(text, "to") {
            let on = self.left >= self.sentence.start + 2 && {
                let before = self.items[self.left - 2];
                before.is_word(text, "on") || before.is_word(text, "continued")
            };
            if !on {
                return false;
            }
        }
        let nominal = previous.class.is(Class::DETERMINER | Class::POSSESSIVE)
            && !previous.class.is(Class::PRONOUN);
        if nominal
            || (previous.class.is(Class::PREPOSITION)
                && !class.is(Class::PARTICIPLE)
                && !previous.is_word(text, "to"))
        {
            return false;
        }
        if previous.span.of(text).ends_with("'s") || previous.span.of(text).ends_with("’s") {
            return false;
        }
        // "officials claim", but "deputy press secretary"
        let plural = previous.class.is(Class::STRONG_PRONOUN | Class::GROUP)
            || previous.class.is(Class::ROLE) && previous.span.of(text).ends_with('s');
        !class.is(Class::NOUN_TOO) || !class.is(Class::BASE) || plural
    }

    /// Whether it is a form of a verb of speech that can have a subject.
    fn is_speech(&self) -> bool {
        self.class().is(Class::SPEECH) && self.class().is(Class::FINITE | Class::BASE)
    }

    /// "…," said Ada Vey.
    fn inverted(&self) -> Option<Report> {
        let (text, items, sentence, left) = (self.text, self.items, self.sentence, self.left);
        let previous = self.previous()?;
        if !(previous.passage.is_some() || previous.sign(',') || previous.dash()) {
            return None;
        }
        let class = self.class();
        // "Ada Vey, who had left, told reporters": whoever is told stands after it.
        let told =
            class.is(Class::ADDRESSEE) && before(text, items, sentence.start, left).is_some();
        if !self.is_speech() || told || class.is(Class::PARTICIPLE) {
            return None;
        }
        let mention = after(text, items, self.at + 1, sentence.end)?;
        let direct = left_passage(items, sentence.start, left);
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
        // "That, says Ada Vey, is the price."
        let predicate = predicate_after(items, mention.end, sentence.end);
        let indirect = || {
            previous.sign(',')
                && (clause(items, sentence.start, left - 1)
                    || full_name && left > sentence.start + 2
                    || predicate.is_some())
                && !(verb_after && aside())
        };
        if !direct && !indirect() {
            return None;
        }
        let mut content = vec![post_content(items, sentence.start, left)];
        let rest = || {
            let at = past_apposition(items, mention.end, sentence.end);
            clause_after(text, items, at, sentence.end)
        };
        match predicate.or_else(rest).filter(|_| !direct) {
            Some(rest) => content.push(rest),
            None => content.extend(later_passages(items, mention.end, sentence.end)),
        }
        let content = filled(content)?;
        Some(self.report(Some(mention), content, Rule::Inverted))
    }

    /// Who stands before the verb group, if anybody is named, and where the two begin; `None` if
    /// the verb stands in no such place.
    fn subject(&self) -> Option<(Option<Mention>, usize)> {
        let (text, items, left) = (self.text, self.items, self.left);
        let (class, previous) = (self.class(), self.previous());
        let found = match previous {
            None => None,
            Some(_) if class.is(Class::PARTICIPLE) => {
                accompanying(text, items, self.sentence.start, left)
            }
            Some(_) => before(text, items, self.sentence.start, left),
        };
        if let Some((mention, whole)) = found {
            return Some((Some(mention), whole));
        }
        let shared = |subject: fn(&str, &[Item], &Range<usize>, usize) -> Option<Mention>| {
            let of_last = self.last.and_then(|report| report.mention.clone());
            of_last.or_else(|| subject(text, items, self.sentence, self.at))
        };
        let joins = |item: &Item| {
            item.sign(',')
                || item.passage.is_some()
                || item.class.is(Class::COORDINATOR)
                || item.dash()
        };
        if class.is(Class::PARTICIPLE) {
            let joined = previous.is_none_or(|item| {
                joins(&item)
                    || item.class.is(Class::PREPOSITION)
                    || is_be(text, &item)
                    || item.sign(':')
            });
            return joined.then(|| (shared(first_subject), left));
        }
        let joined = previous.is_some_and(|item| joins(&item) || item.is_word(text, "to"));
        (joined && class.is(Class::FINITE)).then(|| (shared(subject_or_topic), left))
    }

    /// The words after it, which begin with `content`; "“A,” Ada Vey said, adding “B”" has words on
    /// both sides, of which the first are direct. `whole`: where subject and verb begin.
    fn words_after(&self, content: Range<usize>, whole: usize) -> Option<Vec<Range<usize>>> {
        let (items, start) = (self.items, self.sentence.start);
        let mut content = filled(vec![trimmed(items, content)])?;
        if self.class().is(Class::SPEECH)
            && whole > start
            && left_passage(items, start, whole)
            && self.last.is_none()
        {
            let first = post_content(items, start, whole);
            if !first.is_empty() {
                content.insert(0, first);
            }
        }
        Some(content)
    }

    /// The words before subject and verb, which begin at `whole`.
    fn words_before(&self, whole: usize) -> Option<(Vec<Range<usize>>, Rule)> {
        let (items, start, end) = (self.items, self.sentence.start, self.sentence.end);
        let class = self.class();
        if !class.is(Class::QUOTING | Class::THAT) || whole <= start || class.is(Class::PARTICIPLE)
        {
            return None;
        }
        let edge = items[whole - 1];
        let quoted = left_passage(items, start, whole)
            || edge.dash() && whole >= start + 2 && items[whole - 2].passage.is_some();
        // "Without it, Ada Vey says, the quay would close."
        let interrupts = self.at + 2 < end && items[self.at + 1].sign(',');
        let indirect = || {
            edge.sign(',')
                && class.is(Class::SPEECH)
                && (interrupts || clause(items, start, whole - 1))
        };
        if !quoted && (self.last.is_some() || !indirect()) {
            return None;
        }
        let from = self.last.map_or(start, |report| {
            let end = report.content.last().map_or(0, |range| range.end);
            end.max(report.cue.end).max(start)
        });
        let mut content = vec![post_content(items, from, whole)];
        if quoted || self.is_speech() {
            content.extend(resumed(self.text, items, self.at + 1, end, quoted));
        }
        let rule = match quoted {
            true => Rule::PostCue,
            false => Rule::PostCueIndirect,
        };
        Some((filled(content)?, rule))
    }
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
fn resumed(text: &str, items: &[Item], from: usize, end: usize, quoted: bool) -> Vec<Range<usize>> {
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
    clause_after(text, items, from, end).into_iter().collect()
}

/// Past who somebody is, ", a partner at the firm", to the comma that ends it.
fn past_apposition(items: &[Item], at: usize, end: usize) -> usize {
    const LONGEST: usize = 16;
    let begins = at + 1 < end && items[at].sign(',') && items[at + 1].class.is(Class::DETERMINER);
    let comma = begins.then(|| next_comma(items, at + 1, end.min(at + LONGEST)));
    comma.flatten().unwrap_or(at)
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
