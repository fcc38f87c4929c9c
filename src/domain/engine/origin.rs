//! Origin: which component a surge most likely comes from, with its arithmetic.
//!
//! Among the services at or below the one that surged, those that are at least half as loud as the loudest; of
//! these the ones that call none of the others (the deepest), and of these the loudest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Engine;
use crate::domain::component::{Component, Part};
use crate::domain::decision::Origin;
use crate::domain::table::Slot;

/// A candidate must be at least this share as loud as the loudest.
const SHARE: f64 = 0.5;

impl Engine {
    /// The services that a component is about: those of its loud series, else all that spoke about it.
    pub(super) fn services_about(&self, component: &Component) -> BTreeSet<Arc<str>> {
        if component.part == Part::Service {
            return BTreeSet::from([Arc::clone(&component.name)]);
        }
        let loud: BTreeSet<_> = component
            .loud
            .iter()
            .filter_map(|loud| loud.slot)
            .filter_map(|slot| self.series.at(slot).name.service.clone())
            .collect();
        if loud.is_empty() { component.services.iter().cloned().collect() } else { loud }
    }

    /// The most likely origin of a surge of this component, and all candidates with their fresh bits.
    pub(super) fn origin(&self, slot: Slot) -> (Origin, Vec<(String, f32)>) {
        let component = self.components.at(slot);
        let services = self.services_about(component);
        let candidates = self.candidates(&services);
        let most = candidates.values().copied().fold(0.0, f64::max);
        let loud: Vec<&str> =
            candidates.iter().filter(|(_, bits)| **bits >= SHARE * most).map(|(name, _)| &**name).collect();
        let below = |upper: &str, lower: &str| self.policy.topology.is_below(lower, upper);
        let calls_another =
            |name: &str| loud.iter().any(|other| *other != name && below(name, other) && !below(other, name));
        let deepest: Vec<&str> = loud.iter().copied().filter(|name| !calls_another(name)).collect();
        let pool = if deepest.is_empty() { &loud } else { &deepest };
        let best = pool.iter().copied().max_by(|a, b| candidates[*a].total_cmp(&candidates[*b]).then(a.cmp(b)));
        let service = best.map(str::to_owned).or_else(|| services.first().map(ToString::to_string));
        let of_host = (component.part == Part::Host).then(|| component.name.to_string());
        let (host, check) = self.loudest_in(best.and_then(|name| self.service(name)).unwrap_or(slot));
        let host = if best.is_some() { host.or(of_host) } else { of_host.or(host) };
        let mut ranked: Vec<(String, f32)> =
            candidates.iter().map(|(name, bits)| (name.to_string(), *bits as f32)).collect();
        ranked.sort_by(|a, b| {
            (Some(&b.0) == service.as_ref()).cmp(&(Some(&a.0) == service.as_ref())).then(b.1.total_cmp(&a.1))
        });
        (Origin { service, host, check }, ranked)
    }

    /// The services at or below these that are loud, with their own fresh bits.
    fn candidates(&self, services: &BTreeSet<Arc<str>>) -> BTreeMap<Arc<str>, f64> {
        let now = self.now();
        let mut pool: BTreeSet<&str> = services.iter().map(|name| &**name).collect();
        pool.extend(services.iter().flat_map(|name| self.policy.topology.below(name)));
        let component = |name: &str| self.service(name).map(|slot| self.components.at(slot));
        pool.into_iter()
            .filter_map(component)
            .filter(|component| !component.loud.is_empty())
            .map(|component| (Arc::clone(&component.name), component.own(now, &self.policy.judgement)))
            .collect()
    }

    /// The host with most fresh bits of a component, and its loudest check.
    fn loudest_in(&self, slot: Slot) -> (Option<String>, Option<String>) {
        let component = self.components.at(slot);
        let mut hosts: BTreeMap<&str, f64> = BTreeMap::new();
        let mut checks: BTreeMap<&str, f64> = BTreeMap::new();
        for loud in &component.loud {
            let Some(series) = loud.slot.map(|slot| self.series.at(slot)) else { continue };
            if let Some(host) = &series.name.host {
                *hosts.entry(host).or_default() += loud.bits;
            }
            let most = checks.entry(&series.name.check).or_default();
            *most = most.max(loud.bits);
        }
        let top = |of: BTreeMap<&str, f64>| {
            of.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(name, _)| name.to_owned())
        };
        (top(hosts), top(checks))
    }
}
