//! The checked and compiled catalog: tables of small ids, in the order of the file.

use super::expr::Expr;
use super::fingerprint::fingerprint;
pub use crate::model::TagId;
use crate::model::{EntityKindId, KindId, PathId};

/// Index into [`Catalog::attributes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeId(pub u16);

/// Index into [`Catalog::counters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterId(pub u16);

/// A catalog that has been checked.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// A hash of what the catalog computes: titles, comments and formatting do not enter.
    pub fingerprint: u64,
    pub timezone: jiff::tz::TimeZone,
    pub input: InputMapping,
    /// Whether what was before the first event is known.
    pub history: History,
    /// In the order in which an event goes to them; indexed by [`EntityKindId`]. One of them is the user.
    pub entities: Vec<EntityKind>,
    /// The event types that the catalog mentions; the type at index i has `KindId(i + 1)`.
    pub event_types: Vec<Box<str>>,
    /// The property paths that the catalog mentions, as segments below `properties`; indexed by [`PathId`].
    pub paths: Vec<Vec<Box<str>>>,
    /// Where a `$tag` command says what it wants; there where a tag is manual.
    pub command_paths: Option<CommandPaths>,
    pub attributes: Vec<Attribute>,
    pub counters: Vec<Counter>,
    /// In the order of the file.
    pub tags: Vec<Tag>,
    /// Each tag once, in the catalog's order, each preceded by those it uses that have not had their turn (spec 6).
    pub order: Vec<TagId>,
}

impl Catalog {
    /// The kind of entity that every event has.
    pub fn user(&self) -> EntityKindId {
        let index = self.entities.iter().position(|kind| kind.key.is_none()).unwrap_or(0);
        EntityKindId(index as u16)
    }

    /// Takes note of what stands in the file of a tag's model: another model is another meaning.
    pub fn set_model_digest(&mut self, tag: TagId, digest: u64) {
        if let TagDefinition::Score(score) = &mut self.tags[usize::from(tag.0)].definition {
            score.digest = digest;
        }
        self.fingerprint = fingerprint(self);
    }

    pub fn tag(&self, id: TagId) -> &Tag {
        &self.tags[usize::from(id.0)]
    }

    pub fn entity(&self, id: EntityKindId) -> &EntityKind {
        &self.entities[id.index()]
    }
}

/// What tags are put on (spec 3, `entities`).
#[derive(Clone, Debug, PartialEq)]
pub struct EntityKind {
    pub name: Box<str>,
    /// Where an event says whose it is; `None` for the user, whose key is the input's.
    pub key: Option<Pointer>,
    /// An entity that has been silent for so long is forgotten.
    pub forget_after_ms: Option<i64>,
}

/// What a new counter is to take for granted (spec 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// The events before the first one are none.
    Complete,
    /// There may have been any.
    Partial,
}

/// The properties of a `$tag` command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandPaths {
    pub tag: PathId,
    pub set: PathId,
    pub value: PathId,
    pub valid_for: PathId,
}

/// A JSON Pointer (RFC 6901), unescaped: one reference token each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pointer(pub Vec<Box<str>>);

/// How the envelope of an event is found in a record (spec 2).
#[derive(Clone, Debug, PartialEq)]
pub struct InputMapping {
    pub key: KeyRule,
    pub event_type: EventTypeRule,
    pub time: Pointer,
    pub id: Pointer,
    pub properties: PropertiesRule,
    /// What an integer time counts.
    pub time_unit: TimeUnit,
    /// How long an id is remembered, in milliseconds.
    pub dedup_ms: Option<i64>,
    /// How far after the wall clock an event may lie, in milliseconds.
    pub max_future_ms: i64,
    /// The longest record, in bytes.
    pub max_event_bytes: usize,
}

/// Whose event it is: the first of the pointers that leads to something other than null.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyRule(pub Vec<Pointer>);

#[derive(Clone, Debug, PartialEq)]
pub enum EventTypeRule {
    At(Pointer),
    /// `event` for `track` calls, the call's own `type` for the others.
    Segment,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PropertiesRule {
    At(Pointer),
    /// `traits` for `identify` calls, `properties` for the others.
    Segment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    Milliseconds,
    Seconds,
}

/// The event types that something listens to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventTypeSet {
    /// `"*"`: all but commands.
    Any,
    /// Sorted, without repeats.
    Of(Vec<KindId>),
}

impl EventTypeSet {
    pub fn contains(&self, event_type: KindId) -> bool {
        match self {
            EventTypeSet::Any => true,
            EventTypeSet::Of(types) => types.contains(&event_type),
        }
    }
}

/// Where an aggregate takes its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Property(PathId),
    /// The event's time.
    Time,
    /// The event's type.
    EventType,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub name: Box<str>,
    /// Whose it is.
    pub entity: EntityKindId,
    pub from: EventTypeSet,
    pub value: Source,
    /// `None`: string, number or bool, as found.
    pub value_type: Option<AttributeType>,
    pub filter: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeType {
    String,
    Number,
    Bool,
    Time,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Counter {
    pub name: Box<str>,
    /// Whose it is.
    pub entity: EntityKindId,
    pub on: EventTypeSet,
    pub filter: Option<Expr>,
    pub aggregate: Aggregate,
    pub window: Window,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    Count,
    Sum(PathId),
    Avg(PathId),
    Min(PathId),
    Max(PathId),
    /// `limit` ≥ 1: how many values are told apart.
    Distinct {
        of: Source,
        limit: u32,
    },
    ActiveDays,
    Last(Source),
    First(Source),
    Top {
        of: Source,
        limit: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    Lifetime,
    /// `panes` = W / G, 1 to 4,000. An instant T holds the panes from p(T) − `panes` on; for `active_days` (always by
    /// the day) from p(T) − `panes` + 1 on.
    Rolling {
        panes: u32,
        resolution: Resolution,
    },
    /// The current one in the catalog's time zone.
    Calendar(CalendarUnit),
}

/// The length of a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    Second,
    Minute,
    Hour,
    /// A local date in the catalog's time zone.
    Day,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CalendarUnit {
    Day,
    /// From Monday.
    Week,
    Month,
    Year,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    pub name: Box<str>,
    /// Whose it is.
    pub entity: EntityKindId,
    /// (language, text); the language is empty where the title has none.
    pub title: Vec<(Box<str>, Box<str>)>,
    pub group: Option<Box<str>>,
    pub description: Option<Box<str>>,
    pub owner: Option<Box<str>>,
    pub definition: TagDefinition,
}

/// An expression, with what has to be shown of it when it decided something.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub expr: Expr,
    /// In order of mention, each once.
    pub reported: Vec<ReportedValue>,
}

/// One entry of a change's `because`.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportedValue {
    /// As in the catalog, a call without spaces: `days_since(last_active)`.
    pub label: Box<str>,
    pub expr: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TagDefinition {
    Rule {
        when: Condition,
        until: Option<Condition>,
        for_ms: i64,
        keep_for_ms: i64,
    },
    Value {
        value: Condition,
        bands: Option<Bands>,
    },
    /// The first stage whose condition holds; only the last may have none.
    Stages(Vec<Stage>),
    Score(Score),
    /// Set and removed by commands; `valid_for_ms`: for how long, where the command does not say.
    Manual {
        valid_for_ms: Option<i64>,
    },
}

impl TagDefinition {
    /// The conditions of a tag, in order of mention.
    pub fn conditions(&self) -> Vec<&Condition> {
        match self {
            TagDefinition::Rule { when, until, .. } => std::iter::once(when).chain(until).collect(),
            TagDefinition::Value { value, .. } => vec![value],
            TagDefinition::Stages(stages) => stages.iter().filter_map(|stage| stage.when.as_ref()).collect(),
            TagDefinition::Score(score) => score.inputs.iter().map(|input| &input.value).collect(),
            TagDefinition::Manual { .. } => Vec::new(),
        }
    }

    /// What divides the tag's number.
    pub fn bands(&self) -> Option<&Bands> {
        match self {
            TagDefinition::Value { bands, .. } | TagDefinition::Score(Score { bands, .. }) => bands.as_ref(),
            TagDefinition::Rule { .. } | TagDefinition::Stages(_) | TagDefinition::Manual { .. } => None,
        }
    }

    /// The name of one of its bands or stages.
    pub fn label(&self, index: u16) -> Option<&str> {
        let index = usize::from(index);
        match self {
            TagDefinition::Stages(stages) => stages.get(index).map(|stage| &*stage.name),
            definition => definition.bands()?.names.get(index).map(|name| &**name),
        }
    }

    /// The names of its bands or stages: all that its value can be. None for a tag without.
    pub fn labels(&self) -> Vec<&str> {
        match self {
            TagDefinition::Stages(stages) => stages.iter().map(|stage| &*stage.name).collect(),
            definition => {
                definition.bands().map_or_else(Vec::new, |bands| bands.names.iter().map(|name| &**name).collect())
            }
        }
    }
}

/// A model's output over expressions (spec 4.4).
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The model's file, from the catalog's folder.
    pub model: Box<str>,
    /// A hash of what stands in the file; 0 as long as nobody has looked.
    pub digest: u64,
    /// In the model's order.
    pub inputs: Vec<ScoreInput>,
    pub output: Box<str>,
    /// At the latest so long after a score the next one is made.
    pub refresh_ms: i64,
    /// `None`: the tag's value is the score itself.
    pub bands: Option<Bands>,
}

/// One number that a model is given: NaN where the expression is absent, 1 and 0 for true and false.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreInput {
    pub name: Box<str>,
    pub value: Condition,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Bands {
    /// One more than there are bounds.
    pub names: Vec<Box<str>>,
    /// Increasing; the value at a bound lies in the band behind it.
    pub bounds: Vec<f64>,
    /// A band is left upward at bound + margin or more, downward at bound − margin or less; 0: no hysteresis.
    pub margin: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub name: Box<str>,
    pub when: Option<Condition>,
}
