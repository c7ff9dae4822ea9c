//! Workers and servers die at random: what a server shows was committed, never goes back in time, and is right in the end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::fixture::broker;
use crate::fixture::client::{Write, committed, produce};
use crate::support::http_client::ask_with;
use crate::support::service::{Service, Setup};

const COUNT: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n\
    tags:\n  seen: { value: n }\n";
const KILL: i32 = 9;
const USERS: usize = 20;
const PARTITIONS: usize = 2;
const FIRST_MS: i64 = 1_700_000_000_000;
/// A server that has just been started answers at the latest after this long.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);
const API: &str = "the page is at http://";

/// Event number i is of user i modulo [`USERS`], i milliseconds after the first one.
fn event(number: usize) -> Write {
    let user = number % USERS;
    let at = FIRST_MS + number as i64;
    let text = format!(r#"{{"user_id":"u-{user}","type":"click","timestamp":{at}}}"#);
    Write::event((user % PARTITIONS) as i32, &format!("u-{user}"), text)
}

/// A server, and where it listens.
fn serve(setup: &Setup) -> (Service, SocketAddr) {
    let mut command = setup.command(&["serve"]);
    command.args(["-s", "serve.listen=127.0.0.1:0"]);
    let mut server = setup.start_command(command);
    server.says(API);
    let log = server.log();
    let (_, after) = log.split_once(API).expect("the log says so");
    let address = after.split('/').next().expect("an end").parse().expect("an address");
    (server, address)
}

fn ask(address: SocketAddr, path: &str) -> Option<Json> {
    let answer = ask_with(address, "GET", path, &["Host: tagstream", "Connection: close"]).ok()?;
    (answer.status == 200).then(|| serde_json::from_str(&answer.body).expect("JSON"))
}

/// Milliseconds after the first event; −1 before it.
fn clock(text: &Json) -> i64 {
    let text = text.as_str().unwrap_or_default();
    tagstream::Timestamp::parse(text).map_or(-1, |at| at.ms() - FIRST_MS)
}

/// How many of the events up to an instant are of a user.
fn counted(user: usize, until: i64) -> i64 {
    let user = user as i64;
    if until < user { 0 } else { (until - user) / USERS as i64 + 1 }
}

/// How many of the events up to an instant are in a partition.
fn in_partition(partition: usize, until: i64) -> i64 {
    (0..USERS).filter(|user| user % PARTITIONS == partition).map(|user| counted(user, until)).sum()
}

/// Looks at one user, and checks it. Returns the clock of the user's partition.
fn look(setup: &Setup, address: SocketAddr, user: usize, before: &mut BTreeMap<usize, i64>) -> Option<i64> {
    let profile = ask(address, &format!("/v1/entities/user/u-{user}"))?;
    let partition = user % PARTITIONS;
    let at = clock(&profile["clock"]);
    let shown = profile["counters"][0]["value"].as_i64().expect("a count");
    assert_eq!(shown, counted(user, at), "u-{user} at {at}: half a transaction, or another state");
    let offsets = committed(broker::shared(), &setup.application, &setup.topic("events"));
    let offset = offsets[partition].unwrap_or(0);
    assert!(in_partition(partition, at) <= offset, "u-{user} at {at} was not committed: {offset}");
    let earlier = before.insert(partition, at).unwrap_or(-1);
    assert!(earlier <= at, "partition {partition} went back from {earlier} to {at}");
    Some(at)
}

#[test]
fn a_server_shows_what_was_committed_whoever_dies() {
    let broker = broker::shared();
    let setup =
        Setup::on("serve-killed", broker, COUNT).with("service.idle_grace=off").with("service.outage_after=off");
    // A server that was killed goes on from its files, where it has written them.
    let setup = setup.with("serve.directory=read-side");
    setup.create_topics(PARTITIONS as u32);
    let mut dice = fastrand::Rng::with_seed(3);
    let (mut worker, (mut server, mut address)) = (setup.start(), serve(&setup));
    let (mut events, mut before) = (0, BTreeMap::new());
    for round in 0..12 {
        let more = events + dice.usize(200..2_000);
        produce(broker, &setup.topic("events"), (events..more).map(event).collect::<Vec<_>>());
        events = more;
        let until = Instant::now() + Duration::from_millis(dice.u64(200..1_200));
        let mut looks = 0;
        while Instant::now() < until || looks == 0 {
            looks += usize::from(look(&setup, address, dice.usize(..USERS), &mut before).is_some());
            assert!(Instant::now() < until + ANSWER_WAIT_MAX, "no answer in round {round}");
        }
        if round % 3 == 1 {
            worker.signal(KILL);
            worker.ended();
            worker = setup.start();
        }
        if round % 4 == 2 {
            server.signal(KILL);
            server.ended();
            (server, address) = serve(&setup);
        }
    }
    let last = |partition: usize| (0..events).rev().find(|n| n % USERS % PARTITIONS == partition).expect("an event");
    server.until("the server to catch up", |_| {
        (0..PARTITIONS).all(|user| look(&setup, address, user, &mut before) == Some(last(user) as i64))
    });
    let tags = ask(address, "/v1/tags").expect("it has caught up");
    assert_eq!(tags["tags"][0]["size"].as_u64(), Some(USERS as u64));
    for user in 0..USERS {
        assert_eq!(look(&setup, address, user, &mut before), Some(last(user % PARTITIONS) as i64));
    }
    server.stop();
    worker.stop();
}
