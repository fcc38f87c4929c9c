//! A shard's records out of its compacted topics, and the messages behind them.

use std::cell::Cell;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::Offset;

use super::copy::{Changed, Place, Records};
use super::record::Row;
use super::topics::Topics;
use crate::broker::{self, Watcher};
use crate::config::Cluster;

/// How long the brokers are waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it waits for a message.
const WAIT: Duration = Duration::from_millis(200);

/// The reader of one partition.
pub(super) struct Changelog {
    consumer: BaseConsumer<Watcher>,
    pub(super) watcher: Watcher,
    topics: Topics,
    partition: i32,
    /// Whether the end was reached: what is behind the last message is no message.
    at_end: Cell<bool>,
}

/// What was read, and how much that was.
#[derive(Default)]
pub(super) struct Found {
    /// As it stands.
    pub(super) records: Records,
    /// Messages read of the state.
    pub(super) messages: u64,
    /// Records that the local copy had.
    pub(super) copied: u64,
    /// What the partition was called by its first owner, and where the last row lies that says so.
    pub(super) brand: Option<(String, i64)>,
    /// What the local copy lacks of the state.
    pub(super) changed: Changed,
}

impl Changelog {
    pub(super) fn new(settings: &Cluster, partition: i32) -> Result<Self, String> {
        let watcher = Watcher::default();
        let mut config = broker::reading(&settings.connection, &settings.name).map_err(|error| error.to_string())?;
        config.set("enable.partition.eof", "true").set("fetch.wait.max.ms", "50");
        let consumer = config.create_with_context(watcher.clone()).map_err(|error| error.to_string())?;
        Ok(Self { consumer, watcher, topics: Topics::of(settings), partition, at_end: Cell::new(false) })
    }

    /// The id that the brokers of a cluster share.
    pub(super) fn cluster(&self) -> Option<String> {
        self.consumer.client().fetch_cluster_id(PATIENCE)
    }

    /// Reads all records up to the end, the state on from a local copy where that is one of it; `stops` breaks it off.
    /// Whether the copy was used.
    pub(super) fn records(
        &self,
        copy: Option<(Records, Place)>,
        stops: impl Fn() -> bool,
    ) -> Result<(Found, bool), String> {
        let (state, outbox) = (&self.topics.state, &self.topics.outbox);
        let mut used = false;
        let mut found = Found::default();
        if let Some((records, place)) = copy.filter(|(_, place)| self.reaches(place)) {
            found = Found { copied: records.len() as u64, records, ..Found::default() };
            self.read(state, Offset::Offset(place.offset), &mut found, &stops)?;
            used = found.brand.as_ref().is_some_and(|(brand, _)| *brand == place.brand);
        }
        if !used {
            found = Found::default();
            self.read(state, Offset::Beginning, &mut found, &stops)?;
        }
        // What is owed is little, and read anew each time.
        let mut owed = Found::default();
        self.read(outbox, Offset::Beginning, &mut owed, &stops)?;
        found.records.append(&mut owed.records);
        found.messages += owed.messages;
        Ok((found, used))
    }

    /// Whether a copy is of this changelog, and goes no further than it does.
    fn reaches(&self, place: &Place) -> bool {
        let marks = self.consumer.fetch_watermarks(&self.topics.state, self.partition, PATIENCE);
        place.topic == self.topics.state
            && self.cluster().is_some_and(|cluster| cluster == place.cluster)
            && marks.is_ok_and(|(low, high)| (low..high).contains(&place.offset))
    }

    fn read(&self, topic: &str, from: Offset, found: &mut Found, stops: &impl Fn() -> bool) -> Result<(), String> {
        let offset_key = Row::offset_key();
        self.assign(topic, from)?;
        loop {
            if stops() {
                return Err("it is no longer this node's".to_owned());
            }
            match self.consumer.poll(WAIT) {
                None => {}
                Some(Ok(message)) => {
                    found.messages += 1;
                    let (key, value) = (message.key().unwrap_or_default().to_vec(), message.payload());
                    if let Some((_, brand)) = value.filter(|_| key == offset_key).and_then(Row::read_offset) {
                        found.brand = Some((brand.unwrap_or_default().to_owned(), message.offset()));
                    }
                    match value {
                        Some(value) => found.records.insert(key.clone(), value.to_vec()),
                        None => found.records.remove(&key),
                    };
                    found.changed.insert(key, value.map(<[u8]>::to_vec));
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
                Some(Err(error)) if passes(&error) => {}
                Some(Err(error)) => return Err(format!("the topic `{topic}` cannot be read: {error}")),
            }
        }
    }

    /// Where to read events on: where the records say, else where the group says, else at the beginning; with what
    /// people should know of it.
    pub(super) fn begin(&self, stored: Option<i64>) -> Result<(i64, Option<String>), String> {
        let (topic, partition) = (&self.topics.events, self.partition);
        let wrong = |error: KafkaError| format!("partition {partition} of the topic `{topic}` cannot be read: {error}");
        let (low, high) = self.consumer.fetch_watermarks(topic, partition, PATIENCE).map_err(wrong)?;
        let next = match stored {
            Some(next) => next,
            None => self.committed()?.unwrap_or(low),
        };
        let warning = if next < low {
            Some(format!(
                "{} messages of partition {partition} were deleted before they were judged (offsets {next} to {}): keep them longer (retention.ms)",
                low - next,
                low - 1
            ))
        } else if next > high {
            Some(format!(
                "partition {partition} of the topic `{topic}` ends at {high}, and was judged up to {next}: it was made anew, and is read from its beginning"
            ))
        } else {
            None
        };
        let next = if (low..=high).contains(&next) { next } else { low };
        self.assign(topic, Offset::Offset(next))?;
        Ok((next, warning))
    }

    fn committed(&self) -> Result<Option<i64>, String> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topics.events, self.partition);
        let found = self.consumer.committed_offsets(list, PATIENCE).map_err(|error| error.to_string())?;
        let found = found.find_partition(&self.topics.events, self.partition).map(|found| found.offset());
        Ok(match found {
            Some(Offset::Offset(next)) => Some(next),
            _ => None,
        })
    }

    fn assign(&self, topic: &str, offset: Offset) -> Result<(), String> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, self.partition, offset).map_err(|error| error.to_string())?;
        self.consumer.assign(&list).map_err(|error| error.to_string())
    }

    /// The next message of the events; `None` = there is none now.
    pub(super) fn poll(&self, wait: Duration) -> Result<Option<BorrowedMessage<'_>>, String> {
        match self.consumer.poll(wait) {
            None => Ok(None),
            Some(Err(KafkaError::PartitionEOF(_))) => {
                self.at_end.set(true);
                Ok(None)
            }
            Some(Ok(message)) => {
                self.at_end.set(false);
                Ok(Some(message))
            }
            Some(Err(error)) if passes(&error) => Ok(None),
            Some(Err(error)) => Err(error.to_string()),
        }
    }

    /// Whether the end was reached after the last message.
    pub(super) fn is_at_end(&self) -> bool {
        self.at_end.get()
    }

    /// Where the events end, as the brokers say when they are asked; `None` = they do not answer.
    pub(super) fn end(&self) -> Option<i64> {
        let marks = self.consumer.fetch_watermarks(&self.topics.events, self.partition, PATIENCE);
        marks.ok().map(|(_, end)| end)
    }

    /// How many messages are behind this offset, as far as the brokers said.
    pub(super) fn lag(&self, next: i64) -> Option<u64> {
        if self.at_end.get() {
            return Some(0);
        }
        let end = self.watcher.end(&self.topics.events, self.partition)?;
        Some(u64::try_from(end - next).unwrap_or(0))
    }
}

/// Whether the client only tells that it cannot read now: it goes on by itself, and the shard need not be rebuilt.
fn passes(error: &KafkaError) -> bool {
    let passing = [
        RDKafkaErrorCode::BrokerTransportFailure,
        RDKafkaErrorCode::AllBrokersDown,
        RDKafkaErrorCode::Resolve,
        RDKafkaErrorCode::OperationTimedOut,
        RDKafkaErrorCode::RequestTimedOut,
        RDKafkaErrorCode::NetworkException,
        RDKafkaErrorCode::LeaderNotAvailable,
        RDKafkaErrorCode::NotLeaderForPartition,
        RDKafkaErrorCode::ReplicaNotAvailable,
    ];
    error.rdkafka_error_code().is_some_and(|code| passing.contains(&code))
}
