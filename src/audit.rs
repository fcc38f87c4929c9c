//! The audit log: what people did, one line of JSON each, on disk before they hear that it is done.
//!
//! Only appended to; a file that is full is put aside, and the oldest goes when there are too many. What cannot be written
//! is told, kept in memory and written as soon as it can be: no action waits for a disk that is full. Deliberately no
//! reader of the clock, and no opinion about what is worth a line.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// The file that is written, in the data directory.
pub const FILE: &str = "audit.jsonl";
/// A file of this many bytes is put aside.
const FULL: u64 = 8 << 20;
/// So many files are kept beside the one that is written: with it, 300,000 actions.
const KEPT: usize = 11;
/// So many entries are held in memory, to be looked at.
pub const SHOWN: usize = 1_000;
/// So many entries wait for a disk that takes nothing; the oldest are dropped beyond that, and it is told how many.
const OWED: usize = 10_000;

/// One thing that somebody did, or was not allowed to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in epoch seconds.
    pub at: f64,
    /// Who, by the name that was shown or given; may be empty.
    pub who: String,
    /// What the name is worth: `proxy`, `password`, `signature`; with `token` and `none` anybody could have given it.
    pub login: String,
    /// `operator` or `reader`; empty where a signature speaks.
    pub role: String,
    /// The address of the connection.
    pub from: String,
    /// Through what: `console`, `api`, `alertmanager` or `hook`.
    pub door: String,
    /// What, in a word: `ack`, `silence`, `reload` …
    pub action: String,
    /// On what: `incident 7`, `silence s1-0`, or the path.
    pub on: String,
    /// The rest of it, in words.
    pub detail: String,
    /// `done`, or why it was not.
    pub outcome: String,
    /// The status of the answer.
    pub status: u16,
}

/// The log.
#[derive(Debug)]
pub struct Log {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    dir: PathBuf,
    full: u64,
    file: Option<File>,
    latest: VecDeque<Entry>,
    owed: VecDeque<Entry>,
    dropped: u64,
    trouble: Option<String>,
}

impl Log {
    /// The log in this directory, which need not exist yet. What is in it already is read as far as it is shown.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self::with(dir, FULL)
    }

    fn with(dir: &Path, full: u64) -> Self {
        let (latest, trouble) = match read(dir, SHOWN) {
            Ok(latest) => (latest.into(), None),
            Err(error) => (VecDeque::new(), Some(format!("the audit log cannot be read: {error}"))),
        };
        let (file, owed, dropped) = (None, VecDeque::new(), 0);
        Self { state: Mutex::new(State { dir: dir.to_owned(), full, file, latest, owed, dropped, trouble }) }
    }

    /// Adds an entry, and everything that is still owed: on disk when this returns, or told by [`Self::trouble`]. Waits
    /// for the disk.
    ///
    /// # Errors
    /// Why it could not be written; it is written with the next one that can be.
    pub fn add(&self, entry: Entry) -> io::Result<()> {
        let mut state = self.state();
        state.remember(entry);
        let written = state.write_owed();
        state.trouble = written.as_ref().err().map(|error| state.in_words(error));
        written
    }

    /// The latest entries, newest first; at most `most`.
    #[must_use]
    pub fn latest(&self, most: usize) -> Vec<Entry> {
        self.state().latest.iter().rev().take(most).cloned().collect()
    }

    /// What people should know of it; `None` = all is well.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remember(&mut self, entry: Entry) {
        if self.latest.len() == SHOWN {
            self.latest.pop_front();
        }
        self.latest.push_back(entry.clone());
        if self.owed.len() == OWED {
            self.owed.pop_front();
            self.dropped += 1;
        }
        self.owed.push_back(entry);
    }

    fn write_owed(&mut self) -> io::Result<()> {
        let mut text = Vec::new();
        for entry in &self.owed {
            serde_json::to_writer(&mut text, entry)?;
            text.push(b'\n');
        }
        let written = self.append(&text);
        if written.is_err() {
            // It may have been written in part: opening it again ends the torn line.
            self.file = None;
        } else {
            self.owed.clear();
        }
        written
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => opened(&self.dir)?,
        };
        if file.metadata()?.len() >= self.full {
            put_aside(&self.dir)?;
            file = opened(&self.dir)?;
        }
        file.write_all(text)?;
        file.sync_data()?;
        self.file = Some(file);
        Ok(())
    }

    fn in_words(&self, error: &io::Error) -> String {
        let lost = if self.dropped > 0 { format!(", {} are lost", self.dropped) } else { String::new() };
        format!(
            "the audit log in {} cannot be written ({error}): {} entries wait in memory{lost}; actions are done all the same",
            self.dir.display(),
            self.owed.len()
        )
    }
}

/// Opens the file to append; a line that was torn by a crash or a full disk is ended.
fn opened(dir: &Path) -> io::Result<File> {
    fs::create_dir_all(dir)?;
    let path = dir.join(FILE);
    let is_new = !path.exists();
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
    if is_new {
        File::open(dir)?.sync_all()?;
    } else if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// The place of an older file; 1 = the latest of them.
fn older(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("audit.{number}.jsonl"))
}

/// Makes room: every file moves on by one, and the oldest is gone.
fn put_aside(dir: &Path) -> io::Result<()> {
    for number in (1..KEPT).rev() {
        match fs::rename(older(dir, number), older(dir, number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(dir.join(FILE), older(dir, 1))?;
    File::open(dir)?.sync_all()
}

/// The latest entries in a data directory, oldest first; at most `most`. Lines that cannot be read (torn by a crash) are
/// left out.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn read(dir: &Path, most: usize) -> io::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let places = std::iter::once(dir.join(FILE)).chain((1..=KEPT).map(|number| older(dir, number)));
    for path in places {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let lines = bytes.split(|byte| *byte == b'\n').rev();
        entries.extend(lines.filter_map(|line| serde_json::from_slice(line).ok()).take(most - entries.len()));
        if entries.len() >= most {
            break;
        }
    }
    entries.reverse();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u32) -> Entry {
        let text = String::new;
        Entry {
            at: f64::from(number),
            who: "ada".to_owned(),
            login: "proxy".to_owned(),
            role: "operator".to_owned(),
            from: "127.0.0.1".to_owned(),
            door: "console".to_owned(),
            action: "ack".to_owned(),
            on: format!("incident {number}"),
            detail: text(),
            outcome: "done".to_owned(),
            status: 303,
        }
    }

    fn numbers(entries: &[Entry]) -> Vec<f64> {
        entries.iter().map(|entry| entry.at).collect()
    }

    #[test]
    fn what_was_done_is_there_after_a_restart_newest_first() {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::new(dir.path());
        (1..=3).for_each(|number| log.add(entry(number)).unwrap());
        drop(log);
        let log = Log::new(dir.path());
        assert_eq!(numbers(&log.latest(2)), [3.0, 2.0]);
        assert_eq!(log.trouble(), None);
    }

    #[test]
    fn a_torn_line_spoils_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        Log::new(dir.path()).add(entry(1)).unwrap();
        let mut file = OpenOptions::new().append(true).open(dir.path().join(FILE)).unwrap();
        file.write_all(b"{\"at\":2.0,\"who\":\"a").unwrap();
        Log::new(dir.path()).add(entry(3)).unwrap();
        assert_eq!(numbers(&read(dir.path(), 9).unwrap()), [1.0, 3.0]);
    }

    #[test]
    fn full_files_are_put_aside_and_the_oldest_go() {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::with(dir.path(), 600);
        (1..=60).for_each(|number| log.add(entry(number)).unwrap());
        let files = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(files, KEPT + 1);
        let kept = read(dir.path(), SHOWN).unwrap();
        assert_eq!(numbers(&kept).last(), Some(&60.0));
        assert!(kept.len() < 60 && kept.windows(2).all(|pair| pair[1].at - pair[0].at == 1.0), "{:?}", numbers(&kept));
    }

    #[test]
    fn what_the_disk_does_not_take_is_told_and_written_when_it_does() {
        let dir = tempfile::tempdir().unwrap();
        // A directory stands where the file should: nothing can be written, whoever runs the test.
        fs::create_dir(dir.path().join(FILE)).unwrap();
        let log = Log::new(dir.path());
        assert!(log.add(entry(1)).is_err());
        assert!(log.trouble().unwrap().contains("1 entries wait in memory"), "{:?}", log.trouble());
        assert_eq!(numbers(&log.latest(9)), [1.0], "it is shown all the same");
        fs::remove_dir(dir.path().join(FILE)).unwrap();
        log.add(entry(2)).unwrap();
        assert_eq!(log.trouble(), None);
        assert_eq!(numbers(&read(dir.path(), 9).unwrap()), [1.0, 2.0]);
    }
}
