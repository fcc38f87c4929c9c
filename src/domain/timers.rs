//! Deadlines as data: what is due next, in an order that does not depend on how it came about.
//!
//! A timer is a reminder, not a fact: the row it points to knows its own deadline, and a timer whose row has
//! another one is stale and skipped. So nothing is ever cancelled, and timers need not be stored.
//!
//! Most timers are a day away and stale when it comes. They lie in unordered buckets of about a minute until time
//! reaches them; only the heap of the minute at hand is in order, and small.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::fingerprint::Fingerprint;
use super::time::Timestamp;

/// What is due. The order of the variants is the order of firing within one millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Due {
    /// A burst of point events ends, if it was not fed.
    Burst,
    /// An alert was not heard of for too long.
    Expire,
    /// The meter of a component crosses the threshold.
    Cross,
    /// An alert may have outlived its kind.
    Outlive,
    /// The events of a series have waited long enough.
    Hold,
    /// A series may be steady again.
    Steady,
    /// Flapping may have lasted long enough to page.
    Promote,
    /// An incident may be over.
    Calm,
    /// A silence begins or ends.
    Silence,
    /// A heartbeat may be overdue.
    Heartbeat,
    /// A source may have fallen silent.
    Source,
    /// What was posted and is over is swept up.
    Sweep,
    /// The period of a page budget is over.
    Budget,
    /// Routes may tell a page that waited.
    Later,
    /// Nobody may have taken an incident for too long.
    Remind,
    /// Shadow mode is over, and something was kept from people.
    Unsent,
}

/// A timer: when, what, and the row it is about.
type Timer = (Timestamp, Due, Fingerprint);

/// A bucket is 2^16 milliseconds long.
const BUCKET: u32 = 16;

/// The bucket of a time.
const fn bucket(at: Timestamp) -> i64 {
    at.millis() >> BUCKET
}

/// All timers.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// Those in buckets before `reached`.
    near: BinaryHeap<Reverse<Timer>>,
    /// The others, by bucket.
    far: BTreeMap<i64, Vec<Timer>>,
    /// The first bucket that time has not reached.
    reached: i64,
}

impl Timers {
    /// Reminds of `what` about `whom` at `at`.
    pub(crate) fn set(&mut self, at: Timestamp, what: Due, whom: Fingerprint) {
        if bucket(at) < self.reached {
            self.near.push(Reverse((at, what, whom)));
        } else {
            self.far.entry(bucket(at)).or_default().push((at, what, whom));
        }
    }

    /// The earliest timer.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        let near = self.near.peek().map(|Reverse((at, _, _))| *at);
        near.or_else(|| self.far.first_key_value().and_then(|(_, timers)| timers.iter().map(|(at, _, _)| *at).min()))
    }

    /// Takes the earliest timer that is due at `now`. Equal timers fire once.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Timer> {
        if bucket(now) >= self.reached {
            self.reach(now);
        }
        if self.near.peek()?.0.0 > now {
            return None;
        }
        let Reverse(timer) = self.near.pop()?;
        while self.near.peek() == Some(&Reverse(timer)) {
            self.near.pop();
        }
        Some(timer)
    }

    /// Puts the timers of all buckets up to now in order.
    fn reach(&mut self, now: Timestamp) {
        self.reached = bucket(now) + 1;
        while let Some(first) = self.far.first_entry().filter(|first| *first.key() < self.reached) {
            self.near.extend(first.remove().into_iter().map(Reverse));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, Timers};
    use crate::domain::fingerprint::Fingerprint;
    use crate::domain::time::Timestamp;

    #[test]
    fn timers_fire_in_order_of_time_however_far_away_they_were_set() {
        let mut timers = Timers::default();
        let at = |secs: i64| Timestamp::from_millis(secs * 1000);
        for secs in [86_400, 5, 3600, 61, 5, 60] {
            timers.set(at(secs), Due::Hold, Fingerprint(1));
        }
        assert_eq!(timers.next(), Some(at(5)));
        assert!(timers.due(at(4)).is_none());
        let mut fired = Vec::new();
        while let Some((when, _, _)) = timers.due(at(3600)) {
            fired.push(when);
            if when == at(60) {
                timers.set(at(1800), Due::Hold, Fingerprint(1));
            }
        }
        assert_eq!(fired, [5, 60, 61, 1800, 3600].map(at));
        assert_eq!(timers.next(), Some(at(86_400)));
    }
}
