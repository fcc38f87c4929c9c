//! The real binary under load is killed at random moments and started again: nothing that was acknowledged is lost,
//! and no page is sent under two keys. `SQUELCH_CRASH_KILLS=200` for the long run.
//!
//! Each event has a number of its own. At the end every acknowledged one is looked up: under the number that the
//! answer gave it, once, in the events that the store kept; and each loud one in the page of its service.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, reason = "tells its figures")]

#[path = "shell/binary.rs"]
mod binary;
#[path = "shell/client.rs"]
mod client;
#[path = "shell/dice.rs"]
mod dice;
#[path = "shell/receiver.rs"]
mod receiver;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use binary::Binary;
use client::{get, post, request};
use dice::Dice;
use receiver::Receiver;
use serde_json::{Value, json};
use squelch::domain::{Alarms, Engine, Policy, Timestamp};
use squelch::store::{Store, StoreOptions, history};

const SEED: u64 = 0x5eed;
const KILLS: u64 = 10;
const SENDERS: u64 = 3;
/// So many events in a request at most.
const MOST: u64 = 20;
/// Kills come after 1 to so many acknowledged requests of a life.
const REQUESTS: u64 = 60;
/// Every critical alert pages at once.
const LOUD: &str = "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";
/// Snapshots all the time.
const STORE: &str = "min_free: 1MiB, snapshot_every: 16KiB";

/// What a kill is aimed at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Aim {
    /// The first moments of a life: reading back, mending, offering the outbox again.
    Start,
    /// Events and commits.
    Load,
    /// A snapshot that is being written.
    Snapshot,
    /// New rules that are coming into force.
    Reload,
}

const AIMS: [Aim; 5] = [Aim::Start, Aim::Load, Aim::Snapshot, Aim::Load, Aim::Reload];

/// What the senders know.
#[derive(Default)]
struct Account {
    requests: AtomicU64,
    /// The number of the next event.
    next: AtomicU64,
    over: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// What each acknowledged event's answer said: the store's number, and its own.
    acknowledged: BTreeMap<u64, u64>,
    /// The numbers of events that were sent, and nobody knows what became of them.
    unknown: BTreeSet<u64>,
    /// The services of acknowledged loud events.
    loud: BTreeSet<String>,
}

/// A body of events with numbers of their own; which numbers, and the service of a loud one.
fn body(sender: u64, dice: &mut Dice, account: &Account) -> (String, Vec<u64>, Option<String>) {
    let mut numbers = Vec::new();
    let mut fresh = || {
        numbers.push(account.next.fetch_add(1, Ordering::SeqCst));
        numbers.last().unwrap().to_string()
    };
    let mut events: Vec<Value> = (0..=dice.below(MOST))
        .map(|n| {
            json!({"source": format!("tool-{sender}"), "check": format!("c{}", n % 5), "summary": fresh(),
                   "service": format!("s{}", n % 7), "host": format!("h{}", dice.below(50))})
        })
        .collect();
    let loud = (dice.below(5) == 0).then(|| dice.name());
    if let Some(service) = &loud {
        // Of a service of its own, so that it is an incident of its own.
        events.push(json!({"source": "probe", "check": "down", "service": service, "severity": "critical",
                           "summary": fresh()}));
        // A source that never resolves anything is taken to send point events, which page only in bursts.
        events.push(json!({"source": "probe", "check": "up", "status": "resolved", "summary": fresh()}));
    }
    (Value::from(events).to_string(), numbers, loud)
}

/// Sends until the binary is gone.
fn send(to: SocketAddr, sender: u64, mut dice: Dice, account: &Account) {
    while !account.over.load(Ordering::SeqCst) {
        let (body, numbers, loud) = body(sender, &mut dice, account);
        account.known.lock().unwrap().unknown.extend(&numbers);
        let Ok(answer) = request(to, ("POST", "/api/v1/events"), &["Content-Type: application/json"], body.as_bytes())
        else {
            break;
        };
        let mut known = account.known.lock().unwrap();
        // Refused is known, too: nothing of it was taken.
        known.unknown.retain(|number| !numbers.contains(number));
        if answer.status == 200 {
            known.loud.extend(loud);
            for (seq, number) in (answer.json()["first_seq"].as_u64().unwrap()..).zip(numbers) {
                assert_eq!(known.acknowledged.insert(seq, number), None, "number {seq} was given twice");
            }
            account.requests.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// One life under load, ended by SIGKILL.
fn live(mut life: Binary, aim: Aim, dice: &mut Dice, (dir, account): (&Path, &Account)) {
    let to = life.address();
    check(to, account);
    account.over.store(false, Ordering::SeqCst);
    let until = account.requests.load(Ordering::SeqCst) + 1 + dice.below(REQUESTS);
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let dice = Dice(1 + dice.below(u64::MAX - 1));
            scope.spawn(move || send(to, sender, dice, account));
        }
        while account.requests.load(Ordering::SeqCst) < until {
            thread::yield_now();
        }
        match aim {
            Aim::Start | Aim::Load => wait(dice, 3_000),
            Aim::Snapshot => while !snapshot_is_written(dir) {},
            Aim::Reload => {
                let rule = format!("rules:\n  - name: quiet {until}\n    match: ['check=\"c1\"']\n    page: never\n");
                fs::write(dir.join("rules/zz.yaml"), rule).unwrap();
                scope.spawn(move || drop(request(to, ("POST", "/-/reload"), &[], b"")));
                wait(dice, 3_000);
            }
        }
        drop(life);
        account.over.store(true, Ordering::SeqCst);
    });
}

fn wait(dice: &mut Dice, most: u64) {
    (0..dice.below(most)).for_each(|_| thread::yield_now());
}

/// Whether a snapshot has begun and is not whole.
fn snapshot_is_written(dir: &Path) -> bool {
    let names = fs::read_dir(dir.join("data")).into_iter().flatten();
    names.flatten().any(|entry| entry.path().extension().is_some_and(|end| end == "part"))
}

/// The sums hold: every acknowledged event is counted, and not more than was sent.
fn check(to: SocketAddr, account: &Account) -> u64 {
    let tally = get(to, "/api/v1/tally").json();
    let accepted = tally["accepted"].as_u64().unwrap();
    let verdicts: u64 = tally["verdicts"].as_object().unwrap().values().map(|sum| sum.as_u64().unwrap()).sum();
    assert_eq!(accepted, tally["waiting"].as_u64().unwrap() + verdicts, "{tally}");
    let known = account.known.lock().unwrap();
    let (acknowledged, unknown) = (known.acknowledged.len() as u64, known.unknown.len() as u64);
    assert!(accepted >= acknowledged, "{} acknowledged events are lost: {tally}", acknowledged - accepted);
    assert!(accepted <= acknowledged + unknown, "more than was sent: {tally}");
    accepted
}

/// One key has one content, the opening of one incident has one key, and every acknowledged loud event is in a page
/// of its service. Returns (pages, repeats).
fn check_pages(taken: &[(String, String)], loud: &BTreeSet<String>) -> (usize, usize) {
    let mut by_key = BTreeMap::new();
    let mut openings = BTreeMap::new();
    let mut services = BTreeSet::new();
    let mut repeats = 0;
    for (key, body) in taken {
        if let Some(before) = by_key.insert(key, body) {
            assert_eq!(before, body, "key {key} with two contents");
            repeats += 1;
        }
        let page: Value = serde_json::from_str(body).unwrap();
        assert_eq!(page["key"], **key);
        if page["action"] == "open" {
            services.extend(page["services"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()));
            if let Some(before) = openings.insert(page["incident"].as_u64().unwrap(), key) {
                assert_eq!(before, key, "incident {} was opened under two keys", page["incident"]);
            }
        }
    }
    let unpaged: Vec<_> = loud.difference(&services).collect();
    assert!(unpaged.is_empty(), "acknowledged and never paged: {unpaged:?}");
    (openings.len(), repeats)
}

/// Looks up every acknowledged event in what the store kept. Returns how many events it holds.
fn look_up(data: &Path, known: &Known) -> u64 {
    let (mut store, recovered) = Store::open(data, &StoreOptions::default()).unwrap();
    assert_eq!(recovered.damage, []);
    store.spill().unwrap();
    drop(store);
    let past = history::read(data, Timestamp::EPOCH, Timestamp::MAX).unwrap().map(Result::unwrap);
    let kept: BTreeMap<u64, u64> = past
        .filter(|past| past.event.source != "last")
        .map(|past| (past.seq, past.event.summary.unwrap().parse().unwrap()))
        .collect();
    for (seq, number) in &known.acknowledged {
        assert_eq!(kept.get(seq), Some(number), "event {number} was acknowledged as {seq}");
    }
    let strange: Vec<_> = kept
        .iter()
        .filter(|(seq, number)| !known.acknowledged.contains_key(seq) && !known.unknown.contains(number))
        .collect();
    assert!(strange.is_empty(), "refused or never sent, and yet taken: {strange:?}");
    assert_eq!(kept.values().collect::<BTreeSet<_>>().len(), kept.len(), "an event was taken twice");
    let own = |key: &[u8]| key.first() == Some(&Alarms::KEY);
    let records = recovered.records.into_iter().filter(|(key, _)| !own(key));
    let (engine, unreadable) = Engine::restore(Arc::new(Policy::default()), records);
    assert!(unreadable.is_empty());
    assert_eq!(engine.tally().accepted, kept.len() as u64 + 1, "the sums and the events that were kept");
    kept.len() as u64
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_pages_under_one_key() {
    let kills = std::env::var("SQUELCH_CRASH_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let hook = Receiver::start();
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    binary::house(dir, &(hook.routes() + LOUD), STORE);
    let (mut dice, account) = (Dice(SEED), Account::default());
    let (mut aimed, mut torn) = (BTreeMap::new(), 0);
    for aim in AIMS.into_iter().cycle().take(kills as usize) {
        *aimed.entry(aim).or_insert(0) += 1;
        // In some lives the receiver refuses everything, so that the next life inherits an outbox.
        hook.refuse(dice.below(3) == 0);
        let life = Binary::start(dir, Stdio::null());
        if aim == Aim::Start {
            wait(&mut dice, 30_000);
            drop(life);
        } else {
            live(life, aim, &mut dice, (dir, &account));
        }
        torn += u64::from(aim != Aim::Start && snapshot_is_written(dir));
    }
    hook.refuse(false);
    let mut life = Binary::start(dir, Stdio::null());
    let to = life.address();
    let accepted = check(to, &account);
    let known = account.known.into_inner().unwrap();
    let answer = post(to, "/api/v1/events", r#"{"source":"last","check":"one"}"#).json();
    assert!(known.acknowledged.keys().last().is_none_or(|last| answer["first_seq"].as_u64().unwrap() > *last));
    while get(to, "/api/v1/tally").json()["outbox"] != 0 {}
    drop(life);
    assert_eq!(look_up(&dir.join("data"), &known), accepted);
    let taken = hook.taken();
    let (pages, repeats) = check_pages(&taken, &known.loud);
    assert!(!known.loud.is_empty(), "nothing had to be paged, so nothing was proven");
    println!(
        "{kills} kills {aimed:?} ({torn} left half a snapshot): {} events acknowledged, each found under its number, \
         {accepted} accepted; {} of {} loud ones paged; {} messages, {pages} pages, {repeats} repeated under their \
         key, 0 under two keys",
        known.acknowledged.len(),
        known.loud.len(),
        known.loud.len(),
        taken.len(),
    );
}

#[test]
fn told_to_stop_it_finishes_what_it_took_and_says_each_step() {
    let hook = Receiver::start();
    let home = tempfile::tempdir().unwrap();
    binary::house(home.path(), &(hook.routes() + LOUD), STORE);
    let account = Account::default();
    let mut life = Binary::start(home.path(), Stdio::piped());
    let to = life.address();
    let log = thread::scope(|scope| {
        let sender = scope.spawn(|| send(to, 1, Dice(SEED), &account));
        while account.requests.load(Ordering::SeqCst) < 20 {
            thread::yield_now();
        }
        let pid = life.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut log = String::new();
        life.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        account.over.store(true, Ordering::SeqCst);
        sender.join().unwrap();
        log
    });
    assert!(life.child.wait().unwrap().success(), "{log}");
    for step in
        ["told to stop by SIGTERM", "no new connections", "is judged and stored", "the snapshot is whole", "stopped:"]
    {
        assert!(log.contains(step), "`{step}` is not said:\n{log}");
    }
    let unknown = account.known.lock().unwrap().unknown.len() as u64;
    assert!(unknown <= MOST + 2, "at most the last request has no answer");
    let mut life = Binary::start(home.path(), Stdio::null());
    check(life.address(), &account);
}
