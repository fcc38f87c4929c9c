//! How long to wait before the next attempt: exponential backoff with full jitter. Pure.
//!
//! The jitter comes from a hash of the message's key and the attempt, so that couriers of many receivers do not knock
//! in step, and a test can say what happens.

use std::time::Duration;

use crate::domain::{Fingerprint, NotificationKey};

/// The ceiling of the first wait; it doubles with every attempt.
const FIRST: Duration = Duration::from_secs(1);
/// No wait is shorter, so that a receiver in trouble is never knocked at without a pause.
const SHORTEST: Duration = Duration::from_millis(100);
/// No ceiling is higher.
pub const LONGEST: Duration = Duration::from_secs(300);
/// A receiver that asks for more time gets it, up to this.
pub const LONGEST_ASKED: Duration = Duration::from_secs(3_600);

/// The wait after the failed attempt number `attempt` (from 1), when the receiver asked for `asked`.
#[must_use]
pub fn wait(attempt: u32, asked: Option<Duration>, key: &NotificationKey) -> Duration {
    let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(20));
    let jittered = doubled.min(LONGEST).mul_f64(fraction(attempt, key)).max(SHORTEST);
    jittered.max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

/// In [0, 1), evenly spread.
fn fraction(attempt: u32, key: &NotificationKey) -> f64 {
    let hash = Fingerprint::of(&[&key.to_string(), &attempt.to_string()]).0;
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::IncidentId;

    fn key(incident: u64) -> NotificationKey {
        NotificationKey { incident: IncidentId(incident), step: 1, receiver: "r".into() }
    }

    #[test]
    fn waits_spread_evenly_below_a_ceiling_that_doubles_up_to_five_minutes() {
        for (attempt, ceiling) in [(1, 1.0), (2, 2.0), (5, 16.0), (9, 256.0), (10, 300.0), (u32::MAX, 300.0)] {
            let waits: Vec<f64> = (0..2_000).map(|n| wait(attempt, None, &key(n)).as_secs_f64()).collect();
            assert!(waits.iter().all(|wait| (0.1..=ceiling).contains(wait)));
            let mean = waits.iter().sum::<f64>() / 2_000.0;
            assert!((mean / ceiling - 0.5).abs() < 0.03, "attempt {attempt}: mean {mean}");
        }
    }

    #[test]
    fn what_the_receiver_asks_for_is_kept_up_to_an_hour() {
        let asked = |secs| wait(1, Some(Duration::from_secs(secs)), &key(1)).as_secs_f64();
        assert_eq!(asked(120), 120.0);
        assert_eq!(asked(100_000), 3_600.0);
        assert!(asked(0) <= 1.0);
    }
}
