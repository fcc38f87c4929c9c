//! The real binary from end to end: learn, serve, an event that pages, the questions to the running one, and the
//! same questions to the stopped one.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/client.rs"]
mod client;

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use client::{get, post};
use serde_json::Value;

/// The past to learn from: one alert an hour, in 2023.
const FROM: u64 = 1_700_000_000;
const HOURS: u64 = 20;

const EVENT: &str =
    r#"{"source":"me","kind":"host","service":"shop","host":"db-1","check":"disk","severity":"critical","value":97}"#;

/// A folder with a rule under which every critical alert pages at once.
fn house() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    let rule = "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";
    fs::write(dir.path().join("rules/loud.yaml"), rule).unwrap();
    let settings = "external_url: https://squelch.example.org/\nstore: {min_free: 1MiB}\n";
    fs::write(dir.path().join("squelch.yaml"), settings).unwrap();
    let past: String = (0..HOURS)
        .map(|hour| {
            let ts = FROM + 3_600 * hour;
            format!(
                "{{\"ts\":{ts},\"source\":\"nagios\",\"check\":\"load\",\"host\":\"app-1\",\"status\":\"event\"}}\n"
            )
        })
        .collect();
    fs::write(dir.path().join("past.jsonl"), past).unwrap();
    dir
}

fn squelch(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squelch"));
    command.current_dir(dir).env("NO_COLOR", "1").args(arguments);
    command
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    squelch(dir, arguments).output().unwrap()
}

/// What a command that does its work prints.
fn told(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The binary, serving.
struct Serving {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl Serving {
    fn start(dir: &Path) -> Self {
        let arguments = ["serve", "--config", "squelch.yaml", "--listen", "127.0.0.1:0", "--data-dir", "data"];
        let mut child = squelch(dir, &arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().expect("it ended before it listened").unwrap();
        let address = first.rsplit('/').next().unwrap().parse().unwrap();
        Self { child, lines, address }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it by SIGTERM; returns what it printed.
    fn stop(mut self) -> String {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let printed: Vec<String> = self.lines.by_ref().map(Result::unwrap).collect();
        assert!(self.child.wait().unwrap().success());
        printed.join("\n")
    }
}

/// A test that fails leaves no process behind.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_running_squelch_and_a_stopped_one_explain_the_same_incident() {
    let house = house();
    let dir = house.path();
    let missing = run(dir, &["why", "1", "--data-dir", "data"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(said(&missing).contains("there is no store in data"), "{}", said(&missing));
    assert!(!dir.join("data").exists(), "looking makes no store");

    let serving = Serving::start(dir);
    let url = serving.url();
    assert_eq!(post(serving.address, "/api/v1/events", EVENT).status, 200);
    let listed = told(dir, &["incidents", "--server", &url]);
    assert!(listed.starts_with("#1 ") && listed.contains("disk") && listed.contains("open"), "{listed}");
    let why = told(dir, &["why", "1", "--server", &url]);
    assert!(why.contains("disk") && why.contains("loud"), "{why}");
    let locked = run(dir, &["why", "1", "--data-dir", "data"]);
    assert_eq!(locked.status.code(), Some(1));
    assert!(said(&locked).contains("in use") && said(&locked).contains("--server"), "{}", said(&locked));
    let alive = get(serving.address, "/api/v1/incidents/1/why").json();
    let printed = serving.stop();
    assert!(printed.contains("https://squelch.example.org/api/v1/events"), "{printed}");
    assert!(printed.contains("disk"), "nobody was paged: {printed}");

    assert_eq!(told(dir, &["incidents", "--data-dir", "data"]), listed);
    let series = told(dir, &["why", "--series", "db-1 disk", "--data-dir", "data"]);
    assert!(series.contains("loud"), "{series}");
    let stopped: Value =
        serde_json::from_str(&told(dir, &["why", "1", "--json", "--rules", "rules", "--data-dir", "data"])).unwrap();
    for field in ["incident", "title", "paged", "moments"] {
        assert_eq!(stopped[field], alive[field], "{field}");
    }
    assert!(stopped["paged"].is_number(), "{stopped}");
    let sentences = told(dir, &["why", "1", "--data-dir", "data"]);
    assert!(sentences.contains("disk") && sentences.contains("loud"), "{sentences}");
    let unknown = run(dir, &["why", "7", "--data-dir", "data"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(said(&unknown).contains("known: 1"), "{}", said(&unknown));
}

#[test]
fn a_backup_of_a_running_squelch_brings_back_what_it_knew() {
    let house = house();
    let dir = house.path();
    let serving = Serving::start(dir);
    let url = serving.url();
    assert_eq!(post(serving.address, "/api/v1/events", EVENT).status, 200);
    let listed = told(dir, &["incidents", "--server", &url]);
    let backed = run(dir, &["backup", "--server", &url, "-o", "a.sqb"]);
    assert_eq!(backed.status.code(), Some(0), "{}", said(&backed));
    assert!(said(&backed).contains("backed up"), "{}", said(&backed));
    assert!(!fs::exists(dir.join("data/backup.part")).unwrap(), "nothing is left beside the store");
    assert_eq!(post(serving.address, "/api/v1/events", EVENT).status, 200, "it goes on");
    serving.stop();
    told(dir, &["restore", "a.sqb", "--data-dir", "again"]);
    assert_eq!(told(dir, &["incidents", "--data-dir", "again"]), listed);
}

#[test]
fn a_damaged_store_is_looked_at_and_not_mended() {
    let house = house();
    let dir = house.path();
    let serving = Serving::start(dir);
    assert_eq!(post(serving.address, "/api/v1/events", EVENT).status, 200);
    serving.stop();
    fs::write(dir.join("data/durable"), "overwritten").unwrap();
    for _ in 0..2 {
        let output = run(dir, &["why", "1", "--data-dir", "data"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let told = said(&output);
        assert!(told.contains("damage: data/durable: the side file") && told.contains("only read"), "{told}");
    }
    assert_eq!(fs::read_to_string(dir.join("data/durable")).unwrap(), "overwritten");
    assert!(!dir.join("data/quarantine").exists());
}

#[test]
fn serve_goes_on_from_what_was_learned() {
    let house = house();
    let dir = house.path();
    told(dir, &["learn", "--data-dir", "data", "past.jsonl"]);
    let learned = told(dir, &["why", "--series", "app-1 load", "--json", "--data-dir", "data"]);
    let serving = Serving::start(dir);
    let answer = post(serving.address, "/api/v1/events", EVENT).json();
    assert_eq!(answer["first_seq"], HOURS, "numbers go on behind the history");
    assert_eq!(get(serving.address, "/api/v1/tally").json()["accepted"], HOURS + 1);
    let known = told(dir, &["why", "--series", "app-1 load", "--json", "--server", &serving.url()]);
    let heard = |text: &str| serde_json::from_str::<Value>(text).unwrap()["first_heard"].clone();
    assert_eq!((heard(&learned), heard(&known)), ((FROM as f64).into(), (FROM as f64).into()));
    serving.stop();
}

#[test]
fn one_place_is_asked_at_a_time() {
    let house = house();
    for arguments in [
        &["why", "1", "--data-dir", "data", "--server", "http://127.0.0.1:1"][..],
        &["why", "1", "--data-dir", "data", "--replay", "past.jsonl"],
        &["why", "1", "--rules", "rules"],
        &["incidents", "--data-dir", "data", "--server", "http://127.0.0.1:1"],
    ] {
        assert_eq!(run(house.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_silence_is_set_listed_and_ended_from_the_command_line() {
    let house = house();
    let dir = house.path();
    let serving = Serving::start(dir);
    let url = serving.url();
    let silence = |arguments: &[&str]| {
        let mut all = vec!["silence"];
        all.extend(arguments);
        all.extend(["--server", &url]);
        run(dir, &all)
    };
    let printed = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    let set =
        ["add", "--for", "2h", "--author", "ada", "--comment", "disk swap", "alertname=DiskFull", r#"host=~"db-.*""#];
    let added = silence(&set);
    assert!(added.status.success(), "{}", said(&added));
    let id = printed(&added).trim().to_owned();
    let listed = printed(&silence(&["list"]));
    assert!(listed.contains(&id) && listed.contains(r#"alertname="DiskFull", host=~"db-.*""#), "{listed}");
    assert!(listed.contains("ends in 2 h") && listed.contains("ada: disk swap"), "{listed}");
    assert_eq!(printed(&silence(&["query", "--quiet", "alertname=DiskFull"])), format!("{id}\n"));
    assert_eq!(printed(&silence(&["query", "alertname=Other"])), "no silences\n");
    assert!(silence(&["expire", &id]).status.success());
    assert_eq!(printed(&silence(&["list"])), "no silences\n");
    assert!(printed(&silence(&["list", "--expired"])).contains("ended "));
    for (wrong, code, told) in [
        (vec!["add", "-a", "ada", "-c", "x", "host=~("], 2, "is no matcher"),
        (vec!["add", "-a", "ada", "-c", "x", "--for", "soon", "a=b"], 2, "--for"),
        (vec!["add", "-a", "ada", "a=b"], 2, "--comment"),
        (vec!["add", "-a", "ada", "-c", "x", "a="], 1, "must not match the empty string"),
        (vec!["expire", "foo"], 1, "must be of type uuid"),
        (vec!["expire", "2f5a7e36-0ee5-4a6f-9a61-1d2bd6d9c2ab"], 1, "it is not known there"),
    ] {
        let output = silence(&wrong);
        assert_eq!(output.status.code(), Some(code), "{wrong:?}: {}", said(&output));
        assert!(said(&output).contains(told), "{wrong:?}: {}", said(&output));
    }
    serving.stop();
}

#[test]
fn the_history_of_a_stopped_squelch_is_judged_again() {
    let house = house();
    let dir = house.path();
    let serving = Serving::start(dir);
    assert_eq!(post(serving.address, "/api/v1/events", EVENT).status, 200);
    let live = get(serving.address, "/api/v1/incidents/1").json();
    serving.stop();
    let decisions = told(dir, &["replay", "--rules", "rules", "--data-dir", "data", "--decisions", "-"]);
    let page: Value = decisions
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|line| line["type"] == "page")
        .expect("the replay pages nobody");
    assert_eq!((&page["ts"], &page["title"]), (&live["paged"], &live["title"]));
}
