//! The changes of an entity, newest first, and all changes in the order in which they came.

use rusqlite::{OptionalExtension, Row};

use super::entities::{EntityNames, head};
use super::reader::HistoryView;
use super::row::{PackedChange, StoredChange, change_of, raw};
use super::store::HistoryError;
use crate::model::Timestamp;

/// Which changes of an entity are wanted.
#[derive(Clone, Debug)]
pub struct ChangeQuery<'a> {
    pub kind: &'a str,
    pub key: &'a str,
    /// With both ends.
    pub from: Timestamp,
    pub to: Timestamp,
    /// `None`: of all tags.
    pub tag: Option<&'a str>,
    /// The row to begin at; `None`: the newest.
    pub row: Option<i64>,
    pub limit: usize,
}

/// A row of a segment.
struct FoundRow {
    entity: i64,
    before: i64,
    tag: i64,
    at: Timestamp,
    change: i64,
    packed: Vec<u8>,
}

const COLUMNS: &str = "entity, before, tag, at, change, packed, row";

fn found_row(row: &Row<'_>) -> rusqlite::Result<FoundRow> {
    Ok(FoundRow {
        entity: row.get(0)?,
        before: row.get(1)?,
        tag: row.get(2)?,
        at: Timestamp::from_ms(row.get(3)?),
        change: row.get(4)?,
        packed: row.get(5)?,
    })
}

impl HistoryView<'_> {
    /// The number of an entity that has changes.
    pub(super) fn entity(&self, kind: &str, key: &str) -> Result<Option<i64>, HistoryError> {
        let Some(kind) = self.names.label(kind) else { return Ok(None) };
        let mut name = Vec::new();
        EntityNames::name(kind, key, &mut name);
        self.names.find(self.connection, &name)
    }

    /// The changes of an entity, the newest first. A row to begin at that is not of this entity, or is gone, has none behind
    /// it.
    ///
    /// # Errors
    /// The store cannot be read, or the answer takes too long.
    pub fn changes(&self, query: &ChangeQuery<'_>) -> Result<Vec<StoredChange>, HistoryError> {
        let mut changes = Vec::new();
        let Some(entity) = self.entity(query.kind, query.key)? else { return Ok(changes) };
        let tag = match query.tag {
            None => None,
            Some(name) => match self.tag(query.kind, name)? {
                Some(tag) => Some(tag),
                None => return Ok(changes),
            },
        };
        let mut next = match query.row {
            Some(row) => row,
            None => head(self.connection, entity)?.map_or(0, |head| head.row),
        };
        let mut rows = 0;
        while changes.len() < query.limit
            && let Some(found) = self.row(next)?
        {
            self.check_deadline(&mut rows)?;
            if found.at < query.from || found.entity != entity {
                break;
            }
            let Some(packed) = PackedChange::unpack(&found.packed) else { break };
            if found.at <= query.to && tag.is_none_or(|tag| tag == found.tag) {
                let name = query.tag.map(str::to_owned);
                let name = name.map_or_else(|| self.tag_name(found.tag), Ok)?;
                changes.push(self.answer(next, &found, packed, (query.kind, query.key, &name)));
            }
            next = found.before;
        }
        Ok(changes)
    }

    /// Changes of all entities behind a row, in the order in which they came; those that were erased are left out. Returns
    /// the last row that was read, too.
    ///
    /// # Errors
    /// The store cannot be read, or the answer takes too long.
    pub fn changes_after(&self, row: i64, limit: usize) -> Result<(Vec<StoredChange>, i64), HistoryError> {
        let (mut changes, mut last, mut rows) = (Vec::new(), row, 0);
        let from = self.segments.0.partition_point(|segment| segment.first_row <= row).saturating_sub(1);
        for segment in &self.segments.0[from..] {
            let text = format!("SELECT {COLUMNS} FROM change_{} WHERE row > ? ORDER BY row LIMIT ?", segment.id);
            let mut statement = self.connection.prepare_cached(&text)?;
            // Rows that are left out make room for more of the same segment.
            while changes.len() < limit {
                let (wanted, mut read) = (limit - changes.len(), 0);
                let mut found = statement.query((last, wanted as i64))?;
                while let Some(row) = found.next()? {
                    self.check_deadline(&mut rows)?;
                    (last, read) = (row.get(6)?, read + 1);
                    let found = found_row(row)?;
                    let Some(packed) = PackedChange::unpack(&found.packed) else { continue };
                    let Some((kind, key)) = self.entity_name(found.entity)? else { continue };
                    let tag = self.tag_name(found.tag)?;
                    changes.push(self.answer(last, &found, packed, (&kind, &key, &tag)));
                }
                if read < wanted {
                    break;
                }
            }
        }
        Ok((changes, last))
    }

    /// The newest row of the store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn last_row(&self) -> Result<i64, HistoryError> {
        let Some(last) = self.segments.0.last() else { return Ok(0) };
        let text = format!("SELECT max(row) FROM change_{}", last.id);
        let row: Option<i64> = self.connection.query_row(&text, (), |row| row.get(0))?;
        Ok(row.unwrap_or(last.first_row - 1))
    }

    fn row(&self, row: i64) -> Result<Option<FoundRow>, HistoryError> {
        let Some(segment) = self.segments.of(row) else { return Ok(None) };
        let text = format!("SELECT {COLUMNS} FROM change_{} WHERE row = ?", segment.id);
        Ok(self.connection.prepare_cached(&text)?.query_row([row], found_row).optional()?)
    }

    /// Kind and key; `None`: it was erased.
    pub(super) fn entity_name(&self, entity: i64) -> Result<Option<(String, String)>, HistoryError> {
        let mut statement = self.connection.prepare_cached("SELECT name FROM entity WHERE id = ?")?;
        let name: Option<Vec<u8>> = statement.query_row([entity], |row| row.get(0)).optional()?;
        Ok(name.and_then(|name| self.names.parse(&name).map(|(kind, key)| (kind.to_owned(), key))))
    }

    pub(super) fn tag_name(&self, tag: i64) -> Result<String, HistoryError> {
        let mut statement = self.connection.prepare_cached("SELECT name FROM tag WHERE id = ?")?;
        Ok(statement.query_row([tag], |row| row.get(0))?)
    }

    fn answer(
        &self,
        row: i64,
        found: &FoundRow,
        packed: PackedChange<'_>,
        (kind, key, tag): (&str, &str, &str),
    ) -> StoredChange {
        StoredChange {
            row,
            id: format!("{:032x}", packed.id),
            entity: kind.to_owned(),
            key: key.to_owned(),
            tag: tag.to_owned(),
            change: change_of(found.change).name(),
            value: raw(packed.value),
            previous: raw(packed.previous),
            at: found.at,
            seq: packed.seq,
            cause: packed.cause.name(),
            because: raw(packed.because),
            catalog: self.names.text(packed.catalog).to_owned(),
        }
    }
}
