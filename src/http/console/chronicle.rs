//! The chronicle: the latest events and decisions, for people who look at the console while they happen.
//!
//! Deliberately in memory and bounded: nothing is decided or accounted for by it, what counts is in the store. After a
//! restart it begins anew.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashSet;
use tokio::sync::watch;

use super::values::{Told, Values};
use crate::domain::{
    Decision, Event, Fingerprint, IncidentSummary, Kind, Outcome, Reason, Severity, Status, Timestamp,
};
use crate::replay::report::Report;

/// So many events are remembered, and twice as many decisions.
const MOST_EVENTS: usize = 50_000;
/// Sums by the hour are remembered for so many hours: a week and a day.
const MOST_HOURS: usize = 192;
/// So many sources have sums of their own; the others have one together.
const MOST_SOURCES: usize = 200;
/// The name of these others.
const OTHERS: &str = "others";
/// A story begins at most so long before its incident, in seconds, and at least this long before.
const BEFORE: f64 = 3600.0;
const MARGIN: f64 = 300.0;

/// The latest events and decisions. Shared by the pump, which tells it, and the pages.
#[derive(Debug)]
pub struct Chronicle {
    recent: Mutex<Recent>,
    /// The number of the next decision: whoever waits for news waits for it to grow.
    next: watch::Sender<u64>,
}

/// What became of the events of an hour: by source and reason.
pub(super) type Sums = BTreeMap<(Arc<str>, Reason), u64>;

#[derive(Debug, Default)]
struct Recent {
    /// In order of number.
    heard: VecDeque<Heard>,
    decisions: VecDeque<Decision>,
    /// The number of the first decision that is remembered.
    first: u64,
    hours: VecDeque<(i64, Sums)>,
    sources: FxHashSet<Arc<str>>,
    values: Values,
}

/// An event, as far as it is drawn.
#[derive(Clone, Debug)]
struct Heard {
    seq: u64,
    at: Timestamp,
    status: Status,
    severity: Severity,
    /// What is kept of a change: nobody else knows of it.
    change: Option<Box<Event>>,
}

/// Decisions since one that somebody saw last.
#[derive(Debug)]
pub(super) struct News {
    /// What was decided, oldest first.
    pub(super) decisions: Vec<Decision>,
    /// Where to go on.
    pub(super) next: u64,
    /// How many were forgotten before they were asked for.
    pub(super) missed: u64,
}

impl Default for Chronicle {
    fn default() -> Self {
        Self { recent: Mutex::default(), next: watch::Sender::new(0) }
    }
}

impl Chronicle {
    /// Takes what was decided in a turn, and the events that came with it.
    pub fn record(&self, now: Timestamp, events: &[(u64, &Event)], decisions: &[Decision]) {
        if events.is_empty() && decisions.is_empty() {
            return;
        }
        let mut recent = self.recent();
        for (seq, event) in events {
            recent.hear(*seq, event);
            recent.values.hear(event, now);
        }
        decisions.iter().for_each(|decision| recent.decide(now, decision));
        let next = recent.first + recent.decisions.len() as u64;
        drop(recent);
        self.next.send_replace(next);
    }

    /// Tells when there is news. It ends with the chronicle.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.next.subscribe()
    }

    /// At most `most` decisions from number `from` on; the latest ones where there are more.
    pub(super) fn since(&self, from: u64, most: usize) -> News {
        let recent = self.recent();
        let next = recent.first + recent.decisions.len() as u64;
        let begin = from.max(recent.first).max(next.saturating_sub(most as u64)).min(next);
        let skip = usize::try_from(begin - recent.first).unwrap_or(usize::MAX);
        let decisions = recent.decisions.iter().skip(skip).cloned().collect();
        News { decisions, next, missed: begin.saturating_sub(from) }
    }

    /// The latest verdicts that fit, at most `most`, latest first.
    pub(super) fn latest(&self, most: usize, fits: impl Fn(&Decision) -> bool) -> Vec<Decision> {
        self.recent().decisions.iter().rev().filter(|decision| fits(decision)).take(most).cloned().collect()
    }

    /// The values that a series told in the day before `now`.
    pub(super) fn values(&self, series: Fingerprint, now: Timestamp) -> Told {
        self.recent().values.of(series, now)
    }

    /// What became of the events of each hour since the epoch, oldest first.
    pub(super) fn hours(&self) -> Vec<(i64, Sums)> {
        self.recent().hours.iter().cloned().collect()
    }

    /// What these series did, from `from` on: as a run that can be drawn.
    pub(super) fn story(
        &self,
        series: &FxHashSet<Fingerprint>,
        incident: Option<&IncidentSummary>,
        (from, now): (Timestamp, Timestamp),
    ) -> Report {
        let from = from.after(-BEFORE);
        let until =
            incident.and_then(|incident| incident.resolved).map_or(Timestamp::MAX, |over| over.after(BEFORE / 4.0));
        let mut report = self.recent().story(series, incident, (from, until));
        if let Some(incident) = incident {
            report.reaches(incident.opened.after(-MARGIN));
            report.reaches(until.min(now));
        }
        report
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn hear(&mut self, seq: u64, event: &Event) {
        if event.status == Status::Sample || self.heard.back().is_some_and(|last| last.seq >= seq) {
            return;
        }
        if self.heard.len() == MOST_EVENTS {
            self.heard.pop_front();
        }
        let at = event.ts.or(event.received).unwrap_or_default();
        let change = (event.kind == Kind::Change).then(|| Box::new(Event { posted: None, ..event.clone() }));
        self.heard.push_back(Heard { seq, at, status: event.status, severity: event.severity, change });
    }

    fn decide(&mut self, now: Timestamp, decision: &Decision) {
        if self.decisions.len() == 2 * MOST_EVENTS {
            self.decisions.pop_front();
            self.first += 1;
        }
        self.decisions.push_back(decision.clone());
        if let Decision::Verdict(verdict) = decision {
            self.sum(now, source_of(&verdict.series), verdict.reason);
        }
    }

    fn sum(&mut self, now: Timestamp, source: &str, reason: Reason) {
        let hour = now.millis().div_euclid(3_600_000);
        if self.hours.back().is_none_or(|(last, _)| *last < hour) {
            self.hours.push_back((hour, Sums::new()));
            if self.hours.len() > MOST_HOURS {
                self.hours.pop_front();
            }
        }
        let source = self.source(source);
        if let Some((_, sums)) = self.hours.back_mut() {
            *sums.entry((source, reason)).or_default() += 1;
        }
    }

    fn source(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.sources.get(name) {
            return Arc::clone(known);
        }
        if self.sources.len() >= MOST_SOURCES {
            return Arc::from(OTHERS);
        }
        let name: Arc<str> = Arc::from(name);
        self.sources.insert(Arc::clone(&name));
        name
    }

    fn heard(&self, seq: u64) -> Option<&Heard> {
        let place = self.heard.partition_point(|heard| heard.seq < seq);
        self.heard.get(place).filter(|heard| heard.seq == seq)
    }

    fn story(
        &self,
        series: &FxHashSet<Fingerprint>,
        incident: Option<&IncidentSummary>,
        (from, until): (Timestamp, Timestamp),
    ) -> Report {
        let within = |at: Timestamp| from <= at && at <= until;
        let mut events: BTreeMap<u64, Event> = BTreeMap::new();
        for decision in &self.decisions {
            if let Decision::Verdict(verdict) = decision
                && series.contains(&verdict.fingerprint)
                && let Some(heard) = self.heard(verdict.seq).filter(|heard| within(heard.at))
            {
                events.insert(heard.seq, redrawn(&verdict.series, heard));
            }
        }
        let concerned = |change: &Event| incident.is_none_or(|incident| is_about(incident, change));
        let changes = self
            .heard
            .iter()
            .filter(|heard| within(heard.at))
            .filter_map(|heard| heard.change.as_deref().map(|change| (heard.seq, change)));
        events.extend(changes.filter(|(_, change)| concerned(change)).map(|(seq, change)| (seq, change.clone())));
        let mut report = Report::default();
        let places: BTreeMap<u64, u64> = events.keys().copied().zip(0..).collect();
        events.values().zip(0..).for_each(|(event, place)| report.event(place, event));
        let own = |id| incident.is_some_and(|incident| incident.incident == id);
        for decision in &self.decisions {
            match decision {
                Decision::Verdict(verdict) => {
                    if let Some(place) = places.get(&verdict.seq) {
                        let incident = verdict.incident.filter(|id| own(*id));
                        report.decision(&Decision::Verdict(crate::domain::decision::Verdict {
                            seq: *place,
                            incident,
                            ..verdict.clone()
                        }));
                    }
                }
                Decision::Page(page) if own(page.incident) => report.decision(decision),
                Decision::Notice(notice) if notice.incident.is_some_and(own) && within(notice.ts) => {
                    report.decision(decision)
                }
                Decision::Page(_) | Decision::Notice(_) | Decision::Incident(_) => {}
            }
        }
        if let Some(incident) = incident {
            report.decision(&Decision::Incident(Box::new(incident.clone())));
        }
        report
    }
}

/// The source in the name of a series.
pub(super) fn source_of(series: &str) -> &str {
    series.split('/').next().unwrap_or_default()
}

/// Whether a change is about a part of an incident.
fn is_about(incident: &IncidentSummary, change: &Event) -> bool {
    let among = |names: &[String], name: &Option<String>| name.as_ref().is_some_and(|name| names.contains(name));
    among(&incident.services, &change.service) || among(&incident.hosts, &change.host)
}

/// What is drawn of an event: its series has the names.
fn redrawn(series: &str, heard: &Heard) -> Event {
    let mut parts = series.splitn(5, '/');
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let (source, _, service, host, check) = (part(), part(), part(), part(), part());
    let named = |name: String| Some(name).filter(|name| !name.is_empty());
    let mut event = Event::new(source, check);
    (event.service, event.host) = (named(service), named(host));
    (event.ts, event.status, event.severity) = (Some(heard.at), heard.status, heard.severity);
    event
}

/// How often an hour had each outcome.
pub(super) fn by_outcome(sums: &Sums) -> [u64; 4] {
    let mut all = [0; 4];
    for ((_, reason), count) in sums {
        let place = match reason.outcome() {
            Outcome::Page => 0,
            Outcome::Join => 1,
            Outcome::Suppress => 2,
            Outcome::Record => 3,
        };
        all[place] += count;
    }
    all
}
