//! `squelch man`: the manual pages, made from what `--help` says.

use std::fs;
use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;

use super::fault::Fault;
use super::replay::print;

/// Where to.
#[derive(Debug, clap::Args)]
#[command(after_help = "To read one at once: squelch man | man -l -\n\
                        To keep them all: squelch man --dir ~/.local/share/man/man1")]
pub(super) struct Args {
    /// Write a page for each command into this folder; it is made where it does not exist
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the page of `command`, or writes those of all its commands.
///
/// # Errors
/// When they cannot be written.
pub(super) fn run(args: &Args, command: Command) -> Result<(), Fault> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(|error| Fault::output(&error))?;
        return print(&String::from_utf8_lossy(&page));
    };
    fs::create_dir_all(dir).map_err(|error| Fault::file("make", dir, &error))?;
    clap_mangen::generate_to(command, dir).map_err(|error| Fault::file("write", dir, &error))
}
