//! librdkafka's errors in three classes, and advice on the usual causes.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::kafka::broker::{BrokerError, ClientError, ErrorClass};

impl From<KafkaError> for BrokerError {
    fn from(error: KafkaError) -> Self {
        let class = match &error {
            KafkaError::Transaction(error) if error.is_fatal() => ErrorClass::Fatal,
            KafkaError::Transaction(error) if error.txn_requires_abort() => ErrorClass::Abortable,
            KafkaError::Transaction(error) if error.is_retriable() => ErrorClass::Retriable,
            // librdkafka's documentation says that an error without a flag is fatal.
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

/// An error, with advice in place of its own text if there is any.
pub(super) fn with_advice(error: KafkaError, advice: impl FnOnce(RDKafkaErrorCode) -> Option<String>) -> BrokerError {
    let mut error = BrokerError::from(error);
    if let Some(text) = error.code.and_then(advice) {
        error.text = text;
    }
    error
}

impl From<KafkaError> for ClientError {
    fn from(error: KafkaError) -> Self {
        match error {
            // Its own text holds the value, which may be a secret.
            KafkaError::ClientConfig(_, _, name, _) => ClientError(format!("property {name} is refused")),
            other => ClientError(other.to_string()),
        }
    }
}

/// What TLS says about certificates, and what it means here. Java's TLS sends one alert for every certificate that it
/// refuses.
const CERTIFICATES: [(&str, &str); 3] = [
    (
        "certificate verify failed",
        "the brokers' certificate is not signed by an authority in ssl.ca.location, has expired, or is for another host; \
         `openssl s_client -connect HOST:PORT -CAfile FILE` tells which",
    ),
    (
        "alert certificate required",
        "the brokers want this client's certificate: set ssl.certificate.location and ssl.key.location",
    ),
    (
        "alert",
        "the brokers refuse the certificate in ssl.certificate.location, or miss one: it has expired, or they do not know \
         the authority that signed it; `openssl x509 -in FILE -noout -dates -issuer` tells",
    ),
];

/// The cause and librdkafka's own text. `None`: it is not an error of the connection.
pub(super) fn explain_connection_error(error: &KafkaError, reason: &str) -> Option<String> {
    let by_tls = CERTIFICATES.iter().find(|(mark, _)| reason.contains(mark)).map(|(_, cause)| *cause);
    let cause = match error.rdkafka_error_code()? {
        RDKafkaErrorCode::Authentication => {
            "the brokers refuse the user: check sasl.mechanism, sasl.username and sasl.password"
        }
        RDKafkaErrorCode::SSL => by_tls.unwrap_or("TLS has failed: check security.protocol and the ssl.* properties"),
        // With TLS 1.3 a client hears only after the handshake that its certificate is refused.
        RDKafkaErrorCode::BrokerTransportFailure if reason.contains("SSL routines") => by_tls?,
        RDKafkaErrorCode::BrokerTransportFailure if reason.contains("Connect to") => return Some(reason.to_owned()),
        RDKafkaErrorCode::Resolve => "a host's name is not known: check kafka.brokers",
        _ => return None,
    };
    Some(format!("{cause} ({reason})"))
}
