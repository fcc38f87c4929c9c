//! The detector of unusual values in a stream of samples: "3 records" (`docs/EVALUATION.md` has its scores).
//!
//! Three statistics, each held against its own slowly forgetting maximum, because the records of independent
//! draws have rate 1/n and so give each series a scale-free, self-limiting budget of alarms: the value against
//! its range, the drift of block means, and the residual of the best of four simple predictors (last, fast, slow,
//! hour of the day). One pass, constant memory. Deliberately no alarm of its own here: it gives a score.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// Samples in a block of the drift and of the residual statistic.
const DRIFT_BLOCK: u32 = 24;
const RESIDUAL_BLOCK: u32 = 12;
/// The range channel says nothing before so many samples.
const WARM_UP: u32 = 50;
/// The range forgets: what is left of its half-width after one sample (half after about 14,000).
const RANGE_KEEP: f32 = 0.999_95;
/// After an emission, so many samples hold back anything smaller.
const REFRACTORY: u32 = 75;
/// A score above this is unusual.
pub(crate) const UNUSUAL: f32 = 3.05;

/// One series' detector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Detector {
    samples: u32,
    low: f32,
    high: f32,
    drift: Drift,
    residual: Residual,
    held: f32,
    age: u32,
    /// The latest unusual value: when, and after how many samples.
    pub(crate) unusual: Option<(Timestamp, u32)>,
}

/// A statistic against its own forgetting maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Record {
    count: u32,
    most: f32,
    mean: f32,
}

impl Record {
    /// The logarithm of how far `x` is beyond the record; `None` while it warms up.
    fn beyond(&mut self, x: f32, keep: f32) -> Option<f32> {
        self.count = self.count.saturating_add(1);
        let out = (self.count > 50).then(|| libm::logf((x + 0.5) / (self.most + 0.5)));
        self.most = if x > self.most { x } else { self.mean + (self.most - self.mean) * keep };
        self.mean += alpha(0.001, self.count) * (x - self.mean);
        out
    }
}

/// The weight of a new value in an average over about `1/least`, a plain mean at first.
fn alpha(least: f32, count: u32) -> f32 {
    least.max(1.0 / count as f32)
}

/// Sums samples into block means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Block {
    sum: f32,
    count: u32,
    blocks: u32,
}

impl Block {
    fn push(&mut self, value: f32, size: u32) -> Option<f32> {
        self.sum += value;
        self.count += 1;
        if self.count < size {
            return None;
        }
        let mean = self.sum / size as f32;
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
    fn push(&mut self, value: f32, least: f32) -> Option<f32> {
        /// The maximum's memory: a half-life of 1,155 samples (4 days at 5 minutes).
        const KEEP: f32 = 0.985_7;
        let mean = self.block.push(value, DRIFT_BLOCK)?;
        let count = self.block.blocks;
        if count == 1 {
            (self.fast, self.slow) = (mean, mean);
            return None;
        }
        self.fast += alpha(0.1, count) * (mean - self.fast);
        let beyond = (count > 4)
            .then(|| self.record.beyond((self.fast - self.slow).abs() / (self.scale + least), KEEP))
            .flatten();
        let weight = alpha(0.01, count);
        let off = mean - self.slow;
        self.scale += weight * (off.abs() - self.scale);
        self.slow += weight * off;
        beyond.map(|beyond| (beyond - 0.1) / 0.3)
    }
}

/// The residual of block means against the best of four predictors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Residual {
    block: Block,
    last: f32,
    fast: f32,
    slow: f32,
    season: [f32; 24],
    seen: [u16; 24],
    error: [f32; 4],
    errors: [u32; 4],
    record: Record,
}

impl Residual {
    fn push(&mut self, hour: usize, value: f32, least: f32) -> Option<f32> {
        /// The maximum's memory: a half-life of 2,310 samples (8 days at 5 minutes).
        const KEEP: f32 = 0.996_4;
        let mean = self.block.push(value, RESIDUAL_BLOCK)?;
        if self.block.blocks == 1 {
            (self.last, self.fast, self.slow) = (mean, mean, mean);
            (self.season[hour], self.seen[hour]) = (mean, 1);
            return None;
        }
        let guesses = [self.last, self.fast, self.slow, self.season[hour]];
        let usable = if self.seen[hour] >= 1 { 4 } else { 3 };
        let ready = |which: usize| self.errors[which] >= if which == 3 { 24 } else { 3 };
        let best = (0..usable).filter(|&which| ready(which)).min_by(|&a, &b| self.error[a].total_cmp(&self.error[b]));
        let beyond = best
            .and_then(|which| self.record.beyond((mean - guesses[which]).abs() / (self.error[which] + least), KEEP));
        for (which, guess) in guesses.into_iter().enumerate().take(usable) {
            self.learn(which, (mean - guess).abs(), least);
        }
        self.remember(hour, mean);
        beyond.map(|beyond| (beyond - 0.2) / 0.3)
    }

    fn learn(&mut self, which: usize, error: f32, least: f32) {
        self.errors[which] = self.errors[which].saturating_add(1);
        // One giant outlier must not deafen the predictor.
        let error = if self.errors[which] > 10 { error.min(5.0 * self.error[which] + least) } else { error };
        self.error[which] += alpha(0.01, self.errors[which]) * (error - self.error[which]);
    }

    fn remember(&mut self, hour: usize, mean: f32) {
        let count = self.block.blocks;
        self.last = mean;
        self.fast += alpha(0.1, count) * (mean - self.fast);
        self.slow += alpha(0.01, count) * (mean - self.slow);
        self.seen[hour] = self.seen[hour].saturating_add(1);
        self.season[hour] += alpha(0.15, u32::from(self.seen[hour])) * (mean - self.season[hour]);
    }
}

impl Detector {
    /// Takes a sample; its score, 0 = nothing, [`UNUSUAL`] and more = unusual. What is not finite is left out.
    pub(crate) fn push(&mut self, now: Timestamp, value: f64) -> f32 {
        let value = value as f32;
        if !value.is_finite() {
            return 0.0;
        }
        let score = self.score(now, value);
        let emitted = if score > 0.0 && (self.age > REFRACTORY || score > self.held) {
            (self.held, self.age) = (score, 0);
            score
        } else {
            self.age = self.age.saturating_add(1);
            0.0
        };
        if emitted >= UNUSUAL {
            self.unusual = Some((now, self.samples));
        }
        emitted
    }

    fn score(&mut self, now: Timestamp, value: f32) -> f32 {
        if self.samples == 0 {
            (self.low, self.high, self.age) = (value, value, REFRACTORY + 1);
        }
        self.samples = self.samples.saturating_add(1);
        let range = self.high - self.low;
        let mut score = -90.0_f32;
        if range > 0.0 && self.samples > WARM_UP {
            score = (value - self.high).max(self.low - value) / range / 0.1;
        }
        self.widen(value);
        let least = 0.01 * (self.high - self.low) + 1e-9;
        let drift = self.drift.push(value, least);
        let residual = self.residual.push(now.hour_of_day(), value, least);
        score = drift.into_iter().chain(residual).fold(score, f32::max);
        (score + 3.0).max(0.0)
    }

    /// Takes the value into the range, which shrinks towards its middle otherwise.
    fn widen(&mut self, value: f32) {
        let (middle, half) = (f32::midpoint(self.low, self.high), (self.high - self.low) / 2.0 * RANGE_KEEP);
        self.high = value.max(middle + half);
        self.low = value.min(middle - half);
    }

    /// The bits of a value that was unusual within `secs` before now: a record among n blocks has chance 1/n.
    pub(crate) fn bits(&self, now: Timestamp, secs: f64) -> f64 {
        match self.unusual {
            Some((at, samples)) if now.since(at) <= secs => libm::log2(f64::from(samples / RESIDUAL_BLOCK).max(1.0)),
            _ => 0.0,
        }
    }
}
