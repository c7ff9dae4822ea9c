//! A second decoder, slow and straightforward on top of serde_json, with which the fast one has to agree on everything.

use super::fixtures::{
    NOW, Plain, PlainCommand, PlainProperty, catalog, decode, flat, pointer, segment, with_entities, with_manual_tags,
};
use super::generator;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use tagstream::catalog::{
    Catalog, EventTypeRule, FieldRule, InputMapping, Pointer, PropertiesRule, TagDefinition, TimeUnit, parse_duration,
};
use tagstream::codec::{Decoder, Reject};
use tagstream::model::{Event, Timestamp};

/// A JSON value that forgets nothing: the digits of numbers, all members in order.
#[derive(Clone, Debug, PartialEq)]
enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What stands before a number's digits once it has been made a string.
const NUMBER: &str = "\u{0}number ";

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Json;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(match text.strip_prefix(NUMBER) {
                    Some(digits) => Json::Number(digits.to_owned()),
                    None => Json::String(text.to_owned()),
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = seq.next_element()? {
                    elements.push(element);
                }
                Ok(Json::Array(elements))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut members: Vec<(String, Json)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Json>()? {
                    if name.starts_with(NUMBER) {
                        return Err(A::Error::custom("a number for a name"));
                    }
                    members.push((name, value));
                }
                Ok(Json::Object(members))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Makes every number of a JSON text a string: serde_json refuses `1e400`, which is JSON, and drops the digits.
fn with_numbers_as_strings(text: &str) -> String {
    let is_number = |token: &str| {
        let token = token.strip_prefix('-').unwrap_or(token);
        let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        digits(whole) && (whole == "0" || !whole.starts_with('0')) && digits(part) && digits(exponent)
    };
    let (mut out, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '"' => string_len(rest),
            '-' | '0'..='9' => {
                rest.find(|c: char| !matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9')).unwrap_or(rest.len())
            }
            _ => first.len_utf8(),
        };
        let token = &rest[..len];
        if is_number(token) {
            out += &format!("\"\\u0000{}{token}\"", &NUMBER[1..]);
        } else {
            out += token;
        }
        rest = &rest[len..];
    }
    out
}

/// How long the string at the start of `text` is, quotes included; all of `text` where it does not end.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn member<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    match json {
        Json::Object(members) => members.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value),
        _ => None,
    }
}

fn at<'a>(json: &'a Json, pointer: &Pointer) -> Option<&'a Json> {
    pointer.0.iter().try_fold(json, |json, token| match json {
        Json::Array(elements) => {
            let index: usize = token.parse().ok()?;
            elements.get(index).filter(|_| index.to_string() == **token)
        }
        _ => member(json, token),
    })
}

fn present<'a>(json: &'a Json, pointer: &Pointer) -> Option<&'a Json> {
    at(json, pointer).filter(|value| **value != Json::Null)
}

fn is_integer(digits: &str) -> bool {
    !digits.contains(['.', 'e', 'E'])
}

fn referee(catalog: &Catalog, bytes: &[u8]) -> Result<Plain, Reject> {
    let input = &catalog.input;
    if bytes.len() > input.max_event_bytes {
        return Err(Reject::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Reject::NotJson)?;
    let json: Json = serde_json::from_str(&with_numbers_as_strings(text)).map_err(|_| Reject::NotJson)?;
    if !matches!(json, Json::Object(_)) {
        return Err(Reject::NotObject);
    }
    let key = key(input, &json)?;
    let kind = kind(input, &json)?;
    let mut keys = keys(catalog, &key, &json);
    let command = if kind.starts_with('$') { Some(command(catalog, &kind, &mut keys, &json)?) } else { None };
    let time_ms = time(input, &json)?;
    let id = match first(&json, &input.id) {
        Some(Json::String(id)) => Some(id.clone()),
        Some(Json::Number(n)) if is_integer(n) => Some(if n == "-0" { "0".to_owned() } else { n.clone() }),
        _ => None,
    };
    let number = catalog.event_types.iter().position(|k| **k == kind).map_or(0, |index| index as u16 + 1);
    Ok(Plain {
        key,
        keys,
        kind: (number, kind),
        time_ms,
        id: id.filter(|id| (1..=256).contains(&id.len())),
        command,
        properties: properties(catalog, &json),
    })
}

fn first<'a>(json: &'a Json, rule: &FieldRule) -> Option<&'a Json> {
    rule.pointers().find_map(|pointer| present(json, pointer))
}

fn key(input: &InputMapping, json: &Json) -> Result<String, Reject> {
    as_key(first(json, &input.key).ok_or(Reject::MissingKey)?).ok_or(Reject::BadKey)
}

fn as_key(json: &Json) -> Option<String> {
    let key = match json {
        Json::String(key) => key.clone(),
        Json::Number(n) if is_integer(n) => match (n.parse::<i64>(), n.parse::<u64>()) {
            (Ok(n), _) => n.to_string(),
            (_, Ok(n)) => n.to_string(),
            _ => return None,
        },
        _ => return None,
    };
    (1..=256).contains(&key.len()).then_some(key)
}

fn keys(catalog: &Catalog, user: &str, json: &Json) -> Vec<Option<String>> {
    let key = |pointer: &Pointer| present(json, pointer).and_then(as_key);
    catalog.entities.iter().map(|kind| kind.key.as_ref().map_or(Some(user.to_owned()), key)).collect()
}

fn command(catalog: &Catalog, kind: &str, keys: &mut [Option<String>], json: &Json) -> Result<PlainCommand, Reject> {
    match kind {
        "$erase" => return Ok(PlainCommand::Erase),
        "$tag" => {}
        _ => return Err(Reject::BadType),
    }
    let base = properties_place(catalog, json);
    let field = |name| at(json, &base).and_then(|properties| member(properties, name)).filter(|v| **v != Json::Null);
    let is_named = |tag: &tagstream::catalog::Tag| {
        matches!(tag.definition, TagDefinition::Manual { .. })
            && field("tag") == Some(&Json::String(tag.name.to_string()))
    };
    let tag = catalog.tags.iter().position(is_named).ok_or(Reject::BadType)?;
    let own = catalog.tags[tag].entity.index();
    keys[own].as_ref().ok_or(Reject::MissingKey)?;
    keys.iter_mut().enumerate().filter(|(kind, _)| *kind != own).for_each(|(_, key)| *key = None);
    let tag = tag as u16;
    let Some(Json::Bool(set)) = field("set") else { return Err(Reject::BadType) };
    let value = match field("value").map_or(PlainProperty::Bool(true), property) {
        PlainProperty::Array(_) | PlainProperty::Object | PlainProperty::Missing => return Err(Reject::BadType),
        value => value,
    };
    let valid_for_ms = match field("valid_for") {
        Some(Json::String(text)) if *set => {
            let ms = parse_duration(text).map_err(|_| Reject::BadType)?;
            if ms == 0 {
                return Err(Reject::BadType);
            }
            Some(ms)
        }
        Some(_) if *set => return Err(Reject::BadType),
        _ => None,
    };
    Ok(if *set { PlainCommand::Set { tag, value, valid_for_ms } } else { PlainCommand::Unset { tag } })
}

fn kind(input: &InputMapping, json: &Json) -> Result<String, Reject> {
    let track = Json::String("track".to_owned());
    let place = match &input.event_type {
        EventTypeRule::At(rule) => rule.clone(),
        EventTypeRule::Segment if at(json, &pointer("/type")) == Some(&track) => FieldRule::of([pointer("/event")]),
        EventTypeRule::Segment => FieldRule::of([pointer("/type")]),
        EventTypeRule::Debezium => return debezium_kind(json),
    };
    match first(json, &place) {
        None => Err(Reject::MissingType),
        Some(Json::String(k)) if (1..=128).contains(&k.len()) => Ok(k.clone()),
        Some(_) => Err(Reject::BadType),
    }
}

fn debezium_kind(json: &Json) -> Result<String, Reject> {
    let kind = match (present(json, &pointer("/op")), present(json, &pointer("/source/table"))) {
        (None, _) => match present(json, &pointer("/type")).ok_or(Reject::MissingType)? {
            Json::String(kind) => kind.clone(),
            _ => return Err(Reject::BadType),
        },
        (Some(Json::String(op)), table) => {
            let change = match op.as_str() {
                "c" => "created",
                "u" => "updated",
                "d" => "deleted",
                "r" => "read",
                "t" => "truncated",
                _ => return Err(Reject::BadType),
            };
            match table.ok_or(Reject::MissingType)? {
                Json::String(table) if !table.is_empty() && !table.starts_with('$') => format!("{table}.{change}"),
                _ => return Err(Reject::BadType),
            }
        }
        _ => return Err(Reject::BadType),
    };
    if (1..=128).contains(&kind.len()) { Ok(kind) } else { Err(Reject::BadType) }
}

fn time(input: &InputMapping, json: &Json) -> Result<i64, Reject> {
    let ms = match first(json, &input.time) {
        None => return Err(Reject::MissingTime),
        Some(Json::String(text)) => i128::from(Timestamp::parse(text).map_err(|_| Reject::BadTime)?.ms()),
        Some(Json::Number(n)) => {
            let unit = if input.time_unit == TimeUnit::Seconds { 1_000 } else { 1 };
            i128::from(n.parse::<i64>().map_err(|_| Reject::BadTime)?) * unit
        }
        Some(_) => return Err(Reject::BadTime),
    };
    if ms < 631_152_000_000 {
        return Err(Reject::TooOld);
    }
    if ms > i128::from(NOW.ms() + input.max_future_ms) {
        return Err(Reject::InFuture);
    }
    Ok(ms as i64)
}

fn properties_place(catalog: &Catalog, json: &Json) -> Pointer {
    let identify = Json::String("identify".to_owned());
    match &catalog.input.properties {
        PropertiesRule::At(pointer) => pointer.clone(),
        PropertiesRule::Segment if at(json, &pointer("/type")) == Some(&identify) => pointer("/traits"),
        PropertiesRule::Segment => pointer("/properties"),
        PropertiesRule::Debezium if present(json, &pointer("/op")).is_none() => pointer("/properties"),
        PropertiesRule::Debezium if matches!(at(json, &pointer("/after")), Some(Json::Object(_))) => pointer("/after"),
        PropertiesRule::Debezium => pointer("/before"),
    }
}

fn properties(catalog: &Catalog, json: &Json) -> Vec<PlainProperty> {
    let base = properties_place(catalog, json);
    let find = |path: &Vec<Box<str>>| path.iter().try_fold(at(json, &base)?, |json, name| member(json, name));
    catalog.paths.iter().map(|path| find(path).map_or(PlainProperty::Missing, property)).collect()
}

fn property(json: &Json) -> PlainProperty {
    match json {
        Json::Null => PlainProperty::Null,
        Json::Bool(value) => PlainProperty::Bool(*value),
        Json::String(text) => PlainProperty::String(text.clone()),
        Json::Object(_) => PlainProperty::Object,
        Json::Number(digits) if is_integer(digits) && digits.parse::<i64>().is_ok() => {
            PlainProperty::Integer(digits.parse().expect("an integer"), digits.clone())
        }
        Json::Number(digits) => match digits.parse::<f64>() {
            Ok(double) if double.is_finite() => PlainProperty::Number(double, digits.clone()),
            _ => PlainProperty::Missing,
        },
        Json::Array(elements) => {
            // Of an array within an array nothing is read.
            let element = |element: &Json| match element {
                Json::Array(_) => PlainProperty::Missing,
                other => property(other),
            };
            PlainProperty::Array(elements.iter().map(element).collect())
        }
    }
}

fn catalogs() -> Vec<Catalog> {
    let paths = ["a", "b", "deeper.a", "deeper.b.c", "deeper", "list.0", "list", "a_name_of_more_than_eight_bytes"];
    let odd = InputMapping {
        key: FieldRule::of([pointer("/properties/list/0"), pointer("/a/1/b"), pointer("/user_id")]),
        id: FieldRule::of([pointer("/list/1")]),
        properties: PropertiesRule::At(pointer("/list/0")),
        time_unit: TimeUnit::Seconds,
        ..flat()
    };
    let mixed = InputMapping {
        event_type: EventTypeRule::At(FieldRule::of([pointer("/event")])),
        max_event_bytes: 600,
        ..segment()
    };
    let whole = InputMapping {
        key: FieldRule::of([pointer("/user_id"), pointer("/list/0")]),
        event_type: EventTypeRule::At(FieldRule::of([pointer("/type")])),
        properties: PropertiesRule::At(pointer("")),
        ..flat()
    };
    let rows = InputMapping {
        key: FieldRule::of([pointer("/after/a"), pointer("/before/a"), pointer("/user_id")]),
        event_type: EventTypeRule::Debezium,
        properties: PropertiesRule::Debezium,
        ..flat()
    };
    let known = |input| catalog(input, &["visit", "buy"], &paths);
    let commanded = |input, tags: &[(&str, u16)]| with_manual_tags(known(input), tags);
    let tags = [("vip", 1), ("key account", 0), ("old device", 2)];
    vec![
        known(flat()),
        with_entities(known(segment()), &[], &["/properties/a"]),
        with_entities(commanded(odd, &tags), &["/list/1"], &["/properties/list/0"]),
        with_entities(commanded(mixed, &tags), &["/properties/deeper/a", "/type"], &[]),
        commanded(whole, &[("vip", 0)]),
        with_entities(commanded(flat(), &tags), &["/properties/tag"], &["/properties/a"]),
        with_entities(commanded(rows, &tags), &["/properties/tag"], &["/after/b"]),
    ]
}

/// How often each outcome came up.
type Tally = std::collections::BTreeMap<&'static str, u32>;

fn check(catalog: &Catalog, decoder: &mut Decoder, record: &[u8], seed: u64, tally: &mut Tally) {
    let expected = referee(catalog, record);
    let actual = decode(catalog, decoder, &mut Event::default(), record);
    assert_eq!(actual, expected, "SEED={seed} {}", String::from_utf8_lossy(record));
    let outcome = match &expected {
        Err(reject) => reject.code(),
        Ok(Plain { command: None, .. }) => "accepted",
        Ok(Plain { command: Some(PlainCommand::Erase), .. }) => "erase",
        Ok(Plain { command: Some(PlainCommand::Set { .. }), .. }) => "set",
        Ok(Plain { command: Some(PlainCommand::Unset { .. }), .. }) => "unset",
    };
    *tally.entry(outcome).or_default() += 1;
}

/// `SEED=n` repeats the one case of that seed.
fn seeds(count: u64) -> std::ops::Range<u64> {
    match std::env::var("SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("SEED is a number");
            seed..seed + 1
        }
        Err(_) => 0..count,
    }
}

/// Records that have nothing in common.
#[test]
fn agrees_on_random_records() {
    let catalogs = catalogs();
    let mut decoders: Vec<Decoder> = catalogs.iter().map(Decoder::new).collect();
    let mut tally = Tally::new();
    for seed in seeds(40_000) {
        let record = generator::record(&mut fastrand::Rng::with_seed(seed));
        for (catalog, decoder) in catalogs.iter().zip(&mut decoders) {
            check(catalog, decoder, &record, seed, &mut tally);
        }
    }
    println!("{tally:?}");
}

/// Records of a few producers, so that their shapes are learned; and every other one is not quite of its shape.
#[test]
fn agrees_on_records_of_few_shapes() {
    let catalogs = catalogs();
    let mut tally = Tally::new();
    for seed in seeds(200) {
        let mut random = fastrand::Rng::with_seed(seed);
        let catalog = &catalogs[random.usize(..catalogs.len())];
        let mut records = Vec::new();
        while records.len() < 4 {
            let record = generator::record(&mut random);
            if referee(catalog, &record).is_ok() {
                records.push(record);
            }
        }
        let mut decoder = Decoder::new(catalog);
        for _ in 0..300 {
            let mut record = records[random.usize(..records.len())].clone();
            match random.u8(..4) {
                0 => generator::damage(&mut record, &mut random),
                1 | 2 => generator::another_value(&mut record, &mut random),
                _ => {}
            }
            check(catalog, &mut decoder, &record, seed, &mut tally);
        }
    }
    println!("{tally:?}");
}

/// More records than shapes are tried on: of one shape all the time, of a new one each time, and then of one again.
#[test]
fn agrees_while_shapes_come_and_go() {
    let catalog = &catalogs()[0];
    let mut decoder = Decoder::new(catalog);
    let mut tally = Tally::new();
    for i in 0..30_000_u64 {
        let odd_name = if (2_000..10_000).contains(&i) { format!(r#""x{i}":{i},"#) } else { String::new() };
        let record = format!(
            r#"{{"user_id":{i},{odd_name}"type":"visit","timestamp":"2026-03-15T08:00:00Z","properties":{{"a":{i}.5,"list":[{i}]}}}}"#
        );
        check(catalog, &mut decoder, record.as_bytes(), 0, &mut tally);
    }
    assert_eq!(tally, Tally::from([("accepted", 30_000)]));
}
