//! Prometheus and its kin (vmalert, Loki's and Mimir's rulers): the array that they POST to `/api/v2/alerts`.
//!
//! There is no status: an alert is resolved when its `endsAt` has passed. The identity is the whole label set. What
//! an alert is about is read from the labels that people usually set; none of them is required.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::{Event, Fingerprint, Kind, Posted, PostedText, Severity, Status, Timestamp};

use super::scalar::Scalar;
use super::{Body, Format, FormatError, Parsed, Rejected, Warning, instant, level, placeholder, split};

mod labels;
pub mod posting;

pub(super) use labels::{Subject, Texts, bare_host};

pub(super) const FORMAT: Format = Format {
    name: "prometheus",
    title: "Prometheus, vmalert and rulers: alerts as posted to /api/v2/alerts",
    setup: "alerting: alertmanagers: path_prefix /ingest/prometheus",
    signature: None,
    parse: |body| parse_as(FORMAT.name, body),
};

/// How long before its receipt a firing may have begun for its beginning to be its time. Later tellings only say
/// that it still fires, which is true at their receipt.
const FRESH: f64 = 300.0;
/// How far ahead of the receipt the sender's clock may be.
const AHEAD: f64 = 60.0;

/// One alert, as Prometheus and Alertmanager write it.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an alert, a JSON object")]
pub(super) struct Alert<'a> {
    #[serde(borrow, default)]
    status: Scalar<'a>,
    #[serde(borrow, default)]
    labels: Option<Texts<'a>>,
    #[serde(borrow, default)]
    annotations: Option<Texts<'a>>,
    #[serde(borrow, default, rename = "startsAt")]
    starts_at: Scalar<'a>,
    #[serde(borrow, default, rename = "endsAt")]
    ends_at: Scalar<'a>,
    #[serde(borrow, default, rename = "generatorURL")]
    generator_url: Scalar<'a>,
}

/// What surrounds an alert.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// The event's `source`.
    pub(super) source: &'static str,
    /// When the body arrived.
    pub(super) received: Timestamp,
    /// Whether the group as a whole is said to be resolved.
    pub(super) group_resolved: bool,
}

/// Reads an array of alerts from this source.
pub(super) fn parse_as(source: &'static str, body: &Body<'_>) -> Result<Parsed, FormatError> {
    let around = Around { source, received: body.received, group_resolved: false };
    let bytes = split::trimmed(body.bytes);
    let mut parsed = Parsed::default();
    match bytes.first() {
        Some(b'[') => match serde_json::from_slice::<Vec<Alert<'_>>>(bytes) {
            Ok(alerts) => {
                alerts.into_iter().enumerate().for_each(|(index, alert)| alert.add(index, around, &mut parsed))
            }
            Err(_) => {
                for (index, element) in split::elements(bytes).into_iter().enumerate() {
                    add(element, index, around, &mut parsed);
                }
            }
        },
        _ => {
            let help = "Prometheus posts an array: [{\"labels\": {\"alertname\": …}, \"startsAt\": …}]; an Alertmanager \
                        webhook belongs to /ingest/alertmanager";
            return Err(FormatError::new(source, "the body is no JSON array", help));
        }
    }
    Ok(parsed)
}

/// Reads one alert from its own text.
pub(super) fn add(text: &[u8], index: usize, around: Around, parsed: &mut Parsed) {
    match serde_json::from_slice::<Alert<'_>>(text) {
        Ok(alert) => alert.add(index, around, parsed),
        Err(error) => parsed.reject(Rejected {
            index,
            path: String::new(),
            message: error.to_string(),
            help: Some(
                "an alert looks like {\"labels\": {\"alertname\": \"DiskFull\"}, \"annotations\": {}}".to_owned(),
            ),
        }),
    }
}

impl Alert<'_> {
    /// Adds the alert as an event, or the reason why it cannot be one.
    pub(super) fn add(self, index: usize, around: Around, parsed: &mut Parsed) {
        let labels = self.labels.as_ref().filter(|labels| !labels.is_empty());
        let Some(labels) = labels else {
            parsed.reject(Rejected {
                index,
                path: "labels".to_owned(),
                message: "are missing or empty".to_owned(),
                help: Some("an alert is what its labels say; at least `alertname` is needed".to_owned()),
            });
            return;
        };
        let subject = Subject::of(labels);
        let (starts, ends) = (time(&self.starts_at), time(&self.ends_at));
        let status = self.status((index, ends), around, parsed);
        let mut event = Event {
            ts: happened(status, (starts, ends), around.received),
            received: Some(around.received),
            kind: subject.kind,
            service: subject.service,
            host: subject.host,
            severity: severity(labels, index, parsed),
            status,
            identity: Some(identity(labels)),
            ..Event::new(around.source, labels.get("alertname").unwrap_or_default())
        };
        annotate(&mut event, self.annotations.as_ref());
        event.ends = ends.filter(|_| status == Status::Firing);
        event.url = self.generator_url.text().filter(|url| !url.is_empty()).map(Cow::into_owned);
        if status == Status::Firing {
            let annotations = self.annotations.iter().flat_map(Texts::iter);
            let text = PostedText::new(labels.iter(), annotations, &event);
            event.posted = Some(Box::new(Posted { text, starts, ends, timeout: false }));
        }
        event.labels = words(labels, self.annotations.as_ref());
        parsed.keep(index, event);
    }

    fn status(&self, (index, ends): (usize, Option<Timestamp>), around: Around, parsed: &mut Parsed) -> Status {
        let said = match &self.status {
            Scalar::Text(word) if word.eq_ignore_ascii_case("resolved") => Some(Status::Resolved),
            Scalar::Text(word) if word.eq_ignore_ascii_case("firing") => Some(Status::Firing),
            _ => None,
        };
        let ended = ends.is_some_and(|end| end <= around.received);
        match said {
            // A group is resolved only when all of it is: this alert's word is the older one.
            Some(Status::Firing) if around.group_resolved => {
                let message = "the alert says firing, its group resolved: taken as resolved";
                parsed.warn(Warning::new(index, "status", message));
                Status::Resolved
            }
            Some(said) => said,
            None if ended || around.group_resolved => Status::Resolved,
            None => Status::Firing,
        }
    }
}

/// When what is told happened, where that is the time of the beginning or the end.
fn happened(
    status: Status,
    (starts, ends): (Option<Timestamp>, Option<Timestamp>),
    received: Timestamp,
) -> Option<Timestamp> {
    if status == Status::Resolved {
        return ends.filter(|end| end.since(received) <= AHEAD);
    }
    starts.filter(|start| (-AHEAD..=FRESH).contains(&received.since(*start)))
}

/// A time; Go's zero time and everything else that is none is `None`.
fn time(value: &Scalar<'_>) -> Option<Timestamp> {
    match value {
        Scalar::Text(text) => instant::rfc3339(text),
        _ => None,
    }
}

/// The severity that the labels tell; without any, a warning.
fn severity(labels: &Texts<'_>, index: usize, parsed: &mut Parsed) -> Severity {
    let Some((name, word)) =
        ["severity", "priority", "level"].iter().find_map(|name| labels.get(name).map(|word| (*name, word)))
    else {
        return Severity::Warning;
    };
    level::severity(word).unwrap_or_else(|| {
        let shown: String = word.chars().take(60).collect();
        let message = format!("`{shown}` is no severity that is known: taken as warning");
        parsed.warn(Warning::new(index, format!("labels.{name}"), message));
        Severity::Warning
    })
}

/// The whole label set as one word, the same whoever sends it and in whatever order.
fn identity(labels: &Texts<'_>) -> String {
    let mut sorted: Vec<(&str, &str)> = labels.iter().filter(|(_, value)| !placeholder::is_unexpanded(value)).collect();
    // Of a name that stands twice the last value counts.
    sorted.reverse();
    sorted.sort_by_key(|(name, _)| *name);
    sorted.dedup_by_key(|(name, _)| *name);
    let parts: Vec<&str> = sorted.into_iter().flat_map(|(name, value)| [name, value]).collect();
    Fingerprint::of(&parts).to_string()
}

/// What the annotations say to people.
fn annotate(event: &mut Event, annotations: Option<&Texts<'_>>) {
    let Some(annotations) = annotations else { return };
    let first = |names: &[&str]| annotations.first(names).map(ToOwned::to_owned);
    event.summary = first(&["summary", "title", "message", "description", "info"]);
    event.runbook_url = first(&["runbook_url", "runbook"]).filter(|url| url.starts_with("http"));
    event.value = first(&["value", "current_value"])
        .and_then(|value| value.trim().parse().ok())
        .filter(|value: &f64| value.is_finite());
}

/// The labels, and the annotations that have no field of their own. Made at once: a map that grows by one costs more.
fn words(labels: &Texts<'_>, annotations: Option<&Texts<'_>>) -> BTreeMap<String, String> {
    let annotations = annotations.into_iter().flat_map(Texts::iter);
    let kept = annotations.filter(|(name, _)| !matches!(*name, "summary" | "runbook_url" | "alertname"));
    // The labels proper win over annotations of the same name: of equal names the last counts.
    let labels = labels.iter().filter(|(name, _)| *name != "alertname");
    kept.chain(labels).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A kind that a rule's author has written down.
fn kind_word(labels: &Texts<'_>) -> Option<Kind> {
    labels.get("kind").and_then(|word| word.parse().ok())
}
