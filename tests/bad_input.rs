//! Bad input at the real binary: the exact answer to each, and that the good beside it is kept.
//!
//! `UPDATE_EXPECT=1 cargo test --test bad_input` writes the answers anew.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/binary.rs"]
mod binary;
#[path = "shell/client.rs"]
mod client;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use binary::Binary;
use client::{Answer, get, post, request};
use expect_test::{Expect, expect};
use regex::Regex;

const EVENTS: &str = "/api/v1/events";
const STORE: &str = "min_free: 1MiB";

fn serving(rules: &str) -> (tempfile::TempDir, Binary, SocketAddr) {
    let home = tempfile::tempdir().unwrap();
    binary::house(home.path(), rules, STORE);
    let mut life = Binary::start(home.path(), Stdio::null());
    let to = life.address();
    (home, life, to)
}

/// A name, the status, and the answer as it came; but for how far the clock of today is from a time.
fn told(name: &str, answer: &Answer, into: &mut String) {
    let hours = Regex::new("lies [0-9]+ hours").unwrap();
    let body = hours.replace_all(answer.body.trim_end(), "lies … hours");
    writeln!(into, "{name}\n  {} {body}", answer.status).unwrap();
}

fn accepted(to: SocketAddr) -> u64 {
    get(to, "/api/v1/tally").json()["accepted"].as_u64().unwrap()
}

fn check(to: SocketAddr, inputs: &[(&str, &[u8])], expected: &Expect) {
    let mut text = String::new();
    for (name, body) in inputs {
        let answer = request(to, ("POST", EVENTS), &["Content-Type: application/json"], body).unwrap();
        told(name, &answer, &mut text);
    }
    expected.assert_eq(&text);
}

#[test]
fn what_is_no_event_is_told_and_what_is_good_before_it_is_kept() {
    let (_home, _life, to) = serving("rules: []\n");
    check(
        to,
        &[
            ("truncated", br#"{"source":"cron","check":"ba"#),
            ("an array that breaks off", br#"[{"source":"cron","check":"backup"},{"sou"#),
            ("wrong types", br#"{"source":7,"check":[],"value":"high","labels":[]}"#),
            ("invalid UTF-8", b"{\"source\":\"\xff\xfe\",\"check\":\"x\"}"),
            ("NaN", br#"{"source":"a","check":"b","value":NaN}"#),
            ("beyond all numbers", br#"{"source":"a","check":"b","value":1e999}"#),
            ("a time beyond all calendars", br#"{"source":"a","check":"b","ts":1e300}"#),
            ("nothing", b""),
            ("no JSON", b"hello"),
        ],
        &expect![[r#"
            truncated
              400 {"error":{"help":"the text ends too early: was it cut off?","message":"no event is usable: EOF while parsing a string at line 1 column 28","where":"event 0.check"}}
            an array that breaks off
              207 {"accepted":1,"errors":[{"help":"the text ends too early: was it cut off?","index":1,"message":"EOF while parsing a string at line 1 column 5","where":""}],"first_seq":0,"rejected":1}
            wrong types
              400 {"error":{"help":"put it in quotes","message":"no event is usable: is a number, not a string; also `check`: is a list, not a string (put it in quotes); also `value`: is a string, not a number (write the bare number, its unit in `unit`); also `labels`: is a list, not a map (write \"labels\": {\"team\": \"shop\"})","where":"event 0.source"}}
            invalid UTF-8
              400 {"error":{"help":"the text is not UTF-8","message":"no event is usable: invalid unicode code point at line 1 column 12","where":"event 0.source"}}
            NaN
              400 {"error":{"help":"JSON knows neither NaN nor Infinity: leave the field out","message":"no event is usable: expected value at line 1 column 35","where":"event 0.value"}}
            beyond all numbers
              400 {"error":{"help":"numbers must be finite: at most 1.7e308","message":"no event is usable: number out of range at line 1 column 39","where":"event 0.value"}}
            a time beyond all calendars
              400 {"error":{"help":"epoch seconds are meant; milliseconds must be divided by 1000","message":"no event is usable: 1e300 lies outside the years 1970 to 9999","where":"event 0.ts"}}
            nothing
              400 {"error":{"help":"an event looks like {\"source\":\"cron\",\"check\":\"backup\",\"host\":\"db-1\",\"severity\":\"error\"}","message":"native: the body is empty","where":"body"}}
            no JSON
              400 {"error":{"help":"an event looks like {\"source\":\"cron\",\"check\":\"backup\",\"host\":\"db-1\",\"severity\":\"error\"}","message":"native: the body is no JSON object or array","where":"body"}}
        "#]],
    );
    assert_eq!(accepted(to), 1, "the good one before the break");
}

#[test]
fn what_is_strange_and_still_an_event_is_taken() {
    let (_home, _life, to) = serving("rules: []\n");
    check(
        to,
        &[
            ("1e308", br#"{"source":"a","check":"b","value":1e308,"threshold":-1e308}"#),
            ("the year 9999", br#"{"source":"a","check":"b","ts":"9999-12-31T23:59:59Z"}"#),
            ("the year 1970", br#"{"source":"a","check":"b","ts":"1970-01-01T00:00:00Z"}"#),
            ("second 0", br#"{"source":"a","check":"b","ts":0}"#),
            ("an empty array", b"[]"),
            ("good beside bad", br#"[{"source":"a","check":"b"},{"check":"c"},7,{"source":"a","check":"d"}]"#),
        ],
        &expect![[r#"
            1e308
              200 {"accepted":1,"first_seq":0,"rejected":0}
            the year 9999
              200 {"accepted":1,"first_seq":1,"rejected":0,"warnings":[{"index":0,"message":"lies … hours after the receipt: is the sender's clock right?","where":"ts"}]}
            the year 1970
              200 {"accepted":1,"first_seq":2,"rejected":0,"warnings":[{"index":0,"message":"lies … hours before the receipt: is the sender's clock right?","where":"ts"}]}
            second 0
              200 {"accepted":1,"first_seq":3,"rejected":0,"warnings":[{"index":0,"message":"lies … hours before the receipt: is the sender's clock right?","where":"ts"}]}
            an empty array
              200 {"accepted":0,"rejected":0}
            good beside bad
              207 {"accepted":2,"errors":[{"help":"name the tool that sends, such as \"source\": \"nagios\"","index":1,"message":"is missing or empty","where":"source"},{"help":"an event looks like {\"source\":\"cron\",\"check\":\"backup\",\"host\":\"db-1\",\"severity\":\"error\"}","index":2,"message":"invalid type: integer `7`, expected an event, a JSON object at line 1 column 1","where":""}],"first_seq":4,"rejected":2}
        "#]],
    );
    assert_eq!(accepted(to), 6);
    assert_eq!(get(to, "/-/ready").status, 200);
}

#[test]
fn too_much_and_unknown_is_told() {
    let (_home, _life, to) = serving("rules: []\n");
    let mut text = String::new();
    let large = vec![b' '; 100 << 20];
    let json = "Content-Type: application/json";
    told("100 MB", &request(to, ("POST", EVENTS), &[json], &large).unwrap(), &mut text);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&large).unwrap();
    let headers = [json, "Content-Encoding: gzip"];
    let bomb = packer.finish().unwrap();
    told("a gzip bomb", &request(to, ("POST", EVENTS), &headers, &bomb).unwrap(), &mut text);
    told("gzip that breaks off", &request(to, ("POST", EVENTS), &headers, &bomb[..bomb.len() / 2]).unwrap(), &mut text);
    told("an unknown tool", &post(to, "/ingest/nagois", "{}"), &mut text);
    let form = "Content-Type: application/x-www-form-urlencoded";
    told("a form", &request(to, ("POST", EVENTS), &[form], b"source=cron&check=backup").unwrap(), &mut text);
    expect![[r#"
        100 MB
          413 {"error":{"help":"send fewer events a request, or raise the limit in the settings; nothing of this request was taken","message":"the body is larger than 10000000 bytes","where":"body"}}
        a gzip bomb
          413 {"error":{"help":"send fewer events a request, or raise the limit in the settings; nothing of this request was taken","message":"the body is larger than 10000000 bytes","where":"body"}}
        gzip that breaks off
          413 {"error":{"help":"send fewer events a request, or raise the limit in the settings; nothing of this request was taken","message":"the body is larger than 10000000 bytes","where":"body"}}
        an unknown tool
          404 {"error":{"help":"did you mean `nagios`? GET /ingest lists all tools; nothing was taken, the body is kept as a sample: GET /ingest shows it, with a mapping proposed for rules/sources/nagois.yaml","message":"unknown tool `nagois`","where":"path"}}
        a form
          415 {"error":{"help":"send `Content-Type: application/json` (an object or an array), or `application/x-ndjson` (one object a line)","message":"events are JSON, and the body is \"application/x-www-form-urlencoded\"","where":"header Content-Type"}}
    "#]].assert_eq(&text);
    assert_eq!(accepted(to), 0);
    assert_eq!(post(to, EVENTS, r#"{"source":"cron","check":"backup"}"#).status, 200, "it goes on");
}

/// Ten mistakes: two keys, a value, a matcher, a duration, a word, a number, a type, a name that is not there, and
/// something left out.
const TEN: &str = r#"rules:
  - name: first
    pgae: always
    match: 'severity=~"["'
    hold: {longest: 10 minutes}
    page: sometimes
    flap: {enter: many changes in 1h, promote_afer: 45m}
  - match: 'check="disk"'
    page: [always]
judgement: {settle: -3}
routes:
  - name: everything
    receivers: [nobody]
"#;

fn ten_mistakes() -> Expect {
    expect![[r#"
        /rules/ten.yaml:3:5: unknown key `pgae` in a rule (at rules[0])
          |
        3 |     pgae: always
          |     ^^^^
          = help: did you mean `page`?

        /rules/ten.yaml:4:24: `[` is no valid regular expression (at rules[0].match)
          |
        4 |     match: 'severity=~"["'
          |                        ^
          = help: unclosed character class

        /rules/ten.yaml:5:21: `10 minutes` is no duration (at rules[0].hold.longest)
          |
        5 |     hold: {longest: 10 minutes}
          |                     ^^^^^^^^^^
          = help: the units are ms, s (seconds), m (minutes), h (hours), d (days) and w (weeks), as in `1h30m`

        /rules/ten.yaml:6:11: unknown word `sometimes` (at rules[0].page)
          |
        6 |     page: sometimes
          |           ^^^^^^^^^
          = help: allowed here: `auto`, `always`, `never`

        /rules/ten.yaml:7:19: `many changes in 1h` is no pace (at rules[0].flap.enter)
          |
        7 |     flap: {enter: many changes in 1h, promote_afer: 45m}
          |                   ^^^^^^^^^^^^^^^^^^
          = help: write it as `5 changes in 20m`

        /rules/ten.yaml:7:39: unknown key `promote_afer` in a flap section (at rules[0].flap)
          |
        7 |     flap: {enter: many changes in 1h, promote_afer: 45m}
          |                                       ^^^^^^^^^^^^
          = help: did you mean `promote_after`?

        /rules/ten.yaml:8:5: the rule has no `name` (at rules[1])
          |
        8 |   - match: 'check="disk"'
          |     ^^^^^^^^^^^^^^^^^^^^^
          = help: add `name: app hosts run out of memory slowly`

        /rules/ten.yaml:9:11: expected one of `auto`, `always`, `never`, found a list (at rules[1].page)
          |
        9 |     page: [always]
          |           ^^^^^^^^

        /rules/ten.yaml:10:21: `-3` is no duration (at judgement.settle)
           |
        10 | judgement: {settle: -3}
           |                     ^^
          = help: the units are ms, s (seconds), m (minutes), h (hours), d (days) and w (weeks), as in `1h30m`

        /rules/ten.yaml:13:17: there is no receiver `nobody` (at routes[0].receivers[0])
           |
        13 |     receivers: [nobody]
           |                 ^^^^^^
          = help: allowed here: `console`

        10 mistakes found"#]]
}

#[test]
fn a_rule_file_with_ten_mistakes_names_them_all_and_the_old_rules_stay() {
    let old = "rules:\n  - name: loud\n    match: 'check=\"loud\"'\n    page: always\n";
    let (home, _life, to) = serving(old);
    let dir: &Path = home.path();
    fs::write(dir.join("rules/ten.yaml"), TEN).unwrap();
    let answer = post(to, "/-/reload", "");
    let report = answer.json()["error"]["message"].as_str().unwrap().replace(&dir.display().to_string(), "");
    ten_mistakes().assert_eq(&report);
    assert_eq!(answer.status, 400);
    assert_eq!(
        post(to, EVENTS, r#"[{"source":"a","check":"up","status":"resolved"},{"source":"a","check":"loud"}]"#).status,
        200
    );
    assert_eq!(get(to, "/api/v1/tally").json()["pages"]["open"], 1, "the old rules are in force");
}
