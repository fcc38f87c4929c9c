//! The view: what questions are put to, and what they may see of incidents, whoever decided these.

use std::cmp::Reverse;

use crate::domain::{Alarms, Engine, IncidentExplanation, IncidentId, IncidentSummary};

/// What a question is put to, between two batches.
#[derive(Debug)]
pub struct View<'a> {
    /// What was judged.
    pub engine: &'a Engine,
    /// What no judge decided.
    pub alarms: &'a Alarms,
}

impl View<'_> {
    /// The incidents: open ones first, latest first, then closed ones that are still remembered.
    #[must_use]
    pub fn incidents(&self) -> Vec<(IncidentSummary, bool)> {
        let mut all = self.alarms.incidents();
        all.extend(self.engine.incidents());
        all.sort_by_key(|(summary, open)| (!open, Reverse(summary.opened)));
        all
    }

    /// All open incidents, in no order, and the latest `closed` of the others, latest first.
    #[must_use]
    pub fn latest_incidents(&self, closed: usize) -> (Vec<&IncidentSummary>, Vec<&IncidentSummary>) {
        let all = self.alarms.summaries().chain(self.engine.incidents_that(|_| true));
        let (open, mut over): (Vec<_>, Vec<_>) = all.partition(|summary| summary.resolved.is_none());
        over.sort_unstable_by_key(|summary| Reverse((summary.opened, summary.incident)));
        over.truncate(closed);
        (open, over)
    }

    /// Everything about one incident that is still remembered.
    #[must_use]
    pub fn why_incident(&self, id: IncidentId) -> Option<IncidentExplanation> {
        self.alarms.why_incident(id).or_else(|| self.engine.why_incident(id))
    }
}
