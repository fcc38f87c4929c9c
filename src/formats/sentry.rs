//! Sentry: issue alerts, error and issue webhooks, metric alerts, service hooks, and the old webhooks plugin.
//!
//! The kind of a body stands in a header; it is told from the body here, because proxies drop headers. An occurrence
//! of an exception never resolves; only the issue webhook does. Both carry the issue's number as their key.

use std::borrow::Cow;

use crate::domain::template::mask_text;
use crate::domain::{Event, Kind, Severity, Status};

use super::document::{Document, rejected};
use super::{Body, Encoding, Format, FormatError, Parsed, Rejected, Signature, Warning, level};

pub(super) const FORMAT: Format = Format {
    name: "sentry",
    title: "Sentry: issue alerts, error, issue and metric alert webhooks, service hooks, webhooks plugin",
    setup: "Settings > Integrations > Internal integration: webhook URL /ingest/sentry, alert rule action on",
    signature: Some(Signature {
        header: Cow::Borrowed("Sentry-Hook-Signature"),
        prefix: Cow::Borrowed(""),
        encoding: Encoding::Hex,
        timestamp_header: None,
    }),
    parse,
};

const HELP: &str =
    "Sentry posts {\"action\": …, \"data\": {\"event\" | \"issue\" | \"error\" | \"metric_alert\": { … }}}";

/// Tags that say something about the problem, and the labels that they become; the rest is about one visitor.
const TAGS: &[(&str, &str)] = &[
    ("environment", "environment"),
    ("release", "release"),
    ("sentry:release", "release"),
    ("transaction", "transaction"),
    ("handled", "handled"),
    ("mechanism", "mechanism"),
    ("runtime.name", "runtime"),
    ("sample_event", "sample_event"),
];

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let mut document = Document::read(body.bytes, FORMAT.name, HELP)?;
    let mut parsed = Parsed::default();
    let read = if let Some(issue) = document.part("/data/issue") {
        issue_changed(&document, &issue)
    } else if let Some(alert) = document.part("/data/metric_alert") {
        metric_alert(&document, &alert).map(Some)
    } else if let Some(event) = ["/data/event", "/data/error", "/event"].iter().find_map(|path| document.part(path)) {
        Ok(Some(occurrence(&document, &event)))
    } else if document.at("/installation").is_some() || document.at("/data/installation").is_some() {
        Ok(None)
    } else {
        return Err(FormatError::new(FORMAT.name, "the body is none of Sentry's", HELP));
    };
    match read {
        Ok(Some(event)) => parsed.keep(0, Event { received: Some(body.received), ..event }),
        Ok(None) => {
            let action = document.text(&["/action"]).unwrap_or_default().into_owned();
            parsed.warn(Warning::new(
                0,
                "action",
                format!("`{action}` of this resource is nothing to judge: left out"),
            ));
        }
        Err(rejected) => parsed.reject(rejected),
    }
    Ok(parsed)
}

/// One occurrence of an exception or message.
fn occurrence(around: &Document, event: &Document) -> Event {
    let title = event.owned(&["/title", "/metadata/title", "/message"]).or_else(|| around.owned(&["/message"]));
    let id = issue_id(around, event);
    let mut read = Event {
        ts: event.time(&["/datetime", "/timestamp", "/dateCreated", "/received"]),
        kind: Kind::Exception,
        service: project(around, event),
        host: tag(event, "server_name"),
        severity: severity(&[event, around]),
        status: Status::Event,
        summary: title.clone(),
        dedup_key: id.as_ref().map(|id| format!("issue/{id}")),
        url: event.owned(&["/web_url"]).or_else(|| around.owned(&["/url", "/group/url"])),
        ..Event::new(FORMAT.name, class(event, title.as_deref()))
    };
    labels(event, &mut read);
    if let Some(id) = id {
        read.labels.insert("issue_id".to_owned(), id);
    }
    around.label(
        &mut read,
        &[
            ("/triggering_rules", "rule"),
            ("/data/triggered_rule", "rule"),
            ("/data/issue_alert/title", "rule"),
            ("/culprit", "culprit"),
        ],
    );
    read
}

/// A change of an issue's state. What is only housekeeping gives no event.
fn issue_changed(around: &Document, issue: &Document) -> Result<Option<Event>, Rejected> {
    let status = match around.text(&["/action"]).as_deref() {
        Some("created" | "unresolved" | "reopened" | "escalating") => Status::Firing,
        Some("resolved") => Status::Resolved,
        Some("ignored" | "archived") => Status::Acknowledged,
        // Sentry assigns by itself, too: nobody has taken it for sure.
        Some("assigned" | "unassigned") => return Ok(None),
        Some(other) => {
            let shown: String = other.chars().take(60).collect();
            let help = "known: created, unresolved, resolved, ignored, archived, assigned";
            return Err(rejected("action", format!("`{shown}` is no action on an issue"), help));
        }
        None => return Err(rejected("action", "is missing", HELP)),
    };
    let title = issue.owned(&["/title", "/metadata/title"]);
    let mut event = Event {
        ts: issue.time(&["/lastSeen", "/firstSeen"]).filter(|_| status == Status::Firing),
        kind: Kind::Exception,
        service: issue.owned(&["/project/slug", "/project/name"]),
        severity: severity(&[issue]),
        status,
        summary: title.clone(),
        dedup_key: issue.owned(&["/id"]).map(|id| format!("issue/{id}")),
        url: issue.owned(&["/permalink", "/web_url"]),
        ..Event::new(FORMAT.name, class(issue, title.as_deref()))
    };
    labels(issue, &mut event);
    issue.label(&mut event, &[("/id", "issue_id"), ("/shortId", "short_id"), ("/assignedTo/name", "assigned_to")]);
    Ok(Some(event))
}

fn metric_alert(around: &Document, alert: &Document) -> Result<Event, Rejected> {
    let action = around.owned(&["/action"]).unwrap_or_default();
    let (status, severity) = match action.as_str() {
        "critical" => (Status::Firing, Severity::Critical),
        "warning" => (Status::Firing, Severity::Warning),
        "resolved" => (Status::Resolved, Severity::Warning),
        _ => {
            let shown: String = action.chars().take(60).collect();
            let help = "known: critical, warning, resolved";
            return Err(rejected("action", format!("`{shown}` is no state of a metric alert"), help));
        }
    };
    let times: &[&str] =
        if status == Status::Resolved { &["/date_closed"] } else { &["/date_detected", "/date_started"] };
    let mut event = Event {
        ts: alert.time(times),
        kind: Kind::Apm,
        service: alert.owned(&["/projects"]),
        severity,
        status,
        summary: around.owned(&["/data/description_title", "/data/description_text"]),
        dedup_key: alert.owned(&["/id", "/identifier"]).map(|id| format!("metric/{id}")),
        url: around.owned(&["/data/web_url"]),
        ..Event::new(FORMAT.name, alert.owned(&["/alert_rule/name", "/title"]).unwrap_or_default())
    };
    around.label(&mut event, &[("/data/description_text", "description")]);
    alert.label(&mut event, &[("/alert_rule/id", "rule_id"), ("/alert_rule/aggregate", "aggregate")]);
    Ok(event)
}

/// The exception's class; of a message its title, with what varies masked.
fn class(event: &Document, title: Option<&str>) -> String {
    event.owned(&["/metadata/type", "/exception/values/0/type"]).unwrap_or_else(|| {
        let title = title.unwrap_or_default();
        mask_text(title).chars().take(200).collect()
    })
}

fn severity(documents: &[&Document]) -> Severity {
    documents.iter().find_map(|document| level::severity(&document.text(&["/level"])?)).unwrap_or(Severity::Error)
}

/// The number of the issue, which error events only carry in a URL.
fn issue_id(around: &Document, event: &Document) -> Option<String> {
    event
        .owned(&["/issue_id", "/groupID"])
        .or_else(|| {
            let url = event.text(&["/issue_url"])?;
            url.trim_end_matches('/').rsplit('/').next().map(ToOwned::to_owned)
        })
        .or_else(|| around.owned(&["/group/id", "/id"]))
        .filter(|id| !id.is_empty())
}

/// The project's slug; events carry only its number, beside a URL with the slug (`…/projects/{org}/{slug}/events/…`).
fn project(around: &Document, event: &Document) -> Option<String> {
    around.owned(&["/project_slug", "/project/slug", "/project"]).or_else(|| {
        let url = event.text(&["/url"])?;
        let (_, rest) = url.split_once("/projects/")?;
        rest.split('/').nth(1).map(ToOwned::to_owned)
    })
}

/// A tag's value. Tags are pairs, or objects with `key` and `value`.
fn tag(event: &Document, name: &str) -> Option<String> {
    let tags = event.at("/tags")?.as_array()?;
    tags.iter().find_map(|tag| {
        let (key, value) = match tag.as_array() {
            Some(pair) => (pair.first()?, pair.get(1)?),
            None => (tag.get("key")?, tag.get("value")?),
        };
        (key.as_str() == Some(name)).then(|| value.as_str().map(ToOwned::to_owned)).flatten()
    })
}

fn labels(event: &Document, read: &mut Event) {
    for (name, label) in TAGS {
        if let Some(value) = tag(event, name) {
            read.labels.insert((*label).to_owned(), value);
        }
    }
    event.label(
        read,
        &[
            ("/environment", "environment"),
            ("/release", "release"),
            ("/culprit", "culprit"),
            ("/platform", "platform"),
            ("/metadata/filename", "file"),
            ("/metadata/function", "function"),
        ],
    );
}
