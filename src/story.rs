//! The seed's story as a seeded stream of events, so that README, tests and demonstrations need nothing from outside.
//!
//! Six days of a small shop on Rails, Monday to Saturday. Four web hosts (`web-1` is also the load balancer), a
//! database with a replica, a queue. Four tools watch: monit on the hosts, Sentry for exceptions, New Relic inside
//! the application, Pingdom from outside; the deployer tells of deploys, the cloud of replaced instances.
//!
//! Most of what they say is the noise of every day: exceptions of bots and expired sessions, processors that are
//! busy at noon, the backup that loads the database at night, a lost probe that is back a minute later. In it stand
//! three true faults:
//!
//! 1. **Wednesday: the disk of the database fills** for hours. One warning, then nothing but rising numbers, then a
//!    critical one. It matters before it is full.
//! 2. **Thursday: payments fail.** An exception that nobody has seen before, nine times a minute.
//! 3. **Friday: stale processes.** The shop is in the press, three deploys leave processes behind, and swap warnings
//!    flap between warning and normal on three hosts for nine hours. They are taken for traffic. Then memory runs
//!    out, `web-1` locks up and with it the balancer: the site is down for ten minutes. A fresh instance takes
//!    requests before it is ready, a stale cache list makes the rest slow for ten more: four tools, one cause.
//!
//! Deliberately not a simulation of a computer: the times and rates are set by hand, only the dice are thrown.

mod cast;
mod faults;
mod ordinary;
mod random;

use crate::domain::{Event, Kind, Timestamp};

use random::Random;

/// The seed of the story that is told when nobody asks for another.
pub const SEED: u64 = 140;

/// Monday 2026-03-02, 00:00 UTC: where the story begins.
pub const START: Timestamp = Timestamp::from_millis(1_772_409_600_000);

/// Six days later: where it ends.
pub const END: Timestamp = Timestamp::from_millis(START.millis() + 6 * DAY);

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `hour:minute` of a day of the story, Monday = 0.
const fn on(day: i64, hour: i64, minute: i64) -> Timestamp {
    Timestamp::from_millis(START.millis() + day * DAY + hour * HOUR + minute * MINUTE)
}

/// All events of the story, in order of time; some 4,000. One seed gives the same events to the byte everywhere.
/// The times and the faults of [`truth`] are the same for all seeds.
#[must_use]
pub fn events(seed: u64) -> Vec<Event> {
    let mut seeds = Random::new(seed);
    let mut events = Vec::new();
    for part in [ordinary::exceptions, ordinary::hosts, ordinary::application, ordinary::deploys] {
        part(&mut Random::new(seeds.next()), &mut events);
    }
    // While the site is down nobody reaches the code that throws the usual exceptions.
    let down = |ts| (faults::DOWN..faults::UP).contains(&ts);
    events.retain(|event: &Event| event.kind != Kind::Exception || !event.ts.is_some_and(down));
    for part in [faults::disk, faults::payments, faults::memory, faults::outage] {
        part(&mut Random::new(seeds.next()), &mut events);
    }
    events.retain(|event| event.ts.is_some_and(|ts| (START..END).contains(&ts)));
    // Stable: events of one instant stay in the order of the parts.
    events.sort_by_key(|event| event.ts);
    events
}

/// One true fault of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A short name.
    pub name: &'static str,
    /// When it begins.
    pub start: Timestamp,
    /// When it is over.
    pub end: Timestamp,
    /// By when somebody must have been told for it to help.
    pub deadline: Timestamp,
    /// The services that it hurts.
    pub services: &'static [&'static str],
    /// The hosts that it hurts; empty = no host in particular.
    pub hosts: &'static [&'static str],
    /// What happens.
    pub what: &'static str,
}

/// The three true faults, in order of time.
#[must_use]
pub const fn truth() -> [Fault; 3] {
    [
        Fault {
            name: "disk-full",
            start: faults::DISK_START,
            end: faults::DISK_END,
            deadline: on(2, 16, 45),
            services: &["db"],
            hosts: &["db-1"],
            what: "the disk of the database fills; it matters before it is full",
        },
        Fault {
            name: "payments",
            start: faults::PAYMENTS_START,
            end: faults::PAYMENTS_END,
            deadline: on(3, 10, 35),
            services: &["shop"],
            hosts: &[],
            what: "payments fail with an exception that was never seen before",
        },
        Fault {
            name: "memory-outage",
            start: faults::MEMORY_START,
            end: faults::SLOW_END,
            deadline: on(5, 0, 50),
            services: &["shop"],
            hosts: &["web-1", "web-2", "web-3"],
            what: "stale processes after deploys eat the memory: swap warnings flap for nine hours, then the site is \
                   down for ten minutes and slow for ten more",
        },
    ]
}
