//! The range of the last weeks: two spans of time, the current one and the one before.

use serde::{Deserialize, Serialize};

use super::Constants;
use crate::domain::time::Timestamp;

const DAY: f64 = 86_400.0;

/// The lowest and the highest value of a span, and of the span before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Range {
    /// When the current span began, and its samples so far.
    since: Timestamp,
    of_span: u32,
    /// All samples so far.
    samples: u32,
    low: f32,
    high: f32,
    low_before: f32,
    high_before: f32,
}

impl Range {
    /// Takes a value: how far it lies outside (a share of the range; negative = inside; `None` = too little is
    /// known), and the value itself, no further outside than the range is widened by it.
    pub(super) fn push(&mut self, now: Timestamp, value: f32, constants: &Constants) -> (Option<f32>, f32) {
        self.samples = self.samples.saturating_add(1);
        if self.samples == 1 {
            self.since = now;
            (self.low, self.high, self.low_before, self.high_before) = (value, value, value, value);
        }
        let (low, high) = self.ends();
        let width = high - low;
        let known = width > 0.0 && self.samples > u32::from(constants.warm_up);
        let outside = known.then(|| (value - high).max(low - value) / width);
        let most = constants.range_most * width;
        let value = if known { value.clamp(low - most, high + most) } else { value };
        self.of_span = self.of_span.saturating_add(1);
        let over = now.since(self.since) >= f64::from(constants.range_days) * DAY;
        if over && self.of_span >= constants.range_samples {
            (self.since, self.of_span) = (now, 0);
            (self.low_before, self.high_before) = (self.low, self.high);
            (self.low, self.high) = (value, value);
        }
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
        (outside, value)
    }

    /// From the lowest to the highest value of both spans.
    pub(super) fn width(&self) -> f32 {
        let (low, high) = self.ends();
        high - low
    }

    /// Samples so far.
    pub(super) const fn samples(&self) -> u32 {
        self.samples
    }

    fn ends(&self) -> (f32, f32) {
        (self.low.min(self.low_before), self.high.max(self.high_before))
    }
}
