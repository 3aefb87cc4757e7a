//! Passages between marks told apart by their form alone, in whatever language: speech, or a title,
//! a name, a word held at arm's length.

use super::paragraph::Paragraph;
use crate::attribution::{AttributedQuote, Attribution, Rule};

/// Words of a fragment that begins in lower case, at least. One word alone is as often a word that
/// the writer keeps at a distance.
const FRAGMENT_WORDS: usize = 2;
/// Words after a colon, at the start of a sentence, or with a full stop inside, at least.
const PLACED_WORDS: usize = 3;
/// Words anywhere else, at least: titles are shorter as a rule.
const LONG_WORDS: usize = 6;
/// Of these, the ones in lower case, at least: names of institutions have fewer, also in German,
/// where nouns have capitals.
const LOWER_WORDS: usize = 3;

impl Paragraph<'_> {
    /// The paragraph's passages that are speech by their form, each a quote without a speaker.
    pub(super) fn marks_only(&self, found: &mut Vec<AttributedQuote>) {
        for sentence in &self.frame.sentences {
            for at in sentence.clone() {
                if self.is_speech(at, at == sentence.start) {
                    let attribution = Attribution {
                        rule: Rule::MarksOnly,
                        ..Attribution::unknown()
                    };
                    found.push(self.quote(std::slice::from_ref(&(at..at + 1)), attribution));
                }
            }
        }
    }

    fn is_speech(&self, at: usize, begins_sentence: bool) -> bool {
        let items = &self.frame.items;
        let Some(inner) = items[at].passage else {
            return false;
        };
        let words = inner
            .of(self.text)
            .trim_start_matches(['[', '(', '…', '.', ' ']);
        let count = count_words(words);
        let ends_sentence = words.ends_with(['.', '!', '?', '…', '。', '！', '？']);
        let colon = at > 0 && (items[at - 1].sign(':') || items[at - 1].sign('：'));
        let lower = words.starts_with(char::is_lowercase);
        let in_lower = words
            .split_whitespace()
            .filter(|word| word.starts_with(char::is_lowercase))
            .take(LOWER_WORDS)
            .count();
        let cased = words.contains(|letter: char| letter.is_lowercase() || letter.is_uppercase());
        lower && count >= FRAGMENT_WORDS
            || (colon || begins_sentence || ends_sentence) && count >= PLACED_WORDS
            || count >= LONG_WORDS && (in_lower >= LOWER_WORDS || !cased)
    }
}

/// Words between spaces; in scripts that write none, two characters count as one.
fn count_words(words: &str) -> usize {
    let unspaced =
        |letter: &char| matches!(letter, '\u{e00}'..='\u{eff}' | '\u{3040}'..='\u{9fff}');
    words.split_whitespace().count() + words.chars().filter(unspaced).count() / 2
}
