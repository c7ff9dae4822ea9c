//! Before anything runs: the brokers answer, every topic is there and as it should be, and we may do what we have to.
//!
//! Whatever is wrong goes on one list. Brokers that do not answer are waited for, for as long as it takes. Nothing is
//! tried that leaves traces: rights on topics and groups are asked for, and the transactional id that is taken on trial
//! is nobody else's. To try writing would leave a record in every topic, aborted but there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::ConfigResource;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{NoCustomPartitioner, Producer, ThreadedProducer};

use super::admin::Admin;
use super::clients::{self, ClientError, Plain};
use super::inquirer::{Inquirer, TopicFacts};
use super::notice::{Notice, Notices};
use super::rights::{Operation, Resource, Right};
use super::streams::Streams;
use super::wanted::{self, KAFKA_BYTES_MAX};
use super::worker::StopSignal;
use crate::catalog::Catalog;
use crate::settings::Settings;

const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(10);
/// Brokers hear of a new topic one after the other: one that is missing is looked for again so often.
const LOOKS_FOR_TOPICS: u32 = 4;
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{0}")]
    Unfit(Flaws),
    #[error("told to stop before the brokers answered")]
    Stopped,
}

/// Everything that is wrong with the cluster as we find it, each with its place and what to do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flaws(Vec<String>);

impl fmt::Display for Flaws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "cannot start: {one}"),
            many => {
                write!(f, "cannot start: {} things are wrong in Kafka", many.len())?;
                many.iter().try_for_each(|flaw| write!(f, "\n  {flaw}"))
            }
        }
    }
}

/// Waits until the brokers answer, for as long as it takes, and looks at everything that the service will need.
///
/// Returns what is to be read, with the numbers of partitions.
///
/// # Errors
/// All that is wrong, or somebody has lost patience.
pub fn await_cluster(
    settings: &Settings,
    catalog: &Catalog,
    notices: &Notices,
    stop: &StopSignal,
) -> Result<Streams, ClusterError> {
    let inquirer = Inquirer::new(settings, Arc::clone(notices))?;
    let admin = Admin::new(settings, Arc::clone(notices))?;
    let mut inspection = Inspection { settings, notices, stop, inquirer, admin, flaws: Flaws::default() };
    let streams = inspection.topics(Streams::of(settings, Some(catalog)))?;
    inspection.group()?;
    inspection.transactional_id()?;
    match streams {
        Some(streams) if inspection.flaws.0.is_empty() => {
            let (input, partitions) = (settings.input.topics.join(", "), streams.input_partitions().len());
            notices(Notice::Reached { input, partitions });
            Ok(streams)
        }
        _ => Err(ClusterError::Unfit(inspection.flaws)),
    }
}

struct Inspection<'a> {
    settings: &'a Settings,
    notices: &'a Notices,
    stop: &'a StopSignal,
    inquirer: Inquirer,
    admin: Admin,
    flaws: Flaws,
}

impl Inspection<'_> {
    /// Looks at all topics. The streams with their numbers of partitions, if all inputs can be seen.
    fn topics(&mut self, streams: Streams) -> Result<Option<Streams>, ClusterError> {
        let (mut counts, mut input_bytes_max) = (BTreeMap::new(), None);
        for (_, plan) in streams.inputs() {
            let Some(facts) = self.topic(&plan.topic, &[Operation::Read])? else { continue };
            counts.insert(plan.topic.to_string(), facts.partitions as i32);
            let configs = self.configs(&plan.topic)?;
            let bytes_max = configs.and_then(|configs| configs.get("max.message.bytes")?.value.as_ref()?.parse().ok());
            input_bytes_max = input_bytes_max.max(bytes_max);
        }
        let own = streams.own_topics();
        let operations = |topic: &String| match own.contains(topic) {
            true => &[Operation::Read, Operation::Write][..],
            false => &[Operation::Write],
        };
        if counts.len() < streams.inputs().count() {
            // The others are checked for what does not depend on it: whether they are there.
            for wanted in wanted::topics(self.settings, &streams, 0) {
                self.topic(&wanted.name, operations(&wanted.name))?;
            }
            return Ok(None);
        }
        let usual = counts.values().max().copied().unwrap_or(1);
        for (_, plan) in streams.iter() {
            let there = self.until_answered(|inspection| inspection.inquirer.topic(&plan.topic, ANSWER_PATIENCE))?;
            counts.entry(plan.topic.to_string()).or_insert(there.map_or(usual, |facts| facts.partitions as i32));
        }
        let streams = streams.counted(|topic| counts.get(topic).copied().unwrap_or(usual));
        for wanted in wanted::topics(self.settings, &streams, input_bytes_max.unwrap_or(KAFKA_BYTES_MAX)) {
            let Some(facts) = self.topic(&wanted.name, operations(&wanted.name))? else { continue };
            let configs = self.configs(&wanted.name)?;
            for difference in wanted.differences(&facts, configs.as_ref()) {
                self.flaws.0.push(format!("topic {}: {difference}", wanted.name));
            }
        }
        Ok(Some(streams))
    }

    /// What a topic is like. `None`: there is none to see, which is on the list.
    fn topic(&mut self, name: &str, operations: &[Operation]) -> Result<Option<TopicFacts>, ClusterError> {
        let mut looks = 0;
        loop {
            match self.until_answered(|inspection| inspection.inquirer.topic(name, ANSWER_PATIENCE))? {
                Ok(facts) => {
                    let missing = operations.iter().filter(|operation| !facts.allowed.has(**operation));
                    self.flaws.0.extend(missing.map(|operation| right(*operation, name)));
                    return Ok(Some(facts));
                }
                Err(RDKafkaErrorCode::UnknownTopicOrPartition) if looks < LOOKS_FOR_TOPICS => {
                    looks += 1;
                    self.rest(LOOK_AGAIN);
                }
                Err(RDKafkaErrorCode::UnknownTopicOrPartition) => {
                    self.flaws.0.push(missing(name, &self.settings.input.topics));
                    return Ok(None);
                }
                Err(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                    self.flaws.0.extend(operations.iter().map(|operation| right(*operation, name)));
                    return Ok(None);
                }
                Err(code) => {
                    self.flaws.0.push(format!("topic {name}: {code}"));
                    return Ok(None);
                }
            }
        }
    }

    /// The settings of a topic. `None`: the brokers do not tell us, which the service can live without.
    fn configs(&self, topic: &str) -> Result<Option<ConfigResource>, ClusterError> {
        let answer = self.until_answered(|inspection| {
            let broker = inspection.inquirer.broker(topic, ANSWER_PATIENCE)?;
            match inspection.admin.configs(topic, broker, ANSWER_PATIENCE) {
                Err(code) if is_silence(code) => Err(code),
                answer => Ok(answer),
            }
        })?;
        let why = match answer {
            Ok(Some(configs)) => return Ok(Some(configs)),
            Ok(None) => "no right to DescribeConfigs".to_owned(),
            Err(code) => code.to_string(),
        };
        self.skip("the settings of a topic", topic, why);
        Ok(None)
    }

    /// Whether we may be a member of our group.
    fn group(&mut self) -> Result<(), ClusterError> {
        let right = Right::groups(self.settings);
        let name = self.settings.kafka.application.clone();
        let answer = self.until_answered(|inspection| match inspection.inquirer.group(&name, ANSWER_PATIENCE) {
            Ok(Err(code)) | Err(code) if is_silence(code) => Err(code),
            Ok(answer) => Ok(answer),
            Err(code) => Ok(Err(code)),
        })?;
        match answer {
            Ok(allowed) if allowed.has(right.operation) => {}
            Ok(_) | Err(RDKafkaErrorCode::GroupAuthorizationFailed) => {
                self.flaws.0.push(format!("group {name}: {right}"));
            }
            Err(code) => self.skip("the rights on the group", &name, code.to_string()),
        }
        Ok(())
    }

    /// Whether we may have transactional ids, with transactions as long as ours.
    fn transactional_id(&mut self) -> Result<(), ClusterError> {
        let plain = Plain::new(Arc::clone(self.notices));
        let producer: ThreadedProducer<Plain, NoCustomPartitioner> =
            clients::prober(self.settings).create_with_context(plain).map_err(ClientError::from)?;
        let answer = self.until_answered(|_| match producer.init_transactions(ANSWER_PATIENCE) {
            Ok(()) => Ok(Ok(())),
            Err(KafkaError::Transaction(error)) if error.is_retriable() => Err(error.code()),
            Err(error) => Ok(Err(error)),
        })?;
        let Err(error) = answer else { return Ok(()) };
        let right = Right::transactional_ids(self.settings);
        let Resource::TransactionalIds(prefix) = &right.resource else { return Ok(()) };
        self.flaws.0.push(match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed) => format!("transactional ids {prefix}…: {right}"),
            Some(RDKafkaErrorCode::InvalidTransactionTimeout) => {
                "setting kafka.properties.\"transaction.timeout.ms\": longer than the brokers' transaction.max.timeout.ms; \
                 lower the one or raise the other"
                    .to_owned()
            }
            _ => format!("transactional ids {prefix}…: {error}"),
        });
        Ok(())
    }

    /// Asks until a broker answers.
    fn until_answered<T>(&self, mut ask: impl FnMut(&Self) -> Result<T, RDKafkaErrorCode>) -> Result<T, ClusterError> {
        let mut retry_in = RETRY_MIN;
        while !self.stop.is_given() {
            match ask(self) {
                Ok(answer) => return Ok(answer),
                Err(code) => {
                    let why = self.inquirer.refusal().unwrap_or_else(|| code.to_string());
                    let brokers = self.settings.kafka.brokers.clone();
                    (self.notices)(Notice::Unreachable { brokers, why, retry_in });
                    self.rest(retry_in);
                    retry_in = (retry_in * 2).min(RETRY_MAX);
                }
            }
        }
        Err(ClusterError::Stopped)
    }

    fn skip(&self, what: &'static str, of: &str, why: String) {
        (self.notices)(Notice::NotChecked { what, of: of.to_owned(), why });
    }

    /// Sleeps, but not through a stop; and lets the client speak meanwhile.
    fn rest(&self, time: Duration) {
        const STEP: Duration = Duration::from_millis(100);
        let mut left = time;
        while !left.is_zero() && !self.stop.is_given() {
            let step = left.min(STEP);
            self.inquirer.listen();
            std::thread::sleep(step);
            left -= step;
        }
    }
}

/// Whether an error says that nobody is there to ask now.
fn is_silence(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::RequestTimedOut
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::NetworkException
            | RDKafkaErrorCode::CoordinatorNotAvailable
            | RDKafkaErrorCode::CoordinatorLoadInProgress
            | RDKafkaErrorCode::NotCoordinator
    )
}

fn right(operation: Operation, topic: &str) -> String {
    let right = Right { operation, resource: Resource::Topic(topic.to_owned()) };
    format!("topic {topic}: {right}")
}

fn missing(topic: &str, inputs: &[String]) -> String {
    let command = "create with: tagstream topics create";
    if inputs.iter().any(|input| input == topic) {
        format!(
            "topic {topic}: does not exist; it is the input, usually there before: see to input.topics, or {command} \
             --input-partitions N"
        )
    } else {
        format!("topic {topic}: does not exist; {command}")
    }
}
