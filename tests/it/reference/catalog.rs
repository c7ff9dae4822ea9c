//! A valid catalog as the model uses it.

use serde_json::Value as Yaml;

use super::expression::{Expression, Name};
use super::instant::{DAY_MS, duration_ms};
use super::number::Number;
use super::value::Value;
use super::window::{Ago, Calendar, Resolution, Window};
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
    pub key: Option<Vec<String>>,
    pub kind: Option<Vec<String>>,
    pub time: Option<Vec<String>>,
    pub id: Option<Vec<String>>,
    pub properties: Option<String>,
    pub time_unit: TimeUnit,
    pub local_times: bool,
    pub numbers_in_text: bool,
    pub dedup_ms: Option<i64>,
    /// How many ids of an entity are remembered.
    pub dedup_limit: usize,
    /// The longest text that is kept, in bytes.
    pub max_text: usize,
    pub max_future_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
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
    Date,
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
    Sessions,
    Sequence,
}

/// The events that begin or end something: of these types, and passing this condition.
pub struct Step {
    pub on: On,
    pub only: Option<Expression>,
}

/// What an aggregate takes of an event.
pub enum Operand {
    /// For `count` and the like.
    Nothing,
    Path(Name),
    Expression(Expression),
}

pub struct Counter {
    pub name: String,
    /// Index of the kind of entity.
    pub entity: usize,
    pub aggregate: Aggregate,
    pub operand: Operand,
    pub on: On,
    pub only: Option<Expression>,
    /// The array whose elements count, each by itself.
    pub each: Option<Name>,
    /// What makes it begin anew.
    pub since: Option<Step>,
    pub steps: Vec<Step>,
    /// Between sessions, or within which a sequence is.
    pub gap_ms: i64,
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
    /// Nothing for the last.
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
            Self::Types(types) => types.iter().any(|own| match own.strip_suffix('*') {
                Some(begin) => kind.starts_with(begin),
                None => own == kind,
            }),
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
        let week = optional(&yaml, "week_starts").unwrap_or_else(|| "monday".to_owned());
        let counters = section(&yaml, "counters").map(|(name, own)| read_counter(name, of(own), own, &week)).collect();
        let tags: Vec<Tag> = section(&yaml, "tags").map(|(name, own)| read_tag(name, of(own), own)).collect();
        let turns = turns(&tags);
        let mut catalog = Self {
            zone: Zone::named(yaml.get("timezone").and_then(Yaml::as_str).unwrap_or("UTC")),
            input: read_input(yaml.get("input").unwrap_or(&Yaml::Null)),
            partial: optional(&yaml, "history").as_deref() == Some("partial"),
            attributes,
            counters,
            tags,
            turns,
            kinds,
        };
        catalog.settle();
        catalog
    }

    /// Decides in every expression what its parts do not tell by themselves.
    fn settle(&mut self) {
        let decimals: Vec<String> = {
            let own = |name: &Name| self.is_decimal(name);
            let counters = self.counters.iter().map(|counter| counter.name.clone());
            let names = counters.chain(self.tags.iter().map(|tag| format!("tag.{}", tag.name)));
            names.filter(|name| own(&Name::Fact(name.clone()))).collect()
        };
        let is_decimal = |name: &Name| matches!(name, Name::Fact(fact) if decimals.contains(fact));
        let zone = &self.zone;
        let begins = |day| zone.start_of_day(day);
        let mut settle = |expression: &mut Expression| expression.settle(&begins, &is_decimal);
        for attribute in &mut self.attributes {
            attribute.only.iter_mut().for_each(&mut settle);
        }
        for counter in &mut self.counters {
            counter.only.iter_mut().for_each(&mut settle);
            counter
                .since
                .iter_mut()
                .chain(&mut counter.steps)
                .filter_map(|step| step.only.as_mut())
                .for_each(&mut settle);
            if let Operand::Expression(expression) = &mut counter.operand {
                settle(expression);
                expression.in_doubles();
                expression.become_double();
            }
        }
        for tag in &mut self.tags {
            match &mut tag.kind {
                TagKind::Rule { when, until, .. } => [when].into_iter().chain(until).for_each(&mut settle),
                TagKind::Value { value, .. } => settle(value),
                TagKind::Stages(stages) => {
                    stages.iter_mut().filter_map(|(_, when)| when.as_mut()).for_each(&mut settle)
                }
                TagKind::Manual { .. } => {}
            }
        }
    }

    /// Whether what a tag reads under that name is a decimal.
    fn is_decimal(&self, name: &Name) -> bool {
        let Name::Fact(name) = name else { return false };
        if let Some(tag) = name.strip_prefix("tag.") {
            return self.tags.iter().any(|own| match &own.kind {
                TagKind::Value { value, bands, .. } if own.name == tag && bands.is_empty() => {
                    value.is_decimal(&|name| self.is_decimal(name))
                }
                _ => false,
            });
        }
        let counter = self.counters.iter().find(|counter| counter.name == *name);
        counter.is_some_and(|counter| {
            use Aggregate::{Average, First, Last, Top};
            !matches!(counter.aggregate, Average | First | Last | Top)
        })
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
        Yaml::Number(number) => Expression::Literal(Value::Number(Number::literal(&number.to_string()))),
        other => panic!("no expression: {other}"),
    })
}

fn literal(yaml: &Yaml) -> Number {
    Number::literal(&yaml.to_string())
}

fn read_step(yaml: &Yaml) -> Step {
    match yaml {
        Yaml::Object(_) => Step { on: On::read(&yaml["on"]), only: expression(yaml, "where") },
        types => Step { on: On::read(types), only: None },
    }
}

/// One pointer or several.
fn pointers(yaml: &Yaml, name: &str) -> Option<Vec<String>> {
    Some(match yaml.get(name)? {
        Yaml::Array(all) => all.iter().map(word).collect(),
        one => vec![word(one)],
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
            Some("date") => AttributeType::Date,
            Some(other) => panic!("no type of attribute: {other}"),
        },
        only: expression(yaml, "where"),
    }
}

fn read_counter(name: &str, entity: usize, yaml: &Yaml, week: &str) -> Counter {
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

fn read_window(yaml: &Yaml, aggregate: Aggregate, week: &str) -> Window {
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
