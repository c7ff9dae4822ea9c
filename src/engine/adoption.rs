//! A changed catalog on a partition that is at work: states go on under it, and every entity is evaluated once.
//!
//! Nothing is evaluated at the change itself. Every entity is due within the next moments of the clock, a few at each
//! millisecond, so the stream goes on between them; one that has an event before its turn is evaluated before the event.
//! So each change bears an instant of its own, and the cause `catalog`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::filling::{Filling, Inherited};
use super::hold::Hold;
use super::journal::{CatalogChange, Cell, Translation};
use super::partition::{Desk, Partition, Sink};
use super::program::Program;
use super::timers::Timers;
use crate::model::{Cause, Scalar, TagChange, Timestamp};

/// So many entities are evaluated at the same millisecond under a changed catalog: at most, for whoever lets time pass can
/// only stop between two instants; and not many, for that is the share of the time that the stream has to give up.
const AT_ONCE: i64 = 200;

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
        self.stats.skipped = vec![0; program.series.len()];
        self.program = program;
        self.judge_all();
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
            self.judge_all();
        }
    }

    /// Has every entity evaluated under the present catalog, soon.
    pub(super) fn judge_all(&mut self) {
        let Some(clock) = self.clock() else { return };
        self.timers = Timers::default();
        let mut order = 0;
        for entity in self.store.entities() {
            if !self.store.is_vacant(entity) {
                self.store.set_unjudged(entity);
                self.store.set_due(entity, due(clock, order));
                self.timers.file(entity, due(clock, order), clock);
                order += 1;
            }
        }
    }

    /// The entity on the desk has not been evaluated under the present catalog: what earlier ones left of it is taken
    /// away, and all its tags are stale.
    pub(super) fn prepare_judgement(&mut self, at: Timestamp, sink: &mut impl Sink) {
        self.remove_gone(at, sink);
        self.desk.stale.fill(self.program.tags.len());
    }

    /// Tags that the catalog has no more are removed.
    fn remove_gone(&mut self, at: Timestamp, sink: &mut impl Sink) {
        let record = &mut self.desk.record;
        let gone = record.gone();
        if gone.is_empty() {
            return;
        }
        let mut left = Vec::new();
        for (name, shown) in gone {
            if self.hold.has(record.name(name)) {
                left.push((name, shown));
                continue;
            }
            sink.change(&TagChange {
                entity: self.program.entity(),
                key: record.key(),
                tag: record.name(name),
                value: Scalar::Absent,
                previous: record.kept(shown.value),
                at,
                seq: record.seq + 1,
                life: self.ended.lives(record.key()),
                cause: Cause::Catalog,
                because: &[],
                catalog: &self.program.fingerprint,
            });
            record.seq += 1;
            self.stats.changes += 1;
        }
        record.keep_gone(left);
    }
}

/// When the entity that is the `order`th to be evaluated under a changed catalog is due.
pub(super) fn due(clock: Timestamp, order: i64) -> Timestamp {
    clock.plus(order / AT_ONCE)
}
