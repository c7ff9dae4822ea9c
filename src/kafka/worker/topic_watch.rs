//! Watches whether the topics stay as they were when the service started.
//!
//! A partition's state belongs to the entities whose events are in it. When partitions are added to a topic, senders
//! move entities to other partitions, which know nothing of them; and the worker itself would do that to the keys of its
//! output. And an offset belongs to one topic: when a topic is deleted and created again, the same offset means another
//! record, or one that does not exist yet. So the id of the topic is committed beside each offset.
//!
//! No client tells of these changes: a new partition is only one more to be assigned, and a new topic continues the old
//! one. So the brokers are asked at short intervals, on a thread beside the loop, and when a topic has changed every
//! partition of the worker stops before more is counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use super::Worker;
use super::plan::WorkerError;
use crate::codec::TopicFacts;
use crate::kafka::broker::{BrokerError, KafkaClients, TopicInquirer, TopicState, TopicUuid};
use crate::kafka::task::{PartitionError, Task, TopicUse};
use crate::kafka::topology::{PartitionId, Role, Topology};
use crate::settings::Settings;

const INTERVAL: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(5);
/// A question without an answer for this long is asked again: its thread may not have started.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// The topics of a worker, and what is known of them.
pub(super) struct TopicWatch<W: KafkaClients> {
    clients: W,
    /// Created at the first question.
    inquirer: Option<Arc<W::Inquirer>>,
    topics: Arc<BTreeMap<String, TopicUse>>,
    /// The numbers of partitions at the start, or when the brokers first answered.
    partitions: BTreeMap<String, i32>,
    /// The ids of topics, as far as the brokers or committed offsets told them.
    ids: BTreeMap<String, TopicUuid>,
    /// Whether the brokers have answered, or failed to.
    has_answer: bool,
    asked_at: Option<Instant>,
    is_waiting: bool,
    sender: Sender<Result<BTreeMap<String, TopicState>, BrokerError>>,
    answers: Receiver<Result<BTreeMap<String, TopicState>, BrokerError>>,
    /// Why no partition can run any more.
    changed: Option<PartitionError>,
}

impl<W: KafkaClients> TopicWatch<W> {
    pub(super) fn new(clients: W, settings: &Settings, topology: &Topology) -> Self {
        let read = topology.iter().map(|(_, plan)| {
            let topic_use = match plan.role {
                Role::Direct => TopicUse::Counted,
                Role::Forwarded => TopicUse::Forwarded,
                Role::Merged(_) => TopicUse::Merged,
            };
            (plan.topic.to_string(), topic_use)
        });
        let changelogs = topology.iter().map(|(_, plan)| plan.changelog.clone()).filter(|topic| !topic.is_empty());
        let changelogs = changelogs.map(|topic| (topic, TopicUse::Changelog));
        let output = [Some(&settings.output.changes), settings.output.tags.as_ref()];
        let output = output.into_iter().flatten().map(|topic| (topic.clone(), TopicUse::Output));
        let (sender, answers) = mpsc::channel();
        TopicWatch {
            clients,
            inquirer: None,
            topics: Arc::new(read.chain(changelogs).chain(output).collect()),
            partitions: topology.partition_counts(),
            ids: BTreeMap::new(),
            has_answer: false,
            asked_at: None,
            is_waiting: false,
            sender,
            answers,
            changed: None,
        }
    }

    /// Why no partition can run any more.
    pub(super) fn changed(&self) -> Option<&PartitionError> {
        self.changed.as_ref()
    }

    fn is_due(&self, now: Instant) -> bool {
        let every = if self.is_waiting { LOST_AFTER } else { INTERVAL };
        self.asked_at.is_none_or(|at| now >= at + every)
    }

    /// Asks the brokers, on a thread of its own.
    fn ask(&mut self, now: Instant) {
        self.asked_at = Some(now);
        if self.inquirer.is_none() {
            // If there is an error, the other clients of the worker have it, too, and report it.
            self.inquirer = self.clients.inquirer().ok().map(Arc::new);
        }
        let Some(inquirer) = self.inquirer.clone() else { return };
        let (topics, sender) = (Arc::clone(&self.topics), self.sender.clone());
        self.is_waiting = true;
        let ask = move || {
            let names: Vec<&str> = topics.keys().map(String::as_str).collect();
            // The worker may have ended meanwhile.
            let _ = sender.send(inquirer.topics(&names, PATIENCE));
        };
        self.clients.spawn("topics", Box::new(ask));
    }

    /// Takes the answer, if there is one, and compares it with what is known.
    fn compare(&mut self) -> Option<PartitionError> {
        let answer = self.answers.try_recv().ok()?;
        (self.is_waiting, self.has_answer) = (false, true);
        // Brokers that are away are reported by others.
        let error = answer.ok()?.into_iter().find_map(|(topic, state)| self.difference(topic, state))?;
        Some(self.changed.get_or_insert(error).clone())
    }

    /// How a topic differs from what is known of it.
    fn difference(&mut self, topic: String, TopicState { partitions: is, id }: TopicState) -> Option<PartitionError> {
        let topic_use = *self.topics.get(&topic)?;
        // What was sent to an output topic that is gone is lost, and the service goes on in the new one.
        if topic_use != TopicUse::Output && self.is_recreated(&topic, id) {
            return Some(PartitionError::Recreated { topic, topic_use });
        }
        let was = *self.partitions.entry(topic.clone()).or_insert(is);
        (was != is).then_some(PartitionError::Resized { topic, was, is, topic_use })
    }

    /// Whether a topic has another id than this. One that was not known before is remembered.
    fn is_recreated(&mut self, topic: &str, id: Option<TopicUuid>) -> bool {
        let Some(id) = id else { return false };
        *self.ids.entry(topic.to_owned()).or_insert(id) != id
    }

    /// Whether partitions can start: whether the brokers were asked once.
    pub(super) fn has_answer(&self) -> bool {
        self.has_answer
    }

    /// Asks again soon.
    pub(super) fn hurry(&mut self) {
        self.asked_at = None;
    }

    /// The id of a topic, if it is known.
    pub(super) fn id(&self, topic: &str) -> Option<TopicUuid> {
        self.ids.get(topic).copied()
    }

    /// What is known of the topic that a partition reads and of those that it writes.
    pub(super) fn facts(&self, read: &str) -> BTreeMap<String, TopicFacts> {
        let is_noted = |(name, topic_use): &(&String, &TopicUse)| **name == read || **topic_use == TopicUse::Output;
        let facts = |(name, _): (&String, &TopicUse)| {
            let id = self.ids.get(name).map(|id| id.0);
            Some((name.clone(), TopicFacts { id, partitions: *self.partitions.get(name)? }))
        };
        self.topics.iter().filter(is_noted).filter_map(facts).collect()
    }

    /// Compares what a partition has noted of its topics with what they are. Returns the topics of the output that have
    /// other numbers of partitions, with both numbers.
    ///
    /// # Errors
    /// Why the partition cannot start.
    pub(super) fn compare_noted(
        &mut self,
        noted: &BTreeMap<String, TopicFacts>,
    ) -> Result<Vec<(String, i32, i32)>, PartitionError> {
        let mut grown = Vec::new();
        for (topic, TopicFacts { id, partitions: was }) in noted {
            match self.topics.get(topic) {
                Some(TopicUse::Output) => {
                    let is = self.partitions.get(topic).filter(|is| *is != was);
                    grown.extend(is.map(|is| (topic.clone(), *was, *is)));
                }
                Some(_) => self.refuse(topic, id.map(TopicUuid)).map_or(Ok(()), Err)?,
                None => {}
            }
        }
        Ok(grown)
    }

    /// Why a partition cannot start from an offset beside which this id was noted.
    pub(super) fn refuse(&mut self, topic: &str, noted: Option<TopicUuid>) -> Option<PartitionError> {
        let topic_use = *self.topics.get(topic)?;
        let error = PartitionError::Recreated { topic: topic.to_owned(), topic_use };
        self.is_recreated(topic, noted).then_some(error)
    }
}

impl<W: KafkaClients> Worker<W> {
    /// Stops all partitions if a topic has changed.
    pub(super) fn watch_topics(&mut self) -> Result<(), WorkerError> {
        let now = self.clients.now();
        if self.topic_watch.is_due(now) {
            self.topic_watch.ask(now);
        }
        let found = self.topic_watch.compare();
        for (partition, task) in &mut self.tasks {
            if let Task::Running(running) = task {
                running.topic =
                    running.topic.or_else(|| self.topic_watch.id(self.plan.topology.topic(partition.topic)));
            }
        }
        let Some(error) = found else { return Ok(()) };
        let runs = |(partition, task): (&PartitionId, &Task)| (!matches!(task, Task::Stopped(_))).then_some(*partition);
        let stopped: Vec<PartitionId> = self.tasks.iter().filter_map(runs).collect();
        // What was counted since the change is not committed.
        self.drop_from_transaction(&stopped)?;
        for partition in stopped {
            self.stop(partition, error.clone());
        }
        Ok(())
    }
}
