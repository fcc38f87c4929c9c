//! A check over all its series: the priors that a series without a history of its own borrows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::stage::duration::Episodes;
use super::stage::forget::Decay;
use super::table::Row;

/// What is learned of a check over all series.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Check {
    /// Its identity.
    pub(crate) fingerprint: Fingerprint,
    /// Its name.
    pub(crate) name: Arc<str>,
    /// How many series it has.
    pub(crate) series: u32,
    /// Starts, and critical starts, decayed.
    pub(crate) starts: [Decay; 2],
    /// Point events, decayed.
    pub(crate) events: Decay,
    /// How long its episodes last.
    pub(crate) episodes: Episodes,
    /// Episodes of flapping, decayed, and how long they last.
    pub(crate) flaps: (Decay, Episodes),
}

impl Check {
    /// A check that was never heard of.
    pub(crate) fn new(fingerprint: Fingerprint, name: Arc<str>) -> Self {
        Self {
            fingerprint,
            name,
            series: 0,
            starts: Default::default(),
            events: Decay::default(),
            episodes: Episodes::default(),
            flaps: Default::default(),
        }
    }
}

impl Row for Check {
    const KIND: u8 = b'c';

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}
