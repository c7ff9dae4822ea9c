//! Two processes of one application, static members of its group: partitions move between them, and nothing repeats.

use std::thread;
use std::time::Duration;

use crate::fixture::broker;
use crate::fixture::client::{committed, produce, read_all};
use crate::fixture::echo::{ECHO, check_echo, numbered, total};
use crate::support::service::Setup;

#[test]
fn partitions_move_to_another_process_and_back() {
    let broker = broker::shared();
    let one = Setup::on("moves", broker, ECHO).with("service.commit_interval=20ms");
    let two = Setup::on("moves", broker, ECHO).with("service.commit_interval=20ms").with("service.instance=two");
    one.create_topics(4);
    let topic = one.topic("events");
    let mut first = one.start();
    first.says("runs partition 3");
    let writer = {
        let topic = topic.clone();
        thread::spawn(move || {
            for round in 0..40 {
                produce(broker, &topic, numbered(round * 500, 500, 4));
                thread::sleep(Duration::from_millis(100));
            }
        })
    };
    let log = two.folder.join("log-two");
    let mut second = two.start_with_log(&log);
    second.says("runs partition");
    first.says("gives up partitions");
    second.stop();
    writer.join().expect("the writer");
    // A static member does not say that it leaves: its partitions come back after its session.
    first.until("the end", |_| total(&committed(broker, &one.application, &topic)) == 20_000);
    first.stop();
    check_echo(&read_all(broker, &one.topic("changes")), 20_000);
}

#[test]
fn frozen_longer_than_its_session_it_cannot_commit_any_more() {
    let broker = broker::shared();
    let quick = |setup: Setup| {
        setup
            .with("service.commit_interval=1ms")
            .with("kafka.properties.transaction.timeout.ms=1500")
            .with("kafka.properties.socket.timeout.ms=1500")
            .with("kafka.properties.session.timeout.ms=2000")
            .with("kafka.properties.heartbeat.interval.ms=300")
    };
    let one = quick(Setup::on("zombie", broker, ECHO));
    let two = quick(Setup::on("zombie", broker, ECHO)).with("service.instance=two");
    one.create_topics(2);
    let topic = one.topic("events");
    let mut first = one.start();
    let mut second = two.start_with_log(&two.folder.join("log-two"));
    first.says("runs partition");
    second.says("runs partition");
    let writer = {
        let topic = topic.clone();
        thread::spawn(move || {
            for round in 0..300 {
                produce(broker, &topic, numbered(round * 20, 20, 2));
                thread::sleep(Duration::from_millis(30));
            }
        })
    };
    for frozen in [&first, &second, &first] {
        thread::sleep(Duration::from_millis(500));
        frozen.signal(libc::SIGSTOP);
        thread::sleep(Duration::from_millis(4_000));
        frozen.signal(libc::SIGCONT);
    }
    writer.join().expect("the writer");
    first.until("the end", |_| total(&committed(broker, &one.application, &topic)) == 6_000);
    println!("{}\n{}", first.stop(), second.stop());
    check_echo(&read_all(broker, &one.topic("changes")), 6_000);
}

#[test]
fn of_two_processes_with_one_name_on_two_machines_the_older_ends() {
    let broker = broker::shared();
    let setup = Setup::on("twins", broker, ECHO);
    setup.create_topics(1);
    let mut older = setup.start();
    older.says("runs partition 0");
    // The name's lock is in the folder for temporary files: another folder is another machine.
    let elsewhere = setup.folder.to_string_lossy().into_owned();
    let setup = setup.with_variable("TMPDIR", &elsewhere);
    let mut newer = setup.start_with_log(&setup.folder.join("log-newer"));
    let status = older.ended();
    assert_eq!(status.code(), Some(1), "{}", older.log());
    assert!(older.log().contains("another process runs as instance \\\"one\\\""), "{}", older.log());
    newer.says("runs partition 0");
    newer.stop();
}

#[test]
fn of_two_processes_with_one_name_on_a_machine_the_newer_gives_way() {
    let broker = broker::shared();
    let setup = Setup::on("namesakes", broker, ECHO);
    setup.create_topics(1);
    let topic = setup.topic("events");
    let mut older = setup.start();
    older.says("runs partition 0");
    let mut newer = setup.start_with_log(&setup.folder.join("log-newer"));
    let status = newer.ended();
    assert_eq!(status.code(), Some(78), "{}", newer.log());
    assert!(newer.log().contains("already runs as instance \\\"one\\\""), "{}", newer.log());
    produce(broker, &topic, numbered(0, 100, 1));
    older.until("the end", |_| total(&committed(broker, &setup.application, &topic)) == 100);
    older.stop();
    // A process that has ended leaves no lock behind.
    let mut next = setup.start_with_log(&setup.folder.join("log-next"));
    next.says("runs partition 0");
    next.stop();
}
