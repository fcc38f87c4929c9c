//! The ledger: the engine's own time, its numbers, and the sums of promise 1.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::reason::Reason;
use super::table::Row;
use super::time::Timestamp;

/// The one row of its table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// The engine's time.
    pub(crate) now: Timestamp,
    /// When it first heard of anything.
    pub(crate) start: Option<Timestamp>,
    /// Since when it listens without a break.
    pub(crate) listens_since: Timestamp,
    /// Incidents so far.
    pub(crate) incidents: u64,
    /// Events accepted, samples left out.
    pub(crate) accepted: u64,
    /// Samples accepted.
    pub(crate) samples: u64,
    /// Verdicts by reason, in the order of [`Reason::ALL`].
    pub(crate) verdicts: Vec<u64>,
    /// Pages opened, and escalated.
    pub(crate) pages: (u64, u64),
    /// Messages that were about no incident.
    pub(crate) apart: u32,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            now: Timestamp::EPOCH,
            start: None,
            listens_since: Timestamp::EPOCH,
            incidents: 0,
            accepted: 0,
            samples: 0,
            verdicts: vec![0; Reason::ALL.len()],
            pages: (0, 0),
            apart: 0,
        }
    }
}

impl Ledger {
    /// Counts a verdict. (A ledger of an older version may know fewer reasons.)
    pub(crate) fn count(&mut self, reason: Reason) {
        let at = reason as usize;
        if self.verdicts.len() <= at {
            self.verdicts.resize(at + 1, 0);
        }
        self.verdicts[at] += 1;
    }

    /// Events that wait for their verdict.
    pub(crate) fn waiting(&self) -> u64 {
        self.accepted - self.verdicts.iter().sum::<u64>()
    }
}

impl Row for Ledger {
    const KIND: u8 = b'l';

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint(0)
    }
}

/// A change that was told: a deploy, a replaced instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// When.
    pub(crate) ts: Timestamp,
    /// Of which service, if it said.
    pub(crate) service: Option<Arc<str>>,
    /// Of which host, if it said.
    pub(crate) host: Option<Arc<str>>,
    /// What, in one line.
    pub(crate) text: String,
}

/// The latest changes: the suspects of the next incident.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// Oldest first, at most [`Changes::MOST`].
    pub(crate) told: VecDeque<Told>,
}

impl Changes {
    /// How many changes are kept.
    const MOST: usize = 64;

    /// Remembers a change.
    pub(crate) fn tell(&mut self, change: Told) {
        if self.told.len() == Self::MOST {
            self.told.pop_front();
        }
        self.told.push_back(change);
    }
}

impl Row for Changes {
    const KIND: u8 = b'g';

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint(0)
    }
}
