//! The levels of a series, which the judgement tells apart. Deliberately coarser than the severities of the senders.

use serde::{Deserialize, Serialize};

use super::signal::Severity;

/// How bad a series is, for the judgement: off, on, or on and critical.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Level {
    /// Nothing fires.
    #[default]
    Off,
    /// A warning or an error fires.
    On,
    /// A critical alert fires.
    Critical,
}

impl Level {
    /// The level of an alert of this severity. (What is below `page_from` never gets here.)
    pub(crate) fn of(severity: Severity) -> Self {
        match severity {
            Severity::Info | Severity::Warning | Severity::Error => Self::On,
            Severity::Critical => Self::Critical,
        }
    }
}
