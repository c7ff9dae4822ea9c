//! What the catalog's property paths find.

use super::fixtures::{PlainProperty, catalog, decode, flat, pointer, segment};
use PlainProperty::{Array, Bool, Missing, Null, Object};
use tagstream::catalog::{FieldRule, InputMapping, PropertiesRule};
use tagstream::codec::Decoder;
use tagstream::model::Event;

fn number(digits: &str) -> PlainProperty {
    match digits.parse() {
        Ok(integer) => PlainProperty::Integer(integer, digits.to_owned()),
        Err(_) => PlainProperty::Number(digits.parse().expect("a number"), digits.to_owned()),
    }
}

fn string(text: &str) -> PlainProperty {
    PlainProperty::String(text.to_owned())
}

/// What stands at `path` in a record of these members.
fn found(input: InputMapping, path: &str, members: &str) -> PlainProperty {
    let catalog = catalog(input, &[], &["sibling", path, "another.one"]);
    let record = format!(r#"{{"user_id":"u","userId":"u","timestamp":1773561600000,{members}}}"#);
    let mut event = Event::default();
    let plain = decode(&catalog, &mut Decoder::new(&catalog), &mut event, record.as_bytes());
    plain.expect("a good record").properties.swap_remove(1)
}

#[track_caller]
fn check(path: &str, properties: &str, expected: PlainProperty) {
    let members = format!(r#""type":"t","properties":{properties}"#);
    assert_eq!(found(flat(), path, &members), expected, "{path} in {properties}");
    let other_order = format!(r#""properties":{properties},"type":"t""#);
    assert_eq!(found(flat(), path, &other_order), expected, "{path} in {properties}");
    let other_place = InputMapping { properties: PropertiesRule::At(pointer("/x/1")), ..flat() };
    let members = format!(r#""type":"t","x":[[],{properties}]"#);
    assert_eq!(found(other_place, path, &members), expected, "{path} in {properties} behind an array");
}

#[test]
fn values_of_every_kind() {
    let rows = [
        (r#"{"a":true}"#, Bool(true)),
        (r#"{"a":false}"#, Bool(false)),
        (r#"{"a":null}"#, Null),
        (r#"{"a":"x"}"#, string("x")),
        (r#"{"a":""}"#, string("")),
        (r#"{"a":"\u00e9\n\ud83d\ude00"}"#, string("é\n😀")),
        (r#"{"a":{}}"#, Object),
        (r#"{"a":{"b":1}}"#, Object),
        (r#"{"a":[]}"#, Array(vec![])),
        (r#"{"b":1}"#, Missing),
        (r#"{"A":1}"#, Missing),
        (r#"{"aa":1}"#, Missing),
        (r#"{"":1}"#, Missing),
        (r#"{"\u0061":1}"#, number("1")),
        ("{}", Missing),
        ("null", Missing),
        ("7", Missing),
        ("true", Missing),
        (r#""a""#, Missing),
        (r#"[{"a":1}]"#, Missing),
    ];
    for (properties, expected) in rows {
        check("a", properties, expected);
    }
}

#[test]
fn numbers() {
    for digits in
        ["0", "-0", "19.99", "1e3", "-1.5E-7", "123456789012345678901234567890", "1e-400", "1.7976931348623157e308"]
    {
        check("a", &format!(r#"{{"a":{digits}}}"#), number(digits));
    }
    for digits in ["1e400", "-1e400", "1.7976931348623159e308", &"9".repeat(400)] {
        check("a", &format!(r#"{{"a":{digits}}}"#), Missing);
    }
}

#[test]
fn arrays() {
    let elements = r#"[1,"x",true,null,{"a":2},[3],1e400,"x","\u0078",-0.5]"#;
    let x = || string("x");
    let expected = [number("1"), x(), Bool(true), Null, Object, Missing, Missing, x(), x(), number("-0.5")];
    check("a", &format!(r#"{{"a":{elements}}}"#), Array(expected.to_vec()));
    check("a", r#"{"a":[null,[],{}]}"#, Array(vec![Null, Missing, Object]));
    check("a", r#"{"a": [ 1 , 2 ] }"#, Array(vec![number("1"), number("2")]));
    check("0", r#"{"0":[1]}"#, Array(vec![number("1")]));
}

#[test]
fn paths_walk_objects_only() {
    let rows = [
        ("a.b", r#"{"a":{"b":1}}"#, number("1")),
        ("a.b", r#"{"a":{"b":null}}"#, Null),
        ("a.b", r#"{"a":null}"#, Missing),
        ("a.b", r#"{"a":1}"#, Missing),
        ("a.b", r#"{"a":[{"b":1}]}"#, Missing),
        ("a.b", r#"{"a.b":1}"#, Missing),
        ("a.0", r#"{"a":[1]}"#, Missing),
        ("a.0", r#"{"a":{"0":1}}"#, number("1")),
        ("a.0.b", r#"{"a":[{"b":1}]}"#, Missing),
        ("a.b.c.d.e", r#"{"a":{"b":{"c":{"d":{"e":[5]}}}}}"#, Array(vec![number("5")])),
    ];
    for (path, properties, expected) in rows {
        check(path, properties, expected);
    }
}

#[test]
fn of_equal_names_the_last_counts() {
    let rows = [
        ("a", r#"{"a":1,"a":2}"#, number("2")),
        ("a", r#"{"a":1,"\u0061":null}"#, Null),
        ("a", r#"{"a":[1],"a":[2]}"#, Array(vec![number("2")])),
        ("a.b", r#"{"a":{"b":1},"a":{}}"#, Missing),
        ("a.b", r#"{"a":{"b":1},"a":7}"#, Missing),
        ("a.b", r#"{"a":{"b":1},"a":[]}"#, Missing),
        ("a.b", r#"{"a":7,"a":{"b":1}}"#, number("1")),
        ("a.b", r#"{"a":{"b":1},"a":{"b":2},"c":{"b":3}}"#, number("2")),
    ];
    for (path, properties, expected) in rows {
        check(path, properties, expected);
    }
    let twice = r#""type":"t","properties":{"a":1},"properties":{"b":2}"#;
    assert_eq!(found(flat(), "a", twice), Missing);
    assert_eq!(found(flat(), "b", twice), number("2"));
}

/// A pointer and a path may want the same place: the pointer walks arrays, the path does not.
#[test]
fn a_place_that_is_wanted_twice() {
    let input = InputMapping { key: FieldRule::of([pointer("/properties/list/0")]), ..flat() };
    assert_eq!(found(input.clone(), "list.0", r#""type":"t","properties":{"list":["k"]}"#), Missing);
    assert_eq!(found(input.clone(), "list", r#""type":"t","properties":{"list":["k"]}"#), Array(vec![string("k")]));
    assert_eq!(found(input, "list.0", r#""type":"t","properties":{"list":{"0":"k"}}"#), string("k"));
    let root = InputMapping { properties: PropertiesRule::At(pointer("")), ..flat() };
    assert_eq!(found(root.clone(), "user_id", r#""type":"t""#), string("u"));
    assert_eq!(found(root, "x.y", r#""type":"t","x":{"y":1}"#), number("1"));
}

#[test]
fn segment_traits() {
    let both = r#""properties":{"a":"p"},"traits":{"a":"t"}"#;
    let rows = [
        (format!(r#""type":"identify",{both}"#), string("t")),
        (format!(r#"{both},"type":"identify""#), string("t")),
        (format!(r#"{both},"type":"ident\u0069fy""#), string("t")),
        (format!(r#"{both},"type":"page""#), string("p")),
        (format!(r#"{both},"type":"track","event":"identify""#), string("p")),
        (r#""type":"identify","properties":{"a":"p"}"#.to_owned(), Missing),
    ];
    for (members, expected) in rows {
        assert_eq!(found(segment(), "a", &members), expected, "{members}");
    }
}

/// Many paths of one length that begin and end alike are told apart.
#[test]
fn many_paths() {
    let names: Vec<String> = (0..500).map(|i| format!("property_{i:04}_of_the_event")).collect();
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    let catalog = catalog(flat(), &paths, &paths);
    let members: Vec<String> = names.iter().enumerate().map(|(i, name)| format!(r#""{name}":{i}"#)).collect();
    let mut decoder = Decoder::new(&catalog);
    for (i, name) in names.iter().enumerate() {
        let record = format!(
            r#"{{"user_id":1,"type":"{name}","timestamp":1773561600000,"properties":{{{}}}}}"#,
            members.join(",")
        );
        let plain = decode(&catalog, &mut decoder, &mut Event::default(), record.as_bytes()).expect("a good record");
        assert_eq!(plain.kind, (i as u16 + 1, name.clone()));
        assert_eq!(plain.properties[i], number(&i.to_string()));
    }
}
