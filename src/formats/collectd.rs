//! collectd's `write_http` in JSON: measured values, which only feed the baselines, and notifications, which are alerts.
//!
//! Deliberately gauges alone: a counter says nothing before it is a rate (`StoreRates true` makes it one).

use serde_json::{Map, Value};

use crate::domain::{Event, Kind, Severity, Status};

use super::{Body, Format, FormatError, Parsed, Rejected, Warning, instant, split};

pub(super) const FORMAT: Format = Format {
    name: "collectd",
    title: "collectd: write_http in JSON (samples for the baselines, notifications)",
    setup: "<Plugin write_http> <Node squelch> URL \".../ingest/collectd\" Format \"JSON\" StoreRates true Notifications true",
    signature: None,
    parse,
};

const HELP: &str = "collectd posts [{\"values\": [1.5], \"dstypes\": [\"gauge\"], \"dsnames\": [\"value\"], \"host\": …, \"plugin\": …}]";

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let bytes = split::trimmed(body.bytes);
    if !bytes.starts_with(b"[") {
        return Err(FormatError::new(FORMAT.name, "the body is no JSON array", HELP));
    }
    let mut parsed = Parsed::default();
    let mut left_out = 0;
    for (index, element) in split::elements(bytes).into_iter().enumerate() {
        match serde_json::from_slice::<Value>(element) {
            Ok(element) => match element.get("labels").and_then(Value::as_object) {
                Some(labels) => notification(labels, &element, (index, body), &mut parsed),
                None => left_out += values(&element, index, body, &mut parsed),
            },
            Err(error) => parsed.reject(Rejected {
                index,
                path: String::new(),
                message: error.to_string(),
                help: Some(HELP.to_owned()),
            }),
        }
    }
    if left_out > 0 {
        let message = format!("{left_out} of the values are no gauges: left out; `StoreRates true` makes them rates");
        parsed.warn(Warning::new(0, "dstypes", message));
    }
    Ok(parsed)
}

/// A notification: written as Prometheus writes an alert, but its state stands in the label `severity`, and its end is a
/// notification of its own. So that label is no part of its identity.
fn notification(labels: &Map<String, Value>, whole: &Value, (index, body): (usize, &Body<'_>), parsed: &mut Parsed) {
    let text = |name: &str| labels.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (status, severity) = match text("severity") {
        Some("FAILURE") => (Status::Firing, Severity::Critical),
        Some("WARNING") => (Status::Firing, Severity::Warning),
        Some("OKAY") => (Status::Resolved, Severity::Info),
        _ => {
            let message = "is none of FAILURE, WARNING and OKAY".to_owned();
            let help = Some("collectd's notifications have one of these".to_owned());
            return parsed.reject(Rejected { index, path: "labels.severity".to_owned(), message, help });
        }
    };
    let Some(check) = text("alertname") else {
        let message = "is missing".to_owned();
        return parsed.reject(Rejected {
            index,
            path: "labels.alertname".to_owned(),
            message,
            help: Some(HELP.to_owned()),
        });
    };
    let said = whole.get("annotations").and_then(Value::as_object).into_iter().flatten();
    let about =
        labels.iter().filter(|(name, _)| !["severity", "service", "alertname", "instance"].contains(&name.as_str()));
    let plain = |(name, value): (&String, &Value)| Some((name.clone(), scalar(value)?));
    let mut own: Vec<_> = about.clone().filter_map(plain).map(|(name, value)| format!("{name}={value}")).collect();
    own.sort();
    let host = text("instance").unwrap_or_default();
    let event = Event {
        ts: whole.get("startsAt").and_then(Value::as_str).and_then(instant::rfc3339),
        received: Some(body.received),
        kind: Kind::Host,
        host: Some(host.to_owned()).filter(|host| !host.is_empty()),
        severity,
        status,
        value: whole.pointer("/annotations/CurrentValue").and_then(number),
        summary: whole.pointer("/annotations/summary").and_then(scalar),
        identity: Some(format!("{host}/{check}/{}", own.join(","))),
        labels: about.chain(said.filter(|(name, _)| *name != "summary")).filter_map(plain).collect(),
        ..Event::new(FORMAT.name, check)
    };
    parsed.keep(index, event);
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    Some(number).filter(|number| number.is_finite())
}

/// The gauges of one value list as samples; how many values were none.
fn values(list: &Value, index: usize, body: &Body<'_>, parsed: &mut Parsed) -> usize {
    let text = |name: &str| list.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let items = |name: &str| list.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let (Some(host), Some(plugin)) = (text("host"), text("plugin")) else {
        let help = Some(HELP.to_owned());
        let message = "`host` or `plugin` is missing".to_owned();
        parsed.reject(Rejected { index, path: String::new(), message, help });
        return 0;
    };
    let mut left_out = 0;
    for (at, value) in items("values").iter().enumerate() {
        let kind = items("dstypes").get(at).and_then(Value::as_str).unwrap_or("gauge");
        // What cannot be measured is null.
        let (Some(value), "gauge") = (value.as_f64(), kind) else {
            left_out += usize::from(!value.is_null());
            continue;
        };
        let name = items("dsnames").get(at).and_then(Value::as_str).filter(|name| *name != "value");
        let parts = [Some(plugin), text("plugin_instance"), text("type"), text("type_instance"), name];
        let check: Vec<&str> = parts.into_iter().flatten().collect();
        let event = Event {
            ts: list.get("time").and_then(Value::as_f64).and_then(instant::epoch),
            received: Some(body.received),
            kind: Kind::Host,
            host: Some(host.to_owned()),
            status: Status::Sample,
            value: Some(value),
            ..Event::new(FORMAT.name, check.join("/"))
        };
        parsed.keep(index, event);
    }
    left_out
}
