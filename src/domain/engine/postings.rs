//! Postings: what senders wrote, kept for those who ask for it in the senders' own words.
//!
//! No decision depends on them; only who asks sees them, and silences that were set in those words.

use std::time::Duration;

use super::Engine;
use super::intake::Arrival;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::posting::Posting;
use crate::domain::signal::Status;
use crate::domain::timers::Due;

/// How often what is over is swept up. Nobody sees it meanwhile.
const SWEEP: Duration = Duration::from_secs(300);

impl Engine {
    /// Keeps what was posted with an event that was taken.
    pub(super) fn post(&mut self, arrival: &Arrival<'_>) {
        match (arrival.event.status, &arrival.event.posted) {
            (Status::Resolved, _) => drop(self.postings.remove(arrival.alert)),
            (Status::Firing | Status::Event, Some(posted)) => {
                // Without an end of its own it is there as long as its alert.
                if posted.ends.is_none() && self.alerts.find(arrival.alert).is_none() {
                    return;
                }
                let before = self.postings.get(arrival.alert);
                let posting = Posting::merged(arrival.alert, posted, self.now(), before);
                self.postings.insert(posting);
                self.set_sweep();
            }
            (Status::Firing | Status::Event, None) => {}
            (Status::Acknowledged | Status::NoData | Status::Sample, _) => {}
        }
    }

    /// An alert fires no longer: what has no end of its own goes with it.
    pub(super) fn unpost(&mut self, alert: Fingerprint) {
        if self.postings.get(alert).is_some_and(|posting| posting.ends.is_none()) {
            self.postings.remove(alert);
        }
    }

    /// Sees to it that postings are swept up while there are any.
    pub(super) fn set_sweep(&mut self) {
        if !self.sweeps && self.postings.len() > 0 {
            self.sweeps = true;
            self.timers.set(self.now() + SWEEP, Due::Sweep, Fingerprint(0));
        }
    }

    /// Forgets what is over.
    pub(super) fn sweep_postings(&mut self) {
        self.sweeps = false;
        let now = self.now();
        let over: Vec<_> = self
            .postings
            .rows()
            .filter(|(_, posting)| posting.is_over(now))
            .map(|(_, posting)| posting.alert)
            .collect();
        for alert in over {
            self.postings.remove(alert);
        }
        self.set_sweep();
    }

    /// What is posted and not over, in no order that means anything. What has no end of its own ends when Squelch
    /// would give its alert up.
    #[must_use]
    pub fn postings(&self) -> Vec<Posting> {
        let now = self.now();
        let expires = |alert| self.alerts.get(alert).map(|alert| alert.expires);
        let shown =
            |posting: &Posting| Posting { ends: posting.ends.or_else(|| expires(posting.alert)), ..posting.clone() };
        self.postings.rows().map(|(_, posting)| posting).filter(|posting| !posting.is_over(now)).map(shown).collect()
    }
}
