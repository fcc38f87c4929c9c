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
            (Status::Resolved, _) if self.postings.len() == 0 => {}
            (Status::Resolved, _) => drop(self.postings.remove(arrival.alert)),
            (Status::Firing | Status::Event, Some(posted)) => {
                // Without an end of its own it is there as long as its alert.
                if posted.ends.is_none() && self.alerts.find(arrival.alert).is_none() {
                    return;
                }
                let before = self.postings.find(arrival.alert);
                let known = before.map(|slot| self.postings.at(slot));
                let mut posting = Posting::merged(arrival.alert, posted, self.now(), known);
                match before.filter(|slot| self.postings.at(*slot).text == posting.text) {
                    Some(slot) => {
                        let row = self.postings.beat(slot);
                        posting.text = row.text.clone();
                        *row = posting;
                    }
                    None => drop(self.postings.insert(posting)),
                }
                self.set_sweep();
            }
            (Status::Firing | Status::Event, None) => {}
            (Status::Acknowledged | Status::NoData | Status::Sample, _) => {}
        }
    }

    /// An alert fires no longer: what has no end of its own goes with it.
    pub(super) fn unpost(&mut self, alert: Fingerprint) {
        if self.postings.len() > 0 && self.postings.get(alert).is_some_and(|posting| posting.ends.is_none()) {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::event::Event;
    use crate::domain::policy::Policy;
    use crate::domain::posting::Posted;
    use crate::domain::time::Timestamp;
    use crate::domain::turn::{Input, Turn};

    const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn take(engine: &mut Engine, at: f64, seq: u64, event: &Event) {
        engine.handle(START.after(at), Input::Event { seq, event }, &mut Turn::default());
    }

    fn alert(ends: f64) -> Event {
        let mut event = Event { ends: Some(START.after(ends)), ..Event::new("prometheus", "Up") };
        event.posted = Some(Box::new(Posted { ends: event.ends, ..Posted::of(&event) }));
        event
    }

    #[test]
    fn an_alert_ends_when_its_sender_said_it_would() {
        let mut engine = Engine::new(Arc::new(Policy::default()));
        take(&mut engine, 0.0, 0, &alert(240.0));
        take(&mut engine, 60.0, 1, &alert(300.0));
        for (at, firing) in [(299.0, 1), (301.0, 0)] {
            engine.handle(START.after(at), Input::Tick, &mut Turn::default());
            assert_eq!((engine.tally().firing, engine.postings().len()), (firing, firing as usize), "after {at} s");
        }
        engine.handle(START.after(700.0), Input::Tick, &mut Turn::default());
        assert_eq!(engine.postings.len(), 0, "what is over is swept up");
    }

    #[test]
    fn while_nothing_could_be_heard_no_alert_ends() {
        let mut engine = Engine::new(Arc::new(Policy::default()));
        take(&mut engine, 0.0, 0, &alert(240.0));
        engine.resume(START.after(1_000.0));
        for (at, firing) in [(1_001.0, 1), (1_239.0, 1), (1_241.0, 0)] {
            engine.handle(START.after(at), Input::Tick, &mut Turn::default());
            assert_eq!(engine.tally().firing, firing, "after {at} s");
        }
    }
}
