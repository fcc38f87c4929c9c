//! A statistic against its own forgetting maximum.

use serde::{Deserialize, Serialize};

use super::Constants;

/// The largest value lately of a statistic, and its mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    count: u16,
    most: f32,
    mean: f32,
}

impl Record {
    /// The logarithm of how far `x` (not negative) is beyond the record; `None` while it warms up. `keep` = what is
    /// left of the record's lead over the mean after one value.
    pub(super) fn beyond(&mut self, x: f32, keep: f32, constants: &Constants) -> Option<f32> {
        /// The mean is one over about a thousand values.
        const MEAN: f32 = 0.001;
        self.count = self.count.saturating_add(1);
        let soft = constants.record_soft;
        let warm = self.count > constants.record_warm_up;
        let out = warm.then(|| libm::logf((x + soft) / (self.most + soft)));
        let highest = if warm { (self.most + soft) * constants.record_most - soft } else { x };
        self.most = if x > self.most { x.min(highest) } else { self.mean + (self.most - self.mean) * keep };
        self.mean += alpha(MEAN, self.count) * (x.min(highest) - self.mean);
        out
    }
}

/// The weight of a new value in an average over about `1/least`, a plain mean at first.
pub(super) fn alpha(least: f32, count: u16) -> f32 {
    least.max(1.0 / f32::from(count))
}
