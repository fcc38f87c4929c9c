//! The lock of a data directory: two processes never open one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;

use super::error::{Saying, StoreError};

/// Held as long as it lives; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `dir`, and writes the number of this process into it for the next who asks.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("lock");
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).saying("open", &path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(&mut file, dir)),
            Err(TryLockError::Error(source)) => return Err(StoreError::Io { what: "lock", path, source }),
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        // A full disk must not keep the store from opening; then the number is missing in the message.
        let _ = write(&mut file);
        Ok(Self { _file: file })
    }
    /// Keeps others from taking the lock of `dir` while it is only read; writes nothing. `None` = there is no lock.
    pub(super) fn look(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join("lock");
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.saying("open", &path)?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Err(held(&mut file, dir)),
            Err(TryLockError::Error(source)) => Err(StoreError::Io { what: "lock", path, source }),
        }
    }
}

fn held(file: &mut File, dir: &Path) -> StoreError {
    let mut text = String::new();
    let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
    StoreError::Locked { dir: dir.to_owned(), pid }
}
