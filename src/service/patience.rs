//! How long a digest waits for shards that do not answer.
//!
//! Pure. Deliberately counted from when it was first tried, not from when it was due: after a night without a cluster all
//! shards are still being rebuilt.

use std::collections::BTreeMap;

use crate::domain::Timestamp;

/// So long, in seconds; then it goes out, and says what is missing.
const LONGEST: f64 = 3600.0;
/// The longer it waits the less often it is tried: after so much of the time that it has waited, but no longer than so many
/// seconds.
const AGAIN: (f64, f64) = (0.25, 60.0);

/// What waits: by name when it was first tried, and last.
#[derive(Debug, Default)]
pub(super) struct Patience(BTreeMap<String, (Timestamp, Timestamp)>);

impl Patience {
    /// Whether a digest is to be tried now.
    pub(super) fn is_time(&self, digest: &str, now: Timestamp) -> bool {
        let pause = |first: Timestamp, last: Timestamp| (AGAIN.0 * last.since(first)).min(AGAIN.1);
        self.0.get(digest).is_none_or(|(first, last)| now.since(*last) >= pause(*first, *last))
    }

    /// A digest was tried, and not all have answered. Whether it waits no longer.
    pub(super) fn ends(&mut self, digest: &str, now: Timestamp) -> bool {
        let (first, last) = self.0.entry(digest.to_owned()).or_insert((now, now));
        *last = now;
        let over = now.since(*first) >= LONGEST;
        if over {
            self.0.remove(digest);
        }
        over
    }

    /// A digest was sent.
    pub(super) fn sent(&mut self, digest: &str) {
        self.0.remove(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_an_hour_and_asks_no_more_often_than_it_must() {
        let at = |secs: u32| Timestamp::from_millis(1_795_000_000_000).after(f64::from(secs));
        let mut patience = Patience::default();
        let mut tries = 0;
        for second in (0..).step_by(5) {
            if !patience.is_time("week", at(second)) {
                continue;
            }
            tries += 1;
            if patience.ends("week", at(second)) {
                assert_eq!((second, tries), (3600, 71));
                break;
            }
        }
        // The next one has an hour of its own, and what was answered in the end leaves nothing behind.
        assert!(patience.is_time("week", at(3600)) && !patience.ends("week", at(3600)));
        patience.sent("week");
        assert!(!patience.ends("week", at(7300)));
    }
}
