//! `squelch cluster`: what is done to a cluster while it stands still.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "tells what there is to move, and how far it is")]

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::fault::Fault;
use crate::cluster::relocation::Relocation;
use crate::config::{self, Cluster};
use crate::files;

/// The arguments of `squelch cluster`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Move a stopped cluster to new topics with another number of partitions, without losing state
    Move(MoveArgs),
}

/// The arguments of `squelch cluster move`.
#[derive(clap::Args, Debug)]
struct MoveArgs {
    /// The settings file of the cluster as it is
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The settings file of the cluster as it will be: with another `name`, `prefix` and number of `partitions`
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Move it; without this it is only looked at, and nothing is changed
    #[arg(long)]
    apply: bool,
    /// Print JSON instead of words
    #[arg(long)]
    json: bool,
}

/// Does what the arguments ask for.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    match &args.command {
        Command::Move(args) => relocate(args),
    }
}

fn relocate(args: &MoveArgs) -> Result<(), Fault> {
    let (from, to) = (cluster(&args.from)?, cluster(&args.to)?);
    let shows = std::io::stderr().is_terminal();
    let tell = |text: &str| {
        if shows || text.contains("left behind") {
            eprintln!("{text}");
        }
    };
    let relocation = Relocation { from: &from, to: &to, tell: &tell };
    let sight = if args.apply { relocation.carry() } else { relocation.look() }.map_err(Fault::Wrong)?;
    sight.told.iter().for_each(|text| eprintln!("warning: {text}"));
    if args.json {
        let told = serde_json::json!({
            "from": {"prefix": from.prefix, "partitions": from.partitions},
            "to": {"prefix": to.prefix, "partitions": to.partitions},
            "moved": args.apply,
            "there_is": sight.sums(),
        });
        return super::replay::print(&format!("{told}\n"));
    }
    println!(
        "from {}.* ({} partitions) to {}.* ({} partitions):\n{sight}",
        from.prefix, from.partitions, to.prefix, to.partitions
    );
    if args.apply {
        println!(
            "moved. Start all nodes with {}, then run this once more: it brings what came into the old log meanwhile.\n\
             The old topics are as they were; delete them when you are content.",
            args.to.display()
        );
    } else {
        println!("nothing was changed: --apply moves it");
    }
    Ok(())
}

/// The cluster of a settings file.
fn cluster(path: &Path) -> Result<Cluster, Fault> {
    let source = files::read(path).map_err(|error| Fault::Wrong(error.to_string()))?;
    let settings = config::settings(&source).map_err(|report| Fault::Wrong(report.to_string()))?;
    settings.cluster.ok_or_else(|| Fault::Wrong(format!("{}: it has no `cluster` section", path.display())))
}
