//! The engine alone: events a second by number of live series, and what a series weighs.
//!
//! Hosts with ten checks each, one alert in ten critical, with values. Seeds and sizes are the constants below. The loads:
//!
//! - *rounds* is what a Prometheus sends on an ordinary day: a tenth of the alerts fire, and each is sent again every minute,
//!   in the order of rules and hosts, the same each time. One event in twenty is a change.
//! - *resends* is the same in random order, as if each alert came from a tool of its own.
//! - *changes* is nothing but changes, half of them from a noisy hundredth of the series. Most of its hosts are in an
//!   incident before long: about one event in forty pages, and one in twenty is told in a notice. It is no day that anybody has.
//! - *storm* is a thousand changes a second from all series alike: hardly a page, but all of it joins.
//!
//! Events come in groups as large as the service takes at once. The changed records are taken after each group, as for the
//! store, and that is timed apart: it is printed, with the pages and notices and the weights. The memory is that of the first
//! load only, because an allocator keeps what it had: name a load (`cargo bench --bench engine -- storm_100000`) to weigh it.

#![expect(clippy::print_stdout, reason = "the weight of a series is a figure of this bench")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use squelch::domain::turn::{Input, Turn};
use squelch::domain::{Decision, Engine, Event, Kind, Policy, Severity, Status, Timestamp};

/// The allocator of the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SEED: u64 = 20_261_123;
const SERIES: [usize; 3] = [1_000, 100_000, 1_000_000];
const CHECKS: usize = 10;
/// As many as the service judges at once.
const BATCH: usize = 2_000;

/// A load: its name, what its event with this number is, and the milliseconds between two events.
struct Load {
    name: &'static str,
    next: fn(usize, usize, &mut Dice) -> Event,
    step: fn(usize) -> i64,
}

const LOADS: [Load; 4] = [
    Load { name: "rounds", next: round, step: |series| 600_000 / series as i64 },
    Load { name: "resends", next: resend, step: |series| 600_000 / series as i64 },
    Load { name: "changes", next: noisy, step: |series| 21_600_000 / series as i64 },
    Load { name: "storm", next: any, step: |_| 1 },
];

/// Nineteen in twenty repeat the next one of the alerts that fire: those of every tenth series, one check on all hosts.
fn round(series: usize, number: usize, dice: &mut Dice) -> Event {
    if dice.below(20) == 0 { noisy(series, number, dice) } else { again(number % (series / 10), dice) }
}

/// Nineteen in twenty repeat one of the alerts that fire.
fn resend(series: usize, number: usize, dice: &mut Dice) -> Event {
    if dice.below(20) == 0 { noisy(series, number, dice) } else { again(dice.below(series / 10), dice) }
}

fn again(host: usize, dice: &mut Dice) -> Event {
    let mut event = event(host * CHECKS + 3, dice);
    (event.severity, event.status) = (Severity::Warning, Status::Firing);
    event
}

/// Half of them come from a noisy hundredth of the series.
fn noisy(series: usize, _number: usize, dice: &mut Dice) -> Event {
    let which = if dice.below(2) == 0 { dice.below(series / 100) * 100 } else { dice.below(series) };
    event(which, dice)
}

fn any(series: usize, _number: usize, dice: &mut Dice) -> Event {
    event(dice.below(series), dice)
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

fn event(series: usize, dice: &mut Dice) -> Event {
    let host = series / CHECKS;
    let mut event = Event::new("prometheus", format!("check_{}", series % CHECKS));
    event.kind = Kind::Host;
    event.service = Some(format!("service-{}", host / 20));
    event.host = Some(format!("node-{host}"));
    event.severity = if dice.below(10) == 0 { Severity::Critical } else { Severity::Warning };
    event.status = if dice.below(2) == 0 { Status::Firing } else { Status::Resolved };
    event.value = Some(90.0 + dice.below(10) as f64);
    event.threshold = Some(90.0);
    event.summary = Some("it is beyond its limit".to_owned());
    event
}

/// An engine at work, the time it has come to, and what it did since it was warm.
struct Run {
    engine: Engine,
    turn: Turn,
    now: i64,
    events: usize,
    pages: usize,
    notices: usize,
    records: Duration,
}

impl Run {
    /// It has heard of every series.
    fn warm(series: usize, load: &Load) -> Self {
        let engine = Engine::new(Arc::new(Policy::default()));
        let (turn, records) = (Turn::default(), Duration::ZERO);
        let mut run = Self { engine, turn, now: 1_800_000_000_000, events: 0, pages: 0, notices: 0, records };
        let mut dice = Dice(SEED);
        for which in 0..series {
            run.take(&event(which, &mut dice), (load.step)(series));
        }
        run.engine.take_changes();
        (run.events, run.pages, run.notices) = (0, 0, 0);
        run
    }

    fn take(&mut self, event: &Event, step: i64) {
        self.now += step;
        self.events += 1;
        let input = Input::Event { seq: self.now.unsigned_abs(), event };
        self.engine.handle(Timestamp::from_millis(self.now), input, &mut self.turn);
        for decision in &self.turn.decisions {
            self.pages += usize::from(matches!(decision, Decision::Page(_)));
            self.notices += usize::from(matches!(decision, Decision::Notice(_)));
        }
        black_box(&self.turn);
        self.turn.clear();
    }

    /// The next events; how long it took to judge them.
    fn group(&mut self, series: usize, load: &Load, dice: &mut Dice) -> Duration {
        let first = self.events;
        let events: Vec<Event> = (first..first + BATCH).map(|number| (load.next)(series, number, dice)).collect();
        let start = Instant::now();
        for event in &events {
            self.take(event, (load.step)(series));
        }
        let took = start.elapsed();
        let start = Instant::now();
        black_box(self.engine.take_changes());
        self.records += start.elapsed();
        took
    }

    /// What it did, and what it weighs.
    fn tell(&self, name: &str, series: usize, before: Option<usize>) {
        let memory = before.map(|before| resident().saturating_sub(before) / series);
        let memory = memory.map(|bytes| format!("{bytes} bytes in memory a series; ")).unwrap_or_default();
        let stored = stored_bytes(&self.engine) / series;
        let each = |count: usize| count as f64 * 1000.0 / self.events.max(1) as f64;
        let (pages, notices) = (each(self.pages), each(self.notices));
        let records = self.records.as_secs_f64() * 1e6 / self.events.max(1) as f64;
        println!("{name}: {memory}{stored} bytes stored a series; {records:.2} µs an event to take its records;");
        println!("{name}: {pages:.1} pages and {notices:.1} notices in 1,000 events");
    }
}

fn events_by_series(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .throughput(Throughput::Elements(BATCH as u64));
    let mut fresh = Some(resident());
    for (series, load) in SERIES.into_iter().flat_map(|series| LOADS.iter().map(move |load| (series, load))) {
        let mut run = None;
        let mut dice = Dice(SEED + 1);
        let name = format!("{}_{series}", load.name);
        group.bench_function(&name, |bencher| {
            let run = run.get_or_insert_with(|| Run::warm(series, load));
            bencher.iter_custom(|groups| (0..groups).map(|_| run.group(series, load, &mut dice)).sum());
        });
        // A load that was not asked for never ran.
        if let Some(run) = run {
            run.tell(&name, series, fresh.take());
        }
    }
    group.finish();
}

/// The bytes of all records.
fn stored_bytes(engine: &Engine) -> usize {
    let (mut cursor, mut sum) = (Some(0), 0);
    while let Some(at) = cursor {
        let (part, next) = engine.snapshot_part(at, 1 << 20);
        sum += part.iter().map(|change| change.key.len() + change.value.as_ref().map_or(0, Vec::len)).sum::<usize>();
        cursor = next;
    }
    sum
}

/// The resident memory of this process in bytes (Linux; 0 elsewhere).
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    pages.and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok()).map_or(0, |pages| pages * 4096)
}

criterion_group!(benches, events_by_series);
criterion_main!(benches);
