//! The committed notes of an application's partitions about one catalog, and what follows from them.

use std::collections::BTreeMap;

use crate::codec::RolloutNote;
use crate::engine::{ChangeImpact, TagImpact};
use crate::kafka::topology::{PartitionId, TopicId};
use crate::settings::MaxChange;

/// Tags that are held, with the impact of the catalog on them.
pub(super) type HeldImpacts = BTreeMap<Box<str>, TagImpact>;

/// The notes of all partitions that count entities. A partition that is under another catalog has none.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// All partitions that count entities.
    partitions: Vec<PartitionId>,
    notes: BTreeMap<PartitionId, RolloutNote>,
}

impl Board {
    pub fn new(partitions: Vec<PartitionId>) -> Self {
        Board { partitions, notes: BTreeMap::new() }
    }

    pub fn put(&mut self, partition: PartitionId, note: RolloutNote) {
        self.notes.insert(partition, note);
    }

    /// What was known of a partition does not count any more: somebody else may have committed since.
    pub fn forget(&mut self, partition: PartitionId) {
        self.notes.remove(&partition);
    }

    pub fn forget_all(&mut self) {
        self.notes.clear();
    }

    pub fn partitions(&self) -> &[PartitionId] {
        &self.partitions
    }

    pub fn note(&self, partition: PartitionId) -> Option<&RolloutNote> {
        self.notes.get(&partition)
    }

    pub fn notes(&self) -> impl Iterator<Item = (&PartitionId, &RolloutNote)> {
        self.notes.iter()
    }

    /// The tags that are held, if that is decided.
    pub fn decided(&self) -> Option<&BTreeMap<Box<str>, TagImpact>> {
        self.notes.values().find_map(|note| note.decided.as_ref())
    }

    /// The partitions that are not counted under the catalog.
    pub fn uncounted(&self) -> impl Iterator<Item = PartitionId> {
        self.partitions.iter().copied().filter(|partition| !self.notes.contains_key(partition))
    }

    /// Whether there is something to decide, and it is not decided.
    pub fn is_undecided(&self) -> bool {
        self.decided().is_none() && self.notes.values().any(|note| note.counts.is_some())
    }

    /// The partition whose owner decides.
    pub fn decider(&self) -> Option<PartitionId> {
        self.partitions.first().copied()
    }

    /// What is to be decided. `None`: it is decided, or some partitions are not counted.
    pub fn decision(&self, threshold: MaxChange) -> Option<BTreeMap<Box<str>, TagImpact>> {
        let is_ready = self.is_undecided() && self.uncounted().next().is_none();
        is_ready.then(|| exceeding(self.notes.iter(), threshold))
    }
}

/// The tags of which more would change than is allowed, counted over partitions. Those of one topic are of the same
/// kind of entity.
fn exceeding<'a>(
    notes: impl Iterator<Item = (&'a PartitionId, &'a RolloutNote)>,
    threshold: MaxChange,
) -> BTreeMap<Box<str>, TagImpact> {
    let MaxChange::Share(share) = threshold else { return BTreeMap::new() };
    let mut all: BTreeMap<TopicId, ChangeImpact> = BTreeMap::new();
    for (partition, note) in notes {
        if let Some(counts) = &note.counts {
            all.entry(partition.topic).or_default().add(counts);
        }
    }
    all.values().flat_map(|impact| impact.exceeding(share)).map(|(name, impact)| (name.into(), impact)).collect()
}

/// The tags of one partition of which more would change than is allowed, by its own counts.
pub(super) fn exceeding_here(counts: &ChangeImpact, threshold: MaxChange) -> HeldImpacts {
    let MaxChange::Share(share) = threshold else { return BTreeMap::new() };
    counts.exceeding(share).map(|(name, impact)| (name.into(), impact)).collect()
}
