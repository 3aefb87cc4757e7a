//! The tagger against `tests/reference/tagger.json`, which `training/export_quote_tagger.py`
//! computes from the same weights.

use serde::Deserialize;

use super::*;
use crate::span::Offsets;

#[derive(Deserialize)]
struct Reference {
    text: String,
    /// Start, end (Unicode scalars), mark, inside.
    words: Vec<(usize, usize, String, bool)>,
    chunks: Vec<ReferenceChunk>,
    quotes: Vec<ReferenceQuote>,
}

#[derive(Deserialize)]
struct ReferenceChunk {
    begin: usize,
    core: usize,
    end: usize,
    ids: Vec<u32>,
    types: Vec<u32>,
}

#[derive(Deserialize)]
struct ReferenceQuote {
    spans: Vec<(usize, usize)>,
    speaker_start: Option<usize>,
    speaker_end: Option<usize>,
    cue: Option<String>,
    score: f32,
    speech: f32,
}

fn tagger() -> Tagger {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tagger");
    Tagger::open(Path::new(folder), &EngineOptions::default()).unwrap()
}

fn references() -> Vec<Reference> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/tagger.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn words_pieces_and_types_are_those_of_the_training() {
    let tagger = tagger();
    for reference in references() {
        let reading = tagger.read(&reference.text).unwrap();
        let offsets = Offsets::new(&reference.text);
        let words: Vec<_> = (reading.words.iter())
            .map(|word| {
                let mark = match word.mark {
                    Mark::None => "",
                    Mark::Open => "open",
                    Mark::Close => "close",
                };
                let (start, end) = (word.span.start, word.span.end);
                (
                    offsets.scalar(start),
                    offsets.scalar(end),
                    mark.to_owned(),
                    word.inside,
                )
            })
            .collect();
        assert_eq!(words, reference.words, "{}", reference.text);
        assert_eq!(reading.chunks.len(), reference.chunks.len());
        for (chunk, expected) in reading.chunks.iter().zip(&reference.chunks) {
            let places = (chunk.begin, chunk.core, chunk.end);
            assert_eq!(places, (expected.begin, expected.core, expected.end));
            let sequence = tagger.sequence(&reading, chunk);
            assert_eq!(sequence.input_ids, expected.ids);
            assert_eq!(sequence.token_type_ids, expected.types);
        }
    }
}

#[test]
fn quotes_sources_and_cues_are_those_of_the_training() {
    let references = references();
    let texts: Vec<&str> = references.iter().map(|each| each.text.as_str()).collect();
    let tagger = tagger();
    let tagged = tagger.tag(&texts).unwrap();
    for (spans, reference) in tagged.iter().zip(&references) {
        let text = &reference.text;
        let quotes = quotes(spans, |span| tagger.calibration().keep(span));
        let offsets = Offsets::new(text);
        let scalars = |span: &Span| (offsets.scalar(span.start), offsets.scalar(span.end));
        assert_eq!(quotes.len(), reference.quotes.len(), "{text}");
        for (quote, expected) in quotes.iter().zip(&reference.quotes) {
            let spans: Vec<_> = quote.spans.iter().map(scalars).collect();
            assert_eq!(spans, expected.spans, "{text}");
            let source = expected.speaker_start.zip(expected.speaker_end);
            let first = &quote.first;
            assert_eq!(first.source.as_ref().map(scalars), source, "{text}");
            assert_eq!(first.cue.map(|cue| cue.of(text)), expected.cue.as_deref());
            assert!((first.score - expected.score).abs() < 0.03, "{quote:?}");
            assert!((first.speech - expected.speech).abs() < 0.03, "{quote:?}");
        }
    }
}

#[test]
fn a_text_is_tagged_the_same_whatever_stands_beside_it() {
    let (tagger, references) = (tagger(), references());
    let texts: Vec<&str> = references.iter().map(|each| each.text.as_str()).collect();
    let together = tagger.tag(&texts).unwrap();
    for (text, tagged) in texts.iter().zip(together) {
        assert_eq!(tagger.tag(&[text]).unwrap(), [tagged]);
    }
    assert_eq!(tagger.tag(&["", " \n "]).unwrap(), [vec![], vec![]]);
}

#[test]
fn a_direct_quote_over_paragraphs_leaves_its_marks_out() {
    let text = "“One two three.\n\n“Four five six,” said Ada Okafor.";
    let words = words::read(text);
    let last = words.iter().position(|word| word.text == "six").unwrap() + 1;
    let span = WordSpan { first: 1, last };
    let parts: Vec<&str> = marked(&words, span)
        .iter()
        .map(|part| part.of(text))
        .collect();
    assert_eq!(parts, ["One two three.", "Four five six,"]);
    assert_eq!(count_inside(&words[1..=last]), (6, 6));
}
