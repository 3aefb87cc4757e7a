//! [`Furniture`] is a paragraph that belongs to the page and not to the article: a caption, a
//! "Read more", a headline printed twice. No quote comes from it; the text itself stays as it is.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use crate::sentence::paragraphs;
use crate::span::Span;

/// A paragraph set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Furniture {
    /// The paragraph.
    pub span: Span,
    /// What it is.
    pub kind: FurnitureKind,
}

/// What a paragraph set aside is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FurnitureKind {
    /// Words under a picture, or its credit.
    Caption,
    /// A way to another page.
    Link,
    /// A prompt to subscribe.
    Newsletter,
    /// A button to share, follow or comment.
    Share,
    /// The word for one, or a line that interrupts for one.
    Advertisement,
    /// Copyright, contributors, updates.
    Notice,
    /// A headline, or another line without quotation marks, that was printed before.
    Repeated,
}

/// The paragraphs of a text, told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The article's own, in order.
    pub body: Vec<Span>,
    /// Those set aside, in order.
    pub furniture: Vec<Furniture>,
}

/// Tells the paragraphs of a text apart. Each is judged by itself and what came before it, so that
/// nothing that follows changes it.
pub fn layout(text: &str) -> Layout {
    let mut layout = Layout::default();
    let mut before = HashSet::new();
    for span in paragraphs(text) {
        match kind(span.of(text), &mut before) {
            Some(kind) => layout.furniture.push(Furniture { span, kind }),
            None => layout.body.push(span),
        }
    }
    layout
}

/// Bytes of a paragraph at most: what is longer is part of the article.
const MAX_BYTES: usize = 300;
/// Bytes of a line at least that may not be printed twice: shorter ones come again in transcripts.
const MIN_REPEATED_BYTES: usize = 30;

fn kind(paragraph: &str, before: &mut HashSet<u64>) -> Option<FurnitureKind> {
    if paragraph.len() > MAX_BYTES {
        return None;
    }
    let words = normal(paragraph);
    let bare = words.trim_end_matches(|c: char| !c.is_alphanumeric() && !"…)".contains(c));
    let rule = RULES.iter().find(|rule| rule.fits(&words, bare));
    if let Some(rule) = rule {
        return Some(rule.kind);
    }
    let speaks = words.contains(['"', '“', '”', '«', '»', '„']);
    if bare.len() < MIN_REPEATED_BYTES || speaks {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    bare.hash(&mut hasher);
    (!before.insert(hasher.finish())).then_some(FurnitureKind::Repeated)
}

/// In lower case, with one kind of apostrophe and single spaces.
fn normal(paragraph: &str) -> String {
    let mut words = String::with_capacity(paragraph.len());
    for word in paragraph.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.extend(word.chars().flat_map(char::to_lowercase));
    }
    words.replace('’', "'")
}

struct Rule {
    kind: FurnitureKind,
    place: Place,
    /// What stands between the gaps.
    parts: Vec<&'static str>,
}

enum Place {
    Whole,
    Starts,
    Ends,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let lines = include_str!("../data/furniture.txt").lines();
    lines
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| Rule::read(line).expect("the list is a constant, and a test reads it"))
        .collect()
});

impl Rule {
    fn read(line: &'static str) -> Option<Rule> {
        let (kind, rest) = line.split_once(' ')?;
        let (place, words) = rest.split_once(' ')?;
        Some(Rule {
            kind: match kind {
                "caption" => FurnitureKind::Caption,
                "link" => FurnitureKind::Link,
                "newsletter" => FurnitureKind::Newsletter,
                "share" => FurnitureKind::Share,
                "advertisement" => FurnitureKind::Advertisement,
                "notice" => FurnitureKind::Notice,
                _ => return None,
            },
            place: match place {
                "whole" => Place::Whole,
                "starts" => Place::Starts,
                "ends" => Place::Ends,
                _ => return None,
            },
            parts: words.split('…').collect(),
        })
    }

    /// `bare` is the paragraph without the signs at its end.
    fn fits(&self, words: &str, bare: &str) -> bool {
        match self.place {
            Place::Starts => words.starts_with(self.parts[0]),
            Place::Ends => bare.ends_with(self.parts[0]),
            Place::Whole => {
                let [first, middle @ ..] = &self.parts[..] else {
                    return false;
                };
                let Some(mut rest) = bare.strip_prefix(first) else {
                    return false;
                };
                let Some((last, middle)) = middle.split_last() else {
                    return rest.is_empty();
                };
                for part in middle {
                    match rest.split_once(part) {
                        Some((_, after)) => rest = after,
                        None => return false,
                    }
                }
                rest.ends_with(last)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn furniture_is_told_from_the_article() {
        use FurnitureKind::*;
        let text = "Mayor defends the cameras at a heated meeting\n\n\
            Mayor Defends the Cameras at a Heated Meeting\n\n\
            Photo: Jo Penn (The Sample)\n\
            The mayor on Monday. “It is fine,” she said. (AP Photo/Jo Penn)\n\
            Protesters outside the hall. Lou Ray/Getty Images.\n\
            “Read more, watch less,” the mayor said.\n\
            Read more\n\
            RELATED: “Nobody asked us,” say officers\n\
            Sign up for our daily newsletter\n\
            Advertisement - story continues below.\n\
            Follow Jo Penn on Twitter @jopenn.\n\
            Share this article!\n\
            Follow the money, the auditor said.\n\
            The photographs, said Abarca, came from Getty Images years ago.\n\
            Yes.\nYes.\n\
            Jo Penn contributed to this report.";
        let layout = layout(text);
        let kinds: Vec<_> = layout.furniture.iter().map(|found| found.kind).collect();
        assert_eq!(
            kinds,
            [
                Repeated,
                Caption,
                Caption,
                Caption,
                Link,
                Link,
                Newsletter,
                Advertisement,
                Share,
                Share,
                Notice
            ]
        );
        let body: Vec<_> = layout.body.iter().map(|span| span.of(text)).collect();
        assert_eq!(
            body,
            [
                "Mayor defends the cameras at a heated meeting",
                "“Read more, watch less,” the mayor said.",
                "Follow the money, the auditor said.",
                "The photographs, said Abarca, came from Getty Images years ago.",
                "Yes.",
                "Yes.",
            ]
        );
    }
}
