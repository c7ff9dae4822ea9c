//! A partition made again from its log.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::entry::Entry;
use super::notes::{Notes, Partly};
use super::ring::{Ring, SLOT_MAX};
use super::schema::{Cell, Schema};
use super::translate::{CatalogChange, Translation};
use super::{Damage, Extent, Position, Segment, Slot};
use crate::engine::adoption::Judging;
use crate::engine::ending::Ended;
use crate::engine::eval::Present;
use crate::engine::filling::{Filling, Inherited};
use crate::engine::hold::Hold;
use crate::engine::partition::Partition;
use crate::engine::program::Program;
use crate::engine::store::{EntityId, FETCHED, Place, Store};
use crate::engine::window::Reach;
use crate::model::Timestamp;

/// Room is made for so many entities before any has been read.
const RESERVED_MAX: u64 = 1 << 24;

/// No log comes that far.
const NUMBER_MAX: u64 = 1 << 62;

/// What has been read of a log so far. It wants the records in the order of the log; those that compaction has removed
/// may be missing or not.
#[derive(Debug)]
pub struct Restoring {
    partition: Partition,
    /// How to read what is written in each; `None` for the present one.
    translations: HashMap<u64, Option<Translation>>,
    /// What those that were read mean.
    meanings: HashMap<u64, Schema>,
    /// Those that the log has.
    schemas: BTreeSet<u64>,
    held: HashMap<Slot, Held>,
    /// The number behind the segments of a copy that was read first.
    copied_to: Option<u64>,
    /// Room for a state in the present schema.
    translated: Vec<u8>,
}

/// What stands in a slot.
#[derive(Debug)]
struct Held {
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
pub struct Restored {
    pub partition: Partition,
    /// There where the log holds states of another catalog's cells.
    pub change: Option<CatalogChange>,
}

impl Restoring {
    pub fn new(program: Arc<Program>) -> Self {
        let translations = HashMap::from([(program.schema.id(), None)]);
        let meanings = HashMap::from([(program.schema.id(), program.schema.clone())]);
        Restoring {
            partition: Partition::new(program),
            translations,
            meanings,
            schemas: BTreeSet::new(),
            held: HashMap::new(),
            copied_to: None,
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
    pub fn schema(&mut self, id: u64, meaning: &[u8]) -> Result<(), Damage> {
        self.copied_schema(id, meaning)?;
        self.schemas.insert(id);
        Ok(())
    }

    /// The schema of a copy: whether the log still has its record, live segments tell.
    ///
    /// # Errors
    /// Bytes that cannot be read.
    pub fn copied_schema(&mut self, id: u64, meaning: &[u8]) -> Result<(), Damage> {
        let program = &self.partition.program;
        let old = Schema::read(id, meaning)?;
        let dedup = program.catalog.input.dedup_ms.is_some();
        self.translations.entry(id).or_insert_with(|| Some(Translation::new(&old, &program.schema, dedup)));
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
    pub fn segment(&mut self, segment: Segment<'_>) -> Result<(), Damage> {
        self.hold(segment, segment.entries.len())
    }

    /// A segment of a copy, of whose entries in the log, `log_bytes` of them, some may be left out. A copy comes before
    /// anything of the log that was written after it.
    ///
    /// # Errors
    /// Entries that cannot be read.
    pub fn copied_segment(&mut self, segment: Segment<'_>, log_bytes: u32) -> Result<(), Damage> {
        if segment.number > NUMBER_MAX {
            return Err(Damage::Number { number: segment.number });
        }
        self.copied_to = self.copied_to.max(Some(segment.number + 1));
        self.hold(segment, log_bytes as usize)
    }

    fn hold(&mut self, segment: Segment<'_>, bytes: usize) -> Result<(), Damage> {
        let Segment { slot, number, schema, catalog, .. } = segment;
        if slot >= SLOT_MAX {
            return Err(Damage::Slot { slot });
        }
        let entities = match self.translations.get(&schema) {
            Some(translation) => Some(read(segment, translation.as_ref(), &mut self.partition, &mut self.translated)?),
            // It is dead, or its schema is missing: the end of the log tells.
            None => None,
        };
        self.held.insert(slot, Held { slot, number, schema, catalog, bytes, entities });
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
    pub fn finish(self, position: Position) -> Result<Restored, Damage> {
        let Restoring { mut partition, translations, meanings, schemas, held, copied_to, .. } = self;
        let Position { clock, extent, catalog, schema, notes } = position;
        let notes = Notes::read(&notes)?;
        if let Some(copied_to) = copied_to
            && extent.oldest > copied_to
        {
            return Err(Damage::Outdated { copied_to, oldest: extent.oldest });
        }
        let mut held: Vec<Held> = held.into_values().collect();
        held.sort_unstable_by_key(|held| (held.number, held.slot));
        let (dead, live) = held.split_at(held.partition_point(|held| held.number < extent.oldest));
        check_complete(live, extent)?;
        let mut ring = Ring::starting(extent.oldest);
        dead.iter().for_each(|held| ring.restore_dead(held.slot, held.number, held.bytes));
        let mut change: Option<CatalogChange> = None;
        for held in live {
            let Some(entities) = &held.entities else {
                return Err(Damage::NoSchema { number: held.number, schema: held.schema });
            };
            let place = Place::segment(held.number);
            let latest = entities.iter().copied().filter(|entity| partition.store.is_at(*entity, place));
            ring.restore_live(held.slot, latest, held.bytes, held.schema);
            if let Some(Some(translation)) = translations.get(&held.schema) {
                change.get_or_insert_default().add(&translation.change);
            }
        }
        schemas.iter().for_each(|schema| ring.restore_schema(*schema));
        ring.restored();
        partition.journal.ring = ring;
        partition.present = clock.map(|clock| Present::new(clock, &partition.program.zone));
        partition.ended = Ended::noted(notes.ended);
        partition.journal.purge_to = notes.purge_to;
        if catalog == partition.program.catalog.fingerprint {
            partition.hold = Hold::new(&partition.program, notes.held.into_iter().collect());
        }
        if let Some(clock) = clock {
            // A catalog that was in force without anything being written has left what was written before it.
            let before = meanings.get(&schema).or_else(|| meanings.get(&live.last()?.schema));
            let held = |meaning: &str| previously(meaning, &notes.filling, before);
            partition.filling = Filling::carried(&partition.program, clock, held);
        }
        drop_dead(&mut partition, extent);
        if let Some(clock) = clock {
            let is_changed = catalog != partition.program.catalog.fingerprint;
            partition.judging =
                if is_changed { Some(Judging::begin(clock, partition.entities())) } else { notes.judging };
            arm(&mut partition, clock, is_changed, live);
        }
        Ok(Restored { partition, change })
    }
}

/// What was kept of a series of this meaning: as noted, or all of it under the schema that was in force. Where there was
/// none, there was no entity that could have missed anything.
fn previously(meaning: &str, noted: &[Partly], before: Option<&Schema>) -> Option<Inherited> {
    let partly = noted.iter().filter(|partly| *partly.meaning == *meaning);
    if let Some(partly) = partly.max_by_key(|partly| partly.reach.width()) {
        return Some(Inherited { since: partly.since, reach: partly.reach });
    }
    let Some(before) = before else {
        return Some(Inherited { since: Timestamp::MIN, reach: Reach::Forever });
    };
    let reaches = before.cells().iter().filter_map(|cell| match cell {
        Cell::Series { meaning: known, reach, .. } if **known == *meaning => Some(*reach),
        _ => None,
    });
    reaches.max_by_key(|reach| reach.width()).map(|reach| Inherited { since: Timestamp::MIN, reach })
}

/// Reads the entries of a segment into the store; the entities whose states it holds.
fn read(
    segment: Segment<'_>,
    translation: Option<&Translation>,
    partition: &mut Partition,
    translated: &mut Vec<u8>,
) -> Result<Vec<EntityId>, Damage> {
    let store = &mut partition.store;
    store.reserve(segment.population.min(RESERVED_MAX) as usize);
    let place = Place::segment(segment.number);
    let mut entities = Vec::new();
    let (mut batch, mut hashes) = (Vec::with_capacity(FETCHED), [0; FETCHED]);
    let mut found = 0;
    let mut entries = segment.entries;
    loop {
        batch.clear();
        while batch.len() < FETCHED
            && let Some(entry) = Entry::take(&mut entries)?
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
                Entry::State { key, due, mut packed } => {
                    if let Some(translation) = translation {
                        translated.clear();
                        translation.state(packed, translated);
                        packed = translated;
                    }
                    entities.push(store.restore(hash, key, packed, due, place));
                }
                Entry::Erased { key } => {
                    if let Some(entity) = store.find(hash, key) {
                        store.remove(hash, entity);
                    }
                }
            }
        }
    }
    if found == segment.count { Ok(entities) } else { Err(Damage::Count { said: segment.count, found }) }
}

/// Whether the live segments are those of the extent, each once.
fn check_complete(live: &[Held], extent: Extent) -> Result<(), Damage> {
    if extent.next > NUMBER_MAX {
        return Err(Damage::Extent { extent });
    }
    let mut next = extent.oldest;
    for held in live {
        match held.number.cmp(&next) {
            Ordering::Less => return Err(Damage::Extent { extent }),
            Ordering::Equal if next < extent.next => next += 1,
            Ordering::Equal => return Err(Damage::Extent { extent }),
            Ordering::Greater => return Err(Damage::Missing { number: next }),
        }
    }
    match next.cmp(&extent.next) {
        Ordering::Less => Err(Damage::Missing { number: next }),
        Ordering::Equal => Ok(()),
        // The extent ends before it begins.
        Ordering::Greater => Err(Damage::Extent { extent }),
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
fn arm(partition: &mut Partition, clock: Timestamp, is_changed: bool, live: &[Held]) {
    let catalog = partition.program.catalog.fingerprint;
    let earlier = live.iter().filter(|held| held.catalog != catalog).map(|held| Place::segment(held.number));
    let earlier: HashSet<Place> = earlier.collect();
    for entity in partition.store.entities() {
        let store = &mut partition.store;
        if store.is_vacant(entity) {
            continue;
        }
        let is_earlier = !earlier.is_empty() && earlier.contains(&store.journalled(entity));
        let mut due = store.due(entity).max(clock);
        let turn = partition.judging.map(|judging| judging.due(store.hash_of(entity)));
        if let Some(turn) = turn.filter(|turn| is_changed || *turn > clock && (is_earlier || due >= *turn)) {
            due = turn;
            store.set_unjudged(entity);
        } else if is_earlier {
            due = partition.look_ahead(entity).unwrap_or_else(|| {
                partition.store.set_unjudged(entity);
                clock
            });
        }
        partition.store.set_due(entity, due);
        partition.timers.file(entity, due, clock);
    }
}
