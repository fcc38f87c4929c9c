//! Explanations: what the engine knows of an incident or a series, as values for `squelch why`, the API and the
//! console.
//!
//! Deliberately without wording: `replay::account` and `sinks::text` put them into sentences.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decision::{IncidentId, IncidentSummary, Verdict};
use super::fingerprint::Fingerprint;
use super::opinion::Opinion;
use super::reason::{Outcome, Reason};
use super::signal::{Kind, Severity};
use super::time::Timestamp;

/// Everything about one incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentExplanation {
    /// The incident as it stands.
    pub summary: IncidentSummary,
    /// Whether it is still open.
    pub open: bool,
    /// The candidates for the origin when it last paged, most likely first.
    pub origins: Vec<Candidate>,
    /// Changes shortly before, latest first.
    pub suspects: Vec<String>,
    /// What people said of it, if that stands.
    pub feedback: Option<Said>,
    /// Its series, each with what was decided about it lately.
    pub members: Vec<SeriesExplanation>,
}

/// What a person said of an incident, and what that is worth now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The incident.
    pub incident: IncidentId,
    /// What was said.
    pub opinion: Opinion,
    /// Who said it.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// Whether it is about the series itself; else about its check elsewhere.
    pub own: bool,
    /// Whether it is about something critical, too.
    pub critical: bool,
    /// What it is worth by now, in fresh words about a series itself, −1 to 1; below 0: noise.
    pub worth: f64,
}

/// A service that an incident may have begun in, with the arithmetic of its rank. All in fresh bits of surprise when
/// it paged: `score = 1.5 own + answers + 0.3 load + 0.6 explains`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its name.
    pub service: String,
    /// What it is ranked by.
    pub score: f32,
    /// Of its own trouble: saturation, exceptions.
    pub own: f32,
    /// Of slow answers and errors that none of the services it calls explains.
    pub answers: f32,
    /// Of too little or too much traffic.
    pub load: f32,
    /// Of the slow answers and errors of its callers that its own explain.
    pub explains: f32,
}

/// Where the trend of a value leads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// The latest value.
    pub value: f64,
    /// What it gains in an hour (below 0: loses).
    pub per_hour: f64,
    /// The limit that it reaches …
    pub limit: f64,
    /// … which is where its scale ends (100 %, nothing left), not only a threshold …
    pub hard: bool,
    /// … at this time, if it goes on so.
    pub at: Timestamp,
}

/// Everything about one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesExplanation {
    /// `source/kind/service/host/check`.
    pub name: Arc<str>,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// What sort of thing speaks.
    pub kind: Kind,
    /// The rule that applies; `None` = the defaults.
    pub rule: Option<String>,
    /// Its severity while it is on.
    pub firing: Option<Severity>,
    /// Since when it is on.
    pub since: Option<Timestamp>,
    /// How many of its alerts fire.
    pub alerts: u32,
    /// When it was first and last heard of.
    pub heard: (Timestamp, Timestamp),
    /// Starts so far (decayed by the half-life), and of these critical ones.
    pub starts: (f64, f64),
    /// Starts a day that are usual at this hour.
    pub usual_per_day: f64,
    /// Starts a day over all hours, as far as is known: eight times in ten the true rate lies between these two.
    pub likely_per_day: (f64, f64),
    /// Whether there is too little history to judge it by itself.
    pub insufficient_history: bool,
    /// How long half and nine of ten of its episodes last, in seconds; `None` before the first one ended.
    pub lasts: Option<(f64, f64)>,
    /// Fresh bits now.
    pub fresh_bits: f64,
    /// State changes in the longest flap window.
    pub changes: u32,
    /// Since when it is treated as flapping.
    pub flapping_since: Option<Timestamp>,
    /// What people said that counts for it: about itself, then about its check elsewhere.
    pub feedback: Vec<Said>,
    /// The share of the bits of its next start that this takes (below 0) or gives: of a warning, of a critical.
    pub feedback_share: (f64, f64),
    /// Where its value leads; `None` = it has no trend that counts, or no limit within the horizon.
    pub course: Option<Course>,
    /// From where to where its samples are usual at this hour, by the rule that watches them; `None` = none does, or too
    /// little is known.
    pub usual: Option<(f64, f64)>,
    /// Events still waiting for their verdict.
    pub waiting: u32,
    /// The latest verdicts, oldest first.
    pub verdicts: Vec<Verdict>,
}

/// What a series usually does, by the hour of the day and by length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Habits {
    /// The hour it is now, in the zone of the rules.
    pub hour: usize,
    /// Starts a day that are usual at each hour of today, from midnight on.
    pub per_day: Vec<f64>,
    /// From where to where its samples are usual at each hour; `None` = no rule watches them, or too little is known.
    pub usual: Vec<Option<(f64, f64)>>,
    /// Lengths in seconds, and the share of its episodes that last at least so long, by its own history, its check's and
    /// a prior.
    pub lasting: Vec<(f64, f64)>,
    /// From how many episodes of its own, old ones counting less.
    pub episodes: f64,
    /// Within how many seconds nine of ten are over; `None` = too few are known.
    pub hold: Option<f64>,
}

/// A source, as far as people ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceView {
    /// Its name.
    pub name: Arc<str>,
    /// When it was first heard of …
    pub first: Timestamp,
    /// … and last.
    pub last: Timestamp,
    /// The longest pause that it made in the last two to four weeks, in seconds.
    pub longest_pause: f64,
    /// Whether it is silent for longer than it ever is, and people were told.
    pub silent: bool,
    /// Whether it says when something is over.
    pub resolves: bool,
}

/// A series of which events were held back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldBack {
    /// `source/kind/service/host/check`.
    pub name: Arc<str>,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// How many of its events were held back.
    pub held: u64,
    /// Why its latest verdict was as it was.
    pub latest: Option<Reason>,
}

/// The sums of promise 1. `accepted = waiting + Σ by_reason`; samples are counted beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Events accepted, samples left out.
    pub accepted: u64,
    /// Samples accepted.
    pub samples: u64,
    /// Events that wait for their verdict.
    pub waiting: u64,
    /// Verdicts given, by reason, in the order of [`Reason::ALL`].
    pub by_reason: Vec<(Reason, u64)>,
    /// Pages sent to people: opened, escalated.
    pub pages: (u64, u64),
    /// Incidents open now.
    pub open_incidents: u64,
    /// Series known.
    pub series: u64,
    /// Alerts firing now.
    pub firing: u64,
    /// Series that are flapping now.
    pub flapping: u64,
    /// Notifications not yet delivered.
    pub outbox: u64,
}

impl Tally {
    /// Verdicts given with this outcome.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.by_reason.iter().filter(|(reason, _)| reason.outcome() == outcome).map(|(_, count)| count).sum()
    }
}
