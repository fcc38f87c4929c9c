//! The surprise of an onset: how improbable it is that this series starts now, and gets critical, in bits.
//!
//! Gamma–Poisson: the rate of starts of a series is its own count over its own history, shrunk to what the same
//! check does on other series, which is shrunk to a stated prior. The hour of the day has its own rate and its own
//! habit ("it comes daily at this hour"), and so has the day of the week ("it comes on Sundays at this hour"); the most
//! usual of these counts. Hours and days are factors, not 168 buckets: an hour is learned from all days, a day from all hours. A critical start is as surprising as a
//! start times the chance that a start of this check gets critical: severity is evidence only where it is rare.
//! Deliberately nothing here about values (`value`), durations (`duration`) or fading (`meter`).

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Gamma};

use crate::domain::check::Check;
use crate::domain::judgement::Judgement;
use crate::domain::sparse::Sparse;
use crate::domain::stage::forget;
use crate::domain::time::Timestamp;
use crate::domain::zone::Clock;

const DAY: f64 = 86_400.0;
const WEEK: f64 = 7.0 * DAY;
const HOUR: f64 = 3600.0;
/// Where the days of the week begin among the classes.
const MONDAY: usize = 24;
/// Below this probability more improbable is no more surprising (30 bits).
const LEAST: f64 = 1e-9;

/// What a series remembers of its starts. Hours and days are those of the policy's zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Starts {
    /// Starts, and critical ones, decayed.
    counts: [f64; 2],
    /// Starts by hour of the day, and days with a start in that hour; behind the hours ([`MONDAY`]) starts by day of the
    /// week, and weeks with a start on that day. Decayed.
    by_hour: Sparse<[f32; 2]>,
    /// The clock hour (since the epoch) of the latest start.
    last_hour: i64,
    /// When the counts were brought up to date.
    at: Timestamp,
}

/// What an onset is judged against.
pub(crate) struct Onset<'a> {
    /// Its check over all series.
    pub(crate) check: &'a Check,
    /// Since when the engine has seen anything at all: a check that was silent for a week is surprising.
    pub(crate) start: Timestamp,
    /// Now.
    pub(crate) now: Timestamp,
    /// What the clocks show now.
    pub(crate) clock: Clock,
    /// Whether it is critical.
    pub(crate) critical: bool,
    /// Whether it is a burst of a series that talked often.
    pub(crate) chatty: bool,
}

/// The bits of an onset, by term.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Bits {
    /// How rare a start is at this hour.
    pub(crate) rate: f64,
    /// How rarely a start is critical.
    pub(crate) severity: f64,
    /// Starts a day that are usual at this hour.
    pub(crate) usual_per_day: f64,
    /// Whether the series has less history of its own than the shared prior weighs.
    pub(crate) insufficient_history: bool,
}

impl Starts {
    /// Starts, and critical starts, so far.
    pub(crate) fn counts(&self, now: Timestamp, judgement: &Judgement) -> (f64, f64) {
        let left = forget::left(now.since(self.at), judgement.half_life);
        (self.counts[0] * left, self.counts[1] * left)
    }

    /// The bits of an onset, before it is counted.
    pub(crate) fn bits(&self, onset: &Onset<'_>, judgement: &Judgement) -> Bits {
        let usual = self.usual_rate(onset, judgement);
        let chance = -libm::expm1(-usual * judgement.window);
        let rate = -libm::log2(chance.max(LEAST)) - 1.0;
        let severity = if onset.critical { -libm::log2(self.critical_chance(onset, judgement)) } else { 0.0 };
        let insufficient_history = onset.now.since(onset.start) < judgement.own_history;
        Bits { rate, severity, usual_per_day: usual * DAY, insufficient_history }
    }

    /// The usual rate of starts at this hour, a second.
    pub(crate) fn usual_rate(&self, onset: &Onset<'_>, judgement: &Judgement) -> f64 {
        let history = forget::history(onset.now.since(onset.start), judgement.half_life);
        let left = forget::left(onset.now.since(self.at), judgement.half_life);
        let prior = family_rate(onset, history, judgement);
        let rate = (self.counts[0] * left + judgement.own_history * prior) / (history + judgement.own_history);
        let [of_hour, days] = self.by_hour.get(onset.clock.hour_of_day()).map(f64::from);
        let of_hour = (of_hour * left + judgement.hour_history * rate) / (history / 24.0 + judgement.hour_history);
        let chance_of_hour = -libm::expm1(-rate * HOUR);
        let daily = (days * left + judgement.daily_habit * chance_of_hour) / (history / DAY + judgement.daily_habit);
        let usual = of_hour.max(-libm::log1p(-daily.min(0.99)) / HOUR);
        // Before each day of the week was seen twice nothing can be said about it.
        if onset.now.since(onset.start) < 2.0 * WEEK {
            return usual;
        }
        let weekly = self.weekly_habit(onset, (rate, history), judgement);
        (usual * self.day_share(onset, judgement)).max(-libm::log1p(-weekly.min(0.99)) / HOUR)
    }

    /// How much less than on other days it comes on this day of the week, at most 1: of the days with a start, against
    /// `weekly_habit` days of each kind.
    fn day_share(&self, onset: &Onset<'_>, judgement: &Judgement) -> f64 {
        let left = forget::left(onset.now.since(self.at), judgement.half_life);
        let [_, of_day] = self.by_hour.get(MONDAY + onset.clock.weekday()).map(f64::from);
        let habit = judgement.weekly_habit;
        (7.0 * (of_day * left + habit) / (self.days() * left + 7.0 * habit)).min(1.0)
    }

    /// Days with a start, decayed.
    fn days(&self) -> f64 {
        self.by_hour.iter().filter(|(class, _)| *class >= MONDAY).map(|(_, [_, days])| f64::from(days)).sum()
    }

    /// The chance that it comes at this hour of this day of the week: how often on this day, and what share of its days
    /// this hour has.
    fn weekly_habit(&self, onset: &Onset<'_>, (rate, history): (f64, f64), judgement: &Judgement) -> f64 {
        let left = forget::left(onset.now.since(self.at), judgement.half_life);
        let [_, weeks] = self.by_hour.get(MONDAY + onset.clock.weekday()).map(f64::from);
        let [_, days] = self.by_hour.get(onset.clock.hour_of_day()).map(f64::from);
        let share = (days * left + judgement.daily_habit / 24.0) / (self.days() * left + judgement.daily_habit);
        let of_day = -libm::expm1(-rate * DAY);
        let habit = judgement.weekly_habit;
        share.min(1.0) * (weeks * left + habit * of_day) / (history / WEEK + habit)
    }

    /// The rate of starts over all hours, a second, between these two eight times in ten: quantiles of the Gamma
    /// posterior (shape: starts, rate: history, both with the shared prior's share).
    pub(crate) fn likely_rate(&self, onset: &Onset<'_>, judgement: &Judgement) -> (f64, f64) {
        let history = forget::history(onset.now.since(onset.start), judgement.half_life);
        let prior = family_rate(onset, history, judgement);
        let shape = self.counts(onset.now, judgement).0 + judgement.own_history * prior;
        let rate = history + judgement.own_history;
        // A standard scale, because the search for a quantile works in absolute steps.
        let quantile = |share: f64| Gamma::new(shape, 1.0).map_or(0.0, |gamma| gamma.inverse_cdf(share) / rate);
        (quantile(0.1), quantile(0.9))
    }

    fn critical_chance(&self, onset: &Onset<'_>, judgement: &Judgement) -> f64 {
        let weight = judgement.critical_weight;
        let [starts, criticals] = onset.check.starts.map(|count| count.get(onset.now, judgement.half_life));
        let prior = (criticals + weight * judgement.critical_chance) / (starts + weight);
        let (starts, criticals) = self.counts(onset.now, judgement);
        ((criticals + weight * prior) / (starts + weight)).min(1.0)
    }

    /// Counts a start: `onset` when the series was off, `critical` when it got critical now.
    pub(crate) fn count(
        &mut self,
        (now, clock): (Timestamp, Clock),
        onset: bool,
        critical: bool,
        judgement: &Judgement,
    ) {
        self.decay(now, judgement);
        self.counts[0] += f64::from(u8::from(onset));
        self.counts[1] += f64::from(u8::from(critical));
        if onset {
            let [starts, days] = self.by_hour.entry(clock.hour_of_day());
            *starts += 1.0;
            *days += f64::from(u8::from(clock.hour() != self.last_hour)) as f32;
            let [starts, weeks] = self.by_hour.entry(MONDAY + clock.weekday());
            *starts += 1.0;
            *weeks += f64::from(u8::from(clock.day() != self.last_hour.div_euclid(24))) as f32;
        }
        self.last_hour = clock.hour();
    }

    fn decay(&mut self, now: Timestamp, judgement: &Judgement) {
        // Not at every start: an hour is a thousandth of the half-life, and 48 products are not free.
        if now.since(self.at) < HOUR {
            return;
        }
        let left = forget::left(now.since(self.at), judgement.half_life);
        self.counts.iter_mut().for_each(|count| *count *= left);
        self.by_hour.iter_mut().flatten().for_each(|count| *count *= left as f32);
        self.at = now;
    }
}

/// What the same check does on other series, a second.
fn family_rate(onset: &Onset<'_>, history: f64, judgement: &Judgement) -> f64 {
    let weight = judgement.family_weight * judgement.own_history;
    let starts = onset.check.starts[0].get(onset.now, judgement.half_life);
    let rate = (starts + weight / judgement.stranger_starts_every) / (f64::from(onset.check.series) * history + weight);
    if onset.chatty { rate.max(1.0 / judgement.chatty_bursts_every) } else { rate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fingerprint::Fingerprint;
    use crate::domain::zone::Zone;

    /// The bits of a start at so many days and an hour, of a series that started at these days at two.
    fn bits(days: &[i64], at: i64) -> f64 {
        let judgement = Judgement::default();
        let time = |day: i64| Timestamp::from_millis((1_767_571_200 + day * 86_400 + 7_200) * 1000);
        let mut starts = Starts::default();
        for &day in days {
            starts.count((time(day), Zone::default().clock(time(day))), true, false, &judgement);
        }
        let check = Check::new(Fingerprint(1), "disk".into());
        let (now, clock) = (time(at), Zone::default().clock(time(at)));
        let onset = Onset { check: &check, start: time(0), now, clock, critical: false, chatty: false };
        starts.bits(&onset, &judgement).rate
    }

    #[test]
    fn a_weekly_habit_is_learned_and_says_nothing_of_other_days() {
        let mondays: Vec<i64> = (0..8).map(|week| week * 7).collect();
        let (monday, wednesday) = (bits(&mondays, 56), bits(&mondays, 58));
        assert!(monday < 3.0 && wednesday > monday + 1.5, "{monday:.2} on a Monday, {wednesday:.2} on a Wednesday");
    }

    #[test]
    fn what_comes_on_working_days_is_more_of_a_surprise_on_a_sunday() {
        let working: Vec<i64> = (0..56).filter(|day| day % 7 < 5).collect();
        let (friday, sunday) = (bits(&working, 60), bits(&working, 62));
        assert!(sunday > friday + 1.0, "{friday:.2} on a Friday, {sunday:.2} on a Sunday");
    }

    #[test]
    fn two_weeks_must_have_passed_before_days_of_the_week_count() {
        let first = [0, 1, 2, 3];
        assert!((bits(&first, 4) - bits(&first, 5)).abs() < 0.3);
    }
}
