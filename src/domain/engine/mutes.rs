//! Mutes: what a person's silence or an inhibition holds back.
//!
//! A muted alert is remembered but not judged. When what muted it ends while it still fires, it is judged as if it
//! had started then. A resolve always passes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Engine;
use super::intake::Arrival;
use super::verdicts::Fate;
use crate::domain::alert::Mute;
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::policy::{Inhibition, PageMode};
use crate::domain::reason::Reason;
use crate::domain::silence::Silence;
use crate::domain::table::{Row, Slot};
use crate::domain::time::Timestamp;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

/// A silence that a person ordered while Squelch was running.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ordered(pub(super) Silence);

impl Row for Ordered {
    const KIND: u8 = b'q';
    const VERSION: u8 = 2;

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&["silence", &self.0.id])
    }
}

/// So many silences that are over are remembered.
const MOST_OVER: usize = 1_000;

/// Whether an event fits one side of an inhibition.
fn fits(matchers: &[crate::domain::matcher::Matcher], event: &Event) -> bool {
    matchers.iter().all(|matcher| matcher.fits(event))
}

/// The values on which both sides of an inhibition must agree.
fn agreement(inhibition: &Inhibition, event: &Event) -> Fingerprint {
    let values: Vec<&str> = inhibition.equal.iter().map(|name| event.field(name)).collect();
    Fingerprint::of(&values)
}

impl Engine {
    /// What holds an event back, if anything does.
    pub(super) fn mute_for(&self, event: &Event, alert: Option<Slot>) -> Option<Mute> {
        let now = self.now();
        let posting = || alert.and_then(|slot| self.postings.get(self.alerts.at(slot).fingerprint));
        let posted = || event.posted.as_deref().map(|posted| &posted.text).or_else(|| posting().map(|row| &row.text));
        let covers = |silence: &&Silence| silence.in_force(now) && silence.fits(event, posted());
        let ordered = self.silences.rows().map(|(_, row)| &row.0).filter(covers).map(|silence| &silence.id).min();
        let id = self.policy.silences.iter().find(covers).map(|silence| &silence.id).or(ordered);
        if let Some(id) = id {
            return Some(Mute::Silenced(id.clone()));
        }
        let own = alert.map(|slot| &self.alerts.at(slot).inhibits);
        let inhibits = |inhibition: &&Inhibition| {
            let key = (inhibition.name.clone(), agreement(inhibition, event));
            // An alert never inhibits itself.
            let by_itself = u32::from(own.is_some_and(|own| own.contains(&key)));
            self.inhibiting.get(&key).is_some_and(|&count| count > by_itself)
        };
        let mut targets = self.policy.inhibitions.iter().filter(|inhibition| fits(&inhibition.target, event));
        targets.find(inhibits).map(|inhibition| Mute::Inhibited(inhibition.name.clone()))
    }

    /// The inhibitions that an alert of this event is a source of; counts it there.
    pub(super) fn start_inhibiting(&mut self, event: &Event) -> Vec<(String, Fingerprint)> {
        let policy = Arc::clone(&self.policy);
        let of = policy.inhibitions.iter().filter(|inhibition| fits(&inhibition.source, event));
        let keys: Vec<_> = of.map(|inhibition| (inhibition.name.clone(), agreement(inhibition, event))).collect();
        for key in &keys {
            *self.inhibiting.entry(key.clone()).or_default() += 1;
        }
        keys
    }

    /// An alert inhibits nothing any more; whether it did.
    pub(super) fn stop_inhibiting(&mut self, slot: Slot) -> bool {
        if self.alerts.at(slot).inhibits.is_empty() {
            return false;
        }
        for key in std::mem::take(&mut self.alerts.change(slot).inhibits) {
            if let Some(count) = self.inhibiting.get_mut(&key) {
                *count = count.saturating_sub(1);
            }
            if self.inhibiting.get(&key) == Some(&0) {
                self.inhibiting.remove(&key);
            }
        }
        true
    }

    /// A firing that is held back: remembered, and taken from the judgement if it was judged before.
    pub(super) fn muted(&mut self, arrival: &Arrival<'_>, mute: Mute, turn: &mut Turn) {
        self.decide_muted(arrival, &mute, turn);
        match arrival.fires.map(|slot| self.alerts.at(slot).mute.is_none()) {
            // It was judged when it started, and what it belongs to must still end with it.
            Some(true) => {}
            Some(false) | None => self.keep_alert(arrival, Some(mute)),
        }
    }

    /// The verdict of an event that is held back.
    pub(super) fn decide_muted(&mut self, arrival: &Arrival<'_>, mute: &Mute, turn: &mut Turn) {
        let incident = self.member_of(arrival.series);
        let (reason, incident) = match mute {
            Mute::Silenced(_) => (Reason::Silenced, incident),
            Mute::Inhibited(_) => (Reason::Inhibited, incident),
            Mute::Never => match self.open_incident_of(arrival.series) {
                Some(id) => (Reason::OpenIncident, Some(id)),
                None => (Reason::Never, None),
            },
        };
        self.decide(arrival.seq, arrival.series, Fate::new(reason, incident), turn);
    }

    /// A person sets, changes or ends a silence.
    pub(super) fn order_silence(&mut self, silence: &Silence, turn: &mut Turn) {
        self.silences.insert(Ordered(silence.clone()));
        self.set_silence_timer(silence.from, silence.until);
        self.judge_unmuted(turn);
    }

    /// Sets timers for the silences of the rule files and of people.
    pub(super) fn set_silence_timers(&mut self) {
        let ordered = self.silences.rows().map(|(_, row)| &row.0);
        let times: Vec<_> =
            self.policy.silences.iter().chain(ordered).map(|silence| (silence.from, silence.until)).collect();
        for (from, until) in times {
            self.set_silence_timer(from, until);
        }
    }

    fn set_silence_timer(&mut self, from: Timestamp, until: Timestamp) {
        for at in [until, until + Silence::REMEMBERED] {
            if at > self.now() && from <= until {
                self.timers.set(at, Due::Silence, Fingerprint(0));
            }
        }
    }

    /// A silence ended, or the rules changed: old orders are forgotten, and what is free is judged.
    pub(super) fn silences_changed(&mut self, turn: &mut Turn) {
        let now = self.now();
        let mut over: Vec<_> = self.silences.rows().map(|(_, row)| row).filter(|row| row.0.until <= now).collect();
        over.sort_by_key(|row| (std::cmp::Reverse(row.0.until), row.fingerprint()));
        let kept = over.iter().take(MOST_OVER).take_while(|row| row.0.until + Silence::REMEMBERED > now).count();
        let forgotten: Vec<_> = over[kept..].iter().map(|row| row.fingerprint()).collect();
        for fingerprint in forgotten {
            self.silences.remove(fingerprint);
        }
        self.judge_unmuted(turn);
    }

    /// Judges the alerts that were muted, still fire, and are muted no longer.
    pub(super) fn judge_unmuted(&mut self, turn: &mut Turn) {
        let mut muted: Vec<Fingerprint> =
            self.alerts.rows().filter(|(_, alert)| alert.mute.is_some()).map(|(_, alert)| alert.fingerprint).collect();
        muted.sort_unstable();
        for fingerprint in muted {
            self.judge_if_free(fingerprint, turn);
        }
    }

    fn judge_if_free(&mut self, fingerprint: Fingerprint, turn: &mut Turn) {
        let Some(slot) = self.alerts.find(fingerprint) else { return };
        let Some(event) = self.alerts.at(slot).event.clone() else { return };
        let rule = self.policy.rule_for(&event);
        let never = (self.policy.handling(rule).page == PageMode::Never).then_some(Mute::Never);
        if let Some(mute) = self.mute_for(&event, Some(slot)).or(never) {
            self.alerts.change(slot).mute = Some(Box::new(mute));
            return;
        }
        let alert = self.alerts.change(slot);
        (alert.mute, alert.event) = (None, None);
        let severity = alert.severity;
        if let Some(series) = self.series_of_alert(self.alerts.at(slot)) {
            self.count_firing(series, severity, 1);
            self.rise_again(series, &event, turn);
        }
    }
}
