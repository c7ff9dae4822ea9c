//! Reads the parts of a catalog from its YAML.

use serde_json::Value as Yaml;

use super::catalog::{
    Aggregate, Attribute, AttributeType, Band, Counter, Input, Kind, On, Operand, Step, Tag, TagKind, TimeUnit,
};
use super::expression::{Expression, Name};
use super::instant::{DAY_MS, duration_ms};
use super::number::Number;
use super::value::Value;
use super::window::{Ago, Calendar, Resolution, Window};

pub fn section<'a>(yaml: &'a Yaml, name: &str) -> impl Iterator<Item = (&'a String, &'a Yaml)> + use<'a> {
    yaml.get(name).and_then(Yaml::as_object).into_iter().flatten()
}

pub fn word(yaml: &Yaml) -> String {
    yaml.as_str().unwrap_or_else(|| panic!("no text: {yaml}")).to_owned()
}

pub fn optional(yaml: &Yaml, name: &str) -> Option<String> {
    yaml.get(name).map(word)
}

pub fn milliseconds(yaml: &Yaml, name: &str) -> Option<i64> {
    optional(yaml, name).map(|text| duration_ms(&text))
}

pub fn expression(yaml: &Yaml, name: &str) -> Option<Expression> {
    yaml.get(name).map(|text| match text {
        Yaml::String(text) => Expression::parse(text),
        Yaml::Bool(flag) => Expression::Literal(Value::Bool(*flag)),
        Yaml::Number(number) => Expression::Literal(Value::Number(Number::literal(&number.to_string()))),
        other => panic!("no expression: {other}"),
    })
}

pub fn literal(yaml: &Yaml) -> Number {
    Number::literal(&yaml.to_string())
}

pub fn read_step(yaml: &Yaml) -> Step {
    match yaml {
        Yaml::Object(_) => Step { on: On::read(&yaml["on"]), only: expression(yaml, "where") },
        types => Step { on: On::read(types), only: None },
    }
}

/// One pointer or several.
pub fn pointers(yaml: &Yaml, name: &str) -> Option<Vec<String>> {
    Some(match yaml.get(name)? {
        Yaml::Array(all) => all.iter().map(word).collect(),
        one => vec![word(one)],
    })
}

pub fn path(yaml: &Yaml) -> Name {
    match Expression::parse(&word(yaml)) {
        Expression::Name(name) => name,
        other => panic!("no path: {other:?}"),
    }
}

/// As declared; the user, where it is not declared, is the first.
pub fn read_kinds(yaml: &Yaml) -> Vec<Kind> {
    let declared = section(yaml, "entities").map(|(name, own)| Kind {
        name: name.clone(),
        key: optional(own, "key"),
        forget_ms: milliseconds(own, "forget_after"),
    });
    let mut kinds: Vec<Kind> = declared.collect();
    if !kinds.iter().any(|kind| kind.name == "user") {
        kinds.insert(0, Kind { name: "user".to_owned(), key: None, forget_ms: None });
    }
    kinds
}

pub fn read_input(yaml: &Yaml) -> Input {
    let whole = |name: &str, usual| yaml.get(name).and_then(Yaml::as_u64).map_or(usual, |number| number as usize);
    let flag = |name: &str| yaml.get(name).and_then(Yaml::as_bool).unwrap_or(false);
    Input {
        segment: optional(yaml, "preset").as_deref() == Some("segment"),
        key: pointers(yaml, "key"),
        kind: pointers(yaml, "type"),
        time: pointers(yaml, "time"),
        id: pointers(yaml, "id"),
        properties: optional(yaml, "properties"),
        time_unit: match optional(yaml, "time_unit").as_deref() {
            Some("s") => TimeUnit::Seconds,
            Some("us") => TimeUnit::Microseconds,
            Some("ns") => TimeUnit::Nanoseconds,
            _ => TimeUnit::Milliseconds,
        },
        local_times: flag("local_times"),
        numbers_in_text: flag("numbers_in_text"),
        dedup_ms: milliseconds(yaml, "dedup"),
        dedup_limit: whole("dedup_limit", 10_000),
        max_text: whole("max_text", 1024),
        max_future_ms: milliseconds(yaml, "max_future").unwrap_or(300_000),
    }
}

pub fn read_attribute(name: &str, entity: usize, yaml: &Yaml) -> Attribute {
    Attribute {
        name: name.to_owned(),
        entity,
        from: On::read(&yaml["from"]),
        value: path(&yaml["value"]),
        kind: match optional(yaml, "type").as_deref() {
            None => AttributeType::AsFound,
            Some("string") => AttributeType::String,
            Some("number") => AttributeType::Number,
            Some("bool") => AttributeType::Bool,
            Some("time") => AttributeType::Time,
            Some("date") => AttributeType::Date,
            Some(other) => panic!("no type of attribute: {other}"),
        },
        only: expression(yaml, "where"),
    }
}

pub fn read_counter(name: &str, entity: usize, yaml: &Yaml, week: &str) -> Counter {
    let aggregates = [
        ("count", Aggregate::Count),
        ("sum", Aggregate::Sum),
        ("avg", Aggregate::Average),
        ("min", Aggregate::Least),
        ("max", Aggregate::Greatest),
        ("distinct", Aggregate::Distinct),
        ("active_days", Aggregate::ActiveDays),
        ("last", Aggregate::Last),
        ("first", Aggregate::First),
        ("top", Aggregate::Top),
        ("sessions", Aggregate::Sessions),
        ("sequence", Aggregate::Sequence),
    ];
    let found = aggregates.into_iter().find_map(|(key, aggregate)| Some((aggregate, yaml.get(key)?)));
    let (aggregate, own) = found.unwrap_or_else(|| panic!("no aggregate in {name}"));
    let usual = if aggregate == Aggregate::Top { 64 } else { 256 };
    let mut counter = Counter {
        name: name.to_owned(),
        entity,
        aggregate,
        operand: Operand::Nothing,
        on: On::Types(Vec::new()),
        only: expression(yaml, "where"),
        each: yaml.get("each").map(path),
        since: yaml.get("since").map(read_step),
        steps: Vec::new(),
        gap_ms: milliseconds(yaml, "gap").or_else(|| milliseconds(yaml, "within")).unwrap_or(0),
        window: read_window(yaml, aggregate, week),
        limit: yaml.get("limit").and_then(Yaml::as_u64).map_or(usual, |limit| limit as usize),
    };
    match aggregate {
        Aggregate::Count | Aggregate::ActiveDays | Aggregate::Sessions => counter.on = On::read(own),
        Aggregate::Sequence => counter.steps = own.as_array().expect("steps").iter().map(read_step).collect(),
        _ => {
            counter.on = On::read(&yaml["on"]);
            counter.operand = match Expression::parse(&word(own)) {
                Expression::Name(name) => Operand::Path(name),
                other => Operand::Expression(other),
            };
        }
    }
    counter
}

pub fn read_window(yaml: &Yaml, aggregate: Aggregate, week: &str) -> Window {
    let window = yaml.get("window");
    let ago = yaml.get("ago");
    if let Some(calendar) = window.and_then(|window| window.get("calendar")).or_else(|| yaml.get("calendar")) {
        let calendar = match word(calendar).as_str() {
            "day" => Calendar::Day,
            "week" => Calendar::Week(match week {
                "monday" => 0,
                "sunday" => 1,
                "saturday" => 2,
                other => panic!("no first day of a week: {other}"),
            }),
            "month" => Calendar::Month,
            "year" => Calendar::Year,
            other => panic!("no calendar window: {other}"),
        };
        // Beside the calendar, or in the window beside it.
        let ago = ago.or_else(|| window.and_then(|window| window.get("ago")));
        return Window::Calendar(calendar, ago.map_or(0, |ago| ago.as_i64().expect("a number of periods")));
    }
    let Some(length) = window.map(word).filter(|length| length != "lifetime") else { return Window::Lifetime };
    let length_ms = duration_ms(&length);
    let resolution = match milliseconds(yaml, "resolution") {
        _ if aggregate == Aggregate::ActiveDays => Resolution::LocalDay,
        Some(DAY_MS) => Resolution::LocalDay,
        Some(given) => Resolution::Fixed(given),
        None if length_ms <= 3_600_000 => Resolution::Fixed(1000),
        None if length_ms <= DAY_MS => Resolution::Fixed(60_000),
        None if length_ms <= 31 * DAY_MS => Resolution::Fixed(3_600_000),
        None => Resolution::LocalDay,
    };
    let pane_ms = if let Resolution::Fixed(ms) = resolution { ms } else { DAY_MS };
    let ago_ms = ago.map_or(0, |ago| duration_ms(&word(ago)));
    assert!(length_ms % pane_ms == 0 && ago_ms % pane_ms == 0, "no valid window: {length}");
    assert!((length_ms + ago_ms) / pane_ms <= 4000, "no valid window: {length}");
    // "The last W / 1d dates, today included" are one fewer than the panes of any other window.
    let panes = length_ms / pane_ms - i64::from(aggregate == Aggregate::ActiveDays);
    let ago = ago.map(|_| Ago { panes: ago_ms / pane_ms, length_ms: ago_ms });
    Window::Rolling { resolution, panes, length_ms, ago }
}

pub fn read_tag(name: &str, entity: usize, yaml: &Yaml) -> Tag {
    let kind = if let Some(when) = expression(yaml, "when") {
        TagKind::Rule {
            when,
            until: expression(yaml, "until"),
            for_ms: milliseconds(yaml, "for").unwrap_or(0),
            keep_ms: milliseconds(yaml, "keep_for").unwrap_or(0),
        }
    } else if let Some(value) = expression(yaml, "value") {
        let bands = yaml.get("bands").and_then(Yaml::as_array).into_iter().flatten();
        TagKind::Value {
            value,
            bands: bands
                .map(|band| Band { name: word(&band["name"]), below: band.get("below").map(literal) })
                .collect(),
            margin: yaml.get("margin").map_or(Number::Decimal(0), literal),
        }
    } else if let Some(manual) = yaml.get("manual") {
        TagKind::Manual { valid_ms: milliseconds(yaml, "valid_for").or_else(|| milliseconds(manual, "valid_for")) }
    } else {
        let stages = yaml["stages"].as_array().expect("stages").iter();
        TagKind::Stages(stages.map(|stage| (word(&stage["name"]), expression(stage, "when"))).collect())
    };
    Tag { name: name.to_owned(), entity, kind }
}
