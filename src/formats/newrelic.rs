//! New Relic: workflows (whose body is the user's own template), and the older webhook channel in both spellings.

use std::borrow::Cow;

use crate::domain::{Event, Kind, Severity, Status};

use super::document::{Document, rejected};
use super::{Body, Format, FormatError, Parsed, Rejected, Warning, level, placeholder};

pub(super) const FORMAT: Format = Format {
    name: "newrelic",
    title: "New Relic: workflow webhooks and the classic webhook channel",
    setup: "Alerts > Destinations > Webhook: /ingest/newrelic; a workflow with the default payload",
    signature: None,
    parse,
};

const HELP: &str = "New Relic posts {\"id\": …, \"state\": \"ACTIVATED\", \"alertConditionNames\": [ … ]} (workflows) or \
                    {\"incident_id\": …, \"current_state\": \"open\", \"condition_name\": …} (classic)";

/// Where the state stands, newest spelling first.
const STATE: &[&str] = &["/state", "/current_state", "/currentState", "/event_state"];
/// What stands in for a state that is not filled in.
const TYPE: &[&str] = &["/event_type", "/eventType", "/event"];
const ID: &[&str] = &["/id", "/issueId", "/issue_id", "/incident_id", "/incidentId"];
const CONDITION: &[&str] = &[
    "/condition_name",
    "/conditionName",
    "/alertConditionNames",
    "/alert_condition_names",
    "/accumulations/conditionName",
    "/openViolations/0/label",
    "/title",
    "/annotations/title",
];
const ENTITY: &[&str] = &[
    "/targets/0/name",
    "/impactedEntities",
    "/impacted_entities",
    "/entitiesData/names",
    "/entity_name",
    "/entityName",
];

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let document = Document::read(body.bytes, FORMAT.name, HELP)?;
    if document.text(STATE).is_none() && document.text(TYPE).is_none() && document.text(ID).is_none() {
        return Err(FormatError::new(FORMAT.name, "the body holds no issue or incident of New Relic", HELP));
    }
    let mut parsed = Parsed::default();
    match event(&document, &mut parsed) {
        Ok(event) => parsed.keep(0, Event { received: Some(body.received), ..event }),
        Err(rejected) => parsed.reject(rejected),
    }
    Ok(parsed)
}

fn event(document: &Document, parsed: &mut Parsed) -> Result<Event, Rejected> {
    let status = status(document, parsed)?;
    let check = document.owned(CONDITION);
    if check.is_none() {
        parsed.warn(Warning::new(0, "condition_name", "is missing: the alert has no name of its own"));
    }
    let entity = document.owned(ENTITY);
    let machine = is_machine(document);
    let mut event = Event {
        ts: time(document, status),
        kind: if machine { Kind::Host } else { Kind::Apm },
        service: entity.clone().filter(|_| !machine),
        host: entity.filter(|_| machine),
        severity: severity(document, parsed),
        status,
        summary: document.owned(&["/title", "/details", "/annotations/description", "/annotations/title"]),
        dedup_key: document.owned(ID),
        url: filled(document, &["/issueUrl", "/issue_url", "/issuePageUrl", "/incident_url", "/incidentUrl"]),
        runbook_url: filled(document, &["/runbook_url", "/runbookUrl"]),
        ..Event::new(FORMAT.name, check.unwrap_or_default())
    };
    document.label(
        &mut event,
        &[
            ("/policy_name", "policy"),
            ("/alertPolicyNames", "policy"),
            ("/accumulations/policyName", "policy"),
            ("/account_name", "account"),
            ("/accumulations/accountName", "account"),
            ("/owner", "owner"),
            ("/team", "team"),
            ("/condition_id", "condition_id"),
            ("/details", "details"),
            ("/annotations/reason", "reason"),
        ],
    );
    Ok(event)
}

fn status(document: &Document, parsed: &mut Parsed) -> Result<Status, Rejected> {
    let state = document.text(STATE);
    let (path, word) = match state {
        Some(word) if placeholder::is_unexpanded(&word) => {
            parsed.warn(Warning::new(
                0,
                "current_state",
                format!("`{word}` is a variable that New Relic did not fill in"),
            ));
            ("event_type", document.text(TYPE))
        }
        None => ("event_type", document.text(TYPE)),
        word => ("state", word),
    };
    let word = word.ok_or_else(|| rejected("current_state", "is missing", HELP))?;
    let known = word.to_ascii_lowercase();
    match known.trim_start_matches("incident_") {
        "open" | "opened" | "created" | "activated" | "active" | "triggered" => Ok(Status::Firing),
        "acknowledged" | "acknowledge" => Ok(Status::Acknowledged),
        "closed" | "close" | "resolved" | "deactivated" => Ok(Status::Resolved),
        _ => {
            let shown: String = word.chars().take(60).collect();
            let help =
                "known: CREATED, ACTIVATED, ACKNOWLEDGED, CLOSED (workflows), open, acknowledged, closed (classic)";
            Err(rejected(path, format!("`{shown}` is no state of New Relic"), help))
        }
    }
}

fn severity(document: &Document, parsed: &mut Parsed) -> Severity {
    let Some(word) = document.text(&["/priority", "/severity"]) else { return Severity::Warning };
    level::severity(&word).unwrap_or_else(|| {
        let shown: String = word.chars().take(60).collect();
        parsed.warn(Warning::new(0, "severity", format!("`{shown}` is no severity that is known: taken as warning")));
        Severity::Warning
    })
}

/// When the state changed: of a closed issue its end, else its beginning.
fn time(document: &Document, status: Status) -> Option<crate::domain::Timestamp> {
    let ended = ["/closedAt", "/closed_at", "/updatedAt", "/updated_at"];
    let paths: &[&str] = if status == Status::Firing { &[] } else { &ended };
    document.time(&[paths, &["/timestamp", "/createdAt", "/created_at", "/activatedAt"]].concat())
}

/// A URL, unless it is still a variable.
fn filled(document: &Document, paths: &[&str]) -> Option<String> {
    document.text(paths).filter(|url| !placeholder::is_unexpanded(url)).map(Cow::into_owned)
}

fn is_machine(document: &Document) -> bool {
    document
        .text(&["/targets/0/type", "/entitiesData/types", "/conditionProduct", "/accumulations/conditionProduct"])
        .is_some_and(|kind| {
            ["host", "server", "infra", "container", "pod"].iter().any(|word| kind.to_ascii_lowercase().contains(word))
        })
}
