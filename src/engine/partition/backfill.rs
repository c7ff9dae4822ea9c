//! New counters from old events: the history of a partition is counted again beside it, without output, and merged.
//!
//! Only what was counted is taken. Tags keep their states, so no change is announced twice, and every entity is then
//! evaluated once, as after any change of the catalog. A series is taken only where the history has seen more of it
//! than the state: a topic that keeps a week must not shorten a counter that has seen a year.
//!
//! Nothing is written at the merge itself, which may concern millions of entities. An entity is written when it is
//! evaluated, and until the last one has been, the changelog says that the series have seen what they had seen before.
//! That is true of a state in which some entities have seen more; so a crash leaves nothing half done.

use super::Partition;
use super::catalog_change::ReevaluationReason;
use crate::catalog::History;
use crate::engine::encoding::{ByteReader, Deltas, put_unsigned};
use crate::engine::entity::{Lifespan, Store};
use crate::engine::expr::Coverage;
use crate::engine::ports::NullSink;
use crate::engine::program::{Program, SeriesId};
use crate::model::{Event, Timestamp};

/// Where the beginning of a history is gone, the latest of this many first events is taken as its beginning: the very
/// first event may have come late, and then tells of a time of which most events are gone.
const OPENING: u32 = 100;

/// How much of a partition's history is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetainedHistory {
    /// The first event, and all events after it.
    Whole,
    /// Only the latest events.
    Rest,
}

/// A history that is counted again.
#[derive(Debug)]
pub struct StateBackfill {
    past: Partition,
    /// The clock of the state for which it is counted.
    clock: Timestamp,
    retained: RetainedHistory,
    wanted: BackfillGoal,
    /// The number of events from which the beginning of the history was found so far.
    opening: u32,
    begins: Timestamp,
    events: u64,
}

/// What a state lacks.
#[derive(Clone, Debug)]
struct BackfillGoal {
    attributes: bool,
    /// The series that have not seen all events, and since when they have.
    since: Vec<(SeriesId, Timestamp)>,
}

/// The result of a backfill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackfillResult {
    pub events: u64,
    /// Entities that have something that they did not have before.
    pub entities: u64,
    /// Since when new counters have seen everything; `None`: always.
    pub since: Option<Timestamp>,
}

impl StateBackfill {
    /// For a state with counters that have not seen all events, or (`attributes`) with new attributes. `None`: the
    /// state lacks nothing.
    pub fn new(state: &Partition, retained: RetainedHistory, attributes: bool) -> Option<Self> {
        let clock = state.clock()?;
        let program = &state.program;
        let known = (0_u16..).zip(&program.series).filter(|(_, plan)| plan.entity == program.kind);
        let known = known.map(|(id, _)| (SeriesId(id), state.coverage.seen_since(SeriesId(id))));
        let since: Vec<_> = known.filter(|(_, since)| *since != Timestamp::MIN).collect();
        let is_incomplete = state.coverage.is_incomplete(clock) && !since.is_empty();
        if !is_incomplete && !attributes {
            return None;
        }
        let mut past = Partition::new(program.clone());
        past.hold_only(program.catalog.tags.iter().map(|tag| tag.name.clone()).collect());
        let wanted = BackfillGoal { attributes, since };
        Some(StateBackfill { past, clock, retained, wanted, opening: 0, begins: Timestamp::MIN, events: 0 })
    }

    /// Counts an event. An event later than the clock of the state is left out: it was rejected as one from the future.
    pub fn apply(&mut self, event: &Event) {
        if event.time > self.clock {
            return;
        }
        if self.opening < self.opening_len() {
            self.opening += 1;
            self.begins = self.begins.max(event.time);
        }
        self.events += 1;
        self.past.apply(event, &mut NullSink);
    }

    /// How many events were counted.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Whether it is certain by now that the history has nothing that the state lacks.
    pub fn is_futile(&self) -> bool {
        self.opening == self.opening_len() && !self.wanted.attributes && self.taken().is_empty()
    }

    fn opening_len(&self) -> u32 {
        if self.retained == RetainedHistory::Whole { 1 } else { OPENING }
    }

    /// Since when the history is complete.
    fn since(&self) -> Timestamp {
        let begins_with_topic = self.past.program.catalog.history == History::Partial;
        match self.retained {
            _ if self.opening == 0 => Timestamp::FOREVER,
            RetainedHistory::Whole if !begins_with_topic => Timestamp::MIN,
            _ => self.begins,
        }
    }

    /// The series of which the history has seen more than the state has.
    fn taken(&self) -> Vec<SeriesId> {
        let since = self.since();
        self.wanted.since.iter().filter(|(_, seen)| since < *seen).map(|(id, _)| *id).collect()
    }
}

impl Partition {
    /// Takes over what a history has counted and this state lacks; every entity is then evaluated once, soon. `None`:
    /// there was nothing.
    ///
    /// Entities that only the state has keep what they have. Entities that only the history has begin without tags: the
    /// state has forgotten them or never known them. Where the history is not whole, they are left out.
    pub fn merge_backfill(&mut self, rebuild: StateBackfill) -> Option<BackfillResult> {
        let (now, taken, since) = (self.now?, rebuild.taken(), rebuild.since());
        let StateBackfill { mut past, wanted, retained, events, .. } = rebuild;
        if events == 0 || taken.is_empty() && !wanted.attributes {
            return None;
        }
        past.advance(now.at, &mut NullSink);
        past.store.fold_ids();
        self.store.fold_ids();
        let layout = CellLayout::new(&self.program, &taken);
        let (mut theirs, mut merged, mut changed) = (Vec::new(), Vec::new(), 0);
        for entity in past.store.entities() {
            if past.store.is_vacant(entity) {
                continue;
            }
            let entity_state = &mut past.scratch.entity_state;
            entity_state.unpack(past.store.packed(entity));
            entity_state.prune(&self.program, now);
            theirs.clear();
            entity_state.pack(&mut theirs);
            let hash = Store::hash(entity_state.key());
            match self.store.find(hash, entity_state.key()) {
                Some(ours) => {
                    merged.clear();
                    layout.merge(self.store.packed(ours), &theirs, &mut merged);
                    if merged != self.store.packed(ours) {
                        self.store.rewrite(ours, &merged);
                        changed += 1;
                    }
                }
                None if retained == RetainedHistory::Whole && entity_state.first_seen().is_some() => {
                    self.store.insert(hash, &theirs);
                    changed += 1;
                }
                None => {}
            }
        }
        let seen: Vec<Timestamp> = (0..self.program.series.len())
            .map(|index| {
                let is_taken = taken.contains(&SeriesId(index as u16));
                if is_taken { since } else { self.coverage.seen_since_index(index) }
            })
            .collect();
        let before = std::mem::replace(&mut self.coverage, Coverage::since(&self.program, seen));
        self.unwritten_coverage.get_or_insert(before);
        self.reevaluate_all(ReevaluationReason::Backfill);
        let since = (since != Timestamp::MIN).then_some(since);
        Some(BackfillResult { events, entities: changed, since })
    }

    /// Whether all that was taken over has been evaluated, and the changelog does not say so yet.
    pub fn owes_coverage(&self) -> bool {
        self.unwritten_coverage.is_some() && self.store.pending_reevaluations() == 0
    }
}

/// How the cells of a state are numbered, and which of them are taken from the history.
struct CellLayout {
    attributes: u16,
    /// By series.
    taken: Vec<bool>,
    seen: u16,
}

/// The parts of a packed state.
struct StateParts<'a> {
    key: &'a [u8],
    seq: u64,
    lifespan: Lifespan,
    cells: Vec<(u16, &'a [u8])>,
}

impl<'a> StateParts<'a> {
    fn of(packed: &'a [u8]) -> Self {
        let mut reader = ByteReader::new(packed);
        let len = reader.unsigned() as usize;
        let (key, seq, lifespan) = (reader.take(len), reader.unsigned(), Lifespan::read(&mut reader));
        let mut cells = Vec::new();
        while !reader.is_empty() {
            let (number, len) = (reader.unsigned() as u16, reader.unsigned() as usize);
            cells.push((number, reader.take(len)));
        }
        StateParts { key, seq, lifespan, cells }
    }

    fn cell(&self, number: u16) -> Option<&'a [u8]> {
        self.cells.binary_search_by_key(&number, |(number, _)| *number).ok().map(|index| self.cells[index].1)
    }
}

impl CellLayout {
    fn new(program: &Program, taken: &[SeriesId]) -> Self {
        let attributes = program.catalog.attributes.len() as u16;
        let series = 0..program.series.len() as u16;
        let taken: Vec<bool> = series.map(|id| taken.contains(&SeriesId(id))).collect();
        let seen = attributes + taken.len() as u16 + program.catalog.tags.len() as u16;
        CellLayout { attributes, taken, seen }
    }

    /// Appends a state with what the history has seen.
    fn merge(&self, ours: &[u8], theirs: &[u8], out: &mut Vec<u8>) {
        let (ours, theirs) = (StateParts::of(ours), StateParts::of(theirs));
        put_unsigned(out, ours.key.len() as u64);
        out.extend_from_slice(ours.key);
        put_unsigned(out, ours.seq);
        ours.lifespan.joined(theirs.lifespan).put(out);
        let mut numbers: Vec<u16> = ours.cells.iter().chain(&theirs.cells).map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            if let Some(cell) = self.choose(number, ours.cell(number), theirs.cell(number)) {
                put_unsigned(out, u64::from(number));
                put_unsigned(out, cell.len() as u64);
                out.extend_from_slice(cell);
            }
        }
    }

    fn choose<'a>(&self, number: u16, ours: Option<&'a [u8]>, theirs: Option<&'a [u8]>) -> Option<&'a [u8]> {
        if number < self.attributes {
            // The latest event has set it.
            let time = |cell| ByteReader::new(cell).timestamp();
            return match (ours, theirs) {
                (Some(mine), Some(other)) if time(other) <= time(mine) => ours,
                (_, Some(_)) => theirs,
                _ => ours,
            };
        }
        if number == self.seen {
            // The list that goes further back includes all of the other.
            let first = |cell| Deltas::default().take(&mut ByteReader::new(cell));
            return match (ours, theirs) {
                (Some(mine), Some(other)) if first(mine) < first(other) => ours,
                (_, Some(_)) => theirs,
                _ => ours,
            };
        }
        let is_taken = self.taken.get(usize::from(number - self.attributes)).copied().unwrap_or(false);
        if is_taken { theirs } else { ours }
    }
}
