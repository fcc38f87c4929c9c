//! The words that tools use for how bad something is, in the contract's four.

use crate::domain::Severity;

/// Words by severity, lower case. Numbers and vendor scales that collide between tools (`1`, `P1` of some, `S1`)
/// are in only where all tools that use them agree.
const WORDS: &[(Severity, &[&str])] = &[
    (
        Severity::Critical,
        &["critical", "crit", "page", "fatal", "emergency", "emerg", "disaster", "alert", "down", "p1", "sev1", "sev0"],
    ),
    (Severity::Error, &["error", "err", "major", "high", "unreachable", "p2", "sev2"]),
    (Severity::Warning, &["warning", "warn", "minor", "medium", "average", "ticket", "unknown", "p3", "sev3"]),
    (
        Severity::Info,
        &[
            "info",
            "information",
            "informational",
            "none",
            "notice",
            "debug",
            "sample",
            "low",
            "ok",
            "p4",
            "p5",
            "sev4",
            "sev5",
        ],
    ),
];

/// The severity that a tool's word means, in any case of letters; `None` = nobody uses that word.
pub(super) fn severity(word: &str) -> Option<Severity> {
    let word = word.trim();
    WORDS
        .iter()
        .find(|(_, words)| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
        .map(|(severity, _)| *severity)
}
