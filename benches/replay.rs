//! `squelch replay` of 600,000 alerts by the real binary: seconds, and CPU seconds of the whole.
//!
//! The input is the story of the project, told of ten shops, week after week, each with a seed of its own. Deliberately
//! not criterion: what is measured is another process. Linux only: CPU time comes from `/proc`.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]
#![expect(clippy::print_stdout, reason = "prints its table")]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use squelch::clock::Stopwatch;
use squelch::domain::{Event, Timestamp};
use squelch::formats::native;
use squelch::story;

const ALERTS: usize = 600_000;
const SHOPS: [&str; 10] = ["ada", "bela", "cleo", "dora", "emil", "fritz", "gita", "hugo", "ines", "jana"];
const WEEK: i64 = 7 * 86_400_000;
const RUNS: usize = 3;

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("alerts.jsonl");
    write(&input);
    println!("{ALERTS} alerts, {} MB", fs::metadata(&input).unwrap().len() / 1_000_000);
    for decisions in [false, true] {
        for _ in 0..RUNS {
            let mut command = Command::new(env!("CARGO_BIN_EXE_squelch"));
            command.arg("replay").arg(&input).current_dir(dir.path()).stdout(Stdio::null()).stderr(Stdio::null());
            if decisions {
                command.arg("--decisions").arg(dir.path().join("decisions.jsonl"));
            }
            let (before, watch) = (cpu(), Stopwatch::start());
            assert!(command.status().unwrap().success());
            let told = if decisions { "with all decisions written" } else { "account only" };
            println!("{told:>27}  {:.2} s, {:.2} s of CPU", watch.elapsed().as_secs_f64(), cpu() - before);
        }
    }
}

/// User and system time of the processes that ended, in seconds: the 14th and 15th field after the name, in ticks of
/// which every Linux has 100 in a second.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[13..15].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn write(path: &Path) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let (mut written, mut seed) = (0, story::SEED);
    for week in 0.. {
        let mut events = Vec::new();
        for shop in SHOPS {
            seed += 1;
            events.extend(story::events(seed).into_iter().map(|event| moved(event, shop, week)));
        }
        events.sort_by_key(|event| event.ts);
        for event in events {
            if written == ALERTS {
                return file.flush().unwrap();
            }
            writeln!(file, "{}", native::write_line(&event)).unwrap();
            written += 1;
        }
    }
}

fn moved(mut event: Event, shop: &str, week: i64) -> Event {
    event.ts = event.ts.map(|ts| Timestamp::from_millis(ts.millis() + week * WEEK));
    for name in [&mut event.service, &mut event.host].into_iter().flatten() {
        name.insert_str(0, shop);
    }
    event
}
