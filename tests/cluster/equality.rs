//! A cluster decides, scope by scope and to the byte, what one engine alone decides for each: whichever partition a
//! scope lives in, whatever lives beside it, and whoever restarts on the way.

use std::time::Duration;

use crate::broker::Broker;
use crate::decisions::{Decisions, assert_same};
use crate::log::{Writer, mixed};
use crate::nodes::Cluster;
use crate::streams::{expected, policy, replayed, streams};

/// So many events of a stream at most; `SQUELCH_CLUSTER_EACH=200000` for all of them.
fn each() -> usize {
    std::env::var("SQUELCH_CLUSTER_EACH").map_or(4_000, |text| text.parse().unwrap())
}

#[test]
fn scope_by_scope_the_decisions_are_those_of_a_replay_also_when_workers_restart_on_the_way() {
    let Some(broker) = Broker::shared() else { return };
    let cluster = Cluster::new(&broker, "equal", ("", ", tick: 1h"));
    let mut nodes: Vec<_> = (0..3).map(|number| cluster.node(number, "worker")).collect();
    nodes.iter_mut().for_each(|node| _ = node.address());
    let streams = streams(each());
    let policy = policy(&cluster.path("rules"));
    // Two days after the first stream ends a tick shows what its timers do.
    let end =
        streams.values().filter_map(|stream| stream.last()?.received).min().map(|last| last.after(2.0 * 86_400.0));
    let wanted: Vec<_> = streams.iter().map(|(scope, stream)| (scope, expected(&policy, stream, end))).collect();
    nodes.iter_mut().for_each(|node| node.until_ready());
    let (writer, mut decisions) = (Writer::new(&broker, &cluster), Decisions::new(&broker, &cluster));
    let all = mixed(&streams);
    for (at, part) in all.chunks(all.len().div_ceil(4)).enumerate() {
        part.iter().for_each(|(scope, event)| writer.event(scope, event));
        decisions.read(Duration::from_millis(500));
        // One stops in order and comes back, one is killed and comes back.
        match at {
            0 => nodes.remove(0).stop(),
            1 => drop(nodes.remove(0)),
            _ => continue,
        }
        nodes.push(cluster.node(at, "worker"));
    }
    end.iter().for_each(|end| writer.tick(*end));
    writer.flush();
    let bytes = wanted.iter().map(|(_, text)| text.len()).sum();
    decisions.read_all(bytes, Duration::from_secs(180));
    for (scope, wanted) in &wanted {
        let found = decisions.text.get(*scope).map_or("", String::as_str);
        assert_same(scope, found, wanted);
        // And what `squelch replay` writes begins as it does up to the last event.
        let (replayed, decided) =
            (replayed(&cluster.path("rules"), &streams[*scope]), expected(&policy, &streams[*scope], None));
        assert!(replayed.starts_with(&decided), "{scope}: not what `squelch replay` decides");
        assert!(found.starts_with(&decided));
    }
    assert_eq!(decisions.text.len(), streams.len(), "no other scope");
    println!(
        "{} events in {} scopes: {} verdicts, {bytes} bytes of decisions, all the same",
        all.len(),
        streams.len(),
        decisions.verdicts()
    );
}
