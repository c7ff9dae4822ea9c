//! Avro, JSON Schema and Protobuf in one topic: written by Confluent's serializers, with schemas of a registry that is not
//! ours.

use std::collections::BTreeMap;

use serde_json::json;

use super::apicurio;
use super::senders::{Bought, send};
use crate::fixture::broker;
use crate::fixture::client::{Write, produce, read_all};
use crate::fixture::now_ms;
use crate::support::service::{Setup, text};

const CATALOG: &str = "version: 1\n\
    counters:\n  spent: { sum: properties.amount, on: bought }\n\
    attributes:\n  currency: { from: bought, value: properties.currency }\n\
    tags:\n  total: { value: spent }\n  paid_in: { value: currency }\n";

#[test]
fn what_others_have_registered_and_written_is_read() {
    let broker = broker::shared();
    let setup = Setup::on("wire-formats", broker, CATALOG)
        .with("input.format=confluent")
        .with(&format!("schema_registry.url={}", apicurio::shared()));
    setup.create_topics(2);
    let (topic, start) = (setup.topic("events"), now_ms() - 60_000);
    let mut events = Vec::new();
    for (index, format) in ["avro-1", "avro-2", "json", "protobuf"].into_iter().enumerate() {
        for (nth, amount) in ["19.90", "-0.01", "1000000.11"].into_iter().enumerate() {
            let at = start + (index * 10 + nth) as i64;
            let partition = index as i32 % 2;
            events.push(Bought { format, partition, user: format.to_owned(), at, amount: amount.to_owned() });
        }
    }
    send(&topic, events);
    // The registry itself says that it has no such schema.
    let unknown = Write { value: Some(vec![0, 0x7f, 0, 0, 1, 2]), ..Write::default() };
    produce(broker, &topic, [unknown]);
    let changes = || read_all(broker, &setup.topic("changes")).iter().map(|change| change.json()).collect::<Vec<_>>();
    let letters = || read_all(broker, "wire-formats-dead-letter");
    let mut service = setup.start();
    service.until("all events", |_| changes().len() == 13 && letters().len() == 1);
    service.stop();

    let mut totals: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for change in changes().iter().filter(|change| change["tag"] == "total") {
        totals.entry(change["key"].as_str().expect("a key").to_owned()).or_default().push(change["value"].clone());
    }
    let expected = vec![json!(19.9), json!(19.89), json!(1_000_020)];
    for format in ["avro-1", "avro-2", "json", "protobuf"] {
        assert_eq!(totals.get(format), Some(&expected), "{format}");
    }
    // What only the second version has.
    let of_currency: Vec<_> = changes().into_iter().filter(|change| change["tag"] == "paid_in").collect();
    assert_eq!(of_currency.len(), 1);
    assert_eq!((&of_currency[0]["key"], &of_currency[0]["value"]), (&json!("avro-2"), &json!("EUR")));
    let letter = &letters()[0];
    assert_eq!(letter.header("tagstream-reason").as_deref(), Some("unknown_schema"));
    let detail = format!("the schema registry has no schema with the id {}", 0x7f00_0001);
    assert_eq!(letter.header("tagstream-detail"), Some(detail));

    let output = setup.output(&["explain", "catalog.yaml", "--key", "protobuf", "--from-topic"]);
    assert!(output.status.success() && text(&output).contains("total: 1000020"), "{}", text(&output));
}
