//! Maintenance: work that is planned, by the calendar or after a change, during which alerts are held back.
//!
//! Deliberately a silence of its own kind: it comes again and again, or whenever a deploy is told, so nobody has to
//! remember to set it. What still fires when it ends is judged as if it had started then.

use std::time::Duration;

use super::event::Event;
use super::matcher::{Matcher, Operator};
use super::silence::{LooksAt, Silence};
use super::time::Timestamp;
use super::zone::Zone;

/// Planned work.
#[derive(Clone, Debug, PartialEq)]
pub struct Maintenance {
    /// Its name, unique; stands in explanations.
    pub name: String,
    /// Which alerts are held back: all must fit.
    pub matchers: Vec<Matcher>,
    /// When.
    pub when: When,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
}

/// When planned work is done.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// From one minute of the day to another, over midnight where the first is not before the second, beginning on these
    /// days of the week (0 = Monday; none = every day).
    Calendar {
        /// The days on which it begins.
        days: Vec<usize>,
        /// From this minute of the day.
        from: u16,
        /// To just before this one.
        to: u16,
        /// Whose clocks count.
        zone: Zone,
    },
    /// After a change that fits, for alerts that agree with it on these fields.
    Change {
        /// Which changes: all must fit.
        matchers: Vec<Matcher>,
        /// For how long.
        lasts: Duration,
        /// The fields and labels on which alert and change must agree.
        equal: Vec<String>,
    },
}

impl Maintenance {
    /// When the work that the calendar has for `now` ends; `None` = there is none.
    #[must_use]
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let When::Calendar { days, from, to, zone } = &self.when else { return None };
        let (begins, _, until) = zone.span_at((i64::from(*from), i64::from(*to)), now)?;
        (days.is_empty() || days.contains(&begins)).then_some(until)
    }

    /// When the work that the calendar has begins or ends next, after `now`; `None` = it does not go by the calendar.
    #[must_use]
    pub fn turns_after(&self, now: Timestamp) -> Option<Timestamp> {
        let When::Calendar { days, from, zone, .. } = &self.when else { return None };
        // Its day comes round within a week; a clock that is set forward may leave out the time of one day.
        let today = zone.clock(now).day();
        let begins =
            (today..today + 15).filter(|day| days.is_empty() || days.contains(&crate::domain::zone::weekday(*day)));
        let next = begins.map(|day| zone.at(day, i64::from(*from))).find(|at| *at > now);
        self.until(now).into_iter().chain(next).min()
    }

    /// Whether an event is one that is held back.
    #[must_use]
    pub fn fits(&self, event: &Event) -> bool {
        self.matchers.iter().all(|matcher| matcher.fits(event))
    }

    /// The silence that a change sets, if it is one that this work follows.
    #[must_use]
    pub fn after(&self, change: &Event, now: Timestamp) -> Option<Silence> {
        let When::Change { matchers, lasts, equal } = &self.when else { return None };
        if !matchers.iter().all(|matcher| matcher.fits(change)) {
            return None;
        }
        let values: Vec<&str> = equal.iter().map(|name| change.field(name)).collect();
        let agree =
            equal.iter().zip(&values).filter_map(|(name, value)| Matcher::new(name, Operator::Equal, *value).ok());
        let what = change.summary.as_deref().unwrap_or(&change.check);
        Some(Silence {
            id: [&[self.name.as_str()], values.as_slice()].concat().join("/"),
            matchers: self.matchers.iter().cloned().chain(agree).collect(),
            looks_at: LooksAt::Fields,
            from: now,
            until: now + *lasts,
            owner: self.owner.clone(),
            reason: format!("{}: {what}", self.reason),
            updated: now,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let zone = Zone::named("Europe/Berlin").expect("a zone");
        let work = Maintenance {
            name: "backups".to_owned(),
            matchers: Vec::new(),
            when: When::Calendar { days: vec![6], from: 23 * 60, to: 2 * 60, zone },
            owner: "ada".to_owned(),
            reason: "backups".to_owned(),
        };
        assert_eq!(work.until(at("2026-11-22T22:30:00Z")), Some(at("2026-11-23T01:00:00Z")), "Sunday, 23:30");
        assert_eq!(work.until(at("2026-11-23T00:30:00Z")), Some(at("2026-11-23T01:00:00Z")), "Monday, 01:30");
        assert_eq!(work.until(at("2026-11-22T00:30:00Z")), None, "Sunday, 01:30, began on Saturday");
        assert_eq!(work.until(at("2026-11-23T22:30:00Z")), None, "Monday, 23:30");
    }

    #[test]
    fn a_change_silences_what_agrees_with_it() {
        let work = Maintenance {
            name: "deploys".to_owned(),
            matchers: vec![Matcher::parse("kind=\"host\"").expect("a matcher")],
            when: When::Change {
                matchers: vec![Matcher::parse("check=\"deploy\"").expect("a matcher")],
                lasts: Duration::from_secs(600),
                equal: vec!["service".to_owned()],
            },
            owner: "ada".to_owned(),
            reason: "a deploy".to_owned(),
        };
        let mut deploy = Event::new("github", "deploy");
        deploy.service = Some("shop".to_owned());
        let silence = work.after(&deploy, Timestamp::EPOCH).expect("a silence");
        assert_eq!((silence.id.as_str(), silence.reason.as_str()), ("deploys/shop", "a deploy: deploy"));
        let mut alert = Event::new("nagios", "load");
        alert.kind = crate::domain::Kind::Host;
        assert!(!silence.fits(&alert, None), "another service");
        alert.service = Some("shop".to_owned());
        assert!(silence.fits(&alert, None));
        assert_eq!(work.after(&Event::new("github", "push"), Timestamp::EPOCH), None);
    }
}
