//! The store's file: its tables, how it is opened, and what a connection is set to.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::model::Timestamp;

const FILE: &str = "history.sqlite";
/// The version of the tables.
const VERSION: i64 = 1;
/// A checkpoint waits this long for readers.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const WRITER_CACHE_KIB: i64 = 64 << 10;
const READER_CACHE_KIB: i64 = 8 << 10;
/// A statement for each segment, and the others.
const STATEMENTS: usize = 256;

const TABLES: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) WITHOUT ROWID, STRICT;
    CREATE TABLE place (partition INTEGER PRIMARY KEY, next_offset INTEGER NOT NULL, reaches INTEGER) STRICT;
    CREATE TABLE label (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE tag (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (kind, name)) STRICT;
    CREATE TABLE entity (id INTEGER PRIMARY KEY, name BLOB NOT NULL) STRICT;
    CREATE TABLE entity_hash (hash INTEGER, entity INTEGER, PRIMARY KEY (hash, entity)) WITHOUT ROWID, STRICT;
    CREATE TABLE head (entity INTEGER PRIMARY KEY, row INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
    CREATE TABLE ending (entity INTEGER PRIMARY KEY, due INTEGER NOT NULL) STRICT;
    CREATE TABLE segment (
        id INTEGER PRIMARY KEY, first_row INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
        opened_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE hourly (
        tag INTEGER, hour INTEGER, added INTEGER NOT NULL, changed INTEGER NOT NULL, removed INTEGER NOT NULL,
        PRIMARY KEY (tag, hour)
    ) WITHOUT ROWID, STRICT;
";

/// Why the history cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("the history in {path}: {error}; check serve.directory")]
    Folder { path: String, error: std::io::Error },
    #[error("the history: {0}")]
    Store(#[from] rusqlite::Error),
    #[error(
        "the history in {path} has version {found}, and this program writes version {VERSION}: use a newer program, or \
         another serve.directory"
    )]
    Version { path: String, found: i64 },
    #[error("the history in {path} is of the topic {found}, not of {wanted}: use another serve.directory")]
    Topic { path: String, found: String, wanted: String },
    #[error("the answer takes too long; ask for less")]
    TooLong,
    #[error("the history does not reach back to {asked}: it begins at {reaches}")]
    OutOfReach { asked: Timestamp, reaches: Timestamp },
}

/// Where the history stands in a partition of the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub next_offset: i64,
    /// No change after this instant is missing; `None`: no change at all.
    pub reaches: Option<Timestamp>,
}

/// The path of the store's file in `serve.directory`.
pub(super) fn file(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Opens the store for writing, and makes it where there is none.
pub(super) fn open_for_writing(directory: &Path, topic: &str) -> Result<Connection, HistoryError> {
    let path = file(directory);
    let shown = path.display().to_string();
    fs::create_dir_all(directory).map_err(|error| HistoryError::Folder { path: shown.clone(), error })?;
    let connection = Connection::open(&path)?;
    set_up(&connection, WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // Pages that are no longer used are filled with zeros.
    connection.pragma_update(None, "secure_delete", "ON")?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        VERSION => {}
        0 => create(&connection, topic)?,
        _ => return Err(HistoryError::Version { path: shown, found }),
    }
    let found: String = meta(&connection, "topic")?.unwrap_or_default();
    if found != topic {
        return Err(HistoryError::Topic { path: shown, found, wanted: topic.to_owned() });
    }
    Ok(connection)
}

fn create(connection: &Connection, topic: &str) -> Result<(), HistoryError> {
    let mut salt = [0; 8];
    getrandom::fill(&mut salt).map_err(|error| {
        let error = std::io::Error::other(error);
        HistoryError::Folder { path: "the system's random numbers".to_owned(), error }
    })?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.execute_batch(TABLES)?;
    let insert = "INSERT INTO meta VALUES (?, ?)";
    connection.execute(insert, ("topic", topic))?;
    connection.execute(insert, ("salt", i64::from_le_bytes(salt)))?;
    connection.pragma_update(None, "user_version", VERSION)?;
    connection.execute_batch("COMMIT")?;
    Ok(())
}

pub(super) fn open_for_reading(path: &Path) -> Result<Connection, HistoryError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_up(&connection, READER_CACHE_KIB)?;
    Ok(connection)
}

fn set_up(connection: &Connection, cache_kib: i64) -> Result<(), HistoryError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A negative size is in KiB.
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    // Nothing of what is sorted reaches the disk.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

pub(super) fn meta<T: rusqlite::types::FromSql>(
    connection: &Connection,
    name: &str,
) -> Result<Option<T>, HistoryError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE name = ?")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}
