//! A table of records: found by fingerprint, addressed by slot, and aware of what changed since it was last stored.
//!
//! Deliberately without an order that a decision could depend on: slots differ after a restart, so whoever
//! iterates must sort by something that does not.
//!
//! A row may have a *pulse*: the few fields that almost every event changes, as a record of their own, so that the rest is
//! not written each time that an alert is only said again. The record of the row holds these fields, too; where there is a
//! pulse it counts, because whatever changes the row writes both.

use std::num::NonZeroU32;

use hashbrown::HashTable;
use rustc_hash::FxHashMap;
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
    /// The first byte of the key of its pulse; 0 = it has none.
    const PULSE: u8 = 0;

    /// Its identity within the table.
    fn fingerprint(&self) -> Fingerprint;

    /// The bytes of its pulse, where it has one ([`encode_pulse`]).
    fn pulse(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Takes back its pulse ([`decode_pulse`]).
    ///
    /// # Errors
    /// A sentence when a newer version wrote it or it is damaged.
    fn take_pulse(&mut self, _value: &[u8]) -> Result<(), String> {
        Err("rows of this kind have no pulse".to_owned())
    }
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

/// Slots that were marked since they were last taken.
#[derive(Debug, Default)]
struct Marks {
    /// A bit for each row: whether it is in `slots`. Apart from the rows, because it is small enough to stay at hand.
    bits: Vec<u64>,
    slots: Vec<Slot>,
}

impl Marks {
    fn mark(&mut self, slot: Slot) {
        let (word, bit) = (&mut self.bits[slot.place() / 64], 1 << (slot.place() % 64));
        if *word & bit == 0 {
            *word |= bit;
            self.slots.push(slot);
        }
    }

    /// Whether a row was marked; it no longer is.
    fn unmark(&mut self, slot: Slot) -> bool {
        let (word, bit) = (&mut self.bits[slot.place() / 64], 1 << (slot.place() % 64));
        let was = *word & bit != 0;
        *word &= !bit;
        was
    }

    fn forget(&mut self, slot: Slot) {
        self.slots.clear();
        self.unmark(slot);
    }
}

/// Rows of one kind.
#[derive(Debug)]
pub(crate) struct Table<T> {
    /// The slots by fingerprint. Four bytes each: the fingerprints themselves are in the rows.
    index: HashTable<Slot>,
    rows: Vec<Option<T>>,
    free: Vec<Slot>,
    changed: Marks,
    pulsed: Marks,
    removed: Vec<Fingerprint>,
    /// Pulses that were restored before their rows.
    early: FxHashMap<Fingerprint, Vec<u8>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            index: HashTable::new(),
            rows: Vec::new(),
            free: Vec::new(),
            changed: Marks::default(),
            pulsed: Marks::default(),
            removed: Vec::new(),
            early: FxHashMap::default(),
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

    /// The row in this slot, to change what its pulse holds and nothing else.
    pub(crate) fn beat(&mut self, slot: Slot) -> &mut T {
        self.pulsed.mark(slot);
        self.at_mut(slot)
    }

    fn mark(&mut self, slot: Slot) {
        self.changed.mark(slot);
        if T::PULSE != 0 {
            self.pulsed.mark(slot);
        }
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
        for marks in [&mut self.changed, &mut self.pulsed] {
            marks.bits.resize(self.rows.len().div_ceil(64), 0);
        }
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
        self.changed.forget(slot);
        self.pulsed.forget(slot);
        match self.early.remove(&self.at(slot).fingerprint()) {
            Some(pulse) => self.at_mut(slot).take_pulse(&pulse).map(|()| slot),
            None => Ok(slot),
        }
    }

    /// Takes back the pulse that was stored under this key, before or after its row.
    ///
    /// # Errors
    /// A sentence when it was written by a newer version or is damaged.
    pub(crate) fn restore_pulse(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let number = key.get(1..).and_then(|rest| <[u8; 8]>::try_from(rest).ok());
        let fingerprint = number.map(|bytes| Fingerprint(u64::from_be_bytes(bytes))).ok_or("its key is damaged")?;
        match self.find(fingerprint) {
            Some(slot) => self.at_mut(slot).take_pulse(value),
            None => {
                self.early.insert(fingerprint, value.to_vec());
                Ok(())
            }
        }
    }

    /// All records are restored: what is left of rows that are lost goes.
    pub(crate) fn restored(&mut self) {
        self.early = FxHashMap::default();
    }

    /// Adds the changes since the last call to `changes`, and forgets them.
    pub(crate) fn take_changes(&mut self, changes: &mut Vec<Change>) {
        let mut removed = std::mem::take(&mut self.removed);
        removed.sort_unstable();
        removed.dedup();
        for fingerprint in removed.into_iter().filter(|&fingerprint| self.find(fingerprint).is_none()) {
            let kinds = [T::KIND, T::PULSE].into_iter().filter(|kind| *kind != 0);
            changes.extend(kinds.map(|kind| Change { key: key(kind, fingerprint), value: None }));
        }
        for slot in std::mem::take(&mut self.changed.slots) {
            if self.changed.unmark(slot)
                && let Some(row) = &self.rows[slot.place()]
            {
                changes.push(stored(row));
            }
        }
        for slot in std::mem::take(&mut self.pulsed.slots) {
            if self.pulsed.unmark(slot)
                && let Some(row) = &self.rows[slot.place()]
            {
                changes.push(beaten(row));
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
                if T::PULSE != 0 {
                    changes.push(beaten(row));
                }
            }
        }
        None
    }
}

/// The record of a row.
fn stored<T: Row>(row: &T) -> Change {
    Change { key: key(T::KIND, row.fingerprint()), value: Some(encode(row)) }
}

/// The record of its pulse.
fn beaten<T: Row>(row: &T) -> Change {
    Change { key: key(T::PULSE, row.fingerprint()), value: Some(row.pulse()) }
}

/// The key of a record.
fn key(kind: u8, fingerprint: Fingerprint) -> Vec<u8> {
    let mut key = Vec::with_capacity(9);
    key.push(kind);
    key.extend_from_slice(&fingerprint.0.to_be_bytes());
    key
}

/// The version of the stored form of all pulses.
const PULSE_VERSION: u8 = 1;

/// The stored form of a pulse: its version, then postcard.
pub(crate) fn encode_pulse<P: Serialize>(pulse: &P) -> Vec<u8> {
    let mut value = Vec::with_capacity(32);
    value.push(PULSE_VERSION);
    postcard::to_extend(pulse, value).expect("pulses hold nothing that postcard refuses")
}

/// A pulse from its stored form.
///
/// # Errors
/// A sentence when a newer version wrote it or it is damaged.
pub(crate) fn decode_pulse<P: DeserializeOwned>(value: &[u8]) -> Result<P, String> {
    versioned(value, PULSE_VERSION)
}

/// The stored form of a row: its version, then postcard.
fn encode<T: Row>(row: &T) -> Vec<u8> {
    let mut value = Vec::with_capacity(256);
    value.push(T::VERSION);
    postcard::to_extend(row, value).expect("rows hold nothing that postcard refuses")
}

fn decode<T: Row>(value: &[u8]) -> Result<T, String> {
    versioned(value, T::VERSION)
}

fn versioned<V: DeserializeOwned>(value: &[u8], known: u8) -> Result<V, String> {
    match value.split_first() {
        Some((&version, rest)) if version == known => postcard::from_bytes(rest).map_err(|error| error.to_string()),
        Some((version, _)) => Err(format!("it has version {version}, this program knows version {known}")),
        None => Err("it is empty".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Heard {
        who: Fingerprint,
        text: String,
        last: u64,
    }

    impl Row for Heard {
        const KIND: u8 = b'x';
        const PULSE: u8 = b'X';

        fn fingerprint(&self) -> Fingerprint {
            self.who
        }

        fn pulse(&self) -> Vec<u8> {
            encode_pulse(&self.last)
        }

        fn take_pulse(&mut self, value: &[u8]) -> Result<(), String> {
            self.last = decode_pulse(value)?;
            Ok(())
        }
    }

    fn row(who: u64, text: &str, last: u64) -> Heard {
        Heard { who: Fingerprint(who), text: text.to_owned(), last }
    }

    fn kinds(table: &mut Table<Heard>) -> Vec<(u8, bool)> {
        let mut changes = Vec::new();
        table.take_changes(&mut changes);
        changes.iter().map(|change| (change.key[0], change.value.is_some())).collect()
    }

    #[test]
    fn a_pulse_is_stored_alone_and_a_change_with_it() {
        let mut table = Table::default();
        let slot = table.insert(row(1, "a", 1));
        assert_eq!(kinds(&mut table), [(b'x', true), (b'X', true)]);
        table.beat(slot).last = 2;
        assert_eq!(kinds(&mut table), [(b'X', true)]);
        table.beat(slot).last = 3;
        table.change(slot).text = "b".to_owned();
        assert_eq!(kinds(&mut table), [(b'x', true), (b'X', true)]);
        assert_eq!(kinds(&mut table), []);
        table.beat(slot).last = 4;
        table.remove(Fingerprint(1));
        assert_eq!(kinds(&mut table), [(b'x', false), (b'X', false)]);
    }

    #[test]
    fn a_row_and_its_pulse_are_restored_in_any_order() {
        let (older, newer) = (stored(&row(1, "a", 1)), beaten(&row(1, "a", 9)));
        let (older, newer) = ((older.key, older.value.unwrap()), (newer.key, newer.value.unwrap()));
        for pulse_first in [true, false] {
            let mut table: Table<Heard> = Table::default();
            if pulse_first {
                table.restore_pulse(&newer.0, &newer.1).unwrap();
            }
            table.restore(&older.1).unwrap();
            if !pulse_first {
                table.restore_pulse(&newer.0, &newer.1).unwrap();
            }
            table.restored();
            assert_eq!(table.get(Fingerprint(1)), Some(&row(1, "a", 9)));
            assert_eq!(kinds(&mut table), [], "what was restored has not changed");
        }
        let mut table: Table<Heard> = Table::default();
        assert!(table.restore_pulse(&newer.0[..4], &newer.1).unwrap_err().contains("key"));
        table.restore(&older.1).unwrap();
        assert!(table.restore_pulse(&newer.0, &[7]).unwrap_err().contains("version 7"));
    }
}
