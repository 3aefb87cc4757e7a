//! The whole run: read → find → classify → write, a bounded number of articles at a time.

use std::io::Write;

use crate::article::{Article, Articles};
use crate::error::{Error, ErrorKind, Result};
use crate::finder::QuoteFinder;
use crate::output::{ArticleResult, Output};
use crate::prediction::{Classifier, Target};

/// What to do with each article.
pub struct Run {
    /// Finds quotes and speakers.
    pub finder: QuoteFinder,
    /// Labels each quote toward each target. `None`: quotes only.
    pub labelling: Option<Labelling>,
}

/// What to label quotes with.
pub struct Labelling {
    /// The model.
    pub classifier: Classifier,
    /// What the stance is toward; a quote gives one row for each.
    pub targets: Vec<Target>,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Articles done.
    pub articles: u64,
    /// Quotes found in them.
    pub quotes: u64,
    /// Documents that could not be read.
    pub failed: u64,
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

/// Articles in flight at most. Enough to keep every thread busy, and its quotes to fill the
/// classifier's batches; the output does not depend on it.
const CHUNK_ARTICLES: usize = 128;
/// Bytes of text in flight, but for one article that is larger by itself.
const CHUNK_BYTES: usize = 4 << 20;

impl Run {
    /// Takes every article to its rows, in the order read. The output is the same bytes whatever
    /// the number of threads. Runs on the caller's rayon pool.
    ///
    /// # Errors
    /// If the model fails or the output cannot be written. A document that cannot be read is
    /// told to the observer and counted.
    pub fn run<W: Write>(
        &self,
        articles: &mut Articles,
        output: &mut Output<W>,
        observer: &mut dyn Observer,
    ) -> Result<Summary> {
        let mut summary = Summary::default();
        loop {
            let (chunk, more) = read_chunk(articles, observer, &mut summary);
            for result in self.process(chunk)? {
                summary.articles += 1;
                summary.quotes += result.quotes.len() as u64;
                output.write(&result).map_err(cannot_write)?;
            }
            observer.progress(&summary);
            if !more {
                return Ok(summary);
            }
        }
    }

    /// Finds and labels the quotes of some articles; results in the same order.
    ///
    /// # Errors
    /// If the model fails.
    pub fn process(&self, articles: Vec<Article>) -> Result<Vec<ArticleResult>> {
        let texts: Vec<&str> = articles.iter().map(|article| &*article.text).collect();
        let quotes = self.finder.find_all(&texts)?;
        let mut results: Vec<ArticleResult> = articles
            .into_iter()
            .zip(quotes)
            .map(|(article, quotes)| ArticleResult {
                article,
                quotes,
                predictions: Vec::new(),
            })
            .collect();
        if let Some(labelling) = &self.labelling {
            labelling.label(&mut results)?;
        }
        Ok(results)
    }
}

impl Labelling {
    /// Labels all quotes of these articles together, so that batches are full and what comes
    /// twice is computed once.
    fn label(&self, results: &mut [ArticleResult]) -> Result<()> {
        let texts: Vec<String> = results
            .iter()
            .flat_map(|result| {
                result
                    .quotes
                    .iter()
                    .map(|found| found.quote.text(&result.article.text))
            })
            .collect();
        let mut predictions = self.classifier.predict(&texts, &self.targets)?.into_iter();
        for result in results {
            result.predictions = predictions.by_ref().take(result.quotes.len()).collect();
        }
        Ok(())
    }
}

/// The next articles, and whether there may be more.
fn read_chunk(
    articles: &mut Articles,
    observer: &mut dyn Observer,
    summary: &mut Summary,
) -> (Vec<Article>, bool) {
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    while chunk.len() < CHUNK_ARTICLES && bytes < CHUNK_BYTES {
        let next = articles.next();
        for notice in articles.take_notices() {
            observer.notice(&notice);
        }
        match next {
            None => return (chunk, false),
            Some(Ok(article)) => {
                bytes += article.text.len();
                chunk.push(article);
            }
            Some(Err(error)) => {
                summary.failed += 1;
                observer.failure(&error);
            }
        }
    }
    (chunk, true)
}

fn cannot_write(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, "the output cannot be written").because(error)
}
