//! The one reader of the clock: wall time that never goes back, and stopwatches.
//!
//! Deliberately not a timer: waiting is done by whoever waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::domain::Timestamp;

/// Wall time that never goes back, or the time of a rehearsal. Clones share it.
///
/// When the machine's clock jumps back, time here goes on at nine tenths of its pace until the machine has caught
/// up, so that nothing which waits is stuck for as long as the jump was.
#[derive(Clone, Debug)]
pub struct Clock {
    anchor: Arc<Mutex<Anchor>>,
    rehearsal: Option<Rehearsal>,
}

/// Time that goes faster than it does.
#[derive(Clone, Copy, Debug)]
struct Rehearsal {
    began: Anchor,
    pace: f64,
}

/// Where time stood when it was last read.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    at: Timestamp,
    read: Instant,
}

impl Anchor {
    /// The time when `wall` is what the machine says and `passed` went by since the last reading.
    fn advance(&self, wall: Timestamp, passed: Duration) -> Timestamp {
        wall.max(self.at + passed.mul_f64(0.9))
    }
}

impl Clock {
    /// A clock that never shows a time before `not_before` (the engine's time after a restart).
    #[must_use]
    pub fn start(not_before: Timestamp) -> Self {
        let anchor = Anchor { at: not_before.max(wall()), read: instant() };
        Self { anchor: Arc::new(Mutex::new(anchor)), rehearsal: None }
    }

    /// A clock for rehearsals: it begins at `from`, and goes `pace` times as fast as the machine's.
    #[must_use]
    pub fn rehearse(from: Timestamp, pace: u32) -> Self {
        let began = Anchor { at: from, read: instant() };
        Self { anchor: Arc::new(Mutex::new(began)), rehearsal: Some(Rehearsal { began, pace: f64::from(pace) }) }
    }

    /// How long the machine's clock takes for so many seconds of this one, in seconds.
    #[must_use]
    pub fn takes(&self, seconds: f64) -> f64 {
        self.rehearsal.map_or(seconds, |rehearsal| seconds / rehearsal.pace)
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let read = instant();
        if let Some(Rehearsal { began, pace }) = self.rehearsal {
            return began.at.after(read.duration_since(began.read).as_secs_f64() * pace);
        }
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let at = anchor.advance(wall(), read.duration_since(anchor.read));
        // Whole milliseconds only: many readings within one must not each lose their fraction.
        if at != anchor.at {
            *anchor = Anchor { at, read };
        }
        at
    }
}

/// Measures how long something takes; in virtual time where the runtime's clock is paused.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    #[must_use]
    pub fn start() -> Self {
        Self(instant())
    }

    /// How long ago it was started.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        instant().duration_since(self.0)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::EPOCH + since
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_while_the_machine_is_behind() {
        let anchor = Anchor { at: Timestamp::from_millis(1_000_000), read: instant() };
        let hour_back = Timestamp::from_millis(1_000_000 - 3_600_000);
        assert_eq!(anchor.advance(hour_back, Duration::from_secs(10)), Timestamp::from_millis(1_009_000));
        let ahead = Timestamp::from_millis(2_000_000);
        assert_eq!(anchor.advance(ahead, Duration::from_secs(10)), ahead);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rehearsal_begins_where_it_is_told_and_goes_as_fast() {
        let clock = Clock::rehearse(Timestamp::from_millis(1_000_000), 600);
        assert_eq!(clock.now(), Timestamp::from_millis(1_000_000));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.now(), Timestamp::from_millis(2_200_000));
        assert!((clock.takes(60.0) - 0.1).abs() < 1e-9, "a minute takes a tenth of a second");
    }

    #[test]
    fn no_reading_is_before_an_earlier_one() {
        let far = Timestamp::from_secs(4e9).unwrap();
        let clock = Clock::start(far);
        let first = clock.now();
        assert!(first >= far);
        assert!(clock.now() >= first);
    }
}
