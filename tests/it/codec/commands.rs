//! Commands, and the keys of other entities than the user: which are taken, which are rejected, and with what words.

use super::fixtures::{
    Plain, PlainCommand, PlainProperty, catalog, decode, flat, segment, with_entities, with_manual_tags,
};
use PlainProperty::{Bool, Number, String as Text};
use tagstream::catalog::{Catalog, InputMapping};
use tagstream::codec::Decoder;
use tagstream::model::Event;

/// Accounts, users and devices, in this order, with a manual tag for each.
fn everything(input: InputMapping) -> Catalog {
    let tags = [("key_account", 0), ("vip", 1), ("lost", 2)];
    with_entities(
        with_manual_tags(catalog(input, &["visit"], &["plan"]), &tags),
        &["/properties/account"],
        &["/device"],
    )
}

/// What is decoded, or the reason and its detail.
fn outcome(catalog: &Catalog, record: &str) -> Result<Plain, (&'static str, Option<String>)> {
    let mut decoder = Decoder::new(catalog);
    let mut event = Event::default();
    let first = decode(catalog, &mut decoder, &mut event, record.as_bytes());
    // The second time by its shape.
    assert_eq!(first, decode(catalog, &mut decoder, &mut event, record.as_bytes()), "{record}");
    first.map_err(|reject| (reject.code(), decoder.detail().map(str::to_owned)))
}

/// A `$tag` of an event with all keys.
fn tag(properties: &str) -> String {
    format!(
        r#"{{"user_id":"u","device":"d","type":"$tag","timestamp":1773561600000,"properties":{{"account":7,{properties}}}}}"#
    )
}

#[track_caller]
fn command(properties: &str) -> PlainCommand {
    let plain =
        outcome(&everything(flat()), &tag(properties)).unwrap_or_else(|reject| panic!("{properties}: {reject:?}"));
    plain.command.expect("a command")
}

fn key(key: &str) -> Option<String> {
    Some(key.to_owned())
}

#[test]
fn values() {
    let set = |value| PlainCommand::Set { tag: 1, value, valid_for_ms: None };
    let rows = [
        (r#""value":true"#, Bool(true)),
        (r#""value":false"#, Bool(false)),
        (r#""value":null"#, Bool(true)),
        (r#""value":1.50"#, Number(1.5, "1.50".to_owned())),
        (r#""value":"gold""#, Text("gold".to_owned())),
        (r#""value":"g\u00f6ld""#, Text("göld".to_owned())),
        (r#""value":"""#, Text(String::new())),
        (r#""other":[]"#, Bool(true)),
    ];
    for (written, value) in rows {
        assert_eq!(command(&format!(r#""tag":"vip","set":true,{written}"#)), set(value), "{written}");
    }
}

#[test]
fn validities() {
    let rows = [
        (r#""30d""#, Some(2_592_000_000)),
        (r#""1h30m""#, Some(5_400_000)),
        (r#""1\u0064""#, Some(86_400_000)),
        (r#""1ms""#, Some(1)),
        ("null", None),
    ];
    for (written, valid_for_ms) in rows {
        let expected = PlainCommand::Set { tag: 1, value: Bool(true), valid_for_ms };
        assert_eq!(command(&format!(r#""tag":"vip","set":true,"valid_for":{written}"#)), expected, "{written}");
    }
    let unset = PlainCommand::Unset { tag: 1 };
    assert_eq!(command(r#""tag":"vip","set":false"#), unset);
    assert_eq!(command(r#""tag":"v\u0069p","valid_for":[],"value":1,"set":false"#), unset);
}

#[test]
fn what_is_no_command() {
    let rows = [
        (r#""set":true"#, "`$tag` needs `tag`: the name of a manual tag"),
        (r#""tag":null,"set":true"#, "`$tag` needs `tag`: the name of a manual tag"),
        (r#""tag":1,"set":true"#, "`$tag` needs `tag`: the name of a manual tag"),
        (r#""tag":"VIP","set":true"#, "`tag` is not the name of a manual tag of the catalog"),
        (r#""tag":"vip""#, "`$tag` needs `set`: true or false"),
        (r#""tag":"vip","set":null"#, "`$tag` needs `set`: true or false"),
        (r#""tag":"vip","set":"true""#, "`$tag` needs `set`: true or false"),
        (r#""tag":"vip","set":true,"value":[]"#, "`value` is neither true, false, a number nor text"),
        (r#""tag":"vip","set":true,"value":{}"#, "`value` is neither true, false, a number nor text"),
        (r#""tag":"vip","set":true,"value":1e400"#, "`value` is neither true, false, a number nor text"),
        (r#""tag":"vip","set":false,"value":[1]"#, "`value` is neither true, false, a number nor text"),
        (r#""tag":"vip","set":true,"valid_for":30"#, "`valid_for` is not a duration such as \"30d\""),
        (r#""tag":"vip","set":true,"valid_for":"30""#, "`valid_for` is not a duration such as \"30d\""),
        (r#""tag":"vip","set":true,"valid_for":"0d""#, "`valid_for` is not a duration such as \"30d\""),
        (r#""tag":"vip","set":true,"valid_for":"1y""#, "`valid_for` is not a duration such as \"30d\""),
    ];
    for (properties, detail) in rows {
        let reject = outcome(&everything(flat()), &tag(properties));
        assert_eq!(reject, Err(("bad_type", Some(detail.to_owned()))), "{properties}");
    }
    let unknown = tag(r#""tag":"vip","set":true"#).replace("$tag", "$tags");
    let known = "unknown command: known are `$tag` and `$erase`";
    assert_eq!(outcome(&everything(flat()), &unknown), Err(("bad_type", Some(known.to_owned()))));
    let none = "`$tag`, but no tag of the catalog is manual";
    let plain = catalog(flat(), &["visit"], &["tag", "set"]);
    assert_eq!(outcome(&plain, &tag(r#""tag":"vip","set":true"#)), Err(("bad_type", Some(none.to_owned()))));
}

/// The type is checked before the time, and everything else of a command with it.
#[test]
fn commands_are_checked_before_their_time() {
    let early = tag(r#""tag":"vip""#).replace("1773561600000", "1");
    assert_eq!(outcome(&everything(flat()), &early).unwrap_err().0, "bad_type");
    let early = tag(r#""tag":"vip","set":true"#).replace("1773561600000", "1");
    assert_eq!(outcome(&everything(flat()), &early).unwrap_err().0, "too_old");
}

#[test]
fn a_tag_is_for_its_own_entity() {
    let keys = |properties: &str| outcome(&everything(flat()), &tag(properties)).map(|plain| plain.keys);
    assert_eq!(keys(r#""tag":"key_account","set":true"#), Ok(vec![key("7"), None, None]));
    assert_eq!(keys(r#""tag":"vip","set":true"#), Ok(vec![None, key("u"), None]));
    assert_eq!(keys(r#""tag":"lost","set":false"#), Ok(vec![None, None, key("d")]));
    let no_key = Err(("missing_key", Some("the event has no key of the entity that the tag is put on".to_owned())));
    assert_eq!(keys(r#""tag":"key_account","set":true,"account":null"#), no_key);
    assert_eq!(keys(r#""tag":"key_account","set":true,"account":1.5"#), no_key);
    assert_eq!(keys(r#""tag":"key_account","set":"yes","account":1.5"#), no_key);
    let erase = tag(r#""x":1"#).replace("$tag", "$erase");
    let plain = outcome(&everything(flat()), &erase).expect("an event");
    assert_eq!((plain.command, plain.keys), (Some(PlainCommand::Erase), vec![key("7"), key("u"), key("d")]));
}

#[test]
fn keys_of_other_entities() {
    let long = "x".repeat(257);
    let rows = [
        (r#""a-1""#, key("a-1")),
        (r#""a\u00e9""#, key("aé")),
        ("42", key("42")),
        ("-0", key("0")),
        ("18446744073709551616", None),
        ("1.0", None),
        ("null", None),
        ("true", None),
        ("{}", None),
        ("[1]", None),
        (r#""""#, None),
        (&format!("\"{}\"", &long[1..]), key(&long[1..])),
        (&format!("\"{long}\""), None),
    ];
    for (written, account) in rows {
        let record = format!(
            r#"{{"user_id":"u","type":"visit","timestamp":1773561600000,"properties":{{"account":{written}}}}}"#
        );
        let plain = outcome(&everything(flat()), &record).expect("an event");
        assert_eq!((plain.key.as_str(), plain.command), ("u", None));
        assert_eq!(plain.keys, [account, key("u"), None], "{written}");
    }
}

#[test]
fn commands_by_segments_spec() {
    let record = |call: &str, place: &str| {
        format!(
            r#"{{"userId":"u",{call},"timestamp":"2026-03-15T08:00:00Z","{place}":{{"tag":"vip","set":true,"value":"gold"}}}}"#
        )
    };
    let set = PlainCommand::Set { tag: 1, value: Text("gold".to_owned()), valid_for_ms: None };
    let asked = |record: &str| outcome(&everything(segment()), record).map(|plain| plain.command);
    assert_eq!(asked(&record(r#""type":"track","event":"$tag""#, "properties")), Ok(Some(set.clone())));
    assert_eq!(asked(&record(r#""type":"$tag""#, "properties")), Ok(Some(set)));
    assert_eq!(asked(&record(r#""type":"$tag""#, "traits")).unwrap_err().0, "bad_type");
}
