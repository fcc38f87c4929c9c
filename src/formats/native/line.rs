//! An event written back as one JSON line of the contract.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{Event, Timestamp};

/// The event as one JSON object without line end: fields in the contract's order, absent ones left out, times as
/// epoch seconds. Reading it back gives the same event; only a tool's own identity comes back as its `dedup_key`,
/// which pairs the same alerts.
#[must_use]
pub fn write_line(event: &Event) -> String {
    serde_json::to_string(&Line::of(event)).expect("strings, finite numbers and a map of strings are always JSON")
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<f64>,
    source: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    check: &'a str,
    severity: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dedup_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<f64>,
}

impl<'a> Line<'a> {
    fn of(event: &'a Event) -> Self {
        Self {
            ts: event.ts.map(Timestamp::secs),
            received: event.received.map(Timestamp::secs),
            source: &event.source,
            kind: event.kind.word(),
            service: event.service.as_deref(),
            host: event.host.as_deref(),
            check: &event.check,
            severity: event.severity.word(),
            status: event.status.word(),
            value: event.value,
            threshold: event.threshold,
            unit: event.unit.as_deref(),
            summary: event.summary.as_deref(),
            labels: &event.labels,
            dedup_key: event.dedup_key.as_deref().or(event.identity.as_deref()),
            url: event.url.as_deref(),
            runbook_url: event.runbook_url.as_deref(),
            ends: event.ends.map(Timestamp::secs),
        }
    }
}
