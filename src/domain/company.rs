//! Company: with which other components one is seen in trouble, and from which a person parted it.
//!
//! "Of the 5 times that web was in trouble, the cache was within three minutes of it 4 times": what no service graph
//! says is learned. Deliberately counts of troubles, not of alerts, and only of pairs that nothing else joins.

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::time::Timestamp;

/// Whom a component is seen with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Company {
    /// How often it was in trouble; halved, with all that is counted, beyond [`Company::FULL`].
    troubles: u32,
    /// When that was counted last.
    counted: Timestamp,
    /// How often another one was in trouble with it; at most [`Company::MOST`].
    with: Vec<(Fingerprint, u32)>,
    /// From which ones a person parted it, and when; at most [`Company::MOST`].
    apart: Vec<(Fingerprint, Timestamp)>,
}

impl Company {
    /// How many others are remembered.
    const MOST: usize = 16;
    /// Beyond so many troubles old ones count half.
    const FULL: u32 = 32;

    /// It is in trouble. What comes within `again` seconds of the last time is the same trouble. Whether it is another.
    pub(crate) fn count(&mut self, now: Timestamp, again: f64) -> bool {
        if self.troubles > 0 && now.since(self.counted) <= again {
            return false;
        }
        self.counted = now;
        self.troubles += 1;
        if self.troubles > Self::FULL {
            self.troubles /= 2;
            self.with.iter_mut().for_each(|(_, times)| *times /= 2);
            self.with.retain(|(_, times)| *times > 0);
        }
        true
    }

    /// It is in trouble together with another one.
    pub(crate) fn meet(&mut self, other: Fingerprint) {
        match self.with.iter_mut().find(|(known, _)| *known == other) {
            Some((_, times)) => *times += 1,
            None => {
                if self.with.len() == Self::MOST {
                    let rarest = (0..self.with.len()).min_by_key(|&at| self.with[at].1).unwrap_or(0);
                    self.with.remove(rarest);
                }
                self.with.push((other, 1));
            }
        }
    }

    /// How often it was in trouble with another one, and how often at all, when that is more often than not and more
    /// than chance: `chance` is how many troubles of the other one would fall beside one of its own by accident.
    pub(crate) fn usual(&self, other: Fingerprint, chance: f64) -> Option<(u32, u32)> {
        /// Twice may be an accident.
        const OFTEN: u32 = 3;
        let times = self.with.iter().find(|(known, _)| *known == other).map(|(_, times)| *times)?;
        let by_accident = f64::from(self.troubles) * chance;
        let usual = times >= OFTEN && 2 * times > self.troubles && f64::from(times) > 4.0 * by_accident;
        usual.then_some((times, self.troubles))
    }

    /// How often it was in trouble.
    pub(crate) const fn troubles(&self) -> u32 {
        self.troubles
    }

    /// A person says that it has nothing to do with another one.
    pub(crate) fn part(&mut self, other: Fingerprint, now: Timestamp) {
        self.with.retain(|(known, _)| *known != other);
        self.apart.retain(|(known, _)| *known != other);
        if self.apart.len() == Self::MOST {
            self.apart.remove(0);
        }
        self.apart.push((other, now));
    }

    /// Whether a person parted it from another one, not longer than `lasts` seconds ago.
    pub(crate) fn is_apart(&self, other: Fingerprint, now: Timestamp, lasts: f64) -> bool {
        self.apart.iter().any(|(known, at)| *known == other && now.since(*at) <= lasts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: f64 = 3600.0;

    #[test]
    fn three_of_five_troubles_together_are_no_accident() {
        let (mut web, cache) = (Company::default(), Fingerprint(7));
        for trouble in 0..5 {
            assert!(web.count(Timestamp::EPOCH.after(f64::from(trouble) * 24.0 * HOUR), HOUR));
            if trouble > 1 {
                web.meet(cache);
            }
        }
        assert_eq!(web.usual(cache, 0.01), Some((3, 5)));
        assert_eq!(web.usual(cache, 0.5), None, "the other one is always in trouble");
        web.part(cache, Timestamp::EPOCH);
        assert_eq!(web.usual(cache, 0.01), None);
        assert!(web.is_apart(cache, Timestamp::EPOCH.after(HOUR), 24.0 * HOUR));
    }

    #[test]
    fn the_same_trouble_is_counted_once_and_memory_is_bounded() {
        let mut company = Company::default();
        for minute in 0..30 {
            company.count(Timestamp::EPOCH.after(f64::from(minute) * 60.0), HOUR);
        }
        assert_eq!(company.troubles(), 1);
        for day in 1..200 {
            company.count(Timestamp::EPOCH.after(f64::from(day) * 24.0 * HOUR), HOUR);
            company.meet(Fingerprint(day as u64));
        }
        assert!(company.troubles() <= Company::FULL && company.with.len() <= Company::MOST);
    }
}
