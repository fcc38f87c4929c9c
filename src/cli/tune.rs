//! `squelch tune`: rule changes proposed from recorded events, as a patch on standard output.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::fault::Fault;
use super::replay::{print, with_graph};
use super::{recording, rules};
use crate::domain::{Event, Policy};
use crate::files::RULES_DIR;
use crate::tune::{History, Scope, Tuning, patch, tune};

/// What `squelch tune` is asked to do.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every change was replayed, and is shown only when it pages less and delays nothing serious. Nothing is applied."
)]
pub(super) struct Args {
    /// The folder with the rules [default: ./rules where it exists, over those in the binary]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// A service graph as JSON, added to the one of the rules
    #[arg(long, value_name = "FILE")]
    topology: Option<PathBuf>,
    /// Read the history of a stopped Squelch
    #[arg(long, value_name = "DIR", conflicts_with = "inputs")]
    data_dir: Option<PathBuf>,
    /// Recorded events as JSON Lines, plain or packed with gzip or zstd; `-` reads standard input
    #[arg(required_unless_present = "data_dir", value_name = "INPUT.jsonl")]
    inputs: Vec<PathBuf>,
    /// Print JSON instead of the patch; the patch is in it
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the rules, the graph or the history cannot be read, or there is nothing in it.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let sources = rules::sources(args.rules.as_deref())?;
    let graph = with_graph(Policy::default(), args.topology.as_deref())?.topology;
    let events = match &args.data_dir {
        Some(dir) => recording::stored(dir)?,
        None => recorded(&args.inputs)?,
    };
    if events.is_empty() {
        return Err(Fault::Wrong("there is no event in this history: nothing can be replayed".to_owned()));
    }
    let history = History { events: &events, sources: &sources, graph: &graph, scope: Scope::default() };
    let tuning = tune(&history).map_err(|report| Fault::Wrong(report.to_string()))?;
    let dir = args.rules.clone().unwrap_or_else(|| PathBuf::from(RULES_DIR));
    let shown = dir.display().to_string();
    let patch = patch(&tuning, shown.trim_start_matches("./").trim_end_matches('/'), &free_name(&dir));
    print(&if args.json { format!("{}\n", in_json(&tuning, &patch)) } else { patch })
}

fn in_json(tuning: &Tuning, patch: &str) -> Value {
    let proposals = tuning
        .proposals
        .iter()
        .map(|proposal| json!({"change": proposal.candidate.words(), "pages": proposal.pages, "lost": proposal.lost}));
    json!({
        "pages": tuning.pages,
        "serious": tuning.serious,
        "tried": tuning.tried,
        "proposals": proposals.collect::<Vec<_>>(),
        "together": tuning.together,
        "patch": patch,
    })
}

fn recorded(inputs: &[PathBuf]) -> Result<Vec<(u64, Event)>, Fault> {
    let mut events = Vec::new();
    recording::read(inputs, false, |seq, event| events.extend(event.map(|event| (seq, event))))?;
    Ok(events)
}

/// A file name that the folder does not have yet.
fn free_name(dir: &Path) -> String {
    let names = std::iter::once("tuned.yaml".to_owned()).chain((2_u32..).map(|number| format!("tuned-{number}.yaml")));
    { names }.find(|name| !dir.join(name).exists()).unwrap_or_default()
}
