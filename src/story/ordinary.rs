//! The noise of every day, at rates that follow the hours.

use crate::domain::{Event, Severity, Timestamp};

use super::cast::{self, Check};
use super::random::Random;
use super::{END, HOUR, MINUTE, START, faults, on};

/// The share of the day's peak that each hour sees, from midnight on.
const HOURS: [f64; 24] = [
    0.18, 0.14, 0.11, 0.10, 0.10, 0.13, 0.22, 0.38, 0.58, 0.74, 0.86, 0.95, 1.0, 0.97, 0.91, 0.88, 0.86, 0.84, 0.82,
    0.80, 0.72, 0.56, 0.39, 0.26,
];

/// Exceptions at ordinary rates: class, times an hour at the peak, and what they say.
const EXCEPTIONS: &[(&str, f64, &str)] = &[
    ("ActionController::UnknownFormat", 14.0, "no template for format"),
    ("OAuth::TokenExpired", 8.5, "token expired for customer"),
    ("Cart::ItemGone", 5.0, "item is sold out:"),
    ("Search::IndexStale", 2.0, "index is behind by seconds:"),
];

/// The traffic of an hour as a share of the busiest: Friday's press brings more.
fn traffic(at: Timestamp) -> f64 {
    let press = if (faults::PRESS..on(5, 12, 0)).contains(&at) { 1.5 } else { 1.0 };
    HOURS[at.hour_of_day()] * press / 1.5
}

/// Exceptions that bots and customers cause every day, and a Redis that now and then does not answer in time.
pub(super) fn exceptions(random: &mut Random, events: &mut Vec<Event>) {
    for (class, rate, says) in EXCEPTIONS {
        for at in random.times(START, END, rate * 1.5, traffic) {
            let summary = format!("{says} {}", 1_000 + random.next() % 9_000);
            events.push(cast::exception(at, random.pick(&cast::web_hosts(at)), class, summary));
        }
    }
    for at in random.times(START, END, 0.35, traffic) {
        // They come in small bursts: one hiccup hurts several requests.
        let mut at = at;
        for _ in 0..2 + random.next() % 7 {
            let summary = format!("waited {} ms for redis-1:6379", 1_000 + random.next() % 500);
            events.push(cast::exception(at, random.pick(&cast::web_hosts(at)), "Redis::TimeoutError", summary));
            at = at.after(random.between(0.2, 6.0));
        }
    }
}

/// Processors that are busy by day, the nightly backup, and the queue's memory.
pub(super) fn hosts(random: &mut Random, events: &mut Vec<Event>) {
    for slot in 0..4 {
        let check = |at| Check::of_host("shop", cast::web_hosts(at)[slot], "cpu_busy");
        let starts = random.times(START, END, 1.2, traffic);
        episodes(random, events, &starts, check, (85.0, 240.0));
    }
    for day in 0..6 {
        let at = on(day, 3, 10).after(random.between(0.0, 90.0));
        let load = Check::of_host("db", "db-1", "load_average");
        events.push(load.fires(at, Severity::Warning, random.between(8.0, 14.0), 8.0));
        events.push(load.resolves(at.after(random.between(1_700.0, 2_300.0)), random.between(1.0, 3.0), 8.0));
        let mut at = at.after(random.between(30.0, 200.0));
        for _ in 0..1 + random.next() % 4 {
            at = episode(random, events, Check::of_host("db", "db-1", "io_wait"), at, (40.0, 300.0));
            at = at.after(random.between(60.0, 240.0));
        }
    }
    let starts = random.times(START, END, 0.08, |_| 1.0);
    episodes(random, events, &starts, |_| Check::of_host("queue", "queue-1", "memory_used"), (80.0, 400.0));
}

/// Slow minutes by day, and probes that get lost on the way and are back within 45 to 75 seconds.
pub(super) fn application(random: &mut Random, events: &mut Vec<Event>) {
    let well = |at: Timestamp| !(on(5, 1, 30)..on(5, 2, 20)).contains(&at);
    let starts = random.times(START, END, 0.3, |at| if well(at) { traffic(at) } else { 0.0 });
    episodes(random, events, &starts, |_| Check::of_shop("response_time_p95", Some("ms")), (1_200.0, 330.0));
    let probe = Check::of_front_page();
    let ordinary = |at: Timestamp| f64::from(!(faults::MEMORY_START..faults::SLOW_END).contains(&at));
    for at in random.times(START, END, 0.05, ordinary) {
        events.push(probe.fails(at, "no answer within 30 s"));
        events.push(probe.answers(at.after(random.between(45.0, 75.0))));
    }
}

/// Two or three deploys on a working day; each makes one host short of memory for some minutes.
pub(super) fn deploys(random: &mut Random, events: &mut Vec<Event>) {
    for day in 0..5 {
        let hours: &[i64] = if day == 4 { &[9] } else { &[9, 11, 15] };
        for hour in &hours[..hours.len().min(2 + (random.next() % 2) as usize)] {
            let at = on(day, *hour, 0) + std::time::Duration::from_millis(random.next() % (HOUR as u64));
            events.push(deploy(random, at));
            let soon = at.after(random.between(60.0, 300.0));
            let check = Check::of_host("shop", random.pick(&cast::web_hosts(at)), "memory_used");
            episode(random, events, check, soon, (80.0, 5.0 * MINUTE as f64 / 1_000.0));
        }
    }
}

/// The deployer's word of one deploy.
pub(super) fn deploy(random: &mut Random, at: Timestamp) -> Event {
    let commit = format!("{:07x}", random.next() >> 36);
    cast::change(at, "deployer", "deploy", None, format!("deploy of {commit} to production"))
}

/// Episodes of one check, but none that begins before the last has ended.
fn episodes(
    random: &mut Random,
    events: &mut Vec<Event>,
    starts: &[Timestamp],
    check: impl Fn(Timestamp) -> Check,
    how: (f64, f64),
) {
    let mut end = START;
    for at in starts {
        if *at > end {
            end = episode(random, events, check(*at), *at, how);
        }
    }
}

/// One warning that resolves by itself after about `mean` seconds (half as long to half as long again). Gives its end.
fn episode(random: &mut Random, events: &mut Vec<Event>, check: Check, at: Timestamp, how: (f64, f64)) -> Timestamp {
    let (limit, mean) = how;
    let end = at.after(mean * random.between(0.5, 1.5));
    events.push(check.fires(at, Severity::Warning, limit * random.between(1.0, 1.12), limit));
    events.push(check.resolves(end, limit * random.between(0.6, 0.95), limit));
    end
}
