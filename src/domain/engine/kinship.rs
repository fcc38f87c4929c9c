//! Kinship: which incident a surge belongs to, by component, time, origin and the service graph.
//!
//! Deliberately bounded: in a storm of incidents only the latest are looked at, so that no chain of strangers merges.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
use super::incidents::Surge;
use crate::domain::component::Component;
use crate::domain::decision::IncidentId;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::Incident;
use crate::domain::reason::Reason;
use crate::domain::signal::Severity;
use crate::domain::table::Slot;

impl Engine {
    /// The incident that a surge joins without a page.
    pub(super) fn find_incident(&self, surge: &Surge) -> Option<(IncidentId, Reason)> {
        let (now, judgement) = (self.now(), &self.policy.judgement);
        let component = self.components.at(surge.component);
        let own = component.incident.and_then(|id| self.incident(id));
        if let Some(own) = own.filter(|own| now.since(own.surged) <= judgement.join_window) {
            return Some((own.id(), Reason::OpenIncident));
        }
        if let Some(id) = self.young_relative(component) {
            return Some((id, Reason::Related));
        }
        if let Some(id) = self.same_check(surge) {
            return Some((id, Reason::Related));
        }
        if let Some(id) = self.told_already(surge) {
            return Some((id, Reason::OpenIncident));
        }
        let known = self.known_incident(surge)?;
        let nothing_new = surge.severity < Severity::Critical
            && surge.kinds.0.is_subset(&known.kinds)
            && (known.open || surge.reason != Reason::Surge || self.is_back(surge, known));
        let remembered = now.since(known.alive) <= judgement.remember;
        let quiet = !matches!(surge.reason, Reason::Outlived | Reason::Always | Reason::NearsLimit);
        (quiet && remembered && nothing_new).then(|| (known.id(), Reason::SameOrigin))
    }

    /// The latest incident of the origin of a surge.
    fn known_incident(&self, surge: &Surge) -> Option<&Incident> {
        let service = surge.origin.0.service.as_deref().map(Arc::from);
        self.known.get(&service).and_then(|&id| self.incident(id))
    }

    /// Whether a surge is led by a check that an incident which is over had already. Another check is another trouble.
    fn is_back(&self, surge: &Surge, over: &Incident) -> bool {
        let check = |slot| &self.series.at(slot).name.check;
        surge.makers().next().is_some_and(|slot| over.summary.checks.iter().any(|known| **known == **check(slot)))
    }

    /// The incidents opened within the join window, latest first. In a storm of incidents only the latest are looked at.
    fn young_incidents(&self) -> impl Iterator<Item = &Incident> {
        const LOOKED_AT: u64 = 64;
        let (now, window) = (self.now(), self.policy.judgement.join_window);
        let latest = self.ledger.at(self.book).incidents;
        let ids = (latest.saturating_sub(LOOKED_AT) + 1..=latest).rev().map(IncidentId);
        ids.filter_map(|id| self.incident(id)).take_while(move |incident| now.since(incident.summary.opened) <= window)
    }

    /// The latest young incident that the same check made page on other components: one cause, several hosts. What
    /// pages by a rule or by its length pages for itself.
    fn same_check(&self, surge: &Surge) -> Option<IncidentId> {
        if surge.reason != Reason::Surge {
            return None;
        }
        let check = self.series.at(surge.makers().next()?).check;
        let shows = |member: &Fingerprint| self.series.get(*member).is_some_and(|series| series.check == check);
        self.young_incidents().find(|incident| incident.members.iter().any(shows)).map(Incident::id)
    }

    /// The latest young incident that a component has to do with.
    pub(super) fn young_relative(&self, component: &Component) -> Option<IncidentId> {
        let services = self.services_about(component);
        let kin = |incident: &&Incident| {
            let mut others = incident.components.iter().filter_map(|&other| self.components.get(other));
            others.any(|other| self.near(component, &services, other))
        };
        self.young_incidents().find(kin).map(Incident::id)
    }

    /// Whether two components have to do with each other: the same one, a service or a series in common, one calls
    /// the other (directly or not), or one service calls both.
    pub(super) fn near(&self, a: &Component, of_a: &BTreeSet<Arc<str>>, b: &Component) -> bool {
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

    /// The open incident that all series of a surge made page already, with nothing fresh since.
    pub(super) fn told_already(&self, surge: &Surge) -> Option<IncidentId> {
        let id = surge.makers().next().and_then(|slot| self.member_of(slot))?;
        let incident = self.incident(id)?;
        let told = |slot: Slot| {
            let series = self.series.at(slot);
            incident.members.contains(&series.fingerprint) && series.slow.1 <= incident.surged
        };
        (surge.severity <= incident.summary.severity && surge.makers().all(told)).then_some(id)
    }

    /// The incident that a surge which pages makes worse, instead of opening one of its own: the one that its
    /// loudest series belongs to, or the one of the same origin while it is open. Worse is a higher severity, or
    /// something critical from a kind of tool that did not speak in it so far.
    pub(super) fn worsened(&self, surge: &Surge) -> Option<IncidentId> {
        let own = surge.makers().next().and_then(|slot| self.member_of(slot)).and_then(|id| self.incident(id));
        let known = self.known_incident(surge);
        let known = known.filter(|known| known.open);
        let higher = |incident: &&Incident| surge.severity > incident.summary.severity;
        let wider = |incident: &&Incident| {
            higher(incident) || (surge.severity == Severity::Critical && !surge.kinds.0.is_subset(&incident.kinds))
        };
        own.filter(higher).or_else(|| known.filter(wider)).map(Incident::id)
    }
}
