//! Instances that are killed, frozen, stopped and started.

use std::collections::HashSet;
use std::time::Duration;

use rdkafka::message::Message;
use serde_json::Value;

use super::feeder::{Events, Feeder, Pace, catalog};
use super::instance_faults::Instances;
use super::{REST_PATIENCE, SESSION, hasty, is_all_done, long_kills, seed, verify};
use crate::fixture::broker::{self, Broker};
use crate::fixture::client::read_each;
use crate::oracle::verify::Clocks;
use crate::support::service::Setup;

/// Of the clocks behind the wall clock, where they follow it.
const GRACE: Duration = Duration::from_secs(8);

#[test]
fn killed_frozen_and_stopped_instances_leave_no_trace_in_the_result() {
    let (seed, kills) = (seed(), long_kills().unwrap_or(5));
    // So that a run of the long form does not come to the present before it ends.
    let pace = Pace::Past { step_ms: if kills > 5 { 60 } else { 2_000 } };
    let broker = broker::shared();
    let setup = hasty(Setup::on("chaos-past", broker, &catalog(pace))).with("service.idle_grace=off");
    setup.create_topics(8);
    let feeder = Feeder::start(broker, setup.topic("events"), Events::new(seed, pace, 8), 100);
    let mut instances = Instances::start(&setup, &["one", "two", "three"], SESSION, seed);
    instances.kill(kills);
    let fed = feeder.stop();
    instances.rest_until("the end", REST_PATIENCE, || is_all_done(broker, &setup));
    println!("past: {}; {fed:?}", instances.stop());
    println!("past: {}", verify(broker, &setup, Clocks::Events));
}

#[test]
fn clocks_that_follow_the_wall_clock_lose_no_instant_to_kills() {
    let (seed, kills) = (seed(), long_kills().map_or(4, |kills| kills / 2));
    let broker = broker::shared();
    let setup = hasty(Setup::on("chaos-now", broker, &catalog(Pace::Now)))
        .with("service.workers=2")
        .with(&format!("service.idle_grace={}s", GRACE.as_secs()));
    setup.create_topics(8);
    let feeder = Feeder::start(broker, setup.topic("events"), Events::new(seed, Pace::Now, 8), 60);
    let mut instances = Instances::start(&setup, &["one", "two", "three"], SESSION, seed);
    instances.kill(kills);
    let fed = feeder.stop();
    // Silence: more kills while nothing but time moves the clocks.
    instances.kill(kills + 2);
    instances.rest_until("the end", REST_PATIENCE, || is_all_done(broker, &setup));
    instances
        .rest_until("silence to be noticed", REST_PATIENCE, || silent_users(broker, &setup) == users(broker, &setup));
    println!("now: {}; {fed:?}", instances.stop());
    let arrival = fed.slowest + Duration::from_millis(500);
    assert!(arrival < GRACE, "the machine is too slow for this test: events took {arrival:?} to arrive");
    println!("now: {}", verify(broker, &setup, Clocks::WallClock));
}

/// How many users bear the tag of those who have been silent.
fn silent_users(broker: &Broker, setup: &Setup) -> usize {
    let mut silent = HashSet::new();
    read_each(broker, &setup.topic("changes"), |record| {
        let change: Value = serde_json::from_slice(record.payload().expect("a value")).expect("JSON");
        if change["tag"] == "silent" {
            let key = change["key"].to_string();
            if change["change"] == "added" {
                silent.insert(key)
            } else {
                silent.remove(&key)
            };
        }
    });
    silent.len()
}

/// How many users have had an event.
fn users(broker: &Broker, setup: &Setup) -> usize {
    let mut users = HashSet::new();
    read_each(broker, &setup.topic("events"), |record| {
        if record.payload().is_some_and(|value| value.starts_with(b"{")) {
            users.insert(record.key().expect("a key").to_vec());
        }
    });
    users.len()
}
