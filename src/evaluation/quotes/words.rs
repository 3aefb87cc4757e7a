//! Words, quotation marks and last names, as the quote scorer defines them. These are definitions
//! of a measure, not of the program's own reading: they must not follow its changes.

use std::sync::LazyLock;

use regex::Regex;
use unicase::UniCase;

/// First and one past the last Unicode scalar.
pub(super) type Place = [usize; 2];

/// Letters and digits that apostrophes, dots and hyphens may join. Python's `\w` has no combining
/// marks, which Rust's has.
static WORD: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"[\p{L}\p{N}_]+(?:[’'.\-][\p{L}\p{N}_]+)*";
    Regex::new(pattern).expect("the pattern is well formed")
});
/// What ends a name: the rest describes.
static AFTER_NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[,(\[;:]|\s[—–-]\s|—").expect("the pattern is well formed"));

const COMPLEMENTISERS: [&str; 2] = ["that", "dass"];

const TITLES: &str = "mr mrs ms miss dr prof professor sir dame lord lady sen senator rep \
    representative gov governor president vice-president vp pres minister chancellor secretary gen \
    general lt col colonel maj major capt captain sgt sergeant adm admiral cmdr commander rev \
    reverend judge justice mayor sheriff chief attorney ambassador king queen prince princess pope \
    cardinal bishop chairman chairwoman chair ceo director spokesman spokeswoman spokesperson \
    congressman congresswoman candidate nominee former then ex retired republican democratic \
    democrat gop herr frau präsident präsidentin kanzler kanzlerin ministerin sprecher sprecherin";
const ARTICLES: &str = "the a an his her their its our my der die das ein eine";
const AFTER: &str = "who which that whose of for from in at on with as to by and whom von vom aus \
    für der des und";
const SUFFIXES: &str = "jr sr ii iii iv";

fn among(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// An article's text, in Unicode scalars, with its words and what stands between quotation marks.
pub struct ScoredText<'t> {
    text: &'t str,
    /// Byte of each scalar, and the end.
    bytes: Vec<usize>,
    /// First scalar of each word.
    starts: Vec<usize>,
    is_complementiser: Vec<bool>,
    /// Whether each scalar is between marks, the marks included.
    quoted: Vec<bool>,
}

impl<'t> ScoredText<'t> {
    pub fn new(text: &'t str) -> ScoredText<'t> {
        let mut bytes: Vec<usize> = text.char_indices().map(|(byte, _)| byte).collect();
        bytes.push(text.len());
        let (mut starts, mut is_complementiser) = (Vec::new(), Vec::new());
        let mut scalar = 0;
        for word in WORD.find_iter(text) {
            while bytes[scalar] < word.start() {
                scalar += 1;
            }
            starts.push(scalar);
            let folded = casefold(word.as_str());
            is_complementiser.push(COMPLEMENTISERS.contains(&folded.as_str()));
        }
        ScoredText {
            text,
            bytes,
            starts,
            is_complementiser,
            quoted: quoted(text),
        }
    }

    /// Unicode scalars in the text.
    pub fn len(&self) -> usize {
        self.bytes.len() - 1
    }

    pub fn slice(&self, [start, end]: Place) -> &'t str {
        match start < end {
            true => &self.text[self.bytes[start]..self.bytes[end]],
            false => "",
        }
    }

    pub fn has_word(&self, place: Place) -> bool {
        WORD.is_match(self.slice(place))
    }

    /// The words that begin in these places, in order; without a leading complementiser.
    pub fn words(&self, places: &[Place], is_first: bool) -> Vec<usize> {
        let in_place = |place: &Place| {
            let [first, past] = place.map(|at| self.starts.partition_point(|&start| start < at));
            first..past.max(first)
        };
        let mut words: Vec<usize> = places.iter().flat_map(in_place).collect();
        if is_first && words.len() > 1 && self.is_complementiser[words[0]] {
            words.remove(0);
        }
        words
    }

    pub fn is_word_quoted(&self, word: usize) -> bool {
        self.quoted[self.starts[word]]
    }

    /// Words in these places, cut at their ends, and how many of them begin between marks.
    pub fn count_quoted(&self, places: &[Place]) -> (usize, usize) {
        let (mut words, mut quoted) = (0, 0);
        for &[start, end] in places {
            let from = self.bytes[start];
            for word in WORD.find_iter(self.slice([start, end])) {
                let byte = from + word.start();
                words += 1;
                let scalar = self.bytes.partition_point(|&at| at < byte);
                quoted += usize::from(self.quoted[scalar]);
            }
        }
        (words, quoted)
    }
}

/// Whether each scalar is between double quotation marks, the marks included. Line by line; a
/// quotation left open runs to the end of its line.
fn quoted(text: &str) -> Vec<bool> {
    let mut mask = Vec::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let chars: Vec<char> = content.chars().collect();
        let begin = mask.len();
        mask.resize(begin + line.chars().count(), false);
        let (mut open, mut closers) = (None, "");
        for (at, &c) in chars.iter().enumerate() {
            let next = chars.get(at + 1).copied();
            match open {
                None => {
                    let before = at.checked_sub(1).map_or(' ', |before| chars[before]);
                    if let Some(closing) = closers_of(c) {
                        (open, closers) = (Some(at), closing);
                    } else if c == '"' {
                        let inside_word = !is_space(before)
                            && !is_alphanumeric(next.unwrap_or(' '))
                            && !"([—–-".contains(before);
                        if !inside_word {
                            (open, closers) = (Some(at), "\"”");
                        }
                    } else if c == '`' && next == Some('`') {
                        (open, closers) = (Some(at), "'");
                    }
                }
                Some(from) => {
                    let is_closer = closers.contains(c) && (closers != "'" || next == Some('\''));
                    if is_closer || (closers == "”" && c == '"') {
                        mask[begin + from..=begin + at].fill(true);
                        open = None;
                    }
                }
            }
        }
        if let Some(from) = open {
            mask[begin + from..begin + chars.len()].fill(true);
        }
    }
    mask
}

fn closers_of(opener: char) -> Option<&'static str> {
    match opener {
        '“' => Some("”"),
        '„' => Some("“”"),
        '«' => Some("»"),
        '‹' => Some("›"),
        '「' => Some("」"),
        '『' => Some("』"),
        _ => None,
    }
}

/// As Python's `str.isspace`.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// As Python's `str.isalnum`.
fn is_alphanumeric(c: char) -> bool {
    let mut buffer = [0; 4];
    c != '_' && WORD.is_match(c.encode_utf8(&mut buffer))
}

pub fn casefold(text: &str) -> String {
    UniCase::unicode(text).to_folded_case()
}

fn normal_token(token: &str) -> String {
    let folded = casefold(token);
    let bare = folded.trim_matches(|c| ".,;:!?\"“”„'’‘`()[]{}…—–-".contains(c));
    let owned = bare.strip_suffix("’s").or(bare.strip_suffix("'s"));
    owned.unwrap_or(bare).to_owned()
}

/// The normal tokens of a mention, but for articles that lead up to another.
fn tokens_after_articles(mention: &str) -> Vec<String> {
    let tokens: Vec<String> = (mention.split(is_space))
        .map(normal_token)
        .filter(|token| !token.is_empty())
        .collect();
    let last = tokens.len().saturating_sub(1);
    let articles = tokens[..last].iter();
    let articles = articles.take_while(|token| among(ARTICLES, token)).count();
    tokens[articles..].to_vec()
}

/// The final name token of a speaker as written; empty for none.
pub fn last_name(speaker: &str) -> String {
    let speaker = speaker.trim_matches(|c| " ,;:“”\"'’‘".contains(c));
    let name = match AFTER_NAME.find(speaker) {
        Some(rest) => &speaker[..rest.start()],
        None => speaker,
    };
    let tokens = tokens_after_articles(name);
    let mut tokens = &tokens[..];
    let rest = (1..tokens.len()).find(|&at| among(AFTER, &tokens[at]));
    tokens = &tokens[..rest.unwrap_or(tokens.len())];
    while tokens.len() > 1 && among(SUFFIXES, &tokens[tokens.len() - 1]) {
        tokens = &tokens[..tokens.len() - 1];
    }
    while tokens.len() > 1 && among(TITLES, &tokens[0]) {
        tokens = &tokens[1..];
    }
    tokens.last().cloned().unwrap_or_default()
}

/// A mention without case, outer marks and leading articles.
pub fn normal_mention(mention: &str) -> String {
    tokens_after_articles(mention).join(" ")
}
