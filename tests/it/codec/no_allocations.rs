//! Decoding and writing do not allocate once their buffers have grown.

use super::fixtures::{NOW, catalog, flat, with_entities, with_manual_tags};
use crate::engine::allocations;
use tagstream::codec::{Decoder, write_change, write_current_tags};
use tagstream::model::{Cause, CurrentTag, Decimal, Event, Number, Scalar, TagChange};

#[test]
fn decoding_does_not_allocate() {
    let catalog = catalog(flat(), &["buy"], &["amount", "tags", "note", "deep.er"]);
    let records = [
        r#"{"user_id":"u-1","type":"buy","timestamp":"2026-03-15T08:00:00Z","id":"m","properties":{"amount":19.99}}"#,
        r#"{"properties":{"tags":["a","b\n",1.5],"note":"long \u00e9 note"},"user_id":7,"type":"x","timestamp":1773561600000}"#,
        r#"{"user_id":"u-1","\u0074ype":"buy","timestamp":1,"properties":{"deep":{"er":12345678901234567890.5e-3}}}"#,
        r#"{"user_id":"u-1","type":"buy","timestamp":1773561600000,"other":[[{"x":[1,2,{"y":"\t"}]}]]}"#,
        r#"{"user_id":[["#,
        "[]",
    ];
    let mut decoder = Decoder::new(&catalog);
    let mut event = Event::default();
    let mut all = || records.iter().filter(|r| decoder.decode(r.as_bytes(), NOW, &mut event).is_ok()).count();
    let mut rounds = |n: usize| (0..n).map(|_| all()).sum::<usize>();
    assert_eq!(rounds(20), 60);
    assert_eq!(allocations::count(|| rounds(100)), (0, 300));
}

#[test]
fn decoding_keys_and_commands_does_not_allocate() {
    let catalog = with_manual_tags(catalog(flat(), &["buy"], &["amount"]), &[("vip", 1), ("lost", 0)]);
    let catalog = with_entities(catalog, &["/properties/account"], &["/device"]);
    let head = r#""user_id":"u-1","timestamp":1773561600000"#;
    let records = [
        r#""device":[],"type":"buy","properties":{"amount":1,"account":"a\u00e9"}"#,
        r#""device":7,"type":"$erase""#,
        r#""type":"$tag","properties":{"tag":"vip","set":true,"value":"g\u00f6ld","valid_for":"30d"}"#,
        r#""type":"$tag","properties":{"tag":"lost","set":false,"account":1}"#,
        r#""type":"$tag","properties":{"tag":"lost","set":false}"#,
        r#""type":"$nothing""#,
    ]
    .map(|members| format!("{{{head},{members}}}"));
    let mut decoder = Decoder::new(&catalog);
    let mut event = Event::default();
    let mut all = || records.iter().filter(|r| decoder.decode(r.as_bytes(), NOW, &mut event).is_ok()).count();
    let mut rounds = |n: usize| (0..n).map(|_| all()).sum::<usize>();
    assert_eq!(rounds(20), 80);
    assert_eq!(allocations::count(|| rounds(100)), (0, 400));
}

#[test]
fn writing_does_not_allocate() {
    let change = TagChange {
        entity: "user",
        key: "u-\n1",
        tag: "spend_level",
        value: Scalar::String("mid"),
        previous: Scalar::Number(Number::Double(0.1)),
        at: NOW,
        seq: u64::MAX,
        life: 0,
        cause: Cause::Event,
        because: &[
            ("spend", Scalar::Number(Number::Decimal(Decimal::from_billionths(1)))),
            ("since", Scalar::Time(NOW)),
            ("x", Scalar::Absent),
        ],
        catalog: "9b1d0c55",
    };
    let tags = [CurrentTag { tag: "spend_level", value: Scalar::Bool(true), since: NOW }];
    let mut out = Vec::with_capacity(1_000);
    let (count, ()) = allocations::count(|| {
        write_change(&change, &mut out);
        write_current_tags("user", "u-1", &tags, &mut out);
    });
    assert_eq!(count, 0);
}
