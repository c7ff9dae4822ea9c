//! What the replica shows: a view of all partitions that never changes, each as of a committed transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use dashmap::DashMap;
use roaring::RoaringBitmap;

use super::entity_table::{EntityNumber, EntityTable};
use super::tag_index::{PastTag, TagIndex};
use crate::catalog::TagId;
use crate::codec::PartitionFacts;
use crate::engine::{CompiledCatalog, Partition, PartitionStanding, Program, StateReader, TagImpact};
use crate::kafka::PartitionName;
use crate::model::{EntityKindId, Timestamp};

/// The numbers of entities by key. One map is shared by all views of a partition and written while it is read.
pub(super) type EntityNumbers = DashMap<Box<str>, EntityNumber>;

/// A partition as of one committed transaction.
#[derive(Clone, Debug)]
pub struct PartitionView {
    pub name: PartitionName,
    pub standing: PartitionStanding,
    /// Where the changelog goes on.
    pub offset: i64,
    /// The first offset of the partition itself that is not in the state.
    pub next_input: i64,
    /// Identifies the incarnation of the changelog; `None`: it is empty.
    pub log: Option<u64>,
    /// What the changes would be that wait for approval.
    pub held: Arc<HeldImpacts>,
    pub(super) entities: EntityTable,
    pub(super) index: TagIndex,
    pub(super) numbers: Arc<EntityNumbers>,
}

/// How many entities the changes concern that wait for approval, by tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldImpacts {
    /// Of tags that wait in all partitions: in all of them.
    everywhere: BTreeMap<Box<str>, TagImpact>,
    /// Of tags that wait in this partition alone.
    here: BTreeMap<Box<str>, TagImpact>,
}

impl HeldImpacts {
    /// As the facts of a partition say it; nothing where they cannot be read.
    pub(super) fn of(facts: &[u8]) -> Self {
        let rollout = PartitionFacts::read(facts).and_then(|facts| facts.rollout);
        rollout.map_or_else(HeldImpacts::default, |note| HeldImpacts {
            everywhere: note.decided.unwrap_or_default(),
            here: note.held_here,
        })
    }

    /// The impact on a tag in some partitions; `None`: it was not counted.
    pub fn sum<'v>(partitions: impl Iterator<Item = &'v Arc<PartitionView>>, tag: &str) -> Option<TagImpact> {
        let mut here: Option<TagImpact> = None;
        for partition in partitions {
            if let Some(impact) = partition.held.everywhere.get(tag) {
                return Some(*impact);
            }
            if let Some(impact) = partition.held.here.get(tag) {
                here.get_or_insert_default().add(*impact);
            }
        }
        here
    }
}

impl PartitionView {
    pub fn program(&self) -> &Arc<Program> {
        self.standing.program()
    }

    /// The number of entities.
    pub fn entities(&self) -> u64 {
        self.index.all().len()
    }

    /// The entity with this key.
    pub fn find(&self, key: &str) -> Option<EntityNumber> {
        let number = *self.numbers.get(key)?;
        // The map is ahead of the view, or the number's entity was erased.
        self.state(number).is_some().then_some(number)
    }

    /// The state of an entity, and when it is due.
    pub fn state(&self, number: EntityNumber) -> Option<(&[u8], Timestamp)> {
        self.entities.get(number)
    }

    /// The states of all entities, each with the instant at which it is due, in the order of their numbers.
    pub fn states(&self) -> impl Iterator<Item = (EntityNumber, &[u8], Timestamp)> {
        self.entities.iter()
    }

    /// All entities.
    pub fn all(&self) -> &RoaringBitmap {
        self.index.all()
    }

    /// The entities that have a tag, with whatever value.
    pub fn with_tag(&self, tag: TagId) -> &RoaringBitmap {
        self.index.with(tag)
    }

    /// The entities whose tag is in this band or stage; `None`: the tag has no such one.
    pub fn with_label(&self, tag: TagId, label: u16) -> Option<&RoaringBitmap> {
        self.index.label(tag, label)
    }

    /// A reader for the states of this partition.
    pub fn reader(&self) -> StateReader {
        StateReader::new(Arc::clone(self.program()))
    }

    /// A partition in which an entity is the only one: what happens there happens nowhere else.
    pub fn alone(&self, number: EntityNumber) -> Option<Partition> {
        let state = self.state(number)?;
        Some(self.standing.partition(std::iter::once(state)))
    }

    /// A copy of the partition that can be played forward.
    pub fn partition(&self) -> Partition {
        self.standing.partition(self.states().map(|(_, state, due)| (state, due)))
    }

    /// The same entities with some tags as of a past instant: those who were known then, and what was different. States stay
    /// those of now.
    pub fn with_past(
        &self,
        known: RoaringBitmap,
        tags: &[TagId],
        changes: impl IntoIterator<Item = (TagId, EntityNumber, PastTag)>,
    ) -> PartitionView {
        PartitionView { index: self.index.at(known, tags, changes), ..self.clone() }
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        self.entities.bytes() + self.index.bytes()
    }
}

/// All partitions as they are shown together.
#[derive(Clone, Debug)]
pub struct ReplicaView {
    /// Views of one process are numbered in the order in which they are shown.
    pub number: u64,
    /// The catalog with which the states are read.
    pub compiled: Arc<CompiledCatalog>,
    /// In the order of the topology.
    pub partitions: Vec<Arc<PartitionView>>,
}

impl ReplicaView {
    /// The partitions of a kind of entity.
    pub fn of(&self, kind: EntityKindId) -> impl Iterator<Item = &Arc<PartitionView>> {
        self.partitions.iter().filter(move |partition| partition.program().kind == kind)
    }

    /// An entity, and its partition.
    pub fn find(&self, kind: EntityKindId, key: &str) -> Option<(&Arc<PartitionView>, EntityNumber)> {
        self.of(kind).find_map(|partition| Some((partition, partition.find(key)?)))
    }

    /// The kind of entity with this name.
    pub fn kind(&self, name: &str) -> Option<EntityKindId> {
        let kinds = (0..).map(EntityKindId).zip(&self.compiled.catalog.entities);
        kinds.into_iter().find(|(_, kind)| *kind.name == *name).map(|(id, _)| id)
    }

    /// The partition of the input in which the events of an entity are, where that is known: the input is one topic,
    /// partitioned by user.
    pub fn input_partition(&self, kind: EntityKindId, key: &str) -> Option<i32> {
        let (partition, _) = self.find(kind, key)?;
        partition.name.topic.is_none().then_some(partition.name.number)
    }

    /// Whether the state has a record of the input that was written at an instant of the wall clock. Where events are merged
    /// from several partitions, it has when its clock has passed the instant. Of a partition that is not followed nothing is
    /// known.
    pub fn has_applied(&self, kind: EntityKindId, partition: i32, offset: i64, at: Timestamp) -> bool {
        let (direct, merged): (Vec<_>, Vec<_>) = self.of(kind).partition(|part| part.name.topic.is_none());
        let is_behind = |part: &&Arc<PartitionView>| part.standing.clock().is_none_or(|clock| clock <= at);
        if merged.is_empty() {
            direct.iter().any(|part| part.name.number == partition && part.next_input > offset)
        } else {
            !merged.iter().any(is_behind)
        }
    }

    /// The instant as of which the view is: the least of the partitions' clocks; `None` before the first event.
    pub fn clock(&self) -> Option<Timestamp> {
        self.partitions.iter().filter_map(|partition| partition.standing.clock()).min()
    }

    /// The clock of each partition.
    pub fn clocks(&self) -> BTreeMap<PartitionName, Option<Timestamp>> {
        self.partitions.iter().map(|partition| (partition.name.clone(), partition.standing.clock())).collect()
    }
}
