//! `squelch import`: an Alertmanager's configuration into rule files.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::check::{coloured, finding, mistakes};
use super::fault::Fault;
use super::recording::tell;
use super::replay::print;
use crate::config::alertmanager::{self, Folders, Imported, SecretText};
use crate::config::{self, Source};
use crate::files;

/// What `squelch import` is asked to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration: `alertmanager.yml`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder of the rule files; it is made where it does not exist
    #[arg(short, long, value_name = "DIR", default_value = files::RULES_DIR)]
    out: PathBuf,
    /// Write nothing: only tell what would be carried, and what not
    #[arg(long)]
    check: bool,
    /// Write the secrets that stand in the configuration into files of their own, which only you may read
    #[arg(long)]
    secrets: bool,
    /// Write over files that are there
    #[arg(long)]
    force: bool,
    /// Print JSON instead of sentences, also of what is not carried
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the configuration is wrong, or a file is in the way or cannot be written.
pub(super) fn run(args: &Args) -> Result<(), Fault> {
    let source = files::read(&args.file).map_err(|error| Fault::Wrong(error.to_string()))?;
    let (rules, configuration) = (args.out.display().to_string(), folder_of(&args.file));
    let folders = Folders { rules: &rules, configuration: &configuration };
    let imported = alertmanager::import(&source, folders).map_err(|report| Fault::Wrong(mistakes(&report)))?;
    let beside = beside(args, &imported.files)?;
    for left in imported.left.iter().filter(|_| !args.json) {
        tell(&format!("not carried: {}\n", coloured(left)));
    }
    if !args.check {
        write(args, &imported)?;
    }
    print(&if args.json { format!("{}\n", in_json(args, &imported)) } else { summary(args, &imported, &beside) })
}

fn in_json(args: &Args, imported: &Imported) -> Value {
    let files = imported.files.iter().map(|file| args.out.join(&file.name).display().to_string());
    let secret = |secret: &SecretText| json!({"file": secret.path, "place": secret.place, "key": secret.key});
    json!({
        "written": !args.check,
        "files": files.collect::<Vec<_>>(),
        "secrets_written": args.secrets && !args.check,
        "secrets": imported.secrets.iter().map(secret).collect::<Vec<_>>(),
        "not_carried": imported.left.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// The folder of a file as paths in it are to be found; empty = where Squelch is started.
fn folder_of(file: &Path) -> String {
    file.parent().map_or_else(String::new, |folder| folder.display().to_string())
}

/// What would be in force with the files that are there already. What was written is never refused by `squelch check`.
fn beside(args: &Args, new: &[Source]) -> Result<config::Bundle, Fault> {
    let wrong = |error: files::FileError| Fault::Wrong(error.to_string());
    let there = if args.out.is_dir() { files::read_rules(Some(&args.out)).map_err(wrong)? } else { Vec::new() };
    let replaced = |source: &Source| source.shipped || new.iter().any(|new| new.name == source.file_name());
    let mut users: Vec<Source> = there.into_iter().filter(|source| !replaced(source)).collect();
    users.extend(new.iter().cloned());
    config::load(&config::with_shipped(users)).map_err(|report| {
        let words = mistakes(&report);
        Fault::Wrong(format!("{words}\nwhat would be imported does not go with the rules in {}", args.out.display()))
    })
}

fn write(args: &Args, imported: &Imported) -> Result<(), Fault> {
    let secrets: &[SecretText] = if args.secrets { &imported.secrets } else { &[] };
    let rules = imported.files.iter().map(|file| args.out.join(&file.name));
    let there: Vec<String> = rules
        .chain(secrets.iter().map(|secret| PathBuf::from(&secret.path)))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    if !there.is_empty() && !args.force {
        let there = there.join(", ");
        return Err(Fault::Wrong(format!("{there}: there already; nothing was written. Use --force to write over it")));
    }
    fs::create_dir_all(&args.out).map_err(|error| Fault::file("make", &args.out, &error))?;
    for secret in secrets {
        let path = Path::new(&secret.path);
        write_secret(path, &secret.text).map_err(|error| Fault::file("write", path, &error))?;
    }
    for file in &imported.files {
        let path = args.out.join(&file.name);
        fs::write(&path, &file.text).map_err(|error| Fault::file("write", &path, &error))?;
    }
    Ok(())
}

/// Writes a file that nobody else may read, before there is anything in it.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")
}

fn summary(args: &Args, imported: &Imported, bundle: &config::Bundle) -> String {
    let mut text = String::new();
    let names: Vec<_> = imported.files.iter().map(|file| args.out.join(&file.name).display().to_string()).collect();
    let verb = if args.check { "would write" } else { "wrote" };
    let _ = writeln!(text, "{verb} {}", names.join(", "));
    let _ = writeln!(text, "with the rules beside them all right: {}", super::check::in_force_now(bundle));
    match imported.left.len() {
        0 => text.push_str("everything was carried\n"),
        count => {
            let _ = writeln!(text, "{count} kinds of settings were not carried: they are told above, with their lines");
        }
    }
    if imported.secrets.is_empty() {
        return text;
    }
    if args.secrets && !args.check {
        text.push_str("secrets were put into files that only you may read:\n");
    } else {
        text.push_str("secrets are not copied. Put each into its file (mode 0600), or let `--secrets` do it:\n");
    }
    for secret in &imported.secrets {
        let _ = writeln!(text, "  {}  the `{}` of {}", secret.path, secret.key, secret.place);
    }
    text
}
