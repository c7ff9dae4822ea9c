//! What is taken from types of events that never came.

use std::collections::HashMap;

use super::owner::{Intended, Owner};
use crate::catalog::{Catalog, EventTypeSet, nearest};
use crate::model::Event;

/// The most names of types that are told apart.
const NAMES_MAX: usize = 1_000;

/// A counter, an attribute or a reset of whose types no event came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingTypes {
    pub owner: Owner,
    /// As the catalog writes them.
    pub types: Vec<Box<str>>,
    /// Of the types that came, the one whose name is nearest to one of them.
    pub nearest: Option<Box<str>>,
}

/// The types that came, as long as something waits for a type that did not.
#[derive(Debug)]
pub(super) struct TypeAudit {
    waiting: Vec<Intended>,
    /// With the number of their events.
    came: HashMap<Box<str>, u64>,
}

impl TypeAudit {
    pub(super) fn new(intended: &[Intended]) -> Self {
        let waiting = intended.iter().filter(|intended| intended.written != EventTypeSet::Any).cloned().collect();
        TypeAudit { waiting, came: HashMap::new() }
    }

    pub(super) fn note(&mut self, event: &Event) {
        if self.waiting.is_empty() {
            return;
        }
        self.waiting.retain(|intended| !intended.on.contains(event.event_type));
        let has_room = self.came.len() < NAMES_MAX;
        match self.came.get_mut(event.type_name()) {
            Some(events) => *events += 1,
            None if has_room => {
                self.came.insert(event.type_name().into(), 1);
            }
            None => {}
        }
    }

    pub(super) fn found<'a>(&'a self, catalog: &'a Catalog) -> impl Iterator<Item = MissingTypes> + 'a {
        let mut came: Vec<(&str, u64)> = self.came.iter().map(|(name, events)| (&**name, *events)).collect();
        came.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        self.waiting.iter().map(move |Intended { owner, written, .. }| {
            let ids = if let EventTypeSet::Of(ids) = written { &ids[..] } else { &[] };
            let names = ids.iter().filter_map(|id| catalog.event_types.get(id.index().checked_sub(1)?));
            let types: Vec<Box<str>> = names.cloned().collect();
            let near = types.iter().find_map(|name| nearest(name, came.iter().map(|(name, _)| *name)));
            MissingTypes { owner: owner.clone(), nearest: near.map(Box::from), types }
        })
    }
}
