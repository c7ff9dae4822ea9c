//! The rights that the service needs, and how a missing one is told: on what, to do what, and the command that gives it.

use std::fmt;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::settings::Settings;

/// What a right allows. Describe comes with either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Read,
    Write,
}

/// What a right is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    Topic(String),
    /// Every group whose name begins so.
    Groups(String),
    /// Every transactional id that begins so.
    TransactionalIds(String),
}

/// One line of an access control list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    pub operation: Operation,
    pub resource: Resource,
}

impl Right {
    pub fn read(topic: &str) -> Right {
        Right { operation: Operation::Read, resource: Resource::Topic(topic.to_owned()) }
    }

    pub fn write(topic: &str) -> Right {
        Right { operation: Operation::Write, resource: Resource::Topic(topic.to_owned()) }
    }

    /// To be a member of the application's group, and to read its changelog under a group of its name.
    pub fn groups(settings: &Settings) -> Right {
        Right { operation: Operation::Read, resource: Resource::Groups(settings.kafka.application.clone()) }
    }

    pub fn transactional_ids(settings: &Settings) -> Right {
        let resource = Resource::TransactionalIds(format!("{}-", settings.kafka.application));
        Right { operation: Operation::Write, resource }
    }
}

/// What an error of the group or of a transaction says is missing. `None`: it is about something else.
pub fn missing(error: &KafkaError, settings: &Settings) -> Option<String> {
    match error.rdkafka_error_code()? {
        RDKafkaErrorCode::GroupAuthorizationFailed => Some(Right::groups(settings).to_string()),
        RDKafkaErrorCode::TransactionalIdAuthorizationFailed => Some(Right::transactional_ids(settings).to_string()),
        // Which one is not said.
        RDKafkaErrorCode::TopicAuthorizationFailed => {
            let mut topics = vec![settings.output.changes.clone(), settings.dead_letter_topic()];
            topics.extend(settings.output.tags.clone());
            topics.push(settings.changelog_topic());
            let rights: Vec<String> = topics.iter().map(|topic| Right::write(topic).to_string()).collect();
            Some(format!("one of these: {}", rights.join("; ")))
        }
        _ => None,
    }
}

/// Says why nothing is read from the input.
pub fn not_read(error: &KafkaError, settings: &Settings) -> String {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => Right::read(&settings.input.topic).to_string(),
        _ => missing(error, settings).unwrap_or_else(|| error.to_string()),
    }
}

/// Says why a record is not written to a topic.
pub fn not_written(error: &KafkaError, topic: &str) -> String {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => Right::write(topic).to_string(),
        Some(
            code @ (RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition),
        ) => format!("{code}; is the topic there? see `tagstream topics create`"),
        Some(code) => code.to_string(),
        None => error.to_string(),
    }
}

/// As something that is missing.
impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation;
        write!(f, "no right to {operation:?} ")?;
        match &self.resource {
            Resource::Topic(name) => write!(f, "the topic {name}")?,
            Resource::Groups(prefix) => write!(f, "as the group {prefix}")?,
            Resource::TransactionalIds(prefix) => write!(f, "with transactional ids {prefix}…")?,
        }
        write!(f, "; give it with: kafka-acls --add --allow-principal User:… --operation {operation:?} ")?;
        match &self.resource {
            Resource::Topic(name) => write!(f, "--topic {name}"),
            Resource::Groups(prefix) => write!(f, "--group {prefix} --resource-pattern-type prefixed"),
            Resource::TransactionalIds(prefix) => {
                write!(f, "--transactional-id {prefix} --resource-pattern-type prefixed")
            }
        }
    }
}
