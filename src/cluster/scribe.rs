//! Who writes into the topic of events: events and orders one by one, what goes to all scopes in one transaction.
//!
//! Deliberately without waiting for single messages: whoever needs an answer waits for it.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryFuture, FutureProducer, FutureRecord, Producer as _, ThreadedProducer};

use tracing::warn;

use super::homes::Homes;
use super::message::{self, KIND, POSTED, Written};
use super::place;
use super::scope::{OWN, Scoping};
use super::topics::{LONGEST, Topics};
use super::word::{To, Word};
use crate::broker::{self, Watcher};
use crate::clock::Clock;
use crate::config::Cluster;
use crate::domain::{Event, Timestamp};

/// The log takes a message within this time, or it was not taken.
const PATIENCE: Duration = Duration::from_secs(10);
/// Each step of a transaction has so long.
const STEP: Duration = Duration::from_secs(10);
/// A transaction for all that another node has broken off is tried again so often.
const TRIES: usize = 5;

/// A writer. Clones share its client.
#[derive(Clone)]
pub struct Scribe {
    producer: FutureProducer<Watcher>,
    watcher: Watcher,
    settings: Cluster,
    topics: Topics,
    scoping: Scoping,
    clock: Clock,
    homes: Homes,
}

impl Scribe {
    /// A writer for this cluster.
    ///
    /// # Errors
    /// Why there can be none.
    pub fn new(settings: &Cluster, clock: Clock) -> Result<Self, String> {
        let watcher = Watcher::default();
        let mut config = broker::writing(&settings.connection, PATIENCE).map_err(|error| error.to_string())?;
        config.set("message.max.bytes", LONGEST).set("compression.type", "lz4");
        let producer = config.create_with_context(watcher.clone()).map_err(|error| error.to_string())?;
        Ok(Self {
            producer,
            watcher,
            topics: Topics::of(settings),
            scoping: Scoping { fields: settings.scope.clone(), services: settings.services.clone() },
            settings: settings.clone(),
            clock,
            homes: Homes::default(),
        })
    }

    /// The same, where scopes have moved.
    #[must_use]
    pub(super) fn knowing(self, homes: Homes) -> Self {
        Self { homes, ..self }
    }

    fn partitions(&self) -> i32 {
        i32::from(self.settings.partitions)
    }

    /// Why no broker answers.
    #[must_use]
    pub fn why_down(&self) -> Option<String> {
        self.watcher.why_down()
    }

    /// Whether its client must be made anew.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.producer.client().fatal_error().is_some()
    }

    /// Waits until everything that was handed to the client is written, or given up.
    pub(super) fn flush(&self) {
        if let Err(error) = self.producer.flush(PATIENCE) {
            warn!(%error, "not everything could be written before the end");
        }
    }

    /// Hands an event to the client; `None` = it has no room now.
    ///
    /// # Errors
    /// Why it can never be written.
    pub fn event(&self, event: &Event) -> Result<Option<DeliveryFuture>, String> {
        let scope = self.scoping.of(event);
        let partition = place::partition(&scope, self.partitions());
        self.send((partition, Some(&scope)), &message::event(event))
    }

    /// Hands an order of one scope to the client; `None` = it has no room now.
    ///
    /// # Errors
    /// Why it can never be written.
    pub fn order(&self, word: &Word) -> Result<Option<DeliveryFuture>, String> {
        let (partition, key) = match word.to() {
            To::Seat(seat) => (self.homes.of(seat), None),
            To::Own | To::All => (place::partition(OWN, self.partitions()), Some(OWN)),
        };
        if partition >= self.partitions() {
            return Err("no incident has this number".to_owned());
        }
        self.send((partition, key), &message::order(word, self.clock.now())?)
    }

    /// Writes the time into a partition, for a scope that is to be there. Nobody waits for it: another one comes.
    pub(super) fn tick(&self, partition: i32, scope: Option<&str>, at: Timestamp) {
        drop(self.send((partition, scope), &message::tick(at)));
    }

    /// Writes who owns a partition. Nobody waits for it: it is written again.
    pub(super) fn owner(&self, partition: i32, address: &str) {
        let key = partition.to_string();
        let record = FutureRecord::to(&self.topics.owners).partition(partition).key(&key).payload(address);
        drop(self.producer.send_result(record));
    }

    fn send(&self, (partition, key): (i32, Option<&str>), written: &Written) -> Result<Option<DeliveryFuture>, String> {
        let record = FutureRecord::to(&self.topics.events).partition(partition).payload(&written.value);
        let record = record.headers(headers(written));
        let record = if let Some(key) = key { record.key(key) } else { record };
        match self.producer.send_result(record) {
            Ok(answer) => Ok(Some(answer)),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => Ok(None),
            Err((error, _)) => Err(self.why(&error)),
        }
    }

    /// What an error means.
    #[must_use]
    pub fn why(&self, error: &KafkaError) -> String {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::NotEnoughReplicas | RDKafkaErrorCode::NotEnoughReplicasAfterAppend) => {
                "too few brokers have the partition (min.insync.replicas): start those that are missing".to_owned()
            }
            _ => self.why_down().unwrap_or_else(|| error.to_string()),
        }
    }

    /// Writes an order into every partition, or into none; done when all have it. All nodes do so under one name, so
    /// that such orders have the same order everywhere.
    ///
    /// # Errors
    /// Why it was not written.
    pub fn to_all(&self, word: &Word) -> Result<(), String> {
        let written = message::order(word, self.clock.now())?;
        let mut last = String::new();
        for _ in 0..TRIES {
            let config = broker::writing(&self.settings.connection, PATIENCE).map_err(|error| error.to_string())?;
            match self.transact(config, &written) {
                Ok(()) => return Ok(()),
                // Another node was at it.
                Err(error) => last = self.why(&error),
            }
        }
        Err(last)
    }

    fn transact(&self, mut config: ClientConfig, written: &Written) -> Result<(), KafkaError> {
        config.set("transactional.id", format!("{}-orders", self.settings.name)).set("message.max.bytes", LONGEST);
        let producer: ThreadedProducer<Watcher> = config.create_with_context(self.watcher.clone())?;
        producer.init_transactions(STEP)?;
        producer.begin_transaction()?;
        for partition in 0..self.partitions() {
            let record: BaseRecord<'_, (), [u8]> = BaseRecord::to(&self.topics.events).partition(partition);
            producer.send(record.payload(&written.value).headers(headers(written))).map_err(|(error, _)| error)?;
        }
        producer.commit_transaction(STEP)
    }
}

fn headers(written: &Written) -> OwnedHeaders {
    let headers = OwnedHeaders::new().insert(Header { key: KIND, value: Some(written.kind) });
    match &written.posted {
        Some(posted) => headers.insert(Header { key: POSTED, value: Some(posted) }),
        None => headers,
    }
}
