//! Quiet by a person's order, from a rule file or over HTTP.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::matcher::Matcher;
use super::posting::PostedText;
use super::time::Timestamp;

/// Alerts that match are held back while it is in force. What still fires when it ends is judged anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Its name: from the rule file, or made by the shell.
    pub id: String,
    /// All must match.
    pub matchers: Vec<Matcher>,
    /// What the matchers look at.
    pub looks_at: LooksAt,
    /// In force from here on.
    pub from: Timestamp,
    /// In force until just before this.
    pub until: Timestamp,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it was set, changed or ended by hand; the epoch for one of a rule file.
    pub updated: Timestamp,
}

/// What the matchers of a silence look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LooksAt {
    /// The fields of the event, as Squelch read them, and its labels.
    Fields,
    /// The labels as they were sent, as Alertmanager's silences do: `severity="page"` is what the sender wrote.
    Posted,
}

impl Silence {
    /// One that is over is remembered for so long, as Alertmanager does by default.
    pub const REMEMBERED: Duration = Duration::from_secs(120 * 3600);

    /// Whether it ends so soon that people should know: within the last tenth of its time, at most half an hour before.
    #[must_use]
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        const LONGEST: f64 = 1800.0;
        let warning = (self.until.since(self.from) / 10.0).min(LONGEST);
        self.in_force(now) && self.until.since(now) <= warning
    }

    /// Whether people have probably forgotten it: it has been in force for a fortnight since somebody set or changed it,
    /// and has more than a day to go. One of a rule file is written down, and not forgotten.
    #[must_use]
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        const LONG: f64 = 14.0 * 86_400.0;
        const TO_GO: f64 = 86_400.0;
        let by_hand = self.updated > Timestamp::EPOCH;
        by_hand && now.since(self.from.max(self.updated)) >= LONG && self.until.since(now) > TO_GO
    }

    /// Whether it holds back so much more than when it was set that it may hide something else: three times as many
    /// alerts, and five more at least.
    #[must_use]
    pub const fn hides_much(covers_now: usize, covered_at_first: usize) -> bool {
        covers_now >= 3 * covered_at_first && covers_now >= covered_at_first + 5
    }

    /// Whether it is in force.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }

    /// Whether its matchers fit an event, and what was posted with it as far as that is known.
    #[must_use]
    pub fn fits(&self, event: &Event, posted: Option<&PostedText>) -> bool {
        match (self.looks_at, posted) {
            (LooksAt::Posted, Some(text)) => self.fits_posted(text),
            (LooksAt::Posted, None) | (LooksAt::Fields, _) => self.matchers.iter().all(|matcher| matcher.fits(event)),
        }
    }

    /// Whether its matchers fit what was posted, where that is all there is.
    #[must_use]
    pub fn fits_posted(&self, text: &PostedText) -> bool {
        self.matchers.iter().all(|matcher| {
            matcher.fits_value(match self.looks_at {
                LooksAt::Posted => text.label(matcher.name()),
                LooksAt::Fields => text.field(matcher.name()),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seconds: f64) -> Silence {
        Silence {
            id: "s".to_owned(),
            matchers: Vec::new(),
            looks_at: LooksAt::Fields,
            from: Timestamp::EPOCH,
            until: Timestamp::EPOCH.after(seconds),
            owner: "ada".to_owned(),
            reason: "a test".to_owned(),
            updated: Timestamp::EPOCH,
        }
    }

    #[test]
    fn it_warns_within_the_last_tenth_of_its_time_and_never_earlier_than_half_an_hour() {
        for (length, at, soon) in [
            (3600.0, 3239.0, false),
            (3600.0, 3241.0, true),
            (3600.0, 3600.0, false),
            (86_400.0 * 30.0, 86_400.0 * 30.0 - 1801.0, false),
            (86_400.0 * 30.0, 86_400.0 * 30.0 - 1799.0, true),
        ] {
            assert_eq!(of(length).ends_soon(Timestamp::EPOCH.after(at)), soon, "{length} s, after {at} s");
        }
    }

    #[test]
    fn it_is_forgotten_when_nobody_touched_it_for_a_fortnight_and_it_goes_on() {
        let day = 86_400.0;
        let silence = |updated: f64, days: f64| Silence { updated: Timestamp::EPOCH.after(updated), ..of(days * day) };
        for (updated, days, at, forgotten) in [
            (1.0, 60.0, 13.9, false),
            (1.0, 60.0, 14.1, true),
            (1.0, 15.0, 14.1, false),
            (10.0 * day, 60.0, 14.1, false),
            (10.0 * day, 60.0, 24.1, true),
            (0.0, 60.0, 30.0, false),
        ] {
            let silence = silence(updated, days);
            assert_eq!(silence.is_forgotten(Timestamp::EPOCH.after(at * day)), forgotten, "{updated} {days} {at}");
        }
    }

    #[test]
    fn much_is_three_times_as_many_and_five_more() {
        for (now, first, much) in
            [(4, 0, false), (5, 0, true), (6, 1, true), (5, 1, false), (14, 5, false), (15, 5, true)]
        {
            assert_eq!(Silence::hides_much(now, first), much, "{now} now, {first} at first");
        }
    }
}
