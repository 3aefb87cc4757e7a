//! Corpora: runs that are interrupted and taken up, split and merged, told twice, and refused.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_quotestance");

/// A folder that holds a corpus and what runs make of it.
struct Place(tempfile::TempDir);

impl Place {
    /// With `articles.jsonl`: so many articles, a few of them without a text.
    fn new(articles: usize) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        let lines: String = (0..articles).map(|number| line(number) + "\n").collect();
        fs::write(place.path("articles.jsonl"), lines).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn command(&self, args: &str) -> Command {
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

    fn run(&self, args: &str) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs to the end: exit code 0, or 3 where some articles have no text.
    fn done(&self, args: &str) -> String {
        let output = self.run(args);
        let said = stderr(&output);
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{args}: {said}"
        );
        said
    }

    /// Stops with exit code 2 and these words.
    fn refused(&self, args: &str, words: &[&str]) {
        let output = self.run(args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args}: {said}");
        for word in words {
            assert!(said.contains(word), "{args}: {word:?} is not in {said}");
        }
        assert!(!said.contains("panicked"), "{said}");
    }

    fn names(&self, start: &str) -> Vec<String> {
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
fn line(number: usize) -> String {
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

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Numbers that are the same in every test run.
fn random(seed: &mut u64, below: u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

fn wait_for(what: impl Fn() -> bool) {
    for _ in 0..2000 {
        if what() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited ten seconds in vain");
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

#[test]
fn a_run_killed_again_and_again_ends_with_the_same_bytes() {
    let place = Place::new(400);
    place.done("quotes articles.jsonl -q -o whole.csv");
    let (mut seed, mut kills, mut last) = (7, 0, 0);
    loop {
        let mut child = place
            .command("quotes articles.jsonl -q -o out.csv")
            .spawn()
            .unwrap();
        // Kill it some documents later, so that every run comes further and none to its end at once.
        let journal = place.path("out.csv.journal");
        let further = last + random(&mut seed, 12_000);
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if size(&journal) > further {
                break None;
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        child.kill().unwrap();
        child.wait().unwrap();
        if let Some(status) = ended {
            assert_eq!(status.code(), Some(3));
            break;
        }
        (kills, last) = (kills + 1, size(&journal));
    }
    assert!(kills >= 4, "killed {kills} times only");
    assert_eq!(place.read("out.csv"), place.read("whole.csv"));
    assert_eq!(
        place.read("out.csv.errors.jsonl"),
        place.read("whole.csv.errors.jsonl")
    );
    assert_eq!(
        place.names("out.csv"),
        [
            "out.csv",
            "out.csv.datapackage.json",
            "out.csv.errors.jsonl",
            "out.csv.run.json"
        ]
    );
}

/// What a kill leaves at any moment is a journal cut anywhere and rows at least as long as it says;
/// a power failure may also leave the end of the rows as zeros.
#[test]
fn whatever_a_crash_leaves_is_gone_on_with() {
    let place = Place::new(60);
    for options in [
        "",
        "--duplicates mark",
        "--duplicates skip",
        "--format parquet",
    ] {
        let command = format!("quotes articles.jsonl -q -o out.csv --shard 1/1 {options}");
        place.done(&command);
        let (whole, journal) = (place.read("out.csv"), place.read("out.csv.shard"));
        let rows = match options {
            "" => whole.clone(),
            _ => place.read("out.csv.shard.rows"),
        };
        let mut seed = 3;
        for round in 0..8 {
            let cut = match round {
                0 => 0,
                1 => journal.len(),
                _ => random(&mut seed, journal.len() as u64) as usize,
            };
            // Rows are written before the journal tells of them: these are all there are.
            let mut left = rows.clone();
            if round % 2 == 1 {
                left.extend_from_slice(b"half a row, \"not");
            }
            fs::write(place.path("out.csv.journal"), &journal[..cut]).unwrap();
            fs::write(place.path("out.csv.partial"), &left).unwrap();
            fs::remove_file(place.path("out.csv")).unwrap();
            place.done(&command);
            assert_eq!(place.read("out.csv"), whole, "cut at {cut}");
            assert_eq!(place.names("out.csv.journal").len(), 0);
        }
        // The last rows are lost, though the journal that tells of them is not.
        let begun = journal.split_inclusive(|&byte| byte == b'\n');
        let unsynced: Vec<u8> = begun
            .filter(|line| !line.ends_with(b"\"synced\"\n") && !text(line).contains("{\"end\""))
            .flatten()
            .copied()
            .collect();
        let mut zeros = rows.clone();
        zeros[rows.len() / 2..].fill(0);
        fs::write(place.path("out.csv.journal"), &unsynced).unwrap();
        fs::write(place.path("out.csv.partial"), &zeros).unwrap();
        place.done(&command);
        assert_eq!(place.read("out.csv"), whole, "zeros");
    }
}

#[test]
fn what_has_changed_is_named() {
    let place = Place::new(30);
    place.done("quotes articles.jsonl -q -o out.csv --shard 1/1");
    let journal = place.read("out.csv.shard");
    let interrupt = || {
        fs::write(place.path("out.csv.journal"), &journal[..journal.len() / 2]).unwrap();
        fs::write(place.path("out.csv.partial"), place.read("out.csv")).unwrap();
    };
    interrupt();
    let hint = "--restart";
    place.refused(
        "quotes articles.jsonl -o out.csv --shard 1/1 --offsets",
        &[
            "out.csv: an interrupted run",
            "--offsets was not given, is now",
            hint,
        ],
    );
    place.refused(
        "quotes articles.jsonl -o out.csv --shard 1/2",
        &["--shard was 1/1, is now 1/2", hint],
    );
    place.refused(
        "run articles.jsonl --target wind -o out.csv --shard 1/1",
        &[
            "--target was not given, is now \"wind\"",
            "model was not given, is now",
            hint,
        ],
    );
    let articles = place.read("articles.jsonl");
    fs::write(
        place.path("articles.jsonl"),
        [&articles[..], b"\n"].concat(),
    )
    .unwrap();
    let command = "quotes articles.jsonl -q -o out.csv --shard 1/1";
    place.refused(
        command,
        &["articles.jsonl held", "bytes in 1 files, now", hint],
    );
    std::thread::sleep(Duration::from_millis(20));
    fs::write(place.path("articles.jsonl"), &articles).unwrap();
    place.refused(command, &["articles.jsonl has been modified", hint]);
    place.done(&format!("{command} --restart"));
    assert_eq!(place.names("out.csv.partial").len(), 0);
}

#[test]
fn an_output_takes_one_run_at_a_time() {
    let place = Place::new(3);
    let mut first = place
        .command("quotes - --input-format jsonl -o out.csv")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // What columns there are is known by the first lines.
    let articles = place.read("articles.jsonl");
    let mut stdin = first.stdin.take().unwrap();
    stdin.write_all(&articles).unwrap();
    wait_for(|| size(&place.path("out.csv.journal")) > 0);
    place.refused(
        "quotes articles.jsonl -o out.csv",
        &[
            "out.csv.journal: another run is writing to this output",
            "hint",
        ],
    );
    drop(stdin);
    first.wait().unwrap();
    place.done("quotes articles.jsonl -o out.csv --restart");
}

#[cfg(unix)]
#[test]
fn signals_end_a_run_in_order() {
    let place = Place::new(3000);
    place.done("quotes articles.jsonl -q -o whole.csv");
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let child = place
            .command("quotes articles.jsonl -o out.csv")
            .spawn()
            .unwrap();
        let journal = place.path("out.csv.journal");
        let before = size(&journal);
        wait_for(|| size(&journal) > before + 2000);
        let output = stopped(child, signal);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(
            stderr(&output).contains("the same command goes on"),
            "{}",
            stderr(&output)
        );
    }
    let said = place.done("quotes articles.jsonl -o out.csv");
    assert!(said.contains("going on with an interrupted run"), "{said}");
    assert_eq!(place.read("out.csv"), place.read("whole.csv"));
}

#[cfg(unix)]
fn stopped(child: Child, signal: &str) -> Output {
    let sent = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(child.id().to_string())
        .status();
    assert!(sent.unwrap().success());
    child.wait_with_output().unwrap()
}

#[test]
fn shards_merge_to_the_bytes_of_the_whole() {
    let place = Place::new(120);
    for (ending, options) in [
        ("csv", ""),
        ("jsonl", "--offsets"),
        ("csv", "--duplicates mark"),
        ("articles.jsonl", "--duplicates skip"),
        ("parquet", ""),
        ("parquet", "--duplicates mark"),
    ] {
        place.done(&format!(
            "quotes articles.jsonl -q {options} -o whole.{ending}"
        ));
        let whole = place.read(&format!("whole.{ending}"));
        for (of, threads) in [(1, 1), (3, 2), (16, 8)] {
            let outputs: Vec<String> = (1..=of)
                .map(|number| {
                    let out = format!("part{number}.{ending}");
                    place.done(&format!(
                        "quotes articles.jsonl -q {options} -o {out} --shard {number}/{of} --threads {threads}"
                    ));
                    out
                })
                .collect();
            place.done(&format!("merge {} -o merged.{ending}", outputs.join(" ")));
            assert_eq!(
                place.read(&format!("merged.{ending}")),
                whole,
                "{of} {options}"
            );
            assert_eq!(
                place.read(&format!("merged.{ending}.errors.jsonl")),
                place.read(&format!("whole.{ending}.errors.jsonl"))
            );
            let texts = |name: &str| {
                let manifest = place.read(&format!("{name}.{ending}.run.json"));
                let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
                (manifest["texts_sha256"].clone(), manifest["counts"].clone())
            };
            assert_eq!(texts("merged"), texts("whole"));
        }
    }
}

#[test]
fn shards_that_do_not_belong_together_are_refused() {
    let place = Place::new(40);
    fs::copy(place.path("articles.jsonl"), place.path("other.jsonl")).unwrap();
    let more = place.read("articles.jsonl");
    fs::write(
        place.path("more.jsonl"),
        [&more[..], line(40).as_bytes()].concat(),
    )
    .unwrap();
    for number in 1..=3 {
        place.done(&format!(
            "quotes articles.jsonl -q -o {number}.csv --shard {number}/3"
        ));
    }
    place.done("quotes articles.jsonl -q -o offsets.csv --offsets --shard 2/3");
    place.done("quotes articles.jsonl -q -o of4.csv --shard 2/4");
    place.done("quotes more.jsonl -q -o more.csv --shard 2/3");
    place.done("quotes articles.jsonl -q -o whole.csv");
    let cases: [(&str, &[&str]); 6] = [
        ("1.csv 3.csv", &["shards are missing: 2/3"]),
        (
            "1.csv 2.csv 3.csv 2.csv",
            &["2.csv: is shard 2/3, and so is 2.csv"],
        ),
        (
            "1.csv offsets.csv 3.csv",
            &["offsets.csv: does not belong with 1.csv", "--offsets"],
        ),
        ("1.csv of4.csv 3.csv", &["it is shard 2/4, the other 1/3"]),
        (
            "1.csv more.csv 3.csv",
            &["their inputs differ", "it has seen 41 documents"],
        ),
        ("1.csv whole.csv 3.csv", &["whole.csv: is no shard"]),
    ];
    for (outputs, words) in cases {
        place.refused(&format!("merge {outputs} -o merged.csv"), words);
    }
    let edited = text(&place.read("2.csv")).replacen("Ann Lee", "Bob Ray", 1);
    fs::write(place.path("2.csv"), edited).unwrap();
    place.refused(
        "merge 1.csv 2.csv 3.csv -o merged.csv",
        &["2.csv: has been changed"],
    );
    fs::remove_file(place.path("2.csv.shard")).unwrap();
    place.refused(
        "merge 1.csv 2.csv 3.csv -o merged.csv",
        &["2.csv.shard", "hint"],
    );
    assert!(!place.path("merged.csv").exists());
}

#[test]
fn copies_are_marked_or_skipped() {
    let place = Place::new(40);
    place.done("quotes articles.jsonl -q -o keep.csv");
    place.done("quotes articles.jsonl -q -o mark.csv --duplicates mark");
    place.done("quotes articles.jsonl -q -o skip.csv --duplicates skip");
    let rows = |name: &str| -> Vec<(String, String, String)> {
        let bytes = place.read(name);
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let header = reader.headers().unwrap().clone();
        let cell = |record: &csv::StringRecord, name: &str| {
            let index = header.iter().position(|column| column == name);
            index.map_or("-", |index| &record[index]).to_owned()
        };
        reader
            .records()
            .map(|record| {
                let record = record.unwrap();
                let [article, first, copies] =
                    ["article", "duplicate_of", "copies"].map(|name| cell(&record, name));
                (article, first, copies)
            })
            .collect()
    };
    let (keep, mark, skip) = (rows("keep.csv"), rows("mark.csv"), rows("skip.csv"));
    assert_eq!(keep.len(), mark.len());
    for (article, first, copies) in &mark {
        let number: usize = article[1..].parse().unwrap();
        let expected = match number % 10 {
            9 => (format!("a{}", number - 4), "2"),
            5 => (String::new(), "2"),
            _ => (String::new(), "1"),
        };
        assert_eq!((first.clone(), copies.as_str()), expected, "{article}");
    }
    let firsts: Vec<_> = mark
        .into_iter()
        .filter(|(_, first, _)| first.is_empty())
        .collect();
    assert_eq!(skip, firsts);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let place = Place::new(30);
    place.refused(
        "quotes articles.jsonl -o nowhere/out.csv",
        &["nowhere/out.csv", "No such file"],
    );
    place.refused(
        "quotes articles.jsonl --duplicates mark",
        &["name the file to write with --output"],
    );
    if Path::new("/dev/full").exists() {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = place
            .command("quotes articles.jsonl")
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).contains("No space left"),
            "{}",
            stderr(&output)
        );
    }
}

/// Needs the right to mount; without it there is nothing to be seen here.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing() {
    let place = Place::new(200);
    place.done("quotes articles.jsonl -q -o whole.csv");
    let disk = place.path("disk");
    fs::create_dir(&disk).unwrap();
    let mount = |options: &str| {
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(&disk);
        command
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !mount("size=128k") {
        eprintln!("skipped: this user cannot mount a small disk");
        return;
    }
    let refused = std::panic::catch_unwind(|| {
        place.refused(
            "quotes articles.jsonl -q -o disk/out.csv",
            &["disk/out.csv", "cannot be written", "No space left"],
        );
        assert!(mount("remount,size=8m"));
        let said = place.done("quotes articles.jsonl -o disk/out.csv");
        assert!(said.contains("going on with an interrupted run"), "{said}");
        assert_eq!(place.read("disk/out.csv"), place.read("whole.csv"));
    });
    assert!(
        Command::new("umount")
            .arg(&disk)
            .status()
            .unwrap()
            .success()
    );
    refused.unwrap();
}
