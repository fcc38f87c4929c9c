//! Settings of Apache Kafka into checked values. Secrets stay references: nothing here reads one.

use super::findings::{Complaint, Findings};
use super::receivers::secret;
use super::settings::{Begin, KafkaSource, KafkaTopic};
use super::value::{Checked, Record};
use crate::sinks::ReceiverKind;
use crate::sinks::kafka::{ClientTls, Connection, Kafka, Mechanism, Sasl};

/// The brokers whose topics are read.
pub(super) fn sources(record: &Record, findings: &mut Findings<'_>) -> Vec<KafkaSource> {
    let mut sources: Vec<KafkaSource> = Vec::new();
    for given in record.items("kafka") {
        let Some(source) = source(given, findings) else { continue };
        if sources.iter().any(|other| other.name == source.name) {
            let complaint = Complaint::new(format!("there are other brokers called `{}`", source.name));
            let help = "give each a `name` of its own: what was read is stored by it";
            findings.mistake(given.spot, &given.path, complaint.help(help));
        }
        sources.push(source);
    }
    sources
}

fn source(given: &Checked, findings: &mut Findings<'_>) -> Option<KafkaSource> {
    let record = given.record();
    let mut topics: Vec<KafkaTopic> = Vec::new();
    for entry in record.items("topics") {
        let Some(topic) = topic(entry.record(), findings) else { continue };
        if topics.iter().any(|other| other.name == topic.name) {
            let complaint = Complaint::new(format!("the topic `{}` is named twice", topic.name));
            findings.mistake(entry.spot, &entry.path, complaint.help("a topic has one format"));
        }
        topics.push(topic);
    }
    if let Some(named) = record.get("topics").filter(|_| topics.is_empty())
        && !findings.has_mistake_at(named)
    {
        findings.mistake(named.spot, &named.path, Complaint::new("nothing is read").help("name at least one topic"));
    }
    Some(KafkaSource {
        name: record.text("name").unwrap_or("kafka").to_owned(),
        connection: connection(given, findings)?,
        topics,
        group: record.text("group").unwrap_or("squelch").to_owned(),
        dead_letters: record.get("dead_letters").and_then(|given| name(given, findings)),
    })
}

fn topic(record: &Record, findings: &mut Findings<'_>) -> Option<KafkaTopic> {
    Some(KafkaTopic {
        name: name(record.get("topic")?, findings)?,
        format: record.text("format").unwrap_or("native").to_owned(),
        from: record.word("from").unwrap_or(Begin::Earliest),
    })
}

/// The settings of a topic that is told.
pub(super) fn receiver(given: &Checked, findings: &mut Findings<'_>) -> Option<ReceiverKind> {
    let record = given.record();
    let topic = name(record.get("topic")?, findings);
    let timeout = record.duration("timeout").unwrap_or(Kafka::TIMEOUT);
    Some(ReceiverKind::Kafka(Kafka { connection: connection(given, findings)?, topic: topic?, timeout }))
}

/// How long a topic's name may be.
const LONGEST: usize = 249;

/// The name of a topic, as Kafka has them; `None` when it is none, which was told.
pub(super) fn name(given: &Checked, findings: &mut Findings<'_>) -> Option<String> {
    let name = given.text();
    let known = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if known && !matches!(name, "" | "." | "..") && name.len() <= LONGEST {
        return Some(name.to_owned());
    }
    if !findings.has_mistake_at(given) {
        let complaint = Complaint::new("no topic can have this name");
        let help = "a topic's name has letters, digits and `._-`, at most 249 of them";
        findings.mistake(given.spot, &given.path, complaint.help(help));
    }
    None
}

/// How the brokers are reached; `None` when that is not known, which was told.
pub(super) fn connection(given: &Checked, findings: &mut Findings<'_>) -> Option<Connection> {
    let record = given.record();
    let named = record.get("brokers")?;
    if named.items().is_empty() && !findings.has_mistake_at(named) {
        findings.mistake(named.spot, &named.path, Complaint::new("no broker is named").help("name at least one"));
    }
    let connection = Connection {
        brokers: record.texts("brokers"),
        tls: record.get("tls").map(|tls| client_tls(tls, findings)),
        sasl: record.record("sasl").and_then(sasl),
    };
    if connection.exposes_password() {
        let place = record.get("sasl").unwrap_or(given);
        let complaint = Complaint::new("the password would travel readable over the network");
        let help = "use `tls`, or a mechanism that does not send it: SCRAM-SHA-512";
        findings.mistake(place.spot, &place.path, complaint.help(help));
    }
    Some(connection)
}

fn client_tls(given: &Checked, findings: &mut Findings<'_>) -> ClientTls {
    let text = |key: &str| given.record().text(key).map(str::to_owned);
    let tls = ClientTls { ca_file: text("ca_file"), cert_file: text("cert_file"), key_file: text("key_file") };
    if tls.cert_file.is_some() != tls.key_file.is_some() && !findings.has_mistake_at(given) {
        let complaint = Complaint::new("a certificate without its key, or a key without its certificate");
        findings.mistake(given.spot, &given.path, complaint.help("name both `cert_file` and `key_file`, or neither"));
    }
    tls
}

fn sasl(record: &Record) -> Option<Sasl> {
    let word = record.text("mechanism");
    let mechanism = Mechanism::ALL.iter().copied().find(|one| Some(one.word()) == word).unwrap_or_default();
    Some(Sasl { mechanism, username: record.text("username")?.to_owned(), password: secret(record, "password")? })
}
