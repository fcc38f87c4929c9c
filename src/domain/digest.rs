//! When a digest is sent, to whom, and what it is about.
//!
//! Deliberately not what it says: that is put together from the day book, outside of the engine.

use std::collections::BTreeMap;

use super::event::Event;
use super::matcher::Matcher;
use super::time::Timestamp;
use super::zone::{Zone, weekday};

/// A digest that is sent by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct DigestRule {
    /// Its name, unique.
    pub name: String,
    /// All must fit a series for it to be told of: on [`FIELDS`]. None = everything.
    pub matchers: Vec<Matcher>,
    /// The names of the receivers.
    pub receivers: Vec<String>,
    /// The minute of the day at which it is sent.
    pub at: i64,
    /// The days of the week on which it is sent, 0 = Monday; empty = every day.
    pub on: Vec<usize>,
    /// Whose clocks count.
    pub zone: Zone,
}

/// How many digests may have matchers: each has sums of its own.
pub const MOST_PARTS: usize = super::daybook::Parts::MOST;

/// What a series is called by, and the team that owns its service: what matchers of a digest may look at.
pub const FIELDS: [&str; 6] = ["source", "kind", "service", "host", "check", "team"];

impl DigestRule {
    /// Whether an event is one that it tells of; `owners` = the teams of services.
    #[must_use]
    pub fn tells_of(&self, event: &Event, owners: &BTreeMap<String, String>) -> bool {
        let service = event.service.as_deref().unwrap_or_default();
        self.matchers.iter().all(|matcher| {
            matcher.fits_value(match matcher.name() {
                "source" => &event.source,
                "kind" => event.kind.word(),
                "service" => service,
                "team" => owners.get(service).map_or("", String::as_str),
                "host" => event.host.as_deref().unwrap_or_default(),
                _ => &event.check,
            })
        })
    }

    /// The latest time at which it was to be sent, at or before `now`.
    #[must_use]
    pub fn latest(&self, now: Timestamp) -> Timestamp {
        let today = self.zone.clock(now).day();
        // The day before the first of a whole week: one of these days fits.
        (0..=8)
            .map(|back| today - back)
            .filter(|day| self.is_on(*day))
            .map(|day| self.zone.at(day, self.at))
            .find(|at| *at <= now)
            .unwrap_or(now)
    }

    /// What is to be told now, from when until when: at the latest of its times that it has not told up to, `told` being
    /// until when it has, or since when it is known. A period that was missed is told with the next one.
    #[must_use]
    pub fn due(&self, told: Timestamp, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let until = self.latest(now);
        let before = self.latest(Timestamp::from_millis(until.millis() - 1));
        (until > told).then(|| (before.min(told), until))
    }

    fn is_on(&self, day: i64) -> bool {
        self.on.is_empty() || self.on.contains(&weekday(day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
    }

    fn rule(zone: &str, minute: i64, on: &[usize]) -> DigestRule {
        DigestRule {
            name: "d".to_owned(),
            matchers: Vec::new(),
            receivers: Vec::new(),
            at: minute,
            on: on.to_vec(),
            zone: Zone::named(zone).expect("a zone"),
        }
    }

    #[test]
    fn it_is_sent_when_the_clocks_of_its_zone_say_so() {
        for (zone, minute, on, now, latest) in [
            ("UTC", 480, &[][..], "2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z"),
            ("UTC", 480, &[], "2026-11-23T07:59:59.999Z", "2026-11-22T08:00:00Z"),
            ("UTC", 480, &[0], "2026-11-23T07:59:59Z", "2026-11-16T08:00:00Z"),
            ("UTC", 480, &[0, 3], "2026-11-27T12:00:00Z", "2026-11-26T08:00:00Z"),
            ("Asia/Kolkata", 480, &[], "2026-11-23T03:00:00Z", "2026-11-23T02:30:00Z"),
            ("America/New_York", 480, &[0], "2026-11-23T12:59:59Z", "2026-11-16T13:00:00Z"),
            // Summer time begins: 02:30 is skipped, and the digest comes as much later.
            ("Europe/Berlin", 150, &[], "2026-03-29T02:00:00Z", "2026-03-29T01:30:00Z"),
            ("Europe/Berlin", 480, &[], "2026-03-29T06:00:00Z", "2026-03-29T06:00:00Z"),
            // It ends: 02:30 is shown twice, and the first one counts.
            ("Europe/Berlin", 150, &[], "2026-10-25T01:45:00Z", "2026-10-25T00:30:00Z"),
            ("Pacific/Auckland", 0, &[0], "2026-11-22T11:00:00Z", "2026-11-22T11:00:00Z"),
        ] {
            assert_eq!(rule(zone, minute, on).latest(at(now)), at(latest), "{zone} {minute} {on:?} at {now}");
        }
    }

    #[test]
    fn nothing_is_told_twice_and_nothing_forgotten() {
        let weekly = rule("UTC", 480, &[0]);
        let monday = |day: &str| at(&format!("2026-11-{day}T08:00:00Z"));
        // Known since Wednesday: the first one tells the whole week.
        assert_eq!(weekly.due(at("2026-11-18T15:00:00Z"), at("2026-11-23T07:00:00Z")), None);
        assert_eq!(weekly.due(at("2026-11-18T15:00:00Z"), monday("23")), Some((monday("16"), monday("23"))));
        assert_eq!(weekly.due(monday("23"), at("2026-11-30T07:59:59Z")), None);
        // Down on Monday: it is sent when it is back, once.
        assert_eq!(weekly.due(monday("16"), at("2026-11-25T10:00:00Z")), Some((monday("16"), monday("23"))));
        assert_eq!(weekly.due(monday("23"), at("2026-11-25T10:00:00Z")), None);
        // Down for a fortnight: one digest tells of both weeks.
        assert_eq!(weekly.due(monday("09"), at("2026-11-23T10:00:00Z")), Some((monday("09"), monday("23"))));
    }
}
