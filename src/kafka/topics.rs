//! The topics that the service writes: made with the input's partition count and the contract's policies, or checked.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use super::clients::{self, ClientError, Plain};
use super::notice::Notices;
use crate::settings::Settings;

const ANSWER_PATIENCE: Duration = Duration::from_secs(15);
/// What headers add to a dead letter over the record that it was.
const LETTER_HEADERS_BYTES: i64 = 64 << 10;
const DAY_MS: &str = "86400000";
const WEEK_MS: &str = "604800000";

/// How topics are to be made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Copies of each partition; `None`: as many as the brokers' default.
    pub replication_factor: Option<u16>,
    /// Makes the input topic too, with so many partitions.
    pub input_partitions: Option<u16>,
    pub mode: Mode,
}

/// Whether to make topics or only to say what would be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Create,
    DryRun,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub topic: String,
    pub finding: Finding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Created(String),
    WouldCreate(String),
    /// It was there and is as it should be.
    Fits(String),
    /// It was there and is not as it should be; it was left alone.
    Differs(Vec<String>),
    Failed(String),
}

impl Finding {
    pub fn is_fine(&self) -> bool {
        !matches!(self, Finding::Differs(_) | Finding::Failed(_))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topic = &self.topic;
        match &self.finding {
            Finding::Created(what) => write!(f, "created       {topic}: {what}"),
            Finding::WouldCreate(what) => write!(f, "would create  {topic}: {what}"),
            Finding::Fits(what) => write!(f, "exists        {topic}: {what}"),
            Finding::Differs(why) => write!(f, "differs       {topic}: {}", why.join("; ")),
            Finding::Failed(why) => write!(f, "failed        {topic}: {why}"),
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
        "the input topic {0} does not exist: it is yours to create, since you know how many partitions it needs; or say \
         --input-partitions N"
    )]
    InputMissing(String),
}

/// A topic as it should be.
struct Wanted {
    name: String,
    partitions: i32,
    /// Whether another number of partitions will do.
    any_partitions: bool,
    configs: Vec<(&'static str, String)>,
}

impl Wanted {
    fn words(&self) -> String {
        let configs: Vec<String> = self.configs.iter().map(|(key, value)| format!(", {key}={value}")).collect();
        format!("{} partitions{}", self.partitions, configs.concat())
    }
}

/// Makes the topics that are missing, and checks those that are there.
///
/// # Errors
/// The brokers do not answer, or there is no input to go by.
pub fn create(settings: &Settings, options: Options, notices: &Notices) -> Result<Vec<Line>, TopicsError> {
    let (config, plain) = clients::admin(settings, Arc::clone(notices));
    let admin = AdminClient::from_config_and_context(&config, plain).map_err(ClientError::from)?;
    let inquirer = clients::inquirer(settings, Arc::clone(notices))?;
    let cluster = Cluster { admin, inquirer };
    let input = &settings.input.topic;
    let unreachable = |error: KafkaError| TopicsError::Unreachable {
        brokers: settings.kafka.brokers.clone(),
        why: error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string()),
    };
    let there = cluster.partitions(input).map_err(unreachable)?;
    let asked = options.input_partitions.map(i32::from);
    let Some(partitions) = there.or(asked) else {
        return Err(TopicsError::InputMissing(input.clone()));
    };
    let mut lines = Vec::new();
    if let Some(asked) = asked {
        let wanted = Wanted { name: input.clone(), partitions: asked, any_partitions: false, configs: Vec::new() };
        lines.push(cluster.see_to(wanted, options));
    }
    let input_bytes_max = cluster.config(input, "max.message.bytes").and_then(|value| value.parse().ok());
    for wanted in wanted(settings, partitions, input_bytes_max.unwrap_or(1 << 20)) {
        lines.push(cluster.see_to(wanted, options));
    }
    Ok(lines)
}

fn wanted(settings: &Settings, partitions: i32, input_bytes_max: i64) -> Vec<Wanted> {
    let delete = || ("cleanup.policy", "delete".to_owned());
    // Compaction bounds how long an erased user's last record can still be read.
    let compact = || {
        vec![
            ("cleanup.policy", "compact".to_owned()),
            ("max.compaction.lag.ms", DAY_MS.to_owned()),
            ("delete.retention.ms", WEEK_MS.to_owned()),
        ]
    };
    let letter_bytes_max = (input_bytes_max + LETTER_HEADERS_BYTES).to_string();
    let wanted = |name: String, configs| Wanted { name, partitions, any_partitions: true, configs };
    let mut topics = vec![wanted(settings.output.changes.clone(), vec![delete()])];
    topics.extend(settings.output.tags.clone().map(|tags| wanted(tags, compact())));
    // The state of an input partition stands in the changelog partition of the same number.
    topics.push(Wanted { any_partitions: false, ..wanted(settings.changelog_topic(), compact()) });
    topics.push(wanted(settings.dead_letter_topic(), vec![delete(), ("max.message.bytes", letter_bytes_max)]));
    topics
}

struct Cluster {
    admin: AdminClient<Plain>,
    /// Asks for topics. The admin client would create them by asking, where brokers do that.
    inquirer: BaseConsumer<Plain>,
}

impl Cluster {
    /// The number of partitions of a topic, if it exists.
    fn partitions(&self, topic: &str) -> Result<Option<i32>, KafkaError> {
        let metadata = self.inquirer.fetch_metadata(Some(topic), ANSWER_PATIENCE)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        Ok(found
            .filter(|found| found.error() != Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART))
            .map(|found| found.partitions().len() as i32))
    }

    /// A setting of a topic, if the brokers tell.
    fn config(&self, topic: &str, name: &str) -> Option<String> {
        self.configs(topic)?.get(name)?.value.clone()
    }

    fn configs(&self, topic: &str) -> Option<ConfigResource> {
        let options = AdminOptions::new().request_timeout(Some(ANSWER_PATIENCE));
        let answer = block_on(self.admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options));
        answer.ok()?.pop()?.ok()
    }

    /// Makes a topic, or checks the one that is there.
    fn see_to(&self, wanted: Wanted, options: Options) -> Line {
        let finding = match self.partitions(&wanted.name) {
            Ok(None) => self.make(&wanted, options),
            Ok(Some(partitions)) => self.check(&wanted, partitions),
            Err(error) => Finding::Failed(error.to_string()),
        };
        Line { topic: wanted.name, finding }
    }

    fn check(&self, wanted: &Wanted, partitions: i32) -> Finding {
        let mut differs = Vec::new();
        if partitions != wanted.partitions && !wanted.any_partitions {
            differs.push(format!("has {partitions} partitions, should have {}", wanted.partitions));
        }
        let configs = self.configs(&wanted.name);
        let policy = |(key, should): &(&str, String)| {
            let is = configs.as_ref()?.get(key)?.value.as_deref()?;
            let fits = match *key {
                "cleanup.policy" => is == should,
                "max.message.bytes" => is.parse::<i64>().ok() >= should.parse().ok(),
                // Times are the user's to choose.
                _ => true,
            };
            (!fits).then(|| format!("{key} is {is}, should be {should}"))
        };
        differs.extend(wanted.configs.iter().filter_map(policy));
        if differs.is_empty() { Finding::Fits(format!("{partitions} partitions")) } else { Finding::Differs(differs) }
    }

    fn make(&self, wanted: &Wanted, options: Options) -> Finding {
        let copies = options.replication_factor.map_or(-1, i32::from);
        let topic = NewTopic::new(&wanted.name, wanted.partitions, TopicReplication::Fixed(copies));
        let topic = wanted.configs.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        let admin_options = AdminOptions::new()
            .request_timeout(Some(ANSWER_PATIENCE))
            .operation_timeout(Some(ANSWER_PATIENCE))
            .validate_only(options.mode == Mode::DryRun);
        let answer = block_on(self.admin.create_topics([&topic], &admin_options)).map(|mut topics| topics.pop());
        match (answer, options.mode) {
            (Ok(Some(Ok(_))), Mode::Create) => Finding::Created(wanted.words()),
            (Ok(Some(Ok(_))), Mode::DryRun) => Finding::WouldCreate(wanted.words()),
            (Ok(Some(Err((_, code)))), _) => Finding::Failed(advice(code)),
            (Ok(None), _) => Finding::Failed("no answer".to_owned()),
            (Err(error), _) => Finding::Failed(error.to_string()),
        }
    }
}

fn advice(code: RDKafkaErrorCode) -> String {
    match code {
        RDKafkaErrorCode::InvalidReplicationFactor => {
            format!("{code}: there are fewer brokers; see --replication-factor")
        }
        RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            format!("{code}: creating topics needs the Create right on them or on the cluster")
        }
        code => code.to_string(),
    }
}

/// Waits for an answer on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}
