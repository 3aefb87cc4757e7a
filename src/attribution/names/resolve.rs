//! From a mention to its speaker: what was read at that place, or, where nothing was, the words
//! themselves.

use std::ops::Range;

use super::antecedent::{Form, Occurrence, Role};
use super::entity::{Kind, gender_of};
use super::parse::{contracted, gender_of_pronoun};
use super::phrase::{NOUNS, Phrase};
use super::possessor::{is_saying, owner_in};
use super::proper::is_honour;
use super::sentence::Sentence;
use super::{Names, Resolved, description};
use crate::attribution::frame::Item;
use crate::attribution::{Link, Speaker, SpeakerKind, Step};
use crate::lexicon::{Class, class_of};
use crate::span::Span;

/// How far back a mention looks for what it stands for, in occurrences.
const WINDOW: usize = 96;

impl Names {
    /// Who a mention is, given the items it consists of, of a paragraph that has been read. It does
    /// not matter who found the mention. Without items nothing is known.
    pub fn resolve(&mut self, text: &str, items: &[Item]) -> Resolved {
        let (Some(first), Some(last)) = (items.first(), items.last()) else {
            return Resolved::default();
        };
        let span = Span::new(first.span.start, last.span.end);
        let pronoun = Class::STRONG_PRONOUN | Class::OBJECT_PRONOUN | Class::SUBORDINATOR;
        let possessive = first.is_word(text, "his") || first.is_word(text, "her");
        let contraction = contracted(first.span.of(text)).is_some();
        let bare = (first.class.is(pronoun) || possessive) && !first.name();
        if items.len() == 1 && (bare || contraction) {
            return self.pronoun(text, first, span);
        }
        if let Some(spoken) = self.spoken_by(text, items, span) {
            return spoken;
        }
        if let Some(joint) = self.coordinated(text, items, span) {
            return joint;
        }
        let mut head = head_end(text, items);
        // "Leader of Opposition Farida Qureshi", "Secretary of State John Kerry": titles with "of".
        let titled = head < items.len()
            && items[head].is_word(text, "of")
            && items[head - 1].class.is(Class::TITLE);
        if titled && last.name() {
            let full = self
                .within(span)
                .iter()
                .rev()
                .find(|other| other.span.overlaps(last.span));
            if full.is_some_and(|other| {
                other.form == Form::Name && self.entities.get(other.entity).is_person()
            }) {
                head = items.len();
            }
        }
        let at_head = items[head - 1].span;
        let within = self.within(span);
        let covering = within
            .iter()
            .rev()
            .find(|occurrence| {
                occurrence.form != Form::Pronoun && occurrence.span.overlaps(at_head)
            })
            .copied();
        match covering {
            Some(occurrence) if !self.is_own_description(&occurrence) => {
                self.entity(&occurrence, span)
            }
            Some(occurrence) => self.description(text, items, head, Some(occurrence), span),
            None => self.unread(text, items, head, span),
        }
    }

    /// Who a mention is, given its place.
    pub(crate) fn resolve_words(&mut self, text: &str, mention: Span) -> Resolved {
        let items: Vec<Item> = Item::all_outside(text, mention).collect();
        self.resolve(text, &items)
    }

    /// "Transcript as follows:": of whoever spoke last.
    fn spoken_by(&self, text: &str, items: &[Item], mention: Span) -> Option<Resolved> {
        let [.., noun] = items else { return None };
        if items.len() > 2 || !noun.is_word(text, "transcript") {
            return None;
        }
        let (_, last) = self.spoken.last()?;
        let speaker = last.speaker.clone()?;
        let place = self
            .before(mention.start)
            .find(|other| Some(other.entity) == speaker.entity)?
            .span;
        Some(Resolved {
            speaker: Some(speaker),
            chain: vec![Step {
                span: place,
                link: Link::Possessor,
            }],
            gender: last.gender,
        })
    }

    /// The occurrences that begin inside a span.
    pub(super) fn within(&self, span: Span) -> &[Occurrence] {
        let place = |byte: usize| self.log.partition_point(|other| other.span.start < byte);
        let from = place(span.start);
        &self.log[from..place(span.end).max(from)]
    }

    /// The newest occurrences before a place, newest first.
    pub(super) fn before(&self, byte: usize) -> impl Iterator<Item = &Occurrence> {
        let to = self.log.partition_point(|other| other.span.start < byte);
        self.log[..to].iter().rev().take(WINDOW)
    }

    /// True where an entity is known by this very description and no other.
    fn is_own_description(&self, occurrence: &Occurrence) -> bool {
        let entity = self.entities.get(occurrence.entity);
        matches!(entity.kind, Kind::Described(_)) && entity.place.start == occurrence.span.start
    }

    /// An entity as the speaker of a mention that stands for it.
    fn entity(&self, occurrence: &Occurrence, mention: Span) -> Resolved {
        let entity = self.entities.get(occurrence.entity);
        let mut chain = Vec::new();
        let mut link = occurrence.link;
        if occurrence.form != Form::Name {
            let named = self
                .before(mention.start)
                .find(|other| other.entity == occurrence.entity && other.form != Form::Pronoun);
            if let Some(named) = named {
                chain.push(Step {
                    span: named.span,
                    link,
                });
                link = named.link;
            }
        }
        let from = chain.last().map_or(mention, |step| step.span);
        if !from.overlaps(entity.place) {
            chain.push(Step {
                span: entity.place,
                link,
            });
        }
        Resolved {
            speaker: Some(Speaker {
                name: self.entities.display(occurrence.entity),
                kind: entity.speaker_kind(),
                entity: Some(occurrence.entity),
            }),
            chain,
            gender: entity.gender(),
        }
    }

    /// "Otis Pell and his daughter, Renee Pell-Hardy".
    fn coordinated(&self, text: &str, items: &[Item], mention: Span) -> Option<Resolved> {
        let and = items.iter().position(|item| item.is_word(text, "and"))?;
        let and = items[and].span;
        let named: Vec<Occurrence> = self
            .within(mention)
            .iter()
            .filter(|occurrence| occurrence.form == Form::Name)
            .filter(|occurrence| !describes(text, occurrence.span, mention))
            .copied()
            .collect();
        // "Securities and Exchange Commission" is one name.
        let one = named.iter().any(|occurrence| occurrence.span.overlaps(and));
        let sides = named
            .iter()
            .any(|occurrence| occurrence.span.end <= and.start)
            && named
                .iter()
                .any(|occurrence| occurrence.span.start >= and.end);
        if one
            || !sides
            || named
                .iter()
                .any(|occurrence| occurrence.role == Role::Possessive)
        {
            return None;
        }
        let mut members: Vec<u32> = Vec::new();
        let mut chain = Vec::new();
        for occurrence in &named {
            if !members.contains(&occurrence.entity) {
                members.push(occurrence.entity);
                chain.push(Step {
                    span: occurrence.span,
                    link: Link::Coordination,
                });
            }
        }
        let names: Vec<String> = members
            .iter()
            .map(|&one| self.entities.display(one))
            .collect();
        let (last, others) = names.split_last()?;
        if others.is_empty() {
            return None;
        }
        Some(Resolved {
            speaker: Some(Speaker {
                name: format!("{} and {last}", others.join(", ")),
                kind: SpeakerKind::Group,
                entity: None,
            }),
            chain,
            gender: None,
        })
    }

    /// A speaker known by a description: "two officials", "its petition", "a spokesman for X".
    fn description(
        &mut self,
        text: &str,
        items: &[Item],
        head: usize,
        occurrence: Option<Occurrence>,
        mention: Span,
    ) -> Resolved {
        let noun = items[..head].iter().rev().find(|item| item.class.is(NOUNS));
        let kind = noun.map_or(SpeakerKind::Role, |item| {
            description::kind_of(item.class, item.capital)
        });
        let gender = items[..head]
            .iter()
            .rev()
            .find_map(|item| gender_of(item.class, true));
        let mut name = description::plain(text, items);
        let mut chain = Vec::new();
        let owner = owner_in(&items[..head - 1], text);
        if let Some(owner) = owner
            && let Some((owning, place)) = self.owner(text, items, owner)
        {
            chain.push(Step {
                span: place,
                link: Link::Possessor,
            });
            // A petition, a letter or a placard speaks for whoever wrote it, and so does a verdict.
            let speaks_for =
                kind == SpeakerKind::Document || is_saying(items[head - 1].span.of(text));
            name = match speaks_for {
                true => self.entities.display(owning),
                false => self.owned(text, items, owner, owning),
            };
        }
        if owner.is_none()
            && let Some((shown, step)) = self.of_whom(text, items, head, mention)
        {
            name = shown;
            chain.push(step);
        }
        let entity = occurrence.map(|occurrence| occurrence.entity);
        if let Some(index) = entity {
            self.entities.get_mut(index).name.clone_from(&name);
        }
        Resolved {
            speaker: Some(Speaker { name, kind, entity }),
            chain,
            gender,
        }
    }

    /// A mention at whose head nothing was read: in a heading, or of words on no list.
    fn unread(&mut self, text: &str, items: &[Item], head: usize, mention: Span) -> Resolved {
        let last = items[head - 1];
        if last.name() {
            let found = self.phrases(&Sentence::new(text, items, 0..head));
            let name = found.into_iter().rev().find_map(|phrase| match phrase {
                Phrase::Name(name) if name.words.end == head => Some(name),
                _ => None,
            });
            if let Some(name) = name {
                let (entity, link) = self.entities.name(text, items, &name);
                let occurrence = Occurrence {
                    span: mention,
                    entity,
                    sentence: 0,
                    paragraph: 0,
                    role: Role::Other,
                    form: Form::Name,
                    link,
                    quoted: false,
                    speaks: false,
                    leads: false,
                };
                return self.entity(&occurrence, mention);
            }
        }
        let mut resolved = self.description(text, items, head, None, mention);
        let noun = items[..head].iter().any(|item| item.class.is(NOUNS));
        if let Some(speaker) = resolved.speaker.as_mut().filter(|_| !noun && last.name()) {
            speaker.kind = SpeakerKind::Organisation;
        }
        resolved
    }

    fn pronoun(&self, text: &str, item: &Item, span: Span) -> Resolved {
        let word = item.span.of(text);
        let word = contracted(word).unwrap_or(word).to_lowercase();
        let gender = gender_of_pronoun(&word);
        let read = self
            .within(span)
            .iter()
            .find(|other| other.form == Form::Pronoun);
        if let Some(read) = read.filter(|_| gender.is_some()) {
            return self.entity(read, span);
        }
        let unresolved = Resolved {
            speaker: Some(Speaker {
                name: word.clone(),
                kind: SpeakerKind::Pronoun,
                entity: None,
            }),
            chain: Vec::new(),
            gender,
        };
        let standing_for = |other: &Occurrence| {
            let pronoun = Occurrence {
                form: Form::Pronoun,
                link: Link::Pronoun,
                ..*other
            };
            self.entity(&pronoun, span)
        };
        match word.as_str() {
            "him" | "his" | "her" => {
                let person = self.newest_subject(span.start, |index| {
                    let entity = self.entities.get(index);
                    entity.is_person() && gender.is_some_and(|gender| entity.may_be(gender))
                });
                person.map_or(unresolved, standing_for)
            }
            "who" | "which" => {
                let mut named = (self.before(span.start))
                    .filter(|other| other.form != Form::Pronoun && !other.quoted);
                let antecedent = (named.next()).filter(|other| span.start - other.span.end < 200);
                // "Ada Vey, a retired teacher who said"
                let apposed = antecedent.and_then(|description| {
                    let name = named.next().filter(|name| {
                        let between = text.get(name.span.end..description.span.start);
                        let aside = between.and_then(|between| between.strip_prefix(", "));
                        description.form == Form::Description
                            && name.form == Form::Name
                            && aside.is_some_and(|words| ["", "a ", "an "].contains(&words))
                    });
                    name.filter(|_| text[description.span.end..span.start].trim().is_empty())
                });
                (apposed.or(antecedent)).map_or(unresolved, standing_for)
            }
            "i" => match self.author {
                Some(author) => self.author_as(author, unresolved),
                None => unresolved,
            },
            "they" | "it" => self
                .they_or_it(&word, span, standing_for)
                .unwrap_or(unresolved),
            _ => unresolved,
        }
    }

    fn author_as(&self, author: u32, unresolved: Resolved) -> Resolved {
        let entity = self.entities.get(author);
        Resolved {
            speaker: Some(Speaker {
                name: self.entities.display(author),
                kind: SpeakerKind::Person,
                entity: Some(author),
            }),
            chain: vec![Step {
                span: entity.place,
                link: Link::Byline,
            }],
            ..unresolved
        }
    }

    /// The last who spoke of the kinds that fit; else the last subject of those kinds.
    fn they_or_it(
        &self,
        word: &str,
        span: Span,
        standing_for: impl Fn(&Occurrence) -> Resolved,
    ) -> Option<Resolved> {
        let wanted: &[SpeakerKind] = match word {
            "they" => &[SpeakerKind::Group, SpeakerKind::Organisation],
            _ => &[SpeakerKind::Organisation, SpeakerKind::Document],
        };
        if word == "it"
            && let Some(filed) = self.filed(span)
        {
            return Some(standing_for(filed));
        }
        let subject = self.before(span.start).take(12).find(|other| {
            let kind = self.entities.get(other.entity).speaker_kind();
            let unknown = word == "it" && self.entities.get(other.entity).kind == Kind::Unknown;
            !other.quoted && other.role == Role::Subject && (wanted.contains(&kind) || unknown)
        });
        let newest = self.spoken.last().map(|(at, _)| *at);
        let spoken = self.spoken.iter().rev().take(4).find(|(at, spoken)| {
            let speaker = spoken.speaker.as_ref();
            // "A spokesperson said … They added": whoever spoke last, of whom no more is known.
            let role = |speaker: &Speaker| {
                word == "they"
                    && newest == Some(*at)
                    && speaker.kind == SpeakerKind::Role
                    && spoken.gender.is_none()
            };
            speaker.is_some_and(|speaker| wanted.contains(&speaker.kind) || role(speaker))
        });
        match (spoken, subject) {
            (Some((at, _)), Some(subject)) if subject.span.start > *at => {
                Some(standing_for(subject))
            }
            (Some((at, spoken)), _) => {
                let mut spoken = spoken.clone();
                let place = Span::new(*at, *at);
                let named = self
                    .log
                    .iter()
                    .rev()
                    .take(WINDOW)
                    .find(|other| other.span.start == place.start);
                if let Some(named) = named {
                    spoken.chain.insert(
                        0,
                        Step {
                            span: named.span,
                            link: Link::Pronoun,
                        },
                    );
                }
                Some(spoken)
            }
            (None, subject) => subject.map(standing_for),
        }
    }

    /// The document that somebody has just done something with: "Ada Vey filed a petition. It says …"
    fn filed(&self, pronoun: Span) -> Option<&Occurrence> {
        let mut near = self.before(pronoun.start).filter(|other| !other.quoted);
        let (filed, subject) = (near.next()?, near.next()?);
        let document = self.entities.get(filed.entity).speaker_kind() == SpeakerKind::Document;
        let person = self.entities.get(subject.entity).is_person();
        let fits = document
            && filed.form == Form::Description
            && filed.role == Role::Other
            && person
            && subject.role == Role::Subject
            && subject.sentence == filed.sentence;
        fits.then_some(filed)
    }
}

/// "Beef" of "Beef producers Ada Vey and Otis Pell": a noun in lower case follows it in the mention.
fn describes(text: &str, name: Span, mention: Span) -> bool {
    let after = text[name.end..mention.end.max(name.end)].trim_start_matches([' ', '\u{a0}']);
    let word = after.split(' ').next().unwrap_or("");
    after.len() < mention.end.max(name.end) - name.end
        && word.starts_with(char::is_lowercase)
        && !class_of(word).is(Class::COORDINATOR | Class::PREPOSITION | Class::SUBORDINATOR)
}

/// The name that follows a note on a rank, a bracket at `at`: "Sgt (rtd) Ada Vey".
pub(crate) fn name_after_note(items: &[Item], at: usize) -> Option<Range<usize>> {
    let opens = items.get(at)?.sign('(') && items[at.checked_sub(1)?].class.is(Class::TITLE);
    let inside = opens.then(|| items[at + 1..].iter().take(4))?;
    let start = at + 2 + { inside }.position(|item| item.sign(')'))?;
    let words = items.get(start..)?.iter().take_while(|item| item.name());
    Some(start..start + words.count()).filter(|name| !name.is_empty())
}

/// Where the mention's first noun phrase ends: before "of", "who", a comma or a bracket.
fn head_end(text: &str, items: &[Item]) -> usize {
    let mut end = items.len();
    for at in 1..items.len() {
        let item = items[at];
        if let Some(name) = name_after_note(items, at) {
            return name.end;
        }
        let follows = item.class.is(Class::PREPOSITION | Class::SUBORDINATOR) && !item.capital
            || item.sign(',')
            || item.sign('(')
            || item.dash();
        // A preposition inside a name belongs to it: "Center for Fair Tariffs".
        let inside = follows
            && items[at - 1].capital
            && items[at - 1].class.is(Class::ORGANISATION)
            && items.get(at + 1).is_some_and(|next| next.capital)
            && (item.is_word(text, "of") || item.is_word(text, "for"));
        if follows && !inside {
            end = at;
            break;
        }
    }
    // "Mr Threlfall also", "Ada Vey herself"
    let trails = |item: &Item| {
        item.word
            && !item.capital
            && (item.class.is(Class::ADVERB)
                || ["himself", "herself", "itself", "themselves"].contains(&item.span.of(text)))
    };
    while end > 1 && (!items[end - 1].word || items[end - 2].name() && trails(&items[end - 1]))
        || end > 2 && is_honour(items[end - 1].span.of(text))
    {
        end -= 1;
    }
    end
}
