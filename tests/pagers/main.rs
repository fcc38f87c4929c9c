//! What pages through PagerDuty, Opsgenie or VictorOps today: the exact answers to it, and PagerDuty's own client
//! against the real binary (`SQUELCH_TEST_PAGERDUTY` names a Python that has it).
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, reason = "says what was not tried")]

#[path = "../shell/binary.rs"]
mod binary;
#[path = "../shell/client.rs"]
mod client;
#[path = "../shell/running.rs"]
mod running;
#[path = "../shell/with.rs"]
mod with;

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use client::{Answer, get, post, request};
use expect_test::{Expect, expect};
use regex::Regex;
use serde_json::Value;
use squelch::sinks::Secret;
use with::with;

const ENQUEUE: &str = "/v2/enqueue";
const CHANGE: &str = "/v2/change/enqueue";
const TRIGGER: &str = r#"{"routing_key":"hush","event_action":"trigger","dedup_key":"db-1/disk",
    "payload":{"summary":"disk full","source":"db-1","severity":"critical","component":"db","class":"disk"}}"#;
const VICTOROPS: &str = "/integrations/generic/20131114/alert/hush/ops";

/// A name, the status, and the answer as it came; but for what is new each time.
fn told(name: &str, answer: &Answer, into: &mut String) {
    let fresh = Regex::new(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap();
    let took = Regex::new(r#""took":[0-9.e-]+"#).unwrap();
    let body = fresh.replace_all(answer.body.trim_end(), "FRESH");
    let body = took.replace_all(&body, r#""took":TOOK"#);
    assert!(!answer.body.contains("hush") && !answer.head.contains("hush"), "{name} shows the key: {body}");
    writeln!(into, "{name}\n  {} {body}", answer.status).unwrap();
}

fn check(to: SocketAddr, requests: &[(&str, &str, &str)], expected: &Expect) {
    let mut text = String::new();
    for (name, path, body) in requests {
        told(name, &post(to, path, body), &mut text);
    }
    expected.assert_eq(&text);
}

/// The alerts as Alertmanager's API shows them.
fn alerts(to: SocketAddr) -> Vec<Value> {
    get(to, "/api/v2/alerts").json().as_array().unwrap().clone()
}

fn accepted(to: SocketAddr) -> u64 {
    get(to, "/api/v1/tally").json()["accepted"].as_u64().unwrap()
}

#[test]
fn pagerduty_events_are_answered_as_pagerduty_does() {
    with(
        |_| (),
        |to| {
            let keyless = r#"{"routing_key":"hush","event_action":"trigger","payload":{"summary":"s","source":"x","severity":"info"}}"#;
            let resolve = r#"{"routing_key":"hush","event_action":"resolve","dedup_key":"db-1/disk"}"#;
            let acknowledge = r#"{"routing_key":"hush","event_action":"acknowledge","dedup_key":"db-1/disk"}"#;
            let change = r#"{"routing_key":"hush","payload":{"summary":"deployed 41","source":"shop"}}"#;
            check(
                to,
                &[
                    ("trigger", ENQUEUE, TRIGGER),
                    ("trigger without a key", ENQUEUE, keyless),
                    ("acknowledge", ENQUEUE, acknowledge),
                    ("resolve", ENQUEUE, resolve),
                    ("change", CHANGE, change),
                    ("nothing", ENQUEUE, ""),
                    ("no object", ENQUEUE, "[]"),
                    ("an empty object", ENQUEUE, "{}"),
                    ("an empty change", CHANGE, "{}"),
                    ("another action", ENQUEUE, r#"{"routing_key":"hush","event_action":"shout"}"#),
                    ("no payload", ENQUEUE, r#"{"routing_key":"hush","event_action":"trigger"}"#),
                    ("resolve without a key", ENQUEUE, r#"{"routing_key":"hush","event_action":"resolve"}"#),
                ],
                &expect![[r#"
                    trigger
                      202 {"dedup_key":"db-1/disk","message":"Event processed","status":"success"}
                    trigger without a key
                      202 {"dedup_key":"FRESH","message":"Event processed","status":"success"}
                    acknowledge
                      202 {"dedup_key":"db-1/disk","message":"Event processed","status":"success"}
                    resolve
                      202 {"dedup_key":"db-1/disk","message":"Event processed","status":"success"}
                    change
                      202 {"message":"Change event processed","status":"success"}
                    nothing
                      400 {"errors":["no JSON: EOF while parsing a value at line 1 column 0"],"message":"Event object is invalid","status":"invalid event"}
                    no object
                      400 {"errors":["no JSON object"],"message":"Event object is invalid","status":"invalid event"}
                    an empty object
                      400 {"errors":["'routing_key' is missing or blank","'event_action' is missing or blank"],"message":"Event object is invalid","status":"invalid event"}
                    an empty change
                      400 {"errors":["'routing_key' is missing or blank","'payload.summary' is missing or blank"],"message":"Event object is invalid","status":"invalid event"}
                    another action
                      400 {"errors":["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"],"message":"Event object is invalid","status":"invalid event"}
                    no payload
                      400 {"errors":["'payload.summary' is missing or blank","'payload.source' is missing or blank","'payload.severity' is missing or blank"],"message":"Event object is invalid","status":"invalid event"}
                    resolve without a key
                      400 {"errors":["'dedup_key' is missing or blank"],"message":"Event object is invalid","status":"invalid event"}
                "#]],
            );
            assert_eq!(accepted(to), 5);
        },
    );
}

#[test]
fn a_resolve_ends_the_alert_of_its_routing_key_alone() {
    with(
        |_| (),
        |to| {
            let other = TRIGGER.replace("hush", "another");
            for body in [TRIGGER, &other] {
                assert_eq!(post(to, ENQUEUE, body).status, 202);
            }
            assert_eq!(alerts(to).len(), 2);
            assert_eq!(alerts(to)[0]["labels"]["dedup_key"], "db-1/disk");
            let resolve = r#"{"routing_key":"hush","event_action":"resolve","dedup_key":"db-1/disk"}"#;
            assert_eq!(post(to, ENQUEUE, resolve).status, 202);
            assert_eq!(alerts(to).len(), 1);
            for path in ["/api/v2/alerts", "/metrics", "/api/v1/series?find=disk"] {
                assert!(!get(to, path).body.contains("hush"), "{path}");
            }
        },
    );
}

#[test]
fn opsgenie_alerts_are_answered_as_opsgenie_does() {
    with(
        |_| (),
        |to| {
            check(
                to,
                &[
                    (
                        "create",
                        "/v2/alerts",
                        r#"{"message":"Disk full","alias":"db-1/disk","entity":"db-1","priority":"P1"}"#,
                    ),
                    ("create without an alias", "/v2/alerts", r#"{"message":"Disk full"}"#),
                    ("acknowledge", "/v2/alerts/db-1%2Fdisk/acknowledge?identifierType=alias", r#"{"user":"ada"}"#),
                    ("close", "/v2/alerts/db-1%2Fdisk/close?identifierType=alias", r#"{"source":"me"}"#),
                    ("close of what is not there", "/v2/alerts/other/close?identifierType=alias", ""),
                    ("nothing", "/v2/alerts", ""),
                    ("no message", "/v2/alerts", "{}"),
                    ("an alias that is no text", "/v2/alerts/%ff/close", "{}"),
                    ("a note", "/v2/alerts/db-1%2Fdisk/notes?identifierType=alias", r#"{"note":"looking"}"#),
                    ("an empty note", "/v2/alerts/db-1%2Fdisk/notes", "{}"),
                    ("snooze", "/v2/alerts/a/snooze", r#"{"endTime":"2099-04-03T20:32:35Z","user":"ada"}"#),
                    ("snooze without an end", "/v2/alerts/a/snooze", "{}"),
                    ("snooze until yesterday", "/v2/alerts/a/snooze", r#"{"endTime":"2001-04-03T20:32:35Z"}"#),
                    ("snooze until soon", "/v2/alerts/a/snooze", r#"{"endTime":"soon"}"#),
                ],
                &expect![[r#"
                    create
                      202 {"data":{"alias":"db-1/disk","success":true},"requestId":"FRESH","result":"Request will be processed","took":TOOK}
                    create without an alias
                      202 {"data":{"alias":"FRESH","success":true},"requestId":"FRESH","result":"Request will be processed","took":TOOK}
                    acknowledge
                      202 {"data":{"alias":"db-1/disk","success":true},"requestId":"FRESH","result":"Request will be processed","took":TOOK}
                    close
                      202 {"data":{"alias":"db-1/disk","success":true},"requestId":"FRESH","result":"Request will be processed","took":TOOK}
                    close of what is not there
                      202 {"data":{"alias":"other","success":true},"requestId":"FRESH","result":"Request will be processed","took":TOOK}
                    nothing
                      422 {"errors":{"body":"Request body is not valid JSON: EOF while parsing a value at line 1 column 0"},"message":"Request body is not processable. Please check the errors.","requestId":"FRESH","took":TOOK}
                    no message
                      422 {"errors":{"message":"Message can not be empty."},"message":"Request body is not processable. Please check the errors.","requestId":"FRESH","took":TOOK}
                    an alias that is no text
                      422 {"errors":{"alias":"the alias in the path is not UTF-8"},"message":"Request body is not processable. Please check the errors.","requestId":"FRESH","took":TOOK}
                    a note
                      202 {"data":{"alias":"db-1/disk","success":true},"requestId":"FRESH","result":"Request will be processed","took":TOOK,"warnings":["note: read and not kept: a note of its own says nothing about whether its alert is on. The note of a close or an acknowledgement is"]}
                    an empty note
                      422 {"errors":{"note":"Note can not be empty."},"message":"Request body is not processable. Please check the errors.","requestId":"FRESH","took":TOOK}
                    snooze
                      202 {"data":{"alias":"a","success":true},"requestId":"FRESH","result":"Request will be processed","took":TOOK}
                    snooze without an end
                      422 {"errors":{"endTime":"End time can not be empty."},"message":"Request body is not processable. Please check the errors.","requestId":"FRESH","took":TOOK}
                    snooze until yesterday
                      422 {"errors":{"endTime":"End time should be in the future."},"message":"Request body is not processable. Please check the errors.","requestId":"FRESH","took":TOOK}
                    snooze until soon
                      422 {"errors":{"endTime":"End time is no time such as 2026-11-23T05:00:00Z."},"message":"Request body is not processable. Please check the errors.","requestId":"FRESH","took":TOOK}
                "#]],
            );
            assert_eq!(alerts(to).len(), 1, "the one without an alias is left");
            assert_eq!(accepted(to), 5);
        },
    );
}

#[test]
fn a_snooze_silences_its_alert_and_no_other() {
    with(
        |_| (),
        |to| {
            let create = |alias: &str| format!(r#"{{"message":"Disk full","alias":"{alias}","priority":"P1"}}"#);
            for alias in ["a", "b"] {
                assert_eq!(post(to, "/v2/alerts", &create(alias)).status, 202);
            }
            let snooze = r#"{"endTime":"2099-04-03T20:32:35Z","user":"ada","note":"the new disk comes tomorrow"}"#;
            assert_eq!(post(to, "/v2/alerts/a/snooze?identifierType=alias", snooze).status, 202);
            let silences = get(to, "/api/v1/silences").json()["silences"].clone();
            assert_eq!(silences.as_array().unwrap().len(), 1);
            assert_eq!(silences[0]["matchers"].to_string(), r#"["source=\"opsgenie-alert\"","alias=\"a\""]"#);
            let said = (&silences[0]["owner"], &silences[0]["reason"], &silences[0]["covers"]);
            assert_eq!(said, (&"ada".into(), &"the new disk comes tomorrow".into(), &1.into()));
            let silenced = |alert: &&Value| alert["status"]["state"] == "suppressed";
            assert_eq!(alerts(to).iter().filter(silenced).count(), 1);
        },
    );
}

#[test]
fn what_goes_to_pagerdutys_path_and_to_ingest_is_one_alert() {
    with(
        |_| (),
        |to| {
            let resolve = r#"{"routing_key":"hush","event_action":"resolve","dedup_key":"db-1/disk"}"#;
            for (opens, ends) in [(ENQUEUE, "/ingest/pagerduty-events"), ("/ingest/pagerduty-events", ENQUEUE)] {
                assert!(post(to, opens, TRIGGER).status < 300);
                assert_eq!(alerts(to).len(), 1);
                assert!(post(to, ends, resolve).status < 300);
                assert_eq!(alerts(to).len(), 0);
            }
        },
    );
}

#[test]
fn victorops_messages_are_answered_as_victorops_does() {
    with(
        |_| (),
        |to| {
            let message =
                |word: &str| format!(r#"{{"message_type":"{word}","entity_id":"db-1/disk","state_message":"97%"}}"#);
            let [critical, warning, info, taken, recovery, wrong] =
                ["CRITICAL", "WARNING", "INFO", "ACKNOWLEDGEMENT", "RECOVERY", "PANIC"].map(message);
            check(
                to,
                &[
                    ("critical", VICTOROPS, &critical),
                    ("warning", VICTOROPS, &warning),
                    ("acknowledgement", VICTOROPS, &taken),
                    ("recovery", VICTOROPS, &recovery),
                    ("info", VICTOROPS, &info),
                    ("no entity", VICTOROPS, r#"{"message_type":"critical"}"#),
                    ("another type", VICTOROPS, &wrong),
                    ("no type", VICTOROPS, "{}"),
                    ("nothing", VICTOROPS, ""),
                ],
                &expect![[r#"
                    critical
                      200 {"entity_id":"db-1/disk","result":"success"}
                    warning
                      200 {"entity_id":"db-1/disk","result":"success"}
                    acknowledgement
                      200 {"entity_id":"db-1/disk","result":"success"}
                    recovery
                      200 {"entity_id":"db-1/disk","result":"success"}
                    info
                      200 {"entity_id":"db-1/disk","result":"success"}
                    no entity
                      200 {"entity_id":"FRESH","result":"success"}
                    another type
                      400 {"message":"message_type is unknown: it must be CRITICAL, WARNING, INFO, ACKNOWLEDGEMENT or RECOVERY; mend it and send it again","result":"failure"}
                    no type
                      400 {"message":"message_type is missing: it must be CRITICAL, WARNING, INFO, ACKNOWLEDGEMENT or RECOVERY; mend it and send it again","result":"failure"}
                    nothing
                      400 {"message":"the body is no JSON: EOF while parsing a value at line 1 column 0; mend it and send it again","result":"failure"}
                "#]],
            );
            assert_eq!(accepted(to), 6);
        },
    );
}

#[test]
fn where_a_token_is_set_it_is_the_key_of_every_service() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, "open-sesame\n").unwrap();
    with(
        |settings| settings.auth = Some(Secret::File(file)),
        |to| {
            let key = |text: &str| text.replace("hush", "open-sesame");
            let genie =
                |header: &'static str| request(to, ("POST", "/v2/alerts"), &[header], br#"{"message":"m"}"#).unwrap();
            let message = r#"{"message_type":"INFO"}"#;
            let mut text = String::new();
            told("another routing key", &post(to, ENQUEUE, TRIGGER), &mut text);
            told("another genie key", &genie("Authorization: GenieKey hush"), &mut text);
            told("no genie key", &genie("X-Nothing: 1"), &mut text);
            told("another key in the path", &post(to, VICTOROPS, message), &mut text);
            told("another method", &get(to, VICTOROPS), &mut text);
            expect![[r#"
                another routing key
                  400 {"errors":["'routing_key' is neither a secret of `pagerduty-events` nor the token of the settings"],"message":"Invalid routing key","status":"invalid event"}
                another genie key
                  401 {"errors":{"help":"send `Authorization: GenieKey KEY`: a secret of `opsgenie-alert`, or the token of the settings"},"message":"Could not authenticate","requestId":"FRESH","took":TOOK}
                no genie key
                  401 {"errors":{"help":"send `Authorization: GenieKey KEY`: a secret of `opsgenie-alert`, or the token of the settings"},"message":"Could not authenticate","requestId":"FRESH","took":TOOK}
                another key in the path
                  401 {"message":"the API key is wrong; the key in the path is a secret of `victorops`, or the token of the settings","result":"failure"}
                another method
                  401 {"error":{"help":"send `Authorization: Bearer TOKEN` with the token of the settings","message":"a token is needed","where":"header Authorization"}}
            "#]].assert_eq(&text);
            assert_eq!(post(to, ENQUEUE, &key(TRIGGER)).status, 202);
            assert_eq!(genie("Authorization: GenieKey open-sesame").status, 202);
            assert_eq!(genie("Authorization: Bearer open-sesame").status, 202);
            assert_eq!(post(to, &key(VICTOROPS), message).status, 200);
        },
    );
}

#[test]
fn the_keys_that_tools_have_already_are_secrets_of_their_source() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    fs::write(&keys, "first\nsecond\n").unwrap();
    let token = dir.path().join("token");
    fs::write(&token, "open-sesame\n").unwrap();
    with(
        |settings| {
            settings.auth = Some(Secret::File(token));
            for source in ["pagerduty-events", "opsgenie-alert", "victorops"] {
                settings.sources.insert(source.to_owned(), Secret::File(keys.clone()));
            }
        },
        |to| {
            for (key, known) in [("first", true), ("second", true), ("open-sesame", false), ("hush", false)] {
                let taken = post(to, ENQUEUE, &TRIGGER.replace("hush", key)).status;
                assert_eq!(taken, if known { 202 } else { 400 }, "{key}");
                let header = format!("Authorization: GenieKey {key}");
                let taken = request(to, ("POST", "/v2/alerts"), &[&header], br#"{"message":"m"}"#).unwrap().status;
                assert_eq!(taken, if known { 202 } else { 401 }, "{key}");
                let taken = post(to, &VICTOROPS.replace("hush", key), r#"{"message_type":"INFO"}"#).status;
                assert_eq!(taken, if known { 200 } else { 401 }, "{key}");
            }
        },
    );
}

#[test]
fn what_is_too_large_or_too_much_is_told_in_the_words_of_the_service() {
    with(
        |settings| settings.limits.per_source = 0.001,
        |to| {
            let large = format!(r#"{{"routing_key":"hush","x":"{}"}}"#, "x".repeat(512 << 10));
            assert_eq!(post(to, ENQUEUE, TRIGGER).status, 202);
            let mut text = String::new();
            told("larger than 512 KB", &post(to, ENQUEUE, &large), &mut text);
            let answer = post(to, ENQUEUE, TRIGGER);
            assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
            told("too many", &answer, &mut text);
            expect![[r#"
                larger than 512 KB
                  413 {"errors":["send fewer events a request, or raise the limit in the settings; nothing of this request was taken"],"message":"the body is larger than 524288 bytes","status":"invalid event"}
                too many
                  429 {"errors":["nothing of this request was taken: send it again after Retry-After seconds, and fewer at once"],"message":"`pagerduty-events` sends too much","status":"throttle exceeded"}
            "#]].assert_eq(&text);
        },
    );
}

#[test]
fn what_was_answered_is_there_after_a_kill() {
    let home = tempfile::tempdir().unwrap();
    binary::house(home.path(), "rules: []\n", "min_free: 1MiB");
    let mut life = binary::Binary::start(home.path(), Stdio::null());
    let to = life.address();
    assert_eq!(post(to, ENQUEUE, TRIGGER).status, 202);
    assert_eq!(post(to, "/v2/alerts", r#"{"message":"m","alias":"a"}"#).status, 202);
    assert_eq!(post(to, VICTOROPS, r#"{"message_type":"WARNING","entity_id":"e"}"#).status, 200);
    drop(life);
    let mut life = binary::Binary::start(home.path(), Stdio::null());
    assert_eq!(alerts(life.address()).len(), 3);
}

#[test]
fn the_client_of_pagerduty_takes_squelch_for_pagerduty() {
    let Some(python) = std::env::var_os("SQUELCH_TEST_PAGERDUTY") else {
        println!("not tried: SQUELCH_TEST_PAGERDUTY names no Python that has pagerduty");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str| home.path().join(name);
    binary::house(home.path(), "rules: []\n", "min_free: 1MiB");
    // The client speaks to nobody without TLS.
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    fs::write(file("certificate.pem"), made.cert.pem()).unwrap();
    fs::write(file("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let mut settings = fs::read_to_string(file("squelch.yaml")).unwrap();
    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    writeln!(settings, "tls: {{cert_file: {}, key_file: {}}}", certificate.display(), key.display()).unwrap();
    fs::write(file("squelch.yaml"), settings).unwrap();
    let mut life = binary::Binary::start(home.path(), Stdio::from(fs::File::create(file("log")).unwrap()));
    let url = format!("https://{}", life.address());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pagers/real_client.py");
    let key = "0123456789abcdef0123456789abcdef";
    let said = Command::new(python).arg(script).arg(url).arg(certificate).arg(key).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    expect![[r#"
        made a key: 32
        trigger: db-1/disk
        acknowledge: db-1/disk
        firing: ['disk', 'disk is full']
        resolve: db-1/disk
        change: taken
        refused: 400 ["'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"]
        firing: ['disk is full']
        accepted: 5
    "#]].assert_eq(&String::from_utf8_lossy(&said.stdout));
    assert!(!fs::read_to_string(file("log")).unwrap().contains(key));
}
