//! The topics that the service writes, as they should be: used to create them and to check them.

use rdkafka::admin::ConfigResource;

use crate::kafka::client::TopicDescription;
use crate::kafka::topology::{Role, Topology};
use crate::settings::Settings;

/// How many bytes the headers add to a dead letter.
const LETTER_HEADERS_BYTES: i64 = 64 << 10;
/// How many bytes the headers add to a forwarded event.
const PASSED_HEADERS_BYTES: i64 = 1 << 10;
/// The size of a batch of the changelog, or of the state of one entity.
const CHANGELOG_BYTES_MIN: i64 = 1 << 20;
/// Kafka's default for the size of a record.
pub(super) const KAFKA_BYTES_MAX: i64 = (1 << 20) + 12;
const DAY_MS: &str = "86400000";
const WEEK_MS: &str = "604800000";

/// A topic as it should be.
pub(super) struct TopicSpec {
    pub name: String,
    pub partitions: PartitionCount,
    pub configs: Vec<(&'static str, ConfigRule)>,
}

/// How many partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartitionCount {
    /// This many, or as many as the operator has chosen.
    Usually(i32),
    /// Exactly this many, as this topic has.
    Exactly(i32, CountSource),
}

/// The topic that gives the number of partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CountSource {
    /// The input, whose users are counted where they are read.
    Input,
    /// The topic through which events are forwarded.
    Merged,
    /// The number that the operator has asked for.
    Asked,
}

/// What a setting of a topic should be.
#[derive(Clone, Debug)]
pub(super) enum ConfigRule {
    /// Records are deleted by age.
    Delete,
    /// The last record of each key stays.
    Compact,
    /// `make` for a new topic, at least `min` for an existing one.
    AtLeast { min: i64, make: i64 },
    /// This value for a new topic; an existing one may have any.
    Choice(&'static str),
}

impl ConfigRule {
    /// The value for a new topic.
    pub(super) fn value(&self) -> String {
        match self {
            ConfigRule::Delete => "delete".to_owned(),
            ConfigRule::Compact => "compact".to_owned(),
            ConfigRule::AtLeast { make, .. } => make.to_string(),
            ConfigRule::Choice(value) => (*value).to_owned(),
        }
    }

    /// What the value should be, if it is wrong.
    fn should(&self, is: &str) -> Option<String> {
        match self {
            ConfigRule::Delete => is.contains("compact").then(|| self.value()),
            ConfigRule::Compact => (is != "compact").then(|| self.value()),
            ConfigRule::AtLeast { min, .. } => {
                is.parse::<i64>().is_ok_and(|is| is < *min).then(|| format!("at least {min}"))
            }
            ConfigRule::Choice(_) => None,
        }
    }
}

/// The topics that belong to a topology whose numbers of partitions are known. `input_bytes_max`: the largest record.
pub(super) fn topics(settings: &Settings, topology: &Topology, input_bytes_max: i64) -> Vec<TopicSpec> {
    let usually = PartitionCount::Usually(most_partitions(topology));
    let mut topics = vec![TopicSpec {
        name: settings.output.changes.clone(),
        partitions: usually,
        configs: vec![policy(ConfigRule::Delete)],
    }];
    if let Some(tags) = &settings.output.tags {
        topics.push(TopicSpec { name: tags.clone(), partitions: usually, configs: compact() });
    }
    for (_, plan) in topology.iter() {
        let changelog = |like| TopicSpec {
            name: plan.changelog.clone(),
            // The state of a partition stands in the changelog partition of the same number.
            partitions: PartitionCount::Exactly(plan.partitions, like),
            configs: [compact(), vec![bytes(CHANGELOG_BYTES_MIN, KAFKA_BYTES_MAX)]].concat(),
        };
        match plan.role {
            Role::Direct => topics.push(changelog(CountSource::Input)),
            Role::Forwarded => {}
            Role::Merged(_) => {
                let passed_bytes_max = input_bytes_max + PASSED_HEADERS_BYTES;
                let configs = vec![
                    policy(ConfigRule::Delete),
                    // How long the service may be away.
                    ("retention.ms", ConfigRule::Choice(WEEK_MS)),
                    bytes(passed_bytes_max, passed_bytes_max),
                ];
                let partitions = PartitionCount::Usually(plan.partitions);
                topics.push(TopicSpec { name: plan.topic.to_string(), partitions, configs });
                topics.push(changelog(CountSource::Merged));
            }
        }
    }
    let letter_bytes_max = input_bytes_max + LETTER_HEADERS_BYTES;
    let configs = vec![policy(ConfigRule::Delete), bytes(letter_bytes_max, letter_bytes_max)];
    topics.push(TopicSpec { name: settings.dead_letter_topic(), partitions: usually, configs });
    topics
}

/// The topic for what the receiver of `tagstream push` has refused.
pub(super) fn push_dead_letters(settings: &Settings, partitions: i32) -> TopicSpec {
    let bytes_max = KAFKA_BYTES_MAX + LETTER_HEADERS_BYTES;
    TopicSpec {
        name: settings.push_dead_letter_topic(),
        partitions: PartitionCount::Usually(partitions),
        configs: vec![policy(ConfigRule::Delete), bytes(bytes_max, bytes_max)],
    }
}

/// As many partitions as the input that has the most.
pub(super) fn most_partitions(topology: &Topology) -> i32 {
    topology.inputs().map(|(_, plan)| plan.partitions).max().unwrap_or(1)
}

fn policy(rule: ConfigRule) -> (&'static str, ConfigRule) {
    ("cleanup.policy", rule)
}

fn bytes(min: i64, make: i64) -> (&'static str, ConfigRule) {
    ("max.message.bytes", ConfigRule::AtLeast { min, make })
}

/// Compaction bounds how long an erased user's last record can be read.
fn compact() -> Vec<(&'static str, ConfigRule)> {
    vec![
        policy(ConfigRule::Compact),
        ("max.compaction.lag.ms", ConfigRule::Choice(DAY_MS)),
        ("delete.retention.ms", ConfigRule::Choice(WEEK_MS)),
    ]
}

impl PartitionCount {
    fn number(self) -> i32 {
        let (PartitionCount::Usually(number) | PartitionCount::Exactly(number, _)) = self;
        number
    }
}

impl TopicSpec {
    /// How many partitions a new topic gets.
    pub(super) fn partitions(&self) -> i32 {
        self.partitions.number()
    }

    pub(super) fn words(&self) -> String {
        let partitions = self.partitions();
        let configs: Vec<String> = self.configs.iter().map(|(key, rule)| format!(", {key}={}", rule.value())).collect();
        format!("{partitions} partitions{}", configs.concat())
    }

    /// Every difference between an existing topic and this, each with what to do.
    pub(super) fn differences(&self, facts: &TopicDescription, configs: Option<&ConfigResource>) -> Vec<String> {
        let mut differs = Vec::new();
        if let PartitionCount::Exactly(spec, like) = self.partitions
            && facts.partitions != spec as usize
        {
            differs.push(like.words(facts.partitions, spec));
        }
        let Some(configs) = configs else { return differs };
        let value = |key: &str| configs.get(key)?.value.as_deref();
        differs.extend(self.configs.iter().filter_map(|(key, rule)| {
            let is = value(key)?;
            let should = rule.should(is)?;
            Some(format!(
                "{key} is {is}, should be {should}; repair with: kafka-configs --alter --entity-type topics \
                 --entity-name {} --add-config {key}={}",
                self.name,
                rule.value()
            ))
        }));
        if let Some(in_sync) = value("min.insync.replicas").and_then(|value| value.parse::<usize>().ok())
            && in_sync > facts.copies
        {
            differs.push(format!(
                "min.insync.replicas is {in_sync}, and partitions have a replication factor of {}: every write would be \
                 refused; lower the one or raise the other",
                facts.copies
            ));
        }
        differs
    }
}

impl CountSource {
    /// That the number of partitions is wrong, and what to do.
    fn words(self, has: usize, spec: i32) -> String {
        match self {
            CountSource::Input => format!(
                "has {has} partitions, should have {spec}, as the input has; a partition's state stands in the one of \
                 its number, and partitions that were added to the input have moved users to others, where their \
                 counters start from zero: go back to an input with {has} partitions, or start again under another \
                 kafka.application"
            ),
            CountSource::Merged => format!(
                "has {has} partitions, should have {spec}, as the topic that it is the changelog of; a partition's state \
                 stands in the one of its number, and with other partitions entities are in others, where their counters \
                 start from zero: start again under another kafka.application"
            ),
            CountSource::Asked => format!("has {has} partitions, {spec} were asked for"),
        }
    }
}
