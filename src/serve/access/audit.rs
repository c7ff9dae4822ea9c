//! Who looked at a profile or at keys, and who wrote: one line for each, in the log or in a file of its own.
//!
//! Only here the key of an entity is written down. A line that cannot be written is an error of the request: what is not
//! recorded does not happen.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::kafka::Clock;

/// The log of what was looked at and written.
pub struct AuditLog {
    clock: Clock,
    /// `None`: the lines go to the log of the process.
    file: Option<Mutex<File>>,
}

/// What somebody did.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct AuditEntry<'a> {
    /// Whose token it was.
    pub caller: &'a str,
    /// Such as `profile`, `changes`, `members`, `live`, `preview`, `tag.set`, `tag.remove`, `erase`.
    pub action: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub entity: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub tag: &'a str,
    /// What the caller gave as the reason.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub note: &'a str,
    /// An expression, the fingerprint of a catalog, a place in a topic, a number of entities.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub detail: &'a str,
}

#[derive(Serialize)]
struct AuditLine<'a> {
    time: String,
    #[serde(flatten)]
    entry: &'a AuditEntry<'a>,
}

impl AuditLog {
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: Option<&Path>, clock: Clock) -> io::Result<Self> {
        let open = |path: &Path| OpenOptions::new().create(true).append(true).open(path).map(Mutex::new);
        Ok(AuditLog { clock, file: path.map(open).transpose()? })
    }

    /// # Errors
    /// The line cannot be written.
    pub fn record(&self, entry: &AuditEntry<'_>) -> io::Result<()> {
        let Some(file) = &self.file else {
            let AuditEntry { caller, action, entity, key, tag, note, detail } = *entry;
            tracing::info!(audit = true, caller, action, entity, key, tag, note, detail, "audit");
            return Ok(());
        };
        let mut line = serde_json::to_vec(&AuditLine { time: self.clock.now().to_string(), entry })?;
        line.push(b'\n');
        // One write: a line of another request does not come between.
        file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}
