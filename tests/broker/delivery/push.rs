//! `tagstream push` on a real Kafka: killed between the answer and the commit, frozen partitions, and what is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Map, Value};

use crate::fixture::broker;
use crate::fixture::client::{Seen, committed, produce, read_all};
use crate::fixture::counting::{COUNT, PARTITIONS, USERS, events, read_to};
use crate::fixture::failpoint::die;
use crate::support::receiver::{OK, Received, Receiver, Reply, base64};
use crate::support::service::{Service, Setup};

const KEY: [u8; 32] = [6; 32];
const EVENTS: usize = 2_000;

/// A service has tagged the events; a receiver is to have the changes.
fn tagged(name: &str, url: &str) -> Setup {
    let broker = broker::shared();
    let setup = Setup::on(name, broker, COUNT).with(&format!("push.url={url}")).with("push.listen=127.0.0.1:0");
    let setup = setup.with("push.secret=secret").with("push.batch=50");
    fs::write(setup.folder.join("secret"), format!("whsec_{}", base64(&KEY))).expect("a file");
    setup.create_topics(PARTITIONS as u32);
    produce(broker, &setup.topic("events"), events(0, EVENTS));
    let mut service = setup.start();
    service.until("all to be committed", |_| read_to(broker, &setup, EVENTS));
    service.stop();
    setup
}

fn start(setup: &Setup, failpoint: Option<u32>) -> Service {
    let mut command = setup.command(&["push"]);
    if let Some(passing) = failpoint {
        command.env("TAGSTREAM_FAILPOINT", format!("push_answered:{passing}"));
    }
    setup.start_command(command)
}

/// How many different changes have arrived.
fn arrived(receiver: &Receiver) -> usize {
    receiver.accepted().iter().map(|change| change["id"].to_string()).collect::<BTreeSet<_>>().len()
}

/// Each entity's changes in order, where one that has come before is a repeat of everything from there on.
fn check_order(changes: &[Value]) {
    let mut reached: BTreeMap<String, i64> = BTreeMap::new();
    for change in changes {
        let (key, seq) = (change["key"].to_string(), change["seq"].as_i64().expect("a number"));
        let before = reached.insert(key.clone(), seq).unwrap_or(0);
        assert!(seq <= before + 1, "{key}: {seq} comes behind {before}");
    }
    assert_eq!(reached.len(), USERS);
    let last = (EVENTS / USERS) as i64;
    assert!(reached.values().all(|seq| *seq == last), "{reached:?}");
}

fn is_committed(setup: &Setup) -> bool {
    let done = committed(broker::shared(), &setup.topic("push"), &setup.topic("changes"));
    // Behind the markers of transactions as well.
    done.iter().flatten().sum::<i64>() >= EVENTS as i64
}

#[test]
fn a_push_that_dies_before_its_commit_posts_the_changes_again_in_order() {
    let receiver = Receiver::start(|number, _| if number % 11 == 5 { Reply(500, "", "") } else { OK });
    let setup = tagged("push-killed", &receiver.url());
    let mut posted = 0;
    // The very first commit says where the group begins.
    for passing in [2, 1, 2, 3] {
        let mut process = start(&setup, Some(passing));
        die(&mut process, "push_answered");
        assert!(receiver.accepted().len() > posted, "nothing was posted");
        posted = receiver.accepted().len();
    }
    let mut process = start(&setup, None);
    process.until("all changes", |_| arrived(&receiver) == EVENTS && is_committed(&setup));
    process.stop();
    let accepted = receiver.accepted();
    assert!(accepted.len() > EVENTS, "nothing came twice: the process did not die in between");
    check_order(&accepted);
    assert!(receiver.received().iter().all(|request| request.is_signed_with(&KEY)));
    let wanted: BTreeSet<String> =
        read_all(broker::shared(), &setup.topic("changes")).iter().map(|change| change.json().to_string()).collect();
    assert_eq!(accepted.iter().map(Value::to_string).collect::<BTreeSet<_>>(), wanted);

    // Everything is committed: another process has nothing to post.
    let before = receiver.received().len();
    let mut process = start(&setup, None);
    process.says("the group gives this process partitions");
    process.stop();
    assert_eq!(receiver.received().len(), before);
}

#[test]
fn two_processes_share_the_partitions_and_one_takes_over() {
    let receiver = Receiver::start(|_, _| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        OK
    });
    let setup = tagged("push-shared", &receiver.url()).with("push.batch=5").with("service.instance=");
    let mut first = start(&setup, None);
    first.until("some changes", |_| arrived(&receiver) > 100);
    let mut second = setup.start_command(setup.command(&["push"]));
    second.says("the group gives this process partitions");
    first.stop();
    second.until("all changes", |_| arrived(&receiver) == EVENTS && is_committed(&setup));
    second.stop();
    check_order(&receiver.accepted());
}

#[test]
fn what_the_receiver_refuses_is_a_dead_letter_as_it_was() {
    let refuses = |request: &Received| request.changes().iter().any(|change| change["key"] == "u7");
    let receiver = Receiver::start(move |_, request| if refuses(request) { Reply(422, "", "no u7") } else { OK });
    let setup = tagged("push-refused", &receiver.url());
    let mut process = start(&setup, None);
    process.until("all to be done with", |_| is_committed(&setup));
    process.stop();
    let letters = read_all(broker::shared(), &setup.topic("push-dead-letter"));
    let changes = read_all(broker::shared(), &setup.topic("changes"));
    let of = |key: &str| changes.iter().filter(|change| change.key_text() == key).cloned().collect::<Vec<Seen>>();
    assert_eq!(letters.len(), EVENTS / USERS);
    for (letter, change) in letters.iter().zip(of("u7")) {
        assert_eq!((&letter.key, &letter.value), (&change.key, &change.value));
        assert_eq!(letter.header("tagstream-reason").as_deref(), Some("refused"));
        assert_eq!(letter.header("tagstream-detail").as_deref(), Some("the receiver answers 422: no u7"));
        assert_eq!(letter.header("tagstream-topic"), Some(setup.topic("changes")));
        let place = (change.partition.to_string(), change.offset.to_string());
        assert_eq!(
            (letter.header("tagstream-partition"), letter.header("tagstream-offset")),
            (Some(place.0), Some(place.1))
        );
        assert_eq!(letter.header("ce_id"), change.header("ce_id"));
    }
    assert_eq!(receiver.accepted().len(), EVENTS - EVENTS / USERS);
    let headers: Map<String, Value> =
        letters[0].headers.iter().map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into())).collect();
    assert!(headers.contains_key("ce_type"));
}
