//! Deadlines as data: what is due next, in an order that does not depend on how it came about.
//!
//! A timer is a reminder, not a fact: the row it points to knows its own deadline, and a timer whose row has
//! another one is stale and skipped. So nothing is ever cancelled, and timers need not be stored.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

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
}

/// A timer: when, what, and the row it is about.
type Timer = (Timestamp, Due, Fingerprint);

/// All timers.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Timer>>,
}

impl Timers {
    /// Reminds of `what` about `whom` at `at`.
    pub(crate) fn set(&mut self, at: Timestamp, what: Due, whom: Fingerprint) {
        self.heap.push(Reverse((at, what, whom)));
    }

    /// The earliest timer.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Takes the earliest timer that is due at `now`. Equal timers fire once.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        let Reverse(timer) = self.heap.pop()?;
        while self.heap.peek() == Some(&Reverse(timer)) {
            self.heap.pop();
        }
        Some(timer)
    }
}
