//! What people say at PagerDuty and in Slack comes back and is done here once; and the heartbeat that leaves.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/receiver.rs"]
mod receiver;
#[path = "shell/running.rs"]
mod running;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;
use std::time::Duration;

use client::{Answer, get, post, request};
use receiver::Receiver;
use ring::hmac;
use running::{Running, settings};
use serde_json::{Value, json};
use squelch::clock::Clock;
use squelch::config::{Heartbeat, Settings};
use squelch::deliver::Beacon;
use squelch::domain::Timestamp;
use squelch::sinks::{Address, Secret};

/// How often a condition is asked for over HTTP before the test gives up: each time is a round trip.
const PATIENCE: usize = 200_000;
const SECRET: &str = "whsec-ada";
const RULE: &str = "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";

/// Looks until it is there; between two looks the service is asked something.
fn until<T>(to: SocketAddr, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let mut look = |_| {
        assert_eq!(get(to, "/-/healthy").status, 200);
        found()
    };
    (0..PATIENCE).find_map(&mut look).unwrap_or_else(|| panic!("still not so: {what}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn signature(secret: &str, signed: &[u8]) -> String {
    hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), signed).as_ref())
}

fn secret(dir: &Path, name: &str, text: &str) -> Secret {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    Secret::File(path)
}

/// Settings with the secrets of both hooks, a rule that pages what is critical, and these receivers and routes.
fn hooked(dir: &Path, routes: &str) -> Settings {
    let mut settings = settings(dir);
    for hook in ["pagerduty", "slack"] {
        settings.hooks.insert(hook.to_owned(), secret(dir, hook, &format!("older\n{SECRET}\n")));
    }
    secret(dir, "key", "k");
    let routes = routes.replace("KEY", &dir.join("key").display().to_string());
    fs::write(dir.join("rules/app.yaml"), format!("{RULE}{routes}")).unwrap();
    settings
}

/// Everything goes to one receiver.
fn on_call(receiver: &str) -> String {
    format!("receivers:\n  - name: on call\n    {receiver}\nroutes:\n  - name: everything\n    receivers: [on call]\n")
}

fn page(to: SocketAddr) {
    let event = json!({"source": "cron", "check": "disk", "host": "db-1", "severity": "critical"});
    assert_eq!(post(to, "/api/v1/events", &event.to_string()).status, 200);
}

fn incident(to: SocketAddr) -> Value {
    get(to, "/api/v1/incidents/1").json()
}

/// What a fake service was sent.
fn bodies(service: &Receiver) -> Vec<Value> {
    service.taken().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
}

fn pagerduty(to: SocketAddr, body: &str) -> Answer {
    let header = format!("X-PagerDuty-Signature: v1={},v1={}", "0".repeat(64), signature(SECRET, body.as_bytes()));
    request(to, ("POST", "/hooks/pagerduty"), &[&header], body.as_bytes()).unwrap()
}

fn event(kind: &str, key: &str, agent: &Value) -> String {
    json!({"event": {
        "id": "01BXN", "event_type": kind, "resource_type": "incident", "occurred_at": "2100-10-02T18:45:22.169Z",
        "agent": agent, "data": {"id": "PGR0VU2", "type": "incident", "incident_key": key},
    }})
    .to_string()
}

fn ada() -> Value {
    json!({"id": "PLH1HKV", "summary": "Ada", "type": "user_reference"})
}

/// The incidents that an answer says were changed, and its notes as one text.
fn heard(answer: &Answer) -> (Vec<String>, String) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let texts = |field: &str| -> Vec<String> { serde_json::from_value(answer.json()[field].clone()).unwrap() };
    (texts("incidents"), texts("notes").join("; "))
}

const TAKES: &str = "incident.acknowledged";
const ENDS: &str = "incident.resolved";

#[test]
fn what_a_person_says_at_pagerduty_is_done_here_and_goes_round_once() {
    let (dir, service) = (tempfile::tempdir().unwrap(), Receiver::start());
    let receiver = format!("pagerduty: {{routing_key_file: KEY, url: \"{}\"}}", service.url());
    let mut settings = hooked(dir.path(), &on_call(&receiver));
    settings.auth = Some(secret(dir.path(), "token", "t0ken"));
    let running = Running::start(settings, None);
    let to = running.address();
    let bearer = ["Authorization: Bearer t0ken"];
    let critical = br#"{"source": "cron", "check": "disk", "host": "db-1", "severity": "critical"}"#;
    assert_eq!(request(to, ("POST", "/api/v1/events"), &bearer, critical).unwrap().status, 200);
    let incident = || request(to, ("GET", "/api/v1/incidents/1"), &bearer, b"").unwrap().json();
    let key =
        until(to, "triggered", || bodies(&service).first().map(|body| body["dedup_key"].as_str().unwrap().to_owned()));

    for (kind, agent) in [
        ("incident.unacknowledged", ada()),
        ("pagey.ping", Value::Null),
        (TAKES, Value::Null),
        (ENDS, json!({"type": "inbound_integration_reference", "summary": "Events API V2"})),
    ] {
        assert_eq!(heard(&pagerduty(to, &event(kind, &key, &agent))).0, [""; 0], "{kind}");
    }
    assert!(incident()["acknowledged"].is_null() && incident()["open"] == true);
    assert_eq!(heard(&pagerduty(to, &event(TAKES, &key, &ada()))), (vec!["1".to_owned()], String::new()));
    assert!(incident().to_string().contains("Ada via PagerDuty has taken it"), "{}", incident());
    let again = heard(&pagerduty(to, &event(TAKES, &key, &ada())));
    assert_eq!(again, (vec![], "incident 1 is taken already".to_owned()));

    let worse = format!("{key}-worse");
    assert_eq!(heard(&pagerduty(to, &event(ENDS, &worse, &ada()))).0, ["1"]);
    assert_eq!(incident()["open"], false);
    assert!(incident().to_string().contains("Ada via PagerDuty declared it to be over"), "{}", incident());
    for kind in [TAKES, ENDS] {
        assert_eq!(heard(&pagerduty(to, &event(kind, &key, &ada()))).1, "incident 1 is over already");
    }
    running.stop();
    let sent: Vec<_> =
        bodies(&service).iter().map(|body| (body["event_action"].clone(), body["dedup_key"].clone())).collect();
    let once = |action: &str| [(json!(action), json!(key)), (json!(action), json!(worse))];
    assert_eq!(sent[1..], [once("acknowledge"), once("resolve")].concat());
}

#[test]
fn nothing_is_believed_without_the_right_signature() {
    let (dir, service) = (tempfile::tempdir().unwrap(), Receiver::start());
    let running = Running::start(hooked(dir.path(), &service.routes()), None);
    let to = running.address();
    page(to);
    let body = event(TAKES, "squelch-1-0", &ada());
    let right = signature(SECRET, body.as_bytes());
    for header in [
        "X-Other: 1".to_owned(),
        "X-PagerDuty-Signature: ".to_owned(),
        format!("X-PagerDuty-Signature: {right}"),
        format!("X-PagerDuty-Signature: v0={right}"),
        format!("X-PagerDuty-Signature: v1={}", &right[1..]),
        format!("X-PagerDuty-Signature: v1={}", signature("guess", body.as_bytes())),
        format!("X-PagerDuty-Signature: v1={}", signature(SECRET, b"{}")),
        format!("Authorization: Bearer {SECRET}"),
    ] {
        let answer = request(to, ("POST", "/hooks/pagerduty"), &[&header], body.as_bytes()).unwrap();
        assert_eq!(answer.status, 401, "{header}: {}", answer.body);
        assert!(answer.json()["error"]["help"].is_string() && !answer.body.contains(SECRET));
    }
    assert!(incident(to)["acknowledged"].is_null());
    running.stop();

    let bare = tempfile::tempdir().unwrap();
    let running = Running::start(settings(bare.path()), None);
    for path in ["/hooks/pagerduty", "/hooks/slack"] {
        let answer = post(running.address(), path, "{}");
        assert_eq!(answer.status, 404, "{}", answer.body);
        assert!(answer.body.contains("secret_file"), "{}", answer.body);
    }
    running.stop();
}

#[test]
fn bodies_that_say_nothing_do_nothing() {
    let (dir, service) = (tempfile::tempdir().unwrap(), Receiver::start());
    let running = Running::start(hooked(dir.path(), &service.routes()), None);
    let to = running.address();
    page(to);
    for bad in ["", "{", "[]", "null", "{\"event\": 7}", "{\"event\": {\"event_type\": null}}", "\u{0}"] {
        assert_eq!(pagerduty(to, bad).status, 400, "{bad}");
    }
    for key in ["", "squelch-1-0000", "squelch-1-", "squelch-99-0-worse", "d3640fbd41094207", "1", &"k".repeat(10_000)]
    {
        assert_eq!(heard(&pagerduty(to, &event(ENDS, key, &ada()))).0, [""; 0], "{key}");
    }
    for data in
        [json!(null), json!([]), json!({"incident_key": 7, "alerts": "x"}), json!({"alerts": [1, {"alert_key": {}}]})]
    {
        let body = json!({"event": {"event_type": ENDS, "agent": ada(), "data": data}}).to_string();
        assert_eq!(heard(&pagerduty(to, &body)), (vec![], "the incident has no key".to_owned()));
    }
    assert_eq!(incident(to)["open"], true);
    for (bad, status) in [
        ("", 400),
        ("payload", 400),
        ("payload=%7B", 400),
        ("a=1", 400),
        ("payload=%FF%00", 400),
        ("payload=null", 200),
    ] {
        assert_eq!(slack(to, bad, now(), SECRET).status, status, "{bad}");
    }
    assert_eq!(slack(to, &"x".repeat(2 << 20), now(), SECRET).status, 413);
    running.stop();
}

fn now() -> i64 {
    Clock::start(Timestamp::from_millis(0)).now().millis() / 1_000
}

fn slack(to: SocketAddr, body: &str, stamp: i64, secret: &str) -> Answer {
    let right = signature(secret, format!("v0:{stamp}:{body}").as_bytes());
    let headers = [
        "Content-Type: application/x-www-form-urlencoded",
        &format!("X-Slack-Request-Timestamp: {stamp}"),
        &format!("X-Slack-Signature: v0={right}"),
    ];
    request(to, ("POST", "/hooks/slack"), &headers, body.as_bytes()).unwrap()
}

/// What Slack sends when this button is pressed.
fn press(block: &str, button: &Value) -> String {
    let action = json!({
        "type": "button", "action_id": button["action_id"], "block_id": block, "value": button["value"],
        "action_ts": "1548426417.840180",
    });
    let user = json!({"id": "U045VRZFT", "username": "ada", "name": "ada", "team_id": "T9TK3CUKW"});
    let payload = json!({"type": "block_actions", "user": user, "token": "x", "actions": [action]});
    url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
}

#[test]
fn the_buttons_of_a_message_in_slack_take_an_incident_and_end_it() {
    let (dir, service) = (tempfile::tempdir().unwrap(), Receiver::start());
    let receiver = format!("slack: {{token_file: KEY, channel: \"#alerts\", api_url: \"{}\"}}", service.url());
    let running = Running::start(hooked(dir.path(), &on_call(&receiver)), None);
    let to = running.address();
    page(to);
    let message = until(to, "told", || bodies(&service).into_iter().next());
    let blocks = message["attachments"][0]["blocks"].as_array().unwrap();
    let actions = blocks.iter().find(|block| block["type"] == "actions").unwrap();
    let block = actions["block_id"].as_str().unwrap();
    let [take, over] = [0, 1].map(|at| &actions["elements"][at]);
    assert_eq!((&take["text"]["text"], &over["text"]["text"]), (&json!("I take it"), &json!("It is over")));
    assert_eq!((&take["value"], &over["value"]), (&json!("1"), &json!("1")));

    let taken = press(block, take);
    for (stamp, secret) in
        [(now() - 400, SECRET), (now() + 400, SECRET), (0, SECRET), (i64::MIN, SECRET), (now(), "guess")]
    {
        assert_eq!(slack(to, &taken, stamp, secret).status, 401, "{stamp} {secret}");
    }
    let unsigned = request(to, ("POST", "/hooks/slack"), &[], taken.as_bytes()).unwrap();
    assert_eq!(unsigned.status, 401, "{}", unsigned.body);
    for (block, button) in [
        (block, &json!({"action_id": "other", "value": "1"})),
        (block, &json!({"action_id": take["action_id"], "value": "2"})),
        ("squelch-1-0000-1", take),
        ("", take),
    ] {
        assert_eq!(heard(&slack(to, &press(block, button), now(), SECRET)).0, [""; 0], "{block} {button}");
    }
    assert!(incident(to)["acknowledged"].is_null());

    assert_eq!(heard(&slack(to, &taken, now(), SECRET)).0, ["1"]);
    assert!(incident(to).to_string().contains("ada via Slack has taken it"), "{}", incident(to));
    assert_eq!(heard(&slack(to, &taken, now(), SECRET)).1, "incident 1 is taken already");
    assert_eq!(heard(&slack(to, &press(block, over), now(), SECRET)).0, ["1"]);
    assert_eq!(incident(to)["open"], false);
    assert_eq!(heard(&slack(to, &press(block, over), now(), SECRET)).1, "incident 1 is over already");
    running.stop();
}

#[test]
fn messages_have_no_buttons_where_nobody_listens_to_them() {
    let (dir, service) = (tempfile::tempdir().unwrap(), Receiver::start());
    let receiver = format!("slack: {{token_file: KEY, channel: \"#alerts\", api_url: \"{}\"}}", service.url());
    let mut settings = hooked(dir.path(), &on_call(&receiver));
    settings.hooks.remove("slack");
    let running = Running::start(settings, None);
    let to = running.address();
    page(to);
    let message = until(to, "told", || bodies(&service).into_iter().next());
    assert!(!message.to_string().contains("squelch_take"), "{message}");
    running.stop();
}

#[test]
fn a_heartbeat_is_heard_again_and_again_also_after_it_was_refused() {
    let (dir, service) = (tempfile::tempdir().unwrap(), Receiver::start());
    let mut settings = settings(dir.path());
    let url = Address::Secret(secret(dir.path(), "url", &service.url()));
    settings.heartbeat = Some(Heartbeat { url, every: Duration::from_millis(1) });
    service.refuse(true);
    let running = Running::start(settings, None);
    assert_eq!(get(running.address(), "/-/ready").status, 200);
    assert_eq!(service.taken().len(), 0);
    service.refuse(false);
    let beats = until(running.address(), "heard", || Some(service.taken()).filter(|taken| taken.len() >= 3));
    assert!(beats.iter().all(|(_, body)| body.is_empty()), "it carries nothing");
    running.stop();
}

#[test]
fn an_address_that_does_not_hear_is_not_told_in_the_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let echo = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 1024];
        let length = stream.read(&mut head).unwrap();
        let line = String::from_utf8_lossy(&head[..length]).lines().next().unwrap().to_owned();
        let answer = format!("HTTP/1.1 404 X\r\nContent-Length: {}\r\n\r\n{line}", line.len());
        stream.write_all(answer.as_bytes()).unwrap();
        line
    });
    let address = Address::plain(&format!("http://{at}/ping/5ecret-uuid?k=5ecret-key")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut beacon = Beacon::new(&address);
    let refused = runtime.block_on(beacon.send()).unwrap_err();
    assert!(echo.join().unwrap().starts_with("GET /ping/5ecret-uuid?k=5ecret-key "));
    let nobody = runtime.block_on(beacon.send()).unwrap_err();
    assert!(refused.contains("404") && !format!("{refused} {nobody}").contains("5ecret"), "{refused}; {nobody}");
}
