//! Nagios and its kin (Naemon, Icinga 1): the macros of a notification, as JSON or as a form, and passive check results
//! as they go into the command file.
//!
//! Macro names are taken in any spelling: `SERVICESTATE`, `NAGIOS_SERVICESTATE`, `$SERVICESTATE$`, `service_state`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::{Event, Kind, Severity, Status};

use super::{Body, Format, FormatError, Parsed, Rejected, Warning, form, instant, level, placeholder, split};

mod command;
mod perfdata;

pub(super) const FORMAT: Format = Format {
    name: "nagios",
    title: "Nagios, Naemon: notification macros as JSON or form, passive check results",
    setup: "a notification command with curl that posts the macros to /ingest/nagios (docs/SOURCES.md has it)",
    signature: None,
    parse,
};

const HELP: &str = "a notification command posts its macros: {\"NOTIFICATIONTYPE\": \"PROBLEM\", \"HOSTNAME\": …, \
                    \"SERVICEDESC\": …, \"SERVICESTATE\": \"CRITICAL\", \"SERVICEOUTPUT\": …}";

/// Macros that stay as labels. A list of what is kept, because notification commands carry tokens, too.
const LABELS: &[(&str, &str)] = &[
    ("HOSTALIAS", "host_alias"),
    ("HOSTADDRESS", "host_address"),
    ("HOSTGROUPNAME", "hostgroup"),
    ("SERVICEGROUPNAME", "servicegroup"),
    ("SERVICESTATETYPE", "state_type"),
    ("HOSTSTATETYPE", "state_type"),
    ("NOTIFICATIONTYPE", "notification_type"),
    ("NOTIFICATIONAUTHOR", "author"),
    ("NOTIFICATIONCOMMENT", "comment"),
    ("LONGSERVICEOUTPUT", "long_output"),
    ("CONTACTNAME", "contact"),
    ("CLUSTERNAME", "cluster"),
    ("HOSTCLUSTERNAME", "cluster"),
];

/// The macros of one notification: names in capitals without marks.
struct Macros(BTreeMap<String, String>);

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let bytes = split::trimmed(body.bytes);
    let mut parsed = Parsed::default();
    match bytes.first() {
        Some(b'[') if command::is_one(bytes) => {
            for (index, line) in split::lines(bytes) {
                add(command::macros(line).map(Macros), index, body, &mut parsed);
            }
        }
        Some(b'{' | b'[') => {
            let objects = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
            let mut index = 0;
            for object in objects {
                let object = object.map_err(|error| FormatError::new(FORMAT.name, error.to_string(), HELP))?;
                let list = if let Value::Array(list) = object { list } else { vec![object] };
                for object in list {
                    add(of_json(object), index, body, &mut parsed);
                    index += 1;
                }
            }
        }
        Some(_) if bytes.starts_with(b"define ") => {
            let message = "this is Nagios' configuration, not a notification";
            return Err(FormatError::new(FORMAT.name, message, HELP));
        }
        Some(_) if bytes.contains(&b'=') && !bytes.contains(&b'\n') => {
            add(Ok(Macros(normalised(form::fields(bytes).into_iter()))), 0, body, &mut parsed);
        }
        _ => return Err(FormatError::new(FORMAT.name, "the body holds no macros and no check results", HELP)),
    }
    Ok(parsed)
}

fn of_json(object: Value) -> Result<Macros, (String, String)> {
    let Value::Object(object) = object else {
        return Err((String::new(), "is no JSON object".to_owned()));
    };
    let texts = object.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        _ => None,
    });
    Ok(Macros(normalised(texts)))
}

fn normalised(fields: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    fields
        .map(|(name, value)| {
            let name = name.trim_matches('$').to_ascii_uppercase();
            let name: String = name.strip_prefix("NAGIOS_").unwrap_or(&name).chars().filter(|c| *c != '_').collect();
            let name = match name.as_str() {
                "HOST" => "HOSTNAME".to_owned(),
                "SERVICE" => "SERVICEDESC".to_owned(),
                _ => name,
            };
            (name, value)
        })
        .collect()
}

fn add(macros: Result<Macros, (String, String)>, index: usize, body: &Body<'_>, parsed: &mut Parsed) {
    let read = macros.and_then(|macros| macros.event(index, parsed));
    match read {
        Ok(Some(event)) => parsed.keep(index, Event { received: Some(body.received), ..event }),
        Ok(None) => {}
        Err((path, message)) => parsed.reject(Rejected { index, path, message, help: Some(HELP.to_owned()) }),
    }
}

impl Macros {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(ToOwned::to_owned)
    }

    /// The event, `None` when there is nothing to judge, or (path, what is wrong).
    fn event(&self, index: usize, parsed: &mut Parsed) -> Result<Option<Event>, (String, String)> {
        let service = self.get("SERVICEDESC").filter(|service| !placeholder::is_unexpanded(service));
        let about = if service.is_some() { "SERVICE" } else { "HOST" };
        let host = self.get("HOSTNAME").ok_or_else(|| ("HOSTNAME".to_owned(), "is missing".to_owned()))?;
        let path = format!("{about}STATE");
        let state = self.get(&path).ok_or_else(|| (path.clone(), "is missing".to_owned()))?.to_ascii_uppercase();
        let Some(status) = self.status(&state, index, parsed) else { return Ok(None) };
        let known = level::severity(&state).filter(|_| !placeholder::is_unexpanded(&state));
        let Some(severity) = known.or((state == "UP").then_some(Severity::Info)) else {
            let shown: String = state.chars().take(60).collect();
            return Err((path, format!("`{shown}` is no state of Nagios")));
        };
        let mut event = Event {
            ts: self.get("TIMET").and_then(instant::lenient),
            kind: Kind::Host,
            host: Some(host.to_owned()),
            severity: if status == Status::Resolved { Severity::Warning } else { severity },
            status,
            summary: self.owned(&format!("{about}OUTPUT")),
            identity: Some(format!("{host}/{}", service.unwrap_or_default())),
            url: self.owned(&format!("{about}ACTIONURL")),
            runbook_url: self.owned(&format!("{about}NOTESURL")),
            ..Event::new(FORMAT.name, service.unwrap_or("host"))
        };
        if let Some(measured) = self.get(&format!("{about}PERFDATA")).and_then(perfdata::first) {
            event.value = Some(measured.value);
            event.unit = measured.unit;
            event.threshold = if severity == Severity::Critical { measured.critical } else { measured.warning };
        }
        for (name, label) in LABELS {
            if let Some(value) = self.owned(name) {
                event.labels.insert((*label).to_owned(), value);
            }
        }
        Ok(Some(event))
    }

    /// What the notification says; `None` for downtimes, which are no news about the problem.
    fn status(&self, state: &str, index: usize, parsed: &mut Parsed) -> Option<Status> {
        match self.get("NOTIFICATIONTYPE") {
            Some("RECOVERY") => return Some(Status::Resolved),
            Some("ACKNOWLEDGEMENT") => return Some(Status::Acknowledged),
            Some(downtime) if downtime.starts_with("DOWNTIME") => {
                let message = format!("`{downtime}` is nothing to judge: left out");
                parsed.warn(Warning::new(index, "NOTIFICATIONTYPE", message));
                return None;
            }
            // When it flaps Nagios stops to notify; the state of that moment is the best there is.
            None | Some("PROBLEM" | "CUSTOM" | "FLAPPINGSTART" | "FLAPPINGSTOP" | "FLAPPINGDISABLED") => {}
            Some(other) => {
                let shown: String = other.chars().take(60).collect();
                let message = format!("`{shown}` is no type of notification: judged by its state");
                parsed.warn(Warning::new(index, "NOTIFICATIONTYPE", message));
            }
        }
        Some(match state {
            "OK" | "UP" => Status::Resolved,
            "UNKNOWN" => Status::NoData,
            _ => Status::Firing,
        })
    }
}
