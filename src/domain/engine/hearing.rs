//! Hearing: a heartbeat that stays out, and a source that usually speaks and falls silent.
//!
//! Both raise an alert of Squelch's own, which pages like any other and is over when they speak again. Deliberately
//! nothing about single alerts that are not resent: see `intake`. While Squelch itself was not running nobody was
//! heard: that is no silence of theirs.

use std::sync::Arc;

use super::Engine;
use super::intake::Arrival;
use super::wording::span;
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::heartbeat::Heartbeat;
use crate::domain::policy::HeartbeatRule;
use crate::domain::reason::Reason;
use crate::domain::signal::{Kind, Severity, Status};
use crate::domain::table::Slot;
use crate::domain::time::Timestamp;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

impl Engine {
    /// To be said after a time in which nothing could reach it: that time is nobody's silence.
    pub fn resume(&mut self, now: Timestamp) {
        self.ledger.change(self.book).listens_since = now;
    }

    /// Since when it listens; before that nothing could be heard.
    pub(super) fn listens_since(&self) -> Timestamp {
        self.ledger.at(self.book).listens_since
    }

    /// Waits for the heartbeats of the policy from now on, and no longer for others.
    pub(super) fn expect_heartbeats(&mut self, turn: &mut Turn) {
        self.expects_heartbeats = true;
        let policy = Arc::clone(&self.policy);
        let named = |row: &Heartbeat| policy.heartbeats.iter().any(|rule| *rule.name == *row.name);
        let mut given_up: Vec<Slot> =
            self.heartbeats.rows().filter(|(_, row)| !named(row)).map(|(slot, _)| slot).collect();
        given_up.sort_by_key(|slot| Arc::clone(&self.heartbeats.at(*slot).name));
        for slot in given_up {
            let row = self.heartbeats.at(slot).clone();
            if row.silent {
                self.speaks_again(&row.name, turn);
            }
            self.heartbeats.remove(Heartbeat::key(&row.name));
        }
        for rule in &policy.heartbeats {
            self.expect_heartbeat(rule);
        }
    }

    fn expect_heartbeat(&mut self, rule: &HeartbeatRule) {
        let (key, now) = (Heartbeat::key(&rule.name), self.now());
        if self.heartbeats.find(key).is_none() {
            self.heartbeats.insert(Heartbeat { name: Arc::from(&*rule.name), heard: now, silent: false });
        }
        self.timers.set(now + rule.every, Due::Heartbeat, key);
    }

    /// Whether an event is a heartbeat: then it is recorded, and never judged.
    pub(super) fn heartbeat(&mut self, arrival: &Arrival<'_>, turn: &mut Turn) -> bool {
        let policy = Arc::clone(&self.policy);
        let mut is_one = false;
        for rule in &policy.heartbeats {
            if !rule.matchers.iter().all(|matcher| matcher.fits(arrival.event)) {
                continue;
            }
            is_one = true;
            // The end of a heartbeat is none.
            if matches!(arrival.event.status, Status::Firing | Status::Event) {
                self.beats(rule, turn);
            }
        }
        if is_one {
            self.decide(arrival.seq, arrival.series, Reason::Heartbeat, turn);
        }
        is_one
    }

    fn beats(&mut self, rule: &HeartbeatRule, turn: &mut Turn) {
        let now = self.now();
        let Some(slot) = self.heartbeats.find(Heartbeat::key(&rule.name)) else { return };
        let row = self.heartbeats.change(slot);
        row.heard = now;
        if std::mem::take(&mut row.silent) {
            self.timers.set(now + rule.every, Due::Heartbeat, Heartbeat::key(&rule.name));
            self.speaks_again(&rule.name, turn);
        }
    }

    /// A heartbeat may be overdue.
    pub(super) fn heartbeat_due(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let (now, policy) = (self.now(), Arc::clone(&self.policy));
        let Some(slot) = self.heartbeats.find(whom) else { return };
        let row = self.heartbeats.at(slot);
        let Some(rule) = policy.heartbeats.iter().find(|rule| *rule.name == *row.name) else { return };
        let due = row.heard.max(self.listens_since()) + rule.every;
        if row.silent {
            return;
        }
        if due > now {
            return self.timers.set(due, Due::Heartbeat, whom);
        }
        let late = span(rule.every.as_secs_f64());
        self.heartbeats.change(slot).silent = true;
        let text = format!("no heartbeat of {} for {late}: its sender is down, or cannot reach Squelch", rule.name);
        self.falls_silent(&rule.name, rule.severity, text, turn);
    }

    /// A source speaks.
    pub(super) fn hear_source(&mut self, slot: Slot, turn: &mut Turn) {
        let (now, since) = (self.now(), self.listens_since());
        let source = self.sources.change(slot);
        let pause = now.since(source.heard.1.max(since));
        source.heard.1 = now;
        if std::mem::take(&mut source.silent) {
            let name = Arc::clone(&source.name);
            self.watch_source(slot);
            self.speaks_again(&name, turn);
        } else if source.pauses.hear(pause, now) {
            self.watch_source(slot);
        }
    }

    /// When a source has been silent for too long, if it goes on so; `None` = nobody can tell of it.
    fn silent_at(&self, slot: Slot) -> Option<Timestamp> {
        let source = self.sources.at(slot);
        let known = source.heard.0.after(self.policy.judgement.source_known_after);
        let allowed = source.pauses.longest_allowed()?;
        Some(source.heard.1.max(self.listens_since()).after(allowed).max(known))
    }

    /// Sets the time at which a source is silent, if it does not speak until then.
    pub(super) fn watch_source(&mut self, slot: Slot) {
        if let Some(at) = self.silent_at(slot) {
            self.timers.set(at, Due::Source, self.sources.at(slot).fingerprint);
        }
    }

    /// Watches all sources anew: what is known of them may be judged by another policy.
    pub(super) fn watch_sources(&mut self) {
        let slots: Vec<Slot> = self.sources.rows().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.watch_source(slot);
        }
    }

    /// A source may have fallen silent.
    pub(super) fn source_due(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let (now, since) = (self.now(), self.listens_since());
        let Some(slot) = self.sources.find(whom) else { return };
        let source = self.sources.at(slot);
        if source.silent || self.silent_at(slot).is_none_or(|at| at > now) {
            if !source.silent {
                self.watch_source(slot);
            }
            return;
        }
        let text = format!(
            "{} fell silent: nothing of it for {}, and its longest pause of the last weeks was {}",
            source.name,
            span(now.since(source.heard.1.max(since))),
            span(source.pauses.longest())
        );
        let name = Arc::clone(&source.name);
        self.sources.change(slot).silent = true;
        self.falls_silent(&name, Severity::Error, text, turn);
    }

    /// Somebody who should speak does not: an alert of Squelch's own pages.
    fn falls_silent(&mut self, name: &str, severity: Severity, text: String, turn: &mut Turn) {
        let mut event = silence_of(name);
        (event.severity, event.summary) = (severity, Some(text));
        let slot = self.series_of(&event);
        self.series.change(slot).heard.1 = self.now();
        self.count_firing(slot, severity, 1);
        self.rise_again(slot, &event, turn);
        if self.member_of(slot).is_none() {
            self.force(slot, Reason::Silent, turn);
        }
    }

    /// It speaks again: the alert of Squelch's own is over.
    fn speaks_again(&mut self, name: &str, turn: &mut Turn) {
        let slot = self.series_of(&silence_of(name));
        self.series.change(slot).firing = Default::default();
        self.level_changed(slot, turn);
    }
}

/// The alert of Squelch's own that somebody is silent.
fn silence_of(name: &str) -> Event {
    let mut event = Event::new("squelch", format!("silence of {name}"));
    event.kind = Kind::Other;
    event
}
