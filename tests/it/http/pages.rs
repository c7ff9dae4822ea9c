//! The pages, over a socket, from a monitor that hears what a worker would say.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tagstream::catalog;
use tagstream::codec::SchemaKey;
use tagstream::engine::CompiledCatalog;
use tagstream::http::{CatalogErrors, Controls, Monitor, ReloadError, Reloaded, Server};
use tagstream::kafka::{
    CatalogRollout, Clock, Occurrence, PartitionStatus, ProducerReset, RunningFigures, WorkStats, WorkerEvent,
    WorkerId, WorkerStats,
};
use tagstream::model::{ChangeType, Timestamp};
use tagstream::settings::MaxChange;
use tagstream::telemetry::DroppedLines;

use crate::support::exposition::parse;
use crate::support::http_client::{ask, ask_with, get, post};

const NOW_MS: i64 = 1_760_000_000_000;
const ONE: WorkerId = WorkerId(0);

fn anywhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn programs() -> Arc<CompiledCatalog> {
    let text = "version: 1\n\
        attributes:\n  spend: { type: number }\n\
        counters:\n  n: { count: \"*\" }\n  paid: { sum: properties.amount, on: \"*\" }\n\
        tags:\n  some: { when: n >= 1 }\n  rich: { when: paid > 5 }\n";
    let text = text.replace("attributes:\n  spend: { type: number }\n", "");
    CompiledCatalog::new(catalog::load(&text).catalog.expect("a catalog"))
}

/// Of a service whose catalog file is always the same.
fn controls() -> Controls {
    let rollout = Arc::new(CatalogRollout::new(programs(), 1, MaxChange::Share(0.2), false, Arc::new(|_| ())));
    Controls { rollout, reload: Arc::new(|| Ok(Reloaded::Unchanged { fingerprint: "1f".to_owned() })) }
}

fn start() -> (Arc<Monitor>, Server) {
    let clock = Clock::new(|| Timestamp::from_ms(NOW_MS));
    let monitor = Arc::new(Monitor::new(controls().rollout, 1, clock, DroppedLines::default()));
    let server = Server::start(anywhere(), Arc::clone(&monitor), controls()).expect("a port");
    (monitor, server)
}

fn counts(events: u64, added: u64) -> WorkerStats {
    let mut work = WorkStats { records: events + 3, events, tombstones: 1, timers: 4, ..WorkStats::default() };
    work.rejected.insert("not_json", 2);
    work.heard.insert("paid".into(), 9);
    work.passed.insert("paid".into(), 7);
    work.skipped.insert("paid".into(), 6);
    work.misfits.insert("city".into(), 5);
    (0..added).for_each(|_| work.changes.count("some", ChangeType::Added));
    WorkerStats { work, commits: 1, aborts: 0 }
}

fn committed(counts: WorkerStats) -> WorkerEvent {
    Occurrence::Committed { took: Duration::from_millis(30), counts }.of(ONE)
}

fn stands(lag: Option<u64>) -> WorkerEvent {
    let clock = Some(Timestamp::from_ms(NOW_MS - 2_500));
    let figures = RunningFigures {
        committed: Some(42),
        lag,
        held_for: Some(Duration::from_secs(8)),
        clock,
        unreadable_from: None,
        schema_wait: Some((SchemaKey::Id(7), Duration::from_secs(3))),
        entities: 5,
        waiting_bytes: Some(70),
        state_bytes: 600,
    };
    Occurrence::Status { held: false, partitions: vec![(7.into(), PartitionStatus::Running(figures))] }.of(ONE)
}

#[test]
fn a_page_of_metrics_says_what_was_committed() {
    let (monitor, server) = start();
    let page = || {
        let answer = get(server.address(), "/metrics");
        assert_eq!(answer.status, 200);
        assert!(answer.headers.contains("content-type: text/plain; version=0.0.4"), "{}", answer.headers);
        parse(&answer.body)
    };
    let before = page();
    assert_eq!(before.value("tagstream_tag_changes_total{change=\"added\",tag=\"some\"}"), 0.0);
    assert_eq!(before.value("tagstream_records_rejected_total{reason=\"too_old\"}"), 0.0);
    assert_eq!(before.value("tagstream_ready"), 0.0);
    assert!(before.of("tagstream_consumer_lag_records").is_empty());
    assert!(before.value("process_resident_memory_bytes") > 0.0);

    monitor.observe(&Occurrence::Reached { input: "events".to_owned(), partitions: 8 }.of_process());
    monitor.observe(&Occurrence::Started.of(ONE));
    monitor.observe(&Occurrence::Assigned { partitions: vec![7.into()] }.of(ONE));
    assert_eq!(page().value("tagstream_partitions{state=\"starting\"}"), 1.0);
    let took = Duration::from_secs(3);
    monitor.observe(
        &Occurrence::Restored { partition: 7.into(), entities: 4, bytes: 500, snapshot_bytes: None, foreign: 0, took }
            .of(ONE),
    );
    monitor.observe(&committed(counts(10, 3)));
    monitor.observe(&committed(counts(12, 4)));
    monitor.observe(&Occurrence::ProducerReset { why: ProducerReset::SlowCommit }.of(ONE));
    monitor.observe(&Occurrence::Aborted { why: String::new(), retry_in: Duration::ZERO }.of(ONE));
    monitor.observe(&Occurrence::DoubtResolved { committed: 1, open: 0, elsewhere: 0 }.of(ONE));
    monitor.observe(&Occurrence::Outage { silent_for: Duration::ZERO }.of_process());
    monitor.observe(&stands(Some(9)));
    let page_after = page();
    let expected = [
        ("tagstream_events_total", 12.0),
        ("tagstream_tombstones_total", 1.0),
        ("tagstream_timers_fired_total", 4.0),
        ("tagstream_records_rejected_total{reason=\"not_json\"}", 2.0),
        ("tagstream_tag_changes_total{change=\"added\",tag=\"some\"}", 4.0),
        ("tagstream_tag_changes_total{change=\"removed\",tag=\"rich\"}", 0.0),
        ("tagstream_counter_events_total{counter=\"n\"}", 0.0),
        ("tagstream_counter_events_total{counter=\"paid\"}", 9.0),
        ("tagstream_counter_passed_total{counter=\"paid\"}", 7.0),
        ("tagstream_skipped_values_total{counter=\"n\"}", 0.0),
        ("tagstream_skipped_values_total{counter=\"paid\"}", 6.0),
        ("tagstream_misfit_values_total{attribute=\"city\"}", 5.0),
        ("tagstream_transactions_total{outcome=\"committed\"}", 2.0),
        ("tagstream_transactions_total{outcome=\"aborted\"}", 1.0),
        ("tagstream_transactions_total{outcome=\"doubt_committed\"}", 1.0),
        ("tagstream_producers_recycled_total{reason=\"slow_commit\"}", 1.0),
        ("tagstream_rebalances_total{kind=\"assigned\"}", 1.0),
        ("tagstream_commit_duration_seconds_count", 2.0),
        ("tagstream_restore_duration_seconds_sum", 3.0),
        ("tagstream_restored_entities_total", 4.0),
        ("tagstream_restored_bytes_total", 500.0),
        ("tagstream_consumer_lag_records{partition=\"7\"}", 9.0),
        ("tagstream_clock_delay_seconds{partition=\"7\"}", 2.5),
        ("tagstream_committed_offset{partition=\"7\"}", 42.0),
        ("tagstream_entities{partition=\"7\"}", 5.0),
        ("tagstream_state_bytes{partition=\"7\"}", 600.0),
        ("tagstream_waiting_bytes{partition=\"7\"}", 70.0),
        ("tagstream_open_transaction_seconds{partition=\"7\"}", 8.0),
        ("tagstream_schema_wait_seconds{partition=\"7\"}", 3.0),
        ("tagstream_partitions{state=\"running\"}", 1.0),
        ("tagstream_outage", 1.0),
        ("tagstream_ready", 1.0),
    ];
    for (series, value) in expected {
        assert_eq!(page_after.value(series), value, "{series}");
    }

    // A moment's silence of the brokers makes no gap.
    monitor.observe(&stands(None));
    assert_eq!(page().value("tagstream_consumer_lag_records{partition=\"7\"}"), 9.0);
    monitor.observe(&Occurrence::Revoked { partitions: vec![7.into()], lost: true }.of(ONE));
    let last = page();
    for name in ["consumer_lag_records", "clock_delay_seconds", "committed_offset", "entities", "state_bytes"] {
        assert!(last.of(&format!("tagstream_{name}")).is_empty(), "{name} of a partition that was given up");
    }
    assert_eq!(last.value("tagstream_rebalances_total{kind=\"lost\"}"), 1.0);
    assert_eq!(last.value("tagstream_events_total"), 12.0);
}

#[test]
fn the_probes_say_why() {
    let (monitor, server) = start();
    let alive = get(server.address(), "/livez");
    assert_eq!((alive.status, alive.body.as_str()), (200, "ok\n"));
    let waiting = get(server.address(), "/readyz");
    assert_eq!((waiting.status, waiting.body.as_str()), (503, "no broker has answered yet\n"));
    monitor.observe(&Occurrence::Reached { input: "events".to_owned(), partitions: 8 }.of_process());
    let waiting = get(server.address(), "/readyz");
    assert_eq!((waiting.status, waiting.body.as_str()), (503, "worker 0 has not started\n"));
    monitor.observe(&Occurrence::Started.of(ONE));
    monitor.observe(&Occurrence::Assigned { partitions: Vec::new() }.of(ONE));
    assert_eq!(get(server.address(), "/readyz").status, 200);
}

#[test]
fn other_paths_and_methods_are_refused() {
    let (_monitor, server) = start();
    assert_eq!(get(server.address(), "/").status, 404);
    assert_eq!(get(server.address(), "/metrics/x").status, 404);
    assert_eq!(ask(server.address(), "POST", "/metrics").expect("an answer").status, 405);
}

#[test]
fn slow_clients_and_nonsense_keep_no_other_client_out() {
    let begun = Instant::now();
    let (_monitor, server) = start();
    let connect = || TcpStream::connect(server.address()).expect("a connection");
    // More than there are seats: some say nothing, some half a word.
    let mut idle: Vec<TcpStream> = (0..300).map(|_| connect()).collect();
    for stream in idle.iter_mut().step_by(2) {
        stream.write_all(b"GET /metr").expect("a write");
    }
    connect().write_all(&[0xff; 10_000]).expect("a write");
    for page in ["/livez", "/metrics", "/v1/catalog"] {
        assert_eq!(get(server.address(), page).status, 200);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "a page waits until slow clients are sent away: {:?}",
        begun.elapsed()
    );
    // Those who came first were sent away.
    let mut end = Vec::new();
    let read = idle[1].read_to_end(&mut end);
    assert!(read.is_ok() || read.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
}

#[test]
fn a_port_that_is_taken_is_named_and_one_that_was_left_is_free() {
    let (monitor, server) = start();
    let address = server.address();
    let error = Server::start(address, Arc::clone(&monitor), controls()).err().expect("the port is taken").to_string();
    assert!(error.contains(&format!("cannot listen at http.listen = {address}")), "{error}");
    drop(server);
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while Server::start(address, Arc::clone(&monitor), controls()).is_err() {
        assert!(std::time::Instant::now() < deadline, "a server that was dropped goes on");
        std::thread::yield_now();
    }
}

#[test]
fn a_reload_says_what_came_of_it() {
    let problem = json!({ "severity": "error", "line": 3 });
    let errors = CatalogErrors { report: "3: an error".to_owned(), problems: vec![problem.clone()] };
    let error = "the catalog has errors; the running catalog stays in force";
    let [unchanged, proposed] = ["1f", "2e"].map(str::to_owned);
    let rows = [
        (
            Ok(Reloaded::Unchanged { fingerprint: unchanged }),
            200,
            json!({ "result": "catalog 1f computes the same as the running one" }),
        ),
        (
            Ok(Reloaded::Proposed { fingerprint: proposed }),
            202,
            json!({ "result": "the impact of catalog 2e is computed, then it takes effect" }),
        ),
        (Err(ReloadError::Catalog(errors)), 422, json!({ "error": error, "problems": [problem] })),
    ];
    for (outcome, status, body) in rows {
        let (monitor, _server) = start();
        let controls = Controls { reload: Arc::new(move || outcome.clone()), ..controls() };
        let server = Server::start(anywhere(), monitor, controls).expect("a port");
        let answer = post(server.address(), "/v1/catalog/reload");
        assert_eq!(answer.status, status);
        assert_eq!(serde_json::from_str::<Value>(&answer.body).expect("JSON"), body);
    }
}

#[test]
fn only_what_is_said_is_approved() {
    let (_monitor, server) = start();
    let rows = [
        ("?all=true", 200, "approved"),
        ("?tag=some", 404, "no change of a tag `some` waits"),
        ("?tag=some&tag=rich", 404, "no change of a tag `some` waits"),
        ("", 400, "?all=true"),
        ("?", 400, "?all=true"),
        ("?tags=some", 400, "no parameter `tags`"),
        ("?all=true&force=1", 400, "no parameter `force`"),
        ("?all=true&tag=some", 400, "exclude each other"),
        ("?all=1", 400, "all=1 means nothing"),
        ("?all", 400, "all= means nothing"),
        ("?tag=", 400, "tag has no name"),
    ];
    for (query, status, words) in rows {
        let answer = post(server.address(), &format!("/v1/catalog/approve{query}"));
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
        assert!(answer.body.contains(words), "{query}: {}", answer.body);
    }
    let answer = post(server.address(), "/v1/catalog/reload?now=1");
    assert_eq!(answer.status, 400, "{}", answer.body);
}

#[test]
fn no_web_page_can_reload_or_approve() {
    let (_monitor, server) = start();
    let mark = "X-Tagstream: 1";
    let rows: [(&[&str], u16); 15] = [
        (&["Host: 127.0.0.1:8080", mark], 200),
        (&["Host: [::1]:8080", mark], 200),
        (&["Host: localhost:8080", mark], 200),
        (&["Host: tagstream-0", mark], 200),
        (&["Host: tagstream.shop.svc:8080", mark], 200),
        (&["Host: tagstream.shop.svc.cluster.local", mark], 200),
        (&["Host: localhost", "Content-Type: application/json; charset=utf-8"], 200),
        // What a form or a script of a page can send without asking.
        (&["Host: localhost"], 403),
        (&["Host: localhost", "Content-Type: text/plain"], 403),
        (&["Host: localhost", "Content-Type: text/plain; application/json"], 403),
        (&["Host: localhost", mark, "Origin: http://evil.example"], 403),
        (&["Host: localhost", mark, "Origin: null"], 403),
        // A name that its owner points at this machine.
        (&["Host: evil.example:8080", mark], 403),
        (&["Host: 127.0.0.1.evil.example", mark], 403),
        (&["Host: ", mark], 403),
    ];
    for path in ["/v1/catalog/reload", "/v1/catalog/approve?all=true"] {
        for (headers, status) in rows {
            let answer = ask_with(server.address(), "POST", path, headers).expect("an answer");
            assert_eq!(answer.status, status, "{path} {headers:?}: {}", answer.body);
        }
    }
    // Reading asks for nothing.
    assert_eq!(
        ask_with(server.address(), "GET", "/v1/catalog", &["Host: evil.example"]).expect("an answer").status,
        200
    );
}
