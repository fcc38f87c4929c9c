//! The detector of unusual values in a stream of samples: "four records" (`docs/EVALUATION.md` has its scores).
//!
//! Four statements, each held against its own slowly forgetting maximum, because the records of independent draws
//! have rate 1/n and so give each series a scale-free, self-limiting budget of alarms: the value is outside the
//! range of the last weeks; the average has drifted as never lately; a block is off what its best simple predictor
//! (last, fast, slow, hour of the day) said; a block is off what this hour of the day usually shows. One pass,
//! constant memory, no look-ahead. What it learns from one sample or one record is bounded, so that a giant outlier
//! does not deafen it. Deliberately no alarm of its own here: it gives a score.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

mod constants;
mod range;
mod record;
mod season;

pub use constants::Constants;
use range::Range;
use record::{Record, alpha};
use season::Season;

/// A score above this is unusual: half a percent of the range outside of it.
pub(crate) const UNUSUAL: f32 = 3.05;
/// What a value at the edge of its range, or a statistic at its margin, scores.
const EDGE: f32 = 3.0;
/// No score is higher.
const HIGHEST: f32 = 1e6;
/// Larger values are left out, so that sums and ratios stay finite.
const LARGEST: f32 = 1e30;

/// One series' detector. All counts are in samples or blocks, except the memory of the range.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    range: Range,
    drift: Drift,
    residual: Residual,
    /// The score of the latest emission, and the samples since.
    held: f32,
    age: u32,
    /// The latest unusual value: when, and after how many samples.
    unusual: (Timestamp, u32),
}

/// Sums samples into block means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Block {
    sum: f32,
    count: u16,
    /// Whole blocks so far.
    blocks: u16,
}

impl Block {
    /// The mean of the block that this sample ends.
    fn push(&mut self, value: f32, size: u16) -> Option<f32> {
        self.sum += value;
        self.count += 1;
        if self.count < size {
            return None;
        }
        let mean = self.sum / f32::from(self.count);
        (self.sum, self.count) = (0.0, 0);
        self.blocks = self.blocks.saturating_add(1);
        Some(mean)
    }
}

/// The drift of block means: a fast average against a slow one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Drift {
    block: Block,
    fast: f32,
    slow: f32,
    scale: f32,
    record: Record,
}

impl Drift {
    fn push(&mut self, value: f32, least: f32, constants: &Constants) -> Option<f32> {
        let mean = self.block.push(value, constants.drift_block)?;
        let count = self.block.blocks;
        if count == 1 {
            (self.fast, self.slow) = (mean, mean);
            return None;
        }
        self.fast += alpha(constants.fast, count) * (mean - self.fast);
        let off = (self.fast - self.slow).abs() / (self.scale + least);
        let beyond = if count > 4 { self.record.beyond(off, constants.drift_keep(), constants) } else { None };
        let weight = alpha(constants.slow, count);
        let step = mean - self.slow;
        self.scale += weight * (step.abs() - self.scale);
        self.slow += weight * step;
        beyond.map(|beyond| beyond - constants.drift_margin)
    }
}

/// How far block means are off what was to be expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Residual {
    block: Block,
    last: f32,
    fast: f32,
    slow: f32,
    season: Season,
    /// The mean error of each predictor, and how often it was tried (no more than 255 counts).
    error: [f32; 4],
    tried: [u8; 4],
    /// The best predictor's record, and that of the hour of the day.
    best: Record,
    hourly: Record,
}

/// The place of the hour of the day among the predictors.
const HOURLY: usize = 3;

impl Residual {
    fn push(&mut self, hour: usize, value: f32, least: f32, constants: &Constants) -> Option<f32> {
        let mean = self.block.push(value, constants.residual_block)?;
        if self.block.blocks == 1 {
            (self.last, self.fast, self.slow) = (mean, mean, mean);
            self.season.learn(hour, mean, constants);
            return None;
        }
        let guesses = [Some(self.last), Some(self.fast), Some(self.slow), self.season.guess(hour)];
        let errors = guesses.map(|guess| guess.map(|guess| (mean - guess).abs()));
        let beyond = self.beyond(errors, least, constants);
        for (which, error) in errors.into_iter().enumerate() {
            if let Some(error) = error {
                self.learn(which, error, least, constants);
            }
        }
        let count = self.block.blocks;
        self.last = mean;
        self.fast += alpha(constants.fast, count) * (mean - self.fast);
        self.slow += alpha(constants.slow, count) * (mean - self.slow);
        self.season.learn(hour, mean, constants);
        beyond
    }

    /// How far this block is beyond its records.
    fn beyond(&mut self, errors: [Option<f32>; 4], least: f32, constants: &Constants) -> Option<f32> {
        /// A predictor is known after so many blocks: the hour of the day after a day of hourly ones.
        const KNOWN: [u8; 4] = [3, 3, 3, 24];
        let known = |which: usize| errors[which].filter(|_| self.tried[which] >= KNOWN[which]);
        let best = (0..errors.len())
            .filter(|&which| known(which).is_some())
            .min_by(|&a, &b| self.error[a].total_cmp(&self.error[b]));
        let off = |which: usize| known(which).map(|error| error / (self.error[which] + least));
        let (best, hourly) = (best.and_then(off), off(HOURLY));
        let keep = constants.residual_keep();
        let best = best.and_then(|off| self.best.beyond(off, keep, constants));
        let hourly = hourly.and_then(|off| self.hourly.beyond(off, keep, constants));
        let best = best.map(|beyond| beyond - constants.residual_margin);
        let hourly = hourly.map(|beyond| beyond - constants.hourly_margin);
        best.into_iter().chain(hourly).reduce(f32::max)
    }

    fn learn(&mut self, which: usize, error: f32, least: f32, constants: &Constants) {
        self.tried[which] = self.tried[which].saturating_add(1);
        let settled = self.tried[which] > 10;
        let most = constants.error_most * self.error[which] + least;
        let error = if settled { error.min(most) } else { error };
        self.error[which] += alpha(constants.slow, self.tried[which].into()) * (error - self.error[which]);
    }
}

impl Detector {
    /// Takes a sample; its score, 0 = nothing, `UNUSUAL` and more = unusual. What is no
    /// number, or beyond ±10³⁰, is left out.
    pub(crate) fn push(&mut self, now: Timestamp, value: f64) -> f32 {
        self.push_by(&Constants::SHIPPED, now, value)
    }

    /// [`Self::push`] with other constants than the shipped ones, for the study of what hangs on them.
    #[inline]
    fn push_by(&mut self, constants: &Constants, now: Timestamp, value: f64) -> f32 {
        let value = value as f32;
        if value.is_nan() || value.abs() > LARGEST {
            return 0.0;
        }
        self.age = self.age.saturating_add(1);
        let score = self.score(constants, now, value);
        let fresh = self.held == 0.0 || f32::from(constants.refractory) < self.age as f32;
        if score <= 0.0 || !(fresh || score > self.held) {
            return 0.0;
        }
        (self.held, self.age) = (score, 0);
        if score >= UNUSUAL {
            self.unusual = (now, self.range.samples());
        }
        score
    }

    /// Takes a sample; how unusual it is, from 0 to 1. From 0.5 on it is unusual. What is no
    /// number, or beyond ±10³⁰, scores 0.
    pub fn anomaly(&mut self, constants: &Constants, now: Timestamp, value: f64) -> f64 {
        let score = f64::from(self.push_by(constants, now, value));
        score / (score + f64::from(UNUSUAL))
    }

    fn score(&mut self, constants: &Constants, now: Timestamp, value: f32) -> f32 {
        let (outside, value) = self.range.push(now, value, constants);
        let least = constants.least * self.range.width() + 1e-9;
        let drift = self.drift.push(value, least, constants);
        let residual = self.residual.push(now.hour_of_day(), value, least, constants);
        let records = drift.into_iter().chain(residual).map(|beyond| beyond / constants.record_scale);
        let edge = outside.into_iter().map(|outside| outside / constants.range_scale);
        records.chain(edge).reduce(f32::max).map_or(0.0, |most| (most + EDGE).clamp(0.0, HIGHEST))
    }

    /// Whether a value was unusual so lately that what is less so is held back.
    pub(crate) fn unusual_lately(&self) -> bool {
        let (_, samples) = self.unusual;
        let since = self.range.samples().saturating_sub(samples);
        samples > 0 && since <= u32::from(Constants::SHIPPED.refractory)
    }

    /// Forgets what it learned since `before`, but not that something was unusual.
    pub(crate) fn forget_back_to(&mut self, before: &Self) {
        *self = Self { unusual: self.unusual, ..before.clone() };
    }

    /// The bits of a value that was unusual within `secs` before now: a record among n blocks has chance 1/n.
    pub(crate) fn bits(&self, now: Timestamp, secs: f64) -> f64 {
        let (at, samples) = self.unusual;
        if samples == 0 || now.since(at) > secs {
            return 0.0;
        }
        libm::log2(f64::from(samples / u32::from(Constants::SHIPPED.residual_block)).max(1.0))
    }
}

#[cfg(test)]
mod tests;
