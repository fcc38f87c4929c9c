//! `squelch audit`: what people did, newest first, of a running Squelch or from its files.

use std::fmt::Write as _;

use serde::Deserialize;

use super::client::Server;
use super::fault::Fault;
use super::replay::{ink, print};
use super::stopped::DataDir;
use super::terminal::show;
use crate::audit::{self, Entry, SHOWN};
use crate::domain::Timestamp;
use crate::replay::wording::{Ink, date_and_time};

/// What `squelch audit` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// So many of the latest actions; with --data-dir as many as there are
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 50)]
    last: usize,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    stopped: DataDir,
}

#[derive(Deserialize)]
struct List {
    entries: Vec<Entry>,
}

/// Runs the command.
///
/// # Errors
/// When nobody answers, or the files cannot be read.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let entries = match &args.stopped.data_dir {
        Some(dir) => {
            let mut entries = audit::read(dir, args.last).map_err(|error| Fault::file("read", dir, &error))?;
            entries.reverse();
            entries
        }
        None => {
            let answer =
                args.server.get(&format!("/api/v1/audit?last={}", args.last.min(SHOWN)), "application/json")?;
            let list: List = serde_json::from_str(&answer)
                .map_err(|error| Fault::Wrong(format!("the answer is not that of a Squelch: {error}")))?;
            list.entries
        }
    };
    if args.json {
        return print(&format!("{}\n", serde_json::json!({"entries": entries})));
    }
    show(&table(&entries, ink()))
}

fn table(entries: &[Entry], ink: Ink) -> String {
    if entries.is_empty() {
        return "nobody has done anything yet\n".to_owned();
    }
    let wide = entries.iter().map(|entry| entry.who.chars().count()).max().unwrap_or(0).clamp(8, 24);
    let mut text = String::new();
    for entry in entries {
        let at = date_and_time(Timestamp::from_secs(entry.at).unwrap_or_default());
        let who = if entry.who.is_empty() { "somebody" } else { &entry.who };
        let refused = || format!("  {}", ink.red(&format!("NOT DONE: {}", entry.outcome)));
        let outcome = if entry.outcome == "done" { String::new() } else { refused() };
        let how = format!("{} via {}, {}", entry.from, entry.door, entry.login);
        let what = format!("{} {}", ink.bold(&entry.action), entry.on);
        let detail = if entry.detail.is_empty() { String::new() } else { format!(": {}", entry.detail) };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{at}  {who:<wide$}  {what}{detail}{outcome}  {}", ink.dim(&how));
    }
    text
}
