//! The tables of tag changes, each of which holds a run of rows.
//!
//! A segment is dropped when the last of its changes is too old: whole, since rows that stay must not be moved.

use std::time::Duration;

use rusqlite::Connection;

use super::store::HistoryError;
use crate::model::Timestamp;

/// When a new segment begins.
#[derive(Clone, Copy, Debug)]
pub struct SegmentLimits {
    pub rows_max: i64,
    /// The time that the changes of a segment may span, about.
    pub span_max: Duration,
}

impl SegmentLimits {
    /// A history is kept longer than it has to be by the span of one segment at most.
    const SEGMENTS_A_HISTORY: u32 = 16;
    /// About 150 MB: dropping it takes a second or two.
    const ROWS_MAX: i64 = 1 << 20;

    pub fn of_history(kept: Duration) -> Self {
        SegmentLimits { rows_max: Self::ROWS_MAX, span_max: kept / Self::SEGMENTS_A_HISTORY }
    }
}

/// A run of rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub id: i64,
    pub first_row: i64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// The newest instant of the history when the segment was begun.
    pub opened_at: Timestamp,
}

impl Segment {
    pub(super) fn create(
        connection: &Connection,
        id: i64,
        first_row: i64,
        at: Timestamp,
    ) -> Result<Self, HistoryError> {
        connection.execute_batch(&format!(
            "CREATE TABLE change_{id} (
                row INTEGER PRIMARY KEY, entity INTEGER NOT NULL, before INTEGER NOT NULL, tag INTEGER NOT NULL,
                at INTEGER NOT NULL, change INTEGER NOT NULL, packed BLOB NOT NULL
             ) STRICT;
             CREATE INDEX change_{id}_by_tag ON change_{id} (tag, at, change);"
        ))?;
        let segment = Segment { id, first_row, first_at: at, last_at: at, opened_at: at };
        let values = (id, first_row, at.ms(), at.ms(), at.ms());
        connection.execute("INSERT INTO segment VALUES (?, ?, ?, ?, ?)", values)?;
        Ok(segment)
    }

    pub(super) fn save(&self, connection: &Connection) -> Result<(), HistoryError> {
        let mut statement = connection
            .prepare_cached("UPDATE segment SET first_at = min(first_at, ?), last_at = max(last_at, ?) WHERE id = ?")?;
        statement.execute((self.first_at.ms(), self.last_at.ms(), self.id))?;
        Ok(())
    }

    pub(super) fn drop_all(&self, connection: &Connection) -> Result<(), HistoryError> {
        connection.execute_batch(&format!("DROP TABLE change_{}", self.id))?;
        connection.execute("DELETE FROM segment WHERE id = ?", [self.id])?;
        Ok(())
    }
}

/// All segments, the oldest first.
#[derive(Clone, Debug)]
pub(super) struct Segments(pub Vec<Segment>);

impl Segments {
    pub(super) fn load(connection: &Connection) -> Result<Self, HistoryError> {
        let text = "SELECT id, first_row, first_at, last_at, opened_at FROM segment ORDER BY id";
        let mut statement = connection.prepare_cached(text)?;
        let rows = statement.query_map((), |row| {
            let at = |index| row.get(index).map(Timestamp::from_ms);
            let (id, first_row) = (row.get(0)?, row.get(1)?);
            Ok(Segment { id, first_row, first_at: at(2)?, last_at: at(3)?, opened_at: at(4)? })
        })?;
        Ok(Segments(rows.collect::<Result<_, _>>()?))
    }

    /// The segment of a row; `None`: it was dropped.
    pub(super) fn of(&self, row: i64) -> Option<&Segment> {
        let after = self.0.partition_point(|segment| segment.first_row <= row);
        after.checked_sub(1).map(|index| &self.0[index])
    }
}
