//! `squelch why`: every stage's verdict with its numbers, for what paged and for what did not.

use std::path::PathBuf;

use super::client::Server;
use super::fault::Fault;
use super::replay::{ink, print, with_graph};
use super::stopped::{DataDir, Stopped};
use super::terminal::show;
use super::{recording, rules};
use crate::domain::{Alarms, Engine, Fingerprint, IncidentId, Timestamp};
use crate::inbox::View;
use crate::replay::{Run, explanations, sentences};

/// So many series are named when a name fits several.
const SUGGESTED: usize = 20;

/// What `squelch why` is asked to do.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true)))]
#[command(group(clap::ArgGroup::new("offline").args(["replay", "data_dir"])))]
pub(super) struct Args {
    /// The number of an incident
    #[arg(value_name = "ID", group = "what")]
    incident: Option<String>,
    /// A series: its key, its name, or words of its name
    #[arg(long, value_name = "KEY", group = "what")]
    series: Option<String>,
    /// As it stood at this time: epoch seconds, or RFC 3339 (with --replay)
    #[arg(long, value_name = "TIME", requires = "replay", value_parser = time)]
    at: Option<Timestamp>,
    /// Ask no running Squelch: replay these recorded events
    #[arg(long, value_name = "INPUT.jsonl", num_args = 1..)]
    replay: Vec<PathBuf>,
    /// The folder with the rules, for a replay or a stopped Squelch
    #[arg(long, value_name = "DIR", requires = "offline")]
    rules: Option<PathBuf>,
    /// A service graph for a replay
    #[arg(long, value_name = "FILE", requires = "replay")]
    topology: Option<PathBuf>,
    /// Print JSON instead of sentences
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    stopped: DataDir,
}

/// Runs the command.
///
/// # Errors
/// When there is no such incident or series, or nobody who could tell.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    if let Some(dir) = &args.stopped.data_dir {
        let stopped = Stopped::read(dir, args.rules.as_deref())?;
        return shown(args, &explain(args, &stopped.view())?);
    }
    if args.replay.is_empty() {
        let kind = if args.json { "application/json" } else { "text/plain" };
        return shown(args, &args.server.get(&path(args), kind)?);
    }
    let policy = with_graph(rules::policy(args.rules.as_deref())?, args.topology.as_deref())?;
    let mut run = Run::new(policy);
    if let Some(at) = args.at {
        run = run.up_to(at);
    }
    recording::read(&args.replay, false, |seq, event| {
        if let Some(event) = event {
            run.event(seq, event, &mut drop);
        }
    })?;
    let engine = run.finish(&mut drop);
    shown(args, &explain(args, &View { engine: &engine, alarms: &Alarms::default() })?)
}

fn shown(args: &Args, text: &str) -> Result<(), Fault> {
    if args.json { print(text) } else { show(text) }
}

/// Where the API has it.
fn path(args: &Args) -> String {
    match (&args.incident, &args.series) {
        (Some(incident), _) => format!("/api/v1/incidents/{}/why", escaped(incident)),
        (None, series) => format!("/api/v1/series/{}/why", escaped(series.as_deref().unwrap_or_default())),
    }
}

/// A part of a path with what means something else there escaped (RFC 3986); slashes stay.
fn escaped(part: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte);
    part.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn explain(args: &Args, view: &View<'_>) -> Result<String, Fault> {
    let engine = view.engine;
    let now = engine.now();
    if let Some(text) = &args.incident {
        let number = text.split('.').next().unwrap_or_default().parse();
        let id = number.map_err(|_| Fault::Usage(format!("`{text}` is no number of an incident")))?;
        let explanation = view.why_incident(IncidentId(id)).ok_or_else(|| no_incident(id, view))?;
        let json = || explanations::incident_json(&explanation) + "\n";
        return Ok(if args.json { json() } else { sentences::incident(&explanation, now, ink()) });
    }
    let series = find(engine, args.series.as_deref().unwrap_or_default())?;
    let explanation = engine.why_series(series).ok_or_else(|| Fault::Wrong("this series was forgotten".to_owned()))?;
    let json = || explanations::series_json(&explanation) + "\n";
    Ok(if args.json { json() } else { sentences::series(&explanation, now, ink()) })
}

fn no_incident(id: u64, view: &View<'_>) -> Fault {
    let known: Vec<String> =
        view.incidents().iter().take(SUGGESTED).map(|(summary, _)| summary.incident.to_string()).collect();
    let known =
        if known.is_empty() { "there is none at all".to_owned() } else { format!("known: {}", known.join(", ")) };
    Fault::Wrong(format!("there is no incident {id}; {known}"))
}

/// The series that is meant.
fn find(engine: &Engine, text: &str) -> Result<Fingerprint, Fault> {
    if let Some(key) = Fingerprint::parse(text).filter(|key| engine.why_series(*key).is_some()) {
        return Ok(key);
    }
    let found = engine.find_series(text, SUGGESTED);
    match found.iter().find(|(name, _)| **name == *text).or(if found.len() == 1 { found.first() } else { None }) {
        Some((_, key)) => Ok(*key),
        None if found.is_empty() => Err(Fault::Wrong(format!("no series has the words `{text}` in its name"))),
        None => {
            let names: String = found.iter().map(|(name, key)| format!("\n  {key}  {name}")).collect();
            Err(Fault::Wrong(format!("`{text}` fits several series; name one of them:{names}")))
        }
    }
}

/// Reads epoch seconds or RFC 3339.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse::<f64>().ok().and_then(Timestamp::from_secs);
    let written = || text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp::from_millis(time.as_millisecond()));
    seconds.or_else(written).ok_or_else(|| "write epoch seconds, or 2026-11-23T05:00:00Z".to_owned())
}
