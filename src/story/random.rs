//! The dice: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
//!
//! Small, without state outside, and the same on every machine; deliberately not for secrets.

use crate::domain::Timestamp;

/// A stream of random numbers.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    pub(super) const fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in [low, high).
    pub(super) const fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// The time to the next of events that come `rate` times an hour, in seconds (exponential; `libm`, so that the
    /// last bit is the same everywhere).
    pub(super) fn wait(&mut self, rate: f64) -> f64 {
        -libm::log(1.0 - self.unit()) * 3600.0 / rate
    }

    /// One of a few.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.unit() * of.len() as f64) as usize]
    }

    /// The times from `start` to `end` of a Poisson process with at most `most` events an hour, thinned to
    /// `share(t)` of them.
    pub(super) fn times(
        &mut self,
        start: Timestamp,
        end: Timestamp,
        most: f64,
        share: impl Fn(Timestamp) -> f64,
    ) -> Vec<Timestamp> {
        let mut found = Vec::new();
        let mut at = start.after(self.wait(most));
        while at < end {
            if self.unit() < share(at) {
                found.push(at);
            }
            at = at.after(self.wait(most));
        }
        found
    }
}
