//! A consumer that takes records and only sums their bytes, as quickly as librdkafka gives them out: in batches.

use std::hint::black_box;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use rdkafka::bindings::{
    rd_kafka_consume_batch_queue, rd_kafka_message_destroy, rd_kafka_message_t, rd_kafka_queue_destroy,
    rd_kafka_queue_get_consumer,
};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

const BATCH: usize = 1_024;

/// Takes so many records from the beginning of a topic; how long that was, from the first record on.
pub fn consume(brokers: &str, topic: &str, partitions: i32, count: usize) -> Duration {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "null")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .create()
        .expect("a consumer");
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
    }
    consumer.assign(&list).expect("an assignment");
    let mut batch: Vec<*mut rd_kafka_message_t> = vec![null_mut(); BATCH];
    let (mut taken, mut bytes, mut started) = (0, 0, None);
    // SAFETY: the queue is the consumer's, which lives longer; the array has room for as many messages as are asked for;
    // each message that was given out is looked at before it is destroyed, once.
    unsafe {
        let queue = rd_kafka_queue_get_consumer(consumer.client().native_ptr());
        while taken < count {
            let given = rd_kafka_consume_batch_queue(queue, 100, batch.as_mut_ptr(), batch.len());
            for message in &batch[..given.max(0) as usize] {
                if (**message).err == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                    taken += 1;
                    bytes += (**message).len;
                }
                rd_kafka_message_destroy(*message);
            }
            if taken > 0 {
                started.get_or_insert_with(Instant::now);
            }
        }
        rd_kafka_queue_destroy(queue);
    }
    black_box(bytes);
    started.map(|started| started.elapsed()).unwrap_or_default()
}
