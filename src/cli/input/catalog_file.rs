//! A catalog file, read and checked for a command.

use std::io::{IsTerminal, Read};
use std::path::Path;

use serde_json::Value as Json;

use super::models::{ModelAccess, Runnable};
use crate::catalog::{self, Colours, LoadedCatalog, Severity};
use crate::cli::output::console::print_error;
use crate::http::CatalogErrors;
use crate::scoring::Models;

/// A file is read up to this size; no catalog is nearly as large.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("can't read {0}: {1}")]
    Unreadable(String, std::io::Error),
    #[error("can't read {0}: it is not a plain file")]
    NotPlain(String),
    #[error("`-` is given {0} times, but the standard input can be read once: give a file instead of the others")]
    StdinTaken(usize),
    #[error("{0} is not UTF-8: the byte {1} belongs to no character (line {2})")]
    NotUtf8(String, usize, usize),
}

/// A catalog file that was read and checked.
pub(crate) struct CatalogFile {
    pub name: String,
    pub text: String,
    pub loaded: LoadedCatalog,
    pub models: Models,
}

impl CatalogFile {
    /// Reads a file, or the standard input for `-`, and its models.
    pub(crate) fn open(path: &Path, access: &ModelAccess) -> Result<Self, FileError> {
        let name = display_name(path);
        let text = read(path, &name)?;
        let mut loaded = catalog::load(&text);
        let models = access.open(path, &text, &mut loaded);
        Ok(CatalogFile { name, text, loaded, models })
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.loaded.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    /// All problems, for people.
    pub(crate) fn report(&self, colours: Colours) -> String {
        catalog::as_text(&self.name, &self.text, &self.loaded.problems, colours)
    }
}

/// Why a catalog file cannot be used.
#[derive(Debug)]
pub(crate) enum LoadError {
    File(FileError),
    /// The catalog has errors.
    Problems {
        /// For people.
        report: String,
        /// For programs, as `check --format json` prints them.
        documents: Vec<Json>,
    },
}

impl LoadError {
    /// The text for the standard error.
    pub(crate) fn report(&self) -> String {
        match self {
            LoadError::File(error) => format!("tagstream: error: {error}\n"),
            LoadError::Problems { report, .. } => report.clone(),
        }
    }

    /// The answer to a request to reload the catalog.
    pub(crate) fn into_catalog_errors(self) -> CatalogErrors {
        match self {
            LoadError::File(error) => CatalogErrors { report: error.to_string(), problems: Vec::new() },
            LoadError::Problems { report, documents } => CatalogErrors { report, problems: documents },
        }
    }
}

/// Loads the catalog that a command needs; prints its problems and returns `None` where it has errors.
pub(crate) fn require(path: &Path, access: &ModelAccess) -> Option<Runnable> {
    let colours = colours(std::io::stderr().is_terminal());
    load(path, access, colours).inspect_err(|error| print_error(&error.report(), colours)).ok()
}

/// Loads a catalog and its models.
///
/// # Errors
/// The file cannot be read, or the catalog has errors.
pub(crate) fn load(path: &Path, access: &ModelAccess, colours: Colours) -> Result<Runnable, LoadError> {
    let file = CatalogFile::open(path, access).map_err(LoadError::File)?;
    let report = file.report(colours);
    let CatalogFile { loaded: LoadedCatalog { catalog, problems, .. }, models, .. } = file;
    catalog
        .map(|catalog| Runnable { catalog, models })
        .ok_or_else(|| LoadError::Problems { report, documents: problems.iter().map(catalog::as_json).collect() })
}

/// Colours for a terminal, unless `NO_COLOR` is set.
pub(crate) fn colours(is_terminal: bool) -> Colours {
    let wanted = is_terminal && std::env::var_os("NO_COLOR").is_none();
    if wanted { Colours::On } else { Colours::Off }
}

pub(crate) fn display_name(path: &Path) -> String {
    if path == Path::new("-") { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// Checks that no more than one of the paths is the standard input.
///
/// # Errors
/// More of them are.
pub(crate) fn check_stdin<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<(), FileError> {
    match paths.filter(|path| *path == Path::new("-")).count() {
        0 | 1 => Ok(()),
        count => Err(FileError::StdinTaken(count)),
    }
}

/// Checks that a path is a plain file, if it exists: other files, such as a FIFO without a writer, may block a read for
/// ever.
///
/// # Errors
/// It is something else.
pub(crate) fn check_plain(path: &Path) -> Result<(), FileError> {
    let is_plain = std::fs::metadata(path).map_or(true, |metadata| metadata.is_file());
    is_plain.then_some(()).ok_or_else(|| FileError::NotPlain(display_name(path)))
}

/// The text of a plain file, or of the standard input for `-`, `/dev/stdin` and the shell's `<(command)`.
pub(crate) fn read(path: &Path, name: &str) -> Result<String, FileError> {
    let unreadable = |error| FileError::Unreadable(name.to_owned(), error);
    let mut bytes = Vec::new();
    let is_stream = path == Path::new("/dev/stdin") || path.starts_with("/dev/fd");
    if path != Path::new("-") && !is_stream {
        check_plain(path)?;
    }
    let read = if path == Path::new("-") {
        std::io::stdin().take(FILE_BYTES_MAX).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
    };
    read.map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        FileError::NotUtf8(name.to_owned(), at, line)
    })
}
