//! The wire over librdkafka: who reads what the group has committed without being of the group.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::clients::{self, Plain};
use super::native_lists::{list, noted_in};
use super::notice::{Notices, WorkerId};
use super::streams::{PartitionId, Streams};
use super::wire::{Class, Committed, WireError};
use crate::settings::Settings;

/// A client that never joins, made when it is asked for the first time.
pub struct Observer {
    settings: Arc<Settings>,
    worker: WorkerId,
    notices: Notices,
    client: OnceCell<BaseConsumer<Plain>>,
}

impl Observer {
    pub fn new(settings: Arc<Settings>, worker: WorkerId, notices: Notices) -> Self {
        Observer { settings, worker, notices, client: OnceCell::new() }
    }

    fn client(&self) -> Result<&BaseConsumer<Plain>, WireError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let plain = Plain::new(Arc::clone(&self.notices));
        let made = clients::observer(&self.settings, self.worker).create_with_context(plain).map_err(|error| {
            WireError { class: Class::Again, code: error.rdkafka_error_code(), text: error.to_string() }
        })?;
        Ok(self.client.get_or_init(|| made))
    }

    pub fn noted(
        &self,
        streams: &Streams,
        partitions: &[PartitionId],
        patience: Duration,
    ) -> Result<BTreeMap<PartitionId, Committed>, WireError> {
        let asked = list(streams, partitions.iter().map(|partition| (*partition, Offset::Invalid)));
        let client = self.client()?;
        // What it has to say goes through its callbacks.
        drop(client.poll(Duration::ZERO));
        let found = noted_in(streams, &client.committed_offsets(asked, patience)?);
        found.into_iter().map(|(partition, found)| Ok((partition, found?))).collect()
    }
}
