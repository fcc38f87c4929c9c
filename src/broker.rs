//! A connection to Apache Kafka: checked settings into the client's, its log into ours, and whether it stands.
//!
//! Deliberately neither source nor receiver: `kafka` reads through it, `deliver` writes through it. What is read into
//! memory is bounded here, in one place. Secrets are read when a client is made and reach no log line and no error.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::statistics::Statistics;
use tracing::{debug, error, warn};

use crate::sinks::Secret;
use crate::sinks::clean;
use crate::sinks::kafka::Connection;

/// Why no client can be made. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The password cannot be had.
    #[error("the password cannot be used: {place}: {cause}")]
    Password {
        /// Where it should be.
        place: String,
        /// Why not.
        cause: String,
    },
    /// The client refuses its settings.
    #[error("the client cannot be set up: {0}")]
    Client(String),
}

impl From<KafkaError> for BrokerError {
    fn from(error: KafkaError) -> Self {
        Self::Client(clean::line(&error.to_string(), MOST_SAID))
    }
}

/// Bytes of messages that a consumer holds before they are taken; then it fetches no more.
const HELD: &str = "16384";
/// Bytes of messages that a producer holds.
const OWED: &str = "65536";
/// The largest answer of a broker that is read.
const LARGEST_ANSWER: &str = "167772160";
/// How often the client tells how it stands.
const TELLS: &str = "1000";
/// What a broker says is cut to so many characters.
const MOST_SAID: usize = 400;

/// What both kinds of clients need.
fn common(connection: &Connection) -> Result<ClientConfig, BrokerError> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", connection.brokers.join(","))
        .set("client.id", "squelch")
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.max.ms", "5000")
        .set("statistics.interval.ms", TELLS)
        .set("receive.message.max.bytes", LARGEST_ANSWER)
        .set("log.connection.close", "false")
        .set_log_level(RDKafkaLogLevel::Info);
    let protocol = match (&connection.tls, &connection.sasl) {
        (None, None) => "plaintext",
        (Some(_), None) => "ssl",
        (None, Some(_)) => "sasl_plaintext",
        (Some(_), Some(_)) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    if let Some(tls) = &connection.tls {
        config.set("ssl.ca.location", tls.ca_file.as_deref().unwrap_or("probe"));
        config.set("ssl.endpoint.identification.algorithm", "https");
        if let (Some(cert), Some(key)) = (&tls.cert_file, &tls.key_file) {
            config.set("ssl.certificate.location", cert).set("ssl.key.location", key);
        }
    }
    if let Some(sasl) = &connection.sasl {
        let password = read(&sasl.password)?;
        config.set("sasl.mechanism", sasl.mechanism.word());
        config.set("sasl.username", &sasl.username).set("sasl.password", password);
    }
    Ok(config)
}

/// The settings of a client that reads: it assigns its partitions itself, and commits when it is told to.
///
/// # Errors
/// When the password cannot be read.
pub fn reading(connection: &Connection, group: &str) -> Result<ClientConfig, BrokerError> {
    let mut config = common(connection)?;
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // A position that does not exist is settled by who reads, and told.
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("allow.auto.create.topics", "false")
        .set("enable.partition.eof", "false")
        .set("queued.max.messages.kbytes", HELD)
        .set("fetch.message.max.bytes", "1048576")
        .set("fetch.max.bytes", "16777216")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.error.backoff.ms", "200")
        .set("topic.metadata.refresh.interval.ms", "10000")
        // It is no member of a group that could lose patience.
        .set("max.poll.interval.ms", "86400000");
    Ok(config)
}

/// The settings of a client that only asks the brokers.
///
/// # Errors
/// When the password cannot be read.
pub fn calling(connection: &Connection) -> Result<ClientConfig, BrokerError> {
    common(connection)
}

/// The settings of a client that writes: each message once and in order, and done when all replicas have it.
///
/// # Errors
/// When the password cannot be read.
pub fn writing(connection: &Connection, patience: Duration) -> Result<ClientConfig, BrokerError> {
    let mut config = common(connection)?;
    let patience = patience.as_millis().max(1_000).to_string();
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("message.timeout.ms", &patience)
        .set("queue.buffering.max.kbytes", OWED)
        .set("queue.buffering.max.messages", "10000")
        .set("queue.buffering.max.ms", "2");
    Ok(config)
}

fn read(secret: &Secret) -> Result<String, BrokerError> {
    let wrong = |cause: String| BrokerError::Password { place: secret.to_string(), cause };
    let text = match secret {
        Secret::File(path) => std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?,
        Secret::Env(name) => std::env::var(name).map_err(|error| wrong(error.to_string()))?,
    };
    match text.trim_end() {
        "" => Err(wrong("it is empty".to_owned())),
        text if text.contains('\0') => Err(wrong("it is no text".to_owned())),
        text => Ok(text.to_owned()),
    }
}

/// What a client says about itself. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Watcher(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// Whether any broker answers.
    up: bool,
    /// What went wrong last, until a broker answers again.
    error: Option<String>,
    /// The first offset of each partition that nobody may read yet.
    ends: BTreeMap<(String, i32), i64>,
}

impl Watcher {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One for a new client in place of one of which nothing is expected any more. Why it was given up still holds.
    #[must_use]
    pub fn of_next_client(&self) -> Self {
        let seen = Seen { error: self.seen().error.clone(), ..Seen::default() };
        Self(Arc::new(Mutex::new(seen)))
    }

    /// Whether any broker answers.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.seen().up
    }

    /// Why no broker answers; `None` = one does, or nothing was heard yet.
    #[must_use]
    pub fn why_down(&self) -> Option<String> {
        let seen = self.seen();
        seen.error.clone().filter(|_| !seen.up)
    }

    /// The first offset of a partition that nobody may read yet, as was last heard.
    #[must_use]
    pub fn end(&self, topic: &str, partition: i32) -> Option<i64> {
        self.seen().ends.get(&(topic.to_owned(), partition)).copied()
    }
}

impl ClientContext for Watcher {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        let message = clean::line(message, MOST_SAID);
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                error!(fac, "Kafka client: {message}");
            }
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => warn!(fac, "Kafka client: {message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                debug!(fac, "Kafka client: {message}");
            }
        }
    }

    fn stats(&self, statistics: Statistics) {
        let mut seen = self.seen();
        seen.up = statistics.brokers.values().any(|broker| broker.state == "UP");
        if seen.up {
            seen.error = None;
        }
        for (name, topic) in statistics.topics {
            for (number, partition) in topic.partitions {
                if partition.ls_offset >= 0 {
                    seen.ends.insert((name.clone(), number), partition.ls_offset);
                }
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // That all are down says less than why the last one is.
        let all_down = error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::AllBrokersDown);
        let mut seen = self.seen();
        if !(all_down && seen.error.is_some()) {
            seen.error = Some(without_times(&clean::line(reason, MOST_SAID)));
        }
    }
}

impl ConsumerContext for Watcher {}

/// Where each message need not be asked for: a transaction tells of all.
impl ProducerContext for Watcher {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// What the client says, without how long it took: it is told once, not each time.
fn without_times(reason: &str) -> String {
    reason.split(" (after ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::kafka::{Mechanism, Sasl};

    fn connection(password: Secret) -> Connection {
        let sasl = Sasl { mechanism: Mechanism::Plain, username: "squelch".to_owned(), password };
        Connection { brokers: vec!["localhost:9092".to_owned()], tls: None, sasl: Some(sasl) }
    }

    #[test]
    fn a_password_that_cannot_be_had_is_told_by_its_place() {
        let error = reading(&connection(Secret::File("/nowhere/password".into())), "g").unwrap_err();
        assert!(error.to_string().contains("file /nowhere/password"), "{error}");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "\n").unwrap();
        let error = writing(&connection(Secret::File(file.clone())), Duration::from_secs(1)).unwrap_err();
        assert!(error.to_string().ends_with("it is empty"), "{error}");
        std::fs::write(&file, "hush\n").unwrap();
        let config = reading(&connection(Secret::File(file)), "g").unwrap();
        assert_eq!(config.get("sasl.password"), Some("hush"));
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn the_first_cause_is_told_and_not_that_all_brokers_are_down() {
        let watcher = Watcher::default();
        let global = KafkaError::Global;
        watcher.error(
            global(rdkafka::types::RDKafkaErrorCode::Authentication),
            "invalid credentials (after 3ms in state AUTH)",
        );
        watcher.error(global(rdkafka::types::RDKafkaErrorCode::AllBrokersDown), "1/1 brokers are down");
        assert_eq!(watcher.why_down().as_deref(), Some("invalid credentials"));
    }
}
