//! What an event does: it moves an entity's attributes and series, and makes tags dirty, which are then evaluated.

use super::evaluate::EvalContext;
use super::{Partition, Stats};
use crate::catalog::{
    Attribute, AttributeId, AttributeType, EventTypeSet, Expr, InputMapping, Intake, NumberSource, Source,
    TagDefinition, TimeReader,
};
use crate::engine::aggregate::{Now, Pane, RunStep, Series, SeriesState, SeriesType, Zone};
use crate::engine::entity::{Acceptance, DedupRule, EntityId, EntityState, FETCHED, IdTally, SeenId, Store};
use crate::engine::expr::{
    EventPart, event_value, hash_value, load_series, passes, scalar, source, visit_texts, visit_values, wanted_number,
};
use crate::engine::ports::Sink;
use crate::engine::program::{DirtyTags, Program, SeriesId, SeriesPlan};
use crate::engine::tags::TagCommand;
use crate::model::{ArrayId, Cause, Command, Date, Decimal, Event, Property, Scalar, TagId, Timestamp};

impl Partition {
    /// How many events are fetched together.
    pub const FETCHED: usize = FETCHED;

    /// Reads what applying these events will read, for all of them at once; at most [`Partition::FETCHED`].
    pub fn fetch<'a>(&self, events: impl Iterator<Item = &'a Event>) {
        let mut hashes = [0; FETCHED];
        let keys = events.filter_map(|event| event.key_of(self.program.kind));
        hashes.iter_mut().zip(keys).for_each(|(hash, key)| *hash = Store::hash(key));
        self.store.fetch(&hashes);
    }

    /// Takes an accepted event, if it concerns an entity of this kind: first everything that is due up to its time,
    /// then the event, then the verdicts of its entity.
    pub fn apply(&mut self, event: &Event, sink: &mut impl Sink) {
        self.advance(event.time, sink);
        let (Some(now), Some(key)) = (self.now, event.key_of(self.program.kind)) else {
            return;
        };
        let context = self.context(event, now);
        if event.command.is_some() && context.command.is_none() {
            return self.erase_by_command(event, now, sink);
        }
        if context.command.is_some_and(|command| self.program.tag(command.tag).entity != self.program.kind) {
            return;
        }
        self.stats.events += 1;
        let hash = Store::hash(key);
        let entity = self.store.find(hash, key);
        match entity {
            Some(entity) => self.scratch.entity_state.unpack(self.store.packed(entity)),
            None => self.scratch.entity_state.begin(key),
        }
        if self.is_duplicate(event, entity, now) {
            self.stats.duplicates += 1;
            return;
        }
        if entity.is_some_and(|entity| self.store.set_reevaluated(entity)) {
            self.prepare_reevaluation(now.at, sink);
            self.evaluate(EvalContext { now, cause: Cause::Catalog, command: None }, sink);
        }
        self.count(event, context);
        if self.forget_at() <= now.at {
            // The entity is new, or had only commands: the event is so old that nothing is kept.
            self.scratch.dirty.clear();
            return entity.into_iter().for_each(|entity| self.end(entity, now.at, Cause::Forgotten, sink));
        }
        if entity.is_none() {
            self.scratch.dirty.fill(self.program.tags.len());
        }
        let until = self.evaluate(context, sink).min(self.forget_at());
        match entity {
            Some(entity) => {
                self.put_back(entity);
                self.due_groups.lower(entity, &self.scratch.group_dues);
                self.rearm(entity, until.min(self.store.due(entity)), now.at);
            }
            None => {
                let entity = self.store.insert(hash, self.scratch.pack());
                self.due_groups.set(entity, &self.scratch.group_dues);
                self.rearm(entity, until, now.at);
            }
        }
    }

    /// Why and with what an event has its entity evaluated. An erasure is not evaluated.
    fn context<'a>(&self, event: &'a Event, now: Now) -> EvalContext<'a> {
        let ends = |tag: TagId, valid_for_ms: Option<i64>| {
            let default = match self.program.tag(tag).definition {
                TagDefinition::Manual { valid_for_ms } => valid_for_ms,
                _ => None,
            };
            valid_for_ms.or(default).map_or(Timestamp::FOREVER, |ms| now.at.plus(ms))
        };
        let command = match event.command {
            Some(Command::Set { tag, value, valid_for_ms }) => {
                // A value that is too long counts as missing, and a command without a value sets the tag to true.
                let value = match self.program.catalog.input.keepable(scalar(value, event)) {
                    Scalar::Absent => Scalar::Bool(true),
                    value => value,
                };
                Some(TagCommand { tag, value, ends: ends(tag, valid_for_ms) })
            }
            Some(Command::Unset { tag }) => Some(TagCommand { tag, value: Scalar::Absent, ends: Timestamp::FOREVER }),
            Some(Command::Erase) | None => None,
        };
        let cause = if event.command.is_some() { Cause::Command } else { Cause::Event };
        EvalContext { now, cause, command }
    }

    /// Takes a behaviour event or a command into the unpacked entity.
    fn count(&mut self, event: &Event, context: EvalContext<'_>) {
        let EvalContext { now, command, .. } = context;
        let Some(command) = command else {
            let Partition { program, scratch, stats, .. } = self;
            stats.items_left_out += event.items_left_out;
            let mut counter = EventCounter { program, now, dirty: &mut scratch.dirty, stats };
            return counter.count(event, &mut scratch.entity_state);
        };
        self.scratch.entity_state.see_command(now.at);
        if let Some(place) = self.program.tags.iter().position(|plan| plan.id == command.tag) {
            self.scratch.dirty.insert(place);
        }
    }

    fn erase_by_command(&mut self, event: &Event, now: Now, sink: &mut impl Sink) {
        let Some(key) = event.key_of(self.program.kind) else { return };
        self.stats.events += 1;
        let Some(entity) = self.store.find(Store::hash(key), key) else { return };
        self.scratch.entity_state.unpack(self.store.packed(entity));
        if self.is_duplicate(event, Some(entity), now) {
            self.stats.duplicates += 1;
            return;
        }
        self.end(entity, now.at, Cause::Erased, sink);
    }

    /// Whether an event for the unpacked entity repeats one; if not, its id is remembered.
    fn is_duplicate(&mut self, event: &Event, entity: Option<EntityId>, now: Now) -> bool {
        let InputMapping { dedup_ms, dedup_limit, .. } = self.program.catalog.input;
        let (Some(window_ms), Some(id)) = (dedup_ms, event.id()) else { return false };
        let (id, rule) = (SeenId { hash: Store::hash(id), at: now.at }, DedupRule { window_ms, limit: dedup_limit });
        let mut tally = IdTally::default();
        let acceptance = self.store.accept_id(entity, &mut self.scratch.entity_state, id, rule, &mut tally);
        self.stats.ids_read += tally.read;
        self.stats.ids_crowded_out += tally.crowded_out;
        acceptance == Acceptance::Duplicate
    }
}

/// Counts one accepted event for its entity.
#[derive(Debug)]
struct EventCounter<'a> {
    program: &'a Program,
    now: Now,
    /// The tags whose verdicts may differ now.
    dirty: &'a mut DirtyTags,
    stats: &'a mut Stats,
}

impl EventCounter<'_> {
    fn count(&mut self, event: &Event, entity_state: &mut EntityState) {
        if entity_state.see(event.time) {
            self.dirty.extend(&self.program.first_seen_dependents);
        }
        self.dirty.extend(&self.program.last_seen_dependents);
        let listeners = self.program.listeners(event.event_type);
        for id in &listeners.attributes {
            self.set_attribute(*id, event, entity_state);
        }
        for id in &listeners.resets {
            self.reset(*id, event, entity_state);
        }
        for id in &listeners.series {
            self.add(*id, event, entity_state);
        }
    }

    /// Drops what a series has counted, if the event resets it.
    fn reset(&mut self, id: SeriesId, event: &Event, entity_state: &mut EntityState) {
        let plan = &self.program.series[usize::from(id.0)];
        let Intake::Since(reset) = &plan.intake else { return };
        if !passes(reset.filter.as_ref(), event, &self.program.zone) {
            return;
        }
        load_series(self.program, id, entity_state);
        let was_reset = entity_state.change_series(id, |SeriesState { memory, series }| {
            let is_latest = memory.reset(event.time);
            if is_latest {
                series.clear();
            }
            is_latest
        });
        if was_reset {
            self.dirty.extend(&plan.dependents);
        }
    }

    /// Takes an event of a session or sequence, which counts where it begins the one or completes the other.
    fn add_joined(&mut self, id: SeriesId, pane: Pane, event: &Event, entity_state: &mut EntityState) {
        let plan = &self.program.series[usize::from(id.0)];
        let (least, mut counts) = (self.now.least(plan.frame), false);
        load_series(self.program, id, entity_state);
        entity_state.change_series(id, |SeriesState { memory, series }| {
            let seen = match &plan.intake {
                Intake::Sessions { gap_ms } => memory.see_session(event.time, *gap_ms),
                Intake::Sequence { steps, within_ms } => {
                    match memory.see_steps(
                        event.time,
                        matched_steps(plan, event, &self.program.zone),
                        steps.len(),
                        *within_ms,
                    ) {
                        RunStep::PassedOver => None,
                        step => Some(step == RunStep::Completed),
                    }
                }
                Intake::All | Intake::Since(_) => None,
            };
            counts = seen == Some(true) && pane >= least && series.add_event(pane);
            seen.is_some()
        });
        if counts {
            self.dirty.extend_by_state(&plan.growth_dependents_off, &plan.growth_dependents_on);
        }
    }

    fn set_attribute(&mut self, id: AttributeId, event: &Event, entity_state: &mut EntityState) {
        let attribute = self.program.attribute(id);
        if !passes(attribute.filter.as_ref(), event, &self.program.zone) {
            return;
        }
        let stats = &mut self.stats.attributes[usize::from(id.0)];
        stats.events += 1;
        let value = match read_attribute(attribute, event, self.program) {
            AttributeReading::Value(value) => value,
            AttributeReading::Mismatched => return stats.mismatched += 1,
            AttributeReading::Missing => return stats.missing += 1,
        };
        entity_state.load_attribute(id);
        if entity_state.set_attribute(id, event.time, value) {
            self.dirty.extend(&self.program.attribute_dependents[usize::from(id.0)]);
        }
    }

    fn add(&mut self, id: SeriesId, event: &Event, entity_state: &mut EntityState) {
        let program = self.program;
        let plan = &program.series[usize::from(id.0)];
        self.stats.heard[usize::from(id.0)] += 1;
        if let Some(array) = plan.each {
            return self.add_items(id, array, event, entity_state);
        }
        if !passes(plan.filter.as_ref(), event, &program.zone) {
            return;
        }
        self.stats.passed[usize::from(id.0)] += 1;
        let pane = self.pane(plan, event);
        if matches!(plan.intake, Intake::Sessions { .. } | Intake::Sequence { .. }) {
            return self.add_joined(id, pane, event, entity_state);
        }
        let least = self.now.least(plan.frame);
        if pane < least {
            return;
        }
        load_series(program, id, entity_state);
        if !entity_state.memory(id).admits(event.time) {
            return;
        }
        let (mut taken, mut grows) = (false, false);
        let changed = entity_state.change_series(id, |SeriesState { series, .. }| {
            let pruned = series.prune(least);
            grows = series.only_grows();
            let change = add_value(series, plan, event.into(), pane, program);
            taken = change != SeriesUpdate::Skipped;
            pruned || change == SeriesUpdate::Changed
        });
        self.stats.skipped[usize::from(id.0)] += u64::from(!taken);
        self.note_change(plan, changed, grows);
    }

    /// Adds the elements of an array, each by itself.
    fn add_items(&mut self, id: SeriesId, array: ArrayId, event: &Event, entity_state: &mut EntityState) {
        let program = self.program;
        let plan = &program.series[usize::from(id.0)];
        let (pane, least) = (self.pane(plan, event), self.now.least(plan.frame));
        if pane < least {
            return;
        }
        load_series(program, id, entity_state);
        if !entity_state.memory(id).admits(event.time) {
            return;
        }
        let (mut passed, mut taken, mut grows) = (false, false, false);
        let changed = entity_state.change_series(id, |SeriesState { series, .. }| {
            let mut changed = series.prune(least);
            grows = series.only_grows();
            for item in event.items(array) {
                let view = EventPart::of_item(event, item);
                if passes(plan.filter.as_ref(), view, &program.zone) {
                    passed = true;
                    let change = add_value(series, plan, view, pane, program);
                    taken |= change != SeriesUpdate::Skipped;
                    changed |= change == SeriesUpdate::Changed;
                }
            }
            changed
        });
        self.stats.passed[usize::from(id.0)] += u64::from(passed);
        self.stats.skipped[usize::from(id.0)] += u64::from(passed && !taken);
        self.note_change(plan, changed, grows);
    }

    fn pane(&self, plan: &SeriesPlan, event: &Event) -> Pane {
        let grid = plan.frame.grid;
        if event.time == self.now.at { self.now.pane(grid) } else { grid.pane(event.time, &self.program.zone) }
    }

    /// Makes the tags dirty that a changed series can change; `grows`: it can move its counters in one direction only.
    fn note_change(&mut self, plan: &SeriesPlan, changed: bool, grows: bool) {
        if changed && grows {
            self.dirty.extend_by_state(&plan.growth_dependents_off, &plan.growth_dependents_on);
        } else if changed {
            self.dirty.extend(&plan.dependents);
        }
    }
}

/// What an event did to a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SeriesUpdate {
    /// It has no value that the aggregate takes.
    Skipped,
    Same,
    Changed,
}

impl SeriesUpdate {
    fn of(changed: bool) -> Self {
        if changed { SeriesUpdate::Changed } else { SeriesUpdate::Same }
    }
}

/// The steps of a sequence that an event matches: the lowest bit is the first step.
fn matched_steps(plan: &SeriesPlan, event: &Event, zone: &Zone) -> u8 {
    let steps = plan.intake.selectors().iter().zip(&plan.selected).enumerate();
    let matches =
        |on: &EventTypeSet, filter: Option<&Expr>| on.contains(event.event_type) && passes(filter, event, zone);
    steps.filter(|(_, (step, on))| matches(on, step.filter.as_ref())).fold(0, |mask, (index, _)| mask | 1 << index)
}

fn add_value(
    series: &mut Series,
    plan: &SeriesPlan,
    event: EventPart<'_>,
    pane: Pane,
    program: &Program,
) -> SeriesUpdate {
    let input = &program.catalog.input;
    match plan.series_type {
        SeriesType::Counts | SeriesType::Days => SeriesUpdate::of(series.add_event(pane)),
        SeriesType::Sums(of) | SeriesType::Least(of) | SeriesType::Greatest(of) => match number(of, event, program) {
            Some(number) => SeriesUpdate::of(series.add_number(pane, number)),
            None => SeriesUpdate::Skipped,
        },
        SeriesType::Latest(of) | SeriesType::Earliest(of) => match input.keepable(source(of, event)) {
            Scalar::Absent => SeriesUpdate::Skipped,
            value => SeriesUpdate::of(series.add_first_or_last(event.time(), pane, value)),
        },
        SeriesType::Distinct { of, limit } => {
            let mut change = SeriesUpdate::Skipped;
            visit_values(of, event, |value| {
                if let Some(hash) = hash_value(value) {
                    let moved = series.add_distinct(hash, pane, limit) || change == SeriesUpdate::Changed;
                    change = SeriesUpdate::of(moved);
                }
            });
            change
        }
        SeriesType::Top { of, limit } => {
            let slides = plan.frame.slides();
            let mut change = SeriesUpdate::Skipped;
            visit_texts(of, event, input, |text| {
                series.add_text(text, event.time(), pane, limit, slides);
                change = SeriesUpdate::Changed;
            });
            change
        }
    }
}

/// Numbers beyond this do not count in `avg`, `min`, `max` and `sum` (spec 9.1).
const COUNTED_MAX: u64 = 1_000_000_000_000_000;

/// A number within the magnitude that the aggregates take.
fn number(of: NumberSource, event: EventPart<'_>, program: &Program) -> Option<Decimal> {
    let property = match of {
        NumberSource::Property(path) => event.property(path),
        NumberSource::Item(path) => event.item(path),
        NumberSource::Formula(id) => {
            let formula = &program.catalog.formulas[usize::from(id.0)];
            return event_value(formula, event, &program.zone, |value| {
                let double = wanted_number(value, event)?.to_f64();
                Decimal::rounded(ryu_js::Buffer::new().format_finite(double))
            });
        }
    };
    let digits = match property {
        Property::Integer(integer, _) if integer.unsigned_abs() <= COUNTED_MAX => return Some(Decimal::whole(integer)),
        Property::Number(_, digits) => event.text(digits),
        Property::String(text) => {
            let text = event.text(text);
            event.number_in(text).map(|_| text)?
        }
        _ => return None,
    };
    Decimal::rounded(digits)
}

/// What an event says of an attribute.
enum AttributeReading<'a> {
    Missing,
    /// A value that the attribute does not take, or a text that is too long; it changes nothing.
    Mismatched,
    /// An absent value clears the attribute.
    Value(Scalar<'a>),
}

impl<'a> From<Option<Scalar<'a>>> for AttributeReading<'a> {
    fn from(taken: Option<Scalar<'a>>) -> Self {
        taken.map_or(AttributeReading::Mismatched, AttributeReading::Value)
    }
}

fn read_attribute<'a>(attribute: &Attribute, event: &'a Event, program: &Program) -> AttributeReading<'a> {
    let catalog = &program.catalog;
    if let Source::Property(path) = attribute.value {
        let property = event.property(path);
        match property {
            Property::Missing => return AttributeReading::Missing,
            Property::Null => return AttributeReading::Value(Scalar::Absent),
            _ if attribute.value_type == Some(AttributeType::Time) => {
                return time(property, event, &TimeReader::new(catalog)).map(Scalar::Time).into();
            }
            _ if attribute.value_type == Some(AttributeType::Date) => {
                return date(property, event, &TimeReader::new(catalog), &program.zone).map(Scalar::Date).into();
            }
            _ => {}
        }
    }
    if (attribute.value, attribute.value_type) == (Source::Time, Some(AttributeType::Date)) {
        return Date::from_days(program.zone.day(event.time)).map(Scalar::Date).into();
    }
    let mut value = source(attribute.value, event);
    if let (Some(AttributeType::Number), Scalar::String(text)) = (attribute.value_type, value)
        && let Some(number) = event.number_in(text)
    {
        value = Scalar::Number(number);
    }
    // A text that is kept as a number may be longer than a text that is kept.
    let value = catalog.input.keepable(value);
    let fits = match (attribute.value_type, value) {
        (_, Scalar::Absent) => false,
        (None, _) => true,
        (Some(AttributeType::String), value) => matches!(value, Scalar::String(_)),
        (Some(AttributeType::Number), value) => matches!(value, Scalar::Number(_)),
        (Some(AttributeType::Bool), value) => matches!(value, Scalar::Bool(_)),
        (Some(AttributeType::Time), value) => matches!(value, Scalar::Time(_)),
        (Some(AttributeType::Date), _) => false,
    };
    fits.then_some(value).into()
}

/// A time is written as an event's own time may be: RFC 3339, or an integer in the catalog's unit. Its year is
/// one of 1 to 9999 in UTC.
fn time(property: Property, event: &Event, reader: &TimeReader) -> Option<Timestamp> {
    let time = match property {
        Property::String(text) => reader.text(event.text(text))?,
        Property::Integer(count, _) => reader.integer(count),
        _ => return None,
    };
    time.has_calendar_year().then_some(time)
}

/// A date is written `YYYY-MM-DD`; a time is its local date.
fn date(property: Property, event: &Event, reader: &TimeReader, zone: &Zone) -> Option<Date> {
    if let Property::String(text) = property
        && let Some(date) = Date::parse(event.text(text))
    {
        return Some(date);
    }
    Date::from_days(zone.day(time(property, event, reader)?))
}
