//! The journal: numbered batches in sled. The only file that knows sled.
//!
//! One tree; keys are (batch, part), values are frames of at most [`PART`] bytes. Parts of one batch are put one by
//! one, not in a sled batch: a batch counts only when all its parts are there, so it is whole or absent by itself.
//! Deliberately never the judge of what is durable: sled opens damaged files shorter without a word, so the side
//! file says what must be there, and [`super::open`] compares.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::frame::{self, Frame, HEAD, Kind};

/// The longest value. A leaf of sled has up to 17 entries and leaves the log for a file of its own above 128 KB;
/// below this limit that never happens, so the log is one file and one `fdatasync` covers it.
pub(super) const PART: usize = 7_000;
/// The longest batch that 16 bits of part numbers can hold is larger; this bounds memory.
pub(super) const LONGEST_BATCH: usize = 64 << 20;
/// sled's threads let go of their lock a little after the last handle is dropped.
const LOCK_TRIES: usize = 500;
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// What sled did instead of what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum JournalError {
    #[error("sled: {0}")]
    Sled(String),
    #[error("sled panicked: {0}")]
    Panicked(String),
    #[error("{0}")]
    Io(String),
}

impl JournalError {
    /// A batch that must be there is not.
    pub(super) fn gone(batch: u64) -> Self {
        Self::Sled(format!("batch {batch} cannot be read any more"))
    }
}

impl From<io::Error> for JournalError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// The open journal.
#[derive(Debug)]
pub(super) struct Journal {
    db: sled::Db,
    log: File,
}

impl Journal {
    /// Opens or creates the sled database in `dir`.
    pub(super) fn open(dir: &Path, cache: u64) -> Result<Self, JournalError> {
        let config =
            sled::Config::new().path(dir).cache_capacity(cache).mode(sled::Mode::HighThroughput).flush_every_ms(None);
        let db = guarded(|| {
            for _ in 0..LOCK_TRIES {
                match config.open() {
                    Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => {
                        thread::sleep(LOCK_WAIT);
                    }
                    other => return other,
                }
            }
            config.open()
        })?;
        Ok(Self { db, log: File::open(log_file(dir))? })
    }

    /// Puts a batch; durable after [`Journal::flush`]. Returns the bytes put.
    pub(super) fn put(&self, batch: u64, attempt: u32, payload: &[u8]) -> Result<u64, JournalError> {
        let parts = parts(payload.len());
        let mut value = Vec::with_capacity(PART);
        let mut bytes = 0;
        guarded(|| {
            for part in 0..parts {
                let start = part * (PART - HEAD);
                let data = &payload[start..payload.len().min(start + PART - HEAD)];
                value.clear();
                frame::put(&mut value, Kind::Chunk, batch, chunk_tag(attempt, part, parts), data);
                bytes += value.len() as u64;
                self.db.insert(key(batch, part as u16), value.as_slice())?;
            }
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Makes all that was put durable: through sled's buffers into the file, and the file onto the disk.
    /// (`flush` alone ends in `sync_file_range`, which does not survive a power cut.)
    pub(super) fn flush(&self) -> Result<(), JournalError> {
        guarded(|| self.db.flush())?;
        self.log.sync_data()?;
        Ok(())
    }

    /// The batch's bytes; `None` when a part is missing or damaged.
    pub(super) fn read(&self, batch: u64) -> Result<Option<Vec<u8>>, JournalError> {
        let mut payload = Vec::new();
        let mut expected = 0;
        let mut parts = 1;
        let whole = guarded(|| {
            for entry in self.db.range(key(batch, 0)..=key(batch, u16::MAX)) {
                let Ok((frame, _)) = frame::take(&entry?.1) else { return Ok(false) };
                let chunk = Chunk::of(&frame);
                if chunk.part != expected {
                    return Ok(false);
                }
                expected += 1;
                parts = chunk.parts;
                payload.extend_from_slice(&frame.data);
            }
            Ok(expected == parts)
        })?;
        Ok(whole.then_some(payload))
    }

    /// Every value, in order of key.
    pub(super) fn each(&self, mut found: impl FnMut(&[u8])) -> Result<(), JournalError> {
        guarded(|| {
            for entry in self.db.iter() {
                found(&entry?.1);
            }
            Ok(())
        })
    }

    /// Removes the batches `from..until`.
    pub(super) fn remove(&self, from: u64, until: u64) -> Result<(), JournalError> {
        guarded(|| {
            for entry in self.db.range(key(from, 0)..key(until, 0)).keys() {
                self.db.remove(entry?)?;
            }
            Ok(())
        })
    }

    /// Removes what an interrupted commit left from `from` on.
    pub(super) fn remove_from(&self, from: u64) -> Result<(), JournalError> {
        self.remove(from, u64::MAX)
    }
}

/// Where a chunk belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) attempt: u32,
    pub(super) part: u16,
    pub(super) parts: u16,
}

impl Chunk {
    pub(super) fn of(frame: &Frame) -> Self {
        Self { attempt: (frame.tag >> 32) as u32, part: (frame.tag >> 16) as u16, parts: frame.tag as u16 }
    }
}

fn chunk_tag(attempt: u32, part: usize, parts: usize) -> u64 {
    u64::from(attempt) << 32 | (part as u64) << 16 | parts as u64
}

/// An empty batch still has one part.
fn parts(length: usize) -> usize {
    length.div_ceil(PART - HEAD).max(1)
}

fn key(batch: u64, part: u16) -> [u8; 10] {
    let mut key = [0; 10];
    key[..8].copy_from_slice(&batch.to_be_bytes());
    key[8..].copy_from_slice(&part.to_be_bytes());
    key
}

/// sled's log, where all chunks stand byte for byte.
pub(super) fn log_file(dir: &Path) -> PathBuf {
    dir.join("db")
}

/// sled panics on some I/O errors and on some damaged files.
fn guarded<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, JournalError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| JournalError::Sled(error.to_string())),
        Err(panic) => Err(JournalError::Panicked(
            panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "without a word".into()),
        )),
    }
}
