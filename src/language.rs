//! A [`Language`] says whether what was read of an article so far is English: the reporting words,
//! mentions and the quote tagger know no other.

use std::collections::BTreeSet;

use crate::attribution::frame::Frame;
use crate::lexicon::Class;
use crate::quote::marks::passages;
use crate::span::Span;

/// Function words counted from the start of an article, paragraph by paragraph, outside quotation
/// marks: of English and of its neighbours (`english` and `foreign` in `data/lexicon/words.txt`).
///
/// Language identification by n-grams needs a model and some hundred letters; telling English from
/// everything else takes a handful of words.
#[derive(Clone, Debug, Default)]
pub struct Language {
    words: usize,
    english: usize,
    foreign: usize,
    distinct: BTreeSet<String>,
}

/// Words that are counted: what an article is called after that does not change.
const SAMPLE_WORDS: usize = 200;
/// Different foreign words at least before they decide. Names hold one or two ("de la Cruz").
const LEAST_FOREIGN: usize = 3;
/// Words at least before the want of English ones decides.
const LEAST_WORDS: usize = 50;
/// Of US news from a paragraph of 50 words on, all but 1 beginning in 820 have more than 1 in 20.
const LEAST_ENGLISH: f64 = 0.05;

impl Language {
    /// Counts a paragraph's words.
    pub fn read(&mut self, text: &str, frame: &Frame) {
        for item in &frame.items {
            if self.words >= SAMPLE_WORDS {
                return;
            }
            if !item.word || !item.first.is_alphabetic() {
                continue;
            }
            self.words += 1;
            self.english += usize::from(item.class.is(Class::ENGLISH));
            // Beyond Latin scripts every word is foreign; with a capital it may belong to a name.
            let foreign = item.class.is(Class::FOREIGN) && !item.capital || item.first >= '\u{370}';
            if foreign {
                self.foreign += 1;
                self.distinct.insert(item.span.of(text).to_lowercase());
            }
        }
    }

    /// Whether this is English; true while there is too little to tell by. Later paragraphs have no
    /// part in the answer for an earlier one.
    pub fn is_english(&self) -> bool {
        let foreign = self.distinct.len() >= LEAST_FOREIGN && self.foreign > self.english;
        let without_english =
            self.words >= LEAST_WORDS && (self.english as f64) < LEAST_ENGLISH * self.words as f64;
        !(foreign || without_english)
    }

    /// What an article is in as a whole, given its paragraphs.
    pub fn of(text: &str, paragraphs: &[Span]) -> Language {
        let mut language = Language::default();
        for paragraph in paragraphs {
            if language.words >= SAMPLE_WORDS {
                break;
            }
            let found = passages(text, *paragraph);
            language.read(text, &Frame::new(text, *paragraph, &found));
        }
        language
    }
}
