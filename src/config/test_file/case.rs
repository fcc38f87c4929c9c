//! A rule test after it was read: what happens when, and what is to come of it.
//!
//! Deliberately without YAML ([`super::read`]) and without an engine ([`crate::rule_test`]).

use std::sync::Arc;

use super::expectation::Expectation;
use crate::domain::{Event, IncidentId, Opinion, Policy, Silence, Timestamp};

/// Time 0 of every timeline: Monday 2026-01-05, 00:00 UTC.
pub const START: Timestamp = Timestamp::from_millis(1_767_571_200_000);

/// One test.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name: a sentence.
    pub name: String,
    /// The file that it stands in, and the line.
    pub place: (String, usize),
    /// The rules in force at the beginning.
    pub policy: Arc<Policy>,
    /// What happens, in order of time.
    pub steps: Vec<Step>,
    /// When the run ends.
    pub until: Timestamp,
    /// What is to come of it.
    pub expectations: Vec<Expectation>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// What.
    pub act: Act,
    /// The `id` of its line, by which expectations speak of it.
    pub id: Option<Arc<str>>,
}

impl Step {
    /// Whether it only prepares: what happens before time 0 is not counted.
    #[must_use]
    pub fn is_history(&self) -> bool {
        self.at < START
    }

    /// What the clock of the machine shows then: usually the step's time.
    #[must_use]
    pub fn received(&self) -> Timestamp {
        match &self.act {
            Act::Event(event) => event.received.unwrap_or(self.at),
            _ => self.at,
        }
    }
}

/// What can happen in a timeline.
#[derive(Clone, Debug)]
pub enum Act {
    /// A signal comes in.
    Event(Box<Event>),
    /// A person sets, changes or ends a silence.
    Silence(Silence),
    /// A person takes an incident.
    Acknowledge(IncidentId, String),
    /// A person declares an incident to be over.
    Resolve(IncidentId, String),
    /// A person says what an incident was worth, or takes that back.
    Feedback(IncidentId, Opinion, String),
    /// A person says that the part of an incident which is about this service or host is another trouble.
    Split(IncidentId, String, String),
    /// New rules are in force.
    Rules(Arc<Policy>),
    /// Squelch is killed, and started again from what it had stored.
    Restart,
}

/// A time of a timeline as it is written there: `1h30m`; before time 0: `-2d`.
#[must_use]
pub fn offset(time: Timestamp) -> String {
    let millis = time.millis() - START.millis();
    let sign = if millis < 0 { "-" } else { "" };
    let whole = std::time::Duration::from_millis(millis.unsigned_abs());
    // Fractions of a second are noise to a reader, unless they are all there is.
    let shown = if whole.as_secs() > 0 { std::time::Duration::from_secs(whole.as_secs()) } else { whole };
    format!("{sign}{}", crate::domain::duration::write(shown))
}
