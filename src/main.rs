//! The command line: parses, calls, and sets the exit code.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
