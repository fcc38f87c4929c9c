//! A table of records: found by fingerprint, addressed by slot, and aware of what changed since it was last stored.
//!
//! Deliberately without an order that a decision could depend on: slots differ after a restart, so whoever
//! iterates must sort by something that does not.

use std::num::NonZeroU32;

use hashbrown::HashTable;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fingerprint::Fingerprint;
use super::turn::Change;

/// A row of a [`Table`]: a record of the engine's state.
pub(crate) trait Row: Serialize + DeserializeOwned {
    /// The first byte of its record key; unique among the tables.
    const KIND: u8;
    /// The version of its form on disk.
    const VERSION: u8 = 1;

    /// Its identity within the table.
    fn fingerprint(&self) -> Fingerprint;
}

/// The place of a row in memory, counted from 1, so that no slot takes no room. Never written to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot(NonZeroU32);

impl Slot {
    /// The slot of the row at this place.
    fn new(place: usize) -> Self {
        let number = u32::try_from(place + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("fewer rows than 2^32 fit into memory"))
    }

    /// Where its row is.
    const fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Rows of one kind.
#[derive(Debug)]
pub(crate) struct Table<T> {
    /// The slots by fingerprint. Four bytes each: the fingerprints themselves are in the rows.
    index: HashTable<Slot>,
    rows: Vec<Option<T>>,
    free: Vec<Slot>,
    /// A bit for each row: whether it is in `changed`. Apart from the rows, because it is small enough to stay at hand.
    marks: Vec<u64>,
    changed: Vec<Slot>,
    removed: Vec<Fingerprint>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            index: HashTable::new(),
            rows: Vec::new(),
            free: Vec::new(),
            marks: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
        }
    }
}

/// A fingerprint is a hash already, but an incident's is its number: its bits are spread (Fibonacci hashing; Knuth,
/// TAOCP 6.4).
const fn spread(fingerprint: Fingerprint) -> u64 {
    let hash = fingerprint.0.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^ (hash >> 32)
}

/// The row in a slot.
fn at<T>(rows: &[Option<T>], slot: Slot) -> &T {
    rows[slot.place()].as_ref().expect("a slot is used only while its row is there")
}

impl<T: Row> Table<T> {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// The slot of a row.
    pub(crate) fn find(&self, fingerprint: Fingerprint) -> Option<Slot> {
        let is = |&slot: &Slot| at(&self.rows, slot).fingerprint() == fingerprint;
        self.index.find(spread(fingerprint), is).copied()
    }

    /// The row with this fingerprint.
    pub(crate) fn get(&self, fingerprint: Fingerprint) -> Option<&T> {
        self.find(fingerprint).map(|slot| self.at(slot))
    }

    /// The row in this slot.
    pub(crate) fn at(&self, slot: Slot) -> &T {
        at(&self.rows, slot)
    }

    /// The row in this slot, to be changed.
    pub(crate) fn change(&mut self, slot: Slot) -> &mut T {
        self.mark(slot);
        self.at_mut(slot)
    }

    /// The row in this slot, to change what is never stored of it.
    pub(crate) fn at_mut(&mut self, slot: Slot) -> &mut T {
        self.rows[slot.place()].as_mut().expect("a slot is used only while its row is there")
    }

    fn mark(&mut self, slot: Slot) {
        let (word, bit) = (&mut self.marks[slot.place() / 64], 1 << (slot.place() % 64));
        if *word & bit == 0 {
            *word |= bit;
            self.changed.push(slot);
        }
    }

    /// Whether a row was marked; it no longer is.
    fn unmark(&mut self, slot: Slot) -> bool {
        let (word, bit) = (&mut self.marks[slot.place() / 64], 1 << (slot.place() % 64));
        let was = *word & bit != 0;
        *word &= !bit;
        was
    }

    /// Adds a row, or replaces the one with its fingerprint.
    pub(crate) fn insert(&mut self, row: T) -> Slot {
        let fingerprint = row.fingerprint();
        if let Some(slot) = self.find(fingerprint) {
            *self.change(slot) = row;
            return slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| self.grow());
        self.rows[slot.place()] = Some(row);
        self.mark(slot);
        self.index.insert_unique(spread(fingerprint), slot, |&slot| spread(at(&self.rows, slot).fingerprint()));
        slot
    }

    fn grow(&mut self) -> Slot {
        let slot = Slot::new(self.rows.len());
        self.rows.push(None);
        self.marks.resize(self.rows.len().div_ceil(64), 0);
        slot
    }

    /// Removes a row.
    pub(crate) fn remove(&mut self, fingerprint: Fingerprint) -> Option<T> {
        let is = |&slot: &Slot| at(&self.rows, slot).fingerprint() == fingerprint;
        let (slot, _) = self.index.find_entry(spread(fingerprint), is).ok()?.remove();
        self.free.push(slot);
        self.removed.push(fingerprint);
        self.rows[slot.place()].take()
    }

    /// Every row, in no order that means anything.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Slot, &T)> {
        self.rows.iter().enumerate().filter_map(|(place, row)| row.as_ref().map(|row| (Slot::new(place), row)))
    }

    /// Takes back a row that was stored; it does not count as changed.
    ///
    /// # Errors
    /// A sentence when the value was written by a newer version or is damaged.
    pub(crate) fn restore(&mut self, value: &[u8]) -> Result<Slot, String> {
        let slot = self.insert(decode(value)?);
        self.changed.clear();
        self.unmark(slot);
        Ok(slot)
    }

    /// Adds the changes since the last call to `changes`, and forgets them.
    pub(crate) fn take_changes(&mut self, changes: &mut Vec<Change>) {
        let mut removed = std::mem::take(&mut self.removed);
        removed.sort_unstable();
        removed.dedup();
        let gone = removed.into_iter().filter(|&fingerprint| self.find(fingerprint).is_none());
        changes.extend(gone.map(|fingerprint| Change { key: key::<T>(fingerprint), value: None }));
        for slot in std::mem::take(&mut self.changed) {
            if self.unmark(slot)
                && let Some(row) = &self.rows[slot.place()]
            {
                changes.push(stored(row));
            }
        }
    }

    /// Adds the rows from place `from` on as changes until they weigh `bytes`; the place to go on from, if any.
    pub(crate) fn part(&self, from: u32, bytes: usize, changes: &mut Vec<Change>) -> Option<u32> {
        let mut weight = 0;
        for (place, row) in self.rows.iter().enumerate().skip(from as usize) {
            if weight >= bytes {
                return u32::try_from(place).ok();
            }
            if let Some(row) = row {
                let change = stored(row);
                weight += change.value.as_ref().map_or(0, Vec::len);
                changes.push(change);
            }
        }
        None
    }
}

/// The record of a row.
fn stored<T: Row>(row: &T) -> Change {
    Change { key: key::<T>(row.fingerprint()), value: Some(encode(row)) }
}

/// The record key of a row.
fn key<T: Row>(fingerprint: Fingerprint) -> Vec<u8> {
    let mut key = Vec::with_capacity(9);
    key.push(T::KIND);
    key.extend_from_slice(&fingerprint.0.to_be_bytes());
    key
}

/// The stored form of a row: its version, then postcard.
fn encode<T: Row>(row: &T) -> Vec<u8> {
    let mut value = Vec::with_capacity(256);
    value.push(T::VERSION);
    postcard::to_extend(row, value).expect("rows hold nothing that postcard refuses")
}

fn decode<T: Row>(value: &[u8]) -> Result<T, String> {
    match value.split_first() {
        Some((&version, rest)) if version == T::VERSION => {
            postcard::from_bytes(rest).map_err(|error| error.to_string())
        }
        Some((version, _)) => Err(format!("it has version {version}, this program knows version {}", T::VERSION)),
        None => Err("it is empty".to_owned()),
    }
}
