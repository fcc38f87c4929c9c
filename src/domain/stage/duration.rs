//! How long alerts last before they resolve by themselves: a histogram over powers of two of a minute.

use serde::{Deserialize, Serialize};

use crate::domain::judgement::Judgement;
use crate::domain::sparse::Sparse;

/// Classes: below 1 minute, below 2, below 4, … the last one is open (beyond 11 days).
const CLASSES: usize = 16;

/// Episode lengths, by class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Episodes {
    counts: Sparse<f32>,
}

/// The class of a length in seconds.
pub(crate) fn class(secs: f64) -> usize {
    if secs < 60.0 { 0 } else { (1 + libm::log2(secs / 60.0) as usize).min(CLASSES - 1) }
}

/// The upper end of a class in seconds.
pub(crate) fn end(class: usize) -> f64 {
    60.0 * f64::from(1_u32 << class.min(CLASSES - 1))
}

impl Episodes {
    /// Counts an episode that ended by itself. Old ones count less: about the last thousand matter.
    pub(crate) fn count(&mut self, secs: f64) {
        const KEEP: f32 = 0.999;
        self.counts.iter_mut().for_each(|count| *count *= KEEP);
        *self.counts.entry(class(secs)) += 1.0;
    }

    /// How many episodes ended, decayed.
    pub(crate) fn total(&self) -> f64 {
        self.at_least(0)
    }

    fn at_least(&self, class: usize) -> f64 {
        f64::from(self.counts.sum_from(class))
    }

    /// The bits of lasting `secs` or longer: against this series' past, shrunk to its check's, shrunk to a
    /// prior of which half resolves within `prior_duration`.
    pub(crate) fn bits(&self, check: &Self, secs: f64, judgement: &Judgement) -> f64 {
        let class = class(secs);
        let weight = judgement.duration_weight;
        let prior = 1.0 / (1.0 + secs / judgement.prior_duration);
        let of_check = (check.at_least(class) + 4.0 * weight * prior) / (check.total() + 4.0 * weight);
        -libm::log2((self.at_least(class) + weight * of_check) / (self.total() + weight))
    }

    /// The length in seconds within which `share` of the episodes end, rounded up to the end of its class;
    /// `None` before the first one.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let total = self.total();
        if total < 0.5 {
            return None;
        }
        let mut sum = 0.0;
        for (class, count) in self.counts.iter() {
            sum += f64::from(count);
            if sum >= share * total {
                return Some(end(class));
            }
        }
        Some(end(CLASSES - 1))
    }
}
