//! `squelch check --source NAME BODY.json`: what would be read of a body, field by field, and where each came from.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the command line speaks to people")]

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::read_mappings;
use crate::clock::Clock;
use crate::domain::{Event, Timestamp};
use crate::files;
use crate::formats::mapping::{Explained, propose};
use crate::formats::{Body, FormatError, Parsed, Reader, Sources, Warning, native};

/// Shows it for each file. An error in one of them does not hide the others.
pub(super) fn run(rules: Option<&Path>, name: &str, bodies: &[PathBuf], json: bool) -> ExitCode {
    let mappings = match read_mappings(rules) {
        Ok(mappings) => mappings,
        Err(said) => {
            eprintln!("{said}");
            return ExitCode::from(1);
        }
    };
    let received = Clock::start(Timestamp::EPOCH).now();
    let mut wrong = false;
    for path in bodies {
        let shown = read(path).and_then(|bytes| {
            let content_type = None;
            show(&mappings.sources, name, &Body { content_type, ..Body::new(&bytes, received) }, json)
        });
        match shown {
            Ok(text) if json => print!("{text}"),
            Ok(text) => {
                print!("{}{text}", if bodies.len() > 1 { format!("{}\n", path.display()) } else { String::new() })
            }
            Err(said) => {
                eprintln!("{}: {said}", path.display());
                wrong = true;
            }
        }
    }
    if wrong { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    if path != Path::new("-") {
        return files::read(path).map(|source| source.text).map_err(|error| error.to_string());
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| format!("cannot read standard input: {error}"))?;
    Ok(bytes)
}

/// What is read of a body, in words.
fn show(sources: &Sources, name: &str, body: &Body<'_>, json: bool) -> Result<String, String> {
    let reader = sources.find(name).map_err(|unknown| {
        let proposed = serde_json::from_slice(body.bytes).map(|document| propose(name, &document)).unwrap_or_default();
        let help = if proposed.is_empty() {
            String::new()
        } else {
            format!("\n\nrules/sources/{name}.yaml could begin as:\n\n{proposed}")
        };
        format!("{unknown}{help}")
    })?;
    let failed = |error: FormatError| error.to_string();
    let (parsed, explained) = match reader {
        Reader::Mapping(mapping) => mapping.explain(body).map_err(failed)?,
        Reader::Format(format) => ((format.parse)(body).map_err(failed)?, Vec::new()),
    };
    if parsed.events.is_empty() && parsed.bad() > 0 {
        return Err(complaints(&parsed));
    }
    Ok(if json { in_json(&parsed, &explained) } else { written(&parsed, &explained) })
}

/// The events as `POST /api/v1/events` takes them, each with the places that its fields came from.
fn in_json(parsed: &Parsed, explained: &[Explained]) -> String {
    let event = |(number, event): (usize, &Event)| {
        let found = explained.get(number).map(|explained| &explained.found);
        let from: serde_json::Map<_, _> =
            found.into_iter().flatten().map(|(name, path, _)| (name.to_string(), path.to_string().into())).collect();
        let event: serde_json::Value = serde_json::from_str(&native::write_line(event)).unwrap_or_default();
        serde_json::json!({"event": event, "from": from})
    };
    let events: Vec<_> = parsed.events.iter().enumerate().map(event).collect();
    let refused: Vec<_> = parsed.rejected.iter().map(ToString::to_string).collect();
    let warning = |warning: &Warning| serde_json::json!({"event": warning.index, "path": warning.path, "message": warning.message});
    let warnings: Vec<_> = parsed.warnings.iter().map(warning).collect();
    format!("{}\n", serde_json::json!({"events": events, "refused": refused, "warnings": warnings}))
}

fn complaints(parsed: &Parsed) -> String {
    let rejected = parsed.rejected.iter().map(ToString::to_string);
    let warnings =
        parsed.warnings.iter().map(|warning| format!("event {}: {}: {}", warning.index, warning.path, warning.message));
    rejected.chain(warnings).collect::<Vec<_>>().join("\n")
}

fn written(parsed: &Parsed, explained: &[Explained]) -> String {
    let mut text = String::new();
    for (number, event) in parsed.events.iter().enumerate() {
        let explained = explained.get(number);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "event {number}: {} {} of {}", event.status, event.severity, event.source);
        for (field, value) in fields(event) {
            let from = explained.and_then(|explained| explained.found.iter().find(|(name, ..)| *name == field));
            let from = from.map_or_else(String::new, |(_, path, _)| format!("  ({path})"));
            let _ = writeln!(text, "  {field:<14} {value}{from}");
        }
        if let Some(missed) = explained.map(|explained| explained.missed.join(", ")).filter(|missed| !missed.is_empty())
        {
            let _ = writeln!(text, "  not found: {missed}");
        }
    }
    for warning in &parsed.warnings {
        let at = if warning.path.is_empty() { String::new() } else { format!(" at {}", warning.path) };
        let _ = writeln!(text, "warning: event {}{at}: {}", warning.index, warning.message);
    }
    for rejected in &parsed.rejected {
        let _ = writeln!(text, "refused: {rejected}");
    }
    let count = parsed.events.len();
    let _ = writeln!(text, "{count} event{}, {} refused", if count == 1 { "" } else { "s" }, parsed.bad());
    text
}

fn fields(event: &Event) -> Vec<(String, String)> {
    let number = |number: Option<f64>| number.map(|number| number.to_string());
    let text = |text: &Option<String>| text.clone();
    let check = Some(event.check.clone()).filter(|check| !check.is_empty());
    let given = [
        ("check", check),
        ("service", text(&event.service)),
        ("host", text(&event.host)),
        ("kind", Some(event.kind.to_string())),
        ("status", Some(event.status.to_string())),
        ("severity", Some(event.severity.to_string())),
        ("dedup_key", text(&event.dedup_key)),
        ("identity", text(&event.identity)),
        ("ts", event.ts.map(|at| at.to_string()).or_else(|| Some("at receipt".to_owned()))),
        ("summary", text(&event.summary)),
        ("value", number(event.value)),
        ("threshold", number(event.threshold)),
        ("unit", text(&event.unit)),
        ("url", text(&event.url)),
        ("runbook_url", text(&event.runbook_url)),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    given.chain(event.labels.iter().map(|(name, value)| (format!("labels.{name}"), value.clone()))).collect()
}
