//! `squelch incidents`: the incidents of a Squelch, running or stopped, open ones first.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::client::Server;
use super::fault::Fault;
use super::replay::{ink, print};
use super::stopped::{DataDir, Stopped};
use super::terminal::{rest, show};
use crate::domain::{Severity, Timestamp};
use crate::replay::explanations::summary_json;
use crate::replay::wording::{cut, day_and_time, span};

/// What `squelch incidents` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only those that are open
    #[arg(long)]
    open: bool,
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
    incidents: Vec<Incident>,
}

/// The columns before the title, and those of the title where the output is no terminal.
const BEFORE: usize = 66;
const USUAL: usize = 42;

/// What the table shows of an incident.
#[derive(Deserialize)]
struct Incident {
    incident: String,
    opened: f64,
    resolved: Option<f64>,
    severity: String,
    title: String,
    alerts: u64,
}

/// Runs the command.
///
/// # Errors
/// When nobody answers, or the data directory cannot be read.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let json = match &args.stopped.data_dir {
        Some(dir) => stored(dir, args.open)?,
        None => {
            let state = if args.open { "open" } else { "all" };
            args.server.get(&format!("/api/v1/incidents?state={state}"), "application/json")?
        }
    };
    if args.json {
        return print(&json);
    }
    show(&table(&json)?)
}

/// As the API gives them.
fn stored(dir: &Path, open: bool) -> Result<String, Fault> {
    let incidents = Stopped::read(dir, None)?.view().incidents();
    let list: Vec<_> = incidents
        .iter()
        .filter(|(_, is_open)| *is_open || !open)
        .map(|(summary, is_open)| summary_json(summary, *is_open))
        .collect();
    Ok(format!("{{\"incidents\":[{}]}}\n", list.join(",")))
}

fn table(json: &str) -> Result<String, Fault> {
    let list: List = serde_json::from_str(json)
        .map_err(|error| Fault::Wrong(format!("the answer is not that of a Squelch: {error}")))?;
    let mut text = String::new();
    let title = rest(BEFORE, USUAL);
    for incident in &list.incidents {
        let opened = Timestamp::from_secs(incident.opened).unwrap_or_default();
        let state = match incident.resolved {
            Some(resolved) => format!("over after {}", span(resolved - incident.opened)),
            None => "open".to_owned(),
        };
        let _ = writeln!(
            text,
            "#{:<6} {}  {} {:<22} {:>6}  {}",
            incident.incident,
            day_and_time(opened),
            ink().severity(incident.severity.parse().unwrap_or(Severity::Info)),
            state,
            incident.alerts,
            cut(&incident.title, title),
        );
    }
    if list.incidents.is_empty() {
        text.push_str("no incidents\n");
    }
    Ok(text)
}
