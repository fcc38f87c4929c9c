//! The real binary: arguments, streams, exit codes.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The binary, in a folder of its own without rules.
fn squelch(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squelch"));
    command.current_dir(folder).env("NO_COLOR", "1");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    squelch(folder).args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Ten good lines, a blank one, and three bad ones among them.
fn mixed(folder: &Path) -> PathBuf {
    let mut text = String::new();
    for minute in 0..10 {
        let ts = 1_800_000_000 + 60 * minute;
        text.push_str(&format!("{{\"ts\":{ts},\"source\":\"nagios\",\"check\":\"load\",\"host\":\"app-1\"}}\n"));
        match minute {
            2 => text.push_str("{\"ts\":\n"),
            4 => text.push('\n'),
            6 => text.push_str("{\"source\":\"nagios\",\"severity\":\"dreadful\"}\n"),
            8 => text.push_str("no json at all\n"),
            _ => {}
        }
    }
    let path = folder.join("mixed.jsonl");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_demonstration_prints_an_account_whose_sums_hold() {
    let folder = folder();
    let output = run(folder.path(), &["demo"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(out(&output).contains("every event accounted for, exactly once"));
    assert!(out(&output).lines().all(|line| line.chars().count() <= 100), "{}", out(&output));
    assert!(said(&output).is_empty(), "quiet in a pipe: {}", said(&output));
}

#[test]
fn the_written_story_replays_to_the_same_decisions() {
    let folder = folder();
    let direct = run(folder.path(), &["demo", "--decisions", "-"]);
    assert_eq!(run(folder.path(), &["demo", "--write", "story.jsonl"]).status.code(), Some(0));
    let replayed = run(folder.path(), &["replay", "--decisions", "-", "story.jsonl"]);
    assert!(!out(&direct).is_empty());
    assert!(out(&direct) == out(&replayed), "the decisions differ");
}

#[test]
fn bad_lines_are_told_with_their_numbers_and_the_good_ones_are_judged() {
    let folder = folder();
    mixed(folder.path());
    let output = run(folder.path(), &["replay", "mixed.jsonl", "--decisions", "out.jsonl"]);
    assert_eq!(output.status.code(), Some(0));
    for line in ["mixed.jsonl:4:", "mixed.jsonl:10:", "mixed.jsonl:13:"] {
        assert!(said(&output).contains(line), "{line} is missing in {}", said(&output));
    }
    assert!(said(&output).contains("critical"), "the help names the words: {}", said(&output));
    assert!(out(&output).contains("3  lines were no valid event"), "{}", out(&output));
    let decisions = fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let seqs: Vec<u64> = decisions
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["type"] == "verdict")
        .map(|line| line["seq"].as_u64().unwrap())
        .collect();
    let mut sorted = seqs.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [0, 1, 2, 4, 5, 6, 7, 9, 10, 12], "blank lines have no number, bad ones do");
}

#[test]
fn many_bad_lines_are_counted() {
    let folder = folder();
    fs::write(folder.path().join("bad.jsonl"), "nonsense\n".repeat(50)).unwrap();
    let output = run(folder.path(), &["replay", "bad.jsonl"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(said(&output).matches("bad.jsonl:").count(), 20);
    assert!(said(&output).contains("30 more lines"), "{}", said(&output));
}

#[test]
fn strict_stops_at_the_first_bad_line() {
    let folder = folder();
    mixed(folder.path());
    let output = run(folder.path(), &["replay", "--strict", "mixed.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("mixed.jsonl:4:"), "{}", said(&output));
    assert!(out(&output).is_empty());
}

#[test]
fn a_line_without_end_is_left_out_and_memory_stays() {
    let folder = folder();
    let mut text = "x".repeat(3 << 20);
    text.push_str("\n{\"ts\":1800000000,\"source\":\"nagios\",\"check\":\"load\"}\n");
    fs::write(folder.path().join("long.jsonl"), text).unwrap();
    let output = run(folder.path(), &["replay", "long.jsonl"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(said(&output).contains("long.jsonl:1: the line is longer"), "{}", said(&output));
    assert!(out(&output).starts_with("1 event in"), "{}", out(&output));
}

#[test]
fn standard_input_and_packed_files_say_the_same() {
    let folder = folder();
    let path = mixed(folder.path());
    let text = fs::read(&path).unwrap();
    let plain = run(folder.path(), &["replay", "mixed.jsonl", "--decisions", "-"]);

    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&text[..200]).unwrap();
    let mut packed = gzip.finish().unwrap();
    let mut second = GzEncoder::new(Vec::new(), Compression::fast());
    second.write_all(&text[200..]).unwrap();
    packed.extend(second.finish().unwrap());
    fs::write(folder.path().join("no-name"), packed).unwrap();
    let gzipped = run(folder.path(), &["replay", "no-name", "--decisions", "-"]);
    assert_eq!(out(&plain), out(&gzipped), "two gzip members, known by their first bytes");

    let halves = ruzstd::encoding::CompressionLevel::Fastest;
    let mut packed = ruzstd::encoding::compress_to_vec(&text[..200], halves);
    packed.extend(ruzstd::encoding::compress_to_vec(&text[200..], halves));
    fs::write(folder.path().join("no-name"), packed).unwrap();
    let zstd = run(folder.path(), &["replay", "no-name", "--decisions", "-"]);
    assert_eq!(out(&plain), out(&zstd), "two zstd frames");

    let mut child = squelch(folder.path())
        .args(["replay", "-", "--decisions", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&text).unwrap();
    let piped = child.wait_with_output().unwrap();
    assert_eq!(out(&plain), out(&piped));
}

#[test]
fn a_cut_archive_is_told() {
    let folder = folder();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&fs::read(mixed(folder.path())).unwrap()).unwrap();
    let packed = gzip.finish().unwrap();
    fs::write(folder.path().join("cut.gz"), &packed[..packed.len() / 2]).unwrap();
    let output = run(folder.path(), &["replay", "cut.gz"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("cut.gz"), "{}", said(&output));
}

#[test]
fn a_reader_that_leaves_is_no_fault() {
    let folder = folder();
    let mut child = squelch(folder.path())
        .args(["demo", "--decisions", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).is_empty(), "{}", said(&output));
}

#[test]
fn exit_codes_tell_wrong_usage_from_wrong_input() {
    let folder = folder();
    fs::create_dir(folder.path().join("rules")).unwrap();
    for (arguments, code) in [
        (&["--version"][..], 0),
        (&["--help"], 0),
        (&[], 2),
        (&["replay"], 2),
        (&["reply", "x"], 2),
        (&["why"], 2),
        (&["why", "seven", "--replay", "/dev/null"], 2),
        (&["why", "7", "--replay", "/dev/null"], 1),
        (&["replay", "absent.jsonl"], 1),
        (&["replay", "rules"], 1),
        (&["replay", "--topology", "absent.json", "/dev/null"], 1),
        (&["replay", "--rules", "absent", "/dev/null"], 1),
        (&["replay", "/dev/null"], 0),
        (&["test"], 1),
    ] {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(code == 0 || !said(&output).is_empty(), "{arguments:?} says nothing");
    }
}

#[test]
fn every_mistake_in_the_rules_is_told_at_once() {
    let folder = folder();
    fs::create_dir(folder.path().join("rules")).unwrap();
    let rules = "rules:\n  - name: one\n    pgae: never\n  - name: two\n    match: 'severity=dreadful'\n";
    fs::write(folder.path().join("rules/app.yaml"), rules).unwrap();
    for arguments in [&["check"][..], &["replay", "/dev/null"]] {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1));
        for part in ["app.yaml:3:5", "did you mean `page`?", "app.yaml:5:"] {
            assert!(said(&output).contains(part), "{part} is missing in {}", said(&output));
        }
    }
}

#[test]
fn a_rule_test_that_fails_says_what_was_expected_and_what_came() {
    let folder = folder();
    let test = "signals: {odd: {source: me, kind: change, service: web}}\ntimeline:\n  - {at: 1m, event: odd}\n\
                expect:\n  - pages: 1\n";
    fs::write(folder.path().join("a_change_pages.yaml"), test).unwrap();
    let output = run(folder.path(), &["test", "a_change_pages.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    for part in ["FAIL  a change pages", "a_change_pages.yaml:5", "expected  1 pages in all", "0 of 0 fit", "1 failed"]
    {
        assert!(out(&output).contains(part), "{part} is missing in {}", out(&output));
    }
    let wrong = test.replace("event: odd", "event: even").replace("pages: 1", "pgaes: 1");
    fs::write(folder.path().join("wrong.yaml"), wrong).unwrap();
    let output = run(folder.path(), &["test", "wrong.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    for part in ["there is no signal `even`", "allowed here: `odd`", "`pgaes`"] {
        assert!(said(&output).contains(part), "{part} is missing in {}", said(&output));
    }
}

#[test]
fn the_tests_of_the_shipped_rules_pass() {
    let output = run(Path::new(env!("CARGO_MANIFEST_DIR")), &["test"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), said(&output));
    assert!(out(&output).contains("tests passed"), "{}", out(&output));
}

#[test]
fn what_was_learned_is_learned_once() {
    let folder = folder();
    run(folder.path(), &["demo", "--write", "story.jsonl"]);
    let story = fs::read_to_string(folder.path().join("story.jsonl")).unwrap();
    // The first tenth of it, which lies in the past wherever this runs.
    let past: String =
        story.lines().take(400).map(|line| line.replace("\"ts\":17724", "\"ts\":16724") + "\n").collect();
    fs::write(folder.path().join("past.jsonl"), past).unwrap();
    let first = run(folder.path(), &["learn", "--data-dir", "data", "past.jsonl"]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    assert!(out(&first).contains("learned from 400 events"), "{}", out(&first));
    let second = run(folder.path(), &["learn", "--data-dir", "data", "past.jsonl"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(said(&second).contains("holds events already"), "{}", said(&second));
}

#[test]
fn baseline_adds_a_score_to_every_row_and_tells_the_rows_that_it_cannot_read() {
    let folder = folder();
    let mut text = String::from("id,timestamp,value\n");
    for minute in 0..400 {
        let value = if minute == 390 { 90.0 } else { f64::from(minute % 7) };
        let (day, hour, at) = (1 + minute / 288, minute % 288 / 12, minute % 12 * 5);
        text.push_str(&format!("\"a, {minute}\",2026-11-{day:02} {hour:02}:{at:02}:00,{value}\n"));
    }
    text.push_str("x,yesterday,1\ny,2026-11-03T00:00:00Z,\nz\n");
    fs::write(folder.path().join("load.csv"), &text).unwrap();
    let output = run(folder.path(), &["baseline", "load.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let rows: Vec<String> = out(&output).lines().map(str::to_owned).collect();
    assert_eq!((rows.len(), rows[0].as_str()), (404, "id,timestamp,value,anomaly_score"));
    assert_eq!(rows[1], "\"a, 0\",2026-11-01 00:00:00,0,0");
    assert_eq!(&rows[402..], ["y,2026-11-03T00:00:00Z,,0", "z,,,0"]);
    let score = |row: &str| row.rsplit(',').next().unwrap().parse::<f64>().unwrap();
    let unusual: Vec<usize> = (1..rows.len()).filter(|row| score(&rows[*row]) >= 0.5).collect();
    assert_eq!(unusual, [391]);
    for line in ["load.csv:402: `yesterday` is no time", "load.csv:403: `` is no number", "load.csv:404: `` is no time"]
    {
        assert!(said(&output).contains(line), "{}", said(&output));
    }
}

#[test]
fn baseline_names_the_columns_that_are_there_when_it_does_not_find_its_own() {
    let folder = folder();
    fs::write(folder.path().join("load.csv"), "when,load\n1800000000,1\n").unwrap();
    let output = run(folder.path(), &["baseline", "load.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("it has when, load: choose one with --time-column"), "{}", said(&output));
    let output = run(folder.path(), &["baseline", "--time-column", "when", "--value-column", "load", "load.csv"]);
    assert_eq!(out(&output), "when,load,anomaly_score\n1800000000,1,0\n");
    let output = run(folder.path(), &["baseline", "--constant", "luck=1", "load.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("drift_block"), "{}", said(&output));
}

#[test]
fn a_replay_is_drawn_and_held_against_other_rules() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["demo", "--write", "story.jsonl"]).status.code(), Some(0));
    fs::create_dir(folder.path().join("quiet")).unwrap();
    fs::write(folder.path().join("quiet/mine.yaml"), "judgement: {sensitivity: quiet}\n").unwrap();
    let output = run(folder.path(), &["replay", "--report", "run.html", "--compare", "quiet", "story.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(out(&output).contains("by the rules in force"), "{}", out(&output));
    assert!(fs::read_to_string(folder.path().join("run.html")).unwrap().ends_with("</html>\n"));
    let output = run(folder.path(), &["replay", "--compare", "quiet", "--json", "story.jsonl"]);
    let object: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(object["second"]["rules"], "quiet");
    for wrong in [
        &["replay", "--json", "--decisions", "-", "story.jsonl"][..],
        &["replay", "--compare", "quiet", "--decisions", "-", "story.jsonl"],
    ] {
        assert_eq!(run(folder.path(), wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(run(folder.path(), &["replay", "--compare", "nowhere", "story.jsonl"]).status.code(), Some(1));
}

#[test]
fn tune_changes_nothing_and_says_when_there_is_nothing_to_look_at() {
    let folder = folder();
    mixed(folder.path());
    let output = run(folder.path(), &["tune", "mixed.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(out(&output).starts_with("# "), "{}", out(&output));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no file was written");
    fs::write(folder.path().join("empty.jsonl"), "").unwrap();
    assert_eq!(run(folder.path(), &["tune", "empty.jsonl"]).status.code(), Some(1));
    assert_eq!(run(folder.path(), &["tune"]).status.code(), Some(2));
}

#[test]
fn the_digest_of_a_recording_is_text_json_or_a_file_that_opens_anywhere() {
    let folder = folder();
    let at = folder.path();
    assert_eq!(run(at, &["demo", "--write", "story.jsonl"]).status.code(), Some(0));
    let week = ["digest", "--replay", "story.jsonl", "--since", "7d"];
    let text = run(at, &week);
    assert_eq!(text.status.code(), Some(0), "{}", said(&text));
    assert!(out(&text).starts_with("Last week 4,470 events became "), "{}", out(&text));
    assert!(out(&text).lines().all(|line| line.chars().count() <= 100), "{}", out(&text));
    let json = run(at, &[&week[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&out(&json)).unwrap();
    let sum: u64 = json["outcomes"].as_object().unwrap().values().map(|sum| sum.as_u64().unwrap()).sum();
    assert_eq!((sum, &json["events"]["accepted"]), (4_470, &4_470.into()));
    let file = run(at, &[&week[..], &["--preview", "week.html"]].concat());
    assert_eq!((file.status.code(), out(&file).as_str()), (Some(0), ""), "{}", said(&file));
    let page = fs::read_to_string(at.join("week.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("data:image/png;base64,") && !page.contains("cid:"));
    let unknown = run(at, &[&week[..], &["--name", "shop"]].concat());
    assert_eq!(unknown.status.code(), Some(1));
    assert_eq!(run(at, &["digest", "--since", "soon"]).status.code(), Some(2));
}
