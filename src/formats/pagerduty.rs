//! PagerDuty's Events API v2: one alert event or one change event a body, as its clients post them.
//!
//! Deliberately with PagerDuty's own words for what is wrong, because its clients show them to people; and without the
//! routing key in any event: it is the sender's secret.

mod posted;

use std::borrow::Cow;

use ring::digest;
use serde_json::Value;

use super::document::Document;
use super::{Warning, instant, settle};
use crate::domain::{Event, Kind, Severity, Status, Timestamp};

pub(super) use posted::FORMAT;

/// The source of what comes this way; the same name as under `/ingest`.
pub const SOURCE: &str = "pagerduty-events";

/// The longest summary, in characters; PagerDuty cuts there, too.
const SUMMARY: usize = 1_024;

const ACTIONS: &str = "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')";
const SEVERITIES: &str =
    "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')";

/// A body that is JSON.
pub struct Sent(Document);

/// What was read from a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The event.
    pub event: Event,
    /// The key that pairs it with its resolve, as the sender knows it; empty for a change.
    pub key: String,
    /// What was kept otherwise than it was sent.
    pub warnings: Vec<Warning>,
}

impl Sent {
    /// Reads a body.
    ///
    /// # Errors
    /// It is no JSON object.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<String>> {
        let document =
            Document::read(bytes, SOURCE, "").map_err(|error| vec![format!("no JSON: {}", error.message)])?;
        if document.at("").is_some_and(Value::is_object) {
            Ok(Self(document))
        } else {
            Err(vec!["no JSON object".to_owned()])
        }
    }

    /// The secret that the sender shows.
    #[must_use]
    pub fn routing_key(&self) -> Option<Cow<'_, str>> {
        self.0.text(&["/routing_key"])
    }

    /// The alert event in it. `made` is the key of a trigger that has none.
    ///
    /// # Errors
    /// Everything that is wrong, in PagerDuty's words.
    pub fn alert(&self, received: Timestamp, made: &str) -> Result<Read, Vec<String>> {
        let mut wrong = self.missing(&["routing_key", "event_action"]);
        let action = self.0.text(&["/event_action"]);
        let status = action.as_deref().and_then(Self::status);
        if action.is_some() && status.is_none() {
            wrong.push(ACTIONS.to_owned());
        }
        let mut severity = Severity::Warning;
        match status {
            Some(Status::Firing) => {
                wrong.extend(self.missing(&["payload.summary", "payload.source", "payload.severity"]));
                match self.severity() {
                    Ok(known) => severity = known,
                    Err(why) => wrong.extend(why),
                }
            }
            Some(_) => wrong.extend(self.missing(&["dedup_key"])),
            None => {}
        }
        let Some(status) = status.filter(|_| wrong.is_empty()) else { return Err(wrong) };
        let key = self.text("/dedup_key").unwrap_or_else(|| made.to_owned());
        let event = Event { status, severity, ..self.event(received) };
        Ok(self.finish(event, key))
    }

    /// The change event in it.
    ///
    /// # Errors
    /// Everything that is wrong, in PagerDuty's words.
    pub fn change(&self, received: Timestamp) -> Result<Read, Vec<String>> {
        let wrong = self.missing(&["routing_key", "payload.summary"]);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(self.finish(self.changed(received), String::new()))
    }

    fn status(action: &str) -> Option<Status> {
        match action {
            "trigger" => Some(Status::Firing),
            "acknowledge" => Some(Status::Acknowledged),
            "resolve" => Some(Status::Resolved),
            _ => None,
        }
    }

    fn changed(&self, received: Timestamp) -> Event {
        let about = self.0.owned(&["/payload/custom_details/service", "/payload/source"]);
        let host = self.0.owned(&["/payload/custom_details/host"]);
        let mut event =
            Event { kind: Kind::Change, status: Status::Event, service: about, host, ..self.event(received) };
        "change".clone_into(&mut event.check);
        event.severity = Severity::Info;
        event
    }

    /// What alerts and changes have in common.
    fn event(&self, received: Timestamp) -> Event {
        let document = &self.0;
        let client = document.text(&["/client"]);
        // Alertmanager and Grafana name themselves as the source; a tool is no host of what it watches.
        let host = document.owned(&["/payload/source"]).filter(|host| client.as_deref() != Some(host.as_str()));
        let check = document.owned(&["/payload/class", "/payload/summary"]);
        let mut event = Event {
            ts: self.text("/payload/timestamp").and_then(|text| time(&text)),
            received: Some(received),
            service: document.owned(&["/payload/component", "/payload/custom_details/service"]),
            host,
            summary: document.owned(&["/payload/summary"]),
            url: document.owned(&["/client_url", "/links/0/href"]),
            runbook_url: document.owned(&["/payload/custom_details/runbook_url", "/payload/custom_details/runbook"]),
            ..Event::new(SOURCE, check.unwrap_or_default())
        };
        document
            .label(&mut event, &[("/payload/group", "group"), ("/client", "client"), ("/payload/source", "origin")]);
        for (name, value) in document.at("/payload/custom_details").and_then(Value::as_object).into_iter().flatten() {
            if let Some(text) = plain(value) {
                event.labels.entry(name.clone()).or_insert(text);
            }
        }
        if let Some(text) = document.at("/payload/custom_details").and_then(plain) {
            event.labels.insert("custom_details".to_owned(), text);
        }
        event
    }

    /// Two services of PagerDuty may use one key: it counts within its routing key, of which only a hash is kept.
    fn finish(&self, mut event: Event, key: String) -> Read {
        let mut warnings = Vec::new();
        if !key.is_empty() {
            let routing = self.routing_key().unwrap_or_default();
            event.identity = Some(format!("{}/{key}", veiled(&routing)));
            event.labels.insert("dedup_key".to_owned(), key.clone());
        }
        if let Some(summary) = &mut event.summary
            && let Some((end, _)) = summary.char_indices().nth(SUMMARY)
        {
            summary.truncate(end);
            warnings.push(Warning::new(0, "payload.summary", format!("cut to {SUMMARY} characters")));
        }
        settle(&mut event, 0, &mut warnings);
        Read { event, key, warnings }
    }

    fn severity(&self) -> Result<Severity, Option<String>> {
        match self.0.text(&["/payload/severity"]).as_deref() {
            Some("critical") => Ok(Severity::Critical),
            Some("error") => Ok(Severity::Error),
            Some("warning") => Ok(Severity::Warning),
            Some("info") => Ok(Severity::Info),
            Some(_) => Err(Some(SEVERITIES.to_owned())),
            None => Err(None),
        }
    }

    /// One sentence for each of these fields that is not there or blank.
    fn missing(&self, fields: &[&str]) -> Vec<String> {
        let absent = |field: &&&str| self.text(&format!("/{}", field.replace('.', "/"))).is_none();
        fields.iter().filter(absent).map(|field| format!("'{field}' is missing or blank")).collect()
    }

    /// The text at a path, also where it says that there is none (`N/A`).
    fn text(&self, path: &str) -> Option<String> {
        self.0.at(path).and_then(plain).filter(|text| !text.is_empty())
    }
}

/// A scalar as text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Tells routing keys apart and gives none away: the beginning of the SHA-256.
fn veiled(routing: &str) -> String {
    let hash = digest::digest(&digest::SHA256, routing.as_bytes());
    hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A client of PagerDuty's own writes an offset and a `Z` behind it.
fn time(text: &str) -> Option<Timestamp> {
    instant::lenient(text).or_else(|| instant::lenient(text.strip_suffix('Z')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(body: &str) -> Result<Read, Vec<String>> {
        Sent::read(body.as_bytes())?.alert(Timestamp::from_millis(1_795_000_000_000), "made")
    }

    #[test]
    fn a_trigger_and_its_resolve_are_one_alert_and_the_key_of_another_service_is_another() {
        let trigger = |routing: &str| {
            alert(&format!(
                r#"{{"routing_key":"{routing}","event_action":"trigger","dedup_key":"disk",
                "payload":{{"summary":"full","source":"db-1","severity":"critical"}}}}"#
            ))
            .unwrap()
        };
        let resolve = alert(r#"{"routing_key":"hush","event_action":"resolve","dedup_key":"disk"}"#).unwrap();
        assert_eq!(trigger("hush").event.identity, resolve.event.identity);
        assert_ne!(trigger("other").event.identity, resolve.event.identity);
        assert_eq!((resolve.event.status, resolve.key.as_str()), (Status::Resolved, "disk"));
        assert!(!format!("{:?}", trigger("hush")).contains("hush"));
    }

    #[test]
    fn what_is_wrong_is_told_all_at_once() {
        let wrong = |body: &str| alert(body).unwrap_err();
        assert_eq!(
            wrong(r#"{"event_action":"trigger","payload":{"severity":"loud"}}"#),
            [
                "'routing_key' is missing or blank",
                "'payload.summary' is missing or blank",
                "'payload.source' is missing or blank",
                SEVERITIES
            ]
        );
        assert_eq!(wrong(r#"{"routing_key":"k","event_action":"resolve"}"#), ["'dedup_key' is missing or blank"]);
        assert_eq!(wrong(r#"{"routing_key":"k","event_action":"page"}"#), [ACTIONS]);
        assert_eq!(wrong("[]"), ["no JSON object"]);
    }

    #[test]
    fn a_tool_that_names_itself_is_no_host() {
        let body = |client: &str| {
            format!(
                r#"{{"routing_key":"k","event_action":"trigger","client":"{client}",
                "payload":{{"summary":"s","source":"Alertmanager","severity":"info","custom_details":{{"n":1,"deep":{{}}}}}}}}"#
            )
        };
        let read = alert(&body("Alertmanager")).unwrap();
        assert_eq!((read.event.host, read.key.as_str()), (None, "made"));
        assert_eq!(read.event.labels.get("n").map(String::as_str), Some("1"));
        assert_eq!(alert(&body("other")).unwrap().event.host.as_deref(), Some("Alertmanager"));
    }

    #[test]
    fn a_time_with_an_offset_and_a_z_is_read() {
        assert_eq!(time("2026-11-23T05:00:00.5+00:00Z"), instant::lenient("2026-11-23T05:00:00.5Z"));
        assert_eq!(time("soon"), None);
    }

    #[test]
    fn a_long_summary_is_cut_where_pagerduty_cuts() {
        let summary = "é".repeat(2_000);
        let read = alert(&format!(
            r#"{{"routing_key":"k","event_action":"trigger","payload":{{"summary":"{summary}","source":"s","severity":"info"}}}}"#
        ))
        .unwrap();
        assert_eq!(read.event.summary.unwrap().chars().count(), SUMMARY);
        assert!(read.warnings.iter().any(|warning| warning.path == "payload.summary"));
    }
}
