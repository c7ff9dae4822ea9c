//! One partition: its clock, its entities and their timers, in one value that nobody else touches.
//!
//! The clock moves through [`Partition::apply`] and [`Partition::advance`] only, so whoever drives it (a service, a
//! replay, a test) gets the same changes from the same events.

use std::sync::Arc;

use super::adoption::Reevaluation;
use super::agenda::{DueGroups, GroupDues};
use super::counting::{AttributeStats, EventCounting};
use super::ending::EndedLives;
use super::eval::{ClockExprs, Now};
use super::filling::Coverage;
use super::filter::scalar;
use super::hold::HeldTags;
use super::journal::ChangelogWriter;
use super::judging::EvalContext;
use super::program::Program;
use super::record::EntityState;
use super::scores::ScoreCache;
use super::stale::DirtyTags;
use super::store::{EntityId, Store};
use super::tags::TagCommand;
use super::timers::Timers;
use crate::catalog::{History, TagKind};
use crate::model::{Cause, Command, CurrentTag, Event, Scalar, TagChange, TagId, Timestamp};

/// Takes the changes, in the order in which they become true.
pub trait Sink {
    fn change(&mut self, change: &TagChange<'_>);

    /// Nothing is left of the entity of this key.
    fn ended(&mut self, _key: &str) {}
}

/// Hears nothing, where what happens is not to be told.
pub(super) struct NullSink;

impl Sink for NullSink {
    fn change(&mut self, _: &TagChange<'_>) {}
}

/// What a partition has done.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub events: u64,
    pub duplicates: u64,
    pub changes: u64,
    /// Timers that were due, whether or not they brought a change.
    pub timers: u64,
    /// By series: events that it could not count for want of a value that it takes.
    pub skipped: Vec<u64>,
    /// By attribute of the catalog.
    pub attributes: Vec<AttributeStats>,
}

impl Stats {
    pub(super) fn new(program: &Program) -> Self {
        let attributes = vec![AttributeStats::default(); program.catalog.attributes.len()];
        Stats { skipped: vec![0; program.series.len()], attributes, ..Stats::default() }
    }
}

#[derive(Debug)]
pub struct Partition {
    pub(super) program: Arc<Program>,
    pub(super) now: Option<Now>,
    pub(super) store: Store,
    pub(super) timers: Timers,
    pub(super) due_groups: DueGroups,
    pub(super) changelog: ChangelogWriter,
    pub(super) coverage: Coverage,
    /// What the log has to say of it until all entities that were counted again have been evaluated.
    pub(super) unwritten_coverage: Option<Coverage>,
    /// The turns under a changed catalog, over or not.
    pub(super) reevaluation: Option<Reevaluation>,
    pub(super) ended_lives: EndedLives,
    pub(super) held_tags: HeldTags,
    pub(super) scratch: Scratch,
    pub(super) stats: Stats,
}

/// Room to work on one entity, kept from one to the next so that nothing is allocated for an event.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) entity_state: EntityState,
    pub(super) clock_exprs: ClockExprs,
    pub(super) score_cache: ScoreCache,
    packed: Vec<u8>,
    /// A string on its way from the record back into it.
    pub(super) text: String,
    due: Vec<EntityId>,
    pub(super) because: Vec<(&'static str, Scalar<'static>)>,
    /// Empty between one evaluation and the next.
    pub(super) dirty: DirtyTags,
    /// Until when the tags hold that were evaluated last.
    pub(super) group_dues: GroupDues,
}

impl Scratch {
    pub(super) fn new(program: &Program) -> Self {
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
        }
    }

    /// The bytes of the entity on the desk.
    fn pack(&mut self) -> &[u8] {
        self.packed.clear();
        self.entity_state.pack(&mut self.packed);
        &self.packed
    }
}

impl Partition {
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
            ended_lives: EndedLives::default(),
            held_tags: HeldTags::default(),
            scratch: Scratch::new(&program),
            stats,
            program,
        }
    }

    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The greatest time of the events so far, or the instant that the clock was moved on to; none before the first.
    pub fn clock(&self) -> Option<Timestamp> {
        self.now.map(|now| now.at)
    }

    /// Nothing is due before this instant.
    pub fn next_due(&self) -> Timestamp {
        self.timers.next()
    }

    pub fn entities(&self) -> usize {
        self.store.len()
    }

    /// Whether it holds the entities that a tag is put on.
    pub fn has_tag(&self, name: &str) -> bool {
        self.program.tags.iter().any(|plan| *self.program.tag(plan.id).name == *name)
    }

    /// Bytes held for entities, timers and the bookkeeping of the changelog.
    pub fn bytes(&self) -> usize {
        self.store.bytes() + self.timers.bytes() + self.due_groups.bytes() + self.changelog.bytes()
    }

    /// What was done since the last call.
    pub fn take_stats(&mut self) -> Stats {
        std::mem::replace(&mut self.stats, Stats::new(&self.program))
    }

    /// Takes an accepted event, if it is one of an entity of this kind: what is due up to its time comes first, then the
    /// event, then its entity's verdicts.
    pub fn apply(&mut self, event: &Event, sink: &mut impl Sink) {
        self.advance(event.time, sink);
        let (Some(now), Some(key)) = (self.now, event.key_of(self.program.kind)) else {
            return;
        };
        let context = self.context(event, now);
        if event.command.is_some() && context.command.is_none() {
            return self.erase_by_command(event, now, sink);
        }
        if context.command.is_some_and(|command| self.program.tag(command.tag).entity != self.program.kind) {
            return;
        }
        self.stats.events += 1;
        let hash = Store::hash(key);
        let entity = self.store.find(hash, key);
        match entity {
            Some(entity) => self.scratch.entity_state.unpack(self.store.packed(entity)),
            None => self.scratch.entity_state.begin(key),
        }
        if self.is_duplicate(event, now) {
            self.stats.duplicates += 1;
            return;
        }
        if entity.is_some_and(|entity| self.store.set_reevaluated(entity)) {
            self.prepare_reevaluation(now.at, sink);
            self.evaluate(EvalContext { now, cause: Cause::Catalog, command: None }, sink);
        }
        self.count(event, context);
        if self.forget_at() <= now.at {
            // Nobody was there, or there were only commands: the event is so old that nothing is kept.
            self.scratch.dirty.clear();
            return entity.into_iter().for_each(|entity| self.end(entity, now.at, Cause::Forgotten, sink));
        }
        if entity.is_none() {
            self.scratch.dirty.fill(self.program.tags.len());
        }
        let until = self.evaluate(context, sink).min(self.forget_at());
        match entity {
            Some(entity) => {
                self.put_back(entity);
                self.due_groups.lower(entity, &self.scratch.group_dues);
                self.rearm(entity, until.min(self.store.due(entity)), now.at);
            }
            None => {
                let entity = self.store.insert(hash, self.scratch.pack());
                self.due_groups.set(entity, &self.scratch.group_dues);
                self.rearm(entity, until, now.at);
            }
        }
    }

    /// What an event asks for. Erasing is no order: it has no verdicts.
    fn context<'a>(&self, event: &'a Event, now: Now) -> EvalContext<'a> {
        let ends = |tag: TagId, valid_for_ms: Option<i64>| {
            let default = match self.program.tag(tag).kind {
                TagKind::Manual { valid_for_ms } => valid_for_ms,
                _ => None,
            };
            valid_for_ms.or(default).map_or(Timestamp::FOREVER, |ms| now.at.plus(ms))
        };
        let command = match event.command {
            Some(Command::Set { tag, value, valid_for_ms }) => {
                Some(TagCommand { tag, value: scalar(value, event), ends: ends(tag, valid_for_ms) })
            }
            Some(Command::Unset { tag }) => Some(TagCommand { tag, value: Scalar::Absent, ends: Timestamp::FOREVER }),
            Some(Command::Erase) | None => None,
        };
        let cause = if event.command.is_some() { Cause::Command } else { Cause::Event };
        EvalContext { now, cause, command }
    }

    /// Takes a behaviour event or an order into the record on the desk.
    fn count(&mut self, event: &Event, context: EvalContext<'_>) {
        let EvalContext { now, command, .. } = context;
        let Some(command) = command else {
            let Partition { program, scratch, stats, .. } = self;
            let (skipped, attributes) = (&mut stats.skipped[..], &mut stats.attributes[..]);
            let mut counting = EventCounting { program, now, dirty: &mut scratch.dirty, skipped, attributes };
            return counting.count(event, &mut scratch.entity_state);
        };
        self.scratch.entity_state.see_command(now.at);
        if let Some(place) = self.program.tags.iter().position(|plan| plan.id == command.tag) {
            self.scratch.dirty.insert(place);
        }
    }

    fn erase_by_command(&mut self, event: &Event, now: Now, sink: &mut impl Sink) {
        let Some(key) = event.key_of(self.program.kind) else { return };
        self.stats.events += 1;
        let Some(entity) = self.store.find(Store::hash(key), key) else { return };
        self.scratch.entity_state.unpack(self.store.packed(entity));
        if self.is_duplicate(event, now) {
            self.stats.duplicates += 1;
            return;
        }
        self.end(entity, now.at, Cause::Erased, sink);
    }

    /// Time passes up to an instant, and nothing else happens. An instant that is not after the clock does nothing.
    pub fn advance(&mut self, to: Timestamp, sink: &mut impl Sink) {
        let mut due = std::mem::take(&mut self.scratch.due);
        while let Some(at) = self.timers.pop(to, &self.store, &mut due) {
            // Entities of one instant go by key: their order must not depend on how they are kept.
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

    /// Evaluates an entity whose timer is due.
    fn fire(&mut self, entity: EntityId, sink: &mut impl Sink) {
        let Some(now) = self.now else {
            return;
        };
        self.stats.timers += 1;
        self.scratch.entity_state.unpack(self.store.packed(entity));
        if self.forget_at() <= now.at {
            return self.end(entity, now.at, Cause::Forgotten, sink);
        }
        self.scratch.entity_state.prune(&self.program, now);
        let (mut cause, mut is_unwritten) = (Cause::Timer, false);
        if self.store.set_reevaluated(entity) {
            (cause, is_unwritten) = (Cause::Catalog, self.unwritten_coverage.is_some());
            self.prepare_reevaluation(now.at, sink);
        } else {
            let tags = self.program.tags.len();
            self.due_groups.due(entity, now.at, tags, &mut self.scratch.dirty, &self.scratch.group_dues);
        }
        self.evaluate(EvalContext { now, cause, command: None }, sink);
        let until = self.due_groups.renew(entity, now.at, &self.scratch.group_dues).min(self.forget_at());
        // A changed catalog concerns all, and leaves most as they were: these need not be written again.
        if cause != Cause::Catalog || is_unwritten || self.scratch.pack() != self.store.packed(entity) {
            self.put_back(entity);
        }
        self.store.set_due(entity, Timestamp::FOREVER);
        self.rearm(entity, until, now.at);
    }

    fn is_duplicate(&mut self, event: &Event, now: Now) -> bool {
        match (self.program.catalog.input.dedup_ms, event.id()) {
            (Some(dedup_ms), Some(id)) => self.scratch.entity_state.is_duplicate(Store::hash(id), now.at, dedup_ms),
            _ => false,
        }
    }

    fn put_back(&mut self, entity: EntityId) {
        self.store.write(entity, self.scratch.pack());
    }

    /// Sets an entity's due time, which is the present one or an earlier one.
    fn rearm(&mut self, entity: EntityId, due: Timestamp, now: Timestamp) {
        if due != self.store.due(entity) {
            self.store.set_due(entity, due);
            self.timers.file(entity, due, now);
            self.timers.tidy(&self.store, now);
        }
    }

    /// The tags that an entity has now, in the catalog's order, then those that earlier catalogs gave it and that have yet to be
    /// removed. `with` sees them.
    pub fn current_tags<R>(&mut self, key: &str, with: impl FnOnce(&[CurrentTag<'_>]) -> R) -> Option<R> {
        let entity = self.store.find(Store::hash(key), key)?;
        Some(self.with_tags(entity, |_, tags| with(tags)))
    }

    /// As [`Partition::current_tags`] for every entity, with its key, the ones that came first before the others.
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
        for plan in &self.program.tags {
            entity_state.load_tag(plan.id);
        }
        let retired = entity_state.retired();
        let known = self.program.catalog.tags.iter().zip(entity_state.tags()).filter_map(|(tag, state)| {
            let since = state.since()?;
            Some(CurrentTag { tag: &tag.name, value: entity_state.shown(&tag.kind, *state), since })
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
