//! The command line: arguments in, exit code out.
//!
//! A file a command. Exit codes: 0 done, 1 the input or the rules are wrong, 2 wrong usage.

mod audit;
pub mod backup;
mod baseline;
mod beside;
pub mod check;
mod client;
mod cluster;
mod completions;
mod demo;
mod digest;
mod drill;
mod fault;
mod import;
mod incidents;
mod input;
mod learn;
mod man;
mod on_call;
mod progress;
mod recording;
mod replay;
mod rules;
pub mod schema;
pub mod serve;
mod silence;
mod stopped;
mod tail;
mod terminal;
mod test;
mod tune;
mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use self::fault::Fault;

/// Alert noise reduction that people can trust: quiet on noise, never blind to a fault.
#[derive(Debug, Parser)]
#[command(name = "squelch", version, disable_help_subcommand = true, propagate_version = true)]
struct Squelch {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge what comes in over HTTP, and page people
    Serve(serve::ServeArgs),
    /// Learn what is ordinary from recorded history, before the first live event
    Learn(learn::Args),
    /// Validate every rule file: all mistakes at once, with file, line, column and help
    Check(check::CheckArgs),
    /// Run the rules' own tests in virtual time
    Test(test::Args),
    /// Judge recorded events in virtual time, and tell what became of them
    Replay(replay::Args),
    /// Propose rule changes from recorded events, each with its replayed effect; changes nothing
    Tune(tune::Args),
    /// Score a series of values in CSV: how unusual is each, by what came before it?
    Baseline(baseline::Args),
    /// Explain an incident or a series, with the numbers of every stage
    Why(why::Args),
    /// List the incidents of a Squelch, running or stopped
    Incidents(incidents::Args),
    /// Follow what a running Squelch decides, as it decides it
    Tail(tail::Args),
    /// Set, list and end silences
    Silence(silence::Args),
    /// List what people did: who, when, from where, and what came of it
    Audit(audit::Args),
    /// Tell what was decided lately, as it would be sent by mail
    Digest(digest::Args),
    /// Send a marked test page the real way, and tell how long each step took
    Drill(drill::Args),
    /// Tell who is on call, until when, and who is next
    OnCall(on_call::Args),
    /// Make rule files from the configuration of an Alertmanager
    Import(import::Args),
    /// Write a store into one file, also while it is in use
    Backup(backup::BackupArgs),
    /// Make a store from such a file
    Restore(backup::RestoreArgs),
    /// Work on a cluster that stands still
    Cluster(cluster::Args),
    /// Print the JSON Schema of rule files (or of settings or mapping files), for editors
    Schema(schema::SchemaArgs),
    /// Print a script that makes a shell complete the commands of Squelch
    Completions(completions::Args),
    /// Print the manual page, or write those of all commands into a folder
    Man(man::Args),
    /// Replay the built-in story: six days of a small shop
    Demo(demo::Args),
}

/// Runs what the arguments (the first is the program's name) ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Squelch::try_parse_from(arguments) {
        Ok(squelch) => run(&squelch.command),
        Err(error) => {
            // Help and version go to standard output, with exit code 0; who has closed it does not want to know.
            let _ = error.print();
            if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
        }
    }
}

fn run(command: &Command) -> ExitCode {
    match command {
        Command::Serve(args) => serve::run(args),
        Command::Learn(args) => told(learn::run(args)),
        Command::Check(args) => check::run(args),
        Command::Test(args) => told(test::run(args)),
        Command::Replay(args) => told(replay::run(args)),
        Command::Tune(args) => told(tune::run(args)),
        Command::Baseline(args) => told(baseline::run(args)),
        Command::Why(args) => told(why::run(args)),
        Command::Incidents(args) => told(incidents::run(args)),
        Command::Tail(args) => told(tail::run(args)),
        Command::Silence(args) => told(silence::run(args)),
        Command::Audit(args) => told(audit::run(args)),
        Command::Digest(args) => told(digest::run(args)),
        Command::Drill(args) => told(drill::run(args)),
        Command::OnCall(args) => told(on_call::run(args)),
        Command::Import(args) => told(import::run(args)),
        Command::Backup(args) => backup::backup(args),
        Command::Restore(args) => backup::restore(args),
        Command::Cluster(args) => told(cluster::run(args)),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => told(completions::run(args, Squelch::command())),
        Command::Man(args) => told(man::run(args, Squelch::command())),
        Command::Demo(args) => told(demo::run(args)),
    }
}

/// Says on standard error why a command failed.
fn told(result: Result<(), Fault>) -> ExitCode {
    let Err(fault) = result else { return ExitCode::SUCCESS };
    let words = fault.to_string();
    if !words.is_empty() {
        recording::tell(&format!("squelch: {words}"));
    }
    fault.code()
}
