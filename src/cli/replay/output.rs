//! The output of a replay: changes, rejected lines, and the counts for the summary.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::summary::Summary;
use crate::cli::output::reject_counts::RejectCounts;
use crate::codec::{RejectedLine, write_change, write_reject};
use crate::engine::Sink;
use crate::model::TagChange;

#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub(crate) struct OutputError {
    path: PathBuf,
    error: io::Error,
}

impl OutputError {
    /// Whether the reader of the standard output has closed it.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.error.kind() == io::ErrorKind::BrokenPipe
    }
}

/// A file of lines or the standard output.
struct LineFile {
    path: PathBuf,
    writer: Box<dyn Write>,
}

const BUFFER_BYTES: usize = 1 << 16;

impl LineFile {
    /// A file that is none of those which are `read`, or the standard output for `-`.
    fn of(path: &Path, read: &[&Path]) -> Result<Self, OutputError> {
        if path == Path::new("-") {
            return Ok(LineFile::standard_output());
        }
        if read.iter().any(|read| is_same_file(path, read)) {
            let error = io::Error::other("the replay reads this file, so it is not written: name another one");
            return Err(OutputError { path: path.to_owned(), error });
        }
        LineFile::create(path)
    }

    fn create(path: &Path) -> Result<Self, OutputError> {
        let file = File::create(path).map_err(|error| OutputError { path: path.to_owned(), error })?;
        Ok(LineFile { path: path.to_owned(), writer: Box::new(BufWriter::with_capacity(BUFFER_BYTES, file)) })
    }

    fn standard_output() -> Self {
        let writer = BufWriter::with_capacity(BUFFER_BYTES, io::stdout());
        LineFile { path: PathBuf::from("standard output"), writer: Box::new(writer) }
    }

    fn write(&mut self, line: &[u8]) -> Result<(), OutputError> {
        self.writer.write_all(line).map_err(|error| OutputError { path: self.path.clone(), error })
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        self.writer.flush().map_err(|error| OutputError { path: self.path.clone(), error })
    }
}

/// Where rejected lines go.
enum Rejects {
    Nowhere,
    ToFile(LineFile),
    /// Both to the same file or to the standard output: one writer keeps their lines whole.
    AmongChanges,
}

/// Writes the changes of a replay. A sink cannot fail, so the first error is kept until [`ReplayOutput::check`].
pub(crate) struct ReplayOutput {
    changes: LineFile,
    rejects: Rejects,
    summary: Option<Summary>,
    rejected: RejectCounts,
    line: Vec<u8>,
    error: Option<OutputError>,
}

impl ReplayOutput {
    /// Empties the files that are to be written. `read`: the files that the replay reads.
    ///
    /// # Errors
    /// A file that cannot be created, or that is read.
    pub(crate) fn open(
        changes: Option<&Path>,
        rejects: Option<&Path>,
        summary: Option<Summary>,
        read: &[&Path],
    ) -> Result<Self, OutputError> {
        let changes_path = changes.unwrap_or(Path::new("-"));
        let changes = LineFile::of(changes_path, read)?;
        Ok(ReplayOutput {
            rejects: match rejects {
                None => Rejects::Nowhere,
                Some(path) if path == changes_path || is_same_file(path, changes_path) => Rejects::AmongChanges,
                Some(path) => Rejects::ToFile(LineFile::of(path, read)?),
            },
            changes,
            summary,
            rejected: RejectCounts::default(),
            line: Vec::new(),
            error: None,
        })
    }

    pub(crate) fn reject(&mut self, rejected: &RejectedLine<'_>) {
        self.rejected.count(rejected.reason);
        let rejects = match &mut self.rejects {
            Rejects::Nowhere => return,
            Rejects::ToFile(file) => file,
            Rejects::AmongChanges => &mut self.changes,
        };
        self.line.clear();
        write_reject(rejected, &mut self.line);
        self.line.push(b'\n');
        let written = rejects.write(&self.line);
        self.keep(written);
    }

    pub(crate) fn rejected(&self) -> &RejectCounts {
        &self.rejected
    }

    pub(crate) fn summary_table(&self) -> Option<String> {
        self.summary.as_ref().map(Summary::table)
    }

    fn keep(&mut self, written: Result<(), OutputError>) {
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
    }

    /// The first error so far.
    pub(crate) fn check(&mut self) -> Result<(), OutputError> {
        self.error.take().map_or(Ok(()), Err)
    }

    pub(crate) fn finish(&mut self) -> Result<(), OutputError> {
        self.check()?;
        if let Rejects::ToFile(rejects) = &mut self.rejects {
            rejects.flush()?;
        }
        self.changes.flush()
    }
}

/// Whether two paths lead to the same file, which exists.
fn is_same_file(a: &Path, b: &Path) -> bool {
    let found = |path: &Path| path.is_file().then(|| path.canonicalize().ok()).flatten();
    found(a).is_some_and(|a| found(b) == Some(a))
}

impl Sink for ReplayOutput {
    fn change(&mut self, change: &TagChange<'_>) {
        self.line.clear();
        write_change(change, &mut self.line);
        self.line.push(b'\n');
        let written = self.changes.write(&self.line);
        self.keep(written);
        if let Some(summary) = &mut self.summary {
            summary.count(change);
        }
    }
}
