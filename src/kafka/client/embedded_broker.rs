//! An embedded broker, librdkafka's mock cluster, with a producer and a consumer: for a demo on a machine without
//! Kafka.
//!
//! It proves nothing: records of a transaction are visible before the commit, and stay after an abort; offsets of
//! transactions are dropped, so a member that joins starts over. A partition keeps 5 MiB and 100,000 batches, and then
//! drops the oldest. There are no admin calls, so topics are created here.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, DeliveryResult, Producer, ProducerContext};
use rdkafka::{Message, Offset, TopicPartitionList};

/// A property that a consumer needs here: the mock broker answers an empty fetch only after this time, even if a record
/// comes meanwhile.
pub const FETCH_WAIT: (&str, &str) = ("fetch.wait.max.ms", "10");

/// How long a call may take on one machine.
const CALL_MAX: Duration = Duration::from_secs(10);
/// A broker may not know yet of a topic that was created a moment ago; it is asked again for so long.
const TOPIC_WAIT_MAX: Duration = Duration::from_secs(5);
const TOPIC_PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, thiserror::Error)]
#[error("cannot {step}: {error}")]
pub struct EmbeddedError {
    step: &'static str,
    error: KafkaError,
}

/// Names the step that has failed.
fn at(step: &'static str) -> impl Fn(KafkaError) -> EmbeddedError {
    move |error| EmbeddedError { step, error }
}

/// The broker. It ends when it is dropped, with everything that it holds.
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl EmbeddedBroker {
    /// Starts a broker with these topics: name, number of partitions.
    pub fn start(topics: &[(&str, i32)]) -> Result<Self, EmbeddedError> {
        let cluster = MockCluster::new(1).map_err(at("start the embedded broker"))?;
        for (topic, partitions) in topics {
            cluster.create_topic(topic, *partitions, 1).map_err(at("create a topic"))?;
        }
        Ok(EmbeddedBroker { cluster })
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    pub fn feed(&self, topic: &str) -> Result<Feed, EmbeddedError> {
        Feed::to(&self.address(), topic)
    }

    pub fn tail(&self, topic: &str, partitions: i32) -> Result<Tail, EmbeddedError> {
        let (wait, ms) = FETCH_WAIT;
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.address())
            // The consumer never joins; to assign partitions it needs a group id.
            .set("group.id", "tail")
            .set("enable.auto.commit", "false")
            .set(wait, ms)
            .create()
            .map_err(at("make a consumer"))?;
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition, Offset::Beginning).map_err(at("assign"))?;
        }
        consumer.assign(&list).map_err(at("assign"))?;
        Ok(Tail { consumer, topic: topic.to_owned(), next: vec![0; partitions as usize] })
    }
}

/// Keeps the first error of a record that was not delivered.
#[derive(Default)]
struct DeliveryErrors(Mutex<Option<KafkaError>>);

impl ClientContext for DeliveryErrors {}

impl ProducerContext for DeliveryErrors {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
        }
    }
}

/// Sends records to a topic, as a user's producer would.
pub struct Feed {
    producer: BaseProducer<DeliveryErrors>,
    topic: String,
}

impl Feed {
    /// To the embedded broker, or to a Kafka.
    ///
    /// # Errors
    /// The brokers do not answer, or the topic does not exist.
    pub fn to(brokers: &str, topic: &str) -> Result<Self, EmbeddedError> {
        let producer: BaseProducer<DeliveryErrors> = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "1")
            .set("enable.idempotence", "true")
            .create_with_context(DeliveryErrors::default())
            .map_err(at("make a producer"))?;
        let deadline = Instant::now() + TOPIC_WAIT_MAX;
        loop {
            let metadata = producer.client().fetch_metadata(Some(topic), CALL_MAX).map_err(at("reach the brokers"))?;
            match metadata.topics().first().and_then(|topic| topic.error()) {
                None => return Ok(Feed { producer, topic: topic.to_owned() }),
                Some(error) if Instant::now() > deadline => {
                    return Err(at("find the topic of events")(KafkaError::MetadataFetch(error.into())));
                }
                Some(_) => thread::sleep(TOPIC_PAUSE),
            }
        }
    }

    pub fn send(&self, key: &str, value: &str) -> Result<(), EmbeddedError> {
        let mut record = BaseRecord::to(&self.topic).key(key).payload(value);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => record = back,
                Err((error, _)) => return Err(at("send")(error)),
            }
            self.producer.poll(Duration::from_millis(1));
        }
    }

    /// Waits until the broker has all records.
    pub fn settle(&self) -> Result<(), EmbeddedError> {
        let began = Instant::now();
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_millis(1));
            if began.elapsed() > CALL_MAX {
                return Err(at("send")(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)));
            }
        }
        let failed = self.producer.context().0.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(Ok(()), |error| Err(at("send")(error)))
    }
}

/// Reads a topic from its beginning, as a subscriber would.
pub struct Tail {
    consumer: BaseConsumer,
    topic: String,
    /// By partition: the offset behind the last record that was read.
    next: Vec<i64>,
}

impl Tail {
    /// The value of the next record, if one comes in time.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, EmbeddedError> {
        let Some(polled) = self.consumer.poll(wait) else {
            return Ok(None);
        };
        let message = polled.map_err(at("read"))?;
        self.next[message.partition() as usize] = message.offset() + 1;
        Ok(Some(message.payload().unwrap_or_default().to_vec()))
    }

    /// Whether everything that the topic holds now was read.
    pub fn is_at_end(&self) -> Result<bool, EmbeddedError> {
        for (partition, next) in self.next.iter().enumerate() {
            let (_, end) = self
                .consumer
                .fetch_watermarks(&self.topic, partition as i32, CALL_MAX)
                .map_err(at("ask for the end of a topic"))?;
            if *next < end {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
