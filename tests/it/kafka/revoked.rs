//! The process dies while the group takes partitions from it, and every event counts once.

use super::broker;
use super::durable::{COUNT, PARTITIONS, check, read_to};
use super::killed::{die, start_to_die};
use super::service::Setup;
use super::steady::Steady;

#[test]
fn a_death_in_a_revocation_counts_nothing_twice() {
    let broker = broker::shared();
    for step in ["revoke_wanted", "revoke_committed", "revoke_answered"] {
        let name = step.replace('_', "-");
        let one = Setup::on(&name, broker, COUNT).with("service.commit_interval=20ms");
        let two = Setup::on(&name, broker, COUNT).with("service.commit_interval=20ms").with("service.instance=two");
        one.create_topics(PARTITIONS as u32);
        let writer = Steady::start(broker, one.topic("events"));
        let mut first = start_to_die(&one, step, 1);
        first.says("runs partition 0");
        first.says("runs partition 1");
        let mut second = two.start_with_log(&two.folder.join("log-two"));
        die(&mut first, step);
        let mut first = one.start();
        second.says("runs partition");
        first.says("runs partition");
        let written = writer.stop();
        second.until("the end", |_| read_to(broker, &one, written));
        first.stop();
        second.stop();
        check(broker, &one, written);
    }
}
