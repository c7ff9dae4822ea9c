//! How late a change is: from the broker's append of an event to the moment in which a `read_committed` reader has the
//! change that it causes.
//!
//! Every eighth event (every one where they are few) makes a change that carries the event's number. The reader takes the input, too, and so knows when
//! the broker has appended each (`LogAppendTime`). Both clocks are of this machine, in whole milliseconds.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use memchr::memmem;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use tagstream::model::Timestamp;

use crate::broker::Broker;
use crate::client::config;
use crate::run::delete_topics;
use crate::service::{Program, Service};
use crate::{EVENTS, PARTITIONS};

/// What carries the number of an event, in the event and in its change.
const CATALOG: &str = "version: 1
counters:
  visits_1h: { count: visit, window: 1h }
  number: { last: properties.number, on: visit }
tags:
  busy: { when: visits_1h >= 1000000 }
  numbered: { value: number }
";

/// From this many events a second on, every eighth makes a change; below, each does.
const MANY: u64 = 1_000;
const USERS: u64 = 200_000;

/// The reader and the service find their pace first.
const SETTLING: Duration = Duration::from_secs(3);

/// Milliseconds.
pub struct Latencies {
    pub median: u64,
    pub p99: u64,
    pub p999: u64,
    pub greatest: u64,
    pub changes: usize,
}

impl Latencies {
    /// Runs a program beside a producer of so many events a second.
    pub fn of(
        program: &Program,
        broker: &Broker,
        application: &str,
        settings: [&str; 1],
        rate: u64,
        length: Duration,
    ) -> Self {
        let service = Service::new(program, broker, application, CATALOG, settings);
        let mut running = service.start();
        let reader = reader(broker, &format!("{application}-changes"));
        let is_over = Arc::new(AtomicBool::new(false));
        let producer = {
            let (is_over, producer): (_, BaseProducer) =
                (Arc::clone(&is_over), config(broker).set("linger.ms", "1").create().expect("a producer"));
            thread::spawn(move || produce(&producer, rate, &is_over))
        };
        let (mut appended, mut seen) = (HashMap::new(), Vec::new());
        let started = Instant::now();
        while started.elapsed() < SETTLING + length {
            let Some(Ok(message)) = reader.poll(Duration::from_millis(100)) else { continue };
            let Some(number) = message.payload().and_then(number) else { continue };
            let now = Timestamp::from_ms(unix_ms());
            if message.topic() == EVENTS {
                appended.insert(number, message.timestamp().to_millis().unwrap_or_default());
            } else if started.elapsed() > SETTLING {
                seen.push((number, now));
            }
        }
        is_over.store(true, Ordering::Relaxed);
        producer.join().expect("the producer");
        let _ = running.kill();
        let _ = running.wait();
        drop(reader);
        delete_topics(broker, application);
        let found = seen.iter().filter_map(|(number, at)| Some(at.ms() - appended.get(number)?));
        let mut found: Vec<u64> = found.map(|late| late.max(0) as u64).collect();
        assert!(!found.is_empty(), "no change came: {}", service.said());
        found.sort_unstable();
        let at = |share: f64| found[((found.len() - 1) as f64 * share) as usize];
        Latencies { median: at(0.5), p99: at(0.99), p999: at(0.999), greatest: at(1.0), changes: found.len() }
    }
}

fn unix_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as i64)
}

/// Takes what is written from now on to the input and to a topic of changes.
fn reader(broker: &Broker, changes: &str) -> BaseConsumer {
    let consumer: BaseConsumer = config(broker)
        .set("group.id", "latency")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "5")
        .create()
        .expect("a consumer");
    let mut list = TopicPartitionList::new();
    for topic in [EVENTS, changes] {
        for partition in 0..PARTITIONS as i32 {
            list.add_partition_offset(topic, partition, Offset::End).expect("an offset");
        }
    }
    consumer.assign(&list).expect("an assignment");
    consumer
}

/// The number that an event or a change carries.
fn number(json: &[u8]) -> Option<u64> {
    let event = memmem::find(json, br#""number":"#).map(|at| at + br#""number":"#.len());
    let change = || memmem::find(json, br#""value":"#).map(|at| at + br#""value":"#.len());
    let digits = json[event.or_else(change)?..].iter().take_while(|byte| byte.is_ascii_digit());
    digits.map(|digit| u64::from(digit - b'0')).reduce(|number, digit| number * 10 + digit)
}

fn produce(producer: &BaseProducer, rate: u64, is_over: &AtomicBool) {
    let (started, mut sent, mut line) = (Instant::now(), 0, String::new());
    while !is_over.load(Ordering::Relaxed) {
        let due = (started.elapsed().as_micros() as u64 * rate) / 1_000_000;
        while sent < due {
            let user = sent.wrapping_mul(0x9e37_79b9_7f4a_7c15) % USERS;
            write_event(&mut line, sent, user, rate < MANY || sent.is_multiple_of(8));
            let record: BaseRecord<'_, [u8], [u8]> =
                BaseRecord::to(EVENTS).partition((user % PARTITIONS as u64) as i32).payload(line.as_bytes());
            if producer.send(record).is_err() {
                break;
            }
            sent += 1;
        }
        producer.poll(Duration::ZERO);
        thread::sleep(Duration::from_micros(500));
    }
    producer.flush(Duration::from_secs(10)).expect("all records are written");
}

fn write_event(line: &mut String, id: u64, user: u64, is_numbered: bool) {
    line.clear();
    let at = Timestamp::from_ms(unix_ms());
    let number = if is_numbered { format!(r#""number":{id},"#) } else { String::new() };
    let _ = write!(
        line,
        r#"{{"id":"{id:016x}","type":"visit","user_id":"u-{user:08}","timestamp":"{at}","properties":{{{number}"category":"shoes","amount":12.34}}}}"#,
    );
}
