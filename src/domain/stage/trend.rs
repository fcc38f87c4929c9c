//! The trend of a value, and when it reaches its limit if it goes on so.
//!
//! Exponentially forgetting least squares of value on time (recursive: Welford's update of weighted means and sums of
//! squares), in constant memory. A trend counts only when its slope is so many times its standard error
//! (`trend_certainty`), where residuals that follow one another count as fewer points: n (1 − ρ) ÷ (1 + ρ), with ρ the
//! correlation of neighbouring prediction errors. Without that, each step and each random walk is a trend. It must
//! also have counted for `trend_holds`. Where the values leave their line for good (a two-sided CUSUM of the prediction
//! errors, Page 1954), the line begins anew, so that a bend is seen. Deliberately no curves: what grows faster than a
//! line is seen sooner than told.

use serde::{Deserialize, Serialize};

use crate::domain::explain::Course;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::judgement::Judgement;
use crate::domain::time::Timestamp;

/// So many points make a line.
const POINTS: u32 = 8;
/// The line must be seen for so long, in seconds (√12 standard deviations of its times: the length of an even row).
const SPAN: f64 = 600.0;
/// A line is followed no further ahead than so many times its length.
const AHEAD: f64 = 4.0;
/// One point costs the older ones at most this share: what speaks seldom remembers for longer.
const LEAST_LEFT: f64 = 1.0 - 1.0 / 16.0;
/// No value is better known than this share of it.
const EXACT: f64 = 1e-3;
/// Two errors are never taken to be more alike than this.
const MOST_ALIKE: f64 = 0.95;
/// A pause of so many usual ones, and longer than the memory, begins a line anew.
const PAUSES: f64 = 8.0;
/// The CUSUM: what an error must exceed to count, when their sum ends the line, and how much one error can add. All in
/// standard deviations.
const DRIFT: f64 = 1.0;
const BREAK: f64 = 8.0;
const MOST_ERROR: f64 = 4.0;
/// So close to its limit, as a share of the whole scale, it has reached it.
const THERE: f64 = 0.02;
/// The hour within which it pages is never cut more often than this.
const MOST_CRIED: u8 = 3;

/// Which way is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Worse {
    /// The more, the worse: what is used.
    Up,
    /// The less, the worse: what is free.
    Down,
}

impl Worse {
    /// Whether the name of a check speaks of what is free.
    fn is_free(check: &str) -> bool {
        const FREE: [&str; 6] = ["free", "idle", "available", "availability", "remaining", "left"];
        let mut words = check.split(|letter: char| !letter.is_ascii_alphabetic());
        words.any(|word| FREE.iter().any(|free| word.eq_ignore_ascii_case(free)))
    }
}

/// What a value measures: how far it can go, and the limit that somebody set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scale {
    /// Its highest value; the lowest is 0. `None` = nobody knows.
    most: Option<f64>,
    /// The limit that somebody set.
    threshold: Option<f64>,
}

impl Scale {
    /// Whether it has an end that a value can reach: 100 % and nothing.
    pub(crate) const fn has_end(&self) -> bool {
        self.most.is_some()
    }

    /// The scale of an event's unit and threshold.
    pub(crate) fn of(unit: Option<&str>, threshold: Option<f64>) -> Self {
        let is = |words: &[&str]| unit.is_some_and(|unit| words.iter().any(|word| unit.eq_ignore_ascii_case(word)));
        let percent = is(&["%", "percent", "pct", "percentage"]);
        let ratio = is(&["ratio", "fraction"]);
        Self { most: percent.then_some(100.0).or(ratio.then_some(1.0)), threshold }
    }
}

/// The values of a series, as a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trend {
    /// Whose values: the alert of the latest point that had one. Values of two alerts make no line.
    of: Option<Fingerprint>,
    worse: Worse,
    /// Whether that is known: by the name of the check, where its threshold lies, or how it started to fire.
    known: bool,
    scale: Scale,
    line: Line,
    /// Since when the slope has counted.
    sure_since: Option<Timestamp>,
    /// Whether people were told, or its incident, while the series has been on.
    pub(crate) told: bool,
    reached: bool,
    /// How often lately that was for nothing.
    cried: u8,
}

/// Weighted means and sums. Times are seconds from the latest point on (so never above 0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Line {
    /// The latest point.
    at: Timestamp,
    value: f64,
    points: u32,
    weight: f64,
    time: f64,
    mean: f64,
    /// Sums of squares: of times, of times and values, of values.
    squares: (f64, f64, f64),
    /// The latest error of prediction, the sum of their squares, and that of the products of neighbours.
    errors: (f64, f64, f64),
    /// The usual pause.
    pause: f64,
    /// The CUSUM, upwards and downwards.
    off: (f64, f64),
}

impl Line {
    fn slope(&self) -> f64 {
        if self.squares.0 > 0.0 { self.squares.1 / self.squares.0 } else { 0.0 }
    }

    /// The line `secs` after the latest point.
    fn guess(&self, secs: f64) -> f64 {
        self.mean + self.slope() * (secs - self.time)
    }

    /// The standard deviation of the values around it.
    fn deviation(&self) -> f64 {
        let rest = (self.squares.2 - self.slope() * self.squares.1).max(0.0) / (self.weight - 2.0).max(1.0);
        rest.sqrt().max(EXACT * self.mean.abs())
    }

    /// For how long it was seen.
    fn span(&self) -> f64 {
        (12.0 * self.squares.0 / self.weight).sqrt()
    }

    /// The standard error of the slope; `None` = too little is known.
    fn error(&self) -> Option<f64> {
        if self.points < POINTS || self.weight <= 4.0 || self.span() < SPAN {
            return None;
        }
        let (_, squares, products) = self.errors;
        let alike = if squares > 0.0 { (products / squares).clamp(0.0, MOST_ALIKE) } else { 0.0 };
        Some(self.deviation() * ((1.0 + alike) / (1.0 - alike) / self.squares.0).sqrt())
    }

    /// Whether the values have left the line; otherwise remembers how far off this one is.
    fn breaks(&mut self, secs: f64, value: f64) -> bool {
        /// A line of fewer points is none yet.
        const FEW: u32 = 6;
        if self.points < FEW || self.squares.0 <= 0.0 {
            return false;
        }
        let spread = self.deviation();
        let off = if spread > 0.0 { ((value - self.guess(secs)) / spread).clamp(-MOST_ERROR, MOST_ERROR) } else { 0.0 };
        self.off = ((self.off.0 + off - DRIFT).max(0.0), (self.off.1 - off - DRIFT).max(0.0));
        self.off.0.max(self.off.1) > BREAK
    }

    fn forget(&mut self, secs: f64, memory: f64) {
        let left = libm::exp(-secs / memory).max(LEAST_LEFT);
        self.time -= secs;
        self.weight *= left;
        let (tt, tv, vv) = self.squares;
        self.squares = (tt * left, tv * left, vv * left);
        let (last, squares, products) = self.errors;
        self.errors = (last, squares * left, products * left);
    }

    /// Takes a point, not before the latest one.
    fn push(&mut self, at: Timestamp, value: f64, judgement: &Judgement) {
        let secs = if self.points == 0 { 0.0 } else { at.since(self.at) };
        let strange = secs > (PAUSES * self.pause).max(judgement.trend_memory) && self.points > 2;
        if strange || secs > judgement.trend_horizon || self.breaks(secs, value) {
            *self = Self::default();
        }
        if self.points > 0 {
            self.pause += (secs - self.pause) / f64::from(self.points.min(16));
            self.forget(secs, judgement.trend_memory);
        }
        if self.points > 2 {
            let error = value - self.guess(0.0);
            let (last, squares, products) = self.errors;
            self.errors = (error, squares + error * error, products + error * last);
        }
        let share = self.weight / (self.weight + 1.0);
        let (time, off) = (-self.time, value - self.mean);
        let (tt, tv, vv) = self.squares;
        self.squares = (tt + share * time * time, tv + share * time * off, vv + share * off * off);
        self.weight += 1.0;
        self.time += time / self.weight;
        self.mean += off / self.weight;
        (self.at, self.value, self.points) = (at, value, self.points.saturating_add(1));
    }
}

impl Trend {
    /// No values yet, of a check with this name.
    pub(crate) fn new(check: &str) -> Self {
        Self {
            of: None,
            worse: if Worse::is_free(check) { Worse::Down } else { Worse::Up },
            known: Worse::is_free(check),
            scale: Scale::default(),
            line: Line::default(),
            sure_since: None,
            told: false,
            reached: false,
            cried: 0,
        }
    }

    /// Takes a value, of an alert or of nobody in particular. What is older than the latest is left out.
    pub(crate) fn push(
        &mut self,
        (at, value): (Timestamp, f64),
        scale: Scale,
        of: Option<Fingerprint>,
        judgement: &Judgement,
    ) {
        /// Larger values are left out, so that sums of squares stay finite.
        const LARGEST: f64 = 1e30;
        if at < self.line.at || value.abs() > LARGEST {
            return;
        }
        if of.is_some() && self.of.is_some() && of != self.of {
            self.line = Line::default();
        }
        self.of = of.or(self.of);
        self.scale = Scale { most: scale.most.or(self.scale.most), threshold: scale.threshold };
        // A threshold of a value that fires not lies ahead. (A percentage is full at 100, whatever its threshold.)
        if let Some(threshold) = scale.threshold.filter(|_| !self.known && scale.most.is_none()) {
            (self.worse, self.known) = (if value > threshold { Worse::Down } else { Worse::Up }, true);
        }
        self.line.push(at, value, judgement);
        self.sure_since = self.sure(judgement).then(|| self.sure_since.unwrap_or(at));
        if let (true, Some(most)) = (self.told, self.scale.most) {
            let far = if self.worse == Worse::Up { most - value } else { value };
            self.reached |= far <= THERE * most;
        }
    }

    /// An alert starts beyond its threshold: that side is the bad one.
    pub(crate) fn starts(&mut self, value: f64, threshold: Option<f64>) {
        if let Some(threshold) = threshold.filter(|threshold| *threshold != value) {
            (self.worse, self.known) = (if value > threshold { Worse::Up } else { Worse::Down }, true);
        }
    }

    /// The series is off. When people were told and it did not get there, the next time they are told later.
    pub(crate) fn ends(&mut self) {
        if self.told {
            self.cried = if self.reached { 0 } else { (self.cried + 1).min(MOST_CRIED) };
        }
        (self.told, self.reached) = (false, false);
    }

    /// Within how many seconds of its limit it pages: half as many for each time that it was for nothing.
    pub(crate) fn pages_within(&self, judgement: &Judgement) -> f64 {
        judgement.trend_pages_within / f64::from(1_u32 << self.cried)
    }

    /// Whether the slope counts: it is beyond chance, and the latest value is not back from the line.
    fn sure(&self, judgement: &Judgement) -> bool {
        let (line, slope) = (&self.line, self.line.slope());
        let back = (line.guess(0.0) - line.value) * slope.signum();
        line.error().is_some_and(|error| slope.abs() > judgement.trend_certainty * error)
            && back < 3.0 * line.deviation()
    }

    /// Where it leads within the horizon; `None` = nobody can tell, or nowhere.
    pub(crate) fn course(&self, judgement: &Judgement) -> Option<Course> {
        let (line, slope) = (&self.line, self.line.slope());
        if line.at.since(self.sure_since?) < judgement.trend_holds {
            return None;
        }
        let fit = line.guess(0.0);
        let value = if slope > 0.0 { fit.min(line.value) } else { fit.max(line.value) };
        let (limit, hard) = self.limit(slope, value)?;
        let secs = (limit - value) / slope;
        let most = judgement.trend_horizon.min(AHEAD * line.span());
        let per_hour = slope * 3600.0;
        (secs <= most).then(|| Course { value: line.value, per_hour, limit, hard, at: line.at.after(secs) })
    }

    /// The limit ahead: the end of the scale, on the bad side; where it has no end, a threshold that is not crossed.
    fn limit(&self, slope: f64, value: f64) -> Option<(f64, bool)> {
        let bad = (slope > 0.0) == (self.worse == Worse::Up);
        let ahead = |limit: f64| bad && (limit - value) * slope > 0.0;
        if let Some(most) = self.scale.most.filter(|most| (0.0..=*most).contains(&self.line.value)) {
            let limit = if self.worse == Worse::Up { most } else { 0.0 };
            return ahead(limit).then_some((limit, true));
        }
        self.scale.threshold.filter(|threshold| ahead(*threshold)).map(|threshold| (threshold, false))
    }
}

#[cfg(test)]
mod tests;
