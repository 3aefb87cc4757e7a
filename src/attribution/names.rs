//! [`Names`] resolves mentions over the article so far: a surname to the full name, a pronoun to
//! the person it fits.

use crate::attribution::frame::{Frame, Item};
use crate::attribution::{Speaker, SpeakerKind};
use crate::lexicon::{Class, class_of};
use crate::span::Span;

/// The pronoun that fits a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    /// he
    Male,
    /// she
    Female,
}

#[derive(Clone, Debug)]
struct Person {
    /// Without titles.
    name: String,
    surname: String,
    first: Span,
    gender: Option<Gender>,
    /// Two names or a personal title: not a place or a company.
    sure: bool,
}

/// Who has been named so far, in order, and who spoke last.
#[derive(Clone, Debug, Default)]
pub struct Names {
    people: Vec<Person>,
    /// Indices of `people` by the place of their mention, newest last.
    seen: Vec<(usize, usize)>,
    spoken: Vec<(usize, Resolved)>,
    /// Mentions that begin a sentence, or follow its opening adverbial: likely subjects.
    subjects: Vec<(usize, usize)>,
}

/// A mention's speaker and how it was reached.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The speaker; `None` where nothing is known.
    pub speaker: Option<Speaker>,
    /// The fuller mentions that led there.
    pub chain: Vec<Span>,
    /// The pronoun that fits, where known.
    pub gender: Option<Gender>,
}

impl Names {
    /// Takes in the names of one paragraph.
    pub fn read(&mut self, text: &str, frame: &Frame) {
        let items = &frame.items;
        let mut at = 0;
        while at < items.len() {
            if !(items[at].name() || items[at].capital && items[at].class.is(Class::TITLE)) {
                at += 1;
                continue;
            }
            let start = at;
            while at < items.len()
                && at < start + 9
                && (items[at].name() || items[at].capital && items[at].class.is(Class::TITLE))
            {
                at += 1;
                if possessive(items[at - 1].span.of(text)) {
                    break;
                }
            }
            let noted = self.seen.len();
            self.note(text, &items[start..at]);
            let opening = frame
                .sentences
                .partition_point(|sentence| sentence.end <= start);
            let opening = frame
                .sentences
                .get(opening)
                .map_or(start, |sentence| sentence.start);
            let adverbial = items[opening]
                .class
                .is(Class::PREPOSITION | Class::SUBORDINATOR | Class::COORDINATOR | Class::ADVERB);
            let leads = start == opening
                || adverbial && (items[start - 1].sign(',') || start == opening + 1);
            if let Some(&seen) = self.seen.get(noted).filter(|_| leads) {
                self.subjects.push(seen);
            }
        }
    }

    fn note(&mut self, text: &str, words: &[Item]) {
        let mut gender = None;
        let first = title_length(words);
        for title in &words[..first] {
            gender = gender.or(gender_of(title.class, true));
        }
        let titled = first > 0;
        let words = &words[first..];
        if words
            .iter()
            .any(|word| word.class.is(Class::ORGANISATION | Class::ROLE))
            || words.is_empty()
        {
            return;
        }
        let span = Span::new(words[0].span.start, words[words.len() - 1].span.end);
        let name = without_possessive(span.of(text));
        let surname = surname_of(name).to_owned();
        if surname.is_empty()
            || !(words.len() > 1
                || titled
                || words[0].class == Class::default()
                || self.find(&surname).is_some())
        {
            return;
        }
        let gender =
            gender.or_else(|| gender_of(words[0].class, false).filter(|_| words.len() > 1));
        let known_first = words[0].class.is(Class::MALE | Class::FEMALE) && words.len() > 1;
        let index = match self.find(&surname) {
            Some(index)
                if words.len() == 1
                    || self.people[index].name == name
                    || agrees(&self.people[index].name, name) =>
            {
                let person = &mut self.people[index];
                person.gender = person.gender.or(gender);
                person.sure |= titled || known_first;
                if words.len() > 1 && !person.name.contains(' ') {
                    person.name = name.to_owned();
                    person.first = span;
                }
                index
            }
            _ => {
                let sure = titled || known_first;
                self.people.push(Person {
                    name: name.to_owned(),
                    surname,
                    first: span,
                    gender,
                    sure,
                });
                self.people.len() - 1
            }
        };
        self.seen.push((span.start, index));
    }

    /// The newest person of this surname.
    fn find(&self, surname: &str) -> Option<usize> {
        self.people
            .iter()
            .rposition(|person| person.surname == surname)
    }

    /// Who a mention is, given the items it consists of.
    pub fn resolve(&mut self, text: &str, items: &[Item]) -> Resolved {
        let span = Span::new(items[0].span.start, items[items.len() - 1].span.end);
        let words = span.of(text);
        if items.len() == 1
            && items[0]
                .class
                .is(Class::STRONG_PRONOUN | Class::SUBORDINATOR)
            && !items[0].name()
        {
            return self.pronoun(text, &items[0], span);
        }
        let classes = items
            .iter()
            .fold(Class::default(), |all, item| all | item.class);
        let last = items[items.len() - 1];
        let named = last.name() || items.iter().any(|item| item.name());
        let head = items.iter().find(|item| {
            item.class
                .is(Class::ROLE | Class::DOCUMENT | Class::GROUP | Class::ORGANISATION)
        });
        let preposition = items
            .iter()
            .position(|item| item.class.is(Class::PREPOSITION) && !item.capital);
        let coordinated = items
            .iter()
            .position(|item| item.class.is(Class::COORDINATOR));
        let from = items
            .iter()
            .rposition(|item| !(item.name() || item.capital && item.class.is(Class::TITLE)))
            .map_or(0, |at| (at + 1).min(items.len() - 1));
        let start = from + title_length(&items[from..]);
        // "Police" in a title makes no organisation of the chief.
        let organisation = match start > from {
            true => items[start..]
                .iter()
                .any(|item| item.class.is(Class::ORGANISATION)),
            false => classes.is(Class::ORGANISATION),
        };
        if named && coordinated.is_none() && preposition.is_none() && !organisation && last.name() {
            let name = without_possessive(Span::new(items[start].span.start, span.end).of(text));
            return self.named(name, span);
        }
        let kind = match head {
            Some(item) if item.class.is(Class::DOCUMENT) && !item.capital => SpeakerKind::Document,
            Some(item) if item.class.is(Class::GROUP) => SpeakerKind::Group,
            Some(item) if item.class.is(Class::ROLE) && !item.class.is(Class::ORGANISATION) => {
                SpeakerKind::Role
            }
            Some(item) if item.class.is(Class::ORGANISATION) => SpeakerKind::Organisation,
            _ if coordinated.is_some() => SpeakerKind::Group,
            _ if named => SpeakerKind::Organisation,
            _ => SpeakerKind::Role,
        };
        let name = match items[0].class.is(Class::DETERMINER)
            && items.len() > 1
            && items[0].is_word(text, "the")
        {
            true => &text[items[1].span.start..span.end],
            false => words,
        };
        let (mut gender, mut chain, mut name) = (
            items
                .iter()
                .rev()
                .find_map(|item| gender_of(item.class, true)),
            Vec::new(),
            name.to_owned(),
        );
        let mut kind = kind;
        // "the senator", "the Premier": a person of that title named before.
        if items.len() == 2
            && items[0].is_word(text, "the")
            && last.class.is(Class::PERSON_ROLE | Class::TITLE)
        {
            let role = last.span.of(text).to_lowercase();
            if let Some(person) = self.titled(text, &role, span.start) {
                let person = &self.people[person];
                chain.push(person.first);
                name = person.name.clone();
                gender = gender.or(person.gender);
                kind = SpeakerKind::Person;
            }
        }
        Resolved {
            speaker: Some(Speaker { name, kind }),
            chain,
            gender,
        }
    }

    fn titled(&self, text: &str, role: &str, before: usize) -> Option<usize> {
        let stem = role.to_lowercase();
        self.people.iter().rposition(|person| {
            let from = person.first.start.saturating_sub(40);
            let from = (from..=person.first.start)
                .find(|&at| text.is_char_boundary(at))
                .unwrap_or(0);
            person.first.start < before
                && person.sure
                && text[from..person.first.start]
                    .to_lowercase()
                    .split_whitespace()
                    .next_back()
                    .is_some_and(|word| {
                        word.trim_end_matches('.') == stem
                            || stem.starts_with(word.trim_end_matches('.')) && word.len() > 2
                    })
        })
    }

    fn named(&mut self, name: &str, span: Span) -> Resolved {
        let surname = surname_of(name);
        let found = match self.people.iter().rposition(|person| {
            person.surname == surname && (agrees(&person.name, name) || !name.contains(' '))
        }) {
            Some(found) => Some(found),
            None => self.people.iter().rposition(|person| {
                person.name.contains(' ') && misspelt(&person.surname, surname)
            }),
        };
        // A later full name that a misspelt one precedes: the one with two names, seen first, wins.
        let better = found.and_then(|index| {
            let person = &self.people[index];
            if person.name.contains(' ') {
                return Some(index);
            }
            self.people
                .iter()
                .rposition(|other| {
                    other.name.contains(' ')
                        && (misspelt(&other.surname, &person.surname)
                            || other.name.split_whitespace().next() == Some(person.name.as_str()))
                })
                .or(Some(index))
        });
        match better {
            Some(index) => {
                let person = &self.people[index];
                // Names of organisations that are told by no word of theirs are mostly single words.
                let kind = if person.sure || person.name.contains(' ') {
                    SpeakerKind::Person
                } else {
                    SpeakerKind::Organisation
                };
                let chain = if person.first.overlaps(span) {
                    Vec::new()
                } else {
                    vec![person.first]
                };
                Resolved {
                    speaker: Some(Speaker {
                        name: person.name.clone(),
                        kind,
                    }),
                    chain,
                    gender: person.gender,
                }
            }
            None => Resolved {
                speaker: Some(Speaker {
                    name: name.to_owned(),
                    kind: if name.contains(' ') {
                        SpeakerKind::Person
                    } else {
                        SpeakerKind::Organisation
                    },
                }),
                chain: Vec::new(),
                gender: None,
            },
        }
    }

    fn pronoun(&mut self, text: &str, item: &Item, span: Span) -> Resolved {
        let word = item.span.of(text).to_lowercase();
        let wanted = match word.as_str() {
            "he" => Some(Gender::Male),
            "she" => Some(Gender::Female),
            _ => None,
        };
        let unresolved = Resolved {
            speaker: Some(Speaker {
                name: item.span.of(text).to_owned(),
                kind: SpeakerKind::Pronoun,
            }),
            chain: Vec::new(),
            gender: wanted,
        };
        if matches!(word.as_str(), "who" | "which") {
            let antecedent = self
                .seen
                .iter()
                .rev()
                .find(|(at, _)| *at < span.start && span.start - at < 200);
            return antecedent.map_or(unresolved, |&(_, index)| self.person(index));
        }
        if matches!(word.as_str(), "i" | "we" | "you") {
            return unresolved;
        }
        let last_spoken = self.spoken.last().cloned();
        if let Some(wanted) = wanted {
            let fits = |gender: Option<Gender>| gender.is_none_or(|gender| gender == wanted);
            // Somebody named since the last quotation, as the newest sentence's subject would be.
            let since = last_spoken.as_ref().map_or(0, |(at, _)| *at);
            let known = |index: &usize| self.people[*index].gender == Some(wanted);
            let near = |at: &usize| *at > since && *at < span.start && span.start - at < 1500;
            // The one named first since is likely the subject of what was told since.
            let mut named = self
                .seen
                .iter()
                .find(|(at, index)| near(at) && known(index));
            let leading = self.subjects.iter().rev().find(|(at, index)| {
                let person = &self.people[*index];
                let (at, fitting) = (*at, person.gender.is_none_or(|gender| gender == wanted));
                near(&at) && fitting && (person.sure || person.gender.is_some())
            });
            if let Some(&(_, index)) = leading {
                return self.person(index);
            }
            if let Some((_, spoken)) = &last_spoken {
                let person = spoken.speaker.as_ref().is_some_and(|speaker| {
                    matches!(speaker.kind, SpeakerKind::Person | SpeakerKind::Role)
                });
                if person && fits(spoken.gender) && (spoken.gender.is_some() || named.is_none()) {
                    return Resolved {
                        gender: Some(wanted),
                        ..spoken.clone()
                    };
                }
            }
            let unsure =
                |index: &usize| self.people[*index].sure && fits(self.people[*index].gender);
            named = named
                .or_else(|| {
                    self.seen
                        .iter()
                        .find(|(at, index)| near(at) && unsure(index))
                })
                .or_else(|| {
                    self.seen
                        .iter()
                        .rev()
                        .find(|(at, index)| *at < span.start && known(index))
                })
                .or_else(|| {
                    self.seen
                        .iter()
                        .rev()
                        .find(|(at, index)| *at < span.start && unsure(index))
                })
                .or_else(|| {
                    let fitting = |index: &usize| {
                        fits(self.people[*index].gender) && self.people[*index].name.contains(' ')
                    };
                    self.seen
                        .iter()
                        .rev()
                        .find(|(at, index)| *at < span.start && fitting(index))
                });
            if let Some(&(_, index)) = named {
                self.people[index].gender.get_or_insert(wanted);
                return self.person(index);
            }
            return unresolved;
        }
        let wants: &[SpeakerKind] = if word == "they" {
            &[SpeakerKind::Group, SpeakerKind::Organisation]
        } else {
            &[SpeakerKind::Organisation, SpeakerKind::Document]
        };
        let fitting = self.spoken.iter().rev().take(4).find(|(_, spoken)| {
            spoken
                .speaker
                .as_ref()
                .is_some_and(|speaker| wants.contains(&speaker.kind))
        });
        fitting.map_or(unresolved, |(_, spoken)| spoken.clone())
    }

    fn person(&self, index: usize) -> Resolved {
        let person = &self.people[index];
        Resolved {
            speaker: Some(Speaker {
                name: person.name.clone(),
                kind: SpeakerKind::Person,
            }),
            chain: vec![person.first],
            gender: person.gender,
        }
    }

    /// Remembers who spoke at this place.
    pub fn spoke(&mut self, at: usize, resolved: &Resolved) {
        self.spoken.push((at, resolved.clone()));
        if self.spoken.len() > 8 {
            self.spoken.remove(0);
        }
    }
}

/// How many of a name's words are titles: of "Police Chief Ramon Ostrander" two, of "Chief Ostrander"
/// one. A word before a title belongs to it where a full name follows.
fn title_length(words: &[Item]) -> usize {
    let title = |word: &Item| word.class.is(Class::TITLE | Class::ROLE);
    let mut length = 0;
    while length + 1 < words.len() && title(&words[length]) {
        length += 1;
    }
    let before_full_name = words.len().saturating_sub(2);
    let inner = words[..before_full_name].iter().rposition(title);
    inner.map_or(length, |last| length.max(last + 1))
}

fn gender_of(class: Class, title: bool) -> Option<Gender> {
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

fn possessive(word: &str) -> bool {
    word.ends_with("'s") || word.ends_with("’s")
}

fn without_possessive(word: &str) -> &str {
    word.strip_suffix("'s")
        .or_else(|| word.strip_suffix("’s"))
        .unwrap_or(word)
}

fn surname_of(name: &str) -> &str {
    name.split_whitespace()
        .rev()
        .find(|word| {
            !matches!(
                word.trim_end_matches('.'),
                "Jr" | "Sr" | "II" | "III" | "IV"
            )
        })
        .unwrap_or("")
}

/// True where two names of one surname can be one person's.
fn agrees(known: &str, name: &str) -> bool {
    let first = |name: &str| {
        name.split_whitespace()
            .next()
            .unwrap_or("")
            .trim_end_matches('.')
            .to_lowercase()
    };
    let (known, name) = (first(known), first(name));
    known.starts_with(&name)
        || name.starts_with(&known)
        || known.chars().next() == name.chars().next() && (known.len() < 3 || name.len() < 3)
        || class_of(&known) == Class::default()
            && class_of(&name) == Class::default()
            && known == name
}

/// One letter wrong, missing, too many, or two swapped, in names of at least five letters.
fn misspelt(known: &str, name: &str) -> bool {
    if known.chars().next() != name.chars().next()
        || known.len() < 5
        || name.len() < 5
        || known.len() > 60
    {
        return false;
    }
    let (known, name): (Vec<char>, Vec<char>) = (known.chars().collect(), name.chars().collect());
    let prefix = known.iter().zip(&name).take_while(|(a, b)| a == b).count();
    let suffix = known[prefix..]
        .iter()
        .rev()
        .zip(name[prefix..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (left, right) = (
        &known[prefix..known.len() - suffix],
        &name[prefix..name.len() - suffix],
    );
    let swapped = left.len() == 2 && right.len() == 2 && left[0] == right[1] && left[1] == right[0];
    // Hyphenated names may differ by two letters side by side ("Achard", "Ashard").
    swapped || left.len().max(right.len()) <= 1
}
