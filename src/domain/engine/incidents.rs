//! Incidents: what a surge opens, joins or worsens.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
use super::kinship::Tie;
use super::verdicts::Fate;
use crate::domain::component::Component;
use crate::domain::decision::{Decision, IncidentId, IncidentSummary, Notice, NoticeAction, Origin, PageAction};
use crate::domain::explain::Candidate;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::{Incident, Witnesses};
use crate::domain::level::Level;
use crate::domain::reason::Reason;
use crate::domain::series::Series;
use crate::domain::signal::{Kind, Severity};
use crate::domain::table::Slot;
use crate::domain::timers::Due;
use crate::domain::turn::Turn;

/// Series with at least this share of the loudest one's fresh bits make the surge.
pub(super) const SHARE: f64 = 0.5;

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
    pub(super) origin: (Origin, Vec<Candidate>),
    /// The worst severity among the makers.
    pub(super) severity: Severity,
    /// The kinds of the makers, and of all that are not faint.
    pub(super) kinds: (BTreeSet<Kind>, BTreeSet<Kind>),
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
        if !series.paged {
            return None;
        }
        let components = self.known_components(slot).into_iter().flatten();
        components.filter_map(|component| self.components.at(component).incident).find(|&id| {
            self.incident(id).is_some_and(|incident| incident.open && incident.members.contains(&series.fingerprint))
        })
    }

    /// The open incident that events of a series join: one that its component surged into, or where it surprised,
    /// not longer ago than an origin is remembered.
    pub(super) fn open_incident_of(&self, slot: Slot) -> Option<IncidentId> {
        let remember = self.policy.judgement.remember;
        let recently =
            |incident: &Incident| incident.open && self.now().since(incident.surged.max(incident.alive)) <= remember;
        let components = self.known_components(slot).into_iter().flatten();
        self.member_of(slot).or_else(|| {
            components
                .filter_map(|c| self.components.at(c).incident)
                .find(|&id| self.incident(id).is_some_and(recently))
        })
    }

    /// A component surges: it opens an incident, joins one, or makes one worse.
    pub(super) fn surge(&mut self, component: Slot, focus: Option<Slot>, reason: Reason, turn: &mut Turn) {
        let now = self.now();
        let row = self.components.change(component);
        (row.armed, row.last_loud) = (false, Some(now));
        let surge = self.work_out(component, focus, reason);
        match self.find_incident(&surge) {
            Some((id, reason, tie)) => self.join(id, &surge, (reason, tie), turn),
            None => self.open_or_escalate(&surge, turn),
        }
        self.note_company(component);
    }

    /// A surge that people do not know of: it makes an incident worse, or opens one, if people bear that.
    fn open_or_escalate(&mut self, surge: &Surge, turn: &mut Turn) {
        let worsened = self.worsened(surge);
        match worsened {
            _ if self.withheld_by_budget(surge, turn) => {}
            Some(id) => self.escalate(id, surge, turn),
            None => self.open(surge, turn),
        }
    }

    fn work_out(&self, component: Slot, focus: Option<Slot>, reason: Reason) -> Surge {
        let judgement = &self.policy.judgement;
        let row = self.components.at(component);
        let mut fresh: Vec<(Slot, f64)> = row
            .fresh(self.now(), judgement)
            .filter_map(|(slot, bits)| slot.map(|slot| (slot, bits)))
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

    /// Whether what a series does now is part of a trouble that people were told of: then it teaches nothing about
    /// what is ordinary.
    pub(super) fn learning_frozen(&self, slot: Slot) -> bool {
        let (now, judgement) = (self.now(), &self.policy.judgement);
        self.member_of(slot).and_then(|id| self.incident(id)).is_some_and(|incident| {
            now.since(incident.surged) <= judgement.frozen
                && now.since(incident.summary.opened) <= judgement.frozen_most
        })
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
        let members: Vec<(Fingerprint, Level)> =
            surge.makers().map(|slot| self.series.at(slot)).map(|series| (series.fingerprint, series.level)).collect();
        self.name_parts(id, surge);
        self.note_sum(surge);
        if let Some(incident) = self.incident_mut(id) {
            (incident.surged, incident.alive) = (now, now);
            incident.components.insert(fingerprint);
            incident.kinds.extend(&surge.kinds.1);
            let room = Incident::MOST.saturating_sub(incident.members.len());
            let members = members.into_iter().take(room);
            incident.members.extend(members.clone().map(|(member, _)| member));
            incident.critical.extend(members.filter(|(_, level)| *level == Level::Critical).map(|(member, _)| member));
            incident.calm_at = None;
            incident.summary.severity = incident.summary.severity.max(surge.severity);
        }
        for slot in surge.makers() {
            self.series.at_mut(slot).paged = true;
        }
        for (slot, _) in &surge.fresh {
            self.link(*slot, id);
            self.decide_waiting(*slot, Fate::new(verdict, Some(id)), turn);
        }
        self.watch_end(id);
    }

    /// The numbers of a surge become those of its series: what they came to together, and what was asked.
    fn note_sum(&mut self, surge: &Surge) {
        let (meter, threshold) = (self.components.at(surge.component).meter, self.policy.judgement.threshold());
        for (slot, _) in &surge.fresh {
            self.series.change(*slot).evidence.change(|evidence| {
                (evidence.component_bits, evidence.threshold) = (Some(meter as f32), Some(threshold as f32));
            });
        }
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

    fn join(&mut self, id: IncidentId, surge: &Surge, (reason, tie): (Reason, Option<Tie>), turn: &mut Turn) {
        let Some(incident) = self.incident(id) else { return };
        let opened = incident.summary.opened;
        // Within the join window of its opening people are looking at it already.
        let known = self.now().since(opened) <= self.policy.judgement.join_window;
        let worse = !known && surge.severity == Severity::Critical && incident.paged_as < Severity::Critical;
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
            let text = self.joined_sentence(surge, reason, tie.as_ref());
            self.notify(id, NoticeAction::Update, text, turn);
        }
        self.tell_latecomers(id, surge, turn);
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
        self.known.insert(origin.service.as_deref().map(Arc::from), id);
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
            critical: BTreeSet::new(),
            witnesses: Witnesses::default(),
            joined: BTreeSet::new(),
            events: Vec::new(),
            calm_at: None,
            paged_as: surge.severity,
            step: 0,
            told: BTreeSet::new(),
            concerns: BTreeSet::new(),
            later: None,
            untaken: None,
            origins,
            suspects: self.suspects_of(surge),
        });
        self.take_in(id, surge, surge.reason, turn);
        self.page(id, surge, PageAction::Open, turn);
    }

    /// A component turned from one incident to another, so that what ends there is no longer told to the first: its
    /// end is looked for instead.
    pub(super) fn look_at_end(&mut self, id: IncidentId) {
        let at = self.now().after(self.policy.judgement.resolve_after);
        let Some(incident) = self.incident_mut(id).filter(|incident| incident.open) else { return };
        incident.calm_at = Some(at);
        self.timers.set(at, Due::Calm, Incident::key(id));
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
}
