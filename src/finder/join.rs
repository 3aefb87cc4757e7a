//! Parts of one quote that stand apart, joined: paragraphs of one quotation, and what an attribution
//! interrupts.

use super::paragraph::finish;
use crate::attribution::AttributedQuote;
use crate::attribution::report::JOINING;
use crate::quote::QuoteKind;
use crate::span::Span;

/// What a quotation can begin with.
pub(super) const OPENING: [&str; 9] = ["“", "\"", "‘", "'", "``", "''", "«", "»", "„"];
/// Bytes of an attribution that interrupts a quote, at most.
const INTERRUPTION: usize = 200;

/// A quotation of several paragraphs opens its marks anew in each and closes them in the last: one
/// quote, and so is what its speaker interrupts. The part that has a cue of its own says
/// whose it is.
pub(super) fn joined(text: &str, quotes: Vec<AttributedQuote>) -> Vec<AttributedQuote> {
    let mut whole: Vec<AttributedQuote> = Vec::with_capacity(quotes.len());
    let mut grown = Vec::new();
    for quote in quotes {
        match continued(text, &whole, &quote) {
            Some(at) => {
                let first = &mut whole[at];
                let mut spans = quote.quote.spans;
                if first.quote.kind != QuoteKind::Direct {
                    spans[0].start -= conjunction(&text[..spans[0].start]);
                }
                first.quote.spans.extend(spans);
                first.quote.marked.extend(quote.quote.marked);
                if first.attribution.cue.is_none() {
                    first.attribution = quote.attribution;
                }
                grown.push(at);
            }
            None => whole.push(quote),
        }
    }
    grown.sort_unstable();
    grown.dedup();
    for at in grown {
        finish(text, &mut whole[at].quote);
    }
    whole
}

/// Which of the quotes before it the next one goes on with.
fn continued(text: &str, before: &[AttributedQuote], next: &AttributedQuote) -> Option<usize> {
    let last = before.len().checked_sub(1)?;
    if is_interrupted_clause(text, &before[last], next) {
        return Some(last);
    }
    // Over a clause between the marks: "“…,” said Ada Vey, who asked that … “…”"
    let over = before[last].quote.kind == QuoteKind::Indirect;
    let first = last.checked_sub(usize::from(over))?;
    (goes_on(text, &before[first], next) || is_interrupted(text, &before[first], next))
        .then_some(first)
}

/// Where the last words of a quote end.
fn end_of(quote: &AttributedQuote) -> usize {
    quote.quote.spans.last().map_or(0, |span| span.end)
}

/// What stands between two direct quotes, the first of which ends before the next begins.
fn between_direct(first: &AttributedQuote, next: &AttributedQuote) -> Option<Span> {
    let direct = |quote: &AttributedQuote| quote.quote.kind == QuoteKind::Direct;
    let (end, start) = (end_of(first), next.quote.spans[0].start);
    (direct(first) && direct(next) && end <= start).then(|| Span::new(end, start))
}

/// True where their speaker alone stands between the marks of both: "“There is,” Ada Vey said, “nothing.”",
/// "“There is nothing,” Ada Vey said. “Go home.”"
fn is_interrupted(text: &str, first: &AttributedQuote, next: &AttributedQuote) -> bool {
    let Some(between) = between_direct(first, next).filter(|between| between.len() <= INTERRUPTION)
    else {
        return false;
    };
    let attribution = between.of(text).trim_end_matches([' ', '\u{a0}']);
    let attribution = OPENING
        .iter()
        .find_map(|mark| attribution.strip_suffix(mark))
        .filter(|words| !words.contains('\n'));
    let Some(attribution) = attribution.map(str::trim_end) else {
        return false;
    };
    let closing = ['”', '"', '’', '\'', '»', '“'];
    let paused = text[..between.start].ends_with(',')
        || (between.of(text).trim_start_matches(closing)).starts_with(',');
    let goes_on = text[between.end..].starts_with(char::is_lowercase);
    let one_sentence = paused && goes_on && attribution.ends_with(',');
    let mentions = [first, next].map(|quote| quote.attribution.mention);
    let mut mentions = mentions.into_iter().flatten().peekable();
    (one_sentence || attribution.ends_with('.'))
        && mentions.peek().is_some()
        && mentions.all(|mention| between.contains(mention))
}

/// True where nothing but a line break and an opening mark stands between two direct quotes: the
/// first was not closed.
fn goes_on(text: &str, first: &AttributedQuote, next: &AttributedQuote) -> bool {
    let Some(between) = between_direct(first, next) else {
        return false;
    };
    // Its last words end within their marks, not after them.
    let open = first
        .quote
        .marked
        .last()
        .is_some_and(|last| last.end == between.start);
    let between = between.of(text);
    open && between
        .trim_start_matches([' ', '\t', '\r'])
        .starts_with('\n')
        && OPENING.contains(&between.trim())
}

/// True where their one attribution stands between commas within a sentence, and not all is marked: "If it
/// rains, Ada Vey said, the match is off."
fn is_interrupted_clause(text: &str, first: &AttributedQuote, next: &AttributedQuote) -> bool {
    let (end, start) = (end_of(first), next.quote.spans[0].start);
    let direct = |quote: &AttributedQuote| quote.quote.kind == QuoteKind::Direct;
    if end > start || start - end > INTERRUPTION || direct(first) {
        return false;
    }
    let between = Span::new(end, start);
    let (own, other) = (&first.attribution, &next.attribution);
    let (Some(mention), Some(cue)) = (own.mention.or(other.mention), own.cue.or(other.cue)) else {
        return false;
    };
    let same = |one: Option<Span>, with: Span| one.is_none_or(|one| one.overlaps(with));
    let words = between.of(text);
    let signs = |c: char| c == ' ' || c == '\u{a0}' || is_mark(c);
    let inner = words.trim_matches(signs);
    let inner = inner[..inner.len() - conjunction(inner)].trim_end();
    let commas = (inner.starts_with(',') || text[..end].ends_with(','))
        && inner.len() > 1
        && inner.ends_with(',');
    let inner = inner.trim_matches(',');
    commas
        && between.contains(mention)
        && between.contains(cue)
        && same(other.mention, mention)
        && same(other.cue, cue)
        && !inner.contains(['\n', '!', '?', ';', ':'])
        && !inner.contains(is_mark)
        && !inner.contains(". ")
}

/// Bytes of the conjunction that words after a comma end with: "It may slip, she says, because …". It belongs to what
/// goes on.
fn conjunction(words: &str) -> usize {
    let trimmed = words.trim_end();
    let joins = |word: &&str| {
        let before = trimmed.strip_suffix(*word).map(str::trim_end);
        before.is_some_and(|before| before.ends_with(','))
    };
    let found = JOINING.into_iter().find(joins);
    found.map_or(0, |word| word.len() + words.len() - trimmed.len())
}

/// Whether a character is a quotation mark.
fn is_mark(c: char) -> bool {
    matches!(c, '“' | '”' | '"' | '‘' | '«' | '»' | '„')
}
