//! The service graph: who calls whom.
//!
//! Deliberately immutable: descendants are worked out once, when the rules are loaded.

use std::collections::{BTreeMap, BTreeSet};

/// Who calls whom. All sets are ordered, so that equal graphs give equal decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    callees: BTreeMap<String, BTreeSet<String>>,
    callers: BTreeMap<String, BTreeSet<String>>,
    below: BTreeMap<String, BTreeSet<String>>,
    /// The name of the system that a service is part of.
    systems: BTreeMap<String, String>,
}

impl Topology {
    /// A graph from (caller, callee) pairs. Loops are allowed.
    #[must_use]
    pub fn new(edges: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut graph = Self::default();
        for (caller, callee) in edges {
            graph.callers.entry(callee.clone()).or_default().insert(caller.clone());
            graph.callees.entry(caller).or_default().insert(callee);
        }
        graph.below = graph.callees.keys().map(|service| (service.clone(), graph.descend(service))).collect();
        graph.systems = graph.connected();
        graph
    }

    /// Every service with the first name, in order, among all that it is connected with in whatever direction.
    fn connected(&self) -> BTreeMap<String, String> {
        let mut systems = BTreeMap::new();
        let services: BTreeSet<&String> = self.callees.keys().chain(self.callers.keys()).collect();
        for first in services {
            let mut todo = vec![first];
            while let Some(service) = todo.pop() {
                if !systems.contains_key(service) {
                    systems.insert(service.clone(), first.clone());
                    todo.extend(self.callees.get(service).into_iter().chain(self.callers.get(service)).flatten());
                }
            }
        }
        systems
    }

    fn descend(&self, service: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut todo = vec![service];
        while let Some(next) = todo.pop() {
            for callee in self.callees.get(next).into_iter().flatten() {
                if found.insert(callee.clone()) {
                    todo.push(callee);
                }
            }
        }
        found
    }

    /// The services that `service` calls itself, in order of name.
    pub fn callees(&self, service: &str) -> impl Iterator<Item = &str> {
        self.callees.get(service).into_iter().flatten().map(String::as_str)
    }

    /// The services that call `service` themselves, in order of name.
    pub fn callers(&self, service: &str) -> impl Iterator<Item = &str> {
        self.callers.get(service).into_iter().flatten().map(String::as_str)
    }

    /// The services that `service` calls, directly or not, in order of name.
    pub fn below(&self, service: &str) -> impl Iterator<Item = &str> {
        self.below.get(service).into_iter().flatten().map(String::as_str)
    }

    /// Whether `upper` calls `lower`, directly or not.
    #[must_use]
    pub fn is_below(&self, lower: &str, upper: &str) -> bool {
        self.below.get(upper).is_some_and(|services| services.contains(lower))
    }

    /// The system that `service` is part of: all services that are connected with it, called by the first of their
    /// names in order. `None` = the graph does not have it.
    #[must_use]
    pub fn system_of(&self, service: &str) -> Option<&str> {
        self.systems.get(service).map(String::as_str)
    }

    /// Whether there is no edge at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.callees.is_empty()
    }

    /// Every (caller, callee) pair, in order.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.callees
            .iter()
            .flat_map(|(caller, callees)| callees.iter().map(move |callee| (caller.as_str(), callee.as_str())))
    }

    /// This graph with the edges of another added.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        Self::new(self.edges().chain(other.edges()).map(|(caller, callee)| (caller.to_owned(), callee.to_owned())))
    }
}
