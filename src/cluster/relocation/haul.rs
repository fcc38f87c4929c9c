//! The writing of a move: one producer, one transaction.

use std::thread;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};

use super::plan::Way;
use super::{PATIENCE, STEP, Sight, WAIT, patient, records};
use crate::broker::{self, Watcher};
use crate::clock::Stopwatch;
use crate::cluster::changelog::Changelog;
use crate::cluster::letter::Letter;
use crate::cluster::moved::Moved;
use crate::cluster::place;
use crate::cluster::record::{Row, Shelf};
use crate::cluster::topics::{LONGEST, Topics};
use crate::cluster::transaction::repeated;
use crate::config::Cluster;

/// The whole transaction has so long, in milliseconds: what brokers allow where nobody told them otherwise.
const WHOLE: &str = "900000";
/// How long it waits for room in the client.
const AGAIN: Duration = Duration::from_millis(2);

/// The writer into the new topics.
pub(super) struct Pen {
    producer: ThreadedProducer<Watcher>,
    watcher: Watcher,
    topics: Topics,
    partitions: i32,
}

/// A message as it is written once more.
struct Parcel {
    value: Vec<u8>,
    headers: Option<OwnedHeaders>,
    /// When it was written first.
    at: Option<i64>,
}

impl Pen {
    /// Takes the name under which moves write; what an earlier one had not finished is gone.
    pub(super) fn take(to: &Cluster) -> Result<Self, String> {
        let watcher = Watcher::default();
        let mut config = broker::writing(&to.connection, PATIENCE).map_err(|error| error.to_string())?;
        config
            .set("transactional.id", format!("{}-move", to.name))
            .set("transaction.timeout.ms", WHOLE)
            .set("message.timeout.ms", "120000")
            .set("message.max.bytes", LONGEST)
            .set("queue.buffering.max.messages", "500000")
            .set("compression.type", "lz4");
        let producer: ThreadedProducer<Watcher> =
            config.create_with_context(watcher.clone()).map_err(|error| error.to_string())?;
        let pen = Self { producer, watcher, topics: Topics::of(to), partitions: i32::from(to.partitions) };
        repeated(&patient(), || pen.producer.init_transactions(STEP)).map_err(|error| pen.why(&error))?;
        Ok(pen)
    }

    fn why(&self, error: &KafkaError) -> String {
        self.watcher.why_down().unwrap_or_else(|| error.to_string())
    }

    /// Does the work in one transaction.
    pub(super) fn all_or_nothing(&self, work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        self.producer.begin_transaction().map_err(|error| self.why(&error))?;
        let done = work().and_then(|()| {
            repeated(&patient(), || self.producer.commit_transaction(PATIENCE)).map_err(|error| self.why(&error))
        });
        done.map_err(|why| {
            // Where this does not reach the brokers, the next run or the end of its time does away with it.
            drop(self.producer.abort_transaction(STEP));
            format!("{why}\nnothing was moved: run it again when that is mended")
        })
    }

    fn send(&self, topic: &str, partition: i32, key: Option<&[u8]>, parcel: &Parcel) -> Result<(), String> {
        let mut record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(topic).partition(partition).payload(parcel.value.as_slice());
        record.key = key;
        record.headers.clone_from(&parcel.headers);
        record.timestamp = parcel.at;
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    thread::sleep(AGAIN);
                }
                Err((error, _)) => return Err(self.why(&error)),
            }
        }
    }

    fn row(&self, partition: i32, row: Row) -> Result<(), String> {
        let topic = match row.shelf {
            Shelf::State => &self.topics.state,
            Shelf::Outbox => &self.topics.outbox,
        };
        let parcel = Parcel { value: row.value.unwrap_or_default(), headers: None, at: None };
        self.send(topic, partition, Some(&row.key), &parcel)
    }

    /// Writes down what was moved.
    pub(super) fn moved(&self, moved: &Moved) -> Result<(), String> {
        let (key, value) = moved.write();
        let parcel = Parcel { value, headers: None, at: None };
        self.send(&self.topics.moved, place::partition(&key, self.partitions), Some(key.as_bytes()), &parcel)
    }
}

/// What is written.
pub(super) struct Haul<'a> {
    pub(super) from: &'a Cluster,
    pub(super) to: &'a Cluster,
    pub(super) sight: &'a Sight,
    pub(super) pen: &'a Pen,
    pub(super) tell: &'a dyn Fn(&str),
}

/// An old partition of events while it is read.
struct Reading {
    log: Changelog,
    next: i64,
}

impl Haul<'_> {
    /// The records of all scopes, what every partition has, and where each scope is.
    pub(super) fn state(&self) -> Result<(), String> {
        let count = self.sight.estates.len();
        for partition in 0..i32::try_from(count).unwrap_or(i32::MAX) {
            (self.tell)(&format!("the state of partition {partition} of {count} is moved"));
            let log = Changelog::new(self.from, partition)?;
            for (key, value) in records(self.from, partition, &log)? {
                if let Some((to, row)) = self.sight.plan.row(partition, &key, &value) {
                    self.pen.row(to, row)?;
                }
            }
        }
        for (to, row) in self.sight.plan.own() {
            self.pen.row(to, row)?;
        }
        self.sight.plan.moved().iter().try_for_each(|moved| self.pen.moved(moved))
    }

    /// What is not judged yet: each scope's in order, and what was said to all once, between what came before it and
    /// what came after it in each old partition.
    pub(super) fn log(&self) -> Result<(), String> {
        let sight = self.sight;
        let last = sight.estates.iter().map(|estate| estate.orders.len()).max().unwrap_or(0);
        let mut readings: Vec<Option<Reading>> = sight.estates.iter().map(|_| None).collect();
        for round in 0..=last {
            let mut said = None;
            for (at, reading) in readings.iter_mut().enumerate() {
                if round >= sight.rounds[at] {
                    said = self.stretch(at, reading)?.or(said);
                }
            }
            if let Some(parcel) = said {
                let events = &self.pen.topics.events;
                (0..i32::from(self.to.partitions)).try_for_each(|to| self.pen.send(events, to, None, &parcel))?;
            }
        }
        Ok(())
    }

    /// Moves what an old partition has up to the next order to all, which it gives; `None` = its end was reached.
    fn stretch(&self, at: usize, reading: &mut Option<Reading>) -> Result<Option<Parcel>, String> {
        let (partition, (from, end)) = (i32::try_from(at).unwrap_or(i32::MAX), self.sight.stretches[at]);
        let mut open = match reading.take() {
            Some(open) => open,
            None if from >= end => return Ok(None),
            None => {
                (self.tell)(&format!("what is not judged yet of partition {partition} is moved"));
                let log = Changelog::new(self.from, partition)?;
                let (next, _) = log.begin(Some(from))?;
                Reading { log, next }
            }
        };
        let mut heard = Stopwatch::start();
        while open.next < end {
            let Some(message) = open.log.poll(WAIT)? else {
                if heard.elapsed() > PATIENCE {
                    let late = || format!("partition {partition} of the events cannot be read up to offset {end}");
                    return Err(open.log.watcher.why_down().unwrap_or_else(late));
                }
                continue;
            };
            heard = Stopwatch::start();
            open.next = message.offset() + 1;
            let letter = Letter::of(&message);
            let parcel = || Parcel {
                value: message.payload().unwrap_or_default().to_vec(),
                headers: message.headers().map(rdkafka::message::BorrowedHeaders::detach),
                at: message.timestamp().to_millis(),
            };
            let way = match &letter.said {
                None => Way::Stays,
                Some(Ok(said)) => self.sight.plan.way(partition, letter.scope, said),
                Some(Err(why)) => Way::Left(why.clone()),
            };
            match way {
                Way::To(to, key) => {
                    let key = key.as_deref().map(str::as_bytes);
                    self.pen.send(&self.pen.topics.events, to, key, &parcel())?;
                }
                Way::All => {
                    let parcel = parcel();
                    *reading = Some(open);
                    return Ok(Some(parcel));
                }
                Way::Stays => {}
                Way::Left(why) => (self.tell)(&format!(
                    "the message at offset {} of partition {partition} is left behind: {why}",
                    letter.offset
                )),
            }
        }
        Ok(None)
    }
}
