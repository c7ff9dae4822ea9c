//! Protobuf payloads, byte by byte as the encoding's documentation has them.

use serde_json::{Value, json};
use tagstream::registry::{NotOfProtobuf, ProtobufSchema};

const SCHEMA: &str = r#"
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "confluent/meta.proto";
import "lines.proto";
message Bought {
  int64 user_id = 1;
  string type = 2;
  google.protobuf.Timestamp timestamp = 3;
  Properties properties = 4;
  message Properties {
    double amount = 1;
    repeated Line lines = 2;
    Status status = 3;
    bytes raw = 4;
    optional bool gift = 5;
    google.protobuf.Int64Value points = 6;
    map<string, sint32> counts = 7;
    oneof how { string card = 8; uint64 cash = 9; }
    message Inner { bool yes = 1; }
  }
  enum Status { NONE = 0; PAID = 1; }
}
message Line { string sku = 1; }
message Other { fixed64 n = 1 [(confluent.field_meta) = { doc: "a number" }]; shop.lines.Far far = 2; }
"#;
const LINES: &str = "syntax = \"proto3\"; package shop.lines; message Far { float f = 1; }";

fn schema() -> ProtobufSchema {
    ProtobufSchema::parse(SCHEMA, [("lines.proto", LINES)]).expect("a schema")
}

fn decoded(payload: &[u8]) -> Result<Value, NotOfProtobuf> {
    let mut json = Vec::new();
    schema().write_json(payload, &mut json)?;
    Ok(serde_json::from_slice(&json).expect("JSON"))
}

#[test]
fn messages_are_found_by_their_place_in_the_file() {
    let bought = json!({ "user_id": 7, "type": "", "timestamp": null, "properties": null });
    let without_null = |value: Value| match value {
        Value::Object(members) => Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    };
    let found = |payload: &[u8]| without_null(decoded(payload).expect("a message"));
    let expected = without_null(bought);
    // The first message in both ways, the second, the third, and one within one.
    assert_eq!(found(&[0, 8, 7]), expected);
    assert_eq!(found(&[2, 0, 8, 7]), expected);
    assert_eq!(found(&[2, 2, 10, 1, b'x']), json!({ "sku": "x" }));
    assert_eq!(found(&[2, 4, 9, 255, 255, 255, 255, 255, 255, 255, 255]), json!({ "n": u64::MAX }));
    assert_eq!(found(&[6, 0, 0, 0, 8, 1]), json!({ "yes": true }));
    for (payload, expected) in [
        (&[][..], NotOfProtobuf::TooShort),
        (&[4, 0], NotOfProtobuf::TooShort),
        (&[0x80], NotOfProtobuf::TooShort),
        (&[0xff; 12], NotOfProtobuf::TooShort),
        (&[2, 6], NotOfProtobuf::NoMessage(vec![3])),
        (&[4, 2, 0], NotOfProtobuf::NoMessage(vec![1, 0])),
    ] {
        assert_eq!(decoded(payload), Err(expected), "{payload:?}");
    }
    assert!(matches!(decoded(&[0, 8]), Err(NotOfProtobuf::Message(_))));
}

#[test]
fn fields_have_their_names_and_all_their_digits() {
    let properties = [
        &[9, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f][..],                           // amount: 1.5
        &[0x12, 3, 10, 1, b'a', 0x12, 0],                                 // lines: "a", ""
        &[0x18, 1],                                                       // status
        &[0x22, 2, 0, 255],                                               // raw
        &[0x28, 0],                                                       // gift
        &[0x32, 2, 8, 5],                                                 // points
        &[0x3a, 5, 10, 1, b'k', 0x10, 3],                                 // counts: -2
        &[0x48, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], // cash
    ]
    .concat();
    // 2^53 + 1, and an instant with nanoseconds.
    let head = [
        0, 8, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0x12, 1, b'b', 0x1a, 7, 8, 0x81, 1, 0x10, 0x80, 0x89,
        0x7a,
    ];
    let payload = [&head[..], &[0x22, properties.len() as u8], &properties].concat();
    let found = decoded(&payload).expect("a message");
    assert_eq!(found["user_id"], json!(9_007_199_254_740_993_i64));
    assert_eq!((&found["type"], &found["timestamp"]), (&json!("b"), &json!("1970-01-01T00:02:09.002Z")));
    let properties = &found["properties"];
    assert_eq!(properties["amount"], json!(1.5));
    assert_eq!(properties["lines"], json!([{ "sku": "a" }, { "sku": "" }]));
    assert_eq!((&properties["status"], &properties["raw"]), (&json!("PAID"), &json!("AP8=")));
    assert_eq!((&properties["gift"], &properties["points"]), (&json!(false), &json!(5)));
    assert_eq!((&properties["counts"], &properties["cash"]), (&json!({ "k": -2 }), &json!(u64::MAX)));
}

#[test]
fn wrong_schemas_are_told() {
    let error = ProtobufSchema::parse(SCHEMA, []).expect_err("a missing import");
    assert!(error.contains("lines.proto"), "{error}");
    let error = ProtobufSchema::parse("message", []).expect_err("no schema");
    assert!(error.contains("expected"), "{error}");
}
