//! What a changed catalog does is decided once for an application: whatever dies meanwhile, however many processes it has.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::fixture::broker;
use crate::fixture::client::{Seen, Write, produce, read_all};
use crate::fixture::failpoint::{die, start_to_die};
use crate::fixture::now_ms;
use crate::support::exposition::parse;
use crate::support::http_client::{get, post};
use crate::support::service::{Service, Setup};

const CATALOG: &str = "version: 1\ncounters:\n  n: { count: click }\ntags:\n  busy: { when: n >= 3 }\n";
/// Under it a user with two clicks is busy.
const CHANGED: &str = "version: 1\ncounters:\n  n: { count: click }\ntags:\n  busy: { when: n >= 2 }\n";

/// Of each partition, how many of its 50 users have two clicks; the others have one. In all partitions it is 22 of 100,
/// in the first two it is fewer than are let go.
const TWICE: [usize; 4] = [5, 5, 17, 17];
const USERS: usize = 50;

fn clicks() -> Vec<Write> {
    let start = now_ms() - 60_000;
    let mut clicks = Vec::new();
    for (partition, twice) in (0_i32..).zip(TWICE) {
        for user in 0..USERS {
            let key = format!("p{partition}-u{user}");
            for click in 0..if user < twice { 2 } else { 1 } {
                let line = format!(r#"{{"user_id":"{key}","type":"click","timestamp":{}}}"#, start + click);
                clicks.push(Write::event(partition, &key, line));
            }
        }
    }
    clicks
}

fn setup(name: &str) -> Setup {
    let setup =
        Setup::on(name, broker::shared(), CATALOG).with("http.listen=127.0.0.1:0").with("service.idle_grace=1s");
    setup.create_topics(4);
    produce(broker::shared(), &setup.topic("events"), clicks());
    setup
}

fn entities(address: SocketAddr) -> f64 {
    parse(&get(address, "/metrics").body).of("tagstream_entities").iter().map(|(_, entities)| entities).sum()
}

/// Waits until these processes have counted everything.
fn counted(services: &mut [&mut Service]) {
    let mut addresses = Vec::new();
    for service in services.iter_mut() {
        addresses.push(service.http_address());
    }
    let total = || addresses.iter().map(|address| entities(*address)).sum::<f64>();
    services[0].until("all users", |_| total() == (4 * USERS) as f64);
}

fn page(address: SocketAddr) -> Value {
    serde_json::from_str(&get(address, "/v1/catalog").body).expect("JSON")
}

/// The users who are told busy, or not any more.
fn told(setup: &Setup) -> usize {
    read_all(broker::shared(), &setup.topic("changes"))
        .iter()
        .map(Seen::json)
        .filter(|told| told["tag"] == "busy")
        .count()
}

fn expected() -> Value {
    json!([{ "tag": "busy", "entities": 200, "had": 0, "would_differ": 0, "would_be_added": 44 }])
}

#[test]
fn a_crash_after_the_answer_does_not_undo_an_approval() {
    let setup = setup("approved");
    let mut service = setup.start();
    counted(&mut [&mut service]);
    setup.edit(CHANGED);
    service.signal(libc::SIGHUP);
    let address = service.http_address();
    service.until("the decision", |_| page(address)["held"] == expected());
    let answer = post(address, "/v1/catalog/approve?tag=busy");
    // At once: dropping a service kills it.
    drop(service);
    assert_eq!(answer.status, 200, "{}", answer.body);

    let mut service = setup.start();
    service.until("all to be told", |_| told(&setup) == 44);
    let address = service.http_address();
    assert_eq!(page(address)["held"], json!([]));
    let log = service.log();
    assert!(!log.contains("still waits") && !log.contains("tag busy waits"), "{log}");
    service.stop();
}

#[test]
fn a_restart_in_the_middle_decides_nothing_by_what_was_read_back_so_far() {
    let setup = setup("halfway");
    let mut service = setup.start();
    counted(&mut [&mut service]);
    service.stop();
    setup.edit(CHANGED);
    // It dies while the third partition is read back. The other two may have committed.
    let mut service = start_to_die(&setup, "restore_end", 3);
    die(&mut service, "restore_end");
    assert_eq!(told(&setup), 0, "two of four partitions decided");
    let mut service = setup.start();
    let address = service.http_address();
    service.until("the decision", |_| page(address)["held"] == expected());
    assert_eq!(told(&setup), 0);
    service.says("tag busy waits: 44 of 200 would get it");
    // Once decided, it is known as soon as one partition is read back, and it is not counted again.
    drop(service);
    let mut service = setup.start();
    let address = service.http_address();
    service.until("the decision", |_| page(address)["held"] == expected());
    service.says("tag busy still waits for approval");
    assert_eq!(told(&setup), 0);
    assert_eq!(post(address, "/v1/catalog/approve?all=true").status, 200);
    service.until("all to be told", |_| told(&setup) == 44);
    service.stop();
}

#[test]
fn two_processes_wait_for_each_other_and_one_approval_is_enough() {
    let one = setup("together");
    // Each reads a file of its own.
    let two = Setup::on("together", broker::shared(), CATALOG).with("http.listen=127.0.0.1:0").with("catalog=two.yaml");
    let edit_two = |catalog| std::fs::write(two.folder.join("two.yaml"), catalog).expect("the file can be written");
    edit_two(CATALOG);
    let mut first = one.start();
    let mut second = two.start_as("two");
    counted(&mut [&mut first, &mut second]);
    second.says("runs partition");
    let (first_page, second_page) = (first.http_address(), second.http_address());
    let partitions = |address| {
        let metrics = parse(&get(address, "/metrics").body);
        metrics.value("tagstream_partitions{state=\"running\"}")
    };
    first.until("two partitions each", |_| partitions(first_page) == 2.0 && partitions(second_page) == 2.0);

    one.edit(CHANGED);
    first.signal(libc::SIGHUP);
    first.says("waits until it is counted in partitions");
    let undecided = page(first_page);
    assert_eq!((&undecided["held"], undecided["uncounted"].as_array().map(Vec::len)), (&json!([]), Some(2)));
    assert_eq!(told(&one), 0);
    edit_two(CHANGED);
    second.signal(libc::SIGHUP);
    first.until("the decision", |_| page(first_page)["held"] == expected());
    second.until("the same decision", |_| page(second_page)["held"] == expected());
    assert_eq!(told(&one), 0);
    let answer = post(second_page, "/v1/catalog/approve?tag=busy");
    assert_eq!(answer.status, 200, "{}", answer.body);
    first.until("all to be told", |_| told(&one) == 44);
    first.until("the same in the first", |_| page(first_page)["held"] == json!([]));
    first.stop();
    second.stop();
}
