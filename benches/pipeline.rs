//! The whole path of the real binary over loopback: an event arrives over HTTP, is judged, is durable, is answered
//! with 200. Events a second, the binary's CPU milliseconds for 1,000 events, how long a request takes; then how long
//! it is from an event to its page at a webhook, idle and under load.
//!
//! Deliberately not criterion: what is measured is another process. Linux only: CPU time comes from `/proc`.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::print_stdout, reason = "prints its table")]

#[path = "../tests/shell/binary.rs"]
mod binary;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use binary::Binary;
use serde_json::{Value, json};
use squelch::clock::Stopwatch;

/// What is sent.
#[derive(Clone, Copy)]
enum Load {
    /// Alerts that Prometheus sends again and again while they fire: the load that Alertmanager was measured with.
    Resends,
    /// Native events, nothing but changes: each series fires and resolves in turn.
    Changes,
}

/// The load, the events in one request, and the requests of each connection.
const CELLS: [(Load, usize, usize); 4] =
    [(Load::Resends, 1, 400), (Load::Resends, 10, 400), (Load::Resends, 100, 400), (Load::Changes, 100, 200)];
/// Connections at once, each with one request under way.
const CONNECTIONS: usize = 16;
/// Series that the events are spread over.
const SERIES: usize = 10_000;
/// Pages that are timed.
const PAGES: usize = 300;
/// Connections that resend alerts while pages are timed under load.
const BESIDE: usize = 2;
/// Ticks of `/proc/PID/stat` in a second: 100 on every Linux.
const TICKS: f64 = 100.0;
const STORE: &str = "min_free: 1MiB";

fn main() {
    println!("{CONNECTIONS} connections, {SERIES} series");
    println!("{:>8} {:>6} {:>10} {:>13} {:>8} {:>8}", "load", "batch", "events/s", "CPU ms/1,000", "p50 ms", "p99 ms");
    for cell in CELLS {
        ingest(cell);
    }
    println!("from an event to its page, {PAGES} pages");
    for (name, beside) in [("idle", 0), ("beside resends", BESIDE)] {
        let times = pages(beside);
        println!("{name:>15}  p50 {:.1} ms  p99 {:.1} ms", at(&times, 50), at(&times, 99));
    }
}

fn ingest((load, batch, requests): (Load, usize, usize)) {
    let dir = tempfile::tempdir().unwrap();
    binary::house(dir.path(), "rules: []\n", STORE);
    let mut life = Binary::start(dir.path(), Stdio::null());
    let address = life.address();
    // What resends repeat is known by then.
    for from in (0..SERIES).step_by(100) {
        exchange(&mut connect(address), &request(load, from, 100));
    }
    let before = cpu(life.child.id());
    let watch = Stopwatch::start();
    let times = thread::scope(|scope| {
        let connections: Vec<_> =
            (0..CONNECTIONS).map(|n| scope.spawn(move || connection(address, load, (n, batch, requests)))).collect();
        connections.into_iter().flat_map(|handle| handle.join().unwrap()).collect::<Vec<_>>()
    });
    let took = watch.elapsed().as_secs_f64();
    let cpu = cpu(life.child.id()) - before;
    let events = (batch * requests * CONNECTIONS) as f64;
    let name = match load {
        Load::Resends => "resends",
        Load::Changes => "changes",
    };
    let times = sorted(times);
    println!(
        "{name:>8} {batch:>6} {:>10.0} {:>13.2} {:>8.1} {:>8.1}",
        events / took,
        cpu * 1e6 / events,
        at(&times, 50),
        at(&times, 99)
    );
}

/// User and system time of a process so far, in seconds.
fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field after it.
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS
}

fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort();
    times
}

/// So many percent took at most these milliseconds.
fn at(times: &[Duration], percent: usize) -> f64 {
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// How long each request of a connection took.
fn connection(address: SocketAddr, load: Load, (n, batch, requests): (usize, usize, usize)) -> Vec<Duration> {
    let mut stream = connect(address);
    let bodies: Vec<_> = (0..requests).map(|at| request(load, SERIES + (n * requests + at) * batch, batch)).collect();
    bodies
        .iter()
        .map(|body| {
            let watch = Stopwatch::start();
            exchange(&mut stream, body);
            watch.elapsed()
        })
        .collect()
}

/// A whole request.
fn request(load: Load, from: usize, batch: usize) -> Vec<u8> {
    let (path, event): (_, fn(usize) -> Value) = match load {
        Load::Resends => ("/ingest/prometheus", alert),
        Load::Changes => ("/api/v1/events", change),
    };
    packed(path, &Value::from((from..from + batch).map(event).collect::<Vec<_>>()))
}

fn packed(path: &str, body: &Value) -> Vec<u8> {
    let text = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nHost: squelch\r\nContent-Type: application/json\r\n");
    format!("{head}Content-Length: {}\r\n\r\n{text}", text.len()).into_bytes()
}

/// An alert as Prometheus sends it, of about 550 bytes.
fn alert(n: usize) -> Value {
    let series = n % SERIES;
    json!({
        "labels": {"alertname": format!("MemoryShort{}", series % 20), "service": format!("service-{}", series % 50),
                   "severity": if series.is_multiple_of(3) { "critical" } else { "warning" },
                   "cluster": format!("eu-west-{}", series % 4), "namespace": "production",
                   "instance": format!("10.0.{}.{}:9100", series / 256, series % 256), "job": "node", "team": "platform"},
        "annotations": {"summary": format!("Memory of instance {series} is short"),
                        "description": "Less than one part in twenty of its memory has been free for ten minutes, and it falls",
                        "runbook_url": "https://runbooks.example.org/memory-short"},
        "startsAt": "2026-01-05T10:00:00.000Z", "endsAt": "2036-01-05T10:00:00.000Z",
        "generatorURL": "http://prometheus.example.org:9090/graph?g0.expr=memory&g0.tab=1",
    })
}

/// A native event of about 500 bytes; every series changes its state each time.
fn change(n: usize) -> Value {
    let series = n * 7919 % SERIES;
    json!({
        "source": "prometheus", "kind": "host", "service": format!("service-{}", series % 40),
        "host": format!("host-{}", series / 10), "check": format!("check-{}", series % 10),
        "severity": "warning", "status": if (n / SERIES).is_multiple_of(2) { "firing" } else { "resolved" },
        "value": 97.25, "threshold": 90, "unit": "%",
        "summary": "Memory of this host is nearly used up, and has been so for the last five minutes",
        "labels": {"environment": "production", "region": "eu-west-1", "team": "platform",
                   "job": "node-exporter", "instance": "10.0.12.7:9100"},
        "runbook_url": "https://runbooks.example.org/memory-nearly-used-up",
    })
}

/// One request and its answer, which must be a 200.
fn exchange(stream: &mut TcpStream, request: &[u8]) {
    stream.write_all(request).unwrap();
    let mut reader = BufReader::new(&*stream);
    let (status, body) = message(&mut reader).expect("it hung up");
    assert!(status.starts_with("HTTP/1.1 200"), "{status}: {}", String::from_utf8_lossy(&body));
}

/// The first line and the body of a request or an answer; `None` = the connection is over.
fn message(from: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
    from.read_line(&mut first).ok().filter(|count| *count > 0)?;
    while line != "\r\n" {
        line.clear();
        from.read_line(&mut line).ok().filter(|count| *count > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some((first, body))
}

/// How long each page took from the first byte of its event to the last byte of its request at the webhook.
fn pages(beside: usize) -> Vec<Duration> {
    let dir = tempfile::tempdir().unwrap();
    let (hook, arrived) = hook();
    let rules = format!(
        "receivers: [{{name: hook, webhook: {{url: \"http://{hook}/\"}}}}]\n\
         routes: [{{name: loud, match: ['service=~\"loud.*\"'], receivers: [hook]}}]\n\
         rules: [{{name: loud, match: ['service=~\"loud.*\"'], page: always}}]\n"
    );
    binary::house(dir.path(), &rules, STORE);
    let mut life = Binary::start(dir.path(), Stdio::null());
    let address = life.address();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for n in 0..beside {
            let over = &over;
            scope.spawn(move || {
                let mut stream = connect(address);
                for from in (n * 100..).step_by(100) {
                    exchange(&mut stream, &request(Load::Resends, from, 100));
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let times = (0..PAGES).map(|n| page(address, n, &arrived)).collect();
        over.store(true, Ordering::Relaxed);
        sorted(times)
    })
}

fn page(address: SocketAddr, n: usize, arrived: &Receiver<()>) -> Duration {
    // A name of letters: numbers are masked, and would all be one series.
    let name: String = [n / 676, n / 26 % 26, n % 26].iter().map(|place| char::from(b'a' + *place as u8)).collect();
    let event = json!([{"source": "probe", "check": "up", "status": "resolved"},
                       {"source": "probe", "check": "down", "service": format!("loud{name}"), "severity": "critical"}]);
    let (mut stream, event) = (connect(address), packed("/api/v1/events", &event));
    let watch = Stopwatch::start();
    exchange(&mut stream, &event);
    arrived.recv().unwrap();
    watch.elapsed()
}

/// A webhook that tells of each request. Its threads end with the process.
fn hook() -> (SocketAddr, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (arrived, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let arrived: Sender<()> = arrived.clone();
            thread::spawn(move || {
                let mut reader = BufReader::new(&stream);
                while message(&mut reader).is_some() {
                    let _ = arrived.send(());
                    (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                }
            });
        }
    });
    (address, told)
}
