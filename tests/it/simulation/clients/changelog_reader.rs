//! A reader of changelogs, and of the input that is counted again.

use std::cell::Cell;
use std::time::Duration;

use rdkafka::Timestamp;
use rdkafka::message::OwnedMessage;
use tagstream::kafka::PartitionId;
use tagstream::kafka::broker::{BrokerError, ChangelogReader, OffsetBounds};

use super::membership::Fetched;
use super::sim_clients::{SimClients, micros};
use crate::simulation::brokers::cluster::Cluster;
use crate::simulation::brokers::log::Log;
use crate::simulation::planted::Planted;

/// What is read of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Changelog,
    Input,
}

/// A reader of changelogs, or of the partitions themselves.
pub struct SimChangelog {
    clients: SimClients,
    of: Of,
    reading: Cell<Option<(PartitionId, Fetched)>>,
}

impl SimChangelog {
    /// One of changelogs.
    pub fn new(clients: SimClients) -> SimChangelog {
        SimChangelog { clients, of: Of::Changelog, reading: Cell::new(None) }
    }

    /// One of the input.
    pub fn of_input(clients: SimClients) -> SimChangelog {
        SimChangelog { of: Of::Input, ..SimChangelog::new(clients) }
    }

    fn log<'a>(&self, cluster: &'a Cluster, partition: PartitionId) -> &'a Log {
        match self.of {
            Of::Changelog => cluster.changelog(partition),
            Of::Input => cluster.input(partition),
        }
    }

    fn topic(&self, cluster: &Cluster, partition: PartitionId) -> String {
        let plan = cluster.streams.plan(partition.topic);
        match self.of {
            Of::Changelog => plan.changelog.clone(),
            Of::Input => plan.topic.to_string(),
        }
    }
}

impl ChangelogReader for SimChangelog {
    type Record<'a> = OwnedMessage;

    fn end(&self, partition: PartitionId, patience: Duration) -> Result<i64, BrokerError> {
        let stable = self.clients.planted == Some(Planted::RestoresToStableEnd);
        self.clients.ask(patience, |state| {
            let log = self.log(&state.cluster, partition);
            Some(if stable { log.stable() } else { log.end() })
        })
    }

    fn stable(&self, partition: PartitionId, patience: Duration) -> Result<OffsetBounds, BrokerError> {
        self.clients
            .ask(patience, |state| Some(OffsetBounds { low: 0, high: self.log(&state.cluster, partition).stable() }))
    }

    fn open(&self, partition: PartitionId, offset: i64) -> Result<(), BrokerError> {
        let skips = self.of == Of::Input && self.clients.planted == Some(Planted::SkipsHistory);
        let position = offset + i64::from(skips);
        self.reading.set(Some((partition, Fetched { position, found: false, paused: false })));
        Ok(())
    }

    fn poll(&self, wait: Duration) -> Option<Result<OwnedMessage, BrokerError>> {
        let world = &*self.clients.world;
        let mut held = world.enter()?;
        let us = held.dice.u64(5..50);
        held = world.pass(held, us);
        let (partition, mut fetched) = self.reading.get()?;
        for wait_us in [micros(wait).min(10_000), 0] {
            if !held.is_cut(self.clients.process) {
                let log = self.log(&held.cluster, partition);
                let all = self.of == Of::Input && self.clients.planted == Some(Planted::CountsAborted);
                let next = if all { log.next_written(fetched.position) } else { log.next_visible(fetched.position) };
                if let Some((offset, content)) = next {
                    let (key, mut value) = (content.key.clone(), content.value.clone());
                    // Where sources stand, which is a record of its own.
                    if self.clients.planted == Some(Planted::ForgetsSources) && key.as_deref() == Some(&[3]) {
                        value = None;
                    }
                    (fetched.position, fetched.found) = (offset + 1, true);
                    self.reading.set(Some((partition, fetched)));
                    let topic = self.topic(&held.cluster, partition);
                    let (number, at) = (partition.number, Timestamp::NotAvailable);
                    let record = OwnedMessage::new(value, key, topic, at, number, offset, None);
                    return Some(Ok(record));
                }
                let behind = log.skip(fetched.position);
                if behind > fetched.position {
                    (fetched.position, fetched.found) = (behind, true);
                    self.reading.set(Some((partition, fetched)));
                }
            }
            if wait_us > 0 {
                held = world.pass(held, wait_us);
            }
        }
        None
    }

    fn position(&self, partition: PartitionId) -> Result<Option<i64>, BrokerError> {
        let reading = self.reading.get().filter(|(number, fetched)| *number == partition && fetched.found);
        Ok(reading.map(|(_, fetched)| fetched.position))
    }
}
