//! Whom an interview is with: the one person that an article is about before the first question.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Names;
use super::antecedent::Form;
use super::entity::Kind;
use crate::span::Span;

impl Names {
    /// Where the article so far names whom it interviews: after "interview with" and the like, else the person it
    /// names most, not its author.
    pub(crate) fn interviewee(&self, text: &str) -> Option<Span> {
        /// As good as so many mentions.
        const ANNOUNCED: usize = 1000;
        const PERSON: usize = 5;
        let mut scores: BTreeMap<u32, (usize, Span)> = BTreeMap::new();
        for occurrence in &self.log {
            let entity = self.entities.get(occurrence.entity);
            let full = entity.is_person() || entity.name.contains(' ');
            let fits = occurrence.form == Form::Name
                && !occurrence.quoted
                && Some(occurrence.entity) != self.author
                && entity.kind != Kind::Organisation
                && full;
            if !fits {
                continue;
            }
            let first = if entity.is_person() { PERSON } else { 0 };
            let (score, place) =
                (scores.entry(occurrence.entity)).or_insert((first, occurrence.span));
            *score += 1;
            if *score < ANNOUNCED && is_interviewed(text, occurrence.span.start) {
                *score += ANNOUNCED;
                *place = occurrence.span;
            }
        }
        let best =
            (scores.into_values()).max_by_key(|(score, place)| (*score, Reverse(place.start)));
        best.map(|(_, place)| place)
    }
}

/// Whether "interview with" or the like stands before a place, at most some titles in between.
fn is_interviewed(text: &str, place: usize) -> bool {
    const PHRASES: [&str; 11] = [
        "interview with ",
        "interviews with ",
        "interviewed ",
        "conversation with ",
        "questions for ",
        "questions to ",
        "q&a with ",
        "spoke to ",
        "spoke with ",
        "talked to ",
        "talked with ",
    ];
    const TITLES: usize = 6;
    const BYTES: usize = 100;
    let from = (place.saturating_sub(BYTES)..=place).find(|&at| text.is_char_boundary(at));
    let before = &text[from.unwrap_or(place)..place];
    let line = before.rsplit('\n').next().unwrap_or("").to_lowercase();
    let after = |phrase: &&str| line.rfind(*phrase).map(|at| &line[at + phrase.len()..]);
    PHRASES.iter().filter_map(after).any(|titles| {
        titles.split(' ').count() <= TITLES && !titles.contains([',', ';', ':', '?', '“', '"'])
    })
}
