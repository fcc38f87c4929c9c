//! Intervals: named times of the calendar, during which a route tells, or does not.
//!
//! Deliberately what Alertmanager's time intervals are (`timeinterval.TimeInterval.ContainsTime`), with one thing
//! more: hours may go over midnight, and then belong to the day on which they begin.

use super::time::Timestamp;
use super::zone::{Day, Zone};

/// A named time: in force when any of its spans is.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// Its name, unique; stands in explanations.
    pub name: String,
    /// When: any of these.
    pub spans: Vec<Span>,
}

/// Some times of the calendar. All that is given must hold; what is empty holds always.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span {
    /// From one minute of the day to just before another (0 to 1440), over midnight where the first is not before the
    /// second. Any of these.
    pub hours: Vec<(u16, u16)>,
    /// Days of the week, 0 = Monday.
    pub days: Vec<usize>,
    /// Days of the month, from and to: 1 to 31, or -31 to -1 from its end.
    pub dates: Vec<(i32, i32)>,
    /// Months, 1 to 12.
    pub months: Vec<u8>,
    /// Years, from and to.
    pub years: Vec<(i32, i32)>,
    /// Whose clocks count.
    pub zone: Zone,
}

impl Interval {
    /// Whether it is in force.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.spans.iter().any(|span| span.holds(at))
    }

    /// The next time after `at` at which it may begin or end; [`Timestamp::MAX`] = never.
    #[must_use]
    pub fn next_turn(&self, at: Timestamp) -> Timestamp {
        self.spans.iter().map(|span| span.next_turn(at)).min().unwrap_or(Timestamp::MAX)
    }
}

impl Span {
    fn holds(&self, at: Timestamp) -> bool {
        let clock = self.zone.clock(at);
        if self.hours.is_empty() {
            return self.holds_on(clock.day());
        }
        let minute = clock.minute_of_day();
        self.hours.iter().any(|&(from, to)| {
            let (from, to) = (i64::from(from), i64::from(to));
            if from < to {
                return (from..to).contains(&minute) && self.holds_on(clock.day());
            }
            // Over midnight: what is before its end began the day before.
            (minute >= from && self.holds_on(clock.day())) || (minute < to && self.holds_on(clock.day() - 1))
        })
    }

    /// Whether the day of this number is one of its days.
    fn holds_on(&self, day: i64) -> bool {
        let date = Day::of(day);
        let any = |ranges: &[(i32, i32)], value: i32| {
            ranges.is_empty() || ranges.iter().any(|&(from, to)| (from..=to).contains(&value))
        };
        (self.days.is_empty() || self.days.contains(&date.weekday))
            && (self.months.is_empty() || self.months.contains(&date.month))
            && any(&self.years, date.year)
            && (self.dates.is_empty()
                || self.dates.iter().any(|&range| within_month(range, date.day, date.days_in_month)))
    }

    /// A midnight, or an end of its hours; on a day on which the clocks are changed, any quarter of an hour.
    fn next_turn(&self, at: Timestamp) -> Timestamp {
        const DAY: i64 = 86_400_000;
        const QUARTER: i64 = DAY / 96;
        let today = self.zone.clock(at).day();
        let changed = self.zone.at(today + 1, 0).millis() - self.zone.at(today, 0).millis() != DAY;
        let quarter = changed.then(|| Timestamp::from_millis((at.millis().div_euclid(QUARTER) + 1) * QUARTER));
        let minutes = self.hours.iter().flat_map(|&(from, to)| [i64::from(from), i64::from(to)]).chain([0, 1440]);
        let turns = minutes.flat_map(|minute| [self.zone.at(today, minute), self.zone.at(today + 1, minute)]);
        turns.chain(quarter).filter(|turn| *turn > at).min().unwrap_or(Timestamp::MAX)
    }
}

/// Whether a day of the month lies in a range of which the ends may count from the end of the month.
fn within_month((from, to): (i32, i32), day: i32, days: i32) -> bool {
    let placed = |end: i32| if end < 0 { days + end + 1 } else { end };
    let (from, to) = (placed(from), placed(to));
    // What begins after the month's end holds on none of its days.
    from <= days && (from.max(-days)..=to.min(days)).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
    }

    fn zone() -> Zone {
        Zone::named("Europe/Berlin").expect("a zone")
    }

    #[test]
    fn all_that_is_given_must_hold() {
        let span = Span {
            hours: vec![(9 * 60, 17 * 60), (20 * 60, 1440)],
            days: vec![0, 1, 2, 3, 4],
            months: vec![11],
            years: vec![(2026, 2027)],
            zone: zone(),
            ..Span::default()
        };
        for (text, holds) in [
            ("2026-11-23T08:00:00Z", true),
            ("2026-11-23T07:59:59Z", false),
            ("2026-11-23T16:00:00Z", false),
            ("2026-11-23T22:59:59Z", true),
            ("2026-11-22T10:00:00Z", false),
            ("2026-12-01T10:00:00Z", false),
            ("2028-11-23T10:00:00Z", false),
        ] {
            assert_eq!(span.holds(at(text)), holds, "{text}");
        }
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
        let friday = Span { hours: vec![(22 * 60, 7 * 60)], days: vec![4], zone: zone(), ..Span::default() };
        for (text, holds) in [
            ("2026-11-27T21:30:00Z", true),
            ("2026-11-28T05:30:00Z", true),
            ("2026-11-28T06:00:00Z", false),
            ("2026-11-28T21:30:00Z", false),
            ("2026-11-27T05:30:00Z", false),
        ] {
            assert_eq!(friday.holds(at(text)), holds, "{text}");
        }
    }

    #[test]
    fn days_of_the_month_count_from_both_ends_as_in_alertmanager() {
        for (range, day, days, within) in [
            ((1, 5), 5, 30, true),
            ((1, 5), 6, 30, false),
            ((-3, -1), 28, 30, true),
            ((-3, -1), 27, 30, false),
            ((31, 31), 30, 30, false),
            ((28, 31), 28, 28, true),
            ((1, -1), 29, 29, true),
            ((-31, -30), 1, 28, false),
            ((5, 2), 3, 30, false),
        ] {
            assert_eq!(within_month(range, day, days), within, "{range:?} on {day} of {days}");
        }
    }

    #[test]
    fn between_two_turns_nothing_changes() {
        let interval = Interval {
            name: "odd".to_owned(),
            spans: vec![
                Span { hours: vec![(90, 150), (22 * 60, 60)], days: vec![6], zone: zone(), ..Span::default() },
                Span { dates: vec![(-1, -1)], ..Span::default() },
            ],
        };
        let (mut now, end) = (at("2026-03-20T00:00:00Z"), at("2026-04-03T00:00:00Z"));
        while now < end {
            let next = interval.next_turn(now);
            assert!(next > now);
            let minutes = (next.since(now) / 60.0) as u32;
            let same =
                (0..minutes).all(|minute| interval.holds(now.after(f64::from(minute) * 60.0)) == interval.holds(now));
            assert!(same, "from {now:?} to {next:?}");
            now = next;
        }
    }
}
