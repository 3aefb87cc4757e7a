//! Interviews and transcripts that are printed without quotation marks: "VEY: We counted twice.", "Q: Who
//! counted?", a question in a line of its own and the answer below it. Each turn is a direct quote.
//!
//! A paragraph is judged by itself and by what stands before it, as everywhere in the finder.

use std::collections::HashSet;

use super::join::OPENING;
use crate::attribution::names::Names;
use crate::attribution::{AttributedQuote, Attribution, Rule, Speaker, SpeakerKind};
use crate::lexicon::{Class, class_of};
use crate::quote::marks::Passage;
use crate::quote::{Quote, QuoteKind};
use crate::span::Span;

/// Bytes of a label at most, what stands in brackets or after its comma included.
const LONGEST_LABEL: usize = 70;
/// Words of a name in a label at most.
const NAME_WORDS: usize = 5;
/// Bytes of a question without a label at most.
const LONGEST_QUESTION: usize = 400;

const ASKS: [&str; 2] = ["q", "question"];
const ANSWERS: [&str; 2] = ["a", "answer"];

/// Words before a colon that announce a heading, a link or a fact, and name nobody.
const HEADINGS: [&str; 42] = [
    "advice",
    "also",
    "analysis",
    "breaking",
    "bottom",
    "check",
    "clarification",
    "comment",
    "correction",
    "date",
    "editorial",
    "exclusive",
    "explainer",
    "fact",
    "factbox",
    "feature",
    "gallery",
    "listen",
    "live",
    "more",
    "name",
    "next",
    "note",
    "opinion",
    "photos",
    "podcast",
    "poll",
    "profile",
    "quiz",
    "read",
    "readers",
    "related",
    "review",
    "tip",
    "update",
    "updates",
    "verdict",
    "video",
    "watch",
    "what",
    "when",
    "why",
];

/// The turns of an article, told paragraph by paragraph.
#[derive(Debug, Default)]
pub(super) struct Interview {
    /// The article has announced a transcript, a list of questions, an interview.
    announced: bool,
    /// It has said that one follows, edited: questions need no label then.
    edited: bool,
    /// Labels that have opened a turn, in lower case.
    labels: HashSet<String>,
    /// Whom it is with, by the place of the name, as looked up at the first question.
    interviewee: Option<Option<Span>>,
    /// What the paragraph before was.
    before: Option<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Question,
    Answer,
    /// A short line after an answer, which may have been put to whoever answers.
    Remark,
}

/// Words that somebody says without marks.
#[derive(Debug)]
pub(super) struct Turn {
    /// The words.
    pub(super) words: Span,
    /// Whose they are.
    pub(super) speaker: Party,
}

/// Who has a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    /// Whoever asks, without a name.
    Interviewer,
    /// Somebody named here: in a label, or where the article says whom the interview is with.
    Named(Span),
    /// Whoever had the turn in the paragraph before goes on.
    Same,
    /// Whoever is asked; nobody is named.
    Unknown,
}

/// A paragraph's label and the words after it.
struct Label {
    name: Span,
    words: Span,
}

impl Interview {
    /// The turn that a paragraph is, given its passages between marks; `names` have not read it yet.
    pub(super) fn read(
        &mut self,
        text: &str,
        paragraph: Span,
        passages: &[Passage],
        names: &Names,
    ) -> Option<Turn> {
        let turn = match label(text, paragraph) {
            None if passages.is_empty() => self.unlabelled(text, paragraph, names),
            label => {
                let turn = label.and_then(|label| self.labelled(text, &label, passages, names));
                if turn.is_none() {
                    self.before = None;
                }
                turn
            }
        };
        if turn.is_none() {
            self.take_announcement(paragraph.of(text));
        }
        turn
    }

    fn labelled(
        &mut self,
        text: &str,
        label: &Label,
        passages: &[Passage],
        names: &Names,
    ) -> Option<Turn> {
        let words = label.words.of(text);
        if OPENING.iter().any(|mark| words.starts_with(mark)) {
            return None;
        }
        let name = label.name.of(text);
        let key = name.to_lowercase();
        let known = self.labels.contains(&key);
        let (asks, answers) = (
            ASKS.contains(&key.as_str()),
            ANSWERS.contains(&key.as_str()),
        );
        let own = outside(text, label.words, passages);
        let accepted = if asks {
            known || words.ends_with('?') || self.announced && has_voice(&own)
        } else if answers {
            ASKS.iter().any(|asks| self.labels.contains(*asks))
        } else if known {
            true
        } else if self.before.is_some() {
            !is_heading(name)
        } else if self.announced || self.labels.len() > 1 {
            has_voice(&own) && !is_heading(name)
        } else {
            // A writer's own "I", in a paragraph about whom its heading names.
            let surname = name.rsplit(' ').next().unwrap_or(name);
            let told_of = words.contains(surname);
            in_first_person(&own) && !told_of && !is_heading(name) && is_person(name, names)
        };
        if !accepted {
            return None;
        }
        self.labels.insert(key);
        let question = asks || !answers && words.ends_with('?');
        self.before = Some(if question {
            Part::Question
        } else {
            Part::Answer
        });
        let speaker = match (asks, answers) {
            (true, _) => {
                self.look_up(text, names);
                Party::Interviewer
            }
            (_, true) => self.asked(text, names),
            _ => Party::Named(label.name),
        };
        Some(Turn {
            words: label.words,
            speaker,
        })
    }

    /// A question in a line of its own, an answer below one, or a further paragraph of an answer.
    fn unlabelled(&mut self, text: &str, paragraph: Span, names: &Names) -> Option<Turn> {
        let words = paragraph.of(text);
        let question = self.edited
            && words.ends_with('?')
            && words.len() <= LONGEST_QUESTION
            && self.before != Some(Part::Question);
        let (part, speaker) = match self.before {
            _ if question => (Part::Question, Party::Interviewer),
            Some(Part::Remark) if in_first_person(words) => (Part::Answer, self.asked(text, names)),
            Some(Part::Question) if self.edited || in_first_person(words) => {
                (Part::Answer, self.asked(text, names))
            }
            Some(Part::Answer) if in_first_person(words) => (Part::Answer, Party::Same),
            Some(Part::Answer) if self.edited && words.len() <= LONGEST_QUESTION => {
                self.before = Some(Part::Remark);
                return None;
            }
            _ => {
                self.before = None;
                return None;
            }
        };
        if question {
            self.look_up(text, names);
        }
        self.before = Some(part);
        Some(Turn {
            words: paragraph,
            speaker,
        })
    }

    fn look_up(&mut self, text: &str, names: &Names) {
        self.interviewee
            .get_or_insert_with(|| names.interviewee(text));
    }

    fn asked(&mut self, text: &str, names: &Names) -> Party {
        self.look_up(text, names);
        self.interviewee
            .flatten()
            .map_or(Party::Unknown, Party::Named)
    }

    fn take_announcement(&mut self, paragraph: &str) {
        let words = paragraph.to_lowercase();
        let has = |any: &[&str]| any.iter().any(|one| words.contains(one));
        let talk = has(&[
            "interview",
            "conversation",
            "q&a",
            "transcript",
            "discussion",
            "answers",
        ]);
        self.edited |= talk && has(&["edited", "condensed", "abridged", "excerpts", "shortened"]);
        self.announced |= self.edited
            || talk && words.ends_with(':')
            || has(&["q&a", "transcript", "questions for"]);
    }
}

impl Turn {
    /// The turn as a quote, whose speaker is resolved after its paragraph has been read. `None` where it goes
    /// on with the last of `found`.
    pub(super) fn quote(
        &self,
        text: &str,
        names: &mut Names,
        found: &mut [AttributedQuote],
    ) -> Option<AttributedQuote> {
        let words = self.words;
        let mut attribution = Attribution {
            rule: Rule::Turn,
            ..Attribution::unknown()
        };
        match self.speaker {
            Party::Same => {
                let last = &mut found.last_mut()?.quote;
                last.spans.push(words);
                last.marked.push(words);
                return None;
            }
            Party::Interviewer => {
                attribution.speaker = Some(Speaker {
                    name: "interviewer".to_owned(),
                    kind: SpeakerKind::Role,
                    entity: None,
                });
            }
            Party::Named(mention) => {
                let resolved = names.resolve_words(text, mention);
                names.spoke(words.start, &resolved);
                attribution.mention = Some(mention);
                attribution.speaker = resolved.speaker;
                attribution.chain = resolved.chain;
            }
            Party::Unknown => {}
        }
        Some(AttributedQuote {
            quote: Quote {
                spans: vec![words],
                kind: QuoteKind::Direct,
                marked: vec![words],
            },
            attribution,
        })
    }
}

/// What stands for a turn's words in its paragraph's frame. "Q" and "A" are nobody's names: nothing of them is to be
/// read.
pub(super) fn passage(text: &str, paragraph: Span, words: Span) -> Passage {
    let label = text[paragraph.start..words.start].trim_end_matches([' ', '\u{a0}', ':', '.']);
    let mut nobody = ASKS.iter().chain(&ANSWERS);
    let nobody = nobody.any(|one| label.eq_ignore_ascii_case(one));
    Passage {
        outer: if nobody { paragraph } else { words },
        inner: words,
        closed: true,
    }
}

/// The label that a paragraph begins with: "VEY:", "Ada Vey:", "Ada Vey (laughing):", "ADA VEY, mayor of Ghent:", "Q:", "Q.".
fn label(text: &str, paragraph: Span) -> Option<Label> {
    let all = paragraph.of(text);
    let after = |end: usize| {
        let words = Span::new(paragraph.start + end, paragraph.end).trim(text);
        words
            .of(text)
            .contains(char::is_alphabetic)
            .then_some(words)
    };
    if all.starts_with("Q. ") || all.starts_with("A. ") {
        return Some(Label {
            name: Span::new(paragraph.start, paragraph.start + 1),
            words: after(2)?,
        });
    }
    let colon = all.find(':').filter(|&colon| colon <= LONGEST_LABEL)?;
    if !all[colon + 1..].starts_with(char::is_whitespace) {
        return None;
    }
    let head = &all[..colon];
    let end = head.find([',', '(', '[']).unwrap_or(head.len());
    let name = head[..end].trim_end();
    let capitals = |word: &str| !word.contains(char::is_lowercase);
    let described = head[end..].starts_with(',');
    let words = name.split(' ').count();
    let is_name = words <= NAME_WORDS
        && name.split(' ').all(|word| {
            let fits = |c: char| c.is_alphabetic() || matches!(c, '.' | '-' | '\'' | '’');
            let particle = class_of(&word.to_lowercase()).is(Class::PARTICLE);
            word.chars().all(fits) && (word.starts_with(char::is_uppercase) || particle)
        })
        && name.starts_with(char::is_uppercase);
    (is_name && (!described || capitals(name))).then_some(())?;
    Some(Label {
        name: Span::new(paragraph.start, paragraph.start + name.len()),
        words: after(colon + 1)?,
    })
}

/// Whether words before a colon head something other than speech.
fn is_heading(name: &str) -> bool {
    let heads = |word: &str| HEADINGS.contains(&word.to_lowercase().as_str());
    name.split(' ').any(heads)
}

/// Whether a label is the name of somebody: whom the article has named before, or a given name and a surname.
fn is_person(name: &str, names: &Names) -> bool {
    let words: Vec<&str> = name.split(' ').collect();
    let class = class_of(&words[0].to_lowercase());
    let full = words.len() > 1 && class.is(Class::MALE | Class::FEMALE);
    let short = words.len() <= 3 || class.is(Class::TITLE);
    short && (full || names.knows_person(words[words.len() - 1]))
}

/// Words without what stands between marks in them.
fn outside(text: &str, words: Span, passages: &[Passage]) -> String {
    let (mut own, mut from) = (String::new(), words.start);
    for passage in passages {
        own.push_str(text.get(from..passage.outer.start).unwrap_or(""));
        from = passage.outer.end;
    }
    own.push_str(&text[from.min(words.end)..words.end]);
    own
}

/// Whether words are spoken to somebody: a question, or "I", "we", "you".
fn has_voice(words: &str) -> bool {
    words.contains('?') || in_first_person(words) || has_word(words, &["you", "your"])
}

fn in_first_person(words: &str) -> bool {
    words
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word == "I")
        || has_word(words, &["we", "my", "our", "me"])
}

/// Whether one of these words is among them, also before an apostrophe: "we’ll".
fn has_word(words: &str, any: &[&str]) -> bool {
    words
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| any.iter().any(|one| word.eq_ignore_ascii_case(one)))
}
