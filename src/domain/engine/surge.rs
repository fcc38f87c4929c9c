//! Surges: a component's meter crosses the threshold, or something outlives its kind.

use std::sync::Arc;

use super::Engine;
use super::incidents::SHARE;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::level::Level;
use crate::domain::reason::Reason;
use crate::domain::signal::Severity;
use crate::domain::stage::duration;
use crate::domain::table::Slot;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

/// Rounding must not keep a meter that is at the threshold below it.
const CLOSE: f64 = 1e-9;

impl Engine {
    /// Looks at a component that was brought up to date: whether it crosses now, or when it will.
    pub(super) fn look(&mut self, slot: Slot, turn: &mut Turn) {
        let now = self.now();
        let threshold = self.policy.judgement.threshold();
        let component = self.components.change(slot);
        component.cross_at = None;
        if component.meter >= threshold * self.policy.judgement.rearm {
            component.last_loud = Some(now);
        } else {
            (component.armed, component.asked) = (true, None);
        }
        if self.crosses(slot) {
            self.surge(slot, None, Reason::Surge, turn);
        }
        let component = self.components.at(slot);
        if component.armed
            && let Some(at) = component.crossing(self.asked(slot), &self.policy.judgement)
        {
            let fingerprint = component.fingerprint;
            self.components.change(slot).cross_at = Some(at);
            self.timers.set(at, Due::Cross, fingerprint);
        }
    }

    /// Whether a component may page, and its meter is where it must be for that.
    fn crosses(&self, slot: Slot) -> bool {
        let component = self.components.at(slot);
        component.armed && component.meter >= self.asked(slot) - CLOSE
    }

    /// How much a component must bring until it pages: the threshold, or more where a budget withheld it and nothing
    /// critical is among what would make it page.
    pub(super) fn asked(&self, slot: Slot) -> f64 {
        let (component, threshold) = (self.components.at(slot), self.policy.judgement.threshold());
        let Some(asked) = component.asked else { return threshold };
        let top = component.loud.iter().map(|loud| loud.bits).fold(0.0, f64::max);
        let critical = component.loud.iter().any(|loud| loud.critical && loud.bits > 0.0 && loud.bits >= SHARE * top);
        if critical { threshold } else { asked.max(threshold) }
    }

    /// Something gets critical where people know of less: its components are armed again, and start from nothing, so
    /// that what is left of the old surprise neither hides the new one nor pages for it.
    pub(super) fn arm_for_worse(&mut self, series: Slot) {
        let now = self.now();
        let policy = Arc::clone(&self.policy);
        for slot in self.components_of(series).into_iter().flatten() {
            let component = self.components.at(slot);
            let known = component.incident.and_then(|id| self.incident(id)).filter(|incident| incident.open);
            if !component.armed && known.is_some_and(|incident| incident.summary.severity < Severity::Critical) {
                let component = self.components.change(slot);
                component.advance(now, &policy.judgement);
                (component.armed, component.meter) = (true, 0.0);
            }
        }
    }

    /// The time has come at which a component was to cross.
    pub(super) fn cross_due(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let now = self.now();
        let Some(slot) = self.components.find(whom) else { return };
        if self.components.at(slot).cross_at != Some(now) {
            return;
        }
        let policy = Arc::clone(&self.policy);
        self.components.change(slot).advance(now, &policy.judgement);
        self.look(slot, turn);
    }

    /// A series pages whatever the meters say.
    pub(super) fn force(&mut self, series: Slot, reason: Reason, turn: &mut Turn) {
        let now = self.now();
        let policy = Arc::clone(&self.policy);
        let component = self.components_of(series).into_iter().flatten().next_back();
        let component = component.expect("a series speaks about a component, if only about itself");
        self.components.change(component).advance(now, &policy.judgement);
        self.surge(component, Some(series), reason, turn);
    }

    /// A critical series may have outlived its kind: then it pages in the end, whatever else was learned.
    pub(super) fn outlive(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let now = self.now();
        let Some(slot) = self.series.find(whom) else { return };
        let series = self.series.at(slot);
        if series.outlive_at != Some(now) || series.level == Level::Off {
            return;
        }
        if series.flap.ended_bad && series.level < Level::Critical {
            return self.ended_bad(slot, turn);
        }
        if series.level < Level::Critical {
            return;
        }
        let known = self.member_of(slot).and_then(|id| self.incident(id)).map(|incident| incident.paged_as);
        if known.is_some_and(|known| known < Severity::Critical) || self.was_withheld(slot) {
            return self.force(slot, Reason::Worse, turn);
        }
        let lasted = now.since(series.since);
        let most = self.policy.handling(series.rule).hold.critical_longest.as_secs_f64();
        if self.outlived(slot, lasted) || lasted >= most {
            let calm = self.policy.judgement.calm;
            if self.told_since(slot, series.since, calm) {
                // Its component paged while it was on: people know. Look again, once, at the longest hold.
                if lasted < most {
                    self.watch_duration(slot, most - lasted);
                }
                return;
            }
            self.series.change(slot).evidence.change(|evidence| evidence.lasted = Some(lasted as f32));
            return self.force(slot, Reason::Outlived, turn);
        }
        let next = (duration::end(duration::class(lasted)) + 1.0).min(most);
        self.watch_duration(slot, next - lasted);
    }

    /// Whether onset and duration together are improbable enough.
    fn outlived(&self, slot: Slot, lasted: f64) -> bool {
        let series = self.series.at(slot);
        let judgement = &self.policy.judgement;
        let check = self.check(slot);
        series.bits + series.episodes.bits(&check.episodes, lasted, judgement) >= judgement.outlived
    }

    /// Whether the component of a series paged since `since`, or is in an incident that surged just now.
    pub(super) fn told_since(&self, slot: Slot, since: crate::domain::time::Timestamp, calm: f64) -> bool {
        let name = &self.series.at(slot).name;
        let component =
            name.components().into_iter().zip(self.known_components(slot)).rfind(|(name, _)| name.is_some());
        let component = component.and_then(|(_, slot)| slot).map(|slot| self.components.at(slot));
        component.is_some_and(|component| {
            let surged = component.incident.and_then(|id| self.incident(id)).map(|incident| incident.surged);
            component.paged.is_some_and(|paged| paged >= since)
                || surged.is_some_and(|surged| self.now().since(surged) <= calm)
        })
    }
}
