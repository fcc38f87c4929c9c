//! Disks that fail under the real binary: no write may succeed, files may not grow, the disk is full, `fdatasync`
//! fails. New events get 503 with `Retry-After`, judging and paging go on, it is loud, nothing acknowledged is lost,
//! and it recovers by itself.
//!
//! The first needs nothing: a limit on the size of files (`RLIMIT_FSIZE`) makes writes fail with `EFBIG`. A full disk
//! is a tmpfs, which takes root; a failing `fdatasync` takes strace. What cannot be tried is said.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, reason = "says what could not be tried")]

#[path = "shell/binary.rs"]
mod binary;
#[path = "shell/client.rs"]
mod client;
#[path = "shell/receiver.rs"]
mod receiver;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use binary::Binary;
use client::{Answer, get, post};
use receiver::Receiver;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};
use squelch::domain::Timestamp;
use squelch::store::{Store, StoreOptions, history};

/// How often a condition is asked for over HTTP before the test gives up: each time is a round trip.
const PATIENCE: usize = 20_000;
/// Loud events page at once. What is critical otherwise pages when it has stayed for some seconds: that must happen
/// while nothing can be stored.
const RULES: &str = "rules:\n  - name: loud\n    match: ['source=\"loud\"']\n    page: always\n\
                     judgement: {settle: 3s}\n";
const STORE: &str = "min_free: 1MiB, snapshot_every: 64KiB";

fn until(what: &str, mut so: impl FnMut() -> bool) {
    assert!((0..PATIENCE).any(|_| so()), "still not so: {what}");
}

/// A Squelch whose disk is made to fail, and what it acknowledged.
struct House<'a> {
    dir: &'a Path,
    hook: &'a Receiver,
    to: SocketAddr,
    sent: u64,
    /// The store's number and our own of each acknowledged event.
    acknowledged: BTreeMap<u64, u64>,
}

impl House<'_> {
    /// Sends one loud event of a service of its own.
    fn send(&mut self, service: &str) -> Answer {
        self.send_from("loud", service)
    }

    fn send_from(&mut self, source: &str, service: &str) -> Answer {
        self.sent += 1;
        let event = json!({"source": source, "check": format!("down-{source}"), "service": service, "severity": "critical",
                           "summary": self.sent.to_string()});
        let answer = post(self.to, "/api/v1/events", &event.to_string());
        if answer.status == 200 {
            self.acknowledged.insert(answer.json()["first_seq"].as_u64().unwrap(), self.sent);
        }
        answer
    }

    /// Whether a page about this was sent.
    fn paged(&self, about: &str) -> bool {
        self.hook.taken().iter().any(|(_, body)| {
            let message: Value = serde_json::from_str(body).unwrap();
            message["page"] == true && body.contains(about)
        })
    }

    fn metric(&self, line: &str) -> bool {
        get(self.to, "/metrics").body.lines().any(|other| other == line)
    }

    /// Sends until it is refused; then everything that must be so while the disk fails.
    fn refuses(&mut self) {
        let mut refused = None;
        for n in 0..2_000 {
            let answer = self.send(&format!("probe{}", name(n)));
            if answer.status != 200 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("it takes events although nothing can be written");
        assert_eq!(refused.status, 503, "{}", refused.body);
        assert!(refused.head.contains("\nretry-after: "), "{}", refused.head);
        assert!(refused.json()["error"]["message"].as_str().unwrap().contains("cannot be stored"), "{}", refused.body);
        assert_eq!(self.send("another").status, 503, "and the next one, too");
        let ready = get(self.to, "/-/ready");
        assert_eq!((ready.status, &ready.json()["ready"]), (503, &json!(false)), "{}", ready.body);
        assert!(ready.body.contains("cannot be stored"), "{}", ready.body);
        assert!(self.metric("squelch_storage_refusing 1"));
        assert!(!get(self.to, "/metrics").body.contains("squelch_commits_failed_total 0"));
        until("people are paged about it", || self.paged("cannot store new events"));
        until("what was held is judged and paged", || self.get_tally() && self.paged("slow"));
    }

    /// A round trip, and whether the sums hold.
    fn get_tally(&self) -> bool {
        let tally = get(self.to, "/api/v1/tally").json();
        let verdicts: u64 = tally["verdicts"].as_object().unwrap().values().map(|sum| sum.as_u64().unwrap()).sum();
        tally["accepted"].as_u64().unwrap() == tally["waiting"].as_u64().unwrap() + verdicts
    }

    fn recovers(&mut self) {
        until("it is ready again", || get(self.to, "/-/ready").json()["ready"] == true);
        assert!(self.metric("squelch_storage_refusing 0"));
        assert_eq!(self.send("later").status, 200);
        until("everything is delivered", || get(self.to, "/api/v1/tally").json()["outbox"] == 0);
        assert!(self.paged("later"));
        assert!(self.get_tally(), "the sums hold");
    }

    /// Kills it (unless it has ended), opens its store, and looks up every acknowledged event.
    fn look_up(self, life: Binary) {
        drop(life);
        let data = self.dir.join("data");
        let (mut store, recovered) =
            Store::open(&data, &StoreOptions { min_free: 0, ..StoreOptions::default() }).unwrap();
        assert_eq!(recovered.damage, []);
        store.spill().unwrap();
        drop(store);
        let past = history::read(&data, Timestamp::EPOCH, Timestamp::MAX).unwrap().map(Result::unwrap);
        let kept: BTreeMap<u64, u64> =
            past.map(|past| (past.seq, past.event.summary.unwrap().parse().unwrap())).collect();
        for (seq, number) in &self.acknowledged {
            assert_eq!(kept.get(seq), Some(number), "event {number} was acknowledged as {seq}");
        }
    }
}

/// A name without digits, so that each is a series of its own.
fn name(mut n: usize) -> String {
    let mut name = String::new();
    for _ in 0..4 {
        name.push(char::from(b'a' + (n % 26) as u8));
        n /= 26;
    }
    name
}

/// The size that the files of a process may have from now on; `None` = any.
fn limit_files(life: &Binary, bytes: Option<u64>) {
    let most = getrlimit(Resource::Fsize).maximum;
    prlimit(Some(Pid::from_child(&life.child)), Resource::Fsize, Rlimit { current: bytes.or(most), maximum: most })
        .unwrap();
}

/// Runs one failure: `fail` begins it, `mend` ends it.
fn survives(dir: &Path, fail: impl FnOnce(&Binary), mend: impl FnOnce(&Binary)) {
    let hook = Receiver::start();
    hook.refuse(false);
    binary::house(dir, &(hook.routes() + RULES), STORE);
    let log = File::create(dir.join("log")).unwrap();
    let mut life = Binary::start(dir, log.into());
    let mut house = House { dir, hook: &hook, to: life.address(), sent: 0, acknowledged: BTreeMap::new() };
    for n in 0..20 {
        assert_eq!(house.send(&format!("first{}", name(n))).status, 200);
    }
    // A source that never resolves anything is taken to send point events, which page only in bursts.
    let resolved = r#"{"source":"quiet","check":"up","status":"resolved","summary":"0"}"#;
    assert_eq!(post(house.to, "/api/v1/events", resolved).status, 200);
    assert_eq!(house.send_from("quiet", "slow").status, 200);
    fail(&life);
    house.refuses();
    mend(&life);
    house.recovers();
    house.look_up(life);
}

#[test]
fn while_no_write_succeeds_events_are_refused_and_pages_go_out() {
    let home = tempfile::tempdir().unwrap();
    survives(home.path(), |life| limit_files(life, Some(0)), |life| limit_files(life, None));
}

#[test]
fn while_the_journal_may_not_grow_events_are_refused_and_pages_go_out() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("data/sled/db");
    let fail = |life: &Binary| limit_files(life, Some(fs::metadata(log).unwrap().len().max(64 << 10)));
    survives(home.path(), fail, |life| limit_files(life, None));
}

/// A small disk of its own, as long as this lives.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=24m", "squelch-test"];
        let mounted = Command::new("mount").args(mount).arg(dir.path()).stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(dir))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn while_the_disk_is_full_events_are_refused_and_pages_go_out() {
    let Some(disk) = Tmpfs::mount() else {
        println!("not tried: a disk of its own takes root");
        return;
    };
    let ballast = disk.0.path().join("ballast");
    let fill = |_: &Binary| {
        let mut file = File::create(&ballast).unwrap();
        // To the last byte.
        for size in [1 << 20, 4096, 1] {
            while file.write(&vec![1; size]).is_ok_and(|written| written > 0) {}
        }
    };
    survives(disk.0.path(), fill, |_| fs::remove_file(&ballast).unwrap());
}

#[test]
fn after_a_failed_sync_events_are_refused_and_the_store_is_opened_anew() {
    if Command::new("strace").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("not tried: there is no strace");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let hook = Receiver::start();
    binary::house(home.path(), &(hook.routes() + RULES), STORE);
    let mut strace = Command::new("strace");
    // Each commit has two: of the journal, of the side file. Some later ones of both fail.
    let inject = "inject=fdatasync:error=EIO:when=41..44";
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject]);
    strace.arg(env!("CARGO_BIN_EXE_squelch"));
    let mut life = Binary::run(strace, home.path(), Stdio::null());
    hook.refuse(false);
    let mut house = House { dir: home.path(), hook: &hook, to: life.address(), sent: 0, acknowledged: BTreeMap::new() };
    let (mut refused, mut recovered) = (0, 0);
    until("it failed and recovered", || {
        let answer = house.send("steady");
        match answer.status {
            200 if refused > 0 => recovered += 1,
            200 => {}
            503 => {
                assert!(answer.head.contains("\nretry-after: "), "{}", answer.head);
                refused += 1;
            }
            _ => panic!("{}", answer.body),
        }
        recovered > 20
    });
    until("people are paged about it", || house.get_tally() && house.paged("cannot store new events"));
    // strace lets go of what it traces when it is killed.
    let pid = fs::read_to_string(home.path().join("data/lock")).unwrap();
    assert!(Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap().success());
    life.child.wait().unwrap();
    house.look_up(life);
}
