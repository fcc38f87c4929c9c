//! What each hour of the day usually shows, in UTC.

use serde::{Deserialize, Serialize};

use super::{Constants, alpha};

/// A slow mean for each hour of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Season {
    mean: [f32; 24],
    /// How often each hour was seen (no more than 255 counts).
    seen: [u8; 24],
}

impl Season {
    /// What this hour usually shows; `None` = it was never seen.
    pub(super) fn guess(&self, hour: usize) -> Option<f32> {
        (self.seen[hour] > 0).then_some(self.mean[hour])
    }

    /// Takes a block that ended in this hour.
    pub(super) fn learn(&mut self, hour: usize, mean: f32, constants: &Constants) {
        self.seen[hour] = self.seen[hour].saturating_add(1);
        self.mean[hour] += alpha(constants.season, self.seen[hour].into()) * (mean - self.mean[hour]);
    }
}
