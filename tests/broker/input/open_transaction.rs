//! A sender's open transaction holds back the events of all senders: meanwhile the clock of the partition stands.

use std::thread;
use std::time::Duration;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{Write, config, produce, read_all};
use crate::fixture::now_ms;
use crate::support::exposition::parse;
use crate::support::http_client::get;
use crate::support::service::Setup;

/// A tag that only silence sets.
const QUIET: &str = "version: 1\n\
    counters:\n  latest: { last: time, on: \"*\" }\n\
    tags:\n  quiet: { when: seconds_since(latest) >= 3 }\n";

const PATIENCE: Duration = Duration::from_secs(30);

fn event(user: &str) -> Write {
    Write::event(0, user, format!(r#"{{"user_id":"{user}","type":"click","timestamp":{}}}"#, now_ms()))
}

/// A sender that has begun a transaction, and sent one event in it.
fn begin(broker: &Broker, topic: &str, user: &str) -> BaseProducer {
    let producer: BaseProducer =
        config(broker).set("transactional.id", format!("{topic}-{user}")).create().expect("a producer");
    producer.init_transactions(PATIENCE).expect("an id");
    producer.begin_transaction().expect("a transaction");
    let Write { key, value, .. } = event(user);
    let (key, value) = (key.expect("a key"), value.expect("a value"));
    producer
        .send(BaseRecord::to(topic).partition(0).key(&key).payload(&value))
        .map_err(|(error, _)| error)
        .expect("sent");
    producer.flush(PATIENCE).expect("the event is written");
    producer
}

#[test]
fn a_senders_open_transaction_is_not_the_end_of_a_partition() {
    let broker = broker::shared();
    let setup = Setup::on("held", broker, QUIET).with("service.idle_grace=0s").with("http.listen=127.0.0.1:0");
    setup.create_topics(1);
    let (topic, changes) = (setup.topic("events"), setup.topic("changes"));
    let changes_of = |user: &str| read_all(broker, &changes).iter().filter(|change| change.key_text() == user).count();
    let mut service = setup.start();
    let address = service.http_address();
    service.says("runs partition 0");
    produce(broker, &topic, [event("steady")]);
    let open = begin(broker, &topic, "slow");
    for _ in 0..8 {
        produce(broker, &topic, [event("steady")]);
        thread::sleep(Duration::from_secs(1));
    }
    let page = parse(&get(address, "/metrics").body);
    assert_eq!(changes_of("steady"), 0, "events that wait are not silence\n{}", service.log());
    assert!(page.of("tagstream_consumer_lag_records")[0].1 >= 9.0);
    assert!(page.of("tagstream_open_transaction_seconds")[0].1 >= 5.0);
    service.says("a sender's open transaction holds back partition 0 from offset 1 on");
    open.commit_transaction(PATIENCE).expect("committed");
    // The last records are aborted, and behind them is only the mark of that.
    let aborted = begin(broker, &topic, "never");
    produce(broker, &topic, [event("steady")]);
    aborted.abort_transaction(PATIENCE).expect("aborted");
    let aborted = begin(broker, &topic, "never");
    aborted.abort_transaction(PATIENCE).expect("aborted");
    service.until("the silence to be noticed", |_| changes_of("steady") == 1);
    service.until("the lag to be 0", |_| {
        let page = parse(&get(address, "/metrics").body);
        page.of("tagstream_consumer_lag_records")[0].1 == 0.0
            && page.of("tagstream_open_transaction_seconds")[0].1 == 0.0
    });
    assert_eq!(changes_of("slow"), 1);
    assert_eq!(changes_of("never"), 0);
    service.stop();
}
