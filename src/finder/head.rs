//! Of a source as the tagger marks it, "Ada Vey, a lawyer from Ghent, who", the words that say who it is.

use crate::attribution::frame::Item;
use crate::attribution::names::{is_possessive, name_after_note};
use crate::lexicon::Class;

/// "Ada Vey" of "Ada Vey, a lawyer from Ghent, who" and of "its president, Ada Vey".
pub(super) fn head<'i>(text: &str, items: &'i [Item]) -> &'i [Item] {
    let ends = |item: &Item| {
        item.sign(',')
            || item.sign('(')
            || item.sign('[')
            || item.dash()
            || item.is_word(text, "who")
            || item.is_word(text, "which")
    };
    let Some(end) = items.iter().position(ends).filter(|&end| end > 0) else {
        return items;
    };
    // "Maj. Gen. (retd.) Ada Vey"
    if let Some(name) = name_after_note(items, end) {
        return &items[name];
    }
    let (before, after) = (&items[..end], &items[end + 1..]);
    if is_joint(text, before, after) {
        return &items[..end + 1 + leading_name(after).0.len()];
    }
    if are_listed(text, before, after) {
        return head(text, after);
    }
    apposed(text, before, after).unwrap_or(before)
}

fn named(items: &[Item]) -> bool {
    items.iter().any(Item::name)
}

fn and(text: &str, items: &[Item]) -> Option<usize> {
    items.iter().position(|item| item.is_word(text, "and"))
}

/// The name that items begin with, and what follows it.
fn leading_name(items: &[Item]) -> (&[Item], &[Item]) {
    let end = items.iter().position(|item| !item.name() && !item.capital);
    items.split_at(end.unwrap_or(items.len()))
}

/// "Otis Pell and his daughter, Renee Pell-Hardy"
fn is_joint(text: &str, before: &[Item], after: &[Item]) -> bool {
    let possessive = |item: &Item| item.class.is(Class::POSSESSIVE);
    and(text, before)
        .is_some_and(|and| named(&before[..and]) && before.get(and + 1).is_some_and(possessive))
        && named(leading_name(after).0)
}

/// "two residents, Otis Pell and Renee Pell-Hardy"
fn are_listed(text: &str, before: &[Item], after: &[Item]) -> bool {
    let role = before[before.len() - 1];
    let several = role.class.is(Class::ROLE | Class::GROUP) && role.span.of(text).ends_with('s');
    let other = Class::PREPOSITION | Class::SUBORDINATOR;
    let listed = |first: &Item| !first.class.is(other) && !first.is_word(text, "including");
    several
        && !named(before)
        && after.first().is_some_and(listed)
        && and(text, after).is_some_and(|and| named(&after[..and]) && named(&after[and..]))
}

/// The name after the description that stands before the comma: "its president, Ada Vey", "its author, the
/// botanist Ada Vey", "Acme's regional organiser, Babs Field", "The Auditor-General, Ada Vey", "President of the
/// Port Association, Chief Ada Vey".
fn apposed<'i>(text: &str, before: &[Item], after: &'i [Item]) -> Option<&'i [Item]> {
    let (first, role) = (before[0], before[before.len() - 1]);
    let owned = first.class.is(Class::POSSESSIVE) && !named(&before[1..]);
    let article = |item: &Item| item.class.is(Class::DETERMINER) && !item.capital;
    let common = |item: &&Item| item.word && !item.capital && !item.class.is(Class::PREPOSITION);
    let after = match after.iter().take_while(common).count() {
        words @ 2..=4 if owned && after.first().is_some_and(article) => &after[words..],
        // "the Rev Ada Vey"
        1 if article(&after[0]) && after.len() > 2 && after[1].class.is(Class::TITLE) => {
            &after[1..]
        }
        _ => after,
    };
    let (name, rest) = leading_name(after);
    // A full name says who it is, whatever the noun.
    let full = name.len() > 1 && rest.first().is_none_or(|next| !next.word);
    let possessor = (before.iter()).rposition(|item| is_possessive(item.span.of(text)));
    let noun = &before[possessor.map_or(0, |at| at + 1)..];
    let described = role.class.is(Class::ROLE) || owned || full && !named(noun);
    // "President of the Port Association, Chief Ada Vey"
    let titled = name
        .first()
        .is_some_and(|title| title.class.is(Class::TITLE))
        && first.class.is(Class::ROLE | Class::TITLE)
        && before.len() > 2;
    let office = full && (first.class.is(Class::DETERMINER | Class::POSSESSIVE) || titled);
    ((!role.capital && described || office) && named(name)).then_some(name)
}
