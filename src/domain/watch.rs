//! A watch over samples: what a rule with `adaptive` makes a series remember of them.
//!
//! Deliberately only what it does: `engine::samples` raises and ends the alert, and says what is a stretch.

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::stage::detector::Detector;
use super::stage::usual::Usual;
use super::time::Timestamp;

/// A series whose samples may raise an alert of Squelch's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Watch {
    /// What is usual.
    pub(crate) usual: Usual,
    /// While the samples lie outside of that.
    pub(crate) stretch: Option<Box<Stretch>>,
    /// While the alert fires: since when the samples are usual again.
    pub(crate) calm_since: Option<Timestamp>,
}

/// Samples outside of what is usual, one after another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stretch {
    /// Since when.
    pub(crate) since: Timestamp,
    /// What was known before it. What becomes an alert must teach nothing.
    pub(crate) before: (Usual, Detector),
    /// When it became an alert.
    pub(crate) raised: Option<Timestamp>,
}

impl Watch {
    /// The alert of a series with this name.
    pub(crate) fn alert(series: &str) -> Fingerprint {
        Fingerprint::of(&["adaptive", series])
    }
}
