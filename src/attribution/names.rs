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
mod parse;
mod phrase;
mod possessor;
mod proper;
mod resolve;
mod role;
mod sentence;
mod spelling;

use std::ops::Range;

use antecedent::{Asked, Form, Occurrence, Role, best, candidates};
pub use entity::Gender;
use entity::{Entities, Kind};
use parse::{contracted, gender_of_pronoun, phrases};
use phrase::{Name, Phrase};
pub(crate) use possessor::owner_in;
pub(crate) use resolve::name_after_note;
use role::{is_address, modifies, role_of, speaks};
use sentence::Sentence;
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
            let phrases = phrases(&Sentence::new(text, items, author), &|_| false);
            if let Some(Phrase::Name(name)) = phrases.first() {
                self.author = Some(self.entities.name(text, items, name).0);
            }
            return;
        }
        for range in &frame.sentences {
            self.sentence += 1;
            let mut sentence = Sentence::new(text, items, range.clone());
            sentence.heading = heading;
            self.read_sentence(&sentence, watch);
        }
    }

    fn phrases(&self, sentence: &Sentence) -> Vec<Phrase> {
        phrases(sentence, &|word| self.entities.is_surname(word))
    }

    fn read_sentence(&mut self, sentence: &Sentence, watch: &mut Watch) {
        let passages = sentence.items[sentence.start..sentence.end].iter();
        let mut passages = passages.filter_map(|item| item.passage).peekable();
        let first = self.log.len();
        let mut led = false;
        for phrase in self.phrases(sentence) {
            let start = sentence.items[phrase.start()].span.start;
            while let Some(passage) = passages.next_if(|passage| passage.start < start) {
                self.read_passage(sentence.text, passage);
            }
            let Some(mut occurrence) = self.take(sentence, &phrase, first, watch) else {
                continue;
            };
            occurrence.leads = occurrence.role == Role::Subject && !led;
            led |= occurrence.leads;
            self.log.push(occurrence);
        }
        for passage in passages {
            self.read_passage(sentence.text, passage);
        }
    }

    /// Takes one phrase to its entity; the sentence's occurrences begin at `first` in the log.
    fn take(
        &mut self,
        sentence: &Sentence,
        phrase: &Phrase,
        first: usize,
        watch: &mut Watch,
    ) -> Option<Occurrence> {
        let Sentence { text, items, .. } = *sentence;
        let (entity, form, link, range, possessive) = match phrase {
            Phrase::Name(name) => {
                if sentence.heading && !self.worth_reading(items, name) {
                    return None;
                }
                let (entity, link) = self.entities.name(text, items, name);
                self.describe(sentence, name, entity);
                if modifies(sentence, name) || is_address(sentence, name) {
                    return None;
                }
                let range = name.start()..name.words.end;
                (entity, Form::Name, link, range, name.possessive)
            }
            Phrase::Description(description) => {
                let entity = self.described(sentence, description);
                let range = description.words.clone();
                (entity, Form::Description, Link::Description, range, false)
            }
            &Phrase::Pronoun(at) => {
                let gender = gender_of_pronoun(sentence.word(at))?;
                let strong = items[at].class.is(Class::STRONG_PRONOUN);
                if !strong && contracted(sentence.word(at)).is_none() {
                    if is_possessive_pronoun(sentence, at) {
                        self.hint(first, gender);
                    }
                    return None;
                }
                let entity = self.antecedent(sentence, at, gender, watch)?;
                (entity, Form::Pronoun, Link::Pronoun, at..at + 1, false)
            }
        };
        let last = items[range.end - 1].span;
        let bare = spelling::without_possessive(last.of(text)).len();
        Some(Occurrence {
            span: Span::new(items[range.start].span.start, last.start + bare),
            entity,
            sentence: self.sentence,
            paragraph: self.paragraph,
            role: role_of(sentence, &range, possessive),
            form,
            link,
            quoted: false,
            speaks: speaks(sentence, &range),
            leads: false,
        })
    }

    /// Whom he or she means, who is a person from here on.
    fn antecedent(
        &mut self,
        sentence: &Sentence,
        at: usize,
        gender: Gender,
        watch: &mut Watch,
    ) -> Option<u32> {
        let asked = Asked {
            at: sentence.items[at].span.start,
            sentence: self.sentence,
            paragraph: self.paragraph,
            gender,
            speaks: speaks(sentence, &(at..at + 1)),
            opens: at == sentence.start,
        };
        let candidates = candidates(&self.entities, &self.log, &asked);
        watch(asked.at, &|| {
            let shown = candidates.iter();
            shown
                .map(|(entity, features)| (self.entities.display(*entity), features.to_vec()))
                .collect()
        });
        let entity = best(&candidates)?;
        let bound = self.entities.get_mut(entity);
        bound.tell_person();
        if bound.gender().is_none() {
            bound.hint(Some(gender), 1);
        }
        Some(entity)
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
    fn read_passage(&mut self, text: &str, inner: Span) {
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
            for phrase in self.phrases(&Sentence::new(text, &items, start..at + 1)) {
                let Phrase::Name(name) = phrase else { continue };
                let (entity, link) = self.entities.name(text, &items, &name);
                self.log.push(Occurrence {
                    span: Span::new(
                        items[name.start()].span.start,
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
            speaker.kind = entity.speaker_kind();
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
fn is_possessive_pronoun(sentence: &Sentence, at: usize) -> bool {
    let object = Class::DETERMINER
        | Class::PREPOSITION
        | Class::NEGATION
        | Class::SUBORDINATOR
        | Class::COORDINATOR
        | Class::AUX
        | Class::MODAL
        | Class::POSSESSIVE
        | Class::PRONOUN;
    let next = sentence.get(at + 1);
    let owned = next.is_some_and(|next| next.word && !next.class.is(object));
    let word = sentence.word(at);
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
