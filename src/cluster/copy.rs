//! A shard's state on the disk of its worker, and the place in the changelog up to which it goes: who takes the shard
//! over reads only what came since.
//!
//! Deliberately never the truth, and never in the way: what is odd about it is thrown away and all is read from the
//! changelog; a disk that is slow or full costs the copy, not the judging.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ring::rand::SecureRandom as _;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};
use xxhash_rust::xxh3::Xxh3;

use crate::clock::Stopwatch;
use crate::domain::Timestamp;

/// What changed is written at least so often, and when so many records changed.
const EVERY: (Duration, usize) = (Duration::from_secs(5), 50_000);
/// So many turns may wait for the disk.
const WAITING: usize = 1_024;
/// So many records are written at once.
const BATCH: usize = 10_000;
/// sled may hold so many bytes of it in memory.
const CACHE: u64 = 16 << 20;
/// So often, and after so long, a lock is tried again.
const LOCK: (u32, Duration) = (40, Duration::from_millis(50));
/// An older copy is not used: what was removed since may be forgotten by the changelog, too (`delete.retention.ms` is a
/// day or more). In seconds.
const OLDEST: f64 = 12.0 * 3600.0;
/// What the keys of records begin with.
const RECORD: u8 = b'r';
/// The key of the mark.
const MARK: &[u8] = b"m";

/// Up to where it goes, and of what it is a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The id of the brokers' cluster, as they say it.
    pub(super) cluster: String,
    /// The changelog.
    pub(super) topic: String,
    /// What the partition was called by its first owner.
    pub(super) brand: String,
    /// The offset of the last record there that says how far events were read.
    pub(super) offset: i64,
    /// When that was.
    pub(super) at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Mark {
    place: Place,
    /// The sum of the hashes of all records: whatever sled loses shows.
    sum: u64,
}

/// Records that changed; without a value they are gone.
pub(super) type Changed = BTreeMap<Vec<u8>, Option<Vec<u8>>>;
/// Records as they stand.
pub(super) type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// The copy of one shard, while it is kept.
pub(super) struct LocalCopy {
    sender: Option<SyncSender<(Changed, Option<Place>)>>,
    thread: Option<JoinHandle<()>>,
}

impl LocalCopy {
    /// Opens the copy in this folder, and gives what it has, where it can be used now.
    pub(super) fn open(dir: &Path, now: Timestamp) -> (Option<Disk>, Option<(Records, Place)>) {
        let found = Disk::open(dir).and_then(|mut disk| {
            let found = disk.read(now)?;
            Ok((disk, found))
        });
        match found {
            Ok((disk, found)) => (Some(disk), Some(found)),
            Err(why) => {
                info!(why, dir = %dir.display(), "there is no local copy that could be used");
                (None, None)
            }
        }
    }

    /// Goes on with a copy that was used, or begins anew.
    pub(super) fn keep(dir: &Path, used: Option<Disk>) -> Self {
        let dir = dir.to_owned();
        let (sender, receiver) = sync_channel(WAITING);
        let work = move || {
            let disk = used.map_or_else(|| Disk::anew(&dir), Ok);
            if let Err(why) = disk.and_then(|disk| copy(disk, &receiver)) {
                warn!(why, dir = %dir.display(), "no local copy of a shard is kept: who takes it over reads all of its changelog");
            }
        };
        let thread = thread::Builder::new().name("copy".to_owned()).spawn(work);
        Self { sender: Some(sender), thread: thread.ok() }
    }

    /// Hands over what was committed, in order; `None` = up to where is said later.
    pub(super) fn take(&mut self, changed: Changed, place: Option<Place>) {
        if self.sender.as_ref().is_some_and(|sender| sender.try_send((changed, place)).is_err()) {
            // A gap would make it wrong.
            self.sender = None;
        }
    }
}

impl Drop for LocalCopy {
    fn drop(&mut self) {
        self.sender = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            warn!("the local copy of a shard ended with a panic");
        }
    }
}

/// Writes what comes until nobody sends any more.
fn copy(mut disk: Disk, receiver: &Receiver<(Changed, Option<Place>)>) -> Result<(), String> {
    let (mut pending, mut place, mut written) = (Changed::new(), None, Stopwatch::start());
    loop {
        let open = match receiver.recv_timeout(EVERY.0) {
            Ok((changed, to)) => {
                pending.extend(changed);
                place = to.or(place);
                true
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        };
        if !open || written.elapsed() >= EVERY.0 || pending.len() >= EVERY.1 {
            if let Some(place) = place.take() {
                disk.write(&std::mem::take(&mut pending), place)?;
            }
            written = Stopwatch::start();
        }
        if !open {
            return Ok(());
        }
    }
}

/// The copy on the disk.
pub(super) struct Disk {
    db: sled::Db,
    sum: u64,
}

impl Disk {
    fn open(dir: &Path) -> Result<Self, String> {
        fs::create_dir_all(dir).map_err(|error| error.to_string())?;
        let config = sled::Config::new().path(dir).cache_capacity(CACHE).flush_every_ms(None);
        let mut tries = 0;
        loop {
            match guarded(|| config.open()) {
                // sled's threads let go of their lock a little after the last handle is dropped.
                Err(why) if why.contains("could not acquire lock") && tries < LOCK.0 => tries += 1,
                opened => return opened.map(|db| Self { db, sum: 0 }),
            }
            thread::sleep(LOCK.1);
        }
    }

    fn anew(dir: &Path) -> Result<Self, String> {
        match fs::remove_dir_all(dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
            _ => Self::open(dir),
        }
    }

    /// All of it, where it is whole and young enough.
    fn read(&mut self, now: Timestamp) -> Result<(Records, Place), String> {
        let mark = guarded(|| self.db.get(MARK))?.ok_or("it is new, or was not finished")?;
        let mark: Mark = serde_json::from_slice(&mark).map_err(|error| error.to_string())?;
        let age = now.since(mark.place.at);
        if !(-60.0..OLDEST).contains(&age) {
            return Err(format!("it is {age} seconds old"));
        }
        let (mut records, mut sum) = (Records::new(), 0_u64);
        guarded(|| {
            for entry in self.db.scan_prefix([RECORD]) {
                let (key, value) = entry?;
                sum = sum.wrapping_add(hash(&key, &value));
                records.insert(key[1..].to_vec(), value.to_vec());
            }
            Ok(())
        })?;
        if sum != mark.sum {
            return Err("it is damaged".to_owned());
        }
        self.sum = sum;
        Ok((records, mark.place))
    }

    /// Writes what changed, and up to where it goes now.
    fn write(&mut self, changed: &Changed, place: Place) -> Result<(), String> {
        if changed.len() > BATCH {
            // Not all at once: until it is done there is none.
            guarded(|| self.db.remove(MARK))?;
        }
        let (mut batch, mut count) = (sled::Batch::default(), 0);
        for (key, value) in changed {
            let key = [&[RECORD], key.as_slice()].concat();
            if let Some(before) = guarded(|| self.db.get(&key))? {
                self.sum = self.sum.wrapping_sub(hash(&key, &before));
            }
            match value {
                Some(value) => {
                    self.sum = self.sum.wrapping_add(hash(&key, value));
                    batch.insert(key, value.as_slice());
                }
                None => batch.remove(key),
            }
            count += 1;
            if count % BATCH == 0 && count < changed.len() {
                guarded(|| self.db.apply_batch(std::mem::take(&mut batch)))?;
            }
        }
        let mark = serde_json::to_vec(&Mark { place, sum: self.sum }).map_err(|error| error.to_string())?;
        batch.insert(MARK, mark);
        guarded(|| self.db.apply_batch(batch))?;
        guarded(|| self.db.flush()).map(|_| ())
    }
}

fn hash(key: &[u8], value: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    hasher.digest()
}

/// sled panics on some I/O errors and on some damaged files.
fn guarded<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| format!("sled: {error}")),
        Err(_) => Err("sled panicked".to_owned()),
    }
}

/// Where the copy of a partition lies below the data directory.
pub(super) fn folder(data: &Path, prefix: &str, partition: i32) -> PathBuf {
    data.join("shards").join(format!("{prefix}-{partition}"))
}

/// The local copy of a shard at work.
pub(super) struct Kept {
    pub(super) copy: LocalCopy,
    pub(super) place: Place,
}

impl Kept {
    /// What was committed, and the offset of the last row that says how far.
    pub(super) fn take(&mut self, changed: Changed, offset: Option<i64>, at: Timestamp) {
        let place = offset.map(|offset| Place { offset, at, ..self.place.clone() });
        self.copy.take(changed, place);
    }
}

/// What a partition is called that has no name yet: nothing else is called so.
pub(super) fn fresh(partition: i32, now: Timestamp) -> String {
    let mut bytes = [0; 8];
    // Without randomness the time tells lives of a topic apart.
    let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
    format!("{partition}-{}-{:016x}", now.millis(), u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn place(offset: i64) -> Place {
        let text = |text: &str| text.to_owned();
        Place { cluster: text("c"), topic: text("squelch.state"), brand: text("b"), offset, at: NOW }
    }

    fn changed(from: u32, to: u32, value: Option<&str>) -> Changed {
        (from..to).map(|key| (key.to_be_bytes().to_vec(), value.map(|value| value.as_bytes().to_vec()))).collect()
    }

    fn found(dir: &Path, now: Timestamp) -> Option<(Records, Place)> {
        LocalCopy::open(dir, now).1
    }

    #[test]
    fn a_copy_is_given_back_as_far_as_it_went() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(found(dir.path(), NOW), None);
        let mut copy = LocalCopy::keep(dir.path(), None);
        copy.take(changed(0, 25_000, Some("old")), Some(place(7)));
        copy.take(changed(10, 20, Some("new")), Some(place(9)));
        copy.take(changed(0, 5, None), Some(place(11)));
        drop(copy);
        let (disk, read) = LocalCopy::open(dir.path(), NOW.after(60.0));
        let (records, at) = read.unwrap();
        assert_eq!((records.len(), at.offset), (24_995, 11));
        assert_eq!(records[&15_u32.to_be_bytes()[..]], b"new");
        let mut copy = LocalCopy::keep(dir.path(), disk);
        copy.take(changed(10, 12, None), Some(place(13)));
        drop(copy);
        let (records, at) = found(dir.path(), NOW).unwrap();
        assert_eq!((records.len(), at.offset), (24_993, 13));
    }

    #[test]
    fn one_that_is_old_or_damaged_or_from_tomorrow_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let mut copy = LocalCopy::keep(dir.path(), None);
        copy.take(changed(0, 500, Some("value")), Some(place(7)));
        drop(copy);
        assert!(found(dir.path(), NOW.after(13.0 * 3600.0)).is_none());
        assert!(found(dir.path(), NOW.after(-3600.0)).is_none());
        assert!(found(dir.path(), NOW).is_some());
        let disk = Disk::open(dir.path()).unwrap();
        disk.db.remove([&[RECORD], &3_u32.to_be_bytes()[..]].concat()).unwrap();
        disk.db.flush().unwrap();
        drop(disk);
        assert!(found(dir.path(), NOW).is_none(), "a record is missing");
        drop(LocalCopy::keep(dir.path(), None));
        assert!(found(dir.path(), NOW).is_none(), "it was begun anew");
    }
}
