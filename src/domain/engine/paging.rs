//! Paging: what a person is told when a surge opens or worsens an incident.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
use super::incidents::Surge;
use crate::domain::component::Part;
use crate::domain::decision::{Decision, IncidentId, Page, PageAction};
use crate::domain::turn::Turn;

impl Engine {
    /// Interrupts a person.
    pub(super) fn page(&mut self, id: IncidentId, surge: &Surge, action: PageAction, turn: &mut Turn) {
        let now = self.now();
        let page = self.compose_page(id, surge, action);
        let audience = self.audience(surge);
        let book = self.ledger.change(self.book);
        match action {
            PageAction::Open => book.pages.0 += 1,
            PageAction::Escalate => book.pages.1 += 1,
        }
        let Some(incident) = self.incident_mut(id) else { return };
        incident.summary.severity = incident.summary.severity.max(surge.severity);
        incident.paged_as = incident.paged_as.max(surge.severity);
        incident.summary.paged.get_or_insert(now);
        // What it is called is what people were last woken for.
        incident.summary.title.clone_from(&page.title);
        incident.origins.clone_from(&surge.origin.1);
        if incident.summary.acknowledged.take().is_some() {
            incident.tell(now, "it got worse after somebody had taken it: it waits to be taken again".to_owned());
        }
        incident.tell(now, format!("paged ({action}): {}; {}", page.title, page.why));
        turn.decisions.push(Decision::Page(Box::new(page.clone())));
        self.owe_page(page, audience, turn);
    }

    /// What a page of a surge says.
    pub(super) fn compose_page(&mut self, id: IncidentId, surge: &Surge, action: PageAction) -> Page {
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
        let alerts = self.incident(id).map(|incident| incident.events.clone()).unwrap_or_default();
        Page {
            ts: now,
            incident: id,
            action,
            severity: surge.severity,
            title,
            services,
            hosts,
            origin: surge.origin.0.clone(),
            alerts,
            held_before,
            reason: surge.reason,
            why,
            evidence,
            suspects,
            url: text.iter().find_map(|text| text.url.as_deref().map(str::to_owned)),
            runbook_url: text.iter().find_map(|text| text.runbook_url.as_deref().map(str::to_owned)),
        }
    }

    /// The services and hosts that a page names, the most likely origin first.
    pub(super) fn named(&self, surge: &Surge) -> (Vec<String>, Vec<String>) {
        /// With more services than this on the page, the origin's adds nothing.
        const FEW: usize = 4;
        let component = self.components.at(surge.component);
        let names = || surge.makers().map(|slot| &self.series.at(slot).name);
        let of = |pick: fn(&crate::domain::series::SeriesName) -> Option<&Arc<str>>| -> BTreeSet<String> {
            names().filter_map(pick).map(|name| name.to_string()).collect()
        };
        let mut services = match component.part {
            Part::Service => BTreeSet::from([component.name.to_string()]),
            Part::Host | Part::Check | Part::System => of(|name| name.service.as_ref()),
        };
        if services.is_empty() {
            services = component.services.iter().map(ToString::to_string).collect();
        }
        let hosts = match component.part {
            Part::Host => BTreeSet::from([component.name.to_string()]),
            Part::Service | Part::Check | Part::System => of(|name| name.host.as_ref()),
        };
        let origin = &surge.origin.0;
        if services.len() < FEW {
            services.extend(origin.service.clone());
        }
        (origin_first(services, origin.service.as_ref()), origin_first(hosts, origin.host.as_ref()))
    }
}

/// Names in order, the origin's first.
fn origin_first(names: BTreeSet<String>, origin: Option<&String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_by_key(|name| Some(name) != origin);
    names
}
