//! An [`Entity`] is somebody or some body that the article speaks of, under all its names;
//! [`Entities`] tells which one a name means.

use std::collections::HashMap;

use super::phrase::Name;
use super::proper::{is_acronym, is_suffix};
use super::spelling::{folded, given_names_agree, misspelt, without_possessive};
use crate::attribution::frame::Item;
use crate::attribution::{Link, SpeakerKind};
use crate::lexicon::{Class, class_of};
use crate::quote::marks::SIGNS;
use crate::span::Span;

/// The pronoun that fits a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    /// he
    Male,
    /// she
    Female,
}

/// What is known of an entity's nature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name that nothing tells more of.
    Unknown,
    /// A named person.
    Person,
    /// A named body.
    Organisation,
    /// Known by a description: "the town attorney".
    Described(SpeakerKind),
}

/// Somebody or some body, over the article so far.
#[derive(Clone, Debug)]
pub(crate) struct Entity {
    pub kind: Kind,
    /// The fullest form so far, without titles.
    pub name: String,
    /// Where the fullest form stands.
    pub place: Span,
    /// Words of the name, [`folded`], suffixes left out.
    words: Vec<String>,
    /// Evidence for he (positive) or she (negative).
    gender: i16,
    /// Common nouns it was described by, and their adjectives; lower case.
    pub roles: Vec<String>,
    /// "Mr.", "Mrs.": kept to tell two of one surname apart.
    title: Option<String>,
    /// How often it was named.
    pub mentions: u32,
    /// Where it was named last.
    last: usize,
}

/// Evidence below this is a hint; from it on the other pronoun is excluded.
const SURE: i16 = 2;
/// As many entities of one surname are told apart; older ones are forgotten for new mentions, so
/// that the time stays linear whatever a text does.
const MAX_OF_ONE_NAME: usize = 16;
const MAX_ROLES: usize = 24;

impl Entity {
    /// What kind of speaker it is.
    pub(super) fn speaker_kind(&self) -> SpeakerKind {
        match self.kind {
            Kind::Person => SpeakerKind::Person,
            Kind::Organisation => SpeakerKind::Organisation,
            Kind::Described(kind) => kind,
            // Names of bodies that no word of theirs tells are mostly single words.
            Kind::Unknown if self.name.contains(' ') => SpeakerKind::Person,
            Kind::Unknown => SpeakerKind::Organisation,
        }
    }

    /// The pronoun that fits, where the text tells.
    pub fn gender(&self) -> Option<Gender> {
        match self.gender {
            SURE.. => Some(Gender::Male),
            gender if gender <= -SURE => Some(Gender::Female),
            _ => None,
        }
    }

    /// Takes in a sign of gender.
    pub fn hint(&mut self, gender: Option<Gender>, weight: i16) {
        match gender {
            Some(Gender::Male) => self.gender = (self.gender + weight).min(99),
            Some(Gender::Female) => self.gender = (self.gender - weight).max(-99),
            None => {}
        }
    }

    /// Takes in a word it was described by.
    pub fn describe(&mut self, word: &str) {
        if self.roles.len() < MAX_ROLES && !self.roles.iter().any(|known| known == word) {
            self.roles.push(word.to_owned());
        }
    }

    /// Takes in a sign that it is a person, of which nothing was known.
    pub fn tell_person(&mut self) {
        if self.kind == Kind::Unknown {
            self.kind = Kind::Person;
        }
    }

    /// False where the text tells that another pronoun fits.
    pub fn may_be(&self, gender: Gender) -> bool {
        self.gender().is_none_or(|own| own == gender)
    }

    /// True for a name of two words or more, or one with signs of a person.
    pub fn is_person(&self) -> bool {
        self.kind == Kind::Person
    }

    /// Whether it may be a company: "Fathom", "Fathom AI"; a person is first called by two names.
    pub fn may_be_firm(&self) -> bool {
        match self.kind {
            Kind::Organisation => true,
            Kind::Unknown => {
                let mut rest = self.name.split(' ').skip(1);
                self.gender().is_none()
                    && rest.all(|word| word.len() > 1 && word.chars().all(char::is_uppercase))
            }
            Kind::Person | Kind::Described(_) => false,
        }
    }

    fn surname(&self) -> &str {
        self.words.last().map_or("", String::as_str)
    }

    fn given(&self) -> Option<&str> {
        (self.words.len() > 1).then(|| self.words[0].as_str())
    }
}

/// Everybody the article has named so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entities {
    all: Vec<Entity>,
    /// By each word of a person's name, each name of a body and its initials.
    by_word: HashMap<String, Vec<u32>>,
    /// Persons by the first three letters of the surname, and by the first and the last three: one
    /// slip of typing leaves one of the two as it was.
    by_spelling: HashMap<String, Vec<u32>>,
}

impl Entities {
    /// The entity of this number.
    pub fn get(&self, index: u32) -> &Entity {
        &self.all[index as usize]
    }

    /// The entity of this number.
    pub fn get_mut(&mut self, index: u32) -> &mut Entity {
        &mut self.all[index as usize]
    }

    /// Whether this is a word of a person's name, or of one that nothing tells more of.
    pub fn know_person(&self, word: &str) -> bool {
        let known = self.by_word.get(&folded(word));
        known.is_some_and(|all| (all.iter()).any(|&one| self.get(one).kind != Kind::Organisation))
    }

    /// Whether somebody has been named by a given name and this word.
    pub fn is_surname(&self, word: &str) -> bool {
        let word = folded(word);
        let known = self.by_word.get(&word);
        known.is_some_and(|all| {
            let mut all = all.iter().map(|&one| self.get(one));
            let body = |known: &Entity| known.kind == Kind::Organisation;
            all.any(|known| !body(known) && known.given().is_some() && known.surname() == word)
        })
    }

    /// A new entity known by a description alone.
    pub fn described(
        &mut self,
        name: &str,
        place: Span,
        kind: SpeakerKind,
        gender: Option<Gender>,
    ) -> u32 {
        let mut entity = Entity {
            kind: Kind::Described(kind),
            name: name.to_owned(),
            place,
            words: Vec::new(),
            gender: 0,
            roles: Vec::new(),
            title: None,
            mentions: 1,
            last: place.start,
        };
        entity.hint(gender, 4);
        self.all.push(entity);
        (self.all.len() - 1) as u32
    }

    /// The name to show: the fullest form; where two people share a bare surname, with its title.
    pub fn display(&self, index: u32) -> String {
        let entity = self.get(index);
        if let (Some(title), [surname]) = (&entity.title, entity.words.as_slice()) {
            if is_rank(title) {
                return format!("{title} {}", entity.name);
            }
            let shared = self.by_word.get(surname).is_some_and(|all| {
                all.iter()
                    .any(|&other| other != index && self.get(other).surname() == surname)
            });
            if shared {
                return format!("{title} {}", entity.name);
            }
        }
        entity.name.clone()
    }

    /// Who a name means, and how it leads there; an entity of its own where it is new.
    pub fn name(&mut self, text: &str, items: &[Item], name: &Name) -> (u32, Link) {
        let span = Span::new(
            items[name.words.start].span.start,
            items[name.words.end - 1].span.end,
        );
        let surface = without_possessive(span.of(text)).trim_end_matches(['’', '\'']);
        let span = Span::new(span.start, span.start + surface.len());
        let mut words: Vec<String> = items[name.words.clone()]
            .iter()
            .filter(|item| item.word && !is_suffix(item.span.of(text)))
            .map(|item| folded(item.span.of(text).trim_matches(SIGNS)))
            .collect();
        if words.is_empty() {
            words.push(folded(surface));
        }
        // "VEY: …", of a person named before, is no acronym.
        if name.organisation && !(words.len() == 1 && self.is_surname(&words[0])) {
            return self.body(text, &items[name.words.clone()], span, words);
        }
        let titles = &items[name.titles.clone()];
        let title_gender = titles.iter().find_map(|title| gender_of(title.class, true));
        let titled = titles
            .iter()
            .any(|title| title.class.is(Class::TITLE | Class::PERSON_ROLE));
        let first = items[name.words.start].class;
        let given = (words.len() > 1)
            .then(|| gender_of(given_class(first, &words[0]), false))
            .flatten();
        let listed =
            words.len() > 1 && given_class(first, &words[0]).is(Class::MALE | Class::FEMALE);
        let found = self.find(&words, title_gender, span.start);
        let (index, link) = match found {
            Some(found) => found,
            None => {
                let entity = Entity {
                    kind: Kind::Unknown,
                    name: surface.to_owned(),
                    place: span,
                    words: words.clone(),
                    gender: 0,
                    roles: Vec::new(),
                    title: None,
                    mentions: 0,
                    last: span.start,
                };
                (self.add(entity), Link::Name)
            }
        };
        let fuller = self.fuller(index, &words, surface, link);
        let entity = &mut self.all[index as usize];
        entity.mentions += 1;
        entity.last = span.start;
        if titled || listed {
            entity.tell_person();
        }
        entity.hint(title_gender, 8);
        if fuller || entity.mentions == 1 {
            entity.hint(given, 4);
        }
        for title in titles {
            entity.describe(&folded(title.span.of(text)));
            let short =
                title.class.is(Class::MALE_TITLE | Class::FEMALE_TITLE) && title.span.len() <= 4;
            if short && entity.title.is_none() || is_rank(title.span.of(text)) {
                entity.title = Some(title.span.of(text).to_owned());
            }
        }
        if fuller {
            entity.name = surface.to_owned();
            entity.place = span;
            let added: Vec<String> = words
                .iter()
                .filter(|word| !entity.words.contains(word))
                .cloned()
                .collect();
            entity.words = words;
            self.list(index, &added);
        }
        (index, link)
    }

    /// True where this form of the name tells more than the one so far.
    fn fuller(&self, index: u32, words: &[String], surface: &str, link: Link) -> bool {
        let entity = self.get(index);
        if link == Link::Misspelling && entity.words.len() >= words.len() {
            return false;
        }
        let capitals = |name: &str| name.len() > 4 && !name.contains(char::is_lowercase);
        let known = entity.words.len();
        // A first name spelt out tells more than its initial.
        let spelt_out = words.len() == known
            && known > 1
            && words[0].chars().count() > 2
            && entity.words[0].chars().count() <= 2;
        (words.len() > known && words.len() <= 5 && !capitals(surface))
            || spelt_out
            || words.len() == known && capitals(&entity.name) && !capitals(surface)
    }

    fn find(&self, words: &[String], gender: Option<Gender>, at: usize) -> Option<(u32, Link)> {
        let last = words.last()?;
        let fits = |entity: &Entity| {
            entity.kind != Kind::Organisation
                && (gender.is_none() || entity.gender().is_none() || entity.gender() == gender)
        };
        let known = self.by_word.get(last).map_or(&[][..], Vec::as_slice);
        if words.len() > 1 {
            let same = |entity: &&u32| {
                let entity = self.get(**entity);
                if !fits(entity) || entity.surname() != last {
                    return false;
                }
                match entity.given() {
                    None => true,
                    // "Midge Tolliver" of "Marguerite "Midge" Tolliver"
                    Some(given) => {
                        given_names_agree(given, &words[0]) || entity.words[1..].contains(&words[0])
                    }
                }
            };
            // The full name first, then a bare surname that it completes.
            let full = known
                .iter()
                .rev()
                .filter(same)
                .find(|&&index| self.get(index).given().is_some());
            if let Some(&index) = full.or_else(|| known.iter().rev().find(same)) {
                let given = gender_of(class_of(&words[0]), false);
                let entity = self.get(index);
                let clash = given.is_some()
                    && entity.gender().is_some()
                    && entity.gender() != given
                    && entity.given().is_none();
                if !clash {
                    return Some((index, Link::Name));
                }
            }
            // "Hillary" before "Hillary Clinton".
            if let Some(alone) = self.by_word.get(&words[0]) {
                let alone = alone.iter().rev().find(|&&index| {
                    let entity = self.get(index);
                    entity.words.len() == 1
                        && entity.words[0] == words[0]
                        && fits(entity)
                        && class_of(&words[0]).is(Class::MALE | Class::FEMALE)
                });
                if let Some(&index) = alone {
                    return Some((index, Link::Name));
                }
            }
            return self
                .misspelt(words, gender)
                .map(|index| (index, Link::Misspelling));
        }
        let rank = |entity: &Entity| -> u8 {
            match entity {
                entity if !fits(entity) && entity.kind != Kind::Organisation => 0,
                entity if entity.surname() == last => 4,
                entity if entity.kind == Kind::Organisation => 3,
                entity if entity.given() == Some(last) => 1,
                _ => 2,
            }
        };
        let best = known
            .iter()
            .map(|&index| rank(self.get(index)))
            .max()
            .filter(|&rank| rank > 0);
        if let Some(best) = best {
            let tied = || {
                known
                    .iter()
                    .copied()
                    .filter(|&index| rank(self.get(index)) == best)
            };
            // Of two with one surname: the only one named nearby, else the one named more often.
            let near: Vec<u32> = tied()
                .filter(|&index| at.saturating_sub(self.get(index).last) < 400)
                .take(2)
                .collect();
            let chosen = match near.as_slice() {
                [one] => Some(*one),
                _ => tied().max_by_key(|&index| {
                    let entity = self.get(index);
                    (
                        gender.is_some() && entity.gender() == gender,
                        entity.mentions,
                        entity.last,
                    )
                }),
            };
            return chosen.map(|index| (index, Link::Name));
        }
        self.misspelt(words, gender)
            .map(|index| (index, Link::Misspelling))
    }

    fn misspelt(&self, words: &[String], gender: Option<Gender>) -> Option<u32> {
        let last = words.last()?;
        for key in spellings(last) {
            for &index in self.by_spelling.get(&key).into_iter().flatten().rev() {
                let entity = self.get(index);
                let given = match (entity.given(), words.len()) {
                    (Some(given), 2..) => given_names_agree(given, &words[0]),
                    (Some(_), _) => true,
                    (None, _) => false,
                };
                let clash =
                    gender.is_some() && entity.gender().is_some() && entity.gender() != gender;
                if given && !clash && misspelt(entity.surname(), last) {
                    return Some(index);
                }
            }
        }
        None
    }

    /// A company, council, court: by its name, its initials or its first word.
    fn body(&mut self, text: &str, items: &[Item], span: Span, words: Vec<String>) -> (u32, Link) {
        let key = words.join(" ");
        let acronym = items.len() == 1 && is_acronym(text, &items[0]);
        let key = if acronym { key.replace('.', "") } else { key };
        let found = self.by_word.get(&key).and_then(|all| {
            all.iter().rev().copied().find(|&index| {
                self.get(index).kind == Kind::Organisation || self.get(index).kind == Kind::Unknown
            })
        });
        if let Some(index) = found {
            let entity = self.get_mut(index);
            entity.mentions += 1;
            entity.last = span.start;
            let link = if acronym && entity.words.len() > 1 {
                Link::Acronym
            } else {
                Link::Name
            };
            return (index, link);
        }
        let name = without_possessive(span.of(text)).to_owned();
        let initials: String = items
            .iter()
            .filter(|item| item.capital)
            .filter_map(|item| item.first.to_lowercase().next())
            .collect();
        // The initials came before the name: "the DNC … the Democratic National Committee".
        let before = (words.len() > 1)
            .then(|| self.by_word.get(&initials))
            .flatten()
            .and_then(|all| {
                all.iter().rev().copied().find(|&index| {
                    self.get(index).kind == Kind::Organisation && self.get(index).words.len() == 1
                })
            });
        let index = match before {
            Some(index) => {
                let entity = self.get_mut(index);
                entity.name = name;
                entity.place = span;
                entity.words = words.clone();
                entity.mentions += 1;
                index
            }
            None => self.push(Entity {
                kind: Kind::Organisation,
                name,
                place: span,
                words: words.clone(),
                gender: 0,
                roles: Vec::new(),
                title: None,
                mentions: 1,
                last: span.start,
            }),
        };
        let mut keys = vec![key];
        if words.len() > 1 {
            if initials.len() > 1 && initials.chars().count() <= 6 {
                keys.push(initials);
            }
            if class_of(&words[0]) == Class::default() && items[0].capital {
                keys.push(words[0].clone());
            }
        }
        self.list(index, &keys);
        (index, Link::Name)
    }

    fn add(&mut self, entity: Entity) -> u32 {
        let words = entity.words.clone();
        let index = self.push(entity);
        self.list(index, &words);
        index
    }

    fn push(&mut self, entity: Entity) -> u32 {
        self.all.push(entity);
        (self.all.len() - 1) as u32
    }

    fn list(&mut self, index: u32, words: &[String]) {
        for word in words {
            enter(&mut self.by_word, word.clone(), index);
            // "Okonjo" of "Okonjo-Bell".
            for part in word
                .split('-')
                .filter(|part| part.len() > 3 && part.len() < word.len())
            {
                enter(&mut self.by_word, part.to_owned(), index);
            }
        }
        let entity = self.get(index);
        if entity.kind != Kind::Organisation && entity.words.len() > 1 {
            for key in spellings(entity.surname()) {
                enter(&mut self.by_spelling, key, index);
            }
        }
    }
}

/// Titles that are a part of a name of one word: "Lord Carnoustie", "Pope Francis".
fn is_rank(title: &str) -> bool {
    const RANKS: &[&str] = &[
        "Lord", "Lady", "Baroness", "Baron", "Viscount", "Earl", "Duke", "Duchess", "Count",
        "Countess", "Pope", "King", "Queen", "Prince", "Princess", "Emperor", "Sheikh", "Emir",
    ];
    RANKS.contains(&title)
}

fn enter(map: &mut HashMap<String, Vec<u32>>, key: String, index: u32) {
    let listed = map.entry(key).or_default();
    if !listed.contains(&index) {
        if listed.len() == MAX_OF_ONE_NAME {
            listed.remove(0);
        }
        listed.push(index);
    }
}

fn spellings(surname: &str) -> Vec<String> {
    let letters: Vec<char> = surname.chars().collect();
    if letters.len() < 5 {
        return Vec::new();
    }
    let head: String = letters[..3].iter().collect();
    let tail: String = letters[letters.len() - 3..].iter().collect();
    vec![format!("{head}*"), format!("{}*{tail}", letters[0])]
}

/// The classes of a given name; of "Marc-André" those of "Marc".
fn given_class(class: Class, folded: &str) -> Class {
    if class.is(Class::MALE | Class::FEMALE) {
        return class;
    }
    let whole = class_of(folded);
    if whole.is(Class::MALE | Class::FEMALE) {
        return whole;
    }
    folded
        .split_once('-')
        .map_or(whole, |(first, _)| class_of(first))
}

/// What a title, a common noun (`title`) or a given name tells of the pronoun.
pub(crate) fn gender_of(class: Class, title: bool) -> Option<Gender> {
    let (male, female) = match title {
        true => (class.is(Class::MALE_TITLE), class.is(Class::FEMALE_TITLE)),
        false => (class.is(Class::MALE), class.is(Class::FEMALE)),
    };
    match (male, female) {
        (true, false) => Some(Gender::Male),
        (false, true) => Some(Gender::Female),
        _ => None,
    }
}
