//! What can go wrong with the store, as values: nothing here ever panics out of it.

use std::io;
use std::path::{Path, PathBuf};

use super::frame::{FrameError, VERSION};

/// Why a store cannot be opened, restored or backed up.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("{dir} is in use by another squelch{}; stop it, or give another --data-dir", holder(*.pid))]
    Locked {
        /// The data directory.
        dir: PathBuf,
        /// The process that holds it, where it can be read.
        pid: Option<u32>,
    },
    /// A newer Squelch wrote it. Nothing was touched.
    #[error(
        "{path} was written by a newer version of squelch (form {version}; this one reads up to {VERSION}): use that version, or restore a backup into an empty directory"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u8,
    },
    /// The operating system refused.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What it answered.
        source: io::Error,
    },
    /// A new journal cannot be begun.
    #[error("cannot begin a journal in {path}: {cause}")]
    Journal {
        /// The directory of the journal.
        path: PathBuf,
        /// What sled said.
        cause: String,
    },
    /// A backup archive is damaged; nothing was restored.
    #[error("this is not a whole backup: {cause} (after {frames} good pieces); nothing was restored")]
    Archive {
        /// What is wrong with it.
        cause: String,
        /// How many pieces before it were right.
        frames: u64,
    },
    /// The directory to restore into has something in it.
    #[error("{dir} is not empty; restore into an empty or new directory")]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
}

/// Why a batch was not stored. Nothing of it counts; the caller keeps it, and passes it again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The disk is (nearly) full; the journal was not touched, and the next commit may work.
    #[error("the disk of the data directory is full: {free} bytes are free, {needed} are needed")]
    Full {
        /// Bytes that are free.
        free: u64,
        /// Bytes that must be free for this.
        needed: u64,
    },
    /// The batch is larger than a batch may be; the caller commits it in two.
    #[error("the batch has {bytes} bytes; at most {limit} go into one")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// An event's number was used before.
    #[error("event {seq} comes after {next} was promised as the next number")]
    OutOfOrder {
        /// The event's number.
        seq: u64,
        /// The first number that is free.
        next: u64,
    },
    /// A snapshot or the history could not be written. Commits go on; the step is tried again later.
    #[error("{cause}")]
    Upkeep {
        /// What could not be done.
        cause: String,
    },
    /// The disk or sled failed, now or before. This store takes no more; open it again.
    #[error("the store is broken: {cause}; its data directory must be opened anew")]
    Broken {
        /// The first failure.
        cause: String,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// Makes an I/O error say what was tried with which file.
pub(super) trait Saying<T> {
    fn saying(self, what: &'static str, path: &Path) -> Result<T, StoreError>;
}

impl<T> Saying<T> for io::Result<T> {
    fn saying(self, what: &'static str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Io { what, path: path.to_owned(), source })
    }
}

/// What a reader makes of a frame that is none: damage is a value to go on with, the rest ends the opening.
pub(super) fn damage_or_end(error: FrameError, path: &Path) -> Result<&'static str, StoreError> {
    match error {
        FrameError::Damaged(what) => Ok(what),
        FrameError::Newer(version) => Err(StoreError::Newer { path: path.to_owned(), version }),
        FrameError::Io(source) => Err(StoreError::Io { what: "read", path: path.to_owned(), source }),
    }
}
