//! A heartbeat: an event that a sender promised to repeat, so that its silence tells of its death.
//!
//! Deliberately only what it does; which events are heartbeats stands in the policy.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::table::Row;
use super::time::Timestamp;

/// A heartbeat that is waited for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Heartbeat {
    /// Its name in the policy.
    pub(crate) name: Arc<str>,
    /// The latest one; before the first one, when it was first waited for.
    pub(crate) heard: Timestamp,
    /// Whether it is overdue, and people were told.
    pub(crate) silent: bool,
}

impl Heartbeat {
    /// The identity of a heartbeat of this name.
    pub(crate) fn key(name: &str) -> Fingerprint {
        Fingerprint::of(&["heartbeat", name])
    }
}

impl Row for Heartbeat {
    const KIND: u8 = b'h';

    fn fingerprint(&self) -> Fingerprint {
        Self::key(&self.name)
    }
}
