//! Point events (exceptions): when their count is improbable under their own rate.
//!
//! The count of the last minutes is leaky; its likelihood under the series' own Gamma–Poisson rate (a negative
//! binomial) is held against that of a rate that fits the count: a log-likelihood ratio, in powers of ten.

use serde::{Deserialize, Serialize};

use crate::domain::judgement::Judgement;
use crate::domain::signal::Severity;
use crate::domain::time::Timestamp;

/// So many events make a burst at least.
const LEAST: f64 = 2.5;
/// A series that spoke so often is talkative.
const TALKATIVE: f64 = 10.0;

/// What a series remembers of its point events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Burst {
    /// The leaky count, at `at`.
    count: f64,
    /// When the latest event came.
    at: Timestamp,
    /// Events so far.
    events: f64,
    /// The burst ends then if it is not fed.
    pub(crate) ends: Option<Timestamp>,
    /// The severity that the series is on with because of a burst, and not of an alert.
    pub(crate) on: Option<Severity>,
}

impl Burst {
    /// Counts an event. `prior` is the rate of events of the check a second, `history` the seconds since the
    /// engine has seen anything. The improbability in powers of ten, and whether it makes a burst.
    pub(crate) fn event(&mut self, now: Timestamp, prior: f64, history: f64, judgement: &Judgement) -> (f64, bool) {
        let memory = judgement.burst_memory;
        self.count = self.count * libm::exp(-now.since(self.at).max(0.0) / memory) + 1.0;
        self.at = now;
        let shape = self.events + 1.0;
        let mean = shape / (history + 1.0 / prior) * memory;
        self.events += 1.0;
        let count = self.count;
        let improbability = if count > mean {
            (count * libm::log(count / mean) - (count + shape) * libm::log((count + shape) / (mean + shape)))
                / std::f64::consts::LN_10
        } else {
            0.0
        };
        (improbability, improbability >= judgement.burst_improbability && count >= LEAST)
    }

    /// Whether this series spoke so often that a burst of it is nothing unheard of.
    pub(crate) fn talkative(&self) -> bool {
        self.events >= TALKATIVE
    }

    /// The leaky count.
    pub(crate) const fn count(&self) -> f64 {
        self.count
    }
}
