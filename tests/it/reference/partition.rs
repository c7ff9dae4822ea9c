//! One partition: its clock, its entities, and the timers that fire in order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Output;

use super::catalog::{Catalog, Input};
use super::entity::Entity;
use super::input::Event;
use super::window::NEVER;

pub struct Partition {
    catalog: Catalog,
    /// The greatest time of the accepted events, or beyond it the instant up to which time was made to pass.
    clock: Option<i64>,
    entities: BTreeMap<String, Entity>,
    /// When each entity may next change with no event; those of one instant in the order of their keys.
    due: BTreeSet<(i64, String)>,
    pub changes: Vec<Output>,
}

impl Partition {
    pub fn new(catalog: Catalog) -> Self {
        Self { catalog, clock: None, entities: BTreeMap::new(), due: BTreeSet::new(), changes: Vec::new() }
    }

    pub fn input(&self) -> &Input {
        &self.catalog.input
    }

    pub fn apply(&mut self, event: &Event) {
        self.pass_time(event.time);
        let clock = self.clock.map_or(event.time, |clock| clock.max(event.time));
        self.clock = Some(clock);
        let catalog = &self.catalog;
        let entity = self.entities.entry(event.key.clone()).or_insert_with(|| Entity::new(&event.key, catalog));
        if entity.is_repeated(event, catalog, clock) {
            return;
        }
        entity.apply(event, catalog, clock);
        self.evaluate(&event.key, clock, "event");
    }

    /// Fires every timer that is due up to that instant, which included.
    pub fn pass_time(&mut self, to: i64) {
        while let Some((due, key)) = self.due.first().cloned().filter(|(due, _)| *due <= to) {
            self.clock = Some(due);
            self.evaluate(&key, due, "timer");
        }
    }

    /// Evaluates every entity at the instants that `looks` chooses between the clock and `to`.
    pub fn look(&mut self, to: i64, looks: &mut dyn FnMut(i64, i64) -> Vec<i64>) {
        let Some(clock) = self.clock.filter(|clock| *clock < to) else { return };
        for instant in looks(clock, to) {
            self.pass_time(instant);
            for key in self.entities.keys().cloned().collect::<Vec<_>>() {
                self.clock = Some(instant);
                self.evaluate(&key, instant, "timer");
            }
        }
    }

    fn evaluate(&mut self, key: &str, clock: i64, cause: &str) {
        let entity = self.entities.get_mut(key).expect("an entity");
        self.due.remove(&(entity.due, key.to_owned()));
        entity.evaluate(&self.catalog, clock, cause, &mut self.changes);
        assert!(entity.due > clock, "time goes on");
        if entity.due < NEVER {
            self.due.insert((entity.due, key.to_owned()));
        }
    }
}
