//! The store under guard: what could not be stored is kept in memory and stored as soon as it can be.
//!
//! Deliberately without judgement: it does not know what the records mean.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::{error, info, warn};

use super::judge::Records;
use crate::domain::{Alarms, Change, Engine, Event, Positions, Timestamp};
use crate::inbox::Refusal;
use crate::store::{Batch, CommitError, Recovered, Step, Store, StoreError, StoreOptions};

/// While the disk is full or the store is broken, it is tried again this often.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// A step of maintenance that failed is tried again this often.
const TEND_AGAIN: Duration = Duration::from_secs(10);

/// What the trouble is called when the store was damaged.
pub(super) const DAMAGED: &str = "its store was damaged";

/// What damage means, for people.
pub(super) fn meaning(damage: &[String]) -> String {
    format!(
        "{}; what could be saved is in force, and what was damaged is kept in the quarantine of the data directory",
        damage.join("; ")
    )
}

/// The store, and what it still lacks.
pub(super) struct Keeper {
    dir: PathBuf,
    options: StoreOptions,
    /// `None` = it could not be opened anew after it broke.
    store: Option<Store>,
    /// What could not be stored: the newest value of each record.
    owed: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// The events that led to it. They are few: no more are taken while something is owed.
    events: Vec<(u64, Event)>,
    trouble: Option<Refusal>,
    tried: Timestamp,
    /// What was found damaged when it was opened anew, until it is told.
    damage: Vec<String>,
    /// Whether the last step of maintenance left something to do.
    busy: bool,
    /// Why the last step of maintenance failed.
    upkeep: Option<String>,
    /// When it was last tried.
    tended: Timestamp,
    /// The number of the next event, as the store knew it when it was last open.
    next_seq: u64,
}

impl Keeper {
    /// Opens the store.
    pub(super) fn open(dir: &Path, options: &StoreOptions) -> Result<(Self, Recovered), StoreError> {
        let (store, recovered) = Store::open(dir, options)?;
        let next_seq = store.next_seq();
        let keeper = Self {
            dir: dir.to_owned(),
            options: options.clone(),
            store: Some(store),
            owed: BTreeMap::new(),
            events: Vec::new(),
            trouble: None,
            tried: Timestamp::EPOCH,
            damage: Vec::new(),
            busy: false,
            upkeep: None,
            tended: Timestamp::EPOCH,
            next_seq,
        };
        Ok((keeper, recovered))
    }

    /// Why nothing can be stored at present.
    pub(super) fn trouble(&self) -> Option<&Refusal> {
        self.trouble.as_ref()
    }

    /// The number of the next event, as far as the store knows.
    pub(super) fn next_seq(&self) -> u64 {
        self.store.as_ref().map_or(self.next_seq, Store::next_seq)
    }

    /// Whether something waits to be stored.
    pub(super) fn owes(&self) -> bool {
        !self.owed.is_empty() || !self.events.is_empty()
    }

    /// Whether a snapshot or a compaction is going on.
    pub(super) fn is_busy(&self) -> bool {
        self.busy && self.trouble.is_none()
    }

    /// Adds to what waits to be stored.
    pub(super) fn owe(&mut self, changes: Vec<Change>) {
        self.owed.extend(changes.into_iter().map(|change| (change.key, change.value)));
    }

    /// Stores everything that is owed with this; when it returns well, it survives a power cut.
    ///
    /// # Errors
    /// Why it could not be stored. It is kept and owed.
    pub(super) fn commit(
        &mut self,
        now: Timestamp,
        events: &[(u64, &Event)],
        changes: Vec<Change>,
    ) -> Result<(), Refusal> {
        if self.trouble.is_none() && !self.owes() {
            let result = self.put(now, events, &changes);
            if result.is_err() {
                self.keep(events, changes);
            }
            return self.note(now, result);
        }
        self.keep(events, changes);
        if let Some(trouble) = &self.trouble
            && now < self.tried + TRY_AGAIN
        {
            return Err(trouble.clone());
        }
        let result = self.put_owed(now);
        self.note(now, result)
    }

    fn keep(&mut self, events: &[(u64, &Event)], changes: Vec<Change>) {
        self.owe(changes);
        self.events.extend(events.iter().map(|(seq, event)| (*seq, (*event).clone())));
    }

    fn note(&mut self, now: Timestamp, result: Result<(), String>) -> Result<(), Refusal> {
        self.tried = now;
        self.trouble = result.err().map(Refusal::Storage);
        self.trouble.clone().map_or(Ok(()), Err)
    }

    fn put_owed(&mut self, now: Timestamp) -> Result<(), String> {
        self.open_anew()?;
        let kept = std::mem::take(&mut self.events);
        let next = self.next_seq();
        // What a broken commit did store is not stored twice.
        let events: Vec<_> = kept.iter().filter(|(seq, _)| *seq >= next).map(|(seq, event)| (*seq, event)).collect();
        let changes: Vec<_> =
            self.owed.iter().map(|(key, value)| Change { key: key.clone(), value: value.clone() }).collect();
        let result = self.put(now, &events, &changes);
        match &result {
            Ok(()) => self.owed.clear(),
            Err(_) => self.events = kept,
        }
        result
    }

    fn put(&mut self, now: Timestamp, events: &[(u64, &Event)], changes: &[Change]) -> Result<(), String> {
        let Some(store) = &mut self.store else { return Err("the store is not open".to_owned()) };
        match store.commit(&Batch { events, changes, now }) {
            Ok(_) => Ok(()),
            // Halves are not atomic together; a group this large only comes of a long time without storage.
            Err(CommitError::TooLarge { .. }) if events.len() + changes.len() > 1 => {
                let (early, late) = events.split_at(events.len() / 2);
                let (first, rest) = changes.split_at(changes.len() / 2);
                self.put(now, early, first)?;
                self.put(now, late, rest)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Opens a broken store anew.
    fn open_anew(&mut self) -> Result<(), String> {
        if self.store.as_ref().is_some_and(|store| store.broken().is_none()) {
            return Ok(());
        }
        self.reopen().map(drop)
    }

    fn reopen(&mut self) -> Result<Recovered, String> {
        // The old one must let go of its lock first.
        let (old, next_seq) = (self.store.take(), self.next_seq);
        self.next_seq = old.map_or(next_seq, |old| old.next_seq().max(next_seq));
        let (mut store, recovered) =
            Store::reopen(&self.dir, &self.options, self.next_seq).map_err(|error| error.to_string())?;
        for damage in &recovered.damage {
            error!(%damage, "damage was found when the store was opened anew");
            self.damage.push(damage.to_string());
        }
        // After a failed sync nobody knows what of the journal the disk has: a snapshot makes it matter no more.
        store.ask_for_snapshot();
        self.store = Some(store);
        Ok(recovered)
    }

    /// What was found damaged since this was last asked. It is mended, and nobody finds it again.
    pub(super) fn take_damage(&mut self) -> Vec<String> {
        std::mem::take(&mut self.damage)
    }

    /// The records as they are stored, with what is owed laid over them.
    pub(super) fn records(&mut self) -> Records {
        let recovered = match self.reopen() {
            Ok(recovered) => recovered,
            Err(cause) => {
                error!(cause, "the store could not be opened anew");
                return None;
            }
        };
        let mut records: BTreeMap<_, _> = recovered.records.into_iter().collect();
        for (key, value) in &self.owed {
            match value {
                Some(value) => records.insert(key.clone(), value.clone()),
                None => records.remove(key),
            };
        }
        Some(records.into_iter().collect())
    }

    /// One step of a snapshot or a compaction, when one is due.
    pub(super) fn roll(&mut self, now: Timestamp, engine: &Engine, alarms: &Alarms, positions: &Positions) {
        if self.trouble.is_some() || self.owes() {
            return;
        }
        if self.upkeep.is_some() && now < self.tended + TEND_AGAIN {
            return;
        }
        let Some(store) = &mut self.store else { return };
        self.tended = now;
        match store.maintain(now, |cursor, bytes| part((engine, alarms, positions), cursor, bytes)) {
            Ok(step) => {
                self.busy = step != Step::Idle;
                // Steps of a snapshot that will fail at its end are no recovery.
                if step != Step::Part {
                    self.upkeep = None;
                }
            }
            Err(error) => {
                warn!(%error, "a step of maintenance failed");
                self.busy = false;
                self.upkeep = Some(error.to_string());
            }
        }
    }

    /// Has the steps of upkeep copy what is only in the journal into the history.
    pub(super) fn ask_for_spill(&mut self) {
        if let Some(store) = &mut self.store {
            store.ask_for_spill();
            self.busy = true;
        }
    }

    /// Why snapshots or history cannot be written at present. Events still can be.
    pub(super) fn upkeep(&self) -> Option<&str> {
        self.upkeep.as_deref()
    }

    /// Writes a backup beside the store. The file has no name: it goes when it is closed.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn backup(&self) -> Result<File, String> {
        let store = self.store.as_ref().ok_or("the store is not open")?;
        let path = self.dir.join("backup.part");
        let write = || {
            let mut file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(&path)?;
            fs::remove_file(&path)?;
            store.backup(&mut BufWriter::with_capacity(1 << 20, &file)).map_err(io::Error::other)?;
            file.rewind()?;
            Ok(file)
        };
        store.room_for_backup().map_err(|error| error.to_string())?;
        write().map_err(|error: io::Error| format!("cannot write a backup beside the store: {error}"))
    }

    /// Writes a whole snapshot, when there is one to write, and lets go of the store.
    pub(super) fn close(mut self, now: Timestamp, engine: &Engine, alarms: &Alarms, positions: &Positions) {
        if let Some(trouble) = &self.trouble {
            error!(%trouble, "stopping although not everything could be stored");
            return;
        }
        let Some(store) = &mut self.store else { return };
        store.ask_for_snapshot();
        let ended = loop {
            match store.maintain(now, |cursor, bytes| part((engine, alarms, positions), cursor, bytes)) {
                Ok(Step::Idle | Step::Snapshot) => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        match ended {
            Ok(()) => info!("the snapshot is whole"),
            Err(error) => warn!(%error, "the last snapshot failed; the journal has everything"),
        }
    }
}

/// A part of the records; those of the alarms and the positions are few and come first.
fn part(
    (engine, alarms, positions): (&Engine, &Alarms, &Positions),
    cursor: u64,
    bytes: usize,
) -> (Vec<Change>, Option<u64>) {
    let (mut records, next) = engine.snapshot_part(cursor, bytes);
    if cursor == 0 {
        records.extend(alarms.snapshot());
        records.extend(positions.snapshot());
    }
    (records, next)
}
