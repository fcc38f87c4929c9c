//! Time zones: what people mean by an hour of the day, a day of the week, a night.
//!
//! The rules of the zones (IANA tz database) are part of the program, so that every machine decides alike and a replay
//! gives what the live run gave. Deliberately without the zone of the machine: a zone is named, or it is UTC.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::time::Timestamp;

/// A time zone with its rules.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl Zone {
    /// The zone with this name of the IANA database (`Europe/Berlin`, `UTC`), in any case of letters.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZoneDatabase::bundled().get(name).ok().map(Self)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The name that comes nearest to a wrong one.
    #[must_use]
    pub fn nearest(wrong: &str) -> Option<String> {
        let wrong = wrong.to_lowercase();
        let known = TimeZoneDatabase::bundled();
        let near = |name: &str| {
            let name = name.to_lowercase();
            let city = name.rsplit('/').next().unwrap_or_default();
            strsim::jaro_winkler(&wrong, &name).max(strsim::jaro_winkler(&wrong, city))
        };
        let best = known.available().map(|name| (near(name.as_str()), name.to_string()));
        best.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
            .filter(|best| best.0 > 0.7)
            .map(|best| best.1)
    }

    /// What its clocks show.
    #[must_use]
    pub fn clock(&self, at: Timestamp) -> Clock {
        let offset = match jiff::Timestamp::from_millisecond(at.millis()) {
            Ok(time) => i64::from(self.0.to_offset(time).seconds()),
            Err(_) => 0,
        };
        Clock { minutes: (at.millis() + offset * 1000).div_euclid(60_000) }
    }

    /// A time as its clocks show it: `Mon 2026-11-23 09:00`.
    #[must_use]
    pub fn written(&self, at: Timestamp) -> String {
        match jiff::Timestamp::from_millisecond(at.millis()) {
            Ok(time) => time.to_zoned(self.0.clone()).strftime("%a %F %H:%M").to_string(),
            Err(_) => at.to_string(),
        }
    }

    /// When its clocks show this minute (0 to 1440) of this day (as in [`Clock::day`]). Where they skip it, as much later
    /// as they skip; where they show it twice, the first time.
    #[must_use]
    pub fn at(&self, day: i64, minute: i64) -> Timestamp {
        let plain = Timestamp::from_millis((day * 1440 + minute) * 60_000);
        let local = || {
            let (day, minute) = (day + minute.div_euclid(1440), minute.rem_euclid(1440));
            let days = jiff::Span::new().try_days(day).ok()?;
            let date = Date::constant(1970, 1, 1).checked_add(days).ok()?;
            let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
            let time = jiff::civil::Time::new(hour, minute, 0, 0).ok()?;
            let at = self.0.to_ambiguous_timestamp(DateTime::from_parts(date, time)).compatible().ok()?;
            Some(Timestamp::from_millis(at.as_millisecond()))
        };
        local().unwrap_or(plain)
    }

    /// The span of clock time that `now` lies in: the day of the week on which it began (0 = Monday), its beginning, and its
    /// end. `from` and `to` are minutes of the day; it goes over midnight where `from` is not before `to`. `None` = it lies in
    /// none.
    #[must_use]
    pub fn span_at(&self, (from, to): (i64, i64), now: Timestamp) -> Option<(usize, Timestamp, Timestamp)> {
        let clock = self.clock(now);
        let (day, minute) = (clock.day(), clock.minute_of_day());
        let over_midnight = from >= to;
        let began = if over_midnight && minute < to { day - 1 } else { day };
        let within = if over_midnight { minute >= from || minute < to } else { (from..to).contains(&minute) };
        let ends = began + i64::from(over_midnight);
        within.then(|| (weekday(began), self.at(began, from), self.at(ends, to)))
    }
}

/// The day of the week (0 = Monday) of a day since the epoch, which was a Thursday.
#[must_use]
pub const fn weekday(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}

/// What the clocks of a zone show at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    minutes: i64,
}

impl Clock {
    /// The clock hour since the epoch.
    #[must_use]
    pub const fn hour(self) -> i64 {
        self.minutes.div_euclid(60)
    }

    /// The day since the epoch.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.minutes.div_euclid(1440)
    }

    /// The hour of the day, 0 to 23.
    #[must_use]
    pub const fn hour_of_day(self) -> usize {
        self.hour().rem_euclid(24) as usize
    }

    /// The minute of the day, 0 to 1439.
    #[must_use]
    pub const fn minute_of_day(self) -> i64 {
        self.minutes.rem_euclid(1440)
    }

    /// The day of the week, 0 (Monday) to 6. (The epoch was a Thursday.)
    #[must_use]
    pub const fn weekday(self) -> usize {
        weekday(self.day())
    }

    /// The time of the day as it is written: `21:40`.
    #[must_use]
    pub fn time_of_day(self) -> String {
        format!("{:02}:{:02}", self.minute_of_day() / 60, self.minute_of_day() % 60)
    }
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The year.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: i32,
    /// The day of the week, 0 (Monday) to 6.
    pub weekday: usize,
    /// How many days its month has.
    pub days_in_month: i32,
}

impl Day {
    /// The day with this number, as in [`Clock::day`].
    #[must_use]
    pub fn of(day: i64) -> Self {
        let days = jiff::Span::new().try_days(day).ok();
        let date = days.and_then(|days| Date::constant(1970, 1, 1).checked_add(days).ok()).unwrap_or(Date::MAX);
        Self {
            year: i32::from(date.year()),
            month: date.month().unsigned_abs(),
            day: i32::from(date.day()),
            weekday: (day + 3).rem_euclid(7) as usize,
            days_in_month: i32::from(date.days_in_month()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
    }

    #[test]
    fn clocks_follow_their_zone_through_summer_time() {
        let berlin = Zone::named("Europe/Berlin").expect("a zone");
        let shown = |text| {
            let clock = berlin.clock(at(text));
            (clock.weekday(), clock.time_of_day())
        };
        assert_eq!(shown("2026-03-29T00:59:00Z"), (6, "01:59".to_owned()));
        assert_eq!(shown("2026-03-29T01:00:00Z"), (6, "03:00".to_owned()));
        assert_eq!(shown("2026-10-25T22:30:00Z"), (6, "23:30".to_owned()));
        assert_eq!(shown("2026-11-23T23:30:00Z"), (1, "00:30".to_owned()));
        assert_eq!(Zone::default().clock(at("2026-11-23T23:30:00Z")).hour_of_day(), 23);
    }

    #[test]
    fn a_day_begins_when_its_clocks_say_so() {
        let berlin = Zone::named("europe/berlin").expect("a zone in any case");
        let day = berlin.clock(at("2026-03-29T12:00:00Z")).day();
        assert_eq!(berlin.at(day, 0), at("2026-03-28T23:00:00Z"));
        assert_eq!(berlin.at(day + 1, 0), at("2026-03-29T22:00:00Z"));
        assert_eq!(berlin.at(day, 1440), berlin.at(day + 1, 0));
        assert_eq!(berlin.at(day, 150), at("2026-03-29T01:30:00Z"), "02:30 is skipped");
    }

    #[test]
    fn a_wrong_name_is_told_the_nearest() {
        assert_eq!(Zone::named("Europe/Berln"), None);
        assert_eq!(Zone::nearest("Europe/Berln").as_deref(), Some("Europe/Berlin"));
        assert_eq!(Zone::nearest("new york").as_deref(), Some("America/New_York"));
        assert_eq!(Zone::nearest("qqqq"), None);
    }
}
