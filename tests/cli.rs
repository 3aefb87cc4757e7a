//! The binary, run as a user would: files in, rows out, messages and exit codes.

#[path = "support/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use program::{quotestance, run, stderr};

const TARGET: &str = "the body-camera contract";

fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/articles")
        .join(name);
    path.to_str().unwrap().to_owned()
}

/// Rows of a CSV as (column, cell) lists, read by a strict reader.
fn rows(csv: &[u8]) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(csv);
    let header = reader.headers().unwrap().clone();
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        header
            .iter()
            .zip(&record)
            .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
            .collect()
    });
    rows.collect()
}

fn cell<'r>(row: &'r [(String, String)], column: &str) -> &'r str {
    &row.iter().find(|(name, _)| name == column).unwrap().1
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path: PathBuf = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_sample_gives_attributed_and_labelled_quotes() {
    let output = run(&["run", &sample("harlow-bodycam.txt"), "--target", TARGET]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let rows = rows(&output.stdout);
    let chief = rows
        .iter()
        .find(|row| cell(row, "text").starts_with("Every officer I have ever"))
        .unwrap();
    assert_eq!(cell(chief, "speaker"), "Ramon Ostrander");
    assert_eq!(cell(chief, "kind"), "direct");
    assert_eq!(cell(chief, "speaker_type"), "person");
    assert_eq!(cell(chief, "target"), TARGET);
    for row in &rows {
        assert!(["favor", "against", "neutral"].contains(&cell(row, "stance")));
        for head in [
            ["stance_favor", "stance_against", "stance_neutral"],
            [
                "sentiment_positive",
                "sentiment_negative",
                "sentiment_neutral",
            ],
        ] {
            let sum: f64 = head
                .iter()
                .map(|column| cell(row, column).parse::<f64>().unwrap())
                .sum();
            assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        }
    }
}

#[test]
fn offsets_cut_the_quote_out_of_the_file_in_every_unit() {
    let path = sample("kaveripura-facepay.txt");
    let output = run(&["quotes", &path, "--offsets", "--no-formula-guard"]);
    let text = std::fs::read_to_string(&path).unwrap();
    let scalars: Vec<char> = text.chars().collect();
    let utf16: Vec<u16> = text.encode_utf16().collect();
    let rows = rows(&output.stdout);
    assert!(!rows.is_empty());
    for row in &rows {
        let place = |column: &str| cell(row, column).parse::<usize>().unwrap();
        let pieces: Vec<String> = cell(row, "spans")
            .split(' ')
            .map(|span| {
                let (start, end) = span.split_once('-').unwrap();
                scalars[start.parse().unwrap()..end.parse().unwrap()]
                    .iter()
                    .collect()
            })
            .collect();
        assert_eq!(pieces.join(" "), cell(row, "text"));
        let whole: String = scalars[place("start")..place("end")].iter().collect();
        assert_eq!(text[place("start_byte")..place("end_byte")], whole);
        assert_eq!(
            String::from_utf16(&utf16[place("start_utf16")..place("end_utf16")]).unwrap(),
            whole
        );
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let folder = sample("");
    let one = run(&["run", &folder, "--target", TARGET, "--threads", "1"]);
    for threads in ["2", "5"] {
        let more = run(&["run", &folder, "--target", TARGET, "--threads", threads]);
        assert_eq!(one.stdout, more.stdout);
    }
    let ids: BTreeSet<String> = rows(&one.stdout)
        .iter()
        .map(|row| cell(row, "article").to_owned())
        .collect();
    assert_eq!(
        ids.into_iter().collect::<Vec<_>>(),
        ["harlow-bodycam", "kaveripura-facepay"]
    );
}

#[test]
fn csv_jsonl_and_articles_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["o.csv", "o.jsonl", "o.articles.jsonl"] {
        let output = run(&[
            "run",
            &sample("harlow-bodycam.txt"),
            "--target",
            TARGET,
            "-o",
            &path(name),
            "--no-formula-guard",
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
    let csv = rows(&std::fs::read(path("o.csv")).unwrap());
    let lines = |name: &str| -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(path(name)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let (flat, nested) = (lines("o.jsonl"), lines("o.articles.jsonl"));
    assert_eq!(csv.len(), flat.len());
    let quotes = nested[0]["quotes"].as_array().unwrap();
    assert_eq!(quotes.len(), flat.len());
    for ((row, object), quote) in csv.iter().zip(&flat).zip(quotes) {
        for (name, cell) in row {
            match &object[name] {
                serde_json::Value::Null => assert_eq!(cell, ""),
                serde_json::Value::String(text) => assert_eq!(cell, text),
                serde_json::Value::Number(number) => assert_eq!(*cell, number.to_string()),
                other => assert_eq!((name.as_str(), other.is_array()), ("spans", true)),
            }
        }
        assert_eq!(quote["speaker_canonical"], object["speaker"]);
        assert_eq!(quote["speaker"], object["mention"]);
        assert_eq!(quote["predictions"][0]["stance"], object["stance"]);
        assert_eq!(quote["spans"], object["spans"]);
    }
}

#[test]
fn one_bad_document_stops_nothing_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "a.txt",
        "“It is a bad deal for everyone here,” Ann Lee said.",
    );
    write(folder.path(), "b.txt", b"\x89PNG\0");
    write(folder.path(), "c.txt", "");
    write(
        folder.path(),
        "d.txt",
        "“It is a good deal for everyone here,” said Bo Ray.",
    );
    let output = run(&["quotes", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    let speakers: Vec<String> = rows(&output.stdout)
        .iter()
        .map(|row| cell(row, "speaker").to_owned())
        .collect();
    assert_eq!(speakers, ["Ann Lee", "Bo Ray"]);
    let said = stderr(&output);
    assert!(
        said.contains("b.txt, article \"b\": not text") && said.contains("--encoding"),
        "{said}"
    );
    assert!(said.contains("c.txt") && said.contains("no text"), "{said}");
    assert!(said.contains("2 documents failed"), "{said}");
}

#[test]
fn bad_input_is_refused_with_place_and_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let table = write(folder.path(), "t.csv", "id,body2\n1,x\n");
    let model = folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    let article = sample("harlow-bodycam.txt");
    let cases: [(&[&str], &[&str]); 6] = [
        (
            &["quotes", "nowhere.txt"],
            &["nowhere.txt", "no such file", "hint"],
        ),
        (
            &["quotes", &table],
            &[
                "no column \"text\"; the columns are id, body2",
                "--text-column",
            ],
        ),
        (
            &["run", &article, "--target", "  "],
            &["has no words", "hint"],
        ),
        (
            &[
                "run",
                &article,
                "--target",
                "x",
                "--model",
                model.to_str().unwrap(),
            ],
            &["config.json"],
        ),
        (
            &["quotes", &article, "-o", "out.xlsx"],
            &["out.xlsx", ".csv"],
        ),
        (
            &["label", &table, "--text", "body2"],
            &["no target", "--target"],
        ),
    ];
    for (args, expected) in cases {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = stderr(&output);
        assert!(
            expected.iter().all(|words| said.contains(words)),
            "{args:?}: {said}"
        );
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn tables_and_standard_input_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let words = "“It is a bad deal for everyone here,” Ann Lee said.";
    let table = write(
        folder.path(),
        "t.csv",
        format!("url,Article\nu1,\"{words}\"\n"),
    );
    let output = run(&["quotes", &table]);
    assert!(
        stderr(&output).contains("\"Article\" as text"),
        "{}",
        stderr(&output)
    );
    assert_eq!(cell(&rows(&output.stdout)[0], "article"), "u1");
    let output = quotestance(&["quotes", "-"])
        .write_stdin(words)
        .output()
        .unwrap();
    assert_eq!(cell(&rows(&output.stdout)[0], "article"), "stdin");
    let line = serde_json::json!({"id": 7, "text": words}).to_string();
    let output = quotestance(&["quotes", "-"])
        .write_stdin(line)
        .output()
        .unwrap();
    assert_eq!(cell(&rows(&output.stdout)[0], "article"), "7");
}

#[test]
fn label_keeps_ids_and_takes_targets_from_column_or_option() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = "id,text,target\na,This contract is a disgrace and must be cancelled.,the contract\nb,,the contract\n=c,We strongly support the contract.,the contract\n";
    let table = write(folder.path(), "p.csv", pairs);
    let output = run(&["label", &table]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let by_column = rows(&output.stdout);
    assert_eq!(cell(&by_column[0], "id"), "a");
    assert_eq!(cell(&by_column[0], "label"), "against");
    assert_eq!(cell(&by_column[1], "id"), "'=c");
    assert_eq!(cell(&by_column[1], "label"), "favor");
    let by_option = run(&["label", &table, "--target", "the contract"]);
    assert_eq!(rows(&by_option.stdout), by_column);
}

#[test]
fn label_never_writes_over_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = "id,text,target\na,This contract is a disgrace.,the contract\n";
    let table = write(folder.path(), "p.csv", pairs);
    let output = run(&["label", &table, "-o", &table]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("p.csv: the output is one of the inputs"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&table).unwrap(), pairs);
    let out = folder.path().join("l.csv");
    let output = run(&["label", &table, "--bom", "-o", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let written = std::fs::read_to_string(out).unwrap();
    assert!(written.starts_with("\u{feff}id,label"), "{written}");
}

#[test]
fn with_log_json_every_line_is_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = "id,text,target\na,,the contract\nb,A good deal.,the contract\n";
    let table = write(folder.path(), "p.csv", pairs);
    let cases: [(&[&str], &[&str]); 2] = [
        (
            &["label", &table, "-v", "--log", "json"],
            &["note", "info", "error", "info"],
        ),
        (&["label", "nowhere.csv", "--log", "json"], &["error"]),
    ];
    for (args, levels) in cases {
        let said = stderr(&run(args));
        let lines: Vec<serde_json::Value> = (said.lines())
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
            .collect();
        let found: Vec<_> = lines.iter().map(|line| line["level"].as_str()).collect();
        let expected: Vec<_> = levels.iter().map(|level| Some(*level)).collect();
        assert_eq!(found, expected, "{said}");
    }
}

#[test]
fn the_tagger_is_computed_as_asked() {
    let article = sample("harlow-bodycam.txt");
    for (args, engine) in [
        (&["quotes", &article, "-v"][..], "auto"),
        (&["quotes", &article, "-v", "--precision", "f32"], "f32"),
    ] {
        let said = stderr(&run(args));
        let line = said.lines().find(|line| line.starts_with("tagger: "));
        let line = line.unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains("tagger-"), "{line}");
        assert_eq!(line.contains("f32"), engine == "f32", "{line}");
    }
}

#[test]
fn a_target_too_long_fails_its_row_alone() {
    let folder = tempfile::tempdir().unwrap();
    let long = "the very long contract ".repeat(30);
    let pairs = format!(
        "id,text,target\na,Cancel it at once.,the contract\nb,Cancel it at once.,{long}\nc,Keep it by all means.,the contract\n"
    );
    let table = write(folder.path(), "p.csv", pairs);
    let output = run(&["label", &table]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let ids: Vec<_> = (rows(&output.stdout).iter())
        .map(|row| cell(row, "id").to_owned())
        .collect();
    assert_eq!(ids, ["a", "c"]);
    let said = stderr(&output);
    for part in [
        "p.csv",
        "line 3",
        "target",
        "expected at most 64",
        "fewer words",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
    for command in ["label", "run"] {
        let output = run(&[command, &table, "--target", &long]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(output.stdout.is_empty(), "{command}");
        assert!(stderr(&output).contains("expected at most 64"), "{command}");
    }
}

#[test]
fn a_long_quote_is_read_in_windows_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let words =
        "the contract was never about money and everybody in this town knows it, ".repeat(40);
    let article = write(
        folder.path(),
        "a.txt",
        format!("“I say that {words}so there,” Ann Lee said."),
    );
    let output = run(&["run", &article, "--target", "the contract"]);
    let rows = rows(&output.stdout);
    assert!(cell(&rows[0], "n_tokens").parse::<usize>().unwrap() > 500);
    assert!(cell(&rows[0], "windows").parse::<usize>().unwrap() > 4);
}
