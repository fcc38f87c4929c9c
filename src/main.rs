//! The `squelch` binary: arguments in, exit code out.

use std::process::ExitCode;

/// An engine lives on memory that is far apart: `docs/PERFORMANCE.md` says what this one saves.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    squelch::cli::main(std::env::args_os())
}
