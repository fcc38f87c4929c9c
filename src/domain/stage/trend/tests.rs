//! Trends on rows of values that are made up: what leads somewhere, and what only looks so.

use proptest::prelude::*;

use super::*;
use crate::domain::signal::Kind;

const HOUR: f64 = 3600.0;

/// Noise from −1 to 1, the same in each run.
fn noise(at: u32) -> f64 {
    let hash = Fingerprint::of(&[Kind::Host.word(), &at.to_string()]).0;
    (hash % 2_000) as f64 / 1_000.0 - 1.0
}

/// The trend of a percentage after these values, `every` so many seconds.
fn after(every: f64, values: impl IntoIterator<Item = f64>) -> Trend {
    let mut trend = Trend::new("disk_used");
    for (at, value) in values.into_iter().enumerate() {
        push(&mut trend, at as f64 * every, value);
    }
    trend
}

fn push(trend: &mut Trend, secs: f64, value: f64) {
    let at = Timestamp::EPOCH.after(secs);
    trend.push((at, value), Scale::of(Some("%"), Some(80.0)), None, &Judgement::default());
}

fn course(trend: &Trend) -> Option<Course> {
    trend.course(&Judgement::default())
}

#[test]
fn a_line_is_followed_to_its_end() {
    let trend = after(60.0, (0..60).map(|at| 80.0 + f64::from(at) * 0.1));
    let course = course(&trend).expect("a line leads somewhere");
    assert!((course.per_hour - 6.0).abs() < 1e-6 && course.hard && course.limit == 100.0, "{course:?}");
    assert!((course.at.secs() - 200.0 * 60.0).abs() < 1.0, "{course:?}");
}

#[test]
fn noise_on_a_line_moves_its_end_by_little() {
    let trend = after(60.0, (0..90).map(|at| 80.0 + f64::from(at) * 0.1 + noise(at)));
    let course = course(&trend).expect("it leads somewhere");
    assert!((course.at.secs() / 60.0 - 200.0).abs() < 20.0, "{course:?}");
}

#[test]
fn noise_alone_leads_nowhere() {
    let mut trend = after(60.0, []);
    for at in 0..2_000 {
        push(&mut trend, f64::from(at) * 60.0, 85.0 + 3.0 * noise(at));
        assert_eq!(course(&trend), None, "after {at} values");
    }
}

#[test]
fn a_step_leads_nowhere() {
    let mut trend = after(60.0, []);
    for at in 0..240 {
        let step = if at < 60 { 0.0 } else { 12.0 };
        push(&mut trend, f64::from(at) * 60.0, 82.0 + step + 0.5 * noise(at));
        assert_eq!(course(&trend), None, "after {at} values");
    }
}

#[test]
fn a_bend_is_seen_before_half_of_the_way_to_the_end() {
    let rise = |at: u32| f64::from(at.saturating_sub(240)) * 0.1;
    let trend = after(60.0, (0..330).map(|at| 82.0 + rise(at) + 0.5 * noise(at)));
    let course = course(&trend).expect("it bends");
    assert!((course.at.secs() / 60.0 - 420.0).abs() < 15.0, "{course:?}");
}

#[test]
fn what_falls_back_leads_nowhere_any_more() {
    let mut trend = after(60.0, (0..60).map(|at| 80.0 + f64::from(at) * 0.1));
    assert!(course(&trend).is_some());
    push(&mut trend, 60.0 * 60.0, 70.0);
    assert_eq!(course(&trend), None);
}

#[test]
fn a_used_up_scale_ends_at_nothing_and_what_recovers_has_no_end() {
    let falls = |check: &str, starts: bool| {
        let mut trend = Trend::new(check);
        let judgement = Judgement::default();
        for at in 0..40_u32 {
            let value = 18.0 - f64::from(at) * 0.1;
            if at == 0 && starts {
                trend.starts(value, Some(20.0));
            }
            let at = Timestamp::EPOCH.after(f64::from(at) * 60.0);
            trend.push((at, value), Scale::of(Some("percent"), Some(20.0)), None, &judgement);
        }
        course(&trend).map(|course| course.limit)
    };
    assert_eq!(falls("disk free", false), Some(0.0));
    assert_eq!(falls("disk", true), Some(0.0));
    assert_eq!(falls("disk", false), None);
}

#[test]
fn what_has_no_scale_leads_to_a_threshold_that_is_not_crossed() {
    let mut trend = Trend::new("queue");
    let limit = |trend: &Trend| course(trend).map(|course| (course.limit, course.hard));
    for at in 0..60_u32 {
        let at = f64::from(at);
        let point = (Timestamp::EPOCH.after(at * 60.0), 100.0 + at);
        trend.push(point, Scale::of(None, Some(200.0)), None, &Judgement::default());
    }
    assert_eq!(limit(&trend), Some((200.0, false)));
    trend.push((Timestamp::EPOCH.after(HOUR), 160.0), Scale::of(None, Some(150.0)), None, &Judgement::default());
    assert_eq!(limit(&trend), None);
}

#[test]
fn values_of_two_alerts_make_no_line() {
    let mut trend = Trend::new("disk_used");
    for at in 0..120_u32 {
        let (secs, value) = (f64::from(at) * 60.0, if at % 2 == 0 { 82.0 } else { 82.0 + f64::from(at) * 0.1 });
        let of = Some(Fingerprint(u64::from(at % 2) + 1));
        trend.push((Timestamp::EPOCH.after(secs), value), Scale::of(Some("%"), None), of, &Judgement::default());
        assert_eq!(course(&trend), None);
    }
}

#[test]
fn the_hour_is_halved_each_time_that_it_was_for_nothing() {
    let judgement = Judgement::default();
    let mut trend = after(60.0, [80.0]);
    let mut hours = Vec::new();
    for _ in 0..5 {
        hours.push(trend.pages_within(&judgement) / HOUR);
        trend.told = true;
        trend.ends();
    }
    assert_eq!(hours, [1.0, 0.5, 0.25, 0.125, 0.125]);
    trend.told = true;
    push(&mut trend, 600.0, 99.0);
    trend.ends();
    assert!((trend.pages_within(&judgement) - HOUR).abs() < 1e-9);
}

proptest! {
    #[test]
    fn whatever_comes_its_numbers_stay_numbers(points in prop::collection::vec((-1e35..1e35_f64, 0..100_000_u32), 1..80), percent: bool) {
        let mut trend = Trend::new("x");
        let mut at = Timestamp::EPOCH;
        for (value, gap) in points {
            at = at.after(f64::from(gap) / 10.0);
            let scale = Scale::of(percent.then_some("%"), Some(value / 2.0));
            trend.push((at, if percent { value % 100.0 } else { value }), scale, None, &Judgement::default());
            if let Some(course) = course(&trend) {
                prop_assert!(course.per_hour.is_finite() && course.value.is_finite(), "{course:?}");
                prop_assert!(course.at >= at && course.at.since(at) <= 86_400.1, "{course:?}");
            }
        }
    }
}
