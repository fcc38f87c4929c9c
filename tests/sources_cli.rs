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
    expect![[r#""#]].assert_eq(&told(&check(MAPPING, &["--source", "acme", "-"], body)));
}

#[test]
fn what_cannot_be_read_is_told_and_the_exit_code_is_one() {
    expect![[r#""#]].assert_eq(&told(&check(MAPPING, &["--source", "acme", "-"], r#"{"rule": {"name": "cpu"}}"#)));
    expect![[r#""#]].assert_eq(&told(&check("chekc: a\n", &["--source", "acme", "-"], "{}")));
    expect![[r#""#]].assert_eq(&told(&check("chekc: a\n", &[], "")));
}

#[test]
fn a_mapping_is_proposed_for_a_tool_that_nobody_knows() {
    let body = r#"{"alert_name": "cpu", "hostname": "db-1", "state": "purple"}"#;
    expect![[r#""#]].assert_eq(&told(&check(MAPPING, &["--source", "zenith", "-"], body)));
}

#[test]
fn formats_in_code_show_their_events_too() {
    let body = r#"{"check_id": 7, "check_name": "shop", "current_state": "DOWN", "check_params": {"hostname": "shop.example"}}"#;
    let output = check(MAPPING, &["--source", "pingdom", "-"], body);
    assert!(told(&output).contains("  host           shop.example"), "{}", told(&output));
    assert_eq!(check(MAPPING, &["--source", "acme"], "").status.code(), Some(2));
}
