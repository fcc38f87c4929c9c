//! The mapping files: what is told of wrong ones, what `check --source` can show, and the list of tools in the
//! documentation (`UPDATE_EXPECT=1 cargo test --test sources` writes it).
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use expect_test::{expect, expect_file};
use squelch::config::{self, Source};
use squelch::domain::{Event, Status, Timestamp};
use squelch::formats::mapping::{Mapping, propose};
use squelch::formats::{Body, Reader, Sources, native};

/// 2026-11-23T05:00:00Z.
const RECEIVED: Timestamp = Timestamp::from_millis(1_795_410_000_000);

/// What is said about a mapping file of the tool `acme`.
fn complaints(text: &str) -> String {
    match config::mappings(&[Source::new("rules/sources/acme.yaml", text)]) {
        Ok(_) => "right".to_owned(),
        Err(report) => report.to_string(),
    }
}

fn sources(text: &str) -> Sources {
    config::mappings(&[Source::new("acme.yaml", text)]).unwrap_or_else(|report| panic!("{report}")).sources
}

fn mapping(sources: &Sources) -> &Mapping {
    match sources.find("acme").unwrap() {
        Reader::Mapping(mapping) => mapping,
        Reader::Format(_) => panic!("acme is no format"),
    }
}

/// What comes of a body.
fn told(text: &str, body: &Body<'_>) -> String {
    let sources = sources(text);
    match mapping(&sources).parse(body) {
        Err(error) => format!("error: {error}\n"),
        Ok(parsed) => {
            let events = parsed.events.iter().map(|event| native::write_line(event) + "\n");
            let rejected = parsed.rejected.iter().map(|bad| format!("rejected: {bad}\n"));
            let warnings = parsed.warnings.iter().map(|w| format!("warning: {} {}: {}\n", w.index, w.path, w.message));
            events.chain(rejected).chain(warnings).collect()
        }
    }
}

fn read(text: &str, body: &str) -> Vec<Event> {
    mapping(&sources(text)).parse(&Body::new(body.as_bytes(), RECEIVED)).unwrap().events
}

#[test]
fn every_mistake_of_a_mapping_is_told_at_once_with_its_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sources");
    let wrong = fs::read_to_string(folder.join("wrong.yaml")).unwrap();
    expect_file![folder.join("wrong.expected")].assert_eq(&complaints(&wrong));
    assert!(config::mappings(&[Source::new("Bad Name.yaml", "check: a")]).is_err());
}

#[test]
fn paths_lead_into_maps_lists_tags_and_texts_that_hold_json() {
    let text = r#"
each: records[]
unpack: records[].message
check: message.name
host: tags(host) | $.defaults.host
service: message.dims(ServiceName)
summary: "{message.name}: {message.lines[]?} on {tags(host)?}"
labels: {all: "message.lines[]", first: "message.lines[0]", odd: 'message["a.b c"]', key: $key}
keep: message.map
"#;
    let body = r#"{"defaults": {"host": "db-9"}, "records": [
        {"tags": ["env:prod", "host:web-1"],
         "message": "{\"name\":\"cpu\",\"dims\":[{\"name\":\"ServiceName\",\"value\":\"shop\"}],\"lines\":[\"a\",\"b\"],\"a.b c\":1.0,\"map\":{\"x\":true,\"api_key\":\"hush\"}}"},
        {"tags": [["host", "web-2"]], "message": {"name": "mem", "dims": {"ServiceName": "cart"}}},
        {"tags": "host=web-3,env=prod", "message": {"name": "disk"}},
        {"message": "no json"}]}"#;
    expect![[r#"
        {"received":1795410000.0,"source":"acme","kind":"other","service":"shop","host":"web-1","check":"cpu","severity":"warning","status":"firing","summary":"cpu: a on web-1","labels":{"all":"a, b","first":"a","key":"0","odd":"1","x":"true"}}
        {"received":1795410000.0,"source":"acme","kind":"other","service":"cart","host":"web-2","check":"mem","severity":"warning","status":"firing","summary":"mem: on web-2","labels":{"key":"1"}}
        {"received":1795410000.0,"source":"acme","kind":"other","host":"web-3","check":"disk","severity":"warning","status":"firing","summary":"disk: on web-3","labels":{"key":"2"}}
        {"received":1795410000.0,"source":"acme","kind":"other","host":"db-9","check":"","severity":"warning","status":"firing","labels":{"key":"3"}}
    "#]].assert_eq(&told(text, &Body::new(body.as_bytes(), RECEIVED)));
}

#[test]
fn forms_queries_lines_and_plain_text_are_read() {
    let text = "payload_field: payload\nplain_text: true\ncheck: name | $text\nhost: $query.host\n";
    let told = |bytes: &[u8], content_type: Option<&str>| {
        told(text, &Body { content_type, query: Some("host=db-1&x=%20"), ..Body::new(bytes, RECEIVED) })
    };
    let multipart = b"--x\r\nContent-Disposition: form-data; name=\"payload\"\r\n\r\n{\"name\":\"m\"}\r\n--x--\r\n";
    let all = [
        told(b"name=a+b&z=1", None),
        told(b"payload=%7B%22name%22%3A%22p%22%7D", None),
        told(b"{\"name\":\"1\"}\n{\"name\":\"2\"}\n{broken\n", None),
        told(b"[{\"name\":\"1\"},{broken},{\"name\":\"3\"}]", None),
        told(multipart, Some("multipart/form-data; boundary=x")),
        told(b"db-1 is down!", Some("text/plain")),
    ];
    expect![[r#"
        {"received":1795410000.0,"source":"acme","kind":"other","host":"db-1","check":"a b","severity":"warning","status":"firing"}
        {"received":1795410000.0,"source":"acme","kind":"other","host":"db-1","check":"p","severity":"warning","status":"firing"}
        {"received":1795410000.0,"source":"acme","kind":"other","host":"db-1","check":"1","severity":"warning","status":"firing"}
        {"received":1795410000.0,"source":"acme","kind":"other","host":"db-1","check":"2","severity":"warning","status":"firing"}
        rejected: event 2: key must be a string at line 1 column 2; it is no JSON: those beside it were read
        {"received":1795410000.0,"source":"acme","kind":"other","host":"db-1","check":"1","severity":"warning","status":"firing"}
        {"received":1795410000.0,"source":"acme","kind":"other","host":"db-1","check":"3","severity":"warning","status":"firing"}
        rejected: event 1: key must be a string at line 1 column 2; it is no JSON: those beside it were read
        {"received":1795410000.0,"source":"acme","kind":"other","host":"db-1","check":"m","severity":"warning","status":"firing"}
        {"received":1795410000.0,"source":"acme","kind":"other","host":"db-1","check":"db-1 is down!","severity":"warning","status":"firing"}
    "#]].assert_eq(&all.concat());
}

#[test]
fn states_are_mapped_and_never_guessed() {
    let text = "check: name\nstatus: {from: state, map: {'up*': resolved, note: ignore, 'p?': firing}}\n";
    let told =
        |state: &str| told(text, &Body::new(format!("{{\"name\":\"a\",\"state\":{state}}}").as_bytes(), RECEIVED));
    let all: String =
        ["\"UP again\"", "\"Down\"", "\"note\"", "\"strange\"", "\"$STATE\"", "null", "7"].map(told).concat();
    expect![[r#"
        {"received":1795410000.0,"source":"acme","kind":"other","check":"a","severity":"warning","status":"resolved"}
        {"received":1795410000.0,"source":"acme","kind":"other","check":"a","severity":"warning","status":"firing"}
        warning: 0 state: left out: nothing to judge
        rejected: event 0: state: `strange` is no status that is known; name it in the mapping: `status: {from: …, map: {WORD: firing}}`
        rejected: event 0: state: `$STATE` is a variable that the sender did not fill in; without a status nothing can be judged
        warning: 0 state: `$STATE` is a variable that the sender did not fill in: not used
        rejected: event 0: status: is missing; without a status nothing can be judged; give it a `default` in the mapping if it may be absent
        rejected: event 0: state: `7` is no status that is known; name it in the mapping: `status: {from: …, map: {WORD: firing}}`
    "#]].assert_eq(&all);
}

#[test]
fn variables_that_were_not_filled_in_never_become_identity() {
    let text = "check: name | title\nhost: host\ndedup_key: '{host}/{id}'\nstatus: state\n";
    let body = r#"{"name": "${name}", "title": "cpu", "host": "*hostName*", "id": "{id}", "state": "open"}"#;
    let [event] = <[Event; 1]>::try_from(read(text, body)).unwrap();
    assert_eq!((event.check.as_str(), event.host, event.dedup_key), ("cpu", None, None));
}

#[test]
fn a_change_of_long_ago_counts_at_its_receipt_and_an_occurrence_when_it_was() {
    let text = "check: name\nstatus: state\nts: at\n";
    let at = |state: &str, at: &str| {
        let body = format!("{{\"name\":\"a\",\"state\":\"{state}\",\"at\":{at}}}");
        read(text, &body)[0].ts.map(|at| at.since(RECEIVED))
    };
    assert_eq!(at("open", "1795409900"), Some(-100.0));
    assert_eq!(at("open", "1795400000"), None);
    assert_eq!(at("open", "1795410999"), None);
    assert_eq!(at("closed", "1795400000"), None);
    assert_eq!(at("closed", "1795409990"), Some(-10.0));
    assert_eq!(at("event", "1795400000"), Some(-10_000.0));
    assert_eq!(at("closed", "0"), None);
}

#[test]
fn a_users_file_replaces_the_shipped_one_of_its_name() {
    let user = Source::new("rules/sources/falco.yaml", "check: rule\nseverity: critical\n");
    let all = config::with_shipped_mappings(vec![user]);
    assert_eq!(all.iter().filter(|source| source.file_name() == "falco.yaml").count(), 1);
    let sources = config::mappings(&all).unwrap().sources;
    let parsed = sources.find("falco").unwrap().parse(&Body::new(b"{\"rule\":\"x\"}", RECEIVED)).unwrap();
    assert_eq!(parsed.events[0].severity.word(), "critical");
    assert!(all.len() >= 70 && sources.readers().len() >= 80, "{}", sources.readers().len());
}

#[test]
fn a_mapping_is_proposed_that_reads_the_body_it_came_from() {
    let body = r#"{"type": "x", "alerts": [{"alertName": "CPU high", "labels": {"instance": "web-1"}, "priority": "P9",
        "state": "odd", "incident": {"id": "7"}, "msg": "busy", "value": "93 %", "link": "https://a.example/7"}]}"#;
    let proposed = propose("acme", &serde_json::from_str(body).unwrap());
    expect![[r##"
        # Proposed from one body: look at it, then try it with `squelch check --source acme BODY.json`.
        title: "acme: webhook"
        setup: "webhook URL: /ingest/acme"
        each: alerts
        check: alertName
        host: labels.instance
        status: {from: state, map: {"odd": firing, "*": resolved}}  # which words mean what?
        severity: {from: priority, map: {"P9": critical, "*": warning}}  # which words mean what?
        dedup_key: incident.id
        summary: msg
        value: value
        url: link
    "##]]
    .assert_eq(&proposed);
    let [event] = <[Event; 1]>::try_from(read(&proposed, body)).unwrap();
    assert_eq!((event.status, event.value, event.host.as_deref()), (Status::Firing, Some(93.0), Some("web-1")));
    assert_eq!(propose("acme", &serde_json::json!([1, 2])), "");
}

const BEGIN: &str = "<!-- Written by `UPDATE_EXPECT=1 cargo test --test sources`. -->\n";
const END: &str = "<!-- End of the list. -->";

/// The fields that the fixtures of a tool give, of those that not every event has.
fn fields(reader: Reader<'_>) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats").join(reader.name());
    let (mut fields, mut statuses) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let file = entry.unwrap().path();
        let bytes = fs::read(&file).unwrap();
        if file.extension().is_some_and(|end| end == "expected") {
            continue;
        }
        let is_query = file.extension().is_some_and(|end| end == "query");
        let query = is_query.then(|| std::str::from_utf8(&bytes).unwrap().trim());
        let body = Body { query, ..Body::new(if is_query { b"" } else { &bytes }, RECEIVED) };
        for event in reader.parse(&body).map(|parsed| parsed.events).unwrap_or_default() {
            statuses.insert(if event.kind.word() == "change" { "change" } else { event.status.word() });
            for (field, there) in [
                ("service", event.service.is_some()),
                ("host", event.host.is_some()),
                ("check", !event.check.is_empty()),
                ("value", event.value.is_some()),
                ("key", event.dedup_key.is_some() || event.identity.is_some()),
                ("time", event.ts.is_some()),
                ("url", event.url.is_some()),
            ] {
                if there {
                    fields.insert(field);
                }
            }
        }
    }
    (fields, statuses)
}

#[test]
fn the_list_of_tools_in_the_documentation_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SOURCES.md");
    let document = fs::read_to_string(&path).unwrap();
    let sources = config::mappings(&config::with_shipped_mappings(Vec::new())).unwrap().sources;
    let mut list = String::from(
        "| tool | what to enter where | signature | states | service | host | check | value | key | time | url |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for reader in sources.readers() {
        let (fields, statuses) = fields(reader);
        let cell = |text: &str| text.replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*");
        let mark = |field| if fields.contains(field) { "✓" } else { "" };
        let marks: Vec<&str> = ["service", "host", "check", "value", "key", "time", "url"].map(mark).to_vec();
        let signature = reader.signature().map_or_else(String::new, |signature| format!("`{}`", signature.header));
        let states = statuses.into_iter().collect::<Vec<_>>().join(", ");
        list += &format!(
            "| **{}** `/ingest/{}` | {} | {signature} | {states} | {} |\n",
            cell(reader.title()),
            reader.name(),
            cell(reader.setup()),
            marks.join(" | ")
        );
    }
    let (head, rest) = document.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    expect_file![path].assert_eq(&format!("{head}{BEGIN}\n{list}\n{END}{tail}"));
}
