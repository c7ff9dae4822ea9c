//! The counters that an entity has at the clock, read without changing anything.

use super::Partition;
use crate::catalog::{Counter, CounterId, Expr};
use crate::engine::expr::load_series;
use crate::model::Value;

impl Partition {
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
