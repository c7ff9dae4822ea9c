//! `--from-topic`: the tools read the input topic and give what they give for a file of its events in the order of time.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::fixture::broker::{self, Broker, free_port};
use crate::fixture::client::{Write, config, produce};
use crate::support::service::{Setup, text};

const OLD: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n  latest: { last: properties.n, on: \"*\" }\n\
    tags:\n  seen: { value: n }\n  echo: { value: latest }\n";
const NEW: &str = "version: 1\n\
    counters:\n  n: { count: \"*\", window: 1h }\n  latest: { last: properties.n, on: \"*\" }\n\
    tags:\n  seen: { value: n }\n  echo: { value: latest }\n  quiet: { when: minutes_since(last_seen) >= 30 }\n";

const PARTITIONS: usize = 3;
const START: i64 = 1_700_000_000_000;

/// Events of a partition, of which each tenth is late: clock, partition and line.
fn lines(partition: usize, count: usize, random: &mut fastrand::Rng) -> Vec<(i64, usize, String)> {
    let mut clock = START + 1_000 * partition as i64;
    let mut lines = Vec::new();
    for n in 0..count {
        let at = if n % 10 == 9 { clock - random.i64(0..600_000) } else { clock + random.i64(0..60_000) };
        clock = clock.max(at);
        let user = random.usize(0..20) * PARTITIONS + partition;
        let line = format!(
            r#"{{"user_id":"u{user}","type":"click","timestamp":{at},"properties":{{"n":"{partition}/{n}"}}}}"#
        );
        lines.push((clock, partition, line));
    }
    lines
}

/// Writes lines in a transaction, which is committed or not: behind them the partition has a marker.
fn transact(broker: &Broker, topic: &str, lines: &[(i64, usize, String)], commits: bool) {
    let id = format!("{topic}-{commits}");
    let producer: BaseProducer = config(broker).set("transactional.id", id).create().expect("a producer");
    producer.init_transactions(Duration::from_secs(60)).expect("an id");
    producer.begin_transaction().expect("a transaction");
    for (_, partition, line) in lines {
        let record = BaseRecord::<[u8], [u8]>::to(topic).partition(*partition as i32).payload(line.as_bytes());
        producer.send(record).map_err(|(error, _)| error).expect("room");
    }
    let ended = if commits {
        producer.commit_transaction(Duration::from_secs(60))
    } else {
        producer.flush(Duration::from_secs(60)).expect("all to be written");
        producer.abort_transaction(Duration::from_secs(60))
    };
    ended.expect("an end");
}

#[test]
fn the_tools_see_in_a_topic_what_they_see_in_a_file() {
    let broker = broker::shared();
    let setup = Setup::on("archive", broker, OLD);
    fs::write(setup.folder.join("new.yaml"), NEW).expect("a catalog");
    setup.create_topics(PARTITIONS as u32 + 1);
    let topic = setup.topic("events");
    let mut random = fastrand::Rng::with_seed(11);
    let mut all = Vec::new();
    for partition in 0..PARTITIONS {
        let lines = lines(partition, 3_000, &mut random);
        let (plain, rest) = lines.split_at(2_000);
        produce(broker, &topic, plain.iter().map(|(_, p, line)| Write::event(*p as i32, "", line.as_bytes())));
        produce(broker, &topic, [Write { partition: partition as i32, ..Write::default() }]);
        transact(broker, &topic, rest, true);
        transact(broker, &topic, &plain[..50], false);
        all.extend(lines);
    }
    all.sort_by_key(|(clock, partition, _)| (*clock, *partition));
    let file = all.iter().fold(String::new(), |mut file, (_, _, line)| {
        writeln!(file, "{line}").expect("room");
        file
    });
    fs::write(setup.folder.join("events.ndjson"), file).expect("a file");

    // Behind the last event.
    let at = "2023-11-20T00:00:00Z";
    let asked = [
        &["diff", "catalog.yaml", "new.yaml", "--format", "json", "--samples", "100", "--until", at][..],
        &["forecast", "new.yaml", "--format", "json", "--at", at],
        &["explain", "new.yaml", "--key", "u7", "--format", "json", "--at", at],
    ];
    for arguments in asked {
        let by_topic = setup.output(&[arguments, &["--from-topic"]].concat());
        let by_file = setup.output(&[arguments, &["--input", "events.ndjson"]].concat());
        assert!(by_topic.status.success() && by_file.status.success(), "{}{}", text(&by_topic), text(&by_file));
        assert!(by_topic.stderr.is_empty(), "{}", text(&by_topic));
        assert_eq!(text(&by_topic), text(&by_file), "{arguments:?}");
        assert!(by_file.stdout.len() > 500, "{}", text(&by_file));
    }
    // Without `--at`, a topic is looked at now, as the service looks at it.
    let now = setup.output(&["explain", "new.yaml", "--key", "u7", "--tag", "quiet", "--from-topic"]);
    assert!(text(&now).contains("quiet: on since 2023-11-1"), "{}", text(&now));
    assert!(!text(&now).starts_with("u7 at 2023"), "{}", text(&now));
}

#[test]
fn an_event_that_was_ahead_of_its_record_is_rejected_as_it_was_then() {
    let broker = broker::shared();
    let setup = Setup::on("ahead", broker, OLD);
    setup.create_topics(1);
    let producer: BaseProducer = config(broker).create().expect("a producer");
    let topic = setup.topic("events");
    let day_ms = 86_400_000;
    for (key, ahead_ms) in [("u1", 0), ("u2", day_ms), ("u3", 299_000), ("u1", 0)] {
        let value = format!(r#"{{"user_id":"{key}","type":"click","timestamp":{}}}"#, START + ahead_ms);
        let record = BaseRecord::<[u8], [u8]>::to(&topic).partition(0).timestamp(START).payload(value.as_bytes());
        producer.send(record).map_err(|(error, _)| error).expect("room");
    }
    producer.flush(Duration::from_secs(60)).expect("all to be written");
    let output = setup.output(&["diff", "catalog.yaml", "catalog.yaml", "--from-topic", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found["entities"], 2, "{}", text(&output));
    assert!(text(&output).contains("1 line rejected: in_future 1"), "{}", text(&output));
}

#[test]
fn what_cannot_be_read_is_said_and_takes_no_end_of_time() {
    let broker = broker::shared();
    let setup = Setup::on("noarchive", broker, OLD);
    let diff = ["diff", "catalog.yaml", "catalog.yaml"];
    let from_topic = [&diff[..], &["--from-topic"]].concat();
    let output = setup.output(&from_topic);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("the input topic noarchive-events does not exist"), "{}", text(&output));

    let output = setup.output(&[&from_topic[..], &["--input", "events.ndjson"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert_eq!(setup.output(&diff).status.code(), Some(2));

    let away = Setup::new("noarchive", &format!("127.0.0.1:{}", free_port()), OLD);
    let began = Instant::now();
    let output = away.output(&from_topic);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("no answer from the brokers at 127.0.0.1"), "{}", text(&output));
    assert!(began.elapsed() < Duration::from_secs(60));
}
