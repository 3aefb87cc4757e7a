//! A [`Mention`] is the words that name a speaker beside a cue: a name, a pronoun, a description.

use std::ops::Range;

use super::frame::Item;
use super::names::owner_in;
use crate::lexicon::Class;

/// The items of one mention.
pub type Mention = Range<usize>;

/// The mention that ends just before the item `end`, not reaching before `floor`, and where the
/// whole phrase with its appositions begins.
pub fn before(text: &str, items: &[Item], floor: usize, end: usize) -> Option<(Mention, usize)> {
    if end <= floor {
        return None;
    }
    let last = items[end - 1];
    if last.sign(',') || last.sign(')') || last.dash() {
        return over_apposition(text, items, floor, end - 1);
    }
    if !last.word {
        return None;
    }
    // "One of those who opened it said"
    if last.is_word(text, "it") && end > floor + 1 && items[end - 2].past {
        return None;
    }
    if last.class.is(Class::STRONG_PRONOUN)
        || (last.class.is(Class::SUBORDINATOR) && is_relative(last.span.of(text)))
    {
        return Some((end - 1..end, end - 1));
    }
    if last.class.is(Class::PREPOSITION
        | Class::SUBORDINATOR
        | Class::COORDINATOR
        | Class::MODAL
        | Class::OBJECT_PRONOUN)
    {
        return None;
    }
    // Back to the nearest item that no noun phrase holds.
    let mut start = end;
    let oldest = floor.max(end.saturating_sub(30));
    while start > oldest {
        let item = items[start - 1];
        let stops = !item.word && !item.sign('’') && !item.sign('\'') && !item.sign('&')
            || item.class.is(Class::SUBORDINATOR) && !item.class.is(Class::PREPOSITION)
            || item
                .class
                .is(Class::AUX | Class::MODAL | Class::VERB | Class::NEGATION)
            || item.class.is(Class::STRONG_PRONOUN)
            || item.class.is(Class::FINITE)
                && !item.class.is(Class::NOUN_TOO)
                && !item.capital
                && item.class.is_reporting();
        if stops {
            break;
        }
        if item.class.is(Class::COORDINATOR) && !coordinates(items, oldest, start - 1, end) {
            break;
        }
        start -= 1;
    }
    while start < end
        && (items[start].class.is(Class::COORDINATOR)
            || items[start].class == Class::ADVERB
            || !items[start].word)
    {
        start += 1;
    }
    if start == end {
        return None;
    }
    let whole = start;
    if let Some(after) = after_a_time(text, items, start, end) {
        start = after;
    }
    let first = items[start];
    // An adverbial without its comma: "In Davos on Friday Ms. Vey said".
    if (first.class.is(Class::PREPOSITION) && !first.is_word(text, "like"))
        || first.class.is(Class::TIME | Class::SUBORDINATOR)
    {
        start = last_phrase(items, start, end)?;
    }
    let narrowed = listed(items, floor, name_in(items, start, end));
    let mention = match plausible(text, items, &narrowed) {
        true => Some(narrowed),
        false => before_participle(items, start, end),
    };
    mention.map(|mention| (mention, whole))
}

/// "An audit" of "An audit released in March".
fn before_participle(items: &[Item], start: usize, end: usize) -> Option<Mention> {
    let noun = Class::DOCUMENT | Class::ROLE | Class::GROUP | Class::ORGANISATION;
    let participle = (start + 1..end).find(|&at| {
        (items[at].past || items[at].class.is(Class::PARTICIPLE)) && items[at - 1].class.is(noun)
    })?;
    let after = items.get(participle + 1).filter(|_| participle + 1 < end)?;
    let begins = items[start].class.is(Class::DETERMINER | Class::POSSESSIVE);
    (begins && after.class.is(Class::PREPOSITION | Class::TIME)).then_some(start..participle)
}

/// What follows "hours after" or "two days before": a report that came then speaks, not the hours.
fn after_a_time(text: &str, items: &[Item], start: usize, end: usize) -> Option<usize> {
    const TIMES: &[&str] = &[
        "minutes", "hours", "days", "weeks", "months", "years", "moments", "hour", "day", "week",
        "month", "year",
    ];
    let joint = (start + 1..end.min(start + 4))
        .find(|&at| items[at].is_word(text, "after") || items[at].is_word(text, "before"))?;
    let time = TIMES
        .iter()
        .any(|time| items[joint - 1].is_word(text, time));
    (time && joint + 1 < end).then_some(joint + 1)
}

/// "Ada Vey, Otis Pell and Lucille Abarca": with the names before the last two.
fn listed(items: &[Item], floor: usize, mention: Mention) -> Mention {
    let joint = items[mention.clone()]
        .iter()
        .any(|item| item.class.is(Class::COORDINATOR));
    let mut start = mention.start;
    while joint && start > floor + 1 && items[start].name() && items[start - 1].sign(',') {
        let names = items[floor..start - 1]
            .iter()
            .rev()
            .take_while(|item| item.name() || item.capital && item.class.is(Class::TITLE))
            .count();
        if names < 2 {
            break;
        }
        start -= names + 1;
    }
    start..mention.end
}

/// The name of which a description that follows a comma is an aside: "Ada Vey" of "Ada Vey,
/// president of Acme".
pub fn described(items: &[Item], floor: usize, description: usize) -> Option<Mention> {
    let first = items.get(description)?;
    let aside = first
        .class
        .is(Class::ROLE | Class::TITLE | Class::DETERMINER | Class::SUBORDINATOR);
    if !aside || description < floor + 3 || !items[description - 1].sign(',') {
        return None;
    }
    let names = items[floor..description - 1]
        .iter()
        .rev()
        .take_while(|item| item.name() || item.capital && item.class.is(Class::TITLE))
        .count();
    let start = description - 1 - names;
    let begins = start == floor || !items[start - 1].word || items[start - 1].class.is_reporting();
    (names >= 2 && begins).then(|| start..description - 1)
}

/// The mention that begins at the item `start`, before `ceiling`.
pub fn after(text: &str, items: &[Item], start: usize, ceiling: usize) -> Option<Mention> {
    let first = items.get(start).filter(|_| start < ceiling)?;
    if !first.word
        || first.class.is(Class::PREPOSITION
            | Class::TIME
            | Class::SUBORDINATOR
            | Class::OBJECT_PRONOUN
            | Class::AUX
            | Class::MODAL)
            && !first.name()
    {
        return None;
    }
    if first.class.is(Class::STRONG_PRONOUN) {
        return Some(start..start + 1);
    }
    let mut end = start;
    while end < ceiling.min(start + 30) {
        let item = items[end];
        let possessive_sign = item.sign('’') || item.sign('\'') || item.sign('&');
        if !item.word && !possessive_sign
            || end > start
                && item.class.is(Class::SUBORDINATOR)
                && !item.class.is(Class::PREPOSITION)
            || item
                .class
                .is(Class::STRONG_PRONOUN | Class::AUX | Class::MODAL)
            || item.class == Class::ADVERB
            || item.class.is(Class::TIME) && !item.name()
            || end > start && item.class.is(Class::DETERMINER) && items[end - 1].name()
            || end > start && item.class.is(Class::PREPOSITION) && !item.is_word(text, "of")
        {
            break;
        }
        if item.class.is(Class::COORDINATOR)
            && !items
                .get(end + 1)
                .is_some_and(|next| next.capital || next.class.is(Class::POSSESSIVE))
        {
            break;
        }
        end += 1;
    }
    while end > start && !items[end - 1].word {
        end -= 1;
    }
    // "said the yard's convener, Dougie MacAskill.": the name is the aside.
    let described = is_office(text, &items[start..end]);
    if described && items.get(end).is_some_and(|item| item.sign(',')) {
        let last = (end + 1..ceiling.min(end + 6))
            .find(|&at| !items[at].name())
            .unwrap_or(ceiling);
        let closes = items
            .get(last)
            .filter(|_| last < ceiling)
            .is_none_or(|item| !item.word && item.passage.is_none());
        if last > end + 2 && closes {
            return Some(end + 1..last);
        }
    }
    let narrowed = name_in(items, start, end);
    (start < end && plausible(text, items, &narrowed)).then_some(narrowed)
}

/// True for "who" and "which", which name nobody.
pub(crate) fn is_relative(word: &str) -> bool {
    word.eq_ignore_ascii_case("who") || word.eq_ignore_ascii_case("which")
}

/// "NAME, an engineer at X, said": the phrase before the comma that opens the aside.
fn over_apposition(
    text: &str,
    items: &[Item],
    floor: usize,
    closing: usize,
) -> Option<(Mention, usize)> {
    if closing > floor && items[closing].sign(',') && items[closing - 1].sign(')') {
        return over_apposition(text, items, floor, closing - 1);
    }
    let close = items[closing];
    let opens = |item: &Item| match close.first {
        ')' => item.sign('('),
        ',' => item.sign(','),
        _ => item.dash(),
    };
    let mut best = None;
    for open in (floor..closing).rev().take(40) {
        let item = items[open];
        if item.passage.is_some() && close.first == ',' && open + 1 == closing {
            return None;
        }
        if !opens(&item) {
            continue;
        }
        let aside = items.get(open + 1)?;
        // "Its president, Mei-Lin Cartwright, said": the name is the aside.
        let named = name_in(items, open + 1, closing);
        let role_before = open > floor && is_office(text, &items[floor..open]);
        let noun_before =
            named.len() > 1 && is_described(items, phrase_start(items, floor, open), open);
        if best.is_none()
            && (role_before || noun_before)
            && named.start == open + 1
            && named.end == closing
            && items[open + 1].name()
        {
            return Some((named, phrase_start(items, floor, open)));
        }
        let Some(found) = before(text, items, floor, open) else {
            if item.passage.is_some() {
                break;
            }
            continue;
        };
        let descriptive = aside.class.is(Class::DETERMINER
            | Class::POSSESSIVE
            | Class::PREPOSITION
            | Class::SUBORDINATOR
            | Class::ROLE
            | Class::TITLE
            | Class::ADVERB
            | Class::TIME)
            || aside.first.is_numeric()
            || !aside.capital
            || close.first != ',';
        if descriptive {
            // "Ada Vey, president of Acme (a maker of gates),"
            let named = described(items, floor, found.0.start);
            best = Some(named.map_or(found, |name| {
                let whole = name.start;
                (name, whole)
            }));
            let head = best.as_ref().map(|(mention, _)| items[mention.end - 1]);
            if head.is_some_and(|head| {
                head.name()
                    || head.class.is(Class::STRONG_PRONOUN
                        | Class::ROLE
                        | Class::ORGANISATION
                        | Class::DOCUMENT)
            }) {
                break;
            }
        }
    }
    best
}

/// True of words that end in an office, "the yard's convener", "Acme's CEO", rather than in a title.
fn is_office(text: &str, words: &[Item]) -> bool {
    let Some((last, before)) = words.split_last() else {
        return false;
    };
    let beside = &before[before.len().saturating_sub(1)..];
    last.class.is(Class::ROLE) && (!last.capital || owner_in(beside, text).is_some())
}

/// True for "the union's regional organiser": a description without a name, before the name that
/// it belongs to.
fn is_described(items: &[Item], start: usize, end: usize) -> bool {
    end > start + 1
        && items[start].class.is(Class::DETERMINER | Class::POSSESSIVE)
        && items[start + 1..end].iter().all(|item| {
            let other = Class::PREPOSITION | Class::SUBORDINATOR | Class::AUX;
            !item.capital && !item.class.is(other)
        })
}

fn phrase_start(items: &[Item], floor: usize, end: usize) -> usize {
    (floor..end)
        .rev()
        .find(|&at| !items[at].word)
        .map_or(floor, |at| at + 1)
}

/// True where "and" joins two speakers rather than two clauses.
fn coordinates(items: &[Item], floor: usize, and: usize, end: usize) -> bool {
    let (Some(left), Some(right)) = (
        and.checked_sub(1)
            .filter(|at| *at >= floor)
            .map(|at| items[at]),
        items.get(and + 1),
    ) else {
        return false;
    };
    if left.sign(',') || !left.word {
        return false;
    }
    if left.capital && right.capital {
        return true;
    }
    let clause_before = items[floor..and]
        .iter()
        .rev()
        .take_while(|item| item.word)
        .any(|item| {
            item.class.is(Class::AUX | Class::MODAL | Class::VERB) || item.class.is(Class::FINITE)
        });
    !clause_before && end - and < 12
}

/// Where the last noun phrase of an adverbial and a subject begins.
fn last_phrase(items: &[Item], start: usize, end: usize) -> Option<usize> {
    let mut at = end;
    while at > start {
        let item = items[at - 1];
        let previous = (at - 1 > start).then(|| items[at - 2]);
        if item.class.is(Class::DETERMINER | Class::POSSESSIVE) {
            return previous
                .is_some_and(|item| !item.class.is(Class::PREPOSITION))
                .then_some(at - 1);
        }
        if item.class.is(Class::PREPOSITION | Class::TIME) {
            return (at < end && item.class.is(Class::TIME)).then_some(at);
        }
        at -= 1;
    }
    None
}

/// A name with its capitalised titles where the phrase ends in one; else the phrase.
fn name_in(items: &[Item], start: usize, end: usize) -> Mention {
    let mut first = end;
    while first > start
        && (items[first - 1].name()
            || (items[first - 1].capital && items[first - 1].class.is(Class::TITLE)))
    {
        first -= 1;
    }
    if first == end || first == start {
        return start..end;
    }
    let previous = items[first - 1];
    let lower = items[first..end]
        .iter()
        .all(|item| item.class.is(Class::ORGANISATION));
    if lower
        || !previous.word
        || previous.capital
        || previous
            .class
            .is(Class::PREPOSITION | Class::COORDINATOR | Class::DETERMINER | Class::POSSESSIVE)
    {
        return start..end;
    }
    // "The email from the chairman Otis Pell": the email speaks.
    let document = items[start..first]
        .windows(2)
        .any(|pair| pair[0].class.is(Class::DOCUMENT) && pair[1].class.is(Class::PREPOSITION));
    let narrows = previous.class.is(Class::ROLE | Class::TITLE) || end - first >= 2;
    match narrows && !document {
        true => first..end,
        false => start..end,
    }
}

fn plausible(text: &str, items: &[Item], mention: &Mention) -> bool {
    let words = &items[mention.clone()];
    let Some(last) = words.last() else {
        return false;
    };
    let known = words.iter().any(|item| {
        item.name()
            || item.class.is(Class::STRONG_PRONOUN
                | Class::PRONOUN
                | Class::ROLE
                | Class::ORGANISATION
                | Class::DOCUMENT
                | Class::GROUP
                | Class::DETERMINER
                | Class::POSSESSIVE)
    });
    let plural = last.span.of(text).ends_with('s');
    // "a" of "a vote"; "this" and "many" speak.
    let article = ["a", "an", "the"].iter().any(|one| last.is_word(text, one));
    last.word
        && !article
        && !last.class.is(Class::TIME | Class::OBJECT_PRONOUN)
        && (known || plural)
}
