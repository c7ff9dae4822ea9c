//! The checked and compiled catalog: tables of small ids, in the order of the file.

use super::bands::Bands;
use super::expr::Expr;
use super::field_rule::Pointer;
use super::fingerprint::fingerprint;
use super::input_mapping::InputMapping;
use super::value_source::{NumberSource, Source};
pub use crate::model::TagId;
use crate::model::{ArrayId, EntityKindId, EventTypeId, PathId};

/// Index into [`Catalog::attributes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeId(pub u16);

/// Index into [`Catalog::counters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterId(pub u16);

/// A checked catalog.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// A hash of what the catalog computes, without titles, comments and formatting.
    pub fingerprint: u64,
    /// The file as it is written.
    pub text: Box<str>,
    pub timezone: jiff::tz::TimeZone,
    pub input: InputMapping,
    /// Whether there were events before the first one.
    pub history: History,
    /// In the order in which an event is applied to them; indexed by [`EntityKindId`]. One of them is the user.
    pub entities: Vec<EntityKind>,
    /// The event types that the catalog mentions; the type at index i has `EventTypeId(i + 1)`. A name that ends in `*`
    /// stands for all types that begin so and that neither their full name nor a longer such name stands for.
    pub event_types: Vec<Box<str>>,
    /// The property paths that the catalog mentions, as segments below `properties`; indexed by [`PathId`].
    pub paths: Vec<Vec<Box<str>>>,
    /// The arrays whose elements are looked at one by one, as segments below `properties`; indexed by [`ArrayId`].
    pub arrays: Vec<Vec<Box<str>>>,
    /// The paths in such elements that the catalog mentions, as segments below `item`; a row of an event's items has one
    /// value for each.
    pub item_paths: Vec<Vec<Box<str>>>,
    /// The expressions that aggregates compute from an event; indexed by [`FormulaId`].
    pub formulas: Vec<Expr>,
    /// The properties of `$tag` commands; `Some` when the catalog has a manual tag.
    pub command_paths: Option<CommandPaths>,
    pub attributes: Vec<Attribute>,
    pub counters: Vec<Counter>,
    /// In the order of the file.
    pub tags: Vec<Tag>,
    /// The order of evaluation (spec 6): each tag once, in the order of the file, but after the tags that it uses.
    pub order: Vec<TagId>,
}

impl Catalog {
    /// The kind of entity that every event has.
    pub fn user(&self) -> EntityKindId {
        let index = self.entities.iter().position(|kind| kind.key.is_none()).unwrap_or(0);
        EntityKindId(index as u16)
    }

    /// Sets the digest of a tag's model, and with it the fingerprint: another model computes another thing.
    pub fn set_model_digest(&mut self, tag: TagId, digest: u64) {
        if let TagDefinition::Score(score) = &mut self.tags[usize::from(tag.0)].definition {
            score.digest = digest;
        }
        self.fingerprint = fingerprint(self);
    }

    pub fn tag(&self, id: TagId) -> &Tag {
        &self.tags[usize::from(id.0)]
    }

    /// The lines of the file that define a tag: the one with its name, and those that are indented more.
    pub fn written(&self, tag: &Tag) -> String {
        let before = self.text.get(..tag.place).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let indent = |line: &str| line.len() - line.trim_start().len();
        let lines: Vec<&str> = self.text.get(start..).unwrap_or_default().lines().collect();
        let own = lines.first().map_or(0, |first| indent(first));
        let is_inside = |line: &&&str| line.trim().is_empty() || indent(line) > own;
        let inside = lines.iter().skip(1).take_while(is_inside).count();
        let cut = |line: &&str| line.get(own.min(indent(line))..).unwrap_or_default().to_owned();
        let written: Vec<String> = lines.iter().take(1 + inside).map(cut).collect();
        written.join("\n").trim_end().to_owned()
    }

    pub fn entity(&self, id: EntityKindId) -> &EntityKind {
        &self.entities[id.index()]
    }

    /// All event types that a set takes: those that it names, and for each of its names that ends in `*` those that begin
    /// so.
    pub fn expanded(&self, set: &EventTypeSet) -> EventTypeSet {
        let EventTypeSet::Of(named) = set else { return EventTypeSet::Any };
        let name = |id: EventTypeId| Some(&*self.event_types[id.index().checked_sub(1)?]);
        let prefixes: Vec<&str> = named.iter().filter_map(|id| type_prefix(name(*id)?)).collect();
        let all = (1..=self.event_types.len() as u16).map(EventTypeId);
        let is_taken = |id: &EventTypeId| {
            let begins_so = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
            named.contains(id) || name(*id).is_some_and(begins_so)
        };
        EventTypeSet::Of(all.filter(is_taken).collect())
    }
}

/// A kind of entity, which tags are put on (spec 3, `entities`).
#[derive(Clone, Debug, PartialEq)]
pub struct EntityKind {
    pub name: Box<str>,
    /// The place of the entity's key in a record; `None` for the user, whose key is [`InputMapping::key`].
    pub key: Option<Pointer>,
    /// An entity without events for this long is forgotten.
    pub forget_after_ms: Option<i64>,
}

/// What a new counter assumes of the time before its first event (spec 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// There were no earlier events.
    Complete,
    /// There may have been earlier events.
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

/// The beginning of all event types that a name ending in `*` stands for.
pub(crate) fn type_prefix(name: &str) -> Option<&str> {
    name.strip_suffix('*')
}

/// The event types that an attribute or a counter takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventTypeSet {
    /// `"*"`: all except commands.
    Any,
    /// Sorted, each once. See [`Catalog::expanded`].
    Of(Vec<EventTypeId>),
}

impl EventTypeSet {
    pub fn contains(&self, event_type: EventTypeId) -> bool {
        match self {
            EventTypeSet::Any => true,
            EventTypeSet::Of(types) => types.contains(&event_type),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub name: Box<str>,
    /// The kind of entity that has it.
    pub entity: EntityKindId,
    pub from: EventTypeSet,
    pub value: Source,
    /// `None`: a string, a number or a bool, as the event has it.
    pub value_type: Option<AttributeType>,
    pub filter: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeType {
    String,
    Number,
    Bool,
    Time,
    Date,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Counter {
    pub name: Box<str>,
    /// The kind of entity that has it.
    pub entity: EntityKindId,
    pub on: EventTypeSet,
    pub filter: Option<Expr>,
    pub aggregate: Aggregate,
    pub window: Window,
    /// How many panes or calendar periods the window lies before the current one.
    pub ago: u32,
    pub intake: Intake,
    /// The array whose elements count each by itself.
    pub each: Option<ArrayId>,
}

/// How the events of a counter become what it counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Intake {
    /// Each event by itself.
    All,
    /// Each event that is not older than the latest reset; a reset drops what was counted.
    Since(EventSelector),
    /// An event that begins a session: more than `gap_ms` after the latest one before it.
    Sessions { gap_ms: i64 },
    /// An event that completes all steps in their order, at most `within_ms` after the first of them.
    Sequence { steps: Vec<EventSelector>, within_ms: i64 },
}

impl Intake {
    /// The events that resets or steps are.
    pub fn selectors(&self) -> &[EventSelector] {
        match self {
            Intake::All | Intake::Sessions { .. } => &[],
            Intake::Since(reset) => std::slice::from_ref(reset),
            Intake::Sequence { steps, .. } => steps,
        }
    }
}

/// Events by their types and a `where`.
#[derive(Clone, Debug, PartialEq)]
pub struct EventSelector {
    pub on: EventTypeSet,
    pub filter: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    Count,
    Sum(NumberSource),
    Avg(NumberSource),
    Min(NumberSource),
    Max(NumberSource),
    /// `limit` ≥ 1: the number of values that are told apart.
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
    /// The current calendar unit in the catalog's time zone.
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
    Week(WeekStart),
    Month,
    Year,
}

/// The first day of a calendar week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WeekStart {
    #[default]
    Monday,
    Sunday,
    Saturday,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    pub name: Box<str>,
    /// The kind of entity that has it.
    pub entity: EntityKindId,
    /// Pairs of language and text; the language is empty when the title has none.
    pub title: Vec<(Box<str>, Box<str>)>,
    pub group: Option<Box<str>>,
    pub description: Option<Box<str>>,
    pub owner: Option<Box<str>>,
    /// Where its name stands in [`Catalog::text`].
    pub place: usize,
    pub definition: TagDefinition,
}

/// An expression, and the values that a change reports when the expression caused it.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub expr: Expr,
    /// In the order in which the expression mentions them, each once.
    pub reported: Vec<ReportedValue>,
}

/// A value that a change reports in `because`.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportedValue {
    /// As the catalog writes it, without spaces: `days_since(last_active)`.
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
    /// The tag is the first stage whose condition holds; only the last stage may have no condition.
    Stages(Vec<Stage>),
    Score(Score),
    /// Commands set and remove the tag; `valid_for_ms`: for how long, unless the command says it.
    Manual {
        valid_for_ms: Option<i64>,
    },
}

impl TagDefinition {
    /// The expressions of a tag, in the order of the definition.
    pub fn conditions(&self) -> Vec<&Condition> {
        match self {
            TagDefinition::Rule { when, until, .. } => std::iter::once(when).chain(until).collect(),
            TagDefinition::Value { value, .. } => vec![value],
            TagDefinition::Stages(stages) => stages.iter().filter_map(|stage| stage.when.as_ref()).collect(),
            TagDefinition::Score(score) => score.inputs.iter().map(|input| &input.value).collect(),
            TagDefinition::Manual { .. } => Vec::new(),
        }
    }

    /// The bands of the tag's number.
    pub fn bands(&self) -> Option<&Bands> {
        match self {
            TagDefinition::Value { bands, .. } | TagDefinition::Score(Score { bands, .. }) => bands.as_ref(),
            TagDefinition::Rule { .. } | TagDefinition::Stages(_) | TagDefinition::Manual { .. } => None,
        }
    }

    /// The name of a band or stage.
    pub fn label(&self, index: u16) -> Option<&str> {
        let index = usize::from(index);
        match self {
            TagDefinition::Stages(stages) => stages.get(index).map(|stage| &*stage.name),
            definition => definition.bands()?.names.get(index).map(|name| &**name),
        }
    }

    /// The names of the bands or stages, which are the possible values of the tag; empty for a tag without bands and
    /// stages.
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
    /// A hash of the file's contents; 0 until the model has been loaded.
    pub digest: u64,
    /// In the model's order.
    pub inputs: Vec<ScoreInput>,
    pub output: Box<str>,
    /// The longest time from a score to the next one.
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
pub struct Stage {
    pub name: Box<str>,
    pub when: Option<Condition>,
}
