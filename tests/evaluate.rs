//! `quotestance evaluate`: figures by hand on small files, and the same figures as the two Python
//! scorers where these are on this machine.

#[path = "support/program.rs"]
mod program;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use serde_json::{Value, json};

use program::{quotestance, run, stderr};

fn evaluate(args: &[&str]) -> Value {
    let output = run(&[&["evaluate", "--json"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A scorer of `../shared` and Python; `None` (said) where they are not on this machine.
fn scorer(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(name);
    let python = Process::new("python3").arg("--version").output();
    if path.is_file() && python.is_ok() {
        return Some(path);
    }
    eprintln!("skipped: {} or python3 is not there", path.display());
    None
}

fn score(scorer: &Path, args: &[&str]) -> Value {
    let output = Process::new("python3")
        .arg(scorer)
        .args(args)
        .arg("--json")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Numbers below `n` that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

#[test]
fn a_target_too_long_is_named_with_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let long = "the very long contract ".repeat(30);
    let gold = format!("id,text,target,label\nr7,Cancel it at once.,{long},against\n");
    let gold = write(folder.path(), "gold.csv", &gold);
    let output = run(&["evaluate", "--task", "stance", &gold, "--run"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    for part in ["gold.csv", "r7", "expected at most 64"] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
}

#[test]
fn the_figures_of_labels_are_those_that_a_hand_computes() {
    let folder = tempfile::tempdir().unwrap();
    let gold = write(
        folder.path(),
        "gold.csv",
        "id,label,also_right\n1,favor,\n2,favor,\n3,against,\n4,neutral,\"[\"\"against\"\"]\"\n5,against,\n",
    );
    // 1 right at .9; 2 wrong at .6; 3 right at .8; 4 right by the second label; 5 not predicted.
    let predictions = write(
        folder.path(),
        "p.csv",
        "id,label,favor,against,neutral\n1,favor,.9,.05,.05\n2,neutral,.2,.2,.6\n3,against,.1,.8,.1\n4,against,.2,.5,.3\n",
    );
    let args = ["--task", "stance", &gold, &predictions, "--bootstrap", "0"];
    let report = evaluate(&args);
    let figures = &report["groups"]["stance:all"];
    let value = |name: &str| figures[name]["value"].as_f64().unwrap();
    let near = |name: &str, expected: f64| {
        assert!((value(name) - expected).abs() < 1e-6, "{name}: {figures}");
    };
    near("acc", 3.0 / 5.0);
    // favor 2/3, against 2/3 (one of two found), neutral 2/3 (one of two predicted is right).
    near("macro_f1", 2.0 / 3.0);
    near("f_avg", 2.0 / 3.0);
    // Surest first: .9 right, .8 right, .6 wrong, .5 right.
    near("aurc", (1.0 / 3.0 + 1.0 / 4.0) / 4.0);
    near("cov@5%", 0.5);
    near("ece", (0.1 + 0.2 + 0.6 + 0.5) / 4.0);
    assert_eq!(
        figures["confusion"]["against"],
        json!({"favor": 0, "against": 1, "neutral": 0, "abstained": 0, "missing": 1})
    );
    assert_eq!(report["missing"], 1);
    let strict = evaluate(&[&args[..], &["--strict"]].concat());
    let accuracy = &strict["groups"]["stance:all"]["acc"]["value"];
    assert_eq!(accuracy.as_f64(), Some(0.4));
}

#[test]
fn an_abstained_row_counts_in_no_figure_and_a_bad_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let gold = write(
        folder.path(),
        "gold.csv",
        "id,label\n1,favor\n2,against\n3,against\n",
    );
    let predictions = write(
        folder.path(),
        "p.csv",
        "id,label,favor,against,neutral,abstained\n1,favor,.9,.05,.05,false\n2,,.4,.3,.3,true\n3,against,.1,.8,.1,false\n",
    );
    let report = evaluate(&["--task", "stance", &gold, &predictions]);
    assert_eq!(report["all"]["abstained"], 1);
    assert_eq!(report["all"]["acc"]["value"], 1.0);
    let bad = write(folder.path(), "bad.csv", "id,label\n1,favour\n");
    let output = run(&["evaluate", "--task", "stance", &gold, &bad]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("bad.csv, line 2") && said.contains("unknown label \"favour\""));
}

#[test]
fn files_that_do_not_say_what_counts_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| write(folder.path(), name, content);
    let gold = write("gold.csv", "id,label,text\n=1,favor,x\n2,against,y\n");
    let answers = write("a.csv", "id,label\n'=1,favor\n2,against\n");
    let report = evaluate(&["--task", "stance", &gold, &answers]);
    assert_eq!(
        (&report["missing"], &report["predictions_not_in_gold"]),
        (&json!(0), &json!(0))
    );
    let twice = write("twice.csv", "id,label\n1,favor\n1,against\n");
    let other = write("other.csv", "id,stance\n=1,favor\n");
    for (args, expected) in [
        (
            &["--task", "stance", &twice, &answers][..],
            "the id \"1\" a second time",
        ),
        (
            &["--task", "stance", &gold, &other],
            "no column \"label\"; the columns are id, stance",
        ),
        (
            &["--task", "stance", &gold, &answers, "--by", "paper"],
            "no column \"paper\"",
        ),
        (&["--task", "stance", &gold, "--run"], "has no target"),
        (
            &["--task", "quotes", &gold, &gold, "--iou", "9"],
            "--iou 9: expected a share",
        ),
    ] {
        let output = run(&[&["evaluate"], args].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(expected), "{args:?}: {said}");
    }
}

#[test]
fn labels_are_scored_as_the_python_scorer_does() {
    let Some(scorer) = scorer("stance/score_labels.py") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = Numbers(1);
    let (mut gold, mut predicted) = (String::new(), String::new());
    let tasks = [
        ("stance", ["favor", "against", "neutral"]),
        ("tsc", ["positive", "negative", "neutral"]),
        ("sentiment", ["positive", "negative", "neutral"]),
    ];
    for id in 0..600 {
        let (task, labels) = tasks[numbers.below(3) as usize];
        let label = labels[numbers.below(3) as usize];
        let source = ["a", "b"][numbers.below(2) as usize];
        let mut row = json!({"id": format!("r{id}"), "text": "t", "target": "", "label": label,
            "task": task, "source": source});
        if numbers.below(4) == 0 {
            row["also_right"] = json!([labels[numbers.below(3) as usize]]);
        }
        if numbers.below(3) == 0 {
            row["subset"] = "s".into();
        }
        writeln!(gold, "{row}").unwrap();
        if numbers.below(20) == 0 {
            continue;
        }
        // Probabilities come twice, so that the order of equals matters.
        let top = 0.34 + numbers.below(66) as f64 / 100.0;
        let said = match numbers.below(10) < 6 {
            true => label,
            false => labels[numbers.below(3) as usize],
        };
        let mut probs = json!({});
        for other in labels {
            probs[other] = json!(if other == said {
                top
            } else {
                (1.0 - top) / 2.0
            });
        }
        let row = json!({"id": format!("r{id}"), "label": said, "probs": probs});
        writeln!(predicted, "{row}").unwrap();
    }
    let gold = write(folder.path(), "gold.jsonl", &gold);
    let predicted = write(folder.path(), "p.jsonl", &predicted);
    for options in [&[][..], &["--strict"], &["--by", "subset"]] {
        let theirs = score(&scorer, &[&[&gold[..], &predicted], options].concat());
        let mut groups = 0;
        for task in ["stance", "sentiment"] {
            let args = ["--task", task, &gold, &predicted, "--bootstrap", "20"];
            let ours = evaluate(&[&args[..], options].concat());
            for (group, figures) in ours["groups"].as_object().unwrap() {
                groups += 1;
                assert_eq!(figures["n"], theirs[group]["n"], "{group}");
                for name in ["acc", "macro_f1", "f_avg", "ece", "aurc", "cov@5%"] {
                    let (ours, theirs) = (&figures[name]["value"], &theirs[group][name]);
                    let gap = ours.as_f64().unwrap() - theirs.as_f64().unwrap();
                    assert!(gap.abs() < 2e-6, "{group} {name}: {ours}, {theirs}");
                    let interval = &figures[name]["interval"];
                    assert!(interval[0].as_f64().unwrap() <= interval[1].as_f64().unwrap());
                }
            }
        }
        // The scorer says one thing more: what is missing.
        assert_eq!(groups + 1, theirs.as_object().unwrap().len());
    }
}

/// Names of the scorer's figures and of ours.
const QUOTE_FIGURES: [(&str, &str); 7] = [
    ("span_exact", "exact"),
    ("span_iou80", "iou80"),
    ("span_iou50", "iou50"),
    ("e2e", "e2e"),
    ("token", "token"),
    ("attr_token", "attr_token"),
    ("attr_quoted_token", "attr_quoted_token"),
];
const QUOTE_SHARES: [(&str, &str); 4] = [
    ("mean_jaccard_over_gold", "jaccard"),
    ("speaker_exact_acc", "speaker_exact"),
    ("speaker_lastname_acc", "speaker_last_name"),
    ("speaker_overlap_acc", "speaker_overlap"),
];

fn check_quotes(scorer: &Path, gold: &str, predicted: &str, options: &[&str]) {
    let theirs = score(scorer, &[&[gold, predicted], options].concat());
    let args = ["--task", "quotes", gold, predicted, "--bootstrap", "20"];
    let ours = evaluate(&[&args[..], options].concat());
    assert_eq!(ours["articles"], theirs["articles"]);
    // The scorer rounds percentages to two decimals.
    let check = |name: &str, ours: &Value, theirs: &Value| {
        let ours = ours.as_f64().map(|share| 100.0 * share);
        match (ours, theirs.as_f64()) {
            (Some(ours), Some(theirs)) => {
                assert!((ours - theirs).abs() < 0.0051, "{name}: {ours}, {theirs}");
            }
            (ours, theirs) => assert_eq!(ours, theirs, "{name} {options:?}"),
        }
    };
    for (name, own) in QUOTE_FIGURES {
        for (part, own_part) in [("P", "precision"), ("R", "recall"), ("F1", "f1")] {
            check(name, &ours["matches"][own][own_part], &theirs[name][part]);
        }
    }
    for (name, own) in QUOTE_SHARES {
        check(name, &ours["figures"][own]["value"], &theirs[name]);
    }
    for (name, own) in [("nullspk", "null_speaker"), ("canonical", "canonical")] {
        check(name, &ours["figures"][own]["value"], &theirs[name]["acc"]);
    }
    let tags = theirs["by_tag"].as_object().unwrap();
    assert_eq!(ours["by_tag"].as_object().unwrap().len(), tags.len());
    for (tag, counts) in tags {
        assert_eq!(ours["by_tag"][tag]["n"], counts["n"], "{tag}");
        let recall = |ours: &Value| (ours.as_f64().unwrap() * 1000.0).round() / 10.0;
        assert!(
            (recall(&ours["by_tag"][tag]["recall"]) - counts["R"].as_f64().unwrap()).abs() < 0.11
        );
    }
}

/// An article of odd marks, line breaks and names, with quotes that were drawn over it.
fn odd_article(id: usize, numbers: &mut Numbers) -> (Value, Value) {
    const PIECES: [&str; 22] = [
        "“We won’t go,” ",
        "said Mr. O’Neil Jr. ",
        "\"Not now\" ",
        "that ",
        "``old marks'' ",
        "Straße_1 ",
        "naïve café ",
        "\n",
        "\r\n",
        "«non» ",
        "„nein“ ",
        "“open to the end ",
        "in 2,000.5 days ",
        "Dr. Lee-Park, 41, ",
        "dass ",
        "नमस्ते ",
        "— ",
        "İstanbul ",
        "\"",
        "the ",
        "x² ",
        "「はい」",
    ];
    const SPEAKERS: [&str; 10] = [
        "Mr. O’Neil Jr.",
        "the spokesman for Acme",
        "President Ana Lee",
        "She",
        "Lee-Park’s",
        "Straße",
        "a man (52)",
        "The Mayor",
        "İpek Ünal — chair",
        "the",
    ];
    let text: String = (0..60)
        .map(|_| PIECES[numbers.below(PIECES.len() as u64) as usize])
        .collect();
    let length = text.chars().count() as u64;
    let quotes = |numbers: &mut Numbers, shift: u64| -> Vec<Value> {
        let mut quotes = Vec::new();
        for _ in 0..8 {
            let start = numbers.below(length);
            let end = start + numbers.below(60);
            let class = ["speech", "other"][numbers.below(2) as usize];
            let mut quote = json!({"start": start, "end": end, "speaker": null,
                "cue_class": class});
            if numbers.below(3) == 0 {
                let gap = numbers.below(12);
                quote["spans"] = json!([[start, end], [end + gap, end + gap + 20 + shift]]);
            }
            if numbers.below(4) > 0 {
                quote["speaker"] = SPEAKERS[numbers.below(10) as usize].into();
                quote["speaker_canonical"] = SPEAKERS[numbers.below(10) as usize].into();
            }
            if numbers.below(2) == 0 {
                let place = numbers.below(length);
                quote["speaker_start"] = place.into();
                quote["speaker_end"] = (place + 30).into();
            }
            if numbers.below(3) == 0 {
                quote["tags"] = json!(["split"]);
            }
            quotes.push(quote);
        }
        quotes
    };
    let gold = quotes(numbers, 0);
    let mut predicted = quotes(numbers, 3);
    // Some are nearly right.
    for quote in gold.iter().take(5) {
        let mut quote = quote.clone();
        quote["end"] = (quote["end"].as_u64().unwrap() + numbers.below(9)).into();
        quote.as_object_mut().unwrap().remove("spans");
        predicted.push(quote);
    }
    (
        json!({"id": id, "text": text, "quotes": gold}),
        json!({"id": id, "quotes": predicted}),
    )
}

#[test]
fn quotes_are_scored_as_the_python_scorer_does() {
    let Some(scorer) = scorer("quotes/score_quotes.py") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = Numbers(3);
    let (mut gold, mut predicted) = (String::new(), String::new());
    for id in 0..60 {
        let (article, found) = odd_article(id, &mut numbers);
        writeln!(gold, "{article}").unwrap();
        if id % 10 > 0 {
            writeln!(predicted, "{found}").unwrap();
        }
    }
    let gold = write(folder.path(), "gold.jsonl", &gold);
    let predicted = write(folder.path(), "p.jsonl", &predicted);
    for options in [
        &[][..],
        &["--subset", "quoted"],
        &["--subset", "direct", "--speech-only"],
        &["--subset", "indirect", "--whole"],
        &["--whole", "--iou", "0.3"],
    ] {
        check_quotes(&scorer, &gold, &predicted, options);
    }
}

#[test]
fn what_the_program_finds_is_scored_alike_from_a_file_and_at_once() {
    let gold = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/evaluation/quotes.jsonl");
    let folder = tempfile::tempdir().unwrap();
    let found = folder.path().join("found.articles.jsonl");
    let (gold, found) = (gold.to_str().unwrap(), found.to_str().unwrap());
    quotestance(&["quotes", gold, "--rules-only", "-q", "-o", found])
        .assert()
        .success();
    if let Some(scorer) = scorer("quotes/score_quotes.py") {
        for options in [&[][..], &["--subset", "quoted", "--speech-only"]] {
            check_quotes(&scorer, gold, found, options);
        }
    }
    let from_file = evaluate(&["--task", "quotes", gold, found]);
    let at_once = evaluate(&["--task", "quotes", gold, "--run", "--rules-only", "-q"]);
    assert_eq!(from_file, at_once);
}

#[test]
fn the_articles_of_data_evaluation_are_read_as_well_as_their_card_says() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/evaluation");
    let path = |name: &str| data.join(name).to_str().unwrap().to_owned();
    let quotes = evaluate(&[
        "--task",
        "quotes",
        &path("quotes.jsonl"),
        "--run",
        "--whole",
        "-q",
    ]);
    let found = quotes["figures"]["e2e_f1"]["value"].as_f64().unwrap();
    assert!(found > 0.89, "{quotes}");
    let stance = evaluate(&["--task", "stance", &path("stance.jsonl"), "--run", "-q"]);
    let right = stance["all"]["acc"]["value"].as_f64().unwrap();
    assert!(right > 0.74, "{stance}");
}
