//! A changed catalog on a partition that is at work: states go on under it, and every entity is evaluated once.
//!
//! Nothing is evaluated at the change itself. Every entity is due within the next moments of the clock, a few at each
//! millisecond, so the stream goes on between them; one that has an event before its turn is evaluated before the event.
//! So each change bears an instant of its own, and the cause `catalog`. That instant follows from the entity's key alone,
//! and the log notes where the moments begin and end: a crash in the middle of them changes no instant.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ending::Removal;
use super::eval::Present;
use super::filling::{Filling, Inherited};
use super::hold::Hold;
use super::journal::{CatalogChange, Cell, Translation};
use super::judging::Occasion;
use super::partition::{Desk, Partition, Sink, Stats};
use super::program::Program;
use super::store::EntityId;
use super::timers::Timers;
use crate::model::{Cause, TagChange, Timestamp};

/// So many entities are evaluated at the same millisecond under a changed catalog: at most, for whoever lets time pass can
/// only stop between two instants; and not many, for that is the share of the time that the stream has to give up.
const AT_ONCE: u64 = 200;

/// When the entities of a partition take their turns to be evaluated under another catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judging {
    /// The clock at which it began.
    pub since: Timestamp,
    /// Over so many milliseconds behind it the turns are spread, by the keys.
    pub over_ms: u64,
}

impl Judging {
    pub fn begin(clock: Timestamp, entities: usize) -> Self {
        Judging { since: clock, over_ms: (entities as u64).div_ceil(AT_ONCE).max(1) }
    }

    /// The turn of the entity whose key has this hash.
    pub fn due(self, hash: u64) -> Timestamp {
        self.since.plus(1 + ((u128::from(hash) * u128::from(self.over_ms)) >> 64) as i64)
    }

    /// Whether somebody may not have had a turn yet.
    pub fn is_on(self, clock: Timestamp) -> bool {
        clock < self.since.plus(self.over_ms as i64)
    }
}

/// What becomes of the instants at which entities were due anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instants {
    /// They are those of other verdicts.
    Void,
    /// Who is due before its turn is evaluated then.
    Good,
}

impl Partition {
    /// Goes on under another catalog's program of the same kind of entity. Tags of these names stay as they are until
    /// [`Partition::release`].
    pub fn adopt(&mut self, program: Arc<Program>, held: BTreeSet<Box<str>>) -> CatalogChange {
        let (old, new) = (&self.program.schema, &program.schema);
        let translation = Translation::new(old, new, program.catalog.input.dedup_ms.is_some());
        if old.id() != new.id() {
            let mut packed = Vec::new();
            for entity in self.store.entities() {
                if !self.store.is_vacant(entity) {
                    packed.clear();
                    translation.state(self.store.packed(entity), &mut packed);
                    self.store.rewrite(entity, &packed);
                }
            }
        }
        if let (Some(clock), Some(unwritten)) = (self.clock(), &self.unwritten_filling) {
            let carried = Filling::carried(&program, clock, |meaning| self.inherited(meaning, unwritten));
            self.unwritten_filling = Some(carried);
        }
        self.filling = match self.clock() {
            Some(clock) => Filling::carried(&program, clock, |meaning| self.inherited(meaning, &self.filling)),
            None => Filling::none(&program),
        };
        self.hold = Hold::new(&program, held);
        self.desk = Desk::new(&program);
        let Stats { skipped, heard, .. } = Stats::new(&program);
        (self.stats.skipped, self.stats.heard) = (skipped, heard);
        // Its day is the new time zone's from now on.
        self.present = self.clock().map(|clock| Present::new(clock, &program.zone));
        self.program = program;
        self.judge_all(Instants::Void);
        translation.change
    }

    /// What is kept of the events that a meaning of a series stands for.
    pub(super) fn inherited(&self, meaning: &str, filling: &Filling) -> Option<Inherited> {
        let attributes = self.program.catalog.attributes.len();
        let cells = self.program.schema.cells().iter().enumerate();
        let held = cells.filter_map(|(slot, cell)| match cell {
            Cell::Series { meaning: known, reach, .. } if **known == *meaning => {
                Some(Inherited { since: filling.seen_since_index(slot - attributes), reach: *reach })
            }
            _ => None,
        });
        held.max_by_key(|held| held.reach.width())
    }

    /// The tags whose changes wait for approval.
    pub fn held_tags(&self) -> impl Iterator<Item = &str> {
        self.hold.names().map(|name| &**name)
    }

    /// Has tags of these names stay as they are.
    pub fn hold(&mut self, names: BTreeSet<Box<str>>) {
        self.hold = Hold::new(&self.program, names);
    }

    /// Lets tags of these names change again.
    pub fn release(&mut self, names: &BTreeSet<Box<str>>) {
        let left: BTreeSet<Box<str>> = self.hold.names().filter(|name| !names.contains(*name)).cloned().collect();
        if self.hold.names().count() > left.len() {
            self.hold = Hold::new(&self.program, left);
            self.judge_all(Instants::Good);
        }
    }

    /// Has every entity evaluated under the present catalog, soon.
    pub(super) fn judge_all(&mut self, instants: Instants) {
        let Some(clock) = self.clock() else { return };
        let judging = Judging::begin(clock, self.store.len());
        self.timers = Timers::default();
        self.agenda.clear();
        for entity in self.store.entities() {
            if self.store.is_vacant(entity) {
                continue;
            }
            let (mut due, turn) = (self.store.due(entity), judging.due(self.store.hash_of(entity)));
            if instants == Instants::Void || due >= turn {
                due = turn;
                self.store.set_unjudged(entity);
                self.store.set_due(entity, due);
            }
            self.timers.file(entity, due, clock);
        }
        self.judging = Some(judging);
    }

    /// When an entity is next due that has been evaluated under the present catalog, if nothing would change now. What is
    /// kept of it stays as it is.
    pub(super) fn look_ahead(&mut self, entity: EntityId) -> Option<Timestamp> {
        let present = self.present?;
        let changes = self.stats.changes;
        self.desk.record.unpack(self.store.packed(entity));
        self.desk.record.prune(&self.program, present);
        self.desk.stale.fill(self.program.tags.len());
        let mut heard = AnyChange(false);
        let until = self.evaluate(Occasion { present, cause: Cause::Catalog, order: None }, &mut heard);
        self.stats.changes = changes;
        (!heard.0).then(|| until.min(self.forget_at()))
    }

    /// The entity on the desk has not been evaluated under the present catalog: what earlier ones left of it is taken
    /// away, and all its tags are stale.
    pub(super) fn prepare_judgement(&mut self, at: Timestamp, sink: &mut impl Sink) {
        self.remove_gone(Removal { at, cause: Cause::Catalog }, sink);
        self.desk.stale.fill(self.program.tags.len());
    }

    /// Tags that the catalog has no more are removed. Those on hold wait for approval, unless the entity ends.
    pub(super) fn remove_gone(&mut self, removal: Removal, sink: &mut impl Sink) {
        let record = &mut self.desk.record;
        let gone = record.gone();
        if gone.is_empty() {
            return;
        }
        let life = self.ended.lives(record.key());
        let mut left = Vec::new();
        for (name, shown) in gone {
            if removal.cause == Cause::Catalog && self.hold.has(record.name(name)) {
                left.push((name, shown));
                continue;
            }
            let previous = record.kept(shown.value);
            sink.change(&removal.change(&self.program, record, life, record.name(name), previous));
            record.seq += 1;
            self.stats.changes += 1;
        }
        record.keep_gone(left);
    }
}

/// Whether there was a change.
struct AnyChange(bool);

impl Sink for AnyChange {
    fn change(&mut self, _: &TagChange<'_>) {
        self.0 = true;
    }
}
