//! The engine alone: events a second by number of live series, and what a series weighs.
//!
//! Hosts with ten checks each, one alert in ten critical, with values. Three loads: *resends* is what a Prometheus
//! sends on an ordinary day: a tenth of the alerts fire, each is sent again every minute, and one event in twenty is
//! a change; *changes* are nothing but changes, half of them from a noisy hundredth of the series; in a *storm* a
//! thousand changes a second come from all series alike. Seeds and sizes are the constants below.

#![expect(clippy::print_stdout, reason = "the weight of a series is a figure of this bench")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use squelch::domain::turn::{Input, Turn};
use squelch::domain::{Engine, Event, Kind, Policy, Severity, Status, Timestamp};

const SEED: u64 = 20_261_123;
const SERIES: [usize; 3] = [1_000, 100_000, 1_000_000];
const CHECKS: usize = 10;
const BATCH: usize = 10_000;

/// A load: its name, what its next event is, and the milliseconds between two events.
struct Load {
    name: &'static str,
    next: fn(usize, &mut Dice) -> Event,
    step: fn(usize) -> i64,
}

const LOADS: [Load; 3] = [
    Load { name: "resends", next: resend, step: |series| 600_000 / series as i64 },
    Load { name: "changes", next: noisy, step: |series| 21_600_000 / series as i64 },
    Load { name: "storm", next: any, step: |_| 1 },
];

/// Nineteen in twenty repeat one of the alerts that fire: those of every tenth series.
fn resend(series: usize, dice: &mut Dice) -> Event {
    if dice.below(20) == 0 {
        return noisy(series, dice);
    }
    let mut event = event(dice.below(series / 10) * 10 + 3, dice);
    (event.severity, event.status) = (Severity::Warning, Status::Firing);
    event
}

/// Half of them come from a noisy hundredth of the series.
fn noisy(series: usize, dice: &mut Dice) -> Event {
    let which = if dice.below(2) == 0 { dice.below(series / 100) * 100 } else { dice.below(series) };
    event(which, dice)
}

fn any(series: usize, dice: &mut Dice) -> Event {
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

/// An engine at work, and the time and number it has come to.
struct Run {
    engine: Engine,
    turn: Turn,
    now: i64,
    seq: u64,
}

impl Run {
    /// It has heard of every series.
    fn warm(series: usize, load: &Load) -> Self {
        let engine = Engine::new(Arc::new(Policy::default()));
        let mut run = Self { engine, turn: Turn::default(), now: 1_800_000_000_000, seq: 0 };
        let mut dice = Dice(SEED);
        for which in 0..series {
            run.take(&event(which, &mut dice), (load.step)(series));
        }
        run
    }

    fn take(&mut self, event: &Event, step: i64) {
        self.now += step;
        self.seq += 1;
        self.engine.handle(Timestamp::from_millis(self.now), Input::Event { seq: self.seq, event }, &mut self.turn);
        black_box(&self.turn);
        self.turn.clear();
    }
}

fn events_by_series(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .throughput(Throughput::Elements(BATCH as u64));
    for (series, load) in SERIES.into_iter().flat_map(|series| LOADS.iter().map(move |load| (series, load))) {
        let before = resident();
        let mut run = Run::warm(series, load);
        let mut dice = Dice(SEED + 1);
        group.bench_function(format!("{}_{series}", load.name), |bencher| {
            bencher.iter_batched(
                || (0..BATCH).map(|_| (load.next)(series, &mut dice)).collect::<Vec<_>>(),
                |events| {
                    for event in &events {
                        run.take(event, (load.step)(series));
                    }
                    events
                },
                BatchSize::LargeInput,
            );
        });
        let memory = resident().saturating_sub(before) / series;
        let stored = stored_bytes(&run.engine) / series;
        println!("{}_{series}: {memory} bytes in memory and {stored} bytes stored a series", load.name);
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
