//! What happens in each scope: recorded events where they lie beside the checkout, else the built-in story; and what is
//! to be decided, by an engine that nobody disturbs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use flate2::read::GzDecoder;
use squelch::config;
use squelch::domain::{Engine, Event, Input, Policy, Timestamp, Turn};
use squelch::files;
use squelch::formats::native;
use squelch::replay::decisions;
use squelch::replay::pace::Pace;
use squelch::story;

/// The events of a scope, each with when it was received, as the log has them.
pub(crate) type Stream = Vec<Event>;

/// Recorded streams, and how many of their events are taken at most.
const RECORDED: &[&str] = &["postmortem_1", "postmortem_2", "postmortem_3", "ait_santos"];

/// Streams by scope, of at most so many events each.
pub(crate) fn streams(most: usize) -> BTreeMap<String, Stream> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let recorded = RECORDED.iter().filter_map(|case| {
        let file = beside.join(case).join("alerts.jsonl.gz");
        file.is_file().then(|| ((*case).to_owned(), read(&file, most)))
    });
    let told = (1..=6).map(|seed| (format!("story/{seed}"), received(story::events(seed).into_iter().take(most))));
    recorded.chain(told).collect()
}

fn read(file: &Path, most: usize) -> Stream {
    let lines = BufReader::new(GzDecoder::new(File::open(file).unwrap())).lines();
    received(lines.take(most).map(|line| native::read_line(line.unwrap().as_bytes()).unwrap()))
}

/// The events with when a replay has them happen.
fn received(events: impl Iterator<Item = Event>) -> Stream {
    let mut pace = Pace::default();
    let mut stamped = Vec::new();
    let mut keep = |paced: squelch::replay::pace::Paced| {
        let mut event = paced.event;
        event.received = Some(paced.now);
        // As the log gives it back.
        stamped.push(native::read_line(native::write_line(&event).as_bytes()).unwrap());
    };
    for (seq, mut event) in events.enumerate() {
        event.received = None;
        pace.push(seq as u64, event).into_iter().for_each(&mut keep);
    }
    while let Some(paced) = pace.release() {
        keep(paced);
    }
    stamped
}

/// The rules of a folder.
pub(crate) fn policy(rules: &Path) -> Policy {
    config::load(&files::read_rules(Some(rules)).unwrap()).unwrap().policy
}

/// What an engine of its own decides up to the last event, and then up to `tick`.
pub(crate) fn expected(policy: &Policy, stream: &[Event], tick: Option<Timestamp>) -> String {
    let mut engine = Engine::new(Arc::new(policy.clone()));
    let (mut turn, mut text) = (Turn::default(), String::new());
    for (seq, event) in stream.iter().enumerate() {
        engine.handle(event.received.unwrap(), Input::Event { seq: seq as u64, event }, &mut turn);
    }
    while let Some(due) = engine.next_deadline().filter(|due| tick.is_some_and(|tick| *due <= tick)) {
        engine.handle(due.max(engine.now()), Input::Tick, &mut turn);
    }
    turn.decisions.iter().for_each(|decision| decisions::write(decision, &mut text));
    text
}

/// What `squelch replay` decides.
pub(crate) fn replayed(rules: &Path, stream: &[Event]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events.jsonl");
    let lines: Vec<String> = stream.iter().map(native::write_line).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_squelch"))
        .args(["replay", "--decisions", "-", "--rules"])
        .arg(rules)
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
