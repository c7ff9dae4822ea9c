//! The process dies while the group takes partitions from it, and every event counts once.

use crate::fixture::broker;
use crate::fixture::counting::{COUNT, PARTITIONS, check, read_to};
use crate::fixture::failpoint::{die, start_to_die};
use crate::fixture::steady_events::Steady;
use crate::support::service::Setup;

/// A session is over soon, and nothing outlives it.
fn member(name: &str, instance: &str) -> Setup {
    Setup::on(name, broker::shared(), COUNT)
        .with("service.commit_interval=20ms")
        .with(&format!("service.instance={instance}"))
        .with("kafka.properties.transaction.timeout.ms=1500")
        .with("kafka.properties.socket.timeout.ms=1500")
        .with("kafka.properties.session.timeout.ms=2000")
        .with("kafka.properties.heartbeat.interval.ms=300")
}

#[test]
fn a_death_in_a_revocation_counts_nothing_twice() {
    let broker = broker::shared();
    for step in ["revoke_wanted", "revoke_committed", "revoke_answered"] {
        let name = step.replace('_', "-");
        let (one, two) = (member(&name, "one"), member(&name, "two"));
        one.create_topics(PARTITIONS as u32);
        let writer = Steady::start(broker, one.topic("events"));
        let mut first = start_to_die(&one, step, 1);
        first.says("runs partition 0");
        first.says("runs partition 1");
        let second = two.start_with_log(&two.folder.join("log-two"));
        die(&mut first, step);
        let mut first = one.start();
        first.says("runs partition");
        // The group may take the first for one that was never away, and then no member gets what it has given up, until
        // the group has another reason to look.
        second.signal(libc::SIGKILL);
        let written = writer.stop();
        first.until("the end", |_| read_to(broker, &one, written));
        first.stop();
        check(broker, &one, written);
    }
}
