//! Which time a recorded event happens at: the running maximum of the stamps that can be believed.
//!
//! `received` was stamped at the edge by Squelch itself and is always believed. A recording without it has only `ts`,
//! the sender's word, and one host with a wrong clock must not carry the whole run into the year 9999. So a `ts`
//! that leaps more than [`LEAP`] ahead waits for what follows:
//!
//! - Of the next [`WINDOW`] events (fewer at the end) more than half must lie beyond the leap as well.
//! - A leap of more than [`FAR`] needs at least [`WITNESSES`] such events: a gap of weeks or months moves time, a
//!   pair of broken stamps does not.
//! - The last event has nobody after it. It is believed unless it leaps more than [`FAR`].
//! - Time begins at the earliest stamp of the first window, so that a broken first stamp does no harm either.
//!
//! An event that is not believed is judged at the time that was reached before it.

use std::collections::VecDeque;

use crate::domain::{Event, Timestamp};

/// A `ts` more than this far ahead has to be confirmed, in seconds (1 hour).
pub const LEAP: f64 = 3600.0;
/// How many of the following events are asked.
pub const WINDOW: usize = 16;
/// Leaps beyond this need [`WITNESSES`], in seconds (366 days).
pub const FAR: f64 = 366.0 * 86_400.0;
/// How many of the following events must confirm a leap beyond [`FAR`].
pub const WITNESSES: usize = 8;

/// An event and the time at which it happens to the engine.
#[derive(Debug)]
pub struct Paced {
    /// The engine's time; never before that of an earlier event.
    pub now: Timestamp,
    /// The event's number.
    pub seq: u64,
    /// The event.
    pub event: Event,
}

/// Gives every event its time, [`WINDOW`] events behind its input.
#[derive(Debug, Default)]
pub struct Pace {
    now: Option<Timestamp>,
    waiting: VecDeque<(u64, Event)>,
}

impl Pace {
    /// A pace that goes on from `now`: what was stored before counts as reached.
    #[must_use]
    pub fn from(now: Timestamp) -> Self {
        Self { now: Some(now), waiting: VecDeque::new() }
    }

    /// Takes the next event; gives the one whose time is certain by now, if any.
    pub fn push(&mut self, seq: u64, event: Event) -> Option<Paced> {
        self.waiting.push_back((seq, event));
        if self.waiting.len() > WINDOW { self.release() } else { None }
    }

    /// At the end of the input: gives the events that still wait, one a call.
    pub fn release(&mut self) -> Option<Paced> {
        let reached = self.now.unwrap_or_else(|| self.beginning());
        let (seq, event) = self.waiting.pop_front()?;
        let now = match stamp(&event) {
            Some(stamp) if event.received.is_some() || self.believes(reached, stamp) => reached.max(stamp),
            _ => reached,
        };
        self.now = Some(now);
        Some(Paced { now, seq, event })
    }

    fn beginning(&self) -> Timestamp {
        self.waiting.iter().filter_map(|(_, event)| stamp(event)).min().unwrap_or(Timestamp::EPOCH)
    }

    fn believes(&self, reached: Timestamp, stamp: Timestamp) -> bool {
        let leap = stamp.since(reached);
        if leap <= LEAP {
            return true;
        }
        let asked = self.waiting.len();
        let witnesses = self.waiting.iter().filter(|(_, event)| confirms(event, stamp)).count();
        if leap > FAR { witnesses >= WITNESSES && 2 * witnesses > asked } else { asked == 0 || 2 * witnesses > asked }
    }
}

/// When an event happened, by the best word there is.
fn stamp(event: &Event) -> Option<Timestamp> {
    event.received.or(event.ts)
}

fn confirms(event: &Event, leap: Timestamp) -> bool {
    stamp(event).is_some_and(|stamp| stamp.since(leap) >= -LEAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: f64 = 1_800_000_000.0;

    /// The times at which events with these stamps (seconds from the start; `None` = no stamp) happen.
    fn times(stamps: impl IntoIterator<Item = Option<f64>>) -> Vec<f64> {
        let mut pace = Pace::default();
        let mut paced = Vec::new();
        for (seq, secs) in stamps.into_iter().enumerate() {
            let mut event = Event::new("test", "check");
            event.ts = secs.and_then(|secs| Timestamp::from_secs(START + secs));
            paced.extend(pace.push(seq as u64, event));
        }
        while let Some(last) = pace.release() {
            paced.push(last);
        }
        paced.iter().map(|paced| paced.now.secs() - START).collect()
    }

    fn all(stamps: &[f64]) -> Vec<f64> {
        times(stamps.iter().copied().map(Some))
    }

    const WEEK: f64 = 7.0 * 86_400.0;
    const YEAR_9999: f64 = 250_000_000_000.0;

    #[test]
    fn time_is_the_running_maximum() {
        assert_eq!(all(&[0.0, 30.0, 10.0, 60.0]), [0.0, 30.0, 30.0, 60.0]);
    }

    #[test]
    fn one_broken_stamp_never_moves_time() {
        assert_eq!(all(&[0.0, YEAR_9999, 10.0, 20.0]), [0.0, 0.0, 10.0, 20.0]);
        assert_eq!(all(&[YEAR_9999, 0.0, 10.0]), [0.0, 0.0, 10.0], "not even as the first");
        assert_eq!(all(&[0.0, 10.0, YEAR_9999]), [0.0, 10.0, 10.0], "not even as the last");
        assert_eq!(all(&[0.0, WEEK, 10.0, 20.0]), [0.0, 0.0, 10.0, 20.0], "not even by a week");
    }

    #[test]
    fn a_pair_of_broken_stamps_at_the_end_moves_nothing() {
        assert_eq!(all(&[0.0, 10.0, YEAR_9999, YEAR_9999]), [0.0, 10.0, 10.0, 10.0]);
    }

    #[test]
    fn a_gap_of_weeks_moves_time() {
        assert_eq!(all(&[0.0, 3.0 * WEEK, 3.0 * WEEK + 10.0]), [0.0, 3.0 * WEEK, 3.0 * WEEK + 10.0]);
        assert_eq!(all(&[0.0, 3.0 * WEEK]), [0.0, 3.0 * WEEK], "also for the last event");
    }

    #[test]
    fn a_gap_of_years_moves_time_when_enough_events_follow() {
        let later: Vec<f64> = (0..20).map(|at| 300.0 * WEEK + f64::from(at)).collect();
        let stamps: Vec<f64> = std::iter::once(0.0).chain(later.iter().copied()).collect();
        assert_eq!(all(&stamps), stamps);
    }

    #[test]
    fn a_first_stamp_of_1970_is_left_behind() {
        let stamps: Vec<f64> = std::iter::once(-START).chain((0..20).map(f64::from)).collect();
        assert_eq!(all(&stamps), stamps);
    }

    #[test]
    fn an_event_without_a_stamp_happens_at_the_time_reached() {
        assert_eq!(times([Some(0.0), None, Some(5.0), None]), [0.0, 0.0, 5.0, 5.0]);
    }

    #[test]
    fn the_stamp_of_receipt_is_always_believed() {
        let mut pace = Pace::default();
        for (seq, secs) in [0.0, 9.0 * WEEK, 0.0].into_iter().enumerate() {
            let mut event = Event::new("test", "check");
            event.received = Timestamp::from_secs(START + secs);
            assert!(pace.push(seq as u64, event).is_none());
        }
        let times: Vec<f64> = std::iter::from_fn(|| pace.release()).map(|paced| paced.now.secs() - START).collect();
        assert_eq!(times, [0.0, 9.0 * WEEK, 9.0 * WEEK]);
    }
}
