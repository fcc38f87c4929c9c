//! Rotations: several people who take turns at being on call, for those who have no pager service that does it.
//!
//! A rotation stands where a receiver may stand in a route. Who it is, is looked up when a message is owed; so what
//! follows (that somebody has taken it, that it is over) goes to whoever was told, whoever is on call by then.
//! Deliberately without hours: who is on call by day and by night are two routes with intervals.

use super::time::Timestamp;
use super::zone::Zone;

/// People who take turns.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotation {
    /// The names of their receivers, in the order of their turns; never empty.
    pub people: Vec<String>,
    /// The day on which a turn of the first of them begins, as in [`super::zone::Clock::day`].
    pub starts: i64,
    /// When it is handed over, in minutes of the day (0 to 1439).
    pub minute: i64,
    /// How long a turn is, in days of the calendar; at least 1.
    pub days: i64,
    /// Whose clocks count.
    pub zone: Zone,
    /// Turns that somebody else takes. Where two overlap, the later in the list holds.
    pub overrides: Vec<Override>,
}

/// Somebody stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// The name of the receiver.
    pub who: String,
    /// From then on.
    pub from: Timestamp,
    /// Until just before then.
    pub until: Timestamp,
}

impl Rotation {
    /// Who is on call.
    #[must_use]
    pub fn on_call(&self, at: Timestamp) -> &str {
        let stands_in = |stand: &&Override| stand.from <= at && at < stand.until;
        match self.overrides.iter().rev().find(stands_in) {
            Some(stand) => &stand.who,
            None => &self.people[self.turn(at).rem_euclid(self.people.len() as i64) as usize],
        }
    }

    /// When somebody else is on call, and who. `None` = nobody else ever is.
    #[must_use]
    pub fn next(&self, at: Timestamp) -> Option<(Timestamp, &str)> {
        let now = self.on_call(at);
        let mut from = at;
        // Every turn of a round, and every end of an override.
        for _ in 0..=self.people.len() + 2 * self.overrides.len() {
            from = self.next_end(from);
            let then = self.on_call(from);
            if then != now {
                return Some((from, then));
            }
        }
        None
    }

    /// The number of the turn: 0 is the one that begins on the first day.
    fn turn(&self, at: Timestamp) -> i64 {
        let today = self.zone.clock(at).day();
        let begun = if at < self.zone.at(today, self.minute) { today - 1 } else { today };
        (begun - self.starts).div_euclid(self.days)
    }

    /// The next time at which a turn or an override begins or ends.
    fn next_end(&self, at: Timestamp) -> Timestamp {
        let handed_over = self.zone.at(self.starts + (self.turn(at) + 1) * self.days, self.minute);
        let stands = self.overrides.iter().flat_map(|stand| [stand.from, stand.until]);
        stands.filter(|end| *end > at).fold(handed_over, Timestamp::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect("a time").as_millisecond())
    }

    /// A week each from Monday, 30 March 2026, nine o'clock in Berlin, where the clocks were changed the day before.
    fn weekly(overrides: &[(&str, &str, &str)]) -> Rotation {
        let zone = Zone::named("Europe/Berlin").expect("a zone");
        let stand = |(who, from, until): &(&str, &str, &str)| Override {
            who: (*who).to_owned(),
            from: at(from),
            until: at(until),
        };
        Rotation {
            people: ["ada", "grace", "edsger"].map(str::to_owned).to_vec(),
            starts: zone.clock(at("2026-03-30T09:00:00+02:00")).day(),
            minute: 540,
            days: 7,
            zone,
            overrides: overrides.iter().map(stand).collect(),
        }
    }

    #[test]
    fn a_turn_is_handed_over_at_the_same_hour_of_the_clock_whatever_the_clocks_do() {
        let weekly = weekly(&[]);
        for (time, who) in [
            ("2026-03-30T08:59:59+02:00", "edsger"),
            ("2026-03-30T09:00:00+02:00", "ada"),
            ("2026-04-06T08:59:59+02:00", "ada"),
            ("2026-04-06T09:00:00+02:00", "grace"),
            ("2026-10-26T08:59:59+01:00", "edsger"),
            ("2026-10-26T09:00:00+01:00", "ada"),
            // Before it began it is as if it had always been so.
            ("2026-03-23T08:59:59+01:00", "grace"),
            ("2026-03-23T09:00:00+01:00", "edsger"),
        ] {
            assert_eq!(weekly.on_call(at(time)), who, "{time}");
        }
        let next = weekly.next(at("2026-03-31T00:00:00Z"));
        assert_eq!(next, Some((at("2026-04-06T09:00:00+02:00"), "grace")));
    }

    #[test]
    fn who_stands_in_is_on_call_and_the_later_of_two_holds() {
        let weekly = weekly(&[
            ("grace", "2026-04-01T00:00:00Z", "2026-04-03T00:00:00Z"),
            ("barbara", "2026-04-02T00:00:00Z", "2026-04-02T12:00:00Z"),
        ]);
        for (time, who) in [
            ("2026-03-31T23:59:59Z", "ada"),
            ("2026-04-01T00:00:00Z", "grace"),
            ("2026-04-02T00:00:00Z", "barbara"),
            ("2026-04-02T12:00:00Z", "grace"),
            ("2026-04-03T00:00:00Z", "ada"),
        ] {
            assert_eq!(weekly.on_call(at(time)), who, "{time}");
        }
        assert_eq!(weekly.next(at("2026-03-31T12:00:00Z")), Some((at("2026-04-01T00:00:00Z"), "grace")));
    }

    #[test]
    fn alone_one_is_always_on_call() {
        let alone = Rotation { people: vec!["ada".to_owned()], ..weekly(&[]) };
        assert_eq!((alone.on_call(at("2026-04-20T00:00:00Z")), alone.next(at("2026-04-20T00:00:00Z"))), ("ada", None));
    }
}
