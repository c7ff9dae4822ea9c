//! Brokers that hold the service to a pace at which its transactions are too large: smaller ones get through.

use std::collections::BTreeSet;

use crate::fixture::broker;
use crate::fixture::client::{Write, committed, produce, read_all};
use crate::support::service::Setup;

/// The state holds the text, and each change tells it.
const ECHO: &str = "version: 1\n\
    input: { max_text: 65536 }\n\
    counters:\n  latest: { last: properties.v, on: \"*\" }\n\
    tags:\n  echo: { value: latest }\n";

const EVENTS: usize = 300;
const TEXT_BYTES: usize = 2_000;

/// Of one user each, with a text that does not compress.
fn events() -> Vec<Write> {
    let mut random = fastrand::Rng::with_seed(7);
    let event = |n: usize| {
        let (at, value) =
            (1_700_000_000_000 + n as i64, (0..TEXT_BYTES).map(|_| random.alphanumeric()).collect::<String>());
        let text = format!(r#"{{"user_id":"u{n}","type":"click","timestamp":{at},"properties":{{"v":"{value}"}}}}"#);
        Write::event(0, &format!("u{n}"), text)
    };
    (0..EVENTS).map(event).collect()
}

#[test]
fn a_transaction_that_is_too_large_for_a_quota_is_divided() {
    let broker = broker::shared();
    let setup = Setup::on("quota", broker, ECHO).with("kafka.properties.transaction.timeout.ms=5000");
    let topic = setup.topic("events");
    setup.create_topics(1);
    // All output of one transaction is over a megabyte.
    let quota = ["--alter", "--add-config", "producer_byte_rate=100000"];
    broker.tool(
        "kafka.admin.ConfigCommand",
        &[&quota[..], &["--entity-type", "clients", "--entity-name", "quota-one-0"]].concat(),
    );
    produce(broker, &topic, events());
    let mut service = setup.start();
    service.says("a transaction was not committed in");
    let stands_at = || committed(broker, "quota", &topic)[0].unwrap_or_default();
    service.until("a first commit", |_| stands_at() > 0);
    service.until("most", |_| stands_at() > EVENTS as i64 / 2);
    service.until("all", |_| stands_at() == EVENTS as i64);
    service.stop();
    let changes = read_all(broker, &setup.topic("changes"));
    let users: BTreeSet<String> = changes.iter().map(|change| change.key_text()).collect();
    assert_eq!((changes.len(), users.len()), (EVENTS, EVENTS), "each event counts once");
}
