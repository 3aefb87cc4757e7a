//! The whole run: read → find → classify → write. The stages overlap; what is in flight between
//! them is bounded, and documents leave in the order they were read.

mod stages;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use rayon::ThreadPool;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use self::stages::{Budget, stage};
use crate::article::{Article, Articles};
use crate::duplicates::{DuplicateIndex, First, Sketch};
use crate::error::{Error, ErrorKind, Place, Result};
use crate::finder::QuoteFinder;
use crate::output::{ArticleResult, Counts, Output, OutputOptions};
use crate::prediction::{Classifier, ScoreCache, Target};

/// What to do with each article.
pub struct Run {
    /// Finds quotes and speakers.
    pub finder: QuoteFinder,
    /// Labels each quote toward each target. `None`: quotes only.
    pub labelling: Option<Labelling>,
    /// How rows are written down.
    pub output: OutputOptions,
    /// What to do with near copies of earlier articles.
    pub duplicates: Duplicates,
}

/// What to label quotes with.
pub struct Labelling {
    /// The model.
    pub classifier: Classifier,
    /// What the stance is toward; a quote gives one row for each.
    pub targets: Vec<Target>,
    /// The model abstains where the most probable stance is less probable than this. `None`: never.
    pub min_confidence: Option<f64>,
    /// What the model has said lately.
    pub cache: ScoreCache,
}

/// What to do with near copies of earlier articles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// Do not look for them.
    #[default]
    Keep,
    /// Find them, and label their quotes as any others.
    Mark,
    /// Find them, and leave their quotes unlabelled and without rows.
    Skip,
}

/// One document of the input: its rows, or why there are none.
#[derive(Debug)]
pub struct Document {
    /// Its number among all documents of the inputs, from 0.
    pub number: u64,
    /// What it came to.
    pub outcome: Result<Piece>,
}

/// One article's part of the output.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The article's id.
    pub id: String,
    /// Its rows as written down; they depend on the article alone.
    pub rows: Vec<u8>,
    /// Quotes found.
    pub quotes: u64,
    /// What was met in it.
    pub counts: Counts,
    /// First eight bytes of the SHA-256 of the text.
    pub digest: [u8; 8],
    /// The text in brief, where near copies are looked for.
    pub sketch: Option<Sketch>,
    /// The earlier article that this one is a near copy of.
    pub duplicate_of: Option<First>,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Articles done.
    pub articles: u64,
    /// Quotes found in them.
    pub quotes: u64,
    /// Articles that are near copies of earlier ones.
    pub duplicates: u64,
    /// Documents that could not be read.
    pub failed: u64,
    /// What was met in the articles.
    pub counts: Counts,
    /// True where the run was told to stop, and did so before the end of its inputs.
    pub stopped: bool,
}

impl Summary {
    /// Counts one document more.
    pub fn count(&mut self, outcome: &Result<Piece>) {
        match outcome {
            Ok(piece) => {
                self.articles += 1;
                self.quotes += piece.quotes;
                self.counts.add(&piece.counts);
                self.duplicates += u64::from(piece.duplicate_of.is_some());
            }
            Err(_) => self.failed += 1,
        }
    }
}

/// Takes documents in the order of the input, on the thread that called [`Run::run`].
pub trait Sink {
    /// Writes this document down.
    ///
    /// # Errors
    /// If it cannot be written; the run ends.
    fn put(&mut self, document: &Document) -> Result<()>;
}

/// Told of what happens, as it happens, on the thread that called [`Run::run`].
pub trait Observer {
    /// Something a user would want to know, such as a guessed column.
    fn notice(&mut self, words: &str);
    /// A document that could not be read; the run goes on.
    fn failure(&mut self, error: &Error);
    /// Some articles more are written.
    fn progress(&mut self, summary: &Summary);
}

/// Where a run reads, writes and stands.
pub struct Course<'a> {
    /// What to read.
    pub articles: &'a mut Articles,
    /// Where documents go.
    pub sink: &'a mut dyn Sink,
    /// Who is told of it.
    pub observer: &'a mut dyn Observer,
    /// Articles to hold new ones against; unused with [`Duplicates::Keep`].
    pub index: DuplicateIndex,
    /// What has been done before, where an interrupted run goes on.
    pub done: Summary,
    /// Becomes true when the run is to finish what is in flight and end.
    pub stop: &'a AtomicBool,
}

/// Articles in flight at most, for each thread: enough that none waits for the reader.
const ARTICLES_PER_THREAD: usize = 8;
/// Bytes of text in flight, but for one article that is larger by itself.
const BYTES_IN_FLIGHT: usize = 8 << 20;

/// What walks through the stages.
enum Item<T> {
    Notice(String),
    Document {
        number: u64,
        /// Its share of the budget.
        bytes: usize,
        outcome: Result<T>,
    },
    /// Not begun, since the run is to stop.
    Abandoned,
}

/// An article between the stages.
enum Work {
    Found(Box<ArticleResult>, Piece),
    Done(Piece),
}

impl Run {
    /// Takes every article to its rows, in the order read. The output is the same bytes whatever
    /// the number of threads. To be called from outside the pool.
    ///
    /// # Errors
    /// If the model fails, or gives what is no result, or the sink fails. A document that cannot be
    /// read, or on which the program itself fails, is told to the observer and counted.
    pub fn run(&self, pool: &ThreadPool, course: Course) -> Result<Summary> {
        let Course {
            articles,
            sink,
            observer,
            mut index,
            done: mut summary,
            stop,
        } = course;
        let budget = Budget::new(
            ARTICLES_PER_THREAD * pool.current_num_threads(),
            BYTES_IN_FLIGHT,
        );
        let stopping = || stop.load(Ordering::Relaxed) || budget.is_closed();
        // Copies to be skipped are known only when all articles before them have been looked at;
        // otherwise an article is finished in one go, so that little stands half done.
        let skip = self.duplicates == Duplicates::Skip;
        let first = |item: Item<Article>| {
            item.then(&stopping, |article| {
                let place = place_of(&article);
                guarded(place, || {
                    let (result, piece) = self.find(article)?;
                    match skip {
                        true => Ok(Work::Found(Box::new(result), piece)),
                        false => self.finish(result, piece).map(Work::Done),
                    }
                })
            })
        };
        let second = |item: Item<Work>| {
            item.then(&stopping, |work| match work {
                Work::Found(_, piece) if piece.duplicate_of.is_some() => Ok(Work::Done(piece)),
                Work::Found(result, piece) => guarded(place_of(&result.article), || {
                    self.finish(*result, piece).map(Work::Done)
                }),
                done => Ok(done),
            })
        };
        let mark = move |mut item: Item<Work>| {
            if let Item::Document {
                number,
                outcome: Ok(Work::Found(_, piece) | Work::Done(piece)),
                ..
            } = &mut item
                && let Some(sketch) = &piece.sketch
            {
                piece.duplicate_of = index.place(*number, &piece.id, sketch);
            }
            item
        };
        let done = std::thread::scope(|threads| {
            let (read, items) = channel();
            let (budget, stopping) = (&budget, &stopping);
            threads.spawn(move || read_all(articles, budget, stopping, &read));
            let marked = stage(threads, pool, items.into_iter(), &first).map(mark);
            let done: Box<dyn Iterator<Item = Item<Work>>> = match skip {
                true => Box::new(stage(threads, pool, marked, &second)),
                false => Box::new(marked),
            };
            let written = write_all(done, budget, sink, observer, &mut summary);
            budget.close();
            written
        });
        done.map(|ended| {
            summary.stopped = !ended;
            summary
        })
    }

    /// Finds and labels the quotes of one article.
    ///
    /// # Errors
    /// If the model fails.
    pub fn process(&self, article: Article) -> Result<ArticleResult> {
        let (mut result, _) = self.find(article)?;
        self.label(&mut result)?;
        Ok(result)
    }

    fn find(&self, article: Article) -> Result<(ArticleResult, Piece)> {
        let mut found = self.finder.find_all(&[&article.text])?;
        let quotes = found.pop().unwrap_or_default();
        let mut digest = [0; 8];
        digest.copy_from_slice(&Sha256::digest(&article.text)[..8]);
        let piece = Piece {
            id: article.id.clone(),
            rows: Vec::new(),
            quotes: quotes.len() as u64,
            counts: Counts::default(),
            digest,
            sketch: (self.duplicates != Duplicates::Keep).then(|| Sketch::new(&article.text)),
            duplicate_of: None,
        };
        let result = ArticleResult {
            article,
            quotes,
            predictions: Vec::new(),
        };
        Ok((result, piece))
    }

    fn finish(&self, mut result: ArticleResult, mut piece: Piece) -> Result<Piece> {
        self.label(&mut result)?;
        let mut output = Output::append(Vec::new(), self.output.clone());
        let written = output.write(&result);
        piece.counts = output.counts();
        let rows = written.and_then(|()| output.finish());
        piece.rows = rows
            .map_err(|error| Error::new(ErrorKind::Io, "rows cannot be written").because(error))?;
        Ok(piece)
    }

    fn label(&self, result: &mut ArticleResult) -> Result<()> {
        let Some(labelling) = &self.labelling else {
            return Ok(());
        };
        let (text, quotes) = (&result.article.text, &result.quotes);
        if quotes.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = quotes.iter().map(|found| found.quote.text(text)).collect();
        result.predictions =
            labelling
                .classifier
                .predict(&texts, &labelling.targets, &labelling.cache)?;
        if let Some(least) = labelling.min_confidence {
            for prediction in result.predictions.iter_mut().flatten() {
                prediction.abstained = Some(!prediction.stance.is_sure(least));
            }
        }
        Ok(())
    }
}

fn place_of(article: &Article) -> Place {
    Place {
        article: Some(article.id.clone()),
        ..article.place.clone()
    }
}

/// Work on one document; its errors say which. A panic is a fault of the program in this one
/// document, and no reason to lose the others.
fn guarded<T>(place: Place, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Internal,
                "the program failed on this document (a fault of its own)",
            ))
        })
        .map_err(|error| error.at_place(place))
}

impl<T> Item<T> {
    /// Goes on with an article that has not failed.
    fn then<U>(self, stopping: &impl Fn() -> bool, work: impl FnOnce(T) -> Result<U>) -> Item<U> {
        match self {
            Item::Document { outcome: Ok(_), .. } if stopping() => Item::Abandoned,
            Item::Document {
                number,
                bytes,
                outcome,
            } => Item::Document {
                number,
                bytes,
                outcome: outcome.and_then(work),
            },
            Item::Notice(words) => Item::Notice(words),
            Item::Abandoned => Item::Abandoned,
        }
    }
}

/// Sends every document on, as far as the budget has room.
fn read_all(
    articles: &mut Articles,
    budget: &Budget,
    stopping: &impl Fn() -> bool,
    items: &Sender<Item<Article>>,
) {
    loop {
        let next = articles.next();
        let number = Articles::position(articles).saturating_sub(1);
        for words in articles.take_notices() {
            drop(items.send(Item::Notice(words)));
        }
        let Some(outcome) = next else { return };
        let bytes = outcome.as_ref().map_or(0, |article| article.text.len());
        let item = match budget.take(bytes) && !stopping() {
            true => Item::Document {
                number,
                bytes,
                outcome,
            },
            false => Item::Abandoned,
        };
        let abandoned = matches!(item, Item::Abandoned);
        if items.send(item).is_err() || abandoned {
            return;
        }
    }
}

/// Writes what comes; true where that was everything.
fn write_all(
    items: impl Iterator<Item = Item<Work>>,
    budget: &Budget,
    sink: &mut dyn Sink,
    observer: &mut dyn Observer,
    summary: &mut Summary,
) -> Result<bool> {
    for item in items {
        let (number, bytes, outcome) = match item {
            Item::Notice(words) => {
                observer.notice(&words);
                continue;
            }
            Item::Abandoned => return Ok(false),
            Item::Document {
                number,
                bytes,
                outcome,
            } => (number, bytes, outcome),
        };
        let outcome = match outcome {
            Ok(Work::Done(piece)) => Ok(piece),
            Ok(Work::Found(..)) => unreachable!("the last stage leaves nothing half done"),
            // No fault of this document, but of what the whole run is asked for: rows of a model
            // that fails on some articles would be no basis for anything.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Model | ErrorKind::Option | ErrorKind::Inference
                ) =>
            {
                return Err(error);
            }
            Err(error) => Err(error),
        };
        if let Err(error) = &outcome {
            observer.failure(error);
        }
        summary.count(&outcome);
        sink.put(&Document { number, outcome })?;
        budget.give_back(bytes);
        observer.progress(summary);
    }
    Ok(true)
}
