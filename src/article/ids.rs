//! [`Ids`] makes the ids of documents unique.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The ids that came, by their hashes: 9 to 18 bytes for each document of the run.
#[derive(Default)]
pub(super) struct Ids {
    seen: HashSet<u64>,
    /// How often those came that came again.
    again: HashMap<u64, u32>,
}

pub(super) struct UniqueId {
    pub(super) id: String,
    /// True where the id as given came before.
    pub(super) was_given: bool,
}

impl Ids {
    /// Makes the id unique: a second "a" becomes "a~2"; a place is that already.
    pub(super) fn unique(&mut self, id: String, is_place: bool) -> UniqueId {
        if is_place || self.seen.insert(hash(&id)) {
            let was_given = false;
            return UniqueId { id, was_given };
        }
        let times = self.again.entry(hash(&id)).or_insert(1);
        loop {
            *times += 1;
            let unique = format!("{id}~{times}");
            if self.seen.insert(hash(&unique)) {
                let was_given = true;
                return UniqueId {
                    id: unique,
                    was_given,
                };
            }
        }
    }
}

/// Two ids of one hash, one chance in 10^8 with a million documents, cost one of them a needless
/// `~2`.
fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
