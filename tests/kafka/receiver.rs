//! A topic as a receiver: what stands in it, and what is tried again.

use serde_json::Value;

use crate::broker::{Broker, Door};
use crate::client::post;
use crate::common::read;
use crate::running::{self, Running};

const LOUD: &str = "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";

fn rules(broker: &Broker, topic: &str) -> String {
    format!(
        "{LOUD}receivers:\n  - name: bus\n    kafka: {{brokers: \"{}\", topic: {topic}, timeout: 2s}}\n\
         routes:\n  - name: everything\n    receivers: [bus]\n",
        broker.at(Door::Plain)
    )
}

#[test]
fn an_incident_is_told_in_order_under_one_key_also_to_a_topic_that_comes_later() {
    let Some(broker) = Broker::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let settings = running::settings(dir.path());
    std::fs::write(dir.path().join("rules/rules.yaml"), rules(&broker, "told")).unwrap();
    let running = Running::start(settings, None);
    for number in 0..5 {
        let event = format!(
            "{{\"source\":\"probe\",\"check\":\"down\",\"service\":\"shop-{number}\",\"severity\":\"critical\"}}"
        );
        assert_eq!(post(running.address(), "/api/v1/events", &event).status, 200);
        let end = format!("/api/v1/incidents/{}/resolve", number + 1);
        assert_eq!(post(running.address(), &end, "{\"by\":\"ada\"}").status, 200);
        if number == 0 {
            broker.create("told", 6);
        }
    }
    let told = read(&broker, "told", 10);
    let mut keys: Vec<&str> = told.iter().map(|one| one.headers["squelch-key"].as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 10, "each message has a key of its own: {keys:?}");
    for incident in 1..=5 {
        let of = told.iter().filter(|one| one.headers["squelch-incident"] == incident.to_string());
        let of: Vec<_> = of.collect();
        assert!(of.len() == 2 && of[0].key == of[1].key && of[0].partition == of[1].partition, "{of:?}");
        let kinds: Vec<_> = of.iter().map(|one| one.headers["squelch-kind"].as_str()).collect();
        assert_eq!(kinds, ["page", "notice"], "in order");
        let body: Value = serde_json::from_slice(&of[0].value).unwrap();
        assert_eq!((body["action"].as_str(), body["version"].as_u64()), (Some("open"), Some(1)));
    }
    running.stop();
}
