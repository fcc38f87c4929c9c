//! Mutes: what a person's silence or an inhibition holds back.
//!
//! A muted alert is remembered but not judged. When what muted it ends while it still fires, it is judged as if it
//! had started then. A resolve always passes. (`covering` has what fires already when a silence begins.)

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Engine;
use super::intake::Arrival;
use super::verdicts::Fate;
use crate::domain::alert::Mute;
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::policy::PageMode;
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
        if let Some(work) = self.policy.maintenance.iter().find(|work| work.fits(event) && work.until(now).is_some()) {
            return Some(Mute::Silenced(work.name.clone()));
        }
        self.inhibited_by(event, alert)
    }

    /// Sets a timer for when planned work begins or ends next: what fires is held back then, or judged. While nothing
    /// fires there is nothing to do.
    pub(super) fn watch_maintenance(&mut self) {
        let now = self.now();
        if self.maintained > now || self.policy.maintenance.is_empty() || self.alerts.len() == 0 {
            return;
        }
        let next = self.policy.maintenance.iter().filter_map(|work| work.turns_after(now)).min();
        self.maintained = next.unwrap_or(Timestamp::MAX);
        if let Some(at) = next {
            self.timers.set(at, Due::Silence, Fingerprint(0));
        }
    }

    /// A firing that is held back: remembered, and taken from the judgement if it was judged before.
    pub(super) fn muted(&mut self, arrival: &Arrival<'_>, mute: Mute, turn: &mut Turn) {
        self.decide_muted(arrival, &mute, turn);
        let judged = arrival.fires.filter(|&slot| self.alerts.at(slot).mute.is_none());
        match (judged, &mute) {
            // What inhibits it came too late: it was judged when it started. That it still fires is heard.
            (Some(slot), Mute::Inhibited(_) | Mute::Never) => return self.hear_again(arrival, slot),
            (Some(slot), _) => self.mute_judged(slot, mute.clone(), turn),
            (None, _) => {}
        }
        // It may have got worse with this very event: that is what is judged when the silence ends.
        self.keep_alert(arrival, Some(mute));
    }

    /// Planned work that follows a change.
    pub(super) fn maintain_after(&mut self, change: &Event, turn: &mut Turn) {
        let (now, policy) = (self.now(), Arc::clone(&self.policy));
        for silence in policy.maintenance.iter().filter_map(|work| work.after(change, now)) {
            self.order_silence(&silence, turn);
        }
    }

    /// The verdict of an event that is held back.
    pub(super) fn decide_muted(&mut self, arrival: &Arrival<'_>, mute: &Mute, turn: &mut Turn) {
        if let Mute::Silenced(id) = mute {
            self.note_hidden(arrival.series, id);
        }
        let incident = self.member_of(arrival.series);
        let (reason, incident) = match mute.reason() {
            Reason::Never => match self.open_incident_of(arrival.series) {
                Some(id) => (Reason::OpenIncident, Some(id)),
                None => (Reason::Never, None),
            },
            reason => (reason, incident),
        };
        self.decide(arrival.seq, arrival.series, Fate::new(reason, incident), turn);
    }

    /// A person sets, changes or ends a silence.
    pub(super) fn order_silence(&mut self, silence: &Silence, turn: &mut Turn) {
        self.silences.insert(Ordered(silence.clone()));
        self.set_silence_timer(silence.from, silence.until);
        self.mute_covered(turn);
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
        self.maintained = Timestamp::EPOCH;
        self.watch_maintenance();
    }

    fn set_silence_timer(&mut self, from: Timestamp, until: Timestamp) {
        for at in [from, until, until + Silence::REMEMBERED] {
            if at > self.now() && from <= until {
                self.timers.set(at, Due::Silence, Fingerprint(0));
            }
        }
    }

    /// A silence begins or ends, or the rules changed: old orders are forgotten, what is covered is held back, and what
    /// is free is judged.
    pub(super) fn silences_changed(&mut self, turn: &mut Turn) {
        let now = self.now();
        let mut over: Vec<_> = self.silences.rows().map(|(_, row)| row).filter(|row| row.0.until <= now).collect();
        over.sort_by_key(|row| (std::cmp::Reverse(row.0.until), row.fingerprint()));
        let kept = over.iter().take(MOST_OVER).take_while(|row| row.0.until + Silence::REMEMBERED > now).count();
        let forgotten: Vec<_> = over[kept..].iter().map(|row| row.fingerprint()).collect();
        for fingerprint in forgotten {
            self.silences.remove(fingerprint);
        }
        self.watch_maintenance();
        self.mute_covered(turn);
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
        let mute = self.mute_for(&event, Some(slot)).or(never);
        let judged = self.alerts.at(slot).mute.as_ref().is_some_and(|mute| mute.is_later());
        if let Some(mute) = mute {
            self.alerts.change(slot).mute = Some(Box::new(if judged { mute.later() } else { mute }));
            return;
        }
        let kept = self.may_be_muted(&event);
        let alert = self.alerts.change(slot);
        alert.mute = None;
        alert.event = alert.event.take().filter(|_| kept);
        let severity = alert.severity;
        if let Some(series) = self.series_of_alert(self.alerts.at(slot)) {
            if judged {
                self.freed(series);
            }
            self.count_firing(series, severity, 1);
            self.note_labels(series, fingerprint, &event);
            self.rise_again(series, &event, turn);
        }
    }
}
