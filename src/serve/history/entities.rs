//! The numbers of entities in the store, and the newest row of each.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::reader::HistoryView;
use super::row::PackedChange;
use super::store::{HistoryError, meta};
use crate::model::Timestamp;

/// The newest row of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub row: i64,
    pub at: Timestamp,
}

/// How a key is stored and found: `entity.name` is the number of the kind in four bytes, then the key.
pub(super) struct EntityNames {
    salt: u64,
    /// The numbers of texts that come again and again: kinds of entities, catalogs.
    labels: HashMap<String, u32>,
}

impl EntityNames {
    pub(super) fn load(connection: &Connection) -> Result<Self, HistoryError> {
        let salt: i64 = meta(connection, "salt")?.unwrap_or_default();
        let mut statement = connection.prepare_cached("SELECT text, id FROM label")?;
        let labels = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(EntityNames { salt: salt.cast_unsigned(), labels })
    }

    pub(super) fn label(&self, text: &str) -> Option<u32> {
        self.labels.get(text).copied()
    }

    pub(super) fn label_or_new(&mut self, connection: &Connection, text: &str) -> Result<u32, HistoryError> {
        if let Some(label) = self.label(text) {
            return Ok(label);
        }
        let label = self.labels.len() as u32;
        connection.execute("INSERT INTO label VALUES (?, ?)", (label, text))?;
        self.labels.insert(text.to_owned(), label);
        Ok(label)
    }

    /// The text of a label.
    pub(super) fn text(&self, label: u32) -> &str {
        self.labels.iter().find(|(_, id)| **id == label).map_or("", |(text, _)| text.as_str())
    }

    pub(super) fn name(kind: u32, key: &str, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(key.as_bytes());
    }

    /// Kind and key; `None`: the entity was erased.
    pub(super) fn parse(&self, name: &[u8]) -> Option<(&str, String)> {
        let (kind, key) = name.split_first_chunk::<4>()?;
        let is_erased = key.iter().all(|byte| *byte == 0);
        let key = std::str::from_utf8(key).ok().filter(|_| !is_erased)?;
        Some((self.text(u32::from_le_bytes(*kind)), key.to_owned()))
    }

    pub(super) fn hash(&self, name: &[u8]) -> i64 {
        xxh3_64_with_seed(name, self.salt).cast_signed()
    }

    /// The number of an entity.
    pub(super) fn find(&self, connection: &Connection, name: &[u8]) -> Result<Option<i64>, HistoryError> {
        let text = "SELECT entity.id FROM entity_hash JOIN entity ON entity.id = entity_hash.entity
                    WHERE entity_hash.hash = ? AND entity.name = ?";
        let mut statement = connection.prepare_cached(text)?;
        Ok(statement.query_row((self.hash(name), name), |row| row.get(0)).optional()?)
    }
}

/// An entity that the history knows, by its newest change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestChange {
    /// Numbers are given in the order in which entities come.
    pub number: i64,
    pub kind: String,
    pub key: String,
    pub at: Timestamp,
    /// The number of the change among the changes of the entity's life.
    pub seq: u64,
}

impl HistoryView<'_> {
    /// The latest change of each entity behind a number, in the order of numbers; at most `limit`. Those whose end is known
    /// are left out: they are erased without being asked.
    ///
    /// # Errors
    /// The store cannot be read, or the answer takes too long.
    pub fn latest_changes(&self, number: i64, limit: usize) -> Result<Vec<LatestChange>, HistoryError> {
        let text = "SELECT entity, row FROM head WHERE entity > ? AND entity NOT IN (SELECT entity FROM ending)
                    ORDER BY entity LIMIT ?";
        let mut statement = self.connection.prepare_cached(text)?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let heads: Vec<(i64, i64)> = statement.query_map((number, limit as i64), row)?.collect::<Result<_, _>>()?;
        let (mut latest, mut rows) = (Vec::with_capacity(heads.len()), 0);
        for (number, row) in heads {
            self.check_deadline(&mut rows)?;
            latest.extend(self.latest(number, row)?);
        }
        Ok(latest)
    }

    /// The latest change of an entity; `None` also where its end is known.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn latest_change(&self, kind: &str, key: &str) -> Result<Option<LatestChange>, HistoryError> {
        let Some(number) = self.entity(kind, key)? else { return Ok(None) };
        let Some(head) = head(self.connection, number)? else { return Ok(None) };
        if has_ended(self.connection, number)? {
            return Ok(None);
        }
        self.latest(number, head.row)
    }

    fn latest(&self, number: i64, row: i64) -> Result<Option<LatestChange>, HistoryError> {
        let Some(segment) = self.segments.of(row) else { return Ok(None) };
        let text = format!("SELECT at, packed FROM change_{} WHERE row = ?", segment.id);
        let mut statement = self.connection.prepare_cached(&text)?;
        let found = statement.query_row([row], |row| {
            let seq = PackedChange::unpack(row.get_ref(1)?.as_blob()?).map(|change| change.seq);
            Ok((Timestamp::from_ms(row.get(0)?), seq))
        });
        let Some((at, Some(seq))) = found.optional()? else { return Ok(None) };
        let name = self.entity_name(number)?;
        Ok(name.map(|(kind, key)| LatestChange { number, kind, key, at, seq }))
    }
}

pub(super) fn head(connection: &Connection, entity: i64) -> Result<Option<Head>, HistoryError> {
    let mut statement = connection.prepare_cached("SELECT row, at FROM head WHERE entity = ?")?;
    let head = |row: &rusqlite::Row<'_>| Ok(Head { row: row.get(0)?, at: Timestamp::from_ms(row.get(1)?) });
    Ok(statement.query_row([entity], head).optional()?)
}

/// Whether it is known that the life of an entity has ended.
pub(super) fn has_ended(connection: &Connection, entity: i64) -> Result<bool, HistoryError> {
    Ok(connection.prepare_cached("SELECT 1 FROM ending WHERE entity = ?")?.exists([entity])?)
}
