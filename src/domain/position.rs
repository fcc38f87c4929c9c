//! How far the logs were read that events come out of: records beside the engine's, stored in the same batch as what
//! the events led to, so that none counts twice and none is left out.
//!
//! Deliberately outside the judgement: nothing is decided by it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::engine::RestoreError;
use super::turn::Change;

/// The version byte before each record.
const VERSION: u8 = 1;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Partition {
    /// What the brokers are called in the settings.
    pub log: String,
    /// The topic.
    pub topic: String,
    /// Its number.
    pub number: i32,
}

/// How far a partition was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which.
    pub partition: Partition,
    /// The offset of the first message that was not read.
    pub next: i64,
}

/// How far every partition was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    next: BTreeMap<Partition, i64>,
    changed: BTreeSet<Partition>,
}

impl Positions {
    /// The first byte of the keys of its records; the engine has none that begins so.
    pub const KEY: u8 = 0xfe;

    /// The positions from their records (key, value). Records that cannot be read are left out and returned.
    #[must_use]
    pub fn restore(records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> (Self, Vec<RestoreError>) {
        let mut positions = Self::default();
        let mut errors = Vec::new();
        for (key, value) in records {
            match read(&key, &value) {
                Ok((partition, next)) => drop(positions.next.insert(partition, next)),
                Err(cause) => errors.push(RestoreError { key: "position in a log".to_owned(), cause }),
            }
        }
        (positions, errors)
    }

    /// A partition was read up to here.
    pub fn advance(&mut self, mark: &Mark) {
        if self.next.insert(mark.partition.clone(), mark.next) != Some(mark.next) {
            self.changed.insert(mark.partition.clone());
        }
    }

    /// How far every partition was read.
    pub fn all(&self) -> impl Iterator<Item = Mark> + '_ {
        self.next.iter().map(|(partition, next)| Mark { partition: partition.clone(), next: *next })
    }

    /// The changes of its records since they were last taken, each key once. Also forgets them.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed);
        changed.iter().map(|partition| record(partition, self.next.get(partition).copied())).collect()
    }

    /// All of its records as they stand, for a snapshot. They are few.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Change> {
        self.next.iter().map(|(partition, next)| record(partition, Some(*next))).collect()
    }
}

fn record(partition: &Partition, next: Option<i64>) -> Change {
    // Plain values of our own: this cannot fail but for want of memory.
    let key = postcard::to_extend(partition, vec![Positions::KEY]).unwrap_or_default();
    Change { key, value: next.and_then(|next| postcard::to_extend(&next, vec![VERSION]).ok()) }
}

fn read(key: &[u8], value: &[u8]) -> Result<(Partition, i64), String> {
    let body = match value.split_first() {
        Some((&VERSION, body)) => body,
        Some((version, _)) => return Err(format!("its version is {version}, and this program reads {VERSION}")),
        None => return Err("it is empty".to_owned()),
    };
    let partition = postcard::from_bytes(key.get(1..).unwrap_or_default()).map_err(|error| error.to_string())?;
    Ok((partition, postcard::from_bytes(body).map_err(|error| error.to_string())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(topic: &str, number: i32, next: i64) -> Mark {
        Mark { partition: Partition { log: "kafka".to_owned(), topic: topic.to_owned(), number }, next }
    }

    fn records(changes: Vec<Change>) -> Vec<(Vec<u8>, Vec<u8>)> {
        changes.into_iter().map(|change| (change.key, change.value.unwrap())).collect()
    }

    #[test]
    fn positions_come_back_from_their_changes_and_from_a_snapshot() {
        let mut positions = Positions::default();
        for mark in [mark("a", 0, 7), mark("a", 1, 0), mark("b", 0, i64::MAX), mark("a", 0, 9)] {
            positions.advance(&mark);
        }
        let changes = records(positions.take_changes());
        assert_eq!(changes.len(), 3);
        assert!(changes.iter().all(|(key, _)| key[0] == Positions::KEY));
        assert_eq!(changes, records(positions.snapshot()));
        let (restored, errors) = Positions::restore(changes);
        assert_eq!((restored, errors.len()), (positions.clone(), 0));
        positions.advance(&mark("a", 1, 0));
        assert_eq!(positions.take_changes(), Vec::new(), "what stays is no change");
    }

    #[test]
    fn damaged_records_are_told_and_not_taken() {
        let bad = [(vec![0xfe], vec![1, 2]), (vec![0xfe, 1, 97, 1, 98, 0], vec![9, 2]), (vec![0xfe], vec![])];
        let (positions, errors) = Positions::restore(bad);
        assert_eq!((positions, errors.len()), (Positions::default(), 3));
    }
}
