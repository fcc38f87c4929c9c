//! Reminding: what is told when nobody takes an incident.
//!
//! A route may say who is told next (`unacknowledged`), and how often everybody whom it told is told again (`repeat`).
//! It waits for a person: whoever acknowledges the incident ends it, until the incident gets clearly worse and pages
//! anew. A route that an interval keeps waits for its end; while the incident is over nothing is told, and when it
//! comes back everybody has their time again. A reminder takes the place of one that its receiver has not been given yet, so that
//! nobody gets a heap of them when the way to them is free again.
//!
//! Deliberately no part of the judgement, and no decision: in a replay nobody acknowledges. What was told stands in the
//! incident's timeline.

use std::collections::BTreeSet;

use super::Engine;
use super::audience::listed;
use super::wording::span;
use crate::domain::decision::{IncidentId, Page};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::{Incident, Patience, Untaken};
use crate::domain::notification::{Content, NotificationKey, Reminder};
use crate::domain::route::Route;
use crate::domain::time::Timestamp;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

impl Patience {
    const fn begin(now: Timestamp) -> Self {
        Self { since: now, steps: 0, repeated: now }
    }

    fn told(self) -> usize {
        usize::try_from(self.steps).unwrap_or(usize::MAX)
    }

    /// When the next step of a route is told.
    fn next_step(self, route: &Route) -> Option<Timestamp> {
        Some(self.since + route.unacknowledged.get(self.told())?.after)
    }

    /// When all are told again.
    fn next_repeat(self, route: &Route) -> Option<Timestamp> {
        Some(self.repeated + route.repeat?)
    }

    /// When anybody is told next by a route.
    fn next(self, route: &Route) -> Option<Timestamp> {
        let next = self.next_step(route).into_iter().chain(self.next_repeat(route)).min()?;
        Some(route.tells_from(next))
    }

    /// Whom a route tells now.
    fn due<'r>(&mut self, route: &'r Route, now: Timestamp) -> Vec<&'r String> {
        let mut told = Vec::new();
        if route.kept_by(now).is_some() {
            return told;
        }
        while self.next_step(route).is_some_and(|at| at <= now) {
            told.extend(&route.unacknowledged[self.told()].receivers);
            self.steps += 1;
        }
        if self.next_repeat(route).is_some_and(|at| at <= now) {
            let reached = route.unacknowledged.iter().take(self.told());
            told.extend(route.receivers.iter().chain(reached.flat_map(|step| &step.receivers)));
            self.repeated = now;
        }
        told
    }
}

impl Engine {
    /// Routes told a page: from now on they wait for somebody to take it.
    pub(super) fn wait_for_taker(&mut self, page: &Page, routes: &BTreeSet<String>) {
        let (now, key) = (self.now(), Incident::key(page.incident));
        let insist = |name: &&String| self.route(name).is_some_and(Route::insists);
        let insisting: Vec<String> = routes.iter().filter(insist).cloned().collect();
        let Some(slot) = self.incidents.find(key).filter(|_| !self.policy.shadow) else { return };
        let before = self.incidents.change(slot).untaken.take();
        if insisting.is_empty() && before.is_none() {
            return;
        }
        let fresh = || Untaken { page: page.clone(), routes: [].into(), reminded: [].into(), next: Timestamp::MAX };
        let mut waits = before.map_or_else(fresh, |before| Untaken { page: page.clone(), ..*before });
        waits.routes.extend(insisting.into_iter().map(|name| (name, Patience::begin(now))));
        self.wait_on(page.incident, waits);
    }

    /// Sets when to look again.
    fn wait_on(&mut self, id: IncidentId, mut waits: Untaken) {
        let next = waits.routes.iter().filter_map(|(name, patience)| patience.next(self.route(name)?));
        waits.next = next.min().unwrap_or(Timestamp::MAX);
        if waits.next < Timestamp::MAX {
            self.timers.set(waits.next, Due::Remind, Incident::key(id));
        }
        if let Some(incident) = self.incident_mut(id) {
            incident.untaken = Some(Box::new(waits));
        }
    }

    /// Nobody may have taken an incident for too long.
    pub(super) fn remind_due(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let now = self.now();
        let Some(slot) = self.incidents.find(whom) else { return };
        let incident = self.incidents.at(slot);
        if !incident.open || incident.untaken.as_ref().is_none_or(|waits| waits.next > now) {
            return;
        }
        let Some(mut waits) = self.incidents.change(slot).untaken.take() else { return };
        let since = waits.routes.values().map(|patience| patience.since).min().unwrap_or(now);
        waits.routes.retain(|name, _| self.route(name).is_some());
        let mut told: BTreeSet<String> = BTreeSet::new();
        for (name, patience) in &mut waits.routes {
            if let Some(route) = self.route(name) {
                told.extend(patience.due(route, now).into_iter().cloned());
            }
        }
        self.remind(&mut waits, (since, told), turn);
        let id = waits.page.incident;
        self.wait_on(id, *waits);
    }

    fn remind(&mut self, waits: &mut Untaken, (since, names): (Timestamp, BTreeSet<String>), turn: &mut Turn) {
        let (now, id) = (self.now(), waits.page.incident);
        if names.is_empty() {
            return;
        }
        let people: BTreeSet<String> = names.iter().map(|name| self.policy.on_call(name, now).to_owned()).collect();
        for receiver in &people {
            if let Some(&step) = waits.reminded.get(receiver) {
                self.delivered(&NotificationKey { incident: id, step, receiver: receiver.clone() });
            }
        }
        let Some(incident) = self.incident_mut(id) else { return };
        let text = format!("nobody has taken it for {}: told to {}", span(now.since(since)), listed(people.iter()));
        incident.tell(now, text);
        incident.concerns.extend(names);
        incident.told.extend(people.iter().cloned());
        let step = incident.step + 1;
        waits.reminded.extend(people.iter().map(|receiver| (receiver.clone(), step)));
        let reminder = Reminder { ts: now, since, page: waits.page.clone() };
        self.owe(id, &people, &Content::Reminder(Box::new(reminder)), turn);
    }

    /// An incident is back that nobody had taken: everybody has their time again.
    pub(super) fn wait_again(&mut self, id: IncidentId) {
        let now = self.now();
        let Some(mut waits) = self.incident_mut(id).and_then(|incident| incident.untaken.take()) else { return };
        for patience in waits.routes.values_mut() {
            *patience = Patience::begin(now);
        }
        self.wait_on(id, *waits);
    }

    /// New routes: what follows may come earlier or later by them.
    pub(super) fn wait_by_new_routes(&mut self) {
        let waiting = self.incidents.rows().filter(|(_, row)| row.open && row.untaken.is_some());
        let mut waiting: Vec<IncidentId> = waiting.map(|(_, row)| row.id()).collect();
        waiting.sort_unstable();
        for id in waiting {
            if let Some(waits) = self.incident_mut(id).and_then(|incident| incident.untaken.take()) {
                self.wait_on(id, *waits);
            }
        }
    }
}
