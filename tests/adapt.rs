//! `quotestance adapt`: a head that an analyst's labels make better, and one that they do not.

#[path = "support/program.rs"]
mod program;

use std::fmt::Write as _;
use std::path::Path;

use program::{run, stderr};

fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

const SUBJECTS: [&str; 12] = [
    "The mayor",
    "My neighbour",
    "The council",
    "A driver",
    "The union",
    "Her lawyer",
    "The school board",
    "A nurse",
    "The clerk",
    "Their landlord",
    "The bishop",
    "A farmer",
];
/// Words on one tramway that mean something to people of that town only: what the start of a
/// sentence says is no help.
const GOOD: [&str; 4] = [
    "will take the green line home tonight",
    "has a season ticket again",
    "was waving at the depot",
    "walked past the new stop with a smile",
];
const BAD: [&str; 4] = [
    "went by car to the inquiry",
    "spoke of nothing but the dug-up street",
    "was counting the cracks in the wall",
    "has sold the shop on the corner",
];

/// What the shipped head gets right by itself.
const FOR: [&str; 2] = [
    "says the tramway is a blessing for this town",
    "loves the tramway and wants more of it",
];
const AGAINST: [&str; 2] = [
    "says the tramway is a disgrace and must be stopped",
    "hates the tramway and will vote against it",
];

/// A table of each subject with each end, labelled by the end.
fn labels(favor: &[&str], against: &[&str]) -> String {
    let mut table = "text,target,label\n".to_owned();
    for subject in SUBJECTS {
        for (favor, against) in favor.iter().zip(against) {
            writeln!(table, "{subject} {favor}.,the tramway,favor").unwrap();
            writeln!(table, "{subject} {against}.,the tramway,against").unwrap();
        }
    }
    table
}

#[test]
fn labels_that_teach_something_make_a_model_to_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let table = write(folder.path(), "labels.csv", &labels(&GOOD, &BAD));
    let model = folder.path().join("tramway");
    let model = model.to_str().unwrap();
    let output = run(&["adapt", &table, "-o", model, "-q"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let report = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(
        report.contains("96 rows: 48 favor, 48 against, 0 neutral"),
        "{report}"
    );

    let new = write(
        folder.path(),
        "new.csv",
        "id,text,target\na,The vicar has a season ticket again.,the tramway\nb,The vicar went by car to the inquiry.,the tramway\n",
    );
    let labelled = run(&["label", &new, "--model", model, "-q"]);
    let rows = String::from_utf8(labelled.stdout).unwrap();
    assert!(
        rows.contains("a,favor,") && rows.contains("b,against,"),
        "{rows}"
    );
    // The tone is told as before.
    let tone = |args: &[&str]| run(&[&["label", &new, "--task", "sentiment", "-q"], args].concat());
    assert_eq!(tone(&["--model", model]).stdout, tone(&[]).stdout);
    // What the shipped head was calibrated by does not hold for this one.
    let promise = run(&["label", &new, "--model", model, "--max-error", "0.3"]);
    assert!(stderr(&promise).contains("no risk_coverage for stance"));
    // It was fitted on whole texts, and reads them so.
    let config = std::fs::read_to_string(Path::new(model).join("config.json")).unwrap();
    assert!(!config.contains("surest_sentence"));

    let again = run(&["adapt", &table, "-o", model]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("exists already"));
    let other = folder.path().join("other");
    let one_thread = run(&[
        "adapt",
        &table,
        "-o",
        other.to_str().unwrap(),
        "--threads",
        "1",
    ]);
    assert_eq!(one_thread.stdout, output.stdout);
    for file in ["config.json", "model.safetensors"] {
        let read = |model: &Path| std::fs::read(model.join(file)).unwrap();
        assert_eq!(read(&other), read(Path::new(model)), "{file}");
    }
}

#[test]
fn labels_that_teach_nothing_are_refused_and_bad_rows_named() {
    let folder = tempfile::tempdir().unwrap();
    let long = "the very long tramway ".repeat(30);
    let bad = format!("Nothing at all.,the tramway,fovor\nNothing.,{long},favor\n");
    let table = labels(&FOR, &AGAINST) + &bad;
    let table = write(folder.path(), "labels.csv", &table);
    let model = folder.path().join("model");
    let output = run(&["adapt", &table, "-o", model.to_str().unwrap()]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("no gain beyond noise"), "{said}");
    assert!(
        said.contains("line 50") && said.contains("\"fovor\""),
        "{said}"
    );
    assert!(
        said.contains("line 51") && said.contains("expected at most 64"),
        "{said}"
    );
    assert!(!model.exists());

    let few = write(folder.path(), "few.csv", "text,target,label\na,b,favor\n");
    let output = run(&["adapt", &few, "-o", model.to_str().unwrap()]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("1 labelled rows, expected at least 30"),
        "{said}"
    );
}
