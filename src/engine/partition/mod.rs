//! One partition: its clock, its entities and their timers, in one value with one owner.
//!
//! The clock moves only through [`Partition::apply`] and [`Partition::advance`], so every driver (a service, a replay,
//! a test) gets the same changes from the same events.
//!
//! | file | holds |
//! | --- | --- |
//! | `held_tags` | tags whose changes wait for approval |
//! | `evaluate` | dirty tags step to their next states; timers fire; scores are computed ahead |
//! | `ingest` | what an event does to its entity |
//! | `removal` | the end of an entity: erased or forgotten |
//! | `catalog_change` | another catalog: states go on, every entity is evaluated once |
//! | `preview` | what another catalog would change, counted before it does |
//! | `backfill` | new counters from old events |
//! | `changelog_writer` | what is written to the changelog in each transaction |
//! | `restore` | a partition restored from its changelog |
//! | `snapshot` | a partition in the form of its changelog |
//! | `explain` | why a tag is as it is, and when that will differ |
//! | `inspect` | a partition put together from states, and read without changing anything |

mod held_tags;
mod evaluate;
mod ingest;
mod removal;
mod catalog_change;
mod preview;
mod backfill;
mod changelog_writer;
mod restore;
mod snapshot;
mod explain;
mod inspect;

pub use backfill::{BackfillResult, RetainedHistory, StateBackfill};
pub use explain::{Clause, ClauseForm, Expiry, Explanation, IncompleteCounter, NextChange, Role, Section, Wait};
pub use preview::{ChangeImpact, ImpactPreview, TagImpact};
pub(crate) use restore::inherited_in_notes;
pub use restore::{RestoredPartition, StateRestorer};
pub use snapshot::{SnapshotSink, SnapshotUnavailable};

use std::sync::Arc;

use crate::catalog::History;
use crate::engine::aggregate::Now;
use crate::engine::entity::{DueGroups, EntityId, EntityState, GroupDues, Reevaluation, Store, Timers};
use crate::engine::expr::{ClockExprs, Coverage, ScoreCache};
use crate::engine::ports::Sink;
use crate::engine::program::{AttributeStats, DirtyTags, Program};
use crate::model::{CurrentTag, Scalar, Timestamp};
use changelog_writer::ChangelogWriter;
use held_tags::HeldTags;
use removal::EndedLives;

/// What a partition has done.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub events: u64,
    pub duplicates: u64,
    /// Remembered ids that made room for later ones before their time (`dedup_limit`).
    pub ids_crowded_out: u64,
    /// Elements of arrays beyond the number of them that count.
    pub items_left_out: u64,
    /// Remembered ids that were decoded, compared or dropped: the work of finding duplicates.
    pub ids_read: u64,
    pub changes: u64,
    /// Timers that were due, with or without a change.
    pub timers: u64,
    /// By series: events without a value that the series takes; a text that is too long is none.
    pub skipped: Vec<u64>,
    /// By series: events of its types.
    pub heard: Vec<u64>,
    /// By series: of these, events that its `where` lets through.
    pub passed: Vec<u64>,
    /// By attribute of the catalog.
    pub attributes: Vec<AttributeStats>,
}

impl Stats {
    fn new(program: &Program) -> Self {
        let attributes = vec![AttributeStats::default(); program.catalog.attributes.len()];
        let none = vec![0; program.series.len()];
        Stats { skipped: none.clone(), heard: none.clone(), passed: none, attributes, ..Stats::default() }
    }
}

/// The entities of one kind in one partition of the input, under one program.
#[derive(Debug)]
pub struct Partition {
    program: Arc<Program>,
    now: Option<Now>,
    store: Store,
    timers: Timers,
    due_groups: DueGroups,
    changelog: ChangelogWriter,
    coverage: Coverage,
    /// What the changelog says of the coverage until all entities that were counted again have been evaluated.
    unwritten_coverage: Option<Coverage>,
    /// The latest change of the catalog, whether or not all entities have been evaluated since.
    reevaluation: Option<Reevaluation>,
    /// Whether an entity is written after a re-evaluation that leaves it as it is: it may be due earlier than the changelog
    /// says, or have counters that have seen more.
    writes_unchanged: bool,
    ended_lives: EndedLives,
    held_tags: HeldTags,
    scratch: Scratch,
    stats: Stats,
}

/// Buffers for work on one entity, kept from one to the next so that an event allocates nothing.
#[derive(Debug)]
struct Scratch {
    entity_state: EntityState,
    clock_exprs: ClockExprs,
    score_cache: ScoreCache,
    packed: Vec<u8>,
    /// A string on its way from the entity's state back into it.
    text: String,
    due: Vec<EntityId>,
    because: Vec<(&'static str, Scalar<'static>)>,
    /// Empty between one evaluation and the next.
    dirty: DirtyTags,
    /// Until when the tags hold that were evaluated last.
    group_dues: GroupDues,
    /// The statistics of events whose counting is checked, and a buffer for that.
    #[cfg(debug_assertions)]
    checked: Stats,
    #[cfg(debug_assertions)]
    repacked: Vec<u8>,
}

impl Scratch {
    fn new(program: &Program) -> Self {
        Scratch {
            entity_state: EntityState::new(program),
            clock_exprs: ClockExprs::default(),
            score_cache: ScoreCache::default(),
            packed: Vec::new(),
            text: String::new(),
            due: Vec::new(),
            because: Vec::new(),
            dirty: DirtyTags::empty(program.tags.len()),
            group_dues: GroupDues::none(program.tags.len()),
            #[cfg(debug_assertions)]
            checked: Stats::new(program),
            #[cfg(debug_assertions)]
            repacked: Vec::new(),
        }
    }

    /// The bytes of the unpacked entity.
    fn pack(&mut self) -> &[u8] {
        self.packed.clear();
        self.entity_state.pack(&mut self.packed);
        &self.packed
    }
}

impl Partition {
    /// A partition without entities and without a clock.
    pub fn new(program: Arc<Program>) -> Self {
        let stats = Stats::new(&program);
        Partition {
            now: None,
            store: Store::default(),
            timers: Timers::default(),
            due_groups: DueGroups::default(),
            changelog: ChangelogWriter::default(),
            coverage: Coverage::complete(&program),
            unwritten_coverage: None,
            reevaluation: None,
            writes_unchanged: false,
            ended_lives: EndedLives::default(),
            held_tags: HeldTags::default(),
            scratch: Scratch::new(&program),
            stats,
            program,
        }
    }

    /// The program under which it runs.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The greatest time of the events so far, or the instant to which the clock was moved; `None` before the first.
    pub fn clock(&self) -> Option<Timestamp> {
        self.now.map(|now| now.at)
    }

    /// Nothing is due before this instant.
    pub fn next_due(&self) -> Timestamp {
        self.timers.next()
    }

    /// How many entities it has.
    pub fn entities(&self) -> usize {
        self.store.len()
    }

    /// Whether the entities of this partition can have a tag.
    pub fn has_tag(&self, name: &str) -> bool {
        self.program.tags.iter().any(|plan| *self.program.tag(plan.id).name == *name)
    }

    /// Bytes of memory allocated for entities, timers and the changelog.
    pub fn bytes(&self) -> usize {
        self.store.bytes() + self.timers.bytes() + self.due_groups.bytes() + self.changelog.bytes()
    }

    /// What was done since the last call.
    pub fn take_stats(&mut self) -> Stats {
        std::mem::replace(&mut self.stats, Stats::new(&self.program))
    }

    /// Lets time pass up to an instant. An instant that is not after the clock does nothing.
    pub fn advance(&mut self, to: Timestamp, sink: &mut impl Sink) {
        let mut due = std::mem::take(&mut self.scratch.due);
        while let Some(at) = self.timers.pop(to, &self.store, &mut due) {
            // Entities due at one instant go by key: their order must not depend on how they are stored.
            due.sort_unstable_by(|a, b| {
                EntityState::key_of(self.store.packed(*a)).cmp(EntityState::key_of(self.store.packed(*b)))
            });
            self.move_clock(at);
            for together in due.chunks(ScoreCache::TOGETHER_MAX) {
                self.prefetch_scores(together);
                together.iter().for_each(|entity| self.fire(*entity, sink));
                self.scratch.score_cache.clear();
            }
        }
        self.scratch.due = due;
        self.move_clock(to);
    }

    /// The earliest instant up to `limit` at which an entity is due.
    pub(super) fn first_due(&mut self, limit: Timestamp) -> Option<Timestamp> {
        self.timers.first_due(limit, &self.store)
    }

    fn move_clock(&mut self, to: Timestamp) {
        match &mut self.now {
            None => {
                self.now = Some(Now::new(to, &self.program.zone));
                if self.program.catalog.history == History::Partial {
                    self.coverage = Coverage::starting_at(&self.program, to);
                }
            }
            Some(now) if now.at < to => {
                now.advance(to, &self.program.zone);
                self.ended_lives.clear();
            }
            Some(_) => {}
        }
    }

    fn put_back(&mut self, entity: EntityId) {
        self.store.write(entity, self.scratch.pack());
    }

    /// Sets an entity's due time, which is its present due time or an earlier one.
    fn rearm(&mut self, entity: EntityId, due: Timestamp, now: Timestamp) {
        if due != self.store.due(entity) {
            self.store.set_due(entity, due);
            self.timers.file(entity, due, now);
            self.timers.tidy(&self.store, now);
        }
    }

    /// The tags that an entity has now: in the catalog's order, then retired tags that have not been removed yet.
    pub fn current_tags<R>(&mut self, key: &str, with: impl FnOnce(&[CurrentTag<'_>]) -> R) -> Option<R> {
        let entity = self.store.find(Store::hash(key), key)?;
        Some(self.with_tags(entity, |_, tags| with(tags)))
    }

    /// As [`Partition::current_tags`] for every entity, with its key, in the order of their numbers.
    pub fn each_entity(&mut self, mut with: impl FnMut(&str, &[CurrentTag<'_>])) {
        for entity in self.store.entities() {
            if !self.store.is_vacant(entity) {
                self.with_tags(entity, &mut with);
            }
        }
    }

    fn with_tags<R>(&mut self, entity: EntityId, with: impl FnOnce(&str, &[CurrentTag<'_>]) -> R) -> R {
        let entity_state = &mut self.scratch.entity_state;
        entity_state.unpack(self.store.packed(entity));
        entity_state.load_tags();
        let retired = entity_state.retired();
        let known = self.program.catalog.tags.iter().zip(entity_state.tags()).filter_map(|(tag, state)| {
            let since = state.since()?;
            Some(CurrentTag { tag: &tag.name, value: entity_state.shown(&tag.definition, *state), since })
        });
        let retired = retired.iter().map(|(name, shown)| CurrentTag {
            tag: entity_state.name(*name),
            value: entity_state.kept(shown.value),
            since: shown.since,
        });
        let tags: Vec<CurrentTag<'_>> = known.chain(retired).collect();
        with(entity_state.key(), &tags)
    }
}
