//! Bursts: point events (exceptions) have no end; they matter when more of them come than usual.
//!
//! Deliberately nothing here about how improbable a count is (`stage::burst`), nor what a start is worth (`onset`).

use super::Engine;
use super::intake::Arrival;
use super::verdicts::Fate;
use crate::domain::decision::Evidence;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::level::Level;
use crate::domain::policy::PageMode;
use crate::domain::reason::Reason;
use crate::domain::stage::forget;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

impl Engine {
    /// A point event: it matters only in a burst.
    pub(super) fn point_event(&mut self, arrival: &Arrival<'_>, turn: &mut Turn) {
        let (now, start, slot) = (self.now(), self.start(), arrival.series);
        self.end_alert(arrival.alert, now, turn);
        let policy = std::sync::Arc::clone(&self.policy);
        let judgement = &policy.judgement;
        let check = self.check_slot(slot);
        let series = self.series.change(slot);
        let check = self.checks.change(check);
        let history = forget::history(now.since(start), judgement.half_life);
        let seen = check.events.get(now, judgement.half_life);
        let prior = (seen + 1.0) / (f64::from(check.series) * history + judgement.own_history);
        check.events.add(1.0, now, judgement.half_life);
        let burst = series.burst.get_or_insert_default();
        let (improbability, bursts) = burst.event(now, prior, history, judgement);
        let count = burst.count();
        if bursts {
            let ends = now.after(judgement.burst_memory);
            if burst.ends.is_none() {
                self.timers.set(ends, Due::Burst, series.fingerprint);
            }
            burst.ends = Some(ends);
        }
        let numbers = Evidence {
            surprise: Some((improbability * std::f64::consts::LOG2_10) as f32),
            changes: Some(count as u32),
            window: Some(judgement.burst_memory as f32),
            ..Evidence::default()
        };
        self.judge_burst(arrival, bursts, numbers, turn);
    }

    fn judge_burst(&mut self, arrival: &Arrival<'_>, bursts: bool, numbers: Evidence, turn: &mut Turn) {
        let slot = arrival.series;
        let level = Level::of(arrival.event.severity);
        let handling = self.policy.handling(self.policy.rule_for(arrival.event));
        let (page, longest) = (handling.page, handling.hold.longest.as_secs_f64());
        if page == PageMode::Always && self.member_of(slot).is_none() {
            self.series.change(slot).evidence = numbers.into();
            self.wait(arrival.seq, slot, longest, turn);
            self.introduce(slot);
            return self.force(slot, Reason::Always, turn);
        }
        if !bursts {
            let incident = self.member_of(slot);
            return self.decide_with(arrival.seq, slot, (Fate::join_or(incident, Reason::Ordinary), numbers), turn);
        }
        if self.series.at(slot).level >= level {
            if self.series.at(slot).waiting.is_empty() {
                return self.repeat(arrival, turn);
            }
            return self.wait(arrival.seq, slot, longest, turn);
        }
        self.series.change(slot).burst.get_or_insert_default().on = Some(arrival.event.severity);
        let fresher = self.rise_to(slot, level, Some(arrival.event), turn);
        let series = self.series.change(slot);
        series.evidence.change(|evidence| (evidence.changes, evidence.window) = (numbers.changes, numbers.window));
        if !fresher && self.series.at(slot).flap.episode.is_some() {
            let incident = self.member_of(slot);
            self.decide(arrival.seq, slot, Fate::join_or(incident, Reason::Flapping), turn);
        } else {
            self.wait(arrival.seq, slot, longest, turn);
        }
        if fresher {
            self.push(slot, turn);
        }
    }

    /// A burst ends when it was not fed for its memory.
    pub(super) fn burst_ends(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let now = self.now();
        let Some(slot) = self.series.find(whom) else { return };
        let Some(ends) = self.series.at(slot).burst.as_ref().and_then(|burst| burst.ends) else { return };
        if ends > now {
            return self.timers.set(ends, Due::Burst, whom);
        }
        let series = self.series.change(slot);
        let level = series.level;
        if let Some(burst) = &mut series.burst {
            (burst.ends, burst.on) = (None, None);
        }
        if level > Level::Off {
            self.level_changed(slot, turn);
        }
    }
}
