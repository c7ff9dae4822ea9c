//! The lines of several files, read one after the other.

use std::path::{Path, PathBuf};

use crate::cli::output::progress::Progress;
use crate::engine::Partition;
use crate::replay::{LineBatch, LineReader, ReadError};

/// Passes all lines to `each`, some of them at a time, with the path of their file; on a terminal a bar shows the
/// progress.
pub(crate) fn each_batch<E: From<ReadError>>(
    paths: &[PathBuf],
    mut each: impl FnMut(&LineBatch, &Path) -> Result<(), E>,
) -> Result<(), E> {
    let files = paths.iter().map(|path| LineReader::open(path)).collect::<Result<Vec<_>, _>>()?;
    let mut progress = Progress::of_bytes(files.iter().map(LineReader::bytes_total).sum());
    let (mut batch, mut bytes_before) = (LineBatch::default(), 0);
    for mut file in files {
        while file.read_batch(&mut batch, Partition::FETCHED)? {
            progress.count(batch.lines().count(), || bytes_before + file.bytes_read());
            each(&batch, file.path())?;
        }
        bytes_before += file.bytes_read();
    }
    progress.finish();
    Ok(())
}

/// Passes every line to `each`, with its number and the path of its file.
pub(crate) fn each_line<E: From<ReadError>>(
    paths: &[PathBuf],
    mut each: impl FnMut(&[u8], u64, &Path) -> Result<(), E>,
) -> Result<(), E> {
    each_batch(paths, |batch, path| {
        batch.lines().enumerate().try_for_each(|(index, line)| each(line, batch.number(index), path))
    })
}
