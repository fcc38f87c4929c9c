//! What goes into the engine and what comes out of one turn of it.

use super::decision::{Decision, IncidentId};
use super::event::Event;
use super::notification::{Dispatch, Notification, NotificationKey};
use super::opinion::Opinion;
use super::policy::Policy;
use super::silence::Silence;
use std::sync::Arc;

/// All that can happen to the engine. A closed list: whatever is not here does not happen.
#[derive(Debug)]
pub enum Input<'a> {
    /// A raw signal, under its number.
    Event {
        /// Its number; ascending, never used twice.
        seq: u64,
        /// The signal.
        event: &'a Event,
    },
    /// Time has passed: whatever is due fires, each at its own deadline.
    Tick,
    /// New rules are in force. All state is kept.
    Policy(Arc<Policy>),
    /// A person (named) has taken an incident.
    Acknowledge {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: &'a str,
    },
    /// A person (named) declares an incident to be over.
    Resolve {
        /// Which.
        incident: IncidentId,
        /// Who.
        by: &'a str,
    },
    /// A person (named) says whether the page of an incident was worth it, or takes back what was said.
    Feedback {
        /// Which.
        incident: IncidentId,
        /// What is said.
        opinion: Opinion,
        /// Who.
        by: &'a str,
    },
    /// A person (named) says that a part of an incident is another trouble.
    Split {
        /// Which.
        incident: IncidentId,
        /// The service or host that the part is about.
        part: &'a str,
        /// Who.
        by: &'a str,
    },
    /// A person sets, changes or ends a silence.
    Silence(&'a Silence),
    /// A person (named) turns shadow mode on or off.
    Shadow {
        /// On: nobody is paged.
        on: bool,
        /// Who.
        by: &'a str,
    },
    /// A notification was taken by its receiver.
    Delivered(&'a NotificationKey),
    /// A notification was not taken in time, and is told to others; it is tried on.
    Overdue(&'a NotificationKey),
    /// A notification was given up, for this reason.
    Undeliverable {
        /// Which.
        key: &'a NotificationKey,
        /// Why, without secrets.
        error: &'a str,
    },
    /// A digest was put together: it is to be sent, if it has not been meanwhile.
    Digest(&'a Dispatch),
}

/// What one or more turns led to. The caller owns it and may let several turns add to one.
#[derive(Debug, Default)]
pub struct Turn {
    /// What was decided, in order of decision time.
    pub decisions: Vec<Decision>,
    /// What is to be sent, in order. Each is also a record of the engine's state until it is delivered.
    pub notifications: Vec<Arc<Notification>>,
}

impl Turn {
    /// Forgets everything but keeps the memory.
    pub fn clear(&mut self) {
        self.decisions.clear();
        self.notifications.clear();
    }
}

/// A change of one record of the engine's state: its whole new value, or its removal. Applying all changes in
/// order to an empty map gives the records that [`super::Engine::restore`] takes; a later change of a key
/// replaces all earlier ones, so a log of changes may be compacted by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record's key: its kind (one byte), then its identity.
    pub key: Vec<u8>,
    /// The record's new value, the first byte its version; `None` = removed.
    pub value: Option<Vec<u8>>,
}
