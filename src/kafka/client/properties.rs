//! Which librdkafka properties a user may set: all but those on which the guarantees depend.

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::clients;
use crate::settings::{Fault, Problems, Properties, Settings};

/// Properties that tagstream sets, each with the reason or with the setting to use instead.
const OURS: [(&str, &str); 17] = [
    ("bootstrap.servers", "use kafka.brokers"),
    ("metadata.broker.list", "use kafka.brokers"),
    ("group.id", "use kafka.application"),
    ("group.instance.id", "use service.instance"),
    ("group.protocol", "use kafka.group_protocol"),
    ("partition.assignment.strategy", "the assignment strategy is fixed"),
    ("client.id", "use kafka.application and service.instance"),
    ("transactional.id", "use kafka.application and service.instance"),
    ("enable.idempotence", "delivery is exactly once"),
    ("isolation.level", "input is read committed"),
    ("enable.auto.commit", "offsets are committed in transactions"),
    ("enable.auto.offset.store", "offsets are committed in transactions"),
    ("auto.offset.reset", "use input.start"),
    ("partitioner", "records are partitioned as Java's clients do"),
    ("statistics.interval.ms", "the commit cycle depends on it"),
    ("delivery.report.only.error", "the commit cycle depends on it"),
    ("enable.sasl.oauthbearer.unsecure.jwt", "unsigned tokens are not secure"),
];

/// Names that users set, for "did you mean".
const USUAL: [&str; 22] = [
    "security.protocol",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.token.endpoint.url",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
    "session.timeout.ms",
    "max.poll.interval.ms",
    "socket.timeout.ms",
    "compression.type",
    "message.max.bytes",
    "linger.ms",
    "debug",
];

/// Checks the properties with librdkafka itself. A value that may be a secret is never part of a problem.
pub fn check(settings: &Settings, problems: &mut Problems) {
    let properties = &settings.kafka.properties;
    let mut good = true;
    for (name, value) in properties.iter() {
        if let Some(fault) = fault(name, value) {
            good = false;
            problems.push(format!("kafka.properties.\"{name}\""), properties.origin(name).cloned(), fault);
        }
    }
    if good {
        idle(properties, problems);
    }
    if good && let Err(error) = clients::try_out(settings) {
        problems.push("kafka.properties", None, Fault::Other(error.to_string()));
    }
}

/// Finds credentials that the security protocol does not use: the user believes that the connection is secured.
fn idle(properties: &Properties, problems: &mut Problems) {
    let given =
        |wanted: &str| properties.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_lowercase());
    let protocol = given("security.protocol").unwrap_or_else(|| "plaintext".to_owned());
    for (prefix, mark, instead) in [("sasl.", "sasl_", "\"sasl_ssl\""), ("ssl.", "ssl", "\"ssl\" or \"sasl_ssl\"")] {
        let Some((name, _)) = properties.iter().find(|(name, _)| name.starts_with(prefix)) else { continue };
        if !protocol.contains(mark) {
            let fault = Fault::Other(format!("has no effect: security.protocol is {protocol}; set it to {instead}"));
            problems.push(format!("kafka.properties.\"{name}\""), properties.origin(name).cloned(), fault);
        }
    }
}

fn fault(name: &str, value: &str) -> Option<Fault> {
    if let Some((_, why)) = OURS.iter().find(|(ours, _)| *ours == name) {
        return Some(Fault::Other(format!("is set by tagstream: {why}")));
    }
    let mut config = ClientConfig::new();
    config.set(name, value);
    match config.create_native_config() {
        Ok(_) => None,
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            Some(Fault::Unknown { nearest: nearest(name) })
        }
        Err(KafkaError::ClientConfig(_, reason, ..)) if !Properties::is_secret(name) => Some(Fault::Other(reason)),
        Err(_) => Some(Fault::Other("librdkafka refuses the value (not shown)".to_owned())),
    }
}

fn nearest(name: &str) -> Option<String> {
    const ALIKE_MIN: f64 = 0.85;
    USUAL
        .iter()
        .map(|known| (*known, strsim::jaro_winkler(name, known)))
        .filter(|(_, alike)| *alike >= ALIKE_MIN)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(known, _)| known.to_owned())
}
