//! The engine's durable copy on one machine: a journal of chunks in sled, rolling snapshots, and history.
//!
//! The engine's state is a map of records; every group commit appends one batch with the full new values of the
//! records that changed (the outbox among them) and the events that led to them. On opening, the newest snapshot and
//! the batches since give the records back. Deliberately without any judgement: what was journalled is decided, and
//! is never judged anew. Also deliberately without a clock, a thread or a lock: one owner calls, and waits.
//!
//! `docs/STORE.md` has the files, the order of writes, and what each kind of damage leads to.

mod backup;
mod batch;
mod damage;
mod durable;
mod error;
mod frame;
pub mod history;
mod journal;
mod lock;
mod mend;
mod open;
mod salvage;
mod snapshot;

use std::io;
use std::path::Path;
use std::time::Duration;

pub use backup::{Archived, restore, verify};
pub use batch::Batch;
pub use damage::{Damage, Loss};
pub use error::{CommitError, StoreError};

use crate::domain::{Change, Timestamp};
use durable::{Marks, SideFile};
use history::History;
use journal::{Journal, JournalError};
use lock::Lock;
use open::Places;
use snapshot::{Snapshot, Writer};

/// How far event numbers leap when it is not known which were used: nothing gets a used number.
const LEAP: u64 = 1 << 32;
/// What sled and the side file may take beside the batch itself: two of its segments.
const SLACK: u64 = 1 << 20;

/// The limits of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes that sled may keep in memory.
    pub cache: u64,
    /// Bytes that must stay free on the disk; below, commits are refused.
    pub min_free: u64,
    /// Events older than this leave the history.
    pub history_age: Duration,
    /// The oldest events leave the history above this many bytes (compressed).
    pub history_bytes: u64,
    /// A snapshot is due after this many bytes of journal; more (up to four times) when the state is large.
    pub snapshot_after: u64,
    /// Bytes of records in one part of a snapshot, and bytes of journal in one step of its compaction.
    pub part_bytes: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            cache: 64 << 20,
            min_free: 256 << 20,
            history_age: Duration::from_secs(30 * 86_400),
            history_bytes: 512 << 20,
            snapshot_after: 64 << 20,
            part_bytes: 1 << 20,
        }
    }
}

/// What was found on opening.
#[derive(Debug)]
pub struct Recovered {
    /// The records, each key once, in no order: what `Engine::restore` takes.
    pub records: Vec<(Vec<u8>, Vec<u8>)>,
    /// The number of the next event.
    pub next_seq: u64,
    /// What was damaged; empty on a good day. Tell it.
    pub damage: Vec<Damage>,
    /// How many batches were applied over the snapshot.
    pub batches: u64,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The number of the batch.
    pub batch: u64,
    /// Bytes that the journal took.
    pub bytes: u64,
}

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
    /// It removed old history.
    Forgot,
}

/// The sizes of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Batches in the journal.
    pub journal_batches: u64,
    /// Bytes of journal since the newest snapshot began.
    pub journal_bytes: u64,
    /// Bytes of sled's log on disk.
    pub log_bytes: u64,
    /// Bytes of the newest whole snapshot.
    pub snapshot_bytes: u64,
    /// Bytes of the history.
    pub history_bytes: u64,
    /// Events in the history, as far as their numbers have no gaps.
    pub history_events: u64,
    /// Whether a snapshot is being written.
    pub snapshot_running: bool,
}

/// The store: one owner, one writer.
#[derive(Debug)]
pub struct Store {
    places: Places,
    options: StoreOptions,
    _lock: Lock,
    journal: Journal,
    side: SideFile,
    marks: Marks,
    history: History,
    /// The newest two whole snapshots, older first. The journal reaches back to the older one's beginning, so that
    /// one damaged snapshot loses nothing.
    snapshots: Vec<Snapshot>,
    running: Option<Running>,
    /// Bytes of journal since the newest snapshot began.
    since: u64,
    /// Whether a snapshot is due whatever the journal's length.
    due: bool,
    /// The last commit was refused: the engine is ahead of the journal, and a snapshot would be, too.
    ahead: bool,
    broken: Option<String>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Running {
    writer: Writer,
    cursor: u64,
    since: u64,
}

impl Store {
    /// Opens the store in `dir`, creating what is missing, and reads all records.
    ///
    /// Damage does not keep it from opening: it is mended, kept in `quarantine/` and returned.
    ///
    /// # Errors
    /// When another process has it open, a newer version wrote it, or the system refuses to read or write.
    pub fn open(dir: &Path, options: &StoreOptions) -> Result<(Self, Recovered), StoreError> {
        open::open(dir, options)
    }

    fn new(places: Places, options: StoreOptions, lock: Lock, journal: Journal, side: SideFile) -> Self {
        let history = History::new(places.history.clone(), std::collections::VecDeque::new(), 0);
        Self {
            places,
            options,
            _lock: lock,
            journal,
            side,
            marks: Marks::default(),
            history,
            snapshots: Vec::new(),
            running: None,
            since: 0,
            due: false,
            ahead: false,
            broken: None,
            buffer: Vec::new(),
        }
    }

    fn take_over(&mut self, marks: Marks, history: History, snapshots: Vec<Snapshot>, since: u64) {
        (self.marks, self.history, self.snapshots, self.since) = (marks, history, snapshots, since);
    }

    /// Stores a batch. When this returns, it survives a power cut. An empty batch is stored as well.
    ///
    /// # Errors
    /// Nothing of the batch counts; the caller keeps it and passes it again. After [`CommitError::Broken`] only
    /// opening anew helps.
    pub fn commit(&mut self, batch: &Batch<'_>) -> Result<Committed, CommitError> {
        let result = self.try_commit(batch);
        self.ahead = result.is_err();
        if self.ahead
            && let Some(running) = self.running.take()
        {
            running.writer.abandon();
        }
        result
    }

    fn try_commit(&mut self, batch: &Batch<'_>) -> Result<Committed, CommitError> {
        self.sound()?;
        let next_seq = self.numbers(batch)?;
        batch::write(&mut self.buffer, batch, next_seq)
            .map_err(|error| CommitError::Broken { cause: format!("an event cannot be written: {error}") })?;
        if self.buffer.len() > journal::LONGEST_BATCH {
            return Err(CommitError::TooLarge { bytes: self.buffer.len(), limit: journal::LONGEST_BATCH });
        }
        self.room(2 * self.buffer.len() as u64)?;
        let number = self.marks.last + 1;
        let put = self.journal.put(number, self.marks.attempt as u32, &self.buffer);
        let bytes = put.and_then(|bytes| self.journal.flush().map(|()| bytes)).map_err(|error| self.breaks(&error))?;
        self.mark(Marks { last: number, next_seq, ..self.marks })?;
        self.since += bytes;
        Ok(Committed { batch: number, bytes })
    }

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
        self.forget(now)
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

    /// Moves the events that are only in the journal into the history, so that [`history::read`] sees them all.
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

    /// The sizes.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        StoreStats {
            journal_batches: self.marks.last + 1 - self.marks.first,
            journal_bytes: self.since,
            log_bytes: std::fs::metadata(journal::log_file(&self.places.sled)).map_or(0, |log| log.len()),
            snapshot_bytes: self.snapshots.last().map_or(0, |snapshot| snapshot.bytes),
            history_bytes: self.history.bytes(),
            history_events: self.history.until - self.history.from(),
            snapshot_running: self.running.is_some(),
        }
    }

    /// Changes how many bytes must stay free, from the next commit on.
    pub const fn set_min_free(&mut self, bytes: u64) {
        self.options.min_free = bytes;
    }

    /// The number of the next event.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.marks.next_seq
    }

    /// Why nothing more can be stored; `None` = it can.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    fn sound(&self) -> Result<(), CommitError> {
        self.broken.as_ref().map_or(Ok(()), |cause| Err(CommitError::Broken { cause: cause.clone() }))
    }

    fn breaks(&mut self, error: &JournalError) -> CommitError {
        let cause = error.to_string();
        self.broken = Some(cause.clone());
        CommitError::Broken { cause }
    }

    /// Checks that the events ascend; returns the number after them.
    fn numbers(&self, batch: &Batch<'_>) -> Result<u64, CommitError> {
        let mut next = self.marks.next_seq;
        for (seq, _) in batch.events {
            if *seq < next {
                return Err(CommitError::OutOfOrder { seq: *seq, next });
            }
            next = seq + 1;
        }
        Ok(next)
    }

    /// Refuses before anything is touched, for sled may panic on a full disk.
    fn room(&self, bytes: u64) -> Result<(), CommitError> {
        let needed = self.options.min_free.saturating_add(bytes).saturating_add(SLACK);
        let stat = rustix::fs::statvfs(&self.places.dir).map_err(|error| CommitError::Upkeep {
            cause: format!("cannot see how much of the disk is free: {error}"),
        })?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if free < needed { Err(CommitError::Full { free, needed }) } else { Ok(()) }
    }

    fn mark(&mut self, marks: Marks) -> Result<(), CommitError> {
        self.side.write(&marks).map_err(|error| self.breaks(&JournalError::Io(format!("the side file: {error}"))))?;
        self.marks = marks;
        Ok(())
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
        let (spare, snapshot) = open::generations(&self.snapshots);
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
        self.history.append(&events).map_err(|error| upkeep("cannot write the history", &error))?;
        let (history_from, history_until) = (self.history.from(), self.history.until);
        self.mark(Marks { first: until, history_from, history_until, ..self.marks })?;
        self.journal.remove(from, until).map_err(|error| self.breaks(&error))?;
        Ok(Step::Compacted)
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

fn upkeep(what: &str, error: &io::Error) -> CommitError {
    CommitError::Upkeep { cause: format!("{what}: {error}") }
}
