//! Settings: as written in layers, and as checked once and then trusted.
//!
//! A layer is the defaults, `tagstream.toml`, the environment or the flags, the later winning. What is written is a flat
//! map from a key such as `kafka.brokers` to a value and the place it came from ([`layers`]); what is used is
//! [`Settings`], in which every value is right. Between the two stands [`check`], which reports everything that is
//! wrong at once. No value of a librdkafka property is ever printed: it may be a secret.

mod check;
mod duration;
mod keys;
mod layers;
mod problem;
mod properties;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

pub use layers::{ConfigFile, Sources};
pub use problem::{Fault, Origin, Problem, Problems};
pub use properties::Properties;

/// Everything that the service and the topic commands need to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the catalog is. Only the service needs one.
    pub catalog: Option<PathBuf>,
    pub kafka: KafkaSettings,
    pub input: InputSettings,
    pub output: OutputSettings,
    pub service: ServiceSettings,
    /// `None`: state is kept in the changelog only.
    pub state: Option<StateSettings>,
    pub http: HttpSettings,
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

/// How the consumer group shares the partitions out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupProtocol {
    /// Members agree among themselves; sessions are as long as the members say.
    Classic,
    /// The brokers decide (KIP-848), and how long sessions are, too. Its members are dynamic.
    Consumer,
}

/// What a worker is to its group while its process is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Known by name: one that comes back within its session has its partitions back without a rebalance.
    Static,
    /// Unknown: one that leaves is gone at once, one that comes back is a new member.
    Dynamic,
}

#[derive(Clone, Debug)]
pub struct InputSettings {
    /// One or more, each once.
    pub topics: Vec<String>,
    pub start: Start,
    pub partitioned_by: PartitionedBy,
}

/// What the records of one partition of the input have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionedBy {
    /// All of a user's are in one partition.
    User,
    /// Nothing.
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
    /// `None`: no current-tags topic is written.
    pub tags: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// The name of this process among those of the application: it must be the same after a restart.
    pub instance: String,
    pub workers: NonZeroUsize,
    pub membership: Membership,
    pub commit_interval: Duration,
    pub delivery: Delivery,
    /// How far the clock of a partition that was read to its end stays behind the wall clock.
    pub idle_grace: Duration,
    /// How many bytes of events may wait for other inputs, of all inputs together, for each kind of entity.
    pub max_waiting_bytes: usize,
    /// How long the whole input may be silent before the clocks stop; `None`: for ever.
    pub outage_after: Option<Duration>,
    /// Of how many entities a tag may change because the catalog has: more wait for approval.
    pub max_change: MaxChange,
}

/// When a changed catalog's changes of a tag wait for approval (spec 8, the breaker).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxChange {
    /// More than this share of those who have the tag, or of all entities.
    Share(f64),
    /// Never.
    Off,
}

/// When a subscriber sees a tag change, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// With the transaction that commits everything else that belongs to it: once.
    ExactlyOnce,
    /// At once, and after a crash perhaps again, with the same id.
    AtLeastOnce,
}

/// Copies of the state on the local disk, by which a start is quicker.
#[derive(Clone, Debug)]
pub struct StateSettings {
    pub directory: PathBuf,
    /// A partition's copy is made anew so often, and when the partition is given up.
    pub snapshot_interval: Duration,
}

#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where metrics and probes are answered; `None`: nowhere.
    pub listen: Option<SocketAddr>,
}

/// What catalogs with a `score` need.
#[derive(Clone, Debug)]
pub struct ScoringSettings {
    /// The ONNX Runtime: its file, or a folder that holds it. `None`: the environment or the system knows.
    pub library: Option<PathBuf>,
}

impl Settings {
    /// The topic that records go to which are no events.
    pub fn dead_letter_topic(&self) -> String {
        format!("{}-dead-letter", self.kafka.application)
    }

    /// The topic that holds the state of every entity that is counted where the input is read.
    pub fn changelog_topic(&self) -> String {
        format!("{}-changelog", self.kafka.application)
    }

    /// The topic through which events are passed on to where the entities of a kind are counted.
    pub fn by_topic(&self, entity: &str) -> String {
        format!("{}-by-{entity}", self.kafka.application)
    }

    /// The topic that holds the state of those entities.
    pub fn by_changelog_topic(&self, entity: &str) -> String {
        format!("{}-changelog", self.by_topic(entity))
    }
}

/// Reads all layers and checks them.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(sources: &Sources) -> Result<Settings, Problems> {
    let mut problems = Problems::default();
    // Without the file nothing can be said of what stands in it.
    let Some(raw) = layers::read(sources, &mut problems) else { return Err(problems) };
    let settings = check::check(raw, &mut problems);
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(problems),
    }
}

#[cfg(test)]
mod tests;
