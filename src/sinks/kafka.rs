//! Squelch's own JSON into a topic of Apache Kafka.
//!
//! The value is what a webhook gets ([`super::webhook`]). The key is the same for all messages of an incident, so that
//! they stay in order within one partition; the header `squelch-key` is the message's own, and equal for each repeat.
//! Deliberately no schema registry and no Avro: the JSON says its version.

use std::time::Duration;

use super::Letter;
use super::receiver::Secret;
use super::request::idempotency_key;
use super::webhook::body;

/// How Kafka is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Some of the brokers, as `HOST:PORT`; the others are asked for. Never empty.
    pub brokers: Vec<String>,
    /// TLS; `None` = in the clear.
    pub tls: Option<ClientTls>,
    /// How to log in; `None` = not at all.
    pub sasl: Option<Sasl>,
}

/// TLS to the brokers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// A PEM file with the authorities to trust instead of the system's.
    pub ca_file: Option<String>,
    /// A PEM file with the client's certificate.
    pub cert_file: Option<String>,
    /// A PEM file with its key.
    pub key_file: Option<String>,
}

/// A login at the brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sasl {
    /// How.
    pub mechanism: Mechanism,
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// How a login is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// The password itself is sent.
    Plain,
    /// A proof of the password, with SHA-256.
    ScramSha256,
    /// A proof of the password, with SHA-512.
    #[default]
    ScramSha512,
}

impl Mechanism {
    /// Every mechanism.
    pub const ALL: &'static [Self] = &[Self::Plain, Self::ScramSha256, Self::ScramSha512];

    /// Its word in settings, and Kafka's own.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Connection {
    /// Whether the password would travel readable over a network: such settings are refused.
    #[must_use]
    pub fn exposes_password(&self) -> bool {
        let plain = self.sasl.as_ref().is_some_and(|sasl| sasl.mechanism == Mechanism::Plain);
        plain && self.tls.is_none() && !self.brokers.iter().all(|broker| is_here(broker))
    }
}

fn is_here(broker: &str) -> bool {
    let host = broker.rsplit_once(':').map_or(broker, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The settings of a topic that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kafka {
    /// Where.
    pub connection: Connection,
    /// The topic.
    pub topic: String,
    /// How long one attempt may take ([`Kafka::TIMEOUT`]).
    pub timeout: Duration,
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The topic.
    pub topic: String,
    /// The key.
    pub key: String,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The value: a JSON object.
    pub value: String,
}

impl Kafka {
    /// The default time for one attempt.
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    /// What is to be sent: everything that is told.
    ///
    /// # Panics
    /// Never: a body has only strings as keys.
    #[must_use]
    pub fn compose(&self, letter: &Letter<'_>) -> Record {
        let key = idempotency_key(&letter.notification.key);
        let kind = if letter.page().is_some() { "page" } else { "notice" };
        Record {
            topic: self.topic.clone(),
            key: letter.incident_key(),
            value: serde_json::to_string(&body(letter, &key)).expect("a body has only strings as keys"),
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("squelch-kind", kind.to_owned()),
                ("squelch-incident", letter.incident().incident.0.to_string()),
                ("squelch-key", key),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_travels_readable_only_without_tls_to_another_machine() {
        let exposes = |brokers: &[&str], mechanism, tls: bool| {
            let password = Secret::Env("P".to_owned());
            let sasl = Some(Sasl { mechanism, username: "u".to_owned(), password });
            let brokers = brokers.iter().map(|broker| (*broker).to_owned()).collect();
            Connection { brokers, tls: tls.then(ClientTls::default), sasl }.exposes_password()
        };
        assert!(exposes(&["kafka:9092"], Mechanism::Plain, false));
        assert!(exposes(&["localhost:9092", "10.0.0.1:9092"], Mechanism::Plain, false));
        assert!(!exposes(&["kafka:9092"], Mechanism::Plain, true));
        assert!(!exposes(&["kafka:9092"], Mechanism::ScramSha256, false));
        assert!(!exposes(&["127.0.0.1:9092", "[::1]:9092", "localhost"], Mechanism::Plain, false));
    }
}
