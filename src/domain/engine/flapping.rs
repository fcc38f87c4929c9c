//! Flapping: what the engine makes of a series that changes too often.
//!
//! While it flaps no worse than it did, its events are suppressed and bring no fresh surprise. It is told once when
//! it begins. It becomes one page when it lasts and worsens or spreads, and when it ends in a bad state.

use std::sync::Arc;

use super::Engine;
use super::wording::span;
use crate::domain::decision::{Decision, Notice, NoticeAction};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::level::Level;
use crate::domain::policy::{FlapRule, Handling};
use crate::domain::reason::Reason;
use crate::domain::stage::duration::{self, Episodes};
use crate::domain::stage::forget;
use crate::domain::table::Slot;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

impl Engine {
    /// Whether a series is flapping and this is nothing worse than what it flapped at: neither in its level, nor by
    /// a value far beyond its usual ones (`value` bits).
    pub(super) fn flapping_as_before(&self, slot: Slot, level: Level, value: f64) -> bool {
        let episode = self.series.at(slot).flap.episode.as_ref();
        value < self.policy.judgement.alive && episode.is_some_and(|episode| level <= episode.worst)
    }

    /// The rule of a series for flapping: of its latest event's handling, or the defaults.
    fn handling_of(&self, slot: Slot) -> &Handling {
        let series = self.series.at(slot);
        self.policy.handling(series.rule)
    }

    /// A series changed its state; `before` is what it was.
    pub(super) fn flap_change(&mut self, slot: Slot, before: Level, turn: &mut Turn) {
        let now = self.now();
        let policy = Arc::clone(&self.policy);
        let rule = &policy.handling(self.series.at(slot).rule).flap;
        // Point events have no state that flaps: when a burst of them begins and ends is our own doing.
        if rule.enter.is_empty() || self.series.at(slot).burst.is_some() {
            return;
        }
        let series = self.series.change(slot);
        let begins = series.flap.change(before, series.level, now, rule);
        self.watch_steady(slot, rule);
        if begins {
            self.flapping_begins(slot, rule, turn);
        } else {
            self.consider_promotion(slot, rule, turn);
        }
    }

    fn flapping_begins(&mut self, slot: Slot, rule: &FlapRule, turn: &mut Turn) {
        let series = self.series.at(slot);
        let (name, check, fingerprint) = (Arc::clone(&series.name.full), series.check, series.fingerprint);
        let Some(episode) = &series.flap.episode else { return };
        let (changes, window) = episode.pace;
        let (promote_at, again) = (episode.promote_at, episode.again);
        let text = format!(
            "{name} changed {changes} times within {}: its events are held back as flapping until it is steady, \
             ends in a bad state, or lasts and gets worse",
            span(window)
        );
        self.note_flapping(slot, again);
        let (now, half_life) = (self.now(), self.policy.judgement.half_life);
        let row = self.check_slot(slot);
        self.checks.change(row).flaps.0.add(1.0, now, half_life);
        self.flapping.entry(check).or_default().insert(fingerprint);
        if !again {
            self.tell_series(slot, NoticeAction::Flapping, text, turn);
        }
        if promote_at > now {
            self.timers.set(promote_at, Due::Promote, fingerprint);
        } else {
            // Recognised by a long window, it has lasted already.
            self.consider_promotion(slot, rule, turn);
        }
        self.spread(slot, rule, turn);
    }

    /// How many series of a check are flapping.
    fn flapping_of(&self, check: Fingerprint) -> u32 {
        self.flapping.get(&check).map_or(0, |series| series.len() as u32)
    }

    /// One more series flaps: when that makes it a spread, others of the same check that have lasted count, too.
    /// (Beyond that each of them looks for itself, when it changes.)
    fn spread(&mut self, slot: Slot, rule: &FlapRule, turn: &mut Turn) {
        let check = self.series.at(slot).check;
        if self.flapping_of(check) != rule.spread {
            return;
        }
        let others = self.flapping.get(&check).into_iter().flatten().filter_map(|&series| self.series.find(series));
        let mut others: Vec<(Arc<str>, Slot)> =
            others.map(|slot| (Arc::clone(&self.series.at(slot).name.full), slot)).collect();
        others.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, slot) in others {
            self.consider_promotion(slot, rule, turn);
        }
    }

    /// Sets the time at which a flapping series is steady, if it does not change again.
    fn watch_steady(&mut self, slot: Slot, rule: &FlapRule) {
        let series = self.series.change(slot);
        let Some(at) = series.flap.steady_at(rule.leave) else { return };
        if let Some(episode) = &mut series.flap.episode {
            let at = at.max(episode.entered);
            let sooner = at < episode.steady_at || episode.steady_at <= episode.entered;
            episode.steady_at = at;
            // A timer that comes too early looks again; only an earlier deadline needs a new one.
            if sooner {
                self.timers.set(at, Due::Steady, series.fingerprint);
            }
        }
    }

    /// A flapping series may be steady.
    pub(super) fn steady_due(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let now = self.now();
        let Some(slot) = self.series.find(whom) else { return };
        let Some(episode) = &self.series.at(slot).flap.episode else { return };
        if episode.steady_at > now {
            let at = episode.steady_at;
            return self.timers.set(at, Due::Steady, whom);
        }
        self.flapping_ends(slot, turn);
    }

    /// A series is steady again: in a good state that is all; in a bad one it pages.
    fn flapping_ends(&mut self, slot: Slot, turn: &mut Turn) {
        let now = self.now();
        let Some(episode) = self.series.change(slot).flap.settle(now) else { return };
        let series = self.series.at(slot);
        let level = series.level;
        let check = self.check_slot(slot);
        self.checks.change(check).flaps.1.count(now.since(episode.since));
        self.stop_flapping(slot);
        let lasted = span(now.since(episode.since));
        self.note_steady(slot, episode.since, (episode.count, level == Level::Off));
        let state = if level > Level::Off { "bad" } else { "good" };
        let text = format!(
            "{} is steady in a {state} state after {} changes in {lasted}",
            self.series.at(slot).name.full,
            episode.count
        );
        // A slow flap pauses for longer than an hour each time: that is told once.
        if !episode.again {
            self.tell_series(slot, NoticeAction::Steady, text, turn);
        }
        if level > Level::Off {
            self.series.change(slot).flap.ended_bad = true;
            self.ended_bad(slot, turn);
        } else {
            self.member_ended(slot);
        }
    }

    fn stop_flapping(&mut self, slot: Slot) {
        let series = self.series.at(slot);
        if let Some(others) = self.flapping.get_mut(&series.check) {
            others.remove(&series.fingerprint);
            if others.is_empty() {
                self.flapping.remove(&series.check);
            }
        }
    }

    /// A series that stopped flapping in a bad state, and is in it still, pages once that is unusual for its kind:
    /// at once where it never did so before, later where it often does.
    pub(super) fn ended_bad(&mut self, slot: Slot, turn: &mut Turn) {
        let series = self.series.at(slot);
        let (since, lasted) = (series.since, self.now().since(series.since));
        if self.told_since(slot, since, self.policy.judgement.calm) || self.member_of(slot).is_some() {
            return;
        }
        if self.unusual_end(slot, lasted) {
            self.note_flap_paged(slot, since);
            return self.force(slot, Reason::FlappingEndedBad, turn);
        }
        self.watch_duration(slot, duration::end(duration::class(lasted)) + 1.0 - lasted);
    }

    /// Flapping may have lasted long enough.
    pub(super) fn promote_due(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let policy = Arc::clone(&self.policy);
        if let Some(slot) = self.series.find(whom) {
            let rule = &policy.handling(self.series.at(slot).rule).flap;
            self.consider_promotion(slot, rule, turn);
        }
    }

    /// Flapping that lasts, and worsens or spreads, becomes one page.
    fn consider_promotion(&mut self, slot: Slot, rule: &FlapRule, turn: &mut Turn) {
        let now = self.now();
        let hosts = self.flapping_of(self.series.at(slot).check);
        let series = self.series.change(slot);
        let Some(episode) = &mut series.flap.episode else { return };
        episode.account(now, rule);
        let lasted = now.since(episode.since);
        if !episode.promotes(now, rule, hosts) || !self.unusual_flapping(slot, lasted) || self.is_silenced(slot) {
            return;
        }
        let series = self.series.change(slot);
        let Some(episode) = &mut series.flap.episode else { return };
        episode.promoted = true;
        let (count, since) = (episode.count, episode.since);
        let lasted = now.since(since);
        series.evidence.change(|evidence| (evidence.changes, evidence.window) = (Some(count), Some(lasted as f32)));
        if self.member_of(slot).is_none() {
            self.note_flap_paged(slot, since);
            self.force(slot, Reason::FlappingLasts, turn);
        }
    }

    /// How rarely a series of this check begins to flap, in bits: not counting this time, which is to be judged.
    fn rare_flapping(&self, slot: Slot) -> f64 {
        let (now, judgement) = (self.now(), &self.policy.judgement);
        let check = self.check(slot);
        let history = forget::history(now.since(self.start()), judgement.half_life);
        let weight = judgement.family_weight * judgement.own_history;
        let before = (check.flaps.0.get(now, judgement.half_life) - 1.0).max(0.0);
        let rate = (before + weight / judgement.stranger_starts_every) / (f64::from(check.series) * history + weight);
        -libm::log2(-libm::expm1(-rate * judgement.window)) - 1.0
    }

    /// Whether flapping that lasts so long is unusual: how rarely this check flaps, and how rarely for so long.
    fn unusual_flapping(&self, slot: Slot, lasted: f64) -> bool {
        let judgement = &self.policy.judgement;
        let past = &self.check(slot).flaps.1;
        self.rare_flapping(slot) + Episodes::default().bits(past, lasted, judgement) >= judgement.outlived
    }

    /// Whether staying in the bad state for so long after flapping is unusual: how rarely this check flaps, and how
    /// rarely an episode of this series lasts so long.
    fn unusual_end(&self, slot: Slot, lasted: f64) -> bool {
        let judgement = &self.policy.judgement;
        let past = &self.check(slot).episodes;
        self.rare_flapping(slot) + self.series.at(slot).episodes.bits(past, lasted, judgement) >= judgement.outlived
    }

    /// Tells something about a series without interrupting.
    fn tell_series(&mut self, slot: Slot, action: NoticeAction, text: String, turn: &mut Turn) {
        let (ts, incident) = (self.now(), self.open_incident_of(slot));
        if let Some(incident) = incident.and_then(|id| self.incident_mut(id)) {
            incident.tell(ts, format!("{action}: {text}"));
        }
        let series = Some(Arc::clone(&self.series.at(slot).name.full));
        turn.decisions.push(Decision::Notice(Box::new(Notice { ts, action, incident, series, text })));
    }

    /// Tells that an alert was given up because it never resolved.
    pub(super) fn notice_expired(&mut self, slot: Slot, quiet: f64, turn: &mut Turn) {
        let text = format!(
            "an alert of {} never resolved and was given up: nothing was heard of it for {}",
            self.series.at(slot).name.full,
            span(quiet)
        );
        self.tell_series(slot, NoticeAction::Expire, text, turn);
    }

    /// How a series is handled, for explanations.
    pub(super) fn rule_name(&self, slot: Slot) -> Option<String> {
        let rule = self.series.at(slot).rule.and_then(|at| self.policy.rules.get(at));
        rule.map(|rule| rule.name.clone())
    }

    /// The longest flap window of a series, for explanations.
    pub(super) fn longest_window(&self, slot: Slot) -> Option<std::time::Duration> {
        self.handling_of(slot).flap.enter.iter().map(|pace| pace.window).max()
    }
}
