//! The console: pages that are whole without a script, forms, the token, and the stream of what is decided.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/running.rs"]
mod running;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use client::{Answer, get, post, request};
use running::{Running, settings};
use squelch::sinks::Secret;

/// What pages at once: a rule says so.
const ALWAYS: &str = "rules: [{name: always, match: 'service=\"ledger\"', page: always}]\n";
const DISK: &str = r#"{"source":"nagios","kind":"host","service":"ledger","host":"db-1","check":"disk","severity":"critical","value":97,"summary":"<script>alert('x')</script> 97 % full"}"#;

fn with(token: Option<&str>, test: impl FnOnce(SocketAddr)) {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path());
    std::fs::write(dir.path().join("rules/always.yaml"), ALWAYS).unwrap();
    if let Some(token) = token {
        let file = dir.path().join("token");
        std::fs::write(&file, token).unwrap();
        settings.auth = Some(Secret::File(file));
    }
    let running = Running::start(settings, None);
    test(running.address());
    running.stop();
}

fn page(to: SocketAddr, path: &str) -> Answer {
    request(to, ("GET", path), &["Accept: text/html"], b"").unwrap()
}

fn send(to: SocketAddr, path: &str, form: &str) -> Answer {
    let headers =
        ["Content-Type: application/x-www-form-urlencoded", "Accept: text/html", "Sec-Fetch-Site: same-origin"];
    request(to, ("POST", path), &headers, form.as_bytes()).unwrap()
}

/// The value of a header, in lower case as the head is.
fn header(answer: &Answer, name: &str) -> String {
    let value = answer.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_default().to_owned()
}

#[test]
fn every_page_is_whole_before_anything_came() {
    with(None, |to| {
        for (path, words) in [
            ("/", "Nothing needs you"),
            ("/noise", "0 events held back, 0 pages sent"),
            ("/rules", "None is in force or to come"),
            ("/series?find=nothing", "No series has these words in its name"),
        ] {
            let answer = page(to, path);
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            assert!(answer.body.contains(words), "{path}: {}", answer.body);
            assert!(answer.head.contains("content-security-policy: default-src 'none'"), "{path}");
        }
        for (path, kind) in [("/console.css", "text/css"), ("/console.js", "text/javascript")] {
            assert!(get(to, path).head.contains(kind), "{path}");
        }
    });
}

#[test]
fn an_incident_is_shown_with_its_series_and_nothing_foreign_becomes_a_tag() {
    with(None, |to| {
        assert_eq!(post(to, "/api/v1/events", DISK).status, 200);
        for path in ["/", "/incidents/1", "/series?find=disk"] {
            let mut answer = page(to, path);
            if answer.status == 303 {
                answer = page(to, &header(&answer, "location"));
            }
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            assert!(answer.body.contains("db-1"), "{path}: {}", answer.body);
            assert!(!answer.body.contains("<script>alert"), "{path}: {}", answer.body);
        }
        let incident = page(to, "/incidents/1").body;
        assert!(incident.contains("<svg id=\"run\""), "it is drawn: {incident}");
        let take = send(to, "/incidents/1/feedback", "verdict=useful");
        assert_eq!(take.status, 303);
        assert_eq!(post(to, "/api/v1/incidents/1/ack", r#"{"by": "grace@example.org"}"#).status, 200);
        let postmortem = get(to, "/incidents/1/postmortem.md").body;
        assert!(postmortem.contains("\\[e-mail\\]") && !postmortem.contains("grace@"), "personal data: {postmortem}");
        assert!(postmortem.contains("## Five whys") && postmortem.contains("\\<script\\>"), "{postmortem}");
    });
}

#[test]
fn what_a_person_does_by_form_is_done() {
    with(None, |to| {
        post(to, "/api/v1/events", DISK);
        let answer = send(to, "/incidents/1/ack", "back=/");
        assert_eq!((answer.status, header(&answer, "location").as_str()), (303, "/"), "{}", answer.body);
        assert!(page(to, "/").body.contains("1 open incident, all taken"));
        let answer = send(to, "/incidents/1/feedback", "verdict=noise");
        assert_eq!((answer.status, header(&answer, "location").as_str()), (303, "/incidents/1"), "{}", answer.body);
        assert!(page(to, "/incidents/1").body.contains("called it noise"));
        let form = "matcher=host%3D%22db-1%22%2C+check%3D~%22di.*%22&for=2h&reason=moving&owner=ada&back=/rules";
        assert_eq!(send(to, "/silences", form).status, 303);
        let rules = page(to, "/rules").body;
        assert!(rules.contains("ada: moving") && rules.contains("1 alert"), "{rules}");
        let id = get(to, "/api/v1/silences").json()["silences"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(send(to, &format!("/silences/{id}/extend"), "for=2h").status, 303);
        assert!(page(to, "/rules").body.contains("3 h 59 min left") || page(to, "/rules").body.contains("4 h left"));
        assert_eq!(send(to, &format!("/silences/{id}/expire"), "").status, 303);
        assert!(page(to, "/rules").body.contains("None is in force"));
        assert_eq!(send(to, "/incidents/1/resolve", "").status, 303);
        assert!(page(to, "/").body.contains("Nothing needs you"));
    });
}

#[test]
fn a_wrong_form_is_told_as_a_page_and_does_nothing() {
    with(None, |to| {
        post(to, "/api/v1/events", DISK);
        for (path, form, words) in [
            ("/silences", "matcher=&for=2h&reason=x&owner=y", "there is no matcher"),
            ("/silences", "matcher=host%3D~%22%28%22&for=2h&reason=x&owner=y", "host"),
            ("/silences", "matcher=host%3Da&for=soon&reason=x&owner=y", "soon"),
            ("/silences", "matcher=host%3Da&for=2h&reason=&owner=y", "it is empty"),
            ("/incidents/1/feedback", "verdict=meh", "nothing was said"),
            ("/incidents/1/split", "part=db-1", "nothing can be split"),
            ("/incidents/9/ack", "", "there is no incident 9"),
            ("/incidents/x/ack", "", "is no number"),
        ] {
            let answer = send(to, path, form);
            assert!((400..500).contains(&answer.status), "{path} {form}: {}", answer.status);
            assert!(answer.body.contains(words) && answer.body.contains("<!doctype html>"), "{path}: {}", answer.body);
        }
        assert_eq!(header(&send(to, "/incidents/1/ack", "back=https://evil.example"), "location"), "/incidents/1");
        assert!(get(to, "/api/v1/silences").json()["silences"].as_array().unwrap().is_empty());
    });
}

#[test]
fn a_form_of_another_site_is_refused() {
    with(None, |to| {
        post(to, "/api/v1/events", DISK);
        let headers = ["Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: cross-site"];
        assert_eq!(request(to, ("POST", "/incidents/1/ack"), &headers, b"").unwrap().status, 403);
        assert!(page(to, "/").body.contains("nobody has taken"));
    });
}

#[test]
fn with_a_token_a_browser_asks_for_it_and_who_gave_it_is_told() {
    with(Some("s3cret"), |to| {
        let answer = page(to, "/");
        assert_eq!(answer.status, 401);
        assert!(header(&answer, "www-authenticate").starts_with("basic realm="), "{}", answer.head);
        // ada:s3cret, ada:wrong
        for (credentials, status) in [("YWRhOnMzY3JldA==", 200), ("YWRhOndyb25n", 401)] {
            let header = format!("Authorization: Basic {credentials}");
            assert_eq!(request(to, ("GET", "/"), &[&header, "Accept: text/html"], b"").unwrap().status, status);
        }
        let ada = "Authorization: Basic YWRhOnMzY3JldA==";
        let json = "Content-Type: application/json";
        assert_eq!(request(to, ("POST", "/api/v1/events"), &[ada, json], DISK.as_bytes()).unwrap().status, 200);
        let form = "Content-Type: application/x-www-form-urlencoded";
        assert_eq!(request(to, ("POST", "/incidents/1/ack"), &[ada, form], b"").unwrap().status, 303);
        let incident = request(to, ("GET", "/incidents/1"), &[ada, "Accept: text/html"], b"").unwrap();
        assert!(incident.body.contains("ada has taken it"), "{}", incident.body);
    });
}

#[test]
fn what_is_decided_is_streamed_and_the_stream_ends_when_squelch_stops() {
    let mut stream = None;
    with(None, |to| {
        let mut live = TcpStream::connect(to).unwrap();
        live.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        live.write_all(b"GET /live?from=0 HTTP/1.1\r\nHost: squelch\r\n\r\n").unwrap();
        let mut seen = String::new();
        let mut until = |words: &str| {
            let mut piece = [0; 4096];
            while !seen.contains(words) {
                let count = live.read(&mut piece).unwrap();
                assert!(count > 0, "it ended: {seen}");
                seen.push_str(&String::from_utf8_lossy(&piece[..count]));
            }
        };
        until(": hello");
        post(to, "/api/v1/events", DISK);
        until("event: verdict");
        until("\"reason\":\"always\"");
        until("event: incident\ndata: 1");
        stream = Some(live);
    });
    let mut rest = Vec::new();
    stream.unwrap().read_to_end(&mut rest).unwrap();
}

#[test]
fn tail_follows_what_is_decided() {
    with(None, |to| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_squelch"))
            .args(["tail", "--server", &format!("http://{to}")])
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        post(to, "/api/v1/events", DISK);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let verdict = lines.next().unwrap().unwrap();
        assert!(verdict.contains("page     always") && verdict.contains("nagios/host/ledger/db-1/disk"), "{verdict}");
        let page = lines.next().unwrap().unwrap();
        assert!(page.contains("PAGE     #1 "), "{page}");
        child.kill().unwrap();
        child.wait().unwrap();
    });
}

#[test]
fn what_if_replays_the_stored_history_and_tells_each_page_with_its_reason_and_its_incident() {
    with(None, |to| {
        post(to, "/api/v1/events", DISK);
        assert_eq!(send(to, "/incidents/1/ack", "back=/").status, 303);
        let form = page(to, "/noise/what-if?never=check%3D%22disk%22").body;
        assert!(form.contains("value=\"check=&quot;disk&quot;\""), "the address fills the form in: {form}");
        assert!(page(to, "/noise").body.contains("action=\"/noise/what-if\""));
        let told = send(to, "/noise/what-if", "never=check%3D%22disk%22&since=7d");
        assert_eq!(told.status, 200, "{}", told.body);
        for words in [
            "0 pages instead of 1",
            "all that is stored",
            "held back: a rule says that it never pages",
            "people took it",
            "href=\"/incidents/1\"",
            "nagios/host/ledger/db-1/disk",
            "match: [&#x27;check=&quot;disk&quot;&#x27;], page: never}",
        ] {
            assert!(told.body.replace("&#x2f;", "/").contains(words), "`{words}`: {}", told.body);
        }
        let answer = post(to, "/api/v1/what-if", r#"{"never": "check=\"disk\"", "since": "all"}"#);
        let json = answer.json();
        assert_eq!(json["pages"], serde_json::json!({"before": 1, "after": 0}), "{json}");
        assert_eq!((&json["lost"], &json["gained"], &json["same"]), (&1.into(), &0.into(), &0.into()), "{json}");
        assert_eq!((&json["changes"][0]["incident"], &json["changes"][0]["taken"]), (&"1".into(), &true.into()));
        let same = post(to, "/api/v1/what-if", r#"{"rules": "judgement: {settle: 4m}\n"}"#).json();
        assert_eq!((&same["same"], &same["pages"]["after"]), (&1.into(), &1.into()), "{same}");
        assert!(get(to, "/api/v1/audit").body.contains("\"action\":\"what-if\""));
    });
}

#[test]
fn a_what_if_that_cannot_be_asked_says_what_is_wrong_with_it() {
    with(None, |to| {
        for (form, words) in [
            ("", "nothing is turned"),
            ("hold=soon", "`soon` is no duration"),
            ("hold=5m&since=soon", "it is no length of time"),
            ("constant=settle", "a constant and its value go together"),
            ("constant=settel&value=4m", "did you mean `settle`?"),
            ("never=host%3D~%22%28%22", "host"),
            ("rules=rules:%0A++-+x:", "what-if.yaml:2"),
            ("rules=rules:&hold=5m", "said at once"),
            ("sensitive=quiet", "unknown field"),
        ] {
            let answer = send(to, "/noise/what-if", form);
            assert_eq!(answer.status, 400, "{form}: {}", answer.body);
            assert!(answer.body.replace("&#x60;", "`").contains(words), "{form}: {}", answer.body);
        }
        let quiet = post(to, "/api/v1/what-if", r#"{"sensitivity": "quiet"}"#);
        assert_eq!((quiet.status, &quiet.json()["history"]["events"]), (200, &0.into()), "{}", quiet.body);
    });
}

#[test]
fn shadow_mode_is_turned_on_and_off_at_the_console_and_every_page_says_that_it_is_on() {
    with(None, |to| {
        assert!(page(to, "/rules").body.contains("The settings say off, and nobody said otherwise."));
        assert_eq!(send(to, "/shadow", "on=maybe").status, 400);
        assert_eq!(header(&send(to, "/shadow", "on=yes"), "location"), "/rules#shadow");
        for path in ["/", "/noise", "/audit", "/series?find=x", "/rules"] {
            assert!(page(to, path).body.contains("<b>Shadow mode:</b>"), "{path}");
        }
        assert!(page(to, "/rules").body.contains("somebody at the console turned it on at"));
        assert!(get(to, "/metrics").body.contains("squelch_shadow 1\n"));
        post(to, "/api/v1/events", DISK);
        let rules = page(to, "/rules").body;
        assert!(rules.contains("Told to nobody so far") && rules.contains(">1 open incident</a>"), "{rules}");
        let off = post(to, "/api/v1/shadow", r#"{"on": false, "by": "ada"}"#).json();
        assert_eq!(off, serde_json::json!({"shadow": false, "settings": false, "command_line": false, "said": null}));
        assert!(get(to, "/metrics").body.contains("squelch_shadow 0\n"));
        let audit = get(to, "/api/v1/audit").body;
        assert!(audit.contains("on: nobody is paged") && audit.contains("off: pages are sent"), "{audit}");
    });
}

#[test]
fn shadow_mode_that_somebody_turned_on_is_on_after_a_restart_and_the_command_line_holds_it_against_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path()), None);
    assert_eq!(post(running.address(), "/api/v1/shadow", r#"{"on": true, "by": "ada"}"#).status, 200);
    running.stop();
    let running = Running::start(settings(dir.path()), None);
    let told = get(running.address(), "/api/v1/shadow").json();
    assert_eq!((&told["shadow"], &told["settings"], &told["said"]["by"]), (&true.into(), &false.into(), &"ada".into()));
    assert_eq!(post(running.address(), "/-/reload", "").status, 200);
    assert_eq!(get(running.address(), "/api/v1/shadow").json(), told, "a reload of the rules changes nothing of it");
    assert_eq!(post(running.address(), "/api/v1/shadow", r#"{"on": false, "by": "ada"}"#).status, 200);
    running.stop();
    let mut settings = settings(dir.path());
    (settings.shadow, settings.shadow_held) = (true, true);
    let running = Running::start(settings, None);
    let refused = post(running.address(), "/api/v1/shadow", r#"{"on": false}"#);
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("--shadow"), "{}", refused.body);
    let rules = page(running.address(), "/rules").body;
    assert!(rules.contains("Squelch was started with --shadow") && !rules.contains("action=\"/shadow\""), "{rules}");
    running.stop();
}

/// What the first view may weigh: page, style and script, before they are packed.
const FIRST_VIEW: usize = 100_000;

#[test]
fn the_first_view_weighs_little_however_much_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(settings(dir.path()), None);
    fs::write(dir.path().join("rules/all.yaml"), "rules: [{name: all, match: 'source=\"t\"', page: always}]\n")
        .unwrap();
    let to = running.address();
    assert_eq!(post(to, "/-/reload", "").status, 200);
    let event = |n: u32| {
        format!(
            r#"{{"source":"t","service":"service-{n}","host":"host-{n}","check":"check {n} of a rather long name","severity":"critical","summary":"{}"}}"#,
            "words ".repeat(20)
        )
    };
    let events: Vec<String> = (0..300).map(event).collect();
    assert_eq!(post(to, "/api/v1/events", &format!("[{}]", events.join(","))).status, 200);
    let now = page(to, "/").body;
    let cards = now.matches("class=\"card").count();
    assert!(cards >= 50, "{cards} incidents are shown");
    let weight = now.len() + get(to, "/console.css").body.len() + get(to, "/console.js").body.len();
    assert!(weight < FIRST_VIEW, "{weight} bytes, {} of them the page", now.len());
    for path in ["/noise", "/rules", "/audit"] {
        let answer = page(to, path).body;
        assert!(answer.len() < FIRST_VIEW / 2, "{path}: {}", answer.len());
    }
    running.stop();
}
