//! The audience: whom a page concerns, and when they are told.
//!
//! An alert is routed by itself; an incident is not. Its page goes to the receivers of every alert that made it page,
//! and of the alert that its most likely origin is, each receiver once: nobody whose alert it is depends on Squelch's
//! guess of who caused it. Routes that name the origin (by service, host or check) tell, too, where the origin has
//! no alert of its own. Later, when something surges that people know of already, nobody is interrupted again, except
//! receivers whom nothing of the incident concerned before: for them it is news.
//!
//! A route that is kept by an interval takes the page and tells it when the interval is over, if the incident is still
//! open then and nobody has taken it. Nothing else takes the page in its place, as in Alertmanager; that it waits stands in the
//! incident's timeline.
//!
//! Deliberately no part of the judgement: whatever routes say, the same is decided.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::incidents::Surge;
use super::wording::span;
use crate::domain::decision::{IncidentId, NoticeAction, Origin, Page, PageAction};
use crate::domain::event::Event;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::{Incident, Later};
use crate::domain::notification::Content;
use crate::domain::posting::PostedText;
use crate::domain::route::{self, Looks, Owned, Routable, Route};
use crate::domain::series::{Routed, Seen, Series};
use crate::domain::signal::Severity;
use crate::domain::table::Slot;
use crate::domain::time::Timestamp;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

/// Whom a page concerns.
#[derive(Debug, Default)]
pub(super) struct Audience {
    /// The receivers that are told now.
    pub(super) now: BTreeSet<String>,
    /// Those that are told later, and the name of the route that an interval keeps.
    pub(super) later: BTreeMap<String, String>,
    /// The names of the routes that tell now.
    pub(super) routes: BTreeSet<String>,
}

impl Audience {
    fn of(routes: &[&Route], at: Timestamp) -> Self {
        let (mut now, mut later) = (BTreeSet::new(), BTreeMap::new());
        let telling = routes.iter().filter(|route| route.kept_by(at).is_none()).map(|route| route.name.clone());
        let telling = telling.collect();
        for route in routes {
            for receiver in &route.receivers {
                if route.kept_by(at).is_none() {
                    now.insert(receiver.clone());
                } else {
                    later.entry(receiver.clone()).or_insert_with(|| route.name.clone());
                }
            }
        }
        later.retain(|receiver, _| !now.contains(receiver));
        Self { now, later, routes: telling }
    }

    /// All receivers.
    pub(super) fn all(&self) -> BTreeSet<String> {
        self.now.iter().chain(self.later.keys()).cloned().collect()
    }

    fn is_empty(&self) -> bool {
        self.now.is_empty() && self.later.is_empty()
    }
}

/// An alert that made a page, as routes see it.
struct Member<'a> {
    series: &'a Series,
    severity: Severity,
    seen: Option<&'a Seen>,
}

impl Routable for Member<'_> {
    fn field(&self, name: &str) -> &str {
        let series = &self.series.name;
        match name {
            "service" => series.service.as_deref().unwrap_or_default(),
            "host" => series.host.as_deref().unwrap_or_default(),
            "check" | "alertname" => &series.check,
            "severity" => self.severity.word(),
            _ => self.seen.map_or("", |seen| seen.field(name)),
        }
    }

    fn label(&self, name: &str) -> &str {
        match (self.seen, name) {
            (Some(seen), _) => seen.label(name),
            // What any other tool's alert would have been called.
            (None, "alertname" | "service" | "host" | "severity") => self.field(name),
            (None, _) => "",
        }
    }
}

/// What routes see of a page that is about no alert of its own.
pub(super) fn face(origin: &Origin, severity: Severity) -> Event {
    let mut face = Event::new("squelch", origin.check.clone().unwrap_or_default());
    face.service.clone_from(&origin.service);
    face.host.clone_from(&origin.host);
    face.severity = severity;
    face
}

impl Engine {
    /// Keeps of an alert that is judged what routes look at: it may be over when it pages.
    pub(super) fn note_labels(&mut self, slot: Slot, alert: Fingerprint, event: &Event) {
        if self.looks.0.is_empty() {
            return;
        }
        let posted = event.posted.as_ref().map(|posted| &posted.text);
        let posted = posted.or_else(|| self.postings.get(alert).map(|posting| &posting.text));
        let seen = Seen {
            fields: looked_at(&self.looks.0.fields, |name| event.field(name)),
            labels: looked_at(&self.looks.0.labels, |name| match posted {
                Some(text) => text.label(name),
                None => Routable::label(event, name),
            }),
        };
        self.note_seen(slot, seen);
    }

    fn note_seen(&mut self, slot: Slot, seen: Seen) {
        let names = self.looks.1;
        let series = self.series.at(slot);
        // What fired earlier and does not now is over.
        let alone = series.firing.iter().sum::<u32>() <= 1;
        let before =
            series.routed.as_ref().filter(|routed| routed.names == names).map_or(&[][..], |routed| &routed.seen);
        if if alone { before == [seen.clone()] } else { before.contains(&seen) } {
            return;
        }
        let mut all = if alone { Vec::new() } else { before.to_vec() };
        all.push(seen);
        if all.len() > Routed::MOST {
            all.remove(0);
        }
        self.series.change(slot).routed = Some(Box::new(Routed { names, seen: all }));
    }

    /// The routes are others: what fires is looked at again, as it was posted.
    pub(super) fn look_again(&mut self) {
        let looks = Looks::of(&self.policy.routes);
        let names = looks.fingerprint();
        self.looks = (looks, names);
        if self.looks.0.is_empty() {
            return;
        }
        let mut posted: Vec<(Fingerprint, Slot, PostedText)> = Vec::new();
        for (_, posting) in self.postings.rows() {
            let alert = self.alerts.get(posting.alert).filter(|alert| alert.mute.is_none());
            let series = alert.and_then(|alert| self.series_of_alert(alert));
            let stale = |slot: &Slot| self.series.at(*slot).routed.as_ref().is_none_or(|routed| routed.names != names);
            posted.extend(series.filter(stale).map(|slot| (posting.alert, slot, posting.text.clone())));
        }
        posted.sort_by_key(|(alert, ..)| *alert);
        for &(_, slot, _) in &posted {
            self.series.change(slot).routed = Some(Box::new(Routed { names, seen: Vec::new() }));
        }
        for (_, slot, text) in posted {
            let looks = &self.looks.0;
            let seen = Seen {
                fields: looked_at(&looks.fields, |name| text.field(name)),
                labels: looked_at(&looks.labels, |name| text.label(name)),
            };
            if let Some(routed) = &mut self.series.change(slot).routed
                && !routed.seen.contains(&seen)
                && routed.seen.len() < Routed::MOST
            {
                routed.seen.push(seen);
            }
        }
    }

    /// Whom the page of a surge concerns.
    pub(super) fn audience(&self, surge: &Surge) -> Audience {
        let (origin, severity) = (&surge.origin.0, surge.severity);
        let mut routes = Vec::new();
        for slot in surge.makers().chain(self.series_of_origin(origin)) {
            self.routes_of(slot, severity, &mut routes);
        }
        let face = face(origin, severity);
        let nobody = routes.is_empty();
        let owned = Owned(&face, &self.policy.owners);
        let named = route::find_naming(&self.policy.routes, &owned).into_iter();
        routes.extend(named.filter(|(_, names)| *names || nobody).map(|(route, _)| route));
        Audience::of(&routes, self.now())
    }

    /// The routes of the alerts of a series.
    fn routes_of<'r>(&'r self, slot: Slot, severity: Severity, routes: &mut Vec<&'r Route>) {
        let series = self.series.at(slot);
        let seen = series.routed.as_ref().map_or(&[][..], |routed| &routed.seen);
        let seen = seen.iter().map(Some).chain(seen.is_empty().then_some(None));
        routes.extend(seen.flat_map(|seen| self.policy.routes_of(&Member { series, severity, seen })));
    }

    /// The series that an origin is, while something is wrong with it.
    fn series_of_origin(&self, origin: &Origin) -> Vec<Slot> {
        let named = [("service", &origin.service), ("host", &origin.host)];
        let parts = named.into_iter().filter_map(|(part, name)| Some(Fingerprint::of(&[part, name.as_deref()?])));
        let components = parts.filter_map(|part| self.components.get(part));
        let is_it = |series: &Series| {
            let name = &series.name;
            series.troubled()
                && Some(&*name.check) == origin.check.as_deref()
                && name.service.as_deref() == origin.service.as_deref()
                && name.host.as_deref() == origin.host.as_deref()
        };
        let loud = components.flat_map(|component| component.loud.iter().filter_map(|loud| loud.slot));
        let mut found: Vec<Slot> = loud.filter(|slot| is_it(self.series.at(*slot))).collect();
        found.dedup();
        found
    }

    /// Owes a page to whom it concerns.
    pub(super) fn owe_page(&mut self, page: Page, audience: Audience, turn: &mut Turn) {
        let (id, now) = (page.incident, self.now());
        let people = audience.now.iter().map(|name| self.policy.on_call(name, now).to_owned());
        let people: BTreeSet<String> = people.filter(|_| !self.policy.shadow).collect();
        if self.policy.shadow {
            self.keep_page(page.clone(), &audience);
        }
        self.wait_for_taker(&page, &audience.routes);
        let Some(incident) = self.incident_mut(id) else { return };
        incident.concerns.extend(audience.all());
        incident.told.extend(people.iter().cloned());
        if let Some(later) = &mut incident.later {
            later.receivers.retain(|receiver, _| !audience.now.contains(receiver));
        }
        self.owe(id, &people, &Content::Page(Box::new(page.clone())), turn);
        self.keep_for_later(page, audience.later, turn);
    }

    /// Those whom nothing of an incident concerned before are told of it, whatever others know.
    pub(super) fn tell_latecomers(&mut self, id: IncidentId, surge: &Surge, turn: &mut Turn) {
        let mut audience = self.audience(surge);
        let Some(incident) = self.incident(id) else { return };
        audience.now.retain(|receiver| !incident.concerns.contains(receiver));
        audience.later.retain(|receiver, _| !incident.concerns.contains(receiver));
        let tells =
            |name: &String| self.route(name).is_some_and(|r| r.receivers.iter().any(|to| audience.now.contains(to)));
        audience.routes.retain(tells);
        if audience.is_empty() {
            return;
        }
        let page = self.compose_page(id, surge, PageAction::Open);
        if !audience.now.is_empty() {
            let (now, names) = (self.now(), listed(audience.now.iter()));
            if let Some(incident) = self.incident_mut(id) {
                incident.tell(now, format!("told to {names}, too: an alert of theirs is part of it"));
            }
        }
        self.owe_page(page, audience, turn);
    }

    /// A page waits until routes may tell it.
    fn keep_for_later(&mut self, page: Page, receivers: BTreeMap<String, String>, turn: &mut Turn) {
        if receivers.is_empty() {
            return;
        }
        let (now, id) = (self.now(), page.incident);
        let waits: Vec<_> = receivers.iter().filter_map(|(to, name)| Some((to, self.route(name)?))).collect();
        let reason = |(to, route): &(&String, &Route)| {
            let from = route.tells_from(now);
            let by = route.kept_by(now).unwrap_or_default();
            format!("{to} for {} (interval {by}, route {})", span(from.since(now)), route.name)
        };
        let text = format!("kept from {}", listed(waits.iter().map(reason)));
        let until = waits.iter().map(|(_, route)| route.tells_from(now)).min().unwrap_or(now);
        if let Some(incident) = self.incident_mut(id) {
            let before = incident.later.take().map(|later| later.receivers).unwrap_or_default();
            let receivers = before.into_iter().chain(receivers).collect();
            incident.later = Some(Box::new(Later { page, receivers, until }));
            self.timers.set(until, Due::Later, Incident::key(id));
        }
        self.notify(id, NoticeAction::Withheld, text, turn);
    }

    pub(super) fn route(&self, name: &str) -> Option<&Route> {
        route::all(&self.policy.routes).find(|route| route.name == name)
    }

    /// Routes may tell a page that waited.
    pub(super) fn later_due(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let now = self.now();
        let Some(slot) = self.incidents.find(whom) else { return };
        let incident = self.incidents.at(slot);
        // While it is over it waits on: it may come back.
        if !incident.open || incident.later.as_ref().is_none_or(|later| later.until > now) {
            return;
        }
        let taken = incident.summary.acknowledged.is_some();
        let Some(later) = self.incidents.change(slot).later.take() else { return };
        if taken {
            let text = format!("not told to {} after all: somebody has taken it", listed(later.receivers.keys()));
            return self.incidents.change(slot).tell(now, text);
        }
        let mut audience = Audience::default();
        for (receiver, name) in later.receivers {
            match self.route(&name) {
                Some(route) if route.kept_by(now).is_some() => drop(audience.later.insert(receiver, name)),
                _ => {
                    audience.now.insert(receiver);
                    audience.routes.insert(name);
                }
            }
        }
        self.still_known(&mut audience.now, &later.page);
        if !audience.now.is_empty() {
            let text = format!("told to {} now", listed(audience.now.iter()));
            self.incidents.change(slot).tell(now, text);
        }
        self.owe_page(later.page, audience, turn);
    }

    /// Receivers that are gone by now are replaced by those of the rules in force.
    pub(super) fn still_known(&self, receivers: &mut BTreeSet<String>, page: &Page) {
        let known =
            |name: &String| route::all(&self.policy.routes).any(|route| route.all_receivers().any(|to| to == name));
        if receivers.iter().all(known) {
            return;
        }
        receivers.retain(known);
        let routes = self.policy.routes_of(&face(&page.origin, page.severity));
        receivers.extend(routes.into_iter().flat_map(|route| route.receivers.clone()));
    }

    /// Looks at the pages that wait when the routes are others, or when an incident comes back.
    pub(super) fn wake_later(&mut self, id: IncidentId) {
        let now = self.now();
        let Some(slot) = self.incidents.find(Incident::key(id)) else { return };
        if self.incidents.at(slot).later.is_some()
            && let Some(later) = &mut self.incidents.change(slot).later
        {
            later.until = now;
            self.timers.set(now, Due::Later, Incident::key(id));
        }
    }

    /// New routes: pages that wait may be told by them.
    pub(super) fn follow_routes(&mut self) {
        self.look_again();
        let mut waiting: Vec<IncidentId> =
            self.incidents.rows().filter(|(_, row)| row.open && row.later.is_some()).map(|(_, row)| row.id()).collect();
        waiting.sort_unstable();
        for id in waiting {
            self.wake_later(id);
        }
        self.wait_by_new_routes();
    }
}

fn looked_at<'a>(names: &BTreeSet<String>, value: impl Fn(&str) -> &'a str) -> Vec<(String, String)> {
    let pairs = names.iter().map(|name| (name.clone(), value(name).to_owned()));
    pairs.filter(|(_, value)| !value.is_empty()).collect()
}

/// `a, b and c`
pub(super) fn listed(items: impl Iterator<Item = impl ToString>) -> String {
    let mut items: Vec<String> = items.map(|item| item.to_string()).collect();
    let last = items.pop().unwrap_or_default();
    if items.is_empty() { last } else { format!("{} and {last}", items.join(", ")) }
}
