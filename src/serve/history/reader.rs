//! Connections that read the store, each answer from one state of it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use super::entities::EntityNames;
use super::segment::Segments;
use super::store::{HistoryError, file, open_for_reading};
use super::writer::places;
use crate::model::Timestamp;

/// After this many rows it is looked whether the answer takes too long.
const ROWS_A_LOOK: u32 = 1_024;
/// Connections that are kept open.
const IDLE_MAX: usize = 8;

/// Reads the store, from any thread.
#[derive(Clone)]
pub struct HistoryReader {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// One state of the store.
pub struct HistoryView<'a> {
    pub(super) connection: &'a Connection,
    pub(super) names: EntityNames,
    pub(super) segments: Segments,
    deadline: Instant,
}

impl HistoryReader {
    /// Of the store in a directory, which a writer has opened.
    pub fn new(directory: &Path) -> Self {
        HistoryReader { path: file(directory), idle: Arc::default() }
    }

    /// Reads from one state of the store.
    ///
    /// # Errors
    /// The store cannot be read, or the answer is not there by the deadline.
    pub fn read<T>(
        &self,
        deadline: Instant,
        answer: impl FnOnce(&HistoryView<'_>) -> Result<T, HistoryError>,
    ) -> Result<T, HistoryError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_for_reading(&self.path)?,
        };
        connection.execute_batch("BEGIN")?;
        let names = EntityNames::load(&connection)?;
        let segments = Segments::load(&connection)?;
        let answered = answer(&HistoryView { connection: &connection, names, segments, deadline });
        connection.execute_batch("ROLLBACK")?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        answered
    }
}

impl HistoryView<'_> {
    /// The instant from which on no change is missing; `None`: none is missing at all.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn reaches(&self) -> Result<Option<Timestamp>, HistoryError> {
        Ok(places(self.connection)?.values().filter_map(|place| place.reaches).max())
    }

    /// # Errors
    /// Changes after this instant are missing.
    pub fn check_reach(&self, asked: Timestamp) -> Result<(), HistoryError> {
        match self.reaches()? {
            Some(reaches) if asked < reaches => Err(HistoryError::OutOfReach { asked, reaches }),
            _ => Ok(()),
        }
    }

    /// The number of a tag; `None`: it has no change.
    pub(super) fn tag(&self, kind: &str, name: &str) -> Result<Option<i64>, HistoryError> {
        use rusqlite::OptionalExtension;
        let Some(kind) = self.names.label(kind) else { return Ok(None) };
        let mut statement = self.connection.prepare_cached("SELECT id FROM tag WHERE kind = ? AND name = ?")?;
        Ok(statement.query_row((kind, name), |row| row.get(0)).optional()?)
    }

    pub(super) fn check_deadline(&self, rows: &mut u32) -> Result<(), HistoryError> {
        *rows = rows.wrapping_add(1);
        if rows.is_multiple_of(ROWS_A_LOOK) && Instant::now() >= self.deadline {
            return Err(HistoryError::TooLong);
        }
        Ok(())
    }
}
