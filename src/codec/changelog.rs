//! The records of the changelog: the bytes of keys and values, version 2.
//!
//! # Format
//! Numbers are little-endian, except where the table says LEB128. All values begin with the version of their format
//! (1 byte) and end with a checksum (8 bytes): the xxh3 hash (64 bits) of everything before it, with the xxh3 hash of
//! the key as its seed. A record with another key and without that checksum was not written by tagstream, and is
//! passed over. A null value (tombstone) removes a record. Of records with the same key the last one counts.
//!
//! | key | record |
//! | --- | --- |
//! | `0x00` | meta: the position of the partition; one in every transaction |
//! | `0x01`, id of the schema (8) | schema: the meaning of the numbers of cells |
//! | `0x02`, slot (4) | segment: states of entities |
//! | `0x03` | sources: of a merged partition, the position in each input partition; one in every transaction, before the meta |
//!
//! | meta | bytes | |
//! | --- | --- | --- |
//! | version | 1 | 2 |
//! | log | 8 | identifies this incarnation of the changelog |
//! | next offset | 8, signed | of the input partition: the first that is not in the state |
//! | clock | 8, signed | milliseconds since 1970-01-01T00:00:00Z; the smallest `i64`: no event yet |
//! | oldest | 8 | number of the oldest live segment |
//! | next | 8 | number of the next segment |
//! | catalog | 8 | fingerprint of the catalog |
//! | schema | 8 | id of that catalog's schema |
//! | transaction | 4, then that many | name of the transaction that wrote it, UTF-8 |
//! | facts | 4, then that many; not in version 1 | see `partition_facts` |
//! | notes | all up to the checksum, mostly empty | see `engine::changelog::notes` |
//! | checksum | 8 | |
//!
//! | schema | bytes | |
//! | --- | --- | --- |
//! | version | 1 | 2; version 1 has the same bytes, and other types of cells |
//! | meaning | all up to the checksum | see `engine::program::schema` |
//! | checksum | 8 | |
//!
//! | sources | bytes | |
//! | --- | --- | --- |
//! | version | 1 | 1 |
//! | read to | 8, signed | offset of the merged partition after the last record that was read; records before it may be waiting |
//! | entries | all up to the checksum | for each source: length of the topic's name (1), name, partition (4, signed), clock (8, as above), next (8, signed): the first offset whose event is not in the state |
//! | checksum | 8 | |
//!
//! | segment | bytes | |
//! | --- | --- | --- |
//! | version | 1 | 2; version 1 has the same bytes, of states in a schema of version 1 |
//! | number | 8 | consecutive, never reused |
//! | schema | 8 | id of the schema of its states |
//! | catalog | 8 | fingerprint of the catalog under which they were written |
//! | population | 8 | the number of entities of the partition |
//! | count | 4 | number of entries |
//! | entries | all up to the checksum | see below |
//! | checksum | 8 | |
//!
//! An **entry** (`engine::changelog::entry`) is the length of a state (LEB128), when it is due (LEB128: 0 for never,
//! else one more than the milliseconds since 1990-01-01T00:00:00Z) and the state; or, for an entity that was erased, a
//! 0, the length of its key (LEB128) and its key.
//!
//! A **state** (`engine::entity::state`) is: length of the key (LEB128), key (UTF-8), number of its changes so far
//! (LEB128), time of its first event (a *time*: zigzag LEB128 of milliseconds since 1970; the greatest `i64`: there were
//! only commands), milliseconds from there to the last event (LEB128, 64 bits, two's complement; for commands: to the
//! clock at that time; plus 2^62 where the milliseconds from there to the clock of the latest command before all events
//! follow, LEB128), then cells in the order of their numbers: number (LEB128), length (LEB128), content. The schema
//! says what a number means. The contents, and where they are encoded and decoded:
//!
//! | cell | content | in |
//! | --- | --- | --- |
//! | attribute | time of the event that set it, *value* | `entity::state` |
//! | of a series with `since` or sessions, before all else | 0, or 1 and the time of the latest reset, or of the latest event of a session | `aggregate::memory` |
//! | of a series with a sequence, before all else | bits (LEB128): the lowest for the time of the latest event that matched a step, then one for each step but the last; of the bits that are set, in order, the time, or the time at which the run that has reached the step began | `aggregate::memory` |
//! | counts, sums, least, greatest, days | *panes* in order, each with: events (LEB128); *total*; a *number*; a *number*; nothing | `aggregate::series` |
//! | distinct | *panes*, each with the xxh3 hash of a value (8) | `aggregate::series` |
//! | latest | time, then *value* unless it is that time | `aggregate::series` |
//! | earliest | for each pane: pane (zigzag LEB128), time, *value* | `aggregate::series` |
//! | top | the newest pane (zigzag LEB128); for windows without panes the time of the latest event; for each string: *text*, for windows without panes the milliseconds from its latest event to the latest of all (LEB128), how many panes (LEB128), for each how many panes it is older than the newest (LEB128) and events (LEB128) | `aggregate::series` |
//! | remembered ids | the latest up to `dedup_limit`, in the order of acceptance: clock then (as *panes*), xxh3 hash of the id (8) | `entity::seen_ids` |
//! | removed tags | for each: its name (*text*), since when it has its value (*time*), that *value* | `entity::state` |
//! | states of tags | for each tag that has one, in the order of their numbers: a byte, whose lower three bits are the form; its upper five are how many numbers it lies behind the one after the tag before (for the first, behind 0), or 31: then the rest of that number (LEB128); the milliseconds since the instant of the state before, for the first since 1970 (zigzag LEB128); then what the form has | `entity::tag_state` |
//!
//! | form of a state | its instant | then |
//! | --- | --- | --- |
//! | 1 pending, 2 on | since when | |
//! | 3 on and lapsed | since when it is on | the milliseconds from there to the lapse (LEB128) |
//! | 4 in a band or stage | since when | its index (LEB128) |
//! | 5 valued | since when | the *value* |
//! | 6 valued for a time | since when | the time at which it ends, the *value* |
//! | 7 scored | when the model was asked | digest of the input (8), flags (1): 1 has a score, 2 is shown; the score (8, a double); milliseconds since when it has been shown (LEB128), the index of its band (LEB128) |
//!
//! *Panes*: the first as zigzag LEB128, each further one as the difference from the one before (LEB128);
//! `aggregate::window` says which pane an instant is in. A *value* (`engine::encoding`) is a byte and its content: 0 absent,
//! 1 false, 2 true, 3 double (8), 4 integer of an event (zigzag LEB128; in states of earlier versions any whole number),
//! 5 time, 6 *text*, 7 date (days since 1970, zigzag LEB128), 8 decimal in billionths (zigzag LEB128 of up to 128 bits),
//! 9 decimal that is whole (zigzag LEB128), 10 decimal in hundredths (zigzag LEB128). A *number* is a decimal: a value of
//! 4, here for one that is whole, of 8 or of 10; of 3, a double that an earlier version wrote, it is that double's shortest
//! text, rounded to nine decimals. A *text* is its length in bytes (LEB128) and UTF-8.
//! A *total* is four times the number of numbers, plus 0 to 3 (LEB128), and their sum in billionths, which is divided by 1,
//! 10⁵, 10⁷ or 10⁹ then (zigzag LEB128 of up to 128 bits).
//!
//! In schemas of version 1 (see `engine::program::schema`) a total is the number of numbers (LEB128) and the undivided sum in
//! billionths, in the oldest ones in millionths; of a top, each string has the time of its latest event after the text, and
//! its panes by their numbers (zigzag LEB128); and each tag has a cell: its form, its instant as a *time*, and what the form
//! has.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::engine::{Checkpoint, Extent, Segment, Slot};
use crate::model::Timestamp;

/// The version in which records are written, and the newest that can be read. Version 1 is read, too: the meta record
/// has no facts there, and the schema says that the states have other cells.
pub const VERSION: u8 = 2;
/// The same of the sources.
const SOURCES_VERSION: u8 = 1;

/// The key of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangelogKey {
    Meta,
    /// The id of a schema.
    Schema(u64),
    Segment(Slot),
    Sources,
}

/// The position of a merged partition in one of its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceEntry<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub clock: Option<Timestamp>,
    /// The first offset whose event is not in the state.
    pub next: i64,
}

/// The position of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta<'a> {
    /// Identifies the incarnation of the changelog.
    pub log: u64,
    /// The first offset of the input partition that is not in the state.
    pub next_offset: i64,
    pub clock: Option<Timestamp>,
    pub extent: Extent,
    /// The fingerprint of the catalog.
    pub catalog: u64,
    /// The id of its schema.
    pub schema: u64,
    /// The name of the transaction that wrote it.
    pub transaction: &'a str,
    /// Encoded [`PartitionFacts`](super::PartitionFacts).
    pub facts: &'a [u8],
    /// The partition's metadata, encoded by the engine.
    pub notes: &'a [u8],
}

impl Meta<'_> {
    /// What the engine needs to finish a restore.
    pub fn checkpoint(&self) -> Checkpoint {
        let Meta { clock, extent, catalog, schema, notes, .. } = *self;
        Checkpoint { clock, extent, catalog, schema, notes: notes.to_vec() }
    }
}

/// A record of the changelog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangelogRecord<'a> {
    Meta(Meta<'a>),
    Schema {
        id: u64,
        meaning: &'a [u8],
    },
    Segment(Segment<'a>),
    /// `entries` are [`SourceEntry`]s.
    Sources {
        read_to: i64,
        entries: &'a [u8],
    },
    /// A tombstone.
    Cleared(ChangelogKey),
}

/// Why a record of the changelog cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangelogDecodeError {
    #[error("a changelog record of version {found}, the newest that this program knows is {newest_known}")]
    UnknownVersion { found: u8, newest_known: u8 },
    #[error("a damaged changelog record: {what}")]
    Damaged { what: &'static str },
    #[error("a record that tagstream has not written")]
    Foreign,
}

const META: u8 = 0;
const SCHEMA: u8 = 1;
const SEGMENT: u8 = 2;
const SOURCES: u8 = 3;

const NO_CLOCK: i64 = i64::MIN;

const CHECKSUM_BYTES: usize = 8;

impl ChangelogKey {
    /// Whether these are the bytes of [`ChangelogKey::Meta`], also where the record is of a version that cannot be read.
    pub fn is_meta(key: &[u8]) -> bool {
        key == [META]
    }

    /// Appends the key's bytes.
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            ChangelogKey::Meta => out.push(META),
            ChangelogKey::Sources => out.push(SOURCES),
            ChangelogKey::Schema(id) => {
                out.push(SCHEMA);
                out.extend_from_slice(&id.to_le_bytes());
            }
            ChangelogKey::Segment(slot) => {
                out.push(SEGMENT);
                out.extend_from_slice(&slot.to_le_bytes());
            }
        }
    }

    /// The version in which a record with this key is written.
    fn version(self) -> u8 {
        if self == ChangelogKey::Sources { SOURCES_VERSION } else { VERSION }
    }

    /// Reads a key's bytes. `None`: it is not one of this format.
    pub fn read(key: &[u8]) -> Option<Self> {
        match key.split_first()? {
            (&META, []) => Some(ChangelogKey::Meta),
            (&SOURCES, []) => Some(ChangelogKey::Sources),
            (&SCHEMA, id) => Some(ChangelogKey::Schema(u64::from_le_bytes(id.try_into().ok()?))),
            (&SEGMENT, slot) => Some(ChangelogKey::Segment(Slot::from_le_bytes(slot.try_into().ok()?))),
            _ => None,
        }
    }
}

impl<'a> ChangelogRecord<'a> {
    pub fn key(&self) -> ChangelogKey {
        match self {
            ChangelogRecord::Meta(_) => ChangelogKey::Meta,
            ChangelogRecord::Schema { id, .. } => ChangelogKey::Schema(*id),
            ChangelogRecord::Segment(segment) => ChangelogKey::Segment(segment.slot),
            ChangelogRecord::Sources { .. } => ChangelogKey::Sources,
            ChangelogRecord::Cleared(key) => *key,
        }
    }

    /// Appends the value's bytes; nothing, and false, for a tombstone, whose value is null.
    pub fn write_value(&self, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        out.push(self.key().version());
        match self {
            ChangelogRecord::Meta(meta) => {
                put_u64(meta.log, out);
                put_i64(meta.next_offset, out);
                put_i64(meta.clock.map_or(NO_CLOCK, Timestamp::ms), out);
                put_u64(meta.extent.oldest, out);
                put_u64(meta.extent.next, out);
                put_u64(meta.catalog, out);
                put_u64(meta.schema, out);
                out.extend_from_slice(&(meta.transaction.len() as u32).to_le_bytes());
                out.extend_from_slice(meta.transaction.as_bytes());
                out.extend_from_slice(&(meta.facts.len() as u32).to_le_bytes());
                out.extend_from_slice(meta.facts);
                out.extend_from_slice(meta.notes);
            }
            ChangelogRecord::Schema { meaning, .. } => out.extend_from_slice(meaning),
            ChangelogRecord::Segment(segment) => {
                put_u64(segment.number, out);
                put_u64(segment.schema, out);
                put_u64(segment.catalog, out);
                put_u64(segment.population, out);
                out.extend_from_slice(&segment.count.to_le_bytes());
                out.extend_from_slice(segment.entries);
            }
            ChangelogRecord::Sources { read_to, entries } => {
                put_i64(*read_to, out);
                out.extend_from_slice(entries);
            }
            ChangelogRecord::Cleared(_) => {
                out.truncate(start);
                return false;
            }
        }
        let mut key = Vec::with_capacity(9);
        self.key().write(&mut key);
        put_u64(checksum(&key, &out[start..]), out);
        true
    }

    /// Reads a record; a null value is a tombstone.
    ///
    /// # Errors
    /// Bytes of a newer version, damaged bytes, and records of another program: such a record has neither a key of this
    /// format nor a right checksum, which records of newer versions have whatever their keys.
    pub fn read(key: &[u8], value: Option<&'a [u8]>) -> Result<Self, ChangelogDecodeError> {
        let known = ChangelogKey::read(key);
        let Some(value) = value else {
            return known.map(ChangelogRecord::Cleared).ok_or(ChangelogDecodeError::Foreign);
        };
        let split = value.len().saturating_sub(CHECKSUM_BYTES).max(1).min(value.len());
        let (content, sum) = value.split_at(split);
        let is_whole = sum == checksum(key, content).to_le_bytes();
        if known.is_none() && !is_whole {
            return Err(ChangelogDecodeError::Foreign);
        }
        if value.is_empty() {
            return Err(ChangelogDecodeError::Damaged { what: "the value is empty" });
        }
        if !is_whole {
            return Err(ChangelogDecodeError::Damaged { what: "the checksum differs" });
        }
        let newest_known = known.map_or(VERSION, ChangelogKey::version);
        let version = match content[0] {
            found if found > newest_known => {
                return Err(ChangelogDecodeError::UnknownVersion { found, newest_known });
            }
            0 => return Err(ChangelogDecodeError::Damaged { what: "the version" }),
            version => version,
        };
        let known = known.ok_or(ChangelogDecodeError::Damaged { what: "the key" })?;
        let mut fields = FieldReader(&content[1..]);
        let (record, what) = match known {
            ChangelogKey::Meta => (fields.meta(version).map(ChangelogRecord::Meta), "the meta record"),
            ChangelogKey::Schema(id) => (Some(ChangelogRecord::Schema { id, meaning: fields.0 }), "the schema"),
            ChangelogKey::Segment(slot) => (fields.segment(slot).map(ChangelogRecord::Segment), "the segment"),
            ChangelogKey::Sources => {
                let record = fields.i64().map(|read_to| ChangelogRecord::Sources { read_to, entries: fields.0 });
                (record, "the sources")
            }
        };
        record.ok_or(ChangelogDecodeError::Damaged { what })
    }
}

impl<'a> SourceEntry<'a> {
    /// Appends the entry's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        // The name of a Kafka topic has at most 249 characters.
        out.push(self.topic.len() as u8);
        out.extend_from_slice(self.topic.as_bytes());
        out.extend_from_slice(&self.partition.to_le_bytes());
        put_i64(self.clock.map_or(NO_CLOCK, Timestamp::ms), out);
        put_i64(self.next, out);
    }

    /// Reads the entries of a record.
    ///
    /// # Errors
    /// Damaged bytes.
    pub fn read_all(entries: &'a [u8]) -> Result<Vec<Self>, ChangelogDecodeError> {
        let mut fields = FieldReader(entries);
        let mut all = Vec::new();
        while !fields.0.is_empty() {
            all.push(fields.source().ok_or(ChangelogDecodeError::Damaged { what: "a source" })?);
        }
        Ok(all)
    }
}

fn checksum(key: &[u8], content: &[u8]) -> u64 {
    xxh3_64_with_seed(content, xxh3_64(key))
}

pub(super) fn put_u64(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_i64(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// The rest of a value that has not been read.
pub(super) struct FieldReader<'a>(pub(super) &'a [u8]);

impl<'a> FieldReader<'a> {
    fn meta(&mut self, version: u8) -> Option<Meta<'a>> {
        Some(Meta {
            log: self.u64()?,
            next_offset: self.i64()?,
            clock: self.clock()?,
            extent: Extent { oldest: self.u64()?, next: self.u64()? },
            catalog: self.u64()?,
            schema: self.u64()?,
            transaction: {
                let len = self.u32()?;
                std::str::from_utf8(self.take(len as usize)?).ok()?
            },
            facts: match version {
                1 => &[],
                _ => {
                    let len = self.u32()?;
                    self.take(len as usize)?
                }
            },
            notes: self.0,
        })
    }

    fn source(&mut self) -> Option<SourceEntry<'a>> {
        let [len] = self.array()?;
        Some(SourceEntry {
            topic: std::str::from_utf8(self.take(len.into())?).ok()?,
            partition: self.array().map(i32::from_le_bytes)?,
            clock: self.clock()?,
            next: self.i64()?,
        })
    }

    fn clock(&mut self) -> Option<Option<Timestamp>> {
        Some(Some(self.i64()?).filter(|ms| *ms != NO_CLOCK).map(Timestamp::from_ms))
    }

    fn segment(&mut self, slot: Slot) -> Option<Segment<'a>> {
        let (number, schema, catalog, population) = (self.u64()?, self.u64()?, self.u64()?, self.u64()?);
        let count = self.u32()?;
        Some(Segment { slot, number, schema, catalog, population, count, entries: self.0 })
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }
}
