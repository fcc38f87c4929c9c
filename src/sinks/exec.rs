//! A program of one's own: Squelch's own JSON on its standard input.
//!
//! Deliberately no shell, no variables in arguments, and a program that is named by its whole path: nothing of an alert
//! can become a command.

use std::path::PathBuf;
use std::time::Duration;

use super::Letter;
use super::request::idempotency_key;
use super::webhook::body;

/// The settings of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// The program, by its absolute path.
    pub program: PathBuf,
    /// Its arguments, as they are.
    pub arguments: Vec<String>,
    /// How long it may run ([`Exec::TIMEOUT`]); then it is killed, and started again later.
    pub timeout: Duration,
}

/// A program to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What it reads, with a line end.
    pub input: String,
}

impl Exec {
    /// The default time.
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    /// What is to be started: for everything that is told.
    ///
    /// # Panics
    /// Never: a body has only strings as keys.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Start {
        let key = idempotency_key(&letter.notification.key);
        let input = serde_json::to_string(&body(letter, &key)).expect("a body has only strings as keys") + "\n";
        Start { program: self.program.clone(), arguments: self.arguments.clone(), input }
    }
}
