//! `service.delivery = at_least_once`: tag changes leave before the commit, and a repeat is the same to the byte.

use std::collections::BTreeMap;

use crate::fixture::broker;
use crate::fixture::client::{committed, produce, read_all};
use crate::fixture::counting::{COUNT, PARTITIONS, events, read_to};
use crate::support::service::Setup;

#[test]
fn at_least_once_changes_leave_before_the_commit_and_repeats_keep_their_id() {
    let broker = broker::shared();
    let setup = Setup::on("atleast", broker, COUNT).with("service.delivery=at_least_once");
    setup.create_topics(PARTITIONS as u32);
    let (topic, changes) = (setup.topic("events"), setup.topic("changes"));
    produce(broker, &topic, events(0, 500));
    let slow = setup.with("service.commit_interval=60s");
    let mut service = slow.start();
    service.until("changes that are not committed", |_| read_all(broker, &changes).len() == 500);
    assert_eq!(committed(broker, &slow.application, &topic).iter().flatten().sum::<i64>(), 0);
    service.signal(libc::SIGKILL);
    service.ended();
    produce(broker, &topic, events(500, 500));
    let quick = slow.with("service.commit_interval=50ms");
    let mut service = quick.start();
    service.until("the end", |_| read_to(broker, &quick, 1_000));
    service.stop();
    let seen = read_all(broker, &changes);
    assert_eq!(seen.len(), 1_500, "those of the first run are repeated");
    let mut ids: BTreeMap<String, Vec<Option<Vec<u8>>>> = BTreeMap::new();
    for change in seen {
        ids.entry(change.header("ce_id").expect("an id")).or_default().push(change.value);
    }
    assert_eq!(ids.len(), 1_000);
    assert_eq!(ids.values().filter(|repeats| repeats.len() == 2 && repeats[0] == repeats[1]).count(), 500);
}
