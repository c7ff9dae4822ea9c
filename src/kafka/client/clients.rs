//! Creates the clients of a worker, which are librdkafka's behind the traits of [`broker`](crate::kafka::broker).

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::BaseConsumer;

use super::changelog_reader::{RdkafkaChangelogReader, ReadTopic};
use super::client_config;
use super::client_config::ClientCallbacks;
use super::consumer::RdkafkaConsumer;
use super::metadata::MetadataClient;
use super::producer::{ConnectionStats, ProducerCallbacks, ThreadedClient};
use super::producer::{RdkafkaNonTransactionalProducer, RdkafkaProducer};
use crate::kafka::broker::{ClientError, KafkaClients};
use crate::kafka::events::{Action, EventListener, Occurrence, WorkerId};
use crate::kafka::topology::Topology;
use crate::settings::Settings;

/// What a worker's clients are created from.
#[derive(Clone)]
pub struct RdkafkaClients {
    settings: Arc<Settings>,
    topology: Arc<Topology>,
    worker: WorkerId,
    listener: EventListener,
}

impl RdkafkaClients {
    pub fn new(settings: Arc<Settings>, topology: Arc<Topology>, worker: WorkerId, listener: EventListener) -> Self {
        RdkafkaClients { settings, topology, worker, listener }
    }

    fn threaded_producer(&self, config: &ClientConfig) -> Result<ThreadedClient, ClientError> {
        let callbacks = ProducerCallbacks {
            listener: self.listener.clone(),
            connection: ConnectionStats::default(),
            refused: Mutex::default(),
        };
        config.create_with_context(callbacks).map_err(ClientError::from)
    }

    fn reader(&self, read: ReadTopic) -> Result<RdkafkaChangelogReader, ClientError> {
        let make = |isolation: &str| -> Result<BaseConsumer<ClientCallbacks>, ClientError> {
            let mut config = client_config::changelog(&self.settings, self.worker);
            config.set("isolation.level", isolation);
            config.create_with_context(ClientCallbacks::new(self.listener.clone())).map_err(ClientError::from)
        };
        Ok(RdkafkaChangelogReader::new(
            make("read_committed")?,
            make("read_uncommitted")?,
            Arc::clone(&self.topology),
            read,
        ))
    }
}

impl KafkaClients for RdkafkaClients {
    type Consumer = RdkafkaConsumer;
    type Producer = RdkafkaProducer;
    type NonTransactionalProducer = RdkafkaNonTransactionalProducer;
    type Changelog = RdkafkaChangelogReader;
    type Inquirer = MetadataClient;

    fn consumer(&self) -> Result<RdkafkaConsumer, ClientError> {
        let (settings, topology) = (Arc::clone(&self.settings), Arc::clone(&self.topology));
        RdkafkaConsumer::new(settings, topology, self.worker, self.listener.clone())
    }

    fn producer(&self) -> Result<RdkafkaProducer, ClientError> {
        let client = self.threaded_producer(&client_config::producer(&self.settings, self.worker))?;
        Ok(RdkafkaProducer { client, topology: Arc::clone(&self.topology), settings: Arc::clone(&self.settings) })
    }

    fn non_transactional_producer(&self) -> Result<RdkafkaNonTransactionalProducer, ClientError> {
        let client = self.threaded_producer(&client_config::non_transactional_producer(&self.settings, self.worker))?;
        Ok(RdkafkaNonTransactionalProducer { client })
    }

    fn changelog(&self) -> Result<RdkafkaChangelogReader, ClientError> {
        self.reader(ReadTopic::Changelog)
    }

    fn history(&self) -> Result<RdkafkaChangelogReader, ClientError> {
        self.reader(ReadTopic::Input)
    }

    fn inquirer(&self) -> Result<MetadataClient, ClientError> {
        MetadataClient::new(&self.settings, Arc::clone(&self.listener))
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }

    fn spawn(&self, name: &str, job: Box<dyn FnOnce() + Send>) {
        if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(job) {
            let why = format!("{name}: {error}");
            (self.listener)(Occurrence::Failed { action: Action::StartThread, why }.of(self.worker));
        }
    }
}

/// Creates the clients of a worker and drops them: librdkafka compares properties with each other only then.
///
/// # Errors
/// librdkafka refuses the properties.
pub(super) fn try_out(settings: &Settings) -> Result<(), ClientError> {
    let silent: EventListener = Arc::new(|_| ());
    let native =
        RdkafkaClients::new(Arc::new(settings.clone()), Arc::new(Topology::of(settings, None)), WorkerId(0), silent);
    drop((native.consumer()?, native.producer()?, native.changelog()?));
    Ok(())
}
