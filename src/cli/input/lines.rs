//! The lines of several files, read one after the other.

use std::path::PathBuf;

use crate::cli::output::progress::Progress;
use crate::replay::{LineReader, ReadError};

/// Passes every line to `each`; on a terminal a bar shows the progress.
pub(crate) fn each_line<E: From<ReadError>>(
    paths: &[PathBuf],
    mut each: impl FnMut(&[u8], &LineReader) -> Result<(), E>,
) -> Result<(), E> {
    let files = paths.iter().map(|path| LineReader::open(path)).collect::<Result<Vec<_>, _>>()?;
    let mut progress = Progress::of_bytes(files.iter().map(LineReader::bytes_total).sum());
    let (mut line, mut bytes_before) = (Vec::new(), 0);
    for mut file in files {
        while file.read_line(&mut line)? {
            progress.event(|| bytes_before + file.bytes_read());
            each(&line, &file)?;
        }
        bytes_before += file.bytes_read();
    }
    progress.finish();
    Ok(())
}
