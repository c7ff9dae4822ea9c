//! A record that is too large for its topic: the service ends and says what to do, and goes on exactly once it is done.

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{Seen, Write, alter_topic, committed, create_topic, produce, read_all};
use crate::support::service::{Setup, text};

/// The state holds the text, and each change tells it.
const ECHO: &str = "version: 1\n\
    input: { max_text: 65536 }\n\
    counters:\n  latest: { last: properties.v, on: \"*\" }\n\
    tags:\n  echo: { value: latest }\n";

const LARGE_BYTES: usize = 5_000;

/// A text of its length that does not compress.
fn noise(bytes: usize) -> String {
    let mut random = fastrand::Rng::with_seed(5);
    (0..bytes).map(|_| random.alphanumeric()).collect()
}

/// Of one user each: a state that is large stays it.
fn event(n: usize, value: &str) -> Write {
    let at = 1_700_000_000_000 + n as i64;
    let text = format!(r#"{{"user_id":"u{n}","type":"click","timestamp":{at},"properties":{{"v":"{value}"}}}}"#);
    Write::event(0, "u", text)
}

/// What the tag was, one after the other.
fn shown(broker: &Broker, setup: &Setup) -> Vec<String> {
    let value = |change: Seen| change.json()["value"].as_str().expect("a value").to_owned();
    read_all(broker, &setup.topic("changes")).into_iter().map(value).collect()
}

/// Small values, a large one, small ones: `topic` does not take the large one at first. `again`: how a second start ends,
/// and what it says.
fn check(name: &str, topic: &str, again: (i32, &str)) {
    let broker = broker::shared();
    let setup = Setup::on(name, broker, ECHO);
    let policy = if topic == "changelog" { "compact" } else { "delete" };
    create_topic(broker, &setup.topic("events"), 1, &[]);
    let made = setup.output(&["topics", "create"]);
    assert!(made.status.success(), "{}", text(&made));
    let written = ["a".to_owned(), "b".to_owned(), noise(LARGE_BYTES), "c".to_owned(), "d".to_owned()];
    let events = |range: std::ops::Range<usize>| range.map(|n| event(n, &written[n])).collect::<Vec<_>>();
    produce(broker, &setup.topic("events"), events(0..2));
    let mut service = setup.start();
    let stands_at = |offset| committed(broker, name, &setup.topic("events")) == [Some(offset)];
    service.until("the small ones", |_| stands_at(2));
    let limit = |bytes: &str| {
        alter_topic(broker, &setup.topic(topic), &[("cleanup.policy", policy), ("max.message.bytes", bytes)]);
    };
    limit("3000");
    produce(broker, &setup.topic("events"), events(2..5));
    // At the next start the checks see that the changelog's limit is too low for any state.
    for (code, words) in [(1, "too large for the topic"), again] {
        let status = service.ended();
        let log = service.log();
        assert_eq!(status.code(), Some(code), "{log}");
        let line = log.lines().find(|line| line.contains("max.message.bytes")).expect("a line that says what to do");
        assert!(line.contains(words) && line.contains(&setup.topic(topic)), "{line}");
        assert!(stands_at(2));
        assert_eq!(shown(broker, &setup), written[..2]);
        service = setup.start();
    }
    service.ended();
    limit("2097152");
    let mut service = setup.start();
    service.until("all", |_| stands_at(5));
    service.stop();
    assert_eq!(shown(broker, &setup), written);
}

#[test]
fn a_change_that_its_topic_does_not_take_is_neither_lost_nor_repeated() {
    check("large-change", "changes", (1, "too large for the topic"));
}

#[test]
fn a_state_that_the_changelog_does_not_take_is_neither_lost_nor_repeated() {
    check("large-state", "changelog", (78, "max.message.bytes"));
}
