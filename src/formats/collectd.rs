//! collectd's `write_http` in JSON: measured values, which only feed the baselines.
//!
//! Deliberately gauges alone: a counter says nothing before it is a rate (`StoreRates true` makes it one).

use serde_json::Value;

use crate::domain::{Event, Kind, Status};

use super::{Body, Format, FormatError, Parsed, Rejected, Warning, instant, split};

pub(super) const FORMAT: Format = Format {
    name: "collectd",
    title: "collectd: write_http in JSON (samples for the baselines)",
    setup: "<Plugin write_http> <Node squelch> URL \".../ingest/collectd\" Format \"JSON\" StoreRates true",
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
            Ok(list) => left_out += values(&list, index, body, &mut parsed),
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
