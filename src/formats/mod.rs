//! Tool bytes into events: one file a tool, one line each in the table of formats.
//! Pure: no I/O, no clock; the time of receipt is an argument.
//!
//! Deliberately without HTTP: whoever received the bytes hands them over as a [`Body`].

mod alertmanager;
mod cloudwatch_sns;
mod collectd;
mod document;
mod form;
mod grafana;
mod instant;
mod level;
mod limits;
pub mod mapping;
mod nagios;
pub mod native;
mod newrelic;
pub mod opsgenie;
pub mod pagerduty;
mod pingdom;
mod placeholder;
pub mod prometheus;
pub mod remote_write;
mod scalar;
mod sentry;
mod signature;
pub mod sns;
mod sources;
mod split;
mod syslog;
mod telegraf;
pub mod victorops;
mod vmalert;

use crate::domain::{Event, Timestamp};
pub use instant::lenient as time;
pub use signature::{Encoding, Signature};
pub use sources::{Reader, Sources};

/// What a sender posted.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// The body, already unpacked (no gzip, no zstd).
    pub bytes: &'a [u8],
    /// The `Content-Type` as sent, with its parameters.
    pub content_type: Option<&'a str>,
    /// The query of the URL, without the `?`, still percent-encoded. Some old hooks put their message there.
    pub query: Option<&'a str>,
    /// When the body arrived. Every event is stamped with it.
    pub received: Timestamp,
}

impl<'a> Body<'a> {
    /// A body without content type and query.
    #[must_use]
    pub const fn new(bytes: &'a [u8], received: Timestamp) -> Self {
        Self { bytes, content_type: None, query: None, received }
    }
}

/// What became of a body. A body may well say nothing that is to be judged (a hook that greets): then all three
/// lists are empty, or `warnings` says why.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The good events, in the order of the body.
    pub events: Vec<Event>,
    /// The bad ones, each with its reason.
    pub rejected: Vec<Rejected>,
    /// What was kept, but not as it was sent; at most [`Parsed::LISTED`] of them.
    pub warnings: Vec<Warning>,
    /// What a person must do or know beside what the sender is told: a subscription to confirm.
    pub notices: Vec<String>,
    /// Bad events beyond the first [`Parsed::LISTED`], only counted: a body of a million bad ones must not become
    /// a million messages.
    pub unlisted: usize,
    /// Samples that were good and are not among the events, because no rule asks for them: set by who knows the rules.
    pub left_out: usize,
}

impl Parsed {
    /// How many bad events, and how many warnings, are described.
    pub const LISTED: usize = 1_000;

    /// How many events were bad, described or not.
    #[must_use]
    pub fn bad(&self) -> usize {
        self.rejected.len() + self.unlisted
    }

    /// Adds a good event, without what must not become its identity and within all bounds.
    fn keep(&mut self, index: usize, mut event: Event) {
        let mut warnings = Vec::new();
        settle(&mut event, index, &mut warnings);
        self.events.push(event);
        warnings.into_iter().for_each(|warning| self.warn(warning));
    }

    fn reject(&mut self, rejected: Rejected) {
        if self.rejected.len() < Self::LISTED {
            self.rejected.push(rejected);
        } else {
            self.unlisted += 1;
        }
    }

    /// A warning that a person must see, too.
    fn tell(&mut self, index: usize, path: &str, message: String) {
        self.notices.push(message.clone());
        self.warn(Warning::new(index, path, message));
    }

    fn warn(&mut self, warning: Warning) {
        if self.warnings.len() < Self::LISTED {
            self.warnings.push(warning);
        }
    }
}

/// What every format ends with: variables of templates taken out of the identity, fields cut to their bounds.
fn settle(event: &mut Event, index: usize, warnings: &mut Vec<Warning>) {
    placeholder::take_out(event, index, warnings);
    limits::bound(event, index, warnings);
}

/// One event that could not be read. Those beside it are kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {index}: {}{message}{}", at(path), hint(help.as_deref()))]
pub struct Rejected {
    /// Its place in the body, from 0; for JSON Lines the number of the line, from 0, empty lines counted.
    pub index: usize,
    /// The field's path, such as `labels.team`; may be empty.
    pub path: String,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// Something that was taken otherwise than it was sent, or not at all, while its event was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The event's place in the body, as in [`Rejected::index`].
    pub index: usize,
    /// The field's path; may be empty.
    pub path: String,
    /// What was done, and why.
    pub message: String,
}

impl Warning {
    pub(crate) fn new(index: usize, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { index, path: path.into(), message: message.into() }
    }
}

/// A body of which nothing can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{tool}: {}{message}{}", at(path), hint(help.as_deref()))]
pub struct FormatError {
    /// The format that tried to read it.
    pub tool: String,
    /// Where in the body; may be empty.
    pub path: String,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

fn hint(help: Option<&str>) -> String {
    help.map_or_else(String::new, |help| format!("; {help}"))
}

impl FormatError {
    fn new(tool: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { tool: tool.to_owned(), path: String::new(), message: message.into(), help: Some(help.into()) }
    }
}

/// One tool whose bodies can be read.
#[derive(Clone, Debug)]
pub struct Format {
    /// The name in `/ingest/{name}`, and the `source` of its events unless the tool says better.
    pub name: &'static str,
    /// The tool's name for people, with what of it is understood.
    pub title: &'static str,
    /// What to enter in the tool, in one line; `docs/SOURCES.md` has the rest.
    pub setup: &'static str,
    /// How the tool signs its bodies, where it does.
    pub signature: Option<Signature>,
    /// Reads one body. The good is kept beside the bad; an error means that nothing was usable.
    pub parse: fn(&Body<'_>) -> Result<Parsed, FormatError>,
}

/// Every format, in order of name. Routes, lists and suggestions derive from this table, and a test asks for
/// fixtures of each line.
pub const FORMATS: &[Format] = &[
    alertmanager::FORMAT,
    cloudwatch_sns::FORMAT,
    collectd::FORMAT,
    grafana::FORMAT,
    nagios::FORMAT,
    native::FORMAT,
    newrelic::FORMAT,
    pagerduty::FORMAT,
    pingdom::FORMAT,
    prometheus::FORMAT,
    remote_write::FORMAT,
    sentry::FORMAT,
    syslog::FORMAT,
    telegraf::FORMAT,
    vmalert::FORMAT,
];

/// No tool has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown tool `{name}`; {help}")]
pub struct UnknownFormat {
    /// The name that was asked for, cut to 60 characters.
    pub name: String,
    /// The nearest name.
    pub help: String,
}

/// The format in code that is called `name`.
///
/// # Errors
/// No format has this name; the error suggests the nearest.
pub fn find(name: &str) -> Result<&'static Format, UnknownFormat> {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    FORMATS.iter().find(|format| format.name == name).ok_or_else(|| unknown(name, &names))
}

fn unknown(name: &str, names: &[&str]) -> UnknownFormat {
    let near = nearest(name, names).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    UnknownFormat { name: name.chars().take(60).collect(), help: format!("{near}GET /ingest lists all tools") }
}

/// The word nearest to `text`, when it is near enough to be meant.
fn nearest<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    let text: String = text.chars().take(60).flat_map(char::to_lowercase).collect();
    words
        .iter()
        .map(|word| (strsim::jaro_winkler(&text, word), *word))
        .filter(|(score, _)| *score >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}
