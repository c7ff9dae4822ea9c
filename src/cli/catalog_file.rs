//! A catalog file, read and checked for a command.

use std::io::{IsTerminal, Read};
use std::path::Path;

use super::models::{ModelAccess, Runnable};
use crate::catalog::{self, Colours, LoadedCatalog, Severity};
use crate::scoring::Models;

/// Files longer than this are not read to their end: no catalog comes near.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why a file could not be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("can't read {0}: {1}")]
    Unreadable(String, std::io::Error),
    #[error("{0} is not UTF-8: the byte {1} belongs to no character (line {2})")]
    NotUtf8(String, usize, usize),
}

/// A catalog that was read and checked.
pub struct CatalogFile {
    pub name: String,
    pub text: String,
    pub loaded: LoadedCatalog,
    pub models: Models,
}

impl CatalogFile {
    /// Reads a file, or the standard input for `-`, and the models that it names.
    pub fn open(path: &Path, access: &ModelAccess) -> Result<Self, FileError> {
        let name = display_name(path);
        let text = read(path, &name)?;
        let mut loaded = catalog::load(&text);
        let models = access.open(path, &text, &mut loaded);
        Ok(CatalogFile { name, text, loaded, models })
    }

    pub fn count(&self, severity: Severity) -> usize {
        self.loaded.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    /// All problems, for people.
    pub fn report(&self, colours: Colours) -> String {
        catalog::as_text(&self.name, &self.text, &self.loaded.problems, colours)
    }
}

/// The catalog that a command needs; without one, what is wrong with it has been said.
pub fn require(path: &Path, access: &ModelAccess) -> Option<Runnable> {
    let runnable = runnable(path, access, colours(std::io::stderr().is_terminal()));
    runnable.inspect_err(|report| eprint!("{report}")).ok()
}

/// The catalog that a command needs.
///
/// # Errors
/// What is wrong with it, for people.
pub fn runnable(path: &Path, access: &ModelAccess, colours: Colours) -> Result<Runnable, String> {
    let file = CatalogFile::open(path, access).map_err(|error| format!("tagstream: error: {error}\n"))?;
    let report = file.report(colours);
    let models = file.models;
    file.loaded.catalog.map(|catalog| Runnable { catalog, models }).ok_or(report)
}

/// Colours for a terminal, unless the user wants none.
pub fn colours(is_terminal: bool) -> Colours {
    let wanted = is_terminal && std::env::var_os("NO_COLOR").is_none();
    if wanted { Colours::On } else { Colours::Off }
}

pub fn display_name(path: &Path) -> String {
    if path == Path::new("-") { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// The text of a file, or of the standard input for `-`.
pub fn read(path: &Path, name: &str) -> Result<String, FileError> {
    let unreadable = |error| FileError::Unreadable(name.to_owned(), error);
    let mut bytes = Vec::new();
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
