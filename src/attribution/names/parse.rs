//! The phrases of a sentence, found from left to right.

use super::entity::Gender;
use super::phrase::{Description, NOUNS, Name, Phrase};
use super::proper::{name_at, officer_at};
use super::sentence::Sentence;
use super::spelling::is_possessive;
use crate::attribution::frame::Item;
use crate::lexicon::Class;

/// The phrases of a sentence, in order. `is_surname` tells of a word that opens it whether somebody has been
/// named by it.
pub(super) fn phrases(sentence: &Sentence, is_surname: &dyn Fn(&str) -> bool) -> Vec<Phrase> {
    let Sentence { text, items, .. } = *sentence;
    let mut found: Vec<Phrase> = Vec::new();
    let mut at = sentence.start;
    while at < sentence.end {
        let item = items[at];
        if !item.word {
            at += 1;
            continue;
        }
        let pronoun = Class::STRONG_PRONOUN | Class::OBJECT_PRONOUN | Class::POSSESSIVE;
        let word = item.span.of(text);
        let bare = !item.name() && item.class.is(pronoun);
        if (bare || contracted(word).is_some()) && gender_of_pronoun(word).is_some() {
            found.push(Phrase::Pronoun(at));
            if !item.class.is(Class::POSSESSIVE) {
                at += 1;
                continue;
            }
        }
        let name = officer_at(sentence, at).or_else(|| name_at(sentence, at, is_surname));
        if let Some(name) = name {
            at = name.words.end;
            let aside = matches!(found.as_slice(), [.., Phrase::Name(known), Phrase::Description(description)]
                if known.words.end + 1 == description.words.start && items[known.words.end].sign(','));
            let leads = |description: &Description| leads(items, description, &name, aside);
            let back = match found.as_slice() {
                [.., Phrase::Description(description)] if leads(description) => Some(1),
                // "The barber of Quay Street, Ada Vey,"
                [.., Phrase::Description(description), Phrase::Name(_)] if leads(description) => {
                    Some(2)
                }
                _ => None,
            };
            let described = match back.map(|back| found.remove(found.len() - back)) {
                Some(Phrase::Description(description)) => Some(description),
                _ => None,
            };
            found.push(Phrase::Name(Name { described, ..name }));
            continue;
        }
        if let Some(description) = description_at(sentence, at) {
            at = description.words.end;
            found.push(Phrase::Description(description));
            continue;
        }
        at += 1;
    }
    found
}

/// Whom he and she in every case, drawn to a verb or not, mean; `None` for other words. These are the pronouns whose antecedents
/// are kept track of.
pub(super) fn gender_of_pronoun(word: &str) -> Option<Gender> {
    match contracted(word).unwrap_or(word).to_lowercase().as_str() {
        "he" | "him" | "his" => Some(Gender::Male),
        "she" | "her" | "hers" => Some(Gender::Female),
        _ => None,
    }
}

/// The pronoun of "he'd", "she’s".
pub(crate) fn contracted(word: &str) -> Option<&str> {
    let (pronoun, verb) = word.split_once(['\'', '’'])?;
    let personal = matches!(pronoun, "he" | "He" | "she" | "She");
    (personal && matches!(verb, "s" | "d" | "ll")).then_some(pronoun)
}

/// "his wife, Melania", "head of sourcing, Dev Chatterjee", "commissioner for culture, Mrs Ada Vey": the description's
/// noun, perhaps what it is of or for, at most a comma, the name. What is said aside of another name,
/// "Bly, head of the firm, Vey Ltd,", leads to none. Where it is of or for what has a capital, commas enclose the name:
/// "The barber of Quay Street, Ada Vey,".
fn leads(items: &[Item], description: &Description, name: &Name, aside: bool) -> bool {
    const WORDS: usize = 4;
    match &items[description.words.end..name.start().max(description.words.end)] {
        [] => true,
        [comma] => comma.sign(','),
        [of, words @ .., comma] if !aside => {
            let enclosed = description.definite
                && name.words.len() > 1
                && (items.get(name.words.end)).is_some_and(|next| next.sign(','));
            let fits = |item: &Item| item.word && (enclosed || !item.capital);
            of.class.is(Class::PREPOSITION)
                && of.span.len() <= 3
                && (1..WORDS).contains(&words.len())
                && words.iter().all(fits)
                && comma.sign(',')
        }
        _ => false,
    }
}

/// "61-year-old", which stands for a person of that age.
pub(crate) fn is_age(word: &str) -> bool {
    let years = word.strip_suffix("-year-old");
    years.is_some_and(|years| !years.is_empty() && years.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether no noun follows: a verb does, or nothing.
fn ends_phrase(sentence: &Sentence, at: usize) -> bool {
    let verb = Class::AUX | Class::MODAL | Class::FINITE;
    let next = sentence.get(at);
    next.is_none_or(|next| !next.word || next.past || next.class.is(verb))
}

fn description_at(sentence: &Sentence, start: usize) -> Option<Description> {
    let Sentence { text, items, .. } = *sentence;
    let first = items[start];
    let owns = |item: &Item| is_possessive(item.span.of(text));
    let possessor = sentence.before(start).is_some_and(owns);
    let determined = first.class.is(Class::DETERMINER | Class::POSSESSIVE);
    if !determined && !possessor && !first.class.is(Class::GROUP | Class::ROLE) {
        return None;
    }
    if !determined && !possessor && first.capital && start != sentence.start {
        return None;
    }
    let mut head = None;
    let limit = sentence.end.min(start + 8);
    let mut at = start + usize::from(determined);
    while at < limit {
        let item = items[at];
        let stops = !item.word && !item.sign('’') && !item.sign('\'')
            || item
                .class
                .is(Class::STRONG_PRONOUN | Class::AUX | Class::MODAL | Class::COORDINATOR)
            || item.class.is(Class::SUBORDINATOR)
            || item.class.is(Class::PREPOSITION) && !item.class.is(Class::ROLE | Class::ADVERB)
            || item.class.is(Class::POSSESSIVE)
            || item.class.is(Class::VERB) && !item.class.is(NOUNS)
            || item.class.is(Class::FINITE)
                && item.class.is_reporting()
                && !item.class.is(Class::NOUN_TOO | NOUNS)
            || item.past && head.is_some();
        if stops {
            break;
        }
        if item.name() && !item.class.is(NOUNS | Class::TITLE) && head.is_some() {
            break;
        }
        if item.class.is(NOUNS)
            || item.class.is(Class::TITLE) && item.capital
            || is_age(item.span.of(text)) && ends_phrase(sentence, at + 1)
        {
            head = Some(at);
        } else if head.is_some() && item.class == Class::default() && !item.first.is_uppercase() {
            // "the police report": the noun is not known, so the description is of something else.
            if item.span.of(text).ends_with("ly") {
                break;
            }
            head = None;
        }
        at += 1;
        if owns(&item) {
            // "the association's president": what follows is the noun.
            head = None;
        }
    }
    let head = head?;
    // "shook his head"
    let of = sentence.get(head + 1);
    if first.class.is(Class::POSSESSIVE)
        && head == start + 1
        && items[head].is_word(text, "head")
        && !of.is_some_and(|of| of.is_word(text, "of") || of.sign(','))
    {
        return None;
    }
    // "the Harlow Falls Patrol Association", "the Center for Fair Tariffs": a name with its article.
    let noun = items[head];
    if noun.capital && noun.class.is(Class::ORGANISATION) {
        let inner = items[start + usize::from(determined)..head]
            .iter()
            .any(|item| item.word && item.capital && !item.class.is(Class::NOT_NAME));
        let joined = items
            .get(head + 1)
            .is_some_and(|item| item.is_word(text, "for") || item.is_word(text, "of"))
            && items.get(head + 2).is_some_and(|item| item.capital);
        if inner || joined {
            return None;
        }
    }
    Some(Description {
        words: start..head + 1,
        head,
        definite: possessor
            || first.class.is(Class::POSSESSIVE)
            || first.is_word(text, "the")
            || first.is_word(text, "that")
            || first.is_word(text, "this"),
    })
}

#[cfg(test)]
mod tests {
    use super::contracted;

    #[test]
    fn he_with_a_verb_drawn_to_it() {
        assert_eq!(contracted("He’s"), Some("He"));
        assert_eq!(contracted("she'd"), Some("she"));
        for other in ["hers", "he", "she're", "it's", "Shed's", "who's"] {
            assert_eq!(contracted(other), None, "{other}");
        }
    }
}
