//! Puts the records of the topic into the store, a transaction at a time.
//!
//! After an error a writer is of no use: what it remembers may not be what the store holds. It is opened again, and goes
//! on where the last transaction ended.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rusqlite::Connection;

use super::entities::{EntityNames, Head, has_ended, head};
use super::row::{PackedChange, ParsedFields, change_number, pack};
use super::segment::{Segment, SegmentLimits, Segments};
use super::store::{HistoryError, Place, open_for_writing};
use crate::codec::ChangeRecord;
use crate::model::{ChangeType, HOUR_MS, Timestamp};

/// How long the last changes of an entity that was erased or forgotten can be read: live readers are to see that it left.
const ENDED_VISIBLE_MS: i64 = 10_000;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    New,
    /// The store has it: its sender delivers at least once.
    Repeat,
    NotAChange,
}

/// An entity in the open transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownEntity {
    pub number: i64,
    pub head: Option<Head>,
    is_moved: bool,
    /// Whether its life has ended, in this transaction or before it.
    has_ended: bool,
}

/// The one writer of a store.
pub struct HistoryWriter {
    pub(super) connection: Connection,
    limits: SegmentLimits,
    pub(super) names: EntityNames,
    tags: HashMap<(u32, String), i64>,
    pub(super) segments: Segments,
    places: BTreeMap<i32, Place>,
    /// What the open transaction has touched, by kind and key.
    pub(super) entities: HashMap<Vec<u8>, KnownEntity>,
    hours: HashMap<(i64, i64), [i64; 3]>,
    next_row: i64,
    next_entity: i64,
    newest: Timestamp,
    is_open: bool,
    insert: String,
    packed: Vec<u8>,
}

impl HistoryWriter {
    /// Opens the store in a directory, or makes it.
    ///
    /// # Errors
    /// It cannot be used, or is that of another topic.
    pub fn open(directory: &Path, topic: &str, limits: SegmentLimits) -> Result<Self, HistoryError> {
        let connection = open_for_writing(directory, topic)?;
        let names = EntityNames::load(&connection)?;
        let segments = Segments::load(&connection)?;
        let number = |text: &str| connection.query_row(text, (), |row| row.get::<_, Option<i64>>(0));
        let last_row = match segments.0.last() {
            Some(last) => number(&format!("SELECT max(row) FROM change_{}", last.id))?.unwrap_or(last.first_row - 1),
            None => number("SELECT max(row) FROM head")?.unwrap_or(0),
        };
        let next_entity = number("SELECT max(id) FROM entity")?.unwrap_or(0) + 1;
        let newest = segments.0.iter().map(|segment| segment.last_at).max().unwrap_or(Timestamp::MIN);
        let places = places(&connection)?;
        let tags = tags(&connection)?;
        let (entities, hours, packed) = (HashMap::new(), HashMap::new(), Vec::new());
        let mut writer = HistoryWriter {
            connection,
            limits,
            names,
            tags,
            segments,
            places,
            entities,
            hours,
            next_row: last_row + 1,
            next_entity,
            newest,
            is_open: false,
            insert: String::new(),
            packed,
        };
        writer.insert_into_last();
        Ok(writer)
    }

    /// Where the history stands in each partition.
    pub fn places(&self) -> &BTreeMap<i32, Place> {
        &self.places
    }

    /// The newest row that was added.
    pub fn last_row(&self) -> i64 {
        self.next_row - 1
    }

    /// The greatest number of an entity.
    pub(super) fn last_entity(&self) -> i64 {
        self.next_entity - 1
    }

    /// Takes a record of the topic into the open transaction; begins one where none is open.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn add(&mut self, record: &[u8]) -> Result<Added, HistoryError> {
        let Ok(record) = ChangeRecord::parse(record) else { return Ok(Added::NotAChange) };
        let Some(fields) = ParsedFields::of(&record) else { return Ok(Added::NotAChange) };
        self.begin()?;
        let kind = self.names.label_or_new(&self.connection, &record.entity)?;
        let catalog = self.names.label_or_new(&self.connection, &record.catalog)?;
        let tag = self.tag(kind, &record.tag)?;
        let mut name = Vec::with_capacity(4 + record.key.len());
        EntityNames::name(kind, &record.key, &mut name);
        let mut entity = match self.entities.get(&name) {
            Some(entity) => *entity,
            None => self.entity(&name)?,
        };
        if let Some(head) = entity.head {
            if fields.at <= head.at && self.is_repeat(head, fields)? {
                self.entities.insert(name, entity);
                return Ok(Added::Repeat);
            }
            // A life after the one that ended has its own number: that of the ended one goes with it. An entity that had no
            // tag when it was erased has no change that says so, but its changes are numbered from 1 again.
            if record.seq == 1 && !entity.has_ended {
                self.end_life(&mut entity, fields.at)?;
            }
            if entity.has_ended && !fields.ends_life() {
                self.save_head(&entity)?;
                self.forget_name(entity.number, &name)?;
                entity = self.new_entity(&name)?;
            }
        }
        self.begin_segment_where_due(fields.at)?;
        pack(&record, fields, catalog, &mut self.packed);
        let before = entity.head.map_or(0, |head| head.row);
        self.connection.prepare_cached(&self.insert)?.execute((
            self.next_row,
            entity.number,
            before,
            tag,
            fields.at.ms(),
            change_number(fields.change),
            &self.packed,
        ))?;
        entity.head = Some(Head { row: self.next_row, at: fields.at });
        entity.is_moved = true;
        self.next_row += 1;
        if fields.ends_life() && !entity.has_ended {
            self.end_life(&mut entity, fields.at)?;
        }
        self.entities.insert(name, entity);
        self.count(tag, fields);
        Ok(Added::New)
    }

    /// Ends the open transaction: what was added is there, and the places with it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn commit(&mut self, places: &BTreeMap<i32, Place>) -> Result<(), HistoryError> {
        self.begin()?;
        let mut moved: Vec<KnownEntity> = self.entities.drain().map(|(_, entity)| entity).collect();
        moved.retain(|entity| entity.is_moved);
        // In the order of the table, each of its pages is changed once.
        moved.sort_unstable_by_key(|entity| entity.number);
        for entity in &moved {
            self.save_head(entity)?;
        }
        self.save_hours()?;
        if let Some(segment) = self.segments.0.last() {
            segment.save(&self.connection)?;
        }
        for (partition, place) in places {
            if self.places.insert(*partition, *place) != Some(*place) {
                let reaches = place.reaches.map(Timestamp::ms);
                let mut statement = self.connection.prepare_cached("INSERT OR REPLACE INTO place VALUES (?, ?, ?)")?;
                statement.execute((partition, place.next_offset, reaches))?;
            }
        }
        self.connection.execute_batch("COMMIT")?;
        self.is_open = false;
        Ok(())
    }

    pub(super) fn begin(&mut self) -> Result<(), HistoryError> {
        if !self.is_open {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            self.is_open = true;
        }
        Ok(())
    }

    /// Begins a transaction for something else than records.
    pub(super) fn begin_alone(&mut self) -> Result<(), HistoryError> {
        assert!(!self.is_open, "records are committed together with their places, and before anything else");
        self.begin()
    }

    fn end_life(&self, entity: &mut KnownEntity, at: Timestamp) -> Result<(), HistoryError> {
        entity.has_ended = true;
        let due = at.plus(ENDED_VISIBLE_MS).ms();
        self.connection.execute("INSERT OR REPLACE INTO ending VALUES (?, ?)", (entity.number, due))?;
        Ok(())
    }

    fn save_head(&self, entity: &KnownEntity) -> Result<(), HistoryError> {
        let Some(head) = entity.head else { return Ok(()) };
        let mut statement = self.connection.prepare_cached("INSERT OR REPLACE INTO head VALUES (?, ?, ?)")?;
        statement.execute((entity.number, head.row, head.at.ms()))?;
        Ok(())
    }

    fn save_hours(&mut self) -> Result<(), HistoryError> {
        let text = "INSERT INTO hourly VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                    added = added + excluded.added, changed = changed + excluded.changed, removed = removed + excluded.removed";
        let mut statement = self.connection.prepare_cached(text)?;
        for ((tag, hour), [added, changed, removed]) in self.hours.drain() {
            statement.execute((tag, hour, added, changed, removed))?;
        }
        Ok(())
    }

    fn count(&mut self, tag: i64, fields: ParsedFields) {
        let counts = self.hours.entry((tag, fields.at.ms().div_euclid(HOUR_MS))).or_default();
        counts[change_number(fields.change) as usize] += 1;
        debug_assert!(ChangeType::ALL.len() == counts.len());
        self.newest = self.newest.max(fields.at);
        if let Some(segment) = self.segments.0.last_mut() {
            segment.first_at = segment.first_at.min(fields.at);
            segment.last_at = segment.last_at.max(fields.at);
        }
    }

    fn tag(&mut self, kind: u32, name: &str) -> Result<i64, HistoryError> {
        // A borrowed pair cannot be looked up without a copy of the name, which is short.
        let key = (kind, name.to_owned());
        if let Some(tag) = self.tags.get(&key) {
            return Ok(*tag);
        }
        let tag = self.tags.len() as i64 + 1;
        self.connection.execute("INSERT INTO tag VALUES (?, ?, ?)", (tag, kind, name))?;
        self.tags.insert(key, tag);
        Ok(tag)
    }

    /// An entity that the transaction has not touched yet.
    fn entity(&mut self, name: &[u8]) -> Result<KnownEntity, HistoryError> {
        let Some(number) = self.names.find(&self.connection, name)? else { return self.new_entity(name) };
        let head = head(&self.connection, number)?;
        let has_ended = has_ended(&self.connection, number)?;
        Ok(KnownEntity { number, head, is_moved: false, has_ended })
    }

    fn new_entity(&mut self, name: &[u8]) -> Result<KnownEntity, HistoryError> {
        let number = self.next_entity;
        self.next_entity += 1;
        self.connection.prepare_cached("INSERT INTO entity VALUES (?, ?)")?.execute((number, name))?;
        let hash = self.names.hash(name);
        self.connection.prepare_cached("INSERT INTO entity_hash VALUES (?, ?)")?.execute((hash, number))?;
        Ok(KnownEntity { number, head: None, is_moved: false, has_ended: false })
    }

    /// From now on the entity is not found by its name.
    pub(super) fn forget_name(&self, number: i64, name: &[u8]) -> Result<(), HistoryError> {
        let mut statement = self.connection.prepare_cached("DELETE FROM entity_hash WHERE hash = ? AND entity = ?")?;
        statement.execute((self.names.hash(name), number))?;
        Ok(())
    }

    /// Whether the store has a change that is not newer than the newest of its entity.
    fn is_repeat(&self, head: Head, fields: ParsedFields) -> Result<bool, HistoryError> {
        let mut row = head.row;
        while let Some(segment) = self.segments.of(row) {
            let text = format!("SELECT before, at, packed FROM change_{} WHERE row = ?", segment.id);
            let mut statement = self.connection.prepare_cached(&text)?;
            let mut rows = statement.query([row])?;
            let Some(found) = rows.next()? else { return Ok(false) };
            if found.get::<_, i64>(1)? < fields.at.ms() {
                return Ok(false);
            }
            let packed = found.get_ref(2)?.as_blob().unwrap_or_default();
            if PackedChange::unpack(packed).is_some_and(|change| change.id == fields.id) {
                return Ok(true);
            }
            row = found.get(0)?;
        }
        Ok(false)
    }

    fn begin_segment_where_due(&mut self, at: Timestamp) -> Result<(), HistoryError> {
        let span_ms = i64::try_from(self.limits.span_max.as_millis()).unwrap_or(i64::MAX);
        if let Some(last) = self.segments.0.last() {
            let is_full = self.next_row - last.first_row >= self.limits.rows_max;
            let is_old = self.newest.since(last.opened_at) >= span_ms && self.next_row > last.first_row;
            if !is_full && !is_old {
                return Ok(());
            }
            last.save(&self.connection)?;
        }
        let id = self.segments.0.last().map_or(1, |last| last.id + 1);
        let segment = Segment::create(&self.connection, id, self.next_row, self.newest.max(at))?;
        self.segments.0.push(Segment { first_at: at, last_at: at, ..segment });
        self.insert_into_last();
        Ok(())
    }

    pub(super) fn insert_into_last(&mut self) {
        if let Some(last) = self.segments.0.last() {
            self.insert = format!("INSERT INTO change_{} VALUES (?, ?, ?, ?, ?, ?, ?)", last.id);
        }
    }
}

pub(super) fn places(connection: &Connection) -> Result<BTreeMap<i32, Place>, HistoryError> {
    let mut statement = connection.prepare_cached("SELECT partition, next_offset, reaches FROM place")?;
    let place = |row: &rusqlite::Row<'_>| {
        let reaches = row.get::<_, Option<i64>>(2)?.map(Timestamp::from_ms);
        Ok((row.get(0)?, Place { next_offset: row.get(1)?, reaches }))
    };
    Ok(statement.query_map((), place)?.collect::<Result<_, _>>()?)
}

fn tags(connection: &Connection) -> Result<HashMap<(u32, String), i64>, HistoryError> {
    let mut statement = connection.prepare_cached("SELECT kind, name, id FROM tag")?;
    let tag = |row: &rusqlite::Row<'_>| Ok(((row.get(0)?, row.get(1)?), row.get(2)?));
    Ok(statement.query_map((), tag)?.collect::<Result<_, _>>()?)
}
