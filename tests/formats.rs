//! Every format by fixtures: `tests/fixtures/formats/<name>/*`, each beside what must come of it (`.expected`;
//! `UPDATE_EXPECT=1` writes them). And over the corpus of real bodies where it lies beside the checkout.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use proptest::prelude::*;
use squelch::domain::{Event, Status, Timestamp};
use squelch::formats::{Body, FORMATS, Format, find, native};

/// 2026-11-23T05:00:00Z.
const RECEIVED: Timestamp = Timestamp::from_millis(1_795_410_000_000);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fixtures of a format, in order of name.
fn fixtures(format: &Format) -> Vec<PathBuf> {
    let folder = root().join("tests/fixtures/formats").join(format.name);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end != "expected"));
    files.sort();
    files
}

fn told(format: &Format, body: &Body<'_>) -> String {
    let parsed = match (format.parse)(body) {
        Ok(parsed) => parsed,
        Err(error) => return format!("error: {error}\n"),
    };
    let mut text: String = parsed.events.iter().map(|event| native::write_line(event) + "\n").collect();
    for rejected in &parsed.rejected {
        text += &format!("rejected: {rejected}\n");
    }
    for warning in &parsed.warnings {
        text += &format!("warning: event {} at `{}`: {}\n", warning.index, warning.path, warning.message);
    }
    text
}

fn body<'a>(file: &Path, bytes: &'a [u8]) -> Body<'a> {
    if file.extension().is_some_and(|end| end == "query") {
        let query = std::str::from_utf8(bytes).unwrap().trim();
        return Body { query: Some(query), ..Body::new(b"", RECEIVED) };
    }
    Body::new(bytes, RECEIVED)
}

#[test]
fn every_fixture_gives_what_is_written_beside_it() {
    for format in FORMATS {
        for file in fixtures(format) {
            let bytes = fs::read(&file).unwrap();
            let expected = file.with_extension("expected");
            expect_file![expected].assert_eq(&told(format, &body(&file, &bytes)));
        }
    }
}

#[test]
fn every_format_has_fixtures_that_give_events_and_a_line_in_the_docs() {
    let sources = fs::read_to_string(root().join("docs/SOURCES.md")).unwrap();
    for format in FORMATS {
        let events: usize = fixtures(format)
            .iter()
            .filter_map(|file| (format.parse)(&body(file, &fs::read(file).unwrap())).ok())
            .map(|parsed| parsed.events.len())
            .sum();
        assert!(events >= 2, "{}: {events} events in all its fixtures", format.name);
        assert!(sources.contains(&format!("/ingest/{}`", format.name)), "{} is not in docs/SOURCES.md", format.name);
    }
    assert!(FORMATS.is_sorted_by_key(|format| format.name));
}

#[test]
fn an_unknown_tool_is_answered_with_the_nearest_name() {
    assert_eq!(
        find("nagois").unwrap_err().to_string(),
        "unknown tool `nagois`; did you mean `nagios`? known tools: alertmanager, nagios, native, newrelic, pingdom, \
         prometheus, sentry"
    );
    assert!(find("").is_err() && find(&"x".repeat(100_000)).unwrap_err().to_string().len() < 300);
}

/// What pairs a firing with its resolve.
fn key(event: &Event) -> (Option<String>, Option<String>, String, Option<String>, Option<String>) {
    let Event { dedup_key, identity, check, service, host, .. } = event.clone();
    (dedup_key, identity, check, service, host)
}

#[test]
fn a_firing_and_its_resolve_are_one_alert() {
    for (tool, firing, resolve) in [
        ("sentry", "issue_created.json", "issue_resolved.json"),
        ("sentry", "metric_alert_critical.json", "metric_alert_resolved.json"),
        ("newrelic", "workflow_activated.json", "workflow_closed.json"),
        ("newrelic", "classic_open.json", "classic_closed.json"),
        ("pingdom", "down.json", "up.json"),
        ("nagios", "service_problem.json", "service_recovery.json"),
        ("prometheus", "firing_and_resolved.json", "firing_and_resolved.json"),
    ] {
        let format = find(tool).unwrap();
        let read = |file: &str, status| {
            let bytes = fs::read(root().join("tests/fixtures/formats").join(tool).join(file)).unwrap();
            let parsed = (format.parse)(&Body::new(&bytes, RECEIVED)).unwrap();
            parsed.events.into_iter().find(|event| event.status == status).unwrap()
        };
        let (firing, resolved) = (read(firing, Status::Firing), read(resolve, Status::Resolved));
        assert_eq!(key(&firing), key(&resolved), "{tool}");
        assert!(firing.dedup_key.is_some() || firing.identity.is_some(), "{tool}");
    }
}

#[test]
fn a_prometheus_alert_is_one_through_whichever_door_it_comes() {
    let alert = r#"{"labels":{"alertname":"A","b":"1"},"startsAt":"2026-11-23T04:59:00Z"}"#;
    let read = |tool: &str, body: String| {
        let parsed = (find(tool).unwrap().parse)(&Body::new(body.as_bytes(), RECEIVED)).unwrap();
        parsed.events[0].identity.clone()
    };
    assert_eq!(read("prometheus", format!("[{alert}]")), read("alertmanager", format!("{{\"alerts\":[{alert}]}}")));
}

#[test]
fn no_secret_of_a_notification_command_is_kept() {
    for file in fixtures(find("nagios").unwrap()) {
        let bytes = fs::read(&file).unwrap();
        assert!(!told(find("nagios").unwrap(), &body(&file, &bytes)).contains("never shown"), "{}", file.display());
    }
}

/// What the corpus says of a body, and what may come of it.
fn fits(state: &str, read: &Result<Vec<Status>, String>) -> bool {
    match (state, read) {
        ("firing", Ok(found)) => !found.is_empty() && found.iter().all(|s| matches!(s, Status::Firing | Status::Event)),
        ("resolved", Ok(found)) => !found.is_empty() && found.iter().all(|s| *s == Status::Resolved),
        ("ack", Ok(found)) => found.as_slice() == [Status::Acknowledged],
        ("info", Ok(found)) => found.is_empty(),
        ("malformed" | "template", found) => found.as_ref().map_or(true, Vec::is_empty),
        _ => false,
    }
}

#[test]
fn every_real_body_of_the_corpus_is_taken_right() {
    let corpus = root().join("../shared/payloads");
    let Ok(index) = fs::read_to_string(corpus.join("INDEX.tsv")) else { return };
    let mut wrong = Vec::new();
    let mut seen = 0;
    for row in index.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let (tool, file, state) = (columns[0], columns[1], columns[3]);
        let Ok(format) = find(tool) else { continue };
        let bytes = fs::read(corpus.join(file)).unwrap();
        // Prometheus says how long an alert still counts as firing; those of the corpus were posted then.
        let then = Timestamp::from_millis(1_714_644_720_000);
        let received = if (tool, state) == ("prometheus", "firing") { then } else { RECEIVED };
        let read = (format.parse)(&Body::new(&bytes, received))
            .map(|parsed| parsed.events.iter().map(|event| event.status).collect())
            .map_err(|error| error.to_string());
        seen += 1;
        if !fits(state, &read) {
            wrong.push(format!("{file} ({state}): {read:?}"));
        }
    }
    assert!(seen >= 40, "{seen} bodies");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A fixture with some bytes changed, cut or doubled.
fn mutated() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let all: Vec<(usize, Vec<u8>)> = FORMATS
        .iter()
        .enumerate()
        .flat_map(|(at, format)| fixtures(format).into_iter().map(move |file| (at, fs::read(file).unwrap())))
        .collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any::<u8>())), 1..8);
    (prop::sample::select(all), changes, any::<prop::sample::Index>()).prop_map(|((at, mut bytes), changes, end)| {
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            match byte {
                Some(byte) => bytes[place] = byte,
                None => bytes.insert(place, b"\"{}[],:0e"[place % 9]),
            }
        }
        if end.index(4) == 0 {
            bytes.truncate(end.index(bytes.len()));
        }
        (at, bytes)
    })
}

/// What every event owes to those behind.
fn is_sound(event: &Event) -> bool {
    let finite = |number: Option<f64>| number.is_none_or(f64::is_finite);
    let named = |text: &Option<String>| text.as_deref() != Some("");
    !event.source.is_empty()
        && event.received == Some(RECEIVED)
        && finite(event.value)
        && finite(event.threshold)
        && named(&event.service)
        && named(&event.host)
        && named(&event.dedup_key)
        && named(&event.identity)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_make_a_format_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in FORMATS {
            let query = std::str::from_utf8(&bytes).ok();
            let read = (format.parse)(&Body { query, ..Body::new(&bytes, RECEIVED) });
            prop_assert!(read.is_err() || read.unwrap().events.iter().all(is_sound));
        }
    }

    #[test]
    fn no_damage_makes_a_format_panic((_, bytes) in mutated()) {
        for format in FORMATS {
            let read = (format.parse)(&Body::new(&bytes, RECEIVED));
            prop_assert!(read.is_err() || read.unwrap().events.iter().all(is_sound));
        }
    }
}
