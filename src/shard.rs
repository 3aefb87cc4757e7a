//! A [`Shard`] is one of the parts that a corpus is split into, so that many machines can share it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};

/// One part of so many. A document belongs to the part that its id names: the first eight bytes
/// of the id's SHA-256, as a big-endian number, modulo the number of parts, plus 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    /// Which one, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

impl Shard {
    /// Whether the document of this id is part of it.
    pub fn has(&self, id: &str) -> bool {
        let digest = Sha256::digest(id);
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(first) % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Shard, Error> {
        let parts = text.split_once('/');
        let parts = parts.and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if 1 <= number && number <= of => Ok(Shard { number, of }),
            _ => Err(Error::new(
                ErrorKind::Option,
                format!("the shard {text:?}: expected I/N with I from 1 to N, such as 3/16"),
            )),
        }
    }
}

impl TryFrom<String> for Shard {
    type Error = Error;

    fn try_from(text: String) -> Result<Shard, Error> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> String {
        shard.to_string()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_in_one_shard_and_stays_there() {
        for of in [1, 3, 16] {
            for id in 0..200 {
                let id = format!("article-{id}");
                let shards = (1..=of).filter(|&number| Shard { number, of }.has(&id));
                assert_eq!(shards.count(), 1);
            }
        }
        // sha256("a1") begins f55ff16f66f43360: fixed for good, since shards outlive a version.
        let shard = |number| Shard { number, of: 1000 };
        let number = 0xf55f_f16f_66f4_3360_u64 % 1000 + 1;
        assert!(shard(number as u32).has("a1"));
    }

    #[test]
    fn only_parts_that_exist_are_understood() {
        assert_eq!("3/16".parse::<Shard>().unwrap().to_string(), "3/16");
        for bad in ["0/3", "4/3", "3", "a/b", "1/0", ""] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
