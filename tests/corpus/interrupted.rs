//! Runs that are killed, stopped or cut off, and taken up.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::place::{Place, random, size, stderr, text, wait_for};

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
    let place = Place::new(250);
    let mut first = place
        .command("quotes - --input-format jsonl -o out.csv")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // What columns there are is known by the first 200 objects.
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

/// Pages, compressed texts and a table, by a pattern, a folder and a name; a column that is kept;
/// two targets.
#[test]
fn any_inputs_and_targets_are_gone_on_with() {
    let place = Place::new(0);
    let text = |number: usize| {
        let name = ["Ann Lee", "Bob Ray", "Cara Moe"][number % 3];
        format!(
            "Story {number}\n\n“We will build mill {number} this year,” said {name}, the mayor.\n"
        )
    };
    for folder in ["pages", "texts"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    let mut table = String::from("id,text,desk\r\n");
    for number in 0..4 {
        let paragraphs: String = text(number)
            .lines()
            .map(|line| format!("<p>{line}</p>"))
            .collect();
        let page = format!(
            "<html><head><title>Mill {number}</title></head><body><article>{paragraphs}</article></body></html>"
        );
        fs::write(place.path(&format!("pages/p{number}.html")), page).unwrap();
        let file = fs::File::create(place.path(&format!("texts/t{number}.txt.gz"))).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        gzip.write_all(text(number + 4).as_bytes()).unwrap();
        gzip.finish().unwrap();
        table.push_str(&format!(
            "r{number},\"{}\",desk {number}\r\n",
            text(number + 8)
        ));
    }
    fs::write(place.path("table.csv"), table).unwrap();
    let command = "run pages/*.html texts table.csv --keep desk --target wind --target water -q -o out.csv --shard 1/1";
    place.done(command);
    let (whole, journal) = (place.read("out.csv"), place.read("out.csv.shard"));
    assert_eq!(csv::Reader::from_reader(&whole[..]).records().count(), 24);
    for cut in [3, 6, 9] {
        let lines = journal.split_inclusive(|&byte| byte == b'\n');
        let begun: Vec<u8> = lines.take(cut).flatten().copied().collect();
        fs::write(place.path("out.csv.journal"), begun).unwrap();
        fs::rename(place.path("out.csv"), place.path("out.csv.partial")).unwrap();
        place.done(command);
        assert_eq!(place.read("out.csv"), whole, "cut after {cut} lines");
    }
    fs::write(place.path("out.csv.journal"), &journal[..journal.len() / 2]).unwrap();
    fs::rename(place.path("out.csv"), place.path("out.csv.partial")).unwrap();
    fs::write(place.path("pages/p4.html"), "<p>one more</p>").unwrap();
    place.refused(command, &["pages/*.html held", "in 4 files, now"]);
    place.refused(
        &command.replace(" --target water", ""),
        &["--target was \"wind\", \"water\", is now \"wind\""],
    );
}
