//! One scope of a shard: its engine, what is paged without it, and the number of its next event.
//!
//! Pure. Deliberately blind to the other scopes: whatever lives beside it, it decides the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::place::Seat;
use super::record::{Key, Row, Shelf};
use super::word::Word;
use crate::domain::{
    Alarms, Change, Engine, Event, Input, Notification, NotificationKey, Policy, RestoreError, Silence, Timestamp, Turn,
};

/// What a panic of the engine is called.
const FAILED: &str = "the judge failed";
const FAILED_WHY: &str =
    "a timer or an order made the judge fail, and was left out; the log has the cause: please report it as a bug";

/// A scope.
#[derive(Debug)]
pub struct Tenant {
    /// Its name.
    pub name: Arc<str>,
    /// Its place.
    pub seat: Seat,
    engine: Engine,
    alarms: Alarms,
    head: Head,
    head_changed: bool,
    /// What was decided since it was last taken.
    pub turn: Turn,
}

/// What says which scope this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number among the scopes of the partition in which it was born.
    pub number: u32,
    /// The number of its next event.
    pub next_seq: u64,
    /// The partition in which it was born; `None` = the one in which it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<i32>,
}

impl Head {
    /// The seat of a scope that lives in this partition.
    #[must_use]
    pub fn seat(&self, partition: i32) -> Seat {
        Seat { partition: self.born.unwrap_or(partition), scope: self.number }
    }

    /// Reads what stands in the changelog.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(value: &[u8]) -> Result<Self, String> {
        let head: Self = serde_json::from_slice(value).map_err(|error| error.to_string())?;
        let born = u64::try_from(head.born.unwrap_or(0)).is_ok_and(|born| born < Seat::PARTITIONS);
        let possible = born && u64::from(head.number) < Seat::SCOPES;
        possible.then_some(head).ok_or_else(|| "no scope can have this number".to_owned())
    }
}

impl Tenant {
    /// A scope that has seen nothing.
    #[must_use]
    pub fn new(name: Arc<str>, seat: Seat, policy: &Arc<Policy>) -> Self {
        let head = Head { number: seat.scope, next_seq: 0, born: None };
        let (engine, alarms) = (Engine::new(Arc::clone(policy)), Alarms::default());
        Self { name, seat, engine, alarms, head, head_changed: true, turn: Turn::default() }
    }

    /// A scope from its records.
    #[must_use]
    pub fn restore(
        (name, seat, head): (Arc<str>, Seat, Head),
        policy: &Arc<Policy>,
        records: Vec<(Vec<u8>, Vec<u8>)>,
    ) -> (Self, Vec<RestoreError>) {
        let own = |(key, _): &(Vec<u8>, Vec<u8>)| key.first() == Some(&Alarms::KEY);
        let (alarms, records): (Vec<_>, Vec<_>) = records.into_iter().partition(own);
        let (alarms, mut errors) = Alarms::restore(alarms);
        let (engine, unreadable) = Engine::restore(Arc::clone(policy), records);
        errors.extend(unreadable);
        (Self { name, seat, engine, alarms, head, head_changed: false, turn: Turn::default() }, errors)
    }

    pub(super) const fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) const fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Judges an event at the time of its receipt.
    pub fn event(&mut self, event: &Event) {
        let seq = self.number();
        self.engine.handle(at(event), Input::Event { seq, event }, &mut self.turn);
    }

    /// Pages an event that the engine cannot judge.
    pub fn fail_open(&mut self, event: &Event) {
        let seq = self.number();
        let policy = Arc::clone(self.engine.policy());
        self.alarms.fail_open(at(event), (seq, event), &policy, &mut self.turn);
    }

    /// Tells that something else than an event made the engine fail.
    pub fn failed(&mut self, at: Timestamp) {
        let policy = Arc::clone(self.engine.policy());
        self.alarms.trouble(at, (FAILED, FAILED_WHY), &policy, &mut self.turn);
    }

    fn number(&mut self) -> u64 {
        self.head_changed = true;
        self.head.next_seq += 1;
        self.head.next_seq - 1
    }

    /// Fires everything that is due up to then, each at its own deadline. Its time does not go further: what comes
    /// later with an earlier stamp is judged as if nobody had asked.
    pub fn tick(&mut self, at: Timestamp) {
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= at) {
            self.engine.handle(due.max(self.engine.now()), Input::Tick, &mut self.turn);
        }
    }

    /// Digests are due from now on, where it is not known yet since when they tell. Whether that changed anything.
    pub fn know_digests(&mut self, at: Timestamp) -> bool {
        let new = !self.engine.knows_digests();
        if new {
            self.engine.handle(at, Input::Tick, &mut self.turn);
        }
        new
    }

    /// New rules are in force.
    pub fn follow(&mut self, at: Timestamp, policy: &Arc<Policy>) {
        self.engine.handle(at, Input::Policy(Arc::clone(policy)), &mut self.turn);
    }

    /// A person sets, changes or ends a silence.
    pub fn silence(&mut self, at: Timestamp, silence: &Silence) {
        self.engine.handle(at, Input::Silence(silence), &mut self.turn);
    }

    /// Takes an order. Numbers of incidents are those from outside.
    pub fn order(&mut self, at: Timestamp, word: &Word) {
        let policy = Arc::clone(self.engine.policy());
        let (engine, alarms, turn) = (&mut self.engine, &mut self.alarms, &mut self.turn);
        let inside = |incident| Seat::inside(incident).1;
        match word {
            Word::Acknowledge { incident, by } => {
                let incident = inside(*incident);
                if !alarms.acknowledge(at, (incident, by), &policy, turn) {
                    engine.handle(at, Input::Acknowledge { incident, by }, turn);
                }
            }
            Word::Resolve { incident, by } => {
                let incident = inside(*incident);
                if !alarms.resolve(at, (incident, by), &policy, turn) {
                    engine.handle(at, Input::Resolve { incident, by }, turn);
                }
            }
            Word::Feedback { incident, opinion, by } => {
                engine.handle(at, Input::Feedback { incident: inside(*incident), opinion: *opinion, by }, turn);
            }
            Word::Split { incident, part, by } => {
                engine.handle(at, Input::Split { incident: inside(*incident), part, by }, turn);
            }
            Word::Drill { drill } => alarms.drill(at, drill, &policy, turn),
            Word::Trouble { title, why } => alarms.trouble(at, (title, why), &policy, turn),
            Word::TroubleOver { title } => alarms.trouble_over(at, title, &policy, turn),
            Word::Delivered { key } => self.delivered(&Seat::key_inside(key)),
            Word::Overdue { key, why } => self.overdue(&Seat::key_inside(key), why),
            Word::Undeliverable { key, why } => self.undeliverable(&Seat::key_inside(key), why),
            Word::Digest { dispatch } => engine.handle(at, Input::Digest(dispatch), turn),
            // These go to all scopes, by `silence` and `follow`.
            Word::Silence { .. } | Word::Rules { .. } => {}
        }
    }

    /// What couriers say moves no time: when a page was taken decides nothing.
    fn delivered(&mut self, key: &NotificationKey) {
        let at = self.engine.now();
        let policy = Arc::clone(self.engine.policy());
        self.alarms.takes_again(at, &key.receiver, &policy, &mut self.turn);
        if !self.alarms.settled(key) {
            self.engine.handle(at, Input::Delivered(key), &mut self.turn);
        }
    }

    fn overdue(&mut self, key: &NotificationKey, why: &str) {
        let at = self.engine.now();
        if !self.pass_on(at, key, why) {
            self.engine.handle(at, Input::Overdue(key), &mut self.turn);
        }
    }

    fn undeliverable(&mut self, key: &NotificationKey, error: &str) {
        let at = self.engine.now();
        self.pass_on(at, key, error);
        if !self.alarms.settled(key) {
            self.engine.handle(at, Input::Undeliverable { key, error }, &mut self.turn);
        }
    }

    /// A message that a receiver does not take goes elsewhere, too. Whether it is one of Squelch's own.
    fn pass_on(&mut self, at: Timestamp, key: &NotificationKey, why: &str) -> bool {
        let policy = Arc::clone(self.engine.policy());
        let own = self.alarms.owed(key).map(|owed| (Arc::clone(owed), BTreeSet::new()));
        let is_own = own.is_some();
        let found = own.or_else(|| self.engine.owed(key).map(|(owed, addressed)| (Arc::clone(owed), addressed)));
        if let Some((owed, addressed)) = found {
            self.alarms.pass_on(at, (&owed, &addressed, why), &policy, &mut self.turn);
        }
        is_own
    }

    /// When it needs a tick at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.engine.next_deadline()
    }

    /// What is owed to receivers, as they know it.
    #[must_use]
    pub fn outbox(&self) -> Vec<Arc<Notification>> {
        let seat = self.seat;
        self.alarms.outbox().chain(self.engine.outbox()).map(|owed| seat.shown(owed)).collect()
    }

    /// The changes of its records since they were last taken.
    pub fn take_rows(&mut self, rows: &mut Vec<Row>) {
        let mut changes = self.engine.take_changes();
        changes.extend(self.alarms.take_changes());
        if std::mem::take(&mut self.head_changed) {
            // Numbers are always JSON.
            changes.push(Change { key: vec![Key::HEAD], value: serde_json::to_vec(&self.head).ok() });
        }
        rows.extend(changes.into_iter().map(|change| {
            let shelf = if change.key.first() == Some(&Engine::OUTBOX) { Shelf::Outbox } else { Shelf::State };
            Row { shelf, key: Key::Scope(self.name.to_string(), change.key).write(), value: change.value }
        }));
    }
}

/// When an event came; all of the log say so.
fn at(event: &Event) -> Timestamp {
    event.received.unwrap_or(Timestamp::EPOCH)
}
