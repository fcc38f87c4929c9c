//! What an alert or a series of Prometheus is about, read from the labels that people usually set.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::domain::Kind;
use crate::formats::scalar::Scalar;

/// Labels or annotations in the order of the body, borrowed. Numbers count as their text; what is no scalar does
/// not count.
#[derive(Debug, Default)]
pub(in crate::formats) struct Texts<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What the first value is that is no string, where one is: only the Alertmanager API minds.
    odd: Option<&'static str>,
}

impl<'a> Texts<'a> {
    /// These names and values.
    pub(in crate::formats) const fn of(pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Self {
        Self { pairs, odd: None }
    }
}

impl Texts<'_> {
    /// The value of `name`, unless it is empty: Prometheus takes an empty label as absent.
    pub(in crate::formats) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, value)| *known == name && !value.is_empty()).map(|(_, value)| value)
    }

    pub(in crate::formats) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// What the first value is that is neither a string nor null.
    pub(super) const fn odd(&self) -> Option<&'static str> {
        self.odd
    }

    /// The first of `names` that has a value.
    pub(super) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Texts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts<'de>, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(8).min(128));
                let mut odd = None;
                while let Some((key, value)) = map.next_entry::<Scalar<'de>, Scalar<'de>>()? {
                    if !matches!(value, Scalar::Text(_) | Scalar::Null) {
                        odd.get_or_insert(value.noun());
                    }
                    if let (Some(key), Some(value)) = (key.text(), value.text()) {
                        pairs.push((key, value));
                    }
                }
                Ok(Texts { pairs, odd })
            }
        }
        deserializer.deserialize_map(Map)
    }
}

/// Jobs that measure others: their name says nothing about the service that is hurt.
const EXPORTERS: &[&str] =
    &["exporter", "kube-state-metrics", "blackbox", "cadvisor", "kubelet", "pushgateway", "federate"];

/// Labels that only machines and their parts have.
const MACHINE: &[&str] = &["node", "nodename", "pod", "container", "device", "mountpoint", "fstype", "cpu"];

/// Words in an alert's name that tell how a service does.
const SERVICE_WORDS: &[&str] =
    &["latency", "errorrate", "error_rate", "5xx", "apdex", "requests", "slow", "saturation"];

/// Words in an alert's name that tell of a machine.
const MACHINE_WORDS: &[&str] =
    &["cpu", "memory", "swap", "disk", "filesystem", "inode", "load", "node", "pod", "container", "oom", "instance"];

/// What an alert is about.
#[derive(Debug)]
pub(in crate::formats) struct Subject {
    pub(in crate::formats) kind: Kind,
    pub(in crate::formats) service: Option<String>,
    pub(in crate::formats) host: Option<String>,
}

impl Subject {
    pub(in crate::formats) fn of(labels: &Texts<'_>) -> Self {
        let job = labels.get("job").filter(|job| !measures_others(job));
        let service = labels
            .first(&[
                "service",
                "service_name",
                "app",
                "application",
                "app_kubernetes_io_name",
                "deployment",
                "statefulset",
            ])
            .filter(|service| !measures_others(service))
            .or(job);
        // A pod that is an exporter is not what the alert is about.
        let pod = labels.get("pod").filter(|pod| !measures_others(pod));
        let host = labels
            .first(&["host", "hostname"])
            .or(pod)
            .or_else(|| labels.first(&["node", "nodename", "instance"]))
            .map(bare_host);
        Self { kind: kind(labels), service: service.map(ToOwned::to_owned), host: host.map(ToOwned::to_owned) }
    }
}

fn measures_others(name: &str) -> bool {
    name == "node" || EXPORTERS.iter().any(|exporter| name.contains(exporter))
}

fn kind(labels: &Texts<'_>) -> Kind {
    if let Some(kind) = super::kind_word(labels) {
        return kind;
    }
    let name = labels.first(&["alertname", "__name__"]).unwrap_or_default().to_ascii_lowercase();
    let job = labels.get("job").unwrap_or_default();
    if job.contains("blackbox") || name.contains("probe") {
        Kind::Uptime
    } else if SERVICE_WORDS.iter().any(|word| name.contains(word)) {
        Kind::Apm
    } else if measures_others(job)
        || labels.first(MACHINE).is_some()
        || MACHINE_WORDS.iter().any(|word| name.contains(word))
    {
        Kind::Host
    } else {
        Kind::Other
    }
}

/// The host in `host:port`, `[::1]:port` or a URL.
pub(in crate::formats) fn bare_host(instance: &str) -> &str {
    let host = instance.split_once("://").map_or(instance, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or(host);
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    match host.split_once(':') {
        Some((name, port)) if !name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::bare_host;

    #[test]
    fn a_host_is_known_by_its_name_alone() {
        for (instance, host) in [
            ("db-1", "db-1"),
            ("db-1:9100", "db-1"),
            ("10.0.0.5:9100", "10.0.0.5"),
            ("[2001:db8::1]:9100", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("https://shop.example/cart?x=1", "shop.example"),
            ("https://shop.example:8443/", "shop.example"),
            (":9100", ":9100"),
        ] {
            assert_eq!(bare_host(instance), host, "{instance}");
        }
    }
}
