//! A mapping proposed from one body: the names of its fields say what they are likely to be.
//!
//! Deliberately only a beginning: who reads it knows the tool, and `squelch check --source` shows what it does.

use serde_json::Value;

use super::scope::scalar;

/// Fields of an event, and the names under which tools send them, likeliest first.
const NAMES: &[(&str, &[&str])] = &[
    (
        "check",
        &[
            "alertname",
            "alert_name",
            "alertName",
            "rule_name",
            "ruleName",
            "check_name",
            "check",
            "rule",
            "monitor_name",
            "monitor",
            "trigger",
            "title",
            "name",
            "subject",
            "event_type",
            "type",
        ],
    ),
    ("service", &["service", "service_name", "serviceName", "application", "app", "project", "component"]),
    (
        "host",
        &[
            "host",
            "hostname",
            "host_name",
            "hostName",
            "node",
            "instance",
            "device",
            "server",
            "resource",
            "entity",
            "target",
            "ip",
        ],
    ),
    (
        "status",
        &[
            "status",
            "state",
            "alert_state",
            "alertState",
            "current_state",
            "action",
            "event",
            "event_type",
            "transition",
        ],
    ),
    ("severity", &["severity", "priority", "level", "urgency", "criticality", "impact"]),
    (
        "dedup_key",
        &[
            "dedup_key",
            "alert_id",
            "alertId",
            "incident_id",
            "incidentId",
            "problem_id",
            "monitor_id",
            "check_id",
            "fingerprint",
            "id",
            "uuid",
        ],
    ),
    ("summary", &["summary", "message", "msg", "description", "text", "body", "details", "output", "reason"]),
    ("value", &["value", "current_value", "currentValue", "metric_value", "measured", "observed_value"]),
    ("threshold", &["threshold", "limit", "threshold_value"]),
    (
        "ts",
        &[
            "timestamp",
            "ts",
            "time",
            "occurred_at",
            "triggered_at",
            "started_at",
            "startsAt",
            "created_at",
            "date",
            "updated_at",
        ],
    ),
    ("url", &["url", "link", "alert_url", "incident_url", "permalink", "html_url", "dashboard_url"]),
    ("runbook_url", &["runbook_url", "runbook", "runbookUrl"]),
];

/// How many scalars of a body are looked at.
const MOST: usize = 500;

/// The text of a mapping file for bodies like this one; empty when nothing in it has a name.
#[must_use]
pub fn propose(name: &str, document: &Value) -> String {
    let document = if let Value::Array(list) = document { list.first().unwrap_or(document) } else { document };
    let each = list_of_alerts(document);
    let element = each.and_then(|each| document.get(each)?.get(0)).unwrap_or(document);
    let mut leaves = Vec::new();
    collect(element, "", 0, &mut leaves);
    if each.is_some() {
        let mut around = Vec::new();
        collect(document, "", 0, &mut around);
        leaves.extend(around.into_iter().filter(|(path, ..)| !path.starts_with(each.unwrap_or_default())));
    }
    let mut lines: Vec<String> = Vec::new();
    for (field, names) in NAMES {
        if let Some((path, text)) = likeliest(names, &leaves) {
            lines.push(line(field, &path, &text));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let head = [
        format!("# Proposed from one body: look at it, then try it with `squelch check --source {name} BODY.json`."),
        format!("title: \"{name}: webhook\""),
        format!("setup: \"webhook URL: /ingest/{name}\""),
    ];
    let each = each.map(|each| format!("each: {each}"));
    head.into_iter().chain(each).chain(lines).map(|line| line + "\n").collect()
}

/// The first list of maps directly in a document.
fn list_of_alerts(document: &Value) -> Option<&str> {
    let of_maps = |value: &Value| value.as_array().is_some_and(|list| list.first().is_some_and(Value::is_object));
    let usual = |name: &str| ["alerts", "events", "incidents", "messages", "problems", "records"].contains(&name);
    let map = document.as_object()?;
    map.iter().find(|(name, value)| usual(name) && of_maps(value)).map(|(name, _)| name.as_str())
}

/// A scalar: its path, its own name, its text.
type Leaf = (String, String, String);

fn collect(value: &Value, path: &str, depth: usize, leaves: &mut Vec<Leaf>) {
    let Value::Object(map) = value else { return };
    for (name, value) in map {
        if leaves.len() >= MOST {
            return;
        }
        let simple = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-@".contains(c));
        let step = if simple { name.clone() } else { format!("[\"{}\"]", name.replace('"', "")) };
        let path = match (path, simple) {
            ("", _) if !simple => continue,
            ("", _) => step,
            (path, true) => format!("{path}.{step}"),
            (path, false) => format!("{path}{step}"),
        };
        match value {
            Value::Object(_) if depth < 5 => collect(value, &path, depth + 1, leaves),
            value => leaves.extend(scalar(value).map(|text| (path, name.clone(), text.into_owned()))),
        }
    }
}

fn likeliest(names: &[&str], leaves: &[Leaf]) -> Option<(String, String)> {
    names.iter().find_map(|wanted| {
        let fits = leaves.iter().filter(|(_, name, _)| name.eq_ignore_ascii_case(wanted));
        fits.min_by_key(|(path, ..)| path.matches('.').count()).map(|(path, _, text)| (path.clone(), text.clone()))
    })
}

fn line(field: &str, path: &str, text: &str) -> String {
    let word: String = text.chars().take(40).filter(|c| !c.is_control() && !"\"\\'".contains(*c)).collect();
    match field {
        "status" if super::words::status(text).is_none() => {
            format!("status: {{from: {path}, map: {{\"{word}\": firing, \"*\": resolved}}}}  # which words mean what?")
        }
        "severity" if crate::formats::level::severity(text).is_none() => {
            format!(
                "severity: {{from: {path}, map: {{\"{word}\": critical, \"*\": warning}}}}  # which words mean what?"
            )
        }
        _ => format!("{field}: {path}"),
    }
}
