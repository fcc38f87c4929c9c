//! Damage: what was found wrong on opening, what it means, and where the damaged bytes are kept.
//!
//! Deliberately not an error: the store opens with whatever can be saved, and the caller tells it loudly.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a damage cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// Nothing: what was damaged stood elsewhere, too.
    Nothing,
    /// Events of the past, for what-if and digests; every alert, incident, silence and page is there.
    History,
    /// It cannot be proven that nothing is missing.
    Perhaps,
    /// State: some records are older than they were, or missing. Pages may be missing or sent again.
    State,
}

impl Loss {
    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing is lost",
            Self::History => "past events are lost, no state",
            Self::Perhaps => "it cannot be proven that nothing is lost",
            Self::State => "state is lost",
        }
    }
}

/// One damage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What is damaged and how.
    pub what: String,
    /// The file or directory where it was found.
    pub place: PathBuf,
    /// What it means for what is known now.
    pub means: String,
    /// What it cost.
    pub loss: Loss,
    /// Where the damaged bytes are kept; `None` when there are none (a file is gone).
    pub kept: Option<PathBuf>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {} ({})", self.place.display(), self.what, self.means, self.loss.words())?;
        match &self.kept {
            Some(kept) => write!(f, "; kept in {}", kept.display()),
            None => Ok(()),
        }
    }
}

/// The directory of what was damaged: one numbered directory a damage, each with `TOLD.txt`. Nothing in it is ever
/// read or removed by Squelch.
#[derive(Debug)]
pub(super) struct Quarantine {
    dir: PathBuf,
}

impl Quarantine {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Moves a file or directory here; it costs no space.
    pub(super) fn take(&self, path: &Path, name: &str) -> io::Result<PathBuf> {
        let room = self.room(name)?;
        fs::rename(path, room.join(path.file_name().unwrap_or(path.as_os_str())))?;
        Ok(room)
    }

    /// Copies a (small) file here.
    pub(super) fn copy(&self, path: &Path, name: &str) -> io::Result<PathBuf> {
        let room = self.room(name)?;
        fs::copy(path, room.join(path.file_name().unwrap_or(path.as_os_str())))?;
        Ok(room)
    }

    /// Writes beside the damaged bytes what they are. A failure is no new damage.
    pub(super) fn label(damage: &Damage) {
        if let Some(room) = &damage.kept
            && let Ok(mut file) = fs::File::create(room.join("TOLD.txt"))
        {
            let _ = writeln!(file, "{damage}");
        }
    }

    /// A new directory under the next number.
    fn room(&self, name: &str) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.dir)?;
        let taken = fs::read_dir(&self.dir)?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.split('-').next()?.parse::<u32>().ok())
            .max();
        let room = self.dir.join(format!("{:04}-{name}", taken.unwrap_or(0) + 1));
        fs::create_dir(&room)?;
        Ok(room)
    }
}
