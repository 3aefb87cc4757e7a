//! A [`Class`] says what a word can be: a reporting verb, a title, a role. The lists lie in
//! `data/lexicon`; verbs are listed by their base form and inflected here.

use std::collections::HashMap;
use std::ops::{BitOr, BitOrAssign};
use std::sync::OnceLock;

/// A set of word classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Class(pub u64);

macro_rules! classes {
    ($($name:ident = $bit:literal, $text:literal;)*) => {
        impl Class {
            $(#[doc = concat!("Class `", $text, "` of the word lists.")]
            pub const $name: Class = Class(1 << $bit);)*

            fn by_name(name: &str) -> Class {
                match name {
                    $($text => Class::$name,)*
                    _ => panic!("the word lists name an unknown class: {name}"),
                }
            }
        }
    };
}

classes! {
    DETERMINER = 0, "det"; POSSESSIVE = 1, "possessive"; PRONOUN = 2, "pronoun";
    STRONG_PRONOUN = 3, "strong_pronoun"; OBJECT_PRONOUN = 4, "object_pronoun";
    PREPOSITION = 5, "preposition"; SUBORDINATOR = 6, "subordinator";
    COORDINATOR = 7, "coordinator"; AUX = 8, "aux"; MODAL = 9, "modal"; NEGATION = 10, "negation";
    ADVERB = 11, "adverb"; TIME = 12, "time"; VERB = 13, "verb"; TITLE = 14, "title";
    MALE_TITLE = 15, "male_title"; FEMALE_TITLE = 16, "female_title"; ROLE = 17, "role";
    PERSON_ROLE = 18, "person_role"; GROUP = 19, "group"; ORGANISATION = 20, "organisation";
    DOCUMENT = 21, "document"; ABBREVIATION = 22, "abbreviation"; NOT_NAME = 23, "not_name";
    LABEL = 24, "label"; THING = 25, "thing"; MALE = 26, "male"; FEMALE = 27, "female";
    PARTICLE = 28, "particle"; OFFICE = 29, "office";
    ENGLISH = 30, "english"; FOREIGN = 31, "foreign";
    QUOTING = 32, "q"; THAT = 33, "t"; BARE = 34, "b"; ADDRESSEE = 35, "a"; WHETHER = 36, "w";
    OBJECT = 37, "n"; INFINITIVE = 38, "i"; SPEECH = 39, "s"; NOUN_TOO = 40, "x"; MENTAL = 41, "m";
    FINITE = 48, "finite"; PARTICIPLE = 49, "participle"; BASE = 50, "base"; PAST = 51, "past";
}

impl Class {
    /// True where the two sets share a class.
    pub fn is(self, other: Class) -> bool {
        self.0 & other.0 != 0
    }

    /// True for any form of a reporting verb.
    pub fn is_reporting(self) -> bool {
        self.0 >> 32 & 0xffff != 0
    }
}

impl BitOr for Class {
    type Output = Class;
    fn bitor(self, other: Class) -> Class {
        Class(self.0 | other.0)
    }
}

impl BitOrAssign for Class {
    fn bitor_assign(&mut self, other: Class) {
        self.0 |= other.0;
    }
}

/// The classes of a word in lower case; none for a word on no list.
pub fn class_of(word: &str) -> Class {
    static LEXICON: OnceLock<HashMap<String, Class>> = OnceLock::new();
    let lexicon = LEXICON.get_or_init(read);
    lexicon.get(word).copied().unwrap_or_default()
}

fn read() -> HashMap<String, Class> {
    let mut lexicon: HashMap<String, Class> = HashMap::new();
    let lists = concat!(
        include_str!("../data/lexicon/words.txt"),
        include_str!("../data/lexicon/names.txt"),
        "\n",
        include_str!("../data/lexicon/people.txt")
    );
    for line in lists.lines().filter(|line| !line.starts_with('#')) {
        let Some((class, words)) = line.split_once(':') else {
            continue;
        };
        let class = Class::by_name(class.trim());
        for word in words.split_whitespace() {
            *lexicon.entry(word.to_owned()).or_default() |= class;
        }
    }
    let verbs = include_str!("../data/lexicon/reporting_verbs.txt");
    for line in verbs.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split(':').map(str::trim);
        let (Some(base), Some(flags)) = (fields.next(), fields.next()) else {
            continue;
        };
        let class = flags
            .split_whitespace()
            .fold(Class::default(), |all, flag| all | Class::by_name(flag));
        let irregular: Vec<&str> = fields.next().unwrap_or("").split_whitespace().collect();
        for (form, tense) in forms(base, &irregular) {
            *lexicon.entry(form).or_default() |= class | tense;
        }
    }
    lexicon
}

/// The inflected forms of a verb, with what each is.
fn forms(base: &str, irregular: &[&str]) -> Vec<(String, Class)> {
    let stem = base.strip_suffix('e').unwrap_or(base);
    let consonant_y = base.ends_with('y')
        && !["ay", "ey", "oy", "uy"]
            .iter()
            .any(|end| base.ends_with(end));
    let third = match base {
        _ if consonant_y => format!("{}ies", &base[..base.len() - 1]),
        _ if ["s", "sh", "ch", "x", "z"]
            .iter()
            .any(|end| base.ends_with(end)) =>
        {
            format!("{base}es")
        }
        _ => format!("{base}s"),
    };
    let past = match base {
        _ if consonant_y => format!("{}ied", &base[..base.len() - 1]),
        _ => format!("{stem}ed"),
    };
    let ing = match base {
        _ if base.ends_with("ee") => format!("{base}ing"),
        _ => format!("{stem}ing"),
    };
    let mut all = vec![(base.to_owned(), Class::BASE), (third, Class::FINITE)];
    let given_ing = irregular
        .iter()
        .find(|form| form.ends_with("ing") && **form != base);
    all.push((
        given_ing.map_or(ing, |form| (*form).to_owned()),
        Class::PARTICIPLE,
    ));
    let pasts: Vec<&str> = irregular
        .iter()
        .copied()
        .filter(|form| Some(form) != given_ing.copied().as_ref())
        .collect();
    match pasts.as_slice() {
        [] => all.push((past, Class::FINITE | Class::PAST)),
        [first, rest @ ..] => {
            all.push(((*first).to_owned(), Class::FINITE | Class::PAST));
            all.extend(rest.iter().map(|form| ((*form).to_owned(), Class::PAST)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_inflected() {
        for form in [
            "says",
            "said",
            "replied",
            "tries",
            "admitted",
            "writing",
            "announces",
        ] {
            let class = class_of(form);
            assert!(form == "tries" || class.is(Class::QUOTING), "{form}");
        }
        assert!(class_of("saying").is(Class::PARTICIPLE));
        assert!(!class_of("table").is_reporting());
    }
}
