//! What an operator sees of a running service: its probes, and metrics that agree with what went in.

use std::net::SocketAddr;

use crate::fixture::broker::{self, Broker};
use crate::fixture::client::{Write, produce, read_all};
use crate::fixture::now_ms;
use crate::support::exposition::{Page, parse};
use crate::support::http_client::get;
use crate::support::service::Setup;

const CATALOG: &str = "version: 1\n\
    counters:\n  n: { count: \"*\" }\n  paid: { sum: properties.amount, on: \"*\" }\n\
    tags:\n  seen: { value: n }\n  regular: { when: n >= 3 }\n  rich: { when: paid > 100 }\n";

fn event(user: usize, at_ms: i64) -> String {
    format!(r#"{{"user_id":"u{user}","type":"click","timestamp":{at_ms}}}"#)
}

fn metrics(address: SocketAddr) -> Page {
    let answer = get(address, "/metrics");
    assert!(answer.headers.contains("content-type: text/plain; version=0.0.4"), "{}", answer.headers);
    parse(&answer.body)
}

/// Tag changes of all tags and kinds.
fn changes(page: &Page) -> f64 {
    page.of("tagstream_tag_changes_total").iter().map(|(_, count)| count).sum()
}

#[test]
fn metrics_of_a_running_service_agree_with_what_went_in() {
    let broker = broker::shared();
    let setup = Setup::on("metrics", broker, CATALOG)
        .with("http.listen=127.0.0.1:0")
        .with("service.workers=3")
        .with("service.idle_grace=1d");
    setup.create_topics(2);
    let mut service = setup.start();
    let address = service.http_address();
    // One worker of three has no partition, and that is all right.
    service.until("readiness", |_| get(address, "/readyz").status == 200);
    let now_ms = now_ms();
    let mut records = Vec::new();
    for n in 0..600 {
        let (user, partition) = (n % 20, (n % 2) as i32);
        records.push(Write::event(partition, "", event(user, now_ms - 60_000 + n as i64)));
        if n % 10 == 0 {
            records.push(Write::event(partition, "", "no event"));
        }
        if n % 100 == 0 {
            records.push(Write { value: None, ..Write::event(partition, "", "") });
        }
    }
    produce(broker, &setup.topic("events"), records);
    service.until("all to be committed", |_| metrics(address).value("tagstream_events_total") >= 600.0);
    service.until("the workers to say that nothing is left", |_| {
        let page = metrics(address);
        let of = |name: &str, partition: u32| page.find(&format!("tagstream_{name}{{partition=\"{partition}\"}}"));
        let stands = |partition, offset| {
            of("committed_offset", partition) == Some(offset) && of("consumer_lag_records", partition) == Some(0.0)
        };
        stands(0, 366.0) && stands(1, 300.0)
    });
    let page = metrics(address);
    let expected = [
        ("tagstream_events_total", 600.0),
        ("tagstream_records_rejected_total{reason=\"not_json\"}", 60.0),
        ("tagstream_tombstones_total", 6.0),
        // Of 20 users with 30 events each.
        ("tagstream_tag_changes_total{change=\"added\",tag=\"seen\"}", 20.0),
        ("tagstream_tag_changes_total{change=\"changed\",tag=\"seen\"}", 580.0),
        ("tagstream_tag_changes_total{change=\"added\",tag=\"regular\"}", 20.0),
        ("tagstream_tag_changes_total{change=\"added\",tag=\"rich\"}", 0.0),
        ("tagstream_skipped_values_total{counter=\"paid\"}", 600.0),
        ("tagstream_entities{partition=\"0\"}", 10.0),
        ("tagstream_partitions{state=\"running\"}", 2.0),
        ("tagstream_partitions{state=\"starting\"}", 0.0),
        ("tagstream_ready", 1.0),
        ("tagstream_outage", 0.0),
    ];
    for (series, value) in expected {
        assert_eq!(page.value(series), value, "{series}");
    }
    assert_eq!(changes(&page), read_all(broker, &setup.topic("changes")).len() as f64);
    // At least: one that started first may have had both for a moment.
    assert!(page.value("tagstream_restore_duration_seconds_count") >= 2.0);
    let commits = page.value("tagstream_transactions_total{outcome=\"committed\"}");
    assert!(commits >= 1.0);
    assert_eq!(page.value("tagstream_commit_duration_seconds_count"), commits);
    assert!(page.value("tagstream_clock_delay_seconds{partition=\"0\"}") >= 59.0);
    assert!(page.value("tagstream_state_bytes{partition=\"1\"}") > 0.0);
    assert_eq!(get(address, "/livez").status, 200);
    service.stop();
}

#[test]
fn a_worker_says_what_of_the_catalog_never_comes() {
    let catalog = "version: 1\n\
        counters:\n  views: { count: Click }\n  large: { count: click, where: properties.amount > 25 }\n\
        tags:\n  seen: { when: views >= 1 }\n  spends: { when: large >= 1 }\n";
    let broker = broker::shared();
    let setup = Setup::on("mismatch", broker, catalog).with("http.listen=127.0.0.1:0");
    setup.create_topics(1);
    let mut service = setup.start();
    let address = service.http_address();
    let at_ms = now_ms() - 60_000;
    let record = |n: i64| {
        let at_ms = at_ms + n;
        let properties = r#"{"amount":"30"}"#;
        let value = format!(r#"{{"user_id":"u","type":"click","timestamp":{at_ms},"properties":{properties}}}"#);
        Write::event(0, "", value)
    };
    produce(broker, &setup.topic("events"), (0..9_999).map(record));
    service.until("all to be committed", |_| metrics(address).value("tagstream_events_total") >= 9_999.0);
    assert!(!service.log().contains("no event"), "{}", service.log());
    produce(broker, &setup.topic("events"), [record(9_999)]);
    service.says("counter views: no event had the type `Click`; there was `click`");
    service.says(
        "counter large: no event of its types passed its `where`: `properties.amount > 25`: \
         a text in 10000 of 10000 events, such as \\\"30\\\"; see numbers_in_text",
    );
    let page = metrics(address);
    assert_eq!(page.value("tagstream_counter_events_total{counter=\"views\"}"), 0.0);
    assert_eq!(page.value("tagstream_counter_passed_total{counter=\"large\"}"), 0.0);
    assert!(page.value("tagstream_counter_events_total{counter=\"large\"}") >= 9_999.0);
    service.stop();
}

#[test]
fn without_brokers_it_lives_and_is_not_ready() {
    let mut broker = Broker::start();
    let setup = Setup::on("probes", &broker, CATALOG).with("http.listen=127.0.0.1:0");
    setup.create_topics(1);
    broker.kill();
    let mut service = setup.start();
    let address = service.http_address();
    service.says("no answer from the brokers");
    assert_eq!(get(address, "/livez").status, 200);
    let waiting = get(address, "/readyz");
    assert_eq!(waiting.status, 503);
    assert!(waiting.body.contains("no answer from the brokers at 127.0.0.1"), "{}", waiting.body);
    broker.revive();
    service.until("readiness", |_| get(address, "/readyz").status == 200);
    // Where it starts is committed: after that, nothing but the end of the input is asked for.
    service.until("a commit", |_| metrics(address).find("tagstream_committed_offset{partition=\"0\"}").is_some());
    broker.kill();
    service.until("unreadiness", |_| get(address, "/readyz").status == 503);
    let silent = get(address, "/readyz");
    assert!(silent.body.contains("worker 0: no answer from the brokers for"), "{}", silent.body);
    assert_eq!(get(address, "/livez").status, 200);
    assert!(metrics(address).of("tagstream_consumer_lag_records").is_empty(), "the lag is not known now");
    broker.revive();
    service.until("readiness again", |_| get(address, "/readyz").status == 200);

    // What is sent again, or was in doubt, counts once.
    let at_ms = now_ms();
    let records = (0..300).map(|n| Write::event(0, "", event(n % 20, at_ms + n as i64)));
    produce(&broker, &setup.topic("events"), records);
    broker.kill();
    broker.revive();
    service.until("all to be committed", |_| metrics(address).value("tagstream_events_total") >= 300.0);
    let page = metrics(address);
    assert_eq!(page.value("tagstream_events_total"), 300.0);
    assert_eq!(changes(&page), read_all(&broker, &setup.topic("changes")).len() as f64);
    service.stop();
}
