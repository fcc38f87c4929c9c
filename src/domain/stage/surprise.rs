//! The surprise of an onset: how improbable it is that this series starts now, and gets critical, in bits.
//!
//! Gamma–Poisson: the rate of starts of a series is its own count over its own history, shrunk to what the same
//! check does on other series, which is shrunk to a stated prior. The hour of the day has its own rate and its own
//! habit ("it comes daily at this hour"); the most usual of these counts. A critical start is as surprising as a
//! start times the chance that a start of this check gets critical: severity is evidence only where it is rare.
//! Deliberately nothing here about values (`value`), durations (`duration`) or fading (`meter`).

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Gamma};

use crate::domain::check::Check;
use crate::domain::judgement::Judgement;
use crate::domain::sparse::Sparse;
use crate::domain::stage::forget;
use crate::domain::time::Timestamp;

const DAY: f64 = 86_400.0;
const HOUR: f64 = 3600.0;
/// Below this probability more improbable is no more surprising (30 bits).
const LEAST: f64 = 1e-9;

/// What a series remembers of its starts. The hours are of the day in UTC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Starts {
    /// Starts, and critical ones, decayed.
    counts: [f64; 2],
    /// Starts by hour of the day, and days with a start in that hour; decayed.
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
        let [of_hour, days] = self.by_hour.get(onset.now.hour_of_day()).map(f64::from);
        let of_hour = (of_hour * left + judgement.hour_history * rate) / (history / 24.0 + judgement.hour_history);
        let chance_of_hour = -libm::expm1(-rate * HOUR);
        let daily = (days * left + judgement.daily_habit * chance_of_hour) / (history / DAY + judgement.daily_habit);
        of_hour.max(-libm::log1p(-daily.min(0.99)) / HOUR)
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
    pub(crate) fn count(&mut self, now: Timestamp, onset: bool, critical: bool, judgement: &Judgement) {
        self.decay(now, judgement);
        self.counts[0] += f64::from(u8::from(onset));
        self.counts[1] += f64::from(u8::from(critical));
        if onset {
            let [starts, days] = self.by_hour.entry(now.hour_of_day());
            *starts += 1.0;
            if now.hour() != self.last_hour {
                *days += 1.0;
            }
        }
        self.last_hour = now.hour();
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
