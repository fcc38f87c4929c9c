//! Every format by fixtures: `tests/fixtures/formats/<name>/*`, each beside what must come of it (`.expected`;
//! `UPDATE_EXPECT=1` writes them). And over the corpus of real bodies where it lies beside the checkout.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and tells how many bodies it saw")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use proptest::prelude::*;
use squelch::config;
use squelch::domain::{Event, Kind, Severity, Status, Timestamp};
use squelch::formats::{Body, FORMATS, Reader, Sources, find, native};

/// 2026-11-23T05:00:00Z.
const RECEIVED: Timestamp = Timestamp::from_millis(1_795_410_000_000);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Formats in code and shipped mappings.
fn sources() -> Sources {
    config::mappings(&config::with_shipped_mappings(Vec::new())).unwrap_or_else(|report| panic!("{report}")).sources
}

/// The fixtures of a tool, in order of name.
fn fixtures(tool: &str) -> Vec<PathBuf> {
    let folder = root().join("tests/fixtures/formats").join(tool);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end != "expected"));
    files.sort();
    files
}

fn told(reader: Reader<'_>, body: &Body<'_>) -> String {
    let parsed = match reader.parse(body) {
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

fn body<'a>(file: &'a Path, bytes: &'a [u8]) -> Body<'a> {
    if file.extension().is_some_and(|end| end == "query") {
        let query = std::str::from_utf8(bytes).unwrap().trim();
        return Body { query: Some(query), ..Body::new(b"", RECEIVED) };
    }
    // `close.alias=db-1.json`: what stands between the dots is the query.
    let query = file.file_stem().and_then(|stem| stem.to_str()?.split_once('.')).map(|(_, query)| query);
    Body { query, ..Body::new(bytes, RECEIVED) }
}

#[test]
fn every_fixture_gives_what_is_written_beside_it() {
    let sources = sources();
    for reader in sources.readers() {
        for file in fixtures(reader.name()) {
            let bytes = fs::read(&file).unwrap();
            let expected = file.with_extension("expected");
            expect_file![expected].assert_eq(&told(reader, &body(&file, &bytes)));
        }
    }
}

#[test]
fn every_tool_has_fixtures_that_give_events_and_a_line_in_the_docs() {
    let docs = fs::read_to_string(root().join("docs/SOURCES.md")).unwrap();
    let sources = sources();
    let mut without = Vec::new();
    for reader in sources.readers() {
        let name = reader.name();
        let events: usize = fixtures(name)
            .iter()
            .filter_map(|file| reader.parse(&body(file, &fs::read(file).unwrap())).ok())
            .map(|parsed| parsed.events.len())
            .sum();
        if events == 0 {
            without.push(name);
        }
        assert!(docs.contains(&format!("/ingest/{name}`")), "{name} is not in docs/SOURCES.md");
    }
    assert!(without.is_empty(), "no fixture of these gives an event: {}", without.join(", "));
    assert!(FORMATS.is_sorted_by_key(|format| format.name));
}

#[test]
fn the_shipped_mappings_are_those_of_the_folder() {
    let folder = fs::read_dir(root().join("rules/sources")).unwrap();
    let names = folder.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".yaml").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    let shipped = config::with_shipped_mappings(Vec::new());
    let shipped: Vec<String> =
        shipped.iter().map(|source| source.file_name().trim_end_matches(".yaml").to_owned()).collect();
    assert_eq!(shipped, names);
}

#[test]
fn an_unknown_tool_is_answered_with_the_nearest_name() {
    let unknown = |name: &str| sources().find(name).unwrap_err().to_string();
    assert_eq!(unknown("nagois"), "unknown tool `nagois`; did you mean `nagios`? GET /ingest lists all tools");
    assert_eq!(unknown("Datadog"), "unknown tool `Datadog`; did you mean `datadog`? GET /ingest lists all tools");
    assert!(find("").is_err() && unknown(&"x".repeat(100_000)).len() < 300);
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
    for file in fixtures("nagios") {
        let bytes = fs::read(&file).unwrap();
        assert!(
            !told(sources().find("nagios").unwrap(), &body(&file, &bytes)).contains("never shown"),
            "{}",
            file.display()
        );
    }
}

/// What the corpus says of a body, and what may come of it. A body of many alerts may hold some that are well.
fn fits(state: &str, read: &Result<Vec<Event>, String>) -> bool {
    let Ok(events) = read else { return matches!(state, "malformed" | "template") };
    let all = |fits: &dyn Fn(&Event) -> bool| !events.is_empty() && events.iter().all(fits);
    let fires = |event: &Event| matches!(event.status, Status::Firing | Status::Event) && event.kind != Kind::Change;
    let said = |event: &Event| event.kind == Kind::Change || event.severity == Severity::Info;
    match state {
        "firing" if events.len() > 1 => {
            fires(&events[0]) && events.iter().all(|event| fires(event) || event.status == Status::Resolved)
        }
        "firing" => all(&fires),
        "resolved" => all(&|event| event.status == Status::Resolved),
        "ack" => events.len() == 1 && events[0].status == Status::Acknowledged,
        "nodata" => events.len() == 1 && events[0].status == Status::NoData,
        "info" => events.iter().all(|event| event.status == Status::Event && said(event)),
        _ => events.is_empty(),
    }
}

#[test]
fn every_real_body_of_the_corpus_is_taken_right() {
    let corpus = root().join("../shared/payloads");
    let Ok(index) = fs::read_to_string(corpus.join("INDEX.tsv")) else { return };
    let sources = sources();
    let mut wrong = Vec::new();
    let (mut seen, mut keys) = (0, BTreeMap::<String, BTreeMap<bool, Vec<String>>>::new());
    for row in index.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let (tool, file, state) = (columns[0], columns[1], columns[3]);
        let Ok(reader) = sources.find(tool) else {
            wrong.push(format!("{file}: nothing reads {tool}"));
            continue;
        };
        let bytes = fs::read(corpus.join(file)).unwrap();
        // Prometheus says how long an alert still counts as firing; those of the corpus were posted then.
        let then = Timestamp::from_millis(1_714_644_720_000);
        let received = if (tool, state) == ("prometheus", "firing") { then } else { RECEIVED };
        let body = Body { content_type: Some(columns[9]), ..Body::new(&bytes, received) };
        let read = reader.parse(&body).map(|parsed| parsed.events).map_err(|error| error.to_string());
        seen += 1;
        if !fits(state, &read) {
            wrong.push(format!("{file} ({state}): {read:?}"));
        }
        pair((tool, file, columns[18]), state, &read, &mut keys);
    }
    let alone: Vec<String> = keys.into_iter().filter_map(|(base, keys)| unpaired(&base, &keys)).collect();
    println!("{} of {seen} bodies of the corpus are taken right", seen - wrong.len());
    assert!(seen >= 252, "{seen} bodies");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(alone.is_empty(), "{}", alone.join("\n"));
}

/// Notes the key of a body beside that of the body it was derived from: the resolve of a create request.
fn pair(
    (tool, file, note): (&str, &str, &str),
    state: &str,
    read: &Result<Vec<Event>, String>,
    keys: &mut BTreeMap<String, BTreeMap<bool, Vec<String>>>,
) {
    let base = file.replace("resolve", "create");
    let derived = note.contains("deep_dup") || file.contains("create");
    if let (Ok(events), true, "firing" | "resolved") = (read, derived, state) {
        let told = events.iter().map(|event| format!("{:?}", key(event))).collect();
        keys.entry(format!("{tool} {base}")).or_default().insert(state == "firing", told);
    }
}

fn unpaired(base: &str, keys: &BTreeMap<bool, Vec<String>>) -> Option<String> {
    let (firing, resolved) = (keys.get(&true)?, keys.get(&false)?);
    (firing != resolved).then(|| format!("{base}: {firing:?} is resolved as {resolved:?}"))
}

/// A fixture with some bytes changed, cut or doubled.
fn mutated() -> impl Strategy<Value = (String, Vec<u8>)> {
    let sources = sources();
    let all: Vec<(String, Vec<u8>)> = sources
        .readers()
        .into_iter()
        .flat_map(|reader| fixtures(reader.name()).into_iter().map(move |file| (reader.name().to_owned(), file)))
        .map(|(name, file)| (name, fs::read(file).unwrap()))
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any::<u8>())), 1..8);
    (prop::sample::select(all), changes, any::<prop::sample::Index>()).prop_map(|((name, mut bytes), changes, end)| {
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
        (name, bytes)
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
}

#[test]
fn no_damage_makes_a_reader_panic() {
    let (sources, strategy) = (sources(), mutated());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(4_000));
    let result = runner.run(&strategy, |(name, bytes)| {
        let read = sources.find(&name).unwrap().parse(&Body::new(&bytes, RECEIVED));
        prop_assert!(read.is_err() || read.unwrap().events.iter().all(is_sound));
        Ok(())
    });
    result.unwrap();
}
