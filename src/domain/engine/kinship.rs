//! Kinship: which incident a surge belongs to, by component, time, origin, the service graph, what was learned of who
//! is in trouble with whom, and what the texts name. Every tie has its evidence ([`Tie`]), and it is told.
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
use crate::domain::stage::forget;
use crate::domain::table::Slot;

/// What ties a surge to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// This component is part of both.
    Same(Arc<str>),
    /// The first of these services calls the second, or is called by it, or one service calls both.
    Graph(Arc<str>, Arc<str>),
    /// The same check surges there.
    Check(Arc<str>),
    /// So many times of so many that it was in trouble, the other one was, too.
    Company {
        /// The other one.
        other: Arc<str>,
        /// How many times both were.
        times: u32,
        /// How many times it was.
        of: u32,
    },
    /// The text of one names the other.
    Text(Arc<str>),
}

impl Tie {
    /// The evidence, as the end of a sentence: "it joined because …".
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Same(name) => format!("{name} is part of both"),
            Self::Graph(one, other) => format!("{one} and {other} are connected in the service graph"),
            Self::Check(check) => format!("the same check ({check}) surged there"),
            Self::Company { other, times, of } => {
                format!("in {times} of the {of} times that it was in trouble, {other} was, too")
            }
            Self::Text(name) => format!("what is said of one names the other ({name})"),
        }
    }
}

/// Whether a text names something as a word of its own. Short and plain words may be there by accident.
fn names(text: &str, name: &str) -> bool {
    const LEAST: usize = 4;
    let telling = name.len() > 2 * LEAST || name.contains(|c: char| c.is_ascii_digit() || c == '-' || c == '_');
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let whole = |(at, _): (usize, &str)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        !before.ends_with(part_of_word) && !after.starts_with(part_of_word)
    };
    name.len() >= LEAST && telling && text.match_indices(name).any(whole)
}

impl Engine {
    /// The incident that a surge joins without a page.
    pub(super) fn find_incident(&self, surge: &Surge) -> Option<(IncidentId, Reason, Option<Tie>)> {
        let (now, judgement) = (self.now(), &self.policy.judgement);
        let component = self.components.at(surge.component);
        let own = component.incident.and_then(|id| self.incident(id));
        if let Some(own) = own.filter(|own| now.since(own.surged) <= judgement.join_window) {
            return Some((own.id(), Reason::OpenIncident, None));
        }
        if let Some((id, tie)) = self.young_relative(surge) {
            return Some((id, Reason::Related, Some(tie)));
        }
        if let Some((id, tie)) = self.same_check(surge) {
            return Some((id, Reason::Related, Some(tie)));
        }
        if let Some(id) = self.told_already(surge) {
            return Some((id, Reason::OpenIncident, None));
        }
        let known = self.known_incident(surge)?;
        let nothing_new = surge.severity < Severity::Critical
            && surge.kinds.0.is_subset(&known.kinds)
            && (known.open || surge.reason != Reason::Surge || self.is_back(surge, known));
        let remembered = now.since(known.alive) <= judgement.remember;
        let quiet = !matches!(surge.reason, Reason::Outlived | Reason::Always | Reason::NearsLimit);
        (quiet && remembered && nothing_new).then(|| (known.id(), Reason::SameOrigin, None))
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
    fn same_check(&self, surge: &Surge) -> Option<(IncidentId, Tie)> {
        if surge.reason != Reason::Surge {
            return None;
        }
        let component = self.components.at(surge.component);
        let series = self.series.at(surge.makers().next()?);
        let shows = |member: &Fingerprint| self.series.get(*member).is_some_and(|other| other.check == series.check);
        let joined = |incident: &&Incident| {
            let mut others = incident.components.iter().filter_map(|&other| self.components.get(other));
            incident.members.iter().any(shows) && !others.any(|other| self.parted(component, other))
        };
        let incident = self.young_incidents().find(joined)?;
        Some((incident.id(), Tie::Check(Arc::clone(&series.name.check))))
    }

    /// The latest young incident that a surge has to do with, and what ties it to that.
    fn young_relative(&self, surge: &Surge) -> Option<(IncidentId, Tie)> {
        let component = self.components.at(surge.component);
        let services = self.services_about(component);
        let tie = |incident: &Incident| {
            let others = || incident.components.iter().filter_map(|&other| self.components.get(other));
            if others().any(|other| self.parted(component, other)) {
                return None;
            }
            let near = others().find_map(|other| self.near(component, &services, other));
            near.or_else(|| others().find_map(|other| self.usual_company(component, other)))
                .or_else(|| self.named_in_text(surge, incident))
        };
        self.young_incidents().find_map(|incident| Some((incident.id(), tie(incident)?)))
    }

    /// What ties two components: they are the same one, have a service or a series in common, one calls the other
    /// (directly or not), or one service calls both.
    pub(super) fn near(&self, a: &Component, of_a: &BTreeSet<Arc<str>>, b: &Component) -> Option<Tie> {
        if a.fingerprint == b.fingerprint {
            return Some(Tie::Same(Arc::clone(&a.name)));
        }
        let of_b = self.services_about(b);
        if let Some(common) = of_a.intersection(&of_b).next() {
            return Some(Tie::Same(Arc::clone(common)));
        }
        if a.shares_series(b) {
            return Some(Tie::Same(Arc::clone(&b.name)));
        }
        let graph = &self.policy.topology;
        if graph.is_empty() {
            return None;
        }
        let and_callers =
            |name: &Arc<str>| -> BTreeSet<String> { graph.callers(name).chain([&**name]).map(str::to_owned).collect() };
        let related = |x: &Arc<str>, y: &Arc<str>| {
            graph.is_below(x, y) || graph.is_below(y, x) || !and_callers(x).is_disjoint(&and_callers(y))
        };
        let pair = of_a.iter().find_map(|x| Some((x, of_b.iter().find(|y| related(x, y))?)));
        pair.map(|(x, y)| Tie::Graph(Arc::clone(x), Arc::clone(y)))
    }

    /// Whether a person said that two components have nothing to do with each other.
    fn parted(&self, a: &Component, b: &Component) -> bool {
        let (now, lasts) = (self.now(), self.policy.judgement.half_life);
        let from = |a: &Component, b: &Component| {
            a.company.as_ref().is_some_and(|company| company.is_apart(b.fingerprint, now, lasts))
        };
        from(a, b) || from(b, a)
    }

    /// Whether a component is usually in trouble when the other one is.
    fn usual_company(&self, a: &Component, b: &Component) -> Option<Tie> {
        let judgement = &self.policy.judgement;
        let history = forget::history(self.now().since(self.start()), judgement.half_life).max(1.0);
        let (of_a, of_b) = (a.company.as_ref()?, b.company.as_ref()?);
        let chance = f64::from(of_b.troubles()) * 2.0 * judgement.join_window / history;
        let (times, of) = of_a.usual(b.fingerprint, chance)?;
        Some(Tie::Company { other: Arc::clone(&b.name), times, of })
    }

    /// Whether what a surge says names a component of an incident, or the incident's title names the component that
    /// surges: "cannot connect to orders-db".
    fn named_in_text(&self, surge: &Surge, incident: &Incident) -> Option<Tie> {
        let own = &self.components.at(surge.component).name;
        if names(&incident.summary.title, own) {
            return Some(Tie::Text(Arc::clone(own)));
        }
        let texts = surge.makers().filter_map(|slot| self.series.at(slot).text.as_ref()?.summary.as_deref());
        let parts = incident.components.iter().filter_map(|&part| self.components.get(part)).map(|part| &part.name);
        let mut pairs = texts.flat_map(|text| parts.clone().map(move |part| (text, part)));
        pairs.find(|(text, part)| names(text, part)).map(|(_, part)| Tie::Text(Arc::clone(part)))
    }

    /// Remembers who else is in trouble now: the components of young incidents that nothing else ties to this one.
    pub(super) fn note_company(&mut self, slot: Slot) {
        const NOTED: usize = 8;
        let (now, again) = (self.now(), self.policy.judgement.remember);
        let company = self.components.change(slot).company.get_or_insert_default();
        if !company.count(now, again) {
            return;
        }
        let component = self.components.at(slot);
        let services = self.services_about(component);
        let others = self.young_incidents().flat_map(|incident| &incident.components);
        let others: BTreeSet<Fingerprint> = others
            .filter(|&&other| {
                self.components.get(other).is_some_and(|other| self.near(component, &services, other).is_none())
            })
            .take(NOTED)
            .copied()
            .collect();
        let own = component.fingerprint;
        for other in others {
            self.components.change(slot).company.get_or_insert_default().meet(other);
            if let Some(other) = self.components.find(other) {
                self.components.change(other).company.get_or_insert_default().meet(own);
            }
        }
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
