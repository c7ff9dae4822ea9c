//! One partition: its clock, its entities of every kind, and the timers that fire in order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Output;

use super::catalog::Catalog;
use super::command::Command;
use super::entity::{Entity, Moment};
use super::input::Event;
use super::succession::{Clocks, Succession};
use super::window::NEVER;

/// Whose something is: the index of a kind, and a key.
type Name = (usize, String);

pub struct Partition {
    catalog: Catalog,
    /// The greatest time of the accepted events, or beyond it the instant up to which time was made to pass.
    clock: Option<i64>,
    /// By counter, the clock up to which events may be missing, if any may.
    added: Vec<Option<i64>>,
    entities: BTreeMap<Name, Entity>,
    /// When each entity may next change with no event; those of one instant in the order of their kinds and keys.
    due: BTreeSet<(i64, Name)>,
    pub changes: Vec<Output>,
}

impl Partition {
    pub fn new(catalog: Catalog) -> Self {
        let (changes, added) = (Vec::new(), vec![None; catalog.counters.len()]);
        Self { catalog, clock: None, added, entities: BTreeMap::new(), due: BTreeSet::new(), changes }
    }

    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub fn apply(&mut self, event: &Event) {
        self.pass_time(event.time);
        let clock = self.clock.map_or(event.time, |clock| clock.max(event.time));
        if self.clock.is_none() && self.catalog.partial {
            self.added.fill(Some(clock));
        }
        self.clock = Some(clock);
        for (kind, key) in event.keys.iter().enumerate() {
            if let Some(key) = key {
                self.deliver(&(kind, key.clone()), event, clock);
            }
        }
    }

    /// Gives one entity what the event is to it.
    fn deliver(&mut self, name: &Name, event: &Event, clock: i64) {
        let catalog = &self.catalog;
        match event.command {
            Some(Command::Erase) if !self.entities.contains_key(name) => return,
            Some(Command::Tag(tag, _)) if catalog.tags[tag].entity != name.0 => return,
            _ => {}
        }
        let entity = self.entities.entry(name.clone()).or_insert_with(|| Entity::new(name.0, &name.1, catalog));
        if entity.is_repeated(event, catalog, clock) {
            return;
        }
        if entity.pending && !matches!(event.command, Some(Command::Erase)) {
            self.evaluate(name, clock, "catalog");
        }
        let (catalog, entity) = (&self.catalog, self.entities.get_mut(name).expect("an entity"));
        match &event.command {
            None => {
                entity.apply(event, catalog, clock);
                self.evaluate(name, clock, "event");
            }
            Some(Command::Erase) => self.remove(name, clock, "erased"),
            Some(Command::Tag(tag, order)) => {
                entity.obey(*tag, order, catalog, clock);
                self.evaluate(name, clock, "command");
            }
        }
    }

    /// Fires every timer that is due up to that instant, which included.
    pub fn pass_time(&mut self, to: i64) {
        while let Some((due, name)) = self.due.first().cloned().filter(|(due, _)| *due <= to) {
            self.clock = Some(due);
            self.evaluate(&name, due, if self.entities[&name].pending { "catalog" } else { "timer" });
        }
    }

    /// Goes on under another catalog. At the next millisecond every entity is evaluated.
    pub fn adopt(&mut self, catalog: Catalog, succession: &dyn Fn(&Catalog, &Catalog, Clocks) -> Succession) {
        let Some(clock) = self.clock else { return *self = Self::new(catalog) };
        let succession = succession(&self.catalog, &catalog, Clocks { clock, added: &self.added });
        self.due = self.entities.keys().map(|name| (clock + 1, name.clone())).collect();
        for entity in self.entities.values_mut() {
            entity.adopt(&self.catalog, &catalog, &succession);
            entity.due = clock + 1;
        }
        self.added = succession.added;
        self.catalog = catalog;
    }

    /// Evaluates every entity at the instants that `looks` chooses between the clock and `to`.
    pub fn look(&mut self, to: i64, looks: &mut dyn FnMut(i64, i64) -> Vec<i64>) {
        let Some(clock) = self.clock.filter(|clock| *clock < to) else { return };
        for instant in looks(clock, to) {
            self.pass_time(instant);
            for name in self.entities.keys().cloned().collect::<Vec<_>>() {
                self.clock = Some(instant);
                self.evaluate(&name, instant, "timer");
            }
        }
    }

    /// Brings an entity up to the clock, or forgets it where it has been silent for too long.
    fn evaluate(&mut self, name: &Name, clock: i64, cause: &str) {
        let entity = self.entities.get_mut(name).expect("an entity");
        if entity.forgotten(&self.catalog) <= clock {
            self.remove(name, clock, "forgotten");
            return;
        }
        self.due.remove(&(entity.due, name.clone()));
        entity.evaluate(&self.catalog, Moment { clock, cause, added: &self.added }, &mut self.changes);
        assert!(entity.due > clock, "time goes on");
        if entity.due < NEVER {
            self.due.insert((entity.due, name.clone()));
        }
    }

    fn remove(&mut self, name: &Name, clock: i64, cause: &str) {
        let mut entity = self.entities.remove(name).expect("an entity");
        self.due.remove(&(entity.due, name.clone()));
        entity.leave(&self.catalog, Moment { clock, cause, added: &[] }, &mut self.changes);
    }
}
