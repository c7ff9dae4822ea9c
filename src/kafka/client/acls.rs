//! The rights that the service needs, and the words for a missing one, with the command that grants it.

use std::fmt;

use rdkafka::error::RDKafkaErrorCode;

use crate::kafka::topology::Topology;
use crate::settings::Settings;

/// What a right allows. Both include Describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AclOperation {
    Read,
    Write,
}

/// What a right is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AclResource {
    Topic(String),
    /// Every group whose name begins with this.
    Groups(String),
    /// Every transactional id that begins with this.
    TransactionalIds(String),
}

/// One entry of an access control list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AclEntry {
    pub operation: AclOperation,
    pub resource: AclResource,
}

impl AclEntry {
    pub(crate) fn read(topic: &str) -> AclEntry {
        AclEntry { operation: AclOperation::Read, resource: AclResource::Topic(topic.to_owned()) }
    }

    pub(crate) fn write(topic: &str) -> AclEntry {
        AclEntry { operation: AclOperation::Write, resource: AclResource::Topic(topic.to_owned()) }
    }

    /// To be a member of the application's group, and to read its changelog under a group name that begins like it.
    pub(crate) fn groups(settings: &Settings) -> AclEntry {
        AclEntry { operation: AclOperation::Read, resource: AclResource::Groups(settings.kafka.application.clone()) }
    }

    pub(crate) fn transactional_ids(settings: &Settings) -> AclEntry {
        let resource = AclResource::TransactionalIds(format!("{}-", settings.kafka.application));
        AclEntry { operation: AclOperation::Write, resource }
    }
}

/// The right that an error of the group or of a transaction says is missing. `None`: it is another error.
pub(super) fn missing(code: RDKafkaErrorCode, settings: &Settings, topology: &Topology) -> Option<String> {
    match code {
        RDKafkaErrorCode::GroupAuthorizationFailed => Some(AclEntry::groups(settings).to_string()),
        RDKafkaErrorCode::TransactionalIdAuthorizationFailed => Some(AclEntry::transactional_ids(settings).to_string()),
        // The error does not name the topic.
        RDKafkaErrorCode::TopicAuthorizationFailed => {
            let mut topics = vec![settings.output.changes.clone(), settings.dead_letter_topic()];
            topics.extend(settings.output.tags.clone());
            topics.extend(topology.own_topics());
            let rights: Vec<String> = topics.iter().map(|topic| AclEntry::write(topic).to_string()).collect();
            Some(format!("one of these: {}", rights.join("; ")))
        }
        _ => None,
    }
}

/// Why nothing is read from the input, if a right is missing.
pub(super) fn not_read(code: RDKafkaErrorCode, settings: &Settings, topology: &Topology) -> Option<String> {
    match code {
        RDKafkaErrorCode::TopicAuthorizationFailed => {
            let rights: Vec<String> =
                topology.iter().map(|(_, plan)| AclEntry::read(&plan.topic).to_string()).collect();
            let among = if rights.len() > 1 { "one of these: " } else { "" };
            Some(format!("{among}{}", rights.join("; ")))
        }
        code => missing(code, settings, topology),
    }
}

/// Why a record is not written to a topic, if the operator can repair it.
pub(super) fn not_written(code: RDKafkaErrorCode, topic: &str) -> Option<String> {
    match code {
        RDKafkaErrorCode::TopicAuthorizationFailed => Some(AclEntry::write(topic).to_string()),
        RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownTopic
        | RDKafkaErrorCode::UnknownPartition => {
            Some(format!("{code}; does the topic exist? see `tagstream topics create`"))
        }
        // A record has the time of this machine. A broker that refuses it says the one or the other.
        RDKafkaErrorCode::InvalidTimestamp | RDKafkaErrorCode::InvalidRecord => Some(format!(
            "{code}: the clock of this machine and that of the brokers differ by more than the topic {topic} allows: set \
             both clocks right (`timedatectl`, NTP), or raise its message.timestamp.before.max.ms and \
             message.timestamp.after.max.ms (kafka-configs --alter --topic {topic} --add-config …)"
        )),
        _ => None,
    }
}

/// The right as one that is missing.
impl fmt::Display for AclEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation;
        write!(f, "no right to {operation:?} ")?;
        match &self.resource {
            AclResource::Topic(name) => write!(f, "the topic {name}")?,
            AclResource::Groups(prefix) => write!(f, "as the group {prefix}")?,
            AclResource::TransactionalIds(prefix) => write!(f, "with transactional ids {prefix}…")?,
        }
        write!(f, "; give it with: kafka-acls --add --allow-principal User:… --operation {operation:?} ")?;
        match &self.resource {
            AclResource::Topic(name) => write!(f, "--topic {name}"),
            AclResource::Groups(prefix) => write!(f, "--group {prefix} --resource-pattern-type prefixed"),
            AclResource::TransactionalIds(prefix) => {
                write!(f, "--transactional-id {prefix} --resource-pattern-type prefixed")
            }
        }
    }
}
