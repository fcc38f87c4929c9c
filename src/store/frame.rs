//! The frame: one checked piece of bytes, the only form in which the store writes anything.
//!
//! Journal chunks, snapshot parts, history blocks, the side file and backup archives are all made of frames, so one
//! reader checks them and one scanner finds them again in a damaged file. Deliberately without knowledge of what a
//! frame holds.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | `F5 53 51 4C` |
//! | 4 | version of the data |
//! | 5 | kind |
//! | 6..8 | zero |
//! | 8..16 | index: the number in its row |
//! | 16..24 | tag: the meaning depends on the kind |
//! | 24..28 | length of the data |
//! | 28..32 | CRC-32 of the data |
//! | 32..36 | CRC-32 of the 32 bytes before |
//!
//! All numbers are big-endian. This head is the same for all versions to come, so that an older program can always
//! say "newer" instead of "damaged".

use std::io::{self, Read};

/// The version that this program writes, and the newest that it reads.
pub(super) const VERSION: u8 = 1;
/// Bytes of a head.
pub(super) const HEAD: usize = 36;
/// The longest data; a longer claim is damage.
pub(super) const LONGEST: usize = 128 << 20;

const MAGIC: [u8; 4] = [0xF5, b'S', b'Q', b'L'];

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// A slot of the side file; index = how often it was written.
    Marks = 1,
    /// A part of a journal batch; index = the batch, tag = attempt (32 bits), part (16), parts (16).
    Chunk = 2,
    /// The head of a snapshot; index = 0, tag = its generation.
    SnapshotHead = 3,
    /// A part of a snapshot; index from 1 on, tag = records in it.
    SnapshotPart = 4,
    /// The end of a snapshot; index = after the last part, tag = all records.
    SnapshotEnd = 5,
    /// A block of history; index = its first event, tag = its last.
    History = 6,
    /// The head of a backup; index = 0.
    BackupHead = 7,
    /// A journal batch in a backup; index = the batch.
    BackupBatch = 8,
    /// The end of a backup; index = frames before it.
    BackupEnd = 9,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Marks,
        Self::Chunk,
        Self::SnapshotHead,
        Self::SnapshotPart,
        Self::SnapshotEnd,
        Self::History,
        Self::BackupHead,
        Self::BackupBatch,
        Self::BackupEnd,
    ];
}

/// A checked frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) index: u64,
    pub(super) tag: u64,
    pub(super) data: Vec<u8>,
}

/// A checked head; its data are still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) index: u64,
    pub(super) tag: u64,
    pub(super) len: usize,
    crc: u32,
}

/// Why bytes are no frame.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("{0}")]
    Damaged(&'static str),
    #[error("written by a newer version (form {0}; this program reads up to {VERSION})")]
    Newer(u8),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Head {
    /// Checks the head at the beginning of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        let Some(head) = bytes.first_chunk::<HEAD>() else { return Err(FrameError::Damaged("cut short in a head")) };
        if head[..4] != MAGIC {
            return Err(FrameError::Damaged("no frame where one should begin"));
        }
        if crc32fast::hash(&head[..32]) != u32_at(head, 32) {
            return Err(FrameError::Damaged("a head whose checksum is wrong"));
        }
        if head[4] > VERSION {
            return Err(FrameError::Newer(head[4]));
        }
        let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == head[5]);
        let len = u32_at(head, 24) as usize;
        match kind {
            Some(kind) if len <= LONGEST && head[4] != 0 => {
                Ok(Self { kind, index: u64_at(head, 8), tag: u64_at(head, 16), len, crc: u32_at(head, 28) })
            }
            _ => Err(FrameError::Damaged("a head that makes no sense")),
        }
    }

    /// Checks the data that belong to this head.
    pub(super) fn check(&self, data: &[u8]) -> Result<(), FrameError> {
        if data.len() != self.len {
            return Err(FrameError::Damaged("cut short"));
        }
        if crc32fast::hash(data) != self.crc {
            return Err(FrameError::Damaged("data whose checksum is wrong"));
        }
        Ok(())
    }
}

/// Adds a frame to `out`.
pub(super) fn put(out: &mut Vec<u8>, kind: Kind, index: u64, tag: u64, data: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[VERSION, kind as u8, 0, 0]);
    out.extend_from_slice(&index.to_be_bytes());
    out.extend_from_slice(&tag.to_be_bytes());
    // Callers keep data below LONGEST, far below 4 GB.
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(data).to_be_bytes());
    let crc = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&crc.to_be_bytes());
    out.extend_from_slice(data);
}

/// The frame at the beginning of `bytes`, and how many bytes it takes.
pub(super) fn take(bytes: &[u8]) -> Result<(Frame, usize), FrameError> {
    let head = Head::read(bytes)?;
    let data = bytes.get(HEAD..HEAD + head.len).ok_or(FrameError::Damaged("cut short"))?;
    head.check(data)?;
    Ok((Frame { kind: head.kind, index: head.index, tag: head.tag, data: data.to_vec() }, HEAD + head.len))
}

/// The next frame of a stream; `None` at its end.
pub(super) fn read(from: &mut impl Read) -> Result<Option<Frame>, FrameError> {
    let mut bytes = [0; HEAD];
    let got = read_full(from, &mut bytes)?;
    if got == 0 {
        return Ok(None);
    }
    let head = Head::read(&bytes[..got])?;
    let mut data = Vec::new();
    from.take(head.len as u64).read_to_end(&mut data)?;
    head.check(&data)?;
    Ok(Some(Frame { kind: head.kind, index: head.index, tag: head.tag, data }))
}

/// Every whole frame that can be found in a stream, wherever it begins: how a file is read that its own reader
/// cannot read any more. Returns the newest version met that this program cannot read.
pub(super) fn scan(from: &mut impl Read, mut found: impl FnMut(Frame)) -> io::Result<Option<u8>> {
    const WINDOW: usize = 1 << 20;
    let mut window = Vec::new();
    let mut newer = None;
    let mut at = 0;
    let mut ended = false;
    loop {
        if !ended && window.len() - at < WINDOW {
            window.drain(..at);
            at = 0;
            ended = fill(from, &mut window, WINDOW)?;
        }
        let Some(offset) = window[at..].iter().position(|byte| *byte == MAGIC[0]) else {
            at = window.len();
            if ended {
                return Ok(newer);
            }
            continue;
        };
        at += offset;
        if let Ok(head) = Head::read(&window[at..])
            && !ended
            && window.len() - at < HEAD + head.len
        {
            window.drain(..at);
            at = 0;
            ended = fill(from, &mut window, HEAD + head.len)?;
        }
        at += match take(&window[at..]) {
            Ok((frame, length)) => {
                found(frame);
                length
            }
            Err(FrameError::Newer(version)) => {
                newer = newer.max(Some(version));
                HEAD
            }
            Err(_) if !ended && window.len() - at < HEAD => 0,
            Err(_) => 1,
        };
    }
}

/// Reads up to `more` bytes; true at the end of the stream.
fn fill(from: &mut impl Read, window: &mut Vec<u8>, more: usize) -> io::Result<bool> {
    Ok(from.take(more as u64).read_to_end(window)? < more)
}

fn read_full(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match from.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// The big-endian number at `at`; callers have checked the length.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|part| part.first_chunk()).map_or(0, |part| u64::from_be_bytes(*part))
}

/// The big-endian number at `at`; callers have checked the length.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|part| part.first_chunk()).map_or(0, |part| u32::from_be_bytes(*part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_found_again_between_any_rubbish() {
        let mut bytes = vec![0xF5; 7];
        for index in 0..5_000_u64 {
            put(&mut bytes, Kind::Chunk, index, 3, &vec![0xF5; (index % 900) as usize]);
            bytes.extend_from_slice(&MAGIC[..(index % 5) as usize % 4]);
        }
        let mut found = Vec::new();
        let newer = scan(&mut bytes.as_slice(), |frame| found.push(frame.index)).unwrap();
        assert_eq!(newer, None);
        assert_eq!(found, (0..5_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_flipped_bit_anywhere_is_seen() {
        let mut bytes = Vec::new();
        put(&mut bytes, Kind::History, 7, 9, b"what was said");
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(take(&damaged).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(take(&bytes[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_newer_frame_is_newer_and_not_damaged() {
        let mut bytes = Vec::new();
        put(&mut bytes, Kind::Marks, 1, 0, b"");
        bytes[4] = VERSION + 1;
        let crc = crc32fast::hash(&bytes[..32]);
        bytes[32..36].copy_from_slice(&crc.to_be_bytes());
        assert!(matches!(take(&bytes), Err(FrameError::Newer(2))));
        assert_eq!(scan(&mut bytes.as_slice(), |_| ()).unwrap(), Some(2));
    }
}
