//! A valid catalog as the model uses it.

use serde_json::Value as Yaml;

use super::catalog_reader::{optional, read_attribute, read_counter, read_input, read_kinds, read_tag, section, word};
use super::expression::{Expression, Name};
use super::number::Number;
use super::value::Value;
use super::window::Window;
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

    pub fn read(yaml: &Yaml) -> Self {
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
