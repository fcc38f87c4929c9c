//! `time_intervals` and `mute_time_intervals` into `intervals`.

use std::collections::BTreeMap;

use super::section::{Place, Section};
use super::written::{self, flow};
use super::{Work, keys};
use crate::config::findings::{Complaint, Findings, quoted};
use crate::config::route_fields::months;
use crate::domain::zone::Zone;

/// An interval as it is written: its line, and the spans in the form of rule files.
pub(super) struct Interval {
    pub(super) line: usize,
    pub(super) spans: Vec<String>,
}

/// The intervals by name, in the order of the file.
pub(super) type Intervals = Vec<(String, Interval)>;

/// The days of the week as Alertmanager counts them.
const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

impl Work<'_, '_> {
    pub(super) fn intervals(&mut self, root: &Section<'_>) -> Intervals {
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut intervals = Vec::new();
        for key in ["mute_time_intervals", "time_intervals"] {
            for section in root.sections(key, keys::NAMED_INTERVAL, &mut self.findings) {
                let Some(place) = section.at.clone() else { continue };
                let Some(name) = section.text("name", &mut self.findings) else {
                    let complaint = Complaint::new("the time interval has no `name`");
                    self.findings.mistake(place.spot, &place.path, complaint.help("add `name: …`"));
                    continue;
                };
                if let Some(line) = known.insert(name.to_owned(), place.spot.line) {
                    let message = format!("the time interval {} stands twice: first in line {line}", quoted(name));
                    self.findings.mistake(place.spot, &place.path, Complaint::new(message));
                }
                let spans = section.sections("time_intervals", keys::INTERVAL, &mut self.findings);
                let mut spans: Vec<String> = spans.iter().map(|span| self.span(span)).collect();
                if spans.is_empty() {
                    // Never in force, as in Alertmanager.
                    spans.push("{years: 1970}".to_owned());
                }
                intervals.push((name.to_owned(), Interval { line: place.spot.line, spans }));
            }
        }
        intervals
    }

    fn span(&mut self, section: &Section<'_>) -> String {
        let findings = &mut self.findings;
        let mut parts = Vec::new();
        let mut add = |key: &str, items: Vec<String>| {
            if !items.is_empty() {
                parts.push(format!("{key}: {}", flow(&items)));
            }
        };
        add("hours", hours(section, findings));
        add("on", listed(section, "weekdays", findings, |text| words(text, &DAYS, false)));
        add("dates", listed(section, "days_of_month", findings, dates));
        add("months", listed(section, "months", findings, |text| words(text, &months(), true)));
        add("years", listed(section, "years", findings, years));
        let location = section.text("location", findings);
        let zone = location.unwrap_or("UTC");
        if let (None, Some(place)) = (Zone::named(zone), section.place("location")) {
            let near = Zone::nearest(zone).map_or_else(String::new, |name| format!("did you mean `{name}`?"));
            findings.mistake(
                place.spot,
                &place.path,
                Complaint::new(format!("there is no time zone {}", quoted(zone))).help(near),
            );
        }
        parts.push(format!("zone: {}", written::text(Zone::named(zone).map_or("UTC", |_| zone))));
        format!("{{{}}}", parts.join(", "))
    }
}

/// What the texts in a list say; what one does not is a mistake.
fn listed(
    section: &Section<'_>,
    key: &str,
    findings: &mut Findings<'_>,
    read: impl Fn(&str) -> Result<Vec<String>, &'static str>,
) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for (text, place) in section.texts(key, findings) {
        match read(&text.to_lowercase()) {
            Ok(items) => items.into_iter().for_each(|item| {
                if !all.contains(&item) {
                    all.push(item);
                }
            }),
            Err(help) => wrong(text, place, help, findings),
        }
    }
    all
}

fn wrong(text: &str, place: Place, help: &str, findings: &mut Findings<'_>) {
    let complaint = Complaint::new(format!("{} is no range of this kind", quoted(text))).help(help);
    findings.mistake(place.spot, &place.path, complaint);
}

/// `monday:friday` as its days; months may be numbers.
fn words(text: &str, all: &[&str], numbers: bool) -> Result<Vec<String>, &'static str> {
    const HELP: &str =
        "write `monday:friday`, `january:march` or a single one; the first must not come after the second";
    let (from, to) = text.split_once(':').unwrap_or((text, text));
    let number =
        |word: &str| word.parse::<usize>().ok().filter(|_| numbers)?.checked_sub(1).filter(|at| *at < all.len());
    let at =
        |word: &str| all.iter().position(|known| *known == word.trim()).or_else(|| number(word.trim())).ok_or(HELP);
    let (from, to) = (at(from)?, at(to)?);
    if from > to { Err(HELP) } else { Ok(all[from..=to].iter().map(ToString::to_string).collect()) }
}

/// `1:5`, `-3:-1`
fn dates(text: &str) -> Result<Vec<String>, &'static str> {
    const HELP: &str = "write `1:5`, `-3:-1` or `15`: 1 to 31, or -31 to -1 from the end of the month";
    let (from, to) = numbers(text).ok_or(HELP)?;
    let fits = |day: i32| day != 0 && (-31..=31).contains(&day);
    let backwards = (from < 0 && to > 0) || ((from < 0) == (to < 0) && from > to);
    if fits(from) && fits(to) && !backwards { Ok(vec![range(from, to)]) } else { Err(HELP) }
}

fn years(text: &str) -> Result<Vec<String>, &'static str> {
    const HELP: &str = "write `2026:2027` or `2026`";
    let (from, to) = numbers(text).ok_or(HELP)?;
    if (1970..=9999).contains(&from) && (from..=9999).contains(&to) { Ok(vec![range(from, to)]) } else { Err(HELP) }
}

fn numbers(text: &str) -> Option<(i32, i32)> {
    let (from, to) = text.split_once(':').unwrap_or((text, text));
    Some((from.trim().parse().ok()?, to.trim().parse().ok()?))
}

fn range(from: i32, to: i32) -> String {
    if from == to { from.to_string() } else { format!("{from}..{to}") }
}

fn hours(section: &Section<'_>, findings: &mut Findings<'_>) -> Vec<String> {
    let mut hours = Vec::new();
    for times in section.sections("times", &["start_time", "end_time"], findings) {
        let (from, to) = (times.text("start_time", findings), times.text("end_time", findings));
        let Some(place) = times.at.clone() else { continue };
        match (from.and_then(minute), to.and_then(minute)) {
            (Some(start), Some(end)) if start < end => {
                let clock = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
                hours.push(format!("\"{}-{}\"", clock(start), clock(end)));
            }
            _ => {
                let complaint = Complaint::new("these are no times of a day");
                let help =
                    "write `start_time: '09:00'` and `end_time: '17:00'`; the end comes later, at the latest at 24:00";
                findings.mistake(place.spot, &place.path, complaint.help(help));
            }
        }
    }
    hours
}

/// `09:30` as the minute of the day.
fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':').filter(|_| text.len() == 5)?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let fits = minute < 60 && (hour < 24 || (hour, minute) == (24, 0));
    fits.then_some(hour * 60 + minute)
}
