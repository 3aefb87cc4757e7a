//! Proper names: where one begins and ends, and which of its words are titles.

use std::ops::Range;

use super::phrase::{NOUNS, Name};
use super::spelling::{folded, is_possessive, without_possessive};
use crate::attribution::frame::Item;
use crate::lexicon::{Class, class_of};

/// "Minister of State Ada Vey", "Superintendent of Police Ada Vey".
pub(super) fn officer_at(
    text: &str,
    items: &[Item],
    start: usize,
    range: &Range<usize>,
) -> Option<Name> {
    const OFFICES: [&str; 16] = [
        "Police",
        "Culture",
        "Works",
        "Finance",
        "Trade",
        "Information",
        "Planning",
        "Tourism",
        "Environment",
        "Water",
        "Mines",
        "Lands",
        "Housing",
        "Justice",
        "Transport",
        "Sport",
    ];
    let [title, of, office, rest @ ..] = items.get(start..range.end)? else {
        return None;
    };
    let holds = title.capital
        && title.class.is(Class::TITLE)
        && (of.is_word(text, "of") || of.is_word(text, "for"))
        && office.capital
        && (office.class.is(Class::OFFICE) || OFFICES.contains(&office.span.of(text)));
    let named = |item: &Item| {
        let unlisted = item.class == Class::default();
        item.name()
            && (unlisted
                || item
                    .class
                    .is(Class::MALE | Class::FEMALE | Class::ABBREVIATION))
    };
    let length = rest.iter().take_while(|item| named(item)).count();
    if !holds || !(2..=4).contains(&length) {
        return None;
    }
    let words = start + 3..start + 3 + length;
    Some(Name {
        titles: start..words.start,
        possessive: is_possessive(items[words.end - 1].span.of(text)),
        words,
        organisation: false,
        described: None,
    })
}

/// What can begin a name where it stands.
fn begins(items: &[Item], at: usize, opening: bool) -> bool {
    let item = items[at];
    if !item.word || !item.capital {
        return false;
    }
    let given = item.class.is(Class::MALE | Class::FEMALE);
    let followed = items
        .get(at + 1)
        .is_some_and(|next| next.word && next.capital && !next.class.is(Class::NOT_NAME));
    if item.class.is(Class::NOT_NAME | Class::TIME) {
        return given && followed && !item.class.is(Class::NOT_NAME);
    }
    if !item.first.is_alphabetic() && item.first != '@' {
        return false;
    }
    let function = item.class.is(Class::PREPOSITION
        | Class::SUBORDINATOR
        | Class::COORDINATOR
        | Class::AUX
        | Class::MODAL
        | Class::ADVERB
        | Class::PRONOUN
        | Class::DETERMINER
        | Class::POSSESSIVE
        | Class::VERB
        | Class::NEGATION)
        || item.class.is_reporting();
    !(opening && function) || given && (followed || !item.class.is(Class::MODAL | Class::ADVERB))
}

/// The name that begins at an item, with its titles; `is_surname` as for `phrases`.
pub(super) fn name_at(
    text: &str,
    items: &[Item],
    start: usize,
    range: &Range<usize>,
    heading: bool,
    is_surname: &dyn Fn(&str) -> bool,
) -> Option<Name> {
    let opening =
        start == range.start || heading || !items[start - 1].word && !items[start - 1].sign(',');
    if !begins(items, start, opening) {
        return None;
    }
    let mut end = start;
    while end < range.end && end < start + 9 {
        let item = items[end];
        let surface = item.span.of(text);
        let arabic = surface.starts_with("al-") || surface.starts_with("el-");
        let inner = end > start
            && (item.class.is(Class::PARTICLE) || arabic)
            && !item.capital
            && (arabic || capital_after_particles(items, end, range.end));
        let ampersand = item.sign('&') && items.get(end + 1).is_some_and(|next| next.capital);
        let word = item.word
            && item.capital
            && begins(items, end, heading && end > start)
            && !(end > start
                && item
                    .class
                    .is(Class::DETERMINER | Class::SUBORDINATOR | Class::AUX)
                && !item.class.is(Class::MALE | Class::FEMALE));
        if !(word || inner || ampersand) {
            break;
        }
        end += 1;
        if is_possessive(surface) && !owns_body(text, items, end, range.end) {
            break;
        }
    }
    while end > start && !items[end - 1].capital && !items[end - 1].span.of(text).contains('-') {
        end -= 1;
    }
    if end == start {
        return None;
    }
    if end > start + 2 && is_honour(items[end - 1].span.of(text)) {
        end -= 1;
    }
    let words = &items[start..end];
    let mut titles = if is_body(text, words) {
        0
    } else {
        title_length(words)
    };
    // A listed word at a sentence's start, a place or a party before a given name is no part of it.
    if titles == 0 {
        titles = before_given_name(text, words);
    }
    let mut first = start + titles;
    let organisation_word = |item: &Item| item.class.is(Class::ORGANISATION) && item.capital;
    let mut organisation = items[first..end].iter().any(organisation_word)
        || items[first..end].iter().any(|item| item.sign('&'))
        || end == first + 1 && is_acronym(text, &items[first]);
    if titles == 0
        && organisation
        && end - start == 1
        && opening
        && words[0].class.is(Class::GROUP | Class::ROLE)
    {
        return None;
    }
    // "Center for Fair Tariffs", "Department of Justice".
    if organisation {
        for _ in 0..2 {
            let joined = items
                .get(end)
                .filter(|_| end + 1 < range.end)
                .is_some_and(|item| {
                    (item.is_word(text, "of") || item.is_word(text, "for"))
                        && items[end + 1].capital
                        && items[end + 1].word
                        && !is_possessive(items[end - 1].span.of(text))
                        && items[end - 1].class.is(Class::ORGANISATION)
                });
            if !joined {
                break;
            }
            end += 2;
            while end < range.end
                && items[end].name()
                && end < start + 12
                && !is_possessive(items[end - 1].span.of(text))
            {
                end += 1;
            }
        }
    }
    // "Director of the …" and titles alone are descriptions.
    let last = items[end - 1];
    if end - first == 1
        && (last.class.is(Class::TITLE | Class::ROLE)
            && !last.class.is(Class::MALE | Class::FEMALE))
        && !organisation
    {
        return None;
    }
    if end - first == 1
        && last
            .class
            .is(Class::ORGANISATION | Class::DOCUMENT | Class::OFFICE)
        && opening
        && titles == 0
    {
        return None;
    }
    // A single unlisted word that opens a sentence is a name if somebody has it, or if a verb, a comma
    // or 's follows. What stands before "this" or "your" is a verb: "Stop this now."
    let determiner = Class::DETERMINER | Class::POSSESSIVE | Class::OBJECT_PRONOUN;
    let single = end - start == 1
        && opening
        && !organisation
        && last.class == Class::default()
        && !is_surname(last.span.of(text));
    if single
        && items
            .get(end)
            .filter(|_| end < range.end)
            .is_some_and(|next| {
                next.word
                    && !next.capital
                    && !next.past
                    && !is_possessive(last.span.of(text))
                    && !next.class.is(Class::AUX
                        | Class::MODAL
                        | Class::VERB
                        | Class::FINITE
                        | Class::ADVERB
                        | Class::COORDINATOR
                        | Class::SUBORDINATOR
                        | Class::PREPOSITION)
                    && (next.class.is(NOUNS | determiner) || !next.span.of(text).ends_with('s'))
            })
    {
        return None;
    }
    let follows = items.get(end).filter(|_| end < range.end);
    let opener = last.span.of(text);
    // "Sadly, …", "Approached at the opening, she …"
    if single
        && follows.is_some_and(|next| {
            opener.ends_with("ly") && next.sign(',')
                || opener.len() > 5 && opener.ends_with("ed") && next.class.is(Class::PREPOSITION)
        })
    {
        return None;
    }
    // "Martin Luther King, Jr.": the comma is the name's.
    if items.get(end).is_some_and(|item| item.sign(','))
        && end + 1 < range.end
        && is_suffix(items[end + 1].span.of(text))
        && !organisation
    {
        end += 2;
    }
    if titles > 0
        && items[first..end]
            .iter()
            .all(|item| item.class.is(Class::OFFICE))
    {
        first = start;
        organisation = false;
        if items[first..end]
            .iter()
            .all(|item| item.class.is(Class::OFFICE | Class::TITLE | Class::ROLE))
        {
            return None;
        }
    }
    Some(Name {
        titles: start..first,
        words: first..end,
        organisation,
        possessive: is_possessive(items[end - 1].span.of(text)),
        described: None,
    })
}

/// True where the word before `at` is a title whose body follows: "Attorney General’s Office".
fn owns_body(text: &str, items: &[Item], at: usize, end: usize) -> bool {
    let owner = folded(items[at - 1].span.of(text));
    at < end
        && class_of(&owner).is(Class::TITLE)
        && items[at].capital
        && items[at].class.is(Class::ORGANISATION)
}

/// True where the last word says that all of them name a body, so that none is somebody's title:
/// "Justice Department", "Senate Majority PAC". "Sen. Church" is a person.
fn is_body(text: &str, words: &[Item]) -> bool {
    let (Some(last), true) = (words.last(), words.len() > 1) else {
        return false;
    };
    let titled = (words.iter()).any(|word| {
        word.class.is(Class::MALE | Class::FEMALE)
            || word.class.is(Class::TITLE) && word.class.is(Class::ABBREVIATION)
    });
    !titled && (last.class.is(Class::ORGANISATION) || is_acronym(text, last))
}

fn capital_after_particles(items: &[Item], at: usize, end: usize) -> bool {
    let next = (at..end.min(at + 3))
        .find(|&index| !items[index].class.is(Class::PARTICLE) || items[index].capital);
    next.is_some_and(|index| items[index].word && items[index].capital)
}

/// "Jr.", "Sr.", "III".
pub(crate) fn is_suffix(word: &str) -> bool {
    matches!(
        without_possessive(word).trim_end_matches('.'),
        "Jr" | "Sr" | "II" | "III" | "IV"
    )
}

/// What stands behind a name: "Noreen Tuohy SC".
pub(crate) fn is_honour(word: &str) -> bool {
    matches!(
        without_possessive(word),
        "SC" | "KC"
            | "QC"
            | "MP"
            | "MSP"
            | "MEP"
            | "TD"
            | "MBE"
            | "OBE"
            | "CBE"
            | "PhD"
            | "MD"
            | "RN"
            | "JP"
    )
}

/// "DNC", "N.F.L.": two capitals or more and nothing else.
pub(crate) fn is_acronym(text: &str, item: &Item) -> bool {
    let word = without_possessive(item.span.of(text));
    let capitals = word.chars().filter(|c| c.is_uppercase()).count();
    capitals >= 2
        && word.len() <= 12
        && word
            .chars()
            .all(|c| c.is_uppercase() || c == '.' || c == '&' || c.is_ascii_digit())
}

/// How many of a name's words are titles: of "Police Chief Ramon Ostrander" two, of "Chief
/// Ostrander" one. A word before a title belongs to it where a full name follows.
pub(crate) fn title_length(words: &[Item]) -> usize {
    let title = |word: &Item| {
        word.class.is(Class::TITLE | Class::ROLE) && !word.class.is(Class::MALE | Class::FEMALE)
            || word.class.is(Class::TITLE)
    };
    let mut length = 0;
    while length + 1 < words.len()
        && (title(&words[length]) || words[length].class.is(Class::OFFICE))
    {
        length += 1;
    }
    // "Dean Smith" and "Judge Smith": a title that is a given name too stays where one word follows.
    if length == 1
        && words.len() == 3
        && words[0].class.is(Class::MALE | Class::FEMALE)
        && !words[0].class.is(Class::ABBREVIATION)
        && words[1].class.is(Class::ABBREVIATION)
    {
        length = 0;
    }
    let before_full_name = words.len().saturating_sub(2);
    let inner = words[..before_full_name].iter().rposition(title);
    length = inner.map_or(length, |last| length.max(last + 1));
    // "Vermont Sen. Sanders".
    let abbreviated = words[..words.len() - 1]
        .iter()
        .rposition(|word| word.class.is(Class::TITLE) && word.class.is(Class::ABBREVIATION));
    abbreviated.map_or(length, |last| length.max(last + 1))
}

/// How many words stand before the given name that the name begins with: "Republican Donald Trump",
/// "MSNBC’s", a listed word that opens the sentence.
fn before_given_name(text: &str, words: &[Item]) -> usize {
    let given = words
        .iter()
        .position(|word| word.class.is(Class::MALE | Class::FEMALE));
    let Some(given) = given.filter(|&at| at > 0 && at + 1 < words.len()) else {
        return 0;
    };
    let listed = |word: &Item| {
        word.class != Class::default()
            && !word
                .class
                .is(Class::MALE | Class::FEMALE | Class::ABBREVIATION | Class::PARTICLE)
    };
    let before = &words[..given];
    let demonym = |word: &Item| {
        let surface = word.span.of(text);
        ["ish", "ese", "ican", "ian", "can"]
            .iter()
            .any(|end| surface.len() > 5 && surface.ends_with(end))
    };
    let foreign = before
        .iter()
        .all(|word| listed(word) || is_acronym(text, word) || demonym(word));
    let long = given >= 2
        && words.len() >= 4
        && !before
            .iter()
            .any(|word| word.class.is(Class::ABBREVIATION | Class::PARTICLE));
    if foreign || long { given } else { 0 }
}
