//! States of one schema read under another: a cell that means the same keeps its content, whatever its number and name.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::engine::aggregate::{SeriesForm, SeriesState};
use crate::engine::encoding::{ByteReader, put_unsigned};
use crate::engine::entity::{
    EntityState, StatesWriter, TagState, put_retired, read_single_state, restate, revived, shown_state, take_retired,
    visit_states,
};
use crate::engine::program::{CellName, Program, Schema, SchemaCell, TagForm, TagStates};

/// What became of attributes, counters and tags between the catalog that wrote a state and the one that reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// Under their present names.
    pub kept: BTreeSet<CellName>,
    /// Under their earlier names.
    pub dropped: BTreeSet<CellName>,
    /// These begin empty.
    pub new: BTreeSet<CellName>,
}

impl MigrationReport {
    /// Adds the report for another schema of the changelog.
    pub fn add(&mut self, other: &MigrationReport) {
        self.kept.extend(other.kept.iter().cloned());
        self.dropped.extend(other.dropped.iter().cloned());
        self.new.extend(other.new.iter().cloned());
        self.new.retain(|name| !self.kept.contains(name));
    }
}

/// What becomes of a cell of an earlier schema.
#[derive(Clone, Debug)]
enum MigrationTarget {
    /// It goes to a cell that holds the same.
    Cell(u16),
    /// It goes to a cell that holds the same series in the present form.
    Series { number: u16, from: SeriesForm, empty: SeriesState },
    /// It goes to the tag of the same name, whose states may differ.
    Tag { number: u16, from: TagStates, to: TagStates },
    /// It goes to the retired tags.
    Retired { name: Box<str>, from: TagStates },
    /// Retired tags: those that have come back go to these tags.
    Revived(Vec<(Box<str>, u16, TagStates)>),
}

/// How states of an earlier schema are read.
#[derive(Clone, Debug)]
pub(crate) struct Migration {
    /// By the number of the earlier cell.
    targets: Vec<Vec<MigrationTarget>>,
    /// The number of the earlier cell with the states of all tags, if there is one.
    tag_states: Option<usize>,
    new_tag_states: u16,
    new_retired: u16,
    /// The new cells of series whose window is longer than that of the earlier cell.
    widened: Vec<u16>,
    pub change: MigrationReport,
}

impl Migration {
    /// From `old` to the schema of a program. Where that does not de-duplicate, the remembered ids are dropped, because
    /// nothing would expire them.
    pub(crate) fn new(old: &Schema, program: &Program) -> Self {
        let (new, dedup) = (&program.schema, program.catalog.input.dedup_ms.is_some());
        let mut targets = vec![Vec::new(); old.cells().len()];
        let (mut change, mut widened) = (MigrationReport::default(), Vec::new());
        for (number, cell) in (0_u16..).zip(new.cells()) {
            if *cell == SchemaCell::SeenIds && !dedup {
                continue;
            }
            let source = source_of(cell, old.cells());
            if let Some(index) = source {
                targets[index].push(target(&old.cells()[index], cell, number, program));
                if is_wider(cell, &old.cells()[index]) {
                    widened.push(number);
                }
            }
            let list = if source.is_some() { &mut change.kept } else { &mut change.new };
            list.extend(cell.name());
        }
        for (targets, cell) in targets.iter_mut().zip(old.cells()) {
            if targets.is_empty() {
                change.dropped.extend(cell.name());
                targets.extend(last_target(cell, new));
            }
        }
        let number_of = |cell| new.cells().iter().position(|known| *known == cell).unwrap_or_default() as u16;
        let tag_states = old.cells().iter().position(|cell| *cell == SchemaCell::TagStates);
        let (new_tag_states, new_retired) = (number_of(SchemaCell::TagStates), number_of(SchemaCell::RetiredTags));
        Migration { targets, tag_states, new_tag_states, new_retired, widened, change }
    }

    /// The new cells of series whose window is longer than it was: what had left the earlier window is to be dropped.
    pub(crate) fn widened(&self) -> &[u16] {
        &self.widened
    }

    /// Appends a state with the cells of the new schema.
    pub(crate) fn state(&self, packed: &[u8], out: &mut Vec<u8>) {
        let (head, cells) = packed.split_at(EntityState::head_len(packed));
        out.extend_from_slice(head);
        let mut reader = ByteReader::new(cells);
        let mut migrated = MigratedCells::default();
        while !reader.is_empty() {
            let number = reader.unsigned() as usize;
            let len = reader.unsigned() as usize;
            let cell = reader.take(len);
            if Some(number) == self.tag_states {
                let mut states = Vec::new();
                visit_states(cell, &mut migrated.text, |number, state| states.push((number, state)));
                for (number, state) in states {
                    self.targets_of(number.into()).for_each(|target| target.take_state(state, &mut migrated));
                }
            } else {
                self.targets_of(number).for_each(|target| target.take(cell, &mut migrated));
            }
        }
        migrated.put(self.new_tag_states, self.new_retired, out);
    }

    fn targets_of(&self, number: usize) -> impl Iterator<Item = &MigrationTarget> {
        self.targets.get(number).into_iter().flatten()
    }
}

/// The cells of one entity under the new schema.
#[derive(Debug, Default)]
struct MigratedCells<'a> {
    cells: Vec<(u16, Cow<'a, [u8]>)>,
    states: Vec<(u16, TagState)>,
    /// Of retired tags that have come back. A state that such a tag has anyway comes first.
    revived: Vec<(u16, TagState)>,
    retired: Vec<u8>,
    /// The strings of tags.
    text: String,
}

impl MigratedCells<'_> {
    fn put(mut self, tag_states: u16, retired: u16, out: &mut Vec<u8>) {
        self.states.retain(|(_, state)| *state != TagState::Off);
        self.states.append(&mut self.revived);
        self.states.sort_by_key(|(number, _)| *number);
        self.states.dedup_by_key(|(number, _)| *number);
        let (mut writer, mut states) = (StatesWriter::default(), Vec::new());
        self.states.iter().for_each(|(number, state)| writer.put(*number, *state, &self.text, &mut states));
        self.cells.extend([(tag_states, states.into()), (retired, self.retired.into())]);
        self.cells.sort_by_key(|(number, _)| *number);
        for (number, cell) in self.cells {
            if !cell.is_empty() {
                put_unsigned(out, u64::from(number));
                put_unsigned(out, cell.len() as u64);
                out.extend_from_slice(&cell);
            }
        }
    }
}

impl MigrationTarget {
    fn take<'a>(&self, cell: &'a [u8], migrated: &mut MigratedCells<'a>) {
        match self {
            MigrationTarget::Cell(number) => migrated.cells.push((*number, cell.into())),
            MigrationTarget::Series { number, from, empty } => {
                let mut series = empty.clone();
                series.decode_earlier(cell, *from);
                let mut present = Vec::new();
                series.encode(&[], &mut present);
                migrated.cells.push((*number, present.into()));
            }
            MigrationTarget::Tag { .. } | MigrationTarget::Retired { .. } => {
                let state = read_single_state(cell, &mut migrated.text);
                self.take_state(state, migrated);
            }
            MigrationTarget::Revived(tags) => {
                let MigratedCells { revived: states, retired, text, .. } = migrated;
                let mut reader = ByteReader::new(cell);
                while !reader.is_empty() {
                    let (name, shown) = take_retired(&mut reader, text);
                    match tags.iter().find(|(tag, ..)| **tag == *name.of(text)) {
                        Some((_, number, to)) => states.push((*number, revived(shown, to, text))),
                        None => put_retired(name.of(text), shown, text, retired),
                    }
                }
            }
        }
    }

    /// Takes the state of a tag.
    fn take_state(&self, state: TagState, migrated: &mut MigratedCells<'_>) {
        let MigratedCells { states, retired, text, .. } = migrated;
        match self {
            MigrationTarget::Tag { number, from, to } if from == to => states.push((*number, state)),
            MigrationTarget::Tag { number, from, to } => states.push((*number, restate(state, from, to, text))),
            MigrationTarget::Retired { name, from } => {
                if let Some(shown) = shown_state(state, from, text) {
                    put_retired(name, shown, text, retired);
                }
            }
            MigrationTarget::Cell(_) | MigrationTarget::Series { .. } | MigrationTarget::Revived(_) => {}
        }
    }
}

/// The target of a cell that the new schema has.
fn target(old: &SchemaCell, new: &SchemaCell, number: u16, program: &Program) -> MigrationTarget {
    match (old, new) {
        (SchemaCell::Tag { states: from, .. }, SchemaCell::Tag { states: to, .. }) => {
            MigrationTarget::Tag { number, from: from.clone(), to: to.clone() }
        }
        (SchemaCell::Series { form: from, .. }, SchemaCell::Series { form: to, .. }) if from != to => {
            let series = &program.series[usize::from(number) - program.catalog.attributes.len()];
            MigrationTarget::Series { number, from: *from, empty: series.empty() }
        }
        _ => MigrationTarget::Cell(number),
    }
}

/// Whether a series needs panes that the series of the earlier cell has let go.
fn is_wider(cell: &SchemaCell, earlier: &SchemaCell) -> bool {
    match (cell, earlier) {
        (SchemaCell::Series { reach: wanted, .. }, SchemaCell::Series { reach: kept, .. }) => !kept.covers(*wanted),
        _ => false,
    }
}

/// The target of a cell that the new schema does not have.
fn last_target(cell: &SchemaCell, new: &Schema) -> Option<MigrationTarget> {
    match cell {
        SchemaCell::Tag { name, states } => Some(MigrationTarget::Retired { name: name.clone(), from: states.clone() }),
        SchemaCell::RetiredTags => {
            let tags = (0_u16..).zip(new.cells()).filter_map(|(number, cell)| match cell {
                SchemaCell::Tag { name, states } if states.form != TagForm::Manual => {
                    Some((name.clone(), number, states.clone()))
                }
                _ => None,
            });
            Some(MigrationTarget::Revived(tags.collect()))
        }
        _ => None,
    }
}

/// The earlier cell whose content a new cell takes over.
fn source_of(cell: &SchemaCell, old: &[SchemaCell]) -> Option<usize> {
    match cell {
        SchemaCell::Attribute { meaning: wanted, .. } => {
            old.iter().position(|cell| matches!(cell, SchemaCell::Attribute { meaning, .. } if meaning == wanted))
        }
        SchemaCell::Series { meaning: wanted, reach: wanted_reach, .. } => {
            let wanted_width = wanted_reach.width();
            let candidates = old.iter().enumerate().filter_map(|(index, cell)| match cell {
                SchemaCell::Series { meaning, reach, .. } if meaning == wanted => Some((index, *reach)),
                _ => None,
            });
            // The same one, else the least that covers all that is wanted, else the one that covers most of it.
            let best = candidates.min_by_key(|(_, reach)| {
                let width = reach.width();
                let missing = wanted_width.saturating_sub(width);
                (reach != wanted_reach, missing, width)
            });
            best.map(|(index, _)| index)
        }
        SchemaCell::Tag { name: wanted, states: wanted_states } => old.iter().position(|cell| {
            // Only a command sets a manual tag: it takes no state from a tag of another form.
            let fits = |form| form == wanted_states.form || wanted_states.form != TagForm::Manual;
            matches!(cell, SchemaCell::Tag { name, states } if name == wanted && fits(states.form))
        }),
        SchemaCell::SeenIds => old.iter().position(|cell| *cell == SchemaCell::SeenIds),
        // Retired tags are searched for some that have come back; the states of all tags go to them one by one.
        SchemaCell::RetiredTags | SchemaCell::TagStates | SchemaCell::Vacant => None,
    }
}
