//! How fast bodies become events, samples are left out that no rule asks for, and names become their masked selves.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use squelch::config::{self, Source};
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

fn body_of(format: &str, events: usize) -> (Vec<u8>, &'static str) {
    let lines: Vec<String> = story::events(story::SEED).iter().take(events).map(native::write_line).collect();
    match format {
        "object" => (lines[0].clone().into_bytes(), "native"),
        "array" => (format!("[{}]", lines.join(",")).into_bytes(), "native"),
        "lines" => (lines.join("\n").into_bytes(), "native"),
        "remote-write" => ((0..events).flat_map(series).collect(), "remote-write"),
        _ => {
            let alerts: Vec<String> = (0..events).map(alert).collect();
            (format!("[{}]", alerts.join(",")).into_bytes(), "prometheus")
        }
    }
}

/// An alert of the size that Prometheus posts: some 500 bytes.
fn alert(number: usize) -> String {
    format!(
        r#"{{"labels":{{"alertname":"HostOutOfMemory","env":"production","instance":"web-{number}:9100","job":"node","region":"eu-west-1","severity":"warning","team":"shop"}},"annotations":{{"summary":"web-{number} has 3% of its memory left","description":"Memory of web-{number} has been nearly used up for five minutes.","runbook_url":"https://wiki.example/runbooks/memory"}},"startsAt":"2026-11-23T04:58:10.123Z","endsAt":"2026-11-23T05:04:00.123Z","generatorURL":"http://prometheus.example:9090/graph?g0.expr=node_memory&g0.tab=1"}}"#
    )
}

/// A field of Protocol Buffers that holds less than 16 KiB.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let head = if length < 128 {
        vec![number << 3 | 2, length as u8]
    } else {
        vec![number << 3 | 2, (length & 127) as u8 | 128, (length >> 7) as u8]
    };
    [head, bytes.to_vec()].concat()
}

/// A series of a node exporter with one sample, as Prometheus sends it.
fn series(number: usize) -> Vec<u8> {
    let instance = format!("web-{number}:9100");
    let labels = [
        ("__name__", "node_filesystem_avail_bytes"),
        ("device", "/dev/nvme0n1p1"),
        ("env", "production"),
        ("fstype", "ext4"),
        ("instance", &instance),
        ("job", "node"),
        ("mountpoint", "/var"),
        ("region", "eu-west-1"),
    ];
    let label =
        |(name, value): (&str, &str)| field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat());
    let sample = [&[0x09][..], &(number as f64).to_le_bytes(), &[0x10, 0x80, 0xf1, 0x99, 0xb6, 0xa0, 0x34]].concat();
    field(1, &[labels.into_iter().flat_map(label).collect(), field(2, &sample)].concat())
}

/// As `POST /api/v1/write` does it where a rule asks for other samples.
fn left_out(criterion: &mut Criterion) {
    let rule = "rules: [{name: queues, match: '__name__=\"queue_length\"', adaptive: {severity: error}}]\n";
    let policy = config::load(&config::with_shipped(vec![Source::new("rules.yaml", rule)])).unwrap().policy;
    let (bytes, tool) = body_of("remote-write", BATCH);
    let format = find(tool).unwrap();
    let mut group = criterion.benchmark_group("formats/left out");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function(BenchmarkId::new("remote-write", BATCH), |bench| {
        bench.iter(|| {
            let mut events = (format.parse)(black_box(&Body::new(&bytes, RECEIVED))).unwrap().events;
            events.retain(|event| policy.watches(event));
            assert!(events.is_empty());
        });
    });
}

fn bodies(criterion: &mut Criterion) {
    for (shape, events) in
        [("object", 1), ("array", BATCH), ("lines", BATCH), ("prometheus", BATCH), ("remote-write", BATCH)]
    {
        let (text, tool) = body_of(shape, events);
        let format = find(tool).unwrap();
        let content_type = (shape == "lines").then_some("application/x-ndjson");
        let body = Body { content_type, ..Body::new(&text, RECEIVED) };
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

criterion_group!(benches, bodies, left_out, masks);
criterion_main!(benches);
