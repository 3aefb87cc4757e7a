//! A [`Record`] is one row of the output: one quote, flat, toward one target.
//!
//! The comments on its fields are the data dictionary: [`COLUMNS`] carries them into the README,
//! and the writers take names, order and values from the same list.

use crate::article::Article;
use crate::attribution::AttributedQuote;
use crate::prediction::{Distribution, TargetPrediction, Task};
use crate::span::{Offsets, Span};

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Not known, or not asked for: an empty cell, `null` in JSON.
    Missing,
    /// Words.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// A count or an offset.
    Integer(u64),
    /// A probability or a confidence.
    Real(f32),
    /// Places in the article: in CSV `12-40 61-90`, in JSON `[[12,40],[61,90]]`.
    Places(Vec<[u64; 2]>),
}

/// One column of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, as in the header.
    pub name: &'static str,
    /// Which part of the row it belongs to.
    pub group: Group,
    /// What its cells hold.
    pub kind: CellKind,
    /// What it means.
    pub meaning: &'static str,
}

/// The columns that `--duplicates mark` and `skip` add to the end of each row.
pub const DUPLICATE_COLUMNS: [Column; 2] = [
    Column {
        name: "duplicate_of",
        group: Group::Duplicates,
        kind: CellKind::Text,
        meaning: "The id of the first article of the run that this article is a near copy of. Empty: none.",
    },
    Column {
        name: "copies",
        group: Group::Duplicates,
        kind: CellKind::Integer,
        meaning: "How many articles of the run print this text. 1: this one only.",
    },
];

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// [`Value::Text`].
    Text,
    /// [`Value::Boolean`].
    Boolean,
    /// [`Value::Integer`].
    Integer,
    /// [`Value::Real`].
    Real,
    /// [`Value::Places`].
    Places,
}

/// A Rust type that a column is filled from.
trait Cell {
    const KIND: CellKind;
}

impl Cell for String {
    const KIND: CellKind = CellKind::Text;
}

impl Cell for bool {
    const KIND: CellKind = CellKind::Boolean;
}

impl Cell for u64 {
    const KIND: CellKind = CellKind::Integer;
}

impl Cell for f32 {
    const KIND: CellKind = CellKind::Real;
}

impl Cell for Vec<[u64; 2]> {
    const KIND: CellKind = CellKind::Places;
}

impl<T: Cell> Cell for Option<T> {
    const KIND: CellKind = T::KIND;
}

/// Parts of a row; those that a run has no use for are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The quote and its speaker: always there.
    Quote,
    /// Offsets in other units: with `--offsets`.
    Offsets,
    /// Stance and sentiment: where there is a target.
    Prediction,
    /// Whether the model abstained: with `--min-confidence` and `--max-error`.
    Abstention,
    /// What the source says about the article: each where some source has it.
    Metadata,
    /// Near copies: with `--duplicates`. See [`DUPLICATE_COLUMNS`].
    Duplicates,
}

macro_rules! record {
    ($($(#[doc = $meaning:literal])+ $group:ident $name:ident: $kind:ty,)+) => {
        /// One row of the output.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Record {
            $($(#[doc = $meaning])+ pub $name: $kind,)+
        }

        /// The columns, in order.
        pub const COLUMNS: &[Column] = &[
            $(Column {
                name: stringify!($name),
                group: Group::$group,
                kind: <$kind as Cell>::KIND,
                meaning: concat!($($meaning),+),
            },)+
        ];

        impl Record {
            /// The cells, in the order of [`COLUMNS`].
            pub fn values(&self) -> Vec<Value> {
                vec![$(Value::from(self.$name.clone()),)+]
            }
        }
    };
}

record! {
    /// The article's id: its file name without the ending, or the id column's value.
    Quote article: String,
    /// The quote's number in its article, from 1, in the order of the text.
    Quote quote: u64,
    /// `direct` (between quotation marks, or a turn of an interview without them), `indirect` (a
    /// reported clause) or `mixed` (a reported clause with marked words in it).
    Quote kind: String,
    /// The quote's words; the pieces of an interrupted quote are joined by a space.
    Quote text: String,
    /// The pieces' places in the article: first and one past the last Unicode scalar of each.
    Quote spans: Vec<[u64; 2]>,
    /// Whose words they are: the fullest name in the article. Empty: unknown.
    Quote speaker: Option<String>,
    /// The speaker as written at the attribution: `he`, `the union's president`; of answers after
    /// `A:`, where the article says whom the interview is with. Empty: the quote has no attribution
    /// of its own.
    Quote mention: Option<String>,
    /// `person`, `role` (known by a role only, or anonymous), `organisation`, `document`,
    /// `group` or `pronoun` (not resolved). Empty: unknown speaker.
    Quote speaker_type: Option<String>,
    /// The reporting word or phrase: `said`, `according to`.
    Quote cue: Option<String>,
    /// What decided on the speaker: `model` (the quote tagger), `agreed` (tagger and rules alike), or a rule's name.
    Quote rule: String,
    /// How probable it is that the words are a quote and the speaker is right, 0 to 1. Empty: speaker unknown, or not measured for this rule.
    Quote confidence: Option<f32>,
    /// The paragraph the quote starts in, from 1.
    Quote paragraph: u64,
    /// First Unicode scalar of the quote in the article (an index into a Python or R string).
    Quote start: u64,
    /// One past the last Unicode scalar.
    Quote end: u64,
    /// `start` in bytes of UTF-8.
    Offsets start_byte: u64,
    /// `end` in bytes of UTF-8.
    Offsets end_byte: u64,
    /// `start` in UTF-16 units (JavaScript, Java).
    Offsets start_utf16: u64,
    /// `end` in UTF-16 units.
    Offsets end_utf16: u64,
    /// What the stance is toward, as given.
    Prediction target: Option<String>,
    /// The most probable stance toward the target: `favor`, `against` or `neutral`. Empty: the model abstained.
    Prediction stance: Option<String>,
    /// Probability of `favor`.
    Prediction stance_favor: Option<f32>,
    /// Probability of `against`.
    Prediction stance_against: Option<f32>,
    /// Probability of `neutral`: the words take no side, or speak of something else.
    Prediction stance_neutral: Option<f32>,
    /// `true`: the most probable stance is less probable than was asked for.
    Abstention abstained: Option<bool>,
    /// The most probable tone of the words, whatever they speak of: `positive`, `negative` or
    /// `neutral`.
    Prediction sentiment: Option<String>,
    /// Probability of `positive`.
    Prediction sentiment_positive: Option<f32>,
    /// Probability of `negative`.
    Prediction sentiment_negative: Option<f32>,
    /// Probability of `neutral`.
    Prediction sentiment_neutral: Option<f32>,
    /// The quote's length in the model's tokens.
    Prediction n_tokens: Option<u64>,
    /// How many windows the model read the quote in: 1, or more for a long one.
    Prediction windows: Option<u64>,
    /// The model that labelled it: its folder's name and eight digits of a hash of its files.
    Prediction model: Option<String>,
    /// When the article was published, as its source writes it.
    Metadata date: Option<String>,
    /// The newspaper or site it appeared in.
    Metadata outlet: Option<String>,
    /// Its headline.
    Metadata title: Option<String>,
    /// Its address.
    Metadata url: Option<String>,
    /// What the article was decoded from, such as `windows-1252`: offsets refer to the decoded
    /// text. Empty: UTF-8.
    Quote encoding: Option<String>,
}

impl Record {
    /// The row of one quote; `number` counts from 1. Without a prediction its cells are missing.
    pub fn new(
        article: &Article,
        places: &Places,
        number: usize,
        found: &AttributedQuote,
        prediction: Option<&TargetPrediction>,
    ) -> Record {
        let text = &article.text;
        let (quote, attribution) = (&found.quote, &found.attribution);
        let whole = quote.extent();
        let speaker = attribution.speaker.as_ref();
        let metadata = &article.metadata;
        let mut record = Record {
            article: article.id.clone(),
            quote: number as u64,
            kind: quote.kind.name().to_owned(),
            text: quote.text(text),
            spans: quote
                .spans
                .iter()
                .map(|&span| places.scalars(span))
                .collect(),
            speaker: speaker.map(|speaker| speaker.name.clone()),
            mention: attribution.mention.map(|span| span.of(text).to_owned()),
            speaker_type: speaker.map(|speaker| speaker.kind.name().to_owned()),
            cue: attribution.cue.map(|span| span.of(text).to_owned()),
            rule: attribution.rule.to_string(),
            confidence: attribution.confidence,
            paragraph: places.paragraph(whole.start) as u64,
            start: places.offsets.scalar(whole.start) as u64,
            end: places.offsets.scalar(whole.end) as u64,
            start_byte: whole.start as u64,
            end_byte: whole.end as u64,
            start_utf16: places.offsets.utf16(whole.start) as u64,
            end_utf16: places.offsets.utf16(whole.end) as u64,
            date: metadata.date.clone(),
            outlet: metadata.outlet.clone(),
            title: metadata.title.clone(),
            url: metadata.url.clone(),
            encoding: article.encoding.map(str::to_owned),
            ..Record::default()
        };
        if let Some(prediction) = prediction {
            record.set_prediction(prediction);
        }
        record
    }

    fn set_prediction(&mut self, prediction: &TargetPrediction) {
        let label = |task: Task, distribution: &Distribution| {
            Some(task.labels()[distribution.top()].to_owned())
        };
        let [favor, against, neutral] = prediction.stance.probabilities();
        self.target = Some(prediction.target.clone());
        self.abstained = prediction.abstained;
        self.stance = match prediction.abstained {
            Some(true) => None,
            _ => label(Task::Stance, &prediction.stance),
        };
        self.stance_favor = Some(favor);
        self.stance_against = Some(against);
        self.stance_neutral = Some(neutral);
        let [positive, negative, neutral] = prediction.sentiment.probabilities();
        self.sentiment = label(Task::Sentiment, &prediction.sentiment);
        self.sentiment_positive = Some(positive);
        self.sentiment_negative = Some(negative);
        self.sentiment_neutral = Some(neutral);
        self.n_tokens = Some(prediction.n_tokens as u64);
        self.windows = Some(prediction.windows as u64);
        self.model = Some(prediction.model.clone());
    }
}

/// Where things stand in one article, in the units that rows use.
pub struct Places {
    /// Bytes to Unicode scalars and UTF-16 units.
    pub offsets: Offsets,
    paragraph_starts: Vec<usize>,
}

impl Places {
    /// Reads the text once.
    pub fn new(text: &str) -> Places {
        Places {
            offsets: Offsets::new(text),
            paragraph_starts: paragraph_starts(text),
        }
    }

    /// First and one past the last Unicode scalar.
    pub fn scalars(&self, span: Span) -> [u64; 2] {
        [span.start, span.end].map(|byte| self.offsets.scalar(byte) as u64)
    }

    /// The paragraph this byte is in, from 1.
    pub fn paragraph(&self, byte: usize) -> usize {
        self.paragraph_starts
            .partition_point(|&start| start <= byte)
            .max(1)
    }
}

/// A paragraph is a line that is not blank.
fn paragraph_starts(text: &str) -> Vec<usize> {
    let mut start = 0;
    let mut starts = Vec::new();
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() {
            starts.push(start);
        }
        start += line.len();
    }
    starts
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Boolean(truth)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Integer(number)
    }
}

impl From<f32> for Value {
    fn from(number: f32) -> Value {
        Value::Real(number)
    }
}

impl From<Vec<[u64; 2]>> for Value {
    fn from(places: Vec<[u64; 2]>) -> Value {
        Value::Places(places)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Missing, Into::into)
    }
}
