//! A [`Token`] is a word or a sign of punctuation with its place; a paragraph is a line, or a
//! block of lines where the text is wrapped at a fixed width.

use crate::lexicon::{Class, class_of};
use crate::span::Span;

/// A word or one sign of punctuation.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// Where it stands.
    pub span: Span,
    /// What it can be; none for punctuation.
    pub class: Class,
    /// True for a word or number.
    pub word: bool,
    /// True where it begins with an upper-case letter (or `@`).
    pub capital: bool,
    /// Its first character.
    pub first: char,
}

/// The paragraphs of a text, in order, without those of white space alone.
pub fn paragraphs(text: &str) -> Vec<Span> {
    let lines: Vec<Span> = lines(text);
    if !is_wrapped(text, &lines) {
        return lines.into_iter().filter(|line| !line.is_empty()).collect();
    }
    let mut blocks: Vec<Span> = Vec::new();
    let mut open = false;
    for line in lines {
        match blocks.last_mut() {
            _ if line.is_empty() => open = false,
            Some(block) if open => block.end = line.end,
            _ => {
                blocks.push(line);
                open = true;
            }
        }
    }
    blocks
}

fn lines(text: &str) -> Vec<Span> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let span = Span::new(start, start + line.len());
            start = span.end;
            span.trim(text)
        })
        .collect()
}

/// A text is wrapped where most lines that another follows stop between 50 and 100 bytes without
/// ending a sentence.
fn is_wrapped(text: &str, lines: &[Span]) -> bool {
    let (mut followed, mut broken) = (0, 0);
    for pair in lines.windows(2) {
        if !pair[0].is_empty() && !pair[1].is_empty() {
            followed += 1;
            let open = !pair[0]
                .of(text)
                .ends_with(['.', '!', '?', '"', '”', ':', '’', '»']);
            broken += usize::from(open && (50..=100).contains(&pair[0].len()));
        }
    }
    followed >= 4 && broken * 10 >= followed * 6
}

/// The tokens of one paragraph.
pub fn tokens(text: &str, paragraph: Span) -> Vec<Token> {
    let mut found = Vec::with_capacity(paragraph.len() / 5);
    let mut lower = String::new();
    let mut characters = paragraph.of(text).char_indices().peekable();
    while let Some((offset, first)) = characters.next() {
        if first.is_whitespace() {
            continue;
        }
        let start = paragraph.start + offset;
        let mut end = start + first.len_utf8();
        let handle = first == '@'
            && characters
                .peek()
                .is_some_and(|next| next.1.is_alphanumeric());
        let word = first.is_alphanumeric() || handle || first == '#';
        if !word {
            let span = Span::new(start, end);
            found.push(Token {
                span,
                class: Class::default(),
                word,
                capital: false,
                first,
            });
            continue;
        }
        while let Some(&(offset, next)) = characters.peek() {
            let at = paragraph.start + offset;
            let after = text[at + next.len_utf8()..paragraph.end].chars().next();
            let joins = matches!(next, '\'' | '’' | '-' | '.' | '/' | '_' | '&' | ',')
                && after.is_some_and(char::is_alphanumeric)
                && (next != ','
                    || (text[..at].ends_with(|c: char| c.is_ascii_digit())
                        && after.is_some_and(|c| c.is_ascii_digit())))
                && (next != '.' || end - start < 6 || first.is_ascii_digit());
            if !(next.is_alphanumeric() || next == '_' || joins) {
                break;
            }
            end = at + next.len_utf8();
            characters.next();
        }
        let surface = &text[start..end];
        lower.clear();
        lower.extend(
            surface
                .chars()
                .map(|c| if c == '’' { '\'' } else { c })
                .flat_map(char::to_lowercase),
        );
        let mut class = class_of(&lower);
        if class == Class::default() {
            if let Some(stem) = lower.strip_suffix("'s") {
                // A possessive is no verb or pronoun; its noun keeps only what a noun can be.
                class = Class(class_of(stem).0 & (Class::ORGANISATION | Class::TIME).0);
            } else if lower.ends_with("ly") && lower.len() > 4 && !first.is_uppercase() {
                class = Class::ADVERB;
            }
        }
        if is_contraction(&lower) {
            class |= Class::NOT_NAME;
        }
        let initial = surface.chars().count() == 1 && first.is_uppercase() && first != 'I';
        let dotted = surface.contains('.') && !first.is_ascii_digit() && surface.len() < 8;
        if text[end..paragraph.end].starts_with('.')
            && (class.is(Class::ABBREVIATION) || initial || dotted)
            && !(class.is(Class::ABBREVIATION)
                && first.is_lowercase()
                && text[end + 1..paragraph.end].trim_start().is_empty())
        {
            // "no." and "miss." end sentences far more often than they abbreviate.
            if !(first.is_lowercase()
                && (lower == "no" || lower == "miss" || lower == "al" || lower == "gen"))
            {
                end += 1;
                characters.next();
                class |= Class::ABBREVIATION;
                // "A. K. Sodhi": no article.
                if initial
                    && text[end..paragraph.end]
                        .trim_start()
                        .starts_with(char::is_uppercase)
                {
                    class = Class::ABBREVIATION;
                }
            }
        } else {
            class = Class(class.0 & !Class::ABBREVIATION.0);
        }
        found.push(Token {
            span: Span::new(start, end),
            class,
            word,
            capital: first.is_uppercase() || handle,
            first,
        });
    }
    found
}

/// True for "I've", "you're", "it's": a word that names nobody with a verb joined to it.
fn is_contraction(lower: &str) -> bool {
    let Some((stem, ending)) = lower.rsplit_once('\'') else {
        return false;
    };
    match ending {
        "t" => stem.ends_with('n') && class_of(lower).is(Class::AUX | Class::MODAL),
        "ve" | "m" | "re" | "ll" | "d" | "s" => class_of(stem).is(Class::NOT_NAME),
        _ => false,
    }
}
