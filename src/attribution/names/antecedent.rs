//! Which of those named before a pronoun it stands for: a log-linear choice over the newest
//! `Occurrence`s, its weights learned.

use super::entity::{Entities, Gender, Kind};
use super::spelling::folded;
use crate::attribution::{Link, SpeakerKind};
use crate::lexicon::{Class, class_of};
use crate::span::Span;

/// One place where somebody is spoken of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occurrence {
    /// The name with its titles, the description or the pronoun.
    pub span: Span,
    /// Who it is.
    pub entity: u32,
    /// Number of the sentence, over the article.
    pub sentence: u32,
    /// Number of the paragraph.
    pub paragraph: u32,
    /// What it is in its sentence.
    pub role: Role,
    /// What it is made of.
    pub form: Form,
    /// How it leads to its entity.
    pub link: Link,
    /// It stands between quotation marks.
    pub quoted: bool,
    /// It stands beside a verb of speech.
    pub speaks: bool,
    /// It is the first subject of its sentence.
    pub leads: bool,
}

/// What a phrase is in its sentence, as far as its neighbours tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A finite verb follows.
    Subject,
    /// It ends in 's, or is his or her.
    Possessive,
    /// A preposition stands before it.
    Oblique,
    /// Anything else, such as an object.
    Other,
}

/// What an occurrence is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A name.
    Name,
    /// A common noun.
    Description,
    /// A pronoun.
    Pronoun,
}

/// The pronoun asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub at: usize,
    pub sentence: u32,
    pub paragraph: u32,
    pub gender: Gender,
    /// It stands beside a verb of speech.
    pub speaks: bool,
    /// It begins its sentence.
    pub opens: bool,
}

/// How far back to look, in occurrences: bounds the time of one choice.
const WINDOW: usize = 64;

macro_rules! features {
    ($($name:ident = $weight:literal,)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[derive(Clone, Copy)]
        enum Feature { $($name,)* }
        /// The features' names, in the order of the weights.
        pub const FEATURES: &[&str] = &[$(stringify!($name),)*];
        const WEIGHTS: &[f32] = &[$($weight,)*];
    };
}

// Fitted by training/fit_antecedents.py on PolNeAR's train part (labels: training/pronouns.train.tsv
// and the corpus's own hand-given names) and the own-written articles of
// training/data/own_articles_3.jsonl: multinomial logistic regression over the candidates of each
// pronoun, L2 penalty. Right, cross-validated: 94.8 % and 96.3 %.
features! {
    gender_known = 0.80,
    person = 1.68,
    unknown_kind = -0.53,
    described = -1.15,
    same_sentence = 0.53,
    sentence_before = 0.78,
    two_before = -0.40,
    far = -1.48,
    same_paragraph = 1.50,
    paragraph_before = 0.80,
    subject = 0.06,
    possessive = -0.31,
    oblique = -0.40,
    leads_near = 0.37,
    quoted_only = -0.50,
    spoke_last = 0.12,
    spoke_before = -0.18,
    spoke_last_speech = 0.41,
    newest = -0.24,
    second_newest = -0.12,
    often = 0.61,
    same_pronoun = 0.13,
    opens_and_led = 0.50,
    speech_and_led = 0.67,
    spoke_just = 0.34,
    described_spoke = -0.46,
    introduced = 1.58,
    introduced_leads = 0.59,
    led_paragraph = 0.72,
    single_word = -0.62,
}

struct Candidate {
    entity: u32,
    newest: Occurrence,
    /// Its newest occurrence outside quotation marks.
    open: bool,
    count: u32,
    led: bool,
    spoke: bool,
    pronoun: bool,
    rank: usize,
}

/// The candidate of the highest score; of equals the newest.
pub(crate) fn best(candidates: &[(u32, [f32; FEATURES.len()])]) -> Option<u32> {
    let score =
        |features: &[f32]| -> f32 { features.iter().zip(WEIGHTS).map(|(x, w)| x * w).sum() };
    candidates
        .iter()
        .map(|(entity, features)| (*entity, score(features)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(entity, _)| entity)
}

/// Those who can be meant, newest first, with their features `[candidate, feature]`.
pub(crate) fn candidates(
    entities: &Entities,
    log: &[Occurrence],
    asked: &Asked,
) -> Vec<(u32, [f32; FEATURES.len()])> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut last_speaker = None;
    // The first subject of the pronoun's paragraph.
    let mut paragraph_lead = None;
    for occurrence in log[log.len().saturating_sub(WINDOW)..].iter().rev() {
        if occurrence.span.start >= asked.at {
            continue;
        }
        if last_speaker.is_none() && occurrence.speaks && !occurrence.quoted {
            last_speaker = Some(occurrence.entity);
        }
        if occurrence.leads && !occurrence.quoted && occurrence.paragraph == asked.paragraph {
            paragraph_lead = Some(occurrence.entity);
        }
        let known = found
            .iter_mut()
            .find(|candidate| candidate.entity == occurrence.entity);
        let candidate = match known {
            Some(candidate) => {
                if !candidate.open && !occurrence.quoted {
                    candidate.newest = *occurrence;
                }
                candidate
            }
            None => {
                let entity = entities.get(occurrence.entity);
                let can = match entity.kind {
                    Kind::Organisation => false,
                    Kind::Described(kind) => kind == SpeakerKind::Role,
                    Kind::Unknown => may_be_somebody(&entity.name),
                    Kind::Person => true,
                };
                if !can || !entity.may_be(asked.gender) {
                    continue;
                }
                found.push(Candidate {
                    entity: occurrence.entity,
                    newest: *occurrence,
                    open: false,
                    count: 0,
                    led: false,
                    spoke: false,
                    pronoun: occurrence.form == Form::Pronoun
                        && occurrence.role != Role::Possessive,
                    rank: found.len(),
                });
                found.last_mut().expect("it was just pushed")
            }
        };
        candidate.open |= !occurrence.quoted;
        candidate.count += u32::from(!occurrence.quoted);
        candidate.led |=
            occurrence.leads && !occurrence.quoted && asked.sentence - occurrence.sentence <= 1;
        candidate.spoke |= occurrence.speaks && !occurrence.quoted;
    }
    found
        .into_iter()
        .map(|candidate| {
            let mut x = [0.0; FEATURES.len()];
            let mut set = |feature: Feature, value: f32| x[feature as usize] = value;
            let entity = entities.get(candidate.entity);
            let newest = candidate.newest;
            let flag = |truth: bool| f32::from(u8::from(truth));
            set(
                Feature::gender_known,
                flag(entity.gender() == Some(asked.gender)),
            );
            set(Feature::person, flag(entity.kind == Kind::Person));
            set(Feature::unknown_kind, flag(entity.kind == Kind::Unknown));
            set(
                Feature::described,
                flag(matches!(entity.kind, Kind::Described(_))),
            );
            let sentences = asked.sentence - newest.sentence;
            set(Feature::same_sentence, flag(sentences == 0));
            set(Feature::sentence_before, flag(sentences == 1));
            set(Feature::two_before, flag(sentences == 2));
            set(Feature::far, (sentences.saturating_sub(2) as f32).ln_1p());
            let paragraphs = asked.paragraph - newest.paragraph;
            set(Feature::same_paragraph, flag(paragraphs == 0));
            set(Feature::paragraph_before, flag(paragraphs == 1));
            set(Feature::subject, flag(newest.role == Role::Subject));
            set(Feature::possessive, flag(newest.role == Role::Possessive));
            set(Feature::oblique, flag(newest.role == Role::Oblique));
            set(Feature::leads_near, flag(candidate.led));
            set(Feature::quoted_only, flag(!candidate.open));
            let spoke_last = last_speaker == Some(candidate.entity);
            set(Feature::spoke_last, flag(spoke_last));
            set(Feature::spoke_before, flag(candidate.spoke && !spoke_last));
            set(Feature::spoke_last_speech, flag(spoke_last && asked.speaks));
            set(Feature::newest, flag(candidate.rank == 0));
            set(Feature::second_newest, flag(candidate.rank == 1));
            set(Feature::often, (candidate.count as f32).ln_1p());
            set(Feature::same_pronoun, flag(candidate.pronoun));
            set(Feature::opens_and_led, flag(asked.opens && candidate.led));
            set(Feature::speech_and_led, flag(asked.speaks && candidate.led));
            set(Feature::spoke_just, flag(spoke_last && sentences <= 1));
            let described = matches!(entity.kind, Kind::Described(_));
            set(Feature::described_spoke, flag(described && spoke_last));
            let words = entity.name.split(' ').count();
            let introduced =
                candidate.count == 1 && paragraphs == 0 && newest.form == Form::Name && words > 1;
            set(Feature::introduced, flag(introduced));
            set(Feature::introduced_leads, flag(introduced && newest.leads));
            let led_paragraph = paragraph_lead == Some(candidate.entity);
            set(Feature::led_paragraph, flag(led_paragraph));
            let single = entity.kind == Kind::Unknown && words == 1;
            set(Feature::single_word, flag(single));
            (candidate.entity, x)
        })
        .collect()
}

/// False of what is surely no person's name.
pub(crate) fn may_be_somebody(name: &str) -> bool {
    !is_code(name) && !is_thing(name)
}

/// True of what is nobody's name: initials, numbers and brands ("NDP", "R41", "Sh2.2", "OpenQuill").
fn is_code(name: &str) -> bool {
    let brand = || {
        let (mut letters, mut small) = (name.chars(), 0);
        letters.any(|letter| {
            small = if letter.is_lowercase() { small + 1 } else { 0 };
            small > 3
        }) && letters.any(|letter| letter.is_uppercase())
    };
    !name.contains(' ')
        && (name.contains(|letter: char| letter.is_ascii_digit())
            || name.len() > 1 && name.chars().all(|letter| letter.is_uppercase())
            || !name.contains('-') && brand())
}

/// True of "Clean Heat Act", "Blount County".
fn is_thing(name: &str) -> bool {
    let last = name.rsplit_once(' ');
    last.is_some_and(|(_, word)| class_of(&folded(word)).is(Class::THING))
}
