//! A folder with a made-up corpus, and the program run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_quotestance");

/// A folder that holds a corpus and what runs make of it.
pub struct Place(tempfile::TempDir);

impl Place {
    /// With `articles.jsonl`: so many articles, a few of them without a text.
    pub fn new(articles: usize) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        let lines: String = (0..articles).map(|number| line(number) + "\n").collect();
        fs::write(place.path("articles.jsonl"), lines).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn command(&self, args: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(args.split_whitespace())
            .current_dir(self.0.path());
        // What is tested here does not depend on how quotes are found: the fastest way will do.
        if args.starts_with("quotes ") || args.starts_with("run ") {
            command.arg("--rules-only");
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, args: &str) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs to the end: exit code 0, or 3 where some articles have no text.
    pub fn done(&self, args: &str) -> String {
        let output = self.run(args);
        let said = stderr(&output);
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{args}: {said}"
        );
        said
    }

    /// Stops with exit code 2 and these words.
    pub fn refused(&self, args: &str, words: &[&str]) {
        let output = self.run(args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args}: {said}");
        for word in words {
            assert!(said.contains(word), "{args}: {word:?} is not in {said}");
        }
        assert!(!said.contains("panicked"), "{said}");
    }

    pub fn names(&self, start: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(start))
            .collect();
        names.sort();
        names
    }
}

/// An article of its own words for each number; every 37th is empty, every 10th printed twice.
pub fn line(number: usize) -> String {
    let story = match number % 10 {
        9 => number - 4,
        _ => number,
    };
    let word = |place: usize| {
        let (mut seed, mut word) = (story * 7919 + place * 104_729 + 17, String::new());
        for _ in 0..3 {
            seed = seed * 48_271 % 2_147_483_647;
            word.push_str(["ta", "ri", "mo", "len", "su", "ka", "vo", "de"][seed / 64 % 8]);
        }
        word
    };
    let words = |from: usize| (from..from + 14).map(word).collect::<Vec<_>>().join(" ");
    let mut text = format!("Headline {number} by the desk\n\n");
    for paragraph in 0..6 {
        text.push_str(&format!(
            "“The {} is a bad deal,” said Ann Lee, who {}. Officials said that the {} was over.\n\n",
            words(paragraph * 50),
            words(paragraph * 50 + 15),
            words(paragraph * 50 + 30),
        ));
    }
    if number % 37 == 36 {
        text.clear();
    }
    serde_json::json!({"id": format!("a{number}"), "text": text}).to_string()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Numbers that are the same in every test run.
pub fn random(seed: &mut u64, below: u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

pub fn wait_for(what: impl Fn() -> bool) {
    for _ in 0..2000 {
        if what() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited ten seconds in vain");
}

pub fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}
