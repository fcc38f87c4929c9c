//! Pingdom: state changes of uptime and transaction checks, and the old hook that puts JSON into the query.

use crate::domain::{Event, Kind, Severity, Status};

use super::document::{Document, rejected};
use super::{Body, Format, FormatError, Parsed, Rejected, Warning, form, level, split};

pub(super) const FORMAT: Format = Format {
    name: "pingdom",
    title: "Pingdom: webhooks of uptime and transaction checks",
    setup: "Settings > Integrations > Webhook: /ingest/pingdom; then switch it on in each check",
    signature: None,
    parse,
};

const HELP: &str = "Pingdom posts {\"check_id\": …, \"current_state\": \"DOWN\", \"check_params\": { … }}";

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let bytes = split::trimmed(body.bytes);
    let mut parsed = Parsed::default();
    let read = if bytes.starts_with(b"{") {
        event(&Document::read(bytes, FORMAT.name, HELP)?, &mut parsed)
    } else {
        // The hook of before 2014: GET …?message={json}.
        let query = body.query.filter(|_| bytes.is_empty()).map_or(bytes, str::as_bytes);
        let message = form::fields(query).remove("message");
        let message = message.ok_or_else(|| FormatError::new(FORMAT.name, "the body is no JSON object", HELP))?;
        legacy(&Document::read(message.as_bytes(), FORMAT.name, HELP)?)
    };
    match read {
        Ok(event) => parsed.keep(0, Event { received: Some(body.received), ..event }),
        Err(rejected) => parsed.reject(rejected),
    }
    Ok(parsed)
}

fn event(document: &Document, parsed: &mut Parsed) -> Result<Event, Rejected> {
    let id = document.owned(&["/check_id"]);
    let name = document.owned(&["/check_name", "/name"]).or_else(|| id.clone()).unwrap_or_default();
    let importance = document.text(&["/importance_level"]);
    // An uptime check without a word on its importance is down in front of customers.
    let severity = match importance.as_deref().map(level::severity) {
        None | Some(Some(Severity::Error)) => Severity::Critical,
        Some(Some(Severity::Info)) => Severity::Warning,
        Some(Some(known)) => known,
        Some(None) => {
            parsed.warn(Warning::new(0, "importance_level", "is no importance that is known: taken as critical"));
            Severity::Critical
        }
    };
    let why = document.text(&["/long_description", "/description"]).map_or_else(String::new, |why| format!(", {why}"));
    let state = document.text(&["/current_state"]).unwrap_or_default();
    let mut event = Event {
        ts: document.time(&["/state_changed_timestamp", "/state_changed_utc_time"]),
        kind: Kind::Uptime,
        host: document.owned(&["/check_params/hostname", "/check_params/url"]),
        severity,
        status: status(&state)?,
        summary: Some(format!("{name}: {state}{why}")),
        identity: id.map(|id| format!("check/{id}")),
        url: document.owned(&["/check_params/full_url"]),
        ..Event::new(FORMAT.name, name)
    };
    document.label(
        &mut event,
        &[
            ("/check_id", "check_id"),
            ("/check_type", "check_type"),
            ("/previous_state", "previous_state"),
            ("/description", "description"),
            ("/first_probe/location", "first_probe"),
            ("/second_probe/location", "second_probe"),
        ],
    );
    tags(document, &mut event);
    Ok(event)
}

/// `service:checkout` is how a check tells its service; Pingdom itself knows none.
fn tags(document: &Document, event: &mut Event) {
    let tags = document.at("/tags").and_then(serde_json::Value::as_array);
    let tags: Vec<&str> = tags.into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    for tag in &tags {
        match tag.split_once([':', '=']) {
            Some(("service", service)) => event.service = Some(service.to_owned()),
            Some((name, value)) => drop(event.labels.insert(name.to_owned(), value.to_owned())),
            None => {}
        }
    }
    if !tags.is_empty() {
        event.labels.insert("tags".to_owned(), tags.join(","));
    }
}

fn status(state: &str) -> Result<Status, Rejected> {
    match state.to_ascii_uppercase().as_str() {
        "DOWN" | "FAILING" | "UNCONFIRMED_DOWN" => Ok(Status::Firing),
        "UP" | "SUCCESS" => Ok(Status::Resolved),
        "UNKNOWN" | "PAUSED" => Ok(Status::NoData),
        "" => Err(rejected("current_state", "is missing", HELP)),
        _ => {
            let shown: String = state.chars().take(60).collect();
            Err(rejected(
                "current_state",
                format!("`{shown}` is no state of Pingdom"),
                "known: DOWN, UP, FAILING, SUCCESS, UNKNOWN, PAUSED",
            ))
        }
    }
}

fn legacy(document: &Document) -> Result<Event, Rejected> {
    let id = document.owned(&["/check"]);
    let name = document.owned(&["/checkname"]).or_else(|| id.clone()).unwrap_or_default();
    let state = document.text(&["/description"]).unwrap_or_default();
    let status = match document.text(&["/action"]).as_deref() {
        Some("assign") if !state.eq_ignore_ascii_case("up") => Status::Firing,
        Some("notify_of_close") => Status::Resolved,
        _ => status(&state)?,
    };
    let mut event = Event {
        kind: Kind::Uptime,
        host: document.owned(&["/host"]),
        severity: Severity::Critical,
        status,
        summary: Some(format!("{name}: {state}")),
        identity: id.map(|id| format!("check/{id}")),
        ..Event::new(FORMAT.name, name)
    };
    document.label(&mut event, &[("/check", "check_id"), ("/incidentid", "incident_id")]);
    Ok(event)
}
