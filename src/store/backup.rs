//! Backup: a self-checking archive of a store, written from the running store, and the way back.
//!
//! An archive is a row of frames: the history, the newest snapshot, the journal since, and an end with the number of
//! frames and the checksum of all bytes before it. Deliberately one stream, so that it can go through a pipe or HTTP;
//! restoring checks it to its end before it writes anything.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use super::Store;
use super::batch;
use super::durable::{Marks, SideFile, Witness};
use super::error::{CommitError, Saying, StoreError};
use super::frame::{self, Frame, FrameError, Kind, u64_at};
use super::history::{self, History};
use super::look::{Places, Records, apply};
use super::mend;
use super::snapshot::{self, Writer};

/// What an archive holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Its length in bytes.
    pub bytes: u64,
    /// Blocks of history.
    pub blocks: u64,
    /// Records of the snapshot in it.
    pub records: u64,
    /// Journal batches in it.
    pub batches: u64,
}

impl Store {
    /// Whether a backup fits on the disk of the store, beside what must stay free.
    ///
    /// # Errors
    /// [`CommitError::Full`] with what is free and what is needed.
    pub fn room_for_backup(&self) -> Result<(), CommitError> {
        let held = self.stats();
        self.room(held.history_bytes + held.snapshot_bytes + held.log_bytes)
    }

    /// Writes the whole store as it stands between two commits. The store goes on afterwards; for that long, the
    /// caller cannot commit.
    ///
    /// # Errors
    /// When the writer fails, or a file of the store cannot be read back.
    pub fn backup(&self, to: &mut impl Write) -> Result<Archived, StoreError> {
        let mut archive =
            Archive { to, buffer: Vec::new(), sum: crc32fast::Hasher::new(), frames: 0, held: Archived::default() };
        let base = self.snapshots.last();
        let mut head = base.map_or(1, |base| base.begin).to_be_bytes().to_vec();
        head.extend_from_slice(&self.marks.next_seq.to_be_bytes());
        head.extend_from_slice(&self.history.until.to_be_bytes());
        archive.put(Kind::BackupHead, 0, 0, &head)?;
        for segment in &self.history.segments {
            archive.history(&segment.path)?;
        }
        if let Some(base) = base {
            archive.snapshot(&base.path)?;
        }
        for number in self.marks.first..=self.marks.last {
            let cause = match self.journal.read(number) {
                Ok(Some(bytes)) => {
                    archive.held.batches += 1;
                    archive.put(Kind::BackupBatch, number, 0, &bytes)?;
                    continue;
                }
                Ok(None) => format!("batch {number} is damaged"),
                Err(error) => error.to_string(),
            };
            return Err(StoreError::Journal { path: self.places.sled.clone(), cause });
        }
        archive.end()
    }
}

struct Archive<'a, W: Write> {
    to: &'a mut W,
    buffer: Vec<u8>,
    sum: crc32fast::Hasher,
    frames: u64,
    held: Archived,
}

impl<W: Write> Archive<'_, W> {
    fn put(&mut self, kind: Kind, index: u64, tag: u64, data: &[u8]) -> Result<(), StoreError> {
        self.buffer.clear();
        frame::put(&mut self.buffer, kind, index, tag, data);
        self.sum.update(&self.buffer);
        self.frames += 1;
        self.held.bytes += self.buffer.len() as u64;
        self.to.write_all(&self.buffer).saying("write", Path::new("the backup"))
    }

    fn history(&mut self, path: &Path) -> Result<(), StoreError> {
        for block in history::walk(path)?.blocks {
            self.held.blocks += 1;
            self.put(Kind::History, block.index, block.tag, &block.data)?;
        }
        Ok(())
    }

    fn snapshot(&mut self, path: &Path) -> Result<(), StoreError> {
        let mut failed = Ok(());
        let whole = snapshot::read(path, |part| {
            let mut data = Vec::new();
            batch::write_changes(&mut data, &part);
            self.held.records += part.len() as u64;
            if failed.is_ok() {
                failed = self.put(Kind::SnapshotPart, 0, part.len() as u64, &data);
            }
        })?;
        failed?;
        whole.map_err(|wrong| io::Error::other(format!("the snapshot is damaged: {wrong}"))).saying("read", path)?;
        Ok(())
    }

    fn end(mut self) -> Result<Archived, StoreError> {
        let (sum, frames) = (self.sum.clone().finalize().to_be_bytes(), self.frames);
        self.put(Kind::BackupEnd, frames, 0, &sum)?;
        self.to.flush().saying("write", Path::new("the backup"))?;
        Ok(self.held)
    }
}

/// Reads an archive to its end and checks everything in it.
///
/// # Errors
/// [`StoreError::Archive`] when anything is missing or damaged, [`StoreError::Newer`] when a newer version wrote it.
pub fn verify(from: &mut impl Read) -> Result<Archived, StoreError> {
    each(from, |_| Ok(()))
}

/// Hands over every frame of an archive but its end, which it checks.
fn each(from: &mut impl Read, mut found: impl FnMut(Frame) -> Result<(), StoreError>) -> Result<Archived, StoreError> {
    let mut held = Archived::default();
    let (mut sum, mut frames, mut buffer) = (crc32fast::Hasher::new(), 0, Vec::new());
    loop {
        let broken = |cause: &str| StoreError::Archive { cause: cause.to_owned(), frames };
        let frame = match frame::read(from) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Err(broken("its end is missing")),
            Err(FrameError::Newer(version)) => return Err(StoreError::Newer { path: "the backup".into(), version }),
            Err(error) => return Err(broken(&error.to_string())),
        };
        held.bytes += (frame::HEAD + frame.data.len()) as u64;
        match frame.kind {
            Kind::BackupHead if frames == 0 && frame.data.len() == 24 => {}
            _ if frames == 0 => return Err(broken("it does not begin as a backup")),
            Kind::History => held.blocks += 1,
            Kind::SnapshotPart => held.records += frame.tag,
            Kind::BackupBatch => held.batches += 1,
            Kind::BackupEnd if frame.index == frames && frame.data == sum.clone().finalize().to_be_bytes() => {
                return match frame::read(from) {
                    Ok(None) => Ok(held),
                    _ => Err(broken("something stands after its end")),
                };
            }
            Kind::BackupEnd => return Err(broken("its pieces do not add up")),
            _ => return Err(broken("a strange piece")),
        }
        buffer.clear();
        frame::put(&mut buffer, frame.kind, frame.index, frame.tag, &frame.data);
        sum.update(&buffer);
        frames += 1;
        found(frame)?;
    }
}

/// Makes a store in `dir`, which must be empty or new, from an archive.
///
/// # Errors
/// When the archive is not whole (nothing is written then), the directory is not empty, or the system refuses.
pub fn restore(archive: &Path, dir: &Path) -> Result<Archived, StoreError> {
    let open = || Ok(BufReader::with_capacity(1 << 20, File::open(archive).saying("open", archive)?));
    verify(&mut open()?)?;
    if !mend::is_empty(dir).saying("list", dir)? {
        return Err(StoreError::NotEmpty { dir: dir.to_owned() });
    }
    let places = Places::new(dir);
    fs::create_dir_all(&places.history).saying("create", &places.history)?;
    let mut restoring = Restoring::new(&places);
    let held = each(&mut open()?, |frame| restoring.take(frame))?;
    restoring.finish(&places)?;
    Ok(held)
}

struct Restoring {
    records: Records,
    history: History,
    begin: u64,
    next_seq: u64,
    until: u64,
}

impl Restoring {
    fn new(places: &Places) -> Self {
        let history = History::new(places.history.clone(), VecDeque::new(), 0);
        Self { records: Records::default(), history, begin: 1, next_seq: 0, until: 0 }
    }

    fn take(&mut self, frame: Frame) -> Result<(), StoreError> {
        let nonsense = |_| StoreError::Archive { cause: "a piece makes no sense".into(), frames: frame.index };
        match frame.kind {
            Kind::BackupHead => {
                (self.begin, self.next_seq) = (u64_at(&frame.data, 0), u64_at(&frame.data, 8));
                self.until = u64_at(&frame.data, 16);
            }
            Kind::History => {
                self.history.append_block(&frame).saying("write", Path::new("the history"))?;
            }
            Kind::SnapshotPart => apply(&mut self.records, batch::read_changes(&frame.data).map_err(nonsense)?),
            _ => {
                self.history.until = self.history.until.max(self.until);
                let events = batch::events(&frame.data).map_err(nonsense)?;
                self.history.append(&events).saying("write", Path::new("the history"))?;
                if frame.index >= self.begin {
                    apply(&mut self.records, batch::changes(&frame.data).map_err(nonsense)?.1);
                }
            }
        }
        Ok(())
    }

    /// The side file comes last: without it, the directory is no store.
    fn finish(self, places: &Places) -> Result<(), StoreError> {
        let write = || {
            let mut writer = Writer::begin(&places.dir, 1, 1, self.next_seq)?;
            mend::write_records(&mut writer, &self.records, 1 << 20)?;
            writer.finish()?;
            let marks = Marks {
                attempt: 1,
                first: 1,
                last: 0,
                next_seq: self.next_seq,
                snapshot: 1,
                spare: 0,
                history_from: self.history.from(),
                history_until: self.history.until.max(self.until),
            };
            let nothing = Witness::nothing();
            SideFile::begin(&places.side, &nothing, &marks)?;
            snapshot::sync_dir(&places.side)
        };
        write().saying("write a store in", &places.dir)
    }
}
