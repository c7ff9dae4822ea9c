//! The catalog laid out for the engine: which events move what, which counters share a series, which tags depend on it.

use std::sync::Arc;

use super::dirty_tags::{TagSet, TagsByState};
use super::monotonicity::{GrowingSeries, Monotonicity};
use super::schema::Schema;
use super::score_plan::ScorePlan;
use super::thresholds::Thresholds;
use crate::catalog::{
    Attribute, AttributeId, Catalog, Condition, Counter, CounterId, EventTypeSet, Expr, Intake, ReportedValue, Tag,
    TagDefinition, TagId, TimeName,
};
use crate::engine::aggregate::{Frame, Reach, Readout, SeriesState, SeriesType, Zone};
use crate::engine::ports::{ScoreModel, ScoreModels};
use crate::model::{ArrayId, EntityKindId, EventTypeId, Timestamp};

/// Index into [`Program::series`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesId(pub u16);

/// The events that a series keeps, and how.
#[derive(Clone, Debug)]
pub struct SeriesPlan {
    pub entity: EntityKindId,
    pub on: EventTypeSet,
    pub filter: Option<Expr>,
    pub series_type: SeriesType,
    pub intake: Intake,
    /// The array whose elements count each by itself.
    pub each: Option<ArrayId>,
    /// All event types that each of the intake's selectors takes.
    pub selected: Vec<EventTypeSet>,
    /// The panes that its counters' windows need.
    pub frame: Frame,
    /// The tags that can differ when the series has changed.
    pub dependents: TagSet,
    /// Of these, the tags that growth of the series can put on if they are off, or take off if they are on.
    pub growth_dependents: TagsByState,
    /// The same by how far it has to grow.
    pub thresholds: Thresholds,
}

/// The most series to which an event is added in their bytes: it is noted in a word of which it has passed.
const SERIES_ADDED_MAX: usize = 64;

impl SeriesPlan {
    /// Whether every event that it keeps is added, and can be in its bytes.
    fn only_adds(&self) -> bool {
        self.series_type.is_added_to_packed() && self.intake == Intake::All && self.each.is_none()
    }

    /// The series of an entity that has had no event.
    pub(in crate::engine) fn empty(&self) -> SeriesState {
        SeriesState::new(self.series_type, &self.intake, self.frame)
    }
}

/// A counter reads one value of a series.
#[derive(Clone, Copy, Debug)]
pub struct CounterPlan {
    pub series: SeriesId,
    pub readout: Readout,
    pub frame: Frame,
}

/// The attributes and series that an event type can change.
#[derive(Clone, Debug, Default)]
pub struct Listeners {
    pub attributes: Vec<AttributeId>,
    /// Series that it resets.
    pub resets: Vec<SeriesId>,
    pub series: Vec<SeriesId>,
    /// Whether events can be added to the bytes of all that listens.
    only_adds: bool,
}

/// How a tag is evaluated.
#[derive(Clone, Debug)]
pub struct TagPlan {
    pub id: TagId,
    /// What its evaluation reads.
    pub series: Vec<SeriesId>,
    pub counters: Vec<CounterId>,
    pub attributes: Vec<AttributeId>,
    pub uses: Vec<TagId>,
    /// The tags that use this one.
    pub dependents: TagSet,
    /// The leaves that its changes report: for a rule when added and when removed; for a value or score; for each stage
    /// and for none.
    pub because: Vec<Vec<ReportedValue>>,
    /// For a tag with a `score`.
    pub score: Option<ScorePlan>,
}

/// What a catalog says of one entity kind; shared by all partitions that hold such entities.
///
/// Attributes, series and tags keep the numbers that they have in the whole catalog; those of other kinds stay empty.
#[derive(Debug)]
pub struct Program {
    pub catalog: Arc<Catalog>,
    pub kind: EntityKindId,
    /// The catalog's fingerprint as tag changes carry it.
    pub fingerprint: String,
    pub zone: Zone,
    pub series: Vec<SeriesPlan>,
    pub counters: Vec<CounterPlan>,
    /// The tags of this kind, in the order of evaluation.
    pub tags: Vec<TagPlan>,
    /// By [`EventTypeId`]; the first is for types that the catalog does not mention.
    pub listeners: Vec<Listeners>,
    pub attribute_dependents: Vec<TagSet>,
    pub first_seen_dependents: TagSet,
    pub last_seen_dependents: TagSet,
    /// What the cells of an entity mean.
    pub schema: Schema,
    /// The models of all entity kinds.
    pub models: ScoreModels,
}

impl Program {
    /// The program of the entity kind `user`.
    pub fn new(catalog: Catalog) -> Arc<Self> {
        let kind = catalog.user();
        Program::of(Arc::new(catalog), kind, ScoreModels::default())
    }

    /// The program of an entity kind.
    pub fn of(catalog: Arc<Catalog>, kind: EntityKindId, models: ScoreModels) -> Arc<Self> {
        let (series, counters) = plan_series(&catalog);
        let tag_count = catalog.tags.len();
        let mut program = Program {
            schema: Schema::of(&catalog, kind, &series, &counters),
            kind,
            fingerprint: format!("{:08x}", (catalog.fingerprint >> 32) as u32),
            zone: Zone::new(&catalog.timezone),
            listeners: plan_listeners(&catalog, kind, &series),
            attribute_dependents: vec![TagSet::empty(tag_count); catalog.attributes.len()],
            first_seen_dependents: TagSet::empty(tag_count),
            last_seen_dependents: TagSet::empty(tag_count),
            tags: Vec::with_capacity(tag_count),
            series,
            counters,
            models,
            catalog,
        };
        for id in program.catalog.order.clone() {
            if program.tag(id).entity == kind {
                program.plan_tag(id);
            }
        }
        Arc::new(program)
    }

    /// The name of the entity kind.
    pub fn entity(&self) -> &str {
        &self.catalog.entity(self.kind).name
    }

    pub fn attribute(&self, id: AttributeId) -> &Attribute {
        &self.catalog.attributes[usize::from(id.0)]
    }

    pub fn counter(&self, id: CounterId) -> CounterPlan {
        self.counters[usize::from(id.0)]
    }

    /// For counts by series, such as `Stats::skipped`: each counter's name with the count of the series that it reads.
    pub fn by_counter<'a>(&'a self, by_series: &'a [u64]) -> impl Iterator<Item = (&'a str, u64)> {
        let count = |plan: &CounterPlan| by_series.get(usize::from(plan.series.0)).copied().unwrap_or_default();
        let counters = self.catalog.counters.iter().zip(&self.counters);
        counters
            .filter(|(counter, _)| counter.entity == self.kind)
            .map(move |(counter, plan)| (&*counter.name, count(plan)))
    }

    /// For counts by attribute, as in `Stats::attributes`: each attribute of this entity kind with its counts.
    pub fn by_attribute<'a>(
        &'a self,
        stats: &'a [AttributeStats],
    ) -> impl Iterator<Item = (&'a Attribute, AttributeStats)> {
        let all = self.catalog.attributes.iter().zip(stats.iter().copied());
        all.filter(|(attribute, _)| attribute.entity == self.kind)
    }

    pub fn tag(&self, id: TagId) -> &Tag {
        self.catalog.tag(id)
    }

    /// The models that were loaded for the whole catalog, each with its tag's name.
    pub fn score_models(&self) -> impl Iterator<Item = (&str, &dyn ScoreModel)> {
        let tags = (0..).map(TagId).zip(&self.catalog.tags);
        tags.filter_map(|(id, tag)| Some((&*tag.name, &**self.models.of(id)?)))
    }

    /// What an event type can change.
    pub fn listeners(&self, event_type: EventTypeId) -> &Listeners {
        &self.listeners[event_type.index()]
    }

    /// Whether an event of a type can be counted in the bytes of its entity.
    pub(in crate::engine) fn can_count_packed(&self, event_type: EventTypeId) -> bool {
        self.listeners(event_type).only_adds && self.last_seen_dependents.is_empty()
    }

    /// The instant at which an entity is forgotten that has been silent since another.
    pub(in crate::engine) fn forget_at(&self, silent_since: Timestamp) -> Timestamp {
        let after_ms = self.catalog.entity(self.kind).forget_after_ms;
        after_ms.map_or(Timestamp::FOREVER, |after_ms| silent_since.plus(after_ms))
    }

    fn plan_tag(&mut self, id: TagId) {
        let place = self.tags.len();
        let (mut series, mut counters, mut attributes, mut uses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let tag = &self.catalog.tags[usize::from(id.0)];
        let mut dependencies = Vec::new();
        for condition in tag.definition.conditions() {
            visit_dependencies(&condition.expr, &mut |dependency| dependencies.push(dependency.clone()));
        }
        for dependency in dependencies {
            match dependency {
                Dependency::Counter(counter) => {
                    let read = self.counters[usize::from(counter.0)].series;
                    if !series.contains(&read) {
                        series.push(read);
                    }
                    if !counters.contains(&counter) {
                        counters.push(counter);
                    }
                }
                Dependency::Attribute(attribute) => {
                    self.attribute_dependents[usize::from(attribute.0)].insert(place);
                    attributes.push(attribute);
                }
                Dependency::FirstSeen => self.first_seen_dependents.insert(place),
                Dependency::LastSeen => self.last_seen_dependents.insert(place),
                Dependency::Tag(used) => {
                    if let Some(plan) = self.tags.iter_mut().find(|plan| plan.id == used) {
                        plan.dependents.insert(place);
                    }
                    uses.push(used);
                }
            }
        }
        for id in &series {
            let plan = &mut self.series[usize::from(id.0)];
            let growing = GrowingSeries { series: *id, series_type: plan.series_type, counters: &self.counters };
            let polarity = match &tag.definition {
                TagDefinition::Rule { when, .. } => growing.condition(&when.expr),
                TagDefinition::Value { .. }
                | TagDefinition::Stages(_)
                | TagDefinition::Score(_)
                | TagDefinition::Manual { .. } => Monotonicity::Mixed,
            };
            plan.dependents.insert(place);
            if polarity != Monotonicity::Decreasing {
                plan.growth_dependents.insert_if_off(place);
            }
            if polarity != Monotonicity::Increasing {
                plan.growth_dependents.insert_if_on(place);
            }
            plan.thresholds.add(place, &tag.definition, &growing, &plan.growth_dependents);
        }
        let because = plan_because(&tag.definition);
        let score = match &tag.definition {
            TagDefinition::Score(score) => Some(ScorePlan::new(&self.catalog, id, score, &self.models)),
            _ => None,
        };
        let dependents = TagSet::empty(self.catalog.tags.len());
        self.tags.push(TagPlan { id, series, counters, attributes, uses, dependents, because, score });
    }
}

/// The leaves that changes report: for rules [added, removed], for values and scores one list, for stages one per stage
/// and one for none.
fn plan_because(definition: &TagDefinition) -> Vec<Vec<ReportedValue>> {
    let mut lists = Vec::new();
    let mut shown: Vec<ReportedValue> = Vec::new();
    let mut show = |conditions: &[&Condition]| {
        for leaf in conditions.iter().flat_map(|condition| &condition.reported) {
            if shown.iter().all(|known| known.label != leaf.label) {
                shown.push(leaf.clone());
            }
        }
        lists.push(shown.clone());
    };
    match definition {
        TagDefinition::Rule { when, until, .. } => {
            show(&[when]);
            show(until.as_ref().as_slice());
        }
        TagDefinition::Stages(stages) => {
            stages.iter().for_each(|stage| show(stage.when.as_ref().as_slice()));
            show(&[]);
        }
        TagDefinition::Value { .. } | TagDefinition::Score(_) | TagDefinition::Manual { .. } => {
            show(&definition.conditions())
        }
    }
    lists
}

fn plan_series(catalog: &Catalog) -> (Vec<SeriesPlan>, Vec<CounterPlan>) {
    let mut series: Vec<SeriesPlan> = Vec::new();
    let mut counters = Vec::new();
    for counter in &catalog.counters {
        let frame = Frame::new(counter.aggregate, counter.window, counter.ago);
        let kept = frame.kept();
        let series_type = SeriesType::new(counter.aggregate);
        let shared = series.iter().position(|plan| shares(plan, counter, series_type, kept));
        let index = shared.unwrap_or_else(|| {
            series.push(SeriesPlan {
                entity: counter.entity,
                on: counter.on.clone(),
                filter: counter.filter.clone(),
                series_type,
                intake: counter.intake.clone(),
                each: counter.each,
                selected: counter.intake.selectors().iter().map(|selector| catalog.expanded(&selector.on)).collect(),
                frame: kept,
                dependents: TagSet::empty(catalog.tags.len()),
                growth_dependents: TagsByState::empty(catalog.tags.len()),
                thresholds: Thresholds::default(),
            });
            series.len() - 1
        });
        let plan = &mut series[index];
        plan.frame.reach = wider(plan.frame.reach, kept.reach);
        let readout = Readout::new(counter.aggregate);
        counters.push(CounterPlan { series: SeriesId(index as u16), readout, frame });
    }
    (series, counters)
}

fn shares(plan: &SeriesPlan, counter: &Counter, series_type: SeriesType, frame: Frame) -> bool {
    let same_events = plan.entity == counter.entity
        && plan.series_type == series_type
        && plan.on == counter.on
        && plan.filter == counter.filter
        && plan.intake == counter.intake
        && plan.each == counter.each;
    let reach_fits = plan.frame.reach == frame.reach
        || series_type.serves_any_reach()
            && match (plan.frame.reach, frame.reach) {
                (Reach::Back(_), Reach::Back(_)) => true,
                (Reach::Period { unit, .. }, Reach::Period { unit: same, .. }) => unit == same,
                _ => false,
            };
    same_events && plan.frame.grid == frame.grid && reach_fits
}

fn wider(a: Reach, b: Reach) -> Reach {
    match (a, b) {
        (Reach::Back(a), Reach::Back(b)) => Reach::Back(a.max(b)),
        (Reach::Period { unit, back: a }, Reach::Period { back: b, .. }) => Reach::Period { unit, back: a.max(b) },
        _ => a,
    }
}

fn plan_listeners(catalog: &Catalog, of: EntityKindId, series: &[SeriesPlan]) -> Vec<Listeners> {
    let kinds = 0..=catalog.event_types.len() as u16;
    let listening = |on: &EventTypeSet, kind: u16| on.contains(EventTypeId(kind));
    let from: Vec<EventTypeSet> =
        catalog.attributes.iter().map(|attribute| catalog.expanded(&attribute.from)).collect();
    let on: Vec<EventTypeSet> = series.iter().map(|plan| catalog.expanded(&plan.on)).collect();
    kinds
        .map(|kind| {
            let attributes: Vec<AttributeId> = (0..catalog.attributes.len())
                .filter(|index| catalog.attributes[*index].entity == of)
                .filter(|index| listening(&from[*index], kind))
                .map(|index| AttributeId(index as u16))
                .collect();
            let resets: Vec<SeriesId> = (0..series.len())
                .filter(|index| series[*index].entity == of && matches!(series[*index].intake, Intake::Since(_)))
                .filter(|index| series[*index].selected.iter().any(|reset| listening(reset, kind)))
                .map(|index| SeriesId(index as u16))
                .collect();
            let heard: Vec<SeriesId> = (0..series.len())
                .filter(|index| series[*index].entity == of && listening(&on[*index], kind))
                .map(|index| SeriesId(index as u16))
                .collect();
            let only_adds = attributes.is_empty()
                && resets.is_empty()
                && heard.len() <= SERIES_ADDED_MAX
                && heard.iter().all(|id| series[usize::from(id.0)].only_adds());
            Listeners { attributes, resets, series: heard, only_adds }
        })
        .collect()
}

/// What an expression can depend on.
#[derive(Clone, Debug)]
pub(crate) enum Dependency {
    Attribute(AttributeId),
    Counter(CounterId),
    Tag(TagId),
    FirstSeen,
    LastSeen,
}

/// Visits everything that an expression reads, in its order.
pub(crate) fn visit_dependencies(expr: &Expr, visit: &mut impl FnMut(Dependency)) {
    match expr {
        Expr::Attribute(id) => visit(Dependency::Attribute(*id)),
        Expr::Counter(id) => visit(Dependency::Counter(*id)),
        Expr::Tag(id) => visit(Dependency::Tag(*id)),
        Expr::Time(name) | Expr::Since { of: name, .. } | Expr::Until { of: name, .. } | Expr::Calendar(_, name) => {
            visit_time(*name, visit)
        }
        Expr::Between { from, to, .. } => {
            visit_time(*from, visit);
            visit_time(*to, visit);
        }
        _ => expr.for_each_operand(|operand| visit_dependencies(operand, visit)),
    }
}

fn visit_time(name: TimeName, visit: &mut impl FnMut(Dependency)) {
    match name {
        TimeName::Attribute(id) => visit(Dependency::Attribute(id)),
        TimeName::Counter(id) => visit(Dependency::Counter(id)),
        TimeName::FirstSeen => visit(Dependency::FirstSeen),
        TimeName::LastSeen => visit(Dependency::LastSeen),
        TimeName::Event | TimeName::Instant(_) | TimeName::Date(_) => {}
    }
}

/// How many events an attribute was read from, and with what result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttributeStats {
    /// Events of its types that pass its `where`.
    pub events: u64,
    /// Of these, events whose value has a type that the attribute does not take, or is a text that is too long.
    pub mismatched: u64,
    /// Of these, events with nothing at its path.
    pub missing: u64,
}
