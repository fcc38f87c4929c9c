//! Opening: what stands on disk is read, compared with what must be there, and mended.
//!
//! Everything is read before anything is touched ([`super::look`]). Then: base snapshot + journal = records; damaged files go to the
//! quarantine; where the journal is not whole, the records that could be saved are written as a new snapshot beside a
//! new, empty journal. Deliberately without any judgement of events.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::batch::{self, RawEvent};
use super::damage::{Damage, Loss, Quarantine};
use super::durable::{Marks, SideFile};
use super::error::{Saying, StoreError};
use super::frame;
use super::history::History;
use super::journal::{self, Chunk, Journal, JournalError};
use super::lock::Lock;
use super::look::{Found, Places, apply, generations, look};
use super::mend;
use super::snapshot::{self, Snapshot, Writer};
use super::{Recovered, Store, StoreOptions};

/// Opens the store in `dir`. `known` = the next event number, where the caller knows it.
pub(super) fn open(dir: &Path, options: &StoreOptions, known: Option<u64>) -> Result<(Store, Recovered), StoreError> {
    let places = Places::new(dir);
    fs::create_dir_all(&places.history).saying("create", &places.history)?;
    let lock = Lock::take(dir)?;
    let found = look(&places)?;
    let mut opening = Opening::new(places, options, found);
    opening.known = known;
    opening.tell_side();
    opening.judge_snapshots()?;
    let missing = opening.apply_journal();
    let journal = opening.open_journal(&missing)?;
    opening.finish(lock, journal)
}

/// Reads the store in `dir` and touches nothing: damage is told, and neither mended nor moved.
pub(super) fn peek(dir: &Path) -> Result<Recovered, StoreError> {
    let places = Places::new(dir);
    let _lock = Lock::look(dir)?;
    let found = look(&places)?;
    let options = StoreOptions::default();
    let mut opening = Opening::new(places, &options, found);
    opening.tell_side();
    opening.judge_snapshots()?;
    let missing = opening.apply_journal();
    if !missing.is_empty() {
        opening.tell_missing(&missing);
    }
    // Whole, and not acknowledged: opening takes them, too.
    while opening.apply_batch(opening.marks.last + 1) {
        opening.marks.last += 1;
    }
    for survey in &opening.found.history {
        if let Some(wrong) = survey.wrong {
            let (what, means) = (format!("a history segment: {wrong}"), "its good blocks can be read");
            let place = survey.path.clone();
            opening.damage.push(Damage { what, place, means: means.into(), loss: Loss::History, kept: None });
        }
    }
    let pending = std::mem::take(&mut opening.pending);
    opening.damage.extend(pending.into_iter().map(|(damage, _)| damage));
    Ok(Recovered {
        records: opening.found.base.records.into_iter().collect(),
        next_seq: opening.marks.next_seq,
        damage: opening.damage,
        batches: opening.batches,
    })
}

struct Opening<'a> {
    places: Places,
    options: &'a StoreOptions,
    quarantine: Quarantine,
    found: Found,
    marks: Marks,
    /// The next event number, where the caller knows it.
    known: Option<u64>,
    /// The first batch to apply.
    begin: u64,
    /// Whether the records are to be written anew, beside a new journal.
    rebuild: bool,
    damage: Vec<Damage>,
    /// Damage whose bytes go to the quarantine once what was saved of them is durable, under this name.
    pending: Vec<(Damage, &'static str)>,
    batches: u64,
}

impl<'a> Opening<'a> {
    fn new(places: Places, options: &'a StoreOptions, found: Found) -> Self {
        let quarantine = Quarantine::new(places.quarantine.clone());
        let begin = found.base.begin();
        let marks = found.witness.marks.unwrap_or_else(|| {
            let first = found.base.whole.first().map_or(1, |snapshot| snapshot.begin);
            let last = found.salvage.last().unwrap_or(0).max(begin - 1);
            Marks { attempt: found.salvage.attempt().into(), first, last, ..Marks::default() }
        });
        let marks = if found.fresh { Marks { first: 1, ..Marks::default() } } else { marks };
        let (rebuild, damage, pending) = (false, Vec::new(), Vec::new());
        let known = None;
        Self { places, options, quarantine, found, marks, known, begin, rebuild, damage, pending, batches: 0 }
    }

    fn tell(&mut self, damage: Damage) {
        Quarantine::label(&damage);
        self.damage.push(damage);
    }

    fn tell_side(&mut self) {
        let Some(what) = self.found.witness.wrong.filter(|_| !self.found.fresh) else { return };
        let (means, loss) = if self.found.witness.marks.is_some() {
            ("its other slot is whole: a write of it was interrupted, or the slot was damaged", Loss::Nothing)
        } else {
            ("what the journal must hold is not known; all that it does hold was taken", Loss::Perhaps)
        };
        let (what, place) = (format!("the side file: {what}"), self.places.side.clone());
        self.pending.push((Damage { what, place, means: means.into(), loss, kept: None }, "durable"));
    }

    fn judge_snapshots(&mut self) -> Result<(), StoreError> {
        let named = &self.found.base.named;
        let known = [self.marks.spare, self.marks.snapshot];
        let gone: Vec<_> = known.into_iter().filter(|known| *known > 0 && !named.contains(known)).collect();
        let lost = (!gone.is_empty() || !self.found.base.damaged.is_empty()) && self.begin < self.marks.first;
        if lost {
            self.salvage_snapshots()?;
        }
        let (means, loss) = match (lost, self.found.base.whole.last()) {
            (true, _) => ("no snapshot is whole: its good parts and the journal were taken", Loss::State),
            (false, Some(_)) => ("a whole snapshot and the journal since stood beside it", Loss::Nothing),
            (false, None) => ("the journal holds everything from the beginning", Loss::Nothing),
        };
        for (place, wrong) in std::mem::take(&mut self.found.base.damaged) {
            let what = format!("a snapshot: {wrong}");
            self.pending.push((Damage { what, place, means: means.into(), loss, kept: None }, "snapshot"));
        }
        for known in gone {
            let what = format!("snapshot {known} is gone");
            let place = self.places.dir.clone();
            self.tell(Damage { what, place, means: means.into(), loss, kept: None });
        }
        if self.found.base.misnamed {
            self.rebuild = true;
            let what = "a snapshot has the name of another".into();
            let (place, means) = (self.places.dir.clone(), "they were read by their content, and one is written anew");
            self.tell(Damage { what, place, means: means.into(), loss: Loss::Nothing, kept: None });
        }
        Ok(())
    }

    /// No snapshot reaches the journal: takes what can be found of them, older first.
    fn salvage_snapshots(&mut self) -> Result<(), StoreError> {
        let mut records = std::mem::take(&mut self.found.base.records);
        for (path, _) in self.found.base.damaged.iter().rev() {
            snapshot::salvage(path, |part| apply(&mut records, part))?;
        }
        self.found.base.records = records;
        self.begin = self.marks.first;
        self.rebuild = true;
        Ok(())
    }

    /// Applies every whole batch; returns the numbers of those that are missing.
    fn apply_journal(&mut self) -> Vec<u64> {
        let mut missing = Vec::new();
        for number in self.marks.first..=self.marks.last {
            if !self.apply_batch(number) {
                missing.push(number);
            }
        }
        missing
    }

    /// Applies a batch over the records, if it is part of what the snapshot lacks; false when it is not whole.
    fn apply_batch(&mut self, number: u64) -> bool {
        let Some(bytes) = self.found.salvage.batch(number) else { return false };
        let Ok((next_seq, changes)) = batch::changes(&bytes) else { return false };
        self.marks.next_seq = self.marks.next_seq.max(next_seq);
        if number >= self.begin {
            self.batches += 1;
            apply(&mut self.found.base.records, changes);
        }
        true
    }

    /// Opens sled where its log is whole; `None` = its files go to the quarantine, and a new one is needed.
    fn open_journal(&mut self, missing: &[u64]) -> Result<Option<Journal>, StoreError> {
        let gone = !self.places.sled.exists();
        if missing.is_empty() && (self.found.fresh || gone && self.marks.last < self.marks.first) {
            return self.new_journal().map(Some);
        }
        let trouble = if missing.is_empty() {
            match Journal::open(&self.places.sled, self.options.cache) {
                Err(error) => error.to_string(),
                Ok(journal) => match self.compare(&journal) {
                    Ok(()) => return Ok(Some(journal)),
                    Err(why) => why,
                },
            }
        } else {
            self.rebuild = true;
            self.tell_missing(missing);
            return Ok(None);
        };
        self.rebuild = true;
        self.tell_journal(trouble, missing);
        Ok(None)
    }

    fn tell_missing(&mut self, missing: &[u64]) {
        let all = self.marks.last + 1 - self.marks.first;
        self.tell_journal(format!("the journal lacks {} of its {all} batches", missing.len()), missing);
    }

    fn tell_journal(&mut self, what: String, missing: &[u64]) {
        let place = self.places.sled.clone();
        let (means, loss) = self.meaning(missing);
        self.pending.push((Damage { what, place, means, loss, kept: None }, "sled"));
    }

    /// Moves to the quarantine what is damaged; by now, all that could be saved of it stands elsewhere.
    fn put_away(&mut self) -> Result<(), StoreError> {
        for (mut damage, name) in std::mem::take(&mut self.pending) {
            let place = &damage.place;
            if *place == self.places.side {
                // Its good slot stays in use.
                damage.kept = match self.quarantine.copy(place, name) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                    other => Some(other.saying("quarantine", place)?),
                };
            } else if place.exists() {
                damage.kept = Some(self.quarantine.take(place, name).saying("quarantine", place)?);
            }
            self.tell(damage);
        }
        Ok(())
    }

    fn meaning(&self, missing: &[u64]) -> (String, Loss) {
        let state = missing.iter().filter(|number| **number >= self.begin).count();
        match (missing, state) {
            ([], _) => ("every batch was read from sled's log without sled".into(), Loss::Nothing),
            (_, 0) => ("the snapshot holds their changes; their events are lost".into(), Loss::History),
            ([.., last], _) => (
                format!(
                    "the changes of {state} commits (up to batch {last}) are lost; records are whole values, so all other commits count and a record is wrong only if it did not change again"
                ),
                Loss::State,
            ),
        }
    }

    /// Whether sled has all that its log has; takes whole commits that were not yet acknowledged.
    fn compare(&mut self, journal: &Journal) -> Result<(), String> {
        let mut seen: BTreeMap<u64, (u16, u16)> = BTreeMap::new();
        let salvage = &self.found.salvage;
        let first = self.marks.first;
        let mut strange = 0;
        let each = journal.each(|value| match frame::take(value) {
            Ok((frame, _)) if frame.index < first => {}
            Ok((frame, _)) if salvage.part_is(frame.index, Chunk::of(&frame), &frame.data) => {
                let chunk = Chunk::of(&frame);
                seen.entry(frame.index).or_insert((0, chunk.parts)).0 += 1;
            }
            _ => strange += 1,
        });
        each.map_err(|error| error.to_string())?;
        let whole = |number: &u64| seen.get(number).is_some_and(|(count, parts)| count == parts);
        let short = (first..=self.marks.last).filter(|number| !whole(number)).count();
        if strange > 0 || short > 0 {
            return Err(format!("sled opened without a word, {short} batches short and with {strange} strange values"));
        }
        let more = (self.marks.last + 1..).take_while(|number| whole(number)).count() as u64;
        for number in self.marks.last + 1..=self.marks.last + more {
            self.apply_batch(number);
            self.marks.last = number;
        }
        journal.remove_from(self.marks.last + 1).map_err(|error| error.to_string())
    }

    fn new_journal(&self) -> Result<Journal, StoreError> {
        Journal::open(&self.places.sled, self.options.cache).map_err(|error| self.no_journal(&error))
    }

    fn no_journal(&self, error: &JournalError) -> StoreError {
        StoreError::Journal { path: self.places.sled.clone(), cause: error.to_string() }
    }

    fn finish(mut self, lock: Lock, journal: Option<Journal>) -> Result<(Store, Recovered), StoreError> {
        let surveys = std::mem::take(&mut self.found.history);
        let earliest = self.held_events().next().map(|event| event.seq);
        let (mut history, told) = mend::history(&self.places, &self.quarantine, surveys, &self.marks, earliest)?;
        for damage in told {
            self.tell(damage);
        }
        self.number_events(&history);
        if !self.rebuild {
            (self.marks.spare, self.marks.snapshot) = generations(&self.found.base.whole);
        } else {
            let held: Vec<_> = self.held_events().collect();
            history.append(&held).saying("write", &self.places.history)?;
            self.write_anew()?;
        }
        self.put_away()?;
        self.marks.attempt += 1;
        self.marks.history_from = history.from();
        self.marks.history_until = history.until;
        let side =
            SideFile::begin(&self.places.side, &self.found.witness, &self.marks).saying("write", &self.places.side)?;
        let journal = match journal {
            Some(journal) => journal,
            None => self.new_journal()?,
        };
        // Nothing, but after the records were written anew beside a journal that is sound.
        journal.remove(0, self.marks.first).map_err(|error| self.no_journal(&error))?;
        // The names of new files are durable only with their directories.
        for file in [journal::log_file(&self.places.sled), self.places.sled.clone(), self.places.dir.clone()] {
            snapshot::sync_dir(&file).saying("sync the directory of", &file)?;
        }
        snapshot::remove_unfinished(&self.places.dir).saying("tidy", &self.places.dir)?;
        let since = if self.rebuild { 0 } else { self.found.salvage.bytes_from(self.begin) };
        // After damage, the spare is made again soon.
        let due = !self.damage.is_empty();
        let recovered = Recovered {
            records: self.found.base.records.into_iter().collect(),
            next_seq: self.marks.next_seq,
            damage: self.damage,
            batches: self.batches,
        };
        let mut store = Store::new(self.places, self.options.clone(), lock, journal, side);
        store.take_over(self.marks, history, self.found.base.whole, since);
        if due {
            store.ask_for_snapshot();
        }
        Ok((store, recovered))
    }

    /// The events of all whole batches, in order.
    fn held_events(&self) -> impl Iterator<Item = RawEvent> {
        (self.marks.first..=self.marks.last)
            .filter_map(|number| batch::events(&self.found.salvage.batch(number)?).ok())
            .flatten()
    }

    /// The next event number: above all that was ever seen; far above where that cannot be known.
    fn number_events(&mut self, history: &History) {
        let base = self.found.base.whole.last().map_or(0, |snapshot| snapshot.next_seq);
        self.marks.next_seq = self.marks.next_seq.max(base).max(history.until);
        match self.known {
            Some(known) => self.marks.next_seq = self.marks.next_seq.max(known),
            None if self.found.witness.marks.is_none() && !self.found.fresh => self.marks.next_seq += super::LEAP,
            None => {}
        }
    }

    /// Writes the records as a new snapshot beside a journal that begins behind all that was.
    fn write_anew(&mut self) -> Result<(), StoreError> {
        let dir = &self.places.dir;
        let begin = self.marks.last.max(self.begin) + 1;
        let generation = self.found.base.named.iter().copied().max().unwrap_or(0).max(self.marks.snapshot) + 1;
        let write = || -> io::Result<Snapshot> {
            let mut writer = Writer::begin(dir, generation, begin, self.marks.next_seq)?;
            mend::write_records(&mut writer, &self.found.base.records, self.options.part_bytes)?;
            writer.finish()
        };
        let snapshot = write().saying("write a snapshot in", dir)?;
        for old in self.found.base.whole.drain(..) {
            fs::remove_file(&old.path).saying("remove", &old.path)?;
        }
        self.found.base.whole.push(snapshot);
        (self.marks.spare, self.marks.snapshot) = generations(&self.found.base.whole);
        self.marks.first = begin;
        self.marks.last = begin - 1;
        Ok(())
    }
}
