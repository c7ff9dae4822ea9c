//! Removes an entity, and what is older than the history is kept.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::OptionalExtension;

use super::entities::{EntityNames, head};
use super::row::PackedChange;
use super::segment::Segment;
use super::store::{HistoryError, meta};
use super::writer::HistoryWriter;
use crate::model::{HOUR_MS, Timestamp};

/// What is to be erased: an entity's changes up to an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    pub kind: String,
    pub key: String,
    pub until: Timestamp,
}

impl HistoryWriter {
    /// Erases what is stored of these entities, and of their lives that have ended. Returns whether it is gone from the disk,
    /// too: a long read may be in the way, and then [`purge`](HistoryWriter::purge) has to be called again.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn erase(&mut self, erasures: &[Erasure]) -> Result<bool, HistoryError> {
        self.begin_alone()?;
        let mut name = Vec::new();
        for Erasure { kind, key, until } in erasures {
            let Some(kind) = self.names.label(kind) else { continue };
            EntityNames::name(kind, key, &mut name);
            if let Some(entity) = self.names.find(&self.connection, &name)? {
                self.erase_entity(entity, *until)?;
            }
            for entity in self.ended(&name)? {
                self.erase_entity(entity, Timestamp::FOREVER)?;
            }
        }
        self.commit(&self.places().clone())?;
        self.purge()
    }

    /// Notes which incarnations of the changelogs the state comes from. Returns the greatest number of an entity that came
    /// while one of them was another: a state that began anew does not know such an entity, although nobody has erased it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn note_changelogs(&mut self, logs: &BTreeMap<String, Option<u64>>) -> Result<i64, HistoryError> {
        self.begin_alone()?;
        let mut began_anew = false;
        for (partition, log) in logs {
            let name = format!("changelog {partition}");
            let before: Option<i64> = meta(&self.connection, &name)?;
            let log = log.map(u64::cast_signed);
            began_anew |= before.is_some() && before != log;
            if let Some(log) = log {
                self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, log))?;
            }
        }
        if began_anew {
            let last = self.last_entity();
            self.connection.execute("INSERT OR REPLACE INTO meta VALUES ('unjudged', ?)", [last])?;
        }
        self.commit(&self.places().clone())?;
        Ok(meta(&self.connection, "unjudged")?.unwrap_or(0))
    }

    /// Erases what is stored of entities that were erased or forgotten some time before `now`.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn erase_due(&mut self, now: Timestamp) -> Result<bool, HistoryError> {
        self.begin_alone()?;
        let erased = self.erase_ended(now)?;
        self.commit(&self.places().clone())?;
        if erased > 0 { self.purge() } else { Ok(true) }
    }

    /// Empties the log that stands before the store, in which older copies of pages are.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn purge(&self) -> Result<bool, HistoryError> {
        let is_busy: i64 = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
        Ok(is_busy == 0)
    }

    /// The ended lives with this name that have not been erased yet.
    fn ended(&self, name: &[u8]) -> Result<Vec<i64>, HistoryError> {
        let text = "SELECT ending.entity FROM ending JOIN entity ON entity.id = ending.entity WHERE entity.name = ?";
        let mut statement = self.connection.prepare_cached(text)?;
        Ok(statement.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    fn erase_ended(&mut self, now: Timestamp) -> Result<usize, HistoryError> {
        let mut statement = self.connection.prepare_cached("SELECT entity FROM ending WHERE due <= ?")?;
        let due: Vec<i64> = statement.query_map([now.ms()], |row| row.get(0))?.collect::<Result<_, _>>()?;
        drop(statement);
        for entity in &due {
            self.erase_entity(*entity, Timestamp::FOREVER)?;
        }
        Ok(due.len())
    }

    fn erase_entity(&mut self, entity: i64, until: Timestamp) -> Result<(), HistoryError> {
        let newest = head(&self.connection, entity)?;
        let mut next = newest.map_or(0, |head| head.row);
        let mut rows_stay = false;
        while let Some(segment) = self.segments.of(next) {
            let text = format!("SELECT before, at, packed FROM change_{} WHERE row = ?", segment.id);
            let mut statement = self.connection.prepare_cached(&text)?;
            let found = statement.query_row([next], |row| {
                let is_erased = PackedChange::unpack(row.get_ref(2)?.as_blob()?).is_none();
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, is_erased))
            });
            let Some((before, at, is_erased)) = found.optional()? else { break };
            if is_erased {
                break;
            }
            if at > until.ms() {
                rows_stay = true;
            } else {
                let text = format!("UPDATE change_{} SET packed = zeroblob(length(packed)) WHERE row = ?", segment.id);
                self.connection.prepare_cached(&text)?.execute([next])?;
            }
            next = before;
        }
        if !rows_stay {
            self.erase_name(entity)?;
        }
        Ok(())
    }

    fn erase_name(&mut self, entity: i64) -> Result<(), HistoryError> {
        let mut statement = self.connection.prepare_cached("SELECT name FROM entity WHERE id = ?")?;
        let name: Option<Vec<u8>> = statement.query_row([entity], |row| row.get(0)).optional()?;
        drop(statement);
        if let Some(name) = name {
            self.forget_name(entity, &name)?;
        }
        for text in [
            "UPDATE entity SET name = zeroblob(length(name)) WHERE id = ?",
            "DELETE FROM head WHERE entity = ?",
            "DELETE FROM ending WHERE entity = ?",
        ] {
            self.connection.prepare_cached(text)?.execute([entity])?;
        }
        Ok(())
    }

    /// Drops what is older than `horizon`, whole segments at a time. Returns the number of segments.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn trim(&mut self, horizon: Timestamp) -> Result<usize, HistoryError> {
        let old: Vec<Segment> =
            self.segments.0.iter().take_while(|segment| segment.last_at < horizon).copied().collect();
        let Some(newest_dropped) = old.iter().map(|segment| segment.last_at).max() else { return Ok(0) };
        self.begin_alone()?;
        if old.len() == self.segments.0.len() {
            // Rows are numbered on from the last segment.
            let (id, row) = (old.last().map_or(1, |last| last.id + 1), self.last_row() + 1);
            self.segments.0.push(Segment::create(&self.connection, id, row, newest_dropped)?);
        }
        for segment in &old {
            segment.drop_all(&self.connection)?;
        }
        self.segments.0.drain(..old.len());
        let first_row = self.segments.0.first().map_or(0, |segment| segment.first_row);
        let mut statement = self.connection.prepare_cached("SELECT entity FROM head WHERE row < ?")?;
        let gone: BTreeSet<i64> = statement.query_map([first_row], |row| row.get(0))?.collect::<Result<_, _>>()?;
        drop(statement);
        for entity in gone {
            self.erase_name(entity)?;
        }
        let hour = horizon.ms().div_euclid(HOUR_MS);
        self.connection.execute("DELETE FROM hourly WHERE hour < ?", [hour])?;
        // What was dropped is missing from now on.
        let mut places = self.places().clone();
        for place in places.values_mut() {
            place.reaches = place.reaches.max(Some(newest_dropped));
        }
        self.commit(&places)?;
        self.insert_into_last();
        self.purge()?;
        Ok(old.len())
    }
}
