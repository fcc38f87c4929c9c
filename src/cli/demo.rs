//! `squelch demo`: the built-in story, replayed under the rules in force.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::replay::Replay;
use super::rules;
use crate::domain::Event;
use crate::formats::native;
use crate::story;

/// What `squelch demo` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Another seed tells the same story with other details
    #[arg(long, value_name = "N", default_value_t = story::SEED)]
    seed: u64,
    /// The folder with the rules [default: ./rules where it exists, over those in the binary]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Write every decision as JSON Lines; `-` writes them to standard output, and no account
    #[arg(long, value_name = "OUT.jsonl")]
    decisions: Option<PathBuf>,
    /// Draw the run into one HTML file that needs no network
    #[arg(long, value_name = "OUT.html")]
    report: Option<PathBuf>,
    /// Only write the story's events to this file, for `squelch replay`
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Print JSON instead of the account
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the rules cannot be read, or the output not be written.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let events = story::events(args.seed);
    if let Some(path) = &args.write {
        return write(path, &events).map_err(|error| Fault::file("write", path, &error));
    }
    let mut replay =
        Replay::new(rules::policy(args.rules.as_deref())?, args.decisions.as_deref())?.for_programs(args.json)?;
    if let Some(path) = &args.report {
        replay = replay.drawn(path, ("the rules in force", true))?;
    }
    for (seq, event) in (0..).zip(events) {
        replay.line(seq, Some(event));
    }
    replay.finish()
}

fn write(path: &Path, events: &[Event]) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for event in events {
        writeln!(file, "{}", native::write_line(event))?;
    }
    file.flush()
}
