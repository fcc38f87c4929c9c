//! A commit of which the disk has only some pages: cut off anywhere, or with parts of it missing. Where it was not
//! acknowledged, it counts as a whole or not at all; where it was (a disk that lied), that is told.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shell/folder.rs"]
mod folder;

use std::collections::BTreeMap;
use std::path::Path;

use squelch::domain::{Change, Event, Timestamp};
use squelch::store::{Batch, Loss, Store, StoreOptions};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;
type Files = BTreeMap<String, Vec<u8>>;

const LOG: &str = "sled/db";
const SIDE: &str = "durable";
/// What a disk writes at once, at the least.
const PAGE: usize = 4096;

fn options() -> StoreOptions {
    StoreOptions { min_free: 0, cache: 8 << 20, ..StoreOptions::default() }
}

/// The files and the records before the last commit, and after it.
struct Torn {
    before: (Files, Model),
    after: (Files, Model),
}

impl Torn {
    /// Some small commits, then a last one of `records` records of 1,000 bytes: many chunks.
    fn make(records: u16) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut store = Store::open(home.path(), &options()).unwrap().0;
        let mut model = Model::new();
        for number in 0..6 {
            commit(&mut store, &mut model, number, 20);
        }
        let before = (folder::contents(home.path()), model.clone());
        commit(&mut store, &mut model, 6, records);
        let after = (folder::contents(home.path()), model);
        drop(store);
        Self { before, after }
    }

    /// The pages of the log that the last commit changed.
    fn changed(&self) -> Vec<usize> {
        let (old, new) = (&self.before.0[LOG], &self.after.0[LOG]);
        let page =
            |bytes: &[u8], at: usize| bytes[(at * PAGE).min(bytes.len())..((at + 1) * PAGE).min(bytes.len())].to_vec();
        (0..new.len().div_ceil(PAGE)).filter(|at| page(old, *at) != page(new, *at)).collect()
    }

    /// The log with these pages as they were before: the old bytes, or a hole where there were none.
    fn without(&self, pages: &[usize]) -> Vec<u8> {
        let (old, mut log) = (&self.before.0[LOG], self.after.0[LOG].clone());
        for page in pages {
            for at in page * PAGE..((page + 1) * PAGE).min(log.len()) {
                log[at] = old.get(at).copied().unwrap_or(0);
            }
        }
        log
    }
}

fn commit(store: &mut Store, model: &mut Model, number: u16, records: u16) {
    let changes: Vec<_> =
        (0..records).map(|key| Change { key: key.to_be_bytes().to_vec(), value: Some(noise(number, key)) }).collect();
    let event = Event::new("nagios", "swap");
    let batch = Batch { events: &[(u64::from(number), &event)], changes: &changes, now: Timestamp::from_millis(9) };
    store.commit(&batch).unwrap();
    model.extend(changes.into_iter().map(|change| (change.key, change.value.unwrap())));
}

/// 1,000 bytes without zeros and repeats, so that a hole is never right by chance.
fn noise(number: u16, key: u16) -> Vec<u8> {
    let seed = u32::from(number) << 16 | u32::from(key);
    (0..1_000_u32).map(|at| (((seed ^ at).wrapping_mul(2_654_435_761) >> 24) | 1) as u8).collect()
}

/// Opens a copy with this log; the side file is that of `side`.
fn opens(torn: &Torn, log: &[u8], side: &Files) -> (Model, Loss, usize) {
    let home = tempfile::tempdir().unwrap();
    let mut files = torn.after.0.clone();
    files.insert(LOG.to_owned(), log.to_vec());
    files.insert(SIDE.to_owned(), side[SIDE].clone());
    folder::write(home.path(), &files);
    let recovered = open(home.path());
    let again = open(home.path());
    assert_eq!((&again.0, again.2), (&recovered.0, 0), "what was mended is whole");
    recovered
}

fn open(dir: &Path) -> (Model, Loss, usize) {
    let (store, recovered) = Store::open(dir, &options()).unwrap();
    drop(store);
    let loss = recovered.damage.iter().map(|damage| damage.loss).max().unwrap_or(Loss::Nothing);
    (recovered.records.into_iter().collect(), loss, recovered.damage.len())
}

/// Every way in which the last commit may have reached the disk in part: a name, and the log.
fn ways(torn: &Torn) -> Vec<(String, Vec<u8>)> {
    let changed = torn.changed();
    let mut ways = Vec::new();
    for (nth, page) in changed.iter().enumerate() {
        ways.push((format!("page {page} is missing"), torn.without(&[*page])));
        ways.push((format!("only the pages before {page}"), torn.without(&changed[nth..])));
        ways.push((format!("only the pages from {page} on"), torn.without(&changed[..nth])));
        // What was synced before is there: a file is no shorter than it was.
        if page * PAGE >= torn.before.0[LOG].len() {
            ways.push((format!("the file ends within page {page}"), torn.after.0[LOG][..page * PAGE + 1_234].to_vec()));
        }
    }
    let odd: Vec<_> = changed.iter().copied().skip(1).step_by(2).collect();
    ways.push(("every other page is missing".to_owned(), torn.without(&odd)));
    ways
}

#[test]
fn a_torn_commit_that_was_not_acknowledged_counts_as_a_whole_or_not_at_all() {
    for records in [3, 60] {
        let torn = Torn::make(records);
        let (mut whole, mut absent) = (0, 0);
        for (way, log) in ways(&torn) {
            let (model, loss, _) = opens(&torn, &log, &torn.before.0);
            assert_eq!(loss, Loss::Nothing, "{records} records, {way} of {:?}", torn.changed());
            if model == torn.after.1 {
                whole += 1;
            } else {
                assert!(model == torn.before.1, "{records} records, {way}: half of a commit counts");
                absent += 1;
            }
        }
        assert!(absent > 0, "{records} records: nothing was torn, {whole} whole");
    }
}

#[test]
fn a_torn_commit_that_was_acknowledged_is_told() {
    for records in [3, 60] {
        let torn = Torn::make(records);
        let mut told = 0;
        for (way, log) in ways(&torn) {
            let (model, loss, damage) = opens(&torn, &log, &torn.after.0);
            if model == torn.after.1 {
                assert!(loss < Loss::State, "{records} records, {way}: all is there, and state is said to be lost");
            } else {
                assert!(model == torn.before.1, "{records} records, {way}: half of a commit counts");
                assert_eq!((loss, damage > 0), (Loss::State, true), "{records} records, {way}: opened silently short");
                told += 1;
            }
        }
        assert!(told > 0, "{records} records: nothing was torn");
    }
}
