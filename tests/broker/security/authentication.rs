//! Every way to prove who the service is, and every way in which that fails.

use super::{done, prepared, stop};
use crate::fixture::client::{produce, read_all};
use crate::fixture::echo::{ECHO, check_echo, numbered};
use crate::fixture::secured_broker::{self, PASSWORD, Proof};
use crate::support::service::Setup;

#[test]
fn with_exactly_the_rights_that_it_needs_it_runs_over_every_kind_of_wire() {
    let secured = secured_broker::shared();
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
fn connections_that_are_refused_name_the_cause_and_no_secret() {
    let secured = secured_broker::shared();
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
