//! Snapshots: all records, in one plain file a generation (`snapshot-<generation>.sqs`).
//!
//! Written in parts beside the commits, so no commit waits long; a part shows the records as they stand when it is
//! written. Since the journal holds full values and is applied from the batch on at which the snapshot began, the
//! result is right nevertheless. The last frame is the mark that it is whole; only then does it get its name.
//! Deliberately not in sled: a snapshot of 1 GB there took twice the disk and three times the memory, and a damaged
//! sled would take the snapshot with it.

use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use super::batch;
use super::error::{Saying, StoreError, damage_or_end};
use super::frame::{self, FrameError, Kind, u64_at};
use crate::domain::Change;

/// A whole snapshot on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) path: PathBuf,
    pub(super) generation: u64,
    /// The first journal batch that is applied over it.
    pub(super) begin: u64,
    /// The first event number not used when it began.
    pub(super) next_seq: u64,
    pub(super) bytes: u64,
}

/// The names of the snapshots in `dir`, oldest first.
pub(super) fn list(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let generation = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_prefix("snapshot-")?.strip_suffix(".sqs")?.parse::<u64>().ok());
        if let Some(generation) = generation {
            found.push((generation, path));
        }
    }
    found.sort();
    Ok(found)
}

/// The generation that the file itself says, if its head is whole.
pub(super) fn generation(path: &Path) -> Result<Option<u64>, StoreError> {
    let mut file = File::open(path).saying("open", path)?;
    match frame::read(&mut file) {
        Ok(head) => Ok(head.filter(|head| head.kind == Kind::SnapshotHead).map(|head| head.tag)),
        Err(error) => damage_or_end(error, path).map(|_| None),
    }
}

/// A snapshot that is being written.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    part: PathBuf,
    info: Snapshot,
    index: u64,
    records: u64,
    sum: crc32fast::Hasher,
    buffer: Vec<u8>,
}

impl Writer {
    /// Begins one; the journal from batch `begin` on belongs over it.
    pub(super) fn begin(dir: &Path, generation: u64, begin: u64, next_seq: u64) -> io::Result<Self> {
        let path = dir.join(format!("snapshot-{generation:020}.sqs"));
        let part = path.with_extension("part");
        let file = File::create(&part)?;
        let info = Snapshot { path, generation, begin, next_seq, bytes: 0 };
        let (sum, buffer) = (crc32fast::Hasher::new(), Vec::new());
        let mut writer = Self { file, part, info, index: 0, records: 0, sum, buffer };
        let mut head = begin.to_be_bytes().to_vec();
        head.extend_from_slice(&next_seq.to_be_bytes());
        writer.frame(Kind::SnapshotHead, generation, &head)?;
        Ok(writer)
    }

    /// Adds records, durably, so that the end has little left to wait for.
    pub(super) fn add(&mut self, records: &[Change]) -> io::Result<()> {
        let mut data = Vec::new();
        batch::write_changes(&mut data, records);
        self.records += records.len() as u64;
        self.sum.update(&data);
        self.frame(Kind::SnapshotPart, records.len() as u64, &data)?;
        self.file.sync_data()
    }

    /// Writes the mark that it is whole, and gives it its name.
    pub(super) fn finish(mut self) -> io::Result<Snapshot> {
        let sum = self.sum.clone().finalize().to_be_bytes();
        self.frame(Kind::SnapshotEnd, self.records, &sum)?;
        self.file.sync_all()?;
        fs::rename(&self.part, &self.info.path)?;
        sync_dir(&self.info.path)?;
        Ok(self.info)
    }

    /// Gives it up.
    pub(super) fn abandon(self) {
        let _ = fs::remove_file(&self.part);
    }

    fn frame(&mut self, kind: Kind, tag: u64, data: &[u8]) -> io::Result<()> {
        self.buffer.clear();
        frame::put(&mut self.buffer, kind, self.index, tag, data);
        self.index += 1;
        self.info.bytes += self.buffer.len() as u64;
        self.file.write_all(&self.buffer)
    }
}

/// Reads a snapshot to its end, or says what is wrong with it. `found` gets every part before that.
pub(super) fn read(
    path: &Path,
    mut found: impl FnMut(Vec<Change>),
) -> Result<Result<Snapshot, &'static str>, StoreError> {
    let file = File::open(path).saying("open", path)?;
    let bytes = file.metadata().saying("look at", path)?.len();
    let mut from = BufReader::with_capacity(1 << 20, file);
    match read_frames(&mut from, &mut found) {
        Ok((generation, begin, next_seq)) => {
            Ok(Ok(Snapshot { path: path.to_owned(), generation, begin, next_seq, bytes }))
        }
        Err(error) => damage_or_end(error, path).map(Err),
    }
}

fn read_frames(from: &mut impl io::Read, found: &mut impl FnMut(Vec<Change>)) -> Result<(u64, u64, u64), FrameError> {
    let mut next = |index: u64| match frame::read(from)? {
        Some(frame) if frame.index == index => Ok(frame),
        Some(_) => Err(FrameError::Damaged("a part is missing")),
        None => Err(FrameError::Damaged("its end is missing")),
    };
    let head = next(0)?;
    if head.kind != Kind::SnapshotHead || head.data.len() != 16 {
        return Err(FrameError::Damaged("it does not begin as a snapshot"));
    }
    let mut sum = crc32fast::Hasher::new();
    let mut records = 0;
    for index in 1.. {
        let frame = next(index)?;
        if frame.kind == Kind::SnapshotEnd {
            if frame.tag != records || frame.data != sum.finalize().to_be_bytes() {
                return Err(FrameError::Damaged("its parts do not add up"));
            }
            break;
        }
        if frame.kind != Kind::SnapshotPart {
            return Err(FrameError::Damaged("a strange part"));
        }
        records += frame.tag;
        sum.update(&frame.data);
        found(batch::read_changes(&frame.data).map_err(|_| FrameError::Damaged("a part makes no sense"))?);
    }
    if frame::read(from)?.is_some() {
        return Err(FrameError::Damaged("something stands after its end"));
    }
    Ok((head.tag, u64_at(&head.data, 0), u64_at(&head.data, 8)))
}

/// What can still be found of a snapshot that [`read`] refuses.
pub(super) fn salvage(path: &Path, mut found: impl FnMut(Vec<Change>)) -> Result<(), StoreError> {
    let mut from = BufReader::new(File::open(path).saying("open", path)?);
    frame::scan(&mut from, |frame| {
        if frame.kind == Kind::SnapshotPart
            && let Ok(records) = batch::read_changes(&frame.data)
        {
            found(records);
        }
    })
    .saying("read", path)?;
    Ok(())
}

/// Removes what an interrupted snapshot left behind.
pub(super) fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "part") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Makes a new, renamed or removed name in the file's directory durable.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}
