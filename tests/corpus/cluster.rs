//! The templates in `examples/cluster`, as a user would start them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::place::{PROGRAM, Place, stderr};

fn template(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/cluster")
        .join(name)
}

impl Place {
    fn template(&self, name: &str, args: &str, environment: &[(&str, &str)]) -> Output {
        let output = Command::new("bash")
            .arg(template(name))
            .args(args.split_whitespace())
            .arg("--rules-only")
            .current_dir(self.path("."))
            .env("QUOTESTANCE", PROGRAM)
            .envs(environment.iter().copied())
            .output();
        output.unwrap()
    }
}

/// A Debian package and a Homebrew formula of the name `parallel`; moreutils has another program
/// of that name.
fn has_gnu_parallel() -> bool {
    let version = Command::new("parallel").arg("--version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("GNU parallel"))
}

#[test]
fn shards_by_gnu_parallel_give_the_bytes_of_the_whole() {
    if !has_gnu_parallel() {
        eprintln!("skipped: GNU parallel is not installed");
        return;
    }
    let place = Place::new(60);
    place.done("quotes articles.jsonl -q -o whole.csv");
    // One shard cannot be written: the rest is done all the same, and then that one too.
    std::fs::create_dir(place.path("part2.out.csv.partial")).unwrap();
    let command = "3 out.csv quotes articles.jsonl";
    let output = place.template("parallel.sh", command, &[]);
    assert!(!output.status.success());
    assert!(!place.path("out.csv").exists(), "{}", stderr(&output));
    assert!(place.path("part3.out.csv").exists(), "{}", stderr(&output));
    std::fs::remove_dir(place.path("part2.out.csv.partial")).unwrap();
    let output = place.template("parallel.sh", command, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(place.read("out.csv"), place.read("whole.csv"));
    assert_eq!(
        place.read("out.csv.errors.jsonl"),
        place.read("whole.csv.errors.jsonl")
    );
}

#[test]
fn tasks_of_a_slurm_array_give_the_bytes_of_the_whole() {
    let place = Place::new(20);
    place.done("quotes articles.jsonl -q -o whole.csv");
    for task in ["1", "2"] {
        let output = place.template(
            "slurm.sh",
            "out.csv quotes articles.jsonl",
            &[
                ("SLURM_ARRAY_TASK_ID", task),
                ("SLURM_ARRAY_TASK_COUNT", "2"),
            ],
        );
        assert!(output.status.success(), "{}", stderr(&output));
    }
    place.done("merge part1.out.csv part2.out.csv -q -o out.csv");
    assert_eq!(place.read("out.csv"), place.read("whole.csv"));
}
