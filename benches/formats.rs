//! How fast bodies become events, and names their masked selves.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use squelch::domain::Timestamp;
use squelch::domain::template::{mask_name, mask_text};
use squelch::formats::{Body, find, native};
use squelch::story;

const RECEIVED: Timestamp = Timestamp::from_millis(1_795_410_000_000);
const BATCH: usize = 100;
const NAMES: [&str; 5] = [
    "web-3",
    "productcatalogservice-668d5f85fb-wckp8",
    "ActionController::RoutingError",
    "ip-10-0-3-7.eu-west-1.compute.internal",
    "i-0abc123de456f7890",
];
const TEXTS: [&str; 2] =
    ["Connection refused", "OAuth::TokenExpired: token expired for customer 4711 at 10.0.3.7:443 after 30s"];

fn body_of(format: &str, events: usize) -> (String, &'static str) {
    let lines: Vec<String> = story::events(story::SEED).iter().take(events).map(native::write_line).collect();
    match format {
        "object" => (lines[0].clone(), "native"),
        "array" => (format!("[{}]", lines.join(",")), "native"),
        "lines" => (lines.join("\n"), "native"),
        _ => {
            let alerts: Vec<String> = (0..events).map(alert).collect();
            (format!("[{}]", alerts.join(",")), "prometheus")
        }
    }
}

/// An alert of the size that Prometheus posts: some 500 bytes.
fn alert(number: usize) -> String {
    format!(
        r#"{{"labels":{{"alertname":"HostOutOfMemory","env":"production","instance":"web-{number}:9100","job":"node","region":"eu-west-1","severity":"warning","team":"shop"}},"annotations":{{"summary":"web-{number} has 3% of its memory left","description":"Memory of web-{number} has been nearly used up for five minutes.","runbook_url":"https://wiki.example/runbooks/memory"}},"startsAt":"2026-11-23T04:58:10.123Z","endsAt":"2026-11-23T05:04:00.123Z","generatorURL":"http://prometheus.example:9090/graph?g0.expr=node_memory&g0.tab=1"}}"#
    )
}

fn bodies(criterion: &mut Criterion) {
    for (shape, events) in [("object", 1), ("array", BATCH), ("lines", BATCH), ("prometheus", BATCH)] {
        let (text, tool) = body_of(shape, events);
        let format = find(tool).unwrap();
        let content_type = (shape == "lines").then_some("application/x-ndjson");
        let body = Body { content_type, ..Body::new(text.as_bytes(), RECEIVED) };
        assert_eq!((format.parse)(&body).unwrap().events.len(), events);
        for (unit, throughput) in
            [("bytes", Throughput::Bytes(text.len() as u64)), ("events", Throughput::Elements(events as u64))]
        {
            let mut group = criterion.benchmark_group(format!("formats/{unit}"));
            group.throughput(throughput);
            group.bench_function(BenchmarkId::new(shape, events), |bench| {
                bench.iter(|| (format.parse)(black_box(&body)));
            });
        }
    }
}

fn masks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mask_name");
    for name in NAMES {
        group.bench_function(name, |bench| bench.iter(|| mask_name(black_box(name)).len()));
    }
    group.finish();
    let mut group = criterion.benchmark_group("mask_text");
    for text in TEXTS {
        group.bench_function(BenchmarkId::from_parameter(text.len()), |bench| {
            bench.iter(|| mask_text(black_box(text)).len());
        });
    }
}

criterion_group!(benches, bodies, masks);
criterion_main!(benches);
