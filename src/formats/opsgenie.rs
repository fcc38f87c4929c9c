//! Opsgenie's alert API: one alert a body, and what closes or acknowledges it.
//!
//! Deliberately without the rest of that API (teams, schedules, reading): only what a tool needs that pages.

use serde_json::Value;

use super::document::Document;
use super::pagerduty::{Read, plain};
use super::{instant, level, settle};
use crate::domain::{Event, Severity, Status, Timestamp};

/// The source of what comes this way; the same name as under `/ingest`.
pub const SOURCE: &str = "opsgenie-alert";

/// The label that holds the alias.
pub const ALIAS: &str = "alias";

/// What is wrong with a body: the field, and the reason in Opsgenie's words.
pub type Wrong = (&'static str, String);

/// Reads a new alert. `made` is the alias of one that has none.
///
/// # Errors
/// The body is no JSON object, or says nothing: it has neither message nor alias.
pub fn create(bytes: &[u8], received: Timestamp, made: &str) -> Result<Read, Wrong> {
    let document = object(bytes)?;
    let alias = document.owned(&["/alias"]);
    let check =
        document.owned(&["/message", "/alias"]).ok_or_else(|| ("message", "Message can not be empty.".to_owned()))?;
    let text = document.text(&["/message"]).unwrap_or_default();
    let more = document.text(&["/description"]);
    let summary = more.map_or_else(|| text.to_string(), |more| format!("{text}: {more}"));
    let mut event = Event {
        received: Some(received),
        severity: document.text(&["/priority"]).and_then(|word| level::severity(&word)).unwrap_or(Severity::Warning),
        host: document.owned(&["/entity", "/details/host", "/details/instance"]),
        service: document.owned(&["/details/service"]),
        summary: Some(summary),
        url: document.owned(&["/details/url", "/details/generatorURL"]),
        runbook_url: document.owned(&["/details/runbook_url", "/details/runbook"]),
        ..Event::new(SOURCE, check)
    };
    said(&document, &mut event);
    Ok(finish(event, alias.unwrap_or_else(|| made.to_owned())))
}

/// Reads what ends (`resolved`) or takes (`acknowledged`) the alert of an alias. An empty body says enough.
///
/// # Errors
/// The body is there, and no JSON object.
pub fn act(bytes: &[u8], received: Timestamp, (alias, status): (&str, Status)) -> Result<Read, Wrong> {
    let document = if bytes.trim_ascii().is_empty() { object(b"{}")? } else { object(bytes)? };
    let mut event =
        Event { received: Some(received), status, summary: document.owned(&["/note"]), ..Event::new(SOURCE, "") };
    said(&document, &mut event);
    Ok(finish(event, alias.to_owned()))
}

/// Until when an alert is to be left alone, and who says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Snooze {
    /// When that ends.
    pub until: Timestamp,
    /// The user, else the source, else the tool.
    pub by: String,
    /// Why.
    pub note: String,
}

/// Reads a snooze.
///
/// # Errors
/// The body is no JSON object, or its `endTime` is missing, no time, or over.
pub fn snooze(bytes: &[u8], now: Timestamp) -> Result<Snooze, Wrong> {
    let document = object(bytes)?;
    let wrong = |why: &str| ("endTime", why.to_owned());
    let text = document.text(&["/endTime"]).ok_or_else(|| wrong("End time can not be empty."))?;
    let until = instant::rfc3339(&text).ok_or_else(|| wrong("End time is no time such as 2026-11-23T05:00:00Z."))?;
    if until <= now {
        return Err(wrong("End time should be in the future."));
    }
    let by = document.owned(&["/user", "/source"]).unwrap_or_else(|| SOURCE.to_owned());
    Ok(Snooze { until, by, note: document.owned(&["/note"]).unwrap_or_else(|| "snoozed".to_owned()) })
}

/// Reads a note.
///
/// # Errors
/// The body is no JSON object, or has no `note`.
pub fn note(bytes: &[u8]) -> Result<(), Wrong> {
    let document = object(bytes)?;
    document.text(&["/note"]).map(|_| ()).ok_or_else(|| ("note", "Note can not be empty.".to_owned()))
}

fn object(bytes: &[u8]) -> Result<Document, Wrong> {
    let wrong = |why: String| ("body", format!("Request body is not valid JSON: {why}"));
    let document = Document::read(bytes, SOURCE, "").map_err(|error| wrong(error.message))?;
    if document.at("").is_some_and(Value::is_object) { Ok(document) } else { Err(wrong("it is no object".to_owned())) }
}

/// Who said it, and everything that the alert was given.
fn said(document: &Document, event: &mut Event) {
    document.label(event, &[("/source", "opsgenie_source"), ("/user", "user"), ("/note", "note")]);
    for (path, label) in [("/tags", "tags"), ("/responders", "responders")] {
        let list = document.at(path).and_then(Value::as_array);
        let name = |entry: &Value| plain(entry).or_else(|| entry.get("name").and_then(plain));
        let names: Vec<String> = list.into_iter().flatten().filter_map(name).collect();
        if !names.is_empty() {
            event.labels.insert(label.to_owned(), names.join(","));
        }
    }
    for (name, value) in document.at("/details").and_then(Value::as_object).into_iter().flatten() {
        if let Some(text) = plain(value) {
            event.labels.entry(name.clone()).or_insert(text);
        }
    }
}

fn finish(mut event: Event, alias: String) -> Read {
    let mut warnings = Vec::new();
    event.dedup_key = Some(alias.clone());
    // Silences see labels: a snooze is one.
    event.labels.insert(ALIAS.to_owned(), alias.clone());
    settle(&mut event, 0, &mut warnings);
    Read { event, key: alias, warnings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_and_its_close_have_one_key() {
        let body = br#"{"message":"Disk full","alias":"db-1/disk","entity":"db-1","priority":"P1","tags":["prod"],
            "details":{"service":"shop","mount":"/"},"responders":[{"name":"sre","type":"team"}]}"#;
        let read = create(body, Timestamp::EPOCH, "made").unwrap();
        let close = act(b"", Timestamp::EPOCH, ("db-1/disk", Status::Resolved)).unwrap();
        assert_eq!(read.event.dedup_key, close.event.dedup_key);
        assert_eq!((read.event.severity, read.event.host.as_deref()), (Severity::Critical, Some("db-1")));
        assert_eq!(read.event.labels["responders"], "sre");
        assert_eq!(read.event.labels["mount"], "/");
    }

    #[test]
    fn an_alert_without_a_message_is_known_by_its_alias_and_without_both_it_is_none() {
        let read = create(br#"{"alias":"a1","message":"","details":{}}"#, Timestamp::EPOCH, "made").unwrap();
        assert_eq!((read.event.check.as_str(), read.key.as_str()), ("a1", "a1"));
        assert_eq!(create(br#"{"message":"m"}"#, Timestamp::EPOCH, "made").unwrap().key, "made");
        for body in [&b"{}"[..], b"[]", b"", b"{", br#"{"message":["m"]}"#] {
            let taken = create(body, Timestamp::EPOCH, "made");
            assert_eq!(taken.is_ok(), body.starts_with(br#"{"m"#), "{}", String::from_utf8_lossy(body));
        }
    }
}
