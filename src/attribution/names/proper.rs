//! Proper names: where one begins and ends, and which of its words are titles.

use super::phrase::{NOUNS, Name};
use super::sentence::Sentence;
use super::spelling::{folded, is_possessive, without_possessive};
use crate::attribution::frame::Item;
use crate::lexicon::{Class, class_of};

/// "Minister of State Ada Vey", "Superintendent of Police Ada Vey", "Member of Parliament Ada Vey".
pub(super) fn officer_at(sentence: &Sentence, start: usize) -> Option<Name> {
    const OFFICES: [&str; 18] = [
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
        "Parliament",
        "Congress",
    ];
    let Sentence { text, items, .. } = *sentence;
    let [title, of, office, rest @ ..] = items.get(start..sentence.end)? else {
        return None;
    };
    let holds = title.capital
        && title.class.is(Class::TITLE | Class::ROLE)
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
    sentence: &Sentence,
    start: usize,
    is_surname: &dyn Fn(&str) -> bool,
) -> Option<Name> {
    let Sentence { text, items, .. } = *sentence;
    let opening = sentence.heading
        || (sentence.before(start)).is_none_or(|before| !before.word && !before.sign(','));
    if !begins(items, start, opening) {
        return None;
    }
    let mut end = capitals_end(sentence, start)?;
    let words = &items[start..end];
    let titles = titles_before(text, words);
    let mut first = start + titles;
    let named = &items[first..end];
    let mut organisation = named
        .iter()
        .any(|item| item.class.is(Class::ORGANISATION) && item.capital || item.sign('&'))
        || named.len() == 1 && is_acronym(text, &named[0]);
    let common = Class::GROUP | Class::ROLE;
    if titles == 0 && organisation && words.len() == 1 && opening && words[0].class.is(common) {
        return None;
    }
    if organisation {
        end = body_end(sentence, start, end);
    }
    if end - first == 1 {
        let word = items[first];
        let given = word.class.is(Class::MALE | Class::FEMALE);
        let title = word.class.is(Class::TITLE | Class::ROLE) && !given;
        let thing = word
            .class
            .is(Class::ORGANISATION | Class::DOCUMENT | Class::OFFICE);
        if title && !organisation || thing && opening && titles == 0 {
            return None;
        }
    }
    let single = end - start == 1
        && opening
        && !organisation
        && items[start].class == Class::default()
        && !is_surname(sentence.word(start));
    if single && only_opens(sentence, start) {
        return None;
    }
    // "Martin Luther King, Jr.": the comma is the name's.
    if items.get(end).is_some_and(|item| item.sign(','))
        && end + 1 < sentence.end
        && is_suffix(sentence.word(end + 1))
        && !organisation
    {
        end += 2;
    }
    let all = |from: usize, class: Class| items[from..end].iter().all(|item| item.class.is(class));
    if titles > 0 && all(first, Class::OFFICE) {
        first = start;
        organisation = false;
        if all(start, Class::OFFICE | Class::TITLE | Class::ROLE) {
            return None;
        }
    }
    Some(Name {
        titles: start..first,
        words: first..end,
        organisation,
        possessive: is_possessive(sentence.word(end - 1)),
        described: None,
    })
}

/// Where the words with capitals end that begin at an item, particles and "&" among them.
fn capitals_end(sentence: &Sentence, start: usize) -> Option<usize> {
    const LONGEST: usize = 9;
    let Sentence { text, items, .. } = *sentence;
    let mut end = start;
    while end < sentence.end && end < start + LONGEST {
        let item = items[end];
        let surface = item.span.of(text);
        let arabic = surface.starts_with("al-") || surface.starts_with("el-");
        let inner = end > start
            && (item.class.is(Class::PARTICLE) || arabic)
            && !item.capital
            && (arabic || capital_after_particles(items, end, sentence.end));
        let ampersand = item.sign('&') && items.get(end + 1).is_some_and(|next| next.capital);
        let word = item.word
            && item.capital
            && begins(items, end, sentence.heading && end > start)
            && !(end > start
                && item
                    .class
                    .is(Class::DETERMINER | Class::SUBORDINATOR | Class::AUX)
                && !item.class.is(Class::MALE | Class::FEMALE));
        if !(word || inner || ampersand) {
            break;
        }
        end += 1;
        if is_possessive(surface) && !owns_body(text, items, end, sentence.end) {
            break;
        }
    }
    while end > start && !items[end - 1].capital && !sentence.word(end - 1).contains('-') {
        end -= 1;
    }
    if end > start + 2 && is_honour(sentence.word(end - 1)) {
        end -= 1;
    }
    (end > start).then_some(end)
}

/// How many of the words are titles, or a listed word at a sentence's start, a place or a party before a given
/// name: no parts of it.
fn titles_before(text: &str, words: &[Item]) -> usize {
    let titles = match is_body(text, words) {
        true => 0,
        false => title_length(words),
    };
    match titles {
        0 => before_given_name(text, words),
        titles => titles,
    }
}

/// Where a body's name ends whose first words end at `end`: "Center for Fair Tariffs", "Department of Justice".
fn body_end(sentence: &Sentence, start: usize, mut end: usize) -> usize {
    const LONGEST: usize = 12;
    let Sentence { text, items, .. } = *sentence;
    for _ in 0..2 {
        let joins = |item: &Item| item.is_word(text, "of") || item.is_word(text, "for");
        let joined = sentence.get(end).is_some_and(joins)
            && (sentence.get(end + 1)).is_some_and(|next| next.capital && next.word)
            && !is_possessive(sentence.word(end - 1))
            && items[end - 1].class.is(Class::ORGANISATION);
        if !joined {
            break;
        }
        end += 2;
        while end < start + LONGEST
            && sentence.get(end).is_some_and(Item::name)
            && !is_possessive(sentence.word(end - 1))
        {
            end += 1;
        }
    }
    end
}

/// Whether an unlisted word that opens a sentence is no name by what follows: a noun, "this" or "your" after a
/// verb ("Stop this now."), a comma after an adverb. A verb, a comma or 's follows a name.
fn only_opens(sentence: &Sentence, at: usize) -> bool {
    let word = sentence.word(at);
    let Some(next) = sentence.get(at + 1) else {
        return false;
    };
    let determiner = Class::DETERMINER | Class::POSSESSIVE | Class::OBJECT_PRONOUN;
    let no_noun = Class::AUX
        | Class::MODAL
        | Class::VERB
        | Class::FINITE
        | Class::ADVERB
        | Class::COORDINATOR
        | Class::SUBORDINATOR
        | Class::PREPOSITION;
    let before_noun = next.word
        && !next.capital
        && !next.past
        && !is_possessive(word)
        && !next.class.is(no_noun)
        && (next.class.is(NOUNS | determiner) || !next.span.of(sentence.text).ends_with('s'));
    // "Sadly, …", "Approached at the opening, she …"
    let adverb = word.ends_with("ly") && next.sign(',');
    let participle = word.len() > 5 && word.ends_with("ed") && next.class.is(Class::PREPOSITION);
    before_noun || adverb || participle
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

/// Whether an unlisted word with a capital says by its form where somebody is from or what they do: "Albanian",
/// "Grazier", "Third-year".
fn is_descriptive(word: &str) -> bool {
    const ENDINGS: [&str; 8] = ["ish", "ese", "ican", "ian", "can", "er", "or", "ist"];
    let joined = word
        .split('-')
        .skip(1)
        .any(|part| part.starts_with(char::is_lowercase));
    joined || word.len() > 5 && ENDINGS.iter().any(|end| word.ends_with(end))
}

/// How many words stand before the given name that the name begins with: "Republican Donald Trump",
/// "MSNBC’s", "Grazier Ada Vey", a listed word that opens the sentence.
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
    let foreign = before
        .iter()
        .all(|word| listed(word) || is_acronym(text, word) || is_descriptive(word.span.of(text)));
    let long = given >= 2
        && words.len() >= 4
        && !before
            .iter()
            .any(|word| word.class.is(Class::ABBREVIATION | Class::PARTICLE));
    if foreign || long { given } else { 0 }
}
