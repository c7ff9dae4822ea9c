//! What a broker does with a request of a transaction that comes late, in the next one, to a client that does not guard
//! against it: why the service replaces a producer that has had to repeat itself.

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use crate::fixture::broker::Broker;
use crate::fixture::client::{committed, create_topic, read_all};
use crate::fixture::proxy::{self, Act, Api, Code, Taken};

const PATIENCE: Duration = Duration::from_secs(20);

/// A transactional producer behind the proxy, and a topic, which is its name.
struct Unguarded {
    name: &'static str,
    broker: &'static Broker,
    producer: BaseProducer,
    member: BaseConsumer,
}

impl Unguarded {
    fn start(name: &'static str) -> Unguarded {
        let (broker, proxy) = proxy::shared();
        create_topic(broker, name, 1, &[]);
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", proxy.address()).set("client.id", name);
        let member = config.clone().set("group.id", name).create().expect("a consumer");
        config.set("transactional.id", name).set("retry.backoff.ms", "5");
        let producer: BaseProducer = config.create().expect("a producer");
        producer.init_transactions(PATIENCE).expect("a transactional id");
        Unguarded { name, broker, producer, member }
    }

    fn rule(&self, api: Api, act: Act) -> Taken {
        proxy::shared().1.rule(self.name, api, act)
    }

    /// Begins a transaction with this one record, which the broker has when this returns, and this offset.
    fn say(&self, value: &str, offset: i64) {
        self.producer.begin_transaction().expect("a transaction");
        let record = BaseRecord::<(), str>::to(self.name).payload(value);
        self.producer.send(record).expect("room");
        self.producer.flush(PATIENCE).expect("an acknowledgement");
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(self.name, 0, Offset::Offset(offset)).expect("an offset");
        let group = self.member.group_metadata().expect("a group");
        self.producer.send_offsets_to_transaction(&offsets, &group, PATIENCE).expect("offsets");
    }

    fn commit(&self) -> KafkaResult<()> {
        self.producer.commit_transaction(PATIENCE)
    }

    fn abort(&self) -> KafkaResult<()> {
        self.producer.abort_transaction(PATIENCE)
    }

    fn visible(&self) -> Vec<String> {
        let text = |value: Option<Vec<u8>>| String::from_utf8(value.expect("a value")).expect("text");
        read_all(self.broker, self.name).into_iter().map(|record| text(record.value)).collect()
    }

    fn offset(&self) -> Option<i64> {
        committed(self.broker, self.name, self.name)[0]
    }
}

const OBEYED: Code = 0;
const OUT_OF_ORDER: Code = 45;

#[test]
fn a_late_commit_makes_visible_what_the_next_transaction_aborts() {
    let client = Unguarded::start("late-commit");
    let late = client.rule(Api::EndTxn, Act::Late(Api::EndTxn, 2));
    client.say("one", 1);
    client.commit().expect("the client repeats its request and hears no evil");
    client.say("two, never committed", 2);
    let aborted = client.abort();
    assert_eq!(late.answer(), OBEYED);
    aborted.expect_err("the transaction is gone that was to be aborted");
    assert_eq!(client.visible(), ["one", "two, never committed"]);
    assert_eq!(client.offset(), Some(2));
}

#[test]
fn late_offsets_replace_those_of_the_next_transaction() {
    let client = Unguarded::start("late-offsets");
    let late = client.rule(Api::TxnOffsetCommit, Act::Late(Api::EndTxn, 2));
    client.say("one", 1);
    client.commit().expect("a commit");
    client.say("two", 2);
    client.commit().expect("a commit that tells nothing");
    assert_eq!(late.answer(), OBEYED);
    assert_eq!(client.visible(), ["one", "two"]);
    assert_eq!(client.offset(), Some(1), "the offset went back");
}

#[test]
fn a_late_record_is_known_as_a_repeat() {
    // A broker keeps the numbers of a producer's last five batches; what is older is out of order.
    for (name, batches_between, code) in [("late-record", 1, OBEYED), ("late-old-record", 8, OUT_OF_ORDER)] {
        let client = Unguarded::start(name);
        let late = client.rule(Api::Produce, Act::Late(Api::EndTxn, 1 + batches_between));
        let values: Vec<String> = (0..=batches_between).map(|n| n.to_string()).collect();
        for (n, value) in values.iter().enumerate() {
            client.say(value, n as i64);
            client.commit().expect("a commit");
        }
        assert_eq!(late.answer(), code);
        assert_eq!(client.visible(), values);
    }
}
