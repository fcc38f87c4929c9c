//! Grafana: the webhook of unified alerting (Alertmanager's with more in it), and that of the alerting before version 9.
//!
//! The old form says all series of a rule in one body, and none when they are well: so its rule is the alert.

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::{Event, Kind, Severity, Status};

use super::document::{Document, rejected};
use super::prometheus::{self, Around};
use super::{Body, Encoding, Format, FormatError, Parsed, Rejected, Signature, Warning, level, split};

pub(super) const FORMAT: Format = Format {
    name: "grafana",
    title: "Grafana: webhook contact point, and legacy alert notifications",
    setup: "Alerting > Contact points > Webhook: /ingest/grafana; \"HMAC signature\" with the secret of the settings",
    signature: Some(Signature {
        header: Cow::Borrowed("X-Grafana-Alerting-Signature"),
        prefix: Cow::Borrowed(""),
        encoding: Encoding::Hex,
        timestamp_header: Some(Cow::Borrowed("X-Grafana-Alerting-Timestamp")),
    }),
    parse,
};

const HELP: &str =
    "Grafana posts {\"status\": …, \"alerts\": [ … ]} (contact points) or {\"ruleId\": …, \"state\": …} (legacy)";

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let bytes = split::trimmed(body.bytes);
    let document = Document::read(bytes, FORMAT.name, HELP)?;
    let mut parsed = Parsed::default();
    let resolved = document.text(&["/status"]).is_some_and(|word| word.eq_ignore_ascii_case("resolved"));
    let around = Around { source: FORMAT.name, received: body.received, group_resolved: resolved };
    if let Some(alerts) = document.at("/alerts").and_then(Value::as_array) {
        for (index, alert) in alerts.iter().enumerate() {
            unified(alert, index, around, &mut parsed);
        }
        if let Some(lost) = document.at("/truncatedAlerts").and_then(Value::as_u64).filter(|lost| *lost > 0) {
            let message = format!("Grafana left out {lost} alerts of this group: set \"max alerts\" to 0");
            parsed.warn(Warning::new(alerts.len(), "truncatedAlerts", message));
        }
    } else if document.at("/labels").is_some() {
        prometheus::add(bytes, 0, around, &mut parsed);
    } else if document.at("/ruleName").or_else(|| document.at("/ruleId")).is_some() {
        match legacy(&document, &mut parsed) {
            Ok(Some(event)) => parsed.keep(0, Event { received: Some(body.received), ..event }),
            Ok(None) => {}
            Err(rejected) => parsed.reject(rejected),
        }
    } else {
        return Err(FormatError::new(FORMAT.name, "the body is none of Grafana's", HELP));
    }
    Ok(parsed)
}

/// One alert of a contact point: what Alertmanager says of it, and Grafana's values and links.
fn unified(alert: &Value, index: usize, around: Around, parsed: &mut Parsed) {
    let before = parsed.events.len();
    prometheus::add(alert.to_string().as_bytes(), index, around, parsed);
    let Some(event) = parsed.events.get_mut(before) else { return };
    event.value = value(alert);
    let link = |name: &str| alert.get(name).and_then(Value::as_str).filter(|link| link.starts_with("http"));
    if !event.url.as_deref().is_some_and(|url| url.starts_with("http")) {
        event.url = link("panelURL").or_else(|| link("dashboardURL")).map(ToOwned::to_owned);
    }
    for (name, label) in [("dashboardURL", "dashboard_url"), ("panelURL", "panel_url"), ("silenceURL", "silence_url")] {
        if let Some(link) = link(name) {
            event.labels.insert(label.to_owned(), link.to_owned());
        }
    }
    // Of a rule that cannot see, Grafana makes an alert of another name.
    if matches!(event.check.as_str(), "DatasourceNoData" | "DatasourceError") {
        if let Some(rule) = event.labels.get("rulename") {
            event.check.clone_from(rule);
        }
        if event.status == Status::Firing {
            event.status = Status::NoData;
        }
    }
}

/// What was measured: the first of the values by name (the query; expressions come after it), or the first number of
/// the text that older versions send.
fn value(alert: &Value) -> Option<f64> {
    let values = alert.get("values").and_then(Value::as_object);
    let first = values.and_then(|values| values.values().find_map(Value::as_f64));
    first
        .or_else(|| {
            let (_, rest) = alert.get("valueString")?.as_str()?.split_once("value=")?;
            rest.split([' ', ']']).next()?.parse().ok()
        })
        .filter(|value| value.is_finite())
}

/// A rule of the alerting before version 9.
fn legacy(document: &Document, parsed: &mut Parsed) -> Result<Option<Event>, Rejected> {
    let state = document.owned(&["/state"]).unwrap_or_default();
    let status = match state.as_str() {
        "alerting" => Status::Firing,
        "ok" => Status::Resolved,
        "no_data" => Status::NoData,
        "paused" | "pending" => {
            parsed.warn(Warning::new(0, "state", format!("`{state}` is nothing to judge: left out")));
            return Ok(None);
        }
        _ => {
            let shown: String = state.chars().take(60).collect();
            let help = "known: alerting, ok, no_data, paused, pending";
            return Err(rejected("state", format!("`{shown}` is no state of Grafana"), help));
        }
    };
    let host =
        document.text(&["/evalMatches/0/tags/host", "/evalMatches/0/tags/hostname", "/evalMatches/0/tags/instance"]);
    let severity = document.text(&["/tags/severity", "/tags/priority"]).and_then(|word| level::severity(&word));
    let mut event = Event {
        kind: Kind::Other,
        service: document.owned(&["/tags/service", "/evalMatches/0/tags/service", "/evalMatches/0/tags/job"]),
        host: host.map(|host| prometheus::bare_host(&host).to_owned()),
        severity: severity.unwrap_or(Severity::Warning),
        status,
        value: document.at("/evalMatches/0/value").and_then(Value::as_f64),
        summary: document.owned(&["/message", "/title"]),
        identity: document
            .owned(&["/ruleId"])
            .map(|id| format!("rule/{}/{id}", document.text(&["/orgId"]).unwrap_or_default())),
        url: document.owned(&["/ruleUrl"]),
        ..Event::new(FORMAT.name, document.owned(&["/ruleName", "/title"]).unwrap_or_default())
    };
    document.label(
        &mut event,
        &[
            ("/title", "title"),
            ("/imageUrl", "image_url"),
            ("/evalMatches/0/metric", "metric"),
            ("/dashboardId", "dashboard_id"),
        ],
    );
    for tags in ["/tags", "/evalMatches/0/tags"] {
        for (name, value) in document.at(tags).and_then(Value::as_object).into_iter().flatten() {
            if let Some(text) = value.as_str() {
                event.labels.entry(name.clone()).or_insert_with(|| text.to_owned());
            }
        }
    }
    Ok(Some(event))
}
