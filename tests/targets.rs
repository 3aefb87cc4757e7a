//! Targets from files and claims, and a model that abstains: `run` and `label` as a user would.

#[path = "support/program.rs"]
mod program;

use std::path::Path;
use std::process::Output;

use program::{run, stderr};
use quotestance::table::{Table, TableFormat, TableOptions};

const TARGET: &str = "the body-camera contract";

fn sample() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/articles/harlow-bodycam.txt");
    path.to_str().unwrap().to_owned()
}

/// The columns asked for, row by row, of a CSV on standard output.
fn cells(output: &Output, columns: &[&str]) -> Vec<Vec<String>> {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    let header = reader.headers().unwrap().clone();
    let places: Vec<usize> = (columns.iter())
        .map(|column| header.iter().position(|name| name == *column).unwrap())
        .collect();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        places.iter().map(|place| row[*place].to_owned()).collect()
    });
    rows.collect()
}

const STANCE: [&str; 5] = [
    "stance",
    "abstained",
    "stance_favor",
    "stance_against",
    "stance_neutral",
];

/// Whether the surest of the three probabilities reaches .5.
fn is_sure(row: &[String]) -> bool {
    let probabilities = row[2..].iter().map(|cell| cell.parse::<f64>().unwrap());
    probabilities.fold(0.0, f64::max) >= 0.5
}

#[test]
fn a_stance_below_the_threshold_is_empty_and_marked() {
    let args = ["run", &sample(), "--target", TARGET, "--rules-only", "-q"];
    let plain = run(&args);
    let header = plain.stdout.split(|byte| *byte == b'\n').next().unwrap();
    assert!(!String::from_utf8_lossy(header).contains("abstained"));
    let output = run(&[&args[..], &["--min-confidence", "0.5"]].concat());
    let rows = cells(&output, &STANCE);
    let stances = cells(&plain, &["stance"]);
    let mut abstained = 0;
    for (row, stance) in rows.iter().zip(&stances) {
        let (expected, marked) = match is_sure(row) {
            true => (stance[0].as_str(), "false"),
            false => ("", "true"),
        };
        assert_eq!((row[0].as_str(), row[1].as_str()), (expected, marked));
        abstained += usize::from(marked == "true");
    }
    assert!(abstained > 0 && abstained < rows.len());

    let folder = tempfile::tempdir().unwrap();
    let parquet = folder.path().join("o.parquet");
    let output = run(&[
        &args[..],
        &["--min-confidence", "0.5", "-o", parquet.to_str().unwrap()],
    ]
    .concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = Table::open(&parquet, TableFormat::Parquet, &TableOptions::default()).unwrap();
    let marks = table.map(|row| row.unwrap().get("abstained").map(str::to_owned));
    let expected = rows.iter().map(|row| Some(row[1].clone()));
    assert!(marks.eq(expected));
}

#[test]
fn a_share_of_errors_is_promised_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = folder.path().join("p.csv");
    std::fs::write(
        &pairs,
        "id,text,target\na,This contract is a disgrace and must be cancelled at once.,the contract\nb,It was a Tuesday like any other.,the contract\n",
    )
    .unwrap();
    let args = ["label", pairs.to_str().unwrap(), "-q", "--max-error"];
    let output = run(&[&args[..], &["0.25"]].concat());
    let rows = cells(&output, &["id", "label", "abstained"]);
    assert_eq!(rows[0], ["a", "against", "false"]);
    let refused = run(&[&args[..], &["0.001"]].concat());
    let said = stderr(&refused);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        said.contains("cannot be promised") && said.contains("hint: the least that can is 0."),
        "{said}"
    );
    let refused = run(&[&args[..], &["0.2", "--task", "nli"]].concat());
    assert!(stderr(&refused).contains("no risk_coverage for nli"));
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn a_task_that_nothing_can_be_promised_for_does_not_keep_the_others_from_labels() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = folder.path().join("p.csv");
    std::fs::write(
        &pairs,
        "text,target,task\nThis contract is a disgrace and must be cancelled at once.,the contract,stance\nThe contract is dead.,The contract lives.,nli\nIt is raining.,It is dry.,nli\n",
    )
    .unwrap();
    let output = run(&[
        "label",
        pairs.to_str().unwrap(),
        "-q",
        "--max-error",
        "0.25",
    ]);
    let rows = cells(&output, &["label", "abstained"]);
    assert_eq!(rows, [["against", "false"], ["", "true"], ["", "true"]]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let told = "no row of task nli gets a label: --max-error: model stance-";
    assert_eq!(said.matches(told).count(), 1, "{said}");
}

#[test]
fn targets_of_a_file_and_claims_give_a_row_each() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let texts = write(
        "t.csv",
        "id,text\na,We need these cameras on every officer.\nb,Nobody asked for them.\n",
    );
    let targets = write("targets.txt", "\u{feff}the cameras\r\n\r\n  #officers\n");
    let claim = "The city should buy the cameras";
    let output = run(&[
        "label",
        &texts,
        "--targets",
        &targets,
        "--hypothesis",
        claim,
        "-q",
    ]);
    let columns = ["id", "label", "favor", "against", "neutral"];
    let rows = cells(&output, &[&["target"], &columns[..]].concat());
    let names: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let each = ["the cameras", "#officers", claim];
    assert_eq!(names, [each, each].concat());
    for (index, target) in each.iter().enumerate() {
        let alone = cells(&run(&["label", &texts, "--target", target, "-q"]), &columns);
        assert_eq!(
            [&rows[index][1..], &rows[index + 3][1..]],
            [&alone[0][..], &alone[1][..]]
        );
    }

    let article = sample();
    let args = ["run", &article, "--rules-only", "-q", "--targets", &targets];
    let of_run: Vec<String> = (cells(&run(&args), &["target"]).into_iter())
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(of_run[..2], ["the cameras", "#officers"]);
    let none = run(&["run", &article]);
    assert_eq!(none.status.code(), Some(2));
    assert!(stderr(&none).contains("--target, --targets or --hypothesis"));
    let twice = run(&[
        "label",
        &texts,
        "--targets",
        &targets,
        "--target",
        "the cameras",
    ]);
    assert!(stderr(&twice).contains("named twice"), "{}", stderr(&twice));
}
