//! History: the events of the past in segment files (`history/<first event>.seg`), for what-if and digests.
//!
//! Events come here when the journal lets go of them, so each is durable in one of the two at all times. A segment is
//! a row of compressed blocks, one frame each; every block says which event it follows, so a missing block or
//! segment is seen. Old segments go by age and by total size. Deliberately never read to restore state: what was
//! decided is decided.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::batch::{RawEvent, Reader};
use super::damage::{Damage, Loss};
use super::error::{Saying, StoreError, damage_or_end};
use super::frame::{self, Frame, FrameError, Kind, u64_at};
use super::snapshot::sync_dir;
use crate::domain::{Event, Timestamp};

/// Bytes of events in one block: what one damaged block may cost.
const BLOCK: usize = 256 << 10;
/// A segment that has grown to this many bytes is closed.
const SEGMENT: u64 = 8 << 20;
/// Bytes of a block before its compressed events.
const BLOCK_HEAD: usize = 24;
/// A block never unpacks to more; a longer one is damage.
const LONGEST_BLOCK: u64 = 128 << 20;

/// One segment file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) first: u64,
    /// One after its last event.
    pub(super) until: u64,
    pub(super) last_at: Timestamp,
    pub(super) bytes: u64,
}

/// The history, open for writing at its end.
#[derive(Debug)]
pub(super) struct History {
    dir: PathBuf,
    pub(super) segments: VecDeque<Segment>,
    /// The first event number that is not here.
    pub(super) until: u64,
}

impl History {
    pub(super) fn new(dir: PathBuf, segments: VecDeque<Segment>, until: u64) -> Self {
        Self { dir, segments, until }
    }

    /// The first event that is kept; `until` when none is.
    pub(super) fn from(&self) -> u64 {
        self.segments.front().map_or(self.until, |segment| segment.first)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Adds events, durably; those that are already here are left out.
    pub(super) fn append(&mut self, events: &[RawEvent]) -> io::Result<()> {
        let start = events.partition_point(|event| event.seq < self.until);
        let mut rest = &events[start..];
        while !rest.is_empty() {
            let mut size = 0;
            let count = rest.iter().take_while(|event| {
                let fits = size < BLOCK;
                size += event.bytes.len() + 20;
                fits
            });
            let (block, later) = rest.split_at(count.count());
            self.append_block(&write_block(block, self.until)?)?;
            rest = later;
        }
        Ok(())
    }

    /// Adds a block that was checked before, durably.
    pub(super) fn append_block(&mut self, block: &Frame) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame::put(&mut bytes, Kind::History, block.index, block.tag, &block.data);
        let fresh = self.segments.back().is_none_or(|segment| segment.bytes >= SEGMENT);
        if fresh {
            let path = path(&self.dir, block.index);
            let (first, until) = (block.index, block.index);
            self.segments.push_back(Segment { path, first, until, last_at: Timestamp::EPOCH, bytes: 0 });
        }
        let Some(segment) = self.segments.back_mut() else { return Ok(()) };
        let mut file = OpenOptions::new().create(true).append(true).open(&segment.path)?;
        // What an append that failed half-way left behind.
        file.set_len(segment.bytes)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        if fresh {
            sync_dir(&segment.path)?;
        }
        segment.bytes += bytes.len() as u64;
        segment.until = block.tag + 1;
        segment.last_at = last_at(block);
        self.until = segment.until;
        Ok(())
    }

    /// The segments that are too old or too many; the caller moves its marks first, then removes them.
    pub(super) fn outdated(&self, now: Timestamp, age: Duration, bytes: u64) -> Vec<Segment> {
        let mut total = self.bytes();
        let mut out = Vec::new();
        for segment in &self.segments {
            if segment.last_at >= now - age && total <= bytes {
                break;
            }
            total -= segment.bytes;
            out.push(segment.clone());
        }
        out
    }

    /// Removes the oldest `count` segments.
    pub(super) fn drop_oldest(&mut self, count: usize) -> io::Result<()> {
        for segment in self.segments.drain(..count) {
            fs::remove_file(&segment.path)?;
        }
        Ok(())
    }
}

/// The block of these events (never empty), which follows event number `follows`.
fn write_block(events: &[RawEvent], follows: u64) -> io::Result<Frame> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Err(io::Error::other("an empty block"));
    };
    let mut data = follows.to_be_bytes().to_vec();
    // A clock may step back between two events.
    let earliest = events.iter().map(|event| event.now).min().unwrap_or_default();
    let latest = events.iter().map(|event| event.now).max().unwrap_or_default();
    data.extend_from_slice(&earliest.millis().to_be_bytes());
    data.extend_from_slice(&latest.millis().to_be_bytes());
    let mut packer = DeflateEncoder::new(data, Compression::fast());
    for event in events {
        packer.write_all(&event.seq.to_be_bytes())?;
        packer.write_all(&event.now.millis().to_be_bytes())?;
        packer.write_all(&(event.bytes.len() as u32).to_be_bytes())?;
        packer.write_all(&event.bytes)?;
    }
    Ok(Frame { kind: Kind::History, index: first.seq, tag: last.seq, data: packer.finish()? })
}

/// The events of a block.
pub(super) fn read_block(block: &Frame) -> Result<Vec<RawEvent>, FrameError> {
    const NONSENSE: FrameError = FrameError::Damaged("a block makes no sense");
    let packed = block.data.get(BLOCK_HEAD..).ok_or(NONSENSE)?;
    let mut bytes = Vec::new();
    DeflateDecoder::new(packed).take(LONGEST_BLOCK).read_to_end(&mut bytes).map_err(|_| NONSENSE)?;
    let mut from = Reader(&bytes);
    let mut events = Vec::new();
    while !from.0.is_empty() {
        let mut event = || {
            let seq = from.u64()?;
            let now = Timestamp::from_millis(from.u64()? as i64);
            let length = from.u32()? as usize;
            Ok::<_, super::batch::Nonsense>(RawEvent { seq, now, bytes: from.exactly(length)?.to_vec() })
        };
        events.push(event().map_err(|_| NONSENSE)?);
    }
    Ok(events)
}

fn last_at(block: &Frame) -> Timestamp {
    Timestamp::from_millis(u64_at(&block.data, 16) as i64)
}

/// The names of the segments in `dir`, oldest first; none when there is no such directory.
pub(super) fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "seg") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// All blocks of a segment in order, and what is wrong with it, if anything.
#[derive(Debug)]
pub(super) struct Walk {
    /// The blocks that are whole.
    pub(super) blocks: Vec<Frame>,
    /// What is wrong.
    pub(super) wrong: Option<&'static str>,
}

/// Reads a segment to its end; where it is damaged, everything that can be found behind.
pub(super) fn walk(path: &Path) -> Result<Walk, StoreError> {
    let mut from = BufReader::new(File::open(path).saying("open", path)?);
    let mut blocks: Vec<Frame> = Vec::new();
    loop {
        match frame::read(&mut from) {
            Ok(None) => return Ok(Walk { blocks, wrong: None }),
            Ok(Some(block)) if block.kind == Kind::History && block.data.len() >= BLOCK_HEAD => blocks.push(block),
            Ok(Some(_)) => return rest(path, "a strange block"),
            Err(error) => return rest(path, damage_or_end(error, path)?),
        }
    }
}

fn rest(path: &Path, wrong: &'static str) -> Result<Walk, StoreError> {
    let mut from = BufReader::new(File::open(path).saying("open", path)?);
    let mut blocks: Vec<Frame> = Vec::new();
    frame::scan(&mut from, |block| {
        let ascends = blocks.last().is_none_or(|last| last.tag < block.index);
        if block.kind == Kind::History && block.data.len() >= BLOCK_HEAD && ascends {
            blocks.push(block);
        }
    })
    .saying("read", path)?;
    Ok(Walk { blocks, wrong: Some(wrong) })
}

/// What a segment holds, without its events.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) path: PathBuf,
    pub(super) blocks: Vec<BlockHead>,
    /// What is wrong with it.
    pub(super) wrong: Option<&'static str>,
}

/// Where a block stands in the row.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockHead {
    pub(super) index: u64,
    /// One after its last event.
    pub(super) until: u64,
    /// One after the last event of the block before.
    pub(super) follows: u64,
    last_at: Timestamp,
    bytes: u64,
}

impl BlockHead {
    fn of(block: &Frame) -> Self {
        Self {
            index: block.index,
            until: block.tag + 1,
            follows: u64_at(&block.data, 0),
            last_at: last_at(block),
            bytes: (frame::HEAD + block.data.len()) as u64,
        }
    }
}

impl Survey {
    /// Reads a segment to its end.
    pub(super) fn of(path: &Path) -> Result<Self, StoreError> {
        let walk = walk(path)?;
        let blocks = walk.blocks.iter().map(BlockHead::of).collect();
        Ok(Self { path: path.to_owned(), blocks, wrong: walk.wrong })
    }

    /// The segment, under this path.
    pub(super) fn segment(&self, path: PathBuf) -> Option<Segment> {
        Some(Segment {
            path,
            first: self.blocks.first()?.index,
            until: self.blocks.last()?.until,
            last_at: self.blocks.iter().map(|block| block.last_at).max()?,
            bytes: self.blocks.iter().map(|block| block.bytes).sum(),
        })
    }
}

/// Writes at `to` the good blocks of a segment (first event, what it follows) anew; none = the segment goes.
pub(super) fn rewrite(from: &Path, to: &Path, good: &[(u64, u64)]) -> Result<Option<Segment>, StoreError> {
    let mut blocks = Vec::new();
    let mut bytes = Vec::new();
    for mut block in walk(from)?.blocks {
        let ascends = blocks.last().is_none_or(|last: &BlockHead| last.until <= block.index);
        let Some((_, follows)) = good.iter().find(|(index, _)| ascends && *index == block.index) else { continue };
        if let Some(place) = block.data.get_mut(..8) {
            place.copy_from_slice(&follows.to_be_bytes());
        }
        frame::put(&mut bytes, Kind::History, block.index, block.tag, &block.data);
        blocks.push(BlockHead::of(&block));
    }
    if blocks.is_empty() {
        if from == to {
            fs::remove_file(from).saying("remove", from)?;
        }
        return Ok(None);
    }
    let Some(index) = blocks.first().map(|block| block.index) else { return Ok(None) };
    let to = path(to.parent().unwrap_or(to), index);
    let fresh = to.with_extension("new");
    let write = || {
        let mut file = File::create(&fresh)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, &to)?;
        if from != to && from.parent() == to.parent() {
            fs::remove_file(from)?;
        }
        sync_dir(&to)
    };
    write().saying("write", &to)?;
    Ok(Survey { path: to.clone(), blocks, wrong: None }.segment(to))
}

/// The path of the segment that begins with this event.
pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.seg"))
}

/// An event of the past.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// Its number.
    pub seq: u64,
    /// When it was taken, by the shell's clock.
    pub taken: Timestamp,
    /// The event.
    pub event: Event,
}

/// Reads the history under the data directory `dir`: the events taken in `from..until`, in order of number.
///
/// Events that are still in the journal are not in it; [`super::Store::spill`] moves them. A damaged piece is one `Err`
/// and reading goes on behind it; nothing is moved.
///
/// # Errors
/// When the directory cannot be listed.
pub fn read(
    dir: &Path,
    from: Timestamp,
    until: Timestamp,
) -> Result<impl Iterator<Item = Result<Past, Damage>> + use<>, StoreError> {
    let dir = dir.join("history");
    let segments = list(&dir).saying("list", &dir)?;
    Ok(segments.into_iter().flat_map(move |path| segment_events(&path, from, until)))
}

/// Reads the end of the history: at least its latest `count` events, where there are so many, and whether there are older
/// ones. Of what is older no more than a segment is read.
///
/// # Errors
/// When the directory cannot be listed.
pub fn latest(
    dir: &Path,
    count: u64,
) -> Result<(impl Iterator<Item = Result<Past, Damage>> + use<>, bool), StoreError> {
    let dir = dir.join("history");
    let mut segments = list(&dir).saying("list", &dir)?;
    let firsts: Vec<u64> = segments.iter().map(|path| first_of(path).unwrap_or(0)).collect();
    let last = firsts.last().copied().unwrap_or(0);
    // How many events the last segment has is not known before it is read: it counts for none.
    let from = firsts.iter().rposition(|first| last - first.min(&last) >= count).unwrap_or(0);
    let read = segments.split_off(from);
    let events = read.into_iter().flat_map(move |path| segment_events(&path, Timestamp::EPOCH, Timestamp::MAX));
    Ok((events, from > 0))
}

/// The first event of a segment, by its name.
fn first_of(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

fn segment_events(path: &Path, from: Timestamp, until: Timestamp) -> Vec<Result<Past, Damage>> {
    let walk = match walk(path) {
        Ok(walk) => walk,
        Err(error) => return vec![Err(damaged(path, error.to_string()))],
    };
    let mut events: Vec<_> = walk.wrong.map(|what| Err(damaged(path, what.into()))).into_iter().collect();
    for block in walk.blocks.iter().filter(|block| last_at(block) >= from) {
        match read_block(block) {
            Err(error) => events.push(Err(damaged(path, error.to_string()))),
            Ok(raw) => events.extend(
                raw.into_iter().filter(|event| from <= event.now && event.now < until).map(|raw| past(path, &raw)),
            ),
        }
    }
    events
}

fn past(path: &Path, raw: &RawEvent) -> Result<Past, Damage> {
    let event =
        super::batch::event(&raw.bytes).map_err(|_| damaged(path, format!("event {} makes no sense", raw.seq)))?;
    Ok(Past { seq: raw.seq, taken: raw.now, event })
}

fn damaged(path: &Path, what: String) -> Damage {
    Damage {
        what,
        place: path.to_owned(),
        means: "some past events of this segment cannot be read".into(),
        loss: Loss::History,
        kept: Some(path.to_owned()),
    }
}
