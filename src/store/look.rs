//! Looking: everything that stands on disk, read and checked before anything is touched.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::durable::Witness;
use super::error::{Saying, StoreError};
use super::history;
use super::salvage::Salvage;
use super::snapshot::{self, Snapshot};
use crate::domain::Change;

/// Where the parts of a store stand.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) dir: PathBuf,
    pub(super) side: PathBuf,
    pub(super) sled: PathBuf,
    pub(super) history: PathBuf,
    pub(super) quarantine: PathBuf,
}

impl Places {
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            side: dir.join("durable"),
            sled: dir.join("sled"),
            history: dir.join("history"),
            quarantine: dir.join("quarantine"),
        }
    }
}

/// The records, by key.
pub(super) type Records = FxHashMap<Vec<u8>, Vec<u8>>;

/// What the snapshots give.
#[derive(Debug, Default)]
pub(super) struct Base {
    pub(super) records: Records,
    /// The whole snapshots, oldest first.
    pub(super) whole: Vec<Snapshot>,
    /// The damaged ones, with what is wrong.
    pub(super) damaged: Vec<(PathBuf, &'static str)>,
    /// Whether one has the name of another.
    pub(super) misnamed: bool,
    /// The generations that the names say.
    pub(super) named: Vec<u64>,
}

impl Base {
    /// The first batch to apply over the records.
    pub(super) fn begin(&self) -> u64 {
        self.whole.last().map_or(1, |snapshot| snapshot.begin)
    }
}

/// Everything that was read, before anything is touched.
pub(super) struct Found {
    pub(super) witness: Witness,
    pub(super) base: Base,
    pub(super) salvage: Salvage,
    pub(super) history: Vec<history::Survey>,
    pub(super) fresh: bool,
}

/// Reads everything.
pub(super) fn look(places: &Places) -> Result<Found, StoreError> {
    let witness = Witness::read(&places.side)?;
    let base = look_at_snapshots(&places.dir)?;
    let floor = witness.marks.map_or(0, |marks| marks.first);
    let salvage = Salvage::read(&places.sled, floor).saying("read", &places.sled)?;
    if let Some(version) = salvage.newer {
        return Err(StoreError::Newer { path: places.sled.clone(), version });
    }
    let mut history = Vec::new();
    for path in history::list(&places.history).saying("list", &places.history)? {
        history.push(history::Survey::of(&path)?);
    }
    let nothing = base.whole.is_empty() && base.damaged.is_empty() && history.is_empty();
    let fresh = witness.wrong.is_some() && witness.marks.is_none() && nothing && !places.sled.exists();
    let fresh = fresh && !places.side.exists();
    Ok(Found { witness, base, salvage, history, fresh })
}

/// Newest first; the records are those of the newest whole one.
fn look_at_snapshots(dir: &Path) -> Result<Base, StoreError> {
    let mut base = Base::default();
    let mut found = Vec::new();
    for (named, path) in snapshot::list(dir).saying("list", dir)? {
        base.named.push(named);
        found.push((snapshot::generation(&path)?.unwrap_or(named), named, path));
    }
    found.sort();
    for (generation, named, path) in found.into_iter().rev() {
        let mut records = Records::default();
        let first = base.whole.is_empty();
        let read = snapshot::read(&path, |part| {
            if first {
                apply(&mut records, part);
            }
        })?;
        match read {
            Err(wrong) => base.damaged.push((path, wrong)),
            Ok(snapshot) => {
                if first {
                    base.records = records;
                }
                base.misnamed |= named != generation;
                base.whole.insert(0, snapshot);
            }
        }
    }
    Ok(base)
}

/// The generations of the spare and of the newest of these snapshots.
pub(super) fn generations(whole: &[Snapshot]) -> (u64, u64) {
    let mut newest = whole.iter().rev().map(|snapshot| snapshot.generation);
    let last = newest.next().unwrap_or(0);
    (newest.next().unwrap_or(0), last)
}

/// Applies changes in order.
pub(super) fn apply(records: &mut Records, changes: Vec<Change>) {
    for change in changes {
        match change.value {
            Some(value) => records.insert(change.key, value),
            None => records.remove(&change.key),
        };
    }
}
