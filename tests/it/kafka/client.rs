//! What a test does with Kafka itself: make topics, write records, read what was committed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::broker::Bootstrap;

const PATIENCE: Duration = Duration::from_secs(60);

/// A record as a subscriber sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Seen {
    pub fn key_text(&self) -> String {
        String::from_utf8_lossy(self.key.as_deref().unwrap_or_default()).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.value.as_deref().expect("a value")).expect("JSON")
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// A record to write.
#[derive(Clone, Debug, Default)]
pub struct Write {
    pub partition: i32,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(&'static str, Vec<u8>)>,
}

impl Write {
    pub fn event(partition: i32, key: &str, value: impl Into<Vec<u8>>) -> Write {
        Write { partition, key: Some(key.as_bytes().to_vec()), value: Some(value.into()), headers: Vec::new() }
    }
}

pub fn config(broker: &impl Bootstrap) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.bootstrap()).set("message.max.bytes", "8000000");
    config
}

pub fn create_topic(broker: &impl Bootstrap, name: &str, partitions: i32, configs: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> = config(broker).create().expect("an admin client");
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
    let topic = configs.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut results = runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).expect("an answer");
        match results.pop().expect("one topic") {
            Ok(_) => return,
            // On a busy machine a broker may be late with its heartbeat, and does not count then.
            Err((_, RDKafkaErrorCode::InvalidReplicationFactor)) if Instant::now() < deadline => {}
            Err((_, code)) => panic!("{name}: {code}"),
        }
    }
}

/// Replaces the settings of a topic by these.
pub fn alter_topic(broker: &impl Bootstrap, name: &str, configs: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> = config(broker).create().expect("an admin client");
    let change = AlterConfig::new(ResourceSpecifier::Topic(name));
    let change = configs.iter().fold(change, |change, (key, value)| change.set(key, value));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let results = runtime.block_on(admin.alter_configs([&change], &AdminOptions::new())).expect("an answer");
    results.into_iter().for_each(|result| {
        result.expect("changed settings");
    });
}

/// Deletes the records of a partition before an offset.
pub fn delete_records(broker: &impl Bootstrap, topic: &str, partition: i32, before: i64) {
    let admin: AdminClient<DefaultClientContext> = config(broker).create().expect("an admin client");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(before)).expect("an offset");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(admin.delete_records(&list, &AdminOptions::new())).expect("an answer");
}

/// The number of partitions of a topic, and its settings.
pub fn describe(broker: &impl Bootstrap, name: &str) -> (usize, HashMap<String, String>) {
    let admin: AdminClient<DefaultClientContext> = config(broker).create().expect("an admin client");
    let metadata = admin.inner().fetch_metadata(Some(name), PATIENCE).expect("metadata");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let resource = ResourceSpecifier::Topic(name);
    let mut answers = runtime.block_on(admin.describe_configs([&resource], &AdminOptions::new())).expect("an answer");
    let configs = answers.pop().expect("one answer").expect("configs").entries;
    let configs = configs.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect();
    (metadata.topics()[0].partitions().len(), configs)
}

/// Writes all and waits until they are in.
pub fn produce(broker: &impl Bootstrap, topic: &str, records: impl IntoIterator<Item = Write>) {
    let producer: BaseProducer =
        config(broker).set("linger.ms", "20").set("batch.size", "200000").create().expect("a producer");
    for write in records {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).partition(write.partition);
        record.key = write.key.as_deref();
        record.payload = write.value.as_deref();
        if !write.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(write.headers.len());
            record.headers = Some(
                write
                    .headers
                    .iter()
                    .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) })),
            );
        }
        while let Err((error, back)) = producer.send(record) {
            let full = error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::QueueFull);
            assert!(full, "cannot send: {error}");
            producer.poll(Duration::from_millis(5));
            record = back;
        }
    }
    producer.flush(PATIENCE).expect("all records to be written");
}

fn reader(broker: &impl Bootstrap, isolation: &str) -> BaseConsumer {
    config(broker)
        .set("group.id", "test-reader")
        .set("enable.auto.commit", "false")
        .set("isolation.level", isolation)
        .set("fetch.wait.max.ms", "20")
        .create()
        .expect("a reader")
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> i32 {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).expect("metadata");
    metadata.topics()[0].partitions().len() as i32
}

/// Everything in the topic that a `read_committed` subscriber gets, by partition and offset.
///
/// Waits for open transactions: what was written before the call is either in the result or was aborted.
pub fn read_all(broker: &impl Bootstrap, topic: &str) -> Vec<Seen> {
    let mut seen = Vec::new();
    read_each(broker, topic, |message| seen.push(as_seen(message)));
    seen.sort_by_key(|record| (record.partition, record.offset));
    seen
}

/// Shows what [`read_all`] returns one by one, in the order of offsets within a partition.
pub fn read_each(broker: &impl Bootstrap, topic: &str, mut each: impl FnMut(&BorrowedMessage<'_>)) {
    let consumer = reader(broker, "read_committed");
    let mut wanted = HashMap::new();
    let mut assignment = TopicPartitionList::new();
    for (partition, bounds) in ends(broker, topic, Isolation::Uncommitted).into_iter().enumerate() {
        if bounds.end > bounds.begin {
            let partition = partition as i32;
            wanted.insert(partition, bounds.end);
            assignment.add_partition_offset(topic, partition, Offset::Offset(bounds.begin)).expect("an offset");
        }
    }
    consumer.assign(&assignment).expect("an assignment");
    let mut deadline = Instant::now() + PATIENCE;
    loop {
        match consumer.poll(Duration::from_millis(20)) {
            Some(Ok(message)) => {
                each(&message);
                deadline = Instant::now() + PATIENCE;
            }
            Some(Err(KafkaError::PartitionEOF(_))) | None => {
                if at_end(&consumer, topic, &wanted) {
                    return;
                }
                assert!(Instant::now() < deadline, "{topic} does not end: a transaction hangs");
            }
            Some(Err(error)) => panic!("reading {topic}: {error}"),
        }
    }
}

/// Which records count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Those before the first open transaction.
    Committed,
    Uncommitted,
}

/// Offsets: of the first record, and behind the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    pub begin: i64,
    pub end: i64,
}

/// Where the partitions of a topic begin and end.
pub fn ends(broker: &impl Bootstrap, topic: &str, isolation: Isolation) -> Vec<Ends> {
    let isolation = match isolation {
        Isolation::Committed => "read_committed",
        Isolation::Uncommitted => "read_uncommitted",
    };
    let consumer = reader(broker, isolation);
    let of = |partition| {
        let (begin, end) = consumer.fetch_watermarks(topic, partition, PATIENCE).expect("watermarks");
        Ends { begin, end }
    };
    (0..partitions(&consumer, topic)).map(of).collect()
}

fn at_end(consumer: &BaseConsumer, topic: &str, wanted: &HashMap<i32, i64>) -> bool {
    let position = consumer.position().expect("positions");
    wanted.iter().all(|(partition, end)| {
        position
            .find_partition(topic, *partition)
            .is_some_and(|element| matches!(element.offset(), Offset::Offset(at) if at >= *end))
    })
}

fn as_seen(message: &impl Message) -> Seen {
    let headers = message.headers().map(|headers| {
        let one = |header: Header<'_, &[u8]>| (header.key.to_owned(), header.value.unwrap_or_default().to_vec());
        headers.iter().map(one).collect()
    });
    Seen {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}

/// The offsets that a group has committed, by partition.
pub fn committed(broker: &impl Bootstrap, group: &str, topic: &str) -> Vec<Option<i64>> {
    committed_of(&onlooker(broker, group), topic)
}

/// Who looks at a group's offsets, and is no member.
pub fn onlooker(broker: &impl Bootstrap, group: &str) -> BaseConsumer {
    config(broker).set("group.id", group).set("isolation.level", "read_committed").create().expect("a consumer")
}

/// As [`committed`], for those who look often.
pub fn committed_of(onlooker: &BaseConsumer, topic: &str) -> Vec<Option<i64>> {
    let mut list = TopicPartitionList::new();
    list.add_partition_range(topic, 0, partitions(onlooker, topic) - 1);
    let deadline = Instant::now() + PATIENCE;
    // The first group makes the broker create the topic of offsets, which has no coordinator for a moment.
    let offsets = loop {
        match onlooker.committed_offsets(list.clone(), PATIENCE) {
            Ok(offsets) => break offsets,
            Err(error) => assert!(Instant::now() < deadline, "no offsets: {error}"),
        }
    };
    offsets
        .elements()
        .iter()
        .map(|element| match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        })
        .collect()
}
