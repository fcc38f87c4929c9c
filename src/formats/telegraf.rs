//! Telegraf's HTTP output in JSON: measured values, which only feed the baselines.

use serde_json::Value;

use crate::domain::{Event, Kind, Status};

use super::{Body, Format, FormatError, Parsed, Rejected, instant, split};

pub(super) const FORMAT: Format = Format {
    name: "telegraf",
    title: "Telegraf: HTTP output in JSON (samples for the baselines)",
    setup: "[[outputs.http]] url = \".../ingest/telegraf\", data_format = \"json\"",
    signature: None,
    parse,
};

const HELP: &str = "Telegraf posts {\"metrics\": [{\"name\": \"cpu\", \"fields\": {…}, \"tags\": {…}, \"timestamp\": …}]}, or one metric";

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let document: Value = serde_json::from_slice(split::trimmed(body.bytes))
        .map_err(|error| FormatError::new(FORMAT.name, error.to_string(), HELP))?;
    let metrics = match (document.get("metrics"), &document) {
        (Some(Value::Array(list)), _) | (None, Value::Array(list)) => list.as_slice(),
        _ => std::slice::from_ref(&document),
    };
    let mut parsed = Parsed::default();
    for (index, metric) in metrics.iter().enumerate() {
        if !fields(metric, index, body, &mut parsed) {
            let message = "`name` or `fields` is missing".to_owned();
            parsed.reject(Rejected { index, path: String::new(), message, help: Some(HELP.to_owned()) });
        }
    }
    Ok(parsed)
}

/// The numbers of one metric as samples; whether it is a metric. Tags but the host's are part of the series: two disks
/// are two.
fn fields(metric: &Value, index: usize, body: &Body<'_>, parsed: &mut Parsed) -> bool {
    let name = metric.get("name").and_then(Value::as_str);
    let (Some(name), Some(fields)) = (name, metric.get("fields").and_then(Value::as_object)) else { return false };
    let tags = metric.get("tags").and_then(Value::as_object);
    let tags = || tags.into_iter().flatten().filter_map(|(tag, value)| Some((tag.as_str(), value.as_str()?)));
    let named: Vec<String> =
        tags().filter(|(tag, _)| *tag != "host").map(|(tag, value)| format!("{tag}={value}")).collect();
    let named = if named.is_empty() { String::new() } else { format!("{{{}}}", named.join(",")) };
    for (field, value) in fields {
        let Some(value) = value.as_f64() else { continue };
        let event = Event {
            ts: metric.get("timestamp").and_then(Value::as_f64).and_then(instant::epoch),
            received: Some(body.received),
            kind: Kind::Host,
            host: tags().find(|(tag, _)| *tag == "host").map(|(_, host)| host.to_owned()),
            status: Status::Sample,
            value: Some(value),
            labels: tags().map(|(tag, value)| (tag.to_owned(), value.to_owned())).collect(),
            ..Event::new(FORMAT.name, format!("{name}.{field}{named}"))
        };
        parsed.keep(index, event);
    }
    true
}
