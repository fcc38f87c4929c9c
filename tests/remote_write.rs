//! Prometheus' remote write over HTTP: what is kept, what it answers, and that samples raise an alert.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/running.rs"]
mod running;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use client::{Answer, get, post, request};
use running::{Running, settings};
use squelch::sinks::Secret;

const WATCHES: &str = "rules:\n  - name: queues by their own past\n    match: '__name__=\"queue_length\"'\n    page: always\n    \
                       adaptive: {severity: error, for: 0s}\n";
const DAY: i64 = 86_400_000;
const PROTO: &str = "Content-Type: application/x-protobuf";
const SNAPPY: &str = "Content-Encoding: snappy";

fn with(rules: &str, test: impl FnOnce(SocketAddr, &Path)) -> String {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    fs::write(dir.path().join("rules/rules.yaml"), rules).unwrap();
    let running = Running::start(settings, None);
    test(running.address(), dir.path());
    running.stop()
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A field that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    varint(bytes.len() as u64, &mut out);
    [out, bytes.to_vec()].concat()
}

fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> Vec<u8> {
    let label =
        |(name, value): &(&str, &str)| field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat());
    let sample = |(millis, value): &(i64, f64)| {
        let mut bytes = [&[0x09][..], &value.to_le_bytes(), &[0x10]].concat();
        varint(millis.cast_unsigned(), &mut bytes);
        field(2, &bytes)
    };
    field(1, &[labels.iter().flat_map(label).collect::<Vec<u8>>(), samples.iter().flat_map(sample).collect()].concat())
}

fn packed(body: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(body).unwrap()
}

fn write(to: SocketAddr, body: &[u8]) -> Answer {
    let headers = [PROTO, SNAPPY, "X-Prometheus-Remote-Write-Version: 0.1.0"];
    request(to, ("POST", "/api/v1/write"), &headers, &packed(body)).unwrap()
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

const QUEUE: [(&str, &str); 4] =
    [("__name__", "queue_length"), ("instance", "web-1:9100"), ("job", "shop"), ("queue", "mail")];

#[test]
fn samples_that_leave_what_is_usual_page_where_a_rule_asks_for_them() {
    let console = with(WATCHES, |to, _| {
        let now = now();
        // A fortnight, every twenty minutes.
        let history: Vec<_> =
            (1..=1_008).rev().map(|n| (now - n * DAY / 72, [10.0, 16.0, 22.0][n as usize % 3])).collect();
        let answer = write(to, &series(&QUEUE, &history));
        assert_eq!((answer.status, &answer.json()["accepted"]), (200, &1_008.into()), "{}", answer.body);
        for late in 0..20 {
            let answer = write(to, &series(&QUEUE, &[(now - 1_000 + late, 61.2)]));
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        let found = get(to, "/api/v1/incidents").json();
        let title = found["incidents"][0]["title"].as_str().unwrap_or_default().to_owned();
        assert!(title.contains("queue_length{queue=mail}: 61.2 where"), "{found}");
        assert!(title.contains("on shop (web-1)"), "{found}");
        let tally = get(to, "/api/v1/tally").json();
        assert_eq!((&tally["samples"], &tally["accepted"]), (&1_028.into(), &0.into()), "{tally}");
    });
    assert!(console.contains("queue_length{queue=mail}: 61.2 where"), "{console}");
}

#[test]
fn what_no_rule_asks_for_is_counted_and_left_out() {
    let both =
        [series(&QUEUE, &[(now(), 1.0)]), series(&[("__name__", "other")], &[(now(), 1.0), (now(), 2.0)])].concat();
    with(WATCHES, |to, _| {
        let answer = write(to, &both).json();
        assert_eq!((&answer["accepted"], &answer["left_out"], &answer["rejected"]), (&1.into(), &2.into(), &0.into()));
        assert!(get(to, "/metrics").body.contains("squelch_samples_left_out_total 2\n"));
        assert_eq!(get(to, "/ingest").json()["notices"].as_array().unwrap().len(), 0);
    });
    with("", |to, _| {
        let answer = write(to, &both);
        assert_eq!((answer.status, &answer.json()["left_out"]), (200, &3.into()), "{}", answer.body);
        assert_eq!(write(to, &both).status, 200);
        let notices = get(to, "/ingest").json()["notices"].clone();
        assert_eq!(notices.as_array().unwrap().len(), 1, "{notices}");
        assert!(notices[0]["notice"].as_str().unwrap().contains("no rule asks for any"), "{notices}");
        assert_eq!(get(to, "/api/v1/tally").json()["samples"], 0);
    });
}

#[test]
fn a_rule_that_is_reloaded_asks_at_once() {
    with("", |to, dir| {
        let body = series(&QUEUE, &[(now(), 1.0)]);
        assert_eq!(write(to, &body).json()["left_out"], 1);
        fs::write(dir.join("rules/rules.yaml"), WATCHES).unwrap();
        assert_eq!(post(to, "/-/reload", "").status, 200);
        assert_eq!(write(to, &body).json()["accepted"], 1);
    });
}

#[test]
fn every_status_tells_prometheus_whether_to_send_it_again() {
    with(WATCHES, |to, _| {
        let good = series(&QUEUE, &[(now(), 1.0)]);
        let send = |headers: &[&str], body: &[u8]| request(to, ("POST", "/api/v1/write"), headers, body).unwrap();
        let version_2 = "Content-Type: application/x-protobuf;proto=io.prometheus.write.v2.Request";
        for (what, headers, body, status) in [
            ("version 2", &[version_2, SNAPPY][..], packed(&good), 415),
            ("JSON", &["Content-Type: application/json"], b"{}".to_vec(), 415),
            ("another packing", &[PROTO, "Content-Encoding: br"], good.clone(), 415),
            ("no snappy", &[PROTO, SNAPPY], good.clone(), 400),
            ("no message", &[PROTO, SNAPPY], packed(b"\x0a\xff"), 400),
            ("nothing at all", &[PROTO, SNAPPY], packed(b""), 200),
            ("a bomb", &[PROTO, SNAPPY], packed(&vec![0; 20 << 20]), 413),
            ("no name", &[PROTO, SNAPPY], packed(&series(&[("job", "shop")], &[(now(), 1.0)])), 400),
            ("a bad one beside a good one", &[PROTO, SNAPPY], packed(&[good.clone(), field(1, b"")].concat()), 207),
            ("what is not packed", &[PROTO], good.clone(), 200),
        ] {
            let answer = send(headers, &body);
            assert_eq!(answer.status, status, "{what}: {}", answer.body);
        }
        assert_eq!(get(to, "/api/v1/write").status, 405);
        let by_name = request(to, ("POST", "/ingest/remote-write"), &[PROTO, SNAPPY], &packed(&good)).unwrap();
        assert_eq!(by_name.status, 200, "{}", by_name.body);
    });
}

#[test]
fn a_secret_of_remote_write_opens_its_path_and_the_token_of_all_does_where_there_is_none() {
    for (own, opens) in [(true, "Authorization: Bearer hush"), (false, "Authorization: Bearer of-all")] {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            fs::write(dir.path().join(name), text).unwrap();
            Secret::File(dir.path().join(name))
        };
        let mut settings = settings(dir.path());
        settings.auth = Some(file("token", "of-all"));
        if own {
            settings.sources.insert("remote-write".to_owned(), file("secret", "hush\n"));
        }
        let running = Running::start(settings, None);
        let send =
            |header| request(running.address(), ("POST", "/api/v1/write"), &[PROTO, SNAPPY, header], &packed(b""));
        assert_eq!(send(opens).unwrap().status, 200, "{opens}");
        assert_eq!(send("Authorization: Bearer wrong").unwrap().status, 401);
        assert_eq!(send("X-Other: 1").unwrap().status, 401);
        running.stop();
    }
}
