//! The engine under guard: when it panics, what cannot be judged is paged, and the engine is rebuilt from its records.
//!
//! Deliberately without storage: who owns the records hands them in.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tracing::error;

use crate::domain::alarm::FIRST_ALARM;
use crate::domain::{Alarms, Change, Engine, Event, Input, NotificationKey, Policy, Positions, Timestamp, Turn};
use crate::inbox::Order;

/// After so many failures within [`MEMORY`] the engine is left alone for [`REST`].
const MOST_FAILURES: usize = 3;
const MEMORY: Duration = Duration::from_secs(60);
const REST: Duration = Duration::from_secs(10);

/// The title of the trouble when a timer or an order makes the engine fail.
const FAILED: &str = "the judge failed";
const FAILED_WHY: &str = "a timer or an order made the judge fail; while it fails, every alert is paged as it comes; \
                          the log has the cause: please report it as a bug";

/// Looks at every input before the engine does. Only tests have one, to make the judge fail on purpose.
pub type Probe = Box<dyn FnMut(&Input<'_>) + Send>;

/// The records of the last commit with everything that is not yet stored laid over them, as far as they can be read.
pub(super) type Records = Option<Vec<(Vec<u8>, Vec<u8>)>>;

/// One thing that the engine is to take.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a> {
    /// An event under its number.
    Event(u64, &'a Event),
    /// A change that was asked for.
    Order(&'a Order),
    /// Time.
    Tick,
}

/// What became of the items.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// How often the engine failed.
    pub(super) failures: u64,
    /// The places of the items that were not done, ascending. Never an event: those are paged.
    pub(super) undone: Vec<usize>,
}

impl Taken {
    fn note(&mut self, at: usize, done: bool) {
        if !done {
            self.undone.push(at);
        }
    }
}

/// The engine, what is paged without it, and whether it can be trusted.
pub(super) struct Judge {
    pub(super) engine: Engine,
    pub(super) alarms: Alarms,
    probe: Option<Probe>,
    /// The records that could not be taken back, until they are told.
    pub(super) unreadable: Vec<String>,
    failures: Vec<Timestamp>,
    /// Set while the engine is left alone: its state is not to be used nor stored.
    resting_until: Option<Timestamp>,
}

impl Judge {
    pub(super) fn new(engine: Engine, alarms: Alarms, probe: Option<Probe>) -> Self {
        Self { engine, alarms, probe, unreadable: Vec::new(), failures: Vec::new(), resting_until: None }
    }

    /// Whether the engine is left alone.
    pub(super) fn rests(&self) -> bool {
        self.resting_until.is_some()
    }

    /// Whether the engine was left alone for long enough.
    pub(super) fn rested(&self, now: Timestamp) -> bool {
        self.resting_until.is_some_and(|until| now >= until)
    }

    /// When the engine or the guard needs a turn at the latest.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.resting_until.or_else(|| self.engine.next_deadline())
    }

    /// Takes the items in order. `records` is asked for when the engine must be rebuilt.
    pub(super) fn take(
        &mut self,
        items: &[(Timestamp, Item<'_>)],
        turn: &mut Turn,
        mut records: impl FnMut() -> Records,
    ) -> Taken {
        let policy = Arc::clone(self.engine.given_policy());
        let mut result = Taken::default();
        // What the engine took of these items, to be taken again after a rebuild.
        let mut taken = Vec::with_capacity(items.len());
        for (at, &(now, item)) in items.iter().enumerate() {
            if self.rests() {
                result.note(at, self.without_engine(now, item, turn));
                continue;
            }
            let kept = (turn.decisions.len(), turn.notifications.len());
            match self.attempt(now, item, turn) {
                Ok(()) => taken.push((now, item)),
                Err(cause) => {
                    result.failures += 1;
                    error!(cause, ?item, "the judge failed: what it could not judge is paged");
                    turn.decisions.truncate(kept.0);
                    turn.notifications.truncate(kept.1);
                    self.rebuild(now, &policy, &taken, records());
                    result.note(at, self.without_engine(now, item, turn));
                }
            }
        }
        result
    }

    /// The changes to store: those of the alarms always, those of the engine unless it is left alone.
    ///
    /// # Errors
    /// What the engine said when it failed at it; it must be rebuilt then.
    pub(super) fn take_changes(&mut self) -> Result<Vec<Change>, String> {
        let mut changes = if self.rests() {
            Vec::new()
        } else {
            catch_unwind(AssertUnwindSafe(|| self.engine.take_changes())).map_err(|panic| told(panic.as_ref()))?
        };
        changes.extend(self.alarms.take_changes());
        Ok(changes)
    }

    /// Goes on with an engine made from the records; without records it rests.
    pub(super) fn rebuild(
        &mut self,
        now: Timestamp,
        policy: &Arc<Policy>,
        taken: &[(Timestamp, Item<'_>)],
        records: Records,
    ) {
        self.failures.retain(|at| *at + MEMORY > now);
        self.failures.push(now);
        self.resting_until = Some(now + REST);
        let Some(records) = records else { return };
        self.restore(policy, records);
        let again = taken.iter().try_for_each(|(now, item)| self.attempt(*now, *item, &mut Turn::default()));
        if again.is_ok() && self.failures.len() < MOST_FAILURES {
            self.resting_until = None;
        }
    }

    /// Ends the rest with an engine made from the records.
    pub(super) fn wake(&mut self, now: Timestamp, records: Records) {
        let policy = Arc::clone(self.engine.given_policy());
        match records {
            Some(records) => {
                self.restore(&policy, records);
                self.failures.clear();
                self.resting_until = None;
            }
            None => self.resting_until = Some(now + REST),
        }
    }

    fn restore(&mut self, policy: &Arc<Policy>, records: Vec<(Vec<u8>, Vec<u8>)>) {
        let beside = |key: &[u8]| matches!(key.first(), Some(&Alarms::KEY | &Positions::KEY));
        let records = records.into_iter().filter(|(key, _)| !beside(key));
        let (engine, errors) = Engine::restore(Arc::clone(policy), records);
        for record in errors {
            error!(%record, "a record could not be taken back after the judge failed");
            self.unreadable.push(record.to_string());
        }
        self.engine = engine;
    }

    fn attempt(&mut self, now: Timestamp, item: Item<'_>, turn: &mut Turn) -> Result<(), String> {
        let Some(input) = self.input(now, item, turn) else { return Ok(()) };
        let (probe, engine) = (&mut self.probe, &mut self.engine);
        catch_unwind(AssertUnwindSafe(|| {
            if let Some(probe) = probe {
                probe(&input);
            }
            engine.handle(now, input, turn);
        }))
        .map_err(|panic| told(panic.as_ref()))
    }

    /// The input for the engine; `None` when it is for the alarms, which then have taken it.
    fn input<'a>(&mut self, now: Timestamp, item: Item<'a>, turn: &mut Turn) -> Option<Input<'a>> {
        match item {
            Item::Event(seq, event) => Some(Input::Event { seq, event }),
            Item::Tick => Some(Input::Tick),
            Item::Order(order) if self.alarms_take(now, order, turn) => None,
            Item::Order(order) => match order {
                Order::Acknowledge(incident, by) => Some(Input::Acknowledge { incident: *incident, by }),
                Order::Resolve(incident, by) => Some(Input::Resolve { incident: *incident, by }),
                Order::Feedback(incident, opinion, by) => {
                    Some(Input::Feedback { incident: *incident, opinion: *opinion, by })
                }
                Order::Split(incident, part, by) => Some(Input::Split { incident: *incident, part, by }),
                Order::Silence(silence) => Some(Input::Silence(silence)),
                Order::Shadow(on, by) => Some(Input::Shadow { on: *on, by }),
                Order::Policy(policy) => Some(Input::Policy(Arc::clone(policy))),
                Order::Digest(dispatch) => Some(Input::Digest(dispatch)),
                Order::Delivered(key) => Some(Input::Delivered(key)),
                Order::Overdue(key, _) => Some(Input::Overdue(key)),
                Order::Undeliverable(key, error) => Some(Input::Undeliverable { key, error }),
                Order::Drill(_) | Order::Trouble(..) | Order::TroubleOver(_) => None,
            },
        }
    }

    /// Whether the order is about the alarms; they have taken it then.
    fn alarms_take(&mut self, now: Timestamp, order: &Order, turn: &mut Turn) -> bool {
        let policy = Arc::clone(self.engine.policy());
        match order {
            Order::Acknowledge(incident, by) => self.alarms.acknowledge(now, (*incident, by), &policy, turn),
            Order::Resolve(incident, by) => self.alarms.resolve(now, (*incident, by), &policy, turn),
            Order::Delivered(key) => {
                self.alarms.takes_again(now, &key.receiver, &policy, turn);
                self.alarms.settled(key)
            }
            Order::Overdue(key, why) => {
                self.pass_on(now, (key, why), &policy, turn);
                key.incident.0 >= FIRST_ALARM
            }
            Order::Undeliverable(key, why) => {
                self.pass_on(now, (key, why), &policy, turn);
                self.alarms.settled(key)
            }
            Order::Drill(drill) => {
                self.alarms.drill(now, drill, &policy, turn);
                true
            }
            Order::Trouble(title, why) => {
                self.alarms.trouble(now, (title, why), &policy, turn);
                true
            }
            Order::TroubleOver(title) => {
                self.alarms.trouble_over(now, title, &policy, turn);
                true
            }
            // No judgement made these pages, so nothing can be learned of them.
            Order::Feedback(..) | Order::Split(..) | Order::Silence(_) | Order::Shadow(..) | Order::Policy(_) => false,
            // What it tells is known to the engine alone; while that rests, the digest waits.
            Order::Digest(_) => self.rests(),
        }
    }

    /// A message that a receiver does not take goes elsewhere, and the trouble with the receiver is told.
    fn pass_on(&mut self, now: Timestamp, (key, why): (&NotificationKey, &str), policy: &Policy, turn: &mut Turn) {
        let own = self.alarms.owed(key).map(|owed| (Arc::clone(owed), BTreeSet::new()));
        let judged = || self.engine.owed(key).map(|(owed, addressed)| (Arc::clone(owed), addressed));
        // While the engine rests its state is not to be used: what it owes is tried on.
        let found = own.or_else(|| if self.rests() { None } else { judged() });
        if let Some((owed, addressed)) = found {
            self.alarms.pass_on(now, (&owed, &addressed, why), policy, turn);
        }
    }

    /// What happens to an item that the engine cannot take: alerts are paged, and the rest is told.
    /// `false` = it was not done.
    fn without_engine(&mut self, now: Timestamp, item: Item<'_>, turn: &mut Turn) -> bool {
        let policy = Arc::clone(self.engine.policy());
        match item {
            Item::Event(seq, event) => self.alarms.fail_open(now, (seq, event), &policy, turn),
            Item::Order(order) if self.alarms_take(now, order, turn) => {}
            Item::Tick if !self.rests() => {}
            Item::Order(_) | Item::Tick => {
                self.alarms.trouble(now, (FAILED, FAILED_WHY), &policy, turn);
                return false;
            }
        }
        true
    }
}

/// What a panic said.
fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it panicked without a word").to_owned()
}
