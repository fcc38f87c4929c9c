//! What people said of incidents: whether a page was worth it, and about which series that speaks.
//!
//! Deliberately apart from the series: what is withdrawn leaves nothing behind, because nothing else was changed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decision::IncidentId;
use super::fingerprint::Fingerprint;
use super::incident::Incident;
use super::signal::vocabulary;
use super::table::Row;
use super::time::Timestamp;

vocabulary! {
    /// What a person says of an incident. An incident has one word: the latest replaces the one before.
    Opinion {
        /// It was no reason to wake anybody.
        Noise = "noise",
        /// It was good to be told.
        Useful = "useful",
        /// What was said of it counts no longer, as if it had never been said.
        Withdraw = "withdraw",
    }
}

/// A series that an opinion is about: one that made the incident page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    /// The series.
    pub(crate) series: Fingerprint,
    /// Its check: its kin are the other series that show it.
    pub(crate) check: Fingerprint,
    /// Whether it was critical when it made the incident page: only then noise speaks of criticals, too.
    pub(crate) critical: bool,
}

/// The word that stands about one incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Feedback {
    /// Which.
    pub(crate) incident: IncidentId,
    /// What was said; never [`Opinion::Withdraw`].
    pub(crate) opinion: Opinion,
    /// Who said it.
    pub(crate) by: Arc<str>,
    /// When.
    pub(crate) at: Timestamp,
    /// The series that had made it page by then, in order.
    pub(crate) about: Vec<About>,
}

impl Feedback {
    /// So many words are kept; beyond them the oldest count no longer.
    pub(crate) const MOST: usize = 1000;
}

impl Row for Feedback {
    const KIND: u8 = b'f';

    fn fingerprint(&self) -> Fingerprint {
        Incident::key(self.incident)
    }
}
