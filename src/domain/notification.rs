//! A message that is owed to a receiver: a row of the outbox.
//!
//! Deliberately not how it is worded or sent: `sinks` compose requests from it, `deliver` performs them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::decision::{IncidentId, IncidentSummary, Notice, Page};

/// The stable identity of a notification. Sending it twice under one key is harmless at the receiver.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NotificationKey {
    /// The incident.
    pub incident: IncidentId,
    /// Its place among the incident's messages, from 1.
    pub step: u32,
    /// The receiver's name.
    pub receiver: String,
}

/// `7.1.team-mail`: incident, step, receiver.
impl fmt::Display for NotificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.incident, self.step, self.receiver)
    }
}

/// A message that is owed to a receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Its identity.
    pub key: NotificationKey,
    /// What it says.
    pub content: Content,
    /// The incident as it stood then.
    pub incident: IncidentSummary,
}

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// A person is interrupted.
    Page(Box<Page>),
    /// Told without interrupting: a resolve, a reopening.
    Notice(Notice),
}
