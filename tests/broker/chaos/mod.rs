//! Instances and brokers are killed and frozen while events flow; what comes out is what an undisturbed run gives.
//!
//! The normal run does a little of each. `TAGSTREAM_KILLS=100 cargo test --test broker chaos -- --nocapture` kills 100
//! instances (and a fifth as many brokers) and reads a backlog of five million events: about half an hour on two cores.
//! `deploy/upgrade.sh` runs `upgrade`, in which an older version of the program takes part.
//! `TAGSTREAM_SEED` gives other events and faults; the seed is printed when a test fails.

mod backlog;
mod brokers;
mod instance_faults;
mod feeder;
mod instances;
mod verify_itself;
mod merged_inputs;
mod catalog_changes;
mod upgrade;

use std::time::Duration;

use feeder::PROBES;

use crate::fixture::client::{Isolation, committed, ends};
use crate::oracle::verify::{Clocks, Trial, Verdict};
use crate::support::service::Bootstrap;
use crate::support::service::Setup;

const SESSION: Duration = Duration::from_secs(4);
const REST_PATIENCE: Duration = Duration::from_secs(180);

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// How many kills the long form was asked for.
fn long_kills() -> Option<usize> {
    number("TAGSTREAM_KILLS").map(|kills| kills as usize)
}

fn seed() -> u64 {
    let seed = number("TAGSTREAM_SEED").unwrap_or(1);
    println!("TAGSTREAM_SEED={seed}");
    seed
}

/// Transactions nearly without a pause, and time-outs of seconds.
fn hasty(setup: Setup) -> Setup {
    setup
        .with("service.commit_interval=20ms")
        .with(&format!("kafka.properties.session.timeout.ms={}", SESSION.as_millis()))
        .with("kafka.properties.heartbeat.interval.ms=500")
        .with("kafka.properties.transaction.timeout.ms=3000")
        .with("kafka.properties.socket.timeout.ms=3000")
}

/// How many records stand in the input.
fn written(brokers: &impl Bootstrap, setup: &Setup) -> i64 {
    ends(brokers, &setup.topic("events"), Isolation::Uncommitted).iter().map(|ends| ends.end).sum()
}

/// How many of them are behind the committed offsets.
fn done(brokers: &impl Bootstrap, setup: &Setup) -> i64 {
    committed(brokers, &setup.application, &setup.topic("events")).iter().flatten().sum()
}

fn is_all_done(brokers: &impl Bootstrap, setup: &Setup) -> bool {
    done(brokers, setup) == written(brokers, setup)
}

/// Everything is compared, and there must be enough of everything.
fn verify(brokers: &impl Bootstrap, setup: &Setup, clocks: Clocks) -> Verdict {
    verify_eras(brokers, setup, clocks, &[])
}

/// The same, where other catalogs were in force before.
fn verify_eras(brokers: &impl Bootstrap, setup: &Setup, clocks: Clocks, earlier: &[String]) -> Verdict {
    let verdict = Trial { brokers, setup, clocks, earlier, probes: &PROBES }.verify();
    assert!(verdict.changes > 1_000 && verdict.by_timer > 100 && verdict.answers > 1_000, "too little: {verdict:?}");
    verdict
}
