//! Tags whose changes wait for approval (spec 8).

use std::collections::BTreeSet;

use crate::engine::program::Program;

/// The names of tags that stay as they are, whatever their verdicts; mostly none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HeldTags {
    names: BTreeSet<Box<str>>,
    /// By place in the order of evaluation; empty where no tag is held.
    places: Vec<bool>,
}

impl HeldTags {
    pub(super) fn new(program: &Program, names: BTreeSet<Box<str>>) -> Self {
        if names.is_empty() {
            return HeldTags::default();
        }
        let places = program.tags.iter().map(|plan| names.contains(&program.tag(plan.id).name)).collect();
        HeldTags { names, places }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Box<str>> {
        self.names.iter()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub(super) fn has_place(&self, place: usize) -> bool {
        self.places.get(place).copied().unwrap_or(false)
    }
}
