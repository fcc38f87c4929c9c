//! Damaged files: each damage is told and kept, none opens silently short or empty, none panics.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/folder.rs"]
mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use squelch::domain::{Change, Event, Timestamp};
use squelch::store::{Batch, Damage, Loss, Store, StoreError, StoreOptions, history};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn options() -> StoreOptions {
    StoreOptions { min_free: 0, snapshot_after: 10_000, part_bytes: 4_000, cache: 8 << 20, ..StoreOptions::default() }
}

/// A store that has everything: two snapshots, batches before, between and after them, history in several blocks.
struct Whole {
    home: tempfile::TempDir,
    records: Model,
    events: u64,
}

impl Whole {
    fn dir(&self) -> PathBuf {
        self.home.path().join("whole")
    }

    fn make() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut whole = Self { home, records: Model::new(), events: 0 };
        let mut store = Store::open(&whole.dir(), &options()).unwrap().0;
        for number in 0..60 {
            whole.commit(&mut store, number);
            for _ in 0..3 {
                whole.maintain(&mut store);
            }
        }
        while store.stats().journal_bytes < 5_000 {
            whole.commit(&mut store, 60);
        }
        drop(store);
        whole
    }

    fn commit(&mut self, store: &mut Store, number: u16) {
        let changes: Vec<_> = (0..8)
            .map(|key| Change {
                key: (key * 5 + number % 5).to_be_bytes().to_vec(),
                value: Some(vec![number as u8; 60 + usize::from(number)]),
            })
            .collect();
        let events: Vec<_> =
            (self.events + 1..=self.events + 4).map(|seq| (seq, Event::new("nagios", "swap"))).collect();
        let given: Vec<_> = events.iter().map(|(seq, event)| (*seq, event)).collect();
        store.commit(&Batch { events: &given, changes: &changes, now: Timestamp::from_millis(9) }).unwrap();
        self.events += 4;
        self.records.extend(changes.into_iter().map(|change| (change.key, change.value.unwrap())));
    }

    fn maintain(&self, store: &mut Store) {
        let part = |cursor: u64, _| {
            let half = self.records.iter().skip(cursor as usize * 20).take(20);
            let part = half.map(|(key, value)| Change { key: key.clone(), value: Some(value.clone()) });
            (part.collect(), (cursor == 0).then_some(1))
        };
        store.maintain(Timestamp::from_millis(9), part).unwrap();
    }

    /// A copy under a name, with something done to it.
    fn damaged(&self, name: &str, damage: impl FnOnce(&Path)) -> PathBuf {
        let dir = self.home.path().join(name.replace('/', "-"));
        folder::write(&dir, &folder::contents(&self.dir()));
        damage(&dir);
        dir
    }

    /// All files but the lock, by their names below the directory.
    fn files(&self) -> Vec<String> {
        folder::contents(&self.dir()).into_keys().collect()
    }
}

/// What opening a damaged copy gave.
struct Opened {
    damage: Vec<Damage>,
    records: Model,
    events: BTreeSet<u64>,
    next_seq: u64,
}

impl Opened {
    fn loss(&self) -> Loss {
        self.damage.iter().map(|damage| damage.loss).max().unwrap_or(Loss::Nothing)
    }
}

fn open(dir: &Path) -> Result<Opened, StoreError> {
    let (mut store, recovered) = Store::open(dir, &options())?;
    store.spill().unwrap();
    drop(store);
    let past = history::read(dir, Timestamp::EPOCH, Timestamp::MAX).unwrap();
    Ok(Opened {
        damage: recovered.damage,
        records: recovered.records.into_iter().collect(),
        events: past.map(|past| past.unwrap().seq).collect(),
        next_seq: recovered.next_seq,
    })
}

/// The rules that hold for every damage; returns what was opened.
fn obeys(whole: &Whole, name: &str, dir: &Path) -> Opened {
    let before = folder::contents(dir);
    let peeked = Store::peek(dir).unwrap_or_else(|error| panic!("{name}, only looked at: {error}"));
    assert!(folder::contents(dir) == before, "{name}: looking wrote something");
    let opened = open(dir).unwrap_or_else(|error| panic!("{name}: {error}"));
    let told = || opened.damage.iter().map(|damage| format!("\n  {damage}")).collect::<String>();
    for damage in &opened.damage {
        if let Some(kept) = &damage.kept {
            assert!(kept.join("TOLD.txt").exists() && fs::read_dir(kept).unwrap().count() > 1, "{name}:{}", told());
        }
    }
    assert!(peeked.records.into_iter().collect::<Model>() == opened.records, "{name}: looking shows something else");
    let lost = |damage: &[Damage]| damage.iter().any(|damage| damage.loss >= Loss::Perhaps);
    assert_eq!(lost(&peeked.damage), lost(&opened.damage), "{name}: looking tells {:?}, {}", peeked.damage, told());
    if opened.loss() < Loss::Perhaps {
        assert!(opened.records == whole.records, "{name}: records are missing, told was:{}", told());
    }
    if opened.loss() == Loss::Nothing {
        let events: BTreeSet<_> = (1..=whole.events).collect();
        let missing: Vec<_> = events.difference(&opened.events).collect();
        assert!(missing.is_empty(), "{name}: events {missing:?} are missing, told was:{}", told());
    }
    assert!(opened.next_seq > whole.events, "{name}: event numbers would be used twice, told was:{}", told());
    let again = open(dir).unwrap_or_else(|error| panic!("{name}, again: {error}"));
    assert_eq!(again.damage, [], "{name}: what was mended is whole");
    assert!(again.records == opened.records && again.events == opened.events, "{name}: what was mended stays");
    opened
}

/// Every way to damage one file: a name, and what becomes of its bytes (`None` = no file).
fn ways(bytes: &[u8]) -> Vec<(String, Option<Vec<u8>>)> {
    let mut ways = vec![("is gone".to_owned(), None), ("is empty".to_owned(), Some(Vec::new()))];
    for percent in [1, 25, 50, 75, 99] {
        let at = bytes.len() * percent / 100;
        ways.push((format!("is cut at {percent} %"), Some(bytes[..at].to_vec())));
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 0x10;
        ways.push((format!("has a flipped bit at {percent} %"), Some(flipped)));
        let mut zeroed = bytes.to_vec();
        let end = (at + 512).min(zeroed.len());
        zeroed[at..end].fill(0);
        ways.push((format!("has a hole at {percent} %"), Some(zeroed)));
    }
    ways.push(("lost its last byte".into(), Some(bytes[..bytes.len() - 1].to_vec())));
    let mut first = bytes.to_vec();
    first[0] ^= 1;
    ways.push(("has a flipped first bit".into(), Some(first)));
    ways.push(("has rubbish behind it".into(), Some([bytes, &[0xA5; 700]].concat())));
    ways.push(("stands twice in itself".into(), Some(bytes.repeat(2))));
    ways.push(("is all zeros".into(), Some(vec![0; bytes.len()])));
    ways
}

#[test]
fn every_damage_of_every_file_is_told_or_changes_nothing() {
    let whole = Whole::make();
    let files = whole.files();
    let of_ours = |file: &str| file.ends_with(".sqs") || file.ends_with(".seg") || file == "durable";
    assert!(files.iter().filter(|file| file.ends_with(".sqs")).count() == 2, "{files:?}");
    let (mut kinds, mut told) = (0, 0);
    for file in &files {
        let bytes = fs::read(whole.dir().join(file)).unwrap();
        for (way, damaged) in ways(&bytes) {
            let name = format!("{file} {way}");
            let changed = damaged.as_ref() != Some(&bytes);
            let dir = whole.damaged("copy", |dir| match damaged {
                None => fs::remove_file(dir.join(file)).unwrap(),
                Some(damaged) => fs::write(dir.join(file), damaged).unwrap(),
            });
            let opened = obeys(&whole, &name, &dir);
            // The side file is mostly air between its two slots.
            let air = file == "durable" && (way.contains("hole") || way.contains('%') || way.contains("behind"));
            assert!(!changed || air || !of_ours(file) || !opened.damage.is_empty(), "{name}: nothing was told");
            kinds += 1;
            told += usize::from(!opened.damage.is_empty());
            fs::remove_dir_all(&dir).unwrap();
        }
    }
    assert!(kinds >= 100 && told >= 60, "{kinds} kinds, {told} told");
}

#[test]
fn a_bit_flipped_anywhere_in_the_newest_snapshot_loses_nothing() {
    let whole = Whole::make();
    let newest = whole.files().into_iter().rfind(|file| file.ends_with(".sqs")).unwrap();
    let dir = whole.damaged("flip", |dir| {
        let mut bytes = fs::read(dir.join(&newest)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(dir.join(&newest), bytes).unwrap();
    });
    let opened = obeys(&whole, "flip", &dir);
    assert_eq!(opened.loss(), Loss::Nothing);
    assert_eq!(opened.damage.len(), 1);
    assert!(opened.damage[0].kept.as_ref().unwrap().join(&newest).exists());
}

#[test]
fn a_journal_that_is_gone_costs_what_came_since_the_snapshot_and_says_so() {
    let whole = Whole::make();
    let dir = whole.damaged("gone", |dir| fs::remove_dir_all(dir.join("sled")).unwrap());
    let opened = obeys(&whole, "gone", &dir);
    assert_eq!(opened.loss(), Loss::State);
    assert!(opened.damage[0].to_string().contains("the journal lacks"), "{}", opened.damage[0]);
    assert_eq!(opened.records.len(), whole.records.len());
}

#[test]
fn snapshots_and_journal_gone_together_are_told_as_lost_state() {
    let whole = Whole::make();
    let dir = whole.damaged("both", |dir| {
        fs::remove_dir_all(dir.join("sled")).unwrap();
        for file in whole.files().iter().filter(|file| file.ends_with(".sqs")) {
            fs::remove_file(dir.join(file)).unwrap();
        }
    });
    assert_eq!(obeys(&whole, "both", &dir).loss(), Loss::State);
}

#[test]
fn everything_but_the_side_file_gone_is_told() {
    let whole = Whole::make();
    let dir = whole.damaged("alone", |dir| {
        for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                fs::remove_dir_all(entry).unwrap();
            } else if !entry.ends_with("durable") {
                fs::remove_file(entry).unwrap();
            }
        }
    });
    let opened = obeys(&whole, "alone", &dir);
    assert_eq!(opened.loss(), Loss::State);
    assert!(opened.records.is_empty());
}

#[test]
fn both_snapshots_damaged_give_their_good_parts_and_the_journal() {
    let whole = Whole::make();
    let dir = whole.damaged("parts", |dir| {
        for file in whole.files().iter().filter(|file| file.ends_with(".sqs")) {
            let bytes = fs::read(dir.join(file)).unwrap();
            fs::write(dir.join(file), &bytes[..bytes.len() - 1]).unwrap();
        }
    });
    let opened = obeys(&whole, "parts", &dir);
    assert_eq!(opened.loss(), Loss::State, "it cannot be proven that no part is missing");
    assert_eq!(opened.records, whole.records, "but in truth only the ends were cut");
}

#[test]
fn files_that_were_swapped_are_told() {
    let whole = Whole::make();
    let files = whole.files();
    let of = |end: &str| files.iter().filter(|file| file.ends_with(end)).cloned().collect::<Vec<_>>();
    let (snapshots, segments) = (of(".sqs"), of(".seg"));
    let pairs = [
        (snapshots[0].clone(), segments[0].clone()),
        (snapshots[1].clone(), "durable".to_owned()),
        (segments[0].clone(), "sled/db".to_owned()),
        ("durable".to_owned(), "sled/db".to_owned()),
        (snapshots[0].clone(), snapshots[1].clone()),
    ];
    for (one, other) in pairs {
        let dir = whole.damaged("swap", |dir| {
            fs::rename(dir.join(&one), dir.join("x")).unwrap();
            fs::rename(dir.join(&other), dir.join(&one)).unwrap();
            fs::rename(dir.join("x"), dir.join(&other)).unwrap();
        });
        let name = format!("{one} and {other} swapped");
        assert!(!obeys(&whole, &name, &dir).damage.is_empty(), "{name}: nothing was told");
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn a_side_file_with_one_torn_slot_is_told_and_loses_nothing() {
    let whole = Whole::make();
    for slot in [0, 4096] {
        let dir = whole.damaged("torn", |dir| {
            let mut bytes = fs::read(dir.join("durable")).unwrap();
            bytes[slot + 20..slot + 60].fill(0xEE);
            fs::write(dir.join("durable"), bytes).unwrap();
        });
        let opened = obeys(&whole, "torn", &dir);
        assert_eq!((opened.damage.len(), opened.loss()), (1, Loss::Nothing));
        assert_eq!(opened.next_seq, whole.events + 1);
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn a_lost_side_file_is_told_and_no_event_number_is_used_twice() {
    let whole = Whole::make();
    let dir = whole.damaged("witness", |dir| fs::remove_file(dir.join("durable")).unwrap());
    let opened = obeys(&whole, "witness", &dir);
    assert_eq!(opened.loss(), Loss::Perhaps);
    assert_eq!(opened.records, whole.records);
    assert!(opened.next_seq > whole.events + 1_000_000);
}

#[test]
fn an_old_journal_put_back_under_a_newer_side_file_is_told() {
    let mut whole = Whole::make();
    let old = whole.damaged("old", |_| ());
    let mut store = Store::open(&whole.dir(), &options()).unwrap().0;
    whole.commit(&mut store, 99);
    drop(store);
    let dir = whole.damaged("mixed", |dir| {
        fs::remove_dir_all(dir.join("sled")).unwrap();
        folder::write(&dir.join("sled"), &folder::contents(&old.join("sled")));
    });
    assert_eq!(obeys(&whole, "mixed", &dir).loss(), Loss::State);
}

#[test]
fn a_newer_version_is_refused_and_nothing_is_touched() {
    let whole = Whole::make();
    for file in whole.files().iter().filter(|file| !file.starts_with("sled")) {
        let dir = whole.damaged("newer", |dir| {
            let mut bytes = fs::read(dir.join(file)).unwrap();
            for slot in [0, 4096] {
                if slot == 0 || file == "durable" {
                    bytes[slot + 4] = 7;
                    let crc = crc32fast::hash(&bytes[slot..slot + 32]);
                    bytes[slot + 32..slot + 36].copy_from_slice(&crc.to_be_bytes());
                }
            }
            fs::write(dir.join(file), bytes).unwrap();
        });
        let before = fs::read(dir.join(file)).unwrap();
        let error = open(&dir).err().unwrap();
        assert!(matches!(error, StoreError::Newer { version: 7, .. }), "{file}: {error}");
        assert_eq!(fs::read(dir.join(file)).unwrap(), before);
        assert!(!dir.join("quarantine").exists());
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_the_file_and_nothing_is_touched() {
    let whole = Whole::make();
    for file in ["durable", "lock", "history"] {
        let dir = whole.damaged("refused", |dir| {
            let path = dir.join(file);
            if path.is_dir() {
                fs::remove_dir_all(&path).unwrap();
                fs::write(&path, "a file where a directory should be").unwrap();
            } else {
                // A copy has no lock yet.
                let _ = fs::remove_file(&path);
                fs::create_dir(&path).unwrap();
            }
        });
        let error = open(&dir).err().unwrap();
        assert!(matches!(error, StoreError::Io { .. }) && error.to_string().contains(file), "{error}");
        assert!(!dir.join("quarantine").exists());
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn damaged_history_is_an_error_in_the_middle_of_reading_and_reading_goes_on() {
    let whole = Whole::make();
    let dir = whole.damaged("history", |dir| {
        let path = history_files(dir).remove(0);
        let mut bytes = fs::read(&path).unwrap();
        bytes[50] ^= 1;
        fs::write(path, bytes).unwrap();
    });
    let (good, bad): (Vec<_>, Vec<_>) =
        history::read(&dir, Timestamp::EPOCH, Timestamp::MAX).unwrap().partition(Result::is_ok);
    assert_eq!(bad.len(), 1);
    assert!(good.len() > 10);
}

fn history_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir.join("history")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
