//! Exactly once, whatever happens: Squelch is killed, the broker is killed, while events flow. It prints its figures.
//! `SQUELCH_KAFKA_EVENTS=200000 SQUELCH_KAFKA_KILLS=30` for the long run.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::thread::{self, sleep};
use std::time::Duration;

use squelch::domain::Timestamp;
use squelch::store::{Store, StoreOptions, history};

use crate::binary::Binary;
use crate::broker::{Broker, Door};
use crate::common::{accepted, event, until, write};
use crate::dice::Dice;

const SEED: u64 = 0x0ff5e7;
const PARTITIONS: u64 = 4;

fn given(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// Fills a folder for the binary that reads the topic.
fn house(dir: &Path, broker: &Broker, topic: &str) {
    crate::binary::house(dir, "", "min_free: 1MiB, snapshot_every: 1MiB");
    let file = dir.join("squelch.yaml");
    let kafka = format!("kafka: {{brokers: \"{}\", topics: {{topic: {topic}}}}}\n", broker.at(Door::Plain));
    fs::write(&file, fs::read_to_string(&file).unwrap() + &kafka).unwrap();
}

/// How often each number stands in the events that the store kept.
fn stored(dir: &Path) -> BTreeMap<u64, u64> {
    let data = dir.join("data");
    let (mut store, recovered) = Store::open(&data, &StoreOptions::default()).unwrap();
    assert_eq!(recovered.damage, []);
    store.spill().unwrap();
    drop(store);
    let mut found = BTreeMap::new();
    for past in history::read(&data, Timestamp::EPOCH, Timestamp::MAX).unwrap() {
        *found.entry(past.unwrap().event.summary.unwrap().parse().unwrap()).or_default() += 1;
    }
    found
}

/// Every event is counted and stored once, whatever was done meanwhile.
fn each_counts_once(events: u64, (life, address): (Binary, SocketAddr), dir: &Path, done: &str) {
    until("all events", || accepted(address), |accepted| *accepted >= events);
    // What would be counted twice comes within this time.
    sleep(Duration::from_secs(1));
    let counted = accepted(address);
    drop(life);
    let stored = stored(dir);
    let twice = stored.values().filter(|times| **times > 1).count();
    let lost = (0..events).filter(|number| !stored.contains_key(number)).count();
    println!("{events} events, {done}: {counted} counted, {lost} lost, {twice} twice");
    assert_eq!((counted, lost, twice), (events, 0, 0));
}

#[test]
fn squelch_is_killed_while_events_flow_and_each_counts_once() {
    let Some(broker) = Broker::shared() else { return };
    let (events, kills) = (given("SQUELCH_KAFKA_EVENTS", 20_000), given("SQUELCH_KAFKA_KILLS", 6));
    broker.create("killed", PARTITIONS as i32);
    let dir = tempfile::tempdir().unwrap();
    house(dir.path(), &broker, "killed");
    let mut dice = Dice(SEED);
    let writer = thread::spawn({
        let broker = std::sync::Arc::clone(&broker);
        move || {
            // In pieces, so that they flow as long as it is killed.
            let piece = (events / (4 * kills)).max(1);
            for first in (0..events).step_by(piece as usize) {
                let numbers = first..(first + piece).min(events);
                write(&broker, "killed", numbers.map(|n| ((n % PARTITIONS) as i32, event(n))));
                sleep(Duration::from_millis(200));
            }
        }
    });
    let mut seen = Vec::new();
    for _ in 0..kills {
        let mut life = Binary::start(dir.path(), Stdio::null());
        let address = life.address();
        let at_start = accepted(address);
        // Somewhere between the first message of this life and some thousands later.
        let more = dice.below(events / kills);
        let reached = until("events", || accepted(address), |now| *now >= (at_start + more).min(events * 9 / 10));
        seen.push(reached);
        drop(life);
    }
    writer.join().unwrap();
    let mut life = Binary::start(dir.path(), Stdio::null());
    let address = life.address();
    each_counts_once(events, (life, address), dir.path(), &format!("{kills} kills at {seen:?}"));
}

#[test]
fn the_broker_is_killed_while_events_flow_and_each_counts_once() {
    let Some(broker) = Broker::own() else { return };
    let (events, kills) = (given("SQUELCH_KAFKA_EVENTS", 20_000), 3);
    broker.create("cut", PARTITIONS as i32);
    let dir = tempfile::tempdir().unwrap();
    house(dir.path(), &broker, "cut");
    let mut life = Binary::start(dir.path(), Stdio::null());
    let address = life.address();
    thread::scope(|scope| {
        // Its client waits for the broker, too, and writes each message once.
        scope.spawn(|| {
            let piece = events / 40;
            for first in (0..events).step_by(piece as usize) {
                let numbers = first..(first + piece).min(events);
                write(&broker, "cut", numbers.map(|n| ((n % PARTITIONS) as i32, event(n))));
                sleep(Duration::from_millis(100));
            }
        });
        for kill in 1..=kills {
            until("events", || accepted(address), |now| *now >= kill * events / (kills + 2));
            broker.kill();
            broker.run();
        }
    });
    each_counts_once(events, (life, address), dir.path(), &format!("{kills} kills of the broker"));
}
