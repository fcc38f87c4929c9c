//! What is wrong with the brokers or the topics is told on `/-/ready`, in words that say how to mend it.

use std::thread::sleep;
use std::time::Duration;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::broker::{Broker, Door};
use crate::client::{get, post};
use crate::nodes::{Cluster, Node};

/// Waits until `/-/ready` says this, with this status.
pub(crate) fn until_told(node: &mut Node, status: u16, text: &str) {
    let to = node.address();
    for _ in 0..400 {
        let answer = get(to, "/-/ready");
        if answer.status == status && answer.body.contains(text) {
            return;
        }
        sleep(Duration::from_millis(100));
    }
    panic!("`{text}` is not told: {}\n{}", get(to, "/-/ready").body, node.log());
}

pub(crate) fn changed(cluster: &Cluster, from: &str, to: &str) {
    let file = cluster.path("squelch.yaml");
    let settings = std::fs::read_to_string(&file).unwrap();
    assert!(settings.contains(from), "{settings}");
    std::fs::write(&file, settings.replace(from, to)).unwrap();
}

#[test]
fn brokers_and_topics_that_are_wrong_are_told_and_nothing_is_taken() {
    let Some(broker) = Broker::shared() else { return };
    let refused = |node: &mut Node| {
        let answer = post(node.address(), "/api/v1/events", "{\"source\":\"me\",\"check\":\"disk\"}");
        assert!(answer.status == 503 && answer.head.contains("retry-after"), "{} {}", answer.head, answer.body);
    };
    // More copies than there are brokers.
    let many = Cluster::new(&broker, "many", ("", ""));
    changed(&many, "replication: 1", "replication: 3");
    let mut node = many.node(0, "http,worker");
    until_told(&mut node, 503, "cannot be created on 3 brokers");
    refused(&mut node);
    drop(node);
    // A wrong password.
    let login = Cluster::new(&broker, "login", ("", ""));
    std::fs::write(login.path("password"), "wrong").unwrap();
    let sasl = format!("sasl: {{username: squelch, password_file: {}}}, partitions", login.path("password").display());
    changed(&login, "partitions", &sasl);
    changed(&login, &broker.at(Door::Plain), &broker.at(Door::Login));
    let mut node = login.node(0, "http,worker");
    until_told(&mut node, 503, "Authentication failed");
    refused(&mut node);
    // It is mended while the node waits.
    std::fs::write(login.path("password"), crate::broker::PASSWORD).unwrap();
    node.until_ready();
    drop(node);
    // A topic that somebody made otherwise.
    let other = Cluster::new(&broker, "other", ("", ""));
    broker.create("other.events", 3);
    broker.create("other.state", 4);
    let mut node = other.node(0, "http,worker");
    until_told(&mut node, 503, "has 3 partitions, and `cluster.partitions` is 4");
    until_told(&mut node, 503, "has cleanup.policy=delete, and must have compact");
}

#[test]
fn a_foreign_record_in_the_changelog_is_told_kept_and_hurts_nobody() {
    let Some(broker) = Broker::shared() else { return };
    let cluster = Cluster::new(&broker, "foreign", ("", ""));
    let mut node = cluster.node(0, "http,worker");
    node.until_ready();
    assert_eq!(post(node.address(), "/api/v1/events", "{\"source\":\"me\",\"check\":\"disk\"}").status, 200);
    node.stop();
    let producer: BaseProducer = broker.client().create().unwrap();
    let state = cluster.topic("state");
    for (key, value) in [(&b"hello"[..], &b"world"[..]), (b"ghost\0s1234", b"\x07nothing"), (b"\0offset2", b"3")] {
        producer.send(BaseRecord::to(&state).partition(2).key(key).payload(value)).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(20)).unwrap();
    let mut node = cluster.node(1, "http,worker");
    node.until_ready();
    until_told(&mut node, 200, "record hello: nobody of this cluster wrote it");
    until_told(&mut node, 200, "its name is unknown");
    until_told(&mut node, 200, "it has version 7");
    // What nobody can read in the log of events is left out, and the rest is judged.
    let events = cluster.topic("events");
    producer
        .send(BaseRecord::<(), _>::to(&events).partition(2).payload("no event"))
        .map_err(|(error, _)| error)
        .unwrap();
    producer.flush(Duration::from_secs(20)).unwrap();
    until_told(&mut node, 200, "was left out");
    node.stop();
    // It is still there, and told by the next one, too.
    let mut node = cluster.node(2, "worker");
    until_told(&mut node, 200, "record hello: nobody of this cluster wrote it");
    node.stop();
}

#[test]
fn what_a_cluster_cannot_do_stops_it_from_starting() {
    let Some(broker) = Broker::shared() else { return };
    let cluster = Cluster::new(&broker, "never", ("", ""));
    changed(&cluster, "limits:", "kafka: {brokers: [\"127.0.0.1:1\"], topics: {topic: alerts}}\nlimits:");
    let node = cluster.node(0, "http,worker");
    let log = node.until_ended();
    assert!(log.contains("topics of `kafka` are not read by a cluster yet"), "{log}");
    std::fs::write(cluster.path("squelch.yaml"), "{}\n").unwrap();
    let log = cluster.node(1, "http").until_ended();
    assert!(log.contains("--cluster needs a `cluster` section"), "{log}");
}
