//! The topics that the group reads, and their partitions, by number and by name.
//!
//! ```text
//!                    direct ──────────────▶ tag changes      one topic, partitioned by user: counted where it is read
//!   input topics ──┤    │
//!                    forwarded ──▶ merged ──▶ tag changes    all else: forwarded to a topic for each kind of entity
//! ```
//!
//! A direct topic also forwards its events, if the catalog has other kinds of entities.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::engine::{CompiledCatalog, Program};
use crate::model::EntityKindId;
use crate::settings::{PartitionedBy, Settings};

/// A topic that the group reads: its index in the [`Topology`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub u16);

/// A partition of a topic that the group reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId {
    pub topic: TopicId,
    pub number: i32,
}

/// A partition as people and other programs know it. If the group reads only one topic, it is just a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionName {
    pub topic: Option<Arc<str>>,
    pub number: i32,
}

impl PartitionName {
    /// The label of a metric.
    pub fn label(&self) -> String {
        match &self.topic {
            None => self.number.to_string(),
            Some(topic) => format!("{topic}/{}", self.number),
        }
    }

    /// `[3, 4 of clicks]`
    pub fn list(partitions: &[PartitionName]) -> String {
        let names: Vec<String> = partitions.iter().map(PartitionName::to_string).collect();
        format!("[{}]", names.join(", "))
    }
}

impl From<i32> for PartitionName {
    fn from(number: i32) -> Self {
        PartitionName { topic: None, number }
    }
}

impl fmt::Display for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.topic {
            None => write!(f, "{}", self.number),
            Some(topic) => write!(f, "{} of {topic}", self.number),
        }
    }
}

/// What becomes of the events of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An input whose users are counted where it is read.
    Direct,
    /// An input all of whose events are forwarded; nothing is counted.
    Forwarded,
    /// Events that were forwarded for a kind of entity, which is counted here.
    Merged(EntityKindId),
}

impl Role {
    /// The program of the topic's partitions. One that only forwards events has no entities, and takes the users'.
    pub fn program(self, compiled: &CompiledCatalog) -> &Arc<Program> {
        match self {
            Role::Direct | Role::Forwarded => compiled.user(),
            Role::Merged(kind) => compiled.of(kind),
        }
    }
}

/// An input partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

/// A topic to which events are forwarded.
#[derive(Clone, Debug)]
pub struct RepartitionTopic {
    pub topic: Arc<str>,
    pub kind: EntityKindId,
    pub partitions: i32,
}

/// A topic that the group reads, and what belongs to it.
#[derive(Clone, Debug)]
pub struct TopicPlan {
    pub topic: Arc<str>,
    pub role: Role,
    /// The topic of the changelogs; the state of a partition stands in the partition of the same number. Empty if there
    /// is no state.
    pub changelog: String,
    /// The number of partitions; 0 until it was asked for.
    pub partitions: i32,
}

/// All topics that the group reads: the inputs, then the merged topics.
#[derive(Clone, Debug)]
pub struct Topology {
    all: Vec<TopicPlan>,
    /// How many bytes may wait in merged partitions, of all sources together.
    waiting_bytes_max: usize,
    /// The numbers of partitions of the topics that are only written, as far as they were asked for.
    written: BTreeMap<String, i32>,
}

impl Topology {
    /// Without a catalog there are only users.
    pub fn of(settings: &Settings, catalog: Option<&Catalog>) -> Self {
        let is_direct = settings.input.topics.len() == 1 && settings.input.partitioned_by == PartitionedBy::User;
        let input = |topic: &String| TopicPlan {
            topic: topic.as_str().into(),
            role: if is_direct { Role::Direct } else { Role::Forwarded },
            changelog: if is_direct { settings.changelog_topic() } else { String::new() },
            partitions: 0,
        };
        let merged = |(kind, name): (EntityKindId, &str)| TopicPlan {
            topic: settings.by_topic(name).into(),
            role: Role::Merged(kind),
            changelog: settings.by_changelog_topic(name),
            partitions: 0,
        };
        let kinds = match catalog {
            None => vec![(EntityKindId(0), USER)],
            Some(catalog) => counted(catalog),
        };
        let kinds = kinds.into_iter().filter(|(_, name)| !is_direct || *name != USER);
        let all = settings.input.topics.iter().map(input).chain(kinds.map(merged)).collect();
        Topology { all, waiting_bytes_max: settings.service.max_waiting_bytes, written: BTreeMap::new() }
    }

    /// The same with the numbers of partitions, which the brokers know.
    pub fn counted(mut self, partitions: impl Fn(&str) -> i32) -> Self {
        self.all.iter_mut().for_each(|plan| plan.partitions = partitions(&plan.topic));
        self
    }

    /// The same with the numbers of partitions of topics that are only written.
    pub fn writing_to(mut self, written: BTreeMap<String, i32>) -> Self {
        self.written = written;
        self
    }

    /// The numbers of partitions of all topics, as they were when they were asked for.
    pub fn partition_counts(&self) -> BTreeMap<String, i32> {
        let read = self.all.iter().map(|plan| (plan.topic.to_string(), plan.partitions));
        read.chain(self.written.iter().map(|(topic, partitions)| (topic.clone(), *partitions))).collect()
    }

    /// The same with another limit for what waits.
    pub fn with_room(mut self, waiting_bytes_max: usize) -> Self {
        self.waiting_bytes_max = waiting_bytes_max;
        self
    }

    /// How many bytes of one source may wait.
    pub fn room(&self) -> usize {
        self.waiting_bytes_max / self.input_partitions().len().max(1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (TopicId, &TopicPlan)> {
        self.all.iter().enumerate().map(|(index, plan)| (TopicId(index as u16), plan))
    }

    /// The topics that events come from.
    pub fn inputs(&self) -> impl Iterator<Item = (TopicId, &TopicPlan)> {
        self.iter().filter(|(_, plan)| !matches!(plan.role, Role::Merged(_)))
    }

    /// The topics that only the service reads and writes.
    pub fn own_topics(&self) -> Vec<String> {
        let own = |plan: &TopicPlan| match plan.role {
            Role::Direct => vec![plan.changelog.clone()],
            Role::Forwarded => Vec::new(),
            Role::Merged(_) => vec![plan.topic.to_string(), plan.changelog.clone()],
        };
        self.all.iter().flat_map(own).collect()
    }

    /// All partitions of all topics.
    pub fn partitions(&self) -> Vec<PartitionId> {
        self.iter().flat_map(numbered).collect()
    }

    /// The partitions of all inputs.
    pub fn input_partitions(&self) -> Vec<PartitionId> {
        self.inputs().flat_map(numbered).collect()
    }

    /// The inputs, each with its number of partitions.
    pub fn sources(&self) -> Vec<(Arc<str>, i32)> {
        self.inputs().map(|(_, plan)| (Arc::clone(&plan.topic), plan.partitions)).collect()
    }

    pub fn source(&self, partition: PartitionId) -> SourcePartition {
        SourcePartition { topic: Arc::clone(&self.plan(partition.topic).topic), partition: partition.number }
    }

    /// The topics to which events are forwarded.
    pub fn repartition_topics(&self) -> Arc<[RepartitionTopic]> {
        let topic = |plan: &TopicPlan| {
            let Role::Merged(kind) = plan.role else { return None };
            Some(RepartitionTopic { topic: Arc::clone(&plan.topic), kind, partitions: plan.partitions })
        };
        self.all.iter().filter_map(topic).collect()
    }

    pub fn plan(&self, topic: TopicId) -> &TopicPlan {
        &self.all[usize::from(topic.0)]
    }

    pub fn topic(&self, topic: TopicId) -> &str {
        &self.plan(topic).topic
    }

    /// A partition of a topic that the group reads; `None`: the group does not read the topic.
    pub fn partition(&self, topic: &str, number: i32) -> Option<PartitionId> {
        let found = self.all.iter().position(|plan| *plan.topic == *topic)?;
        Some(PartitionId { topic: TopicId(found as u16), number })
    }

    pub fn name(&self, partition: PartitionId) -> PartitionName {
        let topic = (self.all.len() > 1).then(|| Arc::clone(&self.plan(partition.topic).topic));
        PartitionName { topic, number: partition.number }
    }

    pub fn names(&self, partitions: &[PartitionId]) -> Vec<PartitionName> {
        partitions.iter().map(|partition| self.name(*partition)).collect()
    }
}

/// The kind of entity that every event has.
const USER: &str = "user";

fn numbered((topic, plan): (TopicId, &TopicPlan)) -> impl Iterator<Item = PartitionId> + use<> {
    (0..plan.partitions).map(move |number| PartitionId { topic, number })
}

/// The kinds of entities for which a catalog has a tag, a counter or an attribute.
fn counted(catalog: &Catalog) -> Vec<(EntityKindId, &str)> {
    let of = |kind: EntityKindId| {
        catalog.tags.iter().any(|tag| tag.entity == kind)
            || catalog.counters.iter().any(|counter| counter.entity == kind)
            || catalog.attributes.iter().any(|attribute| attribute.entity == kind)
    };
    let kinds = catalog.entities.iter().enumerate().map(|(index, kind)| (EntityKindId(index as u16), &*kind.name));
    kinds.filter(|(kind, _)| of(*kind)).collect()
}
