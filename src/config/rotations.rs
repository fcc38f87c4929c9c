//! Checked values into rotations: turns are whole days, and all who take one are receivers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::findings::{Complaint, Findings, quoted, suggestion};
use super::lower::name;
use super::value::Checked;
use crate::domain::Timestamp;
use crate::domain::rotation::{Override, Rotation};
use crate::domain::zone::Zone;

const DAY: u64 = 86_400;

/// Lowers rotations; those with a mistake are left out.
pub(super) fn lower(given: &[&Checked], zone: &Zone, findings: &mut Findings<'_>) -> BTreeMap<String, Rotation> {
    given.iter().filter_map(|given| Some((name(given), rotation(given, zone, findings)?))).collect()
}

fn rotation(given: &Checked, zone: &Zone, findings: &mut Findings<'_>) -> Option<Rotation> {
    let record = given.record();
    let zone = record.text("zone").and_then(Zone::named).unwrap_or_else(|| zone.clone());
    let turns = record.duration("turns").unwrap_or(Duration::from_secs(7 * DAY));
    if let Some(value) = record.get("turns").filter(|_| !turns.as_secs().is_multiple_of(DAY)) {
        let complaint = Complaint::new("a turn is whole days long");
        findings.mistake(value.spot, &value.path, complaint.help("write `1d`, `7d` or `14d`"));
    }
    if let Some(people) = record.get("people").filter(|people| people.items().is_empty())
        && !findings.has_mistake_at(people)
    {
        let complaint = Complaint::new("a rotation without people has nobody on call");
        findings.mistake(people.spot, &people.path, complaint.help("name their receivers: `people: [ada, grace]`"));
    }
    let people = record.texts("people");
    let overrides = record.items("overrides").iter().filter_map(|given| stand_in(given, findings)).collect();
    let starts = zone.clock(record.time("starts")?);
    let rotation = Rotation {
        people,
        starts: starts.day(),
        minute: starts.minute_of_day(),
        days: i64::try_from((turns.as_secs() / DAY).max(1)).ok()?,
        zone,
        overrides,
    };
    (!rotation.people.is_empty()).then_some(rotation)
}

fn stand_in(given: &Checked, findings: &mut Findings<'_>) -> Option<Override> {
    let record = given.record();
    let (from, until): (Timestamp, Timestamp) = (record.time("from")?, record.time("until")?);
    if let Some(end) = record.get("until").filter(|_| until <= from) {
        let complaint = Complaint::new("the override ends before it begins");
        findings.mistake(end.spot, &end.path, complaint.help("`until` must be later than `from`; mind the zones"));
    }
    Some(Override { who: record.text("who")?.to_owned(), from, until })
}

/// All who take turns must be receivers, and a rotation is called as none of them is. Gives their names.
pub(super) fn check<'c>(
    rotations: &[&'c Checked],
    receivers: &BTreeSet<&str>,
    findings: &mut Findings<'_>,
) -> BTreeSet<&'c str> {
    let mut used = BTreeSet::new();
    for rotation in rotations {
        let record = rotation.record();
        if let Some(name) = record.get("name").filter(|name| receivers.contains(name.text())) {
            let complaint = Complaint::new(format!("{} is a receiver already", quoted(name.text())));
            let help = "a route could not tell them apart: give the rotation another name";
            findings.mistake(name.spot, &name.path, complaint.help(help));
        }
        let stands = record.items("overrides").iter().filter_map(|given| given.record().get("who"));
        for person in record.items("people").iter().chain(stands) {
            used.insert(person.text());
            if !receivers.contains(person.text()) && !findings.is_incomplete() {
                let complaint = Complaint::new(format!("there is no receiver {}", quoted(person.text())));
                let help = suggestion(person.text(), receivers.iter().copied());
                findings.mistake(person.spot, &person.path, complaint.help(help));
            }
        }
    }
    used
}
