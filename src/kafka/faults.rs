//! librdkafka's errors in the worker's three classes, and in words that say what to do.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::broker::{BrokerError, ErrorClass};

impl From<KafkaError> for BrokerError {
    fn from(error: KafkaError) -> Self {
        let class = match &error {
            KafkaError::Transaction(error) if error.is_fatal() => ErrorClass::Fatal,
            KafkaError::Transaction(error) if error.txn_requires_abort() => ErrorClass::Abortable,
            KafkaError::Transaction(error) if error.is_retriable() => ErrorClass::Retriable,
            // What has neither flag is fatal, on librdkafka's own advice.
            KafkaError::Transaction(_) | KafkaError::MessageConsumptionFatal(_) | KafkaError::ClientCreation(_) => {
                ErrorClass::Fatal
            }
            _ => ErrorClass::Retriable,
        };
        let text = match &error {
            KafkaError::Transaction(error) => error.string(),
            other => other.to_string(),
        };
        BrokerError { class, code: error.rdkafka_error_code(), text }
    }
}

/// An error in words that say what to do about it, where there are such.
pub fn with_advice(error: KafkaError, advice: impl FnOnce(RDKafkaErrorCode) -> Option<String>) -> BrokerError {
    let mut error = BrokerError::from(error);
    if let Some(text) = error.code.and_then(advice) {
        error.text = text;
    }
    error
}
