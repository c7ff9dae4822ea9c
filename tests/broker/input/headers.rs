//! Headers of records: CloudEvents in both modes, and keys in headers, also in merged partitions and in `--from-topic`.

use std::collections::BTreeMap;

use crate::fixture::broker;
use crate::fixture::client::{Write, produce, read_all};
use crate::fixture::now_ms;
use crate::support::service::{Setup, text};
use tagstream::model::Timestamp;

const CATALOG: &str = "version: 1\n\
    input: { preset: cloudevents, key: [/subject, $header.tenant-user] }\n\
    entities: { shop: { key: /data/shop } }\n\
    counters:\n  n: { count: bought }\n  spent: { sum: properties.amount, on: bought, entity: shop }\n\
    tags:\n  bought: { value: n }\n  turnover: { value: spent, entity: shop }\n";

/// What each tag ends with, by entity and key.
fn last_values(lines: impl Iterator<Item = serde_json::Value>) -> BTreeMap<String, serde_json::Value> {
    lines.map(|change| (format!("{} {}", change["entity"], change["key"]), change["value"].clone())).collect()
}

#[test]
fn cloud_events_of_both_modes_count_alike() {
    let broker = broker::shared();
    let setup = Setup::on("headers", broker, CATALOG).with("service.idle_grace=1s");
    setup.create_topics(2);
    let at = now_ms() - 60_000;
    let time = |n: i64| Timestamp::from_ms(at + n).to_string();
    let writes = (0..60_i64).map(|n| {
        let data = format!(r#"{{"shop":"s-{}","amount":{n}}}"#, n % 2);
        let binary = |name: &'static str, value: String| (name, value.into_bytes());
        let (value, headers) = match n % 3 {
            0 => {
                let value = format!(
                    r#"{{"specversion":"1.0","id":"{n}","source":"/s","type":"bought","subject":"u-1","time":"{}","data":{data}}}"#,
                    time(n)
                );
                (value, vec![binary("content-type", "application/cloudevents+json".to_owned())])
            }
            rest => {
                let subject = if rest == 1 { "ce_subject" } else { "tenant-user" };
                let headers = [
                    binary("ce_specversion", "1.0".to_owned()),
                    binary("ce_id", n.to_string()),
                    binary("ce_source", "/s".to_owned()),
                    binary("ce_type", "bought".to_owned()),
                    binary("ce_time", time(n)),
                    binary(subject, format!("u-{}", rest + 1)),
                ];
                (data, headers.to_vec())
            }
        };
        Write { partition: (n % 3 % 2) as i32, key: None, value: Some(value.into_bytes()), headers }
    });
    produce(broker, &setup.topic("events"), writes.collect::<Vec<_>>());
    let mut service = setup.start();
    let expected: BTreeMap<String, serde_json::Value> = [
        (r#""user" "u-1""#, 20),
        (r#""user" "u-2""#, 20),
        (r#""user" "u-3""#, 20),
        (r#""shop" "s-0""#, (0..60).step_by(2).sum()),
        (r#""shop" "s-1""#, (1..60).step_by(2).sum()),
    ]
    .map(|(key, value)| (key.to_owned(), serde_json::json!(value)))
    .into();
    let changes = || last_values(read_all(broker, &setup.topic("changes")).iter().map(|change| change.json()));
    service.until("all events are counted", |_| changes() == expected);
    service.stop();

    // The tools see the same in the topic.
    let output = setup.output(&["explain", "catalog.yaml", "--key", "u-3", "--from-topic"]);
    assert!(output.status.success() && text(&output).contains("bought: 20"), "{}", text(&output));
    let output = setup.output(&["diff", "catalog.yaml", "catalog.yaml", "--from-topic", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found["entities"], 5, "{}", text(&output));
    assert!(!text(&output).contains("rejected"), "{}", text(&output));
}
