//! An [`Attribution`] says whose words a quote is: the cue, the mention of the speaker beside it,
//! the name that mention stands for, and what decided.

pub mod frame;
pub mod mention;
pub mod names;
pub mod report;
pub mod rule;

pub use rule::Rule;

use crate::quote::Quote;
use crate::span::Span;

/// A quote and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributedQuote {
    /// The words.
    pub quote: Quote,
    /// Whose they are.
    pub attribution: Attribution,
}

/// Whose words a quote is.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// The reporting verb or phrase: "said", "according to".
    pub cue: Option<Span>,
    /// The speaker as written at the attribution: "he", "the union's president".
    pub mention: Option<Span>,
    /// The name the mention stands for. `None`: unknown.
    pub speaker: Option<Speaker>,
    /// The steps that lead from `mention` to the name, nearest first; empty where the mention is
    /// itself the fullest name, or where nothing is named.
    pub chain: Vec<Step>,
    /// What decided.
    pub rule: Rule,
    /// How sure, 0 to 1, where it has been measured.
    pub confidence: Option<f32>,
}

impl Attribution {
    /// The speaker as quotation scorers read it: as written, or by name where nothing is written.
    pub fn as_written<'a>(&'a self, text: &'a str) -> Option<&'a str> {
        let name = || self.speaker.as_ref().map(|speaker| speaker.name.as_str());
        self.mention.map(|mention| mention.of(text)).or_else(name)
    }

    /// Nothing tells whose words they are.
    pub(crate) fn unknown() -> Attribution {
        Attribution {
            cue: None,
            mention: None,
            speaker: None,
            chain: Vec::new(),
            rule: Rule::Unattributed,
            confidence: None,
        }
    }
}

/// One step from a mention toward a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The words that the mention, or the step before, stands for.
    pub span: Span,
    /// What decided on it.
    pub link: Link,
}

/// Why a mention stands for other words of the article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// A part of a name for the whole: "Tambe" for "Mehrunnisa Tambe".
    Name,
    /// A name that differs by a slip of typing.
    Misspelling,
    /// Initials of a body's name.
    Acronym,
    /// A description: "the senator".
    Description,
    /// A pronoun.
    Pronoun,
    /// One of several speakers together.
    Coordination,
    /// Whose spokesman, petition or letter it is.
    Possessor,
    /// "I" in an article with a byline.
    Byline,
}

/// A speaker, resolved over the article.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Speaker {
    /// The fullest form in the article: "Mehrunnisa Tambe".
    pub name: String,
    /// What kind of source it is.
    pub kind: SpeakerKind,
    /// The same number for every quote of one speaker in an article, other numbers for others,
    /// whatever they are called. `None` where nobody in particular is meant: a group named together,
    /// an unresolved pronoun.
    pub entity: Option<u32>,
}

/// What kind of source a speaker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpeakerKind {
    /// A named person.
    Person,
    /// A person known only by a role, or anonymous: "a spokeswoman", "two officials".
    Role,
    /// A company, agency, court, party or paper.
    Organisation,
    /// A letter, report, filing, statement, poll.
    Document,
    /// Several people: "employees", "protesters", "critics".
    Group,
    /// A pronoun that could not be resolved.
    Pronoun,
}

impl SpeakerKind {
    /// As written in the rows.
    pub fn name(self) -> &'static str {
        match self {
            SpeakerKind::Person => "person",
            SpeakerKind::Role => "role",
            SpeakerKind::Organisation => "organisation",
            SpeakerKind::Document => "document",
            SpeakerKind::Group => "group",
            SpeakerKind::Pronoun => "pronoun",
        }
    }
}
