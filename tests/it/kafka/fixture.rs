//! The test broker itself: what is written is read back, and an own broker survives being killed.

use super::broker::{self, Broker};
use super::client::{Write, create_topic, produce, read_all};

#[test]
fn what_is_written_is_read_back() {
    let broker = broker::shared();
    create_topic(broker, "fixture", 2, &[]);
    let headers = vec![("h", b"1".to_vec())];
    let first = Write { headers, ..Write::event(0, "a", "x") };
    produce(broker, "fixture", [first, Write::event(1, "b", "y")]);
    let seen = read_all(broker, "fixture");
    let values: Vec<_> = seen.iter().map(|record| (record.partition, record.key_text())).collect();
    assert_eq!(values, [(0, "a".to_owned()), (1, "b".to_owned())]);
    assert_eq!(seen[0].header("h").as_deref(), Some("1"));
}

#[test]
fn a_killed_broker_comes_back_with_its_data() {
    let mut broker = Broker::start();
    create_topic(&broker, "kept", 1, &[]);
    produce(&broker, "kept", [Write::event(0, "a", "x")]);
    broker.kill();
    broker.revive();
    assert_eq!(read_all(&broker, "kept").len(), 1);
}
