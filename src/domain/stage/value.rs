//! How far a value is beyond its limit, against how far it usually is.

use serde::{Deserialize, Serialize};

use crate::domain::judgement::Judgement;

/// The share of the memory that is kept at each onset: about fifty onsets count.
const KEEP: f32 = 0.98;
/// So many onsets must have been seen before a value says anything.
const ENOUGH: f32 = 3.0;
/// Beyond ten times the limit, more is no more.
const MOST: f64 = 10.0;

/// What a series remembers of its excesses: |value − threshold| ÷ |threshold|.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Excess {
    sum: f32,
    count: f32,
}

impl Excess {
    /// The bits that a value adds, and remembers it unless it is `frozen`.
    pub(crate) fn bits(&mut self, value: f64, threshold: f64, frozen: bool, judgement: &Judgement) -> f64 {
        let excess = ((value - threshold).abs() / threshold.abs().max(1e-3)).min(MOST);
        // The prior: one onset 30% beyond its limit.
        let usual = (f64::from(self.sum) + 0.3) / (f64::from(self.count) + 1.0);
        let bits = (excess / usual - 1.0) * judgement.value_weight / std::f64::consts::LN_2;
        let known = self.count >= ENOUGH;
        if !frozen {
            self.sum = self.sum * KEEP + excess as f32;
            self.count = self.count * KEEP + 1.0;
        }
        if known { bits.clamp(0.0, judgement.value_most) } else { 0.0 }
    }
}
