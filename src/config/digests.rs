//! Checked values into digests: their receivers must exist and take mail, and their matchers look at what a series is.

use super::findings::{Complaint, Findings, quoted, suggestion};
use super::lower::name;
use super::rule_fields::days;
use super::scalar::minute_of_day;
use super::value::{Checked, Value};
use crate::domain::digest::{DigestRule, FIELDS, MOST_PARTS};
use crate::domain::zone::Zone;
use crate::sinks::ReceiverKind;
use crate::sinks::receiver::Receiver;

/// When a digest is sent where nobody says.
const AT: u16 = 8 * 60;

/// Lowers digests.
pub(super) fn digests(given: &[&Checked], zone: &Zone, findings: &mut Findings<'_>) -> Vec<DigestRule> {
    check_count(given, findings);
    given.iter().map(|given| digest(given, zone, findings)).collect()
}

fn digest(given: &Checked, zone: &Zone, findings: &mut Findings<'_>) -> DigestRule {
    let record = given.record();
    for item in record.items("match") {
        if let Value::Matcher(matcher) = &item.value
            && !FIELDS.contains(&matcher.name())
        {
            let message = format!("a digest cannot ask for {}: it tells of series", quoted(matcher.name()));
            let help = format!("a series has {}", FIELDS.map(|field| format!("`{field}`")).join(", "));
            findings.mistake(item.spot, &item.path, Complaint::new(message).help(help));
        }
    }
    if let Some(list) = record.get("receivers").filter(|list| list.items().is_empty())
        && !findings.has_mistake_at(list)
    {
        let complaint = Complaint::new("a digest without a receiver reaches nobody");
        findings.mistake(list.spot, &list.path, complaint.help("name a receiver of kind `email`"));
    }
    DigestRule {
        name: name(given),
        matchers: record.matchers("match"),
        receivers: record.texts("receivers"),
        at: i64::from(record.text("at").and_then(minute_of_day).unwrap_or(AT)),
        on: record.places("on", &days()),
        zone: record.text("zone").and_then(Zone::named).unwrap_or_else(|| zone.clone()),
    }
}

/// Each part has sums of its own, which are kept for every event.
fn check_count(given: &[&Checked], findings: &mut Findings<'_>) {
    let mut parts = given.iter().filter(|given| !given.record().items("match").is_empty());
    if let Some(surplus) = parts.nth(MOST_PARTS) {
        let message = format!("there are more than {MOST_PARTS} digests with matchers");
        let help = "let one digest tell several teams: `match: 'service=~\"web|checkout\"'`";
        findings.mistake(surplus.spot, &surplus.path, Complaint::new(message).help(help));
    }
}

/// Every receiver that a digest names must exist, and be reached by mail.
pub(super) fn check_receivers(
    digests: &[&Checked],
    names: &[&str],
    receivers: &[Receiver],
    findings: &mut Findings<'_>,
) {
    for target in digests.iter().flat_map(|digest| digest.record().items("receivers")) {
        let known = receivers.iter().find(|receiver| receiver.name == target.text());
        match known {
            Some(receiver) if matches!(receiver.kind, ReceiverKind::Email(_)) => {}
            Some(receiver) => {
                let message = format!("the receiver {} is of kind `{}`", quoted(target.text()), receiver.kind.word());
                let help = "a digest is a mail: name a receiver of kind `email`";
                findings.mistake(target.spot, &target.path, Complaint::new(message).help(help));
            }
            // One with mistakes of its own is told there.
            None if names.contains(&target.text()) || findings.is_incomplete() => {}
            None => {
                let complaint = Complaint::new(format!("there is no receiver {}", quoted(target.text())));
                let help = suggestion(target.text(), names.iter().copied());
                findings.mistake(target.spot, &target.path, complaint.help(help));
            }
        }
    }
}
