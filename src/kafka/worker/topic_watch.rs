//! Watches whether the topics stay as they were when the service started.
//!
//! A partition's state belongs to the entities whose events are in it. When partitions are added to a topic, senders
//! move entities to other partitions, which know nothing of them; and the worker itself would do that to the keys of its
//! output. No client tells of it: a new partition is only one more to be assigned. So the brokers are asked at short
//! intervals, on a thread beside the loop, and when a topic has changed every partition of the worker stops before more
//! is counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use super::Worker;
use crate::kafka::broker::{BrokerError, KafkaClients, TopicInquirer, TopicState};
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
        let output = [Some(&settings.output.changes), settings.output.tags.as_ref()];
        let output = output.into_iter().flatten().map(|topic| (topic.clone(), TopicUse::Output));
        let (sender, answers) = mpsc::channel();
        TopicWatch {
            clients,
            inquirer: None,
            topics: Arc::new(read.chain(output).collect()),
            partitions: topology.partition_counts(),
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
        self.is_waiting = false;
        // Brokers that are away are reported by others.
        for (topic, TopicState { partitions: is }) in answer.ok()? {
            let was = *self.partitions.entry(topic.clone()).or_insert(is);
            if was != is
                && let Some(topic_use) = self.topics.get(&topic).copied()
            {
                let error = PartitionError::Resized { topic, was, is, topic_use };
                return Some(self.changed.get_or_insert(error).clone());
            }
        }
        None
    }
}

impl<W: KafkaClients> Worker<W> {
    /// Stops all partitions if a topic has changed.
    pub(super) fn watch_topics(&mut self) {
        let now = self.clients.now();
        if self.topic_watch.is_due(now) {
            self.topic_watch.ask(now);
        }
        let Some(error) = self.topic_watch.compare() else { return };
        let runs = |(partition, task): (&PartitionId, &Task)| (!matches!(task, Task::Stopped(_))).then_some(*partition);
        let stopped: Vec<PartitionId> = self.tasks.iter().filter_map(runs).collect();
        // What was counted since the change is not committed.
        self.drop_from_transaction(&stopped);
        for partition in stopped {
            self.stop(partition, error.clone());
        }
    }
}
