//! The body of Alertmanager's webhooks, version 4, so that what takes those takes Squelch's pages, too:
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>.
//!
//! An incident is one alert in a group of its own. Its identity (`groupKey`, `fingerprint`, `startsAt`, the labels
//! `alertname` and `incident`) stays the same from its first page to its end. Only what Alertmanager tells is told:
//! that it fires, and that it is resolved.

use std::collections::BTreeMap;

use serde::Serialize;

use super::letter::{Letter, Turning};
use super::receiver::{Address, Secret};
use super::request::{Locator, Place, Request, Wire};
use super::{clean, when};
use crate::domain::Fingerprint;

/// The settings of a receiver of Alertmanager's webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alertmanager {
    /// Where to.
    pub url: Address,
    /// Sent as `Authorization: Bearer …`.
    pub token: Option<Secret>,
    /// How it is spoken to.
    pub wire: Wire,
}

type Labels = BTreeMap<&'static str, String>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    version: &'static str,
    group_key: String,
    truncated_alerts: u32,
    status: &'static str,
    receiver: String,
    group_labels: Labels,
    common_labels: Labels,
    common_annotations: Labels,
    #[serde(rename = "externalURL")]
    external_url: String,
    alerts: [Alert; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: &'static str,
    labels: Labels,
    annotations: Labels,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

/// No label is longer.
const LABEL: usize = 1_000;

impl Alertmanager {
    /// How it is spoken to.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// What is told to it: pages, that it is back, that it is over.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Vec<Request> {
        let status = match letter.turning() {
            Turning::Opens | Turning::Worse | Turning::Untaken | Turning::Back => "firing",
            Turning::Over => "resolved",
            Turning::Taken | Turning::Aside => return Vec::new(),
        };
        let key = &letter.notification.key;
        let request = Request::json(Locator::new(&self.url, ""), key, &body(letter, status));
        vec![match &self.token {
            Some(token) => request.secret(Place::Header("authorization", "Bearer "), token),
            None => request,
        }]
    }
}

fn body(letter: &Letter<'_>, status: &'static str) -> Body {
    let incident = letter.incident();
    let (labels, annotations) = (labels(letter), annotations(letter));
    let group_labels = Labels::from([("incident", incident.incident.to_string())]);
    let ended = (status == "resolved").then(|| incident.resolved.map(when::iso)).flatten();
    let links = letter.links();
    Body {
        version: "4",
        group_key: format!("{{}}:{{incident=\"{}\"}}", letter.incident_key()),
        truncated_alerts: 0,
        status,
        receiver: clean::line(&letter.notification.key.receiver, LABEL),
        group_labels,
        common_labels: labels.clone(),
        common_annotations: annotations.clone(),
        external_url: String::new(),
        alerts: [Alert {
            status,
            labels,
            annotations,
            starts_at: when::iso(incident.opened),
            // Alertmanager's own zero time: not over.
            ends_at: ended.unwrap_or_else(|| "0001-01-01T00:00:00Z".to_owned()),
            generator_url: links.iter().find(|(what, _)| *what == "source").map_or_else(String::new, |l| l.1.clone()),
            fingerprint: Fingerprint::of(&[&letter.incident_key()]).to_string(),
        }],
    }
}

fn labels(letter: &Letter<'_>) -> Labels {
    let (incident, origin) = (letter.incident(), letter.origin());
    let mut labels = Labels::from([
        ("alertname", "SquelchIncident".to_owned()),
        ("incident", incident.incident.to_string()),
        ("severity", letter.severity().word().to_owned()),
    ]);
    for (name, value) in [("service", &origin.service), ("host", &origin.host), ("check", &origin.check)] {
        let value = value.as_deref().map(|value| clean::line(value, LABEL)).unwrap_or_default();
        if !value.is_empty() {
            labels.insert(name, value);
        }
    }
    labels
}

fn annotations(letter: &Letter<'_>) -> Labels {
    let mut annotations = Labels::from([
        ("summary", letter.wording.headline()),
        ("title", letter.wording.title.clone()),
        ("description", letter.wording.plain()),
    ]);
    let links = letter.links();
    if let Some((_, url)) = links.iter().find(|(what, _)| *what == "runbook") {
        annotations.insert("runbook_url", url.clone());
    }
    annotations
}
