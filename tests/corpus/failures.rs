//! What fails: disks, folders, inputs, models. Each is named, and nothing that was done is lost.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::place::{Place, stderr};

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

/// Rows of a model that gives no result on some articles would be no basis for anything.
#[test]
fn a_model_that_gives_no_number_ends_the_run() {
    let place = Place::new(3);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/stance");
    fs::create_dir(place.path("model")).unwrap();
    for name in ["config.json", "tokenizer.json"] {
        fs::copy(own.join(name), place.path("model").join(name)).unwrap();
    }
    let mut weights = fs::read(own.join("model.safetensors")).unwrap();
    let head = u64::from_le_bytes(weights[..8].try_into().unwrap()) as usize;
    let tensors: serde_json::Value = serde_json::from_slice(&weights[8..8 + head]).unwrap();
    let place_in_data = tensors["classifier.bias"]["data_offsets"][0]
        .as_u64()
        .unwrap();
    let bias = 8 + head + place_in_data as usize;
    weights[bias..bias + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(place.path("model/model.safetensors"), weights).unwrap();
    place.refused(
        "run articles.jsonl --target wind --model model -o out.csv",
        &[
            "articles.jsonl, line 1, article \"a0\"",
            "logits that are not finite",
        ],
    );
    assert_eq!(
        place.names("out.csv"),
        ["out.csv.journal", "out.csv.partial"]
    );
}

/// Outputs in a folder of articles, this run's, an interrupted one's, and what stands beside them.
#[test]
fn an_output_is_never_read_as_an_article() {
    let place = Place::new(8);
    fs::create_dir(place.path("news")).unwrap();
    for name in ["a", "b"] {
        let path = place.path("news").join(name).with_extension("txt");
        fs::write(path, "“We agreed on it,” said Ann Lee, the mayor.\n").unwrap();
    }
    fs::rename(place.path("articles.jsonl"), place.path("news/c.jsonl")).unwrap();
    let whole = |input: &str, out: &str| {
        let said = place.done(&format!("quotes {input} -o {out}"));
        assert!(said.contains("\n10 articles, "), "{said}");
        let bytes = place.read(out);
        let manifest: serde_json::Value =
            serde_json::from_slice(&place.read(&format!("{out}.run.json"))).unwrap();
        assert_eq!(manifest["inputs"][0]["files"], 3, "{said}");
        (bytes, said)
    };
    let (first, said) = whole("news", "news/out.jsonl");
    assert!(!said.contains("outputs of runs"), "{said}");
    fs::write(place.path("news/bad.jsonl"), "{").unwrap();
    place.done("quotes news -q -o news/failed.csv");
    fs::remove_file(place.path("news/bad.jsonl")).unwrap();
    place.done("quotes news -q -o news/part.csv --shard 1/2");
    let rest = ["failed.csv", "failed.csv.errors.jsonl", "part.csv"];
    assert!(
        rest.iter()
            .all(|name| place.path("news").join(name).exists())
    );
    for input in ["news", "news/*", "--files-from list"] {
        let list =
            "news/a.txt\nnews/b.txt\nnews/c.jsonl\nnews/out.jsonl\nnews/failed.csv.errors.jsonl\n";
        fs::write(place.path("list"), list).unwrap();
        let (again, said) = whole(input, "news/out.jsonl");
        let lines = |bytes: &[u8]| bytes.split(|&byte| byte == b'\n').count();
        assert_eq!(lines(&again), lines(&first), "{input}");
        assert!(
            said.contains("files passed over that are outputs of runs"),
            "{said}"
        );
    }
    // Not even where files are read whatever they are called.
    let said = place.done("quotes news --input-format text -o news/text.csv");
    assert!(said.contains("\n3 articles, "), "{said}");
    place.refused(
        "quotes news/a.txt news/c.jsonl --format csv -o news/a.txt",
        &["news/a.txt: the output is one of the inputs", "hint"],
    );
    place.refused(
        "quotes news -o ./news/c.jsonl",
        &["c.jsonl: the output is one of the inputs"],
    );
}
