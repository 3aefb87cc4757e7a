//! The program as a user would start it.

use std::process::Output;

use assert_cmd::Command;

pub fn quotestance(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("quotestance").unwrap();
    command.args(args).env("NO_COLOR", "1");
    command
}

pub fn run(args: &[&str]) -> Output {
    quotestance(args).output().unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
