//! `squelch on-call`: who is on call, until when, and who is next. Asks the rule files, not a running Squelch.

use std::path::PathBuf;

use serde::Serialize;

use super::fault::Fault;
use super::replay::print;
use super::rules;
use crate::clock::Clock;
use crate::domain::rotation::Rotation;
use crate::domain::{Policy, Timestamp};

/// What `squelch on-call` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder with the rules [default: ./rules where it exists, over those in the binary]
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// At this time: epoch seconds, or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", value_parser = super::why::time)]
    at: Option<Timestamp>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A rotation as it stands.
#[derive(Serialize)]
struct Turn<'p> {
    rotation: &'p str,
    on_call: &'p str,
    /// When it is handed over, by the clocks of the rotation; none = never.
    until: Option<String>,
    next: Option<&'p str>,
    zone: &'p str,
}

/// Runs the command.
///
/// # Errors
/// When a rule is wrong.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let policy = rules::policy(args.rules.as_deref())?;
    let at = args.at.unwrap_or_else(|| Clock::start(Timestamp::EPOCH).now());
    let turns = turns(&policy, at);
    if args.json {
        let text = serde_json::to_string_pretty(&turns).map_err(|error| Fault::Wrong(error.to_string()))?;
        return print(&format!("{text}\n"));
    }
    print(&table(&turns))
}

fn turns(policy: &Policy, at: Timestamp) -> Vec<Turn<'_>> {
    policy.rotations.iter().map(|(name, rotation)| of(name, rotation, at)).collect()
}

fn of<'p>(name: &'p str, rotation: &'p Rotation, at: Timestamp) -> Turn<'p> {
    let next = rotation.next(at);
    Turn {
        rotation: name,
        on_call: rotation.on_call(at),
        until: next.map(|(until, _)| rotation.zone.written(until)),
        next: next.map(|(_, who)| who),
        zone: rotation.zone.name(),
    }
}

fn table(turns: &[Turn<'_>]) -> String {
    if turns.is_empty() {
        return "there is no rotation: see `rotations` in docs/RULES.md\n".to_owned();
    }
    let width = |pick: fn(&Turn<'_>) -> usize| turns.iter().map(pick).max().unwrap_or(0);
    let (name, who) = (width(|turn| turn.rotation.chars().count()), width(|turn| turn.on_call.chars().count()));
    let line = |turn: &Turn<'_>| {
        let then = match (&turn.until, turn.next) {
            (Some(until), Some(next)) => format!("until {until} ({}), then {next}", turn.zone),
            _ => "always".to_owned(),
        };
        format!("{:name$}  {:who$}  {then}\n", turn.rotation, turn.on_call)
    };
    turns.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Source};

    #[test]
    fn who_is_on_call_is_told_with_the_clock_of_the_rotation() {
        let text = "receivers: [{name: ada, console: {}}, {name: grace, console: {}}]\n\
            rotations:\n\
            - {name: shop, people: [ada, grace], starts: 2026-01-05T09:00:00+01:00, zone: Europe/Berlin}\n\
            - {name: db, people: grace, starts: 2026-01-05T09:00:00Z, turns: 1d}\n\
            routes: [{name: all, receivers: [shop, db]}]\n";
        let bundle = config::load(&[Source::new("rules.yaml", text.as_bytes().to_vec())]).expect("rules");
        let at = Timestamp::from_millis(1_783_296_000_000);
        let turns = turns(&bundle.policy, at);
        assert_eq!(
            table(&turns),
            "db    grace  always\nshop  grace  until Mon 2026-07-06 09:00 (Europe/Berlin), then ada\n"
        );
        assert_eq!(table(&[]), "there is no rotation: see `rotations` in docs/RULES.md\n");
    }
}
