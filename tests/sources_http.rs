//! Sources over HTTP: secrets, signatures, samples of unknown tools, notices, mappings that change while running.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/running.rs"]
mod running;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use client::{Answer, get, post, request};
use ring::hmac;
use running::{Running, settings};
use squelch::sinks::Secret;

const PING: &str = r#"{"zen": "Keep it simple.", "repository": {"name": "harbor"}}"#;
const JSON: &str = "Content-Type: application/json";

/// Runs the test against a service, in a folder of its own, that has these files in it.
fn with(files: &[(&str, &str)], secrets: &[(&str, &str)], test: impl FnOnce(SocketAddr, &Path)) {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    fs::create_dir_all(dir.path().join("rules/sources")).unwrap();
    for (name, text) in files {
        fs::write(dir.path().join("rules/sources").join(name), text).unwrap();
    }
    for (tool, secret) in secrets {
        let file = dir.path().join(format!("{tool}.secret"));
        fs::write(&file, secret).unwrap();
        settings.sources.insert((*tool).to_owned(), Secret::File(file));
    }
    let running = Running::start(settings, None);
    test(running.address(), dir.path());
    running.stop();
}

fn send(to: SocketAddr, path: &str, headers: &[&str], body: &str) -> Answer {
    let headers: Vec<&str> = headers.iter().copied().chain([JSON]).collect();
    request(to, ("POST", path), &headers, body.as_bytes()).unwrap()
}

fn signed(secret: &str, text: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_tool_with_a_secret_must_show_it_and_one_without_need_not() {
    with(&[], &[("statuscake", "older\nhush\n")], |to, _| {
        let body = r#"{"TestID": "1", "Name": "shop", "URL": "https://shop.example", "Status": "Down"}"#;
        for (path, headers, status) in [
            ("/ingest/statuscake", &[][..], 401),
            ("/ingest/statuscake/wrong", &[], 401),
            ("/ingest/statuscake/hush", &[], 200),
            ("/ingest/statuscake/older", &[], 200),
            ("/ingest/statuscake?token=hush", &[], 200),
            ("/ingest/statuscake", &["Authorization: Bearer hush"], 200),
            ("/ingest/statuscake", &["X-Squelch-Token: hush"], 200),
            ("/ingest/statuscake", &["X-Squelch-Token: hus"], 401),
            ("/ingest/uptimerobot/hush", &[], 401),
        ] {
            let answer = send(to, path, headers, body);
            assert_eq!(answer.status, status, "{path} {headers:?}: {}", answer.body);
            assert!(!answer.body.contains("older"), "{}", answer.body);
        }
        assert!(!get(to, "/ingest").body.contains("hush"));
        assert!(!get(to, "/metrics").body.contains("hush"));
    });
}

#[test]
fn a_signature_is_checked_over_the_bytes_as_they_came() {
    let files = [("acme.yaml", "check: name\nsignature: {header: X-Acme, timestamp_header: X-Time}\n")];
    let secrets = [("github", "hush"), ("acme", "hush"), ("sentry", "hush")];
    with(&files, &secrets, |to, _| {
        let github = |text: &str| format!("X-Hub-Signature-256: sha256={}", signed("hush", text));
        assert_eq!(send(to, "/ingest/github", &[&github(PING)], PING).status, 200);
        // The same JSON with other blanks is another body.
        assert_eq!(send(to, "/ingest/github", &[&github(&PING.replace(' ', ""))], PING).status, 401);
        assert_eq!(send(to, "/ingest/github", &[], PING).status, 401);
        let answer = send(to, "/ingest/github", &["X-Hub-Signature-256: sha256=00"], "no json");
        assert_eq!(answer.status, 401, "checked before it is read: {}", answer.body);
        assert!(answer.body.contains("X-Hub-Signature-256"), "{}", answer.body);
        let body = r#"{"name": "cpu"}"#;
        let acme = format!("X-Acme: {}", signed("hush", &format!("17:{body}")));
        assert_eq!(send(to, "/ingest/acme", &[&acme, "X-Time: 17"], body).status, 200);
        assert_eq!(send(to, "/ingest/acme", &[&acme, "X-Time: 18"], body).status, 401);
        assert_eq!(send(to, "/ingest/acme", &[&acme], body).status, 401);
        let sentry = r#"{"action": "created", "installation": {"uuid": "x"}}"#;
        let header = format!("Sentry-Hook-Signature: {}", signed("hush", sentry));
        assert_eq!(send(to, "/ingest/sentry", &[&header], sentry).status, 200);
        assert_eq!(send(to, "/ingest/sentry", &[], sentry).status, 401);
    });
}

#[test]
fn a_source_with_a_secret_of_its_own_need_not_show_the_token_of_all() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    for (name, text) in [("all", "everybody"), ("falco", "hush")] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    settings.auth = Some(Secret::File(dir.path().join("all")));
    settings.sources.insert("falco".to_owned(), Secret::File(dir.path().join("falco")));
    let running = Running::start(settings, None);
    let to = running.address();
    let body = r#"{"rule": "shell in a container", "priority": "Warning", "hostname": "n1"}"#;
    for (path, headers, status) in [
        ("/ingest/falco/hush", &[][..], 200),
        ("/ingest/falco", &["Authorization: Bearer everybody"], 401),
        ("/ingest/falco", &[], 401),
        ("/ingest/riemann/hush", &[], 401),
        ("/ingest/unheard-of", &[], 401),
    ] {
        assert_eq!(send(to, path, headers, body).status, status, "{path} {headers:?}");
    }
    assert_eq!(request(to, ("GET", "/ingest"), &[], b"").unwrap().status, 401);
    assert_eq!(request(to, ("GET", "/ingest/falco/hus?rule=x"), &[], b"").unwrap().status, 401);
    running.stop();
}

#[test]
fn a_body_of_an_unknown_tool_becomes_a_mapping_in_four_steps() {
    with(&[], &[], |to, dir| {
        let body =
            r#"{"alerts": [{"rule_name": "cpu", "hostname": "db-1", "state": "red", "token": "hush", "alert_id": 7}]}"#;
        let answer = post(to, "/ingest/acme", body);
        assert_eq!(answer.status, 404);
        assert!(answer.body.contains("rules/sources/acme.yaml"), "{}", answer.body);
        let listed = get(to, "/ingest").json();
        let sample = &listed["samples"][0];
        assert_eq!((sample["tool"].as_str(), sample["count"].as_u64()), (Some("acme"), Some(1)), "{listed}");
        assert!(!listed.to_string().contains("hush"), "{listed}");
        let proposed = sample["proposed_mapping"].as_str().unwrap();
        fs::write(dir.join("rules/sources/acme.yaml"), proposed).unwrap();
        assert_eq!(post(to, "/-/reload", "").status, 200);
        let answer = post(to, "/ingest/acme", body);
        assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(1)), "{}", answer.body);
        let listed = get(to, "/ingest").json();
        assert_eq!(listed["samples"].as_array().map(Vec::len), Some(0), "{listed}");
        assert!(get(to, "/api/v1/series").body.contains("db-1"));
    });
}

#[test]
fn a_wrong_mapping_leaves_all_of_the_old_ones_and_the_rules_in_force() {
    with(&[("acme.yaml", "check: name\n")], &[], |to, dir| {
        fs::write(dir.join("rules/sources/acme.yaml"), "chekc: name\n").unwrap();
        let answer = post(to, "/-/reload", "");
        assert!(answer.status >= 400 && answer.body.contains("acme.yaml:1:1"), "{}", answer.body);
        assert_eq!(post(to, "/ingest/acme", r#"{"name": "cpu"}"#).status, 200);
    });
}

#[test]
fn a_subscription_to_confirm_is_told_to_people() {
    with(&[], &[], |to, _| {
        let confirmation = |url: &str| {
            let body =
                format!(r#"{{"Type": "SubscriptionConfirmation", "TopicArn": "arn:x", "SubscribeURL": "{url}"}}"#);
            request(to, ("POST", "/ingest/cloudwatch-sns"), &["Content-Type: text/plain"], body.as_bytes()).unwrap()
        };
        let url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription";
        assert_eq!(confirmation(url).status, 200);
        assert_eq!(confirmation("https://evil.example/?x").status, 200);
        let notices = get(to, "/ingest").json()["notices"].to_string();
        assert!(notices.contains(url) && !notices.contains("evil.example"), "{notices}");
    });
}

#[test]
fn an_old_hook_brings_its_event_in_the_query() {
    with(&[], &[], |to, _| {
        let path =
            "/ingest/uptimerobot?monitorID=1&monitorURL=https%3A%2F%2Fa.example&monitorFriendlyName=Shop&alertType=1";
        let answer = get(to, path);
        assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(1)), "{}", answer.body);
        assert_eq!(get(to, "/ingest/uptimerobot").status, 400);
        let from_a_page = request(to, ("GET", path), &["Sec-Fetch-Site: cross-site"], b"").unwrap();
        assert_eq!(from_a_page.status, 403, "no page may bring alerts by an image: {}", from_a_page.body);
    });
}

#[test]
fn vmalert_adds_its_path_as_prometheus_does() {
    with(&[], &[], |to, _| {
        let alerts = r#"[{"labels":{"alertname":"DiskFull","instance":"db-1:9100"}}]"#;
        assert_eq!(post(to, "/ingest/vmalert/api/v2/alerts", alerts).status, 200);
    });
}
