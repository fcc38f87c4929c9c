//! Readers and operators, a proxy that logs people in, and the audit log of what they did.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/running.rs"]
mod running;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use client::{Answer, get, post, request};
use running::{Running, settings};
use serde_json::{Value, json};
use squelch::config::{Network, Proxy};
use squelch::sinks::Secret;

/// What pages at once: a rule says so.
const ALWAYS: &str = "rules: [{name: always, match: 'service=\"ledger\"', page: always}]\n";
const DISK: &str = r#"{"source":"nagios","service":"ledger","host":"db-1","check":"disk","severity":"critical"}"#;
const OPERATOR: &str = "Authorization: Bearer operator-token";
const READER: &str = "Authorization: Bearer reader-token";

/// With both tokens, two people, and a proxy that this test is where `trusted`.
fn with(trusted: bool, test: impl FnOnce(SocketAddr, &Path)) {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    fs::write(dir.path().join("rules/always.yaml"), ALWAYS).unwrap();
    let secret = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name)
    };
    settings.auth = Some(Secret::File(secret("token", "operator-token\n")));
    settings.admission.reader = Some(Secret::File(secret("reader", "reader-token\n")));
    settings.admission.people = Some(secret("people", "grace:operator:hopper\neve:reader:apple\n"));
    settings.admission.proxy = Some(Proxy {
        header: "X-Forwarded-User".to_owned(),
        groups_header: Some("X-Forwarded-Groups".to_owned()),
        from: vec![Network::parse(if trusted { "127.0.0.1" } else { "192.0.2.1" }).unwrap()],
        operators: vec!["ada".to_owned()],
        operator_groups: Vec::new(),
    });
    let running = Running::start(settings, None);
    let to = running.address();
    assert_eq!(ask(to, "POST", "/api/v1/events", &[OPERATOR], DISK).status, 200);
    test(to, dir.path());
    running.stop();
}

fn ask(to: SocketAddr, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    request(to, (method, path), headers, body.as_bytes()).unwrap()
}

fn form(to: SocketAddr, path: &str, headers: &[&str], body: &str) -> Answer {
    let own = ["Content-Type: application/x-www-form-urlencoded", "Accept: text/html", "Sec-Fetch-Site: same-origin"];
    ask(to, "POST", path, &[&own, headers].concat(), body)
}

fn basic(text: &str) -> String {
    format!("Authorization: Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

/// The log as people see it, newest first: who, by what, role, door, action, on what, outcome.
fn told(to: SocketAddr) -> Vec<String> {
    let answer = ask(to, "GET", "/api/v1/audit", &[READER], "");
    let entries = answer.json();
    let line = |entry: &Value| {
        let part = |name: &str| entry[name].as_str().unwrap().to_owned();
        assert_eq!(part("from"), "127.0.0.1");
        ["who", "login", "role", "door", "action", "on", "outcome"].map(part).join(" | ")
    };
    entries["entries"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn a_reader_sees_everything_and_changes_nothing() {
    with(false, |to, _| {
        for path in ["/", "/incidents/1", "/noise", "/rules", "/audit"] {
            assert_eq!(ask(to, "GET", path, &[READER, "Accept: text/html"], "").status, 200, "{path}");
        }
        for path in ["/api/v1/incidents", "/api/v1/series?find=disk", "/api/v2/alerts", "/metrics", "/ingest"] {
            assert_eq!(ask(to, "GET", path, &[READER], "").status, 200, "{path}");
        }
        let silence = json!({"matchers": ["host=\"db-1\""], "for": "2h", "owner": "eve", "reason": "x"}).to_string();
        let posted = json!([{"labels": {"alertname": "A"}}]).to_string();
        for (method, path, body) in [
            ("POST", "/api/v1/events", DISK),
            ("POST", "/ingest/prometheus", "{}"),
            ("GET", "/ingest/nagios?x=1", ""),
            ("POST", "/api/v1/incidents/1/ack", ""),
            ("POST", "/api/v1/incidents/1/resolve", ""),
            ("POST", "/api/v1/incidents/1/feedback", r#"{"verdict":"noise"}"#),
            ("POST", "/api/v1/silences", &silence),
            ("DELETE", "/api/v1/silences/x", ""),
            ("POST", "/api/v2/alerts", &posted),
            ("POST", "/api/v2/silences", "{}"),
            ("DELETE", "/api/v2/silence/x", ""),
            ("POST", "/api/v1/drill", ""),
            ("POST", "/api/v1/shadow", r#"{"on":true}"#),
            ("POST", "/api/v1/what-if", r#"{"sensitivity":"quiet"}"#),
            ("POST", "/noise/what-if", "sensitivity=quiet"),
            ("POST", "/shadow", "on=yes"),
            ("POST", "/-/reload", ""),
            ("GET", "/api/v1/backup", ""),
        ] {
            let answer = ask(to, method, path, &[READER], body);
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.body);
            assert!(answer.body.contains("readers may look"), "{method} {path}: {}", answer.body);
        }
        assert_eq!(ask(to, "GET", "/api/v1/digest?since=1h", &[READER], "").status, 200);
        let raw = |who: &str| ask(to, "GET", "/api/v1/digest?since=1h&raw=true", &[who], "").status;
        assert_eq!((raw(READER), raw(OPERATOR)), (403, 200), "what is masked is for operators");
        // The doors of other services have their own keys: a reader's token is none of them.
        let enqueue = json!({"routing_key": "reader-token", "event_action": "trigger", "payload": {"summary": "s", "source": "s", "severity": "error"}});
        assert_ne!(ask(to, "POST", "/v2/enqueue", &[READER], &enqueue.to_string()).status, 202);
        let incidents = ask(to, "GET", "/api/v1/incidents/1", &[READER], "").body;
        assert!(incidents.contains("\"resolved\":null,\"acknowledged\":null"), "{incidents}");
    });
}

#[test]
fn pages_for_readers_have_no_buttons_and_say_so() {
    with(false, |to, _| {
        for path in ["/", "/incidents/1", "/rules"] {
            let page = |who: &str| ask(to, "GET", path, &[who, "Accept: text/html"], "").body;
            let (reads, acts) = (page(READER), page(OPERATOR));
            assert!(!reads.contains("method=\"post\"") && acts.contains("method=\"post\""), "{path}");
            assert!(reads.contains("operators act") && !acts.contains("operators act"), "{path}");
        }
        let refused = form(to, "/incidents/1/ack", &[READER], "back=/");
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains("<h1>") && refused.body.contains("readers may look"), "{}", refused.body);
    });
}

#[test]
fn who_did_what_is_told_with_what_the_name_is_worth() {
    with(true, |to, dir| {
        assert_eq!(form(to, "/incidents/1/ack", &["X-Forwarded-User: ada"], "back=/").status, 303);
        assert_eq!(form(to, "/incidents/1/resolve", &["X-Forwarded-User: bob"], "").status, 403);
        assert_eq!(
            ask(
                to,
                "POST",
                "/api/v1/incidents/1/feedback",
                &[&basic("grace:hopper")],
                r#"{"verdict":"noise","by":"ada"}"#
            )
            .status,
            200
        );
        assert_eq!(ask(to, "POST", "/api/v1/incidents/9/ack", &[OPERATOR], r#"{"by":"linus"}"#).status, 404);
        let silence =
            json!({"matchers": ["host=\"db-1\""], "for": "2h", "owner": "linus", "reason": "disk swap"}).to_string();
        let set = ask(to, "POST", "/api/v1/silences", &[OPERATOR], &silence);
        let id = set.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(
            form(to, &format!("/silences/{id}/extend"), &[&basic("linus:operator-token")], "for=1h").status,
            303
        );
        assert_eq!(ask(to, "POST", "/-/reload", &[OPERATOR], "").status, 200);
        assert_eq!(ask(to, "POST", "/api/v1/incidents/1/ack", &["Authorization: Bearer guessed"], "").status, 401);
        let expected = [
            "somebody? | token | operator | api | reload | rules | done".replace("somebody?", ""),
            format!("linus | token | operator | console | extend | silence {id} | done"),
            format!("linus | token | operator | api | silence | silence {id} | done"),
            " | token | operator | api | ack | /api/v1/incidents/9/ack | there is no incident 9".to_owned(),
            "grace | password | operator | api | feedback | incident 1 | done".to_owned(),
            "bob | proxy | reader | console | resolve | /incidents/1/resolve | readers may look at everything and change nothing".to_owned(),
            "ada | proxy | operator | console | ack | incident 1 | done".to_owned(),
        ];
        assert_eq!(told(to), expected);
        let file = fs::read_to_string(dir.join("data/audit.jsonl")).unwrap();
        assert_eq!(file.lines().count(), expected.len());
        assert!(file.contains("(as ada)"), "a name that was given beside the one that was shown: {file}");
        for secret in ["operator-token", "reader-token", "hopper", "apple", "guessed"] {
            assert!(!file.contains(secret), "{file}");
        }
        let page = ask(to, "GET", "/audit", &[READER, "Accept: text/html"], "").body;
        assert!(page.contains("known by the proxy") && page.contains("disk swap"), "{page}");
    });
}

#[test]
fn a_header_from_elsewhere_than_the_proxy_is_nobodys_word() {
    with(false, |to, _| {
        assert_eq!(form(to, "/incidents/1/ack", &["X-Forwarded-User: ada"], "").status, 401);
        let forged = [READER, "X-Forwarded-User: ada", "X-Forwarded-For: 192.0.2.1"];
        assert_eq!(form(to, "/incidents/1/ack", &forged, "").status, 403);
        assert_eq!(told(to).len(), 1, "who is a stranger leaves no line, who is known does");
    });
    with(true, |to, _| {
        let cross = ["X-Forwarded-User: ada", "Sec-Fetch-Site: cross-site"];
        assert_eq!(ask(to, "POST", "/incidents/1/ack", &cross, "").status, 403, "no page of another site acts for ada");
        assert_eq!(form(to, "/incidents/1/ack", &["X-Forwarded-User: bob", "X-Forwarded-User: ada"], "").status, 401);
    });
}

#[test]
fn an_action_is_done_and_the_trouble_told_when_the_log_cannot_be_written() {
    with(true, |to, dir| {
        fs::create_dir(dir.join("data/audit.jsonl")).unwrap();
        assert_eq!(form(to, "/incidents/1/ack", &["X-Forwarded-User: ada"], "").status, 303);
        let ready = get(to, "/-/ready");
        assert!(ready.status == 200 && ready.body.contains("the audit log in"), "{}", ready.body);
        assert!(ask(to, "GET", "/", &[READER, "Accept: text/html"], "").body.contains("1 entries wait in memory"));
        fs::remove_dir(dir.join("data/audit.jsonl")).unwrap();
        assert_eq!(form(to, "/incidents/1/resolve", &["X-Forwarded-User: ada"], "").status, 303);
        assert_eq!(fs::read_to_string(dir.join("data/audit.jsonl")).unwrap().lines().count(), 2);
        assert!(!get(to, "/-/ready").body.contains("audit"));
    });
}

#[test]
fn a_stranger_is_asked_for_a_token_and_leaves_no_line() {
    with(false, |to, _| {
        let answer = post(to, "/api/v1/incidents/1/ack", "");
        assert!(answer.status == 401 && answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
        assert_eq!(told(to), [""; 0]);
    });
}

#[test]
fn the_terminal_lists_what_was_done_from_the_server_and_from_its_files() {
    with(true, |to, dir| {
        assert_eq!(form(to, "/incidents/1/ack", &["X-Forwarded-User: bob"], "").status, 403);
        assert_eq!(form(to, "/incidents/1/ack", &["X-Forwarded-User: ada"], "").status, 303);
        let audit = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_squelch"));
            String::from_utf8(command.arg("audit").args(arguments).output().unwrap().stdout).unwrap()
        };
        let (data, token, server) = (dir.join("data"), dir.join("reader"), format!("http://{to}"));
        let stored = audit(&["--json", "--data-dir", data.to_str().unwrap()]);
        let asked = audit(&["--json", "--token-file", token.to_str().unwrap(), "--server", &server]);
        assert!(!stored.is_empty());
        assert_eq!(stored, asked);
        let table = audit(&["-n", "9", "--token-file", token.to_str().unwrap(), "--server", &server]);
        let lines: Vec<_> = table.lines().map(|line| line.split_once("  ").unwrap().1).collect();
        assert_eq!(
            lines,
            [
                "ada       ack incident 1  127.0.0.1 via console, proxy",
                "bob       ack /incidents/1/ack  NOT DONE: readers may look at everything and change nothing  127.0.0.1 via console, proxy"
            ]
        );
    });
}

#[test]
fn a_new_token_and_new_people_hold_without_a_restart_and_wrong_ones_change_nothing() {
    with(false, |to, dir| {
        let asks = |who: &str| ask(to, "GET", "/api/v1/incidents", &[who], "").status;
        let new = "Authorization: Bearer new-token";
        assert_eq!((asks(OPERATOR), asks(new), asks(&basic("eve:apple"))), (200, 401, 200));
        fs::write(dir.join("people"), "eve:operator:pear\n").unwrap();
        fs::write(dir.join("token"), "new-token\n").unwrap();
        // Nobody asks for it: the files are looked at by themselves.
        while asks(new) != 200 {}
        assert_eq!((asks(OPERATOR), asks(&basic("eve:apple")), asks(&basic("eve:pear"))), (401, 401, 200));
        assert_eq!(asks(READER), 200);
        fs::write(dir.join("people"), "eve:hushhush\n").unwrap();
        let reload = ask(to, "POST", "/-/reload", &[new], "");
        assert_eq!(reload.status, 400);
        assert!(reload.body.contains("line 1 is no person") && !reload.body.contains("hush"), "{}", reload.body);
        assert_eq!((asks(new), asks(&basic("eve:pear"))), (200, 200), "the old ones hold");
        let ready = get(to, "/-/ready").body;
        assert!(ready.contains("the old ones hold") && !ready.contains("hush"), "{ready}");
        fs::write(dir.join("people"), "eve:reader:plum\n").unwrap();
        let reload = ask(to, "POST", "/-/reload", &[new], "").json();
        assert!(reload["reloaded"].as_bool().unwrap(), "{reload}");
        assert_eq!(asks(&basic("eve:plum")), 200);
        assert!(!get(to, "/-/ready").body.contains("the old ones hold"));
    });
}
