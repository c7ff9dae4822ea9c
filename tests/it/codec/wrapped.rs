//! Events in envelopes: CloudEvents in both modes, the changes of rows that Debezium reports, and fields in headers.

use serde_json::{Value as Json, json};
use tagstream::catalog::{Catalog, load};
use tagstream::codec::{CommandAction, Decoder, HeaderSource, InputRecord, NewCommand, RecordHeaders, write_command};
use tagstream::model::{Event, PathId, Timestamp};

use super::fixtures::NOW;

const AT: &str = "2026-03-01T10:00:00.000Z";

type HeaderTexts = Vec<(&'static str, Option<&'static [u8]>)>;

struct Given(HeaderTexts);

impl HeaderSource for Given {
    fn header(&self, index: usize) -> Option<(&str, Option<&[u8]>)> {
        self.0.get(index).copied()
    }
}

fn headers<const N: usize>(pairs: [(&'static str, &'static str); N]) -> HeaderTexts {
    pairs.into_iter().map(|(name, value)| (name, Some(value.as_bytes()))).collect()
}

fn catalog(input: &str) -> Catalog {
    let text = format!(
        "version: 1\ninput: {{ {input} }}\ncounters:\n  n: {{ count: \"*\", where: properties.amount > 0 }}\n\
         tags:\n  t: {{ when: n > 0 }}\n"
    );
    let loaded = load(&text);
    assert_eq!(loaded.problems, [], "{input}");
    loaded.catalog.expect("a catalog")
}

/// What a record is decoded to: key, type, time, id and the amount; or the code and the words of its rejection.
fn decoded(catalog: &Catalog, value: &[u8], headers: HeaderTexts) -> Json {
    let (mut decoder, mut event) = (Decoder::new(catalog), Event::default());
    let given = Given(headers);
    let timestamp = Some(Timestamp::parse(AT).expect("a time").plus(1));
    let record = InputRecord { value, timestamp, headers: RecordHeaders::of(&given), ..InputRecord::default() };
    // What was learned of the first does not change the second.
    for _ in 0..2 {
        if let Err(reject) = decoder.decode_record(record, NOW, &mut event) {
            return json!([reject.code(), decoder.detail()]);
        }
    }
    let event_json = plain(&event);
    // What is forwarded is read back as the same event, with the headers that the catalog reads.
    let forwarded = event.record().to_owned();
    let kept = Given(given.0.iter().copied().filter(|(name, _)| decoder.headers().contains(&(*name).into())).collect());
    let record = InputRecord { value: forwarded.as_bytes(), headers: RecordHeaders::of(&kept), ..record };
    decoder.decode_record(record, NOW, &mut event).expect("an event again");
    assert_eq!(plain(&event), event_json);
    event_json
}

fn plain(event: &Event) -> Json {
    let amount = super::fixtures::plain(event, event.property(PathId(0)));
    json!([event.key(), event.type_name(), event.time.to_string(), event.id(), format!("{amount:?}")])
}

fn cloud_event(value: &str, headers: HeaderTexts) -> Json {
    decoded(&catalog("preset: cloudevents"), value.as_bytes(), headers)
}

const STRUCTURED: &str = r#"{"specversion":"1.0","id":"e-1","source":"/shop","type":"bought","subject":"u-1",
    "time":"2026-03-01T11:00:00+01:00","datacontenttype":"application/json","data":{"amount":5}}"#;

fn binary<const N: usize>(more: [(&'static str, &'static str); N]) -> HeaderTexts {
    let mut all = headers([
        ("ce_specversion", "1.0"),
        ("ce_id", "e-1"),
        ("ce_source", "/shop"),
        ("ce_type", "bought"),
        ("ce_subject", "u-1"),
        ("ce_time", "2026-03-01T11:00:00+01:00"),
        ("content-type", "application/json"),
    ]);
    all.extend(headers(more));
    all
}

#[test]
fn a_cloud_event_is_the_same_in_both_modes() {
    let expected = json!(["u-1", "bought", AT, "e-1", "Integer(5, \"5\")"]);
    for content_type in ["application/cloudevents+json", "Application/CloudEvents+JSON; charset=UTF-8"] {
        assert_eq!(cloud_event(STRUCTURED, headers([("content-type", content_type)])), expected);
    }
    // A line of a file has no headers, and is structured.
    assert_eq!(cloud_event(STRUCTURED, Vec::new()), expected);
    for data in [r#"{"amount":5}"#, " { \"amount\": 5 }\n", "\u{feff}{\"amount\":5}"] {
        assert_eq!(cloud_event(data, binary([])), expected, "{data}");
    }
    // The structured mode has the last word, whatever other headers there are.
    let both = binary([("content-type", "application/cloudevents+json"), ("ce_type", "sold")]);
    assert_eq!(cloud_event(STRUCTURED, both), expected);
}

#[test]
fn a_cloud_event_may_have_no_time_and_no_data() {
    let of_record = "2026-03-01T10:00:00.001Z";
    let bare = headers([("ce_specversion", "1.0"), ("ce_type", "seen"), ("ce_subject", "\"u\"\n")]);
    assert_eq!(cloud_event("", bare.clone()), json!(["\"u\"\n", "seen", of_record, null, "Missing"]));
    assert_eq!(cloud_event("[1]", bare.clone()), json!(["\"u\"\n", "seen", of_record, null, "Missing"]));
    // Of equal names the last one counts; what is not text, and what has no value, counts as missing.
    let mut more = bare.clone();
    more.extend([("ce_type", Some(&b"left"[..])), ("ce_time", Some(b"\xff")), ("ce_id", None)]);
    assert_eq!(cloud_event("null", more), json!(["\"u\"\n", "left", of_record, null, "Missing"]));
    assert_eq!(cloud_event("", headers([("ce_specversion", "1.0")])), json!(["missing_key", null]));
}

#[test]
fn a_time_of_a_header_that_is_not_taken_is_told_as_it_is_written() {
    let of_header = catalog("time: $header.at");
    let said = |time: &'static str| decoded(&of_header, br#"{"user_id":"u","type":"t"}"#, headers([("at", time)]));
    let no_time = r#""yesterday" is not an RFC 3339 time with an offset, such as "2026-03-08T10:00:00Z""#;
    assert_eq!(said("yesterday"), json!(["bad_time", no_time]));
    assert_eq!(said("1970-01-01T00:00:00Z"), json!(["too_old", r#""1970-01-01T00:00:00Z" is before 1990"#]));
    let seconds = "1773561600 is before 1990, read as milliseconds; `time_unit: s` takes seconds";
    assert_eq!(said("1773561600"), json!(["too_old", seconds]));
}

#[test]
fn data_that_is_not_json_is_no_event() {
    for data in ["<a/>", "{} {}", r#"{},"subject":"u-2""#, "{\"amount\":5", "\u{feff}\u{feff}{}", "{}}", " "] {
        assert_eq!(cloud_event(data, binary([])), json!(["not_json", null]), "{data}");
    }
    let not_text = decoded(&catalog("preset: cloudevents"), b"{\"a\":\"\xff\"}", binary([]));
    assert_eq!(not_text, json!(["not_json", null]));
    // The data is one level deeper than a record.
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(cloud_event(&deep(126), binary([]))[0], "u-1");
    assert_eq!(cloud_event(&deep(127), binary([]))[0], "not_json");
}

#[test]
fn pointers_beside_the_preset_reach_into_both_modes() {
    let own = catalog("preset: cloudevents, key: [/data/user, /partitionkey], type: /dataschema, id: /source");
    let expected = json!(["7", "s", AT, "/shop", "Integer(5, \"5\")"]);
    let data = br#"{"amount":5,"user":7}"#;
    assert_eq!(decoded(&own, data, binary([("ce_dataschema", "s")])), expected);
    let extension = binary([("ce_dataschema", "s"), ("ce_partitionkey", "7")]);
    assert_eq!(decoded(&own, br#"{"amount":5}"#, extension), expected);
}

/// A change of a row as Debezium writes it.
fn row_change(op: &str, before: &Json, after: &Json) -> Json {
    json!({
        "before": before, "after": after, "op": op, "ts_ms": 1_772_359_200_900_i64, "transaction": null,
        "source": { "connector": "postgresql", "schema": "public", "table": "orders", "ts_ms": 1_772_359_200_000_i64 },
    })
}

#[test]
fn changes_of_rows_are_events() {
    let catalog = catalog("preset: debezium");
    let (old, new) = (json!({ "user_id": 7, "amount": 4 }), json!({ "user_id": 7, "amount": 5 }));
    let null = Json::Null;
    let rows = [
        (row_change("c", &null, &new), json!(["7", "orders.created", AT, null, "Integer(5, \"5\")"])),
        (row_change("r", &null, &new), json!(["7", "orders.read", AT, null, "Integer(5, \"5\")"])),
        (row_change("u", &old, &new), json!(["7", "orders.updated", AT, null, "Integer(5, \"5\")"])),
        (row_change("u", &null, &new), json!(["7", "orders.updated", AT, null, "Integer(5, \"5\")"])),
        (row_change("d", &old, &null), json!(["7", "orders.deleted", AT, null, "Integer(4, \"4\")"])),
        (row_change("t", &null, &null), json!(["missing_key", null])),
        (
            row_change("m", &null, &new),
            json!(["bad_type", "`op` is not one of c, u, d, r and t: it is not the change of a row"]),
        ),
    ];
    let schema = json!({ "type": "struct", "fields": [{ "field": "before", "type": "struct" }], "name": "x.Envelope" });
    for (change, expected) in rows {
        assert_eq!(decoded(&catalog, change.to_string().as_bytes(), Vec::new()), expected, "{change}");
        // With the schema of Kafka Connect's converter, in both orders.
        for text in [
            format!(r#"{{"schema":{schema},"payload":{change}}}"#),
            format!(" {{ \"payload\" : {change} ,\n\"schema\" : null }} "),
        ] {
            assert_eq!(decoded(&catalog, text.as_bytes(), Vec::new()), expected, "{text}");
        }
    }
}

#[test]
fn what_is_beside_the_changes_is_read_as_flat() {
    let catalog = catalog("preset: debezium");
    let flat =
        br#"{"user_id":"u","type":"visit","timestamp":"2026-03-01T10:00:00Z","id":"1","properties":{"amount":5}}"#;
    let expected = json!(["u", "visit", AT, "1", "Integer(5, \"5\")"]);
    assert_eq!(decoded(&catalog, flat, Vec::new()), expected);
    // These are members as any others.
    let with = |more: &str| [br"{", more.as_bytes(), &flat[1..]].concat();
    for more in [r#""schema":1,"#, r#""payload":{},"#, r#""payload":{},"schema":{},"#] {
        assert_eq!(decoded(&catalog, &with(more), Vec::new()), expected, "{more}");
    }
    for broken in
        [r#"{"schema":1,"payload":{}"#, r#"{"schema":1,"payload":{}} 1"#, r#"{"schema":1,"payload":{},}"#, "{"]
    {
        let found = decoded(&catalog, broken.as_bytes(), Vec::new());
        assert_eq!(found, json!(["not_json", null]), "{broken}");
    }
    assert_eq!(decoded(&catalog, br#"{"schema":{},"payload":null}"#, Vec::new()), json!(["not_object", null]));
    // The envelope has no table whose changes are commands.
    let command = row_change("c", &Json::Null, &json!({ "user_id": 7 })).to_string().replace("orders", "$erase");
    assert_eq!(decoded(&catalog, command.as_bytes(), Vec::new()), json!(["bad_type", null]));
}

#[test]
fn fields_may_stand_in_headers() {
    let catalog = catalog("key: [$header.user, /user_id], type: $header.type, time: $header.at, id: $header.id.x");
    let value = br#"{"user_id":"u-2","properties":{"amount":5}}"#;
    let all = headers([("user", "u-1"), ("type", "visit"), ("at", AT), ("id.x", "e-1"), ("other", "")]);
    let expected = json!(["u-1", "visit", AT, "e-1", "Integer(5, \"5\")"]);
    assert_eq!(decoded(&catalog, value, all.clone()), expected);
    let with = |name: &'static str, value: &'static [u8]| {
        let mut all = all.clone();
        all.push((name, Some(value)));
        all
    };
    // An integer is in the unit of the catalog; the last header of a name counts.
    assert_eq!(decoded(&catalog, value, with("at", b"1772359200000")), expected);
    assert_eq!(decoded(&catalog, value, with("user", b"u-9"))[0], "u-9");
    let without = |name: &str| all.iter().copied().filter(|(of, _)| *of != name).collect::<HeaderTexts>();
    assert_eq!(decoded(&catalog, value, without("user"))[0], "u-2");
    assert_eq!(decoded(&catalog, value, without("id.x"))[3], Json::Null);
    for (found, code) in [
        (decoded(&catalog, value, without("type")), "missing_type"),
        (decoded(&catalog, value, without("at")), "missing_time"),
        (decoded(&catalog, value, with("at", b"")), "bad_time"),
        (decoded(&catalog, value, with("at", b"soon")), "bad_time"),
        (decoded(&catalog, value, with("at", b"-1")), "too_old"),
        (decoded(&catalog, value, with("at", b"99999999999999999999")), "bad_time"),
        (decoded(&catalog, value, with("user", b"")), "bad_key"),
        (decoded(&catalog, value, with("user", b"\xff")), "bad_key"),
        (decoded(&catalog, value, with("type", &[b't'; 129])), "bad_type"),
        (decoded(&catalog, value, Vec::new()), "missing_type"),
    ] {
        assert_eq!(found[0], code);
    }
}

#[test]
fn commands_are_read_back_where_they_can_be_written() {
    let command = |input: &str| {
        let catalog = catalog(input);
        let kind = catalog.user();
        let action = CommandAction::Erase;
        let command = NewCommand { kind, key: "u-1", at: NOW, id: "1", action, by: "crm", note: None };
        write_command(&catalog, &command).map(|record| decoded(&catalog, &record, Vec::new()))
    };
    let expected = json!(["u-1", "$erase", NOW.to_string(), "1", "Missing"]);
    for input in ["preset: cloudevents", "preset: debezium", "key: [$header.user, /user]", "type: [$header.t, /t]"] {
        assert_eq!(command(input), Some(expected.clone()), "{input}");
    }
    for input in ["key: $header.user", "type: [$header.t, $header.u]", "time: $header.at"] {
        assert_eq!(command(input), None, "{input}");
    }
}
