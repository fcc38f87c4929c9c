//! One message into a topic. One attempt.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::broker::{self, Watcher};
use crate::sinks::Outcome;
use crate::sinks::kafka::{Connection, Kafka, Record};

/// The producer of a receiver, once it was needed. It is made anew after each failure: the password may be another,
/// and some errors are for good.
#[derive(Default)]
pub(super) struct Client(Option<Made>);

struct Made {
    connection: Connection,
    timeout: Duration,
    producer: FutureProducer<Watcher>,
    watcher: Watcher,
}

impl Client {
    /// Sends, and waits until all replicas have it.
    pub(super) async fn send(&mut self, settings: &Kafka, record: &Record) -> Outcome {
        let made = match self.0.take() {
            Some(made) if made.connection == settings.connection && made.timeout == settings.timeout => made,
            _ => match make(settings) {
                Ok(made) => made,
                Err(why) => return Outcome::Retry { after: None, why },
            },
        };
        let outcome = perform(&made, record).await;
        if outcome == Outcome::Delivered {
            self.0 = Some(made);
        } else {
            // Its end waits a moment for what is under way.
            let _ = tokio::task::spawn_blocking(move || drop(made)).await;
        }
        outcome
    }
}

fn make(settings: &Kafka) -> Result<Made, String> {
    let config = broker::writing(&settings.connection, settings.timeout).map_err(|error| error.to_string())?;
    let watcher = Watcher::default();
    let producer = config.create_with_context(watcher.clone()).map_err(|error| error.to_string())?;
    Ok(Made { connection: settings.connection.clone(), timeout: settings.timeout, producer, watcher })
}

async fn perform(made: &Made, record: &Record) -> Outcome {
    let headers = record
        .headers
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value.as_str()) }));
    let message = FutureRecord::to(&record.topic).key(&record.key).payload(&record.value).headers(headers);
    match made.producer.send(message, Duration::ZERO).await {
        Ok(_) => Outcome::Delivered,
        Err((error, _)) => read(&error, made.watcher.why_down(), &record.topic),
    }
}

/// What an error means.
fn read(error: &KafkaError, heard: Option<String>, topic: &str) -> Outcome {
    let retry = |why: String| Outcome::Retry { after: None, why };
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => {
            Outcome::Rejected { why: format!("the topic {topic} takes no message so large: {error}") }
        }
        Some(RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition) => {
            retry(format!("there is no topic {topic}: create it"))
        }
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
            retry(format!("the brokers do not let this user write to the topic {topic}: allow it (ACL: WRITE)"))
        }
        _ => retry(heard.unwrap_or_else(|| error.to_string())),
    }
}
