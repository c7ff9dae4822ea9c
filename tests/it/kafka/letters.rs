//! Records that are no events: each in the dead letters with its reason, and not one good event lost among them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use super::broker;
use super::client::{Write, committed, create_topic, produce, read_all};
use super::service::Setup;

const CATALOG: &str = "version: 1\n\
    counters:\n  latest: { last: properties.n, on: \"*\" }\n\
    tags:\n  echo: { value: latest }\n";

/// A record that must be rejected, and why.
type Bad = (Vec<u8>, &'static str);

fn bad(n: usize, now_ms: i64) -> Bad {
    let text = |text: String, reason| (text.into_bytes(), reason);
    match n % 14 {
        0 => text(format!(r#"{{"user_id":"u","type":"click","timestamp":{now_ms},"n":{n}"#), "not_json"),
        1 => text(format!("[{n}]"), "not_object"),
        2 => text(format!(r#"{{"type":"click","timestamp":{now_ms},"n":{n}}}"#), "missing_key"),
        3 => text(format!(r#"{{"user_id":{n}.5,"type":"click","timestamp":{now_ms}}}"#), "bad_key"),
        4 => text(format!(r#"{{"user_id":"u","timestamp":{now_ms},"n":{n}}}"#), "missing_type"),
        5 => text(format!(r#"{{"user_id":"u","type":[{n}],"timestamp":{now_ms}}}"#), "bad_type"),
        6 => text(format!(r#"{{"user_id":"u","type":"click","n":{n}}}"#), "missing_time"),
        7 => text(format!(r#"{{"user_id":"u","type":"click","timestamp":"tomorrow {n}"}}"#), "bad_time"),
        8 => text(format!(r#"{{"user_id":"u","type":"click","timestamp":"1960-01-01T00:00:00Z","n":{n}}}"#), "too_old"),
        9 => {
            text(format!(r#"{{"user_id":"u","type":"click","timestamp":"2100-01-01T00:00:00Z","n":{n}}}"#), "in_future")
        }
        10 => text(format!(r#"{{"user_id":123456789012345678901234567890,"type":"a","timestamp":{n}}}"#), "bad_key"),
        11 => (vec![b'{', b'"', 0xff, 0xfe, (n % 251) as u8, b'"', b':', b'1', b'}'], "not_json"),
        12 => text(format!(r#"{{"user_id":"u","type":"click","timestamp":1e400,"n":{n}}}"#), "bad_time"),
        _ => (n.to_string().into_bytes().repeat(1 + n % 5), "not_object"),
    }
}

#[test]
fn garbage_ends_in_the_dead_letters_and_no_good_event_is_lost() {
    const RECORDS: usize = 200_000;
    const PARTITIONS: usize = 2;
    let broker = broker::shared();
    let setup = Setup::on("garbage", broker, CATALOG).with("service.workers=2");
    create_topic(broker, &setup.topic("events"), PARTITIONS as i32, &[("max.message.bytes", "3000000")]);
    let made = setup.output(&["topics", "create"]);
    assert!(made.status.success(), "{}", super::service::text(&made));
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64;

    let mut expected: BTreeMap<(i32, i64), Bad> = BTreeMap::new();
    let mut good = BTreeSet::new();
    let mut next = [0_i64; PARTITIONS];
    let mut random = fastrand::Rng::with_seed(11);
    let mut records = Vec::with_capacity(RECORDS);
    for n in 0..RECORDS {
        let partition = random.usize(0..PARTITIONS);
        let offset = next[partition];
        next[partition] += 1;
        let value = match random.usize(0..100) {
            0..10 => {
                good.insert(n.to_string());
                let time = now_ms - 60_000 + n as i64 / 1_000;
                format!(r#"{{"user_id":"{n}","type":"click","timestamp":{time},"properties":{{"n":"{n}"}}}}"#)
                    .into_bytes()
            }
            _ if n % 10_000 == 5_000 => {
                let large = vec![b'x'; 2_000_000];
                expected.insert((partition as i32, offset), (large.clone(), "too_large"));
                large
            }
            _ => {
                let (value, reason) = bad(n, now_ms);
                expected.insert((partition as i32, offset), (value.clone(), reason));
                value
            }
        };
        let headers = if n % 3 == 0 { vec![("trace", n.to_string().into_bytes())] } else { Vec::new() };
        let key = (n % 4 != 0).then(|| n.to_string().into_bytes());
        records.push(Write { partition: partition as i32, key, value: Some(value), headers });
    }
    let sent = records.clone();
    produce(broker, &setup.topic("events"), records);
    // A null record is skipped, and moves the offset all the same.
    produce(broker, &setup.topic("events"), [Write { partition: 0, ..Write::default() }]);

    let mut service = setup.start();
    service.until("all to be committed", |_| {
        committed(broker, "garbage", &setup.topic("events")).iter().flatten().sum::<i64>() == RECORDS as i64 + 1
    });
    let log = service.stop();
    assert!(log.contains("1 tombstones"), "{log}");

    let mut places = BTreeMap::new();
    let mut counted = [0_i64; PARTITIONS];
    for record in &sent {
        let offset = &mut counted[record.partition as usize];
        places.insert((record.partition, *offset), record);
        *offset += 1;
    }
    let letters = read_all(broker, &setup.topic("dead-letter"));
    assert_eq!(letters.len(), expected.len());
    for letter in &letters {
        let number = |name: &str| letter.header(name).expect("a header").parse::<i64>().expect("a number");
        let place = (number("tagstream-partition") as i32, number("tagstream-offset"));
        let (value, reason) = expected.remove(&place).expect("a place, once");
        assert_eq!(letter.header("tagstream-reason").as_deref(), Some(reason), "{place:?}");
        assert_eq!(letter.header("tagstream-topic"), Some(setup.topic("events")));
        assert_eq!(letter.value.as_deref(), Some(value.as_slice()), "{place:?}");
        assert_eq!(letter.key, places[&place].key, "{place:?}");
        let trace = places[&place].headers.first().map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        assert_eq!(letter.header("trace"), trace, "{place:?}");
    }
    let changes = read_all(broker, &setup.topic("changes"));
    let seen: BTreeSet<String> =
        changes.iter().map(|change| change.json()["value"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(changes.len(), good.len());
    assert_eq!(seen, good);
}

#[test]
fn letters_that_the_topic_does_not_take_are_cut_and_hold_nothing_up() {
    let broker = broker::shared();
    let setup = Setup::on("cut", broker, CATALOG);
    create_topic(broker, &setup.topic("events"), 1, &[("max.message.bytes", "3000000")]);
    create_topic(broker, &setup.topic("dead-letter"), 1, &[("max.message.bytes", "100000")]);
    setup.output(&["topics", "create"]);
    let incompressible: Vec<u8> = {
        let mut random = fastrand::Rng::with_seed(3);
        (0..2_000_000).map(|_| random.u8(..)).collect()
    };
    produce(broker, &setup.topic("events"), [Write::event(0, "k", incompressible.clone()), Write::event(0, "k", "{")]);
    let mut service = setup.start();
    service.until("all to be committed", |_| committed(broker, "cut", &setup.topic("events")) == [Some(2)]);
    service.stop();
    let letters = read_all(broker, &setup.topic("dead-letter"));
    assert_eq!(letters.len(), 2);
    let kept = letters[0].value.as_deref().expect("a value");
    assert!(incompressible.starts_with(kept) && kept.len() < 100_000, "{} bytes", kept.len());
    assert_eq!(letters[0].header("tagstream-truncated-from").as_deref(), Some("2000000"));
    assert_eq!(letters[1].value.as_deref(), Some(b"{".as_slice()));
}
