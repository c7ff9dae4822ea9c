//! Which of an entity's tags are due: the clock moves few of its tags at a time, and the others need not be evaluated.
//!
//! An instant per tag and entity would take more memory than the tags themselves. So tags that are neighbours in the
//! order of evaluation share one: the first instant at which one of the group may differ. A catalog with a single group
//! needs nothing beside the entity's due time, and stores nothing.
//!
//! This is a cache, not state: where nothing is stored, as after a restart or a change of the catalog, all tags are
//! evaluated when the entity is due.

use super::store::EntityId;
use crate::engine::program::DirtyTags;
use crate::model::Timestamp;

/// Tags per group: 500 tags take 128 bytes per entity, and an entity that is due has about 32 of them evaluated.
const TAGS_A_GROUP: usize = 32;

/// Per group, the first instant at which one of its tags may differ if no event comes.
#[derive(Clone, Debug)]
pub(crate) struct GroupDues(Vec<Timestamp>);

impl GroupDues {
    pub(crate) fn none(tags: usize) -> Self {
        GroupDues(vec![Timestamp::FOREVER; tags.div_ceil(TAGS_A_GROUP).max(1)])
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(Timestamp::FOREVER);
    }

    /// A tag that was evaluated holds until `until`.
    pub(crate) fn hold(&mut self, place: usize, until: Timestamp) {
        let due = &mut self.0[place / TAGS_A_GROUP];
        *due = until.min(*due);
    }

    pub(crate) fn first(&self) -> Timestamp {
        self.0.iter().copied().fold(Timestamp::FOREVER, Timestamp::min)
    }
}

/// The due instants of all groups of all entities.
#[derive(Debug, Default)]
pub(crate) struct DueGroups {
    /// Entity after entity.
    dues: Vec<Timestamp>,
}

impl DueGroups {
    /// All tags of all entities are to be evaluated when due.
    pub(crate) fn clear(&mut self) {
        self.dues.clear();
    }

    /// All tags of the entity have just been evaluated.
    pub(crate) fn set(&mut self, entity: EntityId, dues: &GroupDues) {
        if dues.0.len() == 1 {
            return;
        }
        let end = (entity.0 as usize + 1) * dues.0.len();
        if self.dues.len() < end {
            self.dues.resize(end, Timestamp::MIN);
        }
        self.dues[end - dues.0.len()..end].copy_from_slice(&dues.0);
    }

    /// Some tags of the entity have been evaluated because of an event; for the others, what is stored holds.
    pub(crate) fn lower(&mut self, entity: EntityId, dues: &GroupDues) {
        for (stored, due) in self.row(entity, dues).iter_mut().zip(&dues.0) {
            *stored = (*stored).min(*due);
        }
    }

    /// Makes the tags dirty that are due at an instant.
    pub(crate) fn due(
        &mut self,
        entity: EntityId,
        at: Timestamp,
        tags: usize,
        dirty: &mut DirtyTags,
        dues: &GroupDues,
    ) {
        let row = self.row(entity, dues);
        if row.is_empty() {
            return dirty.fill(tags);
        }
        for (group, _) in row.iter().enumerate().filter(|(_, due)| **due <= at) {
            let first = group * TAGS_A_GROUP;
            (first..tags.min(first + TAGS_A_GROUP)).for_each(|place| dirty.insert(place));
        }
    }

    /// The tags that were due at an instant have been evaluated, and those that use them. Returns when the entity is
    /// due next.
    pub(crate) fn renew(&mut self, entity: EntityId, at: Timestamp, dues: &GroupDues) -> Timestamp {
        let row = self.row(entity, dues);
        if row.is_empty() {
            self.set(entity, dues);
            return dues.first();
        }
        let mut first = Timestamp::FOREVER;
        for (stored, due) in row.iter_mut().zip(&dues.0) {
            *stored = if *stored <= at { *due } else { (*stored).min(*due) };
            first = first.min(*stored);
        }
        first
    }

    /// The instants of an entity; empty where none are stored.
    fn row(&mut self, entity: EntityId, dues: &GroupDues) -> &mut [Timestamp] {
        let len = dues.0.len();
        self.dues.get_mut(entity.0 as usize * len..(entity.0 as usize + 1) * len).unwrap_or_default()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.dues.capacity() * size_of::<Timestamp>()
    }
}
