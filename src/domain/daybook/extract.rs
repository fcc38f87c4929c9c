//! An extract of the day book: what was decided in a window of time, of the whole or of a part.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::fingerprint::Fingerprint;
use super::super::reason::{Outcome, Reason};
use super::super::time::Timestamp;
use super::{Chapter, Daybook, Flapped, HOURS, Holds, Hour, Near, part_name};

const HOUR: i64 = 3_600_000;

/// A series that spoke much, and how its events ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Talk {
    /// `source/kind/service/host/check`.
    pub series: Arc<str>,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// Its events by reason. Of a day on which it was not among the loudest they are counted with all others.
    pub reasons: BTreeMap<Reason, u64>,
    /// How many of its events there were in each hour of the window.
    pub hours: Vec<u32>,
}

impl Talk {
    /// How many events ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.reasons.iter().filter(|(reason, _)| reason.outcome() == outcome).map(|(_, count)| count).sum()
    }
}

/// What was decided in a window of time. Its ends are full hours (UTC), but for the end of one that is not over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extract {
    /// From then on …
    pub from: Timestamp,
    /// … until just before.
    pub until: Timestamp,
    /// Every hour of the window in order, also those in which nothing was decided.
    pub hours: Vec<Hour>,
    /// Events that waited for their verdict when it began.
    pub waited: u64,
    /// Events that wait at its end.
    pub waits: u64,
    /// The series that spoke most, by how much was held back of them, the loudest first.
    pub talks: Vec<Talk>,
    /// What nearly paged, the nearest first; each series once.
    pub near: Vec<Near>,
    /// Episodes of flapping that were not over when it began, or began in it; in order of time.
    pub flaps: Vec<Flapped>,
    /// How many more episodes there were.
    pub more_flaps: u64,
    /// Incidents that opened, paged or ended in it, or are open; in order of their numbers.
    pub chapters: Vec<Chapter>,
    /// Checks that were heard of for the first time, as `source: check`.
    pub fresh: Vec<Arc<str>>,
    /// How many more there were.
    pub more_fresh: u64,
    /// Since when the book is kept; `None` = nothing is in it.
    pub kept_since: Option<Timestamp>,
}

impl Extract {
    /// Its verdicts by reason; only those that there are.
    #[must_use]
    pub fn reasons(&self) -> BTreeMap<Reason, u64> {
        let mut sums = BTreeMap::new();
        for (reason, count) in self.hours.iter().flat_map(|hour| hour.verdicts.each()) {
            *sums.entry(reason).or_default() += count;
        }
        sums
    }

    /// How many events ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.reasons().iter().filter(|(reason, _)| reason.outcome() == outcome).map(|(_, count)| count).sum()
    }

    /// How many events got their verdict.
    #[must_use]
    pub fn decided(&self) -> u64 {
        self.reasons().values().sum()
    }

    /// How many events came in.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.hours.iter().map(|hour| hour.accepted).sum()
    }

    /// Pages that opened an incident, and pages that told of a worse one.
    #[must_use]
    pub fn pages(&self) -> (u64, u64) {
        let pages = |sum: (u64, u64), hour: &Hour| (sum.0 + u64::from(hour.pages.0), sum.1 + u64::from(hour.pages.1));
        self.hours.iter().fold((0, 0), pages)
    }

    /// What became of the holds.
    #[must_use]
    pub fn holds(&self) -> Holds {
        let mut all = Holds::default();
        self.hours.iter().for_each(|hour| all.add(&hour.holds));
        all
    }

    /// The events by source and outcome ([`Outcome::ALL`]), the loudest first. What no hour named is missing.
    #[must_use]
    pub fn sources(&self) -> Vec<(Arc<str>, [u64; 4])> {
        let mut sums: BTreeMap<Arc<str>, [u64; 4]> = BTreeMap::new();
        for (source, counts) in self.hours.iter().flat_map(|hour| &hour.sources) {
            let sum = sums.entry(Arc::clone(source)).or_default();
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += u64::from(*count));
        }
        let mut all: Vec<_> = sums.into_iter().collect();
        all.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
        all
    }

    /// How many events each silence held back, the one that held most first.
    #[must_use]
    pub fn silences(&self) -> Vec<(Arc<str>, u64)> {
        let mut sums: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for (silence, count) in self.hours.iter().flat_map(|hour| &hour.silences) {
            *sums.entry(Arc::clone(silence)).or_default() += u64::from(*count);
        }
        let mut all: Vec<_> = sums.into_iter().collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all
    }

    /// How many series were heard of for the first time.
    #[must_use]
    pub fn new_series(&self) -> u64 {
        self.hours.iter().map(|hour| u64::from(hour.new_series)).sum()
    }
}

impl Daybook {
    /// What was decided from `from` (down to its full hour) until `until` (up to its full hour, at most `now`), of the part
    /// of this digest, or of the whole (the empty name).
    pub(crate) fn extract(&self, digest: &str, (from, until): (Timestamp, Timestamp), now: Timestamp) -> Extract {
        let part = part_name(digest);
        // Without a full hour there is nothing to show.
        let last = (until.millis() + HOUR - 1).div_euclid(HOUR).max(from.hour() + 1);
        let first = from.hour().max(last - (super::KEPT + 1) * HOURS);
        let find = |hour: i64| self.hours.get(Hour::key(part, hour));
        let hours = (first..last).map(|hour| find(hour).cloned().unwrap_or_else(|| Hour::new(part, hour))).collect();
        let of_part = || self.hours.rows().map(|(_, hour)| hour).filter(|hour| hour.part == part);
        // What waits is told by the last hour in which anything happened.
        let waiting = |before: i64| {
            let known = of_part().filter(|hour| hour.hour < before).max_by_key(|hour| hour.hour);
            known.map_or(0, |hour| hour.waiting)
        };
        let window = (at_hour(first), at_hour(last));
        let (flaps, more_flaps) = self.flaps_in(part, window);
        let (fresh, more_fresh) = self.fresh_in(part, window);
        Extract {
            from: window.0,
            until: window.1.min(now),
            hours,
            waited: waiting(first),
            waits: waiting(last),
            talks: self.talks_in(part, (first, last)),
            near: self.near_in(part, window),
            flaps,
            more_flaps,
            chapters: self.chapters_in(part, window),
            fresh,
            more_fresh,
            kept_since: of_part().map(|hour| hour.hour).min().map(at_hour),
        }
    }

    fn talks_in(&self, part: Fingerprint, (first, last): (i64, i64)) -> Vec<Talk> {
        let mut talks: BTreeMap<Fingerprint, Talk> = BTreeMap::new();
        for (_, talker) in self.talkers.rows().filter(|(_, talker)| talker.part == part) {
            for cell in &talker.cells {
                let hour = talker.day * HOURS + i64::from(cell.hour);
                let Some(reason) = Reason::ALL.get(usize::from(cell.reason)) else { continue };
                if !(first..last).contains(&hour) {
                    continue;
                }
                let talk = talks.entry(talker.fingerprint).or_insert_with(|| Talk {
                    series: Arc::clone(&talker.series),
                    fingerprint: talker.fingerprint,
                    reasons: BTreeMap::new(),
                    hours: vec![0; (last - first) as usize],
                });
                *talk.reasons.entry(*reason).or_default() += u64::from(cell.count);
                talk.hours[(hour - first) as usize] += cell.count;
            }
        }
        let mut all: Vec<Talk> = talks.into_values().collect();
        all.sort_by(|a, b| {
            let held = |talk: &Talk| talk.count(Outcome::Suppress);
            held(b).cmp(&held(a)).then_with(|| a.series.cmp(&b.series))
        });
        all
    }

    fn days_in(
        &self,
        part: Fingerprint,
        (from, until): (Timestamp, Timestamp),
    ) -> impl Iterator<Item = &super::leaves::Day> {
        let (first, last) = (from.hour().div_euclid(HOURS), until.hour().div_euclid(HOURS));
        (first..=last).filter_map(move |day| self.days.get(super::leaves::Day::key(part, day)))
    }

    fn near_in(&self, part: Fingerprint, window: (Timestamp, Timestamp)) -> Vec<Near> {
        let all = self.days_in(part, window).flat_map(|day| &day.near);
        let mut near: Vec<Near> = all.filter(|near| (window.0..window.1).contains(&near.at)).cloned().collect();
        near.sort_by(|a, b| b.share().total_cmp(&a.share()).then(a.at.cmp(&b.at)));
        let mut known = std::collections::BTreeSet::new();
        near.retain(|near| known.insert(near.fingerprint));
        near
    }

    fn flaps_in(&self, part: Fingerprint, (from, until): (Timestamp, Timestamp)) -> (Vec<Flapped>, u64) {
        // One that began before may have ended in it.
        let early = Timestamp::from_millis(from.millis() - 7 * HOURS * HOUR);
        let touches =
            |flap: &&Flapped| flap.since < until && flap.until.is_none_or(|end| end >= from) && flap.since >= early;
        let all = self.days_in(part, (early, until)).flat_map(|day| &day.flaps).filter(touches).cloned();
        let more = self.days_in(part, (from, until)).map(|day| u64::from(day.more_flaps)).sum();
        (all.collect(), more)
    }

    fn fresh_in(&self, part: Fingerprint, window: (Timestamp, Timestamp)) -> (Vec<Arc<str>>, u64) {
        let days = || self.days_in(part, window);
        let within = |at: &Timestamp| (window.0..window.1).contains(at);
        let named = days().flat_map(|day| &day.fresh).filter(|(at, _)| within(at)).map(|(_, check)| Arc::clone(check));
        (named.collect(), days().map(|day| u64::from(day.more_fresh)).sum())
    }

    fn chapters_in(&self, part: Fingerprint, (from, until): (Timestamp, Timestamp)) -> Vec<Chapter> {
        let touches = |chapter: &&Chapter| {
            let within = |at: Timestamp| (from..until).contains(&at);
            chapter.part == part
                && chapter.opened < until
                && (within(chapter.opened)
                    || chapter.pages.iter().any(|(at, _)| within(*at))
                    || chapter.resolved.is_none_or(within))
        };
        let mut all: Vec<Chapter> = self.chapters.rows().map(|(_, chapter)| chapter).filter(touches).cloned().collect();
        all.sort_by_key(|chapter| chapter.incident);
        all
    }
}

fn at_hour(hour: i64) -> Timestamp {
    Timestamp::from_millis(hour * HOUR)
}
