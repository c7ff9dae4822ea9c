//! Counts one accepted event for its entity, and finds the tags that this can change.

use super::event_reading::{AttributeReading, counted_number, read_attribute};
use crate::catalog::{AttributeId, EventTypeSet, Expr, Intake};
use crate::engine::aggregate::{Growth, Now, Pane, RunStep, Series, SeriesState, SeriesType, Zone};
use crate::engine::entity::EntityState;
use crate::engine::expr::{Coverage, EventPart, hash_value, load_series, passes, source, visit_texts, visit_values};
use crate::engine::partition::Stats;
use crate::engine::program::{DirtyTags, Program, SeriesId, SeriesPlan, TagsByState};
use crate::model::{ArrayId, Decimal, Event, Scalar};

/// Counts one accepted event for its entity.
#[derive(Debug)]
pub(super) struct EventCounter<'a> {
    pub program: &'a Program,
    pub now: Now,
    /// The tags whose verdicts may differ now.
    pub dirty: &'a mut DirtyTags,
    /// Counters that have not seen their whole window are compared as intervals, not as numbers.
    pub coverage: &'a Coverage,
    pub stats: &'a mut Stats,
}

impl EventCounter<'_> {
    pub(super) fn count(&mut self, event: &Event, entity_state: &mut EntityState) {
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
            self.dirty.extend_by_state(&plan.growth_dependents);
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
        let pane = self.now.pane_of(event.time, plan.frame.grid, &program.zone);
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
        let (mut pruned, mut update) = (false, SeriesUpdate::Skipped);
        entity_state.change_series(id, |SeriesState { series, .. }| {
            pruned = series.prune(least);
            update = add_value(series, plan, event.into(), pane, program);
            pruned || matches!(update, SeriesUpdate::Changed(_))
        });
        match update {
            SeriesUpdate::Changed(Some(growth)) if !self.coverage.is_unsettled(id, self.now.at) => {
                let falling = |least: Pane| entity_state.series(id).falling(least);
                let mark = |tags: &TagsByState| self.dirty.extend_by_state(tags);
                let marked = plan.thresholds.visit_crossed(growth, falling, pane, self.now, &program.counters, mark);
                if marked.is_none() {
                    self.dirty.extend_by_state(&plan.growth_dependents);
                }
            }
            SeriesUpdate::Changed(growth) => self.note_change(plan, growth),
            // Panes have left the windows.
            SeriesUpdate::Skipped | SeriesUpdate::Same if pruned => self.dirty.extend(&plan.dependents),
            SeriesUpdate::Skipped | SeriesUpdate::Same => {}
        }
        self.stats.skipped[usize::from(id.0)] += u64::from(update == SeriesUpdate::Skipped);
    }

    /// Adds the elements of an array, each by itself.
    fn add_items(&mut self, id: SeriesId, array: ArrayId, event: &Event, entity_state: &mut EntityState) {
        let program = self.program;
        let plan = &program.series[usize::from(id.0)];
        let pane = self.now.pane_of(event.time, plan.frame.grid, &program.zone);
        let least = self.now.least(plan.frame);
        if pane < least {
            return;
        }
        load_series(program, id, entity_state);
        if !entity_state.memory(id).admits(event.time) {
            return;
        }
        let (mut passed, mut taken, mut growth) = (false, false, None);
        let changed = entity_state.change_series(id, |SeriesState { series, .. }| {
            let mut changed = series.prune(least);
            growth = series.growth(event.time);
            for item in event.items(array) {
                let view = EventPart::of_item(event, item);
                if passes(plan.filter.as_ref(), view, &program.zone) {
                    passed = true;
                    let change = add_value(series, plan, view, pane, program);
                    taken |= change != SeriesUpdate::Skipped;
                    changed |= matches!(change, SeriesUpdate::Changed(_));
                }
            }
            changed
        });
        self.stats.passed[usize::from(id.0)] += u64::from(passed);
        self.stats.skipped[usize::from(id.0)] += u64::from(passed && !taken);
        if changed {
            self.note_change(plan, growth);
        }
    }

    /// Makes the tags dirty that a changed series can change, however far it has moved.
    fn note_change(&mut self, plan: &SeriesPlan, growth: Option<Growth>) {
        match growth {
            Some(_) => self.dirty.extend_by_state(&plan.growth_dependents),
            None => self.dirty.extend(&plan.dependents),
        }
    }
}

/// What an event did to a series.
#[derive(Clone, Copy, Debug, PartialEq)]
enum SeriesUpdate {
    /// It has no value that the aggregate takes.
    Skipped,
    Same,
    /// With how it has grown, where its counters cannot have moved both ways.
    Changed(Option<Growth>),
}

impl SeriesUpdate {
    fn of(changed: bool, growth: Option<Growth>) -> Self {
        if changed { SeriesUpdate::Changed(growth) } else { SeriesUpdate::Same }
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
    let growth = series.growth(event.time());
    match plan.series_type {
        SeriesType::Counts | SeriesType::Days => SeriesUpdate::of(series.add_event(pane), growth),
        SeriesType::Sums(of) | SeriesType::Least(of) | SeriesType::Greatest(of) => {
            match counted_number(of, event, program) {
                Some(number) => SeriesUpdate::of(series.add_number(pane, number), series.growth_by(number)),
                None => SeriesUpdate::Skipped,
            }
        }
        SeriesType::Latest(of) | SeriesType::Earliest(of) => match input.keepable(source(of, event)) {
            Scalar::Absent => SeriesUpdate::Skipped,
            value => SeriesUpdate::of(series.add_first_or_last(event.time(), pane, value), growth),
        },
        SeriesType::Distinct { of, limit } => {
            let (mut taken, mut moved) = (0, 0);
            visit_values(of, event, |value| {
                if let Some(hash) = hash_value(value) {
                    taken += 1;
                    moved += i64::from(series.add_distinct(hash, pane, limit));
                }
            });
            match taken {
                0 => SeriesUpdate::Skipped,
                _ => SeriesUpdate::of(moved > 0, Some(Growth::Step(Decimal::whole(moved)))),
            }
        }
        SeriesType::Top { of, limit } => {
            let mut change = SeriesUpdate::Skipped;
            visit_texts(of, event, input, |text| {
                series.add_text(text, event.time(), pane, limit);
                change = SeriesUpdate::Changed(None);
            });
            change
        }
    }
}
