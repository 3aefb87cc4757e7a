//! The quotes of one paragraph by rules: sentence by sentence, and what a paragraph hands on to the next.

use std::ops::Range;

use crate::attribution::frame::{Frame, Item};
use crate::attribution::mention::before;
use crate::attribution::names::{Names, Resolved};
use crate::attribution::report::{
    Report, first_subject, introducer, only_told_about, reports, trimmed,
};
use crate::attribution::{AttributedQuote, Attribution, Rule};
use crate::lexicon::Class;
use crate::quote::{Quote, QuoteKind};
use crate::span::Span;

/// The attribution that the next paragraph may go on with.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    attribution: Attribution,
    /// The paragraph before announced it ("She said:") or left its marks open.
    announced: bool,
    /// It ended with a quotation, so that another may go on.
    quoted: bool,
}

/// A paragraph of an English text, or of one in another language, read for its quotes.
pub(super) struct Paragraph<'t> {
    pub(super) text: &'t str,
    pub(super) frame: &'t Frame,
}

impl Paragraph<'_> {
    /// Adds the paragraph's quotes to those found before it, and says what the next one may go on with.
    pub(super) fn quotes(
        &self,
        names: &mut Names,
        carried: Option<Carried>,
        open: bool,
        found: &mut Vec<AttributedQuote>,
    ) -> Option<Carried> {
        let items = &self.frame.items;
        let base = found.len();
        let mut waiting: Vec<usize> = Vec::new();
        let mut last_direct: Option<usize> = None;
        let mut subject: Option<Attribution> = None;
        let mut extended: Vec<usize> = Vec::new();
        let has_passage = items.iter().any(|item| item.passage.is_some());
        for sentence in &self.frame.sentences {
            if let Some(passage) = only_passage(items, sentence) {
                match last_direct {
                    Some(index) => {
                        self.extend(&mut found[index], passage);
                        extended.push(index);
                    }
                    None if subject.is_some() && waiting.is_empty() => {
                        let attribution = subject.clone().expect("it was just seen");
                        found.push(
                            self.quote(std::slice::from_ref(&(passage..passage + 1)), attribution),
                        );
                        last_direct = Some(found.len() - 1);
                    }
                    None => waiting.push(passage),
                }
                continue;
            }
            let reports = reports(self.text, items, sentence.clone());
            let mut covered: Vec<Range<usize>> = Vec::new();
            for report in &reports {
                let attribution = self.attribution(names, report);
                let mut quote = self.quote(&report.content, attribution);
                if quote.quote.spans.is_empty() {
                    continue;
                }
                covered.extend(report.content.iter().cloned());
                let direct = report
                    .content
                    .iter()
                    .any(|range| range.len() == 1 && items[range.start].passage.is_some());
                if direct && quote.quote.kind == QuoteKind::Direct && !waiting.is_empty() {
                    for passage in waiting.drain(..) {
                        self.extend(&mut quote, passage);
                    }
                    finish(self.text, &mut quote.quote);
                }
                let ends_quoted = report
                    .content
                    .last()
                    .is_some_and(|range| items[range.end - 1].passage.is_some());
                found.push(quote);
                last_direct = (direct || ends_quoted)
                    .then_some(found.len() - 1)
                    .or(last_direct);
                subject = Some(found[found.len() - 1].attribution.clone());
            }
            self.leftovers(
                names,
                sentence,
                &covered,
                (
                    subject.as_ref(),
                    carried.as_ref().map(|carried| &carried.attribution),
                ),
                found,
                &mut last_direct,
            );
            if reports.is_empty() {
                let mention = first_subject(self.text, items, sentence, sentence.end);
                if let Some(mention) = mention.filter(|_| has_passage) {
                    let report = Report {
                        cue: sentence.end..sentence.end,
                        mention: Some(mention),
                        content: Vec::new(),
                        rule: Rule::PrecedingSubject,
                    };
                    subject = Some(self.attribution(names, &report));
                    last_direct = None;
                }
            }
        }
        // Once for each quote: a paragraph may hold a thousand pieces of one.
        extended.dedup();
        for index in extended {
            finish(self.text, &mut found[index].quote);
        }
        // A paragraph that is a quotation alone goes on with the speaker before it.
        if !waiting.is_empty() {
            if let Some(carried) = carried
                .as_ref()
                .filter(|carried| carried.quoted || carried.announced)
            {
                let mut attribution = carried.attribution.clone();
                attribution.rule = if carried.announced {
                    Rule::Announced
                } else {
                    Rule::Carried
                };
                let content: Vec<Range<usize>> = waiting.iter().map(|&at| at..at + 1).collect();
                // A heading in marks is no speech: it has no full stop.
                let words = items[waiting[0]]
                    .passage
                    .map_or("", |inner| inner.of(self.text));
                let speech = words.ends_with(['.', '!', '?', ',', '…', '’', '"', '”'])
                    || words.split(' ').nth(7).is_some();
                if waiting[0] == 0 && speech {
                    found.push(self.quote(&content, attribution));
                    last_direct = Some(found.len() - 1);
                }
            } else if let Some(report) = self.signature() {
                let attribution = self.attribution(names, &report);
                let content: Vec<Range<usize>> = waiting.iter().map(|&at| at..at + 1).collect();
                found.push(self.quote(&content, attribution));
                last_direct = Some(found.len() - 1);
            }
        }
        for quote in &found[base..] {
            let place = quote.quote.spans[0].start;
            debug_assert!(place >= items[0].span.start);
        }
        self.carry(
            names,
            &found[base..],
            last_direct.map(|index| index.wrapping_sub(base)),
            open,
            carried,
        )
    }

    /// `"…" — Name, Title`
    fn signature(&self) -> Option<Report> {
        let items = &self.frame.items;
        let dash = items
            .iter()
            .position(|item| item.dash())
            .filter(|&at| at > 0 && items[at - 1].passage.is_some())?;
        let end = (dash + 1..items.len())
            .find(|&at| !items[at].name())
            .unwrap_or(items.len());
        (end > dash + 1).then(|| Report {
            cue: dash..dash,
            mention: Some(dash + 1..end),
            content: Vec::new(),
            rule: Rule::Signature,
        })
    }

    fn carry(
        &self,
        names: &mut Names,
        quotes: &[AttributedQuote],
        last: Option<usize>,
        open: bool,
        before_paragraph: Option<Carried>,
    ) -> Option<Carried> {
        let items = &self.frame.items;
        let ends_colon = items.last().is_some_and(|item| item.sign(':'));
        if ends_colon {
            let sentence = self.frame.sentences.last()?;
            let colon = items.len() - 1;
            let cue = (sentence.clone())
                .rev()
                .find(|&at| items[at].class.is_reporting());
            // The cue's own subject, else whoever the line names, else whoever spoke before.
            let at_cue = cue
                .and_then(|cue| before(self.text, items, sentence.start, cue))
                .map(|(mention, _)| mention);
            let reported = quotes
                .last()
                .filter(|quote| quote.quote.spans[0].start >= items[sentence.start].span.start);
            if let Some(quote) = reported {
                let attribution = quote.attribution.clone();
                return Some(Carried {
                    attribution,
                    announced: true,
                    quoted: false,
                });
            }
            let named = || introducer(self.text, items, sentence, colon);
            let Some(mention) = at_cue.or_else(|| named().map(|(mention, _)| mention)) else {
                return before_paragraph.map(|carried| Carried {
                    announced: true,
                    ..carried
                });
            };
            let cue = cue.unwrap_or(colon);
            let report = Report {
                cue: cue..cue + 1,
                mention: Some(mention),
                content: Vec::new(),
                rule: Rule::Announced,
            };
            return Some(Carried {
                attribution: self.attribution(names, &report),
                announced: true,
                quoted: false,
            });
        }
        // A heading or caption between two paragraphs does not end a speaker's turn; a quote does.
        let newest = last.and_then(|index| quotes.get(index)).or(quotes.last())?;
        let final_quote = quotes
            .iter()
            .max_by_key(|quote| quote.quote.spans.last().map_or(0, |span| span.end))
            .unwrap_or(newest);
        let quoted = final_quote.quote.kind != QuoteKind::Indirect || items.len() < 60;
        Some(Carried {
            attribution: final_quote.attribution.clone(),
            announced: open,
            quoted,
        })
    }

    /// Passages of a sentence that no report covers: words of its subject, or scare quotes.
    fn leftovers(
        &self,
        names: &mut Names,
        sentence: &Range<usize>,
        covered: &[Range<usize>],
        (subject, carried): (Option<&Attribution>, Option<&Attribution>),
        found: &mut Vec<AttributedQuote>,
        last_direct: &mut Option<usize>,
    ) {
        let items = &self.frame.items;
        for at in sentence.clone() {
            let Some(inner) = items[at].passage else {
                continue;
            };
            if covered.iter().any(|range| range.contains(&at)) {
                continue;
            }
            let words = inner.of(self.text);
            let count = words.split_whitespace().take(12).count();
            let sentence_like = words.starts_with(|c: char| c.is_uppercase())
                && words.ends_with(['.', '!', '?', ',', '…'])
                && count >= 4;
            if at == sentence.start && sentence_like {
                // `"…" — Name, Title`, or a quotation before words that report nothing.
                let signed = (items.get(at + 1).is_some_and(Item::dash))
                    .then(|| self.signature())
                    .flatten();
                if let Some(report) = signed {
                    let attribution = self.attribution(names, &report);
                    found.push(self.quote(std::slice::from_ref(&(at..at + 1)), attribution));
                    *last_direct = Some(found.len() - 1);
                } else if subject.is_none() {
                    found.push(self.unattributed(at));
                } else if let Some(attribution) = subject {
                    found
                        .push(self.quote(std::slice::from_ref(&(at..at + 1)), attribution.clone()));
                    *last_direct = Some(found.len() - 1);
                }
                continue;
            }
            let introduced =
                at > sentence.start && (items[at - 1].sign(':') || items[at - 1].sign(','));
            if only_told_about(self.text, items, sentence, at)
                && let Some(attribution) = subject.or(carried)
            {
                found.push(self.quote(std::slice::from_ref(&(at..at + 1)), attribution.clone()));
                *last_direct = Some(found.len() - 1);
                continue;
            }
            if sentence_like && introduced || count >= 4 && !words.starts_with(char::is_uppercase) {
                let Some(mention) = first_subject(self.text, items, sentence, at) else {
                    continue;
                };
                let person = items[mention.clone()].iter().any(|item| {
                    item.name()
                        || item.class.is(Class::STRONG_PRONOUN
                            | Class::ROLE
                            | Class::DOCUMENT
                            | Class::GROUP)
                });
                if !person {
                    continue;
                }
                let report = Report {
                    cue: at..at,
                    mention: Some(mention),
                    content: Vec::new(),
                    rule: Rule::Embedded,
                };
                let attribution = self.attribution(names, &report);
                found.push(self.quote(std::slice::from_ref(&(at..at + 1)), attribution));
                *last_direct = Some(found.len() - 1);
            }
        }
    }

    /// A long quotation whose speaker nothing tells.
    fn unattributed(&self, passage: usize) -> AttributedQuote {
        self.quote(
            std::slice::from_ref(&(passage..passage + 1)),
            Attribution::unknown(),
        )
    }

    fn attribution(&self, names: &mut Names, report: &Report) -> Attribution {
        let items = &self.frame.items;
        let span = |range: &Range<usize>| {
            Span::new(items[range.start].span.start, items[range.end - 1].span.end)
        };
        let cue =
            (!report.cue.is_empty() && items[report.cue.start].word).then(|| span(&report.cue));
        let mention = report.mention.as_ref().filter(|range| !range.is_empty());
        let resolved = mention.map_or(Resolved::default(), |range| {
            names.resolve(self.text, &items[range.clone()])
        });
        let mention = mention.map(|range| {
            let span = span(range);
            let words = span.of(self.text);
            let bare = words
                .strip_suffix("'s")
                .or_else(|| words.strip_suffix("’s"))
                .unwrap_or(words);
            Span::new(span.start, span.start + bare.len())
        });
        if let Some(mention) = mention {
            names.spoke(mention.start, &resolved);
        }
        Attribution {
            cue,
            mention,
            speaker: resolved.speaker,
            chain: resolved.chain,
            rule: report.rule,
            confidence: None,
        }
    }

    pub(super) fn quote(
        &self,
        content: &[Range<usize>],
        attribution: Attribution,
    ) -> AttributedQuote {
        let items = &self.frame.items;
        let mut quote = Quote {
            spans: Vec::new(),
            kind: QuoteKind::Indirect,
            marked: Vec::new(),
        };
        for range in content {
            let range = trimmed(items, range.clone());
            if range.is_empty() {
                continue;
            }
            let parts = &items[range.clone()];
            quote
                .marked
                .extend(parts.iter().filter_map(|item| item.passage));
            if parts.iter().all(|item| item.passage.is_some()) {
                quote
                    .spans
                    .extend(parts.iter().filter_map(|item| item.passage));
            } else {
                let start = parts[0].span.start;
                quote
                    .spans
                    .push(Span::new(start, parts[parts.len() - 1].span.end));
            }
        }
        finish(self.text, &mut quote);
        AttributedQuote { quote, attribution }
    }

    /// Adds a passage; the quote is to be [finished](finish) then.
    fn extend(&self, quote: &mut AttributedQuote, passage: usize) {
        if let Some(inner) = self.frame.items[passage].passage {
            quote.quote.spans.push(inner);
            quote.quote.marked.push(inner);
        }
    }
}

/// Orders the spans and says which kind of quote they make: direct where nine words in ten are
/// marked, the scale of the corpora.
pub(super) fn finish(text: &str, quote: &mut Quote) {
    for spans in [&mut quote.spans, &mut quote.marked] {
        spans.sort_by_key(|span| span.start);
        spans.dedup();
        let mut end = 0;
        spans.retain(|span| {
            let apart = span.start >= end && !span.is_empty();
            end = end.max(span.end);
            apart
        });
    }
    let words = |spans: &[Span]| -> usize {
        spans
            .iter()
            .map(|span| span.of(text).split_whitespace().count())
            .sum()
    };
    let (all, marked) = (words(&quote.spans), words(&quote.marked));
    quote.kind = match (all, marked) {
        (_, 0) => QuoteKind::Indirect,
        (all, marked) if marked * 10 >= all * 9 => QuoteKind::Direct,
        _ => QuoteKind::Mixed,
    };
}

fn only_passage(items: &[Item], sentence: &Range<usize>) -> Option<usize> {
    let mut passage = None;
    for at in sentence.clone() {
        match items[at].passage {
            Some(_) if passage.is_none() => passage = Some(at),
            Some(_) => return None,
            None if items[at].word => return None,
            None => {}
        }
    }
    passage
}
