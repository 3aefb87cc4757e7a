//! [`QuoteFigures`] of quotes and their speakers against gold ones, as `score_quotes.py` defines
//! them. The unit is the fragment: a contiguous piece of a quote that crosses no line break; a unit
//! is its set of words (marks and final commas are none). Units are matched one to one, the largest
//! share of common words (intersection over union, IoU) first.
//!
//! - `exact`, `iou80`, `iou50`: F1 of units whose IoU is 1, at least .8, at least .5; `jaccard`: mean
//!   IoU over the gold; `token`: F1 of the words in any quote.
//! - `e2e`: F1 of units found (IoU at least .5) with the right speaker, by last name; `attr_token`
//!   and `attr_quoted_token`: F1 of (word, last name), and of those between marks.
//! - `speaker_*`: accuracy over the pairs whose gold has a speaker; `null_speaker` over those whose
//!   gold has none; `canonical` of the resolved names, where the gold gives them.
//! - `ece`: calibration of the program's `confidence` (probability that the words are a quote and
//!   the speaker is right), 15 equal-width bins.
//!
//! Gold outside the subset is ignored: what is matched with it is neither right nor wrong.

mod scored;
mod units;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

pub use self::scored::{ScoredArticle, ScoredQuote, read_articles};
use self::units::{Unit, matched, units};
use self::words::{ScoredText, last_name, normal_mention};
use super::{Bootstrap, Estimate};
use crate::error::{Error, ErrorKind, Result};
use crate::quote::QuoteKind;

/// What is scored, and how.
#[derive(Clone, Debug)]
pub struct QuoteOptions {
    /// The kinds of gold quotes that count. Default: all.
    pub kinds: Vec<QuoteKind>,
    /// Leaves out gold whose `cue_class` is not `speech` (beliefs, intentions). Default: no.
    pub speech_only: bool,
    /// Matches whole quotes rather than fragments. Default: no.
    pub whole: bool,
    /// The IoU from which a pair's speaker is scored. Default: .5.
    pub speaker_iou: f64,
    /// For the intervals; articles are resampled.
    pub bootstrap: Bootstrap,
}

impl Default for QuoteOptions {
    fn default() -> QuoteOptions {
        QuoteOptions {
            kinds: KINDS.to_vec(),
            speech_only: false,
            whole: false,
            speaker_iou: 0.5,
            bootstrap: Bootstrap::default(),
        }
    }
}

const KINDS: [QuoteKind; 3] = [QuoteKind::Direct, QuoteKind::Mixed, QuoteKind::Indirect];

/// Right, of predicted and of gold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Matches {
    right: u64,
    predicted: u64,
    gold: u64,
}

/// Right of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Share {
    right: u64,
    of: u64,
}

impl Share {
    fn count(&mut self, right: bool) {
        self.right += u64::from(right);
        self.of += 1;
    }

    fn value(self) -> Option<f64> {
        (self.of > 0).then(|| self.right as f64 / self.of as f64)
    }
}

/// What is counted in one article; a corpus is the sum of its articles.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tally {
    exact: u64,
    iou80: u64,
    iou50: u64,
    e2e: u64,
    gold: u64,
    predicted: u64,
    iou_sum: f64,
    token: Matches,
    attr_token: Matches,
    attr_quoted_token: Matches,
    speaker_exact: Share,
    speaker_last: Share,
    speaker_overlap: Share,
    null_speaker: Share,
    canonical: Share,
    /// By bin of confidence: what was said, how often it was right, and of how many.
    confidence: [(f64, u64, u64); 15],
    /// Units by gold kind and by predicted kind, the last of either for none.
    kinds: [[u64; 4]; 4],
}

/// The figures of one set of articles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuoteFigures {
    /// Gold articles.
    pub articles: u64,
    /// Predicted articles that the gold does not have.
    pub unknown_articles: u64,
    /// The figures by name, as fractions; see the module.
    pub figures: Vec<(&'static str, Estimate)>,
    /// Precision, recall, F1 of what the names ending in `_f1` are made of.
    pub matches: Vec<(&'static str, [f64; 3])>,
    /// Units by gold kind (direct, mixed, indirect, none) and by predicted kind; pairs from IoU .5.
    pub kinds: [[u64; 4]; 4],
    /// By phenomenon of the gold: units, those found, those found with their speaker.
    pub by_tag: BTreeMap<String, [u64; 3]>,
}

impl QuoteFigures {
    /// Scores predictions against gold; what is predicted twice for an article counts last.
    ///
    /// # Errors
    /// A gold article without text.
    pub fn of(
        gold: &[ScoredArticle],
        predicted: &[ScoredArticle],
        options: &QuoteOptions,
    ) -> Result<QuoteFigures> {
        let by_id: HashMap<&str, &ScoredArticle> = (predicted.iter())
            .map(|article| (article.id.as_str(), article))
            .collect();
        let mut by_tag = BTreeMap::new();
        let mut tallies = Vec::with_capacity(gold.len());
        for article in gold {
            let text = article.text.as_deref().ok_or_else(|| {
                Error::new(ErrorKind::Format, "the gold has no text of this article")
                    .in_article(&article.id)
            })?;
            let quotes = by_id.get(article.id.as_str());
            let quotes = quotes.map_or(&[][..], |article| &article.quotes);
            tallies.push(tally(text, &article.quotes, quotes, options, &mut by_tag));
        }
        let total = |times: &dyn Fn(usize) -> u32| {
            let mut sum = Tally::default();
            for (index, tally) in tallies.iter().enumerate() {
                sum.add(tally, times(index));
            }
            sum
        };
        let whole = total(&|_| 1);
        let bootstrap = options.bootstrap;
        let resampled = bootstrap.map(tallies.len(), 0, |times| {
            total(&|index| times[index]).figures()
        });
        let figures = whole.figures().into_iter().enumerate();
        let figures = figures.map(|(index, (name, value))| {
            let of_figure: Vec<_> = resampled.iter().map(|figures| figures[index].1).collect();
            let estimate = match name {
                "ece" => Estimate::of_resamples_mirrored(value, &of_figure),
                _ => Estimate::of_resamples(value, &of_figure),
            };
            (name, estimate)
        });
        let known: BTreeSet<&str> = gold.iter().map(|article| article.id.as_str()).collect();
        let unknown = by_id.keys().filter(|id| !known.contains(*id)).count();
        Ok(QuoteFigures {
            articles: gold.len() as u64,
            unknown_articles: unknown as u64,
            figures: figures.collect(),
            matches: (whole.matches().into_iter())
                .map(|(name, matches)| (name, matches.precision_recall_f1()))
                .collect(),
            kinds: whole.kinds,
            by_tag,
        })
    }

    /// The value of a figure by its name; `None` where it is not defined.
    pub fn value(&self, name: &str) -> Option<f64> {
        let (_, estimate) = self.figures.iter().find(|(known, _)| *known == name)?;
        estimate.value
    }

    /// Everything as one JSON object.
    pub fn to_json(&self) -> Value {
        let round = |x: f64| (x * 1e6).round() / 1e6;
        let figures: Map<String, Value> = (self.figures.iter())
            .map(|(name, estimate)| ((*name).to_owned(), estimate.to_json()))
            .collect();
        let matches: Map<String, Value> = (self.matches.iter())
            .map(|(name, [precision, recall, f1])| {
                let object = json!({
                    "precision": round(*precision), "recall": round(*recall), "f1": round(*f1),
                });
                ((*name).to_owned(), object)
            })
            .collect();
        let kinds = ["direct", "mixed", "indirect", "none"];
        let confusion: Map<String, Value> = (kinds.iter().zip(&self.kinds))
            .map(|(gold, counts)| {
                let counts: Map<String, Value> = (kinds.iter().zip(counts))
                    .map(|(kind, count)| ((*kind).to_owned(), (*count).into()))
                    .collect();
                ((*gold).to_owned(), counts.into())
            })
            .collect();
        let by_tag: Map<String, Value> = (self.by_tag.iter())
            .map(|(tag, [n, found, right])| {
                let share = |count: u64| round(count as f64 / (*n).max(1) as f64);
                let object =
                    json!({ "n": n, "recall": share(*found), "e2e_recall": share(*right) });
                (tag.clone(), object)
            })
            .collect();
        json!({
            "task": "quotes",
            "articles": self.articles,
            "articles_not_in_gold": self.unknown_articles,
            "figures": figures,
            "matches": matches,
            "kinds": confusion,
            "by_tag": by_tag,
        })
    }
}

impl Matches {
    fn add(&mut self, more: Matches, times: u64) {
        self.right += more.right * times;
        self.predicted += more.predicted * times;
        self.gold += more.gold * times;
    }

    /// 0 where there is nothing to divide by.
    fn precision_recall_f1(self) -> [f64; 3] {
        let share = |of: u64| match of {
            0 => 0.0,
            of => self.right as f64 / of as f64,
        };
        let (precision, recall) = (share(self.predicted), share(self.gold));
        let sum = precision + recall;
        let f1 = match sum > 0.0 {
            true => 2.0 * precision * recall / sum,
            false => 0.0,
        };
        [precision, recall, f1]
    }
}

impl Tally {
    fn add(&mut self, more: &Tally, times: u32) {
        let n = u64::from(times);
        self.exact += more.exact * n;
        self.iou80 += more.iou80 * n;
        self.iou50 += more.iou50 * n;
        self.e2e += more.e2e * n;
        self.gold += more.gold * n;
        self.predicted += more.predicted * n;
        self.iou_sum += more.iou_sum * f64::from(times);
        self.token.add(more.token, n);
        self.attr_token.add(more.attr_token, n);
        self.attr_quoted_token.add(more.attr_quoted_token, n);
        for (share, more) in [
            (&mut self.speaker_exact, more.speaker_exact),
            (&mut self.speaker_last, more.speaker_last),
            (&mut self.speaker_overlap, more.speaker_overlap),
            (&mut self.null_speaker, more.null_speaker),
            (&mut self.canonical, more.canonical),
        ] {
            share.right += more.right * n;
            share.of += more.of * n;
        }
        for (bin, more) in self.confidence.iter_mut().zip(&more.confidence) {
            bin.0 += more.0 * f64::from(times);
            bin.1 += more.1 * n;
            bin.2 += more.2 * n;
        }
        for (row, more) in self.kinds.iter_mut().zip(&more.kinds) {
            for (count, more) in row.iter_mut().zip(more) {
                *count += more * n;
            }
        }
    }

    fn matches(&self) -> [(&'static str, Matches); 7] {
        let spans = |right| Matches {
            right,
            predicted: self.predicted,
            gold: self.gold,
        };
        [
            ("exact", spans(self.exact)),
            ("iou80", spans(self.iou80)),
            ("iou50", spans(self.iou50)),
            ("e2e", spans(self.e2e)),
            ("token", self.token),
            ("attr_token", self.attr_token),
            ("attr_quoted_token", self.attr_quoted_token),
        ]
    }

    fn figures(&self) -> Vec<(&'static str, Option<f64>)> {
        let f1 = |matches: Matches| Some(matches.precision_recall_f1()[2]);
        let names = [
            "exact_f1",
            "iou80_f1",
            "iou50_f1",
            "e2e_f1",
            "token_f1",
            "attr_token_f1",
            "attr_quoted_token_f1",
        ];
        let matched = names.into_iter().zip(self.matches());
        let mut figures: Vec<_> = (matched)
            .map(|(name, (_, matches))| (name, f1(matches)))
            .collect();
        let sure: u64 = self.confidence.iter().map(|(_, _, of)| of).sum();
        let gaps = (self.confidence.iter()).map(|(said, right, _)| (said - *right as f64).abs());
        figures.extend([
            (
                "jaccard",
                (self.gold > 0).then(|| self.iou_sum / self.gold as f64),
            ),
            ("speaker_exact", self.speaker_exact.value()),
            ("speaker_last_name", self.speaker_last.value()),
            ("speaker_overlap", self.speaker_overlap.value()),
            ("null_speaker", self.null_speaker.value()),
            ("canonical", self.canonical.value()),
            ("ece", (sure > 0).then(|| gaps.sum::<f64>() / sure as f64)),
        ]);
        figures
    }
}

/// The place of a kind in the table of kinds.
fn number(kind: QuoteKind) -> usize {
    KINDS.iter().position(|known| *known == kind).unwrap_or(3)
}

fn tally(
    text: &str,
    gold: &[ScoredQuote],
    predicted: &[ScoredQuote],
    options: &QuoteOptions,
    by_tag: &mut BTreeMap<String, [u64; 3]>,
) -> Tally {
    let text = ScoredText::new(text);
    let gold = units(&text, gold, options.whole);
    let predicted = units(&text, predicted, options.whole);
    let is_ignored = |unit: &Unit| {
        let class = unit.quote.cue_class.as_deref();
        !options.kinds.contains(&unit.kind)
            || (options.speech_only && !matches!(class, None | Some("speech")))
    };
    let ignored: Vec<bool> = gold.iter().map(is_ignored).collect();
    let mut dropped = vec![false; predicted.len()];
    let mut found = vec![false; predicted.len()];
    let mut pairs = Vec::new();
    for (g, p, iou) in matched(&gold, &predicted) {
        if ignored[g] {
            dropped[p] |= iou >= 0.5;
        } else {
            pairs.push((g, p, iou));
            found[p] |= iou >= 0.5;
        }
    }
    for (p, unit) in predicted.iter().enumerate() {
        dropped[p] |= !options.kinds.contains(&unit.kind) && !found[p];
    }
    pairs.retain(|&(_, p, _)| !dropped[p]);
    let kept_gold = || (gold.iter().enumerate()).filter(|(g, _)| !ignored[*g]);
    let kept = || (predicted.iter().enumerate()).filter(|(p, _)| !dropped[*p]);
    let mut tally = Tally {
        gold: kept_gold().count() as u64,
        predicted: kept().count() as u64,
        ..Tally::default()
    };
    let (mut gold_met, mut right) = (vec![false; gold.len()], vec![false; predicted.len()]);
    for (_, unit) in kept_gold() {
        for tag in &unit.quote.tags {
            by_tag.entry(tag.clone()).or_default()[0] += 1;
        }
    }
    for &(g, p, iou) in &pairs {
        tally.iou_sum += iou;
        tally.exact += u64::from(iou >= 1.0 - 1e-9);
        tally.iou80 += u64::from(iou >= 0.8);
        tally.iou50 += u64::from(iou >= 0.5);
        if iou >= 0.5 {
            tally.kinds[number(gold[g].kind)][number(predicted[p].kind)] += 1;
            gold_met[g] = true;
        }
        if iou < options.speaker_iou {
            continue;
        }
        right[p] = tally.speaker(gold[g].quote, predicted[p].quote);
        tally.e2e += u64::from(right[p]);
        for tag in &gold[g].quote.tags {
            let counts = by_tag.entry(tag.clone()).or_default();
            counts[1] += 1;
            counts[2] += u64::from(right[p]);
        }
    }
    for (g, unit) in kept_gold() {
        tally.kinds[number(unit.kind)][3] += u64::from(!gold_met[g]);
    }
    for (p, unit) in kept() {
        tally.kinds[3][number(unit.kind)] += u64::from(!found[p]);
        if let Some(confidence) = unit.quote.confidence {
            let bin = &mut tally.confidence[((confidence * 15.0) as usize).min(14)];
            bin.0 += confidence;
            bin.1 += u64::from(right[p]);
            bin.2 += 1;
        }
    }
    let outside = (gold.iter().enumerate()).filter(|(g, _)| ignored[*g]);
    let outside: Vec<&Unit> = outside.map(|(_, unit)| unit).collect();
    let gold: Vec<&Unit> = kept_gold().map(|(_, unit)| unit).collect();
    let predicted: Vec<&Unit> = kept().map(|(_, unit)| unit).collect();
    tally.words(&text, &gold, &outside, &predicted);
    tally
}

impl Tally {
    /// Counts the speakers of a pair; whether the last name is right.
    fn speaker(&mut self, gold: &ScoredQuote, predicted: &ScoredQuote) -> bool {
        let (Some(name), said) = (gold.speaker(), predicted.speaker()) else {
            let right = predicted.speaker().is_none();
            self.null_speaker.count(right);
            return right;
        };
        let said_name = said.unwrap_or_default();
        let (last, said_last) = (last_name(name), last_name(said_name));
        let right = said.is_some() && last == said_last;
        self.speaker_last.count(right);
        let (mention, said_mention) = (normal_mention(name), normal_mention(said_name));
        self.speaker_exact.count(mention == said_mention);
        let overlap = match (gold.speaker_place(), predicted.speaker_place()) {
            (Some(a), Some(b)) => a[0] < b[1] && b[0] < a[1],
            _ if said.is_none() => false,
            _ => {
                let has = |mention: &str, word: &str| {
                    mention.split_ascii_whitespace().any(|known| known == word)
                };
                has(&said_mention, &last) || has(&mention, &said_last)
            }
        };
        self.speaker_overlap.count(overlap);
        let some = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        if let Some(canonical) = some(&gold.speaker_canonical) {
            let resolved = some(&predicted.speaker_canonical).or(said.map(str::to_owned));
            let resolved = last_name(&resolved.unwrap_or_default());
            self.canonical.count(resolved == last_name(&canonical));
        }
        right
    }

    /// Counts words, alone and with the last name of their speaker. Words of ignored gold alone
    /// count on neither side.
    fn words(&mut self, text: &ScoredText, gold: &[&Unit], outside: &[&Unit], predicted: &[&Unit]) {
        let mut of_gold: BTreeSet<(usize, String)> = BTreeSet::new();
        for unit in gold {
            let name = unit.quote.last_name();
            of_gold.extend(unit.words.iter().map(|&word| (word, name.clone())));
        }
        let gold_words: BTreeSet<usize> = of_gold.iter().map(|(word, _)| *word).collect();
        let ignored: BTreeSet<usize> = (outside.iter())
            .flat_map(|unit| unit.words.iter().copied())
            .filter(|word| !gold_words.contains(word))
            .collect();
        let mut of_predicted: BTreeSet<(usize, String)> = BTreeSet::new();
        for unit in predicted {
            let name = unit.quote.last_name();
            let words = unit.words.iter().filter(|word| !ignored.contains(word));
            of_predicted.extend(words.map(|&word| (word, name.clone())));
        }
        let predicted_words: BTreeSet<usize> = of_predicted.iter().map(|(word, _)| *word).collect();
        let is_quoted = |(word, _): &&(usize, String)| text.is_word_quoted(*word);
        self.token = Matches {
            right: gold_words.intersection(&predicted_words).count() as u64,
            predicted: predicted_words.len() as u64,
            gold: gold_words.len() as u64,
        };
        self.attr_token = Matches {
            right: of_gold.intersection(&of_predicted).count() as u64,
            predicted: of_predicted.len() as u64,
            gold: of_gold.len() as u64,
        };
        self.attr_quoted_token = Matches {
            right: (of_gold.intersection(&of_predicted))
                .filter(is_quoted)
                .count() as u64,
            predicted: of_predicted.iter().filter(is_quoted).count() as u64,
            gold: of_gold.iter().filter(is_quoted).count() as u64,
        };
    }
}
