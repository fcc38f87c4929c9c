//! An inhibition: while some alerts fire, others that they explain are held back.

use super::event::Event;
use super::fingerprint::Fingerprint;
use super::matcher::Matcher;
use super::route::Routable;
use super::silence::LooksAt;
use super::topology::Topology;

/// While alerts that fit its conditions fire, alerts that fit `target` are held back, when they agree on `equal`.
#[derive(Clone, Debug, PartialEq)]
pub struct Inhibition {
    /// Its name; stands in explanations.
    pub name: String,
    /// What must fire: every one of these. Never none.
    pub sources: Vec<Condition>,
    /// Which alerts are inhibited.
    pub target: Vec<Matcher>,
    /// Fields and labels on which all must agree (absent in both counts as agreement, as in Alertmanager).
    pub equal: Vec<String>,
    /// What the matchers and `equal` look at.
    pub looks_at: LooksAt,
    /// Only where the service of the target calls that of the sources, directly or not.
    pub along: Option<Along>,
}

/// Some alerts that must fire.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Which: all must fit.
    pub matchers: Vec<Matcher>,
    /// How many at least, 1 or more.
    pub at_least: u32,
}

/// How sources and target must be connected in the service graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// The target's service calls the sources', directly or not.
    Calls,
}

/// What alerts that inhibit are counted by: the inhibition's name, and its condition with the values to agree on.
pub(crate) type Key = (String, Fingerprint);

impl Inhibition {
    /// An inhibition by one alert.
    #[must_use]
    pub fn by_one(name: String, source: Vec<Matcher>, target: Vec<Matcher>, equal: Vec<String>) -> Self {
        Self {
            name,
            sources: vec![Condition { matchers: source, at_least: 1 }],
            target,
            equal,
            looks_at: LooksAt::Fields,
            along: None,
        }
    }

    /// Its source, where it is one that Alertmanager's configuration can say: one alert is enough, and no graph is asked.
    #[must_use]
    pub fn source(&self) -> Option<&[Matcher]> {
        match self.sources.as_slice() {
            [Condition { matchers, at_least: 1 }] if self.along.is_none() => Some(matchers),
            _ => None,
        }
    }

    /// Whether an event is one that it holds back.
    pub(crate) fn is_target(&self, event: &Event) -> bool {
        self.fits(&self.target, event)
    }

    fn fits(&self, matchers: &[Matcher], event: &Event) -> bool {
        matchers.iter().all(|matcher| matcher.fits_value(self.value(event, matcher.name())))
    }

    fn value<'a>(&self, event: &'a Event, name: &str) -> &'a str {
        match self.looks_at {
            LooksAt::Fields => event.field(name),
            LooksAt::Posted => Routable::label(event, name),
        }
    }

    /// What an alert of this event counts for, as a source.
    pub(crate) fn counts<'a>(&'a self, event: &'a Event) -> impl Iterator<Item = Key> + 'a {
        let fitting = self.sources.iter().enumerate().filter(|(_, condition)| self.fits(&condition.matchers, event));
        fitting.map(|(at, _)| self.key(at, event, event.service.as_deref()))
    }

    /// Whether it holds back this event. `count` = how many other alerts count for a key.
    pub(crate) fn holds(&self, event: &Event, graph: &Topology, count: impl Fn(&Key) -> u32) -> bool {
        let met = |at: usize, service: Option<&str>| count(&self.key(at, event, service)) >= self.sources[at].at_least;
        let all = |service: Option<&str>| (0..self.sources.len()).all(|at| met(at, service));
        self.is_target(event)
            && match (self.along, &event.service) {
                (None, _) => all(None),
                (Some(Along::Calls), Some(service)) => graph.below(service).any(|callee| all(Some(callee))),
                (Some(Along::Calls), None) => false,
            }
    }

    fn key(&self, at: usize, event: &Event, service: Option<&str>) -> Key {
        let at = at.to_string();
        let mut parts = vec![at.as_str(), if self.along.is_some() { service.unwrap_or("") } else { "" }];
        parts.extend(self.equal.iter().map(|name| self.value(event, name)));
        (self.name.clone(), Fingerprint::of(&parts))
    }
}
