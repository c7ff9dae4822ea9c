//! How much of its window each counter has seen: since when its events are known, and when that is all of the window.

use crate::catalog::{CounterId, Resolution, Window};
use crate::engine::aggregate::{Frame, Pane, Reach};
use crate::engine::program::{CounterPlan, Program, SchemaCell, SeriesId, TagPlan};
use crate::model::{DAY_MS, HOUR_MS, Timestamp};

/// Counters that have not seen their whole window yet (spec 4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// By series: all events after this instant were counted; [`Timestamp::MIN`] where all events were.
    since: Vec<Timestamp>,
    /// By counter: from this instant on, its window holds only what was seen.
    complete_at: Vec<Timestamp>,
    /// By series: from this instant on, every tag that reads it reads complete counters only.
    settled_at: Vec<Timestamp>,
    /// The latest of `complete_at`.
    ends: Timestamp,
}

impl Coverage {
    /// Every counter has seen everything.
    pub(crate) fn complete(program: &Program) -> Self {
        Coverage::since(program, vec![Timestamp::MIN; program.series.len()])
    }

    /// Each series of the program's entity kind has seen the events after an instant.
    pub(crate) fn since(program: &Program, since: Vec<Timestamp>) -> Self {
        let counters = program.catalog.counters.iter().zip(&program.counters);
        let complete_at: Vec<Timestamp> = counters
            .map(|(counter, plan)| {
                let since = since[usize::from(plan.series.0)];
                let is_ours = counter.entity == program.kind && since != Timestamp::MIN;
                if is_ours { complete_at(counter.window, *plan, since, program) } else { Timestamp::MIN }
            })
            .collect();
        let mut settled_at = vec![Timestamp::MIN; program.series.len()];
        for tag in &program.tags {
            let complete_at = latest(tag.counters.iter().map(|counter| complete_at[usize::from(counter.0)]));
            for series in &tag.series {
                let settled_at = &mut settled_at[usize::from(series.0)];
                *settled_at = complete_at.max(*settled_at);
            }
        }
        let ends = latest(complete_at.iter().copied());
        Coverage { since, complete_at, settled_at, ends }
    }

    /// Under another program: a series whose meaning was there before goes on with what it has seen; other series begin
    /// now.
    pub(crate) fn carried(
        program: &Program,
        clock: Timestamp,
        held: impl Fn(&str) -> Option<InheritedCoverage>,
    ) -> Self {
        let cells = program.schema.cells().iter().skip(program.catalog.attributes.len());
        let since = cells.zip(&program.series).map(|(cell, plan)| match cell {
            SchemaCell::Series { meaning, .. } => {
                held(meaning).map_or(clock, |held| held.since(plan.frame, clock, program))
            }
            _ => Timestamp::MIN,
        });
        Coverage::since(program, since.collect())
    }

    /// The series that have not seen all events, for the changelog.
    pub(crate) fn partial_series(&self, program: &Program, now: Option<Timestamp>) -> Vec<PartialSeries> {
        if !now.is_some_and(|now| self.is_incomplete(now)) {
            return Vec::new();
        }
        let cells = program.schema.cells().iter().skip(program.catalog.attributes.len());
        let partial = cells.zip(&self.since).filter_map(|(cell, since)| match cell {
            SchemaCell::Series { meaning, reach, .. } if *since != Timestamp::MIN => {
                Some(PartialSeries { meaning: meaning.clone(), reach: *reach, since: *since })
            }
            _ => None,
        });
        partial.collect()
    }

    /// Nothing was seen of what came before an instant.
    pub(crate) fn starting_at(program: &Program, at: Timestamp) -> Self {
        Coverage::since(program, vec![at; program.series.len()])
    }

    /// Whether some counter is incomplete.
    pub(crate) fn is_incomplete(&self, now: Timestamp) -> bool {
        now < self.ends
    }

    /// Whether some tag that reads a series reads an incomplete counter.
    pub(crate) fn is_unsettled(&self, series: SeriesId, now: Timestamp) -> bool {
        self.is_incomplete(now) && now < self.settled_at[usize::from(series.0)]
    }

    /// This, where the evaluation of a tag reads a counter that is incomplete now.
    pub(crate) fn incomplete_for(&self, plan: &TagPlan, now: Timestamp) -> Option<&Self> {
        let incomplete =
            self.is_incomplete(now) && plan.counters.iter().any(|counter| !self.is_complete(*counter, now));
        incomplete.then_some(self)
    }

    pub(crate) fn is_complete(&self, counter: CounterId, now: Timestamp) -> bool {
        now >= self.complete_at(counter)
    }

    pub(crate) fn complete_at(&self, counter: CounterId) -> Timestamp {
        self.complete_at[usize::from(counter.0)]
    }

    /// The instant since which the events of a series were seen.
    pub(crate) fn seen_since(&self, series: SeriesId) -> Timestamp {
        self.seen_since_index(usize::from(series.0))
    }

    /// For cells of series: the series, and the pane from which on it has seen everything.
    pub(crate) fn first_panes(&self, program: &Program, cells: &[u16]) -> Vec<(SeriesId, Pane)> {
        let attributes = program.catalog.attributes.len() as u16;
        let series = cells.iter().map(|cell| SeriesId(cell - attributes));
        let first = series.map(|id| (id, program.series[usize::from(id.0)].frame.grid, self.seen_since(id)));
        let first = first.filter(|(_, _, since)| *since != Timestamp::MIN);
        first.map(|(id, grid, since)| (id, grid.pane(since, &program.zone))).collect()
    }

    pub(crate) fn seen_since_index(&self, series: usize) -> Timestamp {
        self.since[series]
    }
}

fn latest(times: impl Iterator<Item = Timestamp>) -> Timestamp {
    times.max().unwrap_or(Timestamp::MIN)
}

/// What was kept of a series before the catalog changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InheritedCoverage {
    pub since: Timestamp,
    pub reach: Reach,
}

impl InheritedCoverage {
    /// The instant since which everything is there that a frame of the same meaning needs.
    fn since(self, wanted: Frame, clock: Timestamp, program: &Program) -> Timestamp {
        if self.reach.covers(wanted.reach) {
            return self.since;
        }
        let frame = Frame { reach: self.reach, ago: 0, ..wanted };
        let least = frame.least(frame.grid.pane(clock, &program.zone));
        self.since.max(frame.grid.start(least, &program.zone))
    }
}

/// When a counter that was added at `since` has seen its whole window.
fn complete_at(window: Window, plan: CounterPlan, since: Timestamp, program: &Program) -> Timestamp {
    match window {
        Window::Lifetime => Timestamp::FOREVER,
        Window::Rolling { panes, resolution } => {
            since.plus((i64::from(panes) + i64::from(plan.frame.ago)) * length_ms(resolution))
        }
        Window::Calendar(_) => {
            // A period that begins at that very instant has been seen from its beginning.
            let (frame, zone) = (plan.frame, &program.zone);
            let before = frame.grid.pane(since.plus(-1), zone);
            frame.leaves(before, zone)
        }
    }
}

fn length_ms(resolution: Resolution) -> i64 {
    match resolution {
        Resolution::Second => 1_000,
        Resolution::Minute => 60_000,
        Resolution::Hour => HOUR_MS,
        Resolution::Day => DAY_MS,
    }
}

/// A series that has seen only the events after an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartialSeries {
    pub meaning: Box<str>,
    pub reach: Reach,
    pub since: Timestamp,
}
