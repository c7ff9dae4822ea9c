//! The rights that the service needs: with exactly these it works, and without one of them it names the one.

use super::{done, prepared, stop};
use crate::fixture::acls::{self, Acl, minimal};
use crate::fixture::client::{create_topic, produce, read_all};
use crate::fixture::echo::{ECHO, check_echo, numbered};
use crate::fixture::secured_broker::{self, Proof, USER};
use crate::support::service::{Setup, text};

#[test]
fn topics_are_created_with_a_few_rights_more() {
    let secured = secured_broker::shared();
    let setup = Setup::on("creating", &secured.broker, ECHO);
    create_topic(&secured.broker, &setup.topic("events"), 2, &[("max.message.bytes", "3000000")]);
    acls::give(&secured.broker, USER, &minimal(&setup));
    let ours = ["changes", "tags", "changelog", "dead-letter"].map(|topic| setup.topic(topic));
    let acl = |operation| ours.clone().map(|topic| Acl::topic(topic, operation));
    let setup = secured.guard(setup, Proof::Scram);
    let output = setup.output(&["topics", "create"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("needs the Create right"), "{}", text(&output));
    acls::give(&secured.broker, USER, &acl(acls::CREATE));
    acls::give(&secured.broker, USER, &acl(acls::DESCRIBE_CONFIGS));
    acls::give(&secured.broker, USER, &[Acl::topic(setup.topic("events"), acls::DESCRIBE_CONFIGS)]);
    let output = setup.output(&["topics", "create"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("max.message.bytes=3065536"), "{}", text(&output));
    let mut service = setup.start();
    service.says("runs partition 1");
    stop(service);
}

#[test]
fn each_right_that_is_missing_is_named_with_its_mend() {
    let secured = secured_broker::shared();
    let give = "give it with: kafka-acls --add --allow-principal User:… --operation";
    let topic = |topic: &str, operation: &str| {
        format!(
            "topic NAME-{topic}: no right to {operation} the topic NAME-{topic}; {give} {operation} --topic NAME-{topic}"
        )
    };
    // In the order of the minimal rights.
    let lines = [
        topic("events", "Read"),
        topic("changes", "Write"),
        topic("tags", "Write"),
        topic("changelog", "Read"),
        topic("changelog", "Write"),
        topic("dead-letter", "Write"),
        format!(
            "group NAME: no right to Read as the group NAME; {give} Read --group NAME --resource-pattern-type prefixed"
        ),
        format!(
            "transactional ids NAME-…: no right to Write with transactional ids NAME-…; {give} Write --transactional-id \
             NAME- --resource-pattern-type prefixed"
        ),
    ];
    for (index, line) in lines.iter().enumerate() {
        let name = format!("without-{index}");
        let setup = prepared(secured, &name);
        let left_out = minimal(&setup)[index].clone();
        acls::take(&secured.broker, USER, &[left_out]);
        let output = secured.guard(setup, Proof::Scram).output(&["run"]);
        assert_eq!(output.status.code(), Some(78), "{}", text(&output));
        let wanted = format!("cannot start: {}\"", line.replace("NAME", &name));
        assert!(text(&output).contains(&wanted), "{wanted}\nis not in\n{}", text(&output));
    }
    let setup = Setup::on("nothing", &secured.broker, ECHO);
    setup.create_topics(2);
    let output = secured.guard(setup, Proof::Scram).output(&["run"]);
    assert_eq!(output.status.code(), Some(78), "{}", text(&output));
    let all = text(&output);
    assert!(all.contains("cannot start: 8 things are wrong in Kafka"), "{all}");
    for line in lines {
        let line = line.replace("NAME", "nothing");
        assert!(all.contains(&line), "{line}\nis not in\n{all}");
    }
}

#[test]
fn rights_that_are_taken_and_given_back_are_waited_for() {
    let secured = secured_broker::shared();
    let setup = prepared(secured, "retaken");
    let setup = secured.guard(setup, Proof::Scram).with("kafka.properties.topic.metadata.refresh.interval.ms=500");
    let topic = setup.topic("events");
    let mut service = setup.start();
    let mut written = 0;
    let mut some = || {
        produce(&secured.broker, &topic, numbered(written, 100, 2));
        written += 100;
        written
    };
    let all = some();
    service.until("the first", |_| done(secured, &setup) == all as i64);
    let rights: [(Acl, &str); 5] = [
        (Acl::topic(setup.topic("changes"), acls::WRITE), "no right to Write the topic retaken-changes"),
        (Acl::topic(topic.clone(), acls::READ), "no right to Read the topic retaken-events"),
        (Acl::transactional_ids("retaken-".to_owned()), "no right to Write with transactional ids retaken-…"),
        (Acl::groups("retaken".to_owned()), "no right to Read as the group retaken"),
        // What may be read is there: only the transaction fails.
        (Acl::topic(setup.topic("tags"), acls::WRITE), "one of these: no right to Write the topic retaken-changes;"),
    ];
    acls::give(&secured.broker, USER, &[Acl::topic(setup.topic("tags"), acls::READ)]);
    for (acl, line) in rights {
        acls::take(&secured.broker, USER, std::slice::from_ref(&acl));
        let all = some() as i64;
        service.says(line);
        assert!(done(secured, &setup) < all, "committed without the right");
        acls::give(&secured.broker, USER, &[acl]);
        service.until("what was written meanwhile", |_| done(secured, &setup) == all);
    }
    println!("{}", stop(service));
    check_echo(&read_all(&secured.broker, &setup.topic("changes")), written);
}
