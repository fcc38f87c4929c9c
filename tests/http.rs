//! The HTTP side: every status code, bad input beside good, the token, TLS, limits.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/operations.rs"]
mod operations;
#[path = "shell/running.rs"]
mod running;
#[path = "shell/with.rs"]
mod with;

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use client::{Answer, exchange, get, post, request};
use serde_json::{Value, json};
use squelch::config::TlsFiles;
use squelch::sinks::Secret;
use with::with;

const GOOD: &str = r#"{"source":"cron","check":"backup","host":"db-1"}"#;

fn error(answer: &Answer) -> String {
    let json = answer.json();
    let error = &json["error"];
    for field in ["message", "where", "help"] {
        assert!(error[field].is_string(), "{field} is missing: {json}");
    }
    assert_ne!(error["help"], "", "no help: {json}");
    error["message"].as_str().unwrap().to_owned()
}

fn accepted(to: SocketAddr) -> Value {
    get(to, "/api/v1/tally").json()["accepted"].clone()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn one_event_an_array_and_lines_are_taken_and_numbered() {
    with(
        |_| (),
        |to| {
            let answer = post(to, "/api/v1/events", GOOD);
            assert_eq!((answer.status, answer.json()["accepted"].clone()), (200, json!(1)));
            let answer = post(to, "/api/v1/events", &format!("[{GOOD},{GOOD}]"));
            assert_eq!((answer.status, answer.json()["first_seq"].clone()), (200, json!(1)));
            let lines = format!("{GOOD}\n\n{GOOD}\n{GOOD}\n");
            let answer =
                request(to, ("POST", "/api/v1/events"), &["Content-Type: application/x-ndjson"], lines.as_bytes())
                    .unwrap();
            assert_eq!((answer.status, answer.json()["accepted"].clone()), (200, json!(3)), "{}", answer.body);
            assert_eq!(accepted(to), 6);
        },
    );
}

#[test]
fn packed_bodies_are_unpacked() {
    with(
        |_| (),
        |to| {
            let headers = ["Content-Type: application/json", "Content-Encoding: gzip"];
            let answer = request(to, ("POST", "/api/v1/events"), &headers, &gzip(GOOD.as_bytes())).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            // A zstd frame with one raw block, written by hand: magic, a head with the size in one byte, the block.
            let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, GOOD.len() as u8];
            frame.extend_from_slice(&((GOOD.len() as u32) << 3 | 1).to_le_bytes()[..3]);
            frame.extend_from_slice(GOOD.as_bytes());
            let headers = ["Content-Type: application/json", "Content-Encoding: zstd"];
            let answer = request(to, ("POST", "/api/v1/events"), &headers, &frame).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(accepted(to), 2);
        },
    );
}

#[test]
fn the_good_beside_the_bad_is_kept_and_the_bad_is_listed_by_index() {
    with(
        |_| (),
        |to| {
            let wrong_types = r#"{"source":7,"check":[],"severity":"loud","value":"much"}"#;
            let answer = post(to, "/api/v1/events", &format!("[{GOOD},{wrong_types},{GOOD},42]"));
            assert_eq!(answer.status, 207, "{}", answer.body);
            let json = answer.json();
            assert_eq!((&json["accepted"], &json["rejected"]), (&json!(2), &json!(2)));
            assert_eq!((&json["errors"][0]["index"], &json["errors"][1]["index"]), (&json!(1), &json!(3)));
            assert_eq!(accepted(to), 2);
        },
    );
}

#[test]
fn bad_bodies_get_a_clear_answer_and_change_nothing() {
    let deep = "[".repeat(100_000);
    let bodies: [(&str, &[u8]); 9] = [
        ("nothing", b""),
        ("truncated", br#"{"source":"cron","check":"ba"#),
        ("no JSON", b"hello"),
        ("wrong types", br#"{"source":7,"check":[]}"#),
        ("no source", br#"{"check":"backup"}"#),
        ("invalid UTF-8", b"{\"source\":\"\xff\xfe\",\"check\":\"x\"}"),
        ("NaN", br#"{"source":"a","check":"b","value":NaN}"#),
        ("a number", b"7"),
        ("deep", deep.as_bytes()),
    ];
    with(
        |_| (),
        |to| {
            for (name, body) in bodies {
                let answer =
                    request(to, ("POST", "/api/v1/events"), &["Content-Type: application/json"], body).unwrap();
                assert_eq!(answer.status, 400, "{name}: {}", answer.body);
                assert_ne!(error(&answer), "", "{name}");
            }
            assert_eq!(accepted(to), 0);
        },
    );
}

#[test]
fn strange_numbers_and_times_never_break_anything() {
    with(
        |_| (),
        |to| {
            for event in [
                r#"{"source":"a","check":"b","value":1e308,"threshold":-1e308}"#,
                r#"{"source":"a","check":"b","ts":"9999-12-31T23:59:59Z"}"#,
                r#"{"source":"a","check":"b","ts":"1970-01-01T00:00:00Z"}"#,
                r#"{"source":"a","check":"b","ts":0}"#,
            ] {
                let answer = post(to, "/api/v1/events", event);
                assert_eq!(answer.status, 200, "{event}: {}", answer.body);
            }
            for event in [r#"{"source":"a","check":"b","ts":1e300}"#, r#"{"source":"a","check":"b","value":1e999}"#] {
                assert_eq!(post(to, "/api/v1/events", event).status, 400, "{event}");
            }
            assert_eq!(accepted(to), 4);
            assert_eq!(get(to, "/-/ready").status, 200);
        },
    );
}

#[test]
fn an_empty_array_is_an_answer_too() {
    with(
        |_| (),
        |to| {
            let answer = post(to, "/api/v1/events", "[]");
            assert!([200, 400].contains(&answer.status), "{}", answer.body);
            assert_eq!(accepted(to), 0);
        },
    );
}

#[test]
fn bodies_beyond_the_limit_get_413_packed_or_not() {
    let large = vec![b' '; 100 << 20];
    let bomb = gzip(&large);
    assert!(bomb.len() < 200_000);
    with(
        |_| (),
        |to| {
            let headers = ["Content-Type: application/json"];
            let answer = request(to, ("POST", "/api/v1/events"), &headers, &large).unwrap();
            assert_eq!(answer.status, 413);
            assert!(error(&answer).contains("larger"));
            let headers = ["Content-Type: application/json", "Content-Encoding: gzip"];
            let answer = request(to, ("POST", "/api/v1/events"), &headers, &bomb).unwrap();
            assert_eq!(answer.status, 413);
            assert_eq!(post(to, "/api/v1/events", GOOD).status, 200, "it goes on");
        },
    );
}

#[test]
fn other_media_and_packings_get_415() {
    with(
        |_| (),
        |to| {
            let form = "Content-Type: application/x-www-form-urlencoded";
            for (header, body) in [("Content-Type: text/plain", GOOD), (form, "source=cron&check=backup"), (form, "7")]
            {
                let answer = request(to, ("POST", "/api/v1/events"), &[header], body.as_bytes()).unwrap();
                assert_eq!(answer.status, 415, "{header}");
                assert!(answer.json()["error"]["help"].as_str().unwrap().contains("application/json"));
            }
            let headers = ["Content-Type: application/json", "Content-Encoding: br"];
            assert_eq!(request(to, ("POST", "/api/v1/events"), &headers, GOOD.as_bytes()).unwrap().status, 415);
        },
    );
}

#[test]
fn json_that_curl_sends_as_a_form_is_taken() {
    with(
        |_| (),
        |to| {
            let headers = ["Content-Type: application/x-www-form-urlencoded"];
            for (path, body) in [
                ("/api/v1/events", GOOD.to_owned()),
                ("/ingest/native", format!("\n [{GOOD}]")),
                ("/api/v1/events", "[]".to_owned()),
            ] {
                let answer = request(to, ("POST", path), &headers, body.as_bytes()).unwrap();
                assert_eq!(answer.status, 200, "{body}: {}", answer.body);
            }
            assert_eq!(accepted(to), 2);
            let answer = request(to, ("POST", "/api/v1/events"), &headers, br#"{"source":"#).unwrap();
            assert_eq!(answer.status, 400, "what begins as JSON is told what is wrong with it: {}", answer.body);
        },
    );
}

#[test]
fn a_sender_that_sends_too_much_gets_429_and_is_told_when_to_come_back() {
    with(
        |settings| settings.limits.per_source = 0.1,
        |to| {
            assert_eq!(post(to, "/api/v1/events", GOOD).status, 200);
            let answer = post(to, "/api/v1/events", GOOD);
            assert_eq!(answer.status, 429, "{}", answer.body);
            assert!(answer.head.contains("\nretry-after: "), "{}", answer.head);
            let other = GOOD.replace("cron", "nagios");
            assert_eq!(post(to, "/api/v1/events", &other).status, 200, "others are not held up");
        },
    );
}

#[test]
fn a_path_that_does_not_exist_lists_what_does() {
    with(
        |_| (),
        |to| {
            let answer = get(to, "/api/v1/event");
            assert_eq!(answer.status, 404);
            assert!(answer.json()["error"]["help"].as_str().unwrap().contains("POST /api/v1/events"));
            assert_eq!(request(to, ("PUT", "/api/v1/events"), &[], b"").unwrap().status, 405);
        },
    );
}

#[test]
fn an_unknown_tool_gets_the_nearest_name() {
    with(
        |_| (),
        |to| {
            let answer = post(to, "/ingest/nagois", "{}");
            assert_eq!(answer.status, 404);
            assert!(
                answer.json()["error"]["help"].as_str().unwrap().contains("did you mean `nagios`"),
                "{}",
                answer.body
            );
            let tools = get(to, "/ingest").json();
            assert!(tools["tools"].as_array().unwrap().iter().any(|tool| tool["path"] == "/ingest/nagios"), "{tools}");
        },
    );
}

#[test]
fn with_a_token_only_health_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "a-long-secret\n").unwrap();
    with(
        |settings| settings.auth = Some(Secret::File(file)),
        |to| {
            let answer = get(to, "/api/v1/incidents");
            assert_eq!(answer.status, 401);
            assert!(answer.head.contains("www-authenticate: bearer"));
            for wrong in
                ["Authorization: Bearer a-long-secre", "Authorization: Basic a-long-secret", "Authorization: x"]
            {
                let answer = request(to, ("GET", "/metrics"), &[wrong], b"").unwrap();
                assert_eq!(answer.status, 401, "{wrong}");
                assert!(!answer.body.contains("a-long-secret"));
            }
            let right = ["Authorization: Bearer a-long-secret"];
            assert_eq!(request(to, ("GET", "/metrics"), &right, b"").unwrap().status, 200);
            assert_eq!(get(to, "/-/healthy").status, 200);
            assert_eq!(get(to, "/-/ready").status, 200);
        },
    );
}

#[test]
fn a_page_of_another_site_can_change_nothing() {
    with(
        |_| (),
        |to| {
            for header in [
                "Sec-Fetch-Site: cross-site",
                "Origin: https://evil.example.org",
                "Origin: http://squelch:81",
                "Origin: null",
            ] {
                assert_eq!(request(to, ("POST", "/-/reload"), &[header], b"").unwrap().status, 403, "{header}");
            }
            // The client says that the host is `squelch`.
            for header in ["Sec-Fetch-Site: same-origin", "Origin: http://squelch", "Accept: */*"] {
                assert_eq!(request(to, ("POST", "/-/reload"), &[header], b"").unwrap().status, 200, "{header}");
            }
        },
    );
}

#[test]
fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["squelch".to_owned()]).unwrap();
    let files = TlsFiles { cert_file: dir.path().join("cert.pem"), key_file: dir.path().join("key.pem") };
    std::fs::write(&files.cert_file, made.cert.pem()).unwrap();
    std::fs::write(&files.key_file, made.signing_key.serialize_pem()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    with(
        |settings| settings.tls = Some(files),
        |to| {
            let name = "squelch".try_into().unwrap();
            let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
            let stream = rustls::StreamOwned::new(client, TcpStream::connect(to).unwrap());
            let answer =
                exchange(stream, ("POST", "/api/v1/events"), &["Content-Type: application/json"], GOOD.as_bytes());
            assert_eq!(answer.unwrap().status, 200);
            assert!(request(to, ("GET", "/-/healthy"), &[], b"").is_err(), "plain HTTP is no answer");
        },
    );
}

#[test]
fn silences_are_set_listed_and_ended() {
    with(
        |_| (),
        |to| {
            let silence = r#"{"matchers":["service=\"web\""],"for":"2h","owner":"ann","reason":"moving house"}"#;
            let answer = post(to, "/api/v1/silences", silence);
            assert_eq!(answer.status, 201, "{}", answer.body);
            let id = answer.json()["id"].as_str().unwrap().to_owned();
            let listed = get(to, "/api/v1/silences").json();
            assert_eq!(listed["silences"][0]["id"], json!(id), "{listed}");
            let path = format!("/api/v1/silences/{id}");
            assert_eq!(request(to, ("DELETE", &path), &[], b"").unwrap().status, 200);
            let listed = get(to, "/api/v1/silences").json();
            assert!(
                listed["silences"].as_array().unwrap().iter().all(|silence| silence["in_force"] == false),
                "{listed}"
            );
            for (bad, place) in [
                (silence.replace("2h", "soon"), "for"),
                (silence.replace("service=", "service"), "matchers[0]"),
                (silence.replace("ann", " "), "owner"),
            ] {
                let answer = post(to, "/api/v1/silences", &bad);
                assert_eq!((answer.status, &answer.json()["error"]["where"]), (400, &json!(place)), "{}", answer.body);
            }
        },
    );
}

#[test]
fn incidents_that_do_not_exist_are_told_kindly() {
    with(
        |_| (),
        |to| {
            assert_eq!(get(to, "/api/v1/incidents").json(), json!({"incidents": []}));
            assert_eq!(get(to, "/api/v1/incidents/7/why").status, 404);
            assert_eq!(post(to, "/api/v1/incidents/7/ack", "").status, 404);
            assert_eq!(get(to, "/api/v1/incidents/seven").status, 400);
            assert_eq!(get(to, "/api/v1/incidents?state=ajar").status, 400);
            assert_eq!(get(to, "/api/v1/series/no-such/why").status, 404);
        },
    );
}

#[test]
fn prometheus_may_add_its_own_path_to_its_prefix() {
    with(
        |_| (),
        |to| {
            let alerts = r#"[{"labels":{"alertname":"DiskFull","instance":"db-1:9100","severity":"critical"}}]"#;
            for path in ["/ingest/prometheus", "/ingest/prometheus/api/v2/alerts"] {
                let answer = post(to, path, alerts);
                assert_eq!((answer.status, answer.json()["accepted"].clone()), (200, json!(1)), "{}", answer.body);
            }
            let alerts = get(to, "/api/v1/series").json();
            assert_eq!(alerts["series"].as_array().unwrap().len(), 1, "both ways lead to one series: {alerts}");
            let other = post(to, "/ingest/nagios/api/v2/alerts", "[]");
            assert_eq!(other.status, 404);
            assert!(other.body.contains("POST /ingest/prometheus/api/v2/alerts"), "{}", other.body);
        },
    );
}
