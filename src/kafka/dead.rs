//! Messages that nobody can read: into a topic of their own, with the reason.

use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio::runtime::Handle;
use tracing::{error, warn};

use super::batch::Dead;
use crate::broker::{self, BrokerError, Watcher};
use crate::config::KafkaSource;

/// How long they are tried. Then alerts go on: the message is still in its own topic, and the log says where.
const PATIENCE: Duration = Duration::from_secs(30);

/// The topic of dead messages, once it was needed.
#[derive(Default)]
pub(super) struct Office(Option<FutureProducer<Watcher>>);

impl Office {
    /// Sends them and waits until all replicas have them.
    ///
    /// # Errors
    /// Why one could not be sent. They are all in the log then.
    pub(super) fn send(&mut self, settings: &KafkaSource, dead: &[Dead], runtime: &Handle) -> Result<(), String> {
        let Some(to) = &settings.dead_letters else {
            dead.iter().for_each(|dead| tell(settings, dead));
            return Ok(());
        };
        let sent = self.try_send(settings, to, dead, runtime).map_err(|why| {
            format!("messages that nobody can read could not be written to the topic {to}: {why}; they are still in their own topic, and the log says where")
        });
        if sent.is_err() {
            // The next one is made with a password that is read anew.
            self.0 = None;
            dead.iter().for_each(|dead| tell(settings, dead));
        }
        sent
    }

    fn try_send(&mut self, settings: &KafkaSource, to: &str, dead: &[Dead], runtime: &Handle) -> Result<(), String> {
        let producer = match self.0.take() {
            Some(producer) => producer,
            None => make(settings).map_err(|error| error.to_string())?,
        };
        let producer = self.0.insert(producer);
        runtime.block_on(async {
            for dead in dead {
                let key = dead.key.clone().unwrap_or_default();
                let record = FutureRecord::to(to).payload(&dead.payload).headers(headers(settings, dead));
                let record = if dead.key.is_some() { record.key(&key) } else { record };
                producer.send(record, PATIENCE).await.map_err(|(error, _)| error.to_string())?;
            }
            Ok(())
        })
    }
}

fn make(settings: &KafkaSource) -> Result<FutureProducer<Watcher>, BrokerError> {
    Ok(broker::writing(&settings.connection, PATIENCE)?.create_with_context(Watcher::default())?)
}

fn headers(settings: &KafkaSource, dead: &Dead) -> OwnedHeaders {
    let own = dead
        .headers
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: value.as_ref() }));
    let (partition, offset, length) = (dead.partition.to_string(), dead.offset.to_string(), dead.length.to_string());
    let topic = &settings.topics[dead.topic];
    let mut ours = vec![
        ("squelch-reason", &dead.reason),
        ("squelch-brokers", &settings.name),
        ("squelch-topic", &topic.name),
        ("squelch-partition", &partition),
        ("squelch-offset", &offset),
        ("squelch-format", &topic.format),
    ];
    if dead.payload.len() < dead.length {
        ours.push(("squelch-cut-from-bytes", &length));
    }
    ours.into_iter().fold(own, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
}

fn tell(settings: &KafkaSource, dead: &Dead) {
    let topic = &settings.topics[dead.topic];
    let (partition, offset, reason) = (dead.partition, dead.offset, &dead.reason);
    if settings.dead_letters.is_some() {
        error!(
            topic = topic.name,
            partition, offset, reason, "a message cannot be read, and is in no dead-letter topic"
        );
    } else {
        warn!(topic = topic.name, partition, offset, reason, "a message cannot be read");
    }
}
