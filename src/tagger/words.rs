//! A [`Word`] is what the quote tagger labels: a run of letters and digits, a sign, or a line
//! break, with the quotation marks paired and each word known to stand inside or outside them.

use unicode_normalization::char::is_combining_mark;

use crate::span::Span;

/// The word that stands where the text has a line break.
pub(crate) const BREAK: &str = "\n";
const DOUBLE_OPEN: &str = "“„«‟";
const DOUBLE_CLOSE: &str = "”»";
const DOUBLE_OTHER: &str = "\"＂";
const SINGLE: &str = "‘’'‚‛`´";
/// What may stand, besides white space, directly before an opening straight mark.
const OPEN_BEFORE: &str = "([{—–-/…:";
/// After these a single mark is an apostrophe: 'tis, rock 'n' roll, 's.
const NOT_AN_OPENER: [&str; 15] = [
    "tis", "twas", "em", "cause", "til", "till", "n", "bout", "s", "t", "re", "ve", "ll", "d", "m",
];

/// A run of letters and digits, one other visible character, a doubled mark, or a line break.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'t> {
    /// Where it stands; of a break, the white space.
    pub(crate) span: Span,
    /// As written; [`BREAK`] for a line break.
    pub(crate) text: &'t str,
    /// Whether it is a paired outer mark.
    pub(crate) mark: Mark,
    /// Between paired outer marks, the marks included.
    pub(crate) inside: bool,
}

/// Whether a word is a paired outer quotation mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    None,
    Open,
    Close,
}

impl Word<'_> {
    pub(crate) fn is_break(&self) -> bool {
        self.text == BREAK
    }

    /// A run of letters and digits.
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(is_letter_or_digit)
    }

    /// The token type: 0 lower case or no letter, 1 capitalised, 2 all capitals (two letters or
    /// more); 3 more between marks.
    pub(crate) fn type_id(&self) -> u32 {
        let capitals = || {
            self.text.chars().nth(1).is_some()
                && !self.text.chars().any(|c| c.is_lowercase() || is_title(c))
        };
        let case = match self.text.starts_with(char::is_uppercase) {
            true if capitals() => 2,
            true => 1,
            false => 0,
        };
        case + 3 * u32::from(self.inside)
    }

    /// What the tokenizer is given: marks in one style, the rest as written.
    pub(crate) fn piece_text(&self) -> &str {
        match self.mark {
            Mark::Open => "“",
            Mark::Close => "”",
            Mark::None if self.is_double() => "\"",
            Mark::None if is_one_of(self.text, SINGLE) => "'",
            Mark::None => self.text,
        }
    }

    fn is_double(&self) -> bool {
        matches!(self.text, "''" | "``" | "’’" | "‘‘")
            || is_one_of(self.text, DOUBLE_OPEN)
            || is_one_of(self.text, DOUBLE_CLOSE)
            || is_one_of(self.text, DOUBLE_OTHER)
    }
}

/// The words of a text with their marks paired line by line: an unclosed mark holds to the end of
/// its line, no further. A white-space run that holds a line feed, between two words, is one break.
pub(crate) fn read(text: &str) -> Vec<Word<'_>> {
    let mut words = split(text);
    for line in words.split_mut(Word::is_break) {
        pair(line, text);
    }
    words
}

/// White space, the four ASCII separators included.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// A letter or number; combining marks are signs of their own, even where Unicode counts them as
/// alphabetic.
fn is_letter_or_digit(c: char) -> bool {
    c.is_alphanumeric() && !is_combining_mark(c)
}

/// Letters in title case, such as ǅ, are neither upper nor lower case.
fn is_title(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ')
}

fn is_one_of(text: &str, set: &str) -> bool {
    let mut characters = text.chars();
    matches!((characters.next(), characters.next()), (Some(c), None) if set.contains(c))
}

fn split(text: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word> = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let rest = &text[start..];
        let run = |wanted: fn(char) -> bool| rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        let (length, is_break) = if is_space(first) {
            let length = run(is_space);
            let holds_break = rest[..length].contains('\n');
            let between = !words.is_empty() && length < rest.len();
            if !(holds_break && between) {
                start += length;
                continue;
            }
            (length, true)
        } else if is_letter_or_digit(first) {
            (run(is_letter_or_digit), false)
        } else {
            let one = first.len_utf8();
            let doubled = "'`’‘".contains(first) && rest[one..].starts_with(first);
            (if doubled { 2 * one } else { one }, false)
        };
        words.push(Word {
            span: Span::new(start, start + length),
            text: if is_break { BREAK } else { &rest[..length] },
            mark: Mark::None,
            inside: false,
        });
        start += length;
    }
    words
}

/// Pairs the outer marks of one line. Whatever mark opens first is the outer one until it closes.
fn pair(words: &mut [Word], text: &str) {
    let mut at = 0;
    while at < words.len() {
        let line = Line { words, text };
        let close = if words[at].is_double() && line.opens_double(at) {
            let closes = |k: &usize| words[*k].is_double() && closes_double(&words[*k]);
            Some((at + 1..words.len()).find(closes).unwrap_or(words.len()))
        } else if line.opens_single(at) {
            line.single_closer(at)
        } else {
            None
        };
        let Some(close) = close else {
            at += 1;
            continue;
        };
        words[at].mark = Mark::Open;
        let end = words.len().min(close + 1);
        for word in &mut words[at..end] {
            word.inside = true;
        }
        if let Some(word) = words.get_mut(close) {
            word.mark = Mark::Close;
        }
        at = close + 1;
    }
}

/// „…“ closes with a mark that elsewhere opens; a straight mark or '' closes wherever it stands.
fn closes_double(word: &Word) -> bool {
    !matches!(word.text, "``" | "„" | "«" | "‘‘")
}

struct Line<'a, 't> {
    words: &'a [Word<'t>],
    text: &'t str,
}

impl Line<'_, '_> {
    /// The character before a word; a space at the text's start.
    fn before(&self, at: usize) -> char {
        let start = self.words[at].span.start;
        self.text[..start].chars().next_back().unwrap_or(' ')
    }

    /// The character after a word; a space at the text's end.
    fn after(&self, at: usize) -> char {
        let end = self.words[at].span.end;
        self.text[end..].chars().next().unwrap_or(' ')
    }

    fn opens_double(&self, at: usize) -> bool {
        let mark = self.words[at].text;
        if matches!(mark, "``" | "‘‘") || is_one_of(mark, DOUBLE_OPEN) {
            return true;
        }
        if mark == "’’" || is_one_of(mark, DOUBLE_CLOSE) {
            return false;
        }
        let before = self.before(at);
        let free = is_space(before) || OPEN_BEFORE.contains(before) || SINGLE.contains(before);
        free && !is_space(self.after(at))
    }

    fn opens_single(&self, at: usize) -> bool {
        if !matches!(self.words[at].text, "‘" | "'" | "‚" | "`" | "‛") {
            return false;
        }
        let (before, after) = (self.before(at), self.after(at));
        if !(is_space(before) || OPEN_BEFORE.contains(before)) || !may_begin_quote(after) {
            return false;
        }
        let next = self.words.get(at + 1);
        !next.is_some_and(|next| NOT_AN_OPENER.contains(&next.text.to_lowercase().as_str()))
    }

    fn closes_single(&self, at: usize) -> bool {
        matches!(self.words[at].text, "’" | "'" | "´")
            && !is_space(self.before(at))
            && !is_letter_or_digit(self.after(at))
    }

    /// Where the single mark closes, or `None`: nowhere. A closer after "s" may be the apostrophe
    /// of a plural, so it counts only where nothing better follows.
    fn single_closer(&self, at: usize) -> Option<usize> {
        let mut fallback = None;
        for k in at + 2..self.words.len() {
            if self.closes_single(k) {
                if !"sS".contains(self.before(k)) {
                    return Some(k);
                }
                fallback = fallback.or(Some(k));
            } else if self.opens_single(k) {
                break;
            }
        }
        fallback
    }
}

fn may_begin_quote(c: char) -> bool {
    let letter = c.is_alphabetic() && !is_combining_mark(c);
    letter
        || "….".contains(c)
        || DOUBLE_OPEN.contains(c)
        || DOUBLE_CLOSE.contains(c)
        || DOUBLE_OTHER.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(text: &str) -> Vec<String> {
        let words = read(text);
        let runs = words.chunk_by(|a, b| a.inside == b.inside && b.mark != Mark::Open);
        runs.filter(|run| run[0].inside)
            .map(|run| text[run[0].span.start..run[run.len() - 1].span.end].to_owned())
            .collect()
    }

    #[test]
    fn marks_are_paired_line_by_line() {
        assert_eq!(inside("“A b,” he said. “C"), ["“A b,”", "“C"]);
        assert_eq!(inside("\"A\nb\" c"), ["\"A"]);
        assert_eq!(
            inside("‘The dogs’ dinner,’ she said."),
            ["‘The dogs’ dinner,’"]
        );
        assert_eq!(inside("'Tis the '90s, rock 'n' roll"), Vec::<String>::new());
        assert_eq!(inside("„Ja“, sagte er."), ["„Ja“"]);
    }

    #[test]
    fn types_tell_case_and_marks() {
        let types: Vec<u32> = read("a B Cd EF “I OK”").iter().map(Word::type_id).collect();
        assert_eq!(types, [0, 1, 1, 2, 3, 4, 5, 3]);
    }
}
