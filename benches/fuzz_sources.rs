//! Every reader under damage: bodies of 64 KiB made to be slow, then fixtures with bytes changed, cut and doubled. Ends
//! with an error when a reader panics, gives something unsound, or takes longer than 10 ms for 64 KiB (100 ms in the gate,
//! where nothing is optimised).
//!
//! `SQUELCH_FUZZ_SECONDS=60 cargo bench --bench fuzz_sources` works longer on each; the seed is a constant, so that what is
//! found is found again. `SQUELCH_FUZZ_ONLY=github,sentry` works on these.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench may panic, and tells what it measured")]

use std::num::NonZero;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use squelch::config;
use squelch::domain::{Event, Timestamp};
use squelch::formats::{Body, Reader};

const RECEIVED: Timestamp = Timestamp::from_millis(1_795_410_000_000);
const SEED: u64 = 0x5EED_0004;
const SIZE: usize = 64 << 10;
/// Without optimisation ten times as long.
const SLOW: Duration = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 10 });
const SECONDS: u64 = 2;

/// Xorshift: the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn now() -> Instant {
    Instant::now()
}

fn fixtures(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats").join(name);
    let files = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|end| end != "expected")).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn damaged(bodies: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bodies[dice.roll(bodies.len())].clone();
    for _ in 0..=dice.roll(6) {
        let at = dice.roll(bytes.len());
        match dice.roll(5) {
            _ if bytes.is_empty() => bytes.push(b'{'),
            0 => bytes[at] = dice.roll(256) as u8,
            1 => bytes.insert(at, b"\"{}[],:0e-\\$"[dice.roll(12)]),
            2 => bytes.truncate(at),
            3 => {
                let part = bytes[at..(at + dice.roll(60)).min(bytes.len())].to_vec();
                let to = dice.roll(bytes.len());
                bytes.splice(to..to, part);
            }
            _ => {
                let words: [&[u8]; 8] = [b"null", b"true", b"-1", b"1e999", b"\"\"", b"[]", b"{}", b"\"$HOST\""];
                let word = words[dice.roll(words.len())];
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
    bytes
}

/// Bodies of 64 KiB that are made to be slow: long, deep, wide, and the tool's own repeated.
fn large(bodies: &[Vec<u8>]) -> Vec<(&'static str, Vec<u8>)> {
    let fill = |part: &[u8]| part.iter().copied().cycle().take(SIZE).collect::<Vec<u8>>();
    let around = |open: &str, inner: Vec<u8>, close: &str| [open.as_bytes(), &inner, close.as_bytes()].concat();
    let mut all = vec![
        ("empty maps", around("[", fill(b"{},"), "{}]")),
        ("brackets", fill(b"[")),
        ("quotes", fill(b"\"")),
        ("commas", fill(b",")),
        ("lines", fill(b"{}\n")),
        ("fields of a form", fill(b"a=b&")),
        ("empty fields of Protocol Buffers", fill(b"\n\0")),
        ("one long text", around("{\"message\":\"", fill(b"a b,c:d "), "\"}")),
        ("alerts without labels", around("{\"alerts\":[", fill(b"{\"a\":1},"), "{}]}")),
        ("syslog", fill(b"<34>1 2026-11-23T04:59:15Z h a - - [a b=\"1\"] text 123\n")),
    ];
    for body in bodies {
        let body = body.trim_ascii();
        if body.starts_with(b"{") {
            let count = SIZE / body.len().max(1);
            all.push(("its own, in a list", around("[", [body, b","].concat().repeat(count.max(1)), "{}]")));
            let texts =
                String::from_utf8_lossy(body).replacen("\":\"", &format!("\":\"{}", "x: y=z, ".repeat(8_000)), 1);
            all.push(("its own, with a long text", texts.into_bytes()));
        } else {
            all.push(("its own, again and again", body.repeat(SIZE / body.len().max(1))));
        }
    }
    all.into_iter().map(|(name, body)| (name, body.into_iter().take(SIZE).collect())).collect()
}

fn is_sound(event: &Event) -> bool {
    let finite = |number: Option<f64>| number.is_none_or(f64::is_finite);
    !event.source.is_empty() && finite(event.value) && finite(event.threshold)
}

/// Reads a body; whether it went as it should.
fn read(reader: Reader<'_>, bytes: &[u8]) -> bool {
    let body = Body { query: Some("a=b"), ..Body::new(bytes, RECEIVED) };
    let result = catch_unwind(std::panic::AssertUnwindSafe(|| reader.parse(&body)));
    result.is_ok_and(|read| read.is_err() || read.unwrap().events.iter().all(is_sound))
}

/// The fastest of three: what else the machine does is not the reader's fault.
fn time(reader: Reader<'_>, bytes: &[u8]) -> Duration {
    let once = || {
        let start = now();
        read(reader, bytes);
        start.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap_or_default()
}

/// The slowest of the bodies that are made to be slow, and its name.
fn slowest(reader: Reader<'_>) -> (Duration, &'static str) {
    let bodies = large(&fixtures(reader.name()));
    bodies.iter().map(|(name, body)| (time(reader, body), *name)).max().unwrap_or_default()
}

/// Damages bodies for so long: how many, and how many were read wrong.
fn fuzz(reader: Reader<'_>, span: Duration) -> (u64, u64) {
    let (bodies, start, mut dice) = (fixtures(reader.name()), now(), Dice(SEED));
    let (mut count, mut wrong) = (0, 0);
    while start.elapsed() < span {
        for _ in 0..100 {
            let body = damaged(&bodies, &mut dice);
            count += 1;
            if !read(reader, &body) {
                wrong += 1;
                println!("{} fails on {:?}", reader.name(), String::from_utf8_lossy(&body));
            }
        }
    }
    (count, wrong)
}

/// What [`fuzz`] found of each, on all cores: here nothing is timed.
fn fuzz_all(readers: &[Reader<'_>], span: Duration) -> Vec<(u64, u64)> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(vec![(0, 0); readers.len()]));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while let Some((at, reader)) =
                    Some(next.fetch_add(1, Relaxed)).and_then(|at| Some((at, readers.get(at)?)))
                {
                    let of_this = fuzz(*reader, span);
                    found.lock().unwrap()[at] = of_this;
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn main() -> ExitCode {
    let seconds = std::env::var("SQUELCH_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let only = std::env::var("SQUELCH_FUZZ_ONLY").ok();
    let start = now();
    let sources = config::mappings(&config::with_shipped_mappings(Vec::new())).unwrap().sources;
    println!("all mappings are read in {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let mut readers = sources.readers();
    readers.retain(|reader| only.as_ref().is_none_or(|only| only.split(',').any(|name| name == reader.name())));
    // First, while nothing else runs.
    let times: Vec<_> = readers.iter().map(|reader| slowest(*reader)).collect();
    let found = fuzz_all(&readers, Duration::from_secs(seconds));
    let (mut wrong, mut total, mut worst) = (0, 0, (Duration::ZERO, String::new()));
    for ((reader, (took, body)), (count, bad)) in readers.iter().zip(times).zip(found) {
        let late = took > SLOW;
        (wrong, total) = (wrong + bad + u64::from(late), total + count);
        let millis = took.as_secs_f64() * 1e3;
        let late = if late { "  TOO SLOW" } else { "" };
        println!("{:<26}{count:>9} bodies, slowest of 64 KiB {millis:>8.2} ms ({body}){late}", reader.name());
        worst = worst.max((took, format!("{}: {body}", reader.name())));
    }
    println!("{total} bodies, {wrong} wrong; slowest {:.2} ms ({})", worst.0.as_secs_f64() * 1e3, worst.1);
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
