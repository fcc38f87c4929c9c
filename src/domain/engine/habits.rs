//! What a series usually does, as far as it can be drawn: how often it starts, by the hour; how long it lasts; what its
//! samples are.
//!
//! Deliberately by the same arithmetic that judges it: a picture never shows another number than a verdict.

use super::Engine;
use crate::domain::explain::Habits;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::stage::duration;
use crate::domain::stage::surprise::Onset;
use crate::domain::table::Slot;

/// Seconds of a day and of an hour.
const DAY: f64 = 86_400.0;
const HOUR: f64 = 3_600.0;
/// So many lengths are told, from one minute on: beyond 11 days there is one class only.
const LENGTHS: usize = 15;

impl Engine {
    /// What a series usually does; `None` = there is no such series.
    #[must_use]
    pub fn habits(&self, fingerprint: Fingerprint) -> Option<Habits> {
        let slot = self.series.find(fingerprint)?;
        let series = self.series.at(slot);
        let hour = self.policy.zone.clock(self.now()).hour_of_day();
        let own = &series.episodes;
        let of_check = &self.check(slot).episodes;
        let judgement = &self.policy.judgement;
        let at_least = |secs: f64| libm::exp2(-own.bits(of_check, secs, judgement)).clamp(0.0, 1.0);
        let lengths = (0..LENGTHS).map(duration::end);
        Some(Habits {
            hour,
            per_day: (0..24).map(|at| self.per_day_at(slot, at as f64 - hour as f64)).collect(),
            usual: (0..24).map(|at| self.usual_at(slot, at as f64 - hour as f64)).collect(),
            lasting: lengths.map(|secs| (secs, at_least(secs))).collect(),
            episodes: own.total(),
            hold: self.usually_lasts(slot),
        })
    }

    /// Starts a day that are usual so many hours from now.
    fn per_day_at(&self, slot: Slot, hours: f64) -> f64 {
        let (now, clock) = (self.now(), self.policy.zone.clock(self.now().after(hours * HOUR)));
        let onset = Onset { check: self.check(slot), start: self.start(), now, clock, critical: false, chatty: false };
        self.series.at(slot).starts.usual_rate(&onset, &self.policy.judgement) * DAY
    }

    /// From where to where a sample is usual so many hours from now.
    fn usual_at(&self, slot: Slot, hours: f64) -> Option<(f64, f64)> {
        let series = self.series.at(slot);
        let rule = self.policy.handling(series.rule).adaptive.as_ref()?;
        let at = self.now().after(hours * HOUR);
        series.watch.as_ref()?.usual.range(
            (at, &self.policy.zone),
            rule.tolerance,
            self.policy.judgement.samples_known_after,
        )
    }
}
