//! Decoding of events: nanoseconds a record, beside serde_json in the same run. `cargo bench --bench decode`

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

/// Records of one program: the same members in the same order, only the values differ.
fn one_producer(random: &mut fastrand::Rng) -> String {
    let (user, message) = (random.u32(..10_000_000), random.u64(..));
    let (second, ms) = (random.u32(..60), random.u32(..1_000));
    let (price, cents) = (random.u32(..500), random.u32(..100));
    let category = ["boots", "yoga mats", "drinks"][random.usize(..3)];
    format!(
        r#"{{"type":"track","messageId":"msg-{message:016x}","userId":"user-{user:08}","event":"Product Viewed","timestamp":"2026-03-15T07:59:{second:02}.{ms:03}Z","properties":{{"category":"{category}","price":{price}.{cents:02},"quantity":{}}}}}"#,
        random.u32(1..9)
    )
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
