//! The words that tools use for the state of an alert.

use crate::domain::Status;

const WORDS: &[(Status, &[&str])] = &[
    (
        Status::Firing,
        &[
            "firing",
            "fired",
            "fire",
            "triggered",
            "trigger",
            "alerting",
            "alert",
            "alarm",
            "alarmed",
            "open",
            "opened",
            "active",
            "activated",
            "problem",
            "down",
            "critical",
            "warning",
            "warn",
            "error",
            "failing",
            "failed",
            "failure",
            "create",
            "created",
            "new",
            "started",
            "missing",
            "unhealthy",
            "degraded",
            "offline",
            "unreachable",
            "anomalous",
            "reopened",
            "unresolved",
            "re-triggered",
            "unavailable",
        ],
    ),
    (
        Status::Resolved,
        &[
            "resolved",
            "resolve",
            "ok",
            "okay",
            "normal",
            "closed",
            "close",
            "recovered",
            "recovery",
            "clear",
            "cleared",
            "up",
            "success",
            "succeeded",
            "passing",
            "healthy",
            "inactive",
            "deactivated",
            "green",
            "ended",
            "online",
            "reachable",
            "good",
            "fixed",
            "available",
        ],
    ),
    (Status::Acknowledged, &["acknowledged", "acknowledge", "acknowledgement", "ack", "acked"]),
    (Status::NoData, &["nodata", "no_data", "no data", "insufficient_data", "unknown"]),
    (Status::Event, &["event"]),
    (Status::Sample, &["sample"]),
];

/// The status that a tool's word means, in any case of letters; `None` = the word means different things to tools.
pub(super) fn status(word: &str) -> Option<Status> {
    let word = word.trim();
    WORDS
        .iter()
        .find(|(_, words)| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
        .map(|(status, _)| *status)
}
