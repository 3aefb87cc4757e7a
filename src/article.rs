//! An [`Article`] is one news text with the id that its rows carry.

use crate::error::Place;

/// One text to find quotes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// What the rows of this article carry; unique within a run.
    pub id: String,
    /// The text as read. Never edited: every span points into it.
    pub text: String,
    /// Where it was read, for messages.
    pub place: Place,
}
