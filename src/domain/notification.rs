//! A message that is owed to a receiver: a row of the outbox.
//!
//! Deliberately not how it is worded or sent: `sinks` compose requests from it, `deliver` performs them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::decision::{IncidentId, IncidentSummary, Notice, Origin, Page};
use super::signal::Severity;
use super::time::Timestamp;

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
    /// A person is interrupted again, or another one, because nobody has taken it.
    Reminder(Box<Reminder>),
    /// A digest, as it was put together.
    Digest(Box<Dispatch>),
}

/// Nobody has taken what a page told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reminder {
    /// When it was decided.
    pub ts: Timestamp,
    /// Since when nobody has taken it.
    pub since: Timestamp,
    /// The page.
    pub page: Page,
}

impl Content {
    /// The page that it tells, or tells again.
    #[must_use]
    pub fn page(&self) -> Option<&Page> {
        match self {
            Self::Page(page) => Some(page),
            Self::Reminder(reminder) => Some(&reminder.page),
            Self::Notice(_) | Self::Digest(_) => None,
        }
    }

    /// When it was decided.
    #[must_use]
    pub const fn ts(&self) -> Timestamp {
        match self {
            Self::Page(page) => page.ts,
            Self::Reminder(reminder) => reminder.ts,
            Self::Notice(notice) => notice.ts,
            Self::Digest(digest) => digest.until,
        }
    }
}

/// A digest that was put together, ready to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The name of the digest.
    pub digest: String,
    /// What it tells begins then …
    pub from: Timestamp,
    /// … and ends just before.
    pub until: Timestamp,
    /// Its subject, one line.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// Its HTML, which refers to the images by their names.
    pub html: String,
    /// Its images.
    pub images: Vec<Image>,
}

/// An image of a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// By what the HTML calls it: visible ASCII.
    pub name: String,
    /// The image as PNG.
    pub png: Vec<u8>,
}

impl Dispatch {
    /// What stands for an incident where a message must be about one: number 0 is about none.
    #[must_use]
    pub fn summary(&self) -> IncidentSummary {
        IncidentSummary {
            incident: IncidentId(0),
            opened: self.until,
            paged: None,
            resolved: None,
            acknowledged: None,
            severity: Severity::Info,
            title: self.subject.clone(),
            services: Vec::new(),
            hosts: Vec::new(),
            checks: Vec::new(),
            origin: Origin::default(),
            alerts: 0,
            moments: Vec::new(),
        }
    }
}
