//! An incident: what belongs together, who was told of it, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::decision::{IncidentId, IncidentSummary, Moment, Page};
use super::explain::Candidate;
use super::fingerprint::Fingerprint;
use super::signal::{Kind, Severity};
use super::table::{Row, Slot};
use super::time::Timestamp;

/// Who last kept an incident open, so that not all its members must be asked each time. They are asked again, never
/// believed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Witnesses {
    /// A member that was on.
    pub(crate) on: Option<Slot>,
    /// A component that had turned to another incident.
    pub(crate) elsewhere: Option<Slot>,
}

/// An incident. What is looked at most stands first and together.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C)]
pub(crate) struct Incident {
    /// Whether it is open for people: something of it fires, or fired just now.
    pub(crate) open: bool,
    /// Messages sent so far.
    pub(crate) step: u32,
    /// See there.
    #[serde(skip)]
    pub(crate) witnesses: Witnesses,
    /// When a component last surged into it.
    pub(crate) surged: Timestamp,
    /// When its origin last surprised: it is remembered for a while after that.
    pub(crate) alive: Timestamp,
    /// It is over then, if nothing fires again.
    pub(crate) calm_at: Option<Timestamp>,
    /// What people see of it.
    pub(crate) summary: IncidentSummary,
    /// The components that surged into it.
    pub(crate) components: BTreeSet<Fingerprint>,
    /// The kinds of tool that spoke in it.
    pub(crate) kinds: BTreeSet<Kind>,
    /// The series that made it page: it is open while any of them is on.
    pub(crate) members: BTreeSet<Fingerprint>,
    /// All series of which an event is part of it; at most [`Incident::MOST`].
    pub(crate) joined: BTreeSet<Fingerprint>,
    /// The numbers of its first events; at most [`Incident::MOST`].
    pub(crate) events: Vec<u64>,
    /// The receivers that were told of it, and so must be told of its end.
    pub(crate) told: BTreeSet<String>,
    /// The receivers whom a page of it concerned, told or not.
    pub(crate) concerns: BTreeSet<String>,
    /// The page that waits until routes may tell it.
    pub(crate) later: Option<Box<Later>>,
    /// What is told when nobody takes it; nothing once somebody has.
    pub(crate) untaken: Option<Box<Untaken>>,
    /// The worst severity that people were paged with. It may have got worse since, without a page.
    pub(crate) paged_as: Severity,
    /// The candidates for its origin when it last paged, most likely first.
    pub(crate) origins: Vec<Candidate>,
    /// Changes shortly before it paged, latest first.
    pub(crate) suspects: Vec<String>,
    /// Those of its members that were critical when they made it page.
    pub(crate) critical: BTreeSet<Fingerprint>,
}

/// A page that waits for the end of an interval.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Later {
    /// The page.
    pub(crate) page: Page,
    /// Who waits for it, and the name of the route that is kept.
    pub(crate) receivers: BTreeMap<String, String>,
    /// When to look again.
    pub(crate) until: Timestamp,
}

/// A page that nobody has taken, and the routes that say what follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Untaken {
    /// The latest page.
    pub(crate) page: Page,
    /// How far each route is, by its name.
    pub(crate) routes: BTreeMap<String, Patience>,
    /// The latest reminder of each receiver: its place among the incident's messages.
    pub(crate) reminded: BTreeMap<String, u32>,
    /// When to look again.
    pub(crate) next: Timestamp,
}

/// How far a route is with waiting for somebody to take an incident.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Patience {
    /// When it told the page.
    pub(crate) since: Timestamp,
    /// So many of its steps were told.
    pub(crate) steps: u32,
    /// When it last told everybody.
    pub(crate) repeated: Timestamp,
}

impl Incident {
    /// How many series and event numbers an incident keeps; beyond them it only counts.
    pub(crate) const MOST: usize = 1000;

    /// Its number.
    pub(crate) const fn id(&self) -> IncidentId {
        self.summary.incident
    }

    /// The table's identity of an incident.
    pub(crate) const fn key(id: IncidentId) -> Fingerprint {
        Fingerprint(id.0)
    }

    /// Adds an event.
    pub(crate) fn add(&mut self, seq: u64, series: Fingerprint) {
        self.summary.alerts += 1;
        if self.events.len() < Self::MOST {
            let at = self.events.partition_point(|&other| other < seq);
            self.events.insert(at, seq);
        }
        if self.joined.len() < Self::MOST {
            self.joined.insert(series);
        }
    }

    /// Adds a line to its timeline; the first half and the latest are kept.
    pub(crate) fn tell(&mut self, ts: Timestamp, text: String) {
        let moments = &mut self.summary.moments;
        if moments.len() == IncidentSummary::MOST_MOMENTS {
            moments.remove(IncidentSummary::MOST_MOMENTS / 2);
        }
        moments.push(Moment { ts, text });
    }
}

impl Row for Incident {
    const KIND: u8 = b'i';
    const VERSION: u8 = 6;

    fn fingerprint(&self) -> Fingerprint {
        Self::key(self.id())
    }
}
