//! `tagstream run` checks Kafka before it starts: all that is wrong on one list, each with a remedy, and exit code 78.

use crate::fixture::broker;
use crate::fixture::client::create_topic;
use crate::fixture::echo::ECHO;
use crate::support::service::{Setup, text};

/// Runs the service, which must refuse to start with exactly this list.
fn check(setup: &Setup, expected: &str) {
    let output = setup.output(&["run"]);
    assert_eq!(output.status.code(), Some(78), "{}", text(&output));
    let found = text(&output).lines().find_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        (line["level"] == "ERROR").then(|| line["message"].as_str().unwrap_or_default().to_owned())
    });
    assert_eq!(found.as_deref(), Some(expected), "{}", text(&output));
}

#[test]
fn topics_that_are_missing() {
    let broker = broker::shared();
    let setup = Setup::on("missing", broker, ECHO);
    let others = "  topic missing-changes: does not exist; create with: tagstream topics create\n  \
        topic missing-tags: does not exist; create with: tagstream topics create\n  \
        topic missing-changelog: does not exist; create with: tagstream topics create\n  \
        topic missing-dead-letter: does not exist; create with: tagstream topics create";
    check(
        &setup,
        &format!(
            "cannot start: 5 things are wrong in Kafka\n  topic missing-events: does not exist; it is the input, usually \
             there before: check input.topics, or create with: tagstream topics create --input-partitions N\n{others}"
        ),
    );
    create_topic(broker, &setup.topic("events"), 1, &[]);
    check(&setup, &format!("cannot start: 4 things are wrong in Kafka\n{others}"));
    create_topic(broker, &setup.topic("changes"), 1, &[]);
    create_topic(broker, &setup.topic("changelog"), 1, &[("cleanup.policy", "compact")]);
    create_topic(broker, &setup.topic("dead-letter"), 1, &[("max.message.bytes", "2000000")]);
    let setup = setup.with("output.tags=");
    let mut service = setup.start();
    service.says("runs partition 0");
    service.stop();
}

#[test]
fn topics_and_time_outs_that_do_not_fit() {
    let broker = broker::shared();
    let setup = Setup::on("unfit", broker, ECHO).with("kafka.properties.transaction.timeout.ms=1000000");
    let topic = |name: &str, partitions: i32, configs: &[(&str, &str)]| {
        create_topic(broker, &setup.topic(name), partitions, configs);
    };
    topic("events", 3, &[("max.message.bytes", "3000000")]);
    topic("changes", 2, &[("cleanup.policy", "compact,delete"), ("min.insync.replicas", "2")]);
    topic("tags", 2, &[("cleanup.policy", "delete")]);
    topic("changelog", 2, &[("cleanup.policy", "compact,delete"), ("max.message.bytes", "300000")]);
    topic("dead-letter", 1, &[]);
    let mend = |topic: &str, setting: &str| {
        format!(
            "repair with: kafka-configs --alter --entity-type topics --entity-name unfit-{topic} --add-config {setting}"
        )
    };
    let lines = [
        format!(
            "topic unfit-changes: cleanup.policy is compact,delete, should be delete; {}",
            mend("changes", "cleanup.policy=delete")
        ),
        "topic unfit-changes: min.insync.replicas is 2, and partitions have a replication factor of 1: every write would \
         be refused; lower the one or raise the other"
            .to_owned(),
        format!(
            "topic unfit-tags: cleanup.policy is delete, should be compact; {}",
            mend("tags", "cleanup.policy=compact")
        ),
        "topic unfit-changelog: has 2 partitions, should have 3, as the input has; a partition's state stands in the one \
         of its number, and partitions that were added to the input have moved users to others, where their counters \
         start from zero: go back to an input with 2 partitions, or start again under another kafka.application"
            .to_owned(),
        format!(
            "topic unfit-changelog: cleanup.policy is compact,delete, should be compact; {}",
            mend("changelog", "cleanup.policy=compact")
        ),
        format!(
            "topic unfit-changelog: max.message.bytes is 300000, should be at least 1048576; {}",
            mend("changelog", "max.message.bytes=1048588")
        ),
        format!(
            "topic unfit-dead-letter: max.message.bytes is 1048588, should be at least 3065536; {}",
            mend("dead-letter", "max.message.bytes=3065536")
        ),
        "setting kafka.properties.\"transaction.timeout.ms\": longer than the brokers' transaction.max.timeout.ms; lower \
         the one or raise the other"
            .to_owned(),
    ];
    check(&setup, &format!("cannot start: 8 things are wrong in Kafka\n  {}", lines.join("\n  ")));
}
