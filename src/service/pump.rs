//! The pump: one thread that owns engine and store. It judges what waits, stores it, and only then acknowledges
//! and sends.
//!
//! Deliberately the only place where the order of these four is decided.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tracing::{error, info, warn};

use super::judge::{Item, Judge, Taken};
use super::keeper::{self, DAMAGED, Keeper};
use crate::clock::{Clock, Stopwatch};
use crate::domain::{Event, Notification, Positions, Timestamp, Turn};
use crate::http::app::Condition;
use crate::http::console::chronicle::Chronicle;
use crate::http::metrics::Metrics;
use crate::inbox::{Ack, BackupAck, Batch, Look, Message, Order, Outlet, Receipt, Refusal, View};

/// So many events are judged and stored together.
const GROUP: usize = 2_000;
/// The pump looks up at least this often: the clock may have jumped.
const LOOK_UP: Duration = Duration::from_secs(1);
/// The trouble's title when events cannot be stored.
const STORAGE: &str = "it cannot store new events";

/// What the warning begins with while snapshots or history cannot be written.
const UPKEEP: &str = "events are stored, but the journal grows: ";

/// Where notifications go once they are durable.
pub(super) type Post = Box<dyn FnMut(&[Arc<Notification>]) + Send>;

/// The pump before it runs.
pub(super) struct Pump {
    pub(super) judge: Judge,
    pub(super) keeper: Keeper,
    /// How far the logs were read that events come out of.
    pub(super) positions: Positions,
    pub(super) outlet: Outlet,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) condition: Arc<watch::Sender<Condition>>,
    pub(super) post: Post,
    pub(super) chronicle: Arc<Chronicle>,
    pub(super) next_seq: u64,
    /// Who waits for the history to have everything.
    pub(super) spilling: Vec<oneshot::Sender<()>>,
}

/// What was taken out of the inbox at once.
#[derive(Default)]
struct Group {
    batches: Vec<Batch>,
    orders: Vec<(Order, Ack)>,
    looks: Vec<Look>,
    backups: Vec<BackupAck>,
    spills: Vec<oneshot::Sender<()>>,
}

impl Group {
    fn of(messages: &mut Vec<Message>) -> Self {
        let mut group = Self::default();
        for message in messages.drain(..) {
            match message {
                Message::Events(batch) => group.batches.push(batch),
                Message::Order(order, ack) => group.orders.push((order, ack)),
                Message::Look(look) => group.looks.push(look),
                Message::Backup(ack) => group.backups.push(ack),
                Message::Spill(done) => group.spills.push(done),
            }
        }
        group
    }
}

impl Pump {
    /// Runs until the inbox is closed and empty; then stores what is left, with a whole snapshot.
    pub(super) fn run(mut self) {
        let mut messages = Vec::new();
        let mut turn = Turn::default();
        self.offer_what_is_owed();
        loop {
            let open = self.outlet.drain(GROUP, self.patience(), &mut messages);
            let now = self.clock.now();
            let group = Group::of(&mut messages);
            turn.clear();
            self.turn(now, group, &mut turn);
            if !open {
                break;
            }
        }
        info!("the inbox is empty and everything in it is stored; writing a last snapshot");
        if !self.judge.rests() {
            self.keeper.close(self.clock.now(), &self.judge.engine, &self.judge.alarms, &self.positions);
        }
    }

    /// How long nothing need be done.
    fn patience(&self) -> Duration {
        let now = self.clock.now();
        let due = self.judge.next_deadline().map_or(f64::INFINITY, |due| self.clock.takes(due.since(now)));
        let busy = if self.keeper.is_busy() { 0.0 } else { LOOK_UP.as_secs_f64() };
        Duration::from_secs_f64(due.clamp(0.0, busy))
    }

    fn turn(&mut self, now: Timestamp, group: Group, turn: &mut Turn) {
        if self.judge.rested(now) {
            self.judge.wake(now, self.keeper.records());
            warn!(awake = !self.judge.rests(), "the judge rested after it failed");
            self.offer_what_is_owed();
        }
        self.tell_damage(now, turn);
        let Group { batches, orders, looks, backups, spills } = group;
        // A store that was opened anew may have left out numbers.
        self.next_seq = self.next_seq.max(self.keeper.next_seq());
        let first = self.next_seq;
        let events: Vec<(u64, &Event)> = (first..).zip(batches.iter().flat_map(|batch| &batch.events)).collect();
        self.next_seq += events.len() as u64;
        let marks: Vec<_> = batches.iter().flat_map(|batch| &batch.marks).collect();
        let taken = self.judge_all((now, !looks.is_empty()), &orders, &events, turn);
        marks.iter().for_each(|mark| self.positions.advance(mark));
        if !(events.is_empty() && marks.is_empty() && orders.is_empty() && turn.decisions.is_empty())
            || self.keeper.owes()
        {
            let stored = self.store(now, &events, turn);
            (self.post)(&turn.notifications);
            self.chronicle.record(now, &events, &turn.decisions);
            acknowledge(first, batches, &stored);
            answer(orders, &taken, &stored);
        }
        let view = View { engine: &self.judge.engine, alarms: &self.judge.alarms };
        for look in looks {
            look(&view);
        }
        for ack in backups {
            // Who asked may have gone; then the file goes, too.
            let _ = ack.send(self.keeper.backup().map_err(Refusal::Backup));
        }
        if !spills.is_empty() {
            self.keeper.ask_for_spill();
            self.spilling.extend(spills);
        }
        if !self.judge.rests() {
            self.roll(now);
        }
        if !self.keeper.is_busy() {
            // Who asked may have gone.
            for done in self.spilling.drain(..) {
                let _ = done.send(());
            }
        }
    }

    /// One step of upkeep. That it fails is told: the journal grows until it works again.
    fn roll(&mut self, now: Timestamp) {
        let before = self.keeper.upkeep().map(str::to_owned);
        self.keeper.roll(now, &self.judge.engine, &self.judge.alarms, &self.positions);
        let upkeep = self.keeper.upkeep();
        if upkeep != before.as_deref() {
            self.metrics.upkeep_failing.set(i64::from(upkeep.is_some()));
            self.condition.send_modify(|condition| {
                condition.warnings.retain(|warning| !warning.starts_with(UPKEEP));
                condition.warnings.extend(upkeep.map(|cause| format!("{UPKEEP}{cause}")));
            });
        }
    }

    /// Orders first: a person who silences something means what is still waiting, too. Who asks something is shown
    /// the present: time is brought forward then, whether or not anything is due.
    fn judge_all(
        &mut self,
        (now, asked): (Timestamp, bool),
        orders: &[(Order, Ack)],
        events: &[(u64, &Event)],
        turn: &mut Turn,
    ) -> Taken {
        let mut items: Vec<_> = orders.iter().map(|(order, _)| (now, Item::Order(order))).collect();
        items.extend(events.iter().map(|(seq, event)| (event.received.unwrap_or(now), Item::Event(*seq, event))));
        let due = self.judge.next_deadline().is_some_and(|due| due <= now);
        if (due || asked) && !self.judge.rests() {
            items.push((now, Item::Tick));
        }
        let keeper = &mut self.keeper;
        let taken = self.judge.take(&items, turn, || keeper.records());
        self.metrics.judge_failures.inc_by(taken.failures);
        taken
    }

    /// Stores the changes; nothing is acknowledged before that. When it fails, everything stays in memory, new
    /// events are refused, and what is held is still judged and paged.
    fn store(&mut self, now: Timestamp, events: &[(u64, &Event)], turn: &mut Turn) -> Result<(), Refusal> {
        let mut changes = self.judge.take_changes().unwrap_or_else(|cause| {
            error!(cause, "the judge failed when it was asked for its changes: the events of this group are paged");
            self.metrics.judge_failures.inc();
            let given = Arc::clone(self.judge.engine.given_policy());
            self.judge.rebuild(now, &given, &[], self.keeper.records());
            let policy = Arc::clone(self.judge.engine.policy());
            turn.clear();
            for (seq, event) in events {
                self.judge.alarms.fail_open(now, (*seq, event), &policy, turn);
            }
            self.judge.alarms.take_changes()
        });
        // Last, so that no position is ahead of what it stands for, however a batch is split.
        changes.extend(self.positions.take_changes());
        let watch = Stopwatch::start();
        let was_well = self.keeper.trouble().is_none();
        let stored = self.keeper.commit(now, events, changes);
        match &stored {
            Ok(()) => {
                self.metrics.commit_seconds.observe(watch.elapsed().as_secs_f64());
                self.metrics.commit_events.observe(events.len() as f64);
                if !was_well {
                    self.storage_is_back(now, turn);
                }
            }
            Err(refusal) => {
                self.metrics.commits_failed.inc();
                if was_well {
                    self.storage_is_gone(now, refusal, turn);
                }
            }
        }
        self.tell_damage(now, turn);
        stored
    }

    /// A store that was opened anew and found damaged is Squelch's own trouble: a page.
    fn tell_damage(&mut self, now: Timestamp, turn: &mut Turn) {
        let mut damage = self.keeper.take_damage();
        damage.append(&mut self.judge.unreadable);
        if damage.is_empty() {
            return;
        }
        let warnings = damage.iter().map(|damage| format!("{DAMAGED}: {damage}"));
        self.condition.send_modify(|condition| condition.warnings.extend(warnings));
        let policy = Arc::clone(self.judge.engine.policy());
        self.judge.alarms.trouble(now, (DAMAGED, &keeper::meaning(&damage)), &policy, turn);
        self.keeper.owe(self.judge.alarms.take_changes());
    }

    fn storage_is_gone(&mut self, now: Timestamp, refusal: &Refusal, turn: &mut Turn) {
        error!(%refusal, "new events are refused; what is held is still judged and paged");
        self.outlet.refuse(Some(refusal.clone()));
        self.metrics.storage_refusing.set(1);
        let problem = refusal.to_string();
        self.condition.send_modify(|condition| condition.problems.push(problem.clone()));
        let why = format!("{problem}; what it holds is still judged and paged, and it takes events again by itself");
        let policy = Arc::clone(self.judge.engine.policy());
        self.judge.alarms.trouble(now, (STORAGE, &why), &policy, turn);
        self.keeper.owe(self.judge.alarms.take_changes());
    }

    fn storage_is_back(&mut self, now: Timestamp, turn: &mut Turn) {
        info!("events can be stored again, and everything held back is stored");
        self.outlet.refuse(None);
        self.metrics.storage_refusing.set(0);
        self.condition.send_modify(|condition| condition.problems.clear());
        let policy = Arc::clone(self.judge.engine.policy());
        self.judge.alarms.trouble_over(now, STORAGE, &policy, turn);
        self.keeper.owe(self.judge.alarms.take_changes());
    }

    /// After a start the outbox is offered again, under the same keys.
    fn offer_what_is_owed(&mut self) {
        let owed: Vec<_> = self.judge.alarms.outbox().chain(self.judge.engine.outbox()).cloned().collect();
        if !owed.is_empty() {
            info!(count = owed.len(), "offering again what was not yet delivered");
            (self.post)(&owed);
        }
    }
}

fn acknowledge(first: u64, batches: Vec<Batch>, stored: &Result<(), Refusal>) {
    let mut first = first;
    for batch in batches {
        let receipt = Receipt { first, count: batch.events.len() as u64 };
        first += receipt.count;
        // Who sent it may have gone; the events are stored all the same.
        let _ = batch.ack.send(stored.clone().map(|()| receipt));
    }
}

fn answer(orders: Vec<(Order, Ack)>, taken: &Taken, stored: &Result<(), Refusal>) {
    for (at, (_, ack)) in orders.into_iter().enumerate() {
        let done = if taken.undone.contains(&at) { Err(Refusal::Judge) } else { stored.clone() };
        let _ = ack.send(done.map(|()| Receipt { first: 0, count: 0 }));
    }
}
