//! The `squelch` binary: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    squelch::cli::main(std::env::args_os())
}
