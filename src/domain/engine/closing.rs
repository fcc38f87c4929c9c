//! Closing: how incidents are kept in mind, end, come back, and are forgotten; and what people say of them.

use std::sync::Arc;

use super::Engine;
use crate::domain::decision::{Decision, IncidentId, NoticeAction};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::Incident;
use crate::domain::level::Level;
use crate::domain::table::Slot;
use crate::domain::time::Timestamp;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

impl Engine {
    /// The surprises of an origin that paged keep its incident remembered.
    pub(super) fn keep_alive(&mut self, slot: Slot, bits: f64) {
        let (now, judgement) = (self.now(), &self.policy.judgement);
        if bits < judgement.alive || self.known.is_empty() {
            return;
        }
        let remember = judgement.remember;
        let service = &self.series.at(slot).name.service;
        if let Some(incident) = self.known.get(service).copied().and_then(|id| self.incident_mut(id))
            && now.since(incident.alive) <= remember
        {
            incident.alive = now;
        }
    }

    /// A member of an incident is off: the incident may be over.
    pub(super) fn member_ended(&mut self, slot: Slot) {
        if let Some(id) = self.member_of(slot) {
            self.watch_end(id);
        }
    }

    /// Sets the time at which an incident is over, when none of its members is on.
    pub(super) fn watch_end(&mut self, id: IncidentId) {
        let Some(slot) = self.incidents.find(Incident::key(id)) else { return };
        if !self.incidents.at(slot).open || self.goes_on(slot) {
            return;
        }
        let at = self.now().after(self.policy.judgement.resolve_after);
        self.incidents.change(slot).calm_at = Some(at);
        self.timers.set(at, Due::Calm, Incident::key(id));
    }

    /// Whether a member of an incident is on. The one that was on when last asked is asked first.
    fn goes_on(&mut self, slot: Slot) -> bool {
        let incident = self.incidents.at(slot);
        let on = |member: &Slot| self.series.at(*member).troubled();
        if incident.witnesses.on.as_ref().is_some_and(on) {
            return true;
        }
        let member = incident.members.iter().filter_map(|&member| self.series.find(member)).find(on);
        self.incidents.at_mut(slot).witnesses.on = member;
        member.is_some()
    }

    /// Whether a component of an incident belongs to another by now. The one that did when last asked is asked first.
    fn shares_components(&mut self, slot: Slot) -> bool {
        let incident = self.incidents.at(slot);
        let id = incident.id();
        let elsewhere = |component: &Slot| self.components.at(*component).incident != Some(id);
        if incident.witnesses.elsewhere.as_ref().is_some_and(elsewhere) {
            return true;
        }
        let components = incident.components.iter().filter_map(|&component| self.components.find(component));
        let other = components.into_iter().find(elsewhere);
        self.incidents.at_mut(slot).witnesses.elsewhere = other;
        other.is_some()
    }

    /// An incident may be over: when none of its members came back.
    pub(super) fn calm(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let now = self.now();
        let Some(slot) = self.incidents.find(whom) else { return };
        let incident = self.incidents.at(slot);
        let (id, opened) = (incident.id(), incident.summary.opened);
        if !incident.open || incident.calm_at != Some(now) {
            return;
        }
        if self.goes_on(slot) {
            if self.shares_components(slot) {
                self.look_at_end(id);
            }
            return;
        }
        let lasted = super::wording::span(now.since(opened));
        self.close(id, format!("all its alerts are over; it lasted {lasted}"), turn);
    }

    pub(super) fn close(&mut self, id: IncidentId, text: String, turn: &mut Turn) {
        let now = self.now();
        let Some(incident) = self.incident_mut(id) else { return };
        (incident.open, incident.calm_at, incident.summary.resolved) = (false, None, Some(now));
        self.closed += 1;
        self.notify(id, NoticeAction::Resolve, text, turn);
        if let Some(incident) = self.incident(id) {
            turn.decisions.push(Decision::Incident(Box::new(incident.summary.clone())));
        }
        self.forget_old_incidents();
    }

    pub(super) fn reopen(&mut self, id: IncidentId, turn: &mut Turn) {
        let Some(incident) = self.incident_mut(id).filter(|incident| !incident.open) else { return };
        (incident.open, incident.summary.resolved) = (true, None);
        self.closed -= 1;
        self.notify(id, NoticeAction::Reopen, "it is back, and nothing worse than what was paged".to_owned(), turn);
        self.wake_later(id);
        self.wake_unsent(id);
        self.wait_again(id);
    }

    /// What made an incident page is on again soon after people were told that it is over, as bad as then, and has outlasted
    /// its hold: they must not go on believing that.
    pub(super) fn come_back(&mut self, slot: Slot, turn: &mut Turn) {
        let series = self.series.at(slot);
        if !series.paged || series.level == Level::Off || series.flap.episode.is_some() || self.is_withheld(slot) {
            return;
        }
        let remember = self.policy.judgement.remember;
        let is_it = |incident: &Incident| {
            let was_critical = incident.critical.contains(&series.fingerprint);
            !incident.open
                && incident.members.contains(&series.fingerprint)
                && (series.level == Level::Critical || !was_critical)
                && incident.summary.resolved.is_some_and(|over| series.since.since(over) <= remember)
        };
        let components = self.known_components(slot).into_iter().flatten();
        let mut incidents = components.filter_map(|component| self.components.at(component).incident);
        if let Some(id) = incidents.find(|&id| self.incident(id).is_some_and(is_it)) {
            self.reopen(id, turn);
        }
    }

    /// A person has taken an incident.
    pub(super) fn acknowledge(&mut self, id: IncidentId, by: &str, turn: &mut Turn) {
        let now = self.now();
        let Some(incident) = self.incident_mut(id) else { return };
        if incident.summary.acknowledged.is_none() {
            incident.summary.acknowledged = Some(now);
            incident.untaken = None;
            self.notify(id, NoticeAction::Ack, format!("{by} has taken it"), turn);
        }
    }

    /// A person declares an incident to be over.
    pub(super) fn resolve_by_hand(&mut self, id: IncidentId, by: &str, turn: &mut Turn) {
        if self.incident(id).is_some_and(|incident| incident.open) {
            self.close(id, format!("{by} declared it to be over"), turn);
        }
    }

    /// Closed incidents are kept for a while, so that `why` can tell of them; the oldest go first.
    pub(super) fn forget_old_incidents(&mut self) {
        const KEPT: usize = 1000;
        if self.closed <= KEPT + KEPT / 10 {
            return;
        }
        let remember = self.policy.judgement.remember;
        let old = |incident: &Incident, now: Timestamp| {
            !incident.open && now.since(incident.alive.max(incident.surged)) > remember
        };
        let now = self.now();
        let mut closed: Vec<_> = self.incidents.rows().filter(|(_, i)| old(i, now)).map(|(_, i)| i.id()).collect();
        // What people said of an incident can be withdrawn as long as it counts.
        closed.retain(|&id| !self.is_talked_of(id));
        closed.sort_unstable();
        let surplus = self.closed.saturating_sub(KEPT);
        for id in closed.into_iter().take(surplus) {
            self.incidents.remove(Incident::key(id));
            self.forget_unsent(id);
            self.closed -= 1;
        }
        self.find_known();
    }

    /// Works out which incident is the latest of each origin.
    pub(super) fn find_known(&mut self) {
        self.known.clear();
        for (_, incident) in self.incidents.rows() {
            let latest =
                self.known.entry(incident.summary.origin.service.as_deref().map(Arc::from)).or_insert(incident.id());
            *latest = incident.id().max(*latest);
        }
    }

    /// At the end of a run, tells of the incidents that are still open.
    pub(super) fn report_open_incidents(&self, turn: &mut Turn) {
        let mut open: Vec<_> = self.incidents.rows().filter(|(_, i)| i.open).map(|(_, i)| &i.summary).collect();
        open.sort_by_key(|summary| summary.incident);
        turn.decisions.extend(open.into_iter().map(|summary| Decision::Incident(Box::new(summary.clone()))));
    }
}
