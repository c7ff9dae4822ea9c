//! Records that are not events: each goes to the dead letters with its reason, and no event is lost among them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::fixture::client::{Seen, Write, committed, create_topic, produce, read_all};
use crate::fixture::secured_broker::{self, Proof, USER};
use crate::fixture::{acls, broker};
use crate::support::service::Setup;

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

const RECORDS: usize = 200_000;
const PARTITIONS: usize = 2;

/// Records, one in ten of them good, and what is to become of each.
struct Mixture {
    records: Vec<Write>,
    /// By partition and offset.
    places: BTreeMap<(i32, i64), usize>,
    bad: BTreeMap<usize, Bad>,
    good: BTreeSet<String>,
}

fn mixture(now_ms: i64) -> Mixture {
    let mut mixture =
        Mixture { records: Vec::new(), places: BTreeMap::new(), bad: BTreeMap::new(), good: BTreeSet::new() };
    let mut random = fastrand::Rng::with_seed(11);
    let mut next = [0_i64; PARTITIONS];
    for n in 0..RECORDS {
        let value = if n % 10_000 == 5_000 {
            mixture.bad.insert(n, (vec![b'x'; 2_000_000], "too_large"));
            vec![b'x'; 2_000_000]
        } else if random.usize(0..10) == 0 {
            mixture.good.insert(n.to_string());
            let time = now_ms - 60_000 + n as i64 / 1_000;
            format!(r#"{{"user_id":"{n}","type":"click","timestamp":{time},"properties":{{"n":"{n}"}}}}"#).into_bytes()
        } else {
            let (value, reason) = bad(n, now_ms);
            mixture.bad.insert(n, (value.clone(), reason));
            value
        };
        let partition = random.usize(0..PARTITIONS);
        mixture.places.insert((partition as i32, next[partition]), n);
        next[partition] += 1;
        let headers = if n % 3 == 0 { vec![("trace", n.to_string().into_bytes())] } else { Vec::new() };
        let key = (n % 4 != 0).then(|| n.to_string().into_bytes());
        mixture.records.push(Write { partition: partition as i32, key, value: Some(value), headers });
    }
    mixture
}

#[test]
fn garbage_ends_in_the_dead_letters_and_no_good_event_is_lost() {
    let broker = broker::shared();
    let setup = Setup::on("garbage", broker, CATALOG).with("service.workers=2");
    create_topic(broker, &setup.topic("events"), PARTITIONS as i32, &[("max.message.bytes", "3000000")]);
    let made = setup.output(&["topics", "create"]);
    assert!(made.status.success(), "{}", crate::support::service::text(&made));
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64;
    let mixture = mixture(now_ms);
    produce(broker, &setup.topic("events"), mixture.records.clone());
    // A null record is skipped, and moves the offset all the same.
    produce(broker, &setup.topic("events"), [Write::default()]);

    let mut service = setup.start();
    service.until("all to be committed", |_| {
        committed(broker, "garbage", &setup.topic("events")).iter().flatten().sum::<i64>() == RECORDS as i64 + 1
    });
    let log = service.stop();
    assert!(log.contains("1 tombstones"), "{log}");
    check_letters(&read_all(broker, &setup.topic("dead-letter")), &setup.topic("events"), &mixture);
    let changes = read_all(broker, &setup.topic("changes"));
    let text = |change: &Seen| change.json()["value"].as_str().unwrap_or_default().to_owned();
    assert_eq!(changes.len(), mixture.good.len());
    assert_eq!(changes.iter().map(text).collect::<BTreeSet<String>>(), mixture.good);
}

/// Each bad record once, as it came, with its reason and its place.
fn check_letters(letters: &[Seen], input: &str, mixture: &Mixture) {
    let mut open = mixture.bad.clone();
    for letter in letters {
        let number = |name: &str| letter.header(name).expect("a header").parse::<i64>().expect("a number");
        let place = (number("tagstream-partition") as i32, number("tagstream-offset"));
        let n = mixture.places[&place];
        let (value, reason) = open.remove(&n).expect("a bad record, once");
        assert_eq!(letter.header("tagstream-reason").as_deref(), Some(reason), "{place:?}");
        assert_eq!(letter.header("tagstream-topic").as_deref(), Some(input));
        assert_eq!(letter.value.as_deref(), Some(value.as_slice()), "{place:?}");
        let record = &mixture.records[n];
        assert_eq!(letter.key, record.key, "{place:?}");
        let trace = record.headers.first().map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        assert_eq!(letter.header("trace"), trace, "{place:?}");
    }
    assert!(open.is_empty(), "{} bad records are in no dead letter", open.len());
}

/// The start finds out that the topic is too narrow, unless it has no right to know the topic's settings.
#[test]
fn letters_that_the_topic_does_not_take_are_cut_and_hold_nothing_up() {
    let secured = secured_broker::shared();
    let broker = &secured.broker;
    let setup = Setup::on("cut", broker, CATALOG);
    create_topic(broker, &setup.topic("events"), 1, &[("max.message.bytes", "3000000")]);
    create_topic(broker, &setup.topic("dead-letter"), 1, &[("max.message.bytes", "100000")]);
    setup.output(&["topics", "create"]);
    acls::give(broker, USER, &acls::minimal(&setup));
    let setup = secured.guard(setup, Proof::Scram);
    let incompressible: Vec<u8> = {
        let mut random = fastrand::Rng::with_seed(3);
        (0..2_000_000).map(|_| random.u8(..)).collect()
    };
    let part = incompressible[..200_000].to_vec();
    let records = [
        Write::event(0, "k", incompressible.clone()),
        Write { key: Some(part.clone()), ..Write::event(0, "k", "{") },
        Write { headers: vec![("trace", part.clone())], ..Write::event(0, "k", "{") },
        Write::event(0, "k", "{"),
    ];
    produce(broker, &setup.topic("events"), records);
    let mut service = setup.start();
    service.until("all to be committed", |_| committed(broker, "cut", &setup.topic("events")) == [Some(4)]);
    service.stop();
    let letters = read_all(broker, &setup.topic("dead-letter"));
    assert_eq!(letters.len(), 4);
    let kept = letters[0].value.as_deref().expect("a value");
    assert!(incompressible.starts_with(kept) && kept.len() < 100_000, "{} bytes", kept.len());
    assert_eq!(letters[0].header("tagstream-truncated-from").as_deref(), Some("2000000"));
    assert!(letters[1..].iter().all(|letter| letter.value.as_deref() == Some(b"{".as_slice())));
    let kept = letters[1].key.as_deref().expect("a key");
    assert!(part.starts_with(kept) && kept.len() < 100_000, "{} bytes", kept.len());
    assert_eq!(letters[1].header("tagstream-key-truncated-from").as_deref(), Some("200000"));
    assert_eq!((letters[2].header("trace"), letters[2].key.as_deref()), (None, Some(b"k".as_slice())));
    assert_eq!(letters[2].header("tagstream-headers-left-out").as_deref(), Some("1"));
    assert_eq!(letters[2].header("tagstream-reason"), letters[3].header("tagstream-reason"));
}
