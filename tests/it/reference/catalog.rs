//! A valid catalog as the model uses it.

use serde_json::Value as Yaml;

use super::expression::{Expression, Name};
use super::instant::{DAY_MS, duration_ms};
use super::number::Number;
use super::value::Value;
use super::window::{Calendar, Resolution, Window};
use super::zone::Zone;

pub struct Catalog {
    pub zone: Zone,
    pub input: Input,
    /// Kinds of entity, in the order in which an event goes to them.
    pub kinds: Vec<Kind>,
    /// Whether there may have been events before the first one.
    pub partial: bool,
    pub attributes: Vec<Attribute>,
    pub counters: Vec<Counter>,
    /// In the catalog's order.
    pub tags: Vec<Tag>,
    /// Indexes of `tags` in the order in which they take their turn.
    pub turns: Vec<usize>,
}

/// A kind of entity.
pub struct Kind {
    pub name: String,
    /// Where a record has the key; nothing for the user, whose key is the input's.
    pub key: Option<String>,
    pub forget_ms: Option<i64>,
}

/// Where in a record things are; `None` where the preset's own rule holds.
pub struct Input {
    pub segment: bool,
    pub key: Option<String>,
    pub kind: Option<String>,
    pub time: Option<String>,
    pub id: Option<String>,
    pub properties: Option<String>,
    pub time_unit_ms: i64,
    pub dedup_ms: Option<i64>,
    /// How many ids of an entity are remembered.
    pub dedup_limit: usize,
    /// The longest text that is kept, in bytes.
    pub max_text: usize,
    pub max_future_ms: i64,
}

/// Which types of event something takes.
pub enum On {
    Any,
    Types(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttributeType {
    AsFound,
    String,
    Number,
    Bool,
    Time,
}

pub struct Attribute {
    pub name: String,
    /// Index of the kind of entity.
    pub entity: usize,
    pub from: On,
    pub value: Name,
    pub kind: AttributeType,
    pub only: Option<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregate {
    Count,
    Sum,
    Average,
    Least,
    Greatest,
    Distinct,
    ActiveDays,
    Last,
    First,
    Top,
}

pub struct Counter {
    pub name: String,
    /// Index of the kind of entity.
    pub entity: usize,
    pub aggregate: Aggregate,
    /// Nothing for `count` and `active_days`.
    pub path: Option<Name>,
    pub on: On,
    pub only: Option<Expression>,
    pub window: Window,
    pub limit: usize,
}

pub struct Tag {
    pub name: String,
    /// Index of the kind of entity.
    pub entity: usize,
    pub kind: TagKind,
}

pub enum TagKind {
    Rule {
        when: Expression,
        until: Option<Expression>,
        for_ms: i64,
        keep_ms: i64,
    },
    /// A value as it is where there are no bands.
    Value {
        value: Expression,
        bands: Vec<Band>,
        margin: Number,
    },
    Stages(Vec<(String, Option<Expression>)>),
    /// Set and removed by commands, valid for so long where these do not say for how long.
    Manual {
        valid_ms: Option<i64>,
    },
}

pub struct Band {
    pub name: String,
    /// `None` for the last.
    pub below: Option<Number>,
}

impl Input {
    /// Whether an entity's state may keep a value; one that it may not keep counts as missing.
    pub fn keeps(&self, value: &Value) -> bool {
        value.text().is_none_or(|text| text.len() <= self.max_text)
    }
}

impl On {
    pub fn takes(&self, kind: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Types(types) => types.iter().any(|own| own == kind),
        }
    }

    fn read(yaml: &Yaml) -> Self {
        match yaml {
            Yaml::String(any) if any == "*" => Self::Any,
            Yaml::String(kind) => Self::Types(vec![kind.clone()]),
            Yaml::Array(kinds) if kinds.iter().any(|kind| kind == "*") => Self::Any,
            Yaml::Array(kinds) => Self::Types(kinds.iter().map(word).collect()),
            other => panic!("no types of event: {other}"),
        }
    }
}

impl TagKind {
    /// Its expressions in the order in which they are mentioned.
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Rule { when, until, .. } => [when].into_iter().chain(until).collect(),
            Self::Value { value, .. } => vec![value],
            Self::Stages(stages) => stages.iter().filter_map(|(_, when)| when.as_ref()).collect(),
            Self::Manual { .. } => Vec::new(),
        }
    }
}

impl TagKind {
    fn expressions_mut(&mut self) -> Vec<&mut Expression> {
        match self {
            Self::Rule { when, until, .. } => [when].into_iter().chain(until).collect(),
            Self::Value { value, .. } => vec![value],
            Self::Stages(stages) => stages.iter_mut().filter_map(|(_, when)| when.as_mut()).collect(),
            Self::Manual { .. } => Vec::new(),
        }
    }
}

impl Catalog {
    pub fn read(text: &str) -> Self {
        // In YAML 1.2 `y`, `no` and `off` are texts.
        let options = serde_saphyr::options! { strict_booleans: true };
        let yaml: Yaml = serde_saphyr::from_str_with_options(text, options).expect("a YAML file");
        let kinds = read_kinds(&yaml);
        let of = |own: &Yaml| {
            let name = own.get("entity").and_then(Yaml::as_str).unwrap_or("user");
            kinds.iter().position(|kind| kind.name == name).unwrap_or_else(|| panic!("no kind of entity: {name}"))
        };
        let attributes = section(&yaml, "attributes").map(|(name, own)| read_attribute(name, of(own), own)).collect();
        let counters: Vec<Counter> =
            section(&yaml, "counters").map(|(name, own)| read_counter(name, of(own), own)).collect();
        let mut tags: Vec<Tag> = section(&yaml, "tags").map(|(name, own)| read_tag(name, of(own), own)).collect();
        let turns = turns(&tags);
        settle(&mut tags, &turns, &counters);
        Self {
            zone: Zone::named(yaml.get("timezone").and_then(Yaml::as_str).unwrap_or("UTC")),
            input: read_input(yaml.get("input").unwrap_or(&Yaml::Null)),
            partial: optional(&yaml, "history").as_deref() == Some("partial"),
            attributes,
            counters,
            tags,
            turns,
            kinds,
        }
    }

    /// The manual tag of that name, as an index.
    pub fn manual_tag(&self, name: &str) -> Option<usize> {
        self.tags.iter().position(|tag| tag.name == name && matches!(tag.kind, TagKind::Manual { .. }))
    }
}

fn section<'a>(yaml: &'a Yaml, name: &str) -> impl Iterator<Item = (&'a String, &'a Yaml)> + use<'a> {
    yaml.get(name).and_then(Yaml::as_object).into_iter().flatten()
}

fn word(yaml: &Yaml) -> String {
    yaml.as_str().unwrap_or_else(|| panic!("no text: {yaml}")).to_owned()
}

fn optional(yaml: &Yaml, name: &str) -> Option<String> {
    yaml.get(name).map(word)
}

fn milliseconds(yaml: &Yaml, name: &str) -> Option<i64> {
    optional(yaml, name).map(|text| duration_ms(&text))
}

fn expression(yaml: &Yaml, name: &str) -> Option<Expression> {
    yaml.get(name).map(|text| match text {
        Yaml::String(text) => Expression::parse(text),
        Yaml::Bool(flag) => Expression::Literal(Value::Bool(*flag)),
        other => Expression::Literal(Value::Number(Number::of_catalog(&other.to_string()))),
    })
}

fn path(yaml: &Yaml) -> Name {
    match Expression::parse(&word(yaml)) {
        Expression::Name(name) => name,
        other => panic!("no path: {other:?}"),
    }
}

/// As declared; the user, where it is not declared, is the first.
fn read_kinds(yaml: &Yaml) -> Vec<Kind> {
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

fn read_input(yaml: &Yaml) -> Input {
    let whole = |name: &str, usual| yaml.get(name).and_then(Yaml::as_u64).map_or(usual, |number| number as usize);
    Input {
        segment: optional(yaml, "preset").as_deref() == Some("segment"),
        key: optional(yaml, "key"),
        kind: optional(yaml, "type"),
        time: optional(yaml, "time"),
        id: optional(yaml, "id"),
        properties: optional(yaml, "properties"),
        time_unit_ms: if optional(yaml, "time_unit").as_deref() == Some("s") { 1000 } else { 1 },
        dedup_ms: milliseconds(yaml, "dedup"),
        dedup_limit: whole("dedup_limit", 10_000),
        max_text: whole("max_text", 1024),
        max_future_ms: milliseconds(yaml, "max_future").unwrap_or(300_000),
    }
}

fn read_attribute(name: &str, entity: usize, yaml: &Yaml) -> Attribute {
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
            Some(other) => panic!("no type of attribute: {other}"),
        },
        only: expression(yaml, "where"),
    }
}

fn read_counter(name: &str, entity: usize, yaml: &Yaml) -> Counter {
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
    ];
    let found = aggregates.into_iter().find_map(|(key, aggregate)| Some((aggregate, yaml.get(key)?)));
    let (aggregate, operand) = found.unwrap_or_else(|| panic!("no aggregate in {name}"));
    let of_types = matches!(aggregate, Aggregate::Count | Aggregate::ActiveDays);
    let usual = if aggregate == Aggregate::Top { 64 } else { 256 };
    Counter {
        name: name.to_owned(),
        entity,
        aggregate,
        path: (!of_types).then(|| path(operand)),
        on: On::read(if of_types { operand } else { &yaml["on"] }),
        only: expression(yaml, "where"),
        window: read_window(yaml, aggregate),
        limit: yaml.get("limit").and_then(Yaml::as_u64).map_or(usual, |limit| limit as usize),
    }
}

fn read_window(yaml: &Yaml, aggregate: Aggregate) -> Window {
    let window = yaml.get("window");
    if let Some(calendar) = window.and_then(|window| window.get("calendar")).or_else(|| yaml.get("calendar")) {
        return Window::Calendar(match word(calendar).as_str() {
            "day" => Calendar::Day,
            "week" => Calendar::Week,
            "month" => Calendar::Month,
            "year" => Calendar::Year,
            other => panic!("no calendar window: {other}"),
        });
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
    assert!(length_ms % pane_ms == 0 && length_ms / pane_ms <= 4000, "no valid window: {length}");
    // "The last W / 1d dates, today included" are one fewer than the panes of any other window.
    let panes = length_ms / pane_ms - i64::from(aggregate == Aggregate::ActiveDays);
    Window::Rolling { resolution, panes, length_ms }
}

fn read_tag(name: &str, entity: usize, yaml: &Yaml) -> Tag {
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
                .map(|band| Band {
                    name: word(&band["name"]),
                    below: band.get("below").map(|below| Number::of_catalog(&below.to_string())),
                })
                .collect(),
            margin: yaml.get("margin").map_or(Number::ZERO, |margin| Number::of_catalog(&margin.to_string())),
        }
    } else if let Some(manual) = yaml.get("manual") {
        TagKind::Manual { valid_ms: milliseconds(yaml, "valid_for").or_else(|| milliseconds(manual, "valid_for")) }
    } else {
        let stages = yaml["stages"].as_array().expect("stages").iter();
        TagKind::Stages(stages.map(|stage| (word(&stage["name"]), expression(stage, "when"))).collect())
    };
    Tag { name: name.to_owned(), entity, kind }
}

/// Finds out in the tags' expressions, in the order of their turns, where decimals become doubles.
fn settle(tags: &mut [Tag], turns: &[usize], counters: &[Counter]) {
    let mut decimal: Vec<String> = Vec::new();
    for counter in counters {
        let is_other =
            matches!(counter.aggregate, Aggregate::Average | Aggregate::Last | Aggregate::First | Aggregate::Top);
        decimal.extend((!is_other).then(|| counter.name.clone()));
    }
    for turn in turns {
        let tag = &mut tags[*turn];
        let names = |name: &Name| decimal.contains(&name.written());
        for expression in tag.kind.expressions_mut() {
            let whole = std::mem::replace(expression, Expression::List(Vec::new()));
            *expression = whole.settled(&names);
        }
        if let TagKind::Value { value, bands, .. } = &tag.kind
            && bands.is_empty()
            && value.is_decimal(&names)
        {
            decimal.push(format!("tag.{}", tag.name));
        }
    }
}

/// The catalog's order, but each tag after those it uses, as they are mentioned.
fn turns(tags: &[Tag]) -> Vec<usize> {
    fn visit(tags: &[Tag], tag: usize, order: &mut Vec<usize>) {
        if order.contains(&tag) {
            return;
        }
        let mut leaves = Vec::new();
        tags[tag].kind.expressions().iter().for_each(|expression| expression.leaves(&mut leaves));
        for leaf in leaves {
            for name in leaf.names() {
                let name = name.written();
                let used = name.strip_prefix("tag.");
                if let Some(used) = used.and_then(|used| tags.iter().position(|tag| tag.name == used)) {
                    visit(tags, used, order);
                }
            }
        }
        order.push(tag);
    }
    let mut order = Vec::new();
    (0..tags.len()).for_each(|tag| visit(tags, tag, &mut order));
    order
}
