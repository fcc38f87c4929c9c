//! The `squelch` binary: arguments in, exit code out.

fn main() {}
