//! Records: the engine's state as key and value, for the store and the changelog.

use std::sync::Arc;

use super::{Engine, mutes, outbox, unsent};
use crate::domain::alert::{Alert, Mute};
use crate::domain::budget::Spending;
use crate::domain::check::Check;
use crate::domain::component::Component;
use crate::domain::daybook::Daybook;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::heartbeat::Heartbeat;
use crate::domain::incident::Incident;
use crate::domain::ledger::{Changes, Ledger};
use crate::domain::opinion::Feedback;
use crate::domain::policy::Policy;
use crate::domain::posting::Posting;
use crate::domain::series::Series;
use crate::domain::shadow::ShadowWord;
use crate::domain::source::Source;
use crate::domain::table::Row;
use crate::domain::timers::Due;
use crate::domain::turn::Change;

/// A record that cannot be taken back: it is damaged, or a newer version wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {key} cannot be read: {cause}")]
pub struct RestoreError {
    /// The record's key, readable.
    pub key: String,
    /// What is wrong with it.
    pub cause: String,
}

/// How a snapshot's cursor is made: the table in the upper half, the slot in the lower.
const TABLE: u64 = 1 << 32;
/// The first table of the day book, and the last one.
const BOOK: u64 = 16;
const LAST_TABLE: u64 = BOOK + Daybook::TABLES - 1;

impl Engine {
    /// An engine from its records (key, value), in any order, each key once.
    ///
    /// Records that cannot be read are left out and returned: the caller tells, keeps and never drops them.
    #[must_use]
    pub fn restore(
        policy: Arc<Policy>,
        records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> (Self, Vec<RestoreError>) {
        let mut engine = Self::new(policy);
        engine.take_changes();
        let mut errors = Vec::new();
        for (key, value) in records {
            if let Err(cause) = engine.take_back(&key, &value) {
                errors.push(RestoreError { key: readable(&key), cause });
            }
        }
        engine.follow_up();
        (engine, errors)
    }

    fn take_back(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        match key.first() {
            Some(&Ledger::KIND) => self.ledger.restore(value).map(|slot| self.book = slot),
            Some(&Changes::KIND) => self.changes.restore(value).map(|slot| self.suspects = slot),
            Some(&Source::KIND) => self.sources.restore(value).map(drop),
            Some(&Check::KIND) => self.checks.restore(value).map(drop),
            Some(&Series::KIND) => self.series.restore(value).map(drop),
            Some(&Alert::KIND) => self.alerts.restore(value).map(drop),
            Some(&Component::KIND) => self.components.restore(value).map(drop),
            Some(&Incident::KIND) => self.incidents.restore(value).map(drop),
            Some(&mutes::Ordered::KIND) => self.silences.restore(value).map(drop),
            Some(&Heartbeat::KIND) => self.heartbeats.restore(value).map(drop),
            Some(&outbox::Owed::KIND) => self.outbox.restore(value).map(drop),
            Some(&Feedback::KIND) => self.feedback.restore(value).map(drop),
            Some(&Posting::KIND) => self.postings.restore(value).map(drop),
            Some(&Series::PULSE) => self.series.restore_pulse(key, value),
            Some(&Alert::PULSE) => self.alerts.restore_pulse(key, value),
            Some(&Posting::PULSE) => self.postings.restore_pulse(key, value),
            Some(&Spending::KIND) => self.budgets.restore(value).map(drop),
            Some(&ShadowWord::KIND) => self.shadow.restore(value).map(drop),
            Some(&unsent::Unsent::KIND) => self.unsent.restore(value).map(drop),
            Some(_) if let Some(taken) = self.daybook.restore(key, value) => taken,
            Some(_) => Err("its kind is unknown: a newer version may have written it".to_owned()),
            None => Err("its key is empty".to_owned()),
        }
    }

    /// Works out what follows from the records: timers, indexes, missing parts.
    fn follow_up(&mut self) {
        self.put_in_force();
        self.series.restored();
        self.alerts.restored();
        self.postings.restored();
        self.mend();
        self.link_rows();
        self.find_known();
        self.find_said();
        self.closed = self.incidents.rows().filter(|(_, incident)| !incident.open).count();
        for (_, series) in self.series.rows().filter(|(_, series)| series.flap.episode.is_some()) {
            self.flapping.entry(series.check).or_default().insert(series.fingerprint);
        }
        for (_, alert) in self.alerts.rows() {
            for key in &alert.inhibits {
                *self.inhibiting.entry(key.clone()).or_default() += 1;
            }
            match (alert.mute.as_deref(), alert.slot) {
                (Some(Mute::Later(_)), Some(series)) => self.series.at_mut(series).muted += 1,
                (None, _) if alert.event.is_some() => drop(self.targets.insert(alert.fingerprint)),
                _ => {}
            }
        }
        self.set_timers();
        self.set_silence_timers();
        if self.any_silence() {
            // The rules may have changed while nobody listened.
            self.timers.set(self.now(), Due::Silence, Fingerprint(0));
        }
        self.set_sweep();
        self.look_again();
    }

    /// After damage a series may lack its check: it gets an empty one, and learns anew.
    fn mend(&mut self) {
        let lacking: Vec<(Fingerprint, Arc<str>)> = self
            .series
            .rows()
            .filter(|(_, series)| self.checks.find(series.check).is_none())
            .map(|(_, series)| (series.check, Arc::clone(&series.name.check)))
            .collect();
        for (fingerprint, name) in lacking {
            let slot =
                self.checks.find(fingerprint).unwrap_or_else(|| self.checks.insert(Check::new(fingerprint, name)));
            self.checks.change(slot).series += 1;
        }
    }

    fn set_timers(&mut self) {
        let now = self.now();
        let timers = &mut self.timers;
        for (_, series) in self.series.rows() {
            let whom = series.fingerprint;
            if !series.waiting.is_empty() {
                timers.set(series.hold_until, Due::Hold, whom);
            }
            if let Some(at) = series.outlive_at {
                timers.set(at, Due::Outlive, whom);
            }
            if let Some(ends) = series.burst.as_ref().and_then(|burst| burst.ends) {
                timers.set(ends, Due::Burst, whom);
            }
            if let Some(episode) = &series.flap.episode {
                timers.set(episode.steady_at, Due::Steady, whom);
                // What has lasted already is looked at when it changes, not because of a restart.
                if episode.promote_at > now {
                    timers.set(episode.promote_at, Due::Promote, whom);
                }
            }
        }
        for (_, component) in self.components.rows() {
            if let Some(at) = component.cross_at {
                timers.set(at, Due::Cross, component.fingerprint);
            }
        }
        for (_, incident) in self.incidents.rows() {
            if let Some(at) = incident.calm_at {
                timers.set(at, Due::Calm, Incident::key(incident.id()));
            }
            if let Some(later) = incident.later.as_ref().filter(|_| incident.open) {
                timers.set(later.until, Due::Later, Incident::key(incident.id()));
            }
            if let Some(waits) = incident.untaken.as_ref().filter(|_| incident.open) {
                timers.set(waits.next, Due::Remind, Incident::key(incident.id()));
            }
        }
        for (_, alert) in self.alerts.rows() {
            timers.set(alert.expires, Due::Expire, alert.fingerprint);
        }
        for (_, row) in self.budgets.rows() {
            timers.set(row.period.1, Due::Budget, row.fingerprint());
        }
        for rule in &self.policy.heartbeats {
            timers.set(now, Due::Heartbeat, Heartbeat::key(&rule.name));
        }
        for (_, source) in self.sources.rows() {
            timers.set(now, Due::Source, source.fingerprint);
        }
    }

    /// The changes of its records since they were last taken, each key once. Also forgets them.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        self.ledger.take_changes(&mut changes);
        self.changes.take_changes(&mut changes);
        self.sources.take_changes(&mut changes);
        self.checks.take_changes(&mut changes);
        self.series.take_changes(&mut changes);
        self.alerts.take_changes(&mut changes);
        self.components.take_changes(&mut changes);
        self.incidents.take_changes(&mut changes);
        self.silences.take_changes(&mut changes);
        self.heartbeats.take_changes(&mut changes);
        self.outbox.take_changes(&mut changes);
        self.feedback.take_changes(&mut changes);
        self.postings.take_changes(&mut changes);
        self.budgets.take_changes(&mut changes);
        self.shadow.take_changes(&mut changes);
        self.unsent.take_changes(&mut changes);
        self.daybook.take_changes(&mut changes);
        changes
    }

    /// Some of its records as they stand, for a snapshot that rolls in parts: about `bytes` of them, from
    /// `cursor` (0 = the beginning) on, and the cursor to go on from (`None` = that was all). Records that come or
    /// change meanwhile are told by [`Engine::take_changes`].
    #[must_use]
    pub fn snapshot_part(&self, cursor: u64, bytes: usize) -> (Vec<Change>, Option<u64>) {
        let mut changes = Vec::new();
        let from = u32::try_from(cursor % TABLE).unwrap_or(0);
        let table = cursor / TABLE;
        let next = match table {
            0 => self.ledger.part(from, bytes, &mut changes),
            1 => self.changes.part(from, bytes, &mut changes),
            2 => self.sources.part(from, bytes, &mut changes),
            3 => self.checks.part(from, bytes, &mut changes),
            4 => self.series.part(from, bytes, &mut changes),
            5 => self.alerts.part(from, bytes, &mut changes),
            6 => self.components.part(from, bytes, &mut changes),
            7 => self.incidents.part(from, bytes, &mut changes),
            8 => self.silences.part(from, bytes, &mut changes),
            9 => self.outbox.part(from, bytes, &mut changes),
            10 => self.heartbeats.part(from, bytes, &mut changes),
            11 => self.feedback.part(from, bytes, &mut changes),
            12 => self.postings.part(from, bytes, &mut changes),
            13 => self.budgets.part(from, bytes, &mut changes),
            14 => self.shadow.part(from, bytes, &mut changes),
            15 => self.unsent.part(from, bytes, &mut changes),
            _ if table <= LAST_TABLE => self.daybook.part(table - BOOK, from, bytes, &mut changes),
            _ => return (changes, None),
        };
        let next = next.map_or((table + 1) * TABLE, |slot| table * TABLE + u64::from(slot));
        (changes, (next / TABLE <= LAST_TABLE).then_some(next))
    }
}

/// A record's key for people: its kind, and its identity in hexadecimal.
fn readable(key: &[u8]) -> String {
    match key.split_first() {
        Some((kind, rest)) => {
            let digits: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{}:{digits}", char::from(*kind).escape_default())
        }
        None => "(empty)".to_owned(),
    }
}
