//! The settings of a cluster into checked values.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::findings::{Complaint, Findings};
use super::kafka;
use super::receivers;
use super::settings::Cluster;
use super::value::{Checked, Record, Value};

/// What a cluster is where nobody says.
pub(super) const USUAL: Usual = Usual { partitions: 12, replication: 3, tick: 1, session: 10 };

/// See [`USUAL`].
pub(super) struct Usual {
    partitions: u16,
    replication: u16,
    /// In seconds.
    tick: u64,
    /// In seconds.
    session: u64,
}

/// The cluster that the settings name, if they do.
pub(super) fn cluster(record: &Record, findings: &mut Findings<'_>) -> Option<Cluster> {
    let given = record.get("cluster")?;
    let record = given.record();
    let whole = |key: &str, usual: u16| record.whole(key).and_then(|n| u16::try_from(n).ok()).unwrap_or(usual);
    let prefix = record.get("prefix").map_or(Some("squelch".to_owned()), |given| kafka::name(given, findings));
    // Each says what is wrong with it, also where another is wrong.
    let (connection, scope) = (kafka::connection(given, findings), scope(record, findings));
    Some(Cluster {
        name: record.text("name").unwrap_or("squelch").to_owned(),
        prefix: prefix?,
        connection: connection?,
        partitions: whole("partitions", USUAL.partitions),
        replication: whole("replication", USUAL.replication),
        scope,
        services: services(record),
        tick: record.duration("tick").unwrap_or(Duration::from_secs(USUAL.tick)),
        session: record.duration("session").unwrap_or(Duration::from_secs(USUAL.session)),
        decisions: record.flag("decisions").unwrap_or(true),
        secret: receivers::secret(record, "secret"),
        advertise: advertise(record, findings),
        ca_file: record.text("ca_file").map(Into::into),
    })
}

/// `HOST:PORT`, as it stands in an address.
fn advertise(record: &Record, findings: &mut Findings<'_>) -> Option<String> {
    let given = record.get("advertise")?;
    let text = given.text();
    let url = Url::parse(&format!("http://{text}"));
    let right = url.is_ok_and(|url| {
        let port = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0));
        port && url.path() == "/" && !text.contains(['/', '?', '#', '@'])
    });
    if !right {
        let help = "write HOST:PORT, such as worker-1.squelch:9393";
        findings.mistake(given.spot, &given.path, Complaint::new(format!("`{text}` is no place to ask")).help(help));
    }
    right.then(|| text.to_owned())
}

/// `[env, team]`, or `env, team` in one text.
fn scope(record: &Record, findings: &mut Findings<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for given in record.items("scope") {
        for name in given.text().split(',').map(str::trim) {
            let wrong = match name {
                "" => Some("a name is missing"),
                "value" | "threshold" | "ts" | "received" => Some("what varies from event to event is no scope"),
                _ if names.iter().any(|known| known == name) => Some("it is named twice"),
                _ => None,
            };
            match wrong {
                Some(wrong) => {
                    let help = "name fields of the event (`service`, `host`, `source` …) or labels (`env`, `team`)";
                    findings.mistake(given.spot, &given.path, Complaint::new(format!("`{name}`: {wrong}")).help(help));
                }
                None => names.push(name.to_owned()),
            }
        }
    }
    names
}

/// What services belong to, for events that do not say it.
fn services(record: &Record) -> BTreeMap<String, BTreeMap<String, String>> {
    let pairs = |given: &Checked| match &given.value {
        Value::Map(pairs) => pairs.iter().map(|(name, value)| (name.clone(), value.text().to_owned())).collect(),
        _ => BTreeMap::new(),
    };
    match record.get("services").map(|given| &given.value) {
        Some(Value::Map(services)) => services.iter().map(|(name, given)| (name.clone(), pairs(given))).collect(),
        _ => BTreeMap::new(),
    }
}
