//! A feeder: seeded events of many users that go on and on while things are broken, and catalogs that count them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::fixture::client::Write;
use crate::support::service::Bootstrap;

pub const USERS: usize = 20_000;
const BATCH_PAUSE: Duration = Duration::from_millis(60);
const PATIENCE: Duration = Duration::from_secs(120);

/// When the events happen, and how long the catalog's windows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// In the last day, at most this many milliseconds apart: hours pass in seconds, by the events alone.
    Past { step_ms: i64 },
    /// Now: seconds pass, with and without events.
    Now,
}

/// Further events, for [`Trial::probes`](crate::oracle::verify::Trial).
pub const PROBES: [&str; 3] = [
    r#""type":"visit""#,
    r#""type":"purchase","properties":{"amount":60}"#,
    r#""type":"booking","properties":{"class":"yoga"}"#,
];

/// Counters and tags of all kinds.
pub fn catalog(pace: Pace) -> String {
    let (short, long, wait, keep, silent, young) = match pace {
        Pace::Past { .. } => ("1h", "6h", "10m", "20m", "hours_since(last_active) >= 2", "hours_since(first_seen) < 3"),
        Pace::Now => ("10s", "20s", "2s", "3s", "seconds_since(last_active) >= 4", "seconds_since(first_seen) < 3"),
    };
    format!(
        r#"version: 1
timezone: Asia/Shanghai
attributes:
  latest_class: {{ from: booking, value: properties.class }}
counters:
  visits: {{ count: visit, window: {short} }}
  spent_today: {{ sum: properties.amount, on: purchase, calendar: day }}
  dearest: {{ max: properties.amount, on: purchase, window: {long} }}
  bought: {{ count: purchase }}
  classes: {{ distinct: properties.class, on: booking, window: {long} }}
  favourite: {{ top: properties.class, on: booking, window: {long} }}
  last_active: {{ last: time, on: "*" }}
  last_amount: {{ last: properties.amount, on: purchase }}
tags:
  busy: {{ when: visits >= 3, until: visits < 2 }}
  keen: {{ when: visits >= 2, for: {wait}, keep_for: {keep} }}
  silent: {{ when: {silent} }}
  spend: {{ value: spent_today, margin: 5, bands: [ {{ name: low, below: 50 }}, {{ name: mid, below: 200 }}, {{ name: high }} ] }}
  variety: {{ value: classes, bands: [ {{ name: none, below: 1 }}, {{ name: few, below: 3 }}, {{ name: many }} ] }}
  likes: {{ value: favourite }}
  dear: {{ when: dearest > 90 && last_amount > 50 }}
  dancer: {{ when: latest_class == "dance" && tag.busy }}
  lifecycle:
    stages:
      - {{ name: new, when: bought == 0 && {young} }}
      - {{ name: lapsing, when: tag.silent }}
      - {{ name: active }}
"#
    )
}

pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64
}

/// Events without end.
pub struct Events {
    dice: fastrand::Rng,
    pace: Pace,
    partitions: usize,
    at_ms: i64,
    /// Bytes that each event carries and no tag reads.
    pub padding: usize,
}

impl Events {
    pub fn new(seed: u64, pace: Pace, partitions: usize) -> Events {
        let at_ms = now_ms() - 20 * 3_600_000;
        Events { dice: fastrand::Rng::with_seed(seed), pace, partitions, at_ms, padding: 0 }
    }

    fn next_ms(&mut self) -> i64 {
        match self.pace {
            Pace::Past { step_ms } => {
                self.at_ms = (self.at_ms + self.dice.i64(0..=step_ms)).min(now_ms());
                self.at_ms - self.dice.i64(0..60_000)
            }
            Pace::Now => now_ms() - self.dice.i64(0..500),
        }
    }

    /// Half of them are of a few users. One in a thousand is not an event.
    pub fn next(&mut self) -> Write {
        const CLASSES: [&str; 5] = ["yoga", "spin", "dance", "row", "box"];
        let at = self.next_ms();
        let dice = &mut self.dice;
        let user = if dice.bool() { dice.usize(0..USERS / 100) } else { dice.usize(0..USERS) };
        let (partition, key) = ((user % self.partitions) as i32, format!("u{user}"));
        if dice.usize(0..1_000) == 0 {
            return Write::event(partition, &key, format!("no event of {key}"));
        }
        let what = match dice.usize(0..10) {
            0..6 => r#""type":"visit""#.to_owned(),
            6..8 => {
                format!(r#""type":"purchase","properties":{{"amount":{}.{}}}"#, dice.usize(1..100), dice.usize(0..10))
            }
            _ => {
                format!(r#""type":"booking","properties":{{"class":"{}"}}"#, CLASSES[dice.usize(0..CLASSES.len())])
            }
        };
        let padding = "x".repeat(self.padding);
        let padding = if padding.is_empty() { padding } else { format!(r#","padding":"{padding}""#) };
        Write::event(partition, &key, format!(r#"{{"user_id":"{key}","timestamp":{at},{what}{padding}}}"#))
    }
}

/// A thread that writes events until it is told to stop.
pub struct Feeder {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Fed>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fed {
    pub events: usize,
    /// The longest that it took until an event's batch was in Kafka.
    pub slowest: Duration,
}

impl Feeder {
    /// Writes `batch` events at a time, about 15 times a second.
    pub fn start(brokers: &impl Bootstrap, topic: String, mut events: Events, batch: usize) -> Feeder {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", brokers.bootstrap())
            .set("enable.idempotence", "true")
            .set("linger.ms", "2")
            .create()
            .expect("a producer");
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut fed = Fed::default();
            while !told.load(Ordering::Relaxed) {
                let started = Instant::now();
                for _ in 0..batch {
                    let write = events.next();
                    let record = BaseRecord::<[u8], [u8]>::to(&topic).partition(write.partition);
                    let (key, value) = (write.key.as_deref().expect("a key"), write.value.as_deref().expect("a value"));
                    producer.send(record.key(key).payload(value)).map_err(|(error, _)| error).expect("room");
                }
                producer.flush(PATIENCE).expect("the events to be written");
                fed.events += batch;
                fed.slowest = fed.slowest.max(started.elapsed());
                thread::sleep(BATCH_PAUSE.saturating_sub(started.elapsed()));
            }
            fed
        });
        Feeder { stop, thread }
    }

    pub fn stop(self) -> Fed {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the feeder")
    }
}
