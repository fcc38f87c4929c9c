//! `squelch check`: is every rule file right, and what would be in force?
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the command line speaks to people")]

mod body;
mod json;
mod preview;

use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

pub(super) use json::finding;

use crate::clock::Clock;
use crate::config::{self, Bundle, Mappings};
use crate::diagnostic::{Diagnostic, Palette, Report};
use crate::domain::{Silence, Timestamp};
use crate::files;

/// Validate every rule file; all mistakes at once, with file, line, column and help.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// The folder with the rule files [default: ./rules where it exists, over the rules in the binary]
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// A settings file to check, too
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Show what would be read of the bodies in FILE... when the tool NAME posts them
    #[arg(long, value_name = "NAME", requires = "bodies")]
    pub source: Option<String>,
    /// Show what the receiver NAME would be sent in the life of an incident, without sending it
    #[arg(long, value_name = "NAME", conflicts_with = "source")]
    pub receiver: Option<String>,
    /// Bodies of that tool; `-` is standard input
    #[arg(value_name = "FILE", requires = "source")]
    pub bodies: Vec<PathBuf>,
    /// Print JSON instead of words
    #[arg(long)]
    pub json: bool,
}

/// Checks, and tells what was found. Mistakes and warnings go to standard error, the rest to standard output.
#[must_use]
pub fn run(args: &CheckArgs) -> ExitCode {
    if let Some(name) = &args.source {
        return body::run(args.rules.as_deref(), name, &args.bodies, args.json);
    }
    if let Some(name) = &args.receiver {
        return preview::run(args.rules.as_deref(), name, args.json);
    }
    if args.json {
        return json::run(args);
    }
    let settings = args.config.as_ref().map(|path| {
        let source = files::read(path).map_err(|error| error.to_string())?;
        config::settings(&source).map_err(|report| mistakes(&report))
    });
    let rules = files::read_rules(args.rules.as_deref())
        .map_err(|error| error.to_string())
        .and_then(|sources| config::load(&sources).map_err(|report| mistakes(&report)));
    let mappings = read_mappings(args.rules.as_deref());
    let mut wrong = false;
    if let Some(Err(said)) = settings {
        eprintln!("{said}");
        wrong = true;
    }
    if let Err(said) = &mappings {
        eprintln!("{said}");
        wrong = true;
    }
    match rules {
        Err(said) => {
            eprintln!("{said}");
            wrong = true;
        }
        Ok(bundle) if mappings.is_ok() => tell(&bundle),
        Ok(_) => {}
    }
    if wrong { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

/// The mapping files, checked, or everything that is wrong with them.
fn read_mappings(dir: Option<&Path>) -> Result<Mappings, String> {
    let sources = files::read_mappings(dir).map_err(|error| error.to_string())?;
    config::mappings(&sources).map_err(|report| mistakes(&report))
}

/// A report for people, with its sum.
pub(super) fn mistakes(report: &Report) -> String {
    let palette = if colourful() { Palette::COLOUR } else { Palette::PLAIN };
    let count = report.diagnostics.len();
    let files = report.diagnostics.iter().map(|mistake| &mistake.file).collect::<std::collections::BTreeSet<_>>().len();
    let mut text: String = report.diagnostics.iter().map(|mistake| rendered(mistake, palette) + "\n\n").collect();
    text.push_str(&format!(
        "{}{} in {}{}: nothing of it is in force",
        palette.mistake,
        counted(count, "mistake"),
        counted(files, "file"),
        palette.off
    ));
    text
}

/// On a terminal, unless the user does not want them (<https://no-color.org>).
fn colourful() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn rendered(diagnostic: &Diagnostic, palette: Palette) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = diagnostic.write(&mut text, palette);
    text
}

/// A finding that is no mistake, for people.
pub(super) fn coloured(diagnostic: &Diagnostic) -> String {
    rendered(diagnostic, if colourful() { Palette::WARNING } else { Palette::PLAIN })
}

/// What is in force now, in one line.
pub(super) fn in_force_now(bundle: &Bundle) -> String {
    in_force(bundle, Clock::start(Timestamp::EPOCH).now())
}

fn tell(bundle: &Bundle) {
    let palette = if colourful() { Palette::WARNING } else { Palette::PLAIN };
    for warning in &bundle.warnings {
        eprintln!("warning: {}\n", rendered(warning, palette));
    }
    let now = Clock::start(Timestamp::EPOCH).now();
    for silence in expired(bundle, now) {
        eprintln!("warning: the silence `{}` of {} has ended: remove it\n", silence.id, silence.owner);
    }
    println!("all right: {}", in_force(bundle, now));
}

fn expired(bundle: &Bundle, now: Timestamp) -> impl Iterator<Item = &Silence> {
    bundle.policy.silences.iter().filter(move |silence| silence.until <= now)
}

/// `2 rules, 1 silence (1 expired), …`
fn in_force(bundle: &Bundle, now: Timestamp) -> String {
    let policy = &bundle.policy;
    let mut silences = counted(policy.silences.len(), "silence");
    let ended = expired(bundle, now).count();
    if ended > 0 {
        silences.push_str(&format!(" ({ended} expired)"));
    }
    [
        counted(policy.rules.len(), "rule"),
        silences,
        counted(policy.inhibitions.len(), "inhibition"),
        counted(policy.topology.edges().count(), "edge"),
        counted(policy.routes.len(), "route"),
        counted(bundle.receivers.len(), "receiver"),
    ]
    .join(", ")
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, load, with_shipped};

    #[test]
    fn what_is_in_force_is_counted_and_expired_silences_are_told() {
        let text =
            "silences:\n  - {name: s, match: host=\"a\", until: 2020-01-01T00:00:00Z, owner: ada, reason: test}\n";
        let bundle = load(&with_shipped(vec![Source::new("a.yaml", text)])).unwrap();
        let now = Timestamp::from_secs(1.6e9).unwrap();
        assert_eq!(
            in_force(&bundle, now),
            "0 rules, 1 silence (1 expired), 0 inhibitions, 0 edges, 1 route, 1 receiver"
        );
    }
}
