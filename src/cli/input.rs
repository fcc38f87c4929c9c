//! Recorded events from files or standard input: unpacked, line by line, within bounds.
//!
//! What is packed is known by its first bytes, not by its name. Deliberately without any idea of what a line says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use indicatif::ProgressBar;
use ruzstd::decoding::StreamingDecoder;

use super::fault::Fault;

/// Longer lines are no events: 1 MiB. So a broken file cannot fill the memory.
pub(super) const LONGEST_LINE: usize = 1 << 20;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// One input, line by line.
pub(super) struct Lines {
    reader: Box<dyn BufRead>,
    path: PathBuf,
    number: u64,
    buffer: Vec<u8>,
}

/// A line that is not blank.
pub(super) struct Line<'a> {
    /// Its number in its file, from 1, blank ones counted.
    pub(super) number: u64,
    /// Its bytes without the line end; `None` = longer than [`LONGEST_LINE`].
    pub(super) bytes: Option<&'a [u8]>,
}

impl Lines {
    /// Opens a file, or standard input for `-`. The bar moves with the bytes of the file as they are read.
    ///
    /// # Errors
    /// When it cannot be opened, or what it is packed with cannot be read.
    pub(super) fn open(path: &Path, bar: &ProgressBar) -> Result<Self, Fault> {
        Ok(Self { reader: open(path, bar)?, path: path.to_owned(), number: 0, buffer: Vec::new() })
    }

    /// The next line that is not blank; `None` at the end.
    ///
    /// # Errors
    /// When the input cannot be read on, or is packed wrongly.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, Fault> {
        loop {
            self.buffer.clear();
            let fits = match self.fill() {
                Ok(Some(fits)) => fits,
                Ok(None) => return Ok(None),
                Err(error) => return Err(self.broken(&error)),
            };
            self.number += 1;
            if self.number == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            if !fits {
                return Ok(Some(Line { number: self.number, bytes: None }));
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, bytes: Some(self.buffer.trim_ascii()) }));
            }
        }
    }

    fn broken(&self, error: &io::Error) -> Fault {
        let path = self.path.display();
        Fault::Wrong(format!("cannot read {path} beyond line {}: {error}", self.number))
    }

    /// Reads up to the next line end. `Some(false)` = the line is too long and was left out; `None` = the end.
    fn fill(&mut self) -> io::Result<Option<bool>> {
        let mut read_any = false;
        let mut fits = true;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(read_any.then_some(fits));
            }
            read_any = true;
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            fits = fits && self.buffer.len() + part.len() <= LONGEST_LINE;
            if fits {
                self.buffer.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(fits));
            }
        }
    }
}

/// Opens a file, or standard input for `-`, unpacked. The bar moves with the bytes of the file as they are read.
///
/// # Errors
/// When it cannot be opened, or what it is packed with cannot be read.
pub(super) fn open(path: &Path, bar: &ProgressBar) -> Result<Box<dyn BufRead>, Fault> {
    let fault = |error: &io::Error| Fault::file("read", path, error);
    let raw: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        let file = File::open(path).map_err(|error| fault(&error))?;
        if file.metadata().is_ok_and(|about| about.is_dir()) {
            return Err(Fault::Wrong(format!("cannot read {}: it is a directory", path.display())));
        }
        Box::new(bar.wrap_read(file))
    };
    unpacked(raw).map_err(|error| fault(&error))
}

/// A reader of what is inside, by the first bytes.
fn unpacked(mut raw: Box<dyn Read>) -> io::Result<Box<dyn BufRead>> {
    let mut head = Vec::new();
    raw.by_ref().take(4).read_to_end(&mut head)?;
    let (gzip, zstd) = (head.starts_with(GZIP), head.starts_with(ZSTD));
    let whole = BufReader::new(Cursor::new(head).chain(raw));
    Ok(if gzip {
        Box::new(BufReader::new(MultiGzDecoder::new(whole)))
    } else if zstd {
        Box::new(BufReader::new(ZstdFrames { frame: Some(frame(whole)?) }))
    } else {
        Box::new(whole)
    })
}

type Frame<R> = StreamingDecoder<R, ruzstd::decoding::FrameDecoder>;

/// Zstandard frames one after the other: the decoder itself stops after the first.
struct ZstdFrames<R: BufRead> {
    frame: Option<Frame<R>>,
}

fn frame<R: BufRead>(source: R) -> io::Result<Frame<R>> {
    StreamingDecoder::new(source).map_err(io::Error::other)
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(current) = &mut self.frame {
            let read = current.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let ended = self.frame.take().map(StreamingDecoder::into_inner);
            if let Some(mut source) = ended
                && !source.fill_buf()?.is_empty()
            {
                self.frame = Some(frame(source)?);
            }
        }
        Ok(0)
    }
}
