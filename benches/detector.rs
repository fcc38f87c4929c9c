//! The detector of unusual values: time a sample, state a series.
//!
//! A day's wave with noise at five minutes, over many series at once, so that their state does not stay in the
//! nearest cache. Seeds and sizes are the constants below.

#![expect(clippy::print_stdout, reason = "the weight of a series is a figure of this bench")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use squelch::domain::{Detector, DetectorConstants, Timestamp};

const SERIES: [usize; 2] = [1, 10_000];
/// Samples of one series before it is measured, and how many are measured at once over all series.
const BEFORE: usize = 300;
const BATCH: usize = 10_000;

fn value(series: usize, sample: usize) -> f64 {
    let noise = (series.wrapping_mul(31).wrapping_add(sample).wrapping_mul(2_654_435_761) >> 7) & 255;
    20.0 + 10.0 * (sample as f64 / 288.0 * std::f64::consts::TAU).sin() + noise as f64 / 255.0
}

fn at(sample: usize) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + 300_000 * sample as i64)
}

fn samples(criterion: &mut Criterion) {
    println!("detector: {} bytes a series", size_of::<Detector>());
    let mut group = criterion.benchmark_group("detector");
    group.throughput(Throughput::Elements(BATCH as u64));
    for series in SERIES {
        let mut detectors = vec![Detector::default(); series];
        let mut next = 0;
        for sample in 0..BEFORE {
            for (which, detector) in detectors.iter_mut().enumerate() {
                detector.anomaly(&DetectorConstants::SHIPPED, at(sample), value(which, sample));
            }
        }
        group.bench_function(format!("samples of {series} series"), |bencher| {
            bencher.iter(|| {
                for _ in 0..BATCH {
                    let (which, sample) = (next % series, BEFORE + next / series);
                    let score = detectors[which].anomaly(&DetectorConstants::SHIPPED, at(sample), value(which, sample));
                    black_box(score);
                    next += 1;
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, samples);
criterion_main!(benches);
