//! `squelch check --json`: the same findings, for editors and pipelines.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::CheckArgs;
use crate::cli::replay::print;
use crate::config::{self, Bundle};
use crate::diagnostic::{Diagnostic, Report};
use crate::files;

/// Prints one object: whether all is right, every mistake and warning, and what would be in force.
pub(super) fn run(args: &CheckArgs) -> ExitCode {
    let mut mistakes = Vec::new();
    if let Some(path) = &args.config {
        kept(files::read(path), |source| config::settings(&source), &mut mistakes);
    }
    let rules = args.rules.as_deref();
    kept(files::read_mappings(rules), |sources| config::mappings(&sources), &mut mistakes);
    let bundle = loaded(rules, &mut mistakes);
    let warnings: Vec<Value> = bundle.iter().flat_map(|bundle| &bundle.warnings).map(finding).collect();
    let right = mistakes.is_empty();
    let answer = json!({
        "right": right,
        "mistakes": mistakes,
        "warnings": warnings,
        "in_force": bundle.as_ref().filter(|_| right).map(sums),
    });
    let printed = print(&format!("{answer}\n"));
    if right && printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn loaded(rules: Option<&Path>, mistakes: &mut Vec<Value>) -> Option<Bundle> {
    kept(files::read_rules(rules), |sources| config::load(&sources), mistakes)
}

/// What was read and checked, or `None` with what is wrong added.
fn kept<S, T>(
    read: Result<S, files::FileError>,
    check: impl FnOnce(S) -> Result<T, Report>,
    mistakes: &mut Vec<Value>,
) -> Option<T> {
    match read.map(check) {
        Ok(Ok(good)) => return Some(good),
        Ok(Err(report)) => mistakes.extend(report.diagnostics.iter().map(finding)),
        Err(error) => mistakes.push(json!({"message": error.to_string()})),
    }
    None
}

fn sums(bundle: &Bundle) -> Value {
    let policy = &bundle.policy;
    json!({
        "rules": policy.rules.len(),
        "silences": policy.silences.len(),
        "inhibitions": policy.inhibitions.len(),
        "edges": policy.topology.edges().count(),
        "routes": policy.routes.len(),
        "receivers": bundle.receivers.len(),
    })
}

/// A finding as JSON: what, where, how to mend it.
pub(in crate::cli) fn finding(found: &Diagnostic) -> Value {
    json!({
        "file": found.file,
        "line": found.place.map(|place| place.line),
        "column": found.place.map(|place| place.column),
        "path": found.path,
        "message": found.message,
        "help": found.help,
    })
}
