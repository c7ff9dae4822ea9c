//! A service that is killed again and again in the middle of a backlog, which does not have to fit into its memory.

use std::thread;
use std::time::Duration;

use super::feeder::{Events, Pace, catalog};
use super::instance_faults::Instances;
use super::{REST_PATIENCE, SESSION, done, hasty, is_all_done, long_kills, seed, verify, written};
use crate::fixture::broker::Broker;
use crate::fixture::client::produce;
use crate::oracle::verify::Clocks;
use crate::support::service::Setup;

#[test]
fn killed_in_the_middle_of_a_backlog_it_goes_on_and_stays_small() {
    let seed = seed();
    // Both are larger than what the service may hold. librdkafka takes up to 64 MB of records for each worker ahead, and
    // for each of them as much again as a small one has: hence the two bounds.
    let (count, padding, memory_max) = match long_kills() {
        Some(_) => (5_000_000, 0, 600 << 20),
        None => (80_000, 6_000, 400 << 20),
    };
    let pace = Pace::Past { step_ms: 72_000_000 / count as i64 * 2 };
    // Its own: it is frozen.
    let broker = Broker::start();
    let setup = hasty(Setup::on("chaos-backlog", &broker, &catalog(pace)))
        .with("service.idle_grace=off")
        .with("service.workers=2");
    setup.create_topics(4);
    let mut events = Events::new(seed, pace, 4);
    events.padding = padding;
    produce(&broker, &setup.topic("events"), (0..count).map(|_| events.next()));
    let mut instances = Instances::start(&setup, &["one"], SESSION, seed);
    let patience = if count > 1_000_000 { REST_PATIENCE * 10 } else { REST_PATIENCE };
    let mut most = 0;
    for fifth in 1..=3 {
        let enough = count as i64 / 5 * fifth;
        instances.rest_until("a part of the backlog", patience, || done(&broker, &setup) >= enough);
        most = most.max(instances.memory("VmHWM"));
        if fifth == 2 {
            stall(&broker, &instances);
        }
        instances.kill_one();
        assert!(done(&broker, &setup) < written(&broker, &setup), "it was too fast to be killed in the middle");
    }
    instances.rest_until("the end", patience, || is_all_done(&broker, &setup));
    most = most.max(instances.memory("VmHWM"));
    println!("backlog: {}, most memory {} MB", instances.stop(), most >> 20);
    assert!(most < memory_max, "{most} bytes");
    println!("backlog: {}", verify(&broker, &setup, Clocks::Events));
}

/// A broker that takes nothing for a while: nothing piles up before it.
fn stall(broker: &Broker, instances: &Instances<'_>) {
    broker.signal(libc::SIGSTOP);
    // What was under way has arrived by then.
    thread::sleep(Duration::from_secs(1));
    let before = instances.memory("VmRSS");
    thread::sleep(Duration::from_secs(4));
    let after = instances.memory("VmRSS");
    broker.signal(libc::SIGCONT);
    println!("backlog: memory {} MB, after the stall {} MB", before >> 20, after >> 20);
    assert!(after < before + (32 << 20), "it grows while nothing is taken: {before} bytes, then {after}");
}
