//! Too few brokers: what cannot be written safely is refused and told, the rest goes on, and so does everything by itself
//! when the brokers are back.

use std::thread::sleep;
use std::time::Duration;

use squelch::clock::Stopwatch;
use squelch::cluster::place;

use crate::bad_input::{changed, until_told};
use crate::client::{Answer, post};
use crate::decisions::Decisions;
use crate::nodes::{Cluster, Node, PARTITIONS};
use crate::trio::Trio;

/// Nothing pages, so that each event has its verdict at once.
const QUIET: &str = "rules:\n  - name: quiet\n    match: ['source=\"me\"']\n    page: never\n";

fn send(node: &mut Node, scope: &str, check: &str) -> Answer {
    let event = format!("{{\"source\":\"me\",\"check\":\"{check}\",\"labels\":{{\"scope\":\"{scope}\"}}}}");
    post(node.address(), "/api/v1/events", &event)
}

fn until_taken(node: &mut Node, scope: &str, check: &str) {
    let watch = Stopwatch::start();
    while watch.elapsed() < Duration::from_secs(60) {
        if send(node, scope, check).status == 200 {
            return;
        }
        sleep(Duration::from_millis(200));
    }
    panic!("it is never taken:\n{}", node.log());
}

/// A scope that lives in this partition.
fn scope_in(partition: i32) -> String {
    let mut names = (0..).map(|number| format!("team-{number}"));
    names.find(|name| place::partition(name, PARTITIONS) == partition).unwrap()
}

#[test]
fn with_one_copy_of_three_nothing_is_taken_and_it_is_said_why() {
    let Some(trio) = Trio::shared() else { return };
    let _turn = trio.turn();
    let cluster = Cluster::new(&trio, "copies", (QUIET, ""));
    let mut node = cluster.node(0, "http,worker");
    node.until_ready();
    let mut decisions = Decisions::new(&trio, &cluster);
    assert_eq!(send(&mut node, "a", "before").status, 200);
    trio.kill(1);
    until_taken(&mut node, "a", "two-of-three");
    trio.kill(2);
    until_told(&mut node, 200, "too few brokers have");
    let answer = send(&mut node, "a", "one-of-three");
    assert!(answer.status == 503 && answer.head.contains("retry-after"), "{} {}", answer.head, answer.body);
    assert!(answer.body.contains("too few brokers have the partitions"), "{}", answer.body);
    trio.run(1);
    until_taken(&mut node, "a", "two-again");
    trio.run(2);
    trio.until_whole();
    until_taken(&mut node, "a", "after");
    let watch = Stopwatch::start();
    while decisions.verdicts() < 4 && watch.elapsed() < Duration::from_secs(60) {
        decisions.read(Duration::from_millis(100));
    }
    assert!(decisions.verdicts() >= 4, "all four that were taken are judged: {:?}\n{}", decisions.text, node.log());
}

#[test]
fn partitions_that_no_broker_leads_are_named_and_the_others_go_on() {
    let Some(trio) = Trio::shared() else { return };
    let _turn = trio.turn();
    let cluster = Cluster::new(&trio, "alone", ("", ""));
    changed(&cluster, "replication: 3", "replication: 1");
    let mut node = cluster.node(0, "http,worker");
    node.until_ready();
    (0..PARTITIONS).for_each(|partition| until_taken(&mut node, &scope_in(partition), "before"));
    let leaders: Vec<_> = (0..PARTITIONS).map(|partition| trio.leader(&cluster.topic("events"), partition)).collect();
    let (gone, broker) = (0, leaders[0].unwrap());
    let other = (0..PARTITIONS).find(|other| leaders[*other as usize] != Some(broker)).unwrap();
    trio.kill(broker);
    until_told(&mut node, 200, &format!("{gone} (no broker has it)"));
    until_taken(&mut node, &scope_in(other), "meanwhile");
    let answer = send(&mut node, &scope_in(gone), "meanwhile");
    assert!(answer.status == 503 && answer.head.contains("retry-after"), "{} {}", answer.head, answer.body);
    trio.run(broker);
    until_taken(&mut node, &scope_in(gone), "after");
}
