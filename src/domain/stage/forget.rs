//! Forgetting: counts that halve after a stated time, and the length of history that they stand for.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// The natural logarithm of 2.
const LN_2: f64 = std::f64::consts::LN_2;

/// The share of a count that is left after `secs`.
pub(crate) fn left(secs: f64, half_life: f64) -> f64 {
    if secs <= 0.0 { 1.0 } else { libm::exp(-secs * LN_2 / half_life) }
}

/// The length of history, in seconds, that decayed counts of the last `secs` stand for: as long as `secs` at
/// first, never more than the half-life over ln 2.
pub(crate) fn history(secs: f64, half_life: f64) -> f64 {
    (-libm::expm1(-secs.max(0.0) * LN_2 / half_life)) * half_life / LN_2
}

/// A count that decays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decay {
    count: f64,
    at: Timestamp,
}

impl Decay {
    /// The count now.
    pub(crate) fn get(&self, now: Timestamp, half_life: f64) -> f64 {
        if self.count == 0.0 { 0.0 } else { self.count * left(now.since(self.at), half_life) }
    }

    /// Adds to it.
    pub(crate) fn add(&mut self, much: f64, now: Timestamp, half_life: f64) {
        self.count = self.get(now, half_life) + much;
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: f64 = 86_400.0;

    #[test]
    fn a_count_halves_after_its_half_life() {
        let mut count = Decay::default();
        count.add(8.0, Timestamp::EPOCH, DAY);
        assert!((count.get(Timestamp::EPOCH.after(2.0 * DAY), DAY) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn history_is_as_long_as_it_is_at_first_and_bounded_in_the_end() {
        assert!((history(60.0, 30.0 * DAY) - 60.0).abs() < 0.01);
        assert!(history(1e12, 30.0 * DAY) <= 30.0 * DAY / LN_2);
    }
}
