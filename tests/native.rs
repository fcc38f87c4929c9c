//! The contract's own event: what is taken, what is refused, and what is said about it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use expect_test::{Expect, expect};
use proptest::prelude::*;
use squelch::domain::{Event, Kind, Severity, Status, Timestamp};
use squelch::formats::{Body, Parsed, find, native};

const RECEIVED: Timestamp = Timestamp::from_millis(1_795_410_000_000);

fn parse(bytes: &[u8]) -> Parsed {
    (find("native").unwrap().parse)(&Body::new(bytes, RECEIVED)).unwrap()
}

/// What became of a body, one line a thing.
fn told(bytes: &[u8]) -> String {
    match (find("native").unwrap().parse)(&Body::new(bytes, RECEIVED)) {
        Err(error) => format!("{error}\n"),
        Ok(parsed) => {
            let mut text = String::new();
            for event in &parsed.events {
                text += &format!("{}\n", native::write_line(event));
            }
            for rejected in &parsed.rejected {
                text += &format!("{rejected}\n");
            }
            for warning in &parsed.warnings {
                text += &format!("warning: event {}: {}: {}\n", warning.index, warning.path, warning.message);
            }
            text
        }
    }
}

fn check(bytes: impl AsRef<[u8]>, expected: Expect) {
    expected.assert_eq(&told(bytes.as_ref()));
}

#[test]
fn only_a_source_is_needed() {
    check(
        r#"{"source":"cron"}"#,
        expect![[r#"
            {"received":1795410000.0,"source":"cron","kind":"other","check":"","severity":"warning","status":"firing"}
        "#]],
    );
}

#[test]
fn every_field_of_the_contract_is_read() {
    check(
        r#"{"ts":"2026-11-23T06:00:00.25+01:00","received":1,"source":"shop","kind":"host","service":"web","host":"app-1",
            "check":"swap","severity":"Critical","status":"resolved","value":91.5,"threshold":90,"unit":"%","summary":"swap \u00e9",
            "labels":{"team":"shop","n":3,"on":true,"none":null},"dedup_key":"k","url":"http://x/","runbook_url":"http://y/","shift":2}"#,
        expect![[r#"
            {"ts":1795410000.25,"received":1795410000.0,"source":"shop","kind":"host","service":"web","host":"app-1","check":"swap","severity":"critical","status":"resolved","value":91.5,"threshold":90.0,"unit":"%","summary":"swap é","labels":{"n":"3","on":"true","shift":"2","team":"shop"},"dedup_key":"k","url":"http://x/","runbook_url":"http://y/"}
        "#]],
    );
}

#[test]
fn null_and_empty_are_as_good_as_absent() {
    let bare = told(br#"{"source":"cron"}"#);
    let null = r#"{"source":"cron","ts":null,"kind":null,"severity":"","host":"","value":null,"labels":null,"x":null}"#;
    assert_eq!(told(null.as_bytes()), bare);
}

#[test]
fn all_mistakes_of_an_event_are_told_at_once_and_its_neighbours_are_kept() {
    check(
        r#"[{"source":"a","check":"one"},
            {"source":"b","severity":"crit","value":"high","ts":-5},
            {"source":" ","host":7,"labels":[]},
            "text", 5, null, {},
            {"source":"c","check":"two"}]"#,
        expect![[r#"
            {"received":1795410000.0,"source":"a","kind":"other","check":"one","severity":"warning","status":"firing"}
            {"received":1795410000.0,"source":"c","kind":"other","check":"two","severity":"warning","status":"firing"}
            event 1: ts: -5 lies outside the years 1970 to 9999; also `severity`: `crit` is no severity (did you mean `critical`? known: info, warning, error, critical); also `value`: is a string, not a number (write the bare number, its unit in `unit`); times before 1970-01-01T00:00:00Z are not taken
            event 2: source: is missing or empty; also `host`: is a number, not a string (put it in quotes); also `labels`: is a list, not a map (write "labels": {"team": "shop"}); name the tool that sends, such as "source": "nagios"
            event 3: invalid type: string "text", expected an event, a JSON object at line 1 column 6; an event looks like {"source":"cron","check":"backup","host":"db-1","severity":"error"}
            event 4: invalid type: integer `5`, expected an event, a JSON object at line 1 column 1; an event looks like {"source":"cron","check":"backup","host":"db-1","severity":"error"}
            event 5: invalid type: null, expected an event, a JSON object at line 1 column 4; an event looks like {"source":"cron","check":"backup","host":"db-1","severity":"error"}
            event 6: source: is missing or empty; name the tool that sends, such as "source": "nagios"
        "#]],
    );
}

#[test]
fn numbers_that_are_none_are_refused_with_their_field() {
    check(
        r#"[{"source":"a","value":NaN},{"source":"a","threshold":1e309},{"source":"a","value":-Infinity},{"source":"a","value":1e308}]"#,
        expect![[r#"
            {"received":1795410000.0,"source":"a","kind":"other","check":"","severity":"warning","status":"firing","value":1e+308}
            event 0: value: expected value at line 1 column 23; JSON knows neither NaN nor Infinity: leave the field out
            event 1: threshold: number out of range at line 1 column 31; numbers must be finite: at most 1.7e308
            event 2: value: invalid number at line 1 column 24; JSON knows neither NaN nor Infinity: leave the field out
        "#]],
    );
}

#[test]
fn times_far_off_are_told_but_kept() {
    check(
        r#"[{"source":"a","ts":"9999-12-31T23:59:59Z"},{"source":"a","ts":0},{"source":"a","ts":1795410000000},{"source":"a","ts":"tomorrow"},{"source":"a","ts":"10000-01-01T00:00:00Z"},{"source":"a","ts":true}]"#,
        expect![[r#"
            {"ts":253402300799.0,"received":1795410000.0,"source":"a","kind":"other","check":"","severity":"warning","status":"firing"}
            {"ts":0.0,"received":1795410000.0,"source":"a","kind":"other","check":"","severity":"warning","status":"firing"}
            event 2: ts: 1795410000000 lies outside the years 1970 to 9999; epoch seconds are meant; milliseconds must be divided by 1000
            event 3: ts: `tomorrow` is no time; write RFC 3339 ("2026-11-23T05:00:00Z") or Unix epoch seconds (1795410000.5)
            event 4: ts: `10000-01-01T00:00:00Z` is no time; write RFC 3339 ("2026-11-23T05:00:00Z") or Unix epoch seconds (1795410000.5)
            event 5: ts: is true or false, not a time; write RFC 3339 ("2026-11-23T05:00:00Z") or Unix epoch seconds (1795410000.5)
            warning: event 0: ts: lies 69890803 hours after the receipt: is the sender's clock right?
            warning: event 1: ts: lies 498725 hours before the receipt: is the sender's clock right?
        "#]],
    );
}

#[test]
fn a_body_that_is_cut_off_keeps_what_came_before() {
    check(
        r#"[{"source":"a"},{"source":"b","che"#,
        expect![[r#"
            {"received":1795410000.0,"source":"a","kind":"other","check":"","severity":"warning","status":"firing"}
            event 1: EOF while parsing a string at line 1 column 18; the text ends too early: was it cut off?
        "#]],
    );
    check(
        r#"[{"source":"a"},"#,
        expect![[r#"
            {"received":1795410000.0,"source":"a","kind":"other","check":"","severity":"warning","status":"firing"}
            warning: event 1: : the array does not end well: EOF while parsing a value at line 1 column 16
        "#]],
    );
    check(
        r#"{"source":"a","check":"#,
        expect![[r#"
            event 0: check: EOF while parsing a value at line 1 column 22; the text ends too early: was it cut off?
        "#]],
    );
}

#[test]
fn text_that_is_not_utf8_costs_only_its_own_event() {
    check(
        b"[{\"source\":\"a\",\"host\":\"caf\xe9\"},{\"source\":\"b\"}]",
        expect![[r#"
            {"received":1795410000.0,"source":"b","kind":"other","check":"","severity":"warning","status":"firing"}
            event 0: host: invalid unicode code point at line 1 column 26; the text is not UTF-8
        "#]],
    );
}

#[test]
fn bodies_that_are_no_events_at_all_are_errors() {
    for body in ["", "  \n ", "hello", "5", "\"x\"", "<xml/>"] {
        assert!((find("native").unwrap().parse)(&Body::new(body.as_bytes(), RECEIVED)).is_err(), "{body}");
    }
    assert_eq!(parse(b"[]"), Parsed::default());
}

#[test]
fn json_lines_are_seen_with_and_without_their_content_type() {
    let body = b"{\"source\":\"a\"}\n\n{\"source\":5}\r\nnot json\n{\"source\":\"b\"}";
    let told = |content_type| {
        let parsed = (find("native").unwrap().parse)(&Body { content_type, ..Body::new(body, RECEIVED) }).unwrap();
        (parsed.events.len(), parsed.rejected.iter().map(|rejected| rejected.index).collect::<Vec<_>>())
    };
    assert_eq!(told(Some("application/x-ndjson; charset=utf-8")), (2, vec![2, 3]));
    assert_eq!(told(None), (2, vec![2, 3]));
}

#[test]
fn variables_that_nobody_filled_in_never_become_an_identity() {
    check(
        r#"{"source":"a","check":"{{ $labels.alertname }}","host":"$HOSTNAME$","dedup_key":"${id}"}"#,
        expect![[r#"
            {"received":1795410000.0,"source":"a","kind":"other","check":"","severity":"warning","status":"firing","labels":{"check":"{{ $labels.alertname }}","dedup_key":"${id}","host":"$HOSTNAME$"}}
            warning: event 0: host: `$HOSTNAME$` is a variable that the sender did not fill in: kept as a label, not as host
            warning: event 0: dedup_key: `${id}` is a variable that the sender did not fill in: kept as a label, not as dedup_key
            warning: event 0: check: `{{ $labels.alertname }}` is a variable that the sender did not fill in: kept as a label, not as check
        "#]],
    );
}

#[test]
fn what_is_too_long_is_cut_and_two_long_names_stay_two() {
    let event = |end: &str| {
        let mut labels = String::new();
        for number in 0..120 {
            labels += &format!(",\"l{number}\":\"x\"");
        }
        let name = "ü".repeat(2_000) + end;
        let text = "y".repeat(20_000);
        parse(format!(r#"{{"source":"a","host":"{name}","summary":"{text}"{labels}}}"#).as_bytes())
    };
    let (one, two) = (event("1"), event("2"));
    assert_ne!(one.events[0].host, two.events[0].host);
    assert_eq!(one.events[0].host.as_ref().unwrap().chars().count(), 1_000);
    assert_eq!(one.events[0].summary.as_ref().unwrap().len(), 10_000);
    assert_eq!(one.events[0].labels.len(), 100);
    assert_eq!(one.warnings.len(), 3);
}

#[test]
fn a_flood_of_bad_events_is_counted_but_not_listed_without_end() {
    let body = format!("[{}1]", "1,".repeat(4_999));
    let parsed = parse(body.as_bytes());
    assert_eq!((parsed.bad(), parsed.rejected.len()), (5_000, Parsed::LISTED));
}

#[test]
fn nesting_without_end_is_refused() {
    let body = format!("{{\"source\":\"a\",\"x\":{}", "[".repeat(100_000));
    assert_eq!(parse(body.as_bytes()).bad(), 1);
}

/// Text without variables of templates, which do not come back where they were.
fn text() -> impl Strategy<Value = String> {
    "[ -#%-z|-~éß漢\n\"]{1,12}"
}

prop_compose! {
    fn an_event()(
        times in (prop::option::of(0..=Timestamp::MAX.millis()), prop::option::of(0..=Timestamp::MAX.millis())),
        words in (0..Kind::ALL.len(), 0..Severity::ALL.len(), 0..Status::ALL.len()),
        names in ("[a-z]{1,9}", prop::option::of(text()), prop::option::of(text()), "[a-z:]{0,9}"),
        numbers in (prop::option::of(-1e308..1e308_f64), prop::option::of(any::<i32>().prop_map(f64::from))),
        texts in (prop::option::of(text()), prop::option::of("[a-z]{1,5}"), prop::option::of("[a-z]{1,5}")),
        labels in prop::collection::btree_map("[a-z_]{1,8}", text(), 0..5),
    ) -> Event {
        Event {
            ts: times.0.map(Timestamp::from_millis),
            received: times.1.map(Timestamp::from_millis),
            kind: Kind::ALL[words.0],
            severity: Severity::ALL[words.1],
            status: Status::ALL[words.2],
            service: names.1,
            host: names.2,
            value: numbers.0,
            threshold: numbers.1,
            summary: texts.0,
            dedup_key: texts.1,
            url: texts.2,
            labels,
            ..Event::new(names.0, names.3)
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(event in an_event()) {
        prop_assert_eq!(native::read_line(native::write_line(&event).as_bytes()).unwrap(), event);
    }
}
