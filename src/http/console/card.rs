//! A card: an incident in a few lines.

use serde::Serialize;

use super::paper::Moment;
use crate::domain::{IncidentSummary, Timestamp};
use crate::replay::wording::{several, span};
use crate::sinks::clean;

/// So long may a title be, in characters.
const TITLE: usize = 160;
/// So long may the latest news be.
const LATEST: usize = 220;

/// An incident in a few lines.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Card {
    pub(super) number: u64,
    severity: &'static str,
    pub(super) title: String,
    opened: Moment,
    size: String,
    origin: String,
    latest: String,
    taken: String,
    lasted: String,
}

impl Card {
    /// The card of an incident, seen at `now`.
    pub(super) fn of(summary: &IncidentSummary, now: Timestamp) -> Self {
        let origin = [&summary.origin.service, &summary.origin.host].into_iter().flatten().map(String::as_str);
        let lasted = span(summary.resolved.unwrap_or(now).since(summary.opened));
        Self {
            number: summary.incident.0,
            severity: summary.severity.word(),
            title: clean::line(&summary.title, TITLE),
            opened: Moment::of(summary.opened, now),
            size: size(summary),
            origin: clean::line(&origin.collect::<Vec<_>>().join(", "), TITLE),
            latest: summary.moments.last().map(|moment| clean::line(&moment.text, LATEST)).unwrap_or_default(),
            taken: summary
                .acknowledged
                .map(|at| format!("taken after {}", span(at.since(summary.opened))))
                .unwrap_or_default(),
            lasted: if summary.resolved.is_some() { format!("lasted {lasted}") } else { format!("for {lasted}") },
        }
    }
}

fn size(summary: &IncidentSummary) -> String {
    let parts = [(summary.services.len(), "service"), (summary.hosts.len(), "host")];
    let parts = parts.into_iter().filter(|(number, _)| *number > 1).map(|(number, noun)| several(number as u64, noun));
    std::iter::once(several(summary.alerts, "event")).chain(parts).collect::<Vec<_>>().join(", ")
}
