//! From news articles to speaker-attributed quotes, each with its stance toward a target.
//!
//! The modules stand in the order the data walks:
//! [`article`] → [`finder`]: [`tagger`], [`quote`] and [`attribution`] → [`prediction`] → [`record`] →
//! [`output`].

// What everything stands on.
pub mod error;
pub mod number;
pub mod span;

// Reading: a file's bytes and their text, tables (an article may be a row), articles.
pub mod article;
pub mod input;
pub mod table;

// Finding quotes: which words report and which name somebody, paragraphs and tokens, paragraphs
// that are none of the article's, English or not, models that mark quotes (the encoder is that of
// the stance model), the finder, what it yields and whose that is.
pub mod attribution;
pub mod encoder;
pub mod finder;
pub mod furniture;
pub mod language;
pub mod lexicon;
pub mod model;
pub mod quote;
pub mod sentence;
pub mod tagger;

// Labelling, and which labels are sure enough.
pub mod abstention;
pub mod prediction;

// Writing, and the whole run: rows, their files (CSV, JSONL, Parquet), which articles are printed
// twice, all of it.
pub mod beside;
pub mod duplicates;
pub mod output;
pub mod pipeline;
pub mod record;

// A corpus: interrupted and taken up, split and merged.
pub mod corpus;
pub mod journal;
pub mod shard;

// A better head for one target.
pub mod adaptation;
// How good it was, where that is known.
pub mod evaluation;

pub use article::Article;
pub use error::{Error, ErrorKind, Place, Result};
pub use finder::QuoteFinder;
pub use model::Model;
pub use pipeline::{Run, Summary};
pub use prediction::{Classifier, Target, Task};
pub use record::Record;
pub use tagger::{TaggedQuote, TaggedSpan, Tagger};
