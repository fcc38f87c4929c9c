//! Shadow mode by a person's word: everything is judged, nobody is paged, until somebody says otherwise.
//!
//! Deliberately beside the policy: files keep saying what they say, and the word is a row of the engine's state, so that it
//! holds through reloads and restarts.

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::table::Row;
use super::time::Timestamp;

/// What a person said of shadow mode, against what the settings say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowWord {
    /// On: nobody is paged.
    pub on: bool,
    /// Who said it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl ShadowWord {
    /// There is one at most.
    pub(crate) fn key() -> Fingerprint {
        Fingerprint::of(&["shadow"])
    }
}

impl Row for ShadowWord {
    const KIND: u8 = b'z';

    fn fingerprint(&self) -> Fingerprint {
        Self::key()
    }
}
