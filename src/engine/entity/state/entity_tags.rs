//! The states of all tags of an unpacked entity.

use super::tag_state::{StatesWriter, TagState, visit_states};
use crate::catalog::TagId;

/// The states of one entity's tags after another's.
#[derive(Debug)]
pub(super) struct EntityTags {
    /// The cell number of the first tag.
    first: u16,
    states: Vec<TagState>,
    /// The tags that are not off, in order.
    present: Vec<u16>,
}

impl EntityTags {
    /// All off.
    pub(super) fn new(first: usize, tags: usize) -> Self {
        EntityTags { first: first as u16, states: vec![TagState::Off; tags], present: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.present.drain(..).for_each(|tag| self.states[usize::from(tag)] = TagState::Off);
    }

    /// Replaces the states by those of a cell. Strings are appended to `text`.
    pub(super) fn decode(&mut self, cell: &[u8], text: &mut String) {
        self.clear();
        let EntityTags { first, states, present } = self;
        visit_states(cell, text, |number, state| {
            let Some(tag) = number.checked_sub(*first) else { return };
            if let Some(known) = states.get_mut(usize::from(tag)) {
                *known = state;
                present.push(tag);
            }
        });
    }

    pub(super) fn encode(&self, text: &str, out: &mut Vec<u8>) {
        let mut writer = StatesWriter::default();
        for tag in &self.present {
            writer.put(self.first + tag, self.states[usize::from(*tag)], text, out);
        }
    }

    pub(super) fn get(&self, id: TagId) -> TagState {
        self.states[usize::from(id.0)]
    }

    pub(super) fn set(&mut self, id: TagId, state: TagState) {
        self.states[usize::from(id.0)] = state;
        match self.present.binary_search(&id.0) {
            Ok(at) if state == TagState::Off => _ = self.present.remove(at),
            Err(at) if state != TagState::Off => self.present.insert(at, id.0),
            Ok(_) | Err(_) => {}
        }
    }

    /// By the tags' ids.
    pub(super) fn all(&self) -> &[TagState] {
        &self.states
    }
}
