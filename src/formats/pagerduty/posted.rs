//! The same bodies as they come to `/ingest/pagerduty-events`: what is not there is done without, since no client of
//! PagerDuty waits for PagerDuty's own errors. An alert is the same one through whichever door it comes.

use serde_json::Value;

use super::{SOURCE, Sent, plain};
use crate::domain::{Event, Severity, Status, Timestamp};
use crate::formats::document::{Document, rejected};
use crate::formats::{Body, Format, FormatError, Parsed, Rejected, Warning, level};

pub(in crate::formats) const FORMAT: Format = Format {
    name: SOURCE,
    title: "PagerDuty: bodies of its Events API v2, and change events",
    setup: "the events URL of the tool: /v2/enqueue as at PagerDuty, or /ingest/pagerduty-events",
    signature: None,
    parse,
};

const HELP: &str =
    "an event looks like {\"event_action\": \"trigger\", \"dedup_key\": …, \"payload\": {\"summary\": …}}";

fn parse(body: &Body<'_>) -> Result<Parsed, FormatError> {
    let mut document = Document::read(body.bytes, SOURCE, HELP)?;
    let mut parsed = Parsed::default();
    match document.at("").and_then(Value::as_array).map(Vec::len) {
        None => add(&Sent(document), (0, body.received), &mut parsed),
        Some(count) => {
            for index in 0..count {
                // What is null is an object without fields.
                let one = document.part(&format!("/{index}")).unwrap_or_default();
                add(&Sent(one), (index, body.received), &mut parsed);
            }
        }
    }
    Ok(parsed)
}

fn add(sent: &Sent, (index, received): (usize, Timestamp), parsed: &mut Parsed) {
    let (event, key) = match sent.told(received, (index, parsed)) {
        Ok(told) => told,
        Err(bad) => return parsed.reject(Rejected { index, ..bad }),
    };
    let read = sent.finish(event, key);
    read.warnings.into_iter().for_each(|warning| parsed.warn(Warning { index, ..warning }));
    parsed.keep(index, read.event);
}

impl Sent {
    /// What it says, as far as it says anything, and its key.
    fn told(&self, received: Timestamp, (index, parsed): (usize, &mut Parsed)) -> Result<(Event, String), Rejected> {
        let Some(action) = self.0.text(&["/event_action"]) else {
            let is_change = self.text("/payload/summary").is_some();
            return is_change
                .then(|| (self.changed(received), String::new()))
                .ok_or_else(|| rejected("event_action", "is missing, and it is no change event".to_owned(), HELP));
        };
        let Some(status) = Self::status(&action) else {
            let shown: String = action.chars().take(60).collect();
            let help = "known: trigger, acknowledge, resolve";
            return Err(rejected("event_action", format!("`{shown}` is no action of PagerDuty"), help));
        };
        let event = Event { status, severity: self.lenient_severity(index, parsed), ..self.event(received) };
        let key = self.text("/dedup_key").unwrap_or_default();
        if key.is_empty() && (event.check.is_empty() || status != Status::Firing) {
            let help = "without a `dedup_key` nobody can tell which alert is meant";
            return Err(rejected("dedup_key", "is missing".to_owned(), help));
        }
        Ok((event, key))
    }

    fn lenient_severity(&self, index: usize, parsed: &mut Parsed) -> Severity {
        let Some(word) = self.0.at("/payload/severity").and_then(plain) else { return Severity::Warning };
        level::severity(&word).unwrap_or_else(|| {
            let shown: String = word.chars().take(60).collect();
            let message = format!("`{shown}` is no severity that is known: taken as warning");
            parsed.warn(Warning::new(index, "payload.severity", message));
            Severity::Warning
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_the_same_through_either_door() {
        let body = br#"{"routing_key":"hush","event_action":"trigger","dedup_key":"disk",
            "payload":{"summary":"full","source":"db-1","severity":"critical"}}"#;
        let now = Timestamp::from_millis(1_795_000_000_000);
        let enqueued = Sent::read(body).unwrap().alert(now, "made").unwrap().event;
        let posted = parse(&Body::new(body, now)).unwrap().events;
        assert_eq!(posted, [enqueued]);
        let resolve = br#"[{"routing_key":"hush","event_action":"resolve","dedup_key":"disk"}, null, 7]"#;
        let parsed = parse(&Body::new(resolve, now)).unwrap();
        assert_eq!(parsed.events[0].identity, posted[0].identity);
        assert_eq!((parsed.events.len(), parsed.bad()), (1, 2));
    }
}
