//! The Alertmanager API v2 of a running service: what survives a restart, what the other senders' alerts look like
//! there, and that silences set there do hold. `tests/peers` holds every answer against a real Alertmanager's.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/running.rs"]
mod running;

use std::net::SocketAddr;

use client::{get, post, request};
use running::{Running, settings};
use serde_json::{Value, json};

const ALERTS: &str = "/api/v2/alerts";
const SILENCES: &str = "/api/v2/silences";

/// Runs one service after the other on the same data.
fn on_the_same_data(lives: &[fn(SocketAddr)]) {
    let dir = tempfile::tempdir().unwrap();
    for life in lives {
        let running = Running::start(settings(dir.path()), None);
        life(running.address());
        running.stop();
    }
}

fn alerts(to: SocketAddr, query: &str) -> Vec<Value> {
    let answer = get(to, &format!("{ALERTS}{query}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json().as_array().unwrap().clone()
}

fn silence(to: SocketAddr, name: &str, value: &str) -> String {
    let body = json!({
        "matchers": [{"name": name, "value": value, "isRegex": false, "isEqual": true}],
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "9999-01-01T00:00:00Z",
        "createdBy": "ada",
        "comment": "a test",
    });
    let answer = post(to, SILENCES, &body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["silenceID"].as_str().unwrap().to_owned()
}

fn suppressed(to: SocketAddr) -> Value {
    let tally = get(to, "/api/v1/tally").json();
    tally["verdicts"]["silenced"].clone()
}

#[test]
fn alerts_and_silences_survive_a_restart() {
    on_the_same_data(&[
        |to| {
            let body = r#"[{"labels":{"alertname":"Up","job":"web"},"annotations":{"summary":"it is down"},
                "startsAt":"2026-01-01T00:00:00Z","endsAt":"9999-01-01T00:00:00Z","generatorURL":"http://prom/graph"}]"#;
            let answer = post(to, ALERTS, body);
            assert_eq!((answer.status, answer.body.as_str()), (200, ""));
            silence(to, "job", "web");
        },
        |to| {
            let all = alerts(to, "");
            let alert = &all[0];
            assert_eq!(all.len(), 1);
            assert_eq!(alert["labels"], json!({"alertname": "Up", "job": "web"}));
            assert_eq!(alert["annotations"], json!({"summary": "it is down"}));
            assert_eq!(alert["generatorURL"], "http://prom/graph");
            assert_eq!(alert["startsAt"], "2026-01-01T00:00:00.000Z");
            assert_eq!(alert["endsAt"], "9999-01-01T00:00:00.000Z");
            assert_eq!(alert["status"]["state"], "suppressed");
            let silences = get(to, SILENCES).json();
            assert_eq!(alert["status"]["silencedBy"], json!([silences[0]["id"]]));
            assert_eq!(silences[0]["status"]["state"], "active");
        },
    ]);
}

#[test]
fn a_silence_matches_the_labels_as_they_were_sent() {
    on_the_same_data(&[|to| {
        // To Squelch this is a warning; to its sender it is a page.
        silence(to, "severity", "page");
        post(to, ALERTS, r#"[{"labels":{"alertname":"A","severity":"page"}}]"#);
        assert_eq!(suppressed(to), json!(1));
        post(to, ALERTS, r#"[{"labels":{"alertname":"B","severity":"warning"}}]"#);
        assert_eq!(suppressed(to), json!(1));
    }]);
}

#[test]
fn a_resolve_passes_through_a_silence() {
    on_the_same_data(&[|to| {
        silence(to, "alertname", "A");
        post(to, ALERTS, r#"[{"labels":{"alertname":"A"}}]"#);
        assert_eq!(alerts(to, "").len(), 1);
        post(to, ALERTS, r#"[{"labels":{"alertname":"A"},"endsAt":"2026-01-01T00:00:00Z"}]"#);
        assert_eq!(alerts(to, "").len(), 0);
        let tally = get(to, "/api/v1/tally").json();
        assert_eq!((&tally["verdicts"]["silenced"], &tally["verdicts"]["resolved"]), (&json!(1), &json!(1)), "{tally}");
    }]);
}

/// As vmalert writes it: no `endsAt` while it fires, and any answer but 200 is an error to it.
#[test]
fn what_vmalert_sends_without_an_end_ends_after_the_resolve_timeout_or_by_its_word() {
    on_the_same_data(&[|to| {
        let body = |ends: &str| {
            format!(
                r#"[{{"startsAt":"2026-01-01T00:00:00.123456789Z","generatorURL":"http://vmalert:8880/vmalert/alert?group_id=1&alert_id=2",{ends}"labels":{{"alertgroup":"disks","alertname":"DiskFull","instance":"db-1:9100"}},"annotations":{{"summary":"disk at 97 %"}}}}]"#
            )
        };
        for door in [ALERTS, "/ingest/vmalert/api/v2/alerts"] {
            assert_eq!(post(to, door, &body("")).status, 200, "{door}");
            let all = alerts(to, "");
            assert_eq!(all.len(), 1, "one alert through either door");
            let time = |field: &str| all[0][field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
            let lasts = time("endsAt").as_second() - time("updatedAt").as_second();
            if door == ALERTS {
                assert!((299..=300).contains(&lasts), "it ends after {lasts} s");
            }
            assert_eq!(post(to, door, &body(r#""endsAt":"2026-01-01T00:10:00Z","#)).status, 200, "{door}");
            assert!(alerts(to, "").is_empty(), "{door}");
        }
    }]);
}

#[test]
fn alerts_of_other_tools_are_shown_too() {
    on_the_same_data(&[|to| {
        post(to, "/api/v1/events", r#"{"source":"nagios","check":"swap","host":"web-2","severity":"critical"}"#);
        let all = alerts(to, "?filter=host%3Dweb-2");
        let labels = json!({"alertname": "swap", "host": "web-2", "severity": "critical", "source": "nagios"});
        assert_eq!((all.len(), &all[0]["labels"]), (1, &labels));
        assert_eq!(all[0]["receivers"], json!([{"name": "console"}]));
        post(to, "/api/v1/events", r#"{"source":"nagios","check":"swap","host":"web-2","status":"resolved"}"#);
        assert_eq!(alerts(to, "").len(), 0);
    }]);
}

#[test]
fn silences_of_both_apis_are_one_list() {
    on_the_same_data(&[|to| {
        let id = silence(to, "alertname", "A");
        let body = r#"{"matchers":["service=\"web\""],"for":"2h","owner":"bob","reason":"works"}"#;
        assert_eq!(post(to, "/api/v1/silences", body).status, 201);
        let native = get(to, "/api/v1/silences").json();
        assert_eq!(native["silences"].as_array().unwrap().len(), 2, "{native}");
        let all = get(to, SILENCES).json();
        let bobs = all.as_array().unwrap().iter().find(|silence| silence["createdBy"] == "bob").unwrap();
        let bobs = bobs["id"].as_str().unwrap();
        for id in [&id, bobs] {
            let path = format!("/api/v2/silence/{id}");
            assert_eq!(request(to, ("DELETE", &path), &[], b"").unwrap().status, 200);
            assert_eq!(get(to, &path).json()["status"]["state"], "expired");
        }
        assert_eq!(get(to, "/api/v1/silences").json()["silences"], json!([]));
    }]);
}

#[test]
fn karma_finds_the_version_among_the_metrics() {
    on_the_same_data(&[|to| {
        silence(to, "alertname", "A");
        post(to, ALERTS, r#"[{"labels":{"alertname":"A"}},{"labels":{"alertname":"B"}},{"labels":{}}]"#);
        let metrics = get(to, "/metrics").body;
        for line in [
            "alertmanager_build_info{version=\"0.28.1\",revision=\"squelch\",branch=\"squelch\",goversion=\"\"} 1",
            "alertmanager_alerts{state=\"active\"} 1",
            "alertmanager_alerts{state=\"suppressed\"} 1",
            "alertmanager_silences{state=\"active\"} 1",
            "alertmanager_alerts_received_total{status=\"firing\",version=\"v2\"} 2",
            "alertmanager_alerts_invalid_total 1",
        ] {
            assert!(metrics.lines().any(|other| other == line), "{line} is not in\n{metrics}");
        }
    }]);
}
