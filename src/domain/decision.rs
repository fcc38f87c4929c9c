//! What the engine decided, as values: verdicts, pages, notices and incident summaries.
//!
//! Deliberately not their JSON (`replay::decisions`) and not their wording for people (`sinks::text`).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::reason::Reason;
use super::signal::{Severity, vocabulary};
use super::time::Timestamp;

/// The number of an incident, from 1, in the order of opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IncidentId(pub u64);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One thing that the engine decided. A [`super::Turn`] lists them in order of decision time.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// What finally became of one event.
    Verdict(Verdict),
    /// A person is interrupted.
    Page(Box<Page>),
    /// Something is told without interrupting.
    Notice(Box<Notice>),
    /// An incident closed, or the run ended with it open.
    Incident(Box<IncidentSummary>),
}

/// What finally became of one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The event's number: its input line from 0 in a replay, its place in the journal when live.
    pub seq: u64,
    /// When it was decided.
    pub ts: Timestamp,
    /// Why; the outcome follows from it ([`Reason::outcome`]).
    pub reason: Reason,
    /// The incident that it belongs to.
    pub incident: Option<IncidentId>,
    /// The series it was judged as, `source/kind/service/host/check`.
    pub series: Arc<str>,
    /// The identity of that series.
    pub fingerprint: Fingerprint,
    /// The numbers behind the reason.
    pub evidence: Evidence,
}

/// The numbers behind a verdict. `None` = this stage had no say. Bits are binary logarithms of improbability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Bits of surprise of the onset, all terms together, 0 to `surprise.most`.
    pub surprise: Option<f32>,
    /// Of these: how rare a start of this series is in this hour.
    pub rate_bits: Option<f32>,
    /// Of these: how rarely a start of this series is critical.
    pub severity_bits: Option<f32>,
    /// Of these: how far the value is beyond what this series usually shows.
    pub value_bits: Option<f32>,
    /// Starts a day that are usual for this series at this hour.
    pub usual_per_day: Option<f32>,
    /// Whether there was too little history to judge by itself, so that shared priors decided.
    pub insufficient_history: bool,
    /// Bits of fresh surprise on the component when it was decided.
    pub component_bits: Option<f32>,
    /// The threshold in force, in bits.
    pub threshold: Option<f32>,
    /// How long the alert had lasted when it was decided, in seconds.
    pub lasted: Option<f32>,
    /// How long nine of ten such alerts last, in seconds.
    pub usually_lasts: Option<f32>,
    /// State changes counted by the flap detector.
    pub changes: Option<u32>,
    /// The window of these changes, in seconds.
    pub window: Option<f32>,
    /// What people's words about earlier incidents added to `surprise`; below 0: took from it.
    pub feedback_bits: Option<f32>,
    /// In how many seconds its value reaches its limit, if it goes on so.
    pub limit_in: Option<f32>,
    /// What a change (a deploy) of its service or host shortly before added to `surprise`.
    pub change_bits: Option<f32>,
}

/// A component's name on a page, most likely origin first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The service.
    pub service: Option<String>,
    /// The host.
    pub host: Option<String>,
    /// The check that spoke loudest there.
    pub check: Option<String>,
}

vocabulary! {
    /// What a page does to its incident.
    PageAction {
        /// Opens it.
        Open = "open",
        /// Tells that it became clearly worse.
        Escalate = "escalate",
    }
}

/// A person is interrupted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// When it was decided.
    pub ts: Timestamp,
    /// The incident.
    pub incident: IncidentId,
    /// Whether the incident opens or became worse.
    pub action: PageAction,
    /// The worst severity among its live signals.
    pub severity: Severity,
    /// One line: what is wrong, and where.
    pub title: String,
    /// Services with a live signal in the incident, most likely origin first.
    pub services: Vec<String>,
    /// Hosts with a live signal in the incident, most likely origin first.
    pub hosts: Vec<String>,
    /// The most likely origin.
    pub origin: Origin,
    /// The `seq` numbers of its pages and joins so far, ascending.
    pub alerts: Vec<u64>,
    /// How many signals of its series had been suppressed before.
    pub held_before: u64,
    /// The reason of the page.
    pub reason: Reason,
    /// One sentence with the numbers.
    pub why: String,
    /// The loudest series and their fresh bits, loudest first, at most six.
    pub evidence: Vec<(String, f32)>,
    /// The changes (deploys, …) shortly before, latest first, as one line each.
    pub suspects: Vec<String>,
    /// Where to look, from the loudest signal that has one.
    pub url: Option<String>,
    /// What to do, from the loudest signal that has one.
    pub runbook_url: Option<String>,
}

vocabulary! {
    /// What a notice tells.
    NoticeAction {
        /// More of the same joined an incident.
        Update = "update",
        /// An incident is over.
        Resolve = "resolve",
        /// An incident that was over is back.
        Reopen = "reopen",
        /// A series is treated as flapping from now on.
        Flapping = "flapping",
        /// A series is no longer treated as flapping.
        Steady = "steady",
        /// Something was withheld.
        Withheld = "withheld",
        /// A person has taken an incident.
        Ack = "ack",
        /// An alert never resolved and was given up.
        Expire = "expire",
    }
}

/// Something is told without interrupting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// When it was decided.
    pub ts: Timestamp,
    /// What it tells.
    pub action: NoticeAction,
    /// The incident, where there is one.
    pub incident: Option<IncidentId>,
    /// The series, where it is about one.
    pub series: Option<Arc<str>>,
    /// One sentence for people.
    pub text: String,
}

/// An incident as a whole: at its close, or at the end of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[repr(C)]
pub struct IncidentSummary {
    /// Its number.
    pub incident: IncidentId,
    /// When it opened.
    pub opened: Timestamp,
    /// When it first paged.
    pub paged: Option<Timestamp>,
    /// When it was over.
    pub resolved: Option<Timestamp>,
    /// When a person took it.
    pub acknowledged: Option<Timestamp>,
    /// Its worst severity.
    pub severity: Severity,
    /// The title of its page.
    pub title: String,
    /// All services that had a signal in it, most likely origin first.
    pub services: Vec<String>,
    /// All hosts that had a signal in it, most likely origin first.
    pub hosts: Vec<String>,
    /// All checks that had a signal in it.
    pub checks: Vec<String>,
    /// The most likely origin.
    pub origin: Origin,
    /// How many events are part of it (pages and joins).
    pub alerts: u64,
    /// What happened to it, oldest first, at most [`IncidentSummary::MOST_MOMENTS`].
    pub moments: Vec<Moment>,
}

impl IncidentSummary {
    /// How many moments an incident keeps; the first and the latest are kept.
    pub const MOST_MOMENTS: usize = 100;

    /// The services and hosts that it names.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        let origin = [&self.origin.service, &self.origin.host].into_iter().flatten();
        self.services.iter().chain(&self.hosts).chain(origin)
    }
}

/// One line of an incident's timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    pub ts: Timestamp,
    /// What, in one sentence.
    pub text: String,
}
