//! Which of an entity's tags are due: of many tags the clock moves one, and the others need not be looked at.
//!
//! An instant a tag and entity would take more room than the tags themselves. So tags share one, a group of those that
//! stand together in the order of evaluation: the first instant at which one of them may differ. A catalog of one group
//! has nothing to note beside the entity's due time, and notes nothing.
//!
//! What is noted here is no state: where nothing is noted, as after a restart or a changed catalog, all tags are looked
//! at when the entity is due.

use super::store::EntityId;
use crate::engine::program::DirtyTags;
use crate::model::Timestamp;

/// Tags a group: 500 tags take 128 bytes an entity, and an entity that is due has some 32 of them evaluated.
const TAGS_A_GROUP: usize = 32;

/// By group, the first instant at which one of its tags may differ if no event comes.
#[derive(Clone, Debug)]
pub(crate) struct GroupDues(Vec<Timestamp>);

impl GroupDues {
    pub(crate) fn none(tags: usize) -> Self {
        GroupDues(vec![Timestamp::FOREVER; tags.div_ceil(TAGS_A_GROUP).max(1)])
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(Timestamp::FOREVER);
    }

    /// A tag that was evaluated holds until an instant.
    pub(crate) fn hold(&mut self, place: usize, until: Timestamp) {
        let due = &mut self.0[place / TAGS_A_GROUP];
        *due = until.min(*due);
    }

    pub(crate) fn first(&self) -> Timestamp {
        self.0.iter().copied().fold(Timestamp::FOREVER, Timestamp::min)
    }
}

/// The groups' instants of all entities.
#[derive(Debug, Default)]
pub(crate) struct DueGroups {
    /// One entity after the other.
    dues: Vec<Timestamp>,
}

impl DueGroups {
    /// All of everybody is to be looked at.
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

    /// Some tags of the entity have been evaluated because of an event; of the others what was noted stands.
    pub(crate) fn lower(&mut self, entity: EntityId, dues: &GroupDues) {
        for (noted, due) in self.row(entity, dues).iter_mut().zip(&dues.0) {
            *noted = (*noted).min(*due);
        }
    }

    /// Makes the tags stale that are due at an instant.
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
        for (noted, due) in row.iter_mut().zip(&dues.0) {
            *noted = if *noted <= at { *due } else { (*noted).min(*due) };
            first = first.min(*noted);
        }
        first
    }

    /// What is noted of an entity, if anything is.
    fn row(&mut self, entity: EntityId, dues: &GroupDues) -> &mut [Timestamp] {
        let len = dues.0.len();
        self.dues.get_mut(entity.0 as usize * len..(entity.0 as usize + 1) * len).unwrap_or_default()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.dues.capacity() * size_of::<Timestamp>()
    }
}
