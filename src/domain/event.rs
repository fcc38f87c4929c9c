//! The event: one raw signal, as `docs/API.md` describes it, after a format has read it.
//!
//! Deliberately without JSON: the wire form lives in `formats::native`. The serde form is the one on disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::posting::Posted;
use super::signal::{Kind, Severity, Status};
use super::template::mask_name;
use super::time::Timestamp;

/// One raw signal from a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened, by the sender's clock; `None` = at receipt.
    pub ts: Option<Timestamp>,
    /// When Squelch got it; stamped at the edge. `None` only in recordings that carry none.
    pub received: Option<Timestamp>,
    /// The tool that sent it (`newrelic`, `pingdom`, …); never empty.
    pub source: String,
    /// What sort of thing speaks.
    pub kind: Kind,
    /// The service it is about.
    pub service: Option<String>,
    /// The host, pod or container it is about.
    pub host: Option<String>,
    /// The check, metric, rule or exception class; may be empty when the tool has none.
    pub check: String,
    /// How bad the sender says it is.
    pub severity: Severity,
    /// What it says about its alert.
    pub status: Status,
    /// What was measured; always finite.
    pub value: Option<f64>,
    /// The limit that it crossed; always finite.
    pub threshold: Option<f64>,
    /// The unit of `value` and `threshold`.
    pub unit: Option<String>,
    /// One line for people.
    pub summary: Option<String>,
    /// Anything else; matchers see these and all fields above.
    pub labels: BTreeMap<String, String>,
    /// The sender's own identity for the problem.
    pub dedup_key: Option<String>,
    /// The tool's own identity where it has no `dedup_key` (Prometheus: the whole label set), set by its format.
    pub identity: Option<String>,
    /// Where to look.
    pub url: Option<String>,
    /// What to do.
    pub runbook_url: Option<String>,
    /// When a firing ends by itself, by the sender's word, unless it speaks again before.
    pub ends: Option<Timestamp>,
    /// The alert in the sender's own words, for those who ask for them. Nothing is decided by it, and it is not
    /// stored with the event.
    #[serde(skip)]
    pub posted: Option<Box<Posted>>,
}

impl Event {
    /// The identity of its series: source, kind, service, host and check, without what lives one deployment.
    #[must_use]
    pub fn series(&self) -> Fingerprint {
        let [service, host, check] = self.masked();
        Fingerprint::of(&[&self.source, self.kind.word(), &service, &host, &check])
    }

    /// The name of its series: `source/kind/service/host/check`.
    #[must_use]
    pub fn series_name(&self) -> String {
        let [service, host, check] = self.masked();
        format!("{}/{}/{service}/{host}/{check}", self.source, self.kind)
    }

    fn masked(&self) -> [String; 3] {
        let names = [self.service.as_deref(), self.host.as_deref(), Some(self.check.as_str())];
        names.map(|name| name.map(|name| mask_name(name).to_string()).unwrap_or_default())
    }

    /// A firing warning of `source` about `check`, everything else absent: the defaults of the contract.
    #[must_use]
    pub fn new(source: impl Into<String>, check: impl Into<String>) -> Self {
        Self {
            ts: None,
            received: None,
            source: source.into(),
            kind: Kind::Other,
            service: None,
            host: None,
            check: check.into(),
            severity: Severity::Warning,
            status: Status::Firing,
            value: None,
            threshold: None,
            unit: None,
            summary: None,
            labels: BTreeMap::new(),
            dedup_key: None,
            identity: None,
            url: None,
            runbook_url: None,
            ends: None,
            posted: None,
        }
    }

    /// The value that a matcher on `name` compares with: a field of the event, else a label, else `""`.
    /// `alertname` is another name of `check`, for people who come from Prometheus.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        match name {
            "source" => &self.source,
            "kind" => self.kind.word(),
            "service" => self.service.as_deref().unwrap_or_else(|| self.label(name)),
            "host" => self.host.as_deref().unwrap_or_else(|| self.label(name)),
            "check" => &self.check,
            "severity" => self.severity.word(),
            "status" => self.status.word(),
            "unit" => self.unit.as_deref().unwrap_or_default(),
            "summary" => self.summary.as_deref().unwrap_or_else(|| self.label(name)),
            "dedup_key" => self.dedup_key.as_deref().unwrap_or_else(|| self.label(name)),
            "url" => self.url.as_deref().unwrap_or_default(),
            "runbook_url" => self.runbook_url.as_deref().unwrap_or_default(),
            "alertname" if !self.labels.contains_key(name) => &self.check,
            _ => self.label(name),
        }
    }

    fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}
