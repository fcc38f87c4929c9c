//! Origin: which component a surge most likely comes from, with its arithmetic.
//!
//! Every service at or below the one that surged is a candidate, with the fresh bits of its symptoms. Its own
//! trouble (saturation, exceptions) counts half as much again. What its callees explain of its slow answers and errors is taken off, and
//! what it explains of its callers' is added, in part. Missing traffic counts little: it comes from above.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Engine;
use crate::domain::component::{Component, Part};
use crate::domain::decision::Origin;
use crate::domain::explain::Candidate;
use crate::domain::symptom::Symptom;
use crate::domain::table::Slot;
use crate::domain::topology::Topology;

/// What a bit of a local symptom counts: it names its place.
const LOCAL: f64 = 1.5;
/// What a bit of a symptom of load counts: it tells of the callers.
const LOAD: f64 = 0.3;
/// What a bit that a candidate explains of its callers' counts.
const EXPLAINS: f64 = 0.6;

/// The fresh bits of a service, by symptom.
#[derive(Clone, Copy, Default)]
struct Symptoms {
    local: f64,
    response: f64,
    load: f64,
}

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

    /// The most likely origin of a surge of this component, and all candidates, most likely first.
    pub(super) fn origin(&self, slot: Slot) -> (Origin, Vec<Candidate>) {
        let component = self.components.at(slot);
        let services = self.services_about(component);
        let mut ranked = self.candidates(&services);
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.service.cmp(&b.service)));
        let best = ranked.first().map(|candidate| candidate.service.clone());
        let of_host = (component.part == Part::Host).then(|| component.name.to_string());
        let (host, check) = self.loudest_in(best.as_deref().and_then(|name| self.service(name)).unwrap_or(slot));
        let host = if best.is_some() { host.or(of_host) } else { of_host.or(host) };
        let service = best.or_else(|| services.first().map(ToString::to_string));
        (Origin { service, host, check }, ranked)
    }

    /// The services at or below these that are loud, with the arithmetic of their rank.
    fn candidates(&self, services: &BTreeSet<Arc<str>>) -> Vec<Candidate> {
        let graph = &self.policy.topology;
        let mut pool: BTreeSet<&str> = services.iter().map(|name| &**name).collect();
        pool.extend(services.iter().flat_map(|name| graph.below(name)));
        let component = |name: &str| self.service(name).map(|slot| self.components.at(slot));
        let loud = pool.into_iter().filter_map(component).filter(|component| !component.loud.is_empty());
        let loud: Vec<(&Arc<str>, Symptoms)> = loud.map(|service| (&service.name, self.symptoms(service))).collect();
        loud.iter().map(|(service, own)| candidate(service, *own, &loud, graph)).collect()
    }

    /// The fresh bits of a service by symptom: of each check those of its loudest series.
    fn symptoms(&self, service: &Component) -> Symptoms {
        let mut symptoms = Symptoms::default();
        for (bits, loud) in service.checks(self.now(), &self.policy.judgement) {
            let Some(series) = loud.slot.map(|slot| self.series.at(slot)) else { continue };
            match Symptom::of(series.name.kind, &series.name.check) {
                Symptom::Local => symptoms.local += bits,
                Symptom::Response => symptoms.response += bits,
                Symptom::Load => symptoms.load += bits,
            }
        }
        symptoms
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

/// Weighs a service against the others that are loud, too.
fn candidate(service: &str, own: Symptoms, loud: &[(&Arc<str>, Symptoms)], graph: &Topology) -> Candidate {
    // In a loop of calls neither explains the other.
    let above = |upper: &str, lower: &str| graph.is_below(lower, upper) && !graph.is_below(upper, lower);
    let callees = loud.iter().filter(|(other, _)| above(service, other)).map(|(_, other)| other.response);
    let callers = loud.iter().filter(|(other, _)| above(other, service)).map(|(_, other)| other.response);
    let answers = own.response - callees.fold(0.0, f64::max).min(own.response);
    let explains: f64 = callers.map(|response| response.min(own.response)).sum();
    let score = LOCAL * own.local + answers + LOAD * own.load + EXPLAINS * explains;
    Candidate {
        service: service.to_owned(),
        score: score as f32,
        own: own.local as f32,
        answers: answers as f32,
        load: own.load as f32,
        explains: explains as f32,
    }
}
