//! The values that events told lately, by series: what is measured, and what alerts say was measured.
//!
//! Deliberately coarse and bounded: the lowest, highest and last value of each five minutes of a day, of so many series. It is
//! a part of the chronicle, and begins anew with it.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::domain::{Event, Fingerprint, Timestamp};

/// The length of a stretch, in milliseconds.
const STRETCH: i64 = 300_000;
/// So many stretches are remembered: a day.
const MOST_STRETCHES: i64 = 288;
/// So many series are. What comes then is left out until one of them has been still for a day.
const MOST_SERIES: usize = 2_000;

/// Five minutes of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    /// Its number since the epoch.
    number: i64,
    pub(super) low: f32,
    pub(super) high: f32,
    pub(super) last: f32,
}

impl Stretch {
    /// Its middle.
    pub(super) fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.number * STRETCH + STRETCH / 2)
    }
}

/// What a series told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    /// In order of time.
    pub(super) stretches: Vec<Stretch>,
    /// The limit that was told last.
    pub(super) limit: Option<f64>,
    pub(super) unit: Option<String>,
}

#[derive(Clone, Debug)]
struct Course {
    /// The series, without what lives one deployment.
    series: Fingerprint,
    stretches: VecDeque<Stretch>,
    limit: Option<f64>,
    unit: Option<String>,
}

/// The values of all series.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// By what the series is called in the event, so that names are masked once, and not for each event.
    courses: FxHashMap<Fingerprint, Course>,
    /// The stretch in which room was made last.
    swept: i64,
}

impl Values {
    /// Takes what an event tells.
    pub(super) fn hear(&mut self, event: &Event, now: Timestamp) {
        let Some(value) = event.value.filter(|value| value.is_finite()) else { return };
        let at = event.ts.or(event.received).unwrap_or(now).min(now);
        let called = [event.service.as_deref().unwrap_or(""), event.host.as_deref().unwrap_or(""), &event.check];
        let key = Fingerprint::of(&[&event.source, event.kind.word(), called[0], called[1], called[2]]);
        if !self.courses.contains_key(&key) && !self.has_room(now) {
            return;
        }
        let course = self.courses.entry(key).or_insert_with(|| Course {
            series: event.series(),
            stretches: VecDeque::new(),
            limit: None,
            unit: None,
        });
        course.limit = event.threshold.filter(|limit| limit.is_finite()).or(course.limit);
        if course.unit != event.unit {
            course.unit.clone_from(&event.unit);
        }
        course.add(at.millis().div_euclid(STRETCH), value as f32);
    }

    /// What a series told in the day before `now`.
    pub(super) fn of(&self, series: Fingerprint, now: Timestamp) -> Told {
        let first = now.millis().div_euclid(STRETCH) - MOST_STRETCHES;
        let mut told = Told::default();
        for course in self.courses.values().filter(|course| course.series == series) {
            told.stretches.extend(course.stretches.iter().filter(|stretch| stretch.number > first));
            told.limit = course.limit.or(told.limit);
            told.unit = course.unit.clone().or(told.unit);
        }
        told.stretches.sort_by_key(|stretch| stretch.number);
        told
    }

    /// Whether another series can be taken in; what was still for a day makes room, looked at once in five minutes.
    fn has_room(&mut self, now: Timestamp) -> bool {
        let stretch = now.millis().div_euclid(STRETCH);
        if self.courses.len() >= MOST_SERIES && self.swept < stretch {
            self.swept = stretch;
            let last = |course: &Course| course.stretches.back().map_or(i64::MIN, |stretch| stretch.number);
            self.courses.retain(|_, course| last(course) > stretch - MOST_STRETCHES);
        }
        self.courses.len() < MOST_SERIES
    }
}

impl Course {
    fn add(&mut self, number: i64, value: f32) {
        let fresh = Stretch { number, low: value, high: value, last: value };
        let place = self.stretches.iter().rposition(|stretch| stretch.number <= number);
        match place {
            Some(place) if self.stretches[place].number == number => {
                let known = &mut self.stretches[place];
                (known.low, known.high, known.last) = (known.low.min(value), known.high.max(value), value);
            }
            Some(place) => self.stretches.insert(place + 1, fresh),
            None => self.stretches.push_front(fresh),
        }
        if self.stretches.len() as i64 > MOST_STRETCHES {
            self.stretches.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn event(host: &str, minutes_ago: f64, value: f64) -> Event {
        let at = Some(NOW.after(-60.0 * minutes_ago));
        Event { ts: at, host: Some(host.to_owned()), value: Some(value), ..Event::new("collectd", "load") }
    }

    fn told(values: &Values, host: &str) -> Vec<(f32, f32, f32)> {
        let told = values.of(event(host, 0.0, 0.0).series(), NOW);
        told.stretches.iter().map(|one| (one.low, one.high, one.last)).collect()
    }

    #[test]
    fn five_minutes_are_one_stretch_in_order_of_time_and_older_ones_go() {
        let mut values = Values::default();
        for (ago, value) in [(1500.0, 9.0), (12.0, 1.0), (31.0, 7.0), (11.9, 3.0), (11.8, 2.0)] {
            values.hear(&event("web-1", ago, value), NOW);
        }
        values.hear(&event("web-2", 1.0, f64::NAN), NOW);
        assert_eq!(told(&values, "web-1"), [(7.0, 7.0, 7.0), (1.0, 3.0, 2.0)]);
        assert_eq!(told(&values, "web-2"), []);
        for stretch in 0..1_000 {
            values.hear(&event("web-1", f64::from(stretch), 1.0), NOW.after(60.0 * f64::from(stretch)));
        }
        assert!(values.courses.values().all(|course| course.stretches.len() as i64 <= MOST_STRETCHES));
    }

    #[test]
    fn series_are_bounded_and_those_that_are_still_for_a_day_make_room() {
        let mut values = Values::default();
        for host in 0..=MOST_SERIES {
            values.hear(&event(&format!("web-{host}"), 0.0, 1.0), NOW);
        }
        assert_eq!(values.courses.len(), MOST_SERIES);
        let later = NOW.after(90_000.0);
        values.hear(&Event { ts: Some(later), ..event("db-1", 0.0, 1.0) }, later);
        assert_eq!(values.courses.len(), 1);
    }
}
