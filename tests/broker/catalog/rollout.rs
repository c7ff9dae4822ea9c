//! A changed catalog on a running service: the limit, its approval, a file with errors, and a restart with a flag.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::fixture::broker;
use crate::fixture::client::{Seen, Write, committed, produce, read_all};
use crate::fixture::now_ms;
use crate::support::http_client::{get, post};
use crate::support::service::{Service, Setup};

const CATALOG: &str = "version: 1\n\
    counters:\n  n: { count: click }\n\
    tags:\n  busy: { when: n >= 2 }\n  gone: { when: n >= 3 }\n  kept: { when: n >= 1 }\n";

/// Half of the users have two clicks, the others three.
const USERS: usize = 40;
/// The changes that follow from that.
const TOLD: usize = USERS + USERS / 2 + USERS;

fn clicks(first: usize, count: usize) -> Vec<Write> {
    let start = now_ms() - 60_000;
    let event = |n: usize| {
        let key = format!("u{}", n % USERS);
        let at = start + n as i64;
        let line = format!(r#"{{"user_id":"{key}","type":"click","timestamp":{at}}}"#);
        Write::event((n % USERS % 2) as i32, &key, line)
    };
    (first..first + count).map(event).collect()
}

fn of_tag<'a>(changes: &'a [Value], tag: &str) -> Vec<&'a Value> {
    changes.iter().filter(|change| change["tag"] == tag).collect()
}

fn changes(setup: &Setup) -> Vec<Value> {
    read_all(broker::shared(), &setup.topic("changes")).iter().map(Seen::json).collect()
}

/// What waits for approval, as the page says.
fn waiting(address: SocketAddr) -> Vec<Value> {
    let body = get(address, "/v1/catalog").body;
    let page: Value = serde_json::from_str(&body).expect("JSON");
    page["held"].as_array().expect("a list").clone()
}

/// The tags of these.
fn held(address: SocketAddr) -> Vec<String> {
    waiting(address).iter().map(|held| held["tag"].as_str().expect("a name").to_owned()).collect()
}

/// A service, with a name of the test's own, that has told everything of the clicks so far.
fn begun(name: &str) -> (Setup, Service) {
    let setup = Setup::on(name, broker::shared(), CATALOG)
        .with("http.listen=127.0.0.1:0")
        .with("service.workers=2")
        .with("service.idle_grace=1s");
    setup.create_topics(2);
    produce(broker::shared(), &setup.topic("events"), clicks(0, 2 * USERS + USERS / 2));
    let mut service = setup.start();
    service.until("all changes", |_| changes(&setup).len() == TOLD);
    (setup, service)
}

#[test]
fn an_edit_that_concerns_many_waits_for_approval_and_one_that_concerns_few_does_not() {
    let (setup, mut service) = begun("reload");

    // `busy` concerns all, `gone` is gone, `more` begins with what is known, `kept` is as it was.
    setup.edit(
        "version: 1\ncounters:\n  n: { count: click }\n  new: { count: click, window: 30d }\n\
         tags:\n  busy: { when: n >= 100 }\n  kept: { when: n >= 1 }\n  idle: { when: new == 0 }\n  some: { when: new >= 1 }\n",
    );
    service.signal(libc::SIGHUP);
    let address = service.http_address();
    service.until("the rollout", |_| !held(address).is_empty());
    assert_eq!(held(address), ["busy", "gone"]);
    let log = service.log();
    for line in [
        "a changed catalog: its effects are being looked at",
        "is in force",
        "tag busy waits: 40 of the 40 that have it would lose it or have another value (20% at most without approval, \
         service.max_change); POST /v1/catalog/approve?tag=busy lets it go",
        "tag gone waits: 20 of the 20",
    ] {
        assert!(log.contains(line), "{line}\nis not in\n{log}");
    }
    // What is decided has yet to be done, by each worker for itself.
    service.until("both partitions", |service| service.log().matches("is of another catalog").count() == 2);
    // The stream goes on under the new catalog: a click shows in what has begun to fill, and no flood of changes comes.
    produce(broker::shared(), &setup.topic("events"), clicks(0, 1));
    service.until("the new counter to count", |_| !of_tag(&changes(&setup), "some").is_empty());
    let now = changes(&setup);
    assert_eq!(of_tag(&now, "some")[0]["cause"], "event");
    assert_eq!(of_tag(&now, "idle").len(), 0, "what has not been seen is not nothing");
    assert_eq!((of_tag(&now, "busy").len(), of_tag(&now, "gone").len()), (USERS, USERS / 2));

    let answer = post(address, "/v1/catalog/approve?tag=nobody");
    assert_eq!(answer.status, 404, "{}", answer.body);
    let answer = post(address, "/v1/catalog/approve?tag=busy");
    assert_eq!(answer.status, 200, "{}", answer.body);
    service.until("busy to leave", |_| of_tag(&changes(&setup), "busy").len() == 2 * USERS);
    assert_eq!(held(address), ["gone"]);
    service.says("approved: busy");

    // A file with errors changes nothing.
    setup.edit("version: 1\ntags:\n  busy: { when: nothing >= 1 }\n");
    let answer = post(address, "/v1/catalog/reload");
    assert_eq!(answer.status, 422);
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body["error"], "the catalog has errors; the running catalog stays in force");
    let problem = &body["problems"][0];
    assert_eq!((&problem["severity"], &problem["line"]), (&"error".into(), &3.into()), "{problem}");
    assert!(problem["message"].as_str().is_some_and(|text| text.contains("unknown name `nothing`")), "{problem}");
    service.says("the catalog has errors; the running catalog stays in force");
    setup.edit(&CATALOG.replace("  gone: { when: n >= 3 }\n", "").replace("n >= 2", "n >= 100"));
    service.stop();

    // A restart with the flag: what waited is approved.
    let mut command = setup.command(&["run", "--approve-changes"]);
    command.args(["-s", "http.listen=off"]);
    let mut service = setup.start_command(command);
    service.until("gone to leave", |_| of_tag(&changes(&setup), "gone").len() == USERS);
    service.stop();
    let all = changes(&setup);
    for tag in ["busy", "gone"] {
        let removed = of_tag(&all, tag).into_iter().filter(|change| change["change"] == "removed");
        assert!(removed.clone().count() > 0 && removed.clone().all(|change| change["cause"] == "catalog"), "{tag}");
    }
    assert_eq!(of_tag(&all, "kept").len(), USERS, "what is as it was is not told again");
    let mut ids: Vec<&str> = all.iter().map(|change| change["id"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "changes repeat");
}

#[test]
fn what_waits_is_counted_again_after_a_restart() {
    let (setup, mut service) = begun("renamed");

    // A tag of another name, and one whose condition is another.
    setup.edit(&CATALOG.replace("busy:", "top:").replace("n >= 3", "n >= 100"));
    let page = service.http_address();
    let reload = |page| post(page, "/v1/catalog/reload");
    assert_eq!(reload(page).status, 202);
    service.says("a changed catalog: its effects are being looked at");
    service.until("both partitions", |service| service.log().matches("is of another catalog").count() == 2);
    service.says("tag top waits: 40 of 40 would get it");
    let answer = reload(page);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let held = |tag, had, differ, added| json!({ "tag": tag, "entities": 40, "had": had, "would_differ": differ, "would_be_added": added });
    let expected = [held("busy", 40, 40, 0), held("gone", 20, 20, 0), held("top", 0, 0, 40)];
    assert_eq!(waiting(page), expected);
    // What is on hold is noted with what is committed next.
    produce(broker::shared(), &setup.topic("events"), clicks(0, 2));
    let read = 2 * USERS + USERS / 2 + 2;
    service.until("a commit", |_| {
        let offsets = committed(broker::shared(), "renamed", &setup.topic("events"));
        offsets.iter().flatten().sum::<i64>() == read as i64
    });
    service.stop();

    let mut service = setup.start();
    let page = service.http_address();
    service.until("the same numbers", |_| waiting(page) == expected);
    service.says("tag top still waits for approval");
    assert_eq!(changes(&setup).len(), TOLD, "nothing was let go");
    let answer = post(page, "/v1/catalog/approve?all=true");
    assert_eq!(answer.status, 200, "{}", answer.body);
    service.says("approved: busy, gone, top");
    service.until("all to go", |_| changes(&setup).len() == TOLD + USERS + USERS / 2 + USERS);
    assert_eq!(waiting(page), Vec::<Value>::new());
    service.stop();
}

#[test]
fn a_service_that_watches_the_file_reads_it_again_without_being_asked() {
    let setup = Setup::on("watched", broker::shared(), CATALOG)
        .with("http.listen=127.0.0.1:0")
        .with("service.watch_catalog=1s");
    setup.create_topics(1);
    let mut service = setup.start();
    service.until("work", |service| service.log().contains("metrics and probes at"));
    let address = service.http_address();
    service.until("readiness", |_| get(address, "/readyz").status == 200);
    let running = || serde_json::from_str::<Value>(&get(address, "/v1/catalog").body).expect("JSON")["catalog"].clone();
    let first = running();

    // An error is reported once, and the catalog before it stays.
    setup.edit("version: 1\ntags:\n  busy: { when: nothing >= 1 }\n");
    service.until("the error", |service| service.log().contains("nothing"));
    assert_eq!(running(), first);

    setup.edit(&CATALOG.replace("n >= 2", "n >= 5"));
    service.until("the new catalog", |_| running() != first);
    service.says("is in force");
}
