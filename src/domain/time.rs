//! Points in time, in whole milliseconds since the Unix epoch.
//!
//! Deliberately without a `now()`: time is an argument everywhere in the domain, and one function in the
//! shell (`clock`) reads it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z. Negative values are before the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first instant that any signal may carry: 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The last instant that any signal may carry: 9999-12-31T23:59:59.999Z, the end of RFC 3339.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// A time from whole milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// A time from seconds since the epoch, rounded to the nearest millisecond.
    /// `None` when the number is not finite or lies outside [`Self::EPOCH`]..=[`Self::MAX`].
    #[must_use]
    pub fn from_secs(secs: f64) -> Option<Self> {
        let millis = (secs * 1000.0).round();
        // Not finite fails both comparisons, too.
        if millis >= 0.0 && millis <= Self::MAX.0 as f64 { Some(Self(millis as i64)) } else { None }
    }

    /// Whole milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, with the milliseconds as fraction.
    #[must_use]
    pub fn secs(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Seconds from `earlier` to `self`; negative when `earlier` is in truth later.
    #[must_use]
    pub fn since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / 1000.0
    }

    /// This time moved by `secs` seconds, rounded **up** to the next millisecond, so that a deadline computed
    /// from a formula has always passed when its timer fires.
    #[must_use]
    pub fn after(self, secs: f64) -> Self {
        Self(self.0.saturating_add((secs * 1000.0).ceil() as i64))
    }

    /// The clock hour since the epoch in UTC (not of the day).
    #[must_use]
    pub const fn hour(self) -> i64 {
        self.0.div_euclid(3_600_000)
    }

    /// The hour of the day in UTC, 0 to 23.
    #[must_use]
    pub const fn hour_of_day(self) -> usize {
        self.hour().rem_euclid(24) as usize
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Epoch seconds with three decimals, the form of every time in the decisions.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:03}", self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000)
    }
}
