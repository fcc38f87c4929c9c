//! The side file `durable`: what must be there when the store is opened again.
//!
//! sled opens a damaged log shorter without a word; this small file, synced after every commit, is the witness. Two
//! slots a page apart are written in turn, so that a write torn by a power cut leaves the one before. Deliberately
//! without any state: losing it loses only the proof.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::error::{Saying, StoreError, damage_or_end};
use super::frame::{self, Kind, u64_at};

const SLOT: u64 = 4096;

/// The durable ranges. All numbers only grow, but for a store that is rebuilt after damage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// How often the store was opened: tells chunks of an interrupted commit from those that took their number.
    pub(super) attempt: u64,
    /// The first batch that must be in the journal.
    pub(super) first: u64,
    /// The last batch that must be in the journal; below `first` when none.
    pub(super) last: u64,
    /// The first event number not yet used.
    pub(super) next_seq: u64,
    /// The generation of the newest whole snapshot; 0 = none.
    pub(super) snapshot: u64,
    /// The generation of the whole snapshot before it, kept as a spare; 0 = none.
    pub(super) spare: u64,
    /// The first event that must be in the history.
    pub(super) history_from: u64,
    /// The first event that need not be there.
    pub(super) history_until: u64,
}

impl Marks {
    fn write(&self, out: &mut Vec<u8>) {
        let numbers = [self.attempt, self.first, self.last, self.next_seq, self.snapshot, self.spare];
        for number in numbers.into_iter().chain([self.history_from, self.history_until]) {
            out.extend_from_slice(&number.to_be_bytes());
        }
    }

    fn read(data: &[u8]) -> Self {
        let number = |place: usize| u64_at(data, place * 8);
        Self {
            attempt: number(0),
            first: number(1),
            last: number(2),
            next_seq: number(3),
            snapshot: number(4),
            spare: number(5),
            history_from: number(6),
            history_until: number(7),
        }
    }
}

/// What the side file says on opening.
#[derive(Debug)]
pub(super) struct Witness {
    /// Its newest whole slot.
    pub(super) marks: Option<Marks>,
    /// What is wrong with it.
    pub(super) wrong: Option<&'static str>,
    turn: u64,
}

impl Witness {
    /// The witness of a store that is not there yet.
    pub(super) const fn nothing() -> Self {
        Self { marks: None, wrong: Some("it is missing"), turn: 0 }
    }

    /// Reads it; a missing file is a witness without marks.
    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::nothing());
            }
            other => other.saying("read", path)?,
        };
        let mut witness = Self { marks: None, wrong: None, turn: 0 };
        for slot in [0, SLOT as usize] {
            match frame::take(bytes.get(slot..).unwrap_or_default()) {
                Ok((frame, _)) if frame.kind == Kind::Marks => {
                    if witness.marks.is_none() || frame.index > witness.turn {
                        witness.turn = frame.index;
                        witness.marks = Some(Marks::read(&frame.data));
                    }
                }
                Ok(_) => witness.wrong = Some("a slot holds something else"),
                Err(error) => witness.wrong = Some(damage_or_end(error, path)?),
            }
        }
        if bytes.len() as u64 != 2 * SLOT {
            witness.wrong = witness.wrong.or(Some("its length is wrong"));
        }
        Ok(witness)
    }
}

/// The open side file.
#[derive(Debug)]
pub(super) struct SideFile {
    file: File,
    turn: u64,
    buffer: Vec<u8>,
}

impl SideFile {
    /// Opens it for writing and writes `marks` into both slots, the older one first.
    pub(super) fn begin(path: &Path, witness: &Witness, marks: &Marks) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        let mut side = Self { file, turn: witness.turn, buffer: Vec::new() };
        side.file.set_len(2 * SLOT)?;
        side.write(marks)?;
        side.write(marks)?;
        side.file.sync_all()?;
        Ok(side)
    }

    /// Makes new marks durable.
    pub(super) fn write(&mut self, marks: &Marks) -> io::Result<()> {
        self.turn += 1;
        let mut data = Vec::with_capacity(64);
        marks.write(&mut data);
        self.buffer.clear();
        frame::put(&mut self.buffer, Kind::Marks, self.turn, 0, &data);
        self.file.write_all_at(&self.buffer, self.turn % 2 * SLOT)?;
        self.file.sync_data()
    }
}
