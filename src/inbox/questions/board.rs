//! What Alertmanager's board is worked out from: every alert that fires, as it was posted, and all silences.

use serde::{Deserialize, Serialize};

use super::silences::unite;
use crate::domain::{Posting, Silence, Timestamp};
use crate::inbox::numbered::Numbered;
use crate::inbox::question::Question;
use crate::inbox::view::View;

/// Every alert that fires.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Postings;

/// What [`Postings`] is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The alerts.
    pub postings: Vec<Posting>,
    /// All silences.
    pub silences: Vec<Silence>,
    /// When.
    pub now: Timestamp,
}

impl Numbered for Postings {}
impl Numbered for Snapshot {}

impl Question for Postings {
    const NAME: &'static str = "postings";
    type Answer = Snapshot;

    fn answer(&self, view: &View<'_>) -> Snapshot {
        let engine = view.engine;
        Snapshot { postings: engine.postings(), silences: engine.all_silences(), now: engine.now() }
    }

    fn join(&self, all: &mut Snapshot, other: Snapshot) {
        all.postings.extend(other.postings);
        unite(&mut all.silences, other.silences);
        all.now = all.now.max(other.now);
    }
}
