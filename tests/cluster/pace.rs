//! How fast a worker judges what stands in the log, beside how fast the same broker takes it. It prints its figures;
//! `SQUELCH_CLUSTER_PACE=200000` for a long one.

use std::time::Duration;

use squelch::clock::Stopwatch;

use crate::broker::Broker;
use crate::decisions::Decisions;
use crate::disturbed::{QUIET, SCOPES, given, stream};
use crate::log::Writer;
use crate::nodes::Cluster;

#[test]
fn a_worker_catches_up_with_what_stands_in_the_log() {
    let Some(broker) = Broker::shared() else { return };
    let events = given("SQUELCH_CLUSTER_PACE", 12_000) / SCOPES * SCOPES;
    let cluster = Cluster::new(&broker, "pace", (QUIET, ", tick: 1h"));
    let mut first = cluster.node(0, "worker");
    first.until_ready();
    first.stop();
    let streams: Vec<_> = (0..SCOPES).map(|scope| (format!("scope-{scope}"), stream(scope, events / SCOPES))).collect();
    let writer = Writer::new(&broker, &cluster);
    let watch = Stopwatch::start();
    for at in 0..(events / SCOPES) as usize {
        streams.iter().for_each(|(scope, stream)| writer.event(scope, &stream[at]));
    }
    writer.flush();
    let written = watch.elapsed();
    let mut decisions = Decisions::new(&broker, &cluster);
    let node = cluster.node(1, "worker");
    while decisions.text.is_empty() {
        decisions.read(Duration::from_millis(5));
    }
    let (begun, watch) = (decisions.verdicts(), Stopwatch::start());
    while decisions.verdicts() < events as usize && watch.elapsed() < Duration::from_secs(240) {
        decisions.read(Duration::from_millis(100));
    }
    let judged = watch.elapsed();
    decisions.read(Duration::from_millis(500));
    assert_eq!(decisions.verdicts(), events as usize);
    let pace = |count: usize, time: Duration| count as f64 / time.as_secs_f64();
    println!(
        "{events} events: one client wrote {:.0}/s (idempotent, acks=all), one worker judged and stored {:.0}/s",
        pace(events as usize, written),
        pace(events as usize - begun, judged)
    );
    node.stop();
}
