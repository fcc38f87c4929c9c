//! The REST endpoint of VictorOps, now Splunk On-Call: one message a body.
//!
//! Deliberately any field beside the known ones is kept: that endpoint takes whatever a tool adds.

use serde_json::Value;

use super::document::Document;
use super::pagerduty::{Read, plain};
use super::settle;
use crate::domain::{Event, Severity, Status, Timestamp};

/// The source of what comes this way; the same name as under `/ingest`.
pub const SOURCE: &str = "victorops";

/// Fields that are read; all others become labels.
const KNOWN: &[&str] = &[
    "message_type",
    "entity_id",
    "entity_display_name",
    "state_message",
    "state_start_time",
    "timestamp",
    "host_name",
    "service",
    "alert_url",
];

/// Reads one message. `made` is the entity of one that names none, `routing` where the URL sends it.
///
/// # Errors
/// Why it cannot be taken: no JSON object, or no type of message that is known.
pub fn read(bytes: &[u8], received: Timestamp, (routing, made): (&str, &str)) -> Result<Read, String> {
    let document =
        Document::read(bytes, SOURCE, "").map_err(|error| format!("the body is no JSON: {}", error.message))?;
    let Some(fields) = document.at("").and_then(Value::as_object) else {
        return Err("the body is no JSON object".to_owned());
    };
    let (status, severity) = meaning(document.text(&["/message_type"]).as_deref())?;
    let key = document.owned(&["/entity_id"]).unwrap_or_else(|| made.to_owned());
    let check = document.owned(&["/entity_display_name", "/entity_id", "/state_message"]).unwrap_or_default();
    let text = document.text(&["/state_message"]);
    let mut event = Event {
        ts: document.time(&["/timestamp", "/state_start_time"]),
        received: Some(received),
        status,
        severity,
        host: document.owned(&["/host_name", "/hostname"]),
        service: document.owned(&["/service_name", "/service"]),
        summary: Some(text.map_or_else(|| check.clone(), |text| format!("{check}: {text}"))),
        url: document.owned(&["/alert_url"]),
        dedup_key: Some(key.clone()),
        ..Event::new(SOURCE, check)
    };
    for (name, value) in fields.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
        if let Some(text) = plain(value) {
            event.labels.insert(name.clone(), text);
        }
    }
    event.labels.insert("routing".to_owned(), routing.to_owned());
    let mut warnings = Vec::new();
    settle(&mut event, 0, &mut warnings);
    Ok(Read { event, key, warnings })
}

fn meaning(word: Option<&str>) -> Result<(Status, Severity), String> {
    const TYPES: &str = "must be CRITICAL, WARNING, INFO, ACKNOWLEDGEMENT or RECOVERY";
    match word.map(str::to_ascii_uppercase).as_deref() {
        Some("CRITICAL") => Ok((Status::Firing, Severity::Critical)),
        Some("WARNING") => Ok((Status::Firing, Severity::Warning)),
        Some("INFO") => Ok((Status::Event, Severity::Info)),
        Some("ACKNOWLEDGEMENT" | "ACKNOWLEDGMENT") => Ok((Status::Acknowledged, Severity::Info)),
        Some("RECOVERY" | "OK") => Ok((Status::Resolved, Severity::Info)),
        Some(_) => Err(format!("message_type is unknown: it {TYPES}")),
        None => Err(format!("message_type is missing: it {TYPES}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_of_message_means_what_victorops_means() {
        let read = |word: &str| {
            let body = format!(r#"{{"message_type":"{word}","entity_id":"e","state_message":"97%","team":"sre"}}"#);
            read(body.as_bytes(), Timestamp::EPOCH, ("ops", "made"))
                .map(|read| (read.event.status, read.event.severity))
        };
        assert_eq!(read("CRITICAL"), Ok((Status::Firing, Severity::Critical)));
        assert_eq!(read("warning"), Ok((Status::Firing, Severity::Warning)));
        assert_eq!(read("INFO"), Ok((Status::Event, Severity::Info)));
        assert_eq!(read("ACKNOWLEDGEMENT"), Ok((Status::Acknowledged, Severity::Info)));
        assert_eq!(read("RECOVERY"), Ok((Status::Resolved, Severity::Info)));
        assert!(read("PANIC").is_err());
    }

    #[test]
    fn an_entity_that_is_not_named_is_made_and_what_is_added_is_kept() {
        let body =
            br#"{"message_type":"CRITICAL","state_message":"97%","team":"sre","deep":{},"timestamp":1714644672}"#;
        let read = read(body, Timestamp::EPOCH, ("ops", "made")).unwrap();
        assert_eq!((read.key.as_str(), read.event.dedup_key.as_deref()), ("made", Some("made")));
        assert_eq!((read.event.labels["team"].as_str(), read.event.labels["routing"].as_str()), ("sre", "ops"));
        assert_eq!(read.event.ts.map(|at| at.millis()), Some(1_714_644_672_000));
    }
}
