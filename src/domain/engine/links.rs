//! Links: how a row finds the rows that it has to do with, without a look-up at every event.
//!
//! Deliberately nothing that is stored or decided by: a link is where a fingerprint or a name leads, kept.

use std::sync::Arc;

use super::Engine;
use crate::domain::alert::Alert;
use crate::domain::check::Check;
use crate::domain::component::{Component, Part};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::table::Slot;

impl Engine {
    /// Where the check of a series is.
    pub(super) fn check_slot(&self, series: Slot) -> Slot {
        self.series.at(series).links.check.expect("a series has its check")
    }

    /// The check of a series.
    pub(super) fn check(&self, series: Slot) -> &Check {
        self.checks.at(self.check_slot(series))
    }

    /// Where the series of an alert is. (After damage it may be nowhere.)
    pub(super) fn series_of_alert(&self, alert: &Alert) -> Option<Slot> {
        alert.slot.or_else(|| self.series.find(alert.series))
    }

    /// The components of a series that were ever heard of.
    pub(super) fn known_components(&self, slot: Slot) -> [Option<Slot>; 2] {
        let series = self.series.at(slot);
        let look_up = || series.name.components().map(|name| name.and_then(|name| self.components.find(name)));
        series.links.components.unwrap_or_else(look_up)
    }

    /// The components of a series; made when they are first heard of.
    pub(super) fn components_of(&mut self, slot: Slot) -> [Option<Slot>; 2] {
        let series = self.series.at(slot);
        if let Some(components) = series.links.components {
            return components;
        }
        let mut slots = [None; 2];
        for (at, fingerprint) in series.name.components().into_iter().enumerate() {
            let Some(fingerprint) = fingerprint else { continue };
            slots[at] =
                Some(self.components.find(fingerprint).unwrap_or_else(|| self.new_component(slot, at, fingerprint)));
        }
        self.series.at_mut(slot).links.components = Some(slots);
        slots
    }

    fn new_component(&mut self, slot: Slot, at: usize, fingerprint: Fingerprint) -> Slot {
        let name = &self.series.at(slot).name;
        let (part, name) = match (at, &name.service, &name.host) {
            (0, Some(service), _) => (Part::Service, service),
            (1, _, Some(host)) => (Part::Host, host),
            _ => (Part::Check, &name.check),
        };
        let name = Arc::clone(name);
        self.components.insert(Component::new(fingerprint, part, name, self.now()))
    }

    /// Links the rows anew, after they were restored.
    pub(super) fn link_rows(&mut self) {
        let slots: Vec<Slot> = self.series.rows().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.link_series(slot);
            self.share_names(slot);
        }
        let slots: Vec<Slot> = self.alerts.rows().map(|(slot, _)| slot).collect();
        for slot in slots {
            let alert = self.alerts.at_mut(slot);
            (alert.slot, alert.reminder) = (self.series.find(alert.series), alert.expires);
        }
        let slots: Vec<Slot> = self.components.rows().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.link_component(slot);
        }
        for member in self.incidents.rows().flat_map(|(_, incident)| &incident.members) {
            if let Some(slot) = self.series.find(*member) {
                self.series.at_mut(slot).paged = true;
            }
        }
    }

    fn link_series(&mut self, slot: Slot) {
        let series = self.series.at(slot);
        let check = self.checks.find(series.check);
        let names = series.name.components();
        let slots = names.map(|name| name.and_then(|name| self.components.find(name)));
        let all = names.iter().zip(&slots).all(|(name, slot)| name.is_some() == slot.is_some());
        let links = &mut self.series.at_mut(slot).links;
        (links.check, links.components) = (check, all.then_some(slots));
    }

    fn share_names(&mut self, slot: Slot) {
        let name = &self.series.at(slot).name;
        let (service, host, check) = (name.service.clone(), name.host.clone(), Arc::clone(&name.check));
        let (service, host) = (service.map(|name| self.name(&name)), host.map(|name| self.name(&name)));
        let check = self.name(&check);
        let name = &mut self.series.at_mut(slot).name;
        (name.service, name.host, name.check) = (service, host, check);
    }

    fn link_component(&mut self, slot: Slot) {
        let component = self.components.at(slot);
        let (name, services) = (Arc::clone(&component.name), component.services.clone());
        let (name, services) = (self.name(&name), services.iter().map(|name| self.name(name)).collect());
        let component = self.components.at_mut(slot);
        (component.name, component.services) = (name, services);
        for loud in &mut component.loud {
            loud.slot = self.series.find(loud.series);
        }
    }
}
