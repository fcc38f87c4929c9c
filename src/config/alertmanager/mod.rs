//! An Alertmanager configuration (`alertmanager.yml`, as of 0.28) into rule files.
//!
//! ```text
//! text ─ tree ─► section (keys with places) ─► routes, intervals, inhibitions, receivers ─► rule files as text
//! ```
//!
//! - **The same alerts to the same receivers.** Matchers become `labels` of routes: they look at what the sender wrote.
//! - **Nothing is dropped silently.** What rules cannot say is told with its place. A receiver of which nothing can be carried
//!   stays, and writes to standard output, so that its pages are not lost.
//! - **No secrets.** A secret that stands in the file becomes a reference to a file; its text is handed out apart
//!   ([`SecretText`]), and no message shows a line of receivers.
//!
//! Deliberately strict where Alertmanager is: what it would refuse is a mistake, and then nothing comes out.

mod email;
mod inhibitions;
mod intervals;
mod keys;
mod left;
mod receivers;
mod routes;
mod section;
mod wording;
mod written;

use std::fmt;

use self::left::Left;
use self::section::Section;
use super::findings::{Complaint, Findings};
use super::source::Source;
use super::tree::{self, Text};
use crate::diagnostic::{Diagnostic, Report};

/// What came of a configuration.
#[derive(Debug)]
pub struct Imported {
    /// The rule files, by their names.
    pub files: Vec<Source>,
    /// The secrets that stood in it.
    pub secrets: Vec<SecretText>,
    /// What could not be carried, or not quite.
    pub left: Vec<Diagnostic>,
}

/// A secret that stood in a configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText {
    /// The file that the rules refer to.
    pub path: String,
    /// Where it stood: `alertmanager.yml:12:5`.
    pub place: String,
    /// The key under which it stood.
    pub key: String,
    /// The secret itself.
    pub text: String,
}

/// Deliberately without the secret.
impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}, for {}", self.key, self.place, self.path)
    }
}

/// Where what is written refers to.
#[derive(Clone, Copy, Debug)]
pub struct Folders<'a> {
    /// The folder of the rule files, as Squelch is to find it: secrets are below it.
    pub rules: &'a str,
    /// The folder of the configuration, for the paths in it; empty = where Squelch is started.
    pub configuration: &'a str,
}

/// What is worked on.
struct Work<'a, 'f> {
    findings: Findings<'a>,
    left: Left,
    secrets: Vec<SecretText>,
    folders: Folders<'f>,
}

/// Turns a configuration into rule files.
///
/// # Errors
/// Everything that Alertmanager itself would refuse.
pub fn import(source: &Source, folders: Folders<'_>) -> Result<Imported, Report> {
    let sources = std::slice::from_ref(source);
    let mut work = Work { findings: Findings::new(sources), left: Left::default(), secrets: Vec::new(), folders };
    let files = work.files(&source.name);
    let Work { mut findings, left, secrets, .. } = work;
    left.tell(&mut findings);
    let left = findings.finish().map_err(without_secrets)?;
    Ok(Imported { files, secrets, left: left.into_iter().map(guarded).collect() })
}

fn without_secrets(report: Report) -> Report {
    Report { diagnostics: report.diagnostics.into_iter().map(guarded).collect() }
}

/// A finding without its line, unless that line is known to hold no secret.
fn guarded(mut diagnostic: Diagnostic) -> Diagnostic {
    let open = ["route", "inhibit_rules", "time_intervals", "mute_time_intervals"];
    let part = diagnostic.path.split(['.', '[']).next().unwrap_or_default();
    let lines = diagnostic.excerpt.as_deref().unwrap_or_default().to_ascii_lowercase();
    let suspect = ["url", "://", "key", "secret", "token", "pass", "cred", "bearer"];
    if !open.contains(&part) || suspect.iter().any(|word| lines.contains(word)) {
        diagnostic.excerpt = None;
    }
    diagnostic
}

impl Work<'_, '_> {
    fn files(&mut self, name: &str) -> Vec<Source> {
        let Some(text) = super::text_of(0, &mut self.findings) else { return Vec::new() };
        let root = match tree::parse(&Text { file: 0, text, lines: None }) {
            Ok(root) => root,
            Err(mistake) => {
                self.findings.mistake(mistake.spot, "", mistake.complaint);
                return Vec::new();
            }
        };
        let Some(root) = root else {
            let help = "name the configuration of an Alertmanager: it has at least `route` and `receivers`";
            self.findings.mistake_of_file(0, Complaint::new("the file is empty").help(help));
            return Vec::new();
        };
        let root = Section::of(&root, "", keys::FILE, &mut self.findings);
        let global = root.section("global", keys::GLOBAL, &mut self.findings);
        self.note_what_has_no_place(&root, &global);
        let intervals = self.intervals(&root);
        let receivers = self.receivers(&root, &global);
        let routes = self.routes(&root, &receivers, &intervals);
        let inhibitions = self.inhibitions(&root);
        let file = |part: &str, text: String| {
            let head = written::head(name, part);
            (!text.is_empty()).then(|| Source::new(format!("alertmanager-{part}.yaml"), format!("{head}{text}")))
        };
        let receivers = written::receivers(&receivers);
        let routes = written::intervals(&intervals) + &routes;
        [file("inhibitions", inhibitions), file("receivers", receivers), file("routes", routes)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Settings for which Squelch has no place, or needs none.
    fn note_what_has_no_place(&mut self, root: &Section<'_>, global: &Section<'_>) {
        for (key, why, help) in [
            (
                "resolve_timeout",
                "how long an alert fires without its end is fixed",
                "Squelch takes 5m, as Alertmanager does by default; Prometheus sends an end with each alert",
            ),
            (
                "http_config",
                "settings of all HTTP connections are not carried",
                "`ca_file` and tokens can be set in single receivers",
            ),
            ("smtp_hello", "the name that SMTP greets with is the machine's", "nothing is to be done"),
        ] {
            if let Some(place) = global.place(key) {
                self.left.add(place, why, help);
            }
        }
        if let Some(place) = root.place("templates") {
            let help = "what receivers say in their own templates is carried where it can be; these files are not";
            self.left.add(place, "files of templates are not carried", help);
        }
    }
}
