//! Checks before anything runs that the brokers answer, that every topic exists and is as it should be, and that the
//! service has its rights.
//!
//! All problems go on one list. Brokers that do not answer are waited for without limit. The checks leave no traces:
//! the brokers are asked for the rights on topics and groups, and the transactional id that is tried belongs to no
//! worker. To try writing would leave an aborted record in every topic.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::ConfigResource;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{NoCustomPartitioner, Producer, ThreadedProducer};

use super::topic_admin::TopicAdmin;
use super::topic_specs::{self, KAFKA_BYTES_MAX};
use crate::catalog::Catalog;
use crate::engine::CompiledCatalog;
use crate::kafka::broker::ClientError;
use crate::kafka::client::client_config;
use crate::kafka::client::{AclEntry, AclOperation, AclResource, ClientCallbacks};
use crate::kafka::client::{Answer, MetadataClient, TopicDescription};
use crate::kafka::events::{EventListener, Occurrence};
use crate::kafka::topology::Topology;
use crate::kafka::worker::StopSignal;
use crate::settings::Settings;
use crate::telemetry::short_of_files;

const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(10);
/// Brokers hear of a new topic one after the other: one that is missing is looked for this many more times.
const LOOKS_FOR_TOPICS: u32 = 4;
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{0}")]
    Unfit(PreflightProblems),
    #[error("told to stop before the brokers answered")]
    Stopped,
}

/// All problems of the cluster, each with its place and what to do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreflightProblems(Vec<String>);

impl fmt::Display for PreflightProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "cannot start: {one}"),
            many => {
                write!(f, "cannot start: {} things are wrong in Kafka", many.len())?;
                many.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

/// Waits until the brokers answer, and checks everything that the service will need.
///
/// Returns the topics that the group reads, with their numbers of partitions.
///
/// # Errors
/// The problems, or the service was told to stop.
pub fn await_cluster(
    settings: &Settings,
    catalog: &Catalog,
    listener: &EventListener,
    stop: &StopSignal,
) -> Result<Topology, ClusterError> {
    let metadata = MetadataClient::new(settings, Arc::clone(listener))?;
    let admin = TopicAdmin::new(settings, Arc::clone(listener))?;
    let problems = PreflightProblems::default();
    let mut preflight = Preflight { settings, catalog, listener, stop, metadata, admin, problems };
    let topology = preflight.topics(Topology::of(settings, Some(catalog)))?;
    preflight.group()?;
    preflight.transactional_id()?;
    match topology {
        Some(topology) if preflight.problems.0.is_empty() => {
            let (input, partitions) = (settings.input.topics.join(", "), topology.input_partitions().len());
            listener(Occurrence::Reached { input, partitions }.of_process());
            Ok(topology)
        }
        _ => Err(ClusterError::Unfit(preflight.problems)),
    }
}

struct Preflight<'a> {
    settings: &'a Settings,
    catalog: &'a Catalog,
    listener: &'a EventListener,
    stop: &'a StopSignal,
    metadata: MetadataClient,
    admin: TopicAdmin,
    problems: PreflightProblems,
}

impl Preflight<'_> {
    /// Checks all topics. Returns the topology with the numbers of partitions, if all inputs can be seen.
    fn topics(&mut self, topology: Topology) -> Result<Option<Topology>, ClusterError> {
        let (mut counts, mut input_bytes_max) = (BTreeMap::new(), None);
        for (_, plan) in topology.inputs() {
            let Some(facts) = self.topic(&plan.topic, &[AclOperation::Read])? else { continue };
            counts.insert(plan.topic.to_string(), facts.partitions as i32);
            let configs = self.configs(&plan.topic)?;
            let bytes_max = configs.and_then(|configs| configs.get("max.message.bytes")?.value.as_ref()?.parse().ok());
            input_bytes_max = input_bytes_max.max(bytes_max);
        }
        let own = topology.own_topics();
        let operations = |topic: &String| match own.contains(topic) {
            true => &[AclOperation::Read, AclOperation::Write][..],
            false => &[AclOperation::Write],
        };
        if counts.len() < topology.inputs().count() {
            // The others are only checked for what does not depend on the inputs.
            for spec in topic_specs::topics(self.settings, &topology, 0) {
                self.topic(&spec.name, operations(&spec.name))?;
            }
            return Ok(None);
        }
        let usual = counts.values().max().copied().unwrap_or(1);
        for (_, plan) in topology.iter() {
            let there = self.until_answered(|preflight| preflight.metadata.topic(&plan.topic, ANSWER_PATIENCE))?;
            let partitions = match there {
                Answer::Given(topic) => topic.partitions as i32,
                Answer::Refused(_) => usual,
            };
            counts.entry(plan.topic.to_string()).or_insert(partitions);
        }
        let topology = topology.counted(|topic| counts.get(topic).copied().unwrap_or(usual));
        let (mut written, largest) = (BTreeMap::new(), largest_records(self.settings, self.catalog, &topology));
        for spec in topic_specs::topics(self.settings, &topology, input_bytes_max.unwrap_or(KAFKA_BYTES_MAX)) {
            let Some(facts) = self.topic(&spec.name, operations(&spec.name))? else { continue };
            if !own.contains(&spec.name) {
                written.insert(spec.name.clone(), facts.partitions as i32);
            }
            let configs = self.configs(&spec.name)?;
            for difference in spec.differences(&facts, configs.as_ref()) {
                self.problems.0.push(format!("topic {}: {difference}", spec.name));
            }
            let takes = configs.and_then(|configs| configs.get("max.message.bytes")?.value.as_ref()?.parse().ok());
            if let (Some(takes), Some(bytes)) = (takes, largest.get(&spec.name).copied())
                && takes < bytes
            {
                (self.listener)(Occurrence::MayNotFit { topic: spec.name, takes, bytes }.of_process());
            }
        }
        Ok(Some(topology.writing_to(written)))
    }

    /// A topic. `None`: it cannot be seen, which is on the list.
    fn topic(&mut self, name: &str, operations: &[AclOperation]) -> Result<Option<TopicDescription>, ClusterError> {
        let mut looks = 0;
        loop {
            match self.until_answered(|preflight| preflight.metadata.topic(name, ANSWER_PATIENCE))? {
                Answer::Given(facts) => {
                    let missing = operations.iter().filter(|operation| !facts.allowed.has(**operation));
                    self.problems.0.extend(missing.map(|operation| right(*operation, name)));
                    return Ok(Some(facts));
                }
                Answer::Refused(RDKafkaErrorCode::UnknownTopicOrPartition) if looks < LOOKS_FOR_TOPICS => {
                    looks += 1;
                    self.sleep(LOOK_AGAIN);
                }
                Answer::Refused(RDKafkaErrorCode::UnknownTopicOrPartition) => {
                    self.problems.0.push(missing(name, &self.settings.input.topics));
                    return Ok(None);
                }
                Answer::Refused(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                    self.problems.0.extend(operations.iter().map(|operation| right(*operation, name)));
                    return Ok(None);
                }
                Answer::Refused(code) => {
                    self.problems.0.push(format!("topic {name}: {code}"));
                    return Ok(None);
                }
            }
        }
    }

    /// The settings of a topic. `None`: the brokers do not tell; the service can do without.
    fn configs(&self, topic: &str) -> Result<Option<ConfigResource>, ClusterError> {
        let answer = self.until_answered(|preflight| {
            let broker = preflight.metadata.broker(topic, ANSWER_PATIENCE)?;
            match preflight.admin.configs(topic, broker, ANSWER_PATIENCE) {
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

    /// Checks whether this client may be a member of the group.
    fn group(&mut self) -> Result<(), ClusterError> {
        let right = AclEntry::groups(self.settings);
        let name = self.settings.kafka.application.clone();
        let answer = self.until_answered(|preflight| match preflight.metadata.group(&name, ANSWER_PATIENCE) {
            Ok(Answer::Refused(code)) | Err(code) if is_silence(code) => Err(code),
            Ok(answer) => Ok(answer),
            Err(code) => Ok(Answer::Refused(code)),
        })?;
        match answer {
            Answer::Given(allowed) if allowed.has(right.operation) => {}
            Answer::Given(_) | Answer::Refused(RDKafkaErrorCode::GroupAuthorizationFailed) => {
                self.problems.0.push(format!("group {name}: {right}"));
            }
            Answer::Refused(code) => self.skip("the rights on the group", &name, code.to_string()),
        }
        Ok(())
    }

    /// Checks whether this client may have transactional ids, and transactions as long as the settings say.
    fn transactional_id(&mut self) -> Result<(), ClusterError> {
        let callbacks = ClientCallbacks::new(Arc::clone(self.listener));
        let producer: ThreadedProducer<ClientCallbacks, NoCustomPartitioner> =
            client_config::prober(self.settings).create_with_context(callbacks).map_err(ClientError::from)?;
        let answer = self.until_answered(|_| match producer.init_transactions(ANSWER_PATIENCE) {
            Ok(()) => Ok(Ok(())),
            Err(KafkaError::Transaction(error)) if error.is_retriable() => Err(error.code()),
            Err(error) => Ok(Err(error)),
        })?;
        let Err(error) = answer else { return Ok(()) };
        let right = AclEntry::transactional_ids(self.settings);
        let AclResource::TransactionalIds(prefix) = &right.resource else { return Ok(()) };
        self.problems.0.push(match error.rdkafka_error_code() {
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
                    let known = short_of_files().map(str::to_owned).or_else(|| self.metadata.refusal());
                    let why = known.unwrap_or_else(|| code.to_string());
                    let brokers = self.settings.kafka.brokers.clone();
                    (self.listener)(Occurrence::Unreachable { brokers, why, retry_in }.of_process());
                    self.sleep(retry_in);
                    retry_in = (retry_in * 2).min(RETRY_MAX);
                }
            }
        }
        Err(ClusterError::Stopped)
    }

    fn skip(&self, what: &'static str, of: &str, why: String) {
        (self.listener)(Occurrence::NotChecked { what, of: of.to_owned(), why }.of_process());
    }

    /// Sleeps, at most until a stop; the callbacks of the client run meanwhile.
    fn sleep(&self, time: Duration) {
        const STEP: Duration = Duration::from_millis(100);
        let mut left = time;
        while !left.is_zero() && !self.stop.is_given() {
            let step = left.min(STEP);
            self.metadata.poll_events();
            std::thread::sleep(step);
            left -= step;
        }
    }
}

/// Whether an error means that no broker can answer now.
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

fn right(operation: AclOperation, topic: &str) -> String {
    let right = AclEntry { operation, resource: AclResource::Topic(topic.to_owned()) };
    format!("topic {topic}: {right}")
}

fn missing(topic: &str, inputs: &[String]) -> String {
    let command = "create with: tagstream topics create";
    if inputs.iter().any(|input| input == topic) {
        format!(
            "topic {topic}: does not exist; it is the input, usually there before: check input.topics, or {command} \
             --input-partitions N"
        )
    } else {
        format!("topic {topic}: does not exist; {command}")
    }
}

/// By topic, the greatest size of a record of one entity, beside its key.
fn largest_records(settings: &Settings, catalog: &Catalog, topology: &Topology) -> BTreeMap<String, u64> {
    let compiled = CompiledCatalog::new(catalog.clone());
    let bounds = || compiled.programs().map(|program| program.record_bounds());
    let changelogs = topology.iter().filter(|(_, plan)| !plan.changelog.is_empty());
    let mut largest: BTreeMap<String, u64> = changelogs
        .map(|(_, plan)| (plan.changelog.clone(), plan.role.program(&compiled).record_bounds().state))
        .collect();
    let change = bounds().map(|bounds| settings.output.format.bytes_max(bounds.tag_change)).max();
    largest.extend(change.map(|most| (settings.output.changes.clone(), most)));
    let tags = bounds().map(|bounds| bounds.current_tags).max().zip(settings.output.tags.clone());
    largest.extend(tags.map(|(most, topic)| (topic, most)));
    largest
}
