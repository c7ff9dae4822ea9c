//! Writes dead letters of subscribers: records that a receiver has refused, each with its reason and its place.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseRecord, NoCustomPartitioner, ThreadedProducer};

use super::changes_member::SubscribedRecord;
use super::command_sender::{OnWritten, SenderCallbacks};
use crate::kafka::broker::{BrokerError, ClientError, ErrorClass};
use crate::kafka::client::client_config;
use crate::kafka::events::EventListener;
use crate::kafka::task::{LetterHeaders, LetterOrigin, SentLetter};
use crate::settings::Settings;

/// Longer than librdkafka takes to give a record up.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);
/// What is kept of each part of a record that the topic does not take.
const CUT_BYTES: usize = 1_000;

/// A producer for a topic of dead letters. It waits for all replicas.
pub struct LetterSender {
    producer: ThreadedProducer<SenderCallbacks, NoCustomPartitioner>,
    topic: String,
    /// The topic from which the records come.
    from: String,
}

impl LetterSender {
    /// # Errors
    /// librdkafka refuses the properties.
    pub fn new(settings: &Settings, topic: String, listener: EventListener) -> Result<Self, ClientError> {
        let config = client_config::letter_sender(settings);
        let producer = config.create_with_context(SenderCallbacks::new(listener)).map_err(ClientError::from)?;
        Ok(LetterSender { producer, topic, from: settings.output.changes.clone() })
    }

    /// Writes a record as it came, with headers that tell the reason and its place, and waits until the brokers have it.
    ///
    /// # Errors
    /// They do not have it, as far as is known.
    pub fn send(&self, record: &SubscribedRecord, reason: &str, detail: &str) -> Result<(), BrokerError> {
        let SubscribedRecord { partition, offset, .. } = *record;
        let origin = LetterOrigin { reason, detail: Some(detail), topic: &self.from, partition, offset };
        let headers = LetterHeaders::new(record.headers.clone(), origin);
        let fit = |bytes_max: usize| headers.fit(record.key.as_deref(), &record.value, bytes_max);
        match self.write(fit(usize::MAX)) {
            Err(error) if error.code == Some(RDKafkaErrorCode::MessageSizeTooLarge) => self.write(fit(CUT_BYTES)),
            written => written,
        }
    }

    fn write(&self, SentLetter { key, value, headers }: SentLetter<'_>) -> Result<(), BrokerError> {
        let (done, is_done) = sync_channel(1);
        let on_written: OnWritten = Box::new(move |written| {
            let _ = done.send(written.map(|_| ()));
        });
        let mut letter = BaseRecord::with_opaque_to(&self.topic, Box::new(on_written)).payload(value).headers(headers);
        letter.key = key;
        if let Err((error, _)) = self.producer.send::<[u8], [u8]>(letter) {
            return Err(error.into());
        }
        is_done.recv_timeout(ANSWER_PATIENCE).unwrap_or_else(|_| {
            let text = format!("the brokers have not confirmed a record of {}", self.topic);
            Err(BrokerError { class: ErrorClass::Retriable, code: None, text })
        })
    }
}
