//! Settings that are wrong: exit code 78, everything named at once, and no secret in any output.

use std::net::TcpListener;

use crate::support::service::{Setup, text};

const CATALOG: &str = "version: 1\ncounters:\n  n: { count: \"*\" }\ntags:\n  some: { when: n >= 1 }\n";
const SECRET: &str = "hunter2-canary";

#[test]
fn every_wrong_setting_is_named() {
    let setup = Setup::new("settings", "nowhere:1", CATALOG).with("service.worker=2").with("service.idle_grace=5");
    let output = setup.output(&["run"]);
    assert_eq!(output.status.code(), Some(78));
    let text = text(&output);
    assert!(text.contains("2 settings are wrong"), "{text}");
    assert!(text.contains("service.worker (from -s): no such setting; did you mean service.workers?"), "{text}");
    assert!(text.contains("service.idle_grace (from -s): is \"5\", expected a duration with its unit"), "{text}");
}

#[test]
fn properties_are_checked_and_secrets_never_shown() {
    let setup = Setup::new("secrets", "nowhere:1", CATALOG)
        .with("kafka.properties.group.id=mine")
        .with("kafka.properties.security.protocol=telepathy");
    let mut command = setup.command(&["run"]);
    command.env("TAGSTREAM__KAFKA__PROPERTIES__SASL_PASWORD", SECRET);
    command.env("TAGSTREAM__KAFKA__PROPERTIES__SSL_KEY_PEM", SECRET);
    let output = command.output().expect("tagstream");
    assert_eq!(output.status.code(), Some(78), "{}", text(&output));
    let text = text(&output);
    assert!(!text.contains(SECRET), "{text}");
    let lines = [
        "kafka.properties.\"group.id\" (from -s): is set by tagstream: use kafka.application",
        "kafka.properties.\"sasl.pasword\" (from TAGSTREAM__KAFKA__PROPERTIES__SASL_PASWORD): no such setting; did you mean sasl.password?",
        "kafka.properties.\"security.protocol\" (from -s): Invalid value \"telepathy\"",
    ];
    for line in lines {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn sessions_are_the_brokers_with_the_brokers_protocol() {
    let setup = Setup::new("sessions", "nowhere:1", CATALOG)
        .with("kafka.group_protocol=consumer")
        .with("kafka.properties.session.timeout.ms=20000");
    let output = setup.output(&["run"]);
    assert_eq!(output.status.code(), Some(78), "{}", text(&output));
    let wanted = "setting kafka.properties: cannot create a Kafka client: Client creation error: `session.timeout.ms` is not supported";
    assert!(text(&output).contains(wanted), "{}", text(&output));
}

#[test]
fn credentials_that_would_not_be_used_are_told() {
    let setup = Setup::new("idle", "nowhere:1", CATALOG)
        .with("kafka.properties.sasl.username=somebody")
        .with("kafka.properties.ssl.ca.location=/etc/ssl/certs/ca-certificates.crt");
    let output = setup.output(&["run"]);
    assert_eq!(output.status.code(), Some(78), "{}", text(&output));
    let text = text(&output);
    let lines = [
        "kafka.properties.\"sasl.username\" (from -s): has no effect: security.protocol is plaintext; set it to \"sasl_ssl\"",
        "kafka.properties.\"ssl.ca.location\" (from -s): has no effect: security.protocol is plaintext; set it to \"ssl\" or \"sasl_ssl\"",
    ];
    for line in lines {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn a_catalog_that_is_missing_or_wrong() {
    let setup = Setup::new("nocatalog", "nowhere:1", "version: 1\ntags:\n  a: { when: nothing > 1 }\n");
    let output = setup.output(&["run"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("catalog.yaml:3"), "{}", text(&output));
    let output = setup.with("catalog=other.yaml").output(&["run"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("other.yaml"), "{}", text(&output));
}

#[test]
fn a_taken_port_is_a_wrong_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let setup = Setup::new("taken", "nowhere:1", CATALOG).with(&format!("http.listen={address}"));
    let output = setup.output(&["run"]);
    assert_eq!(output.status.code(), Some(78), "{}", text(&output));
    assert!(text(&output).contains(&format!("cannot listen at http.listen = {address}")), "{}", text(&output));
}
