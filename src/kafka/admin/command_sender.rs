//! Writes commands to the input topic, and tells where each of them stands.

use rdkafka::Message;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseRecord, DeliveryResult, NoCustomPartitioner, ProducerContext, ThreadedProducer};

use crate::kafka::broker::{BrokerError, ClientError};
use crate::kafka::client::client_config;
use crate::kafka::events::EventListener;
use crate::settings::Settings;

/// Where a record was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRecord {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
}

/// Called once, from the client's thread.
pub type OnWritten = Box<dyn FnOnce(Result<WrittenRecord, BrokerError>) + Send + Sync>;

/// A producer for the first input topic. It sends each record once and waits for all replicas.
pub struct CommandSender {
    producer: ThreadedProducer<SenderCallbacks, NoCustomPartitioner>,
    topic: String,
}

impl CommandSender {
    /// # Errors
    /// librdkafka refuses the properties.
    pub fn new(settings: &Settings, listener: EventListener) -> Result<Self, ClientError> {
        let config = client_config::command_sender(settings);
        let producer = config.create_with_context(SenderCallbacks::new(listener)).map_err(ClientError::from)?;
        // The settings have at least one topic.
        Ok(CommandSender { producer, topic: settings.input.topics.first().cloned().unwrap_or_default() })
    }

    /// Writes a record: to this partition, or to the one where Java's clients would put the key.
    pub fn send(&self, partition: Option<i32>, key: &str, value: &[u8], on_written: OnWritten) {
        let mut record = BaseRecord::with_opaque_to(&self.topic, Box::new(on_written)).key(key).payload(value);
        record.partition = partition;
        if let Err((error, record)) = self.producer.send(record) {
            (record.delivery_opaque)(Err(error.into()));
        }
    }
}

/// Callbacks of producers that tell where each record stands.
pub(super) struct SenderCallbacks {
    listener: EventListener,
}

impl SenderCallbacks {
    pub(super) fn new(listener: EventListener) -> Self {
        SenderCallbacks { listener }
    }
}

impl ClientContext for SenderCallbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        client_config::report_client_log(&self.listener, level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        client_config::report_client_error(&self.listener, &error, reason);
    }
}

impl ProducerContext for SenderCallbacks {
    // A fat pointer cannot be handed through librdkafka, a pointer to it can.
    type DeliveryOpaque = Box<OnWritten>;

    fn delivery(&self, result: &DeliveryResult<'_>, on_written: Box<OnWritten>) {
        on_written(match result {
            Ok(record) => Ok(WrittenRecord {
                topic: record.topic().to_owned(),
                partition: record.partition(),
                offset: record.offset(),
            }),
            Err((error, _)) => Err(error.clone().into()),
        });
    }
}
