//! The transactions of one shard: rows, decisions and the offset, all or nothing, and by one writer at a time.
//!
//! The transactional id is the partition's own, so whoever takes it over fences whoever had it before, however alive
//! that one is. Deliberately without knowledge of what the rows mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::Offset;
use rdkafka::{Statistics, TopicPartitionList};
use tracing::warn;

use super::member::Member;
use super::record::{Row, Shelf};
use super::shard::Yield;
use super::topics::{LONGEST, Topics};
use crate::broker::{self, Watcher};
use crate::clock::Stopwatch;
use crate::config::Cluster;

/// Each call has so long.
const STEP: Duration = Duration::from_secs(10);
/// What can be tried again is tried for so long; then the shard is begun anew.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it waits before it tries again.
const AGAIN: Duration = Duration::from_millis(200);

/// Why a shard cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// Another worker has the partition: nothing of this one counts any more.
    Fenced,
    /// It was told to stop.
    Stopped,
    /// Something else: the shard is rebuilt.
    Failed(String),
}

/// What its owner wants while the writer waits for the brokers.
pub(super) struct Wish<'a> {
    /// Whether it is told to stop.
    pub(super) stops: &'a dyn Fn() -> bool,
    /// Hears why it waits.
    pub(super) waits: &'a dyn Fn(&KafkaError),
}

/// What the client of a shard hears.
struct Ear {
    watcher: Watcher,
    key: Vec<u8>,
    place: Arc<AtomicI64>,
}

impl ClientContext for Ear {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        self.watcher.log(level, fac, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.watcher.stats(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.watcher.error(error, reason);
    }
}

impl ProducerContext for Ear {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Ok(message) = result
            && message.key() == Some(&self.key)
        {
            self.place.store(message.offset(), Ordering::SeqCst);
        }
    }
}

/// The writer of one shard.
pub(super) struct Pen {
    producer: ThreadedProducer<Ear>,
    /// Where the last row of [`Row::offset`] came to lie.
    place: Arc<AtomicI64>,
    topics: Topics,
    partition: i32,
    member: Member,
}

impl Pen {
    /// Takes the partition over: whoever wrote for it before never can again.
    pub(super) fn take_over(settings: &Cluster, partition: i32, member: Member, wish: &Wish<'_>) -> Result<Self, Lost> {
        let failed = |error: String| Lost::Failed(error);
        let mut config = broker::writing(&settings.connection, PATIENCE).map_err(|error| failed(error.to_string()))?;
        config
            .set("transactional.id", format!("{}-shard-{partition}", settings.name))
            .set("message.max.bytes", LONGEST)
            .set("queue.buffering.max.messages", "500000")
            .set("compression.type", "lz4");
        let place = Arc::new(AtomicI64::new(-1));
        let ear = Ear { watcher: Watcher::default(), key: Row::offset_key(), place: Arc::clone(&place) };
        let producer: ThreadedProducer<Ear> =
            config.create_with_context(ear).map_err(|error| failed(error.to_string()))?;
        let pen = Self { producer, place, topics: Topics::of(settings), partition, member };
        pen.until_done(wish, || pen.producer.init_transactions(STEP))?;
        Ok(pen)
    }

    /// Stores what came out of a turn, and how far events were read. It is tried until it is done, or cannot be. Gives
    /// the offset in the changelog of the row that says how far; below 0 = not known.
    pub(super) fn store(&self, out: &Yield, next: i64, wish: &Wish<'_>) -> Result<i64, Lost> {
        let watch = Stopwatch::start();
        loop {
            let error = match self.attempt(out, next, wish) {
                Ok(()) => return Ok(self.place.load(Ordering::SeqCst)),
                Err(error) => error,
            };
            if let Some(lost) = for_good(&error) {
                return Err(lost);
            }
            // Nothing of it was stored; the same is tried again, with what the group says now.
            warn!(partition = self.partition, %error, "what a shard decided could not be stored yet");
            (wish.waits)(&error);
            self.until_done(wish, || self.producer.abort_transaction(STEP))?;
            if (wish.stops)() || !self.member.holds(self.partition) {
                return Err(Lost::Stopped);
            }
            if watch.elapsed() > PATIENCE {
                return Err(Lost::Failed(error.to_string()));
            }
            thread::sleep(AGAIN);
        }
    }

    fn attempt(&self, out: &Yield, next: i64, wish: &Wish<'_>) -> Result<(), KafkaError> {
        self.producer.begin_transaction()?;
        for row in &out.rows {
            let topic = match row.shelf {
                Shelf::State => &self.topics.state,
                Shelf::Outbox => &self.topics.outbox,
            };
            self.send(topic, &row.key, row.value.as_deref())?;
        }
        if let Some(topic) = &self.topics.decisions {
            for (scope, lines) in &out.decisions {
                self.send(topic, scope.as_bytes(), Some(lines.as_bytes()))?;
            }
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topics.events, self.partition, Offset::Offset(next))?;
        let group = self.member.consumer().group_metadata();
        let group = group.ok_or(KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownMemberId))?;
        repeated(wish, || self.producer.send_offsets_to_transaction(&list, &group, STEP))?;
        repeated(wish, || self.producer.commit_transaction(STEP))
    }

    fn send(&self, topic: &str, key: &[u8], value: Option<&[u8]>) -> Result<(), KafkaError> {
        loop {
            let record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).partition(self.partition).key(key);
            let record = if let Some(value) = value { record.payload(value) } else { record };
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    thread::sleep(Duration::from_millis(2));
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Repeats a call until it is done, or never will be.
    fn until_done(&self, wish: &Wish<'_>, call: impl Fn() -> Result<(), KafkaError>) -> Result<(), Lost> {
        repeated(wish, call).map_err(|error| {
            let otherwise = || if (wish.stops)() { Lost::Stopped } else { Lost::Failed(error.to_string()) };
            for_good(&error).unwrap_or_else(otherwise)
        })
    }
}

/// Repeats a call for as long as the client says that it may be, and it is worth it.
pub(super) fn repeated(wish: &Wish<'_>, call: impl Fn() -> Result<(), KafkaError>) -> Result<(), KafkaError> {
    let watch = Stopwatch::start();
    loop {
        match call() {
            Err(KafkaError::Transaction(error))
                if error.is_retriable() && watch.elapsed() < PATIENCE && !(wish.stops)() =>
            {
                (wish.waits)(&KafkaError::Transaction(error));
                thread::sleep(AGAIN);
            }
            result => return result,
        }
    }
}

/// Whether this writer can never write again, and why.
fn for_good(error: &KafkaError) -> Option<Lost> {
    let fenced = [
        RDKafkaErrorCode::ProducerFenced,
        RDKafkaErrorCode::Fenced,
        RDKafkaErrorCode::InvalidProducerEpoch,
        RDKafkaErrorCode::FencedInstanceId,
    ];
    if error.rdkafka_error_code().is_some_and(|code| fenced.contains(&code)) {
        return Some(Lost::Fenced);
    }
    match error {
        KafkaError::Transaction(inner) if inner.is_fatal() => Some(Lost::Failed(inner.string())),
        KafkaError::Transaction(_) => None,
        _ if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) => Some(Lost::Failed(error.to_string())),
        _ => None,
    }
}
