//! `squelch replay`: recorded events judged in virtual time; drawn, or held against other rules, where asked.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use super::beside::{Comparison, Picture};
use super::fault::Fault;
use super::terminal::show;
use super::{recording, rules};
use crate::domain::{Decision, Event, Policy};
use crate::replay::account::Account;
use crate::replay::wording::Ink;
use crate::replay::{Run, decisions, graph};

/// Decisions are written in parts of about this many bytes.
const PART: usize = 1 << 16;

/// What `squelch replay` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder with the rules [default: ./rules where it exists, over those in the binary]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Write every decision as JSON Lines; `-` writes them to standard output, and no account
    #[arg(long, value_name = "OUT.jsonl")]
    decisions: Option<PathBuf>,
    /// Draw the run into one HTML file that needs no network: lanes, pages, what was held back, other thresholds
    #[arg(long, value_name = "OUT.html")]
    report: Option<PathBuf>,
    /// Leave personal data (mail addresses, tokens …) in the report as it is
    #[arg(long, requires = "report")]
    raw: bool,
    /// Judge the same events by the rules of another folder, too: pages gained, lost, earlier, later, and why
    #[arg(long, value_name = "DIR")]
    compare: Option<PathBuf>,
    /// Print JSON instead of the account, or of the comparison
    #[arg(long)]
    json: bool,
    /// A service graph as JSON, added to the one of the rules
    #[arg(long, value_name = "FILE")]
    topology: Option<PathBuf>,
    /// Stop at the first line that is no valid event
    #[arg(long)]
    strict: bool,
    /// Judge the history of a stopped Squelch again
    #[arg(long, value_name = "DIR", conflicts_with = "inputs")]
    data_dir: Option<PathBuf>,
    /// Recorded events as JSON Lines, plain or packed with gzip or zstd; `-` reads standard input
    #[arg(required_unless_present = "data_dir", value_name = "INPUT.jsonl")]
    inputs: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the rules, the graph or an input cannot be read, or the output not be written.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let policy = |dir| with_graph(rules::policy(dir)?, args.topology.as_deref());
    let own = policy(args.rules.as_deref())?;
    let name = args.rules.as_deref().map_or_else(|| "the rules in force".to_owned(), |dir| dir.display().to_string());
    let mut replay = Replay::new(own, args.decisions.as_deref())?.for_programs(args.json)?;
    if args.compare.is_some() && replay.results.silent {
        return Err(Fault::Usage("--compare and --decisions - both want standard output: name a file".to_owned()));
    }
    if let Some(path) = &args.report {
        replay = replay.drawn(path, (&name, args.raw))?;
    }
    if let Some(dir) = &args.compare {
        replay.results.comparison =
            Some(Comparison::new((name, dir.display().to_string()), policy(Some(dir))?, args.json));
    }
    match &args.data_dir {
        Some(dir) => recording::stored(dir)?.into_iter().for_each(|(seq, event)| replay.line(seq, Some(event))),
        None => drop(recording::read(&args.inputs, args.strict, |seq, event| replay.line(seq, event))?),
    }
    replay.finish()
}

/// The policy with the edges of a graph file added.
pub(super) fn with_graph(policy: Policy, file: Option<&Path>) -> Result<Policy, Fault> {
    let Some(path) = file else { return Ok(policy) };
    let json = std::fs::read(path).map_err(|error| Fault::file("read", path, &error))?;
    let graph = graph::read(&json).map_err(|error| Fault::Wrong(format!("{}: {error}", path.display())))?;
    Ok(Policy { topology: policy.topology.joined(&graph), ..policy })
}

/// A run whose decisions go to a file, or into an account for people, or both.
pub(super) struct Replay {
    policy: Policy,
    run: Run,
    results: Results,
}

struct Results {
    account: Account,
    decisions: Option<Box<dyn Write>>,
    text: String,
    /// The first failure to write; told at the end.
    failed: Option<Fault>,
    silent: bool,
    json: bool,
    picture: Option<Picture>,
    comparison: Option<Comparison>,
}

impl Replay {
    /// A run under these rules. `decisions` = where to write them; `-` = standard output, and no account.
    pub(super) fn new(policy: Policy, decisions: Option<&Path>) -> Result<Self, Fault> {
        let silent = decisions.is_some_and(|path| path.as_os_str() == "-");
        let decisions: Option<Box<dyn Write>> = match decisions {
            None => None,
            Some(_) if silent => Some(Box::new(io::stdout())),
            Some(path) => {
                let file = File::create(path).map_err(|error| Fault::file("write", path, &error))?;
                Some(Box::new(BufWriter::new(file)))
            }
        };
        let account = Account::default();
        let (text, failed, picture, comparison) = (String::new(), None, None, None);
        let json = false;
        let results = Results { account, decisions, text, failed, silent, json, picture, comparison };
        Ok(Self { run: Run::new(policy.clone()), policy, results })
    }

    /// The same run, its account as JSON where that is wanted.
    pub(super) fn for_programs(mut self, json: bool) -> Result<Self, Fault> {
        if json && self.results.silent {
            return Err(Fault::Usage("--json and --decisions - both want standard output: name a file".to_owned()));
        }
        self.results.json = json;
        Ok(self)
    }

    /// The same run, drawn into this file at its end. `how` = what its rules are called, and whether it is not masked.
    pub(super) fn drawn(mut self, path: &Path, how: (&str, bool)) -> Result<Self, Fault> {
        self.results.picture = Some(Picture::new(path, &self.policy, how)?);
        Ok(self)
    }

    /// One line of the input: its event, or `None` when it is not valid.
    pub(super) fn line(&mut self, seq: u64, event: Option<Event>) {
        let results = &mut self.results;
        match event {
            Some(event) => {
                results.account.event(&event);
                if let Some(picture) = &mut results.picture {
                    picture.event(seq, &event);
                }
                if let Some(comparison) = &mut results.comparison {
                    comparison.event(seq, &event);
                }
                self.run.event(seq, event, &mut |decision| results.take(decision));
            }
            None => results.account.rejected(),
        }
    }

    /// Ends the run and prints the account.
    pub(super) fn finish(self) -> Result<(), Fault> {
        let mut results = self.results;
        self.run.finish(&mut |decision| results.take(decision));
        results.flush();
        if let Some(fault) = results.failed {
            return Err(fault);
        }
        if let Some(picture) = results.picture {
            picture.write(&results.account)?;
        }
        match results.comparison {
            Some(comparison) if results.json => print(&comparison.finish(ink())),
            Some(comparison) => show(&comparison.finish(ink())),
            None if results.silent => Ok(()),
            None if results.json => print(&results.account.json()),
            None => show(&results.account.text(ink())),
        }
    }
}

impl Results {
    fn take(&mut self, decision: Decision) {
        if self.decisions.is_some() {
            decisions::write(&decision, &mut self.text);
            if self.text.len() >= PART {
                self.write();
            }
        }
        if let Some(picture) = &mut self.picture {
            picture.decision(&decision);
        }
        if let Some(comparison) = &mut self.comparison {
            comparison.decision(&decision);
        }
        self.account.decision(decision);
    }

    fn write(&mut self) {
        if let Some(out) = &mut self.decisions
            && self.failed.is_none()
            && let Err(error) = out.write_all(self.text.as_bytes())
        {
            self.failed = Some(Fault::output(&error));
        }
        self.text.clear();
    }

    fn flush(&mut self) {
        self.write();
        if let Some(out) = &mut self.decisions
            && self.failed.is_none()
            && let Err(error) = out.flush()
        {
            self.failed = Some(Fault::output(&error));
        }
    }
}

/// Colour on a terminal, unless the environment says `NO_COLOR` (<https://no-color.org>).
pub(super) fn ink() -> Ink {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted && io::stdout().is_terminal() { Ink::Colour } else { Ink::Plain }
}

/// Text on standard output.
pub(super) fn print(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Fault::output(&error))
}
