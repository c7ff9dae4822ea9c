//! Several inputs, by no key in particular: what users and accounts get is what one replay of all of it gives.

use std::thread;
use std::time::Duration;

use super::broker;
use super::client::{Write, describe, produce};
use super::merged::{CATALOG, Mixed, compare};
use super::running::now_ms;
use super::service::{Setup, text};

const TOPICS: [&str; 2] = ["events", "more"];

fn meeting(name: &str) -> Setup {
    let broker = broker::shared();
    Setup::on(name, broker, CATALOG)
        .with(&format!("input.topics={name}-events,{name}-more"))
        .with("input.partitioned_by=none")
        .with("service.workers=2")
        .with("service.commit_interval=50ms")
        .with("service.idle_grace=3s")
}

#[test]
fn an_hour_of_backlog_an_idle_partition_and_a_stop_count_as_if_read_live() {
    let broker = broker::shared();
    // So that the one that is far ahead has to rest.
    let setup = meeting("meeting").with("service.max_waiting_mb=1");
    setup.create_topics(3);
    let mut mixed = Mixed::new(5);
    // An hour in the past, most of it in one partition, and large; one partition of the six never has anything.
    let start = now_ms() - 3_600_000;
    let mut backlog = vec![Vec::new(); 5];
    for n in 0..12_000_i64 {
        let heavy = n % 5 > 0;
        let place = if heavy { 0 } else { (n / 5 % 5) as usize };
        let write = mixed.at(start + n * 290, (place % 3) as i32, if heavy { 2_000 } else { 300 });
        backlog[place].push(write);
    }
    for (place, writes) in backlog.into_iter().enumerate() {
        produce(broker, &setup.topic(TOPICS[place / 3]), writes);
    }
    let places: Vec<(String, i32)> = (0..5).map(|place| (setup.topic(TOPICS[place / 3]), (place % 3) as i32)).collect();
    let write = |mixed: &mut Mixed, places: &[(String, i32)], times: usize| {
        for _ in 0..times {
            mixed.write_now(broker, places, 30);
            thread::sleep(Duration::from_millis(100));
        }
    };
    let mut service = setup.start();
    service.says("of meeting-by-account from offset");
    write(&mut mixed, &places, 20);
    service.stop();
    // It is away, and the events come in as ever.
    write(&mut mixed, &places[1..], 15);
    thread::sleep(Duration::from_secs(3));
    write(&mut mixed, &places, 15);
    let mut service = setup.start();
    service.says("of meeting-by-account from offset");
    write(&mut mixed, &places, 15);
    let compared = compare(broker, &setup, &TOPICS, || {});
    service.stop();
    println!("{compared:?}");
    assert!(
        compared.events > 13_000 && compared.changes > 5_000 && compared.entities == 340,
        "too little: {compared:?}"
    );
}

#[test]
fn accounts_of_an_input_by_user_meet_and_users_are_counted_where_they_are_read() {
    let broker = broker::shared();
    let setup = Setup::on("accounts", broker, CATALOG).with("service.idle_grace=3s").with("service.workers=2");
    setup.create_topics(2);
    let mut mixed = Mixed::new(6);
    let by_user = |mut write: Write| {
        let value = String::from_utf8_lossy(write.value.as_deref().unwrap_or_default()).into_owned();
        let user = value.split('"').nth(3).unwrap_or_default().bytes().map(i32::from).sum::<i32>();
        write.partition = user % 2;
        write
    };
    let mut service = setup.start();
    service.says("of accounts-by-account from offset");
    for _ in 0..100 {
        let events: Vec<Write> = (0..5).map(|_| by_user(mixed.at(now_ms(), 0, 0))).collect();
        produce(broker, &setup.topic("events"), events);
    }
    let compared = compare(broker, &setup, &["events"], || {});
    service.stop();
    println!("{compared:?}");
    assert!(compared.changes > 500, "too little: {compared:?}");
    assert_eq!(describe(broker, "accounts-by-account").0, 2);
    let output = setup.output(&["topics", "create"]);
    assert!(output.status.success() && !text(&output).contains("by-user"), "{}", text(&output));
}
