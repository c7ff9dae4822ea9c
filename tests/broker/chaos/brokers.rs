//! Three brokers, of which one at a time is killed or frozen, or too few to write to.

use std::thread;
use std::time::Duration;

use super::feeder::{Events, Feeder, Pace, catalog};
use super::instance_faults::Instances;
use super::{REST_PATIENCE, SESSION, done, hasty, is_all_done, long_kills, seed, verify, written};
use crate::fixture::client::{create_topic, produce};
use crate::fixture::cluster::{self, Cluster, Duty};
use crate::oracle::verify::Clocks;
use crate::support::service::Setup;

/// So many must have come for the comparison to mean anything.
const EVENTS_MIN: i64 = 8_000;

const PACE: Pace = Pace::Past { step_ms: 500 };

/// What happens to a broker.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill,
    Freeze,
}

/// Stops the broker that has a duty, for a while, and waits until all have everything again.
fn strike(cluster: &mut Cluster, duty: Duty<'_>, fault: Fault, away: Duration) {
    let Some(index) = cluster.who(duty) else { panic!("no broker does {duty:?}") };
    println!("{fault:?} of broker {}, which does {duty:?}, for {away:?}", index + 1);
    let broker = cluster.broker(index);
    match fault {
        Fault::Kill => {
            broker.kill();
            thread::sleep(away);
            broker.revive();
        }
        Fault::Freeze => {
            broker.signal(libc::SIGSTOP);
            thread::sleep(away);
            broker.signal(libc::SIGCONT);
        }
    }
    cluster.await_copies();
}

#[test]
fn leaders_and_coordinators_that_die_leave_no_trace_in_the_result() {
    let (seed, faults) = (seed(), long_kills().map_or(3, |kills| kills / 5));
    let mut cluster = cluster::exclusive();
    let setup = hasty(Setup::on("chaos-brokers", &*cluster, &catalog(PACE))).with("service.idle_grace=off");
    setup.create_copied_topics(6, 3);
    let feeder = Feeder::start(&*cluster, setup.topic("events"), Events::new(seed, PACE, 6), 40);
    let mut instances = Instances::start(&setup, &["one", "two"], SESSION, seed);
    instances.rest_until("a beginning", REST_PATIENCE, || done(&*cluster, &setup) > 0);
    let (events, changes) = (setup.topic("events"), setup.topic("changes"));
    let mut dice = fastrand::Rng::with_seed(seed);
    for nth in 0..faults {
        let duty = match nth % 4 {
            0 => Duty::CoordinatesGroup(&setup.application),
            1 => Duty::CoordinatesTransactions("chaos-brokers-one-0"),
            2 => Duty::Leads(&events, dice.i32(0..6)),
            _ => Duty::Leads(&changes, dice.i32(0..6)),
        };
        let fault = if dice.usize(0..3) == 0 { Fault::Freeze } else { Fault::Kill };
        strike(&mut cluster, duty, fault, Duration::from_millis(dice.u64(500..6_000)));
        let before = done(&*cluster, &setup);
        instances.rest_until("progress after a fault", REST_PATIENCE, || done(&*cluster, &setup) > before);
    }
    // While brokers are away little is written.
    instances.rest_until("enough events", REST_PATIENCE, || written(&*cluster, &setup) >= EVENTS_MIN);
    let fed = feeder.stop();
    instances.rest_until("the end", REST_PATIENCE, || is_all_done(&*cluster, &setup));
    instances.stop();
    println!("brokers: {faults} faults; {fed:?}; {}", verify(&*cluster, &setup, Clocks::Events));
}

#[test]
fn while_too_few_copies_are_in_step_it_waits_and_then_goes_on() {
    let seed = seed();
    let mut cluster = cluster::exclusive();
    let setup = hasty(Setup::on("chaos-copies", &*cluster, &catalog(PACE))).with("service.idle_grace=off");
    // All three copies must be in step here, two everywhere else.
    create_topic(&*cluster, &setup.topic("changes"), 2, &[("min.insync.replicas", "3"), ("cleanup.policy", "delete")]);
    setup.create_copied_topics(2, 3);
    let topic = setup.topic("events");
    let mut events = Events::new(seed, PACE, 2);
    events.padding = 1_000;
    produce(&*cluster, &topic, (0..5_000).map(|_| events.next()));
    let mut instances = Instances::start(&setup, &["one"], SESSION, seed);
    instances.rest_until("the first events", REST_PATIENCE, || is_all_done(&*cluster, &setup));
    // Not the group's coordinator: that it moves is another test.
    let coordinator = cluster.who(Duty::CoordinatesGroup(&setup.application)).expect("a coordinator");
    cluster.broker((coordinator + 1) % 3).kill();
    produce(&*cluster, &topic, (0..60_000).map(|_| events.next()));
    instances.says("does not end");
    let (stood, held) = (done(&*cluster, &setup), instances.memory("VmRSS"));
    // Longer than a transaction lives: the broker ends it, and all of it has to be sent again.
    thread::sleep(Duration::from_secs(6));
    let (stands, holds) = (done(&*cluster, &setup), instances.memory("VmRSS"));
    println!("copies: memory {} MB, then {} MB", held >> 20, holds >> 20);
    assert!(stood < written(&*cluster, &setup), "there is nothing to wait for");
    assert_eq!(stands, stood, "progress although the copies are missing");
    assert!(holds < held + (64 << 20), "it grows while it waits: {held} bytes, then {holds}");
    cluster.broker((coordinator + 1) % 3).revive();
    instances.rest_until("the end", REST_PATIENCE, || is_all_done(&*cluster, &setup));
    instances.stop();
    println!("copies: {}", verify(&*cluster, &setup, Clocks::Events));
}
