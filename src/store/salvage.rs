//! The journal as it stands in sled's log, read without sled.
//!
//! Every chunk stands byte for byte in the log, with its own head and checksum, so it can be found without sled's
//! index. This is done at each opening *before* sled touches the file (sled cuts and zeroes what it does not like):
//! it shows whether sled's answer is short, and it saves all whole batches of a log that sled cannot read at all.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use super::frame::{self, Kind};
use super::journal::{Chunk, log_file};

/// The parts of the batches that were found.
#[derive(Debug, Default)]
pub(super) struct Salvage {
    batches: BTreeMap<u64, Parts>,
    /// The newest version met that this program cannot read.
    pub(super) newer: Option<u8>,
}

#[derive(Debug)]
struct Parts {
    attempt: u32,
    parts: Vec<Option<Vec<u8>>>,
}

impl Salvage {
    /// Reads sled's log in `dir`, from batch `from` on. No such file = nothing found.
    pub(super) fn read(dir: &Path, from: u64) -> io::Result<Self> {
        let mut salvage = Self::default();
        let log = match File::open(log_file(dir)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(salvage),
            other => other?,
        };
        salvage.newer = frame::scan(&mut BufReader::new(log), |frame| {
            if frame.kind == Kind::Chunk && frame.index >= from {
                let chunk = Chunk::of(&frame);
                salvage.add(frame.index, chunk, frame.data);
            }
        })?;
        Ok(salvage)
    }

    /// A part of a later attempt replaces all of an earlier one: an interrupted commit's number is used again.
    fn add(&mut self, batch: u64, chunk: Chunk, data: Vec<u8>) {
        let fresh = || Parts { attempt: chunk.attempt, parts: vec![None; usize::from(chunk.parts)] };
        let parts = self.batches.entry(batch).or_insert_with(fresh);
        if parts.attempt < chunk.attempt {
            *parts = fresh();
        }
        if parts.attempt == chunk.attempt
            && let Some(place) = parts.parts.get_mut(usize::from(chunk.part))
        {
            *place = Some(data);
        }
    }

    /// The highest batch that is whole.
    pub(super) fn last(&self) -> Option<u64> {
        self.batches.iter().rev().find(|(_, parts)| parts.whole()).map(|(batch, _)| *batch)
    }

    /// The highest attempt of any commit.
    pub(super) fn attempt(&self) -> u32 {
        self.batches.values().map(|parts| parts.attempt).max().unwrap_or(0)
    }

    /// The batch's bytes, when it is whole.
    pub(super) fn batch(&self, batch: u64) -> Option<Vec<u8>> {
        let parts = self.batches.get(&batch).filter(|parts| parts.whole())?;
        Some(parts.parts.iter().flatten().flatten().copied().collect())
    }

    /// The bytes that the batches `from..` take.
    pub(super) fn bytes_from(&self, from: u64) -> u64 {
        self.batches.range(from..).flat_map(|(_, parts)| &parts.parts).flatten().map(|data| data.len() as u64).sum()
    }

    /// Whether this very part was found.
    pub(super) fn part_is(&self, batch: u64, chunk: Chunk, data: &[u8]) -> bool {
        self.batches.get(&batch).is_some_and(|parts| {
            parts.attempt == chunk.attempt
                && parts.parts.get(usize::from(chunk.part)).is_some_and(|part| part.as_deref() == Some(data))
        })
    }
}

impl Parts {
    fn whole(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(Option::is_some)
    }
}
