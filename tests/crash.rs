//! The real binary under load is killed at random moments and started again: nothing that was acknowledged is lost,
//! and no page is sent under two keys. `SQUELCH_CRASH_KILLS=200` for the long run.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, reason = "tells its figures")]

#[path = "shell/client.rs"]
mod client;
#[path = "shell/receiver.rs"]
mod receiver;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use client::{get, post, request};
use receiver::Receiver;
use serde_json::{Value, json};

const SEED: u64 = 0x5eed;
const KILLS: u64 = 8;
const SENDERS: u64 = 3;
/// So many events in a request at most.
const MOST: u64 = 20;
/// Kills come after 1 to so many acknowledged requests of a life.
const REQUESTS: u64 = 60;

/// Marsaglia's xorshift64: seeded, and good enough to choose moments.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// The binary, serving.
struct Life {
    child: Child,
    address: Option<SocketAddr>,
    stderr: Option<ChildStderr>,
}

impl Life {
    /// Starts it and, unless it shall die young, waits until it says where it listens.
    fn begin(dir: &Path, waits: bool, log: Stdio) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_squelch"))
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(dir.join("squelch.yaml"))
            .arg("--rules")
            .arg(dir.join("rules"))
            .arg("--data-dir")
            .arg(dir.join("data"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = child.stderr.take();
        let mut lines = stdout.lines();
        let address = waits.then(|| {
            let line = lines.next().expect("it ended before it listened").unwrap();
            line.rsplit('/').next().unwrap().parse().unwrap()
        });
        // What it prints later is read, so that it never blocks; the thread ends with the process.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address, stderr }
    }

    /// By SIGKILL.
    fn kill(self) {
        drop(self);
    }
}

/// A test that fails leaves no process behind.
impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with settings and rules for the binary: every critical alert pages at once.
fn house(routes: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/routes.yaml"), routes).unwrap();
    let rule = "rules:\n  - name: loud\n    match: ['severity=\"critical\"']\n    page: always\n";
    fs::write(dir.path().join("rules/loud.yaml"), rule).unwrap();
    let settings = "limits: {per_source: 1000000 events/s}\nstore: {min_free: 1MiB}\n";
    fs::write(dir.path().join("squelch.yaml"), settings).unwrap();
    dir
}

/// What the senders know.
#[derive(Default)]
struct Account {
    requests: AtomicU64,
    acknowledged: AtomicU64,
    /// Sent, and nobody knows what became of it.
    unknown: AtomicU64,
    over: AtomicBool,
}

/// A name of four syllables, as people give them: numbers and hashes are masked, and would all be one series.
fn name(dice: &mut Dice) -> String {
    (0..4)
        .flat_map(|_| [b"bdfgklmnprst"[dice.below(12) as usize], b"aeiou"[dice.below(5) as usize]])
        .map(char::from)
        .collect()
}

/// Sends until the binary is gone; returns the (first number, count) of what was acknowledged.
fn send(to: SocketAddr, sender: u64, mut dice: Dice, account: &Account) -> Vec<(u64, u64)> {
    let mut receipts = Vec::new();
    for turn in 0.. {
        if account.over.load(Ordering::SeqCst) {
            break;
        }
        let count = 1 + dice.below(MOST);
        let mut events: Vec<Value> = (0..count)
            .map(|n| {
                json!({"source": format!("tool-{sender}"), "check": format!("c{}", n % 5),
                       "service": format!("s{}", turn % 7), "host": format!("h{}", dice.below(50))})
            })
            .collect();
        if dice.below(5) == 0 {
            // Of a service of its own, so that it is an incident of its own.
            events[0] = json!({"source": "probe", "check": "down", "service": name(&mut dice), "severity": "critical"});
            // A source that never resolves anything is taken to send point events, which page only in bursts.
            events.push(json!({"source": "probe", "check": "up", "status": "resolved"}));
        }
        let count = events.len() as u64;
        let body = Value::from(events).to_string();
        account.unknown.fetch_add(count, Ordering::SeqCst);
        let Ok(answer) = request(to, ("POST", "/api/v1/events"), &["Content-Type: application/json"], body.as_bytes())
        else {
            break;
        };
        if answer.status == 200 {
            let first = answer.json()["first_seq"].as_u64().unwrap();
            receipts.push((first, count));
            account.acknowledged.fetch_add(count, Ordering::SeqCst);
            account.requests.fetch_add(1, Ordering::SeqCst);
        }
        // Refused is known, too: nothing of it was taken.
        account.unknown.fetch_sub(count, Ordering::SeqCst);
    }
    receipts
}

/// One life under load, ended by SIGKILL. Adds what was acknowledged to `numbers`.
fn live(life: Life, dice: &mut Dice, account: &Account, numbers: &mut BTreeSet<u64>) {
    let to = life.address.unwrap();
    account.over.store(false, Ordering::SeqCst);
    let until = account.requests.load(Ordering::SeqCst) + 1 + dice.below(REQUESTS);
    thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let dice = Dice(1 + dice.below(u64::MAX - 1));
                scope.spawn(move || send(to, sender, dice, account))
            })
            .collect();
        while account.requests.load(Ordering::SeqCst) < until {
            thread::yield_now();
        }
        (0..dice.below(3_000)).for_each(|_| thread::yield_now());
        life.kill();
        account.over.store(true, Ordering::SeqCst);
        for (first, count) in senders.into_iter().flat_map(|sender| sender.join().unwrap()) {
            for number in first..first + count {
                assert!(numbers.insert(number), "number {number} was given twice");
            }
        }
    });
}

/// Every acknowledged event is accounted for, and not more than was sent; the sums hold.
fn check(to: SocketAddr, account: &Account) -> u64 {
    let tally = get(to, "/api/v1/tally").json();
    let accepted = tally["accepted"].as_u64().unwrap();
    let verdicts: u64 = tally["verdicts"].as_object().unwrap().values().map(|sum| sum.as_u64().unwrap()).sum();
    assert_eq!(accepted, tally["waiting"].as_u64().unwrap() + verdicts, "{tally}");
    let acknowledged = account.acknowledged.load(Ordering::SeqCst);
    let unknown = account.unknown.load(Ordering::SeqCst);
    assert!(accepted >= acknowledged, "{} acknowledged events are lost: {tally}", acknowledged - accepted);
    assert!(accepted <= acknowledged + unknown, "more than was sent: {tally}");
    accepted
}

/// One key has one content, and the opening of one incident has one key. Returns (pages, repeats).
fn check_pages(taken: &[(String, String)]) -> (usize, usize) {
    let mut by_key = BTreeMap::new();
    let mut openings = BTreeMap::new();
    let mut repeats = 0;
    for (key, body) in taken {
        if let Some(before) = by_key.insert(key, body) {
            assert_eq!(before, body, "key {key} with two contents");
            repeats += 1;
        }
        let page: Value = serde_json::from_str(body).unwrap();
        assert_eq!(page["key"], **key);
        if page["action"] == "open"
            && let Some(before) = openings.insert(page["incident"].as_u64().unwrap(), key)
        {
            assert_eq!(before, key, "incident {} was opened under two keys", page["incident"]);
        }
    }
    (openings.len(), repeats)
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_pages_under_one_key() {
    let kills = std::env::var("SQUELCH_CRASH_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let hook = Receiver::start();
    let dir = house(&hook.routes());
    let (mut dice, account, mut numbers) = (Dice(SEED), Account::default(), BTreeSet::new());
    let mut young = 0;
    for _ in 0..kills {
        if dice.below(5) == 0 {
            let life = Life::begin(dir.path(), false, Stdio::null());
            (0..dice.below(30_000)).for_each(|_| thread::yield_now());
            life.kill();
            young += 1;
            continue;
        }
        // In some lives the receiver refuses everything, so that the next life inherits an outbox.
        hook.refuse(dice.below(3) == 0);
        let life = Life::begin(dir.path(), true, Stdio::null());
        check(life.address.unwrap(), &account);
        live(life, &mut dice, &account, &mut numbers);
    }
    hook.refuse(false);
    let life = Life::begin(dir.path(), true, Stdio::null());
    let to = life.address.unwrap();
    let accepted = check(to, &account);
    let answer = post(to, "/api/v1/events", r#"{"source":"last","check":"one"}"#).json();
    assert!(numbers.last().is_none_or(|last| answer["first_seq"].as_u64().unwrap() > *last), "{answer}");
    while get(to, "/api/v1/tally").json()["outbox"] != 0 {}
    life.kill();
    let taken = hook.taken();
    let (pages, repeats) = check_pages(&taken);
    assert!(pages > 0, "nothing was paged, so nothing was proven");
    println!(
        "{kills} kills ({young} while starting): {} events acknowledged, {accepted} accepted, 0 lost; {} messages, \
         {pages} pages, {repeats} repeated under their key, 0 under two keys",
        account.acknowledged.load(Ordering::SeqCst),
        taken.len(),
    );
}

#[test]
fn told_to_stop_it_finishes_what_it_took_and_says_each_step() {
    let hook = Receiver::start();
    let dir = house(&hook.routes());
    let account = Account::default();
    let mut life = Life::begin(dir.path(), true, Stdio::piped());
    let to = life.address.unwrap();
    let log = thread::scope(|scope| {
        let sender = scope.spawn(|| send(to, 1, Dice(SEED), &account));
        while account.requests.load(Ordering::SeqCst) < 20 {
            thread::yield_now();
        }
        let pid = life.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut log = String::new();
        life.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        sender.join().unwrap();
        log
    });
    assert!(life.child.wait().unwrap().success(), "{log}");
    for step in
        ["told to stop by SIGTERM", "no new connections", "is judged and stored", "the snapshot is whole", "stopped:"]
    {
        assert!(log.contains(step), "`{step}` is not said:\n{log}");
    }
    assert!(account.unknown.load(Ordering::SeqCst) <= MOST + 1, "at most the last request has no answer");
    let life = Life::begin(dir.path(), true, Stdio::null());
    check(life.address.unwrap(), &account);
    life.kill();
}
