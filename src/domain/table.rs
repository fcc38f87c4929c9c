//! A table of records: found by fingerprint, addressed by slot, and aware of what changed since it was last stored.
//!
//! Deliberately without an order that a decision could depend on: slots differ after a restart, so whoever
//! iterates must sort by something that does not.

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

    /// Its identity within the table.
    fn fingerprint(&self) -> Fingerprint;
}

/// The place of a row in memory. Never written to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot(pub(crate) u32);

#[derive(Debug)]
struct Place<T> {
    row: T,
    changed: bool,
}

/// Rows of one kind.
#[derive(Debug)]
pub(crate) struct Table<T> {
    slots: FxHashMap<Fingerprint, Slot>,
    places: Vec<Option<Place<T>>>,
    free: Vec<Slot>,
    changed: Vec<Slot>,
    removed: Vec<Fingerprint>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            slots: FxHashMap::default(),
            places: Vec::new(),
            free: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
        }
    }
}

impl<T: Row> Table<T> {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slot of a row.
    pub(crate) fn find(&self, fingerprint: Fingerprint) -> Option<Slot> {
        self.slots.get(&fingerprint).copied()
    }

    /// The row with this fingerprint.
    pub(crate) fn get(&self, fingerprint: Fingerprint) -> Option<&T> {
        self.find(fingerprint).map(|slot| self.at(slot))
    }

    /// The row in this slot.
    pub(crate) fn at(&self, slot: Slot) -> &T {
        &self.places[slot.0 as usize].as_ref().expect("a slot is used only while its row is there").row
    }

    /// The row in this slot, to be changed.
    pub(crate) fn change(&mut self, slot: Slot) -> &mut T {
        let place = self.places[slot.0 as usize].as_mut().expect("a slot is used only while its row is there");
        if !place.changed {
            place.changed = true;
            self.changed.push(slot);
        }
        &mut place.row
    }

    /// Adds a row, or replaces the one with its fingerprint.
    pub(crate) fn insert(&mut self, row: T) -> Slot {
        let fingerprint = row.fingerprint();
        if let Some(slot) = self.find(fingerprint) {
            *self.change(slot) = row;
            return slot;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            Slot(u32::try_from(self.places.len() - 1).expect("fewer rows than 2^32 fit into memory"))
        });
        self.places[slot.0 as usize] = Some(Place { row, changed: true });
        self.changed.push(slot);
        self.slots.insert(fingerprint, slot);
        slot
    }

    /// Removes a row.
    pub(crate) fn remove(&mut self, fingerprint: Fingerprint) -> Option<T> {
        let slot = self.slots.remove(&fingerprint)?;
        self.free.push(slot);
        self.removed.push(fingerprint);
        self.places[slot.0 as usize].take().map(|place| place.row)
    }

    /// Every row, in no order that means anything.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Slot, &T)> {
        let slot = |at: usize| Slot(u32::try_from(at).expect("fewer rows than 2^32 fit into memory"));
        self.places.iter().enumerate().filter_map(move |(at, place)| place.as_ref().map(|place| (slot(at), &place.row)))
    }

    /// Takes back a row that was stored; it does not count as changed.
    ///
    /// # Errors
    /// A sentence when the value was written by a newer version or is damaged.
    pub(crate) fn restore(&mut self, value: &[u8]) -> Result<Slot, String> {
        let slot = self.insert(decode(value)?);
        self.changed.clear();
        if let Some(place) = &mut self.places[slot.0 as usize] {
            place.changed = false;
        }
        Ok(slot)
    }

    /// Adds the changes since the last call to `changes`, and forgets them.
    pub(crate) fn take_changes(&mut self, changes: &mut Vec<Change>) {
        for fingerprint in self.removed.drain(..) {
            if !self.slots.contains_key(&fingerprint) {
                changes.push(Change { key: key::<T>(fingerprint), value: None });
            }
        }
        for slot in self.changed.drain(..) {
            if let Some(place) = &mut self.places[slot.0 as usize]
                && std::mem::take(&mut place.changed)
            {
                changes.push(Change { key: key::<T>(place.row.fingerprint()), value: Some(encode(&place.row)) });
            }
        }
    }

    /// Adds the rows from slot `from` on as changes until they weigh `bytes`; the slot to go on from, if any.
    pub(crate) fn part(&self, from: u32, bytes: usize, changes: &mut Vec<Change>) -> Option<u32> {
        let mut weight = 0;
        for (at, place) in self.places.iter().enumerate().skip(from as usize) {
            if weight >= bytes {
                return u32::try_from(at).ok();
            }
            if let Some(place) = place {
                let value = encode(&place.row);
                weight += value.len();
                changes.push(Change { key: key::<T>(place.row.fingerprint()), value: Some(value) });
            }
        }
        None
    }
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
