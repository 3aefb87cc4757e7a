//! From the tagger's spans to [`AttributedQuote`]s: which spans are kept, how far they reach, and
//! whether the tagger or the rules say whose words they are. Names come from the same resolution as
//! the rules'.

use std::collections::BTreeMap;

use super::article::Article;
use super::choice::choose;
use super::confidence::Evidence;
use super::is_anonymity;
use super::join::joined;
use crate::attribution::rule::Rule;
use crate::attribution::{AttributedQuote, Attribution};
use crate::lexicon::{Class, class_of};
use crate::quote::{Quote, QuoteKind};
use crate::span::Span;
use crate::tagger::{Calibration, TaggedQuote, TaggedSpan, quotes};

/// Share of a tagged quote's bytes that a quote of the rules must hold to speak for it.
const SAME_QUOTE: f64 = 0.5;
/// A clause of the tagger alone of less confidence is left out: on PolNeAR's development part that costs
/// as many right ones as wrong ones, by F1, and elsewhere fewer.
const DOUBTFUL: f32 = 0.4;
/// A rule's quote of which the tagged ones hold no more than this is one they have missed.
const MISSED: f64 = 0.3;

/// Attributes an article's tagged quotes; `by_rules` are the quotes the rules find in it.
pub(super) fn attributed(
    text: &str,
    spans: &[TaggedSpan],
    calibration: Calibration,
    by_rules: &[AttributedQuote],
) -> Vec<AttributedQuote> {
    let turns: Vec<Span> = (by_rules.iter())
        .filter(|rule| rule.attribution.rule == Rule::Turn)
        .flat_map(|turn| turn.quote.spans.iter().copied())
        .collect();
    let article = Article::new(text, &turns);
    let spans = article.whole_passages(spans, |span| {
        span.is_marked() && span.score >= calibration.min_score_marked || calibration.keep(span)
    });
    let rules = Places::new(by_rules);
    let mut found: Vec<(AttributedQuote, Evidence)> = Vec::new();
    for mut tagged in quotes(&spans, |_| true) {
        let mut quote = article.quote(&tagged);
        article.cut_aside(&mut quote, tagged.first.cue);
        let source = tagged
            .first
            .source
            .map(|source| article.mended_source(source, tagged.first.cue))
            .filter(|source| !article.is_topic(*source, quote.extent()));
        tagged.first.source = source;
        if quote.spans.is_empty()
            || !article.holds(quote.spans[0].start)
            || article.is_heading(quote.extent(), source)
            || article.overlaps_turn(quote.extent())
            || is_anonymity(quote.spans[0].of(text))
        {
            continue;
        }
        let rule = best(&rules, &quote);
        let begins = rule.and_then(|rule| {
            after_that(text, &quote, rule).or_else(|| after_addressee(text, &quote, &tagged, rule))
        });
        if let Some(start) = begins {
            quote.spans[0].start = start;
        }
        let attribution = choose(&article, &quote, &tagged, rule);
        // A clause that nobody is named for is hardly ever somebody's words, and neither is a title.
        if attribution.mention.is_none()
            && (quote.kind == QuoteKind::Indirect || is_title(quote.extent().of(text)))
        {
            continue;
        }
        let evidence = Evidence::Tagged {
            score: tagged.first.score,
            source_probability: tagged.first.source_probability,
        };
        found.push((AttributedQuote { quote, attribution }, evidence));
    }
    let sure = by_rules.iter().filter(|rule| is_sure(rule));
    let tagged = Places::new(found.iter().map(|(found, _)| found));
    let halves = missed_halves(by_rules, &tagged);
    let missed: Vec<AttributedQuote> = sure
        .filter(|rule| !halves.contains_key(&rule.quote.spans[0].start))
        .filter(|rule| {
            let near = tagged.near(rule.quote.extent());
            let held: usize = near.map(|found| shared(&found.quote, &rule.quote)).sum();
            let most = match rule.quote.kind {
                QuoteKind::Indirect => 0.0,
                _ => MISSED * length(&rule.quote) as f64,
            };
            held as f64 <= most
        })
        .cloned()
        .collect();
    found.extend(
        missed
            .into_iter()
            .map(|rule| (rule, Evidence::RuleAgainstTagger)),
    );
    found.sort_by_key(|(found, _)| found.quote.spans[0].start);
    let begins = |(found, _): &(AttributedQuote, Evidence)| found.quote.spans[0].start;
    let halves: Vec<(usize, Span)> = halves
        .into_values()
        .map(|(start, span)| (found.partition_point(|found| begins(found) < start), span))
        .collect();
    for (at, span) in halves {
        let quote = &mut found[at].0.quote;
        quote.spans.push(span);
        quote.spans.sort_by_key(|span| span.start);
        if quote.kind == QuoteKind::Direct {
            quote.marked.push(span);
        }
    }
    found.sort_by_key(begins);
    let (mut found, evidence): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    article.resolve(&mut found);
    for (found, evidence) in found.iter_mut().zip(evidence) {
        let fitted = calibration.confidence;
        found.attribution.confidence = fitted.and_then(|fitted| fitted.of(found, evidence));
    }
    found.retain(|found| !is_doubtful(found));
    joined(text, found)
}

/// Whether a clause that the tagger alone has found is more probably wrong than right, "wanted a count".
fn is_doubtful(found: &AttributedQuote) -> bool {
    let Attribution {
        rule, confidence, ..
    } = found.attribution;
    found.quote.kind == QuoteKind::Indirect
        && rule == Rule::Model
        && confidence.is_some_and(|confidence| confidence < DOUBTFUL)
}

/// Words on one side of an attribution, “It is,” Ada Vey said, “a shame”, that the tagger has left out of a quote
/// of which it has the other: where the rules' quote begins, where the tagger's does, and
/// the words.
fn missed_halves(by_rules: &[AttributedQuote], tagged: &Places) -> BTreeMap<usize, (usize, Span)> {
    let interrupted = by_rules.iter().filter(|rule| match rule.quote.kind {
        QuoteKind::Direct => matches!(rule.attribution.rule, Rule::PostCue | Rule::Inverted),
        _ => matches!(
            rule.attribution.rule,
            Rule::AccordingTo | Rule::PostCueIndirect | Rule::Inverted
        ),
    });
    let halves = interrupted.filter_map(|rule| {
        let [first, second] = rule.quote.spans[..] else {
            return None;
        };
        let has = |quote: &AttributedQuote, span: Span| {
            quote.quote.spans.iter().any(|own| own.overlaps(span))
        };
        let whole = |span: Span| {
            let same = |quote: &&AttributedQuote| quote.quote.kind == rule.quote.kind;
            tagged
                .near(span)
                .filter(same)
                .find(|quote| has(quote, span))
        };
        let missed = |span: Span| !tagged.near(span).any(|quote| has(quote, span));
        let clause = rule.quote.kind != QuoteKind::Direct;
        let (whole, half) = match (whole(first), whole(second)) {
            (Some(whole), _) if missed(second) => (whole, second),
            // "The bridge, according to a memo, will carry no buses"
            (_, Some(whole)) if clause && missed(first) => (whole, first),
            _ => return None,
        };
        let start = whole.quote.spans[0].start;
        (whole.quote.spans.len() == 1).then_some((first.start, (start, half)))
    });
    halves.collect()
}

/// Where the clause begins that the tagger has with its "that": "said only that the price is fair".
fn after_that(text: &str, quote: &Quote, rule: &AttributedQuote) -> Option<usize> {
    let (first, start) = (quote.spans[0], rule.quote.spans[0].start);
    let inside =
        rule.attribution.rule == Rule::ThatClause && (first.start + 1..first.end).contains(&start);
    if !inside {
        return None;
    }
    let before = text[first.start..start].trim_end().strip_suffix("that")?;
    let verb = Class::AUX | Class::MODAL | Class::FINITE | Class::VERB;
    let mut words = before.split_whitespace();
    let clause = words.any(|word| class_of(&word.to_lowercase()).is(verb) || word.ends_with(','));
    (!clause).then_some(start)
}

/// Where the clause begins that the tagger has with whom it was told to: "told the board the price is fair".
fn after_addressee(
    text: &str,
    quote: &Quote,
    tagged: &TaggedQuote,
    rule: &AttributedQuote,
) -> Option<usize> {
    const WORDS: usize = 3;
    let cue = rule.attribution.cue?;
    let (first, start) = (quote.spans[0], rule.quote.spans[0].start);
    let told = rule.attribution.rule == Rule::BareClause
        && class_of(&cue.of(text).to_lowercase()).is(Class::ADDRESSEE)
        && tagged.first.cue.is_some_and(|own| own.overlaps(cue));
    let beside = cue.end < first.start && text[cue.end..first.start].trim().is_empty();
    if !told || !beside || !(first.start + 1..first.end).contains(&start) {
        return None;
    }
    let begins = Class::DETERMINER | Class::POSSESSIVE | Class::STRONG_PRONOUN;
    let mut addressee = text[first.start..start].split_whitespace();
    let determined = class_of(addressee.next()?).is(Class::DETERMINER | Class::POSSESSIVE);
    let more = addressee.count();
    let clause = text[start..first.end].split_whitespace().next()?;
    (determined && (1..WORDS).contains(&more) && class_of(clause).is(begins)).then_some(start)
}

/// Whether words between marks are a title: “The Stones Remember”, “Rights of Way in Law”.
fn is_title(words: &str) -> bool {
    const SMALL: usize = 4;
    let capital = |word: &str| word.starts_with(char::is_uppercase);
    let small = |word: &str| word.len() <= SMALL && word.chars().all(char::is_lowercase);
    let mut all = words.split_whitespace();
    capital(words)
        && !words.ends_with(['.', '!', '?', ',', '…'])
        && words
            .split_whitespace()
            .filter(|word| capital(word))
            .nth(1)
            .is_some()
        && all.all(|word| capital(word) || small(word))
}

/// Whether a quote of the rules is one nearly always: marked words, or a clause whose form and
/// speaker leave little doubt.
fn is_sure(found: &AttributedQuote) -> bool {
    let Attribution { rule, mention, .. } = &found.attribution;
    match found.quote.kind {
        QuoteKind::Indirect => {
            matches!(rule, Rule::ThatClause | Rule::AccordingTo) && mention.is_some()
        }
        _ => rule.is_sure(),
    }
}

/// The rules' quote that holds most of this one.
fn best<'r>(rules: &Places<'r>, quote: &Quote) -> Option<&'r AttributedQuote> {
    let held = rules
        .near(quote.extent())
        .map(|rule| (shared(&rule.quote, quote), rule));
    // Of equals the shortest, which holds the least beside it, and of those the first.
    let best = held.fold(
        None,
        |best: Option<(usize, &AttributedQuote)>, next| match best {
            Some(best) if best.0 > next.0 => Some(best),
            Some(best) if best.0 == next.0 && length(&best.1.quote) <= length(&next.1.quote) => {
                Some(best)
            }
            _ => Some(next),
        },
    );
    best.filter(|(shared, _)| *shared as f64 >= SAME_QUOTE * length(quote) as f64)
        .map(|(_, rule)| rule)
}

/// Quotes by their places, so that an article of a million takes no longer for each than one of ten.
struct Places<'q> {
    /// In the order of their first bytes.
    quotes: Vec<&'q AttributedQuote>,
    /// Of each, how far it and those before it reach.
    reach: Vec<usize>,
}

impl<'q> Places<'q> {
    fn new(quotes: impl IntoIterator<Item = &'q AttributedQuote>) -> Places<'q> {
        let mut quotes: Vec<&AttributedQuote> = quotes.into_iter().collect();
        quotes.sort_by_key(|quote| quote.quote.extent().start);
        let reach = (quotes.iter())
            .scan(0, |reach, quote| {
                *reach = quote.quote.extent().end.max(*reach);
                Some(*reach)
            })
            .collect();
        Places { quotes, reach }
    }

    /// Those that may overlap a place.
    fn near(&self, place: Span) -> impl Iterator<Item = &'q AttributedQuote> + '_ {
        let from = self.reach.partition_point(|reach| *reach <= place.start);
        let quotes = self.quotes[from..].iter();
        quotes
            .take_while(move |quote| quote.quote.extent().start < place.end)
            .copied()
    }
}

fn length(quote: &Quote) -> usize {
    quote.spans.iter().map(Span::len).sum()
}

/// Bytes in both.
fn shared(one: &Quote, other: &Quote) -> usize {
    (one.spans.iter())
        .flat_map(|a| other.spans.iter().map(move |b| (a, b)))
        .map(|(a, b)| a.end.min(b.end).saturating_sub(a.start.max(b.start)))
        .sum()
}
