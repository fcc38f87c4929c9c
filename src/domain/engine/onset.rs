//! Onsets: a series starts or gets critical; how surprising that is, and whom it concerns. (`bursts` has point events.)

use super::Engine;
use super::intake::Arrival;
use super::verdicts::Fate;
use crate::domain::alert::AlertText;
use crate::domain::component::{Component, Loud, Part};
use crate::domain::decision::Evidence;
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::level::Level;
use crate::domain::policy::PageMode;
use crate::domain::reason::Reason;
use crate::domain::signal::Kind;
use crate::domain::stage::feedback;
use crate::domain::stage::surprise::{Bits, Onset};
use crate::domain::table::Slot;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

/// What an onset is worth.
struct Worth {
    /// All terms together.
    bits: f64,
    /// By term.
    terms: Bits,
    /// Of the value.
    value: f64,
    /// What people's words added (below 0: took); `None` = nobody said anything that counts.
    feedback: Option<f64>,
    /// What a change of its service or host shortly before added; `None` = there was none.
    change: Option<f64>,
}

impl Engine {
    /// An alert starts to fire, or gets critical: the series may rise with it.
    pub(super) fn onset(&mut self, arrival: &Arrival<'_>, turn: &mut Turn) {
        let slot = arrival.series;
        let rises = self.series.at(slot).target() > self.series.at(slot).level;
        // It waits while the series rises, so that what pages on the way pages with it.
        self.series.change(slot).waiting.push(arrival.seq);
        let fresher = rises && self.rise(slot, Some(arrival.event), turn);
        let waiting = &mut self.series.change(slot).waiting;
        if waiting.last() == Some(&arrival.seq) {
            waiting.pop();
            self.judge_onset(arrival, rises, fresher, turn);
        }
        if fresher {
            self.push(slot, turn);
        }
    }

    /// What becomes of an event whose alert starts or gets critical, if nothing paged on the way. What brought
    /// fresh surprise waits: it may still page.
    fn judge_onset(&mut self, arrival: &Arrival<'_>, rises: bool, fresher: bool, turn: &mut Turn) {
        let (seq, slot) = (arrival.seq, arrival.series);
        let handling = self.policy.handling(self.policy.rule_for(arrival.event));
        let (page, longest) = (handling.page, handling.hold.longest.as_secs_f64());
        let (member, flapping) = (self.member_of(slot), self.series.at(slot).flap.episode.is_some());
        if page == PageMode::Always && member.is_none() {
            self.wait(seq, slot, longest, turn);
            self.introduce(slot);
            self.force(slot, Reason::Always, turn);
        } else if fresher {
            self.wait(seq, slot, longest, turn);
        } else if member.is_some() || flapping {
            self.decide(seq, slot, Fate::join_or(member, Reason::Flapping), turn);
        } else if !rises && self.series.at(slot).waiting.is_empty() {
            let incident = self.open_incident_of(slot);
            self.decide(seq, slot, Fate::join_or(incident, Reason::Ordinary), turn);
        } else {
            self.wait(seq, slot, longest, turn);
        }
    }

    /// The level of a series rises with its alerts; whether its bits did, so that its components must be told.
    fn rise(&mut self, slot: Slot, event: Option<&Event>, turn: &mut Turn) -> bool {
        let level = self.series.at(slot).target();
        self.rise_to(slot, level, event, turn)
    }

    /// An alert that was muted is judged as if it had started now. It has no event that waits.
    pub(super) fn rise_again(&mut self, slot: Slot, event: &Event, turn: &mut Turn) {
        let rises = self.series.at(slot).target() > self.series.at(slot).level;
        let fresher = rises && self.rise(slot, Some(event), turn);
        let page = self.policy.handling(self.policy.rule_for(event)).page;
        if page == PageMode::Always && self.member_of(slot).is_none() {
            self.introduce(slot);
            self.force(slot, Reason::Always, turn);
        }
        if fresher {
            self.push(slot, turn);
        }
    }

    /// The level of a series rises to `level`: its onset is judged and counted. Whether its bits rose, too.
    pub(super) fn rise_to(&mut self, slot: Slot, level: Level, event: Option<&Event>, turn: &mut Turn) -> bool {
        let now = self.now();
        let before = self.series.at(slot).level;
        let frozen = self.learning_frozen(slot);
        let worth = self.worth(slot, level, event, frozen);
        if !frozen {
            self.count_start(slot, before, level);
        }
        // A critical start is never hushed: its own slow memory is what makes it old news.
        let damped = level < Level::Critical && self.flapping_as_before(slot, level, worth.value);
        self.remember_slowly(slot);
        let limit_in = self.limit_in(slot);
        let series = self.series.change(slot);
        if before == Level::Off {
            series.since = now;
        }
        series.level = level;
        if let Some(event) = event {
            series.text = Some(Box::new(AlertText::of(event)));
        }
        let fresher = !damped && worth.bits > series.bits;
        if fresher {
            series.bits = worth.bits;
        }
        let evidence = Evidence {
            surprise: Some(worth.bits as f32),
            rate_bits: Some(worth.terms.rate as f32),
            severity_bits: (level == Level::Critical).then_some(worth.terms.severity as f32),
            value_bits: (worth.value > 0.0).then_some(worth.value as f32),
            usual_per_day: Some(worth.terms.usual_per_day as f32),
            insufficient_history: worth.terms.insufficient_history,
            feedback_bits: worth.feedback.map(|bits| bits as f32),
            limit_in,
            change_bits: worth.change.map(|bits| bits as f32),
            ..Evidence::default()
        };
        series.evidence = evidence.into();
        // What people say moves pages, not how long a trouble is remembered.
        self.keep_alive(slot, worth.bits - worth.feedback.unwrap_or(0.0));
        if level == Level::Critical {
            self.watch_duration(slot, self.policy.judgement.calm);
            self.arm_for_worse(slot);
        }
        self.flap_change(slot, before, turn);
        fresher || (before == Level::On && level == Level::Critical)
    }

    /// The bits of an onset.
    fn worth(&mut self, slot: Slot, level: Level, event: Option<&Event>, frozen: bool) -> Worth {
        let (now, start) = (self.now(), self.start());
        let judgement = &self.policy.judgement;
        let series = self.series.at(slot);
        let check = self.check(slot);
        let chatty = series.burst.as_ref().is_some_and(|burst| burst.on.is_some() && burst.talkative());
        let clock = self.policy.zone.clock(now);
        let onset = Onset { check, start, now, clock, critical: level == Level::Critical, chatty };
        let terms = series.starts.bits(&onset, judgement);
        let value = self.value_bits(slot, event, frozen);
        let judgement = &self.policy.judgement;
        let learned = (now.since(start) / judgement.learning).min(1.0);
        let weight = if level == Level::Critical { 1.0 } else { judgement.warning_weight * learned };
        let bits = |bits: f64| (bits + value).clamp(0.0, judgement.most) * weight;
        let start = terms.rate + terms.severity;
        let unmoved = bits(start);
        let said = match self.feedback_share(slot, level) {
            0.0 => start,
            share => feedback::moved(start, share, judgement),
        };
        let feedback = (said.to_bits() != start.to_bits()).then(|| bits(said) - unmoved);
        let sharpened = match self.sharpening(slot) {
            0.0 => said,
            share => feedback::moved(said, share, judgement),
        };
        let change = (sharpened > said).then(|| bits(sharpened) - bits(said));
        Worth { bits: bits(sharpened), terms, value, feedback, change }
    }

    /// How much more a start of what tells of a host, or of a new exception, is worth because its service or its host
    /// was changed lately: a share of what lacks to the most. What a deploy leaves behind shows there first, and may
    /// look like every day.
    fn sharpening(&self, slot: Slot) -> f64 {
        let (now, judgement) = (self.now(), &self.policy.judgement);
        let series = self.series.at(slot);
        let components = self.known_components(slot).into_iter().flatten();
        let changed = components.filter_map(|component| self.components.at(component).changed).max();
        // An exception that was never seen before the deploy is its own.
        let new = series.name.kind == Kind::Exception && changed.is_some_and(|changed| series.heard.0 >= changed);
        if series.name.kind != Kind::Host && !new {
            return 0.0;
        }
        let left = changed.map_or(0.0, |changed| 1.0 - now.since(changed) / judgement.sharpened.max(1.0));
        judgement.sharpening * left.clamp(0.0, 1.0)
    }

    fn value_bits(&mut self, slot: Slot, event: Option<&Event>, frozen: bool) -> f64 {
        let now = self.now();
        let policy = std::sync::Arc::clone(&self.policy);
        let judgement = &policy.judgement;
        let series = self.series.change(slot);
        let unusual = series.detector.as_ref().map_or(0.0, |detector| detector.bits(now, judgement.fade));
        let beyond = match event.map(|event| (event.value, event.threshold)) {
            Some((Some(value), Some(threshold))) => series.excess.bits(value, threshold, frozen, judgement),
            _ => 0.0,
        };
        beyond.max(unusual).min(judgement.value_most)
    }

    fn count_start(&mut self, slot: Slot, before: Level, level: Level) {
        let now = self.now();
        let policy = std::sync::Arc::clone(&self.policy);
        let judgement = &policy.judgement;
        let (onset, critical) = (before == Level::Off, level == Level::Critical);
        let series = self.series.change(slot);
        series.starts.count((now, policy.zone.clock(now)), onset, critical, judgement);
        let check = self.check_slot(slot);
        let check = self.checks.change(check);
        if onset {
            check.starts[0].add(1.0, now, judgement.half_life);
        }
        if critical {
            check.starts[1].add(1.0, now, judgement.half_life);
        }
    }

    /// Brings the slow memory of a series' own bits up to date, before they change.
    fn remember_slowly(&mut self, slot: Slot) {
        let now = self.now();
        let fade = self.policy.judgement.fade;
        let series = self.series.change(slot);
        let (slow, at) = series.slow;
        series.slow = (series.bits + (slow - series.bits) * libm::exp(-now.since(at) / fade), now);
    }

    /// The alerts of a series changed without an onset: its level may fall, or it ends.
    pub(super) fn level_changed(&mut self, slot: Slot, turn: &mut Turn) {
        let (level, target) = (self.series.at(slot).level, self.series.at(slot).target());
        if target >= level {
            return;
        }
        self.series.change(slot).level = target;
        self.flap_change(slot, level, turn);
        if target == Level::Off {
            self.ends(slot, turn);
        } else {
            self.push(slot, turn);
        }
    }

    /// Alerts of a series were muted while they fired: its level may fall. Nothing is learned of an episode that nobody
    /// saw the end of.
    pub(super) fn level_muted(&mut self, slot: Slot, turn: &mut Turn) {
        let target = self.series.at(slot).target();
        if target >= self.series.at(slot).level {
            return;
        }
        self.series.change(slot).level = target;
        if target == Level::Off {
            self.is_off(slot, turn);
        } else {
            self.push(slot, turn);
        }
    }

    /// An episode of a series ends.
    fn ends(&mut self, slot: Slot, turn: &mut Turn) {
        let lasted = self.now().since(self.series.at(slot).since);
        // Counted in an incident, too: those that page are the long ones, and without them all others would seem long.
        self.series.change(slot).episodes.count(lasted);
        let check = self.check_slot(slot);
        self.checks.change(check).episodes.count(lasted);
        self.is_off(slot, turn);
    }

    /// A series is off.
    fn is_off(&mut self, slot: Slot, turn: &mut Turn) {
        self.remember_slowly(slot);
        let series = self.series.change(slot);
        series.bits = 0.0;
        (series.outlive_at, series.text, series.flap.ended_bad) = (None, None, false);
        if let Some(trend) = &mut series.trend {
            trend.ends();
        }
        self.end_hold(slot, turn);
        self.push(slot, turn);
        self.member_ended(slot);
    }

    /// Tells the components of a series what is fresh about it, when its bits changed, and looks whether that is enough
    /// for a page.
    pub(super) fn push(&mut self, slot: Slot, turn: &mut Turn) {
        let (own, system) = self.told_of(slot);
        let graph = !self.policy.topology.is_empty();
        for component in own.into_iter().flatten().chain(system) {
            self.tell(component, slot, Some(component) == system);
            self.weigh(component, turn);
            if graph && self.components.at(component).part == Part::Service {
                self.push_to_callees(component, turn);
            }
        }
        self.series.at_mut(slot).links.introduced = true;
    }

    /// Tells the components of a series what is fresh about it, before it pages whatever they make of that.
    pub(super) fn introduce(&mut self, slot: Slot) {
        let (own, system) = self.told_of(slot);
        for component in own.into_iter().flatten().chain(system) {
            self.tell(component, slot, Some(component) == system);
        }
    }

    /// The components of a series, and the system that it belongs to by the graph.
    fn told_of(&mut self, slot: Slot) -> ([Option<Slot>; 2], Option<Slot>) {
        let own = self.components_of(slot);
        let service = self.series.at(slot).name.service.as_deref();
        let system = service.and_then(|service| self.policy.topology.system_of(service));
        let system = system.map(str::to_owned);
        (own, system.map(|name| self.system(&name)))
    }

    /// Tells a component what is fresh about a series.
    fn tell(&mut self, component: Slot, slot: Slot, is_system: bool) {
        let now = self.now();
        let series = self.series.at(slot);
        let eased = series.level == Level::On && series.evidence.get().severity_bits.is_some();
        let weight = if eased { self.policy.judgement.warning_weight } else { 1.0 };
        let loud = Loud {
            series: series.fingerprint,
            slot: Some(slot),
            check: series.check,
            bits: series.fresh() * weight,
            critical: series.level == Level::Critical,
        };
        let row = self.components.change(component);
        row.advance(now, &self.policy.judgement);
        // A graph may change, and with it the system.
        let known = series.links.introduced && !is_system;
        if let Some(service) = series.name.service.as_ref().filter(|_| !known) {
            row.heard_of(service);
        }
        row.hear(loud, series.bits > 0.0, now, &self.policy.judgement);
    }

    /// The system of this name; made when it is first heard of.
    fn system(&mut self, name: &str) -> Slot {
        let fingerprint = Fingerprint::of(&["system", name]);
        if let Some(slot) = self.components.find(fingerprint) {
            return slot;
        }
        let name = self.name(name);
        self.components.insert(Component::new(fingerprint, Part::System, name, self.now()))
    }

    /// A service lends a share of its bits to the services that it calls.
    fn push_to_callees(&mut self, caller: Slot, turn: &mut Turn) {
        let policy = std::sync::Arc::clone(&self.policy);
        let name = std::sync::Arc::clone(&self.components.at(caller).name);
        for callee in policy.topology.callees(&name) {
            if let Some(slot) = self.service(callee) {
                let now = self.now();
                self.components.change(slot).advance(now, &policy.judgement);
                self.weigh(slot, turn);
            }
        }
    }

    /// The component of a service, if it was ever heard of.
    pub(super) fn service(&self, name: &str) -> Option<Slot> {
        self.components.find(Fingerprint::of(&["service", name]))
    }

    /// Works out the level of a component anew, and whether it crosses the threshold.
    fn weigh(&mut self, slot: Slot, turn: &mut Turn) {
        let now = self.now();
        let judgement = &self.policy.judgement;
        let component = self.components.at(slot);
        let mut level = component.own(now, judgement);
        if component.part == Part::Service && level > 0.0 && !self.policy.topology.is_empty() {
            let callers = self.policy.topology.callers(&component.name).filter_map(|name| self.service(name));
            let lent: f64 = callers.map(|caller| self.components.at(caller).own(now, judgement)).sum();
            level += judgement.caller_share * lent;
        }
        self.components.change(slot).level = level;
        self.look(slot, turn);
    }

    /// Looks again after `secs` whether a critical series has outlived its kind.
    pub(super) fn watch_duration(&mut self, slot: Slot, secs: f64) {
        let now = self.now();
        let series = self.series.change(slot);
        let at = now.after(secs);
        series.outlive_at = Some(at);
        self.timers.set(at, Due::Outlive, series.fingerprint);
    }
}
