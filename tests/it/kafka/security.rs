//! The service where nothing is allowed that was not given: every way to prove who it is, every right left out once.

use super::acls::{self, Acl, minimal};
use super::client::{committed, create_topic, produce, read_all};
use super::running::{ECHO, check_echo, numbered};
use super::secured::{self, PASSWORD, Proof, Secured, USER};
use super::service::{Service, Setup, text};

/// A setup with topics and exactly the rights that the service needs.
fn prepared(secured: &Secured, name: &str) -> Setup {
    let setup = Setup::on(name, &secured.broker, ECHO).with("service.commit_interval=20ms");
    setup.create_topics(2);
    acls::give(&secured.broker, USER, &minimal(&setup));
    setup
}

fn done(secured: &Secured, setup: &Setup) -> i64 {
    committed(&secured.broker, &setup.application, &setup.topic("events")).iter().flatten().sum()
}

/// Stops the service, and looks for what must not be in its log.
fn stop(service: Service) -> String {
    let log = service.stop();
    assert!(!log.contains(PASSWORD), "the password is in the log\n{log}");
    log
}

#[test]
fn with_exactly_the_rights_that_it_needs_it_runs_over_every_kind_of_wire() {
    let secured = secured::shared();
    for (name, proof) in [("scram", Proof::Scram), ("plain", Proof::Plain), ("mutual", Proof::Certificate)] {
        let setup = prepared(secured, name);
        let setup = secured.guard(setup, proof).with_variable("TAGSTREAM_LOG", "trace");
        produce(&secured.broker, &setup.topic("events"), numbered(0, 200, 2));
        let mut service = setup.start();
        service.until("the end", |_| done(secured, &setup) == 200);
        let log = stop(service);
        assert!(log.contains("not checked: the settings of a topic"), "{log}");
        check_echo(&read_all(&secured.broker, &setup.topic("changes")), 200);
    }
}

#[test]
fn topics_are_created_with_a_few_rights_more() {
    let secured = secured::shared();
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
    let secured = secured::shared();
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
fn connections_that_are_refused_name_the_cause_and_no_secret() {
    let secured = secured::shared();
    let setup = |name: &str| Setup::on(name, &secured.broker, ECHO).with_variable("TAGSTREAM_LOG", "trace");
    let wrong = secured.file("wrong-password");
    std::fs::write(&wrong, format!("{PASSWORD}!")).expect("a password");
    let variable = "TAGSTREAM__KAFKA__PROPERTIES__SASL_PASSWORD_FILE";
    let stranger = format!("kafka.properties.ssl.ca.location={}", secured.file("stranger.crt"));
    let user = "the brokers refuse the user: check sasl.mechanism, sasl.username and sasl.password";
    let verify = "the brokers' certificate is not signed by an authority in ssl.ca.location, has expired, or is for another host";
    let client = "the brokers refuse the certificate in ssl.certificate.location, or miss one: it has expired, or they do not know \
        the authority that signed it";
    let cases = [
        (secured.guard(setup("wrong-scram"), Proof::Scram).with_variable(variable, &wrong), user),
        (secured.guard(setup("wrong-plain"), Proof::Plain).with_variable(variable, &wrong), user),
        (secured.guard(setup("unknown-ca"), Proof::Scram).with(&stranger), verify),
        (secured.with_expired_broker(setup("expired-broker")), verify),
        (secured.with_certificate(setup("expired-client"), "expired-client"), client),
        (secured.with_certificate(setup("strange-client"), "strange-client"), client),
    ];
    for (setup, cause) in cases {
        let mut service = setup.start();
        service.until(cause, |service| {
            let unreachable = |line: &str| line.contains("no answer from the brokers") && line.contains(cause);
            service.log().lines().any(unreachable)
        });
        stop(service);
    }
}

#[test]
fn rights_that_are_taken_and_given_back_are_waited_for() {
    let secured = secured::shared();
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
