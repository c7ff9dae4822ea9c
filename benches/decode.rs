//! Decoding of events: nanoseconds a record, beside serde_json in the same run; and what payloads with schemas in a registry
//! take in place of JSON. `cargo bench --bench decode`

use serde::Deserialize;
use serde_json::Value;
use std::hint::black_box;
use std::time::Instant;
use tagstream::catalog::{
    Catalog, EntityKind, EventTypeRule, FieldRule, History, InputMapping, Pointer, PropertiesRule, RecordEnvelope,
    TimeUnit,
};
use tagstream::codec::Decoder;
use tagstream::model::{Event, Timestamp};
use tagstream::registry::{AvroSchema, MessagePlace, ProtobufSchema};

const RECORDS: usize = 4_000;
const PIECE: usize = 200;
const ROUNDS: usize = 60;
const NOW: Timestamp = Timestamp::from_ms(1_773_561_600_000);

/// What a careful program without a decoder of its own would read: borrowed where it can be.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by nobody, but the parser has to fill it")]
struct Borrowed<'a> {
    #[serde(borrow)]
    user_id: &'a str,
    r#type: &'a str,
    event: &'a str,
    timestamp: &'a str,
    message_id: &'a str,
    properties: Properties<'a>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Properties<'a> {
    #[serde(borrow)]
    category: &'a str,
    price: f64,
}

fn main() {
    beside_serde();
    with_schemas();
}

fn beside_serde() {
    let workloads =
        [("one producer", one_producer as fn(&mut fastrand::Rng) -> String), ("many producers", many_producers)];
    println!("ns a record, best of {ROUNDS} rounds\n");
    println!("| records | bytes | tagstream | serde_json, borrowed struct | serde_json::Value |");
    println!("| --- | --- | --- | --- | --- |");
    for (name, record) in workloads {
        let mut random = fastrand::Rng::with_seed(7);
        let records: Vec<Vec<u8>> = (0..RECORDS).map(|_| record(&mut random).into_bytes()).collect();
        let bytes = records.iter().map(Vec::len).sum::<usize>() / RECORDS;
        let mut decoder = Decoder::new(&catalog());
        let mut event = Event::default();
        let [ours, borrowed, value] = best(
            &records,
            &mut [
                &mut |record| decoder.decode(record, NOW, &mut event).expect("a good record"),
                &mut |record| _ = black_box(serde_json::from_slice::<Borrowed>(record).expect("a good record")),
                &mut |record| _ = black_box(serde_json::from_slice::<Value>(record).expect("a good record")),
            ],
        );
        let column = |ns: f64| format!("{ns:.0} ({:.1}×)", ns / ours);
        println!("| {name} | {bytes} | {ours:.0} | {} | {} |", column(borrowed), column(value));
    }
}

/// The same events in each encoding: to an event, by way of the JSON of the same value.
fn with_schemas() {
    let mut random = fastrand::Rng::with_seed(7);
    let views: Vec<View> = (0..RECORDS).map(|_| View::new(&mut random)).collect();
    let avro = AvroSchema::parse(AVRO, []).expect("a schema");
    let protobuf = ProtobufSchema::parse(PROTOBUF, []).expect("a schema");
    let from_avro: Rewrite = &|record, json| avro.write_json(record, json).expect("of the schema");
    let from_protobuf: Rewrite =
        &|record, json| protobuf.write_json(MessagePlace::InPayload, record, json).expect("of the schema");
    let encodings: [(&str, Encode, Option<Rewrite>); 3] = [
        ("JSON", |view| view.json().into_bytes(), None),
        ("Avro", View::avro, Some(from_avro)),
        ("Protobuf", View::protobuf, Some(from_protobuf)),
    ];
    println!("\n| encoding | bytes | ns a record | of it to JSON |\n| --- | --- | --- | --- |");
    let mut of_json = None;
    for (name, encode, rewrite) in encodings {
        let records: Vec<Vec<u8>> = views.iter().map(encode).collect();
        let bytes = records.iter().map(Vec::len).sum::<usize>() / RECORDS;
        let mut decoder = Decoder::new(&catalog());
        let (mut event, mut json, mut rewritten) = (Event::default(), Vec::new(), Vec::new());
        let [whole, rewriting] = best(
            &records,
            &mut [
                &mut |record| {
                    json.clear();
                    rewrite.iter().for_each(|rewrite| rewrite(record, &mut json));
                    let json = if rewrite.is_some() { &json } else { record };
                    decoder.decode(json, NOW, &mut event).expect("a good record");
                },
                &mut |record| {
                    rewritten.clear();
                    rewrite.iter().for_each(|rewrite| rewrite(record, &mut rewritten));
                },
            ],
        );
        let of_json = *of_json.get_or_insert(whole);
        let rewriting = if rewrite.is_some() { format!("{rewriting:.0}") } else { String::new() };
        println!("| {name} | {bytes} | {whole:.0} ({:.1}×) | {rewriting} |", whole / of_json);
    }
}

type Encode = fn(&View) -> Vec<u8>;

/// Appends the JSON of a payload.
type Rewrite<'a> = &'a dyn Fn(&[u8], &mut Vec<u8>);

/// What is done with each record.
type Work<'a> = &'a mut dyn FnMut(&[u8]);

/// Nanoseconds a record for each of the works.
///
/// They take turns, and each small piece of the records counts with its best round: what else runs on the machine then
/// disturbs all of them alike, and little.
fn best<const N: usize>(records: &[Vec<u8>], works: &mut [Work; N]) -> [f64; N] {
    let pieces = || records.chunks(PIECE);
    let mut seconds = [(); N].map(|()| vec![f64::INFINITY; pieces().len()]);
    for _ in 0..ROUNDS {
        for (work, seconds) in works.iter_mut().zip(&mut seconds) {
            for (piece, best) in pieces().zip(seconds) {
                let start = Instant::now();
                piece.iter().for_each(|record| work(black_box(record)));
                *best = best.min(start.elapsed().as_secs_f64());
            }
        }
    }
    seconds.map(|pieces| pieces.iter().sum::<f64>() * 1e9 / records.len() as f64)
}

/// A product that was viewed.
struct View {
    message: String,
    user: String,
    /// After 2026-03-15T07:59:00Z.
    ms: u32,
    category: &'static str,
    cents: u32,
    quantity: u32,
}

const AVRO: &str = r#"{"type":"record","name":"Track","fields":[
    {"name":"type","type":"string"},{"name":"messageId","type":"string"},{"name":"userId","type":"string"},
    {"name":"event","type":"string"},{"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"properties","type":{"type":"record","name":"Properties","fields":[
        {"name":"category","type":"string"},{"name":"price","type":"double"},{"name":"quantity","type":"int"}]}}]}"#;

const PROTOBUF: &str = r#"syntax = "proto3";
import "google/protobuf/timestamp.proto";
message Track {
  string type = 1; string messageId = 2; string userId = 3; string event = 4;
  google.protobuf.Timestamp timestamp = 5; Properties properties = 6;
}
message Properties { string category = 1; double price = 2; int32 quantity = 3; }
"#;

impl View {
    fn new(random: &mut fastrand::Rng) -> Self {
        View {
            message: format!("msg-{:016x}", random.u64(..)),
            user: format!("user-{:08}", random.u32(..10_000_000)),
            ms: random.u32(..60_000),
            category: ["boots", "yoga mats", "drinks"][random.usize(..3)],
            cents: random.u32(..50_000),
            quantity: random.u32(1..9),
        }
    }

    fn texts(&self) -> [&str; 4] {
        ["track", &self.message, &self.user, "Product Viewed"]
    }

    fn json(&self) -> String {
        let View { message, user, ms, category, cents, quantity } = self;
        let ((second, ms), (price, cents)) = ((ms / 1_000, ms % 1_000), (cents / 100, cents % 100));
        format!(
            r#"{{"type":"track","messageId":"{message}","userId":"{user}","event":"Product Viewed","timestamp":"2026-03-15T07:59:{second:02}.{ms:03}Z","properties":{{"category":"{category}","price":{price}.{cents:02},"quantity":{quantity}}}}}"#
        )
    }

    fn price(&self) -> [u8; 8] {
        (f64::from(self.cents) / 100.0).to_le_bytes()
    }

    fn avro(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let text = |text: &str, out: &mut Vec<u8>| {
            put_leb(2 * text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        };
        self.texts().iter().for_each(|of| text(of, &mut out));
        put_leb(2 * (MINUTE_MS + u64::from(self.ms)), &mut out);
        text(self.category, &mut out);
        out.extend_from_slice(&self.price());
        put_leb(2 * u64::from(self.quantity), &mut out);
        out
    }

    /// After the numbers by which the wire format names the message: 0 for the first one.
    fn protobuf(&self) -> Vec<u8> {
        let mut out = vec![0];
        self.texts().iter().zip(1..).for_each(|(text, number)| put_field(number, text.as_bytes(), &mut out));
        let mut time = vec![8];
        put_leb(MINUTE_MS / 1_000 + u64::from(self.ms / 1_000), &mut time);
        time.push(16);
        put_leb(u64::from(self.ms % 1_000) * 1_000_000, &mut time);
        put_field(5, &time, &mut out);
        let mut properties = Vec::new();
        put_field(1, self.category.as_bytes(), &mut properties);
        properties.push(2 << 3 | 1);
        properties.extend_from_slice(&self.price());
        properties.push(3 << 3);
        put_leb(u64::from(self.quantity), &mut properties);
        put_field(6, &properties, &mut out);
        out
    }
}

/// 2026-03-15T07:59:00Z
const MINUTE_MS: u64 = 1_773_561_540_000;

/// A field of Protobuf with a length.
fn put_field(number: u8, content: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    put_leb(content.len() as u64, out);
    out.extend_from_slice(content);
}

fn put_leb(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Records of one program: the same members in the same order, only the values differ.
fn one_producer(random: &mut fastrand::Rng) -> String {
    View::new(random).json()
}

/// The same with the members in any order, now and then with an escape or with spaces.
fn many_producers(random: &mut fastrand::Rng) -> String {
    let record = one_producer(random);
    let (envelope, properties) = record[1..].split_once(",\"properties\":").expect("properties come last");
    let mut members: Vec<String> = envelope.split(",\"").map(|m| format!("\"{}", m.trim_start_matches('"'))).collect();
    members.push(format!("\"properties\":{}", &properties[..properties.len() - 1]));
    random.shuffle(&mut members);
    let separator = if random.u32(..4) == 0 { ", " } else { "," };
    format!("{{{}}}", members.join(separator))
}

/// Segment's events, of which the catalog looks at two types and two properties.
fn catalog() -> Catalog {
    let pointer = |name: &str| Pointer(vec![name.into()]);
    let input = InputMapping {
        envelope: RecordEnvelope::Plain,
        key: FieldRule::of([pointer("userId"), pointer("anonymousId")]),
        event_type: EventTypeRule::Segment,
        time: FieldRule::of([pointer("timestamp")]),
        id: FieldRule::of([pointer("messageId")]),
        properties: PropertiesRule::Segment,
        time_unit: TimeUnit::Milliseconds,
        local_times: false,
        numbers_in_text: false,
        dedup_ms: None,
        dedup_limit: 10_000,
        max_future_ms: 300_000,
        max_event_bytes: 1 << 20,
        max_text: 1 << 10,
    };
    Catalog {
        fingerprint: 0,
        text: "".into(),
        timezone: jiff::tz::TimeZone::UTC,
        input,
        history: History::Complete,
        entities: vec![EntityKind { name: "user".into(), key: None, forget_after_ms: None }],
        command_paths: None,
        event_types: vec!["Product Viewed".into(), "Order Completed".into()],
        paths: vec![vec!["category".into()], vec!["price".into()]],
        arrays: Vec::new(),
        item_paths: Vec::new(),
        formulas: Vec::new(),
        attributes: Vec::new(),
        counters: Vec::new(),
        tags: Vec::new(),
        order: Vec::new(),
    }
}
