//! Reads where partitions end and what the group has committed, without joining the group and without waiting for open
//! transactions.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::client_config::{self, ClientCallbacks};
use super::partition_list::{committed_in, list, offsets_of};
use crate::kafka::broker::{BrokerError, CommittedOffset, ErrorClass};
use crate::kafka::events::{EventListener, WorkerId};
use crate::kafka::topology::{PartitionId, Topology};
use crate::settings::Settings;

/// A client that never joins; it is created at the first request.
pub(super) struct Observer {
    settings: Arc<Settings>,
    worker: WorkerId,
    listener: EventListener,
    client: OnceLock<BaseConsumer<ClientCallbacks>>,
}

impl Observer {
    pub(super) fn new(settings: Arc<Settings>, worker: WorkerId, listener: EventListener) -> Self {
        Observer { settings, worker, listener, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&BaseConsumer<ClientCallbacks>, BrokerError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let callbacks = ClientCallbacks::new(Arc::clone(&self.listener));
        let made =
            client_config::observer(&self.settings, self.worker).create_with_context(callbacks).map_err(|error| {
                BrokerError { class: ErrorClass::Retriable, code: error.rdkafka_error_code(), text: error.to_string() }
            })?;
        Ok(self.client.get_or_init(|| made))
    }

    /// The client, after its callbacks have run.
    fn polled_client(&self) -> Result<&BaseConsumer<ClientCallbacks>, BrokerError> {
        let client = self.client()?;
        drop(client.poll(Duration::ZERO));
        Ok(client)
    }

    /// Where partitions end, behind what open transactions have written.
    pub(super) fn ends(
        &self,
        topology: &Topology,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, i64>, BrokerError> {
        let asked = list(topology, partitions.iter().map(|partition| (*partition, Offset::End)));
        Ok(offsets_of(topology, &self.polled_client()?.offsets_for_times(asked, patience)?))
    }

    pub(super) fn committed_unstable(
        &self,
        topology: &Topology,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, CommittedOffset>, BrokerError> {
        let asked = list(topology, partitions.iter().map(|partition| (*partition, Offset::Invalid)));
        let found = committed_in(topology, &self.polled_client()?.committed_offsets(asked, patience)?);
        found.into_iter().map(|(partition, found)| Ok((partition, found?))).collect()
    }
}
