//! The console: pages that are whole without a script, forms, the token, and the stream of what is decided.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/running.rs"]
mod running;

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
