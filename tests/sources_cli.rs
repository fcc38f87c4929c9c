//! `squelch check --source`: what the real binary shows of a body.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use expect_test::expect;

const MAPPING: &str = "\
check: rule.name
host: {from: instance, match: '^([^:]+)'}
service: labels.service
status: state
severity: {from: priority, map: {P1: critical}}
dedup_key: \"{rule.name}/{instance}\"
value: measured
labels: {team: labels.team}
";

/// Runs `squelch check` in a folder with this mapping of the tool `acme`, and a body on standard input.
fn check(mapping: &str, arguments: &[&str], body: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let sources = dir.path().join("rules/sources");
    fs::create_dir_all(&sources).unwrap();
    fs::write(sources.join("acme.yaml"), mapping).unwrap();
    run(dir.path(), arguments, body)
}

fn run(dir: &Path, arguments: &[&str], body: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squelch"));
    command.arg("check").args(arguments).current_dir(dir).env("NO_COLOR", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(body.as_bytes());
    child.wait_with_output().unwrap()
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("exit {:?}\n{}{}", output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn every_field_is_shown_with_where_it_came_from() {
    let body = r#"{"rule": {"name": "cpu"}, "instance": "db-1:9100", "state": "open", "priority": "P1", "measured": "93 %",
        "labels": {"team": "ops"}, "note": "$NOTE"}"#;
    expect![[r#"
        exit 0
        event 0: firing critical of acme
          check          cpu  (rule.name)
          host           db-1  (instance)
          kind           other
          status         firing  (state)
          severity       critical  (priority)
          dedup_key      cpu/db-1:9100  (rule.name + instance)
          ts             at receipt
          value          93  (measured)
          unit           %
          labels.team    ops  (labels.team)
          not found: service
        1 event, 0 refused
    "#]]
    .assert_eq(&told(&check(MAPPING, &["--source", "acme", "-"], body)));
}

#[test]
fn what_cannot_be_read_is_told_and_the_exit_code_is_one() {
    expect![[r#"
        exit 1
        -: event 0: status: is missing; without a status nothing can be judged; give it a `default` in the mapping if it may be absent
    "#]].assert_eq(&told(&check(MAPPING, &["--source", "acme", "-"], r#"{"rule": {"name": "cpu"}}"#)));
    let mistake = expect![[r#"
        exit 1
        rules/sources/acme.yaml:1:1: unknown key `chekc` in a mapping file
          |
        1 | chekc: a
          | ^^^^^
          = help: did you mean `check`?

        1 mistake in 1 file: nothing of it is in force
    "#]];
    // Whether a body is read or all files are checked.
    mistake.assert_eq(&told(&check("chekc: a\n", &["--source", "acme", "-"], "{}")));
    mistake.assert_eq(&told(&check("chekc: a\n", &[], "")));
}

#[test]
fn a_mapping_is_proposed_for_a_tool_that_nobody_knows() {
    let body = r#"{"alert_name": "cpu", "hostname": "db-1", "state": "purple"}"#;
    expect![[r#"
        exit 1
        -: unknown tool `zenith`; GET /ingest lists all tools

        rules/sources/zenith.yaml could begin as:

        # Proposed from one body: look at it, then try it with `squelch check --source zenith BODY.json`.
        title: "zenith: webhook"
        setup: "webhook URL: /ingest/zenith"
        check: alert_name
        host: hostname
        status: {from: state, map: {"purple": firing, "*": resolved}}  # which words mean what?

    "#]]
    .assert_eq(&told(&check(MAPPING, &["--source", "zenith", "-"], body)));
}

#[test]
fn formats_in_code_show_their_events_too() {
    let body = r#"{"check_id": 7, "check_name": "shop", "current_state": "DOWN", "check_params": {"hostname": "shop.example"}}"#;
    let output = check(MAPPING, &["--source", "pingdom", "-"], body);
    assert!(told(&output).contains("  host           shop.example"), "{}", told(&output));
    assert_eq!(check(MAPPING, &["--source", "acme"], "").status.code(), Some(2));
}
