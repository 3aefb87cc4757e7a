//! From news articles to speaker-attributed quotes, each with its stance toward a target.
//!
//! The modules stand in the order the data walks:
//! [`article`] → [`finder`]: [`quote`] and [`attribution`] → [`prediction`] → [`record`].

// What everything stands on.
pub mod error;
pub mod span;

// Reading.
pub mod input;
// (a file's bytes, then their text)
pub mod table;
// (tables first: an article may be a row)
pub mod article;

// Finding quotes and whose they are.
pub mod lexicon;
// (which words report, which name somebody)
pub mod sentence;
// paragraphs and tokens
pub mod furniture;
// (paragraphs that are none of the article's)
pub mod language;
// English or not: what can be known of a speaker
pub mod finder;
// what a finder yields
pub mod quote;
// and whose it is
pub mod attribution;

// Labelling.
pub mod encoder;
pub mod model;
pub mod prediction;
// which also mark quotes
pub mod tagger;

// Writing, and the whole run.
pub mod record;
// rows and articles to CSV and JSONL
pub mod output;
// which articles are printed twice
pub mod duplicates;
// all of it
pub mod pipeline;

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
