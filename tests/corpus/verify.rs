//! `quotestance verify`: outputs held against their inputs.

use std::fs;

use crate::place::{Place, stderr, text};

impl Place {
    /// What verify says, and its exit code.
    fn verified(&self, args: &str) -> (Option<i32>, String) {
        let output = self.run(&format!("verify {args}"));
        let said = text(&output.stdout).to_owned() + &stderr(&output);
        (output.status.code(), said)
    }
}

#[test]
fn an_output_is_what_comes_out_again() {
    let place = Place::new(60);
    for (out, options) in [
        ("out.csv", "--offsets"),
        ("out.jsonl", "--duplicates mark"),
        ("out.articles.jsonl", ""),
        ("skip.csv", "--duplicates skip"),
        ("out.parquet", "--duplicates mark"),
        ("part.parquet", "--shard 2/3"),
    ] {
        place.done(&format!("quotes articles.jsonl -q {options} -o {out}"));
        let (code, said) = place.verified(&format!("{out} --sample 1000"));
        assert_eq!(code, Some(0), "{out}: {said}");
        let documents = if options.contains("shard") { 30 } else { 60 };
        assert!(
            said.contains(&format!("{documents} documents of 60 worked out anew, ")),
            "{out}: {said}"
        );
        assert!(said.contains(": 0 documents differ"), "{out}: {said}");
        assert_eq!(said.contains("as near copies"), options.ends_with("skip"));
    }
    // The inputs are found from anywhere, and the sample is the seed's.
    let anywhere = place.path("elsewhere");
    fs::create_dir(&anywhere).unwrap();
    let sampled = |seed: u32| {
        let mut command = place.command(&format!(
            "verify ../out.csv.run.json --sample 5 --seed {seed}"
        ));
        let output = command.current_dir(&anywhere).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        output.stdout
    };
    assert!(text(&sampled(1)).starts_with("5 documents of 60"));
    assert_eq!(sampled(1), sampled(1));
    assert!((2..9).any(|seed| sampled(seed) != sampled(1)));
}

#[test]
fn what_differs_is_told() {
    let place = Place::new(30);
    for number in 1..=2 {
        place.done(&format!(
            "quotes articles.jsonl -q -o {number}.csv --shard {number}/2"
        ));
    }
    place.done("merge 1.csv 2.csv -q -o whole.csv");
    assert_eq!(place.verified("whole.csv").0, Some(0));
    let whole = place.read("whole.csv");
    let edited = text(&whole).replacen("Ann Lee", "Bob Ray", 1);
    fs::write(place.path("whole.csv"), edited).unwrap();
    let (code, said) = place.verified("whole.csv");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("whole.csv: has been changed"), "{said}");
    assert!(
        said.contains("a0: row 1, speaker: the output has \"Bob Ray\", now it is \"Ann Lee\""),
        "{said}"
    );
    assert!(said.contains(": 1 documents differ"), "{said}");
    fs::write(place.path("whole.csv"), &whole).unwrap();
    // An input that has another name in it, and an article more that cannot be read.
    let articles = place.read("articles.jsonl");
    let other = text(&articles).replacen("Ann Lee", "Ann Leigh", 1) + "not JSON\n";
    fs::write(place.path("articles.jsonl"), other).unwrap();
    let (code, said) = place.verified("whole.csv");
    assert_eq!(code, Some(1), "{said}");
    for words in [
        "the inputs held 30 documents, now 31",
        "note: their inputs differ",
        "articles.jsonl:31: fails now: not a JSON object",
        "now it is \"Ann Leigh\"",
        "a0: and 9 rows more",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    fs::remove_file(place.path("whole.csv.run.json")).unwrap();
    place.refused(
        "verify whole.csv",
        &["whole.csv.run.json", "hint: quotestance writes it"],
    );
}
