//! The topics that the service writes, as they should be: by what they are made and by what they are checked.

use rdkafka::admin::ConfigResource;

use super::metadata::TopicDescription;
use crate::kafka::topology::{Role, Topology};
use crate::settings::Settings;

/// What headers add to a dead letter over the record that it was.
const LETTER_HEADERS_BYTES: i64 = 64 << 10;
/// What headers add to an event that is passed on.
const PASSED_HEADERS_BYTES: i64 = 1 << 10;
/// A batch of the changelog is that long, or the state of one entity.
const CHANGELOG_BYTES_MIN: i64 = 1 << 20;
/// What the brokers take where nobody has said anything else.
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
    /// So many, or whatever somebody has chosen.
    Usually(i32),
    /// So many, as this topic has.
    Exactly(i32, CountSource),
}

/// What a topic has to have as many partitions as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CountSource {
    /// The input, whose users are counted where they are read.
    Input,
    /// The topic through which events are passed on.
    PassedOn,
    /// What was asked for.
    Asked,
}

/// What a setting of a topic should be.
#[derive(Clone, Debug)]
pub(super) enum ConfigRule {
    /// Every record stays until it is too old.
    Delete,
    /// The last record of each key stays.
    Compact,
    /// `make` where it is made, at least `min` where it is there.
    AtLeast { min: i64, make: i64 },
    /// Ours where it is made, the user's to choose afterwards.
    Choice(&'static str),
}

impl ConfigRule {
    /// The value with which a topic is made.
    pub(super) fn value(&self) -> String {
        match self {
            ConfigRule::Delete => "delete".to_owned(),
            ConfigRule::Compact => "compact".to_owned(),
            ConfigRule::AtLeast { make, .. } => make.to_string(),
            ConfigRule::Choice(value) => (*value).to_owned(),
        }
    }

    /// What it should be, if it is something else.
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

/// The topics for these streams, whose numbers of partitions are known, and whose records may be so large.
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
            Role::PassedOn => {}
            Role::Merged(_) => {
                let passed_bytes_max = input_bytes_max + PASSED_HEADERS_BYTES;
                let configs = vec![
                    policy(ConfigRule::Delete),
                    // As long as the service may be away.
                    ("retention.ms", ConfigRule::Choice(WEEK_MS)),
                    bytes(passed_bytes_max, passed_bytes_max),
                ];
                let partitions = PartitionCount::Usually(plan.partitions);
                topics.push(TopicSpec { name: plan.topic.to_string(), partitions, configs });
                topics.push(changelog(CountSource::PassedOn));
            }
        }
    }
    let letter_bytes_max = input_bytes_max + LETTER_HEADERS_BYTES;
    let configs = vec![policy(ConfigRule::Delete), bytes(letter_bytes_max, letter_bytes_max)];
    topics.push(TopicSpec { name: settings.dead_letter_topic(), partitions: usually, configs });
    topics
}

/// As many partitions as the input with the most has.
pub(super) fn most_partitions(topology: &Topology) -> i32 {
    topology.inputs().map(|(_, plan)| plan.partitions).max().unwrap_or(1)
}

fn policy(rule: ConfigRule) -> (&'static str, ConfigRule) {
    ("cleanup.policy", rule)
}

fn bytes(min: i64, make: i64) -> (&'static str, ConfigRule) {
    ("max.message.bytes", ConfigRule::AtLeast { min, make })
}

/// Compaction bounds how long an erased user's last record can still be read.
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
    /// How many partitions it is made with.
    pub(super) fn partitions(&self) -> i32 {
        self.partitions.number()
    }

    pub(super) fn words(&self) -> String {
        let partitions = self.partitions();
        let configs: Vec<String> = self.configs.iter().map(|(key, rule)| format!(", {key}={}", rule.value())).collect();
        format!("{partitions} partitions{}", configs.concat())
    }

    /// Everything in which the topic that is there is not as it should be, each with what to do.
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
                "{key} is {is}, should be {should}; mend with: kafka-configs --alter --entity-type topics \
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
    /// That there are other partitions than there should be, and what to do.
    fn words(self, has: usize, spec: i32) -> String {
        match self {
            CountSource::Input => format!(
                "has {has} partitions, should have {spec}, as the input has; a partition's state stands in the one of \
                 its number, and partitions that were added to the input have moved users to others, where their \
                 counters start from zero: go back to an input with {has} partitions, or begin anew under another \
                 kafka.application"
            ),
            CountSource::PassedOn => format!(
                "has {has} partitions, should have {spec}, as the topic that it is the changelog of; a partition's state \
                 stands in the one of its number, and with other partitions entities are in others, where their counters \
                 start from zero: begin anew under another kafka.application"
            ),
            CountSource::Asked => format!("has {has} partitions, {spec} were asked for"),
        }
    }
}
