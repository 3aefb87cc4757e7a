//! The model boundary: tokens and logits against stored reference outputs, and folders that are
//! broken in every way a user's may be.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::array;
use quotestance::encoder::{Engine, EngineOptions, Sequence};
use quotestance::model::Model;
use quotestance::prediction::{Classifier, Distribution, Task};
use quotestance::{Error, ErrorKind};
use serde::Deserialize;

/// One line of `tests/reference/*.json`, made by `tests/reference/make_reference.py`.
#[derive(Deserialize)]
struct Pair {
    text: String,
    target: String,
    ids: Vec<u32>,
    types: Vec<u32>,
    logits: Vec<f32>,
}

/// The models that references were made from, with them: the one that is shipped (int8), and the
/// one its training began with (f16) where it is on this machine.
fn reference_models() -> impl Iterator<Item = (PathBuf, Vec<Pair>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let models = [
        ("stance", "models/stance"),
        ("stance-v0", "../shared/models/stance-v0"),
    ];
    models.into_iter().filter_map(|(name, folder)| {
        let folder = root.join(folder);
        let pairs = fs::read(root.join(format!("tests/reference/{name}.json"))).unwrap();
        folder
            .is_dir()
            .then(|| (folder, serde_json::from_slice(&pairs).unwrap()))
    })
}

fn shipped_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/stance")
}

fn reference_options() -> EngineOptions {
    EngineOptions {
        engine: Engine::Reference,
        ..EngineOptions::default()
    }
}

#[test]
fn ids_and_logits_agree_with_transformers() {
    for (folder, pairs) in reference_models() {
        let model = Model::open(&folder, &reference_options()).unwrap();
        let mut batch = Vec::new();
        for pair in &pairs {
            let (text, target) = (
                model.ids(&pair.text).unwrap(),
                model.ids(&pair.target).unwrap(),
            );
            let sequence = model.pair(&text, &target);
            assert_eq!(sequence.input_ids, pair.ids, "{:?}", pair.text);
            assert_eq!(sequence.token_type_ids, pair.types, "{:?}", pair.text);
            batch.push(sequence);
        }
        let logits = model.logits(&batch).unwrap();
        for (pair, logits) in pairs.iter().zip(logits.outer_iter()) {
            for (expected, found) in pair.logits.iter().zip(logits) {
                assert!(
                    (expected - found).abs() < 1e-4,
                    "{:?}: expected {:?}, found {logits}",
                    pair.text,
                    pair.logits
                );
            }
        }
    }
}

#[test]
fn token_spans_cut_the_words_out_of_the_text() {
    let model = Model::open(&shipped_folder(), &reference_options()).unwrap();
    let text = "“Señor Müller’s café” — naïve 👏 \u{212b}ngström, e\u{301}tude [SEP]";
    let tokens = model.tokens(text).unwrap();
    assert_eq!(tokens.ids, model.ids(text).unwrap());
    let mut end = 0;
    for span in &tokens.spans {
        assert!(span.start >= end || span.end == end, "{span:?} after {end}");
        assert!(!span.of(text).trim().is_empty());
        end = span.end;
    }
    let words: Vec<_> = tokens.spans.iter().map(|span| span.of(text)).collect();
    assert_eq!(words.first(), Some(&"“"));
    assert!(
        words.contains(&"café") && words.contains(&"👏"),
        "{words:?}"
    );
    assert_eq!(words[1..3].concat(), "Señor");
    let separator = model.tokenizer().token_to_id("[SEP]").unwrap();
    assert!(
        !tokens.ids.contains(&separator),
        "a text must not forge a separator"
    );
}

#[test]
fn pairs_are_joined_as_trained() {
    let model = Model::open(&shipped_folder(), &reference_options()).unwrap();
    let expected = |ids: &[u32], types: &[u32]| Sequence {
        input_ids: ids.to_vec(),
        token_type_ids: types.to_vec(),
    };
    assert_eq!(
        model.pair(&[7, 8], &[9]),
        expected(&[101, 7, 8, 102, 9, 102], &[0, 0, 0, 0, 1, 1])
    );
    assert_eq!(
        model.pair(&[7], &[]),
        expected(&[101, 7, 102, 102], &[0, 0, 0, 1])
    );
    assert_eq!(model.single(&[7]), expected(&[101, 7, 102], &[0, 0, 0]));
    assert_eq!((model.pair_overhead(), model.single_overhead()), (3, 2));
}

#[test]
fn the_name_carries_a_hash_and_is_that_of_the_embedded_model() {
    let model = Model::open(&shipped_folder(), &reference_options()).unwrap();
    let hash = model.name().strip_prefix("stance-").unwrap();
    assert!(hash.len() == 8 && hash.chars().all(|digit| digit.is_ascii_hexdigit()));
    let embedded = Model::embedded(&reference_options());
    match cfg!(feature = "embedded-model") {
        true => assert_eq!(embedded.unwrap().name(), model.name()),
        false => assert!(embedded.unwrap_err().way_out().is_some()),
    }
}

/// The shipped model with another config.json.
fn shipped_but(change: impl FnOnce(&mut serde_json::Value)) -> Classifier {
    let folder = shipped_copy();
    change_config(folder.path(), change);
    Classifier::new(Model::open(folder.path(), &reference_options()).unwrap()).unwrap()
}

#[test]
fn the_surest_sentence_counts_beside_a_long_text() {
    let side = "I will vote against the ferry contract, and so should everybody who has read it.";
    let others = [
        "The meeting began at nine, and the clerk read out the names of those who had sent their regrets.",
        "Then we heard about the roof of the school, which has been leaking since the spring.",
        "A lady from the archive showed us photographs of the harbour as it was a hundred years ago.",
        "There was tea, and the heating did not work.",
    ];
    let long = [others[0], others[1], side, others[2], others[3]].join(" ");
    let target = "the ferry contract";
    let least_words = long.split(' ').count();
    let reading = |least_words: usize, weight: f32| {
        let reading = serde_json::json!({ "least_words": least_words, "weight": weight });
        shipped_but(move |config| config["surest_sentence"] = reading)
    };
    let probabilities = |classifier: &Classifier, text: &str, target: &str, task: Task| {
        let found = classifier.label(&[(text, target, task)]).unwrap();
        found[0].probabilities()
    };
    let stance =
        |classifier: &Classifier, text: &str| probabilities(classifier, text, target, Task::Stance);
    let whole_only = reading(least_words + 1, 0.5);
    let (whole, sentence) = (stance(&whole_only, &long), stance(&whole_only, side));
    let sided = |of: [f32; 3]| of[0].max(of[1]);
    for other in others {
        assert!(
            sided(stance(&whole_only, other)) < sided(sentence),
            "{other}"
        );
    }
    let with_sentence = reading(least_words, 0.5);
    // Weighted geometric means, made to sum to 1.
    let mixed = [0, 1, 2].map(|label| (whole[label] * sentence[label].sqrt()).powf(1.0 / 1.5));
    let sum: f32 = mixed.iter().sum();
    let found = stance(&with_sentence, &long);
    for (found, mixed) in found.iter().zip(mixed) {
        assert!(
            (found - mixed / sum).abs() < 1e-4,
            "{found} and {}",
            mixed / sum
        );
    }
    assert!(found[1] > whole[1]);
    for (text, target, task) in [
        (long.as_str(), "", Task::Sentiment),
        (long.as_str(), target, Task::Sentiment),
        (side, target, Task::Stance),
    ] {
        let of = |classifier| probabilities(classifier, text, target, task);
        assert_eq!(of(&with_sentence), of(&whole_only));
    }
}

#[test]
fn a_temperature_moves_probabilities_and_the_name_but_no_label() {
    let score = |temperature: f32| {
        let classifier = shipped_but(|config| {
            config["temperatures"] = serde_json::json!({ "stance": temperature });
        });
        let name = classifier
            .model_name()
            .rsplit_once('-')
            .unwrap()
            .1
            .to_owned();
        let of = |task| {
            let pair = ("We will fight this contract.", "the contract", task);
            classifier.label(&[pair]).unwrap()[0]
        };
        (name, of(Task::Stance), of(Task::Sentiment))
    };
    let ((name, stance, tone), (other, softer, same)) = (score(1.0), score(2.0));
    assert_ne!(name, other, "other probabilities, so another model");
    assert_eq!(stance.top(), softer.top());
    assert_eq!(tone, same, "a head without a temperature stays as it is");
    let odds = |of: Distribution| (of.probabilities()[1] / of.probabilities()[0]).ln();
    assert!((odds(stance) / odds(softer) - 2.0).abs() < 1e-3);
}

#[test]
fn sequences_the_encoder_cannot_take_are_refused() {
    let model = Model::open(&shipped_folder(), &reference_options()).unwrap();
    let sequence = |ids: &[u32], types: &[u32]| Sequence {
        input_ids: ids.to_vec(),
        token_type_ids: types.to_vec(),
    };
    for (sequence, expected) in [
        (sequence(&[], &[]), "it has no tokens"),
        (
            sequence(&[1; 513], &[0; 513]),
            "it has 513 tokens, but the model takes at most 512",
        ),
        (
            sequence(&[1, 30522], &[0, 0]),
            "id 30522 is outside the vocabulary of 30522",
        ),
        (
            sequence(&[1, 2], &[0, 2]),
            "token type 2, but the model has 2",
        ),
        (sequence(&[1, 2], &[0]), "2 ids, but 1 token types"),
    ] {
        let batch = [model.pair(&[5], &[6]), sequence];
        let error = model.logits(&batch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Inference);
        assert_eq!(error.to_string(), format!("sequence 1 of 2: {expected}"));
    }
    assert_eq!(
        model.logits(&[]).unwrap().shape(),
        [0, model.labels().len()]
    );
}

#[test]
fn padded_arrays_become_sequences() {
    let ids = array![[101u32, 7, 102, 0], [101, 7, 8, 102]];
    let types = array![[0u32, 0, 0, 0], [0, 0, 1, 1]];
    let mask = array![[1u32, 1, 1, 0], [1, 1, 1, 1]];
    let sequences = Sequence::from_padded(ids.view(), types.view(), mask.view()).unwrap();
    assert_eq!(sequences[0].input_ids, [101, 7, 102]);
    assert_eq!(sequences[1].token_type_ids, [0, 0, 1, 1]);
    let nothing = ndarray::Array2::zeros((2, 4));
    assert!(Sequence::from_padded(ids.view(), types.view(), nothing.view()).is_err());
    let narrow = ndarray::Array2::zeros((2, 3));
    assert!(Sequence::from_padded(ids.view(), types.view(), narrow.view()).is_err());
}

/// A copy of the shipped folder, to be changed.
fn shipped_copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(shipped_folder().join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// Changes a folder's config.json.
fn change_config(folder: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = folder.join("config.json");
    let mut config = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut config);
    fs::write(path, config.to_string()).unwrap();
}

/// Breaks a copy of the shipped folder and says what opening it complains of.
fn open_broken(breaking: impl Fn(&Path)) -> Error {
    let folder = shipped_copy();
    breaking(folder.path());
    Model::open(folder.path(), &reference_options()).unwrap_err()
}

/// Replaces `from` by `to` in the folder's `config.json`.
fn edit_config(folder: &Path, from: &str, to: &str) {
    let config = fs::read_to_string(folder.join("config.json")).unwrap();
    assert!(config.contains(from), "{config}");
    fs::write(folder.join("config.json"), config.replacen(from, to, 1)).unwrap();
}

/// Puts temperatures into a folder's config.json, in place of its own if it has any.
fn set_temperatures(folder: &Path, head: &str, temperature: f32) {
    change_config(folder, |config| {
        config["temperatures"] = serde_json::json!({head: temperature});
    });
}

#[test]
fn broken_folders_say_what_is_broken() {
    let missing = Model::open(Path::new("no/such/folder"), &reference_options()).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "no/such/folder: model folder does not exist"
    );

    type Breaking = fn(&Path);
    let cases: [(&str, Breaking, &str); 14] = [
        (
            "missing file",
            |folder| fs::remove_file(folder.join("tokenizer.json")).unwrap(),
            "could not open tokenizer.json",
        ),
        (
            "no JSON",
            |folder| fs::write(folder.join("config.json"), "{").unwrap(),
            "could not understand config.json",
        ),
        (
            "tokenizer of another kind",
            |folder| fs::write(folder.join("tokenizer.json"), "{}").unwrap(),
            "could not understand tokenizer.json",
        ),
        (
            "unknown architecture",
            |folder| edit_config(folder, "\"model_type\": \"bert\"", "\"model_type\": \"t5\""),
            "cannot run architecture \"t5\"",
        ),
        (
            "other depth",
            |folder| {
                edit_config(
                    folder,
                    "\"num_hidden_layers\": 6",
                    "\"num_hidden_layers\": 7",
                )
            },
            "there is no tensor bert.encoder.layer.6.attention.self.query.weight",
        ),
        (
            "other width",
            |folder| {
                edit_config(
                    folder,
                    "\"intermediate_size\": 1536",
                    "\"intermediate_size\": 1000",
                )
            },
            "tensor bert.encoder.layer.0.intermediate.dense.weight has shape [1536, 384], \
             but config.json asks for [1000, 384]",
        ),
        (
            "a label too many",
            |folder| edit_config(folder, "\"0\": \"stance", "\"99\": \"x\", \"0\": \"stance"),
            "id2label has no key",
        ),
        (
            "truncated weights",
            |folder| {
                let weights = fs::read(folder.join("model.safetensors")).unwrap();
                let half = &weights[..weights.len() / 2];
                fs::write(folder.join("model.safetensors"), half).unwrap();
            },
            "not a complete safetensors file",
        ),
        (
            "pooling unknown",
            |folder| edit_config(folder, "\"mean\"", "\"max\""),
            "cannot pool by \"max\"",
        ),
        (
            "temperature of nothing",
            |folder| set_temperatures(folder, "stance", 0.0),
            "temperatures: \"stance\" is 0, expected a number above 0",
        ),
        (
            "temperature of no head",
            |folder| set_temperatures(folder, "tone", 1.5),
            "temperatures: \"tone\" is no head of id2label",
        ),
        (
            "a sentence of no weight",
            |folder| edit_config(folder, "\"weight\": 0.5", "\"weight\": 0"),
            "surest_sentence: weight is 0, expected a number above 0",
        ),
        (
            "counts of no head",
            |folder| {
                edit_config(
                    folder,
                    "\"risk_coverage\": {\"stance\"",
                    "\"risk_coverage\": {\"tone\"",
                )
            },
            "risk_coverage: \"tone\" is no head of id2label",
        ),
        (
            "counts without their thresholds",
            |folder| edit_config(folder, "\"thresholds\":[0.0,", "\"thresholds\":["),
            "risk_coverage: \"stance\": thresholds, kept and wrong differ in length",
        ),
    ];
    for (name, breaking, expected) in cases {
        let error = open_broken(breaking);
        assert_eq!(error.kind(), ErrorKind::Model, "{name}");
        assert!(
            error.to_string().contains(expected),
            "{name}: expected {expected:?}, found {error}"
        );
    }
}

#[test]
fn vocabularies_must_match() {
    // A tokenizer with more tokens than the model has embeddings.
    let error = open_broken(|folder| {
        let json = fs::read(folder.join("tokenizer.json")).unwrap();
        let mut tokenizer: serde_json::Value = serde_json::from_slice(&json).unwrap();
        tokenizer["model"]["vocab"]["a-word-too-many"] = 30522.into();
        fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    });
    assert!(
        error
            .to_string()
            .contains("tokenizer.json has 30523 tokens, but the model has embeddings for 30522"),
        "{error}"
    );
}
