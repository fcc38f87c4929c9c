//! Recorded events read from all inputs of a command, with what is wrong in them told by line.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::input::{LONGEST_LINE, Lines};
use super::progress;
use crate::domain::{Event, Timestamp};
use crate::formats::{Rejected, native};
use crate::replay::wording::several;
use crate::store::{Store, StoreOptions, history};

/// How many bad lines are told one by one.
const LISTED: u64 = 20;

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// Lines that were not blank: the next event's number.
    pub(super) lines: u64,
    /// Of these, lines that are no valid event.
    pub(super) rejected: u64,
}

/// Reads all inputs in order and hands out every line that is not blank: its number from 0 over all inputs, and its
/// event; `None` = it is no valid event. Bad lines are told on standard error: the first 20, then their count.
///
/// # Errors
/// When an input cannot be read; when `strict`, also at the first bad line.
pub(super) fn read(inputs: &[PathBuf], strict: bool, mut each: impl FnMut(u64, Option<Event>)) -> Result<Read, Fault> {
    let bar = progress::over(inputs);
    let mut read = Read::default();
    for path in inputs {
        bar.set_message(path.display().to_string());
        let mut lines = Lines::open(path, &bar)?;
        while let Some(line) = lines.next()? {
            let event = match line.bytes {
                Some(bytes) => native::read_line(bytes).map_err(|rejected| reason(&rejected)),
                None => Err(format!("the line is longer than {LONGEST_LINE} bytes")),
            };
            if let Err(reason) = &event {
                read.rejected += 1;
                let told = format!("{}:{}: {reason}", shown(path), line.number);
                if strict {
                    return Err(Fault::Wrong(format!("{told}\n--strict: nothing more was read")));
                }
                if read.rejected <= LISTED {
                    bar.suspend(|| tell(&told));
                }
            }
            each(read.lines, event.ok());
            read.lines += 1;
        }
    }
    bar.finish_and_clear();
    if read.rejected > LISTED {
        tell(&format!("and {} that are no valid events", several(read.rejected - LISTED, "more line")));
    }
    Ok(read)
}

/// The history of a stopped Squelch, in order of its numbers; damaged pieces are told and left out.
///
/// # Errors
/// When there is no store, or it cannot be read.
pub(super) fn stored(dir: &Path) -> Result<Vec<(u64, Event)>, Fault> {
    if !dir.join("durable").exists() && !dir.join("sled").exists() {
        return Err(Fault::Wrong(format!("there is no store in {}: name its directory", dir.display())));
    }
    let wrong = |error: &dyn std::fmt::Display| Fault::Wrong(format!("{}: {error}", dir.display()));
    // What came last is still in the journal.
    let options = StoreOptions { min_free: 0, ..StoreOptions::default() };
    let (mut store, recovered) = Store::open(dir, &options).map_err(|error| wrong(&error))?;
    recovered.damage.iter().for_each(|damage| tell(&format!("squelch: damage: {damage}")));
    store.spill().map_err(|error| wrong(&error))?;
    drop(store);
    let past = history::read(dir, Timestamp::EPOCH, Timestamp::MAX).map_err(|error| Fault::Wrong(error.to_string()))?;
    let mut events = Vec::new();
    for past in past {
        match past {
            Ok(past) => events.push((past.seq, past.event)),
            Err(damage) => tell(&format!("squelch: damage: {damage}")),
        }
    }
    Ok(events)
}

/// What is wrong with a line, and how to mend it.
fn reason(rejected: &Rejected) -> String {
    let mut text = rejected.message.clone();
    if !rejected.path.is_empty() {
        text.push_str(&format!(" (at {})", rejected.path));
    }
    if let Some(help) = &rejected.help {
        text.push_str(&format!("; {help}"));
    }
    text
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "(standard input)".to_owned() } else { path.display().to_string() }
}

/// One line on standard error. Who has closed that does not want to know.
pub(super) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
