//! [`Names`] resolves mentions over the article so far: a surname, a title, a description or a
//! pronoun to the person or body it stands for.
//!
//! Every paragraph is read once, in order: names, descriptions and the pronouns he and she are
//! taken to entities as they come, so that what a mention means depends on the text
//! before it and in its own paragraph alone, and on no finder of quotes. How an entity is *called*
//! is settled at the end: the fullest form of its name in the whole article.

pub mod antecedent;
mod description;
pub(crate) mod entity;
mod interviewee;
mod phrase;
mod possessor;
mod proper;
mod resolve;
mod role;
mod spelling;

use std::ops::Range;

use antecedent::{Asked, Form, Occurrence, Role, best, candidates};
pub use entity::Gender;
use entity::{Entities, Kind};
use phrase::{Name, Phrase, contracted, phrases};
pub(crate) use possessor::owner_in;
pub(crate) use resolve::name_after_note;
use role::{is_address, modifies, role_of, speaks};
pub(crate) use spelling::is_possessive;

use crate::attribution::frame::{Frame, Item};
use crate::attribution::{AttributedQuote, Link, Speaker, SpeakerKind, Step};
use crate::lexicon::Class;
use crate::span::Span;

/// Who has been named so far, in order, and who spoke last.
#[derive(Clone, Debug, Default)]
pub struct Names {
    entities: Entities,
    /// Every place where somebody is spoken of, in the order of the text.
    log: Vec<Occurrence>,
    spoken: Vec<(usize, Resolved)>,
    /// Whose byline the article has: the "I" of a column.
    author: Option<u32>,
    sentence: u32,
    paragraph: u32,
}

/// Sees a pronoun's first byte and, when called for, its candidates with their features.
pub type Watch<'w> = dyn FnMut(usize, &dyn Fn() -> Vec<(String, Vec<f32>)>) + 'w;

/// A mention's speaker and how it was reached.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// The speaker; `None` where nothing is known.
    pub speaker: Option<Speaker>,
    /// The steps that led there, nearest first.
    pub chain: Vec<Step>,
    /// The pronoun that fits, where known.
    pub gender: Option<Gender>,
}

impl Names {
    /// Takes in the next paragraph: its names, descriptions and pronouns.
    pub fn read(&mut self, text: &str, frame: &Frame) {
        self.read_watched(text, frame, &mut |_, _| {});
    }

    /// Takes in the next paragraph and shows each choice of an antecedent to `watch`: the pronoun's
    /// first byte, and the candidates' names with their [features](antecedent::FEATURES), from which
    /// the weights are fitted.
    pub fn read_watched(&mut self, text: &str, frame: &Frame, watch: &mut Watch) {
        self.paragraph += 1;
        let items = &frame.items;
        let heading = is_heading(items);
        if let Some(author) = byline(text, items) {
            let phrases = phrases(text, items, author, false, &|_| false);
            if let Some(Phrase::Name(name)) = phrases.first() {
                self.author = Some(self.entities.name(text, items, name).0);
            }
            return;
        }
        for sentence in &frame.sentences {
            self.sentence += 1;
            self.read_sentence(text, items, sentence, heading, watch);
        }
    }

    fn phrases(
        &self,
        text: &str,
        items: &[Item],
        range: Range<usize>,
        heading: bool,
    ) -> Vec<Phrase> {
        let is_surname = |word: &str| self.entities.is_surname(word);
        phrases(text, items, range, heading, &is_surname)
    }

    fn read_sentence(
        &mut self,
        text: &str,
        items: &[Item],
        sentence: &Range<usize>,
        heading: bool,
        watch: &mut Watch,
    ) {
        let mut passages = sentence
            .clone()
            .filter(|&at| items[at].passage.is_some())
            .peekable();
        let first = self.log.len();
        let mut led = false;
        for phrase in self.phrases(text, items, sentence.clone(), heading) {
            let start = match &phrase {
                Phrase::Name(name) => name.titles.start,
                Phrase::Description(description) => description.words.start,
                Phrase::Pronoun(at) => *at,
            };
            while let Some(at) = passages.next_if(|&at| at < start) {
                self.read_passage(text, items[at].passage);
            }
            self.take(
                text, items, sentence, &phrase, first, heading, &mut led, watch,
            );
        }
        for at in passages {
            self.read_passage(text, items[at].passage);
        }
    }

    /// One phrase to its entity and into the log.
    #[allow(clippy::too_many_arguments)]
    fn take(
        &mut self,
        text: &str,
        items: &[Item],
        sentence: &Range<usize>,
        phrase: &Phrase,
        first: usize,
        heading: bool,
        led: &mut bool,
        watch: &mut Watch,
    ) {
        let span = |range: &Range<usize>| {
            let last = items[range.end - 1].span;
            let words = last.of(text);
            let bare = spelling::without_possessive(words).len();
            Span::new(items[range.start].span.start, last.start + bare)
        };
        let (entity, form, link, range, possessive) = match phrase {
            Phrase::Name(name) => {
                if heading && !self.worth_reading(items, name) {
                    return;
                }
                let (entity, link) = self.entities.name(text, items, name);
                self.describe(text, items, sentence, name, entity);
                if modifies(text, items, sentence, name) || is_address(text, items, sentence, name)
                {
                    return;
                }
                (
                    entity,
                    Form::Name,
                    link,
                    name.titles.start..name.words.end,
                    name.possessive,
                )
            }
            Phrase::Description(description) => {
                let entity = self.described(text, items, sentence, description);
                (
                    entity,
                    Form::Description,
                    Link::Description,
                    description.words.clone(),
                    false,
                )
            }
            Phrase::Pronoun(at) => {
                let item = items[*at];
                let gender = if item.first.eq_ignore_ascii_case(&'h')
                    && !item.span.of(text)[1..].starts_with("er")
                {
                    Gender::Male
                } else {
                    Gender::Female
                };
                if !item.class.is(Class::STRONG_PRONOUN) && contracted(item.span.of(text)).is_none()
                {
                    if is_possessive_pronoun(text, items, *at, sentence) {
                        self.hint(first, gender);
                    }
                    return;
                }
                let asked = self.asked(items, *at, sentence, gender);
                let candidates = candidates(&self.entities, &self.log, &asked);
                watch(asked.at, &|| {
                    let shown = candidates.iter();
                    shown
                        .map(|(entity, features)| {
                            (self.entities.display(*entity), features.to_vec())
                        })
                        .collect()
                });
                let Some(entity) = best(&candidates) else {
                    return;
                };
                self.bind(entity, gender);
                (entity, Form::Pronoun, Link::Pronoun, *at..at + 1, false)
            }
        };
        let role = role_of(items, sentence, &range, possessive);
        let leads = role == Role::Subject && !*led;
        *led |= leads;
        self.log.push(Occurrence {
            span: span(&range),
            entity,
            sentence: self.sentence,
            paragraph: self.paragraph,
            role,
            form,
            link,
            quoted: false,
            speaks: speaks(items, sentence, &range),
            leads,
        });
    }

    fn asked(&self, items: &[Item], at: usize, sentence: &Range<usize>, gender: Gender) -> Asked {
        Asked {
            at: items[at].span.start,
            sentence: self.sentence,
            paragraph: self.paragraph,
            gender,
            speaks: speaks(items, sentence, &(at..at + 1)),
            opens: at == sentence.start,
        }
    }

    fn bind(&mut self, entity: u32, gender: Gender) {
        let bound = self.entities.get_mut(entity);
        bound.tell_person();
        if bound.gender().is_none() {
            bound.hint(Some(gender), 1);
        }
    }

    /// His and her after the sentence's only person tell which pronoun fits.
    fn hint(&mut self, first: usize, gender: Gender) {
        let mut people = self.log[first..]
            .iter()
            .filter(|occurrence| occurrence.form == Form::Name);
        let (Some(one), None) = (people.next(), people.next()) else {
            return;
        };
        if one.role != Role::Subject {
            return;
        }
        let entity = self.entities.get_mut(one.entity);
        if entity.gender().is_none() && entity.kind != Kind::Organisation {
            entity.hint(Some(gender), 2);
        }
    }

    /// In a heading, where every word has a capital, only what is surely a name.
    fn worth_reading(&self, items: &[Item], name: &Name) -> bool {
        let words = &items[name.words.clone()];
        words.len() <= 3
            && words.len() > 1
            && words[0].class.is(Class::MALE | Class::FEMALE)
            && words[1..].iter().all(|word| {
                word.class == Class::default()
                    || word
                        .class
                        .is(Class::ABBREVIATION | Class::MALE | Class::FEMALE | Class::PARTICLE)
            })
    }

    /// Names between quotation marks; who is named there is seldom the next subject.
    fn read_passage(&mut self, text: &str, passage: Option<Span>) {
        let Some(inner) = passage else { return };
        if !inner
            .of(text)
            .bytes()
            .any(|byte| byte.is_ascii_uppercase() || byte >= 0x80)
        {
            return;
        }
        let items: Vec<Item> = Item::all_outside(text, inner).collect();
        let mut start = 0;
        for at in 0..items.len() {
            let ends = matches!(items[at].first, '.' | '!' | '?') && !items[at].word
                || at + 1 == items.len();
            if !ends {
                continue;
            }
            for phrase in self.phrases(text, &items, start..at + 1, false) {
                let Phrase::Name(name) = phrase else { continue };
                let (entity, link) = self.entities.name(text, &items, &name);
                self.log.push(Occurrence {
                    span: Span::new(
                        items[name.titles.start.min(name.words.start)].span.start,
                        items[name.words.end - 1].span.end,
                    ),
                    entity,
                    sentence: self.sentence,
                    paragraph: self.paragraph,
                    role: Role::Other,
                    form: Form::Name,
                    link,
                    quoted: true,
                    speaks: false,
                    leads: false,
                });
            }
            start = at + 1;
        }
    }

    /// Remembers who spoke at this place.
    pub fn spoke(&mut self, at: usize, resolved: &Resolved) {
        self.spoken.push((at, resolved.clone()));
        if self.spoken.len() > 8 {
            self.spoken.remove(0);
        }
    }

    /// Whether somebody has been named by this word.
    pub(crate) fn knows_person(&self, word: &str) -> bool {
        self.entities.know_person(word)
    }

    /// Gives every speaker the fullest name that the whole article has for them, and ends every
    /// chain where that name stands.
    pub fn settle(&self, quotes: &mut [AttributedQuote]) {
        for quote in quotes {
            let attribution = &mut quote.attribution;
            let Some(speaker) = &mut attribution.speaker else {
                continue;
            };
            let Some(index) = speaker.entity else {
                continue;
            };
            let entity = self.entities.get(index);
            if matches!(entity.kind, Kind::Described(_)) || speaker.kind == SpeakerKind::Document {
                continue;
            }
            speaker.name = self.entities.display(index);
            speaker.kind = resolve::kind_of(entity);
            let at = attribution
                .chain
                .last()
                .map(|step| step.span)
                .or(attribution.mention);
            if at.is_some_and(|at| !at.contains(entity.place)) {
                attribution.chain.push(Step {
                    span: entity.place,
                    link: Link::Name,
                });
            }
        }
    }
}

/// "His pier", "her pier"; not "gave her no answer", whom the subject is not.
fn is_possessive_pronoun(text: &str, items: &[Item], at: usize, sentence: &Range<usize>) -> bool {
    let object = Class::DETERMINER
        | Class::PREPOSITION
        | Class::NEGATION
        | Class::SUBORDINATOR
        | Class::COORDINATOR
        | Class::AUX
        | Class::MODAL
        | Class::POSSESSIVE
        | Class::PRONOUN;
    let next = items.get(at + 1).filter(|_| at + 1 < sentence.end);
    let owned = next.is_some_and(|next| next.word && !next.class.is(object));
    let word = items[at].span.of(text);
    word.eq_ignore_ascii_case("his") || word.eq_ignore_ascii_case("her") && owned
}

/// A heading has most of its words in capitals, or all in capital letters, and no full stop.
fn is_heading(items: &[Item]) -> bool {
    if items.len() > 30
        || items
            .last()
            .is_none_or(|last| !last.word && matches!(last.first, '.' | ','))
    {
        return false;
    }
    let words = items.iter().filter(|item| item.word && item.span.len() > 3);
    let (count, capitals) = words.fold((0, 0), |(count, capitals), item| {
        (count + 1, capitals + usize::from(item.capital))
    });
    count >= 4 && capitals * 10 >= count * 8
}

/// "By Dena Whitcomb, Staff Writer": the words after "By".
fn byline(text: &str, items: &[Item]) -> Option<Range<usize>> {
    let first = items.first()?;
    let by = first.is_word(text, "by") || first.is_word(text, "words") && items.get(1)?.sign(':');
    let from = if first.is_word(text, "by") { 1 } else { 2 };
    let short = items.len() <= 14 && items.last().is_some_and(|last| last.word);
    (by && short && items.get(from).is_some_and(Item::name)).then_some(from..items.len())
}
