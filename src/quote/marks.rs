//! A [`Passage`] is what stands between two quotation marks, of whatever kind.

use crate::lexicon::{Class, class_of};
use crate::span::Span;

/// What quotation marks are made of, but for angled ones.
pub(crate) const SIGNS: [char; 7] = ['"', '“', '”', '‘', '’', '\'', '`'];

/// Words between marks, outermost marks only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Marks included.
    pub outer: Span,
    /// Marks excluded, trimmed. Not empty.
    pub inner: Span,
    /// False where no closing mark was found and the passage runs to the end of its paragraph.
    pub closed: bool,
}

/// What a mark can do where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Open,
    Close,
    Either,
}

/// Marks that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// “…”, „…“
    Double,
    /// "…", ''…'', ``…''
    Straight,
    /// «…» in either direction
    Guillemet,
    /// ‘…’ and '…'
    Single,
    /// 「…」
    Corner,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    span: Span,
    style: Style,
    role: Role,
}

/// The outermost passages of one paragraph, in order and disjoint. One look at each mark and at
/// most two ahead, so that the time is linear whatever the marks do.
pub fn passages(text: &str, paragraph: Span) -> Vec<Passage> {
    let marks = marks(text, paragraph);
    let doubles = marks.iter().any(|mark| mark.style != Style::Single);
    let mut found: Vec<Passage> = Vec::new();
    let mut at = 0;
    let mut free_from = paragraph.start;
    while at < marks.len() {
        let mark = marks[at];
        if mark.style == Style::Single && doubles && !single_is_quotation(text, &marks, at) {
            at += 1;
            continue;
        }
        if mark.role == Role::Close {
            // A closing mark without its opening one: the sentence it ends was being quoted.
            if mark.style != Style::Single {
                let start = sentence_start(text, Span::new(free_from, mark.span.start));
                push(&mut found, text, Span::new(start, start), mark.span, true);
                free_from = mark.span.end;
            }
            at += 1;
            continue;
        }
        match closing(&marks, at).or_else(|| closed_by_other(&marks, at)) {
            Some(close) => {
                push(&mut found, text, mark.span, marks[close].span, true);
                free_from = marks[close].span.end;
                at = close + 1;
            }
            None if mark.style == Style::Single
                && !opens_paragraph(text, paragraph, mark)
                && !goes_on_below(text, paragraph, mark) =>
            {
                at += 1
            }
            None => {
                // Never closed: until the next opening mark of its kind, or the paragraph's end.
                let next = marks[at + 1..]
                    .iter()
                    .position(|later| later.style == mark.style && later.role == Role::Open);
                let end = next.map_or(paragraph.end, |next| marks[at + 1 + next].span.start);
                push(
                    &mut found,
                    text,
                    mark.span,
                    Span::new(end, end),
                    next.is_some(),
                );
                free_from = end;
                at = next.map_or(marks.len(), |next| at + 1 + next);
            }
        }
    }
    found
}

fn push(found: &mut Vec<Passage>, text: &str, open: Span, close: Span, closed: bool) {
    let inner = Span::new(open.end, close.start.max(open.end)).trim(text);
    let outer = Span::new(open.start, close.end);
    if inner.of(text).contains(char::is_alphanumeric) && !is_nickname(text, outer) {
        found.push(Passage {
            outer,
            inner,
            closed,
        });
    }
}

/// Whether a place, marks included, is the second name of "Marguerite "Midge" Tolliver".
pub(crate) fn is_nickname(text: &str, outer: Span) -> bool {
    const WORDS: usize = 2;
    let name = |word: &str| {
        word.starts_with(char::is_uppercase)
            && word
                .chars()
                .all(|c| c.is_alphabetic() || matches!(c, '.' | '-' | '\'' | '’'))
    };
    let signs = |c: char| !c.is_alphabetic() && c != '.';
    let mut words = outer.of(text).trim_matches(signs).split(' ');
    let before = text[..outer.start].strip_suffix(' ').unwrap_or("");
    let first = before
        .rsplit(|c: char| c.is_whitespace())
        .next()
        .unwrap_or("");
    let last = text[outer.end..].strip_prefix(' ').unwrap_or("");
    words.clone().count() <= WORDS
        && words.all(name)
        && name(first)
        && !class_of(&first.to_lowercase()).is(Class::DETERMINER)
        && last.starts_with(char::is_uppercase)
}

/// The mark that closes the one at `open`, passing over nested pairs of the same style.
fn closing(marks: &[Mark], open: usize) -> Option<usize> {
    let style = marks[open].style;
    let mut depth = 0_usize;
    let mut same = marks[open + 1..]
        .iter()
        .enumerate()
        .filter(|(_, mark)| mark.style == style)
        .map(|(offset, mark)| (open + 1 + offset, mark.role))
        .take(12)
        .peekable();
    let mut roles = Vec::with_capacity(12);
    roles.extend(&mut same);
    for (position, &(index, role)) in roles.iter().enumerate() {
        match role {
            Role::Close | Role::Either if depth == 0 => return Some(index),
            Role::Close => depth -= 1,
            Role::Open => {
                // An opening mark inside an open passage is nested only if two closing ones follow.
                let nested = roles
                    .get(position + 1)
                    .is_some_and(|next| next.1 != Role::Open)
                    && roles
                        .get(position + 2)
                        .is_some_and(|next| next.1 == Role::Close);
                if !nested {
                    return None;
                }
                depth += 1;
            }
            Role::Either => {}
        }
    }
    None
}

/// The very next mark, where it is a closing one of the other kind of double marks: “…" and "…”
/// are slips of typing.
fn closed_by_other(marks: &[Mark], open: usize) -> Option<usize> {
    let twins = [Style::Double, Style::Straight];
    let next = marks.get(open + 1)?;
    (twins.contains(&marks[open].style) && twins.contains(&next.style) && next.role == Role::Close)
        .then_some(open + 1)
}

/// Single marks beside double ones are quotations of their own only as headlines have them.
fn single_is_quotation(text: &str, marks: &[Mark], at: usize) -> bool {
    let inside_double = |span: Span| {
        let before = marks[at.saturating_sub(8)..at]
            .iter()
            .rev()
            .find(|mark| mark.style != Style::Single);
        before.is_some_and(|mark| mark.role != Role::Close && mark.span.end <= span.start)
    };
    marks[at].role == Role::Open
        && !inside_double(marks[at].span)
        && closing(marks, at).is_some_and(|close| {
            let inner = Span::new(marks[at].span.end, marks[close].span.start);
            marks[at..close]
                .iter()
                .all(|mark| mark.style == Style::Single)
                && inner.of(text).contains(' ')
        })
}

fn opens_paragraph(text: &str, paragraph: Span, mark: Mark) -> bool {
    text[paragraph.start..mark.span.start].trim().is_empty()
        && text[mark.span.start..].starts_with('‘')
}

/// True where the next paragraph opens with the same mark, as a quotation that was not closed goes on.
fn goes_on_below(text: &str, paragraph: Span, mark: Mark) -> bool {
    const BLANK: usize = 16;
    let introduced = text[paragraph.start..mark.span.start].trim_end();
    let mut next = text[paragraph.end..].chars().take(BLANK);
    (introduced.is_empty() || introduced.ends_with([':', ',', '.']))
        && next.find(|c| !c.is_whitespace()) == mark.span.of(text).chars().next()
}

fn sentence_start(text: &str, before: Span) -> usize {
    let words = before.of(text);
    let cut = words
        .trim_end_matches(['.', '!', '?', ' '])
        .rfind(['.', '!', '?', '“', '"', ':', '\n'])
        .map_or(0, |at| {
            at + words[at..].chars().next().map_or(1, char::len_utf8)
        });
    before.start + cut
}

/// Every mark of the paragraph, with what it can do judged from its neighbours.
fn marks(text: &str, paragraph: Span) -> Vec<Mark> {
    let mut found = Vec::new();
    let mut previous = ' ';
    let mut low_open = false;
    let mut skip_to = 0;
    for (offset, character) in paragraph.of(text).char_indices() {
        let start = paragraph.start + offset;
        if start < skip_to {
            continue;
        }
        if character.is_ascii_alphanumeric() || character == ' ' {
            previous = character;
            continue;
        }
        let rest = &text[start..paragraph.end];
        let double = ["''", "``", "’’", "‘‘"]
            .iter()
            .any(|pair| rest.starts_with(pair));
        let length = if double {
            character.len_utf8() * 2
        } else {
            character.len_utf8()
        };
        let end = start + length;
        let next = text[end..paragraph.end].chars().next().unwrap_or(' ');
        let opening = previous.is_whitespace()
            || matches!(
                previous,
                '(' | '[' | '—' | '–' | '-' | '/' | '‘' | '“' | '"' | '\''
            );
        let opens_word = next.is_alphanumeric()
            || matches!(
                next,
                '[' | '(' | '…' | '.' | '$' | '#' | '@' | '‘' | '\'' | '“' | '£' | '€'
            );
        let closes = next.is_whitespace()
            || (!next.is_alphanumeric() && !matches!(next, '[' | '(' | '$' | '@' | '#'));
        let by_context = match (
            opening && !next.is_whitespace(),
            closes && !previous.is_whitespace(),
        ) {
            (true, false) => Role::Open,
            (false, true) => Role::Close,
            _ if opening && opens_word => Role::Open,
            _ => Role::Either,
        };
        let (style, role) = match character {
            '“' if low_open => (Style::Double, Role::Close),
            '“' if by_context == Role::Close => (Style::Double, Role::Either),
            '“' | '„' | '‟' | '〝' => (Style::Double, Role::Open),
            '”' if by_context == Role::Open && previous.is_whitespace() => {
                (Style::Double, Role::Open)
            }
            '”' | '〞' => (Style::Double, Role::Close),
            '"' | '＂' => (Style::Straight, by_context),
            '`' if double => (Style::Straight, Role::Open),
            '\'' | '’' | '‘' if double => (Style::Straight, by_context),
            '«' | '»' | '‹' | '›' => {
                let french = matches!(character, '«' | '‹');
                let role = match (
                    french,
                    by_context,
                    next.is_whitespace() && !previous.is_whitespace(),
                ) {
                    (true, Role::Close, false) => Role::Close,
                    // A closing » may have a space before it, as in French.
                    (false, Role::Open, false) if opens_word => Role::Open,
                    (true, ..) => Role::Open,
                    (false, ..) => Role::Close,
                };
                (Style::Guillemet, role)
            }
            '「' | '『' => (Style::Corner, Role::Open),
            '」' | '』' => (Style::Corner, Role::Close),
            '‘' if !previous.is_alphanumeric() && !next.is_whitespace() => {
                (Style::Single, Role::Open)
            }
            '‚' if opening && opens_word => (Style::Single, Role::Open),
            '’' if !next.is_alphanumeric() && !previous.is_whitespace() => {
                // After an s a possessive is as likely; only before punctuation it surely closes.
                let possessive = previous == 's'
                    && next == ' '
                    && text[end..paragraph.end]
                        .trim_start()
                        .starts_with(char::is_lowercase);
                if possessive {
                    previous = character;
                    continue;
                }
                (Style::Single, Role::Close)
            }
            '\'' if opening && next.is_alphabetic() => (Style::Single, Role::Open),
            '\'' if !next.is_alphanumeric() && !previous.is_whitespace() && previous != 's' => {
                (Style::Single, Role::Close)
            }
            '\'' if previous == 's' && next != ' ' && !next.is_alphanumeric() => {
                (Style::Single, Role::Close)
            }
            _ => {
                previous = character;
                continue;
            }
        };
        if style == Style::Double {
            low_open = character == '„' || (low_open && role != Role::Close);
        }
        found.push(Mark {
            span: Span::new(start, end),
            style,
            role,
        });
        skip_to = end;
        previous = character;
    }
    found
}
