//! The webhook of Alertmanager (version 4, and the older 3): a group of alerts, each read as Prometheus' own.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::prometheus::{self, Around};
use super::scalar::Scalar;
use super::{Body, Format, FormatError, Parsed, Warning, split};

pub(super) const FORMAT: Format = Format {
    name: "alertmanager",
    title: "Alertmanager: webhook_configs, version 4",
    setup: "receivers: webhook_configs: url /ingest/alertmanager, send_resolved: true",
    signature: None,
    parse,
};

#[derive(Debug, Deserialize)]
struct Group<'a> {
    #[serde(borrow, default)]
    status: Scalar<'a>,
    #[serde(borrow)]
    alerts: Vec<&'a RawValue>,
    #[serde(borrow, default, rename = "truncatedAlerts")]
    truncated: Scalar<'a>,
}

const HELP: &str = "Alertmanager posts {\"version\": \"4\", \"status\": …, \"alerts\": [ … ]}; a bare array belongs to \
                    /ingest/prometheus";

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let bytes = split::trimmed(body.bytes);
    if !bytes.starts_with(b"{") {
        return Err(FormatError::new(FORMAT.name, "the body is no JSON object", HELP));
    }
    let group: Group<'_> =
        serde_json::from_slice(bytes).map_err(|error| FormatError::new(FORMAT.name, error.to_string(), HELP))?;
    let mut parsed = Parsed::default();
    let group_resolved = matches!(&group.status, Scalar::Text(word) if word.eq_ignore_ascii_case("resolved"));
    let around = Around { source: FORMAT.name, received: body.received, group_resolved };
    for (index, alert) in group.alerts.iter().enumerate() {
        prometheus::add(alert.get().as_bytes(), index, around, &mut parsed);
    }
    if let Scalar::Whole(lost @ 1..) = group.truncated {
        let message =
            format!("Alertmanager left out {lost} alerts of this group: set max_alerts: 0 in its webhook_configs");
        parsed.warn(Warning::new(group.alerts.len(), "truncatedAlerts", message));
    }
    Ok(parsed)
}
