//! The store gives back what it was given: at any point, after any interruption, through backup and history.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/folder.rs"]
mod folder;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use squelch::domain::{Change, Event, Timestamp};
use squelch::store::{Batch, CommitError, Recovered, Step, Store, StoreError, StoreOptions, history, restore, verify};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Small limits, so that a short test sees snapshots, compaction and several segments.
fn small() -> StoreOptions {
    StoreOptions { min_free: 0, snapshot_after: 20_000, part_bytes: 3_000, cache: 8 << 20, ..StoreOptions::default() }
}

/// What an engine would be: records, and events numbered from 1.
#[derive(Clone, Debug, Default)]
struct Twin {
    records: Model,
    events: Vec<(u64, Event)>,
    next_seq: u64,
    millis: i64,
}

impl Twin {
    fn new() -> Self {
        Self { next_seq: 1, ..Self::default() }
    }

    fn commit(&mut self, store: &mut Store, events: usize, changes: &[Change]) -> Result<(), CommitError> {
        let fresh: Vec<_> = (self.next_seq..).take(events).map(|seq| (seq, event(seq))).collect();
        let given: Vec<_> = fresh.iter().map(|(seq, event)| (*seq, event)).collect();
        self.millis += 1_000;
        store.commit(&Batch { events: &given, changes, now: Timestamp::from_millis(self.millis) })?;
        for change in changes {
            match &change.value {
                Some(value) => self.records.insert(change.key.clone(), value.clone()),
                None => self.records.remove(&change.key),
            };
        }
        self.next_seq += events as u64;
        self.events.extend(fresh);
        Ok(())
    }

    /// The cursor is the next key to look at.
    fn part(&self, cursor: u64, bytes: usize) -> (Vec<Change>, Option<u64>) {
        let (mut part, mut size) = (Vec::new(), 0);
        for (key, value) in self.records.range((cursor as u16).to_be_bytes().to_vec()..) {
            if size >= bytes {
                return (part, Some(u64::from(u16::from_be_bytes([key[0], key[1]]))));
            }
            size += key.len() + value.len();
            part.push(Change { key: key.clone(), value: Some(value.clone()) });
        }
        (part, None)
    }

    fn maintain(&self, store: &mut Store) -> Step {
        store.maintain(Timestamp::from_millis(self.millis), |cursor, bytes| self.part(cursor, bytes)).unwrap()
    }

    fn is(&self, recovered: Recovered) {
        assert_eq!(recovered.damage, []);
        assert_eq!(recovered.next_seq.max(1), self.next_seq);
        let records: Model = recovered.records.into_iter().collect();
        assert_eq!(records, self.records);
    }

    fn history_is(&self, dir: &Path) {
        let past: Vec<_> = history::read(dir, Timestamp::EPOCH, Timestamp::MAX)
            .unwrap()
            .map(|past| past.map(|past| (past.seq, past.event)).unwrap())
            .collect();
        assert_eq!(past, self.events);
    }
}

fn event(seq: u64) -> Event {
    let text = format!("disk {seq} of {} is full", seq % 7);
    Event { summary: Some(text), value: Some(seq as f64), ..Event::new("nagios", format!("disk-{}", seq % 13)) }
}

fn put(key: u16, length: usize) -> Change {
    Change { key: key.to_be_bytes().to_vec(), value: Some(vec![(length % 251) as u8; length]) }
}

#[derive(Clone, Debug)]
enum Do {
    Commit { events: usize, changes: Vec<Change> },
    Maintain(usize),
    AskForSnapshot,
    Spill,
    Reopen,
}

fn change() -> impl Strategy<Value = Change> {
    let length = prop_oneof![8 => 0..300_usize, 1 => 300..40_000_usize];
    (0..200_u16, proptest::option::weighted(0.8, length)).prop_map(|(key, length)| match length {
        Some(length) => put(key, length),
        None => Change { key: key.to_be_bytes().to_vec(), value: None },
    })
}

fn step() -> impl Strategy<Value = Do> {
    prop_oneof![
        10 => (0..20_usize, proptest::collection::vec(change(), 0..20))
            .prop_map(|(events, changes)| Do::Commit { events, changes }),
        6 => (1..12_usize).prop_map(Do::Maintain),
        2 => Just(Do::AskForSnapshot),
        1 => Just(Do::Spill),
        1 => Just(Do::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_reopening_gives_the_records_of_the_twin(steps in proptest::collection::vec(step(), 1..60)) {
        let home = tempfile::tempdir().unwrap();
        let mut twin = Twin::new();
        let mut store = Store::open(home.path(), &small()).unwrap().0;
        for step in steps {
            match step {
                Do::Commit { events, changes } => twin.commit(&mut store, events, &changes).unwrap(),
                Do::Maintain(times) => {
                    for _ in 0..times {
                        twin.maintain(&mut store);
                    }
                }
                Do::AskForSnapshot => store.ask_for_snapshot(),
                Do::Spill => store.spill().unwrap(),
                Do::Reopen => {
                    drop(store);
                    let (again, recovered) = Store::open(home.path(), &small()).unwrap();
                    twin.is(recovered);
                    store = again;
                }
            }
        }
        drop(store);
        let (mut store, recovered) = Store::open(home.path(), &small()).unwrap();
        twin.is(recovered);
        store.spill().unwrap();
        twin.history_is(home.path());
    }
}

#[test]
fn a_copy_taken_after_any_step_opens_with_every_commit_before_it() {
    let (home, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut twin = Twin::new();
    let options = StoreOptions { snapshot_after: 10_000, ..small() };
    let mut store = Store::open(home.path(), &options).unwrap().0;
    for number in 0..120_u16 {
        let changes: Vec<_> = (0..12).map(|key| put(key * 7 + number % 7, usize::from(number) * 9 + 20)).collect();
        twin.commit(&mut store, 3, &changes).unwrap();
        let step = twin.maintain(&mut store);
        if number % 4 == 0 || step != Step::Idle {
            let taken = copies.path().join(number.to_string());
            folder::write(&taken, &folder::contents(home.path()));
            let (again, recovered) = Store::open(&taken, &small()).unwrap();
            twin.is(recovered);
            drop(again);
            fs::remove_dir_all(&taken).unwrap();
        }
    }
    assert!(store.stats().snapshot_bytes > 0, "the test must see snapshots");
    assert!(store.stats().history_bytes > 0, "the test must see compaction");
}

#[test]
fn a_commit_that_was_cut_off_is_absent_as_a_whole_and_its_number_is_used_again() {
    let home = tempfile::tempdir().unwrap();
    let mut twin = Twin::new();
    let mut store = Store::open(home.path(), &small()).unwrap().0;
    twin.commit(&mut store, 1, &[put(1, 100)]).unwrap();
    let side = fs::read(home.path().join("durable")).unwrap();
    let before = twin.clone();
    twin.commit(&mut store, 1, &[put(2, 50_000)]).unwrap();
    drop(store);
    // The side file as if the second commit had never ended: the journal has it whole, so it may count.
    fs::write(home.path().join("durable"), side).unwrap();
    let (store, recovered) = Store::open(home.path(), &small()).unwrap();
    twin.is(recovered);
    drop(store);
    assert_ne!(before.records, twin.records);
}

#[test]
fn two_processes_never_open_one_directory() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path(), &small()).unwrap().0;
    let error = Store::open(home.path(), &small()).unwrap_err();
    assert!(matches!(&error, StoreError::Locked { pid: Some(pid), .. } if *pid == std::process::id()), "{error}");
    assert!(error.to_string().contains(&format!("(process {})", std::process::id())));
    drop(store);
    Store::open(home.path(), &small()).unwrap();
}

#[test]
fn a_full_disk_refuses_commits_and_the_next_one_works_when_space_is_back() {
    let home = tempfile::tempdir().unwrap();
    let mut twin = Twin::new();
    let full = StoreOptions { min_free: u64::MAX / 2, ..small() };
    let mut store = Store::open(home.path(), &full).unwrap().0;
    assert!(matches!(twin.commit(&mut store, 1, &[put(1, 10)]), Err(CommitError::Full { .. })));
    assert_eq!(store.broken(), None);
    store.set_min_free(0);
    twin.commit(&mut store, 1, &[put(1, 10)]).unwrap();
    drop(store);
    twin.is(Store::open(home.path(), &small()).unwrap().1);
}

#[test]
fn a_refused_commit_gives_up_the_snapshot_that_was_ahead_of_it() {
    let home = tempfile::tempdir().unwrap();
    let mut twin = Twin::new();
    let mut store = Store::open(home.path(), &small()).unwrap().0;
    twin.commit(&mut store, 0, &(0..100).map(|key| put(key, 100)).collect::<Vec<_>>()).unwrap();
    store.ask_for_snapshot();
    assert_eq!(twin.maintain(&mut store), Step::Part);
    store.set_min_free(u64::MAX / 2);
    assert!(twin.commit(&mut store, 1, &[put(1, 10)]).is_err());
    assert!(!store.stats().snapshot_running);
    assert_eq!(twin.maintain(&mut store), Step::Idle);
    store.set_min_free(0);
    twin.commit(&mut store, 1, &[put(1, 10)]).unwrap();
    drop(store);
    twin.is(Store::open(home.path(), &small()).unwrap().1);
}

#[test]
fn an_event_number_is_never_taken_twice() {
    let home = tempfile::tempdir().unwrap();
    let mut store = Store::open(home.path(), &small()).unwrap().0;
    let alert = event(5);
    let now = Timestamp::EPOCH;
    store.commit(&Batch { events: &[(5, &alert)], changes: &[], now }).unwrap();
    let again = store.commit(&Batch { events: &[(5, &alert)], changes: &[], now });
    assert_eq!(again, Err(CommitError::OutOfOrder { seq: 5, next: 6 }));
    store.commit(&Batch { events: &[(9, &alert)], changes: &[], now }).unwrap();
    assert_eq!(store.next_seq(), 10);
}

#[test]
fn a_batch_that_is_too_large_is_refused_and_the_store_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let mut twin = Twin::new();
    let mut store = Store::open(home.path(), &small()).unwrap().0;
    let huge: Vec<_> = (0..70).map(|key| put(key, 1 << 20)).collect();
    assert!(matches!(twin.commit(&mut store, 0, &huge), Err(CommitError::TooLarge { .. })));
    twin.commit(&mut store, 1, &[put(1, 1)]).unwrap();
}

#[test]
fn history_is_kept_by_age_and_by_size_and_found_by_time() {
    let home = tempfile::tempdir().unwrap();
    let options = StoreOptions { history_age: Duration::from_secs(50), ..small() };
    let mut twin = Twin::new();
    let mut store = Store::open(home.path(), &options).unwrap().0;
    for _ in 0..20 {
        twin.commit(&mut store, 2, &[]).unwrap();
    }
    store.spill().unwrap();
    let some: Vec<_> = history::read(home.path(), Timestamp::from_millis(3_000), Timestamp::from_millis(5_000))
        .unwrap()
        .map(|past| past.unwrap().seq)
        .collect();
    assert_eq!(some, [5, 6, 7, 8]);
    assert_eq!(twin.maintain(&mut store), Step::Idle);
    twin.millis += 60_000;
    assert_eq!(twin.maintain(&mut store), Step::Forgot);
    assert_eq!(store.stats().history_bytes, 0);
    twin.commit(&mut store, 1, &[]).unwrap();
    drop(store);
    let (mut store, recovered) = Store::open(home.path(), &options).unwrap();
    twin.is(recovered);
    store.spill().unwrap();
    let rest: Vec<_> =
        history::read(home.path(), Timestamp::EPOCH, Timestamp::MAX).unwrap().map(|past| past.unwrap().seq).collect();
    assert_eq!(rest, [41]);
}

#[test]
fn a_backup_of_a_running_store_comes_back_whole() {
    let home = tempfile::tempdir().unwrap();
    let mut twin = Twin::new();
    let mut store = Store::open(&home.path().join("a"), &small()).unwrap().0;
    for number in 0..60_u16 {
        let changes: Vec<_> = (0..20).map(|key| put(key * 3 + number % 3, usize::from(number) * 5)).collect();
        twin.commit(&mut store, 5, &changes).unwrap();
        twin.maintain(&mut store);
        if number % 20 == 0 {
            let archive = home.path().join(format!("{number}.sqb"));
            let held = store.backup(&mut fs::File::create(&archive).unwrap()).unwrap();
            assert_eq!(verify(&mut fs::File::open(&archive).unwrap()).unwrap(), held);
            let target = home.path().join(format!("b{number}"));
            assert_eq!(restore(&archive, &target).unwrap(), held);
            let (mut again, recovered) = Store::open(&target, &small()).unwrap();
            twin.is(recovered);
            again.spill().unwrap();
            twin.history_is(&target);
            let mut later = twin.clone();
            later.commit(&mut again, 3, &[put(1, 1)]).unwrap();
            drop(again);
            later.is(Store::open(&target, &small()).unwrap().1);
            assert!(matches!(restore(&archive, &target), Err(StoreError::NotEmpty { .. })));
        }
    }
}

#[test]
fn a_damaged_backup_restores_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut twin = Twin::new();
    let mut store = Store::open(&home.path().join("a"), &small()).unwrap().0;
    twin.commit(&mut store, 30, &[put(1, 10_000)]).unwrap();
    let mut bytes = Vec::new();
    store.backup(&mut bytes).unwrap();
    let archive = home.path().join("b.sqb");
    let target = home.path().join("b");
    for at in (0..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        for damaged in [damaged, bytes[..at].to_vec()] {
            fs::write(&archive, damaged).unwrap();
            assert!(restore(&archive, &target).is_err(), "at {at}");
            assert!(!target.exists());
        }
    }
}
