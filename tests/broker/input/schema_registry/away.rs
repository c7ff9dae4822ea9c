//! A topic in Avro: its registry goes away and comes back, an id that it does not know is a dead letter, and what the tools
//! read in the topic is the same.

use serde_json::json;

use crate::fixture::broker;
use crate::fixture::client::{Write, committed, produce, read_all};
use crate::fixture::now_ms;
use crate::support::exposition::parse;
use crate::support::http_client::get;
use crate::support::registry::{Mood, Registry};
use crate::support::service::{Service, Setup, text};

const CATALOG: &str = "version: 1\n\
    entities: { shop: { key: /properties/shop } }\n\
    counters:\n  spent: { sum: properties.amount, on: bought }\n  n: { count: bought, entity: shop }\n\
    tags:\n  total: { value: spent }\n  sold: { value: n, entity: shop }\n";

const SCHEMA: &str = r#"{"type":"record","name":"Bought","namespace":"shop","fields":[
    {"name":"user_id","type":"long"},{"name":"type","type":"string"},
    {"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"properties","type":{"type":"record","name":"P","fields":[
        {"name":"shop","type":["null","string"]},
        {"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}}]}}]}"#;

/// An integer in zigzag encoding.
fn long(value: i64) -> Vec<u8> {
    let mut rest = (value << 1 ^ value >> 63) as u64;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// Something bought for `cents`, which are less than 128.
fn bought(id: u32, user: i64, at: i64, cents: u8) -> Write {
    let head = [&[0][..], &id.to_be_bytes()].concat();
    let shop = [long(1), long(1), b"s".to_vec()].concat();
    let value = [head, long(user), long(6), b"bought".to_vec(), long(at), shop, long(1), vec![cents]].concat();
    Write { partition: 0, key: None, value: Some(value), headers: Vec::new() }
}

/// The same with its schema's GUID in a header, and without what stands before its payload.
fn in_header(guid: u128, write: Write) -> Write {
    let value = write.value.map(|value| value[5..].to_vec());
    let header = [&[1][..], &guid.to_be_bytes()].concat();
    Write { value, headers: vec![("__value_schema_id", header)], ..write }
}

/// The latest value of a tag of an entity.
fn latest(setup: &Setup, entity: &str, key: &str) -> serde_json::Value {
    let changes = read_all(broker::shared(), &setup.topic("changes"));
    let of = |change: &serde_json::Value| change["entity"] == entity && change["key"] == key;
    let last = changes.iter().map(|change| change.json()).rfind(of);
    last.map_or(serde_json::Value::Null, |change| change["value"].clone())
}

#[test]
fn a_registry_that_is_away_holds_its_partition_up_and_loses_nothing() {
    let (broker, registry) = (broker::shared(), Registry::start());
    registry.add(1, None, SCHEMA, &json!([]));
    let setup = Setup::on("avro", broker, CATALOG)
        .with("service.idle_grace=1s")
        .with("http.listen=127.0.0.1:0")
        .with("input.format=confluent")
        .with(&format!("schema_registry.url={}", registry.url()));
    setup.create_topics(1);
    let (topic, start) = (setup.topic("events"), now_ms() - 60_000);
    let letters = || read_all(broker, "avro-dead-letter");
    // Known, unknown, and JSON as a command is.
    let json =
        format!(r#"{{"user_id":7,"type":"bought","timestamp":{},"properties":{{"shop":"s","amount":1}}}}"#, start + 2);
    let json = Write { partition: 0, key: None, value: Some(json.into_bytes()), headers: Vec::new() };
    produce(broker, &topic, [bought(1, 7, start, 50), bought(9, 7, start + 1, 50), json]);
    let mut service = setup.start();
    service.until("the first events", |_| latest(&setup, "user", "7") == json!(1.5) && letters().len() == 1);
    let letter = &letters()[0];
    assert_eq!(letter.header("tagstream-reason").as_deref(), Some("unknown_schema"));
    let detail = letter.header("tagstream-detail").expect("a detail");
    assert_eq!(detail, "the schema registry has no schema with the id 9");
    assert_eq!(letter.value, bought(9, 7, start + 1, 50).value);

    // Away, with a schema that is not known yet: what can be read is read, and then nothing.
    registry.set_mood(Mood::Away);
    registry.add(2, None, SCHEMA, &json!([]));
    produce(broker, &topic, [bought(1, 7, start + 3, 25), bought(2, 7, start + 4, 100), bought(1, 7, start + 5, 1)]);
    service.says("partition 0 of avro-events has waited for the schema with the id 2 for");
    let address = service.http_address();
    let seconds = |_: &Service| {
        let page = parse(&get(address, "/metrics").body);
        page.of("tagstream_schema_wait_seconds").iter().any(|(_, seconds)| *seconds >= 5.0)
    };
    service.until("the metric", seconds);
    let ready = get(address, "/readyz");
    assert_eq!(ready.status, 503);
    assert!(
        ready.body.contains("partition 0 of avro-events has waited for the schema with the id 2"),
        "{}",
        ready.body
    );
    assert_eq!((latest(&setup, "user", "7"), committed(broker, "avro", &topic)), (json!(1.75), vec![Some(4)]));

    registry.set_mood(Mood::Answers);
    service.says("partition 0 of avro-events goes on: it has waited for the schema with the id 2");
    service.until("the rest", |_| latest(&setup, "user", "7") == json!(2.76));
    service.until("the shop's", |_| latest(&setup, "shop", "s") == json!(5));
    service.until("readiness", |_| get(address, "/readyz").status == 200);

    // The newer way: a header names the schema by its GUID, and the value is the payload alone.
    registry.add_guid("89791762-2336-4186-9674-299b90a802e2", None, SCHEMA);
    produce(broker, &topic, [in_header(0x8979_1762_2336_4186_9674_299b_90a8_02e2, bought(0, 7, start + 6, 10))]);
    service.until("what a header names", |_| latest(&setup, "user", "7") == json!(2.86));
    service.until("the shop's", |_| latest(&setup, "shop", "s") == json!(6));
    service.stop();
    assert_eq!((letters().len(), committed(broker, "avro", &topic)), (1, vec![Some(7)]));

    let output = setup.output(&["explain", "catalog.yaml", "--key", "7", "--from-topic"]);
    assert!(output.status.success() && text(&output).contains("total: 2.86"), "{}", text(&output));
}
