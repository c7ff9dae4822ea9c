//! Lines of a recorded file: plain, gzip or zstd by its first bytes, or the standard input.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use indicatif::{ProgressBar, ProgressStyle};

#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct InputError {
    path: PathBuf,
    error: io::Error,
}

/// One source of lines.
pub struct Input {
    path: PathBuf,
    lines: Box<dyn BufRead>,
    bytes_total: u64,
    bytes_read: Rc<Cell<u64>>,
    line_number: u64,
}

const BUFFER_BYTES: usize = 1 << 17;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

impl Input {
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let fail = |error| InputError { path: path.to_owned(), error };
        let bytes_read = Rc::new(Cell::new(0));
        let (source, bytes_total): (Box<dyn Read>, u64) = if path == Path::new("-") {
            (Box::new(io::stdin().lock()), 0)
        } else {
            let file = File::open(path).map_err(fail)?;
            let bytes = file.metadata().map_err(fail)?.len();
            (Box::new(file), bytes)
        };
        let counted = Counted { source, bytes_read: bytes_read.clone() };
        let mut plain = BufReader::with_capacity(BUFFER_BYTES, counted);
        let start = plain.fill_buf().map_err(fail)?;
        let lines: Box<dyn BufRead> = if start.starts_with(GZIP) {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, flate2::bufread::MultiGzDecoder::new(plain)))
        } else if start.starts_with(ZSTD) {
            let decoder = zstd::stream::read::Decoder::with_buffer(plain).map_err(fail)?;
            Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))
        } else {
            Box::new(plain)
        };
        Ok(Input { path: path.to_owned(), lines, bytes_total, bytes_read, line_number: 0 })
    }

    /// Reads the next line without its end; false when there is none.
    pub fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool, InputError> {
        line.clear();
        let read = self.lines.read_until(b'\n', line);
        let read = read.map_err(|error| InputError { path: self.path.clone(), error })?;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        self.line_number += u64::from(read > 0);
        Ok(read > 0)
    }

    /// Counted from 1.
    pub fn line_number(&self) -> u64 {
        self.line_number
    }

    pub fn name(&self) -> &Path {
        &self.path
    }

    /// The file's size as it lies on the disk; 0 where there is no file.
    pub fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.get()
    }
}

/// How many lines lie between two looks at the progress bar.
const LINES_A_TICK: u64 = 4_096;

/// Hands out every line of files that are read one after the other; on a terminal a bar shows how far it is.
pub fn each_line<E: From<InputError>>(
    paths: &[PathBuf],
    mut each: impl FnMut(&[u8], &Input) -> Result<(), E>,
) -> Result<(), E> {
    let inputs = paths.iter().map(|path| Input::open(path)).collect::<Result<Vec<_>, _>>()?;
    let bar = progress_bar(inputs.iter().map(Input::bytes_total).sum());
    let (mut line, mut lines) = (Vec::new(), 0_u64);
    for mut input in inputs {
        let bytes_before = bar.position();
        while input.read_line(&mut line)? {
            lines += 1;
            if lines.is_multiple_of(LINES_A_TICK) {
                bar.set_position(bytes_before + input.bytes_read());
                bar.set_message(format!("{lines} events"));
            }
            each(&line, &input)?;
        }
        bar.set_position(bytes_before + input.bytes_read());
    }
    bar.finish_and_clear();
    Ok(())
}

/// Drawn on a terminal only.
fn progress_bar(bytes: u64) -> ProgressBar {
    styled(bytes, "{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {msg}  {eta} left")
}

fn styled(total: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// How far the records of a topic have been read.
pub struct RecordsBar(ProgressBar);

/// A bar over so many offsets, drawn on a terminal only.
pub fn records_bar(total: u64) -> RecordsBar {
    RecordsBar(styled(total, "{bar:30} {human_pos}/{human_len} offsets  {per_sec}  {msg}  {eta} left"))
}

impl RecordsBar {
    pub fn tick(&self, events: u64, offsets: u64) {
        if events.is_multiple_of(LINES_A_TICK) {
            self.0.set_position(offsets);
            self.0.set_message(format!("{events} events"));
        }
    }

    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

struct Counted {
    source: Box<dyn Read>,
    bytes_read: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.bytes_read.set(self.bytes_read.get() + read as u64);
        Ok(read)
    }
}
