//! What a sampled value usually is: a range around what its hours of the day usually show.
//!
//! The mean of each hour of the day, and how far samples usually lie from the means of the hour and its neighbours
//! (a mean absolute deviation). Everything is learned at the end of an hour, so that a value that is measured every second
//! is remembered for as long as one that is measured every ten minutes; and what one hour teaches is bounded, so that a giant
//! does not widen the range for weeks. Deliberately no alarm: whether a value is unusual is for the detector to say,
//! and this says for how long it stays so. Hours are those of
//! the rules' zone, for people work by their clocks; days of the week are not told apart.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;
use crate::domain::zone::Zone;

/// So many samples must have been seen before there is a range.
const SAMPLES: u32 = 200;
/// The weight of a new day in what an hour of the day shows: about a week counts.
const DAY_WEIGHT: f32 = 0.15;
/// The weight of a new hour in how far samples lie off: about a week counts.
const HOUR_WEIGHT: f32 = 1.0 / 168.0;
/// One hour teaches at most so many of the usual deviations.
const MOST: f32 = 10.0;
/// So many hours teach in full, before that is known.
const SETTLES: u32 = 24;
/// What is smaller than this share of the value is no deviation.
const LEAST: f32 = 0.01;
/// Larger values are left out, so that sums stay finite.
const LARGEST: f64 = 1e30;

/// What a value usually is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Usual {
    /// Its first sample, and all samples so far.
    since: Option<Timestamp>,
    samples: u32,
    /// The clock hour at hand: which, its samples, their sum, and that of how far they lie off.
    hour: i64,
    count: u32,
    sum: f64,
    off_sum: f64,
    /// What each hour of the day shows, and how often it was seen (no more than 255 counts).
    mean: [f32; 24],
    seen: [u8; 24],
    /// How far samples usually lie off, and over how many hours that was seen.
    off: f32,
    hours: u32,
    /// Whether it was ever below 0: what never was, is not usually.
    below_zero: bool,
}

impl Usual {
    /// Takes a sample.
    pub(crate) fn learn(&mut self, (at, zone): (Timestamp, &Zone), value: f64) {
        if value.abs() > LARGEST {
            return;
        }
        self.since.get_or_insert(at);
        if at.hour() > self.hour {
            self.hour_ends(zone);
            self.hour = at.hour();
        }
        self.samples = self.samples.saturating_add(1);
        self.count += 1;
        self.below_zero |= value < 0.0;
        self.sum += value;
        if let Some((low, high)) = self.centre(zone.clock(at).hour_of_day()) {
            self.off_sum += (value - f64::from(high)).max(f64::from(low) - value).max(0.0);
        }
    }

    fn hour_ends(&mut self, zone: &Zone) {
        if self.count == 0 {
            return;
        }
        let (mean, off) = ((self.sum / f64::from(self.count)) as f32, (self.off_sum / f64::from(self.count)) as f32);
        let hour = zone.clock(Timestamp::from_millis(self.hour * 3_600_000)).hour_of_day();
        let (mean, off) = match self.centre(hour).filter(|_| self.hours >= SETTLES) {
            Some((low, high)) => {
                let most = MOST * self.deviation(low.abs().max(high.abs()));
                (mean.clamp(low - most, high + most), off.min(self.off + most))
            }
            None => (mean, off),
        };
        self.seen[hour] = self.seen[hour].saturating_add(1);
        self.mean[hour] += DAY_WEIGHT.max(1.0 / f32::from(self.seen[hour])) * (mean - self.mean[hour]);
        self.hours = self.hours.saturating_add(1);
        self.off += HOUR_WEIGHT.max(1.0 / self.hours as f32) * (off - self.off);
        (self.count, self.sum, self.off_sum) = (0, 0.0, 0.0);
    }

    fn deviation(&self, value: f32) -> f32 {
        self.off.max(LEAST * value.abs())
    }

    /// The lowest and the highest of what an hour of the day and its neighbours show; `None` = they were never seen.
    fn centre(&self, hour: usize) -> Option<(f32, f32)> {
        let near = [(hour + 23) % 24, hour, (hour + 1) % 24];
        let means = near.into_iter().filter(|&hour| self.seen[hour] > 0).map(|hour| (self.mean[hour], self.mean[hour]));
        means.reduce(|(low, high), (mean, _)| (low.min(mean), high.max(mean)))
    }

    /// From where to where a value is usual at a time: what its hour shows, and `tolerance` times as far as samples
    /// usually lie off. `None` = it was sampled for less than `known_after` seconds, or too seldom.
    pub(crate) fn range(&self, (at, zone): (Timestamp, &Zone), tolerance: f64, known_after: f64) -> Option<(f64, f64)> {
        let known = self.samples >= SAMPLES && at.since(self.since?) >= known_after;
        let (low, high) = self.centre(zone.clock(at).hour_of_day()).filter(|_| known)?;
        let room = |centre: f32| tolerance * f64::from(self.deviation(centre));
        let least = if self.below_zero { f64::NEG_INFINITY } else { 0.0 };
        Some(((f64::from(low) - room(low)).max(least), f64::from(high) + room(high)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTC: fn() -> Zone = Zone::default;

    const HOUR: f64 = 3600.0;
    const DAYS: u32 = 14;
    const TOLERANCE: f64 = 5.0;
    const KNOWN: f64 = 48.0 * HOUR;

    fn at(minutes: u32) -> Timestamp {
        Timestamp::EPOCH.after(f64::from(minutes) * 60.0)
    }

    /// Fourteen days, a sample every five minutes.
    fn learned(value: impl Fn(u32) -> f64) -> Usual {
        let mut usual = Usual::default();
        for minutes in (0..DAYS * 1440).step_by(5) {
            usual.learn((at(minutes), &UTC()), value(minutes));
        }
        usual
    }

    /// From 9 to 15 and back, again and again.
    fn swing(minutes: u32) -> f64 {
        9.0 + f64::from(minutes / 5 * 7 % 13) / 2.0
    }

    #[test]
    fn a_value_is_usual_around_what_it_shows() {
        let (low, high) = learned(swing).range((at(DAYS * 1440), &UTC()), TOLERANCE, KNOWN).expect("it is known");
        assert!((0.0..9.0).contains(&low) && (15.0..24.0).contains(&high), "{low} to {high}");
    }

    #[test]
    fn nothing_is_usual_before_there_is_history() {
        let mut usual = Usual::default();
        for minutes in (0..2 * 1440).step_by(5) {
            usual.learn((at(minutes), &UTC()), swing(minutes));
            assert_eq!(usual.range((at(minutes), &UTC()), TOLERANCE, KNOWN), None);
        }
        assert!(usual.range((at(2 * 1440), &UTC()), TOLERANCE, KNOWN).is_some());
        assert_eq!(Usual::default().range((at(0), &UTC()), TOLERANCE, 0.0), None);
    }

    #[test]
    fn what_is_usual_by_day_is_not_by_night() {
        let busy = |minutes: u32| if (8..20).contains(&(minutes / 60 % 24)) { 100.0 } else { 0.0 };
        let usual = learned(|minutes| busy(minutes) + swing(minutes));
        let range =
            |hour: u32| usual.range((at(DAYS * 1440 + hour * 60), &UTC()), TOLERANCE, KNOWN).expect("it is known");
        let (night, day, morning) = (range(2), range(13), range(8));
        assert!(night.1 < 50.0 && day.0 > 50.0, "{night:?}, {day:?}");
        assert!(morning.0 < 10.0 && morning.1 > 110.0, "between both everything is: {morning:?}");
    }

    #[test]
    fn a_giant_does_not_widen_the_range_for_long() {
        let mut usual = learned(swing);
        let before = usual.range((at(DAYS * 1440), &UTC()), TOLERANCE, KNOWN).expect("it is known");
        usual.learn((at(DAYS * 1440), &UTC()), 1e12);
        for minutes in (5..1440).step_by(5) {
            usual.learn((at(DAYS * 1440 + minutes), &UTC()), swing(minutes));
        }
        let after = usual.range((at((DAYS + 1) * 1440), &UTC()), TOLERANCE, KNOWN).expect("it is known");
        assert!(after.1 - after.0 < 2.0 * (before.1 - before.0), "{before:?}, {after:?}");
    }

    #[test]
    fn what_changes_for_good_is_usual_after_weeks() {
        let usual = learned(|minutes| if minutes < 1440 * 2 { 10.0 } else { 30.0 });
        let (low, high) = usual.range((at(DAYS * 1440), &UTC()), TOLERANCE, KNOWN).expect("it is known");
        assert!(low <= 30.0 && high >= 30.0, "{low} to {high}");
    }

    #[test]
    fn the_hours_are_those_of_the_zone() {
        let berlin = Zone::named("Europe/Berlin").expect("the zone is known");
        let mut usual = Usual::default();
        // Busy from 8 to 20 by the clocks of Berlin, over the change to summer time of 1980.
        let start = 1440 * 3_737;
        let load = |minutes: u32| {
            let busy = (8..20).contains(&berlin.clock(at(minutes)).hour_of_day());
            swing(minutes) + if busy { 100.0 } else { 0.0 }
        };
        for minutes in (start..start + 20 * 1440).step_by(5) {
            usual.learn((at(minutes), &berlin), load(minutes));
        }
        let last = start + 20 * 1440;
        let offsets = [start, last].map(|minutes| berlin.clock(at(minutes)).hour_of_day());
        assert_eq!(offsets, [1, 2], "summer began meanwhile");
        for minutes in (last..last + 1440).step_by(60) {
            let (low, high) = usual.range((at(minutes), &berlin), TOLERANCE, KNOWN).expect("it is known");
            assert!((low..=high).contains(&load(minutes)), "{minutes}: {low} to {high}");
            let hour = berlin.clock(at(minutes)).hour_of_day();
            assert_eq!(high > 100.0, (7..=20).contains(&hour), "{hour}: {low} to {high}");
        }
    }
}
