//! Long texts are read whole and sentence by sentence: of a letter or a comment whose side stands in one sentence the
//! mean over all tokens says too little.

use crate::model::config::SurestSentence;

const STOPS: [char; 4] = ['.', '!', '?', '…'];
const OPENING: [char; 6] = ['"', '\'', '“', '‘', '«', '('];
const CLOSING: [char; 6] = ['"', '\'', '”', '’', '»', ')'];

impl SurestSentence {
    /// The sentences that a text is read in besides; none of a short text.
    pub(super) fn of<'t>(&self, text: &'t str) -> Vec<&'t str> {
        if text.split_whitespace().count() < self.least_words {
            return Vec::new();
        }
        let found = sentences(text);
        if found.len() > 1 { found } else { Vec::new() }
    }
}

/// The sentences of a text: a stop, perhaps a closing mark, white space, and a capital or an opening mark.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut past) = (0, 0);
    for (at, _) in text.match_indices(STOPS) {
        // Of several stops the first sees them all.
        if at < past {
            continue;
        }
        let rest = text[at..].trim_start_matches(STOPS);
        past = text.len() - rest.len();
        let rest = rest.strip_prefix(CLOSING).unwrap_or(rest);
        let next = rest.trim_start();
        let begins = next.starts_with(|c: char| c.is_uppercase() || OPENING.contains(&c));
        if next.len() < rest.len() && begins {
            let end = text.len() - rest.len();
            found.push(text[start..end].trim());
            start = end;
        }
    }
    let last = text[start..].trim();
    found.extend(Some(last).filter(|last| !last.is_empty()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_before_a_capital() {
        let text = "We did not ask.  “Nobody did…” He paid 3.5 million! Why? ‘Ask him.’";
        let expected = [
            "We did not ask.",
            "“Nobody did…”",
            "He paid 3.5 million!",
            "Why?",
            "‘Ask him.’",
        ];
        assert_eq!(sentences(text), expected);
        assert_eq!(sentences("no stop, e.g. none"), ["no stop, e.g. none"]);
        assert_eq!(sentences(" … "), ["…"]);
        assert!(sentences("  ").is_empty());
    }

    #[test]
    fn short_texts_and_single_sentences_are_read_whole_only() {
        let long = SurestSentence {
            least_words: 4,
            weight: 0.5,
        };
        assert_eq!(long.of("We pay. They eat."), ["We pay.", "They eat."]);
        assert!(long.of("We pay. Always.").is_empty());
        assert!(long.of("we pay and they eat").is_empty());
    }
}
