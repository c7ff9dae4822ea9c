//! A partition restored from its changelog.

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

/// Room is made for at most this many entities before any has been read.
const RESERVED_MAX: u64 = 1 << 24;

/// No changelog gets that far.
const NUMBER_MAX: u64 = 1 << 62;

/// What has been read of a changelog so far. The records come in the order of the changelog; records that compaction
/// may remove may be there or not.
#[derive(Debug)]
pub struct StateRestorer {
    partition: Partition,
    /// How states of each schema are read; `None` for the present schema.
    migrations: HashMap<u64, Option<Migration>>,
    /// The schemas that were read, by id.
    schemas_read: HashMap<u64, Schema>,
    /// The ids of the schemas whose records the changelog has.
    schemas: BTreeSet<u64>,
    by_slot: HashMap<Slot, RestoredSegment>,
    /// The number after the last segment of a snapshot that was read first.
    snapshot_to: Option<u64>,
    /// A buffer for a state in the present schema.
    migrated: Vec<u8>,
}

/// The record of a slot.
#[derive(Debug)]
struct RestoredSegment {
    slot: Slot,
    number: u64,
    schema: u64,
    /// The fingerprint of the catalog under which it was written.
    catalog: u64,
    bytes: usize,
    /// The entities whose states it holds; `None` where the schema has not been read.
    entities: Option<Vec<EntityId>>,
}

/// A partition that goes on where the one that wrote the changelog was.
#[derive(Debug)]
pub struct RestoredPartition {
    pub partition: Partition,
    /// Present where the changelog holds states of another schema.
    pub change: Option<MigrationReport>,
}

impl StateRestorer {
    /// Begins to read a changelog under a program.
    pub fn new(program: Arc<Program>) -> Self {
        let migrations = HashMap::from([(program.schema.id(), None)]);
        let schemas_read = HashMap::from([(program.schema.id(), program.schema.clone())]);
        StateRestorer {
            partition: Partition::new(program),
            migrations,
            schemas_read,
            schemas: BTreeSet::new(),
            by_slot: HashMap::new(),
            snapshot_to: None,
            migrated: Vec::new(),
        }
    }

    /// The program under which it is read.
    pub(crate) fn program(&self) -> &Arc<Program> {
        &self.partition.program
    }

    /// The schemas that were read, by id.
    pub(crate) fn schemas(&self) -> &HashMap<u64, Schema> {
        &self.schemas_read
    }

    /// The number of entities found so far.
    pub fn entities(&self) -> usize {
        self.partition.entities()
    }

    /// The record of a schema.
    ///
    /// # Errors
    /// Bytes that cannot be read.
    pub fn schema(&mut self, id: u64, meaning: &[u8]) -> Result<(), ChangelogError> {
        self.snapshot_schema(id, meaning)?;
        self.schemas.insert(id);
        Ok(())
    }

    /// The schema of a snapshot. Whether the changelog still has its record depends on the live segments.
    ///
    /// # Errors
    /// Bytes that cannot be read.
    pub fn snapshot_schema(&mut self, id: u64, meaning: &[u8]) -> Result<(), ChangelogError> {
        let program = &self.partition.program;
        let old = Schema::read(id, meaning)?;
        self.migrations.entry(id).or_insert_with(|| Some(Migration::new(&old, program)));
        self.schemas_read.entry(id).or_insert(old);
        Ok(())
    }

    /// The record of a schema is removed.
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

    /// A segment of a snapshot. Some of its entries may be left out; `log_bytes` is the size of all of them in the
    /// changelog. A snapshot is read before anything that was written after it.
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
        let entities = match self.migrations.get(&schema) {
            Some(migration) => Some(read(segment, migration.as_ref(), &mut self.partition, &mut self.migrated)?),
            // It is dead, or its schema is missing: the end of the changelog tells.
            None => None,
        };
        self.by_slot.insert(slot, RestoredSegment { slot, number, schema, catalog, bytes, entities });
        Ok(())
    }

    /// The record of a slot is removed.
    pub fn clear(&mut self, slot: Slot) {
        self.by_slot.remove(&slot);
    }

    /// Ends with a partition without entities, as of this clock, that writes the same changelog on: everything that was
    /// read is dead, and is purged. `next`: besides what was read, no segment has this number or a greater one. Counters
    /// have not seen what was before the clock.
    pub fn discard(self, clock: Option<Timestamp>, next: u64) -> Partition {
        let StateRestorer { partition, schemas, by_slot, .. } = self;
        let mut partition = Partition::new(partition.program);
        let mut dead: Vec<RestoredSegment> = by_slot.into_values().collect();
        dead.sort_unstable_by_key(|record| (record.number, record.slot));
        let next = dead.last().map_or(next, |last| next.max(last.number.saturating_add(1)));
        let mut segments = SegmentRing::starting(next);
        dead.iter().for_each(|record| segments.restore_dead(record.slot, record.number, record.bytes));
        schemas.iter().for_each(|schema| segments.restore_schema(*schema));
        segments.restored();
        partition.changelog = ChangelogWriter::restored(segments, next);
        if let Some(clock) = clock {
            partition.now = Some(Now::new(clock, &partition.program.zone));
            let seen = vec![clock; partition.program.series.len()];
            partition.coverage = Coverage::since(&partition.program, seen);
        }
        partition
    }

    /// Ends with the partition that wrote the changelog. No timer fires; entities that have not been evaluated under
    /// the present catalog are due soon.
    ///
    /// # Errors
    /// A changelog in which something is missing, and a snapshot that is too old to be of use.
    pub fn finish(self, position: Checkpoint) -> Result<RestoredPartition, ChangelogError> {
        let StateRestorer { mut partition, migrations, schemas_read, schemas, by_slot, snapshot_to, .. } = self;
        let Checkpoint { clock, extent, catalog, schema, notes } = position;
        let notes = Notes::read(&notes)?;
        if let Some(snapshot_to) = snapshot_to
            && extent.oldest > snapshot_to
        {
            return Err(ChangelogError::Outdated { snapshot_to, oldest: extent.oldest });
        }
        let mut records: Vec<RestoredSegment> = by_slot.into_values().collect();
        records.sort_unstable_by_key(|record| (record.number, record.slot));
        let (dead, live) = records.split_at(records.partition_point(|record| record.number < extent.oldest));
        check_complete(live, extent)?;
        let mut segments = SegmentRing::starting(extent.oldest);
        dead.iter().for_each(|record| segments.restore_dead(record.slot, record.number, record.bytes));
        let mut change: Option<MigrationReport> = None;
        for record in live {
            let Some(entities) = &record.entities else {
                return Err(ChangelogError::NoSchema { number: record.number, schema: record.schema });
            };
            let location = StateLocation::segment(record.number);
            let latest = entities.iter().copied().filter(|entity| partition.store.is_at(*entity, location));
            segments.restore_live(record.slot, latest, record.bytes, record.schema);
            if let Some(Some(migration)) = migrations.get(&record.schema) {
                change.get_or_insert_default().add(&migration.change);
            }
        }
        schemas.iter().for_each(|schema| segments.restore_schema(*schema));
        segments.restored();
        partition.now = clock.map(|clock| Now::new(clock, &partition.program.zone));
        partition.ended_lives = EndedLives::noted(notes.ended);
        partition.changelog = ChangelogWriter::restored(segments, notes.purge_to);
        if catalog == partition.program.catalog.fingerprint {
            partition.held_tags = HeldTags::new(&partition.program, notes.held.into_iter().collect());
        }
        if let Some(clock) = clock {
            // A catalog may have been in force without anything being written; the last segment tells what was before
            // it.
            let before = schemas_read.get(&schema).or_else(|| schemas_read.get(&live.last()?.schema));
            let inherited = |meaning: &str| inherited_in_notes(meaning, &notes.coverage, before);
            partition.coverage = Coverage::carried(&partition.program, clock, inherited);
        }
        drop_dead(&mut partition, extent);
        for (schema, migration) in &migrations {
            let Some(migration) = migration else { continue };
            let written = live.iter().filter(|record| record.schema == *schema);
            let written: HashSet<_> = written.map(|record| StateLocation::segment(record.number)).collect();
            partition.drop_left_panes(migration.widened(), |location| written.contains(&location));
        }
        if let Some(clock) = clock {
            let is_changed = catalog != partition.program.catalog.fingerprint;
            partition.reevaluation =
                if is_changed { Some(Reevaluation::begin(clock, partition.entities())) } else { notes.reevaluation };
            // The notes do not say why.
            partition.writes_unchanged = !is_changed;
            arm(&mut partition, clock, is_changed, live);
        }
        Ok(RestoredPartition { partition, change })
    }
}

/// What was kept of a series with this meaning: as the notes say, else everything under the schema that was in force.
/// Where there was no schema, there was no entity that could have missed anything.
pub(crate) fn inherited_in_notes(
    meaning: &str,
    partial_series: &[PartialSeries],
    before: Option<&Schema>,
) -> Option<InheritedCoverage> {
    let partial = partial_series.iter().filter(|partial| *partial.meaning == *meaning);
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

/// Reads the entries of a segment into the store. Returns the entities whose states it holds.
fn read(
    segment: Segment<'_>,
    migration: Option<&Migration>,
    partition: &mut Partition,
    migrated: &mut Vec<u8>,
) -> Result<Vec<EntityId>, ChangelogError> {
    let store = &mut partition.store;
    store.reserve(segment.population.min(RESERVED_MAX) as usize);
    let location = StateLocation::segment(segment.number);
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
                    if let Some(migration) = migration {
                        migrated.clear();
                        migration.state(packed, migrated);
                        packed = migrated;
                    }
                    entities.push(store.restore(hash, key, packed, due, location));
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
    for record in live {
        match record.number.cmp(&next) {
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

/// Files the timers. After a change of the catalog, every entity is due soon; else only those that have not been
/// evaluated since the last change.
///
/// An entity that was evaluated and left as it was may be in a segment from before the change, with its due time of
/// then; its present due time has to be found.
fn arm(partition: &mut Partition, clock: Timestamp, is_changed: bool, live: &[RestoredSegment]) {
    let catalog = partition.program.catalog.fingerprint;
    let earlier =
        live.iter().filter(|record| record.catalog != catalog).map(|record| StateLocation::segment(record.number));
    let earlier: HashSet<StateLocation> = earlier.collect();
    for entity in partition.store.entities() {
        let store = &mut partition.store;
        if store.is_vacant(entity) {
            continue;
        }
        let is_earlier = !earlier.is_empty() && earlier.contains(&store.location(entity));
        let mut due = store.due(entity).max(clock);
        let planned = partition.reevaluation.map(|reevaluation| reevaluation.due(store.hash_of(entity)));
        if let Some(planned) =
            planned.filter(|planned| is_changed || *planned > clock && (is_earlier || due >= *planned))
        {
            due = planned;
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
