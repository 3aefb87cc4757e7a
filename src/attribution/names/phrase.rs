//! A [`Phrase`] is what the text calls somebody by: a name with its titles, a description, a
//! pronoun, as items of a paragraph.

use std::ops::Range;

use crate::lexicon::Class;

/// Words that call somebody something.
#[derive(Clone, Debug)]
pub(crate) enum Phrase {
    /// "Police Chief Ramon Ostrander", "the Harlow Falls Patrol Association".
    Name(Name),
    /// "the senator", "two officials", "its petition".
    Description(Description),
    /// "he", "his", at this item.
    Pronoun(usize),
}

impl Phrase {
    /// The first item.
    pub fn start(&self) -> usize {
        match self {
            Phrase::Name(name) => name.start(),
            Phrase::Description(description) => description.words.start,
            &Phrase::Pronoun(at) => at,
        }
    }
}

/// A name and what stands before it.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// Titles included.
    pub titles: Range<usize>,
    /// The name alone.
    pub words: Range<usize>,
    /// A word of it says that it is a body: "Council", "Inc.", or it is an acronym.
    pub organisation: bool,
    /// It ends in 's.
    pub possessive: bool,
    /// A description that stands before it: "his wife, ", "the economist ".
    pub described: Option<Description>,
}

impl Name {
    /// The first item, of a title where there is one.
    pub fn start(&self) -> usize {
        self.titles.start
    }
}

/// A description by a common noun.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    /// From the determiner to the noun.
    pub words: Range<usize>,
    /// The noun: "senator".
    pub head: usize,
    /// True where it begins with "the", "that" or a possessive.
    pub definite: bool,
}

/// Common nouns for those who can speak.
pub(crate) const NOUNS: Class = Class(
    Class::ROLE.0
        | Class::PERSON_ROLE.0
        | Class::GROUP.0
        | Class::ORGANISATION.0
        | Class::DOCUMENT.0,
);
