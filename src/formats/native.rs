//! The event of the contract (section 1) as JSON: one object, an array, or JSON Lines; and back into one line.
//!
//! Recordings are read by the same code ([`read_line`]), so that a replay sees what a live Squelch would have seen.
//! Words of the closed vocabularies are taken in any case of letters, but there are no synonyms: `crit` is an error
//! that names `critical`. `null` and empty strings are as good as absent.

mod line;
mod wire;

pub use line::write_line;

use serde_json::Deserializer;

use crate::domain::Event;

use super::split;
use super::{Body, Format, FormatError, Parsed, Rejected, Warning, settle};

pub(super) const FORMAT: Format = Format {
    name: "native",
    title: "Squelch's own events (also at /api/v1/events)",
    setup: "POST one JSON object, an array, or JSON Lines (application/x-ndjson)",
    signature: None,
    parse,
};

/// What an event should look like, for help lines.
const EXAMPLE: &str = r#"an event looks like {"source":"cron","check":"backup","host":"db-1","severity":"error"}"#;
/// Seconds that a time may lie ahead of the receipt before the sender is told about its clock.
const AHEAD: f64 = 3_600.0;
/// Seconds that a time may lie behind the receipt before the sender is told.
const BEHIND: f64 = 7.0 * 86_400.0;

/// Reads one line of a recording.
///
/// # Errors
/// The line is no valid event; the reason names every field that is wrong. Its `index` is 0: the caller knows
/// which line it was.
pub fn read_line(line: &[u8]) -> Result<Event, Rejected> {
    let mut warnings = Vec::new();
    let mut event = read(split::trimmed(line), (0, true), &mut warnings)?;
    settle(&mut event, 0, &mut warnings);
    Ok(event)
}

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let bytes = split::trimmed(body.bytes);
    let mut parsed = Parsed::default();
    let lines = body.content_type.is_some_and(|kind| kind.contains("ndjson") || kind.contains("jsonl"));
    match bytes.first() {
        None => return Err(FormatError::new(FORMAT.name, "the body is empty", EXAMPLE)),
        Some(_) if lines => each_line(bytes, &mut parsed),
        Some(b'[') => array(bytes, &mut parsed),
        Some(b'{') => object_or_lines(bytes, &mut parsed),
        Some(_) => return Err(FormatError::new(FORMAT.name, "the body is no JSON object or array", EXAMPLE)),
    }
    for event in &mut parsed.events {
        event.received = Some(body.received);
    }
    warn_of_clocks(&mut parsed, body);
    Ok(parsed)
}

/// A body that is one object, or several, one a line.
fn object_or_lines(bytes: &[u8], parsed: &mut Parsed) {
    match read(bytes, (0, true), &mut parsed.warnings) {
        Ok(event) => parsed.keep(0, event),
        Err(rejected) => {
            let whole = |text: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
            if !whole(bytes) && split::lines(bytes).any(|(_, line)| whole(line)) {
                parsed.warnings.clear();
                each_line(bytes, parsed);
            } else {
                parsed.reject(rejected);
            }
        }
    }
}

fn each_line(bytes: &[u8], parsed: &mut Parsed) {
    for (number, line) in split::lines(bytes) {
        one(line, number, parsed);
    }
}

/// The whole array at once; from where that fails on, each element on its own.
fn array(bytes: &[u8], parsed: &mut Parsed) {
    let mut reader = Deserializer::from_slice(bytes);
    let mut taken = 0;
    let read = wire::each(&mut reader, |index, wire| {
        let told = parsed.rejected.len() < Parsed::LISTED;
        take(wire.check((index, told), &mut parsed.warnings), index, parsed);
        taken = index + 1;
    });
    let Err(error) = read.and_then(|()| reader.end()) else { return };
    for (index, element) in split::elements(bytes).into_iter().enumerate().skip(taken) {
        one(element, index, parsed);
    }
    if parsed.rejected.is_empty() {
        let index = parsed.events.len();
        parsed.warn(Warning::new(index, "", format!("the array does not end well: {error}")));
    }
}

fn one(text: &[u8], index: usize, parsed: &mut Parsed) {
    let told = parsed.rejected.len() < Parsed::LISTED;
    let read = read(text, (index, told), &mut parsed.warnings);
    take(read, index, parsed);
}

fn take(read: Result<Event, Rejected>, index: usize, parsed: &mut Parsed) {
    match read {
        Ok(event) => parsed.keep(index, event),
        Err(rejected) => parsed.reject(rejected),
    }
}

fn read(text: &[u8], (index, told): (usize, bool), warnings: &mut Vec<Warning>) -> Result<Event, Rejected> {
    let wire: wire::Wire<'_> = serde_json::from_slice(text).map_err(|error| unreadable(&error, text, index))?;
    wire.check((index, told), warnings)
}

fn unreadable(error: &serde_json::Error, text: &[u8], index: usize) -> Rejected {
    let message = error.to_string();
    let (path, message) = match message.split_once(": ") {
        Some((path, rest)) if wire::is_field(path) => (path.to_owned(), rest.to_owned()),
        _ => (String::new(), message),
    };
    let help = if message.starts_with("number out of range") {
        "numbers must be finite: at most 1.7e308"
    } else if std::str::from_utf8(text).is_err() {
        "the text is not UTF-8"
    } else if message.starts_with("EOF") {
        "the text ends too early: was it cut off?"
    } else if [&b"NaN"[..], b"Infinity", b"inf"].iter().any(|word| text.windows(word.len()).any(|part| part == *word)) {
        "JSON knows neither NaN nor Infinity: leave the field out"
    } else {
        EXAMPLE
    };
    Rejected { index, path, message, help: Some(help.to_owned()) }
}

/// Tells senders whose clocks are far off. Their events are kept: a wrong clock is no reason to miss an alert.
fn warn_of_clocks(parsed: &mut Parsed, body: &Body<'_>) {
    let mut warnings = Vec::new();
    for (index, event) in parsed.events.iter().enumerate() {
        let Some(ts) = event.ts else { continue };
        let ahead = ts.since(body.received);
        if ahead > AHEAD || -ahead > BEHIND {
            let side = if ahead > 0.0 { "after" } else { "before" };
            let hours = ahead.abs() / 3600.0;
            let message = format!("lies {hours:.0} hours {side} the receipt: is the sender's clock right?");
            warnings.push(Warning::new(index, "ts", message));
        }
    }
    warnings.into_iter().for_each(|warning| parsed.warn(warning));
}
