//! `squelch completions`: a script that makes a shell complete commands, options and their values.

use clap::Command;
use clap_complete::Shell;

use super::fault::Fault;
use super::replay::print;

/// Which shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "bash: squelch completions bash > ~/.local/share/bash-completion/completions/squelch\n\
                        zsh:  squelch completions zsh > \"${fpath[1]}/_squelch\"\n\
                        fish: squelch completions fish > ~/.config/fish/completions/squelch.fish")]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script for `command`.
///
/// # Errors
/// When it cannot be written.
pub(super) fn run(args: &Args, mut command: Command) -> Result<(), Fault> {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    print(&String::from_utf8_lossy(&script))
}
