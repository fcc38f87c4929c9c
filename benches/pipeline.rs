//! The whole path of the real binary: an event arrives over HTTP, is judged, is durable, is answered with 200.
//! Events a second, the binary's CPU seconds for 1,000 events, and how long a request takes, over loopback.
//!
//! Deliberately not criterion: what is measured is another process. Linux only: CPU time comes from `/proc`.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::print_stdout, reason = "prints its table")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::json;
use squelch::clock::Stopwatch;

/// Events in one request.
const BATCHES: [usize; 3] = [1, 10, 100];
/// Connections at once, each with one request under way.
const CONNECTIONS: usize = 16;
/// Requests of each connection.
const REQUESTS: [usize; 3] = [400, 200, 100];
/// Series that the events are spread over.
const SERIES: usize = 10_000;
/// Ticks of `/proc/PID/stat` in a second: 100 on every Linux.
const TICKS: f64 = 100.0;

fn main() {
    println!("{CONNECTIONS} connections, {SERIES} series");
    println!("{:>10}  {:>10}  {:>12}  {:>9}  {:>9}", "batch", "events/s", "CPU s/1,000", "p50 ms", "p99 ms");
    for (batch, requests) in BATCHES.into_iter().zip(REQUESTS) {
        let dir = tempfile::tempdir().unwrap();
        let (mut child, address) = start(dir.path());
        let before = cpu(child.id());
        let watch = Stopwatch::start();
        let times = load(address, batch, requests);
        let took = watch.elapsed().as_secs_f64();
        let cpu = cpu(child.id()) - before;
        child.kill().unwrap();
        child.wait().unwrap();
        let events = (batch * requests * CONNECTIONS) as f64;
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
        println!(
            "{batch:>10}  {:>10.0}  {:>12.4}  {:>9.2}  {:>9.2}",
            events / took,
            cpu / events * 1e3,
            at(50),
            at(99)
        );
    }
}

fn start(dir: &std::path::Path) -> (Child, SocketAddr) {
    fs::create_dir(dir.join("rules")).unwrap();
    fs::write(dir.join("squelch.yaml"), "limits: {per_source: 1000000 events/s}\nstore: {min_free: 1MiB}\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_squelch"))
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(dir.join("squelch.yaml"))
        .arg("--rules")
        .arg(dir.join("rules"))
        .arg("--data-dir")
        .arg(dir.join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    thread::spawn(move || lines.for_each(drop));
    (child, first.rsplit('/').next().unwrap().parse().unwrap())
}

/// User and system time of a process so far, in seconds.
fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field after it.
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS
}

/// How long each request took, shortest first.
fn load(address: SocketAddr, batch: usize, requests: usize) -> Vec<Duration> {
    thread::scope(|scope| {
        let connections: Vec<_> =
            (0..CONNECTIONS).map(|n| scope.spawn(move || connection(address, n, batch, requests))).collect();
        let mut times: Vec<_> = connections.into_iter().flat_map(|handle| handle.join().unwrap()).collect();
        times.sort();
        times
    })
}

fn connection(address: SocketAddr, n: usize, batch: usize, requests: usize) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let bodies: Vec<_> = (0..requests).map(|request| body((n * requests + request) * batch, batch)).collect();
    bodies
        .iter()
        .map(|body| {
            let watch = Stopwatch::start();
            stream.write_all(body).unwrap();
            answer(&mut stream);
            watch.elapsed()
        })
        .collect()
}

/// A whole request. Events of about 500 bytes, as Alertmanager's are.
fn body(from: usize, batch: usize) -> Vec<u8> {
    let events: Vec<_> = (from..from + batch)
        .map(|n| {
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
        })
        .collect();
    let text = serde_json::Value::from(events).to_string();
    let head = "POST /api/v1/events HTTP/1.1\r\nHost: squelch\r\nContent-Type: application/json\r\n";
    format!("{head}Content-Length: {}\r\n\r\n{text}", text.len()).into_bytes()
}

/// Reads one answer, which must be a 200.
fn answer(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk).unwrap();
        assert!(count > 0, "it hung up");
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            assert!(head.starts_with("HTTP/1.1 200"), "{text}");
            let length = head.to_ascii_lowercase();
            let length: usize =
                length.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
            if body.len() >= length {
                return;
            }
        }
    }
}
