use proptest::prelude::*;

use super::{Constants, Detector, UNUSUAL};
use crate::domain::time::Timestamp;

/// Five minutes, in milliseconds.
const STEP: i64 = 300_000;

fn at(sample: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + sample * STEP)
}

/// A day's wave between 10 and 30 with a little noise.
fn wave(sample: i64) -> f64 {
    let noise = ((sample.wrapping_mul(2_654_435_761) >> 7) & 255) as f64 / 255.0;
    20.0 + 10.0 * (sample as f64 / 288.0 * std::f64::consts::TAU).sin() + noise
}

/// The samples at which a detector finds these values unusual.
fn unusual(values: impl IntoIterator<Item = f64>) -> Vec<i64> {
    let mut detector = Detector::default();
    let values = values.into_iter().enumerate();
    values
        .filter_map(|(sample, value)| (detector.push(at(sample as i64), value) >= UNUSUAL).then_some(sample as i64))
        .collect()
}

#[test]
fn the_state_is_at_most_300_bytes() {
    assert!(size_of::<Detector>() <= 300, "{} bytes", size_of::<Detector>());
}

#[test]
fn a_constant_value_is_never_unusual() {
    assert_eq!(unusual(std::iter::repeat_n(42.0, 20_000)), Vec::<i64>::new());
}

#[test]
fn a_value_far_outside_of_its_range_is_unusual_at_once() {
    assert!(unusual((0..3_000).map(|sample| if sample == 2_900 { 60.0 } else { wave(sample) })).contains(&2_900));
}

#[test]
fn an_afternoon_like_a_night_is_unusual_though_every_value_was_seen_before() {
    let flat = |sample: i64| if (2_920..2_990).contains(&sample) { 12.0 } else { wave(sample) };
    let found = unusual((0..3_100).map(flat));
    assert!(found.iter().any(|sample| (2_920..3_000).contains(sample)), "{found:?}");
}

#[test]
fn one_giant_outlier_does_not_deafen() {
    let value = |sample: i64| match sample {
        2_000 => 1e6,
        2_600 => 400.0,
        _ => wave(sample),
    };
    assert!(unusual((0..3_000).map(value)).contains(&2_600));
}

#[test]
fn what_was_outside_of_the_range_once_is_unusual_again_when_it_is_forgotten() {
    let value = |sample: i64| if [3_000, 30_000].contains(&sample) { 60.0 } else { wave(sample) };
    let found = unusual((0..30_001).map(value));
    assert!(found.contains(&3_000) && found.contains(&30_000), "{found:?}");
}

#[test]
fn something_unusual_holds_back_what_is_less_so_but_nothing_worse() {
    let value = |sample: i64| match sample {
        2_000 => 50.0,
        2_010 => 51.0,
        2_020 => 100.0,
        _ => wave(sample),
    };
    let found = unusual((0..2_030).map(value));
    assert!(found.contains(&2_000) && !found.contains(&2_010) && found.contains(&2_020), "{found:?}");
}

#[test]
fn every_constant_is_known_by_its_name() {
    for (name, value) in Constants::SHIPPED.list() {
        assert_eq!(Constants::SHIPPED.with(name, value), Ok(Constants::SHIPPED), "{name}");
        assert_ne!(Constants::SHIPPED.with(name, value * 2.0), Ok(Constants::SHIPPED), "{name}");
    }
    assert!(Constants::SHIPPED.with("luck", 1.0).is_err_and(|error| error.contains("drift_block")));
    assert!(Constants::SHIPPED.with("fast", 0.0).is_err());
}

proptest! {
    #[test]
    fn any_values_score_from_0_to_1(values in proptest::collection::vec(any::<f64>(), 0..400)) {
        let mut detector = Detector::default();
        for (sample, value) in values.into_iter().enumerate() {
            let score = detector.anomaly(&Constants::SHIPPED, at(sample as i64), value);
            prop_assert!((0.0..=1.0).contains(&score), "{score}");
        }
    }

    #[test]
    fn what_comes_later_changes_no_score(values in proptest::collection::vec(-1e3..1e3, 700..900), cut in 1_usize..700) {
        let scores = |values: &[f64]| {
            let mut detector = Detector::default();
            let numbered = values.iter().enumerate();
            numbered.map(|(sample, value)| detector.push(at(sample as i64), *value)).collect::<Vec<_>>()
        };
        prop_assert_eq!(&scores(&values)[..cut], &scores(&values[..cut])[..]);
    }
}
