//! Split: a person says that a part of an incident is another trouble.
//!
//! The part gets an incident of its own, of which the same people know, so nobody is paged for it. What was parted is
//! remembered: kinship does not join these components again until the word has faded. Deliberately by a name that
//! people read on the page (a service or a host), not by identities.

use std::collections::BTreeSet;

use super::Engine;
use crate::domain::component::Component;
use crate::domain::decision::{IncidentId, NoticeAction, Origin};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::incident::{Incident, Witnesses};
use crate::domain::table::Slot;
use crate::domain::turn::Turn;

/// What leaves an incident.
struct Part {
    /// The series.
    members: BTreeSet<Fingerprint>,
    /// The components.
    components: BTreeSet<Fingerprint>,
}

impl Engine {
    /// Whether a part of an incident can be split off under this name: some of its members are about that service or
    /// host, and some are not.
    #[must_use]
    pub fn can_split(&self, id: IncidentId, name: &str) -> bool {
        self.part_of(id, name).is_some()
    }

    fn part_of(&self, id: IncidentId, name: &str) -> Option<Part> {
        let incident = self.incident(id).filter(|incident| incident.open)?;
        let about = |series: &Fingerprint| {
            self.series.get(*series).is_some_and(|series| {
                [&series.name.service, &series.name.host].into_iter().flatten().any(|part| **part == *name)
            })
        };
        let members: BTreeSet<_> = incident.members.iter().copied().filter(about).collect();
        let called = |part: &Fingerprint| self.components.get(*part).is_some_and(|part| *part.name == *name);
        let mut components: BTreeSet<_> = incident.components.iter().copied().filter(called).collect();
        // What speaks of the part alone goes with it, even where it never surged itself.
        for &member in &members {
            let slot = self.series.find(member)?;
            let known = self.known_components(slot).into_iter().flatten().map(|slot| self.components.at(slot));
            components.extend(known.filter(|part| *part.name == *name).map(|part| part.fingerprint));
        }
        let whole = members.len() == incident.members.len();
        (!members.is_empty() && !whole).then_some(Part { members, components })
    }

    /// A person splits the part of an incident that is about `name` from the rest.
    pub(super) fn split(&mut self, (id, name): (IncidentId, &str), by: &str, turn: &mut Turn) {
        let Some(part) = self.part_of(id, name) else { return };
        let now = self.now();
        let book = self.ledger.change(self.book);
        book.incidents += 1;
        let new = IncidentId(book.incidents);
        let Some(split) = self.take_out(id, new, &part) else { return };
        self.known.insert(split.summary.origin.service.as_deref().map(std::sync::Arc::from), new);
        let others: Vec<Fingerprint> = self.incident(id).into_iter().flat_map(|old| old.components.clone()).collect();
        for &component in &part.components {
            let Some(slot) = self.components.find(component) else { continue };
            let row = self.components.change(slot);
            row.incident = Some(new);
            let company = row.company.get_or_insert_default();
            others.iter().for_each(|&other| company.part(other, now));
        }
        self.incidents.insert(split);
        self.notify(id, NoticeAction::Update, format!("{by} split {name} from it: that is incident {new} now"), turn);
        self.notify(new, NoticeAction::Update, format!("{by} split it from incident {id}"), turn);
        self.watch_end(id);
        self.watch_end(new);
    }

    /// The new incident, taken out of the old one.
    fn take_out(&mut self, id: IncidentId, new: IncidentId, part: &Part) -> Option<Incident> {
        let now = self.now();
        let slots: Vec<Slot> = part.members.iter().filter_map(|&member| self.series.find(member)).collect();
        let names: Vec<_> = slots.iter().map(|&slot| self.series.at(slot).name.clone()).collect();
        let severity = slots.iter().filter_map(|&slot| self.series.at(slot).severity()).max();
        let first = *slots.first()?;
        let title = self.title_of(first, slots.len() - 1);
        let name = &self.series.at(first).name;
        let text = |name: &std::sync::Arc<str>| name.to_string();
        let origin = Origin {
            service: name.service.as_ref().map(text),
            host: name.host.as_ref().map(text),
            check: Some(text(&name.check)),
        };
        let old = self.incident_mut(id)?;
        let mut split = old.clone();
        let stays = |series: &Fingerprint| !part.members.contains(series);
        for list in [&mut old.members, &mut old.critical, &mut old.joined] {
            list.retain(stays);
        }
        old.components.retain(|component| !part.components.contains(component));
        let every = |pick: fn(&crate::domain::series::SeriesName) -> Option<&std::sync::Arc<str>>| -> Vec<String> {
            let names: BTreeSet<String> = names.iter().filter_map(pick).map(ToString::to_string).collect();
            names.into_iter().take(Component::SERVICES).collect()
        };
        let summary = &mut split.summary;
        (summary.incident, summary.title, summary.origin) = (new, title, origin);
        summary.severity = severity.unwrap_or(summary.severity);
        summary.services = every(|name| name.service.as_ref());
        summary.hosts = every(|name| name.host.as_ref());
        summary.checks = every(|name| Some(&name.check));
        (summary.alerts, summary.moments) = (0, Vec::new());
        split.members.clone_from(&part.members);
        split.joined.clone_from(&part.members);
        split.critical.retain(|series| part.members.contains(series));
        split.components.clone_from(&part.components);
        split.paged_as = split.paged_as.min(split.summary.severity);
        (split.surged, split.alive, split.calm_at) = (now, now, None);
        (split.step, split.witnesses) = (0, Witnesses::default());
        // The page that waits is about the whole, which keeps it.
        (split.events, split.origins, split.later) = (Vec::new(), Vec::new(), None);
        Some(split)
    }
}
