//! A cluster moves to more partitions: every scope goes on where it was, and what was told keeps its number.

use std::collections::BTreeSet;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use squelch::clock::Clock;
use squelch::cluster::message;
use squelch::cluster::word::Word;
use squelch::domain::{LooksAt, Matcher, Silence, Timestamp};

use crate::asks::{numbers, sent};
use crate::bad_input::until_told;
use crate::broker::Broker;
use crate::client::{get, post};
use crate::decisions::{Decisions, assert_same};
use crate::live::{LOUD, event, pages, until};
use crate::log::{Writer, mixed};
use crate::nodes::Cluster;
use crate::receiver::Receiver;
use crate::streams::{expected, policy, streams};

/// So many partitions there are after the move.
const MORE: i32 = 8;

fn command(from: &Cluster, to: &Cluster, apply: bool) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_squelch"));
    command.args(["cluster", "move", "--from"]).arg(from.path("squelch.yaml"));
    command.arg("--to").arg(to.path("squelch.yaml")).args(apply.then_some("--apply"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// What the move says, which does it.
fn done(from: &Cluster, to: &Cluster, apply: bool) -> String {
    let output = command(from, to, apply).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    told(&output)
}

/// What the move says, which refuses.
fn refused(from: &Cluster, to: &Cluster, why: &str) {
    let output = command(from, to, true).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains(why), "`{why}` is not told: {}", told(&output));
}

#[test]
fn scope_by_scope_the_decisions_before_and_after_a_move_are_those_of_one_engine() {
    let Some(broker) = Broker::shared() else { return };
    let old = Cluster::new(&broker, "small", ("", ", tick: 1h"));
    let new = old.moved(&broker, "large", MORE);
    let mut worker = old.node(0, "worker");
    let streams = streams(400);
    let policy = policy(&old.path("rules"));
    let end = streams.values().filter_map(|stream| stream.last()?.received).min().unwrap().after(2.0 * 86_400.0);
    let wanted: Vec<_> = streams.iter().map(|(scope, stream)| (scope, expected(&policy, stream, Some(end)))).collect();
    worker.until_ready();
    let (writer, mut before) = (Writer::new(&broker, &old), Decisions::new(&broker, &old));
    let all = mixed(&streams);
    let (first, second) = all.split_at(all.len() / 2);
    first.iter().for_each(|(scope, event)| writer.event(scope, event));
    writer.flush();
    until("decisions", || before.read(Duration::from_millis(200)), |()| true);
    refused(&old, &new, "1 workers of the old cluster `small` are running");
    worker.stop();
    second.iter().for_each(|(scope, event)| writer.event(scope, event));
    writer.flush();
    misused(&broker, &old, &new);
    let seen = done(&old, &new, false);
    assert!(seen.contains("nothing was changed") && seen.contains("are not judged yet"), "{seen}");
    // It is broken off somewhere, and run again.
    for after in [300, 900] {
        let mut broken: Child = command(&old, &new, true).spawn().unwrap();
        sleep(Duration::from_millis(after));
        broken.kill().unwrap();
        broken.wait().unwrap();
    }
    let moved = done(&old, &new, true);
    println!("{moved}");
    let mut workers = [new.node(0, "worker"), new.node(1, "worker")];
    workers.iter_mut().for_each(|worker| worker.until_ready());
    let writer = Writer::new(&broker, &new);
    writer.tick(end);
    writer.flush();
    before.read(Duration::from_secs(1));
    let mut after = Decisions::new(&broker, &new);
    let known: usize = before.text.values().map(String::len).sum();
    let bytes: usize = wanted.iter().map(|(_, text)| text.len()).sum();
    assert!(known < bytes, "something is left for the new cluster");
    after.read_all(bytes - known, Duration::from_secs(120));
    let part = |decisions: &Decisions, scope: &str| decisions.text.get(scope).cloned().unwrap_or_default();
    for (scope, wanted) in &wanted {
        assert_same(scope, &(part(&before, scope) + &part(&after, scope)), wanted);
    }
    println!("{known} bytes of decisions before the move, {} after it, all the same", bytes - known);
}

fn misused(broker: &Broker, old: &Cluster, new: &Cluster) {
    refused(old, old, "must have another `name` and another `prefix`");
    let nowhere = old.moved(broker, "nowhere", 4);
    refused(&nowhere, new, "there is no topic `nowhere.state`");
    let used = old.moved(broker, "used", MORE);
    broker.create("used.events", MORE);
    let producer: BaseProducer = broker.client().create().unwrap();
    producer.send(BaseRecord::<(), _>::to("used.events").payload("{}")).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(20)).unwrap();
    refused(old, &used, "the topic `used.events` is not empty");
    let other = old.moved(broker, "used", MORE + 1);
    refused(old, &other, "has 8 partitions, and the new settings say 9");
    // Who only changes the number is told of the command.
    let changed = old.moved(broker, "small", MORE);
    until_told(&mut changed.node(0, "http,worker"), 503, "squelch cluster move");
}

/// An order for all scopes, as it stands in the log.
fn silence(host: &str) -> Vec<u8> {
    let now = Clock::start(Timestamp::EPOCH).now();
    let silence = Silence {
        id: format!("s-{host}"),
        matchers: vec![Matcher::parse(&format!("host={host}")).unwrap()],
        looks_at: LooksAt::Fields,
        from: now,
        until: now.after(3600.0),
        owner: "ada".to_owned(),
        reason: "swap".to_owned(),
        updated: now,
    };
    message::order(&Word::Silence { silence }, now).unwrap().value
}

#[test]
fn people_answer_by_the_old_numbers_and_no_page_comes_again() {
    let Some(broker) = Broker::shared() else { return };
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "only nodes of this cluster know it\n").unwrap();
    let more = format!(", secret_file: {}", secret.display());
    let old = Cluster::new(&broker, "narrow", (&format!("{LOUD}{}", receiver.routes()), &more));
    let new = old.moved(&broker, "wide", MORE);
    let (mut worker, mut door) = (old.node(0, "worker"), old.node(1, "http"));
    worker.until_ready();
    door.until_ready();
    let to = door.address();
    let fires = |to, scope: &str, host: &str| {
        assert_eq!(post(to, "/api/v1/events", &event(scope, host, "firing")).status, 200);
    };
    let set = r#"{"matchers":["host=\"db-2\""],"for":"1h","owner":"ada","reason":"swap"}"#;
    assert_eq!(post(to, "/api/v1/silences", set).status, 201);
    ["a", "b", "c", "d", "e", "f", "g"].iter().for_each(|scope| fires(to, scope, "db-1"));
    until("pages", || pages(&receiver).len(), |count| *count >= 7);
    // One more is owed when the worker stops.
    receiver.refuse(true);
    fires(to, "h", "db-1");
    let open = until("incidents", || get(to, "/api/v1/incidents"), |answer| numbers(answer).len() == 8);
    let before = numbers(&open);
    worker.stop();
    // What comes now is judged after the move: also what is said to all, between what comes before it and after it.
    fires(to, "i", "db-1");
    fires(to, "d", "db-2");
    let writer = Writer::new(&broker, &old);
    writer.say("order", &silence("db-4"));
    writer.flush();
    fires(to, "d", "db-4");
    done(&old, &new, true);
    // A node that nobody has told of it still takes events.
    fires(to, "j", "db-1");
    receiver.refuse(false);
    let (mut worker, mut other) = (new.node(0, "worker"), new.node(1, "http"));
    worker.until_ready();
    other.until_ready();
    let again = done(&old, &new, true);
    assert!(again.contains("it was moved before"), "{again}");
    done(&old, &new, true);
    let to = other.address();
    let open = until("all incidents", || get(to, "/api/v1/incidents"), |answer| numbers(answer).len() == 10);
    let after = numbers(&open);
    assert!(before.is_subset(&after), "{before:?} {after:?}");
    until("all pages", || pages(&receiver).len(), |count| *count >= 10);
    for number in &before {
        let taken = sent(to, "POST", &format!("/api/v1/incidents/{number}/ack"), "{\"by\":\"ada\"}");
        assert!(taken.status == 200 && !taken.json()["acknowledged"].is_null(), "{number}: {}", taken.body);
    }
    assert_eq!(sent(to, "POST", "/api/v1/incidents/999000999007/ack", "{\"by\":\"ada\"}").status, 404);
    assert_eq!(get(to, "/api/v1/silences").json()["silences"].as_array().unwrap().len(), 2);
    let told = until("that they are taken", || pages(&receiver), |told| told.len() >= 18);
    sleep(Duration::from_secs(1));
    let keys: BTreeSet<&String> = told.iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), told.len(), "a page came again: {told:?}");
    let about: BTreeSet<u64> = keys.iter().map(|key| key.split('.').next().unwrap().parse().unwrap()).collect();
    assert_eq!(about, after, "each under the number that it had from the beginning");
    assert!(!told.iter().any(|(_, body)| body.to_string().contains("db-2") || body.to_string().contains("db-4")));
    // A scope that was never there gets a number that nobody had.
    fires(to, "k", "db-1");
    let open = until("a new one", || get(to, "/api/v1/incidents"), |answer| numbers(answer).len() == 11);
    assert!(numbers(&open).is_superset(&after));
}
