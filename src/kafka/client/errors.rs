//! librdkafka's errors in three classes, and advice on the usual causes.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::kafka::broker::{BrokerError, ClientError, ErrorClass};
use crate::telemetry::system_limit;

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
            other => {
                let text = other.to_string();
                ClientError(system_limit(&text).map_or_else(|| text.clone(), |advice| format!("{advice} ({text})")))
            }
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

/// What OpenSSL says of an answer that is not TLS.
const NO_TLS: [&str; 4] = ["wrong version number", "packet length too long", "record layer failure", "http request"];

/// The protocol of an answer that is not Kafka's: librdkafka takes its first four bytes for a size.
fn answered_protocol(reason: &str) -> Option<&'static str> {
    let (_, size) = reason.split_once("size ")?;
    let digits = size.split(|c: char| !c.is_ascii_digit() && c != '-').next()?;
    let size: i32 = digits.parse().ok()?;
    match size.to_be_bytes() {
        [b'H', b'T', b'T', b'P'] => {
            Some("the port speaks HTTP, not Kafka's protocol: check the hosts and ports in kafka.brokers")
        }
        // An alert, a handshake.
        [0x15 | 0x16, 3, _, _] => {
            Some("the port speaks TLS: set security.protocol to ssl or sasl_ssl, or check the ports in kafka.brokers")
        }
        [b'S', b'S', b'H', b'-'] => Some("the port speaks SSH: check the hosts and ports in kafka.brokers"),
        _ => None,
    }
}

/// The cause of a log line of librdkafka. A connection that is closed at once is no error to it.
pub(super) fn explain_log_line(text: &str) -> Option<String> {
    is_closed_at_once(text).then(|| format!("{NOT_KAFKA} ({text})"))
}

/// Whether the other side has closed a connection before it has told its versions, in librdkafka's words.
fn is_closed_at_once(text: &str) -> bool {
    text.contains("Disconnected") && text.contains("in state APIVERSION_QUERY")
}

const NOT_KAFKA: &str = "the port closes a connection without TLS: if it is a TLS port of the brokers, set \
                         security.protocol to ssl or sasl_ssl; otherwise check kafka.brokers, since it may be the port of \
                         another service";

/// The cause and librdkafka's own text. `None`: it is not an error of the connection.
pub(super) fn explain_connection_error(error: &KafkaError, reason: &str) -> Option<String> {
    if let Some(cause) = system_limit(reason) {
        return Some(format!("{cause} ({reason})"));
    }
    let by_tls = CERTIFICATES.iter().find(|(mark, _)| reason.contains(mark)).map(|(_, cause)| *cause);
    let cause = match error.rdkafka_error_code()? {
        RDKafkaErrorCode::Authentication => {
            "the brokers refuse the user: check sasl.mechanism, sasl.username and sasl.password"
        }
        RDKafkaErrorCode::SSL if NO_TLS.iter().any(|mark| reason.contains(mark)) => {
            "the port does not speak TLS: check security.protocol (plaintext or sasl_plaintext?) and the ports in \
             kafka.brokers"
        }
        RDKafkaErrorCode::SSL => by_tls.unwrap_or("TLS has failed: check security.protocol and the ssl.* properties"),
        // With TLS 1.3 a client hears only after the handshake that its certificate is refused.
        RDKafkaErrorCode::BrokerTransportFailure if reason.contains("SSL routines") => by_tls?,
        RDKafkaErrorCode::BrokerTransportFailure if reason.contains("Connect to") => return Some(reason.to_owned()),
        RDKafkaErrorCode::BrokerTransportFailure if is_closed_at_once(reason) => NOT_KAFKA,
        _ if let Some(protocol) = answered_protocol(reason) => protocol,
        RDKafkaErrorCode::Resolve => "a host's name is not known: check kafka.brokers",
        _ => return None,
    };
    Some(format!("{cause} ({reason})"))
}
