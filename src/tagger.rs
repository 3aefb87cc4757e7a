//! A [`TaggedQuote`] is a quote as the quote tagger marks it: a small encoder labels each word of
//! an article as content, cue or source, and links each content to its source and cue.
//!
//! An article is read in chunks: whole lines with some words of context before them.

mod chunks;
mod decode;
mod link;
mod words;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::Deserialize;

use crate::encoder::{EngineOptions, Sequence};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::model::folder::ModelFolder;
use crate::quote::{Quote, QuoteKind};
use crate::span::Span;
use crate::tagger::chunks::{Chunk, chunks};
use crate::tagger::decode::{LABELS, WordSpan};
use crate::tagger::link::{Linear, LinkHead, Scene};
use crate::tagger::words::{Mark, Word, is_space};

/// A run of words that the tagger takes for quoted or reported, with the source and the cue it is
/// linked to. One quote may have several: see [`quotes`].
#[derive(Clone, Debug, PartialEq)]
pub struct TaggedSpan {
    /// Its parts on each line, in order. As the model marks them, so marks may stand at their ends
    /// where a quotation runs over several lines. Never empty.
    pub lines: Vec<Span>,
    /// The parts between quotation marks, marks excluded.
    pub marked: Vec<Span>,
    /// Words of letters or digits.
    pub words: u32,
    /// Of these, the ones between quotation marks.
    pub words_inside: u32,
    /// It goes on with the quote that the span before belongs to.
    pub continues: bool,
    /// Mean probability that its words are a quote's, 0 to 1.
    pub score: f32,
    /// Probability that it is speech rather than belief, intention or plan, 0 to 1.
    pub speech: f32,
    /// The most probable source as written: "he", "the union's president". `None`: that there is
    /// none in the same chunk is more probable than any.
    pub source: Option<Span>,
    /// Probability of that choice, 0 to 1.
    pub source_probability: f32,
    /// The reporting verb or phrase, likewise.
    pub cue: Option<Span>,
    /// Probability of that choice, 0 to 1.
    pub cue_probability: f32,
}

/// A quote as the tagger found it: one or more [`TaggedSpan`]s.
#[derive(Clone, Debug, PartialEq)]
pub struct TaggedQuote {
    /// The words, in order, a span for each line and each part. Never empty.
    pub spans: Vec<Span>,
    /// The parts of `spans` between quotation marks, marks excluded.
    pub marked: Vec<Span>,
    /// Share of the words that stand between quotation marks, 0 to 1.
    pub inside: f32,
    /// What its first part says of source, cue and scores.
    pub first: TaggedSpan,
}

/// The quote tagger: a [`Model`] with a head that labels words and two that link them.
pub struct Tagger {
    model: Model,
    config: TaggerConfig,
    labels: Linear,
    source: LinkHead,
    cue: LinkHead,
    break_id: u32,
    pieces: RwLock<HashMap<Box<str>, Pieces>>,
}

/// Ids of the word pieces of one word.
type Pieces = Arc<[u32]>;

/// `quote_tagger` in the model's `config.json`; the lengths are what it was trained with.
#[derive(Clone, Debug, Deserialize)]
struct TaggerConfig {
    /// Word pieces of a chunk, context apart.
    core_pieces: usize,
    /// Word pieces of what precedes it.
    context_pieces: usize,
    /// Added to the log probability that a quote begins.
    begin_bias: f64,
    #[serde(flatten)]
    calibration: Calibration,
}

/// What scores mean, from the model's `config.json`: which spans are kept, and how sure a quote is.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Calibration {
    /// Least score of a span without marks, 0 to 1.
    pub min_score: f32,
    /// Least score of a span of which half the words or more are between marks, 0 to 1.
    pub min_score_marked: f32,
    /// Least probability of being speech, 0 to 1.
    pub min_speech: f32,
    /// Of a tagger for which it has been fitted.
    pub confidence: Option<Confidence>,
}

/// The probability that a quote's words are one and its speaker is right, by logistic regression; see
/// `training/fit_quote_confidence.py`. Of each probability p it takes the log-odds, ln(p / (1 - p)), between
/// those of .01 and .99.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Confidence {
    /// Where tagger and rules name the same speaker.
    pub agreed: f32,
    /// Where the tagger decided on the speaker.
    pub model: f32,
    /// Where a rule did.
    pub rule: f32,
    /// Times the log-odds of [`TaggedSpan::score`].
    pub score: f32,
    /// Times those of [`TaggedSpan::source_probability`], where the tagger's source was taken.
    pub source_probability: f32,
    /// Words between marks, all or some.
    pub marked: f32,
    /// Of a rule's quotes of words between marks that the tagger does not have, the share that is right.
    pub missed_marked: f32,
    /// Likewise of clauses.
    pub missed_clause: f32,
}

/// Word pieces kept of one word, as in training.
const MOST_WORD_PIECES: usize = 8;
/// The token of the vocabulary that stands for a line break.
const BREAK_TOKEN: &str = "[unused1]";
/// Words whose pieces are remembered, at most; news has fewer.
const MOST_KNOWN_WORDS: usize = 1 << 17;
/// Chunks encoded together: enough for every thread, and their hidden states stay under 50 MB.
const BATCH_CHUNKS: usize = 64;

impl Tagger {
    /// Loads the quote tagger compiled into the program.
    ///
    /// # Errors
    /// Built without the feature `embedded-model`; otherwise as [`Tagger::open`].
    pub fn embedded(options: &EngineOptions) -> Result<Tagger> {
        Tagger::load(ModelFolder::embedded_tagger()?, options)
    }

    /// Loads the quote tagger kept in a directory.
    ///
    /// # Errors
    /// As [`Model::open`], and if the model has not a tagger's heads or `config.json` no
    /// `quote_tagger`.
    pub fn open(dir: &Path, options: &EngineOptions) -> Result<Tagger> {
        Tagger::load(ModelFolder::open(dir)?, options)
    }

    /// Loads a quote tagger from its files.
    ///
    /// # Errors
    /// As [`Tagger::open`].
    pub fn load(folder: ModelFolder, options: &EngineOptions) -> Result<Tagger> {
        #[derive(Deserialize)]
        struct File {
            quote_tagger: TaggerConfig,
        }
        let place = folder.place("config.json");
        let config: File = serde_json::from_slice(&folder.config).map_err(|error| {
            Error::new(ErrorKind::Model, "config.json has no usable quote_tagger")
                .at(&place)
                .hint("the folder must hold a quote tagger, such as models/tagger")
                .because(error)
        })?;
        let config = config.quote_tagger;
        let model = Model::load(folder, options)?;
        let longest = config.core_pieces.max(MOST_WORD_PIECES)
            + config.context_pieces
            + model.single_overhead();
        if longest > model.encoder().max_tokens() {
            let message = format!(
                "chunks of {longest} word pieces, but the model takes at most {}",
                model.encoder().max_tokens()
            );
            return Err(Error::new(ErrorKind::Model, message).at(&place));
        }
        let break_id = model.tokenizer().token_to_id(BREAK_TOKEN).ok_or_else(|| {
            let message = format!("the vocabulary has no {BREAK_TOKEN}, which marks line breaks");
            Error::new(ErrorKind::Model, message).at(&place)
        })?;
        let hidden = model.encoder().hidden_size();
        Ok(Tagger {
            labels: Linear::load(&model, "labels", LABELS, hidden)?,
            source: LinkHead::load(&model, "source")?,
            cue: LinkHead::load(&model, "cue")?,
            model,
            config,
            break_id,
            pieces: RwLock::default(),
        })
    }

    /// The model below the heads, with its name and engine.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What its scores mean.
    pub fn calibration(&self) -> Calibration {
        self.config.calibration
    }

    /// The spans of each text, in order, whatever they score; the same whatever texts stand beside
    /// it.
    ///
    /// # Errors
    /// The encoder or the tokenizer failed.
    pub fn tag(&self, texts: &[&str]) -> Result<Vec<Vec<TaggedSpan>>> {
        let read: Vec<Reading> = texts
            .par_iter()
            .map(|text| self.read(text))
            .collect::<Result<_>>()?;
        let todo: Vec<(usize, Chunk)> = (read.iter().enumerate())
            .flat_map(|(text, reading)| reading.chunks.iter().map(move |chunk| (text, *chunk)))
            .collect();
        let mut found: Vec<Vec<TaggedSpan>> = texts.iter().map(|_| Vec::new()).collect();
        for batch in todo.chunks(BATCH_CHUNKS) {
            let sequences: Vec<Sequence> = (batch.iter())
                .map(|(text, chunk)| self.sequence(&read[*text], chunk))
                .collect();
            let states = self.model.encoder().encode_tokens(&sequences)?;
            let spans: Vec<Vec<TaggedSpan>> = (batch.par_iter().zip(&states))
                .map(|((text, chunk), states)| {
                    self.find(texts[*text], &read[*text], chunk, states.view())
                })
                .collect();
            for ((text, _), spans) in batch.iter().zip(spans) {
                found[*text].extend(spans);
            }
        }
        Ok(found)
    }

    fn read<'t>(&self, text: &'t str) -> Result<Reading<'t>> {
        let (mut words, mut pieces) = (Vec::new(), Vec::new());
        for word in words::read(text) {
            let ids = self.pieces(&word)?;
            // What the tokenizer makes nothing of, such as control characters, is not there.
            if !ids.is_empty() {
                words.push(word);
                pieces.push(ids);
            }
        }
        let lengths: Vec<usize> = pieces.iter().map(|ids| ids.len()).collect();
        let TaggerConfig {
            core_pieces,
            context_pieces,
            ..
        } = self.config;
        let chunks = chunks(&words, &lengths, core_pieces, context_pieces);
        Ok(Reading {
            words,
            pieces,
            chunks,
        })
    }

    fn pieces(&self, word: &Word) -> Result<Pieces> {
        if word.is_break() {
            return Ok([self.break_id].into());
        }
        let text = word.piece_text();
        const POISONED: &str = "nothing panics while it holds the lock";
        if let Some(known) = self.pieces.read().expect(POISONED).get(text) {
            return Ok(known.clone());
        }
        let mut ids = self.model.ids(text)?;
        ids.truncate(MOST_WORD_PIECES);
        let ids: Pieces = ids.into();
        let mut known = self.pieces.write().expect(POISONED);
        if known.len() < MOST_KNOWN_WORDS {
            known.insert(text.into(), ids.clone());
        }
        Ok(ids)
    }

    /// The chunk with special tokens; the token type tells case and marks.
    fn sequence(&self, reading: &Reading, chunk: &Chunk) -> Sequence {
        let words = chunk.begin..chunk.end;
        let ids = reading.pieces[words.clone()].concat();
        let types = words.flat_map(|at| {
            std::iter::repeat_n(reading.words[at].type_id(), reading.pieces[at].len())
        });
        let mut sequence = self.model.single(&ids);
        // One special token stands before the pieces.
        for (slot, kind) in sequence.token_type_ids[1..].iter_mut().zip(types) {
            *slot = kind;
        }
        sequence
    }

    /// The spans that begin in a chunk's core. `states`: `[tokens, hidden]`.
    fn find(
        &self,
        text: &str,
        reading: &Reading,
        chunk: &Chunk,
        states: ArrayView2<f32>,
    ) -> Vec<TaggedSpan> {
        let words = &reading.words[chunk.begin..chunk.end];
        let firsts: Vec<usize> = (reading.pieces[chunk.begin..chunk.end].iter())
            .scan(1, |next, ids| {
                let first = *next;
                *next += ids.len();
                Some(first)
            })
            .collect();
        // [words, hidden]
        let hidden = states.select(ndarray::Axis(0), &firsts);
        let mut scores = Array2::zeros((words.len(), LABELS));
        for (mut row, state) in scores.outer_iter_mut().zip(hidden.outer_iter()) {
            row.assign(&self.labels.apply(state));
        }
        let decoded = decode::decode(words, scores.view(), self.config.begin_bias);
        let contents: Vec<WordSpan> = decoded.contents.iter().map(|found| found.span).collect();
        let breaks = words.iter().scan(0, |breaks, word| {
            *breaks += usize::from(word.is_break());
            Some(*breaks)
        });
        let breaks_before: Vec<usize> = std::iter::once(0).chain(breaks).collect();
        let scene = Scene {
            hidden: hidden.view(),
            breaks_before: &breaks_before,
            contents: &contents,
        };
        let sources = self.source.link(&scene, &decoded.sources);
        let cues = self.cue.link(&scene, &decoded.cues);
        let place =
            |span: WordSpan| Span::new(words[span.first].span.start, words[span.last].span.end);
        let mut found = Vec::new();
        for (index, content) in decoded.contents.iter().enumerate() {
            if chunk.begin + content.span.first < chunk.core {
                continue;
            }
            let cue = cues[index].candidate.map(|cue| decoded.cues[cue]);
            let source = sources[index].candidate.map(|at| decoded.sources[at]);
            let mut speech = decode::speech(scores.view(), content.span);
            if let Some(cue) = cue {
                speech = (speech + decode::speech(scores.view(), cue)) / 2.0;
            }
            let (all, inside) = count_inside(&words[content.span.first..=content.span.last]);
            found.push(TaggedSpan {
                lines: lines(text, place(content.span)),
                marked: marked(words, content.span),
                words: all,
                words_inside: inside,
                continues: content.continues,
                score: content.score as f32,
                speech: speech as f32,
                source: source.map(place),
                source_probability: sources[index].probability as f32,
                cue: cue.map(place),
                cue_probability: cues[index].probability as f32,
            });
        }
        found
    }
}

/// Joins the spans that `keep` keeps to quotes: one that goes on with the quote before it joins it,
/// unless it has another source.
pub fn quotes(spans: &[TaggedSpan], keep: impl Fn(&TaggedSpan) -> bool) -> Vec<TaggedQuote> {
    let mut joined: Vec<Vec<&TaggedSpan>> = Vec::new();
    for span in spans.iter().filter(|span| keep(span)) {
        match joined.last_mut() {
            Some(quote)
                if span.continues && (span.source.is_none() || span.source == quote[0].source) =>
            {
                quote.push(span);
            }
            _ => joined.push(vec![span]),
        }
    }
    let quotes = joined.into_iter().map(|parts| {
        let sum = |of: fn(&TaggedSpan) -> u32| parts.iter().map(|part| of(part)).sum::<u32>();
        let (all, inside) = (sum(|part| part.words), sum(|part| part.words_inside));
        TaggedQuote {
            spans: parts.iter().flat_map(|part| part.lines.clone()).collect(),
            marked: parts.iter().flat_map(|part| part.marked.clone()).collect(),
            inside: inside as f32 / (all as f32).max(1.0),
            first: parts[0].clone(),
        }
    });
    quotes.collect()
}

impl Calibration {
    /// Whether a span scores enough.
    pub fn keep(&self, span: &TaggedSpan) -> bool {
        let least = match span.is_marked() {
            true => self.min_score_marked,
            false => self.min_score,
        };
        span.score >= least && span.speech >= self.min_speech
    }
}

impl TaggedSpan {
    /// Whether half its words or more stand between quotation marks.
    pub fn is_marked(&self) -> bool {
        2 * self.words_inside >= self.words
    }
}

impl std::fmt::Debug for Tagger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tagger")
            .field("model", &self.model)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// An article as the tagger reads it.
struct Reading<'t> {
    words: Vec<Word<'t>>,
    /// Of each word, at least one.
    pieces: Vec<Pieces>,
    chunks: Vec<Chunk>,
}

impl TaggedQuote {
    /// The words and their kind. The spans of a direct quote leave the outer marks out.
    pub fn quote(&self) -> Quote {
        let kind = match self.inside {
            0.0 => QuoteKind::Indirect,
            share if share >= 0.9 => QuoteKind::Direct,
            _ => QuoteKind::Mixed,
        };
        let spans = match self.inside {
            1.0 => self.marked.clone(),
            _ => self.spans.clone(),
        };
        Quote {
            spans,
            kind,
            marked: self.marked.clone(),
        }
    }
}

/// The words that are letters or digits, and how many of them are between marks.
fn count_inside(words: &[Word]) -> (u32, u32) {
    let words = words.iter().filter(|word| word.is_word());
    words.fold((0, 0), |(all, inside), word| {
        (all + 1, inside + u32::from(word.inside))
    })
}

/// The parts of a span on each line, without white space at their ends.
fn lines(text: &str, span: Span) -> Vec<Span> {
    let mut start = span.start;
    let parts = span.of(text).split('\n').filter_map(|line| {
        let from = start + (line.len() - line.trim_start_matches(is_space).len());
        let length = line.trim_matches(is_space).len();
        start += line.len() + 1;
        (length > 0).then(|| Span::new(from, from + length))
    });
    parts.collect()
}

/// The parts of a span between marks; those without a letter or digit are left out.
fn marked(words: &[Word], span: WordSpan) -> Vec<Span> {
    let part = &words[span.first..=span.last];
    let within = |word: &Word| word.inside && word.mark == Mark::None && !word.is_break();
    part.split(|word| !within(word))
        .filter(|run| run.iter().any(Word::is_word))
        .map(|run| Span::new(run[0].span.start, run[run.len() - 1].span.end))
        .collect()
}

#[cfg(test)]
mod tests;
