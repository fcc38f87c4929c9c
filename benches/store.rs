//! What a durable commit costs, with its share of snapshots and compaction, and how long opening takes.
//!
//! Everything happens below the system's directory for temporary files (`TMPDIR`), which must be on a disk for the figures to mean
//! anything; at most 2 GB at a time, removed at the end.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use squelch::domain::{Change, Event, Timestamp};
use squelch::store::{Batch, Step, Store, StoreOptions};

/// Events in a commit.
const GROUPS: [u64; 3] = [1, 100, 1_000];
/// Live series behind the commits; each event changes one, and the tally.
const SERIES: u64 = 10_000;
/// Bytes of a series' record.
const RECORD: usize = 400;
/// Records of a store that is opened.
const SIZES: [u64; 2] = [100_000, 1_000_000];
/// Where the dice begin.
const SEED: u64 = 0x5EED;

fn value(number: u64) -> Vec<u8> {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes().repeat(RECORD / 8)
}

fn record(series: u64, number: u64) -> Change {
    Change { key: [b"s".as_slice(), &series.to_be_bytes()].concat(), value: Some(value(number)) }
}

fn part(series: u64, cursor: u64, bytes: usize) -> (Vec<Change>, Option<u64>) {
    let end = series.min(cursor + (bytes / RECORD) as u64);
    ((cursor..end).map(|number| record(number, number)).collect(), (end < series).then_some(end))
}

fn event(number: u64) -> Event {
    Event {
        host: Some(format!("app-{}", number % 40)),
        service: Some("shop".into()),
        value: Some(number as f64),
        summary: Some(format!("swap is {} % full on app-{}, above 80 %", number % 100, number % 40)),
        ..Event::new("prometheus", "swap_used")
    }
}

struct Load {
    store: Store,
    seq: u64,
    dice: u64,
    _home: tempfile::TempDir,
}

impl Load {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path(), &StoreOptions::default()).unwrap().0;
        Self { store, seq: 1, dice: SEED, _home: home }
    }

    fn commit(&mut self, events: &[Event]) {
        let given: Vec<_> = (self.seq..).zip(events).collect();
        let mut changes: Vec<_> = given
            .iter()
            .map(|(seq, _)| {
                self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                record((self.dice >> 33) % SERIES, *seq)
            })
            .collect();
        changes.push(Change { key: b"t".to_vec(), value: Some(value(self.seq)) });
        let now = Timestamp::from_millis(self.seq as i64);
        self.store.commit(&Batch { events: &given, changes: &changes, now }).unwrap();
        self.seq += events.len() as u64;
        self.store.maintain(now, |cursor, bytes| part(SERIES, cursor, bytes)).unwrap();
    }
}

fn commits(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store/commit");
    for size in GROUPS {
        let events: Vec<_> = (0..size).map(event).collect();
        let mut load = Load::new();
        group.throughput(Throughput::Elements(size));
        group.bench_function(BenchmarkId::from_parameter(format!("{size}_events")), |bench| {
            bench.iter(|| load.commit(&events));
        });
    }
    group.finish();
}

fn opening(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store/open");
    group.sample_size(10);
    for size in SIZES {
        let home = tempfile::tempdir().unwrap();
        let mut store = Store::open(home.path(), &StoreOptions::default()).unwrap().0;
        for first in (0..size).step_by(10_000) {
            let changes: Vec<_> = (first..first + 10_000).map(|series| record(series, series)).collect();
            store.commit(&Batch { events: &[], changes: &changes, now: Timestamp::EPOCH }).unwrap();
            while store.maintain(Timestamp::EPOCH, |cursor, bytes| part(first + 10_000, cursor, bytes)).unwrap()
                != Step::Idle
            {}
        }
        drop(store);
        group.throughput(Throughput::Elements(size));
        group.bench_function(BenchmarkId::from_parameter(format!("{size}_records")), |bench| {
            bench.iter_with_large_drop(|| black_box(Store::open(home.path(), &StoreOptions::default()).unwrap().1));
        });
    }
    group.finish();
}

criterion_group!(benches, commits, opening);
criterion_main!(benches);
