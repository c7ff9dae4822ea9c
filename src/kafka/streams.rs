//! What the group reads: topics, and their partitions by small numbers and by name.

use std::fmt;
use std::sync::Arc;

use crate::settings::Settings;

/// A topic that the group reads: its place among the [`Streams`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream(pub u16);

/// A partition of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId {
    pub stream: Stream,
    pub number: i32,
}

/// A partition as people and other machines know it. Of the only topic there is it is just a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionName {
    pub topic: Option<Arc<str>>,
    pub number: i32,
}

impl PartitionName {
    /// As the label of a metric.
    pub fn label(&self) -> String {
        match &self.topic {
            None => self.number.to_string(),
            Some(topic) => format!("{topic}/{}", self.number),
        }
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

/// A topic that the group reads, and what belongs to it.
#[derive(Clone, Debug)]
pub struct StreamPlan {
    pub topic: Arc<str>,
    /// Where the states of its partitions are kept, each in the partition of its number.
    pub changelog: String,
    /// How many partitions it has; 0 until that was found out.
    pub partitions: i32,
}

/// All topics that the group reads.
#[derive(Clone, Debug)]
pub struct Streams {
    all: Vec<StreamPlan>,
}

impl Streams {
    pub fn of(settings: &Settings) -> Self {
        let topic = settings.input.topic.as_str().into();
        Streams { all: vec![StreamPlan { topic, changelog: settings.changelog_topic(), partitions: 0 }] }
    }

    /// With the numbers of partitions, which the brokers know.
    pub fn counted(mut self, partitions: impl Fn(&str) -> i32) -> Self {
        self.all.iter_mut().for_each(|plan| plan.partitions = partitions(&plan.topic));
        self
    }

    /// All partitions of all streams.
    pub fn partitions(&self) -> Vec<PartitionId> {
        let numbered = |(stream, plan): (Stream, &StreamPlan)| {
            let numbers = 0..plan.partitions;
            numbers.map(move |number| PartitionId { stream, number })
        };
        self.iter().flat_map(numbered).collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Stream, &StreamPlan)> {
        self.all.iter().enumerate().map(|(index, plan)| (Stream(index as u16), plan))
    }

    /// Where events come from.
    pub fn inputs(&self) -> impl Iterator<Item = Stream> {
        self.iter().map(|(stream, _)| stream)
    }

    pub fn plan(&self, stream: Stream) -> &StreamPlan {
        &self.all[usize::from(stream.0)]
    }

    pub fn topic(&self, stream: Stream) -> &str {
        &self.plan(stream).topic
    }

    /// The partition of a topic that is read; `None`: of another one.
    pub fn partition(&self, topic: &str, number: i32) -> Option<PartitionId> {
        let found = self.all.iter().position(|plan| *plan.topic == *topic)?;
        Some(PartitionId { stream: Stream(found as u16), number })
    }

    pub fn name(&self, partition: PartitionId) -> PartitionName {
        let topic = (self.all.len() > 1).then(|| Arc::clone(&self.plan(partition.stream).topic));
        PartitionName { topic, number: partition.number }
    }

    pub fn names(&self, partitions: &[PartitionId]) -> Vec<PartitionName> {
        partitions.iter().map(|partition| self.name(*partition)).collect()
    }
}
