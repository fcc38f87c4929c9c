//! Incidents: what a surge opens, joins or worsens, and how they end.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
use super::verdicts::Fate;
use crate::domain::component::{Component, Part};
use crate::domain::decision::{Decision, IncidentId, IncidentSummary, Notice, NoticeAction, Origin, Page, PageAction};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::Incident;
use crate::domain::reason::Reason;
use crate::domain::series::Series;
use crate::domain::signal::{Kind, Severity};
use crate::domain::table::Slot;
use crate::domain::time::Timestamp;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

/// Series with at least this share of the loudest one's fresh bits make the surge.
const SHARE: f64 = 0.5;

/// A surge of a component, worked out.
pub(super) struct Surge {
    /// The component.
    pub(super) component: Slot,
    /// Why it pages, if it does.
    pub(super) reason: Reason,
    /// All its loud series with their fresh bits, loudest first.
    pub(super) fresh: Vec<(Slot, f64)>,
    /// How many of these make the surge; the others are faint.
    pub(super) makers: usize,
    /// The most likely origin, and the candidates.
    pub(super) origin: (Origin, Vec<(String, f32)>),
    /// The worst severity among the makers.
    pub(super) severity: Severity,
    /// The kinds of the makers, and of all that are not faint.
    kinds: (BTreeSet<Kind>, BTreeSet<Kind>),
}

impl Surge {
    /// The series that make the surge.
    pub(super) fn makers(&self) -> impl Iterator<Item = Slot> {
        self.fresh[..self.makers].iter().map(|(slot, _)| *slot)
    }
}

impl Engine {
    /// An incident that is remembered.
    pub(super) fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.incidents.get(Incident::key(id))
    }

    pub(super) fn incident_mut(&mut self, id: IncidentId) -> Option<&mut Incident> {
        self.incidents.find(Incident::key(id)).map(|slot| self.incidents.change(slot))
    }

    /// The incident that a series made page, while it is open.
    pub(super) fn member_of(&self, slot: Slot) -> Option<IncidentId> {
        let series = self.series.at(slot);
        let components = series.components.iter().flatten().filter_map(|&c| self.components.get(c));
        components.filter_map(|component| component.incident).find(|&id| {
            self.incident(id).is_some_and(|incident| incident.open && incident.members.contains(&series.fingerprint))
        })
    }

    /// The open incident that events of a series join: one that its component surged into, or where it surprised,
    /// not longer ago than an origin is remembered.
    pub(super) fn open_incident_of(&self, slot: Slot) -> Option<IncidentId> {
        let remember = self.policy.judgement.remember;
        let recently =
            |incident: &Incident| incident.open && self.now().since(incident.surged.max(incident.alive)) <= remember;
        let components = self.series.at(slot).components;
        let components = components.into_iter().flatten().filter_map(|c| self.components.get(c));
        self.member_of(slot)
            .or_else(|| components.filter_map(|c| c.incident).find(|&id| self.incident(id).is_some_and(recently)))
    }

    /// A component surges: it opens an incident, joins one, or makes one worse.
    pub(super) fn surge(&mut self, component: Slot, focus: Option<Slot>, reason: Reason, turn: &mut Turn) {
        let now = self.now();
        let row = self.components.change(component);
        (row.armed, row.last_loud) = (false, Some(now));
        let surge = self.work_out(component, focus, reason);
        match self.find_incident(&surge) {
            Some((id, reason)) => self.join(id, &surge, reason, turn),
            None => match self.worsened(&surge) {
                Some(id) => self.escalate(id, &surge, turn),
                None => self.open(&surge, turn),
            },
        }
    }

    fn work_out(&self, component: Slot, focus: Option<Slot>, reason: Reason) -> Surge {
        let judgement = &self.policy.judgement;
        let row = self.components.at(component);
        let mut fresh: Vec<(Slot, f64)> = row
            .fresh(self.now(), judgement)
            .filter_map(|(series, bits, _)| self.series.find(series).map(|slot| (slot, bits)))
            .filter(|(slot, _)| focus != Some(*slot))
            .collect();
        let name = |slot: Slot| &self.series.at(slot).name.full;
        fresh.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| name(a.0).cmp(name(b.0))));
        let top = fresh.first().map_or(0.0, |(_, bits)| *bits);
        let mut makers = fresh.iter().take_while(|(_, bits)| *bits > 0.0 && *bits >= SHARE * top).count();
        if let Some(focus) = focus {
            fresh.insert(0, (focus, self.series.at(focus).fresh().max(top)));
            makers = 1;
        }
        let makes = |n: usize| fresh[..n].iter().map(|(slot, _)| self.series.at(*slot));
        let known = judgement.alive.min(top / 2.0);
        let heard = fresh.iter().take_while(|(_, bits)| *bits >= known).count().max(makers);
        Surge {
            component,
            reason,
            makers,
            origin: self.origin(component),
            severity: makes(makers).filter_map(Series::severity).max().unwrap_or(Severity::Warning),
            kinds: (makes(makers).map(|s| s.name.kind).collect(), makes(heard).map(|s| s.name.kind).collect()),
            fresh,
        }
    }

    /// The incident that a surge joins without a page.
    fn find_incident(&self, surge: &Surge) -> Option<(IncidentId, Reason)> {
        let (now, judgement) = (self.now(), &self.policy.judgement);
        let component = self.components.at(surge.component);
        let own = component.incident.and_then(|id| self.incident(id));
        if let Some(own) = own.filter(|own| now.since(own.surged) <= judgement.join_window) {
            return Some((own.id(), Reason::OpenIncident));
        }
        if let Some(id) = self.young_relative(component) {
            return Some((id, Reason::Related));
        }
        if let Some(id) = self.told_already(surge) {
            return Some((id, Reason::OpenIncident));
        }
        let known = self.known.get(&surge.origin.0.service).and_then(|&id| self.incident(id))?;
        let nothing_new = surge.severity < Severity::Critical && surge.kinds.0.is_subset(&known.kinds);
        let remembered = now.since(known.alive) <= judgement.remember;
        let quiet = surge.reason != Reason::Outlived && surge.reason != Reason::Always;
        (quiet && remembered && nothing_new).then(|| (known.id(), Reason::SameOrigin))
    }

    /// The open incident that all series of a surge made page already, with nothing fresh since.
    fn told_already(&self, surge: &Surge) -> Option<IncidentId> {
        let id = surge.makers().next().and_then(|slot| self.member_of(slot))?;
        let incident = self.incident(id)?;
        let told = |slot: Slot| {
            let series = self.series.at(slot);
            incident.members.contains(&series.fingerprint) && series.slow.1 <= incident.surged
        };
        (surge.severity <= incident.summary.severity && surge.makers().all(told)).then_some(id)
    }

    /// The incident that a surge which pages makes worse, instead of opening one of its own: the one that its
    /// loudest series belongs to, or the one of the same origin while it is remembered.
    fn worsened(&self, surge: &Surge) -> Option<IncidentId> {
        let remember = self.policy.judgement.remember;
        let own = surge.makers().next().and_then(|slot| self.member_of(slot)).and_then(|id| self.incident(id));
        let known = self.known.get(&surge.origin.0.service).and_then(|&id| self.incident(id));
        let known = known.filter(|known| known.open && self.now().since(known.alive) <= remember);
        own.or(known).filter(|incident| surge.severity > incident.summary.severity).map(Incident::id)
    }

    /// The latest incident, opened within the join window, that a component has to do with. In a storm of
    /// incidents only the latest are looked at.
    fn young_relative(&self, component: &Component) -> Option<IncidentId> {
        const LOOKED_AT: u64 = 64;
        let (now, window) = (self.now(), self.policy.judgement.join_window);
        let latest = self.ledger.at(self.book).incidents;
        let services = self.services_about(component);
        let ids = (latest.saturating_sub(LOOKED_AT) + 1..=latest).rev().map(IncidentId);
        ids.filter_map(|id| self.incident(id))
            .take_while(|incident| now.since(incident.summary.opened) <= window)
            .find(|incident| {
                let others = incident.components.iter().filter_map(|&other| self.components.get(other));
                others.into_iter().any(|other| self.near(component, &services, other))
            })
            .map(Incident::id)
    }

    /// Whether two components have to do with each other: the same one, a service or a series in common, one calls
    /// the other (directly or not), or one service calls both.
    fn near(&self, a: &Component, of_a: &BTreeSet<Arc<str>>, b: &Component) -> bool {
        if a.fingerprint == b.fingerprint {
            return true;
        }
        let of_b = self.services_about(b);
        if !of_a.is_disjoint(&of_b) || a.shares_series(b) {
            return true;
        }
        let graph = &self.policy.topology;
        if graph.is_empty() {
            return false;
        }
        let and_callers =
            |name: &Arc<str>| -> BTreeSet<String> { graph.callers(name).chain([&**name]).map(str::to_owned).collect() };
        let related = |x: &Arc<str>, y: &Arc<str>| {
            graph.is_below(x, y) || graph.is_below(y, x) || !and_callers(x).is_disjoint(&and_callers(y))
        };
        of_a.iter().any(|x| of_b.iter().any(|y| related(x, y)))
    }

    /// A surge becomes part of an incident: the bookkeeping that joining, opening and escalating share.
    fn take_in(&mut self, id: IncidentId, surge: &Surge, verdict: Reason, turn: &mut Turn) {
        let now = self.now();
        let component = self.components.change(surge.component);
        let before = component.incident.replace(id).filter(|&before| before != id);
        let fingerprint = component.fingerprint;
        if let Some(before) = before {
            self.look_at_end(before);
        }
        let members: Vec<Fingerprint> = surge.makers().map(|slot| self.series.at(slot).fingerprint).collect();
        self.name_parts(id, surge);
        if let Some(incident) = self.incident_mut(id) {
            (incident.surged, incident.alive) = (now, now);
            incident.components.insert(fingerprint);
            incident.kinds.extend(&surge.kinds.1);
            let room = Incident::MOST.saturating_sub(incident.members.len());
            incident.members.extend(members.into_iter().take(room));
            incident.calm_at = None;
            incident.summary.severity = incident.summary.severity.max(surge.severity);
        }
        for (slot, _) in &surge.fresh {
            self.link(*slot, id);
            self.decide_waiting(*slot, Fate::new(verdict, Some(id)), turn);
        }
        self.watch_end(id);
    }

    /// The other component of a member belongs to the incident, too, unless it has an open one of its own.
    fn link(&mut self, slot: Slot, id: IncidentId) {
        for component in self.components_of(slot).into_iter().flatten() {
            let current = self.components.at(component).incident;
            if !current.is_some_and(|id| self.incident(id).is_some_and(|incident| incident.open)) {
                self.components.change(component).incident = Some(id);
            }
        }
    }

    /// Adds the names of a surge's series to its incident.
    fn name_parts(&mut self, id: IncidentId, surge: &Surge) {
        let names: Vec<_> = surge.makers().map(|slot| self.series.at(slot).name.clone()).collect();
        let Some(incident) = self.incident_mut(id) else { return };
        let add = |list: &mut Vec<String>, name: Option<&Arc<str>>| {
            if let Some(name) = name
                && list.len() < Component::SERVICES
                && !list.iter().any(|known| known == &**name)
            {
                list.push(name.to_string());
            }
        };
        for name in names {
            add(&mut incident.summary.services, name.service.as_ref());
            add(&mut incident.summary.hosts, name.host.as_ref());
            add(&mut incident.summary.checks, Some(&name.check));
        }
    }

    fn join(&mut self, id: IncidentId, surge: &Surge, reason: Reason, turn: &mut Turn) {
        let Some(incident) = self.incident(id) else { return };
        let opened = incident.summary.opened;
        // Within the join window of its opening people are looking at it already.
        let known = self.now().since(opened) <= self.policy.judgement.join_window;
        let worse = !known && surge.severity == Severity::Critical && incident.summary.severity < Severity::Critical;
        // The other component of the same series surges in the same moment: that is no news.
        let news = surge.makers().any(|slot| !incident.members.contains(&self.series.at(slot).fingerprint));
        let component = self.components.change(surge.component);
        component.paged = component.paged.max(Some(opened));
        self.reopen(id, turn);
        self.take_in(id, surge, reason, turn);
        if worse {
            return self.page(id, surge, PageAction::Escalate, turn);
        }
        if news {
            let text = self.joined_sentence(surge, reason);
            self.notify(id, NoticeAction::Update, text, turn);
        }
    }

    fn escalate(&mut self, id: IncidentId, surge: &Surge, turn: &mut Turn) {
        let now = self.now();
        self.components.change(surge.component).paged = Some(now);
        self.take_in(id, surge, surge.reason, turn);
        self.page(id, surge, PageAction::Escalate, turn);
    }

    fn open(&mut self, surge: &Surge, turn: &mut Turn) {
        let now = self.now();
        self.components.change(surge.component).paged = Some(now);
        let book = self.ledger.change(self.book);
        book.incidents += 1;
        let id = IncidentId(book.incidents);
        let (origin, origins) = surge.origin.clone();
        self.known.insert(origin.service.clone(), id);
        self.incidents.insert(Incident {
            summary: IncidentSummary {
                incident: id,
                opened: now,
                paged: Some(now),
                resolved: None,
                acknowledged: None,
                severity: surge.severity,
                title: self.title(surge),
                services: origin.service.iter().cloned().collect(),
                hosts: origin.host.iter().cloned().collect(),
                checks: origin.check.iter().cloned().collect(),
                origin,
                alerts: 0,
                moments: Vec::new(),
            },
            open: true,
            surged: now,
            alive: now,
            components: BTreeSet::new(),
            kinds: BTreeSet::new(),
            members: BTreeSet::new(),
            joined: BTreeSet::new(),
            events: Vec::new(),
            calm_at: None,
            step: 0,
            told: BTreeSet::new(),
            origins,
            suspects: self.suspects_of(surge),
        });
        self.take_in(id, surge, surge.reason, turn);
        self.page(id, surge, PageAction::Open, turn);
    }

    /// Interrupts a person.
    fn page(&mut self, id: IncidentId, surge: &Surge, action: PageAction, turn: &mut Turn) {
        let now = self.now();
        let held_before = surge.fresh.iter().map(|(slot, _)| std::mem::take(&mut self.series.change(*slot).held)).sum();
        let (services, hosts) = self.named(surge);
        let title = self.title(surge);
        let why = self.page_sentence(surge);
        let text = surge.makers().filter_map(|slot| self.series.at(slot).text.clone()).collect::<Vec<_>>();
        let evidence =
            surge.fresh.iter().take(6).map(|(slot, bits)| (self.series.at(*slot).name.full.to_string(), *bits as f32));
        let evidence = evidence.collect();
        let suspects = self.suspects_of(surge);
        let book = self.ledger.change(self.book);
        match action {
            PageAction::Open => book.pages.0 += 1,
            PageAction::Escalate => book.pages.1 += 1,
        }
        let Some(incident) = self.incident_mut(id) else { return };
        incident.summary.severity = incident.summary.severity.max(surge.severity);
        incident.summary.paged.get_or_insert(now);
        incident.origins.clone_from(&surge.origin.1);
        incident.tell(now, format!("paged ({action}): {title}; {why}"));
        let page = Page {
            ts: now,
            incident: id,
            action,
            severity: surge.severity,
            title,
            services,
            hosts,
            origin: surge.origin.0.clone(),
            alerts: incident.events.clone(),
            held_before,
            reason: surge.reason,
            why,
            evidence,
            suspects,
            url: text.iter().find_map(|text| text.url.as_deref().map(str::to_owned)),
            runbook_url: text.iter().find_map(|text| text.runbook_url.as_deref().map(str::to_owned)),
        };
        turn.decisions.push(Decision::Page(Box::new(page.clone())));
        self.owe_page(page, turn);
    }

    /// The services and hosts that a page names, the most likely origin first.
    fn named(&self, surge: &Surge) -> (Vec<String>, Vec<String>) {
        /// With more services than this on the page, the origin's adds nothing.
        const FEW: usize = 4;
        let component = self.components.at(surge.component);
        let names = || surge.makers().map(|slot| &self.series.at(slot).name);
        let of = |pick: fn(&crate::domain::series::SeriesName) -> Option<&Arc<str>>| -> BTreeSet<String> {
            names().filter_map(pick).map(|name| name.to_string()).collect()
        };
        let mut services = match component.part {
            Part::Service => BTreeSet::from([component.name.to_string()]),
            Part::Host | Part::Check => of(|name| name.service.as_ref()),
        };
        if services.is_empty() {
            services = component.services.iter().map(ToString::to_string).collect();
        }
        let hosts = match component.part {
            Part::Host => BTreeSet::from([component.name.to_string()]),
            Part::Service | Part::Check => of(|name| name.host.as_ref()),
        };
        let origin = &surge.origin.0;
        if services.len() < FEW {
            services.extend(origin.service.clone());
        }
        (origin_first(services, origin.service.as_ref()), origin_first(hosts, origin.host.as_ref()))
    }

    /// The surprises of an origin that paged keep its incident remembered.
    pub(super) fn keep_alive(&mut self, slot: Slot, bits: f64) {
        let (now, judgement) = (self.now(), &self.policy.judgement);
        if bits < judgement.alive || self.known.is_empty() {
            return;
        }
        let remember = judgement.remember;
        let service = self.series.at(slot).name.service.as_ref().map(ToString::to_string);
        if let Some(incident) = self.known.get(&service).copied().and_then(|id| self.incident_mut(id))
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
    fn watch_end(&mut self, id: IncidentId) {
        let Some(incident) = self.incident(id) else { return };
        let on = |member: &Fingerprint| self.series.get(*member).is_some_and(Series::troubled);
        if !incident.open || incident.members.iter().any(on) {
            return;
        }
        let at = self.now().after(self.policy.judgement.resolve_after);
        if let Some(incident) = self.incident_mut(id) {
            incident.calm_at = Some(at);
        }
        self.timers.set(at, Due::Calm, Incident::key(id));
    }

    /// A component turned from one incident to another, so that what ends there is no longer told to the first: its
    /// end is looked for instead.
    fn look_at_end(&mut self, id: IncidentId) {
        let at = self.now().after(self.policy.judgement.resolve_after);
        let Some(incident) = self.incident_mut(id).filter(|incident| incident.open) else { return };
        incident.calm_at = Some(at);
        self.timers.set(at, Due::Calm, Incident::key(id));
    }

    /// An incident may be over: when none of its members came back.
    pub(super) fn calm(&mut self, whom: Fingerprint, turn: &mut Turn) {
        let now = self.now();
        let Some(incident) = self.incidents.get(whom) else { return };
        let on = |member: &Fingerprint| self.series.get(*member).is_some_and(Series::troubled);
        if !incident.open || incident.calm_at != Some(now) {
            return;
        }
        if incident.members.iter().any(on) {
            let id = incident.id();
            let theirs = |&other: &Fingerprint| self.components.get(other).is_some_and(|c| c.incident == Some(id));
            if !incident.components.iter().all(theirs) {
                self.look_at_end(id);
            }
            return;
        }
        let lasted = super::wording::span(now.since(incident.summary.opened));
        let id = incident.id();
        self.close(id, format!("all its alerts are over; it lasted {lasted}"), turn);
    }

    fn close(&mut self, id: IncidentId, text: String, turn: &mut Turn) {
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

    fn reopen(&mut self, id: IncidentId, turn: &mut Turn) {
        let Some(incident) = self.incident_mut(id).filter(|incident| !incident.open) else { return };
        (incident.open, incident.summary.resolved) = (true, None);
        self.closed -= 1;
        self.notify(id, NoticeAction::Reopen, "it is back, and nothing worse than what was paged".to_owned(), turn);
    }

    /// A person has taken an incident.
    pub(super) fn acknowledge(&mut self, id: IncidentId, by: &str, turn: &mut Turn) {
        let now = self.now();
        let Some(incident) = self.incident_mut(id) else { return };
        if incident.summary.acknowledged.is_none() {
            incident.summary.acknowledged = Some(now);
            self.notify(id, NoticeAction::Ack, format!("{by} has taken it"), turn);
        }
    }

    /// A person declares an incident to be over.
    pub(super) fn resolve_by_hand(&mut self, id: IncidentId, by: &str, turn: &mut Turn) {
        if self.incident(id).is_some_and(|incident| incident.open) {
            self.close(id, format!("{by} declared it to be over"), turn);
        }
    }

    /// Tells something about an incident without interrupting.
    pub(super) fn notify(&mut self, id: IncidentId, action: NoticeAction, text: String, turn: &mut Turn) {
        let ts = self.now();
        if let Some(incident) = self.incident_mut(id) {
            incident.tell(ts, format!("{action}: {text}"));
        }
        let notice = Notice { ts, action, incident: Some(id), series: None, text };
        turn.decisions.push(Decision::Notice(Box::new(notice.clone())));
        self.owe_notice(notice, turn);
    }

    /// Closed incidents are kept for a while, so that `why` can tell of them; the oldest go first.
    fn forget_old_incidents(&mut self) {
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
        closed.sort_unstable();
        let surplus = self.closed.saturating_sub(KEPT);
        for id in closed.into_iter().take(surplus) {
            self.incidents.remove(Incident::key(id));
            self.closed -= 1;
        }
        self.find_known();
    }

    /// Works out which incident is the latest of each origin.
    pub(super) fn find_known(&mut self) {
        self.known.clear();
        for (_, incident) in self.incidents.rows() {
            let latest = self.known.entry(incident.summary.origin.service.clone()).or_insert(incident.id());
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

/// Names in order, the origin's first.
fn origin_first(names: BTreeSet<String>, origin: Option<&String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_by_key(|name| Some(name) != origin);
    names
}
