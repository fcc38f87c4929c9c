//! A page budget: "at most 2 a night", what it has paid, and what it asks of the next page.
//!
//! A person's promise to the people on call, so it is kept to the letter for what is not critical; what it costs is told.
//! Deliberately not about what is critical, about what a rule pages always, and about dead man's switches: they are free.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::judgement::Judgement;
use super::matcher::Matcher;
use super::reason::Reason;
use super::stage::forget::{self, Decay};
use super::table::Row;
use super::time::Timestamp;
use super::zone::Zone;

/// How many pages that are not critical people bear.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Its name, unique among the budgets; stands in explanations.
    pub name: String,
    /// Matchers on `service`, `host`, `check` (of the origin) and `severity` of the page; none = everything.
    pub matchers: Vec<Matcher>,
    /// At most so many pages …
    pub pages: u32,
    /// … in each of these.
    pub per: Per,
    /// Whose clocks count.
    pub zone: Zone,
}

/// What a budget counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// From one minute of the day to another, over midnight where the first is later. Outside of it there is no limit.
    Night {
        /// From this minute of the day on.
        from: u16,
        /// To just before this one.
        to: u16,
    },
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
}

impl Per {
    /// As people say it: "a night".
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Night { .. } => "night",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// How often it comes, in seconds.
    const fn comes_every(self) -> f64 {
        match self {
            Self::Night { .. } | Self::Day => 86_400.0,
            Self::Week => 7.0 * 86_400.0,
        }
    }
}

impl Budget {
    /// The period that `now` lies in: from when to just before when. `None` = outside of its nights.
    #[must_use]
    pub fn period(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let clock = self.zone.clock(now);
        let day = clock.day();
        match self.per {
            Per::Day => Some((self.zone.at(day, 0), self.zone.at(day + 1, 0))),
            Per::Week => {
                let monday = day - clock.weekday() as i64;
                Some((self.zone.at(monday, 0), self.zone.at(monday + 7, 0)))
            }
            Per::Night { from, to } => {
                let span = self.zone.span_at((i64::from(from), i64::from(to)), now);
                span.map(|(_, begins, ends)| (begins, ends))
            }
        }
    }

    /// As people say it: "at most 2 a night".
    #[must_use]
    pub fn words(&self) -> String {
        format!("at most {} a {}", self.pages, self.per.word())
    }
}

/// What a budget has done in the period at hand, and what it knows of those before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Spending {
    /// The budget's name.
    pub(crate) name: String,
    /// The period at hand: from, until.
    pub(crate) period: (Timestamp, Timestamp),
    /// Pages paid in it.
    pub(crate) paid: u32,
    /// What it withheld and nobody was told of, in order; at most [`Spending::MOST`].
    pub(crate) withheld: Vec<Withheld>,
    /// What it withheld beyond these.
    pub(crate) more: u32,
    /// What would have paged, decayed.
    pub(crate) wanted: Decay,
    /// Since when it is in force.
    pub(crate) since: Timestamp,
}

/// A page that a budget withheld.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Withheld {
    /// When it would have paged.
    pub(crate) ts: Timestamp,
    /// When it was last loud.
    pub(crate) latest: Timestamp,
    /// Why it would have paged.
    pub(crate) reason: Reason,
    /// Its title.
    pub(crate) title: String,
    /// The components that surged; at most [`Spending::MOST`].
    pub(crate) components: Vec<Fingerprint>,
    /// Its loudest series.
    pub(crate) series: Fingerprint,
    /// Who would have been told.
    pub(crate) receivers: Vec<String>,
}

impl Spending {
    /// How many withheld pages are remembered, and components of one.
    pub(crate) const MOST: usize = 100;

    /// A budget that has paid nothing yet.
    pub(crate) fn new(name: &str, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            period: (now, now),
            paid: 0,
            withheld: Vec::new(),
            more: 0,
            wanted: Decay::default(),
            since: now,
        }
    }

    /// The identity of the row of this budget.
    pub(crate) fn key(name: &str) -> Fingerprint {
        Fingerprint::of(&["budget", name])
    }

    /// How many bits more than the threshold the next page must bring; `None` = nothing is left.
    ///
    /// A budget is spent on the best pages, not on the first: as long as no more are to be expected in the rest of the
    /// period than are left, nothing more is asked. Else so much that the expected ones just fit: two bits more halve
    /// them (measured on the labelled cases, `docs/EVALUATION.md`).
    pub(crate) fn asks(&self, budget: &Budget, now: Timestamp, judgement: &Judgement) -> Option<f64> {
        /// So many periods must have been seen before anything is expected of the next.
        const ENOUGH: f64 = 3.0;
        const HALVES: f64 = 2.0;
        let left = budget.pages.checked_sub(self.paid).filter(|left| *left > 0)?;
        let periods = forget::history(now.since(self.since), judgement.half_life) / budget.per.comes_every();
        if periods < ENOUGH {
            return Some(0.0);
        }
        let (begins, ends) = self.period;
        let rest = (ends.since(now) / ends.since(begins)).clamp(0.0, 1.0);
        let expected = self.wanted.get(now, judgement.half_life) / periods * rest;
        Some((HALVES * libm::log2(expected / f64::from(left))).max(0.0))
    }
}

impl Row for Spending {
    const KIND: u8 = b'b';

    fn fingerprint(&self) -> Fingerprint {
        Self::key(&self.name)
    }
}

/// The night where a budget does not say its own: 22:00 to 07:00.
pub const NIGHT: Per = Per::Night { from: 22 * 60, to: 7 * 60 };

/// The longest time that a withheld page counts as the same one when more of it surges.
pub(crate) const SAME: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
    }

    fn budget(per: Per) -> Budget {
        let zone = Zone::named("Europe/Berlin").expect("a zone");
        Budget { name: "nights".to_owned(), matchers: Vec::new(), pages: 2, per, zone }
    }

    #[test]
    fn a_night_lies_over_midnight_and_a_week_begins_on_monday() {
        let night = (at("2026-11-22T21:00:00Z"), at("2026-11-23T06:00:00Z"));
        assert_eq!(budget(NIGHT).period(at("2026-11-22T21:00:00Z")), Some(night));
        assert_eq!(budget(NIGHT).period(at("2026-11-23T05:59:59Z")), Some(night));
        assert_eq!(budget(NIGHT).period(at("2026-11-23T06:00:00Z")), None);
        let early = Per::Night { from: 60, to: 300 };
        assert_eq!(budget(early).period(at("2026-11-23T03:30:00Z")).map(|p| p.1), Some(at("2026-11-23T04:00:00Z")));
        let week = (at("2026-11-22T23:00:00Z"), at("2026-11-29T23:00:00Z"));
        assert_eq!(budget(Per::Week).period(at("2026-11-23T12:00:00Z")), Some(week));
        let long = budget(Per::Day).period(at("2026-10-25T12:00:00Z")).expect("a day");
        assert_eq!(long.1.since(long.0), 25.0 * 3600.0, "the clocks went back");
    }

    #[test]
    fn it_asks_for_more_when_more_is_to_be_expected_than_is_left() {
        let (judgement, budget) = (Judgement::default(), budget(Per::Day));
        let start = at("2026-10-31T23:00:00Z");
        let mut spending = Spending::new("nights", start);
        for day in 0..10 {
            spending.wanted.add(8.0, start.after(f64::from(day) * 86_400.0), judgement.half_life);
        }
        let now = at("2026-11-10T23:00:00Z");
        spending.period = budget.period(now).expect("a day");
        let noon = now.after(12.0 * 3600.0);
        let asked = |spending: &Spending, now| spending.asks(&budget, now, &judgement);
        assert!((asked(&spending, now).expect("left") - 4.0).abs() < 0.3, "8 expected, 2 left");
        assert!((asked(&spending, noon).expect("left") - 2.0).abs() < 0.3, "4 expected, 2 left");
        spending.paid = 1;
        assert!((asked(&spending, noon).expect("left") - 4.0).abs() < 0.3, "4 expected, 1 left");
        spending.paid = 2;
        assert_eq!(asked(&spending, noon), None);
        let fresh = Spending::new("nights", now);
        assert_eq!(asked(&fresh, noon), Some(0.0), "too little history to expect anything");
    }
}
