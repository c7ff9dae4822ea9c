//! The service where the brokers allow nothing that was not granted.
//!
//! - `authentication`: passwords, certificates and their failures.
//! - `rights`: the rights that the service needs, each left out once.

mod authentication;
mod rights;

use crate::fixture::acls::{self, minimal};
use crate::fixture::client::committed;
use crate::fixture::echo::ECHO;
use crate::fixture::secured_broker::{PASSWORD, Secured, USER};
use crate::support::service::{Service, Setup};

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
