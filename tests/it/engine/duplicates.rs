//! Events that come again, of users with few ids and with many: what counts as one, and what it takes to find out.

use tagstream::codec::Decoder;
use tagstream::engine::{Partition, Program, Stats};
use tagstream::model::{Event, Timestamp};

use super::agreement::{Collected, NOW_MS, compare};
use super::changelog::Compacted;
use crate::generate;

#[test]
fn many_ids_agree_with_the_reference() {
    for seed in generate::seeds(60) {
        let case = generate::repeats(seed);
        if compare(&case, NOW_MS).is_ok() {
            continue;
        }
        let small = generate::shrink(case, &|case| compare(case, NOW_MS).is_err());
        let lines: Vec<_> = small.lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
        panic!("seed {seed}\n{}\n{}\n{:?}", small.catalog, lines.join("\n"), compare(&small, NOW_MS));
    }
}

const CATALOG: &str =
    "version: 1\ninput: { dedup: 7d }\ncounters: { n: { count: \"*\" } }\ntags: { n: { value: n } }\n";

/// By default.
const LIMIT: u64 = 10_000;

/// One user, whose events are a second apart.
struct Sender {
    program: std::sync::Arc<Program>,
    partition: Partition,
    decoder: Decoder,
    event: Event,
    seconds: i64,
}

impl Sender {
    fn new(catalog: &str) -> Self {
        let loaded = tagstream::catalog::load(catalog);
        let program = Program::new(loaded.catalog.unwrap_or_else(|| panic!("{:#?}", loaded.problems)));
        Sender {
            partition: Partition::new(program.clone()),
            decoder: Decoder::new(&program.catalog),
            event: Event::default(),
            seconds: 0,
            program,
        }
    }

    /// Sends events with these ids. Returns what that took.
    fn send(&mut self, ids: std::ops::Range<u64>) -> Stats {
        for id in ids {
            self.seconds += 1;
            let time = 1_772_445_600_000 + self.seconds * 1_000;
            self.apply(&format!(r#"{{"user_id":"u","type":"a","timestamp":{time},"id":{id}}}"#));
        }
        self.partition.take_stats()
    }

    fn apply(&mut self, line: &str) {
        self.decoder.decode(line.as_bytes(), Timestamp::from_ms(NOW_MS), &mut self.event).expect("the event is right");
        self.partition.apply(&self.event, &mut Collected::default());
    }
}

#[test]
fn the_work_of_an_event_does_not_grow_with_the_ids_that_are_remembered() {
    let mut sender = Sender::new(CATALOG);
    let first = sender.send(0..1_000);
    assert_eq!((first.ids_crowded_out, first.duplicates), (0, 0));
    // Up to 129 ids are decoded and read one by one, at each event.
    assert!(first.ids_read < 2 * 130 * 130, "{}", first.ids_read);
    let full = sender.send(1_000..LIMIT);
    assert!(full.ids_read < 10, "a few have the same half of a hash: {}", full.ids_read);
    let beyond = sender.send(LIMIT..3 * LIMIT);
    assert_eq!((beyond.ids_crowded_out, beyond.duplicates), (2 * LIMIT, 0));
    assert!(beyond.ids_read < 2 * LIMIT + 10, "each drops one: {}", beyond.ids_read);
    let again = sender.send(2 * LIMIT..3 * LIMIT);
    assert_eq!((again.duplicates, again.ids_read), (LIMIT, LIMIT));
    // An id that made room is a new one.
    assert_eq!(sender.send(0..1).duplicates, 0);
}

#[test]
fn many_ids_are_the_same_after_a_restart_from_log_or_copy_and_under_another_catalog() {
    let mut sender = Sender::new(CATALOG);
    let mut log = Compacted::default();
    sender.send(0..5_000);
    log.write(&mut sender.partition);
    sender.send(5_000..6_000);
    log.write(&mut sender.partition);
    let copy = log.snapshot(&sender.partition, 1).expect("all is in the log");
    let other = Sender::new(&CATALOG.replace("n: { count", "m: { count: \"a\" }, n: { count")).program;
    let restored = [
        log.restore(&sender.program).partition,
        log.try_restore_after(&copy, &sender.program).expect("it is of use").partition,
        log.restore(&other).partition,
        {
            let mut switched = log.restore(&sender.program).partition;
            sender.partition = switched;
            assert_eq!(sender.send(0..1).duplicates, 1, "the ids have an index");
            switched = std::mem::replace(&mut sender.partition, log.restore(&sender.program).partition);
            switched.switch_catalog(other, Default::default());
            switched
        },
    ];
    let bytes = sender.partition.state_bytes();
    for (place, partition) in restored.into_iter().enumerate() {
        assert!(place > 1 || partition.state_bytes() == bytes);
        sender.partition = partition;
        let stats = sender.send(0..6_000);
        assert_eq!(stats.duplicates, 6_000, "{place}");
        // The cell is decoded once, although no event changes the state.
        assert!(stats.ids_read <= 6_000 + 6_000, "{place}: {}", stats.ids_read);
    }
}

#[test]
fn many_ids_of_an_entity_whose_first_sign_was_a_command_are_written_beside_the_rest() {
    let mut sender = Sender::new(&CATALOG.replace("tags: {", "tags: { vip: { manual: true },"));
    // The command comes at a clock that none of its events reaches.
    let late = 1_772_445_600_000_i64 + 3_600_000;
    sender.apply(&format!(r#"{{"user_id":"other","type":"a","timestamp":{late}}}"#));
    sender.apply(&format!(
        r#"{{"user_id":"u","type":"$tag","timestamp":{late},"properties":{{"tag":"vip","set":true}}}}"#
    ));
    sender.send(0..1_000);
    let mut log = Compacted::default();
    log.write(&mut sender.partition);
    let tags = |partition: &mut Partition| {
        let found = partition.current_tags("u", |tags| format!("{tags:?}"));
        found.expect("the user is there")
    };
    let before = tags(&mut sender.partition);
    sender.partition = log.restore(&sender.program).partition;
    assert_eq!(tags(&mut sender.partition), before);
    assert_eq!(sender.send(0..1_000).duplicates, 1_000);
}

#[test]
fn what_an_entity_keeps_of_ids_is_bounded() {
    let mut sender = Sender::new(&CATALOG.replace("dedup: 7d", "dedup: 7d, dedup_limit: 300"));
    sender.send(0..1_000);
    let bytes = sender.partition.state_bytes();
    let stats = sender.send(1_000..5_000);
    assert_eq!(stats.ids_crowded_out, 4_000);
    assert!(sender.partition.state_bytes() <= bytes + 2, "{bytes} {}", sender.partition.state_bytes());
    assert!(bytes < 300 * 11 + 100, "{bytes}");
}
