//! Upkeep: what is done beside the commits, in bounded steps: snapshots, compaction of the journal, forgetting.
//!
//! Deliberately without a thread of its own: the owner calls a step after a commit, and knows what it costs.

use std::io;

use super::Store;
use super::batch;
use super::durable::Marks;
use super::error::CommitError;
use super::journal::{self, JournalError};
use super::look;
use super::snapshot::Writer;
use crate::domain::{Change, Timestamp};

/// What one step of maintenance did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing is to be done.
    Idle,
    /// It began a snapshot or wrote a part of it.
    Part,
    /// It ended a snapshot, which is whole now.
    Snapshot,
    /// It moved old events from the journal to the history and removed their batches.
    Compacted,
    /// It copied events from the journal to the history.
    Spilled,
    /// It removed old history.
    Forgot,
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) writer: Writer,
    cursor: u64,
    since: u64,
}

impl Store {
    /// One step of what is to be done beside the commits: begins a snapshot when one is due, writes a part of it,
    /// compacts the journal, forgets old history. Bounded by `part_bytes`. Call it after a successful commit, before
    /// the engine takes anything more, and while it does not answer [`Step::Idle`] when there is time.
    ///
    /// `part` gives about so many bytes of records from a cursor on, and the next cursor: `Engine::snapshot_part`.
    ///
    /// # Errors
    /// As for [`Store::commit`]; a snapshot that was running is given up.
    pub fn maintain(
        &mut self,
        now: Timestamp,
        part: impl FnOnce(u64, usize) -> (Vec<Change>, Option<u64>),
    ) -> Result<Step, CommitError> {
        self.sound()?;
        if self.ahead {
            return Ok(Step::Idle);
        }
        if self.running.is_some() || self.snapshot_due() {
            return self.snapshot_step(part);
        }
        if self.compact_to() > self.marks.first {
            return self.compact_step();
        }
        match self.spilling {
            Some(next) => self.spill_step(next),
            None => self.forget(now),
        }
    }

    /// Whether the next [`Store::maintain`] begins a snapshot.
    #[must_use]
    pub fn snapshot_due(&self) -> bool {
        let size = self.snapshots.last().map_or(0, |snapshot| snapshot.bytes);
        let after = self.options.snapshot_after;
        self.running.is_none() && (self.due || self.since > (size / 2).clamp(after, after.saturating_mul(4)))
    }

    /// Makes a snapshot due, whatever the length of the journal: for a graceful stop and for a backup.
    pub fn ask_for_snapshot(&mut self) {
        self.due = true;
    }

    /// Moves the events that are only in the journal into the history, so that [`super::history::read`] sees them all.
    ///
    /// # Errors
    /// As for [`Store::commit`].
    pub fn spill(&mut self) -> Result<(), CommitError> {
        self.sound()?;
        self.room(self.since)?;
        for number in self.marks.first..=self.marks.last {
            self.spill_batch(number)?;
        }
        self.mark(Marks { history_from: self.history.from(), history_until: self.history.until, ..self.marks })
    }

    /// Has [`Store::maintain`] copy the events that are only in the journal into the history, in steps.
    pub fn ask_for_spill(&mut self) {
        self.spilling = Some(self.marks.first);
    }

    /// Copies the events of some batches, from this one on.
    fn spill_step(&mut self, next: u64) -> Result<Step, CommitError> {
        // What fails is not tried again until somebody asks.
        self.spilling = None;
        self.room(2 * self.options.part_bytes as u64)?;
        let (from, end) = (next.max(self.marks.first), self.marks.last + 1);
        let (events, until) = self.events_of(from, end)?;
        self.history.append(&events).map_err(|error| upkeep("cannot write the history", &error))?;
        self.mark(Marks { history_from: self.history.from(), history_until: self.history.until, ..self.marks })?;
        self.spilling = (until < end).then_some(until);
        Ok(Step::Spilled)
    }

    fn snapshot_step(
        &mut self,
        part: impl FnOnce(u64, usize) -> (Vec<Change>, Option<u64>),
    ) -> Result<Step, CommitError> {
        self.room(2 * self.options.part_bytes as u64)?;
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.begin_snapshot().map_err(|error| upkeep("cannot begin a snapshot", &error))?,
        };
        let (records, next) = part(running.cursor, self.options.part_bytes);
        if let Err(error) = running.writer.add(&records) {
            running.writer.abandon();
            return Err(upkeep("cannot write the snapshot", &error));
        }
        if let Some(cursor) = next {
            self.running = Some(Running { cursor, ..running });
            return Ok(Step::Part);
        }
        self.end_snapshot(running)?;
        Ok(Step::Snapshot)
    }

    fn begin_snapshot(&mut self) -> io::Result<Running> {
        let generation = self.snapshots.last().map_or(0, |snapshot| snapshot.generation).max(self.marks.snapshot) + 1;
        let writer = Writer::begin(&self.places.dir, generation, self.marks.last + 1, self.marks.next_seq)?;
        self.due = false;
        Ok(Running { writer, cursor: 0, since: self.since })
    }

    fn end_snapshot(&mut self, running: Running) -> Result<(), CommitError> {
        let snapshot = running.writer.finish().map_err(|error| upkeep("cannot write the snapshot", &error))?;
        self.since -= running.since;
        self.snapshots.push(snapshot);
        let (spare, snapshot) = look::generations(&self.snapshots);
        self.mark(Marks { spare, snapshot, ..self.marks })?;
        while self.snapshots.len() > 2 {
            let old = self.snapshots.remove(0);
            std::fs::remove_file(&old.path).map_err(|error| upkeep("cannot remove a snapshot", &error))?;
        }
        Ok(())
    }

    /// The journal may go up to here: the older of two snapshots begins there.
    fn compact_to(&self) -> u64 {
        if self.snapshots.len() < 2 { 0 } else { self.snapshots[0].begin }
    }

    /// Moves the events of some old batches to the history, then removes the batches. In this order, each after the
    /// other is durable: events to history, marks, batches.
    fn compact_step(&mut self) -> Result<Step, CommitError> {
        self.room(2 * self.options.part_bytes as u64)?;
        let (from, end) = (self.marks.first, self.compact_to());
        let (events, until) = self.events_of(from, end)?;
        self.history.append(&events).map_err(|error| upkeep("cannot write the history", &error))?;
        let (history_from, history_until) = (self.history.from(), self.history.until);
        self.mark(Marks { first: until, history_from, history_until, ..self.marks })?;
        self.journal.remove(from, until).map_err(|error| self.breaks(&error))?;
        Ok(Step::Compacted)
    }

    /// The events of some batches of the journal, and the batch after them.
    fn events_of(&mut self, from: u64, end: u64) -> Result<(Vec<batch::RawEvent>, u64), CommitError> {
        let mut until = from;
        let mut events = Vec::new();
        let mut bytes = 0;
        while until < end && bytes < self.options.part_bytes {
            let batch = self.journal.read(until).map_err(|error| self.breaks(&error))?;
            let Some(batch) = batch else { return Err(self.breaks(&JournalError::gone(until))) };
            bytes += batch.len() + journal::PART / 8;
            events.extend(batch::events(&batch).map_err(|_| self.breaks(&JournalError::gone(until)))?);
            until += 1;
        }
        Ok((events, until))
    }

    fn spill_batch(&mut self, number: u64) -> Result<(), CommitError> {
        let batch = self.journal.read(number).map_err(|error| self.breaks(&error))?;
        let Some(batch) = batch else { return Err(self.breaks(&JournalError::gone(number))) };
        let events = batch::events(&batch).map_err(|_| self.breaks(&JournalError::gone(number)))?;
        self.history.append(&events).map_err(|error| upkeep("cannot write the history", &error))
    }

    fn forget(&mut self, now: Timestamp) -> Result<Step, CommitError> {
        let old = self.history.outdated(now, self.options.history_age, self.options.history_bytes);
        let Some(last) = old.last() else { return Ok(Step::Idle) };
        let history_from = self.history.segments.get(old.len()).map_or(last.until, |segment| segment.first);
        self.mark(Marks { history_from, ..self.marks })?;
        self.history.drop_oldest(old.len()).map_err(|error| upkeep("cannot remove old history", &error))?;
        Ok(Step::Forgot)
    }
}

pub(super) fn upkeep(what: &str, error: &io::Error) -> CommitError {
    CommitError::Upkeep { cause: format!("{what}: {error}") }
}
