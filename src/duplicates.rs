//! A [`Sketch`] is a text in brief; two of them tell how much of their texts is the same. A
//! [`DuplicateIndex`] finds, for each article of a run, the first one that it is a near copy of:
//! wire copy under another headline, cut at the end, or with some words changed.
//!
//! Sketches are MinHash values of the text's runs of three words; candidates share one of 32 bands
//! of two values. A copy with one word in twenty changed and half of it cut has about .4 of its
//! runs in common with the first print, and is a candidate in 99.6 % of cases; two reports of the
//! same event have less than .1. The index holds a fixed number of first prints, the latest.

use std::fmt::Write;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// MinHash values of a text's runs of three words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    /// Different runs in the text.
    runs: u32,
    /// For each hash function, the low 16 bits of the least value over all runs.
    least: [u16; HASHES],
}

/// The first print of a near copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct First {
    /// The number of that document.
    pub number: u64,
    /// Its id.
    pub id: String,
}

/// First prints to hold articles against: the last [`WINDOW`] of them.
pub struct DuplicateIndex {
    window: usize,
    /// First prints so far; the one of number `n` stands at `n % window`.
    count: u64,
    prints: Vec<(First, Sketch)>,
    /// For each band `buckets` buckets of places in `prints`.
    places: Vec<[u32; WAYS]>,
    buckets: usize,
}

/// First prints that are remembered: 60 MB for the buckets and some 200 bytes for each print, more than a month
/// of forty papers. A copy that comes after more articles than these is not found.
pub const WINDOW: usize = 200_000;

const HASHES: usize = 64;
const BANDS: usize = HASHES / 2;
const WAYS: usize = 4;
const NOWHERE: u32 = u32::MAX;
/// Words of a run.
const RUN_WORDS: usize = 3;
/// The share of the shorter text's runs that two near copies have in common, at least.
const LEAST_CONTAINED: f64 = 0.5;
/// The share of the runs of both together.
const LEAST_SIMILAR: f64 = 0.22;

impl Sketch {
    /// Reads the text once. Case, marks and spaces do not count.
    pub fn new(text: &str) -> Sketch {
        let words: Vec<u64> = text
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(hash_word)
            .collect();
        let mut runs: Vec<u64> = match words.len() {
            0..RUN_WORDS => vec![hash_run(&words)],
            _ => words.windows(RUN_WORDS).map(hash_run).collect(),
        };
        runs.sort_unstable();
        runs.dedup();
        let mut least = [u64::MAX; HASHES];
        for &run in &runs {
            for (least, &[factor, term]) in least.iter_mut().zip(&FUNCTIONS) {
                *least = (*least).min(run.wrapping_mul(factor).wrapping_add(term) >> 16);
            }
        }
        Sketch {
            runs: u32::try_from(runs.len()).unwrap_or(u32::MAX),
            least: least.map(|value| value as u16),
        }
    }

    /// The share of runs in common: of both texts together, and of the shorter one.
    fn common(&self, other: &Sketch) -> (f64, f64) {
        let same = self.least.iter().zip(&other.least);
        let same = same.filter(|(one, other)| one == other).count();
        let similar = same as f64 / HASHES as f64;
        let (one, other) = (f64::from(self.runs), f64::from(other.runs));
        (
            similar,
            similar * (one + other) / (1.0 + similar) / one.min(other),
        )
    }

    fn is_copy_of(&self, other: &Sketch) -> bool {
        let (similar, contained) = self.common(other);
        similar >= LEAST_SIMILAR && contained >= LEAST_CONTAINED
    }

    fn bands(&self) -> impl Iterator<Item = u64> {
        let pairs = self.least.chunks_exact(2).enumerate();
        pairs.map(|(band, pair)| {
            mix(u64::from(pair[0]) | u64::from(pair[1]) << 16 | (band as u64) << 32)
        })
    }
}

impl DuplicateIndex {
    /// An empty index.
    pub fn new() -> DuplicateIndex {
        DuplicateIndex::with_window(WINDOW)
    }

    fn with_window(window: usize) -> DuplicateIndex {
        DuplicateIndex {
            window,
            count: 0,
            prints: Vec::new(),
            places: Vec::new(),
            buckets: (window / 2).next_power_of_two(),
        }
    }

    /// The first print that this article is a near copy of; without one it is a first print itself
    /// and is remembered. To be called in the order of the articles.
    pub fn place(&mut self, number: u64, id: &str, sketch: &Sketch) -> Option<First> {
        let found = self.find(sketch);
        if found.is_none() {
            let first = First {
                number,
                id: id.to_owned(),
            };
            self.remember(first, sketch.clone());
        }
        found
    }

    fn find(&self, sketch: &Sketch) -> Option<First> {
        let mut candidates: Vec<u32> = Vec::new();
        for bucket in self.bucket_indices(sketch) {
            let places = self.places.get(bucket)?;
            candidates.extend(places.iter().filter(|&&place| place != NOWHERE));
        }
        candidates.sort_unstable();
        candidates.dedup();
        let prints = candidates
            .into_iter()
            .map(|place| &self.prints[place as usize]);
        prints
            .filter(|(_, print)| sketch.is_copy_of(print))
            .map(|(first, _)| first)
            .min_by_key(|first| first.number)
            .cloned()
    }

    fn remember(&mut self, first: First, sketch: Sketch) {
        if self.places.is_empty() {
            self.places = vec![[NOWHERE; WAYS]; BANDS * self.buckets];
            self.prints.reserve_exact(self.window);
        }
        let place = (self.count % self.window as u64) as u32;
        let age = |other: u32| match other {
            NOWHERE => u32::MAX,
            other => (place + self.window as u32 - other - 1) % self.window as u32,
        };
        let buckets: Vec<usize> = self.bucket_indices(&sketch).collect();
        for bucket in buckets {
            let oldest = self.places[bucket]
                .iter_mut()
                .max_by_key(|other| age(**other));
            *oldest.expect("a bucket has places") = place;
        }
        match self.prints.get_mut(place as usize) {
            Some(print) => *print = (first, sketch),
            None => self.prints.push((first, sketch)),
        }
        self.count += 1;
    }

    fn bucket_indices(&self, sketch: &Sketch) -> impl Iterator<Item = usize> + use<> {
        let buckets = self.buckets;
        let bands: Vec<u64> = sketch.bands().collect();
        let bands = bands.into_iter().enumerate();
        bands.map(move |(band, key)| band * buckets + key as usize % buckets)
    }
}

impl Default for DuplicateIndex {
    fn default() -> DuplicateIndex {
        DuplicateIndex::new()
    }
}

/// FNV-1a over the lower-case letters.
fn hash_word(word: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    if word.is_ascii() {
        word.bytes().for_each(|byte| add(byte.to_ascii_lowercase()));
    } else {
        word.to_lowercase().bytes().for_each(add);
    }
    hash
}

fn hash_run(words: &[u64]) -> u64 {
    words.iter().fold(words.len() as u64, |hash, word| {
        mix(hash.rotate_left(23) ^ word)
    })
}

/// The finaliser of SplitMix64: every bit of the input moves every bit of the output.
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// `factor × run + term`, the factors odd: from SplitMix64, so that sketches are the same in every
/// run and on every machine.
const FUNCTIONS: [[u64; 2]; HASHES] = {
    let mut functions = [[0; 2]; HASHES];
    let mut index = 0;
    while index < HASHES {
        let seed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        functions[index] = [mix(seed) | 1, mix(seed ^ 0x5851_f42d_4c95_7f2d)];
        index += 1;
    }
    functions
};

/// As hexadecimal digits: the number of runs, then the values.
impl Serialize for Sketch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = format!("{:08x}", self.runs);
        for value in &self.least {
            write!(digits, "{value:04x}").expect("a string takes all that is written to it");
        }
        serializer.serialize_str(&digits)
    }
}

impl<'de> Deserialize<'de> for Sketch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sketch, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let expected = || serde::de::Error::custom("expected the hexadecimal digits of a sketch");
        if digits.len() != 8 + 4 * HASHES || !digits.is_ascii() {
            return Err(expected());
        }
        let (runs, values) = digits.split_at(8);
        let mut least = [0; HASHES];
        for (index, value) in least.iter_mut().enumerate() {
            let digits = &values[4 * index..4 * index + 4];
            *value = u16::from_str_radix(digits, 16).map_err(|_| expected())?;
        }
        Ok(Sketch {
            runs: u32::from_str_radix(runs, 16).map_err(|_| expected())?,
            least,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of its own for each seed, from a small vocabulary.
    fn text(seed: u64, words: usize) -> String {
        let word = |index: usize| format!("w{}", mix(seed << 32 | index as u64) % 3000);
        (0..words).map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn copies_are_found_and_others_are_not() {
        let mut index = DuplicateIndex::with_window(1000);
        for seed in 0..500 {
            let first = text(seed, 300);
            assert_eq!(
                index.place(2 * seed, &format!("a{seed}"), &Sketch::new(&first)),
                None
            );
            let changed = first.split(' ').enumerate().skip(8).take(200);
            let changed: Vec<&str> = changed
                .map(|(place, word)| match place % 20 {
                    7 => "other",
                    _ => word,
                })
                .collect();
            let copy = format!("New Headline, {}", changed.join(" ").to_uppercase());
            let found = index.place(2 * seed + 1, "copy", &Sketch::new(&copy));
            assert_eq!(found.map(|first| first.number), Some(2 * seed));
        }
    }

    #[test]
    fn the_index_stays_within_its_window() {
        let mut index = DuplicateIndex::with_window(16);
        let sketch = |seed| Sketch::new(&text(seed, 100));
        for seed in 0..100 {
            assert_eq!(index.place(seed, "a", &sketch(seed)), None);
        }
        assert_eq!(index.prints.len(), 16);
        assert_eq!(index.find(&sketch(10)), None);
        assert_eq!(index.find(&sketch(90)).map(|first| first.number), Some(90));
    }

    #[test]
    fn a_sketch_is_read_back_as_written() {
        for words in [0, 1, 2, 3, 400] {
            let sketch = Sketch::new(&text(7, words));
            let json = serde_json::to_string(&sketch).unwrap();
            assert_eq!(serde_json::from_str::<Sketch>(&json).unwrap(), sketch);
        }
        assert!(serde_json::from_str::<Sketch>("\"00\"").is_err());
    }
}
