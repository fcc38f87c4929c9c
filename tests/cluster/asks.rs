//! Each node answers for all shards: an HTTP node that judges nothing is asked, and so is every worker.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::broker::Broker;
use crate::client::{Answer, get, post, request};
use crate::live::{LOUD, event, until};
use crate::nodes::Cluster;

/// More scopes than partitions.
const SCOPES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

fn number(incident: &serde_json::Value) -> u64 {
    let number = &incident["incident"];
    number.as_u64().or_else(|| number.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{incident}"))
}

pub(crate) fn numbers(answer: &Answer) -> BTreeSet<u64> {
    let list = answer.json()["incidents"].as_array().cloned().unwrap_or_default();
    list.iter().map(number).collect()
}

pub(crate) fn sent(to: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    request(to, (method, path), &["Content-Type: application/json"], body.as_bytes()).unwrap()
}

fn missing(answer: &Answer) -> Option<&str> {
    answer.head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-squelch-missing"))
}

#[test]
fn any_node_answers_for_all_shards_and_names_those_that_are_missing() {
    let Some(broker) = Broker::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "only nodes of this cluster know it\n").unwrap();
    let more = format!(", secret_file: {}", secret.display());
    let cluster = Cluster::new(&broker, "asks", (LOUD, &more));
    let mut workers = [cluster.node(0, "worker"), cluster.node(1, "worker")];
    let mut door = cluster.node(2, "http");
    workers.iter_mut().for_each(|worker| worker.until_ready());
    door.until_ready();
    let to = door.address();
    for scope in SCOPES {
        assert_eq!(post(to, "/api/v1/events", &event(scope, "db-1", "firing")).status, 200);
    }
    let all =
        until("the incidents of all shards", || get(to, "/api/v1/incidents"), |answer| numbers(answer).len() == 7);
    assert_eq!(missing(&all), None, "{}", all.head);
    for worker in &mut workers {
        assert_eq!(numbers(&get(worker.address(), "/api/v1/incidents")), numbers(&all));
    }
    people_look(to, &numbers(&all));
    people_act(to, &numbers(&all));
    only_nodes_ask(to);
    // One worker dies: its shards are missing, and then answered by the other.
    let [dies, _lives] = workers;
    dies.signal("KILL");
    let some = until("what is missing", || get(to, "/api/v1/incidents"), |answer| missing(answer).is_some());
    assert!(missing(&some).unwrap().contains("shards") && numbers(&some).len() < 7, "{}", some.head);
    assert!(get(to, "/noise").body.contains("this page is not all"), "{}", get(to, "/noise").body);
    until("who is silent", || get(to, "/-/ready").body, |text| text.contains("do not answer"));
    let again = until("the new owner", || get(to, "/api/v1/incidents"), |answer| numbers(answer).len() == 7);
    assert_eq!((missing(&again), numbers(&again)), (None, numbers(&all)));
    until("that all answer", || get(to, "/-/ready").body, |text| !text.contains("do not answer"));
}

fn people_look(to: SocketAddr, numbers: &BTreeSet<u64>) {
    for number in numbers {
        let one = get(to, &format!("/api/v1/incidents/{number}"));
        assert_eq!((one.status, self::number(&one.json())), (200, *number), "{}", one.body);
        let why = get(to, &format!("/api/v1/incidents/{number}/why"));
        assert!(why.status == 200 && why.body.contains("db-1"), "{}", why.body);
        assert_eq!(get(to, &format!("/incidents/{number}")).status, 200);
    }
    assert_eq!(get(to, "/api/v1/incidents/7").status, 404);
    assert_eq!(get(to, "/api/v1/tally").json()["accepted"], 7);
    let series = get(to, "/api/v1/series?find=db-1").json()["series"].clone();
    let key = series[0]["key"].as_str().unwrap().to_owned();
    assert_eq!(get(to, &format!("/api/v1/series/{key}/why")).status, 200);
    for page in ["/", "/noise", "/rules", "/audit", "/series?find=disk", &format!("/series/{key}")] {
        let answer = get(to, page);
        assert!(matches!(answer.status, 200 | 303), "{page}: {} {}", answer.status, answer.body);
    }
    assert!(get(to, "/").body.contains("7 open incidents"), "{}", get(to, "/").body);
    assert_eq!(get(to, "/api/v2/alerts").json().as_array().unwrap().len(), 7);
    assert!(!get(to, "/api/v2/alerts/groups").json().as_array().unwrap().is_empty());
    for path in ["/api/v2/status", "/api/v2/receivers", "/api/v2/silences", "/api/v1/silences", "/api/v1/shadow"] {
        assert_eq!(get(to, path).status, 200, "{path}: {}", get(to, path).body);
    }
    // What needs an engine or a store of its own is not there yet, and says so.
    let backup = get(to, "/api/v1/backup");
    assert_eq!(backup.status, 501, "{}", backup.body);
}

fn people_act(to: SocketAddr, numbers: &BTreeSet<u64>) {
    let first = numbers.first().unwrap();
    let taken = sent(to, "POST", &format!("/api/v1/incidents/{first}/ack"), "{\"by\":\"ada\"}");
    assert!(taken.status == 200 && !taken.json()["acknowledged"].is_null(), "{}", taken.body);
    assert_eq!(sent(to, "POST", "/api/v1/incidents/999000999007/ack", "{\"by\":\"ada\"}").status, 404);
    let silence = r#"{"matchers":["host=\"db-1\""],"for":"1h","owner":"ada","reason":"disk swap"}"#;
    let set = post(to, "/api/v1/silences", silence);
    assert_eq!(set.status, 201, "{}", set.body);
    let id = set.json()["id"].as_str().unwrap().to_owned();
    let listed = |count: usize| {
        let silences = || get(to, "/api/v1/silences").json()["silences"].as_array().unwrap().clone();
        until("the silences", silences, |all| all.len() == count)
    };
    assert_eq!((listed(1)[0]["id"].as_str(), &listed(1)[0]["covers"]), (Some(id.as_str()), &serde_json::json!(7)));
    assert_eq!(sent(to, "DELETE", &format!("/api/v1/silences/{id}"), "").status, 200);
    assert!(listed(0).is_empty());
}

fn only_nodes_ask(to: SocketAddr) {
    let ask = "{\"version\":\"0\",\"name\":\"sums\",\"question\":null,\"shards\":[0],\"after\":null}";
    assert_eq!(sent(to, "POST", "/internal/v1/ask", ask).status, 401);
    let wrong = request(to, ("POST", "/internal/v1/ask"), &["Authorization: Bearer wrong"], ask.as_bytes()).unwrap();
    assert_eq!(wrong.status, 401);
}
