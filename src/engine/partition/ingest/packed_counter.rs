//! Counts an event in the bytes of its entity, where it can change no tag.
//!
//! Most events move a few counters, and no counter past a bound that matters in the state of its tag (see `thresholds`):
//! nothing has to be evaluated, and only the newest pane of each series has to be written again. What this leaves is what
//! `event_counter` and the evaluation would leave, to the byte.

use super::event_reading::counted_number;
use crate::engine::aggregate::{
    Amount, Growth, Now, PackedPanes, Pane, PaneTotal, SeriesType, packed_latest, put_latest,
};
use crate::engine::entity::StateRewriter;
use crate::engine::expr::{Coverage, passes};
use crate::engine::partition::Stats;
use crate::engine::partition::held_tags::HeldTags;
use crate::engine::program::{DirtyTags, Program, SeriesId, SeriesPlan, TagsByState};
use crate::model::{Decimal, Event, Timestamp};

/// Counts an event in the bytes of its entity.
#[derive(Debug)]
pub(super) struct PackedCounter<'a> {
    pub program: &'a Program,
    pub now: Now,
    pub coverage: &'a Coverage,
    pub held_tags: &'a HeldTags,
    /// The tags that may change.
    pub dirty: &'a mut DirtyTags,
    /// A buffer.
    pub text: &'a mut String,
}

/// What an event did to the series that listen to it: a bit for each of them, in their order.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    passed: u64,
    skipped: u64,
}

/// An event was counted in the bytes of its entity.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackedCount {
    /// The time of the last sign of the entity.
    pub silent_since: Timestamp,
    tally: Tally,
}

impl PackedCount {
    /// Adds what was counted of each series.
    pub(super) fn note(self, event: &Event, program: &Program, stats: &mut Stats) {
        for (index, SeriesId(id)) in program.listeners(event.event_type).series.iter().enumerate() {
            let (id, has) = (usize::from(*id), |bits: u64| bits >> index & 1);
            stats.heard[id] += 1;
            stats.passed[id] += has(self.tally.passed);
            stats.skipped[id] += has(self.tally.skipped);
        }
    }
}

impl PackedCounter<'_> {
    /// Replaces `out` by the entity's bytes with the event counted. `None` where a tag may change, or where something has
    /// to be decoded; then some tags may be dirty. The program says of which types of events that may not be so.
    pub(super) fn count(mut self, event: &Event, packed: &[u8], out: &mut Vec<u8>) -> Option<PackedCount> {
        let program = self.program;
        let mut state = StateRewriter::begin(packed, event.time, program, out)?;
        let mut tally = Tally::default();
        for (index, id) in program.listeners(event.event_type).series.iter().enumerate() {
            let plan = &program.series[usize::from(id.0)];
            if passes(plan.filter.as_ref(), event, &program.zone) {
                if self.coverage.is_unsettled(*id, self.now.at) {
                    return None;
                }
                tally.passed |= 1 << index;
                let is_skipped = !self.add(*id, plan, event, &mut state)?;
                tally.skipped |= u64::from(is_skipped) << index;
            }
        }
        while let Some(dirty_tag) = self.dirty.pop_first() {
            let id = program.tags[dirty_tag.place].id;
            if !self.held_tags.has_place(dirty_tag.place) && !state.tag(id, self.text).is_settled(dirty_tag) {
                return None;
            }
        }
        let silent_since = state.silent_since();
        state.finish();
        Some(PackedCount { silent_since, tally })
    }

    /// Adds an event to a series; whether it has a value that the series takes.
    fn add(&mut self, id: SeriesId, plan: &SeriesPlan, event: &Event, state: &mut StateRewriter<'_>) -> Option<bool> {
        let pane = self.now.pane_of(event.time, plan.frame.grid, &self.program.zone);
        let least = self.now.least(plan.frame);
        if pane < least {
            return Some(true);
        }
        let cell = state.series(id);
        match plan.series_type {
            SeriesType::Counts => {
                let panes = PackedPanes::<u64>::read(cell, least);
                self.mark(plan, &panes, pane, Decimal::whole(1))?;
                state.replace(|out| panes.put_event(pane, out));
            }
            SeriesType::Days => {
                let panes = PackedPanes::<()>::read(cell, least);
                if panes.newest() == Some(pane) {
                    return (!panes.is_pruned()).then_some(true);
                }
                self.mark(plan, &panes, pane, Decimal::whole(1))?;
                state.replace(|out| panes.put_day(pane, out));
            }
            SeriesType::Sums(of) => {
                let panes = PackedPanes::<PaneTotal>::read(cell, least);
                let Some(number) = counted_number(of, event.into(), self.program) else {
                    return (!panes.is_pruned()).then_some(false);
                };
                self.mark(plan, &panes, pane, Some(number).filter(|number| *number >= Decimal::ZERO)?)?;
                state.replace(|out| panes.put_number(pane, number, out));
            }
            SeriesType::Latest(_) => {
                let before = packed_latest(cell)?;
                if least > Pane::MIN && self.now.pane_of(before, plan.frame.grid, &self.program.zone) < least {
                    return None;
                }
                if event.time >= before {
                    let growth = Growth::Later { before, after: event.time };
                    self.mark_crossed(plan, growth, pane, |_| None)?;
                    state.replace(|out| put_latest(event.time, out));
                }
            }
            _ => return None,
        }
        Some(true)
    }

    /// Makes the tags dirty that may change when a series grows by this much in a pane; `None` where that is older than the
    /// newest, or where all tags that read the series may change.
    fn mark<R: Amount>(
        &mut self,
        plan: &SeriesPlan,
        panes: &PackedPanes<'_, R>,
        pane: Pane,
        step: Decimal,
    ) -> Option<()> {
        if panes.newest().is_some_and(|newest| newest > pane) {
            return None;
        }
        self.mark_crossed(plan, Growth::Step(step), pane, |least| {
            let before = panes.falling(least)?;
            if pane >= least { before.plus(step) } else { Some(before) }
        })
    }

    /// The same for any growth. `falling`: as `Thresholds::visit_crossed` asks for it.
    fn mark_crossed(
        &mut self,
        plan: &SeriesPlan,
        growth: Growth,
        pane: Pane,
        falling: impl Fn(Pane) -> Option<Decimal>,
    ) -> Option<()> {
        let mark = |tags: &TagsByState| self.dirty.extend_by_state(tags);
        plan.thresholds.visit_crossed(growth, falling, pane, self.now, &self.program.counters, mark)
    }
}
