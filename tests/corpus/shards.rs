//! Corpora that are split and merged, and articles that are printed twice.

use std::fs;

use crate::place::{Place, line, text};

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
        let ways = match options {
            "" | "--duplicates mark" => vec![(1, 1), (3, 2), (16, 8)],
            _ => vec![(3, 2)],
        };
        for (of, threads) in ways {
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
