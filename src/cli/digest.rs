//! `squelch digest`: the digest as it would be sent, on the terminal or in a file.

use std::path::PathBuf;
use std::time::Duration;

use super::client::Server;
use super::fault::Fault;
use super::replay::print;
use super::stopped::{DataDir, Stopped};
use super::{recording, rules};
use crate::digest::{gather, render, standalone};
use crate::domain::mask::Mask;
use crate::domain::{Engine, Event, duration};
use crate::replay::Run;
use crate::service::proposals::{Latest, propose};

/// What `squelch digest` is asked to do.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("offline").args(["replay", "data_dir"])))]
pub(super) struct Args {
    /// How far back it tells: 1h to 35d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = span)]
    since: Duration,
    /// Write it as HTML to this file, with its images inside, instead of printing it
    #[arg(long, value_name = "FILE.html", conflicts_with = "json")]
    preview: Option<PathBuf>,
    /// Tell what this digest of the rules tells, instead of everything
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Leave personal data (mail addresses, tokens …) as it is; of a running Squelch, for operators
    #[arg(long)]
    raw: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    /// Ask no running Squelch: replay these recorded events, and tell of their end
    #[arg(long, value_name = "INPUT.jsonl", num_args = 1..)]
    replay: Vec<PathBuf>,
    /// The folder with the rules, for a replay or a stopped Squelch
    #[arg(long, value_name = "DIR", requires = "offline")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    stopped: DataDir,
}

/// Runs the command.
///
/// # Errors
/// When nobody can tell, or the file cannot be written.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let text = if let Some(dir) = &args.stopped.data_dir {
        let stopped = Stopped::read(dir, args.rules.as_deref())?;
        told(args, stopped.view().engine, recording::stored(dir)?)?
    } else if args.replay.is_empty() {
        args.server.get(&path(args), form(args))?
    } else {
        replayed(args)?
    };
    match &args.preview {
        Some(file) => std::fs::write(file, text).map_err(|error| Fault::file("write", file, &error)),
        None => print(&text),
    }
}

fn span(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

fn form(args: &Args) -> &'static str {
    match (&args.preview, args.json) {
        (Some(_), _) => "text/html",
        (None, true) => "application/json",
        (None, false) => "text/plain",
    }
}

/// Where the API has it.
fn path(args: &Args) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("since", &duration::write(args.since));
    if let Some(name) = &args.name {
        query.append_pair("digest", name);
    }
    if args.raw {
        query.append_pair("raw", "true");
    }
    format!("/api/v1/digest?{}", query.finish())
}

/// Of recorded events.
fn replayed(args: &Args) -> Result<String, Fault> {
    let mut run = Run::new(rules::policy(args.rules.as_deref())?);
    let mut events = Vec::new();
    recording::read(&args.replay, false, |seq, event| {
        if let Some(event) = event {
            events.push((seq, event.clone()));
            run.event(seq, event, &mut drop);
        }
    })?;
    let engine = run.finish(&mut drop);
    told(args, &engine, events)
}

/// Of an engine as it stands, and the events that led to it.
fn told(args: &Args, engine: &Engine, events: Vec<(u64, Event)>) -> Result<String, Fault> {
    let known = &engine.policy().digests;
    let rule = match &args.name {
        None => None,
        Some(name) => Some(known.iter().find(|rule| rule.name == *name).ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|rule| rule.name.as_str()).collect();
            Fault::Wrong(format!("the rules name no digest `{name}`; they name: {}", names.join(", ")))
        })?),
    };
    let now = engine.now();
    let mut gathered = gather(engine, rule, (now.after(-args.since.as_secs_f64()), now));
    // A replay tells what was decided, as if people had been paged.
    gathered.shadow &= args.replay.is_empty();
    let mut latest = Latest::default();
    events.into_iter().for_each(|(seq, event)| latest.take(seq, event));
    let mask = (!args.raw).then(Mask::default);
    let proposals = propose(latest, &rules::sources(args.rules.as_deref())?, &gathered);
    let rendered = render(&gathered, proposals.as_ref(), mask.as_ref()).map_err(Fault::Wrong)?;
    Ok(match form(args) {
        "text/html" => standalone(&rendered.dispatch),
        "application/json" => rendered.json,
        _ => rendered.dispatch.text,
    })
}
