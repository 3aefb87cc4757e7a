//! Whom a description means: "the senator", "the company", "the group".

use super::antecedent::{Form, Occurrence, Role};
use super::entity::{Entities, Gender, Kind};
use crate::attribution::SpeakerKind;
use crate::lexicon::Class;

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
    "reverend rev pastor minister vicar",
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

/// The person, or the person known by a role, that "the `head`" means. `modifiers` are the other
/// words of the description, in lower case.
pub(crate) fn person(
    entities: &Entities,
    log: &[Occurrence],
    head: &str,
    modifiers: &[String],
    gender: Option<Gender>,
) -> Option<u32> {
    let mut best: Option<(u32, i32)> = None;
    let mut seen: Vec<u32> = Vec::new();
    for occurrence in log[log.len().saturating_sub(WINDOW)..].iter().rev() {
        if seen.contains(&occurrence.entity) {
            continue;
        }
        seen.push(occurrence.entity);
        let entity = entities.get(occurrence.entity);
        let can = matches!(
            entity.kind,
            Kind::Person | Kind::Unknown | Kind::Described(SpeakerKind::Role)
        );
        let clash = gender.is_some() && entity.gender().is_some() && entity.gender() != gender;
        if !can || clash {
            continue;
        }
        let exact = entity.roles.iter().any(|role| role == head);
        if !exact && !entity.roles.iter().any(|role| same_role(role, head)) {
            continue;
        }
        let shared = modifiers
            .iter()
            .filter(|word| entity.roles.contains(word))
            .count() as i32;
        let score = 4 * i32::from(exact)
            + 3 * shared
            + 2 * i32::from(occurrence.role == Role::Subject)
            + 2 * i32::from(occurrence.speaks)
            + i32::from(entity.is_person())
            - seen.len() as i32;
        if best.is_none_or(|(_, top)| score > top) {
            best = Some((occurrence.entity, score));
        }
    }
    best.map(|(entity, _)| entity)
}

/// The body that "the `head`" means.
pub(crate) fn body(entities: &Entities, log: &[Occurrence], head: &str) -> Option<u32> {
    let mut best: Option<(u32, i32)> = None;
    let mut seen: Vec<u32> = Vec::new();
    for occurrence in log[log.len().saturating_sub(WINDOW)..].iter().rev() {
        if seen.contains(&occurrence.entity) {
            continue;
        }
        seen.push(occurrence.entity);
        let entity = entities.get(occurrence.entity);
        if entity.kind != Kind::Organisation
            && !(entity.kind == Kind::Unknown && entity.roles.iter().any(|role| role == head))
        {
            continue;
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
        if !alike {
            continue;
        }
        let score = 12 * i32::from(exact) + 2 * i32::from(occurrence.role == Role::Subject)
            - seen.len() as i32;
        if best.is_none_or(|(_, top)| score > top) {
            best = Some((occurrence.entity, score));
        }
    }
    best.map(|(entity, _)| entity)
}

/// The firm that spoke last in this paragraph, which "the company" then means, whatever it is called:
/// "Acme denied it. “It is false,” the company said."
pub(crate) fn firm(
    entities: &Entities,
    log: &[Occurrence],
    head: &str,
    paragraph: u32,
) -> Option<u32> {
    if !matches!(head, "company" | "firm") {
        return None;
    }
    let here = (log.iter().rev().take(WINDOW)).take_while(|other| other.paragraph == paragraph);
    let mut speaking = here.filter(|other| other.speaks && !other.quoted);
    let last = speaking.next()?;
    let entity = entities.get(last.entity);
    let firm = match entity.kind {
        Kind::Organisation => true,
        // "Fathom", "Fathom AI": a person is first called by two names.
        Kind::Unknown => {
            let mut rest = entity.name.split(' ').skip(1);
            entity.gender().is_none()
                && rest.all(|word| word.len() > 1 && word.chars().all(char::is_uppercase))
        }
        Kind::Person | Kind::Described(_) => false,
    };
    (firm && last.form == Form::Name && last.role == Role::Subject).then_some(last.entity)
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
