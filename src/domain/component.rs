//! A component: a service, a host or a system of services, with the fresh surprise of everything that speaks about it.
//!
//! The surprises of its series all fade with one time constant, so they are kept relative to one reference time
//! and one factor brings all of them up to date: no sum over all series at each onset needs an exponential each.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::company::Company;
use super::decision::IncidentId;
use super::fingerprint::Fingerprint;
use super::table::{Row, Slot};
use super::time::Timestamp;

/// What sort of component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Part {
    /// A service.
    Service,
    /// A host.
    Host,
    /// A check that names neither: it stands for itself.
    Check,
    /// All services that are connected with each other in the graph: a little everywhere is much.
    System,
}

/// A series that is on, as its component sees it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Loud {
    /// The series.
    pub(crate) series: Fingerprint,
    /// Where it is. Follows from the above.
    #[serde(skip)]
    pub(crate) slot: Option<Slot>,
    /// Its check.
    pub(crate) check: Fingerprint,
    /// Its fresh bits, scaled to the component's reference time.
    pub(crate) bits: f64,
    /// Whether it is critical.
    pub(crate) critical: bool,
}

/// A component.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Component {
    /// Its identity.
    pub(crate) fingerprint: Fingerprint,
    /// What sort.
    pub(crate) part: Part,
    /// Its name.
    pub(crate) name: Arc<str>,
    /// The services of the series that spoke about it, in order of name; at most [`Component::SERVICES`].
    pub(crate) services: Vec<Arc<str>>,
    /// The series that are on, in order of check, then series.
    pub(crate) loud: Vec<Loud>,
    /// The time that [`Loud::bits`] are scaled to.
    pub(crate) reference: Timestamp,
    /// The sum of fresh bits, at `at`.
    pub(crate) level: f64,
    /// The smoothed sum, at `at`.
    pub(crate) meter: f64,
    /// When both were brought up to date.
    pub(crate) at: Timestamp,
    /// Whether it may page.
    pub(crate) armed: bool,
    /// How much it must bring until it pages, because a budget withheld it; more than the threshold.
    pub(crate) asked: Option<f64>,
    /// When its meter will cross the threshold if nothing changes.
    pub(crate) cross_at: Option<Timestamp>,
    /// When it was last loud: its meter at or above the re-arming share of the threshold.
    pub(crate) last_loud: Option<Timestamp>,
    /// The incident that it last belonged to.
    pub(crate) incident: Option<IncidentId>,
    /// When that incident was opened.
    pub(crate) paged: Option<Timestamp>,
    /// When it was last changed: a deploy, a replaced instance.
    pub(crate) changed: Option<Timestamp>,
    /// With which others it is seen in trouble; once it was.
    pub(crate) company: Option<Box<Company>>,
}

impl Component {
    /// How many services a component remembers.
    pub(crate) const SERVICES: usize = 32;
    /// How many series that are on a component hears: the loudest. A storm must not make each event dearer.
    pub(crate) const HEARD: usize = 512;

    /// A component that was never heard of.
    pub(crate) fn new(fingerprint: Fingerprint, part: Part, name: Arc<str>, now: Timestamp) -> Self {
        Self {
            fingerprint,
            part,
            name,
            services: Vec::new(),
            loud: Vec::new(),
            reference: now,
            level: 0.0,
            meter: 0.0,
            at: now,
            armed: true,
            asked: None,
            cross_at: None,
            last_loud: None,
            incident: None,
            paged: None,
            changed: None,
            company: None,
        }
    }

    /// Remembers that a series of this service spoke about it.
    pub(crate) fn heard_of(&mut self, service: &Arc<str>) {
        // Equal names share their memory, so that it is found without a look at the text.
        if !self.services.iter().any(|known| Arc::ptr_eq(known, service))
            && let Err(at) = self.services.binary_search(service)
            && self.services.len() < Self::SERVICES
        {
            self.services.insert(at, Arc::clone(service));
        }
    }
}

impl Row for Component {
    const KIND: u8 = b'p';
    const VERSION: u8 = 2;

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}
