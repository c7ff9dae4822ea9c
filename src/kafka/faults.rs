//! librdkafka's errors in the worker's three classes, and in words that say what to do.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::wire::{Class, WireError};

impl From<KafkaError> for WireError {
    fn from(error: KafkaError) -> Self {
        let class = match &error {
            KafkaError::Transaction(error) if error.is_fatal() => Class::Fatal,
            KafkaError::Transaction(error) if error.txn_requires_abort() => Class::Abort,
            KafkaError::Transaction(error) if error.is_retriable() => Class::Again,
            // What has neither flag is fatal, on librdkafka's own advice.
            KafkaError::Transaction(_) | KafkaError::MessageConsumptionFatal(_) | KafkaError::ClientCreation(_) => {
                Class::Fatal
            }
            _ => Class::Again,
        };
        let text = match &error {
            KafkaError::Transaction(error) => error.string(),
            other => other.to_string(),
        };
        WireError { class, code: error.rdkafka_error_code(), text }
    }
}

/// An error in words that say what to do about it, where there are such.
pub fn told(error: KafkaError, words: impl FnOnce(RDKafkaErrorCode) -> Option<String>) -> WireError {
    let mut error = WireError::from(error);
    if let Some(text) = error.code.and_then(words) {
        error.text = text;
    }
    error
}
