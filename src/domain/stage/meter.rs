//! The meter of a component: the sum of the fresh bits of its series, smoothed.
//!
//! Between two changes everything is closed form. The sum fades with `fade` (TS), the meter follows it with
//! `settle` (TF): after d seconds the meter is `f·e^(−d/TF) + g·(e^(−d/TS) − e^(−d/TF))` with
//! `g = L·TS/(TS − TF)`; it rises once, then falls, so that its crossing of the threshold is found by bisection
//! and needs one timer.

use crate::domain::component::{Component, Loud};
use crate::domain::judgement::Judgement;
use crate::domain::table::Slot;
use crate::domain::time::Timestamp;

/// A series with fewer fresh bits than this (after fading) is old news and leaves the list.
const FAINT: f64 = 0.01;
/// After so many time constants the scale of the list is renewed, so that it stays within the range of numbers.
const RENEW: f64 = 20.0;
/// More than so many fresh bits make a series count among those that show the same check.
const COUNTS: f64 = 2.0;

impl Component {
    /// Brings level and meter up to date.
    pub(crate) fn advance(&mut self, now: Timestamp, judgement: &Judgement) {
        let passed = now.since(self.at);
        if passed > 0.0 {
            self.meter = self.meter_after(passed, judgement);
            self.level *= libm::exp(-passed / judgement.fade);
            self.at = now;
        }
    }

    /// The meter `secs` after it was brought up to date, if nothing changes.
    pub(crate) fn meter_after(&self, secs: f64, judgement: &Judgement) -> f64 {
        let (settled, faded) = (libm::exp(-secs / judgement.settle), libm::exp(-secs / judgement.fade));
        self.meter * settled + gain(self.level, judgement) * (faded - settled)
    }

    /// The factor that brings [`Loud::bits`] up to date.
    pub(crate) fn scale(&self, now: Timestamp, judgement: &Judgement) -> f64 {
        libm::exp(-now.since(self.reference) / judgement.fade)
    }

    /// Puts a series that is on into the list, with its fresh bits now, or takes it out.
    pub(crate) fn hear(&mut self, series: Loud, on: bool, now: Timestamp, judgement: &Judgement) {
        if now.since(self.reference) > RENEW * judgement.fade || self.loud.is_empty() {
            self.renew(now, judgement);
        }
        let place = self.loud.binary_search_by_key(&(series.check, series.series), |loud| (loud.check, loud.series));
        let scaled = Loud { bits: series.bits / self.scale(now, judgement), ..series };
        match (place, on) {
            (Ok(at), true) => self.loud[at] = scaled,
            (Ok(at), false) => drop(self.loud.remove(at)),
            (Err(at), true) => self.add(at, scaled),
            (Err(_), false) => {}
        }
    }

    /// A series more; where there are too many, the faintest one is heard no longer.
    fn add(&mut self, at: usize, series: Loud) {
        self.loud.insert(at, series);
        if self.loud.len() > Self::HEARD {
            let faintest = (0..self.loud.len()).min_by(|&a, &b| self.loud[a].bits.total_cmp(&self.loud[b].bits));
            self.loud.remove(faintest.unwrap_or(at));
        }
    }

    fn renew(&mut self, now: Timestamp, judgement: &Judgement) {
        let scale = self.scale(now, judgement);
        self.loud.iter_mut().for_each(|loud| loud.bits *= scale);
        self.loud.retain(|loud| loud.bits >= FAINT);
        self.reference = now;
    }

    /// The sum of fresh bits of its own series: of each check.
    pub(crate) fn own(&self, now: Timestamp, judgement: &Judgement) -> f64 {
        self.checks(now, judgement).map(|(bits, _)| bits).sum()
    }

    /// The fresh bits of each check, and its loudest series: those of that series, and log2 of how many series show
    /// it, weighed as the loudest one is.
    pub(crate) fn checks(&self, now: Timestamp, judgement: &Judgement) -> impl Iterator<Item = (f64, &Loud)> {
        let scale = if self.loud.is_empty() { 1.0 } else { self.scale(now, judgement) };
        let warning = judgement.warning_weight;
        self.loud.chunk_by(|a, b| a.check == b.check).map(move |check| {
            let mut top = &check[0];
            let mut count = 0.0;
            for loud in check {
                count += f64::from(u8::from(loud.bits * scale > COUNTS));
                if loud.bits > top.bits {
                    top = loud;
                }
            }
            let weight = if top.critical { 1.0 } else { warning };
            (top.bits * scale + if count > 1.0 { weight * libm::log2(count) } else { 0.0 }, top)
        })
    }

    /// Whether a series is in both lists. Both are in order, so one walk along them tells.
    pub(crate) fn shares_series(&self, other: &Self) -> bool {
        let mut others = other.loud.iter().peekable();
        self.loud.iter().any(|loud| {
            let key = (loud.check, loud.series);
            while others.next_if(|other| (other.check, other.series) < key).is_some() {}
            others.peek().is_some_and(|other| other.series == loud.series)
        })
    }

    /// The fresh bits of its series now.
    pub(crate) fn fresh(&self, now: Timestamp, judgement: &Judgement) -> impl Iterator<Item = (Option<Slot>, f64)> {
        let scale = self.scale(now, judgement);
        self.loud.iter().map(move |loud| (loud.slot, loud.bits * scale))
    }

    /// How many seconds after it was brought up to date the meter is highest; `None` = it only falls.
    fn peak(&self, judgement: &Judgement) -> Option<f64> {
        let rising = self.meter - gain(self.level, judgement);
        if rising >= 0.0 || self.level <= 0.0 {
            return None;
        }
        let (settle, fade) = (judgement.settle, judgement.fade);
        let peak = libm::log(-rising * fade / (gain(self.level, judgement) * settle)) / (1.0 / settle - 1.0 / fade);
        (peak > 0.0).then_some(peak)
    }

    /// The highest that the meter was since it was brought up to date.
    pub(crate) fn highest(&self, now: Timestamp, judgement: &Judgement) -> f64 {
        let passed = now.since(self.at).max(0.0);
        self.meter_after(self.peak(judgement).map_or(0.0, |peak| peak.min(passed)), judgement)
    }

    /// When the meter will cross the threshold, if nothing changes.
    pub(crate) fn crossing(&self, threshold: f64, judgement: &Judgement) -> Option<Timestamp> {
        let peak = self.peak(judgement)?;
        if self.meter_after(peak, judgement) < threshold {
            return None;
        }
        let (mut low, mut high) = (0.0, peak);
        // The peak comes after some five minutes: twenty halvings find the millisecond.
        for _ in 0..20 {
            let middle = f64::midpoint(low, high);
            if self.meter_after(middle, judgement) >= threshold {
                high = middle;
            } else {
                low = middle;
            }
        }
        // A millisecond more: rounded down it would not have crossed yet, and the timer would fire for ever.
        Some(self.at.after(high + 1e-3))
    }
}

/// What the level drives the meter towards.
fn gain(level: f64, judgement: &Judgement) -> f64 {
    level * judgement.fade / (judgement.fade - judgement.settle)
}
