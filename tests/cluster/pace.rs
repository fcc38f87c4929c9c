//! How fast workers judge what stands in the log, beside how fast the same broker takes it from its own tool for that
//! (`ProducerPerformance` of Apache Kafka), and from a client as ours. It prints its figures; `SQUELCH_CLUSTER_PACE=600000`
//! for a long run.

use std::process::Command;
use std::time::Duration;

use squelch::clock::Stopwatch;

use crate::broker::Broker;
use crate::decisions::Decisions;
use crate::disturbed::{QUIET, SCOPES, given, stream};
use crate::log::Writer;
use crate::nodes::{Cluster, Node};
use crate::servers::Servers as _;

/// As long as an event of these is in the log, in bytes.
const MESSAGE: u64 = 148;

fn pace(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// Messages a second that the broker takes at most, by its own tool: one producer, acks=all.
fn limit(broker: &Broker, cluster: &Cluster, events: u64) -> f64 {
    let jars = std::env::var("SQUELCH_TEST_KAFKA").unwrap();
    let output = Command::new("java")
        .args(["-Xmx512m", "-cp", &format!("{jars}/*"), "org.apache.kafka.tools.ProducerPerformance"])
        .args(["--topic", &cluster.topic("decisions"), "--num-records", &events.to_string()])
        .args(["--throughput", "-1", "--record-size", &MESSAGE.to_string(), "--producer-props"])
        .args([&format!("bootstrap.servers={}", broker.addresses().join(",")), "acks=all", "linger.ms=5"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().rev().find(|line| line.contains("records/sec"));
    let found = last.and_then(|line| line.split(", ").nth(1)?.split(' ').next()?.parse().ok());
    found.unwrap_or_else(|| {
        panic!("the jars of tests/peers/kafka.xml: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}

/// So many workers judge what stands in the log of a cluster of their own. Gives events a second that one client wrote and
/// that they judged, and the seconds of cores an event took.
fn judged(broker: &Broker, workers: usize, events: u64) -> (f64, f64, f64) {
    let cluster = Cluster::new(broker, &format!("pace{workers}"), (QUIET, ", tick: 1h"));
    let mut first = cluster.node(0, "worker");
    first.until_ready();
    first.stop();
    let streams: Vec<_> = (0..SCOPES).map(|scope| (format!("scope-{scope}"), stream(scope, events / SCOPES))).collect();
    let writer = Writer::new(broker, &cluster);
    let watch = Stopwatch::start();
    for at in 0..(events / SCOPES) as usize {
        streams.iter().for_each(|(scope, stream)| writer.event(scope, &stream[at]));
    }
    writer.flush();
    let written = watch.elapsed();
    let mut decisions = Decisions::new(broker, &cluster);
    let nodes: Vec<Node> = (1..=workers).map(|number| cluster.node(number, "worker")).collect();
    while decisions.verdicts() == 0 {
        decisions.read(Duration::from_millis(5));
    }
    let cpu = || nodes.iter().map(Node::cpu).sum::<Duration>();
    let (begun, before, watch) = (decisions.verdicts(), cpu(), Stopwatch::start());
    while decisions.verdicts() < events as usize && watch.elapsed() < Duration::from_secs(240) {
        decisions.read(Duration::from_millis(20));
    }
    let (took, spent) = (watch.elapsed(), cpu() - before);
    decisions.read(Duration::from_millis(500));
    assert_eq!(decisions.verdicts(), events as usize);
    let here = events as usize - begun;
    println!("{workers} workers had {} MB of memory", nodes.iter().map(Node::memory).sum::<u64>() >> 20);
    nodes.into_iter().for_each(Node::stop);
    (pace(events as usize, written), pace(here, took), spent.as_secs_f64() / here as f64)
}

#[test]
fn workers_catch_up_with_what_stands_in_the_log() {
    let Some(broker) = Broker::shared() else { return };
    let events = given("SQUELCH_CLUSTER_PACE", 12_000) / SCOPES * SCOPES;
    for workers in [1, 2] {
        let (written, judged, cpu) = judged(&broker, workers, events);
        println!(
            "{events} events: one client wrote {written:.0}/s (idempotent, acks=all); {workers} workers judged and stored \
             {judged:.0}/s, with {:.1} us of a core each",
            cpu * 1e6
        );
    }
    let cluster = Cluster::new(&broker, "limit", (QUIET, ", tick: 1h"));
    let mut node = cluster.node(0, "worker");
    node.until_ready();
    node.stop();
    println!(
        "the broker takes {:.0} messages/s of {MESSAGE} bytes from its own tool",
        limit(&broker, &cluster, events)
    );
}
