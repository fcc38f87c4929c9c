//! Samples: they feed the detector, and where a rule says `adaptive`, they raise an alert of Squelch's own.
//!
//! A sample is outside when it lies beyond what is usual at its hour. When all samples are, for as long as the rule's
//! `for`, and the detector finds them unusual, too, the alert fires; when all are well within again, for as long as
//! `keep_firing_for`, it is over. Between the two it goes the way of every alert. What raised it teaches nothing; after
//! `frozen_most` what is usual is learned anew. Samples get no verdict.

use std::sync::Arc;

use super::Engine;
use super::intake::Arrival;
use super::wording::measured;
use crate::domain::alert::Mute;
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::policy::{AdaptiveRule, PageMode, Policy, Side};
use crate::domain::posting::Posted;
use crate::domain::reason::Reason;
use crate::domain::signal::Status;
use crate::domain::stage::detector::Detector;
use crate::domain::table::Slot;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;
use crate::domain::watch::{Stretch, Watch};
use crate::domain::zone::Zone;

/// To be usual again a sample must lie within this share of the tolerance: what stays at the edge does not flap.
const WELL_WITHIN: f64 = 0.8;

/// A sample of a series that is watched.
#[derive(Clone, Copy)]
struct Sample<'a> {
    event: &'a Event,
    slot: Slot,
    at: Timestamp,
    value: f64,
    rule: &'a AdaptiveRule,
    zone: &'a Zone,
}

/// What a sample leads to.
enum Step {
    Nothing,
    /// The alert fires: this range is usual.
    Raise((f64, f64)),
    /// It fires on.
    Hold,
    /// It is over.
    End,
}

impl Engine {
    /// A sample feeds the detector of its series, and its trend.
    pub(super) fn sample(&mut self, event: &Event, turn: &mut Turn) {
        let now = self.now();
        self.source_of(event, turn);
        let slot = self.series_of(event);
        self.series.change(slot).heard.1 = now;
        let Some(value) = event.value else { return };
        let at = event.ts.unwrap_or(now).min(now);
        let policy = Arc::clone(&self.policy);
        let place = if policy.adapts() { policy.rule_for(event) } else { None };
        if let Some(rule) = &policy.handling(place).adaptive {
            self.series.change(slot).rule = place;
            self.watch(Sample { event, slot, at, value, rule, zone: &policy.zone }, &policy, turn);
        } else {
            self.watch_no_longer(slot, turn);
            self.series.change(slot).detector.get_or_insert_default().push(at, value);
        }
        self.follow_value(slot, event, at, None);
        self.look_at_limit(slot, (event, None), turn);
    }

    /// From where to where the samples of a series are usual now.
    pub(super) fn usual(&self, slot: Slot) -> Option<(f64, f64)> {
        let series = self.series.at(slot);
        let rule = self.policy.handling(series.rule).adaptive.as_ref()?;
        series.watch.as_ref()?.usual.range(
            (self.now(), &self.policy.zone),
            rule.tolerance,
            self.policy.judgement.samples_known_after,
        )
    }

    /// The rules ask for no watch: what one knew is forgotten, and its alert is over.
    fn watch_no_longer(&mut self, slot: Slot, turn: &mut Turn) {
        if self.series.at(slot).watch.is_some() {
            self.series.change(slot).watch = None;
            let alert = Watch::alert(&self.series.at(slot).name.full);
            self.end_alert(alert, self.now(), turn);
        }
    }

    fn watch(&mut self, sample: Sample<'_>, policy: &Policy, turn: &mut Turn) {
        let alert = Watch::alert(&self.series.at(sample.slot).name.full);
        let fires = self.alerts.find(alert);
        let series = self.series.change(sample.slot);
        let (detector, watch) = (series.detector.get_or_insert_default(), series.watch.get_or_insert_default());
        let judgement = &policy.judgement;
        let known_after = judgement.samples_known_after;
        let step = match fires {
            Some(_) => watch.fires_on(detector, sample, (known_after, judgement.frozen_most)),
            None => watch.looks_out(detector, sample, known_after),
        };
        match step {
            Step::Nothing => {}
            Step::Raise(range) => self.raise(alert, sample, range, turn),
            Step::Hold => {
                let (now, expire) = (self.now(), policy.handling(self.series.at(sample.slot).rule).expire);
                if let Some(slot) = fires {
                    let alert = self.alerts.change(slot);
                    (alert.heard, alert.expires) = (now, now + expire);
                }
            }
            Step::End => {
                self.end_alert(alert, self.now(), turn);
            }
        }
    }

    /// The alert of Squelch's own fires. What a silence covers, or another alert inhibits, is remembered, and judged when
    /// that ends.
    fn raise(&mut self, alert: Fingerprint, sample: Sample<'_>, range: (f64, f64), turn: &mut Turn) {
        let (slot, now) = (sample.slot, self.now());
        let mut event = sample.alert(range);
        event.posted = Some(Box::new(Posted::of(&event)));
        let handling = self.policy.handling(self.series.at(slot).rule);
        let (page, expire) = (handling.page, handling.expire);
        let never = (page == PageMode::Never).then_some(Mute::Never);
        let mute = self.mute_for(&event, None).or(never);
        let judged = mute.is_none();
        let source = self.source_of(&event, turn);
        let arrival = Arrival { seq: 0, event: &event, at: sample.at, alert, fires: None, series: slot, source };
        self.keep_alert(&arrival, mute);
        self.post(&arrival);
        if judged {
            self.note_labels(slot, alert, &event);
        }
        if let Some(kept) = self.alerts.find(alert) {
            let kept = self.alerts.change(kept);
            // It is no alert of its source: how often that repeats itself, or leaves resolves out, is another matter.
            (kept.expires, kept.source) = (now + expire, Fingerprint::of(&["squelch"]));
        }
        if judged {
            self.count_firing(slot, event.severity, 1);
            self.rise_again(slot, &event, turn);
            if page == PageMode::Always && self.member_of(slot).is_none() {
                self.force(slot, Reason::Always, turn);
            }
        }
    }
}

impl Sample<'_> {
    fn is_outside(&self, (low, high): (f64, f64)) -> bool {
        match self.rule.side {
            Side::Above => self.value > high,
            Side::Below => self.value < low,
            Side::Both => self.value > high || self.value < low,
        }
    }

    /// The event of the alert that it raises.
    fn alert(&self, (low, high): (f64, f64)) -> Event {
        let mut event = self.event.clone();
        let unit = event.unit.as_deref().map_or(String::new(), |unit| format!(" {unit}"));
        let summary = format!(
            "{}: {}{unit} where {} to {}{unit} is usual",
            event.check,
            measured(self.value),
            measured(low),
            measured(high)
        );
        (event.status, event.severity, event.summary) = (Status::Firing, self.rule.severity, Some(summary));
        event.ts = Some(self.at);
        event.threshold = Some(if self.value > high { high } else { low });
        event
    }
}

impl Watch {
    /// A sample while the alert does not fire: is it one of a stretch that lasts?
    fn looks_out(&mut self, detector: &mut Detector, sample: Sample<'_>, known_after: f64) -> Step {
        // What fired and was given up, because the samples stopped, is forgotten.
        self.stretch.take_if(|stretch| stretch.raised.is_some());
        self.calm_since = None;
        let usual = self.stretch.as_ref().map_or(&self.usual, |stretch| &stretch.before.0);
        let range = usual.range((sample.at, sample.zone), sample.rule.tolerance, known_after);
        let Some(range) = range.filter(|range| sample.is_outside(*range)) else {
            self.stretch = None;
            self.learn(detector, sample);
            return Step::Nothing;
        };
        let before = || (self.usual.clone(), detector.clone());
        let stretch = match self.stretch.take() {
            Some(stretch) => stretch,
            None => Box::new(Stretch { since: sample.at, before: before(), raised: None }),
        };
        self.learn(detector, sample);
        let stretch = self.stretch.insert(stretch);
        if sample.at.since(stretch.since) < sample.rule.lasts.as_secs_f64() || !detector.unusual_lately() {
            return Step::Nothing;
        }
        stretch.raised = Some(sample.at);
        self.usual = stretch.before.0.clone();
        detector.forget_back_to(&stretch.before.1);
        Step::Raise(range)
    }

    /// A sample while the alert fires: is it over?
    fn fires_on(&mut self, detector: &mut Detector, sample: Sample<'_>, (known_after, most): (f64, f64)) -> Step {
        match self.stretch.as_ref().and_then(|stretch| stretch.raised) {
            Some(raised) if sample.at.since(raised) < most => {}
            Some(_) => {
                // It has stayed for so long that it may be the new ordinary.
                (self.usual, *detector, self.stretch) = <_>::default();
                self.learn(detector, sample);
            }
            None => self.learn(detector, sample),
        }
        let range = self.usual.range((sample.at, sample.zone), WELL_WITHIN * sample.rule.tolerance, known_after);
        if range.is_none_or(|range| sample.is_outside(range)) {
            self.calm_since = None;
            return Step::Hold;
        }
        let calm_since = *self.calm_since.get_or_insert(sample.at);
        if sample.at.since(calm_since) < sample.rule.keep_firing_for.as_secs_f64() {
            return Step::Hold;
        }
        (self.stretch, self.calm_since) = (None, None);
        Step::End
    }

    fn learn(&mut self, detector: &mut Detector, sample: Sample<'_>) {
        detector.push(sample.at, sample.value);
        self.usual.learn((sample.at, sample.zone), sample.value);
    }
}
