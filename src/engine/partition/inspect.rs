//! A partition put together from states, and read without changing anything.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Partition;
use super::held_tags::HeldTags;
use crate::catalog::{Counter, CounterId, Expr};
use crate::engine::aggregate::Now;
use crate::engine::entity::{EntityState, Store};
use crate::engine::expr::{Coverage, load_series};
use crate::engine::program::Program;
use crate::model::{Timestamp, Value};

impl Partition {
    /// A partition that stands at an instant, with these entities: each with the instant at which it is due.
    pub(crate) fn assemble<'a>(
        program: Arc<Program>,
        now: Option<Now>,
        coverage: Coverage,
        held: BTreeSet<Box<str>>,
        states: impl Iterator<Item = (&'a [u8], Timestamp)>,
    ) -> Self {
        let mut partition = Partition::new(program);
        (partition.now, partition.coverage) = (now, coverage);
        partition.held_tags = HeldTags::new(&partition.program, held);
        for (packed, due) in states {
            let key = std::str::from_utf8(EntityState::key_of(packed)).unwrap_or_default();
            let entity = partition.store.insert(Store::hash(key), packed);
            partition.store.set_due(entity, due);
            if let Some(now) = now {
                partition.timers.file(entity, due, now.at);
            }
        }
        partition
    }

    /// The whole state of every entity, with the instant at which it is due.
    pub(crate) fn each_state(&self, mut each: impl FnMut(&[u8], Timestamp)) {
        let mut buffer = Vec::new();
        for entity in self.store.entities().filter(|entity| !self.store.is_vacant(*entity)) {
            each(self.store.state(entity, &mut buffer), self.store.due(entity));
        }
    }

    /// The instant at which every entity has been evaluated under the present catalog; `None`: the catalog never changed.
    pub fn reevaluated_at(&self) -> Option<Timestamp> {
        self.reevaluation.map(|reevaluation| reevaluation.since.plus(reevaluation.over_ms as i64))
    }

    pub(crate) fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// The name and value of each counter of this entity kind, in the catalog's order; `None` as a value where it is absent.
    /// `None`: the entity is not known.
    ///
    /// A value is made of what was seen: of a counter that has not seen its whole window yet, it is a part of the truth.
    pub fn counters(&self, key: &str) -> Option<Vec<(String, Option<Value>)>> {
        let (mut alone, entity) = self.isolate(key)?;
        let program = self.program.clone();
        let entity_state = &mut alone.scratch.entity_state;
        entity_state.unpack(alone.store.packed(entity));
        let counters = program.catalog.counters.iter().zip((0..).map(CounterId));
        let own: Vec<_> = counters.filter(|(counter, _)| counter.entity == program.kind).collect();
        for (_, id) in &own {
            load_series(&program, program.counter(*id).series, entity_state);
        }
        let value = |(counter, id): (&Counter, CounterId)| (counter.name.to_string(), alone.held(&Expr::Counter(id)).0);
        Some(own.into_iter().map(value).collect())
    }
}
