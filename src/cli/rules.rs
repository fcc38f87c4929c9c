//! The rules that a command works under: read from disk, checked, with every mistake told.

use std::path::Path;

use super::fault::Fault;
use super::recording::tell;
use crate::config::{self, Source};
use crate::domain::Policy;
use crate::files;

/// The rule files of a folder laid over those in the binary.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn sources(dir: Option<&Path>) -> Result<Vec<Source>, Fault> {
    files::read_rules(dir).map_err(|error| Fault::Wrong(error.to_string()))
}

/// The policy of these rules. Warnings go to standard error.
///
/// # Errors
/// When the folder cannot be read, or a rule is wrong: all mistakes at once.
pub(super) fn policy(dir: Option<&Path>) -> Result<Policy, Fault> {
    let bundle = config::load(&sources(dir)?).map_err(|report| Fault::Wrong(report.to_string()))?;
    for warning in &bundle.warnings {
        tell(&format!("warning: {warning}"));
    }
    Ok(bundle.policy)
}
