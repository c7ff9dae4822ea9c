//! Settings: as written in layers, and as checked once and then trusted.
//!
//! - `problem`: what can be wrong, with the key and its origin; `duration`: durations with units;
//! - `keys`: the names of all settings; `properties`: librdkafka's own;
//! - `layers`: reads the file, the environment and the flags;
//! - `check`: every key known, every value of its type and within its bounds; `serve`: those of the read side;
//!   `schema_registry`: those of the schema registry; `push`: those of `tagstream push`;
//! - `tests`: wrong settings and their messages.
//!
//! The layers are the defaults, `tagstream.toml`, the environment and the flags; a later one overrides an earlier one.
//! What is written is a flat map from a key such as `kafka.brokers` to a value and its origin (`layers`); what is used
//! is [`Settings`], in which every value is valid. `check` turns one into the other and reports all problems at once.
//! The value of a librdkafka property is never printed: it may be a secret.

mod check;
mod duration;
mod keys;
mod layers;
mod problem;
mod properties;
mod push;
mod schema_registry;
mod serve;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::codec::ChangeFormat;

pub use layers::{ConfigFile, Sources};
pub use problem::{Fault, Origin, Problem, Problems};
pub use properties::Properties;
pub use push::{PushSettings, Signing};
pub use schema_registry::SchemaRegistrySettings;
pub use serve::{ServeSettings, TlsFiles};

/// All settings of the service and of the topic commands.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The path of the catalog. Only the service needs one.
    pub catalog: Option<PathBuf>,
    pub kafka: KafkaSettings,
    pub input: InputSettings,
    pub output: OutputSettings,
    pub service: ServiceSettings,
    /// `None`: state is kept in the changelog only.
    pub state: Option<StateSettings>,
    pub http: HttpSettings,
    pub serve: ServeSettings,
    pub push: PushSettings,
    pub scoring: ScoringSettings,
}

/// How to reach Kafka, and the names under which this application is known there.
#[derive(Clone, Debug)]
pub struct KafkaSettings {
    /// `host:port,host:port`.
    pub brokers: String,
    /// The consumer group; the prefix of transactional ids and of the topics that tagstream owns.
    pub application: String,
    pub group_protocol: GroupProtocol,
    /// librdkafka properties for every client.
    pub properties: Properties,
}

/// How the consumer group assigns the partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupProtocol {
    /// The members agree on the assignment and set the session time-out.
    Classic,
    /// The brokers decide the assignment and the session time-out (KIP-848). Its members are dynamic.
    Consumer,
}

/// What the group does with a worker's partitions while its process is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// They stay assigned: a worker that returns within its session time-out has them again, without a rebalance.
    Static,
    /// They are reassigned at once; a worker that returns is a new member.
    Dynamic,
}

/// The name of a process within the application. Names of clients and transactional ids contain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instance {
    /// Set by the operator, and the same after a restart: the workers are static members.
    Named(String),
    /// The host's name with a random number: another one at each start. The workers are dynamic members.
    Generated(String),
}

impl Instance {
    pub fn name(&self) -> &str {
        match self {
            Instance::Named(name) | Instance::Generated(name) => name,
        }
    }
}

#[derive(Clone, Debug)]
pub struct InputSettings {
    /// One or more, each once.
    pub topics: Vec<String>,
    pub start: Start,
    pub partitioned_by: PartitionedBy,
    pub format: InputFormat,
}

/// What the values of the input are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputFormat {
    Json,
    /// Confluent's wire format, with schemas in this registry; a value that is not in it is JSON.
    Confluent(SchemaRegistrySettings),
}

/// How the input topics are partitioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionedBy {
    /// All records of a user are in one partition.
    User,
    /// By something else, or at random.
    None,
}

/// Where a group without a committed offset begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Earliest,
    Latest,
}

#[derive(Clone, Debug)]
pub struct OutputSettings {
    pub changes: String,
    pub format: ChangeFormat,
    /// `None`: no current-tags topic is written.
    pub tags: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ServiceSettings {
    pub instance: Instance,
    pub workers: NonZeroUsize,
    pub commit_interval: Duration,
    pub delivery: Delivery,
    /// How far the clock of a partition that is read to its end stays behind the wall clock; `None`: it moves with its
    /// events alone.
    pub idle_grace: Option<Duration>,
    /// At most this many bytes of events wait for other inputs, over all inputs, for each kind of entity.
    pub max_waiting_bytes: usize,
    /// How long all inputs may be without events before the clocks stop; `None`: the clocks never stop.
    pub outage_after: Option<Duration>,
    /// For how many entities a changed catalog may change a tag without approval.
    pub max_change: MaxChange,
    /// How often the service looks whether the catalog's file has changed; `None`: it is read again on request alone.
    pub watch_catalog: Option<Duration>,
}

/// When a changed catalog's changes of a tag wait for approval (spec 8).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxChange {
    /// When they concern more than this share of the entities that have the tag, or of all entities.
    Share(f64),
    /// Never.
    Off,
}

/// When a subscriber sees a tag change, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Once, with the transaction that also commits the state and the input's offsets.
    ExactlyOnce,
    /// Sooner, and after a crash possibly again, with the same id.
    AtLeastOnce,
}

/// Snapshots of the state on the local disk, which make a start faster.
#[derive(Clone, Debug)]
pub struct StateSettings {
    pub directory: PathBuf,
    /// The time between two snapshots of a partition; one more is taken when the partition is revoked.
    pub snapshot_interval: Duration,
}

#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The address of the HTTP server; `None`: there is no server.
    pub listen: Option<SocketAddr>,
}

/// What catalogs with a `score` need.
#[derive(Clone, Debug)]
pub struct ScoringSettings {
    /// The ONNX Runtime: its file, or its folder. `None`: as the environment or the system says.
    pub library: Option<PathBuf>,
}

impl Settings {
    /// Members of the brokers' own protocol are dynamic, also where the instance has a name.
    pub fn membership(&self) -> Membership {
        match (&self.service.instance, self.kafka.group_protocol) {
            (Instance::Named(_), GroupProtocol::Classic) => Membership::Static,
            _ => Membership::Dynamic,
        }
    }

    /// The topic for records that are not events.
    pub fn dead_letter_topic(&self) -> String {
        format!("{}-dead-letter", self.kafka.application)
    }

    /// The consumer group of `tagstream push`.
    pub fn push_group(&self) -> String {
        self.push.group.clone().unwrap_or_else(|| format!("{}-push", self.kafka.application))
    }

    /// The topic for tag changes that the receiver of `tagstream push` has refused.
    pub fn push_dead_letter_topic(&self) -> String {
        format!("{}-dead-letter", self.push_group())
    }

    /// The changelog of the partitions that read the input directly.
    pub fn changelog_topic(&self) -> String {
        format!("{}-changelog", self.kafka.application)
    }

    /// The repartition topic of a kind of entity: events, keyed by entity of this kind.
    pub fn by_topic(&self, entity: &str) -> String {
        format!("{}-by-{entity}", self.kafka.application)
    }

    /// The changelog of the partitions that read the repartition topic.
    pub fn by_changelog_topic(&self, entity: &str) -> String {
        format!("{}-changelog", self.by_topic(entity))
    }
}

/// Reads all layers and checks them.
///
/// # Errors
/// All problems at once.
pub fn load(sources: &Sources) -> Result<Settings, Problems> {
    let mut problems = Problems::default();
    // Without the file, missing settings cannot be told from unread ones.
    let Some(raw) = layers::read(sources, &mut problems) else { return Err(problems) };
    let settings = check::check(raw, &mut problems);
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(problems),
    }
}

#[cfg(test)]
mod tests;
