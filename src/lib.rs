//! From news articles to speaker-attributed quotes, each with its stance toward a target.
//!
//! The modules stand in the order the data walks:
//! [`article`] → [`finder`]: [`quote`] and [`attribution`] → prediction → record.

pub mod error;
pub mod span;

pub mod article;
pub mod attribution;
pub mod encoder;
pub mod finder;
pub mod quote;
pub mod table;

pub use error::{Error, ErrorKind, Place, Result};
pub use finder::QuoteFinder;
