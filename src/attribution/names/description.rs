//! What describes somebody: what stands beside a name, and whom a description means: "the senator", "the company".

use std::ops::Range;

use super::Names;
use super::antecedent::{Form, Occurrence, Role};
use super::entity::{Entities, Gender, Kind, gender_of};
use super::parse::is_age;
use super::phrase::{Description, NOUNS, Name};
use super::role::speaks;
use super::sentence::Sentence;
use super::spelling::{folded, is_possessive};
use crate::attribution::SpeakerKind;
use crate::attribution::frame::Item;
use crate::lexicon::Class;
use crate::span::Span;

/// Words that can name one role; the groups are the project's own writing.
const SAME_ROLE: &[&str] = &[
    "senator sen lawmaker legislator politician",
    "representative rep congressman congresswoman congressperson lawmaker legislator politician",
    "governor gov politician",
    "mayor politician",
    "president pres",
    "candidate nominee frontrunner front-runner hopeful contender challenger",
    "professor prof scholar academic researcher",
    "lawyer attorney solicitor barrister",
    "officer policeman policewoman constable detective inspector sergeant",
    "judge justice magistrate",
    "businessman businesswoman billionaire mogul magnate tycoon entrepreneur",
    "spokesman spokeswoman spokesperson",
    "doctor dr physician surgeon neurosurgeon",
    "premier minister",
    "general gen",
    "colonel col",
    "captain capt",
    "lieutenant lt",
    "sergeant sgt",
    "chairman chairwoman chair chairperson",
    "councillor cllr councilman councilwoman councilmember",
    "ceo executive boss",
    "author writer novelist",
    "actor actress",
    "superintendent supt",
    "reverend rev pastor minister vicar priest cleric canon father fr chaplain clergyman clergywoman churchman",
    "convener convenor",
    "source insider official figure",
];

/// Words for one kind of body.
const SAME_BODY: &[&str] = &[
    "company firm corp corporation inc ltd llc plc group systems technologies holdings airlines motors industries startup start-up maker giant bank",
    "group association coalition alliance league institute foundation society collective forum network union organization organisation charity guild circle project liberties",
    "agency department bureau administration commission authority service office ministry",
    "union guild association federation workers",
    "court bench tribunal",
    "council board city town",
    "university college school institute",
    "team club",
    "party",
    "paper newspaper times post journal tribune herald gazette news chronicle courier",
    "foundation trust fund charity",
    "committee panel commission",
    "think-tank institute center centre foundation",
];

impl Names {
    /// Takes in what stands beside a name: "his wife, NAME", "NAME, 29, the mayor of X,", "NAME is a
    /// senator".
    pub(super) fn describe(&mut self, sentence: &Sentence, name: &Name, entity: u32) {
        let Sentence { text, items, .. } = *sentence;
        let mut words: Vec<Range<usize>> = Vec::new();
        if let Some(description) = &name.described {
            words.push(description.words.clone());
        }
        let mut at = name.words.end;
        let aside = sentence.get(at).is_some_and(|item| item.sign(','));
        let copula = sentence
            .get(at)
            .is_some_and(|item| item.is_word(text, "is") || item.is_word(text, "was"));
        if aside || copula {
            at += 1;
            let age = sentence.get(at).filter(|item| item.first.is_numeric());
            let closed = sentence
                .get(at + 1)
                .is_some_and(|item| item.sign(',') || item.sign('.'));
            if let Some(age) = age.filter(|_| closed) {
                let age = format!("{}-year-old", age.span.of(text));
                let known = self.entities.get_mut(entity);
                known.describe(&age);
                known.tell_person();
                at += 2;
            }
            let start = at;
            let fits = sentence.get(at).is_some_and(|item| {
                item.class.is(Class::DETERMINER | Class::POSSESSIVE)
                    || aside
                        && item.word
                        && !item.capital
                        && (item.class.is(Class::ROLE | Class::PERSON_ROLE)
                            || item.class == Class::default())
            });
            if fits {
                let verb = |item: &Item| {
                    let reports = item.class.is_reporting() && !item.class.is(Class::NOUN_TOO);
                    item.class.is(Class::AUX | Class::MODAL)
                        || reports && item.class.is(Class::FINITE) && !item.capital
                };
                while sentence.get(at).is_some_and(|item| {
                    item.word
                        && !verb(item)
                        && !item.class.is(Class::STRONG_PRONOUN | Class::SUBORDINATOR)
                        && (!item.class.is(Class::PREPOSITION) || item.is_word(text, "of"))
                }) && at < start + 12
                {
                    at += 1;
                }
                // "In a letter to Ada Vey, the mayor says": the next clause, no aside.
                let next_clause = aside && sentence.get(at).is_some_and(verb);
                if !next_clause {
                    words.push(start..at);
                }
            }
        }
        let known = self.entities.get_mut(entity);
        for range in words {
            let people = items[range.clone()]
                .iter()
                .any(|item| item.class.is(Class::PERSON_ROLE));
            for item in &items[range] {
                if item.class.is(Class::PERSON_ROLE) && !item.capital {
                    known.hint(gender_of(item.class, true), 4);
                }
                let listed = item.class.is(NOUNS | Class::TITLE);
                if item.word
                    && (listed
                        || people
                            && !item
                                .class
                                .is(Class::DETERMINER | Class::PREPOSITION | Class::POSSESSIVE))
                {
                    known.describe(&folded(item.span.of(text)));
                }
            }
            if people {
                known.tell_person();
            }
        }
    }

    /// The entity a description means; one of its own where nothing fits.
    pub(super) fn described(&mut self, sentence: &Sentence, description: &Description) -> u32 {
        let Sentence { text, items, .. } = *sentence;
        let head = items[description.head];
        let word = head.span.of(text).to_lowercase();
        let kind = kind_of(head.class, head.capital);
        let range = description.words.clone();
        let gender = gender_of(head.class, true);
        let owner = items[range.clone()]
            .iter()
            .rposition(|item| is_possessive(item.span.of(text)));
        // "the farmers' league" belongs to them, and is not any league.
        let theirs = items[range.clone()]
            .iter()
            .any(|item| item.sign('’') || item.sign('\''));
        let owned = items[range.start].class.is(Class::POSSESSIVE) || owner.is_some() || theirs;
        if description.definite && !owned {
            let found = match kind {
                SpeakerKind::Role => {
                    let modifiers: Vec<String> = items[range.clone()]
                        .iter()
                        .filter(|item| {
                            item.word && !item.class.is(Class::DETERMINER) && item.span != head.span
                        })
                        .map(|item| folded(item.span.of(text)))
                        .collect();
                    person(&self.entities, &self.log, &word, &modifiers, gender)
                        .or_else(|| aged(&self.entities, &self.log, &word))
                        .or_else(|| self.renamed(sentence, &range, gender))
                }
                SpeakerKind::Organisation => body(&self.entities, &self.log, &word)
                    .or_else(|| firm(&self.entities, &self.log, &word, self.paragraph)),
                _ => None,
            };
            if let Some(found) = found.filter(|&found| !self.of_another(text, items, &range, found))
            {
                return found;
            }
        }
        let span = Span::new(items[range.start].span.start, head.span.end);
        let words = &items[range.clone()];
        let owned = (kind == SpeakerKind::Role).then(|| self.with_owner(text, words));
        let name = owned.flatten().unwrap_or_else(|| {
            let end = match kind {
                _ if of_place(text, items, &range) => range.end + 2,
                SpeakerKind::Document => written_by(sentence, range.end),
                _ => range.end,
            };
            plain(text, &items[range.start..end])
        });
        let entity = self.entities.described(&name, span, kind, gender);
        let known = self.entities.get_mut(entity);
        // "the minister's brother" is no minister.
        let from = owner.map_or(range.start, |at| range.start + at + 1);
        for item in &items[from..range.end] {
            if item.word && !item.class.is(Class::DETERMINER) {
                known.describe(&folded(item.span.of(text)));
            }
        }
        entity
    }
}

impl Names {
    /// "The premier of Saskatchewan", after the premier of another place.
    fn of_another(&self, text: &str, items: &[Item], range: &Range<usize>, found: u32) -> bool {
        let known = self.entities.get(found);
        of_place(text, items, range)
            && known.name.contains(" of ")
            && matches!(known.kind, Kind::Described(_))
            && !known.name.contains(items[range.end + 1].span.of(text))
    }

    /// The one person of the paragraph so far, or of the one before where it has none, who spoke there, where "the NOUN" that
    /// nobody was called before goes on beside quoted words: "Bishop Vey … “She is kind,” the cleric said".
    fn renamed(
        &self,
        sentence: &Sentence,
        range: &Range<usize>,
        gender: Option<Gender>,
    ) -> Option<u32> {
        let mut items = sentence.items[sentence.start..sentence.end].iter();
        let quoted = items.any(|item| item.passage.is_some());
        let of = Class::PREPOSITION | Class::SUBORDINATOR;
        let of = sentence
            .get(range.end)
            .is_some_and(|item| item.class.is(of));
        if !quoted || of || !speaks(sentence, range) {
            return None;
        }
        let mut people = (self.log.iter().rev().take(WINDOW))
            .filter(|other| !other.quoted && self.entities.get(other.entity).is_person());
        let newest = people.next()?;
        if newest.paragraph + 1 < self.paragraph {
            return None;
        }
        let here = people.take_while(|other| other.paragraph == newest.paragraph);
        let last = newest.entity;
        let mut spoke = newest.speaks || newest.leads;
        for other in here {
            if other.entity != last {
                return None;
            }
            spoke |= other.speaks || other.leads;
        }
        let known = self.entities.get(last).gender();
        let clash = gender.is_some() && known.is_some() && known != gender;
        (spoke && !clash).then_some(last)
    }
}

/// Where a document's description ends whose noun ends at `end`, with whom it is from: "a letter from 19 pilots".
fn written_by(sentence: &Sentence, end: usize) -> usize {
    const WORDS: usize = 6;
    let Sentence { text, items, .. } = *sentence;
    let from = |item: &Item| item.is_word(text, "from") || item.is_word(text, "by");
    if !sentence.get(end).is_some_and(from) {
        return end;
    }
    let determiner = Class::DETERMINER | Class::POSSESSIVE;
    let stops = |at: usize| {
        let item = items[at];
        let verb = item.past || item.class.is(Class::AUX | Class::MODAL | Class::FINITE);
        let clause = item.class.is(Class::SUBORDINATOR)
            || item.class.is(Class::PREPOSITION) && !item.is_word(text, "of");
        let participle = item.span.of(text).ends_with("ing")
            && (sentence.get(at + 1)).is_some_and(|next| next.class.is(determiner));
        !item.word || verb && !item.capital || clause || participle
    };
    let last = sentence.end.min(end + 1 + WORDS);
    let stop = (end + 1..last).find(|&at| stops(at)).unwrap_or(last);
    let whole = stop < last || stop == sentence.end;
    if whole && stop > end + 1 { stop } else { end }
}

/// Whether "of" and one name follow: "the premier of Saskatchewan".
fn of_place(text: &str, items: &[Item], range: &Range<usize>) -> bool {
    let [of, place, rest @ ..] = &items[range.end..] else {
        return false;
    };
    let one = rest.first().is_none_or(|next| !next.name());
    of.is_word(text, "of") && place.name() && one
}

/// True where the two words can name one role.
fn same_role(known: &str, word: &str) -> bool {
    known == word || together(SAME_ROLE, known, word)
}

fn together(groups: &[&str], known: &str, word: &str) -> bool {
    groups.iter().any(|group| {
        let mut words = group.split(' ');
        words.clone().any(|one| one == known) && words.any(|one| one == word)
    })
}

/// How far back a description reaches, in occurrences.
const WINDOW: usize = 96;

/// Of the entities spoken of lately the one whose newest occurrence scores most; whoever has been spoken of since costs it 1. Of
/// equals the newest.
fn best(log: &[Occurrence], score: impl Fn(&Occurrence) -> Option<i32>) -> Option<u32> {
    let mut best: Option<(u32, i32)> = None;
    let mut seen: Vec<u32> = Vec::new();
    for occurrence in log[log.len().saturating_sub(WINDOW)..].iter().rev() {
        if seen.contains(&occurrence.entity) {
            continue;
        }
        seen.push(occurrence.entity);
        let score = score(occurrence).map(|score| score - seen.len() as i32);
        if let Some(score) = score.filter(|score| best.is_none_or(|(_, top)| *score > top)) {
            best = Some((occurrence.entity, score));
        }
    }
    best.map(|(entity, _)| entity)
}

/// The person, or the person known by a role, that "the `head`" means. `modifiers` are the other
/// words of the description, in lower case.
pub(crate) fn person(
    entities: &Entities,
    log: &[Occurrence],
    head: &str,
    modifiers: &[String],
    gender: Option<Gender>,
) -> Option<u32> {
    best(log, |occurrence| {
        let entity = entities.get(occurrence.entity);
        let can = matches!(
            entity.kind,
            Kind::Person | Kind::Unknown | Kind::Described(SpeakerKind::Role)
        );
        let clash = gender.is_some() && entity.gender().is_some() && entity.gender() != gender;
        let exact = entity.roles.iter().any(|role| role == head);
        let alike = exact || entity.roles.iter().any(|role| same_role(role, head));
        if !can || clash || !alike {
            return None;
        }
        let shared = modifiers.iter().filter(|word| entity.roles.contains(word));
        let score = 4 * i32::from(exact)
            + 3 * shared.count() as i32
            + 2 * i32::from(occurrence.role == Role::Subject)
            + 2 * i32::from(occurrence.speaks)
            + i32::from(entity.is_person());
        Some(score)
    })
}

/// The person spoken of last, whom "the 61-year-old" means where no age was told before.
fn aged(entities: &Entities, log: &[Occurrence], head: &str) -> Option<u32> {
    let is_subject =
        |other: &&Occurrence| other.role == Role::Subject && entities.get(other.entity).is_person();
    let mut near = log.iter().rev().take(WINDOW);
    let last = is_age(head).then(|| near.find(is_subject)).flatten();
    last.map(|last| last.entity)
}

/// The body that "the `head`" means.
pub(crate) fn body(entities: &Entities, log: &[Occurrence], head: &str) -> Option<u32> {
    best(log, |occurrence| {
        let entity = entities.get(occurrence.entity);
        if entity.kind != Kind::Organisation
            && !(entity.kind == Kind::Unknown && entity.roles.iter().any(|role| role == head))
        {
            return None;
        }
        let mut words = (entity.name.split([' ', '-']))
            .map(|word| word.trim_end_matches(['.', ',']).to_lowercase());
        let exact =
            words.clone().any(|word| word == head) || entity.roles.iter().any(|role| role == head);
        let alike = exact
            || words.any(|word| together(SAME_BODY, &word, head))
            || entity
                .roles
                .iter()
                .any(|role| together(SAME_BODY, role, head));
        alike.then(|| 12 * i32::from(exact) + 2 * i32::from(occurrence.role == Role::Subject))
    })
}

/// The body that led or spoke last in this paragraph, or whose officer did, which "the company" then means, whatever it is
/// called: "Acme denied it. “It is false,” the company said.", "Acme's head, Ada Vey, denied it."
pub(crate) fn firm(
    entities: &Entities,
    log: &[Occurrence],
    head: &str,
    paragraph: u32,
) -> Option<u32> {
    if !matches!(head, "company" | "firm" | "group" | "charity") {
        return None;
    }
    let window = &log[log.len().saturating_sub(WINDOW)..];
    let here = &window[window.partition_point(|other| other.paragraph < paragraph)..];
    let last = here
        .iter()
        .rfind(|other| (other.speaks || other.leads) && !other.quoted)?;
    let is_firm =
        |other: &Occurrence| other.form == Form::Name && entities.get(other.entity).may_be_firm();
    if last.role == Role::Subject && is_firm(last) {
        return Some(last.entity);
    }
    let owner = |pair: &[Occurrence]| {
        let [owner, officer] = pair else { return None };
        let owns = officer.entity == last.entity
            && officer.sentence == owner.sentence
            && owner.role == Role::Possessive
            && is_firm(owner);
        owns.then_some(owner.entity)
    };
    let officer = entities.get(last.entity).is_person();
    officer
        .then(|| here.windows(2).rev().find_map(owner))
        .flatten()
}

/// What kind of speaker a common noun stands for.
pub(crate) fn kind_of(class: Class, capital: bool) -> SpeakerKind {
    match class {
        class if class.is(Class::DOCUMENT) && !capital && !class.is(Class::PERSON_ROLE) => {
            SpeakerKind::Document
        }
        class if class.is(Class::GROUP) => SpeakerKind::Group,
        class if class.is(Class::PERSON_ROLE) => SpeakerKind::Role,
        class if class.is(Class::ORGANISATION) => SpeakerKind::Organisation,
        _ => SpeakerKind::Role,
    }
}

/// A description as it is shown: without "the", and not capitalised for opening its sentence.
pub(super) fn plain(text: &str, items: &[Item]) -> String {
    let from = usize::from(items.len() > 1 && items[0].is_word(text, "the"));
    let words = &text[items[from].span.start..items[items.len() - 1].span.end];
    let first = items[from];
    let common = first.capital
        && first.class.is(Class::DETERMINER
            | Class::POSSESSIVE
            | Class::GROUP
            | Class::ROLE
            | Class::DOCUMENT)
        && from == 0
        && (items.len() > 1 || first.class.is(Class::GROUP) && !is_party(words));
    if !common {
        return words.to_owned();
    }
    // "AN MSP" of a heading: the article whole.
    let article = first.class.is(Class::DETERMINER);
    let small = match article {
        true => first.span.len(),
        false => words.chars().next().map_or(0, char::len_utf8),
    };
    words[..small].to_lowercase() + &words[small..]
}

/// Members of a party are written with a capital wherever they stand.
fn is_party(words: &str) -> bool {
    ["Republicans", "Democrats", "Conservatives", "Liberals"].contains(&words)
}
