//! `tagstream topics create`: what it makes, and what it says of what is there.

use crate::fixture::broker;
use crate::fixture::client::{create_topic, describe};
use crate::support::service::{Setup, text};

const CATALOG: &str = "version: 1\ncounters:\n  n: { count: \"*\" }\ntags:\n  some: { when: n >= 1 }\n";

#[test]
fn topics_are_created_with_the_inputs_partitions_and_the_contracts_policies() {
    let broker = broker::shared();
    let setup = Setup::on("topics", broker, CATALOG);
    create_topic(broker, &setup.topic("events"), 3, &[("max.message.bytes", "3000000")]);

    let dry = setup.output(&["topics", "create", "--dry-run"]);
    assert!(dry.status.success(), "{}", text(&dry));
    assert!(text(&dry).contains("would create  topics-changes: 3 partitions, cleanup.policy=delete"), "{}", text(&dry));
    let real = setup.output(&["topics", "create", "--replication-factor", "1"]);
    assert!(real.status.success(), "{}", text(&real));
    assert_eq!(text(&real).matches("created ").count(), 4, "{}", text(&real));

    for (topic, policy) in
        [("changes", "delete"), ("tags", "compact"), ("changelog", "compact"), ("dead-letter", "delete")]
    {
        let (partitions, configs) = describe(broker, &setup.topic(topic));
        assert_eq!(partitions, 3, "{topic}");
        assert_eq!(configs["cleanup.policy"], policy, "{topic}");
    }
    let (_, letters) = describe(broker, &setup.topic("dead-letter"));
    assert_eq!(letters["max.message.bytes"], (3_000_000 + (64 << 10)).to_string());

    let again = setup.output(&["topics", "create", "--input-partitions", "3"]);
    assert!(again.status.success(), "{}", text(&again));
    assert_eq!(text(&again).matches("exists ").count(), 5, "{}", text(&again));
}

#[test]
fn topics_that_are_wrong_are_told_and_left_alone() {
    let broker = broker::shared();
    let setup = Setup::on("wrong", broker, CATALOG);
    create_topic(broker, &setup.topic("events"), 2, &[]);
    create_topic(broker, &setup.topic("tags"), 2, &[("cleanup.policy", "delete")]);
    create_topic(broker, &setup.topic("changelog"), 5, &[("cleanup.policy", "compact")]);
    let output = setup.output(&["topics", "create"]);
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    assert!(text.contains("differs       wrong-tags: cleanup.policy is delete, should be compact"), "{text}");
    assert!(text.contains("differs       wrong-changelog: has 5 partitions, should have 2"), "{text}");
    assert!(text.contains("created       wrong-changes"), "{text}");
}

#[test]
fn without_an_input_there_is_nothing_to_go_by() {
    let setup = Setup::on("noinput", broker::shared(), CATALOG);
    let output = setup.output(&["topics", "create"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("the input topic noinput-events does not exist"), "{}", text(&output));
}

#[test]
fn replication_that_the_brokers_cannot_give() {
    let broker = broker::shared();
    let setup = Setup::on("copies", broker, CATALOG);
    create_topic(broker, &setup.topic("events"), 1, &[]);
    let output = setup.output(&["topics", "create", "--replication-factor", "3"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("see --replication-factor"), "{}", text(&output));
}
