//! The lines of a file, or of the standard input: plain, gzip or zstd, as its first bytes say.
//!
//! They are read in batches: at least one, and further ones as far as they are in memory, so that a line that a pipe has
//! brought never waits for the next one.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use memchr::memchr;

#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct ReadError {
    path: PathBuf,
    error: io::Error,
}

/// Reads the lines of one file.
pub struct LineReader {
    path: PathBuf,
    content: BufReader<Box<dyn Read>>,
    bytes_total: u64,
    bytes_read: Rc<Cell<u64>>,
    lines_read: u64,
}

/// Lines that were read together, without their line ends.
#[derive(Debug, Default)]
pub struct LineBatch {
    bytes: Vec<u8>,
    /// Where each line ends in the bytes.
    ends: Vec<usize>,
    /// How many lines of the file come before.
    lines_before: u64,
}

impl LineBatch {
    fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.ends.push(self.bytes.len());
    }

    /// The lines.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[*start..*end])
    }

    /// A line by its place in the batch.
    pub fn line(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    /// The number in the file of the line at a place in the batch, from 1.
    pub fn number(&self, index: usize) -> u64 {
        self.lines_before + index as u64 + 1
    }
}

const BUFFER_BYTES: usize = 1 << 17;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

impl LineReader {
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let fail = |error| ReadError { path: path.to_owned(), error };
        let bytes_read = Rc::new(Cell::new(0));
        let (source, bytes_total): (Box<dyn Read>, u64) = if path == Path::new("-") {
            (Box::new(io::stdin().lock()), 0)
        } else {
            let file = File::open(path).map_err(fail)?;
            let bytes = file.metadata().map_err(fail)?.len();
            (Box::new(file), bytes)
        };
        let source: Box<dyn Read> = Box::new(CountingReader { source, bytes_read: bytes_read.clone() });
        let mut plain = BufReader::with_capacity(BUFFER_BYTES, source);
        let start = plain.fill_buf().map_err(fail)?;
        let content = if start.starts_with(GZIP) {
            buffered(flate2::bufread::MultiGzDecoder::new(plain))
        } else if start.starts_with(ZSTD) {
            buffered(zstd::stream::read::Decoder::with_buffer(plain).map_err(fail)?)
        } else {
            plain
        };
        Ok(LineReader { path: path.to_owned(), content, bytes_total, bytes_read, lines_read: 0 })
    }

    /// Replaces the batch by the next lines, `most` of them or fewer; false at the end of the file.
    pub fn read_batch(&mut self, batch: &mut LineBatch, most: usize) -> Result<bool, ReadError> {
        batch.bytes.clear();
        batch.ends.clear();
        batch.lines_before = self.lines_read;
        if memchr(b'\n', self.content.buffer()).is_none() {
            let read = self.content.read_until(b'\n', &mut batch.bytes);
            if read.map_err(|error| ReadError { path: self.path.clone(), error })? > 0 {
                batch.bytes.pop_if(|last| *last == b'\n');
                batch.ends.push(batch.bytes.len());
            }
        }
        while batch.ends.len() < most
            && let Some(len) = memchr(b'\n', self.content.buffer())
        {
            batch.push(&self.content.buffer()[..len]);
            self.content.consume(len + 1);
        }
        self.lines_read += batch.ends.len() as u64;
        Ok(!batch.ends.is_empty())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's size on the disk; 0 for the standard input.
    pub fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.get()
    }
}

fn buffered(content: impl Read + 'static) -> BufReader<Box<dyn Read>> {
    BufReader::with_capacity(BUFFER_BYTES, Box::new(content))
}

struct CountingReader {
    source: Box<dyn Read>,
    bytes_read: Rc<Cell<u64>>,
}

impl Read for CountingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.bytes_read.set(self.bytes_read.get() + read as u64);
        Ok(read)
    }
}
