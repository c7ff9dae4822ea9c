//! Credentials of a running service: no log shows them.

use crate::fixture::broker;
use crate::fixture::client::create_topic;
use crate::fixture::echo::ECHO;
use crate::support::service::Setup;

const SECRET: &str = "hunter2-canary";

#[test]
fn a_wrong_password_shows_in_no_log() {
    let broker = broker::shared();
    let setup = Setup::on("canary", broker, ECHO)
        .with("kafka.properties.security.protocol=sasl_plaintext")
        .with("kafka.properties.sasl.mechanism=PLAIN")
        .with("kafka.properties.sasl.username=somebody");
    create_topic(broker, &setup.topic("events"), 1, &[]);
    let mut command = setup.command(&["run"]);
    command.env("TAGSTREAM__KAFKA__PROPERTIES__SASL_PASSWORD", SECRET).env("TAGSTREAM_LOG", "trace");
    let mut service = setup.start_command(command);
    service.says("no answer from the brokers");
    let log = service.stop();
    assert!(!log.contains(SECRET), "{log}");
}
