//! A cluster as people use it: events over HTTP, pages at a receiver, orders, silences, rules, and what it cannot do.

use std::thread::sleep;
use std::time::Duration;

use crate::broker::Broker;
use crate::client::{get, post, request};
use crate::nodes::{Cluster, Node};
use crate::receiver::Receiver;

/// Looks until `done` says so; the test fails when that takes more than a minute.
pub(crate) fn until<T: std::fmt::Debug>(what: &str, mut look: impl FnMut() -> T, done: impl Fn(&T) -> bool) -> T {
    let mut seen = look();
    for _ in 0..600 {
        if done(&seen) {
            return seen;
        }
        sleep(Duration::from_millis(100));
        seen = look();
    }
    panic!("{what}: at last {seen:?}");
}

/// Every critical pages at once.
pub(crate) const LOUD: &str = "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";

pub(crate) fn event(scope: &str, host: &str, status: &str) -> String {
    format!(
        "{{\"source\":\"me\",\"kind\":\"host\",\"host\":\"{host}\",\"check\":\"disk\",\"severity\":\"critical\",\
         \"value\":99,\"status\":\"{status}\",\"labels\":{{\"scope\":\"{scope}\"}}}}"
    )
}

pub(crate) fn pages(receiver: &Receiver) -> Vec<(String, serde_json::Value)> {
    receiver.taken().into_iter().map(|(key, body)| (key, serde_json::from_str(&body).unwrap())).collect()
}

#[test]
fn what_comes_over_http_pages_and_people_answer_it() {
    let Some(broker) = Broker::shared() else { return };
    let receiver = Receiver::start();
    let cluster = Cluster::new(&broker, "live", (&format!("{LOUD}{}", receiver.routes()), ""));
    let (mut worker, mut door) = (cluster.node(0, "worker"), cluster.node(1, "http"));
    worker.until_ready();
    door.until_ready();
    let to = door.address();
    assert_eq!(post(worker.address(), "/api/v1/events", &event("a", "db-1", "firing")).status, 501);
    // The same trouble in two scopes: no scope knows of the other.
    for scope in ["a", "b"] {
        let answer = post(to, "/api/v1/events", &event(scope, "db-1", "firing"));
        assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(1)), "{}", answer.body);
    }
    let paged = until("pages", || pages(&receiver), |pages| pages.len() >= 2);
    let numbers: Vec<_> = paged.iter().map(|(key, _)| key.split('.').next().unwrap().to_owned()).collect();
    assert_ne!(numbers[0], numbers[1], "each has a number of its own");
    // Somebody takes the first.
    let path = format!("/api/v1/incidents/{}/ack", numbers[0]);
    let answer = request(to, ("POST", &path), &["Content-Type: application/json"], b"{\"by\":\"ada\"}").unwrap();
    assert_eq!(answer.status, 202, "{}", answer.body);
    let told = until("that somebody has it", || pages(&receiver), |pages| pages.len() >= 3);
    assert!(told[2].0.starts_with(&format!("{}.", numbers[0])), "{told:?}");
    assert!(told[2].1.to_string().contains("ada"), "{told:?}");
    // A silence holds in all scopes, also in one that comes later.
    let silence = r#"{"matchers":["host=\"db-2\""],"for":"1h","owner":"ada","reason":"disk swap"}"#;
    assert_eq!(post(to, "/api/v1/silences", silence).status, 201);
    for scope in ["a", "c"] {
        assert_eq!(post(to, "/api/v1/events", &event(scope, "db-2", "firing")).status, 200);
    }
    sleep(Duration::from_secs(3));
    assert_eq!(pages(&receiver).len(), 3, "it is silenced");
    what_it_cannot_do_it_says(&mut door);
    // Rules go to all shards at once.
    std::fs::write(cluster.path("rules/rules.yaml"), receiver.routes()).unwrap();
    let pushed = post(to, "/-/reload", "");
    assert!(pushed.status == 200 && pushed.body.contains("pushed to all shards"), "{}", pushed.body);
    until("other rules", || get(worker.address(), "/-/ready").body, |text| text.contains("judge by other rules"));
    assert_eq!(post(to, "/api/v1/events", &event("d", "db-3", "firing")).status, 200);
    let before = pages(&receiver);
    worker.stop();
    // Everything was delivered, and stays so for the next owner.
    let mut worker = cluster.node(2, "worker");
    worker.until_ready();
    let path = format!("/api/v1/incidents/{}/resolve", numbers[0]);
    assert_eq!(post(to, &path, "{\"by\":\"ada\"}").status, 202);
    let after = until("the end", || pages(&receiver), |pages| pages.len() > before.len());
    assert_eq!(after[..before.len()], before[..], "nothing is told again");
    assert!(after[before.len()].0.starts_with(&format!("{}.", numbers[0])), "{after:?}");
}

#[test]
fn when_every_source_is_silent_timers_fire_by_the_ticks_in_the_log() {
    let Some(broker) = Broker::shared() else { return };
    let receiver = Receiver::start();
    let beats = "rules: []\nheartbeats:\n  - {name: alive, match: 'check=\"alive\"', every: 10s}\n";
    let cluster = Cluster::new(&broker, "ticks", (&format!("{beats}{}", receiver.routes()), ", tick: 500ms"));
    let mut node = cluster.node(0, "http,worker");
    node.until_ready();
    let beat = "{\"source\":\"me\",\"check\":\"alive\",\"labels\":{\"scope\":\"a\"}}";
    assert_eq!(post(node.address(), "/api/v1/events", beat).status, 200);
    // Another one reads the time out of the log, too.
    sleep(Duration::from_secs(3));
    node.stop();
    let mut node = cluster.node(1, "worker");
    node.until_ready();
    let paged = until("the page", || pages(&receiver), |pages| !pages.is_empty());
    assert_eq!(paged[0].1["reason"], "silent", "{paged:?}");
    sleep(Duration::from_secs(2));
    assert_eq!(pages(&receiver).len(), 1);
    node.stop();
}

fn what_it_cannot_do_it_says(door: &mut Node) {
    let to = door.address();
    for path in ["/api/v1/incidents", "/api/v1/tally", "/api/v1/silences", "/", "/api/v2/alerts"] {
        let answer = get(to, path);
        assert_eq!(answer.status, 501, "{path}: {}", answer.body);
        assert!(answer.body.contains("this is a node of a cluster"), "{path}: {}", answer.body);
    }
    assert_eq!(get(to, "/metrics").status, 200);
}
