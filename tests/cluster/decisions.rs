//! The decisions of a cluster, as everybody downstream reads them: committed ones alone.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::Offset;

use squelch::clock::Stopwatch;

use crate::nodes::Cluster;
use crate::servers::Servers;

/// A reader that goes on where it stopped.
pub(crate) struct Decisions {
    consumer: BaseConsumer,
    /// Decisions as JSON Lines, by scope.
    pub(crate) text: BTreeMap<String, String>,
    verdicts: usize,
}

impl Decisions {
    /// Of a cluster whose topics are there.
    pub(crate) fn new(servers: &impl Servers, cluster: &Cluster) -> Self {
        Self::with(servers, cluster, "read_committed")
    }

    /// Also those that were written and never counted.
    pub(crate) fn of_all(servers: &impl Servers, cluster: &Cluster) -> Self {
        Self::with(servers, cluster, "read_uncommitted")
    }

    fn with(servers: &impl Servers, cluster: &Cluster, isolation: &str) -> Self {
        let mut config = servers.client();
        config.set("group.id", "downstream").set("isolation.level", isolation);
        config.set("enable.auto.commit", "false").set("auto.offset.reset", "earliest").set("fetch.wait.max.ms", "20");
        let consumer: BaseConsumer = config.create().unwrap();
        let mut list = TopicPartitionList::new();
        for partition in 0..cluster.partitions {
            list.add_partition_offset(&cluster.topic("decisions"), partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        Self { consumer, text: BTreeMap::new(), verdicts: 0 }
    }

    /// Reads what comes within this time.
    pub(crate) fn read(&mut self, time: Duration) {
        let watch = Stopwatch::start();
        loop {
            let rest = time.saturating_sub(watch.elapsed());
            if let Some(Ok(message)) = self.consumer.poll(rest) {
                let scope = String::from_utf8(message.key().unwrap().to_vec()).unwrap();
                let lines = std::str::from_utf8(message.payload().unwrap()).unwrap();
                self.verdicts += verdicts(lines);
                self.text.entry(scope).or_default().push_str(lines);
            }
            if rest.is_zero() {
                return;
            }
        }
    }

    /// How many events have a verdict.
    pub(crate) const fn verdicts(&self) -> usize {
        self.verdicts
    }

    /// Reads until there are so many bytes in all scopes, and a moment longer: one too many would show.
    pub(crate) fn read_all(&mut self, bytes: usize, patience: Duration) {
        let watch = Stopwatch::start();
        while self.text.values().map(String::len).sum::<usize>() < bytes && watch.elapsed() < patience {
            self.read(Duration::from_millis(200));
        }
        self.read(Duration::from_secs(1));
        let found: BTreeMap<&str, usize> = self.text.iter().map(|(scope, text)| (scope.as_str(), text.len())).collect();
        println!("{} of {bytes} bytes of decisions: {found:?}", self.text.values().map(String::len).sum::<usize>());
    }
}

/// How many events have a verdict in these decisions.
pub(crate) fn verdicts(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("{\"type\":\"verdict\"")).count()
}

/// Fails with the first place where two texts differ.
pub(crate) fn assert_same(scope: &str, found: &str, expected: &str) {
    if found == expected {
        return;
    }
    let (mut a, mut b) = (found.lines(), expected.lines());
    let mut number = 0;
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) if a == b => number += 1,
            (a, b) => panic!("{scope}: decision {number}\n   found {a:?}\nexpected {b:?}"),
        }
    }
}
