//! `tagstream topics create`: creates the topics that the service writes, or checks those that exist.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{ConfigResource, NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::topic_admin::TopicAdmin;
use super::topic_specs::{self, CountSource, KAFKA_BYTES_MAX, PartitionCount, TopicSpec};
use crate::catalog::Catalog;
use crate::kafka::broker::ClientError;
use crate::kafka::client::{Answer, MetadataClient, TopicDescription};
use crate::kafka::events::EventListener;
use crate::kafka::topology::Topology;
use crate::settings::Settings;

const ANSWER_PATIENCE: Duration = Duration::from_secs(15);

/// How topics are created.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Copies of each partition; `None`: the brokers' default.
    pub replication_factor: Option<u16>,
    /// Creates the input topics too, with this many partitions.
    pub input_partitions: Option<u16>,
    pub mode: Mode,
}

/// Whether topics are created, or only reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Create,
    DryRun,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicReport {
    pub topic: String,
    pub outcome: TopicOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicOutcome {
    Created(String),
    WouldCreate(String),
    /// It exists and is as it should be.
    Fits(String),
    /// It exists and is not as it should be; it was not changed.
    Differs(Vec<String>),
    Failed(String),
}

impl TopicOutcome {
    pub fn is_fine(&self) -> bool {
        !matches!(self, TopicOutcome::Differs(_) | TopicOutcome::Failed(_))
    }
}

impl fmt::Display for TopicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topic = &self.topic;
        match &self.outcome {
            TopicOutcome::Created(what) => write!(f, "created       {topic}: {what}"),
            TopicOutcome::WouldCreate(what) => write!(f, "would create  {topic}: {what}"),
            TopicOutcome::Fits(what) => write!(f, "exists        {topic}: {what}"),
            TopicOutcome::Differs(why) => write!(f, "differs       {topic}: {}", why.join("; ")),
            TopicOutcome::Failed(why) => write!(f, "failed        {topic}: {why}"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TopicsError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("no answer from the brokers at {brokers}: {why}")]
    Unreachable { brokers: String, why: String },
    #[error(
        "the input topic {0} does not exist: create it with as many partitions as you need, or add --input-partitions N, \
         which creates it too"
    )]
    InputMissing(String),
}

/// Creates the topics that are missing, and checks those that exist. The catalog says which kinds of entities there
/// are; without a catalog there are only users.
///
/// # Errors
/// The brokers do not answer, or an input does not exist.
pub fn create(
    settings: &Settings,
    catalog: Option<&Catalog>,
    options: Options,
    listener: &EventListener,
) -> Result<Vec<TopicReport>, TopicsError> {
    let admin = TopicAdmin::new(settings, Arc::clone(listener))?;
    let metadata = MetadataClient::new(settings, Arc::clone(listener))?;
    let creator = TopicCreator { admin, metadata };
    let asked = options.input_partitions.map(i32::from);
    let (mut counts, mut lines) = (BTreeMap::new(), Vec::new());
    for input in &settings.input.topics {
        let there = creator.facts(input).map_err(|code| TopicsError::Unreachable {
            brokers: settings.kafka.brokers.clone(),
            why: creator.metadata.refusal().unwrap_or_else(|| code.to_string()),
        })?;
        let Some(partitions) = there.map(|facts| facts.partitions as i32).or(asked) else {
            return Err(TopicsError::InputMissing(input.clone()));
        };
        counts.insert(input.clone(), partitions);
        if let Some(asked) = asked {
            let partitions = PartitionCount::Exactly(asked, CountSource::Asked);
            let spec = TopicSpec { name: input.clone(), partitions, configs: Vec::new() };
            lines.push(creator.create_or_check(spec, options));
        }
    }
    let usual = counts.values().max().copied().unwrap_or(1);
    let count = |topic: &str| {
        let there = || Some(creator.facts(topic).ok()??.partitions as i32);
        counts.get(topic).copied().or_else(there).unwrap_or(usual)
    };
    let topology = Topology::of(settings, catalog).counted(count);
    let input_bytes_max = settings.input.topics.iter().filter_map(|input| creator.bytes_max(input)).max();
    for spec in topic_specs::topics(settings, &topology, input_bytes_max.unwrap_or(KAFKA_BYTES_MAX)) {
        lines.push(creator.create_or_check(spec, options));
    }
    if settings.push.url.is_some() {
        lines.push(creator.create_or_check(topic_specs::push_dead_letters(settings, usual), options));
    }
    Ok(lines)
}

struct TopicCreator {
    admin: TopicAdmin,
    metadata: MetadataClient,
}

impl TopicCreator {
    /// A topic, if it exists.
    fn facts(&self, topic: &str) -> Result<Option<TopicDescription>, RDKafkaErrorCode> {
        match self.metadata.topic(topic, ANSWER_PATIENCE)? {
            Answer::Given(topic) => Ok(Some(topic)),
            Answer::Refused(RDKafkaErrorCode::UnknownTopicOrPartition) => Ok(None),
            Answer::Refused(code) => Err(code),
        }
    }

    /// The size of a topic's largest record, if the brokers tell.
    fn bytes_max(&self, topic: &str) -> Option<i64> {
        self.configs(topic)?.get("max.message.bytes")?.value.as_ref()?.parse().ok()
    }

    fn configs(&self, topic: &str) -> Option<ConfigResource> {
        let broker = self.metadata.broker(topic, ANSWER_PATIENCE).ok()?;
        self.admin.configs(topic, broker, ANSWER_PATIENCE).ok()?
    }

    /// Creates a topic, or checks the one that exists.
    fn create_or_check(&self, spec: TopicSpec, options: Options) -> TopicReport {
        let outcome = match self.facts(&spec.name) {
            Ok(None) => self.make(&spec, options),
            Ok(Some(facts)) => self.check(&spec, &facts),
            Err(code) => TopicOutcome::Failed(advice(code)),
        };
        TopicReport { topic: spec.name, outcome }
    }

    fn check(&self, spec: &TopicSpec, facts: &TopicDescription) -> TopicOutcome {
        let configs = self.configs(&spec.name);
        let differs = spec.differences(facts, configs.as_ref());
        if differs.is_empty() {
            TopicOutcome::Fits(format!("{} partitions", facts.partitions))
        } else {
            TopicOutcome::Differs(differs)
        }
    }

    fn make(&self, spec: &TopicSpec, options: Options) -> TopicOutcome {
        let copies = options.replication_factor.map_or(-1, i32::from);
        let values: Vec<(&str, String)> = spec.configs.iter().map(|(key, rule)| (*key, rule.value())).collect();
        let topic = NewTopic::new(&spec.name, spec.partitions(), TopicReplication::Fixed(copies));
        let topic = values.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        match (self.admin.create(&topic, options.mode == Mode::DryRun, ANSWER_PATIENCE), options.mode) {
            (Ok(()), Mode::Create) => TopicOutcome::Created(spec.words()),
            (Ok(()), Mode::DryRun) => TopicOutcome::WouldCreate(spec.words()),
            (Err(KafkaError::AdminOp(code)), _) => TopicOutcome::Failed(advice(code)),
            (Err(error), _) => TopicOutcome::Failed(error.to_string()),
        }
    }
}

fn advice(code: RDKafkaErrorCode) -> String {
    match code {
        RDKafkaErrorCode::InvalidReplicationFactor => {
            format!("{code}: there are fewer brokers; see --replication-factor")
        }
        RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            format!("{code}: creating topics needs the Create right on them or on the creator")
        }
        code => code.to_string(),
    }
}
