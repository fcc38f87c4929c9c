//! The log, written by the test itself: any producer may.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use squelch::cluster::place;
use squelch::domain::{Event, Timestamp};
use squelch::formats::native;

use crate::nodes::Cluster;
use crate::servers::Servers;
use crate::streams::Stream;

/// A writer that loses nothing: it fails the test instead.
pub(crate) struct Writer {
    producer: ThreadedProducer<Strict>,
    topic: String,
    partitions: i32,
}

struct Strict;

impl ClientContext for Strict {}

impl ProducerContext for Strict {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            // The test would wait for decisions in vain: better at once.
            eprintln!("a message was not written: {error}");
            std::process::abort();
        }
    }
}

impl Writer {
    pub(crate) fn new(servers: &impl Servers, cluster: &Cluster) -> Self {
        let mut config = servers.client();
        config.set("enable.idempotence", "true").set("linger.ms", "5").set("message.timeout.ms", "300000");
        config.set("queue.buffering.max.messages", "1000000");
        Self {
            producer: config.create_with_context(Strict).unwrap(),
            topic: cluster.topic("events"),
            partitions: cluster.partitions,
        }
    }

    pub(crate) fn event(&self, scope: &str, event: &Event) {
        let (line, partition) = (native::write_line(event), place::partition(scope, self.partitions));
        let record = BaseRecord::to(&self.topic).partition(partition).key(scope).payload(&line);
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
    }

    /// Writes the time into every partition.
    pub(crate) fn tick(&self, at: Timestamp) {
        let value = format!("{{\"at\":{}}}", serde_json::to_string(&at).unwrap());
        self.say("tick", value.as_bytes());
    }

    /// Writes this into every partition.
    pub(crate) fn say(&self, kind: &str, value: &[u8]) {
        for partition in 0..self.partitions {
            let headers = OwnedHeaders::new().insert(Header { key: "squelch-kind", value: Some(kind) });
            let record: BaseRecord<'_, (), [u8]> = BaseRecord::to(&self.topic).partition(partition);
            self.producer.send(record.payload(value).headers(headers)).map_err(|(error, _)| error).unwrap();
        }
    }

    /// Writes the time for a scope that is to be there.
    pub(crate) fn tick_of(&self, scope: &str, at: Timestamp) {
        let value = format!("{{\"at\":{}}}", serde_json::to_string(&at).unwrap());
        let headers = OwnedHeaders::new().insert(Header { key: "squelch-kind", value: Some("tick") });
        let record = BaseRecord::to(&self.topic).partition(place::partition(scope, self.partitions)).key(scope);
        self.producer.send(record.payload(&value).headers(headers)).map_err(|(error, _)| error).unwrap();
    }

    pub(crate) fn flush(&self) {
        self.producer.flush(Duration::from_secs(120)).unwrap();
    }
}

/// Events of all streams, mixed: the order within each stays.
pub(crate) fn mixed(streams: &BTreeMap<String, Stream>) -> Vec<(&str, &Event)> {
    const PIECE: usize = 37;
    let mut rest: Vec<_> = streams.iter().map(|(scope, stream)| (scope.as_str(), stream.as_slice())).collect();
    let mut all = Vec::new();
    while !rest.is_empty() {
        for (scope, stream) in &mut rest {
            let (piece, others) = stream.split_at(PIECE.min(stream.len()));
            all.extend(piece.iter().map(|event| (*scope, event)));
            *stream = others;
        }
        rest.retain(|(_, stream)| !stream.is_empty());
    }
    all
}
