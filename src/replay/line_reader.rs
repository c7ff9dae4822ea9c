//! The lines of a file, or of the standard input: plain, gzip or zstd, as its first bytes say.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct ReadError {
    path: PathBuf,
    error: io::Error,
}

/// Reads one file line by line.
pub struct LineReader {
    path: PathBuf,
    lines: Box<dyn BufRead>,
    bytes_total: u64,
    bytes_read: Rc<Cell<u64>>,
    line_number: u64,
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
        let counting = CountingReader { source, bytes_read: bytes_read.clone() };
        let mut plain = BufReader::with_capacity(BUFFER_BYTES, counting);
        let start = plain.fill_buf().map_err(fail)?;
        let lines: Box<dyn BufRead> = if start.starts_with(GZIP) {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, flate2::bufread::MultiGzDecoder::new(plain)))
        } else if start.starts_with(ZSTD) {
            let decoder = zstd::stream::read::Decoder::with_buffer(plain).map_err(fail)?;
            Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))
        } else {
            Box::new(plain)
        };
        Ok(LineReader { path: path.to_owned(), lines, bytes_total, bytes_read, line_number: 0 })
    }

    /// Reads the next line without its line end; false at the end of the file.
    pub fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool, ReadError> {
        line.clear();
        let read = self.lines.read_until(b'\n', line);
        let read = read.map_err(|error| ReadError { path: self.path.clone(), error })?;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        self.line_number += u64::from(read > 0);
        Ok(read > 0)
    }

    /// The number of the last line that was read, from 1.
    pub fn line_number(&self) -> u64 {
        self.line_number
    }

    pub fn name(&self) -> &Path {
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
