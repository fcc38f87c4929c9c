//! Rate limits: a token bucket for each sender, counted in events.
//!
//! Deliberately forgetful: a bucket that is full again is no longer kept.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::domain::Timestamp;

/// How much one sender may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Events a second in the long run.
    pub per_second: f64,
    /// Events at once.
    pub burst: f64,
}

/// More senders than this are not told apart: the limiter then lets all of them through rather than grow.
const MOST_SENDERS: usize = 10_000;

/// The buckets.
#[derive(Debug)]
pub struct Limiter {
    rate: Rate,
    buckets: HashMap<(IpAddr, String), Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

impl Limiter {
    /// Full buckets for everybody.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { rate, buckets: HashMap::new() }
    }

    /// Takes `events` from the sender's bucket. A bucket with one token gives as many as are asked for and goes
    /// into debt, so that a batch larger than the burst is possible, once.
    ///
    /// # Errors
    /// How long to wait until the bucket has one again.
    pub fn take(&mut self, sender: (IpAddr, &str), events: usize, now: Timestamp) -> Result<(), Duration> {
        if self.buckets.len() >= MOST_SENDERS {
            let rate = self.rate;
            self.buckets.retain(|_, bucket| bucket.level(rate, now) < rate.burst);
        }
        let full = Bucket { tokens: self.rate.burst, at: now };
        let key = (sender.0, sender.1.to_owned());
        if self.buckets.len() >= MOST_SENDERS && !self.buckets.contains_key(&key) {
            return Ok(());
        }
        let bucket = self.buckets.entry(key).or_insert(full);
        *bucket = Bucket { tokens: bucket.level(self.rate, now), at: now };
        if bucket.tokens < self.rate.burst.min(1.0) {
            let wait = (1.0 - bucket.tokens) / self.rate.per_second;
            return Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX));
        }
        bucket.tokens -= events as f64;
        Ok(())
    }
}

impl Bucket {
    fn level(&self, rate: Rate, now: Timestamp) -> f64 {
        now.since(self.at).mul_add(rate.per_second, self.tokens).min(rate.burst)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const RATE: Rate = Rate { per_second: 10.0, burst: 20.0 };
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_sender_that_sends_too_much_waits_and_the_others_do_not() {
        let mut limiter = Limiter::new(RATE);
        let start = Timestamp::from_millis(0);
        assert_eq!(limiter.take((HERE, "a"), 20, start), Ok(()));
        assert_eq!(limiter.take((HERE, "a"), 1, start), Err(Duration::from_millis(100)));
        assert_eq!(limiter.take((HERE, "b"), 1, start), Ok(()));
        assert_eq!(limiter.take((HERE, "a"), 1, start + Duration::from_millis(100)), Ok(()));
    }

    #[test]
    fn a_batch_larger_than_the_burst_passes_once() {
        let mut limiter = Limiter::new(RATE);
        let start = Timestamp::from_millis(0);
        assert_eq!(limiter.take((HERE, "a"), 100, start), Ok(()));
        assert_eq!(limiter.take((HERE, "a"), 1, start), Err(Duration::from_millis(8_100)));
        assert_eq!(limiter.take((HERE, "a"), 1, start + Duration::from_secs(9)), Ok(()));
    }
}
