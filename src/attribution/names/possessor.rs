//! Whose somebody or something is: "its president", "the association's petition", "a spokesman for the minister".

use super::antecedent::{Form, Occurrence, Role, may_be_somebody};
use super::description::plain;
use super::entity::{Gender, Kind};
use super::{Names, description, spelling};
use crate::attribution::frame::Item;
use crate::attribution::{Link, SpeakerKind, Step};
use crate::lexicon::Class;
use crate::span::Span;

impl Names {
    /// "the association's president", with the name of whose president it is, where that is known.
    pub(super) fn with_owner(&self, text: &str, items: &[Item]) -> Option<String> {
        let owner = owner_in(&items[..items.len() - 1], text)?;
        let (owning, _) = self.owner(text, items, owner)?;
        Some(self.owned(text, items, owner, owning))
    }

    pub(super) fn owned(&self, text: &str, items: &[Item], owner: usize, owning: u32) -> String {
        let rest = &text[items[owner].span.end..items[items.len() - 1].span.end];
        format!("{}'s {}", self.entities.display(owning), rest.trim_start())
    }

    /// "a spokesman for the minister": the description with the full name of whom it ends in.
    pub(super) fn of_whom(
        &self,
        text: &str,
        items: &[Item],
        head: usize,
        mention: Span,
    ) -> Option<(String, Step)> {
        let preposition = items.get(head)?;
        if !["for", "of", "to"]
            .iter()
            .any(|word| preposition.is_word(text, word))
        {
            return None;
        }
        let inner = Span::new(preposition.span.end, mention.end);
        let one = match self.within(inner) {
            [one] => *one,
            _ => return None,
        };
        let entity = self.entities.get(one.entity);
        let whole = text[inner.start..one.span.start].trim();
        if matches!(entity.kind, Kind::Described(_))
            || !matches!(whole, "" | "the" | "The")
            || one.span.end != mention.end
        {
            return None;
        }
        let before = plain(text, &items[..=head]);
        let article = if entity.kind == Kind::Organisation && whole.len() == 3 {
            "the "
        } else {
            ""
        };
        let step = Step {
            span: one.span,
            link: Link::Possessor,
        };
        Some((
            format!("{before} {article}{}", self.entities.display(one.entity)),
            step,
        ))
    }

    /// The newest subject before a place that fits, else the newest of any role.
    pub(super) fn newest_subject(
        &self,
        place: usize,
        fits: impl Fn(u32) -> bool,
    ) -> Option<&Occurrence> {
        const WINDOW: usize = 12;
        let near = || self.before(place).take(WINDOW);
        near()
            .find(|other| !other.quoted && other.role == Role::Subject && fits(other.entity))
            .or_else(|| near().find(|other| fits(other.entity)))
    }

    /// Whom "his", "its" or "the association's" means, and the place that says so.
    pub(super) fn owner(&self, text: &str, items: &[Item], owner: usize) -> Option<(u32, Span)> {
        let item = items[owner];
        let word = item.span.of(text).to_lowercase();
        let inside = self
            .within(Span::new(items[0].span.start, item.span.end))
            .iter()
            .rev()
            .find(|occurrence| {
                occurrence.form == Form::Name && occurrence.span.overlaps(item.span)
            });
        if let Some(named) = inside {
            return Some((named.entity, named.span));
        }
        let fits = |index: u32| {
            let entity = self.entities.get(index);
            let full = entity.kind == Kind::Unknown && entity.name.contains(' ');
            let person = entity.is_person() || full && may_be_somebody(&entity.name);
            match word.as_str() {
                "his" => person && entity.may_be(Gender::Male),
                "her" => person && entity.may_be(Gender::Female),
                "its" | "their" => matches!(
                    entity.kind,
                    Kind::Organisation | Kind::Described(SpeakerKind::Organisation)
                ),
                _ => false,
            }
        };
        if matches!(word.as_str(), "his" | "her" | "its" | "their") {
            let subject = self.newest_subject(item.span.start, fits);
            return subject.map(|other| (other.entity, other.span));
        }
        // "the association's": the body that a description of that noun means.
        let stem = spelling::without_possessive(&word);
        if owner == 0 || !crate::lexicon::class_of(stem).is(Class::ORGANISATION) {
            return None;
        }
        let to = self
            .log
            .partition_point(|other| other.span.start < item.span.start);
        let index = description::body(&self.entities, &self.log[..to], stem)?;
        let place = self
            .before(item.span.start)
            .find(|other| other.entity == index)?;
        Some((index, place.span))
    }
}

/// What somebody says goes by their name: "her verdict", "the mayor's answer".
pub(super) fn is_saying(noun: &str) -> bool {
    const SAYINGS: [&str; 14] = [
        "advice",
        "answer",
        "assessment",
        "comment",
        "complaint",
        "explanation",
        "message",
        "reasoning",
        "reply",
        "response",
        "retort",
        "verdict",
        "view",
        "words",
    ];
    SAYINGS.contains(&noun)
}

/// The last possessive of some items.
pub(crate) fn owner_in(items: &[Item], text: &str) -> Option<usize> {
    items.iter().rposition(|item| {
        item.class.is(Class::POSSESSIVE) || spelling::is_possessive(item.span.of(text))
    })
}
