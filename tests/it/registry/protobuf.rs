//! Protobuf payloads, byte by byte as the encoding's documentation has them.

use serde_json::{Value, json};
use tagstream::registry::{MessagePlace, NotOfProtobuf, ProtobufSchema};

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
    schema().write_json(MessagePlace::InPayload, payload, &mut json)?;
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

#[test]
fn decimals_have_all_their_digits() {
    let text = "syntax = \"proto3\"; import \"confluent/type/decimal.proto\"; \
        message Price { confluent.type.Decimal amount = 1; repeated confluent.type.Decimal more = 2; }";
    let schema = ProtobufSchema::parse(text, []).expect("a schema");
    let written = |payload: &[u8]| {
        let mut json = Vec::new();
        schema.write_json(MessagePlace::InHeader(&[0]), payload, &mut json).expect("a message");
        String::from_utf8(json).expect("UTF-8")
    };
    let scaled = |value: &[u8], scale: i64| {
        let mut decimal = vec![10, value.len() as u8];
        decimal.extend(value);
        decimal.push(24);
        let mut rest = scale as u64;
        while rest >= 0x80 {
            decimal.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        decimal.push(rest as u8);
        let payload = [&[10, decimal.len() as u8], &decimal[..]].concat();
        let json = written(&payload);
        json.strip_prefix("{\"amount\":").and_then(|rest| rest.strip_suffix(",\"more\":[]}")).expect("it").to_owned()
    };
    // 1990, -1990, -1, nothing, and 2^128.
    for (value, scale, expected) in [
        (&[7, 0xc6][..], 2, "19.90"),
        (&[0xf8, 0x3a], 2, "-19.90"),
        (&[0xff], 3, "-0.001"),
        (&[], 2, "0.00"),
        (&[7, 0xc6], 0, "1990"),
        (&[7, 0xc6], -2, "199000"),
        (&[0], -2, "0"),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 9, "340282366920938463463374607431.768211456"),
        // A text of two billion digits is not written.
        (&[5], 2_147_483_647, "5e-2147483647"),
        (&[5], -2_147_483_648, "5e2147483648"),
        (&[5], 101, "5e-101"),
    ] {
        assert_eq!(scaled(value, scale), expected);
    }
    assert_eq!(written(&[10, 0, 18, 3, 10, 1, 5]), r#"{"amount":0,"more":[5]}"#);
    assert_eq!(written(&[]), r#"{"more":[]}"#);
}

/// What Confluent's library for Python has registered for two files, of which one imports the other.
#[test]
fn descriptors_in_base64_are_schemas_too() {
    let lines = "CgtsaW5lcy5wcm90bxIFbGluZXMiEwoETGluZRILCgNza3UYASABKAliBnByb3RvMw==";
    let bought = "Cgxib3VnaHQucHJvdG8SBHNob3AaH2dvb2dsZS9wcm90b2J1Zi90aW1lc3RhbXAucHJvdG8aC2xpbmVzLnByb3RvGh1jb25mbHVlbnQvdHlw\
                  ZXMvZGVjaW1hbC5wcm90byISCgVPdGhlchIJCgFuGAEgASgDIoQBCgZCb3VnaHQSDwoHdXNlcl9pZBgBIAEoAxImCgJhdBgCIAEoCzIaLmdv\
                  b2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASGQoEbGluZRgDIAMoCzILLmxpbmVzLkxpbmUSJgoFcHJpY2UYBCABKAsyFy5jb25mbHVlbnQudHlw\
                  ZS5EZWNpbWFsYgZwcm90bzM=";
    let schema = ProtobufSchema::parse(bought, [("lines.proto", lines)]).expect("a schema");
    let payload = b"\x02\x02\x08\x07\x12\x06\x08\x80\xf2\xd6\xca\x06\x1a\x03\n\x01x\"\x06\n\x02\x01\x00\x18\x02";
    let mut json = Vec::new();
    schema.write_json(MessagePlace::InPayload, payload, &mut json).expect("a message");
    let expected = r#"{"user_id":7,"at":"2026-01-01T00:00:00Z","line":[{"sku":"x"}],"price":2.56}"#;
    assert_eq!(String::from_utf8(json).expect("UTF-8"), expected);
    let error = ProtobufSchema::parse(bought, []).expect_err("a missing import");
    assert!(error.contains("lines.proto"), "{error}");
}
