//! A change of the catalog while a partition is at work: states go on, and every entity is evaluated once.
//!
//! Nothing is evaluated at the change itself. Every entity is due within the next moments of the clock, a few at each
//! millisecond, so the stream goes on in between; an entity that has an event earlier is evaluated before the event. So
//! each change has an instant of its own, and the cause `catalog`. The instant follows from the entity's key alone, and
//! the changelog notes the beginning and the end of these moments: a crash in between changes no instant.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::evaluate::EvalContext;
use super::held_tags::HeldTags;
use super::removal::Removal;
use super::{Partition, Scratch, Stats};
use crate::engine::aggregate::Now;
use crate::engine::changelog::{Migration, MigrationReport};
use crate::engine::entity::{EntityId, Reevaluation, StateLocation, Timers};
use crate::engine::expr::{Coverage, InheritedCoverage};
use crate::engine::ports::Sink;
use crate::engine::program::{Program, SchemaCell};
use crate::model::{Cause, TagChange, Timestamp};

/// Why all entities are evaluated again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReevaluationReason {
    /// Due times of before belong to other verdicts, and are dropped.
    NewCatalog,
    /// As for a new catalog.
    Backfill,
    /// Held tags have no due time. The due times of the others hold: an entity that is due earlier is evaluated then.
    Release,
}

impl Partition {
    /// Goes on under another catalog's program for the same entity kind. The tags named in `held` stay as they are
    /// until [`Partition::hold_only`] omits them.
    pub fn switch_catalog(&mut self, program: Arc<Program>, held: BTreeSet<Box<str>>) -> MigrationReport {
        let (old, new) = (&self.program.schema, &program.schema);
        let migration = Migration::new(old, &program);
        self.store.fold_ids();
        if old.id() != new.id() {
            let mut packed = Vec::new();
            for entity in self.store.entities() {
                if !self.store.is_vacant(entity) {
                    packed.clear();
                    migration.state(self.store.packed(entity), &mut packed);
                    self.store.rewrite(entity, &packed);
                }
            }
        }
        if let (Some(clock), Some(unwritten)) = (self.clock(), &self.unwritten_coverage) {
            let carried = Coverage::carried(&program, clock, |meaning| self.inherited_coverage(meaning, unwritten));
            self.unwritten_coverage = Some(carried);
        }
        self.coverage = match self.clock() {
            Some(clock) => {
                Coverage::carried(&program, clock, |meaning| self.inherited_coverage(meaning, &self.coverage))
            }
            None => Coverage::complete(&program),
        };
        self.held_tags = HeldTags::new(&program, held);
        self.scratch = Scratch::new(&program);
        let Stats { skipped, heard, passed, attributes, .. } = Stats::new(&program);
        self.stats = Stats { skipped, heard, passed, attributes, ..std::mem::take(&mut self.stats) };
        // From now on its day is that of the new time zone.
        self.now = self.clock().map(|clock| Now::new(clock, &program.zone));
        self.program = program;
        self.drop_left_panes(migration.widened(), |_| true);
        self.reevaluate_all(ReevaluationReason::NewCatalog);
        migration.change
    }

    /// A longer window begins with what the earlier one held at the change (spec 9.7): drops the panes that had left it,
    /// of entities at such a place.
    pub(super) fn drop_left_panes(&mut self, widened: &[u16], is_earlier: impl Fn(StateLocation) -> bool) {
        let first_panes = self.coverage.first_panes(&self.program, widened);
        if first_panes.is_empty() {
            return;
        }
        let mut packed = Vec::new();
        for entity in self.store.entities() {
            if self.store.is_vacant(entity) || !is_earlier(self.store.location(entity)) {
                continue;
            }
            let entity_state = &mut self.scratch.entity_state;
            entity_state.unpack(self.store.packed(entity));
            if entity_state.prune_before(&self.program, &first_panes) {
                packed.clear();
                entity_state.pack(&mut packed);
                self.store.rewrite(entity, &packed);
            }
        }
    }

    /// What is kept of the series with this meaning.
    pub(super) fn inherited_coverage(&self, meaning: &str, coverage: &Coverage) -> Option<InheritedCoverage> {
        let attributes = self.program.catalog.attributes.len();
        let cells = self.program.schema.cells().iter().enumerate();
        let held = cells.filter_map(|(number, cell)| match cell {
            SchemaCell::Series { meaning: known, reach, .. } if **known == *meaning => {
                Some(InheritedCoverage { since: coverage.seen_since_index(number - attributes), reach: *reach })
            }
            _ => None,
        });
        held.max_by_key(|held| held.reach.width())
    }

    /// The tags whose changes wait for approval.
    pub fn held_tags(&self) -> impl Iterator<Item = &str> {
        self.held_tags.names().map(|name| &**name)
    }

    /// Makes the tags with these names stay as they are, and lets all others change again.
    pub fn hold_only(&mut self, names: BTreeSet<Box<str>>) {
        let is_same = self.held_tags.names().eq(&names);
        let is_released = self.held_tags.names().any(|name| !names.contains(name));
        if !is_same {
            self.held_tags = HeldTags::new(&self.program, names);
        }
        if is_released {
            self.reevaluate_all(ReevaluationReason::Release);
        }
    }

    /// Has every entity evaluated under the present catalog, soon.
    pub(super) fn reevaluate_all(&mut self, reason: ReevaluationReason) {
        let Some(clock) = self.clock() else { return };
        // A restore finds the due times of entities that were last written under another catalog.
        self.writes_unchanged = reason != ReevaluationReason::NewCatalog || self.unwritten_coverage.is_some();
        let reevaluation = Reevaluation::begin(clock, self.store.len());
        self.timers = Timers::default();
        self.due_groups.clear();
        for entity in self.store.entities() {
            if self.store.is_vacant(entity) {
                continue;
            }
            let (mut due, planned) = (self.store.due(entity), reevaluation.due(self.store.hash_of(entity)));
            if reason != ReevaluationReason::Release || due >= planned {
                due = planned;
                self.store.set_pending_reevaluation(entity);
                self.store.set_due(entity, due);
            }
            self.timers.file(entity, due, clock);
        }
        self.reevaluation = Some(reevaluation);
    }

    /// When an entity that has been evaluated under the present catalog is due next; `None` where evaluating it would
    /// change something now. Its stored state stays as it is.
    pub(super) fn find_next_due(&mut self, entity: EntityId) -> Option<Timestamp> {
        let now = self.now?;
        let changes = self.stats.changes;
        self.scratch.entity_state.unpack(self.store.packed(entity));
        self.scratch.entity_state.prune(&self.program, now);
        self.scratch.dirty.fill(self.program.tags.len());
        let mut any = AnyChange(false);
        let until = self.evaluate(EvalContext { now, cause: Cause::Catalog, command: None }, &mut any);
        self.stats.changes = changes;
        (!any.0).then(|| until.min(self.forget_at()))
    }

    /// The unpacked entity has not been evaluated under the present catalog: removes its retired tags, and makes all
    /// its tags dirty.
    pub(super) fn prepare_reevaluation(&mut self, at: Timestamp, sink: &mut impl Sink) {
        self.remove_retired(Removal { at, cause: Cause::Catalog }, sink);
        self.scratch.dirty.fill(self.program.tags.len());
    }

    /// Removes retired tags. Held ones wait for approval, unless the entity ends.
    pub(super) fn remove_retired(&mut self, removal: Removal, sink: &mut impl Sink) {
        let entity_state = &mut self.scratch.entity_state;
        let retired = entity_state.retired();
        if retired.is_empty() {
            return;
        }
        let life = self.ended_lives.lives(entity_state.key());
        let mut left = Vec::new();
        for (name, shown) in retired {
            if removal.cause == Cause::Catalog && self.held_tags.has(entity_state.name(name)) {
                left.push((name, shown));
                continue;
            }
            let previous = entity_state.kept(shown.value);
            sink.change(&removal.change(&self.program, entity_state, life, entity_state.name(name), previous));
            entity_state.seq += 1;
            self.stats.changes += 1;
        }
        entity_state.keep_retired(left);
    }
}

/// A sink that notes whether there was a change.
struct AnyChange(bool);

impl Sink for AnyChange {
    fn change(&mut self, _: &TagChange<'_>) {
        self.0 = true;
    }
}
