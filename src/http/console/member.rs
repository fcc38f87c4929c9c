//! A member: a series in words, as `squelch why` tells it.

use serde::Serialize;

use super::paper::Moment;
use crate::domain::{SeriesExplanation, Timestamp};
use crate::replay::sentences;
use crate::replay::wording::{Ink, span};

/// A series in words.
#[derive(Debug, Serialize)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) key: String,
    state: String,
    words: String,
    pub(super) verdicts: Vec<Judged>,
}

/// A verdict with its numbers.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    at: Moment,
    outcome: &'static str,
    words: String,
    incident: Option<u64>,
}

impl Member {
    /// A series, seen at `now`.
    pub(super) fn of(series: &SeriesExplanation, now: Timestamp) -> Self {
        let words = lines(series, now);
        Self {
            name: series.name.to_string(),
            key: series.fingerprint.to_string(),
            state: state(series, now),
            words: words.into_iter().take(2).collect::<Vec<_>>().join(" "),
            verdicts: verdicts(series, now),
        }
    }
}

fn state(series: &SeriesExplanation, now: Timestamp) -> String {
    let flaps =
        series.flapping_since.map(|since| format!(", flaps for {}", span(now.since(since)))).unwrap_or_default();
    match (series.firing, series.since) {
        (Some(severity), Some(since)) => format!("{severity} for {}{flaps}", span(now.since(since))),
        _ => format!("does not fire{flaps}"),
    }
}

/// What is known of a series, a paragraph each.
pub(super) fn lines(series: &SeriesExplanation, now: Timestamp) -> Vec<String> {
    let without = SeriesExplanation { verdicts: Vec::new(), ..series.clone() };
    let text = sentences::series(&without, now, Ink::Plain);
    let mut all: Vec<String> = Vec::new();
    // The first line is its name; what is wrapped goes on further in.
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        match all.last_mut() {
            Some(last) if !last.ends_with(['.', '!']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => all.push(line.trim().to_owned()),
        }
    }
    all
}

/// Its latest verdicts, latest first.
pub(super) fn verdicts(series: &SeriesExplanation, now: Timestamp) -> Vec<Judged> {
    let judged = |verdict: &crate::domain::decision::Verdict| Judged {
        at: Moment::of(verdict.ts, now),
        outcome: verdict.reason.outcome().word(),
        words: sentences::judged(verdict),
        incident: verdict.incident.map(|id| id.0),
    };
    series.verdicts.iter().rev().map(judged).collect()
}
