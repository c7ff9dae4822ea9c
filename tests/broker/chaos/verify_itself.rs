//! The oracle itself: it accepts what the service leaves, and notices each thing that a test has changed since.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::feeder::{Events, PROBES, Pace, catalog};
use super::{hasty, is_all_done, verify};
use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{Seen, Write, produce, read_all};
use crate::oracle::verify::{Clocks, Trial};
use crate::support::service::Setup;

const PACE: Pace = Pace::Past { step_ms: 20_000 };

/// What the judge objects to.
fn objection(broker: &Broker, setup: &Setup) -> String {
    let trial = Trial { brokers: broker, setup, clocks: Clocks::Events, earlier: &[], probes: &PROBES };
    let panic = catch_unwind(AssertUnwindSafe(|| trial.verify())).expect_err("an objection");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

fn rewrite(record: &Seen, value: Option<Vec<u8>>) -> Write {
    let headers = Vec::new();
    Write { partition: record.partition, key: record.key.clone(), value, headers }
}

#[test]
fn each_thing_that_was_changed_since_is_noticed() {
    let broker = broker::shared();
    let setup = hasty(Setup::on("judge", broker, &catalog(PACE))).with("service.idle_grace=1d");
    setup.create_topics(2);
    let mut events = Events::new(3, PACE, 2);
    produce(broker, &setup.topic("events"), (0..4_000).map(|_| events.next()));
    let mut service = setup.start();
    service.until("the end", |_| is_all_done(broker, &setup));
    service.stop();
    verify(broker, &setup, Clocks::Events);

    // Each is looked at before the one above it.
    let forge = |topic: &str, found: &dyn Fn(Vec<Seen>) -> Write| {
        let topic = setup.topic(topic);
        produce(broker, &topic, [found(read_all(broker, &topic))]);
        objection(broker, &setup)
    };
    let again = |record: &Seen| rewrite(record, record.value.clone());
    let twice = |seen: Vec<Seen>| Write {
        headers: vec![
            ("tagstream-partition", seen[0].header("tagstream-partition").expect("a header").into_bytes()),
            ("tagstream-offset", seen[0].header("tagstream-offset").expect("a header").into_bytes()),
        ],
        ..again(&seen[0])
    };
    assert!(forge("dead-letter", &twice).contains("places of the dead letters"));
    let emptied = |seen: Vec<Seen>| {
        let last = seen.last().expect("current tags");
        let mut value = last.json();
        value["tags"] = serde_json::json!({});
        rewrite(last, Some(value.to_string().into_bytes()))
    };
    assert!(forge("tags", &emptied).contains("the current tags of"));
    let gone = |seen: Vec<Seen>| {
        let is_segment = |record: &&Seen| record.key.as_ref().is_some_and(|key| key[0] == 2);
        rewrite(seen.iter().rfind(is_segment).expect("a segment"), None)
    };
    assert!(forge("changelog", &gone).contains("the log is whole"));
    let repeated = |seen: Vec<Seen>| again(seen.last().expect("a change"));
    assert!(forge("changes", &repeated).contains(r#""seq":"#));
    let unread = |seen: Vec<Seen>| again(&seen[0]);
    assert!(forge("events", &unread).contains("the committed offsets and the ends"));
}
