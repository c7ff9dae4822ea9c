//! An entity unpacked for work: its cells are decoded when they are read, and packed again when they have changed.
//!
//! At rest an entity is one run of bytes: key, sequence number, first and last event, then cells, each with its number,
//! its length and content. What an entity never had takes no room, what an event does not touch is copied as it is, and
//! the changelog stores the same bytes. Only the event ids of an entity that remembers many rest elsewhere (`many_ids`).
//!
//! | file | holds |
//! | --- | --- |
//! | [`lifespan`] | between when an entity was heard of, and its bytes |
//! | [`tag_state`] | what a tag's state machine remembers, and its bytes |
//! | [`cell`] | the cells of an entity, and where their content is |
//! | [`entity_tags`] | the states of all tags of an unpacked entity |
//! | [`packed_state`] | an entity's bytes, and cells replaced without unpacking it |

mod lifespan;
mod tag_state;
mod cell;
mod entity_tags;
mod packed_state;

pub(super) use cell::{CellNumber, place_of_missing};
pub(crate) use lifespan::Lifespan;
pub(crate) use packed_state::StateRewriter;
pub(crate) use tag_state::{
    Scored, StatesWriter, TagState, read_single_state, restate, revived, shown_state, visit_states,
};

use std::ops::Range;

use super::seen_ids::{Acceptance, DedupRule, IdTally, SeenId, SeenIds};
use crate::catalog::{AttributeId, Score, TagDefinition, TagId};
use crate::engine::aggregate::{Memory, Now, Pane, Series, SeriesState};
use crate::engine::encoding::{ByteReader, StoredValue, TextSpan, put_text, put_timestamp, put_unsigned, put_value};
use crate::engine::program::{Program, SeriesId, SeriesPlan};
use crate::model::{Scalar, Timestamp};
use cell::{CellPlace, CellState, CellStates, ChangedCell, Opened, cell_at, put_cell};
use entity_tags::EntityTags;
use packed_state::StateHead;
use tag_state::ShownValue;

/// An attribute's value and the time of the event that set or cleared it.
#[derive(Clone, Copy, Debug)]
struct AttributeValue {
    time: Timestamp,
    value: StoredValue,
}

/// The name of a tag that only an earlier catalog had, and what it shows.
pub(super) type RetiredTag = (TextSpan, ShownValue);

/// One entity, unpacked. A partition has one of these and uses it for one entity after another.
#[derive(Debug)]
pub(crate) struct EntityState {
    /// Of a new entity only the key.
    packed: Vec<u8>,
    key: Range<usize>,
    /// Where the cells begin in the packed bytes.
    first_cell: usize,
    cells: CellStates,
    /// In the order of their numbers.
    changed: Vec<ChangedCell>,
    pub seq: u64,
    lifespan: Lifespan,
    attributes: Vec<AttributeValue>,
    series: Vec<SeriesState>,
    tags: EntityTags,
    seen_ids: SeenIds,
    /// Tags that only an earlier catalog had.
    retired: Vec<RetiredTag>,
    /// The strings of attributes and tag values.
    text: String,
}

impl EntityState {
    pub(crate) fn new(program: &Program) -> Self {
        let (attributes, tags) = (program.catalog.attributes.len(), program.catalog.tags.len());
        EntityState {
            packed: Vec::new(),
            key: 0..0,
            first_cell: 0,
            cells: CellStates::new(attributes + program.series.len() + tags + 3),
            changed: Vec::new(),
            seq: 0,
            lifespan: Lifespan::NEW,
            attributes: vec![AttributeValue { time: Timestamp::MIN, value: StoredValue::Absent }; attributes],
            series: program.series.iter().map(SeriesPlan::empty).collect(),
            tags: EntityTags::new(attributes + program.series.len(), tags),
            seen_ids: SeenIds::default(),
            retired: Vec::new(),
            text: String::new(),
        }
    }

    /// The key in packed bytes.
    pub(crate) fn key_of(packed: &[u8]) -> &[u8] {
        let mut reader = ByteReader::new(packed);
        let len = reader.unsigned() as usize;
        reader.take(len)
    }

    /// The length of what comes before the cells in packed bytes.
    pub(crate) fn head_len(packed: &[u8]) -> usize {
        StateHead::read(packed).len
    }

    /// Begins a new entity.
    pub(crate) fn begin(&mut self, key: &str) {
        self.reset();
        put_text(&mut self.packed, key);
        self.first_cell = self.packed.len();
        self.key = self.first_cell - key.len()..self.first_cell;
        (self.seq, self.lifespan) = (0, Lifespan::NEW);
    }

    fn reset(&mut self) {
        self.cells.begin();
        self.packed.clear();
        self.changed.clear();
        self.text.clear();
    }

    pub(crate) fn unpack(&mut self, packed: &[u8]) {
        self.reset();
        self.packed.extend_from_slice(packed);
        let StateHead { key, seq, lifespan, len, .. } = StateHead::read(packed);
        (self.key, self.seq, self.lifespan, self.first_cell) = (key, seq, lifespan, len);
        let mut head = len;
        while head < packed.len() {
            let (number, place) = cell_at(packed, head);
            if !self.cells.set(number, CellState::Packed(place)) {
                // Nothing reads the cells from here on.
                self.packed.truncate(head);
                break;
            }
            head = place.end as usize;
        }
    }

    /// Appends the entity's bytes: those that it had, with the changed cells in place of what they were.
    pub(crate) fn pack(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.packed[..self.key.end]);
        put_unsigned(out, self.seq);
        self.lifespan.put(out);
        let mut kept = self.first_cell;
        for changed in &self.changed {
            out.extend_from_slice(&self.packed[kept..changed.replaces.head as usize]);
            put_cell(changed.number, out, |out| self.encode(*changed, out));
            kept = changed.replaces.end as usize;
        }
        out.extend_from_slice(&self.packed[kept..]);
    }

    /// Whether the bytes of a cell differ from what was unpacked.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    fn encode(&self, ChangedCell { number, replaces }: ChangedCell, out: &mut Vec<u8>) {
        let mut index = usize::from(number.0);
        if let Some(attribute) = self.attributes.get(index) {
            put_timestamp(out, attribute.time);
            put_value(out, attribute.value, &self.text);
            return;
        }
        index -= self.attributes.len();
        if let Some(series) = self.series.get(index) {
            series.encode(&self.packed[replaces.content()], out);
            return;
        }
        if number == self.tag_states_cell() {
            self.tags.encode(&self.text, out);
        } else if number == self.seen_ids_cell() {
            self.seen_ids.encode(out);
        } else {
            self.retired.iter().for_each(|(name, shown)| put_retired(name.of(&self.text), *shown, &self.text, out));
        }
    }

    /// Notes an event's time; whether it is the earliest so far.
    pub(crate) fn see(&mut self, time: Timestamp) -> bool {
        self.lifespan.see(time)
    }

    /// Notes a command.
    pub(crate) fn see_command(&mut self, clock: Timestamp) {
        self.lifespan.see_command(clock);
    }

    pub(crate) fn first_seen(&self) -> Option<Timestamp> {
        self.lifespan.first_seen()
    }

    pub(crate) fn last_seen(&self) -> Option<Timestamp> {
        self.lifespan.last_seen()
    }

    /// The time of the last sign of the entity.
    pub(crate) fn silent_since(&self) -> Timestamp {
        self.lifespan.silent_since()
    }

    pub(crate) fn key(&self) -> &str {
        std::str::from_utf8(&self.packed[self.key.clone()]).unwrap_or_default()
    }

    /// Marks a cell as changed.
    fn touch(&mut self, number: CellNumber) {
        let replaces = match self.cells.get(number) {
            Some(CellState::Changed) => return,
            Some(CellState::Packed(place) | CellState::Read(place)) => place,
            None => CellPlace::nothing_at(place_of_missing(&self.packed, self.first_cell, number) as u32),
        };
        self.cells.set(number, CellState::Changed);
        let at = self.changed.partition_point(|changed| changed.number < number);
        self.changed.insert(at, ChangedCell { number, replaces });
    }

    /// The bytes of a cell that has not been decoded yet; from now on it counts as decoded.
    fn open(&mut self, number: CellNumber) -> Opened {
        match self.cells.get(number) {
            None => Opened::Empty,
            Some(CellState::Packed(place)) => {
                self.cells.set(number, CellState::Read(place));
                Opened::Packed(place.content())
            }
            Some(CellState::Read(_) | CellState::Changed) => Opened::Already,
        }
    }
}

/// Series.
impl EntityState {
    fn series_cell(&self, id: SeriesId) -> CellNumber {
        CellNumber::of_series(id, self.attributes.len())
    }

    /// Decodes a series unless that was done, for [`EntityState::series`].
    pub(crate) fn load_series(&mut self, id: SeriesId, pane_of: impl Fn(Timestamp) -> Pane) {
        let opened = self.open(self.series_cell(id));
        let series = &mut self.series[usize::from(id.0)];
        match opened {
            Opened::Empty => series.clear(),
            Opened::Packed(range) => series.decode(&self.packed[range], pane_of),
            Opened::Already => {}
        }
    }

    /// A loaded series.
    pub(crate) fn series(&self, id: SeriesId) -> &Series {
        &self.series[usize::from(id.0)].series
    }

    /// What a loaded series remembers.
    pub(crate) fn memory(&self, id: SeriesId) -> &Memory {
        &self.series[usize::from(id.0)].memory
    }

    /// Drops the panes that have left the windows.
    pub(crate) fn prune(&mut self, program: &Program, now: Now) {
        for (index, plan) in program.series.iter().enumerate() {
            let id = SeriesId(index as u16);
            if self.cells.get(self.series_cell(id)).is_some() {
                self.load_series(id, |at| plan.frame.grid.pane(at, &program.zone));
                self.change_series(id, |state| state.series.prune(now.least(plan.frame)));
            }
        }
    }

    /// Drops the panes of some series before the given ones; whether there were any.
    pub(crate) fn prune_before(&mut self, program: &Program, first: &[(SeriesId, Pane)]) -> bool {
        let mut pruned = false;
        for (id, pane) in first {
            self.load_series(*id, |at| program.series[usize::from(id.0)].frame.grid.pane(at, &program.zone));
            pruned |= self.change_series(*id, |state| state.series.prune(*pane));
        }
        pruned
    }

    /// Changes a loaded series; `change` returns whether it did.
    pub(crate) fn change_series(&mut self, id: SeriesId, change: impl FnOnce(&mut SeriesState) -> bool) -> bool {
        let changed = change(&mut self.series[usize::from(id.0)]);
        if changed {
            self.touch(self.series_cell(id));
        }
        changed
    }
}

/// Attributes.
impl EntityState {
    pub(crate) fn load_attribute(&mut self, id: AttributeId) {
        let attribute = match self.open(CellNumber(id.0)) {
            Opened::Empty => AttributeValue { time: Timestamp::MIN, value: StoredValue::Absent },
            Opened::Packed(range) => {
                let mut reader = ByteReader::new(&self.packed[range]);
                AttributeValue { time: reader.timestamp(), value: reader.value(&mut self.text) }
            }
            Opened::Already => return,
        };
        self.attributes[usize::from(id.0)] = attribute;
    }

    /// The value of a loaded attribute.
    pub(crate) fn attribute(&self, id: AttributeId) -> Scalar<'_> {
        self.attributes[usize::from(id.0)].value.get(&self.text)
    }

    /// The time of the event that set or cleared a loaded attribute.
    pub(crate) fn attribute_time(&self, id: AttributeId) -> Timestamp {
        self.attributes[usize::from(id.0)].time
    }

    /// Sets or clears a loaded attribute, unless a later event has; whether its value has changed.
    pub(crate) fn set_attribute(&mut self, id: AttributeId, time: Timestamp, value: Scalar<'_>) -> bool {
        let known = self.attributes[usize::from(id.0)];
        let number = CellNumber(id.0);
        if time < known.time && self.cells.get(number).is_some() {
            return false;
        }
        let differs = !self.attribute(id).is_same(value);
        let value = if differs { StoredValue::new(value, &mut self.text) } else { known.value };
        self.attributes[usize::from(id.0)] = AttributeValue { time, value };
        self.touch(number);
        differs
    }
}

/// Tags.
impl EntityState {
    fn tag_states_cell(&self) -> CellNumber {
        CellNumber((self.cells.len() - 1) as u16)
    }

    /// Decodes the states of all tags, unless that was done.
    pub(crate) fn load_tags(&mut self) {
        match self.open(self.tag_states_cell()) {
            Opened::Empty => self.tags.clear(),
            Opened::Packed(range) => self.tags.decode(&self.packed[range], &mut self.text),
            Opened::Already => {}
        }
    }

    /// The state of a tag, after [`EntityState::load_tags`].
    pub(crate) fn tag(&self, id: TagId) -> TagState {
        self.tags.get(id)
    }

    /// Sets a tag's state, after [`EntityState::load_tags`].
    pub(crate) fn set_tag(&mut self, id: TagId, state: TagState) {
        self.tags.set(id, state);
        self.touch(self.tag_states_cell());
    }

    /// The states of all tags, after [`EntityState::load_tags`].
    pub(crate) fn tags(&self) -> &[TagState] {
        self.tags.all()
    }

    /// A value that a tag's state holds.
    pub(crate) fn kept(&self, value: StoredValue) -> Scalar<'_> {
        value.get(&self.text)
    }

    /// Stores a value for a [`TagState::Valued`].
    pub(crate) fn keep(&mut self, value: Scalar<'_>) -> StoredValue {
        StoredValue::new(value, &mut self.text)
    }

    /// The value that a tag in this state shows.
    pub(crate) fn shown<'a>(&'a self, definition: &'a TagDefinition, state: TagState) -> Scalar<'a> {
        match (state, definition) {
            (TagState::On { .. }, _) => Scalar::Bool(true),
            (TagState::Valued { value, .. }, _) => value.get(&self.text),
            (TagState::Scored(scored), TagDefinition::Score(Score { bands: None, .. })) => {
                scored.score.filter(|_| scored.shown.is_some()).map_or(Scalar::Absent, Scalar::double)
            }
            (TagState::BandOrStage { index, .. } | TagState::Scored(Scored { shown: Some((_, index)), .. }), _) => {
                definition.label(index).map_or(Scalar::Absent, Scalar::String)
            }
            _ => Scalar::Absent,
        }
    }
}

/// Remembered event ids, unless the store has them beside the packed bytes.
impl EntityState {
    pub(super) fn seen_ids_cell(&self) -> CellNumber {
        CellNumber((self.cells.len() - 3) as u16)
    }

    fn load_ids(&mut self, tally: &mut IdTally) {
        match self.open(self.seen_ids_cell()) {
            Opened::Empty => self.seen_ids.clear(),
            Opened::Packed(range) => self.seen_ids.decode(&self.packed[range], tally),
            Opened::Already => {}
        }
    }

    /// Accepts an id, and remembers it, unless it is remembered.
    pub(super) fn accept_id(&mut self, id: SeenId, rule: DedupRule, tally: &mut IdTally) -> Acceptance {
        self.load_ids(tally);
        let acceptance = self.seen_ids.accept(id, rule, tally);
        if acceptance == Acceptance::New {
            self.touch(self.seen_ids_cell());
        }
        acceptance
    }

    /// Takes the ids out, where they are many.
    pub(super) fn take_many_ids(&mut self, tally: &mut IdTally) -> Option<SeenIds> {
        self.load_ids(tally);
        let ids = self.seen_ids.are_many().then(|| std::mem::take(&mut self.seen_ids))?;
        self.touch(self.seen_ids_cell());
        Some(ids)
    }

    /// Takes ids in that have become few.
    pub(super) fn put_few_ids(&mut self, ids: SeenIds) {
        self.seen_ids = ids;
        self.touch(self.seen_ids_cell());
    }
}

/// Retired tags.
impl EntityState {
    fn retired_cell(&self) -> CellNumber {
        CellNumber((self.cells.len() - 2) as u16)
    }

    /// The tags that only an earlier catalog had and that have not been removed.
    pub(crate) fn retired(&mut self) -> Vec<RetiredTag> {
        match self.open(self.retired_cell()) {
            Opened::Empty => self.retired.clear(),
            Opened::Packed(range) => {
                self.retired.clear();
                let reader = &mut ByteReader::new(&self.packed[range]);
                while !reader.is_empty() {
                    self.retired.push(take_retired(reader, &mut self.text));
                }
            }
            Opened::Already => {}
        }
        self.retired.clone()
    }

    /// Replaces them by those that stay.
    pub(crate) fn keep_retired(&mut self, retired: Vec<RetiredTag>) {
        self.retired = retired;
        self.touch(self.retired_cell());
    }

    pub(crate) fn name(&self, name: TextSpan) -> &str {
        name.of(&self.text)
    }
}

/// Appends a retired tag.
pub(crate) fn put_retired(name: &str, shown: ShownValue, text: &str, out: &mut Vec<u8>) {
    put_text(out, name);
    put_timestamp(out, shown.since);
    put_value(out, shown.value, text);
}

/// Reads what [`put_retired`] wrote.
pub(crate) fn take_retired(reader: &mut ByteReader<'_>, text: &mut String) -> RetiredTag {
    let name = reader.text(text);
    (name, ShownValue { since: reader.timestamp(), value: reader.value(text) })
}
