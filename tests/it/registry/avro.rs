//! Avro payloads: those of `avro_payloads.json`, which fastavro has encoded, and some that are not of their schema.

use serde_json::{Value, json};
use tagstream::registry::{AvroSchema, NotOfSchema};

fn schema(schema: &Value) -> AvroSchema {
    AvroSchema::parse(&schema.to_string(), []).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

fn decoded(of: &Value, payload: &[u8]) -> Result<String, NotOfSchema> {
    let mut json = Vec::new();
    schema(of).write_json(payload, &mut json)?;
    Ok(String::from_utf8(json).expect("UTF-8"))
}

#[test]
fn every_type_is_read_as_another_program_has_written_it() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("avro_payloads.json")).expect("JSON");
    assert!(cases.len() > 35);
    for case in cases {
        let hex = case["hex"].as_str().expect("text");
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect();
        assert_eq!(decoded(&case["schema"], &bytes).as_deref(), Ok(case["json"].as_str().expect("text")), "{case}");
        // No beginning of it is of the schema, and nothing may follow.
        for end in 0..bytes.len() {
            assert!(decoded(&case["schema"], &bytes[..end]).is_err(), "{case}: {end} bytes");
        }
        let longer = [&bytes[..], b"\0"].concat();
        assert_eq!(decoded(&case["schema"], &longer), Err(NotOfSchema::Left(1)), "{case}");
    }
}

#[test]
fn what_the_encoder_does_not_write_is_read_too() {
    let array = json!({ "type": "array", "items": "int" });
    // Blocks of one and two; one with its length in bytes.
    assert_eq!(decoded(&array, &[2, 10, 3, 4, 2, 4, 0]).as_deref(), Ok("[5,1,2]"));
    let local_ns = json!({ "type": "long", "logicalType": "local-timestamp-nanos" });
    assert_eq!(decoded(&local_ns, &[2]).as_deref(), Ok("\"1970-01-01T00:00:00.000000001\""));
    let duration = json!({ "type": "fixed", "name": "d", "size": 12, "logicalType": "duration" });
    let bytes = [1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0];
    assert_eq!(decoded(&duration, &bytes).as_deref(), Ok(r#"{"months":1,"days":2,"milliseconds":256}"#));
    let id = json!({ "type": "fixed", "name": "u", "size": 16, "logicalType": "uuid" });
    let expected = Ok("\"00010203-0405-0607-0809-0a0b0c0d0e0f\"");
    assert_eq!(decoded(&id, &(0..16).collect::<Vec<u8>>()).as_deref(), expected);
    // Outside of what a text can say it stays a number.
    for (logical, of) in [("timestamp-millis", "long"), ("date", "int"), ("time-millis", "int")] {
        let schema = json!({ "type": of, "logicalType": logical });
        let greatest = [0xfe, 0xff, 0xff, 0xff, 0x0f];
        let found = decoded(&schema, &greatest).expect("a value");
        assert!(found == "2147483647" || logical == "timestamp-millis", "{logical}: {found}");
    }
    let instant = json!({ "type": "long", "logicalType": "timestamp-millis" });
    let greatest = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(decoded(&instant, &greatest).as_deref(), Ok("9223372036854775807"));
}

#[test]
fn payloads_that_are_not_of_their_schema_are_told() {
    let array = json!({ "type": "array", "items": "null" });
    let record = json!({ "type": "record", "name": "r", "fields": [{ "name": "r", "type": ["null", "r"] }] });
    let union = json!(["null", "int"]);
    let symbols = json!({ "type": "enum", "name": "e", "symbols": ["A"] });
    let billions = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0];
    let rows: [(&Value, &[u8], NotOfSchema); 12] = [
        (&json!("boolean"), &[2], NotOfSchema::Boolean(2)),
        (&json!("int"), &[0x80, 0x80, 0x80, 0x80, 0x10], NotOfSchema::Integer),
        (&json!("long"), &[0xff; 11], NotOfSchema::Integer),
        (&json!("long"), &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], NotOfSchema::Integer),
        (&json!("string"), &[2, 0xff], NotOfSchema::Text),
        (&json!("string"), &[1], NotOfSchema::Length),
        (&json!("string"), &[0xfe, 0xff, 0xff, 0xff, 0x0f, b'x'], NotOfSchema::TooShort),
        (&union, &[4], NotOfSchema::Branch(2)),
        (&union, &[1], NotOfSchema::Branch(-1)),
        (&symbols, &[2], NotOfSchema::Symbol(1)),
        (&record, &[2; 1_000], NotOfSchema::Depth),
        (&array, &billions, NotOfSchema::Size),
    ];
    for (of, payload, expected) in rows {
        assert_eq!(decoded(of, payload), Err(expected), "{of}");
    }
}

#[test]
fn schemas_refer_to_each_other_and_wrong_ones_are_told() {
    let address = r#"{"type":"record","name":"Address","namespace":"geo","fields":[{"name":"city","type":"string"}]}"#;
    let user = r#"{"type":"record","name":"u.User","fields":[{"name":"at","type":"geo.Address"}]}"#;
    let users = r#"{"type":"array","items":"u.User"}"#;
    let schema = AvroSchema::parse(users, [address, user]).expect("a schema");
    let mut json = Vec::new();
    schema.write_json(&[2, 2, b'x', 0], &mut json).expect("a value");
    assert_eq!(json, br#"[{"at":{"city":"x"}}]"#);
    for (text, expected) in [
        ("{", "it is not JSON: EOF while parsing an object at line 1 column 1"),
        (users, "the type `u.User` is not defined"),
        (r#"{"type":"record","name":"r"}"#, "a record has no `fields`, or one of another type"),
        (r#"{"type":"record","fields":[]}"#, "a named type has no `name`, or one of another type"),
        (r#"{"type":"enum","name":"e","symbols":[1]}"#, "an enum has no `symbols`, or one of another type"),
        (r#"[{"type":"fixed","name":"f","size":1},{"type":"fixed","name":"f","size":1}]"#, "`f` is defined twice"),
        ("7", "7 is not a type"),
        ("{}", "an object has no `type`, or one of another type"),
    ] {
        let error = AvroSchema::parse(text, []).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
}
