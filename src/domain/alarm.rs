//! Squelch's own incidents: what is paged although no judge decided it, because the judge failed or because
//! Squelch itself is in trouble. A fault of Squelch is loud.
//!
//! Deliberately apart from [`super::Engine`]: it must work while the engine does not. Pure like the engine, with
//! records of its own beside those of the engine.

mod drill;
mod incident;
mod passing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use drill::Drill;
use incident::{Alarm, AlarmV1, about_trouble};

use super::decision::{Decision, Evidence, IncidentId, IncidentSummary, Notice, NoticeAction, Verdict};
use super::engine::RestoreError;
use super::event::Event;
use super::explain::{IncidentExplanation, Tally};
use super::fingerprint::Fingerprint;
use super::notification::{Content, Notification, NotificationKey};
use super::policy::Policy;
use super::reason::Reason;
use super::signal::Status;
use super::time::Timestamp;
use super::turn::{Change, Turn};

/// The numbers of these incidents start here, so that they never meet those of the engine.
pub const FIRST_ALARM: u64 = 1_000_000_000_000;

/// The version byte before each record. 1 is read, too: its alarms had nobody whom alone they told.
const VERSION: u8 = 2;
/// How many closed alarms are remembered.
const REMEMBERED: usize = 100;

/// Squelch's own incidents.
#[derive(Debug, Default)]
pub struct Alarms {
    head: Head,
    alarms: BTreeMap<IncidentId, Alarm>,
    changed: BTreeSet<IncidentId>,
    head_changed: bool,
}

/// The counts, one record.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Head {
    opened: u64,
    samples: u64,
    by_reason: BTreeMap<Reason, u64>,
}

impl Alarms {
    /// The first byte of the keys of its records; the engine has none that begins so.
    pub const KEY: u8 = 0xff;

    /// The alarms from their records (key, value). Records that cannot be read are left out and returned.
    #[must_use]
    pub fn restore(records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> (Self, Vec<RestoreError>) {
        let mut alarms = Self::default();
        let mut errors = Vec::new();
        for (key, value) in records {
            if let Err(cause) = alarms.take_back(&key, &value) {
                errors.push(RestoreError { key: format!("alarm {}", hex(&key)), cause });
            }
        }
        (alarms, errors)
    }

    fn take_back(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let (version, body) = match value.split_first() {
            Some((version @ (&VERSION | 1), body)) => (*version, body),
            Some((version, _)) => return Err(format!("its version is {version}, and this program reads {VERSION}")),
            None => return Err("it is empty".to_owned()),
        };
        if key.len() == 1 {
            self.head = postcard::from_bytes(body).map_err(|error| error.to_string())?;
        } else {
            let alarm = match version {
                1 => postcard::from_bytes::<AlarmV1>(body).map(Alarm::from),
                _ => postcard::from_bytes(body),
            };
            let alarm: Alarm = alarm.map_err(|error| error.to_string())?;
            self.alarms.insert(alarm.summary.incident, alarm);
        }
        Ok(())
    }

    /// The changes of its records since they were last taken, each key once. Also forgets them.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        if std::mem::take(&mut self.head_changed) {
            changes.push(Change { key: vec![Self::KEY], value: encoded(&self.head) });
        }
        for id in std::mem::take(&mut self.changed) {
            changes.push(Change { key: key(id), value: self.alarms.get(&id).and_then(encoded) });
        }
        changes
    }

    /// All of its records as they stand, for a snapshot. They are few.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Change> {
        let head = Change { key: vec![Self::KEY], value: encoded(&self.head) };
        let alarms = self.alarms.iter().map(|(id, alarm)| Change { key: key(*id), value: encoded(alarm) });
        std::iter::once(head).chain(alarms).collect()
    }

    /// Fails open: an event that could not be judged pages as itself. One that repeats joins its alarm, and one that
    /// resolves closes it.
    pub fn fail_open(&mut self, now: Timestamp, (seq, event): (u64, &Event), policy: &Policy, turn: &mut Turn) {
        self.head_changed = true;
        if event.status == Status::Sample {
            self.head.samples += 1;
            return;
        }
        let (series, subject) = identity(event);
        let known = self.open_about(subject);
        let reason = match event.status {
            Status::Resolved if known.is_some() => Reason::Resolved,
            Status::Resolved => Reason::NothingToResolve,
            Status::Acknowledged => Reason::Acknowledged,
            Status::Firing | Status::NoData | Status::Event | Status::Sample => Reason::JudgeFailed,
        };
        *self.head.by_reason.entry(reason).or_default() += 1;
        let opens = reason == Reason::JudgeFailed && known.is_none();
        let incident = if opens { Some(self.next_id()) } else { known };
        turn.decisions.push(Decision::Verdict(Verdict {
            seq,
            ts: now,
            reason,
            incident,
            series,
            fingerprint: subject,
            evidence: Evidence::default(),
        }));
        match (reason, incident) {
            (Reason::JudgeFailed, Some(id)) if opens => {
                let alarm = Alarm::of_event(now, id, seq, event, subject);
                self.open(alarm, event.url.clone(), policy, turn);
            }
            (Reason::JudgeFailed, Some(id)) => self.join(id, seq),
            (Reason::Resolved, Some(id)) => self.close(now, (id, "its alert resolved"), policy, turn),
            _ => {}
        }
    }

    /// Squelch itself is in trouble: a page, unless the same trouble is open already.
    pub fn trouble(&mut self, now: Timestamp, (title, why): (&str, &str), policy: &Policy, turn: &mut Turn) {
        let subject = about_trouble(title);
        if self.open_about(subject).is_none() {
            let id = self.next_id();
            self.open(Alarm::of_trouble(now, id, title, why), None, policy, turn);
        }
    }

    /// The trouble of this title is over.
    pub fn trouble_over(&mut self, now: Timestamp, title: &str, policy: &Policy, turn: &mut Turn) {
        if let Some(id) = self.open_about(about_trouble(title)) {
            self.close(now, (id, "the trouble is over"), policy, turn);
        }
    }

    /// A person has taken the incident. `false` = it is none of these.
    pub fn acknowledge(
        &mut self,
        now: Timestamp,
        (id, by): (IncidentId, &str),
        policy: &Policy,
        turn: &mut Turn,
    ) -> bool {
        let Some(alarm) = self.alarms.get_mut(&id) else { return false };
        if alarm.summary.resolved.is_none() && alarm.summary.acknowledged.is_none() {
            alarm.summary.acknowledged = Some(now);
            let text = format!("{by} has taken it");
            alarm.moment(now, text.clone());
            let notice = Notice { ts: now, action: NoticeAction::Ack, incident: Some(id), series: None, text };
            turn.decisions.push(Decision::Notice(Box::new(notice.clone())));
            alarm.tell(&Content::Notice(notice), policy, turn);
            self.changed.insert(id);
        }
        true
    }

    /// A person declares the incident to be over. `false` = it is none of these.
    pub fn resolve(&mut self, now: Timestamp, (id, by): (IncidentId, &str), policy: &Policy, turn: &mut Turn) -> bool {
        let Some(alarm) = self.alarms.get(&id) else { return false };
        if alarm.summary.resolved.is_none() {
            self.close(now, (id, &format!("{by} declared it to be over")), policy, turn);
        }
        true
    }

    /// A receiver took the notification, or it was given up. `false` = it is (also) the engine's.
    pub fn settled(&mut self, key: &NotificationKey) -> bool {
        for (id, alarm) in &mut self.alarms {
            let before = alarm.owed.len();
            alarm.owed.retain(|notification| notification.key != *key);
            if alarm.owed.len() < before {
                self.changed.insert(*id);
            }
        }
        key.incident.0 >= FIRST_ALARM
    }

    /// What is owed to receivers, in order.
    pub fn outbox(&self) -> impl Iterator<Item = &Arc<Notification>> {
        self.alarms.values().flat_map(|alarm| &alarm.owed)
    }

    /// The incidents, latest first, and whether each is open.
    #[must_use]
    pub fn incidents(&self) -> Vec<(IncidentSummary, bool)> {
        self.alarms.values().rev().map(|alarm| (alarm.summary.clone(), alarm.summary.resolved.is_none())).collect()
    }

    /// The incidents, in order of number.
    pub fn summaries(&self) -> impl Iterator<Item = &IncidentSummary> {
        self.alarms.values().map(|alarm| &alarm.summary)
    }

    /// Everything about one incident. There are no series: no judge has seen it.
    #[must_use]
    pub fn why_incident(&self, id: IncidentId) -> Option<IncidentExplanation> {
        let summary = self.alarms.get(&id)?.summary.clone();
        let open = summary.resolved.is_none();
        Some(IncidentExplanation {
            summary,
            open,
            origins: Vec::new(),
            suspects: Vec::new(),
            feedback: None,
            members: Vec::new(),
        })
    }

    /// Adds its counts to those of the engine.
    pub fn add_to(&self, tally: &mut Tally) {
        for (reason, count) in &self.head.by_reason {
            tally.accepted += count;
            match tally.by_reason.iter_mut().find(|(other, _)| other == reason) {
                Some((_, sum)) => *sum += count,
                None => tally.by_reason.push((*reason, *count)),
            }
        }
        tally.samples += self.head.samples;
        tally.pages.0 += self.head.opened;
        tally.open_incidents += self.alarms.values().filter(|alarm| alarm.summary.resolved.is_none()).count() as u64;
        tally.outbox += self.outbox().count() as u64;
    }

    fn next_id(&self) -> IncidentId {
        IncidentId(FIRST_ALARM + self.head.opened)
    }

    fn open_about(&self, subject: Fingerprint) -> Option<IncidentId> {
        let mut open = self.alarms.values().filter(|alarm| alarm.summary.resolved.is_none());
        open.find(|alarm| alarm.subject == subject).map(|alarm| alarm.summary.incident)
    }

    fn open(&mut self, mut alarm: Alarm, url: Option<String>, policy: &Policy, turn: &mut Turn) {
        self.head.opened += 1;
        self.head_changed = true;
        let page = alarm.page(url);
        turn.decisions.push(Decision::Page(Box::new(page.clone())));
        alarm.tell(&Content::Page(Box::new(page)), policy, turn);
        self.changed.insert(alarm.summary.incident);
        self.alarms.insert(alarm.summary.incident, alarm);
    }

    fn join(&mut self, id: IncidentId, seq: u64) {
        if let Some(alarm) = self.alarms.get_mut(&id) {
            alarm.summary.alerts += 1;
            if alarm.seqs.len() < REMEMBERED {
                alarm.seqs.push(seq);
            }
            self.changed.insert(id);
        }
    }

    fn close(&mut self, now: Timestamp, (id, how): (IncidentId, &str), policy: &Policy, turn: &mut Turn) {
        if let Some(alarm) = self.alarms.get_mut(&id) {
            alarm.summary.resolved = Some(now);
            alarm.moment(now, how.to_owned());
            let text = format!("{}: {how}", alarm.summary.title);
            let notice = Notice { ts: now, action: NoticeAction::Resolve, incident: Some(id), series: None, text };
            turn.decisions.push(Decision::Notice(Box::new(notice.clone())));
            alarm.tell(&Content::Notice(notice), policy, turn);
            turn.decisions.push(Decision::Incident(Box::new(alarm.summary.clone())));
            self.changed.insert(id);
        }
        self.forget();
    }

    /// Drops the oldest closed alarms that owe nothing.
    fn forget(&mut self) {
        let done = |alarm: &Alarm| alarm.summary.resolved.is_some() && alarm.owed.is_empty();
        let closed: Vec<_> = self.alarms.iter().filter(|(_, alarm)| done(alarm)).map(|(id, _)| *id).collect();
        for id in closed.iter().take(closed.len().saturating_sub(REMEMBERED)) {
            self.alarms.remove(id);
            self.changed.insert(*id);
        }
    }
}

/// What an event is called here, and what pairs a firing with its resolve.
fn identity(event: &Event) -> (Arc<str>, Fingerprint) {
    let of = |field: &Option<String>| field.clone().unwrap_or_default();
    let (service, host) = (of(&event.service), of(&event.host));
    let name = format!("{}/{}/{service}/{host}/{}", event.source, event.kind, event.check);
    let own = event.dedup_key.as_ref().or(event.identity.as_ref());
    let subject = match own {
        Some(own) => Fingerprint::of(&["alarm", &event.source, own]),
        None => Fingerprint::of(&["alarm", &name]),
    };
    (Arc::from(name), subject)
}

fn key(id: IncidentId) -> Vec<u8> {
    let mut key = vec![Alarms::KEY];
    key.extend_from_slice(&id.0.to_be_bytes());
    key
}

fn encoded<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    // Plain values of our own: this cannot fail but for want of memory.
    postcard::to_extend(value, vec![VERSION]).ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::route::Route;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn policy() -> Policy {
        let route = Route { name: "all".to_owned(), receivers: vec!["console".to_owned()], ..Route::default() };
        Policy { routes: vec![route], ..Policy::default() }
    }

    fn again(alarms: &mut Alarms) -> Alarms {
        let (other, errors) =
            Alarms::restore(alarms.take_changes().into_iter().filter_map(|change| Some((change.key, change.value?))));
        assert_eq!(errors, []);
        other
    }

    #[test]
    fn an_event_that_cannot_be_judged_pages_once_and_closes_with_its_resolve() {
        let (mut alarms, mut turn, policy) = (Alarms::default(), Turn::default(), policy());
        let mut event = Event::new("nagios", "disk");
        for seq in 0..3 {
            alarms.fail_open(NOW, (seq, &event), &policy, &mut turn);
        }
        assert_eq!(turn.notifications.len(), 1, "a repeat joins");
        assert_eq!(turn.notifications[0].key.to_string(), "1000000000000.1.console");
        event.status = Status::Resolved;
        alarms.fail_open(NOW, (3, &event), &policy, &mut turn);
        assert_eq!(turn.notifications.len(), 2);
        let mut tally = Tally::default();
        alarms.add_to(&mut tally);
        assert_eq!((tally.accepted, tally.pages.0, tally.open_incidents, tally.outbox), (4, 1, 0, 2));
        assert_eq!(tally.by_reason, [(Reason::JudgeFailed, 3), (Reason::Resolved, 1)]);
    }

    #[test]
    fn what_is_owed_survives_a_restart_and_is_forgotten_when_it_is_delivered() {
        let (mut alarms, mut turn, policy) = (Alarms::default(), Turn::default(), policy());
        alarms.trouble(NOW, ("its disk is full", "free some space"), &policy, &mut turn);
        alarms.trouble(NOW, ("its disk is full", "free some space"), &policy, &mut turn);
        let mut alarms = again(&mut alarms);
        assert_eq!(alarms.outbox().count(), 1);
        let key = turn.notifications[0].key.clone();
        assert!(alarms.settled(&key));
        assert_eq!(alarms.outbox().count(), 0);
        assert!(!alarms.settled(&NotificationKey { incident: IncidentId(7), ..key }));
        alarms.trouble_over(NOW, "its disk is full", &policy, &mut turn);
        assert_eq!(alarms.outbox().count(), 1, "the end is told, too");
    }

    #[test]
    fn in_shadow_mode_nobody_is_paged() {
        let (mut alarms, mut turn) = (Alarms::default(), Turn::default());
        let policy = Policy { shadow: true, ..policy() };
        alarms.trouble(NOW, ("its disk is full", "free some space"), &policy, &mut turn);
        assert!(turn.notifications.is_empty());
        assert_eq!(alarms.incidents().len(), 1);
    }

    #[test]
    fn alarms_of_an_older_store_are_read() {
        let alarm = Alarm::of_trouble(NOW, IncidentId(FIRST_ALARM), "its disk is full", "free some space");
        let now = postcard::to_allocvec(&alarm).unwrap();
        // The older form lacks what stands at the end now: an empty set, one byte.
        let before = [&[1], &now[..now.len() - 1]].concat();
        let (alarms, errors) = Alarms::restore([(key(IncidentId(FIRST_ALARM)), before)]);
        assert_eq!((errors, alarms.incidents().len()), (Vec::new(), 1));
    }

    #[test]
    fn a_record_of_another_version_is_told_and_not_guessed() {
        let (_, errors) = Alarms::restore([(vec![Alarms::KEY], vec![9, 9]), (vec![Alarms::KEY, 1], vec![])]);
        assert_eq!(errors.len(), 2);
    }
}
