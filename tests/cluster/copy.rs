//! Who has a copy of a shard on its disk reads only what came since, and decides the same; a copy that is not one of this
//! changelog is not used. It prints its figures; `SQUELCH_CLUSTER_SERIES=100000` for large shards.

use std::collections::BTreeMap;
use std::time::Duration;

use squelch::clock::Stopwatch;
use squelch::domain::Event;

use crate::broker::Broker;
use crate::decisions::{Decisions, assert_same};
use crate::disturbed::{QUIET, event, given};
use crate::log::Writer;
use crate::nodes::{Cluster, Node, PARTITIONS};
use crate::streams::{expected, policy};

/// What a shard was rebuilt from, and for how long.
#[derive(Clone, Copy, Debug, Default)]
struct Rebuilt {
    records: u64,
    copied: u64,
    messages: u64,
    longest: f64,
}

/// The last rebuilding of each of its shards, in sum.
fn rebuilt(node: &Node) -> Rebuilt {
    let mut shards: BTreeMap<u64, Rebuilt> = BTreeMap::new();
    let log = node.log();
    for line in log.lines().filter(|line| line.contains("the shard is rebuilt partition")) {
        let field = |name: &str| {
            let text = line.split_once(&format!("{name}=")).unwrap().1;
            text.split(' ').next().unwrap().to_owned()
        };
        let number = |name: &str| field(name).parse::<u64>().unwrap();
        let took = field("took");
        let seconds = match took.strip_suffix("ms") {
            Some(text) => text.parse::<f64>().unwrap() / 1_000.0,
            None => took.trim_end_matches('s').parse().unwrap_or(0.0),
        };
        let of = Rebuilt {
            records: number("records"),
            copied: number("copied"),
            messages: number("messages"),
            longest: seconds,
        };
        shards.insert(number("partition"), of);
    }
    let add = |a: Rebuilt, b: &Rebuilt| Rebuilt {
        records: a.records + b.records,
        copied: a.copied + b.copied,
        messages: a.messages + b.messages,
        longest: a.longest.max(b.longest),
    };
    shards.values().fold(Rebuilt::default(), add)
}

/// Each event is of a series of its own, as far as these go.
pub(crate) fn of_many(scope: u64, number: u64, series: u64) -> Event {
    let mut event = event(scope, number);
    // Names, not numbers: those would be masked.
    let name: String = (number % series).to_string().bytes().map(|digit| char::from(b'a' + digit - b'0')).collect();
    event.host = Some(format!("host-{name}"));
    event.check = "load".to_owned();
    event.severity = squelch::domain::Severity::Warning;
    event
}

struct Story<'a> {
    cluster: &'a Cluster,
    writer: Writer,
    decisions: Decisions,
    told: BTreeMap<String, Vec<Event>>,
    series: u64,
    sent: u64,
}

impl Story<'_> {
    /// One more event of each of so many series.
    fn go_on(&mut self, count: u64) {
        for _ in 0..count {
            let scope = self.sent % 4;
            let event = of_many(scope, self.sent / 4, self.series);
            let name = format!("scope-{scope}");
            self.writer.event(&name, &event);
            self.told.entry(name).or_default().push(event);
            self.sent += 1;
        }
        self.writer.flush();
        let watch = Stopwatch::start();
        while self.decisions.verdicts() < self.sent as usize && watch.elapsed() < Duration::from_secs(480) {
            self.decisions.read(Duration::from_millis(50));
        }
        assert_eq!(self.decisions.verdicts(), self.sent as usize);
    }

    fn node(&self, number: usize) -> Node {
        let mut node = self.cluster.node(number, "worker");
        node.until_it_holds(PARTITIONS);
        node
    }
}

#[test]
fn a_worker_with_a_copy_reads_only_what_came_since_and_decides_the_same() {
    let Some(broker) = Broker::shared() else { return };
    let series = given("SQUELCH_CLUSTER_SERIES", 500);
    let cluster = Cluster::new(&broker, "copied", (QUIET, ", tick: 1h"));
    let mut node = cluster.node(0, "worker");
    node.until_ready();
    let (writer, decisions) = (Writer::new(&broker, &cluster), Decisions::new(&broker, &cluster));
    let mut story = Story { cluster: &cluster, writer, decisions, told: BTreeMap::new(), series, sent: 0 };
    story.go_on(8 * series);
    node.stop();
    // It comes back: only the last record of each shard, and the mark of its commit, are read again.
    let node = story.node(0);
    let back = rebuilt(&node);
    story.go_on(40);
    drop(node);
    // Another one has no copy, and reads all.
    let other = story.node(1);
    story.go_on(400);
    let whole = rebuilt(&other);
    other.stop();
    // The first one was killed, and is behind by what the other one judged.
    let node = story.node(0);
    story.go_on(40);
    let behind = rebuilt(&node);
    node.stop();
    println!(
        "{series} series a scope: without a copy {whole:?}, with one {back:?}, with one that is behind {behind:?}"
    );
    assert!(back.copied > 4 * series && back.messages * 10 < back.records, "{back:?}");
    assert!(whole.copied == 0 && whole.messages > 4 * series, "{whole:?}");
    assert!(behind.copied > 4 * series && behind.messages < whole.messages / 2, "{behind:?}");
    for (scope, stream) in &story.told {
        let wanted = expected(&policy(&cluster.path("rules")), stream, None);
        assert_same(scope, &story.decisions.text[scope], &wanted);
    }
    a_copy_of_another_cluster_is_not_used(&broker, &cluster);
}

fn a_copy_of_another_cluster_is_not_used(broker: &Broker, cluster: &Cluster) {
    // The same name and the same place, but topics that were made anew.
    ["events", "state", "outbox", "decisions"].iter().for_each(|what| broker.remove(&cluster.topic(what)));
    std::thread::sleep(Duration::from_secs(2));
    let mut node = cluster.node(0, "worker");
    node.until_it_holds(PARTITIONS);
    let found = rebuilt(&node);
    assert_eq!((found.records, found.copied), (0, 0), "{found:?}");
    node.stop();
}
