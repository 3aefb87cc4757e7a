//! A [`Rule`] is what decided on an attribution.

use std::fmt;

macro_rules! rules {
    ($($(#[doc = $meaning:literal])+ $rule:ident $name:literal,)+) => {
        /// What decided whose words a quote is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[doc = $meaning])+ $rule,)+
        }

        impl Rule {
            /// As written in the rows; these names do not change.
            pub fn name(self) -> &'static str {
                match self { $(Rule::$rule => $name,)+ }
            }
        }
    };
}

rules! {
    /// The quote tagger linked the words to a source.
    Model "model",
    /// The quote tagger and a rule name the same speaker.
    Agreed "agreed",
    /// Words, then speaker and verb: "…," Ada Vey said.
    PostCue "post-cue",
    /// Words, then verb and speaker: "…," said Ada Vey.
    Inverted "inverted",
    /// Speaker and verb, then words between marks: Ada Vey said: "…"
    PreCue "pre-cue",
    /// Words without marks, then speaker and verb: Wages fell, Ada Vey said.
    PostCueIndirect "post-cue-indirect",
    /// According to Ada Vey, …
    AccordingTo "according-to",
    /// Ada Vey said that …
    ThatClause "that-clause",
    /// Ada Vey said wages fell.
    BareClause "bare-clause",
    /// Ada Vey asked whether …
    WhetherClause "whether-clause",
    /// Ada Vey promised to …
    Infinitive "infinitive",
    /// Ada Vey called the plan "…"
    ObjectComplement "object-complement",
    /// A verb and a colon: Ada Vey put it thus: …
    Colon "colon",
    /// A name and a colon, as in headlines and transcripts: VEY: …
    Label "label",
    /// A turn of an interview or transcript that is printed without marks: VEY: …, or an answer below a question.
    Turn "turn",
    /// A name after a dash: "…" — Ada Vey
    Signature "signature",
    /// The paragraph before announced the words, or left its marks open.
    Announced "announced",
    /// The speaker of the paragraph before goes on.
    Carried "carried",
    /// The speaker of the sentence before goes on.
    PrecedingSubject "preceding-subject",
    /// Marked words inside a sentence that reports nothing: its subject.
    Embedded "embedded",
    /// Nothing tells whose words they are.
    Unattributed "unattributed",
    /// Not in English: words taken for speech by their marks and form, whoever says them.
    MarksOnly "marks-only",
}

impl Rule {
    /// Whether marked words that it finds are a quote nearly always.
    pub(crate) fn is_sure(self) -> bool {
        matches!(
            self,
            Rule::PostCue
                | Rule::Inverted
                | Rule::PreCue
                | Rule::ThatClause
                | Rule::AccordingTo
                | Rule::Label
                | Rule::Turn
                | Rule::Signature
                | Rule::Announced
        )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
