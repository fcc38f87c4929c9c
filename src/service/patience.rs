//! How long a digest waits for shards that do not answer, and for what was ordered to be heard of.
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
/// What was ordered and is due still, because the log is read late, is ordered again after so many seconds.
const UNHEARD: f64 = 60.0;

/// What waits, by name.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// When it was first tried, and last.
    tried: BTreeMap<String, (Timestamp, Timestamp)>,
    /// Until when it tells, and when it was ordered.
    ordered: BTreeMap<String, (Timestamp, Timestamp)>,
}

impl Patience {
    /// Whether a digest that tells until then is to be tried now.
    pub(super) fn is_time(&self, digest: &str, until: Timestamp, now: Timestamp) -> bool {
        let pause = |first: Timestamp, last: Timestamp| (AGAIN.0 * last.since(first)).min(AGAIN.1);
        let ordered = self.ordered.get(digest).filter(|(told, _)| *told == until);
        ordered.is_none_or(|(_, at)| now.since(*at) >= UNHEARD)
            && self.tried.get(digest).is_none_or(|(first, last)| now.since(*last) >= pause(*first, *last))
    }

    /// A digest was tried, and not all have answered. Whether it waits no longer.
    pub(super) fn ends(&mut self, digest: &str, now: Timestamp) -> bool {
        let (first, last) = self.tried.entry(digest.to_owned()).or_insert((now, now));
        *last = now;
        now.since(*first) >= LONGEST
    }

    /// A digest that tells until then was ordered.
    pub(super) fn ordered(&mut self, digest: &str, until: Timestamp, now: Timestamp) {
        self.tried.remove(digest);
        self.ordered.insert(digest.to_owned(), (until, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u32) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000).after(f64::from(secs))
    }

    #[test]
    fn it_waits_an_hour_and_asks_no_more_often_than_it_must() {
        let mut patience = Patience::default();
        let mut tries = 0;
        for second in (0..).step_by(5) {
            if !patience.is_time("week", at(0), at(second)) {
                continue;
            }
            tries += 1;
            if patience.ends("week", at(second)) {
                assert_eq!((second, tries), (3600, 71));
                break;
            }
        }
        // What could not be ordered then waits for nobody any more; the next one has an hour of its own.
        assert!(patience.ends("week", at(3660)));
        patience.ordered("week", at(0), at(3660));
        assert!(!patience.ends("week", at(90_000)));
    }

    #[test]
    fn what_is_due_still_is_not_ordered_at_every_look() {
        let mut patience = Patience::default();
        patience.ordered("week", at(0), at(20));
        assert!(!patience.is_time("week", at(0), at(79)));
        assert!(patience.is_time("week", at(0), at(80)));
        assert!(patience.is_time("week", at(30), at(40)), "the next one");
        assert!(patience.is_time("day", at(0), at(21)), "another one");
    }
}
