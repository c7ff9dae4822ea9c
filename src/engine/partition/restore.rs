//! A partition made again from its log.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::Partition;
use super::changelog_writer::ChangelogWriter;
use super::held_tags::HeldTags;
use super::removal::EndedLives;
use crate::engine::aggregate::{Now, Reach};
use crate::engine::changelog::{
    ChangelogEntry, ChangelogError, Checkpoint, Extent, Migration, MigrationReport, Notes, SLOT_MAX, Segment,
    SegmentRing, Slot,
};
use crate::engine::entity::{EntityId, FETCHED, Reevaluation, StateLocation, Store};
use crate::engine::expr::{Coverage, InheritedCoverage, PartialSeries};
use crate::engine::program::{Program, Schema, SchemaCell};
use crate::model::Timestamp;

/// Room is made for so many entities before any has been read.
const RESERVED_MAX: u64 = 1 << 24;

/// No log comes that far.
const NUMBER_MAX: u64 = 1 << 62;

/// What has been read of a log so far. It wants the records in the order of the log; those that compaction has removed
/// may be missing or not.
#[derive(Debug)]
pub struct StateRestorer {
    partition: Partition,
    /// How to read what is written in each; `None` for the present one.
    translations: HashMap<u64, Option<Migration>>,
    /// What those that were read mean.
    meanings: HashMap<u64, Schema>,
    /// Those that the log has.
    schemas: BTreeSet<u64>,
    held: HashMap<Slot, RestoredSegment>,
    /// The number behind the segments of a copy that was read first.
    snapshot_to: Option<u64>,
    /// Room for a state in the present schema.
    translated: Vec<u8>,
}

/// What stands in a slot.
#[derive(Debug)]
struct RestoredSegment {
    slot: Slot,
    number: u64,
    schema: u64,
    /// The fingerprint of the catalog under which it was written.
    catalog: u64,
    bytes: usize,
    /// Whose states it holds; not known where the schema is not there.
    entities: Option<Vec<EntityId>>,
}

/// A partition that goes on where the one that wrote the log was.
#[derive(Debug)]
pub struct RestoredPartition {
    pub partition: Partition,
    /// There where the log holds states of another catalog's cells.
    pub change: Option<MigrationReport>,
}

impl StateRestorer {
    pub fn new(program: Arc<Program>) -> Self {
        let translations = HashMap::from([(program.schema.id(), None)]);
        let meanings = HashMap::from([(program.schema.id(), program.schema.clone())]);
        StateRestorer {
            partition: Partition::new(program),
            translations,
            meanings,
            schemas: BTreeSet::new(),
            held: HashMap::new(),
            snapshot_to: None,
            translated: Vec::new(),
        }
    }

    /// The entities of which a state was found so far.
    pub fn entities(&self) -> usize {
        self.partition.entities()
    }

    /// The meaning of a schema.
    ///
    /// # Errors
    /// Bytes that cannot be read.
    pub fn schema(&mut self, id: u64, meaning: &[u8]) -> Result<(), ChangelogError> {
        self.snapshot_schema(id, meaning)?;
        self.schemas.insert(id);
        Ok(())
    }

    /// The schema of a copy: whether the log still has its record, live segments tell.
    ///
    /// # Errors
    /// Bytes that cannot be read.
    pub fn snapshot_schema(&mut self, id: u64, meaning: &[u8]) -> Result<(), ChangelogError> {
        let program = &self.partition.program;
        let old = Schema::read(id, meaning)?;
        let dedup = program.catalog.input.dedup_ms.is_some();
        self.translations.entry(id).or_insert_with(|| Some(Migration::new(&old, &program.schema, dedup)));
        self.meanings.entry(id).or_insert(old);
        Ok(())
    }

    /// The record of a schema has been removed.
    pub fn clear_schema(&mut self, id: u64) {
        self.schemas.remove(&id);
    }

    /// The record of a slot.
    ///
    /// # Errors
    /// Entries that cannot be read.
    pub fn segment(&mut self, segment: Segment<'_>) -> Result<(), ChangelogError> {
        self.keep_segment(segment, segment.entries.len())
    }

    /// A segment of a copy, of whose entries in the log, `log_bytes` of them, some may be left out. A copy comes before
    /// anything of the log that was written after it.
    ///
    /// # Errors
    /// Entries that cannot be read.
    pub fn snapshot_segment(&mut self, segment: Segment<'_>, log_bytes: u32) -> Result<(), ChangelogError> {
        if segment.number > NUMBER_MAX {
            return Err(ChangelogError::Number { number: segment.number });
        }
        self.snapshot_to = self.snapshot_to.max(Some(segment.number + 1));
        self.keep_segment(segment, log_bytes as usize)
    }

    fn keep_segment(&mut self, segment: Segment<'_>, bytes: usize) -> Result<(), ChangelogError> {
        let Segment { slot, number, schema, catalog, .. } = segment;
        if slot >= SLOT_MAX {
            return Err(ChangelogError::Slot { slot });
        }
        let entities = match self.translations.get(&schema) {
            Some(translation) => Some(read(segment, translation.as_ref(), &mut self.partition, &mut self.translated)?),
            // It is dead, or its schema is missing: the end of the log tells.
            None => None,
        };
        self.held.insert(slot, RestoredSegment { slot, number, schema, catalog, bytes, entities });
        Ok(())
    }

    /// The record of a slot has been removed.
    pub fn clear(&mut self, slot: Slot) {
        self.held.remove(&slot);
    }

    /// The log has been read to its end: makes the partition that wrote it. Nothing fires; entities that have not been
    /// evaluated under the present catalog take their turns.
    ///
    /// # Errors
    /// A log in which something is missing, and a copy of which nothing is of use any more.
    pub fn finish(self, position: Checkpoint) -> Result<RestoredPartition, ChangelogError> {
        let StateRestorer { mut partition, translations, meanings, schemas, held, snapshot_to, .. } = self;
        let Checkpoint { clock, extent, catalog, schema, notes } = position;
        let notes = Notes::read(&notes)?;
        if let Some(snapshot_to) = snapshot_to
            && extent.oldest > snapshot_to
        {
            return Err(ChangelogError::Outdated { snapshot_to, oldest: extent.oldest });
        }
        let mut held: Vec<RestoredSegment> = held.into_values().collect();
        held.sort_unstable_by_key(|held| (held.number, held.slot));
        let (dead, live) = held.split_at(held.partition_point(|held| held.number < extent.oldest));
        check_complete(live, extent)?;
        let mut ring = SegmentRing::starting(extent.oldest);
        dead.iter().for_each(|held| ring.restore_dead(held.slot, held.number, held.bytes));
        let mut change: Option<MigrationReport> = None;
        for held in live {
            let Some(entities) = &held.entities else {
                return Err(ChangelogError::NoSchema { number: held.number, schema: held.schema });
            };
            let place = StateLocation::segment(held.number);
            let latest = entities.iter().copied().filter(|entity| partition.store.is_at(*entity, place));
            ring.restore_live(held.slot, latest, held.bytes, held.schema);
            if let Some(Some(translation)) = translations.get(&held.schema) {
                change.get_or_insert_default().add(&translation.change);
            }
        }
        schemas.iter().for_each(|schema| ring.restore_schema(*schema));
        ring.restored();
        partition.now = clock.map(|clock| Now::new(clock, &partition.program.zone));
        partition.ended_lives = EndedLives::noted(notes.ended);
        partition.changelog = ChangelogWriter::restored(ring, notes.purge_to);
        if catalog == partition.program.catalog.fingerprint {
            partition.held_tags = HeldTags::new(&partition.program, notes.held.into_iter().collect());
        }
        if let Some(clock) = clock {
            // A catalog that was in force without anything being written has left what was written before it.
            let before = meanings.get(&schema).or_else(|| meanings.get(&live.last()?.schema));
            let held = |meaning: &str| previously(meaning, &notes.coverage, before);
            partition.coverage = Coverage::carried(&partition.program, clock, held);
        }
        drop_dead(&mut partition, extent);
        if let Some(clock) = clock {
            let is_changed = catalog != partition.program.catalog.fingerprint;
            partition.reevaluation =
                if is_changed { Some(Reevaluation::begin(clock, partition.entities())) } else { notes.reevaluation };
            arm(&mut partition, clock, is_changed, live);
        }
        Ok(RestoredPartition { partition, change })
    }
}

/// What was kept of a series of this meaning: as noted, or all of it under the schema that was in force. Where there was
/// none, there was no entity that could have missed anything.
fn previously(meaning: &str, noted: &[PartialSeries], before: Option<&Schema>) -> Option<InheritedCoverage> {
    let partial = noted.iter().filter(|partial| *partial.meaning == *meaning);
    if let Some(partial) = partial.max_by_key(|partial| partial.reach.width()) {
        return Some(InheritedCoverage { since: partial.since, reach: partial.reach });
    }
    let Some(before) = before else {
        return Some(InheritedCoverage { since: Timestamp::MIN, reach: Reach::Forever });
    };
    let reaches = before.cells().iter().filter_map(|cell| match cell {
        SchemaCell::Series { meaning: known, reach, .. } if **known == *meaning => Some(*reach),
        _ => None,
    });
    reaches.max_by_key(|reach| reach.width()).map(|reach| InheritedCoverage { since: Timestamp::MIN, reach })
}

/// Reads the entries of a segment into the store; the entities whose states it holds.
fn read(
    segment: Segment<'_>,
    translation: Option<&Migration>,
    partition: &mut Partition,
    translated: &mut Vec<u8>,
) -> Result<Vec<EntityId>, ChangelogError> {
    let store = &mut partition.store;
    store.reserve(segment.population.min(RESERVED_MAX) as usize);
    let place = StateLocation::segment(segment.number);
    let mut entities = Vec::new();
    let (mut batch, mut hashes) = (Vec::with_capacity(FETCHED), [0; FETCHED]);
    let mut found = 0;
    let mut entries = segment.entries;
    loop {
        batch.clear();
        while batch.len() < FETCHED
            && let Some(entry) = ChangelogEntry::take(&mut entries)?
        {
            hashes[batch.len()] = Store::hash(entry.key());
            batch.push(entry);
        }
        if batch.is_empty() {
            break;
        }
        found += batch.len() as u32;
        store.fetch(&hashes);
        for (entry, hash) in batch.iter().zip(hashes) {
            match *entry {
                ChangelogEntry::State { key, due, mut packed } => {
                    if let Some(translation) = translation {
                        translated.clear();
                        translation.state(packed, translated);
                        packed = translated;
                    }
                    entities.push(store.restore(hash, key, packed, due, place));
                }
                ChangelogEntry::Erased { key } => {
                    if let Some(entity) = store.find(hash, key) {
                        store.remove(hash, entity);
                    }
                }
            }
        }
    }
    if found == segment.count { Ok(entities) } else { Err(ChangelogError::Count { said: segment.count, found }) }
}

/// Whether the live segments are those of the extent, each once.
fn check_complete(live: &[RestoredSegment], extent: Extent) -> Result<(), ChangelogError> {
    if extent.next > NUMBER_MAX {
        return Err(ChangelogError::Extent { extent });
    }
    let mut next = extent.oldest;
    for held in live {
        match held.number.cmp(&next) {
            Ordering::Less => return Err(ChangelogError::Extent { extent }),
            Ordering::Equal if next < extent.next => next += 1,
            Ordering::Equal => return Err(ChangelogError::Extent { extent }),
            Ordering::Greater => return Err(ChangelogError::Missing { number: next }),
        }
    }
    match next.cmp(&extent.next) {
        Ordering::Less => Err(ChangelogError::Missing { number: next }),
        Ordering::Equal => Ok(()),
        // The extent ends before it begins.
        Ordering::Greater => Err(ChangelogError::Extent { extent }),
    }
}

/// Drops what only dead segments hold.
fn drop_dead(partition: &mut Partition, extent: Extent) {
    let store = &mut partition.store;
    for entity in store.entities() {
        if !store.is_vacant(entity) && !store.is_within(entity, extent.oldest, extent.next) {
            store.remove(store.hash_of(entity), entity);
        }
    }
}

/// Files the timers. With a changed catalog every entity takes its turn; else those do who had not had it.
///
/// Who had it and was left as it was may stand in a segment of the catalog before, with the due time of then: when it is
/// due now has to be found out.
fn arm(partition: &mut Partition, clock: Timestamp, is_changed: bool, live: &[RestoredSegment]) {
    let catalog = partition.program.catalog.fingerprint;
    let earlier = live.iter().filter(|held| held.catalog != catalog).map(|held| StateLocation::segment(held.number));
    let earlier: HashSet<StateLocation> = earlier.collect();
    for entity in partition.store.entities() {
        let store = &mut partition.store;
        if store.is_vacant(entity) {
            continue;
        }
        let is_earlier = !earlier.is_empty() && earlier.contains(&store.location(entity));
        let mut due = store.due(entity).max(clock);
        let turn = partition.reevaluation.map(|reevaluation| reevaluation.due(store.hash_of(entity)));
        if let Some(turn) = turn.filter(|turn| is_changed || *turn > clock && (is_earlier || due >= *turn)) {
            due = turn;
            store.set_pending_reevaluation(entity);
        } else if is_earlier {
            due = partition.find_next_due(entity).unwrap_or_else(|| {
                partition.store.set_pending_reevaluation(entity);
                clock
            });
        }
        partition.store.set_due(entity, due);
        partition.timers.file(entity, due, clock);
    }
}
