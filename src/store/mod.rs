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
mod look;
mod mend;
mod open;
mod salvage;
mod snapshot;
mod upkeep;

use std::path::Path;
use std::time::Duration;

pub use backup::{Archived, restore, verify};
pub use batch::Batch;
pub use damage::{Damage, Loss};
pub use error::{CommitError, StoreError};
pub use upkeep::Step;

use durable::{Marks, SideFile};
use history::History;
use journal::{Journal, JournalError};
use lock::Lock;
use look::Places;
use snapshot::Snapshot;
use upkeep::Running;

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
    /// The batch from which on events are to be copied to the history; `None` = nobody asked.
    spilling: Option<u64>,
    /// Bytes of journal since the newest snapshot began.
    since: u64,
    /// Whether a snapshot is due whatever the journal's length.
    due: bool,
    /// The last commit was refused: the engine is ahead of the journal, and a snapshot would be, too.
    ahead: bool,
    broken: Option<String>,
    buffer: Vec<u8>,
}

impl Store {
    /// Opens the store in `dir`, creating what is missing, and reads all records.
    ///
    /// Damage does not keep it from opening: it is mended, kept in `quarantine/` and returned.
    ///
    /// # Errors
    /// When another process has it open, a newer version wrote it, or the system refuses to read or write.
    pub fn open(dir: &Path, options: &StoreOptions) -> Result<(Self, Recovered), StoreError> {
        open::open(dir, options, None)
    }

    /// Opens it anew in the process that had it open, and so knows the next event number: when the side file is lost
    /// meanwhile, no numbers need be left out.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub fn reopen(dir: &Path, options: &StoreOptions, next_seq: u64) -> Result<(Self, Recovered), StoreError> {
        open::open(dir, options, Some(next_seq))
    }

    /// Reads the records of a store that nobody has open, and touches nothing: damage is told, but neither mended nor
    /// moved. sled is not asked: everything stands in its log, which is read without it.
    ///
    /// # Errors
    /// When another process has it open, a newer version wrote it, or the system refuses to read.
    pub fn peek(dir: &Path) -> Result<Recovered, StoreError> {
        open::peek(dir)
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
            spilling: None,
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
}
