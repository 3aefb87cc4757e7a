//! Words that a colon introduces without a reporting verb, and the subject that speaks where none
//! stands beside the cue.

use std::ops::Range;

use super::{Report, passages_end};
use crate::attribution::Rule;
use crate::attribution::frame::Item;
use crate::attribution::mention::{Mention, before};
use crate::lexicon::Class;

/// Most items before a colon that introduce what follows it.
const LONGEST: usize = 60;

/// A colon and a passage: "NAME: words", as headlines, tweets and transcripts have it, "From the
/// report: words", "Ada Vey had a message for them: words".
pub(super) fn introduced(text: &str, items: &[Item], sentence: &Range<usize>) -> Option<Report> {
    let sentence = after_clock(text, items, sentence);
    let colon = (sentence.start..sentence.end.min(sentence.start + LONGEST))
        .find(|&at| items[at].sign(':'))?;
    items
        .get(colon + 1)
        .filter(|_| colon + 1 < sentence.end)?
        .passage?;
    if only_told_about(text, items, &sentence, colon + 1) {
        return None;
    }
    let (mention, rule) = introducer(text, items, &sentence, colon)?;
    Some(Report {
        cue: colon..colon + 1,
        mention: Some(mention),
        content: std::iter::once(colon + 1..passages_end(text, items, colon + 1, sentence.end))
            .collect(),
        rule,
    })
}

/// True where the sentence says only what the words at the item `at` are about, "On the mayor: “…”", "But as for the
/// price: “…”". Whoever spoke before goes on.
pub fn only_told_about(text: &str, items: &[Item], sentence: &Range<usize>, at: usize) -> bool {
    if at <= sentence.start + 1 || !items[at - 1].sign(':') {
        return false;
    }
    let items = &items[sentence.start..at - 1];
    let verb = Class::AUX | Class::MODAL | Class::VERB | Class::FINITE;
    let joint = items
        .first()
        .is_some_and(|item| item.class.is(Class::COORDINATOR));
    let items = &items[usize::from(joint)..];
    let begins = |words: &[&str]| {
        items.len() > words.len()
            && (words.iter().zip(items)).all(|(word, item)| item.is_word(text, word))
    };
    let openings: [&[&str]; 6] = [
        &["on"],
        &["of"],
        &["about"],
        &["regarding"],
        &["as", "for"],
        &["as", "to"],
    ];
    openings.iter().any(|words| begins(words))
        && !items
            .iter()
            .any(|item| item.class.is(verb) || item.past || item.passage.is_some())
}

/// What a live report's sentence says after the time that it begins with: "20:02 VEY: …", "8.20pm — …".
fn after_clock(text: &str, items: &[Item], sentence: &Range<usize>) -> Range<usize> {
    let clock = |at: &usize| {
        let item = items[*at];
        let half = ["am", "pm", "a.m.", "p.m."];
        item.first.is_ascii_digit()
            || item.sign(':')
            || item.dash()
            || half.iter().any(|half| item.is_word(text, half))
    };
    let begins = items[sentence.start].first.is_ascii_digit();
    let words = sentence.clone().take_while(clock).filter(|_| begins);
    sentence.start + words.count()..sentence.end
}

/// Whose words a colon introduces, where no cue tells it.
pub fn introducer(
    text: &str,
    items: &[Item],
    sentence: &Range<usize>,
    colon: usize,
) -> Option<(Mention, Rule)> {
    let named = |range: &Range<usize>| {
        !range.is_empty()
            && range.len() <= 7
            && items[range.clone()]
                .iter()
                .all(|item| item.name() || item.capital)
    };
    // "VEY: …"; "A close race - Ada Vey: …"
    let dash = (sentence.start..colon)
        .rev()
        .find(|&at| items[at].dash())
        .filter(|&dash| dash + 2 < colon);
    for from in [Some(sentence.start), dash.map(|dash| dash + 1)] {
        let label = from.map(|from| from..colon).filter(named);
        if let Some(label) = label {
            return Some((label, Rule::Label));
        }
    }
    // "Transcript as follows:"
    let follows = (sentence.start..colon)
        .rev()
        .take(2)
        .find(|&at| items[at].is_word(text, "follows") || items[at].is_word(text, "below"));
    if let Some(follows) = follows {
        let end = follows - usize::from(follows > 0 && items[follows - 1].is_word(text, "as"));
        let document = (sentence.start..end).next_back();
        if document.is_some_and(|at| items[at].class.is(Class::DOCUMENT))
            && end - sentence.start < 4
        {
            return Some((sentence.start..end, Rule::Colon));
        }
    }
    if let Some(name) = verbless(text, items, sentence.start..colon) {
        return Some((name, Rule::Colon));
    }
    // "From the report: …", "More from Ada Vey: …", "According to the Herald: …"
    let source = (sentence.start..colon.min(sentence.start + 3))
        .find(|&at| items[at].is_word(text, "from") || items[at].is_word(text, "to"))
        .map(|at| at + 1..colon)
        .map(|source| verbless(text, items, source.clone()).unwrap_or(source))
        .filter(|source| !source.is_empty() && items[source.clone()].iter().all(|item| item.word));
    if let Some(source) = source {
        return Some((source, Rule::Colon));
    }
    // "Ada Vey's reply: …"
    let owned = (sentence.start..colon).take(3).find(|&at| {
        let word = items[at].span.of(text);
        items[at].name() && (word.ends_with("'s") || word.ends_with("’s"))
    });
    if let Some(owner) = owned
        && items[sentence.start..=owner].iter().all(Item::name)
        && items[owner + 1..colon]
            .iter()
            .all(|item| item.word && !item.class.is(Class::VERB | Class::AUX))
    {
        return Some((sentence.start..owner + 1, Rule::Colon));
    }
    let subject = first_subject(text, items, sentence, colon);
    // "It did not surprise the pollster Ada Vey: …"
    let names = items[sentence.start..colon]
        .iter()
        .rev()
        .take_while(|item| item.name())
        .count();
    let last = colon - names..colon;
    let speaks = |mention: &Mention| {
        items[mention.clone()].iter().any(|item| {
            item.name()
                || item
                    .class
                    .is(Class::STRONG_PRONOUN | PEOPLE | Class::DOCUMENT)
        })
    };
    // "Here it comes, though: …"
    let nobody = |mention: &Mention| mention.len() == 1 && items[mention.start].is_word(text, "it");
    let mention = match subject {
        Some(subject) if nobody(&subject) => return None,
        Some(subject) if names < 2 || speaks(&subject) => subject,
        _ if names >= 2 => last,
        _ => return None,
    };
    (!mention.is_empty()).then_some((mention, Rule::Colon))
}

/// "Otis Pell" of "Otis Pell of Tamarack Street, to the mayor", "Pell, on his way out".
fn verbless(text: &str, items: &[Item], range: Range<usize>) -> Option<Mention> {
    let verb = Class::AUX | Class::MODAL | Class::VERB | Class::FINITE | Class::PARTICIPLE;
    let names = items[range.clone()]
        .iter()
        .take_while(|item| item.name())
        .count();
    let rest = &items[range.start + names..range.end];
    let calm = rest.iter().all(|item| !item.class.is(verb) && !item.past);
    // A single word may be no name: "Lessons of the strike".
    let own = |item: &Item| item.is_word(text, "his") || item.is_word(text, "her");
    let person = names > 1 || names > 0 && rest.iter().any(own);
    let next = rest.iter().find(|item| !item.sign(','))?;
    let about = next.class.is(Class::PREPOSITION) && !next.is_word(text, "for");
    // "Ada Vey, ward councillor"
    let described = names > 1 && rest[0].sign(',');
    (person && calm && (about || described)).then(|| range.start..range.start + names)
}

const PEOPLE: Class = Class(Class::ROLE.0 | Class::GROUP.0 | Class::ORGANISATION.0);

/// The subject of the sentence's first finite verb, or the name that the sentence begins with where
/// its verb is not known.
pub fn first_subject(
    text: &str,
    items: &[Item],
    sentence: &Range<usize>,
    end: usize,
) -> Option<Mention> {
    subject_of_verb(text, items, sentence, end).or_else(|| opening_name(items, sentence, end))
}

/// The subject of the sentence's first finite verb, or the name that the sentence begins with where
/// an aside follows it.
pub(super) fn subject_or_topic(
    text: &str,
    items: &[Item],
    sentence: &Range<usize>,
    end: usize,
) -> Option<Mention> {
    subject_of_verb(text, items, sentence, end)
        .or_else(|| opening_name(items, sentence, end).filter(|name| items[name.end].sign(',')))
}

fn subject_of_verb(
    text: &str,
    items: &[Item],
    sentence: &Range<usize>,
    end: usize,
) -> Option<Mention> {
    for at in sentence.start + 1..end.min(sentence.end).min(sentence.start + 40) {
        let item = items[at];
        let finite = item.class.is(Class::AUX
            | Class::MODAL
            | Class::VERB
            | Class::FINITE
            | Class::NEGATION)
            || item.past;
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

/// "Ada Vey" of "But Ada Vey fired back".
fn opening_name(items: &[Item], sentence: &Range<usize>, end: usize) -> Option<Mention> {
    let end = end.min(sentence.end);
    let skipped = Class::COORDINATOR | Class::ADVERB;
    let start = (sentence.start..end)
        .find(|&at| !items[at].class.is(skipped))
        .filter(|&start| start < sentence.start + 2)?;
    let names = items[start..end]
        .iter()
        .take_while(|item| item.name())
        .count();
    let next = items.get(start + names).filter(|_| start + names < end)?;
    let verb = next.word && next.first.is_lowercase() && !next.class.is(Class::PREPOSITION);
    (names > 0 && (verb || next.sign(','))).then(|| start..start + names)
}
