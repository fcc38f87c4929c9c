//! What runs beside a replay, on the same events: the picture of the run, and another set of rules.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use crate::domain::mask::Mask;
use crate::domain::{Decision, Event, Policy};
use crate::replay::Run;
use crate::replay::account::Account;
use crate::replay::compare::{json, text};
use crate::replay::decided::Decided;
use crate::replay::report::{Report, Steps};
use crate::replay::wording::Ink;

/// The picture of a run.
pub(super) struct Picture {
    path: PathBuf,
    file: File,
    rules: String,
    report: Report,
    steps: Steps,
    raw: bool,
}

impl Picture {
    /// A picture for this file, of a run under this policy. `raw` = with the personal data that it holds.
    ///
    /// # Errors
    /// When the file cannot be made: told before anything is judged.
    pub(super) fn new(path: &Path, policy: &Policy, (rules, raw): (&str, bool)) -> Result<Self, Fault> {
        let file = File::create(path).map_err(|error| Fault::file("write", path, &error))?;
        let (report, steps) = (Report::default(), Steps::new(policy));
        Ok(Self { path: path.to_owned(), file, rules: rules.to_owned(), report, steps, raw })
    }

    pub(super) fn event(&mut self, seq: u64, event: &Event) {
        self.report.event(seq, event);
        self.steps.event(seq, event);
    }

    pub(super) fn decision(&mut self, decision: &Decision) {
        self.report.decision(decision);
    }

    /// Writes the file. `account` = the sums of the run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(mut self, account: &Account) -> Result<(), Fault> {
        let report = if self.raw { self.report } else { self.report.masked(Mask::default()) };
        let html = report.html(account, self.steps.finish(), &self.rules);
        self.file.write_all(html.as_bytes()).map_err(|error| Fault::file("write", &self.path, &error))
    }
}

/// Two sets of rules over the same events.
pub(super) struct Comparison {
    names: (String, String),
    first: Decided,
    second: Decided,
    run: Run,
    json: bool,
}

impl Comparison {
    /// The run in hand against one under `second`; `names` = what the two are called.
    pub(super) fn new(names: (String, String), second: Policy, json: bool) -> Self {
        Self { names, first: Decided::default(), second: Decided::default(), run: Run::new(second), json }
    }

    pub(super) fn event(&mut self, seq: u64, event: &Event) {
        self.run.event(seq, event.clone(), &mut |decision| self.second.take(&decision));
    }

    pub(super) fn decision(&mut self, decision: &Decision) {
        self.first.take(decision);
    }

    /// Ends the other run; the comparison in words or as JSON.
    pub(super) fn finish(mut self, ink: Ink) -> String {
        self.run.finish(&mut |decision| self.second.take(&decision));
        let names = (self.names.0.as_str(), self.names.1.as_str());
        if self.json {
            json::json(names, &self.first, &self.second)
        } else {
            text::text(names, &self.first, &self.second, ink)
        }
    }
}
