//! States of one schema read under another: a cell that means the same keeps its content, whatever its number and name.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::engine::aggregate::finer_sums;
use crate::engine::encoding::{ByteReader, put_unsigned};
use crate::engine::entity::{EntityState, put_retired, restate, revived, shown_state, take_retired};
use crate::engine::program::{CellName, Schema, SchemaCell, SumUnit, TagForm, TagStates};

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
    /// It goes to a cell that holds the same sums in billionths, and has them in millionths.
    FinerSums(u16),
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
    retired_cell: u16,
    /// The new cells of series whose window is longer than that of the earlier cell.
    widened: Vec<u16>,
    pub change: MigrationReport,
}

impl Migration {
    /// From `old` to `new`. Without `dedup` the remembered ids are dropped, because nothing would expire them.
    pub(crate) fn new(old: &Schema, new: &Schema, dedup: bool) -> Self {
        let mut targets = vec![Vec::new(); old.cells().len()];
        let (mut change, mut widened) = (MigrationReport::default(), Vec::new());
        for (number, cell) in (0_u16..).zip(new.cells()) {
            if *cell == SchemaCell::SeenIds && !dedup {
                continue;
            }
            let source = source_of(cell, old.cells());
            if let Some(index) = source {
                targets[index].push(target(&old.cells()[index], cell, number));
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
        let retired_cell = new.cells().len().saturating_sub(1) as u16;
        Migration { targets, retired_cell, widened, change }
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
        let mut cells: Vec<(u16, Cow<'_, [u8]>)> = Vec::new();
        let mut retired = Vec::new();
        while !reader.is_empty() {
            let number = reader.unsigned() as usize;
            let len = reader.unsigned() as usize;
            let cell = reader.take(len);
            for target in self.targets.get(number).into_iter().flatten() {
                target.put(cell, &mut cells, &mut retired);
            }
        }
        cells.push((self.retired_cell, retired.into()));
        cells.sort_by_key(|(number, _)| *number);
        for (number, cell) in cells {
            if !cell.is_empty() {
                put_unsigned(out, u64::from(number));
                put_unsigned(out, cell.len() as u64);
                out.extend_from_slice(&cell);
            }
        }
    }
}

impl MigrationTarget {
    fn put<'a>(&self, cell: &'a [u8], cells: &mut Vec<(u16, Cow<'a, [u8]>)>, retired: &mut Vec<u8>) {
        match self {
            MigrationTarget::Cell(number) => cells.push((*number, cell.into())),
            MigrationTarget::FinerSums(number) => cells.push((*number, finer_sums(cell).into())),
            MigrationTarget::Tag { number, from, to } => {
                let mut state = Vec::new();
                restate(cell, from, to, &mut state);
                cells.push((*number, state.into()));
            }
            MigrationTarget::Retired { name, from } => {
                let mut text = String::new();
                if let Some(shown) = shown_state(cell, from, &mut text) {
                    put_retired(name, shown, &text, retired);
                }
            }
            MigrationTarget::Revived(tags) => {
                let (mut text, mut reader) = (String::new(), ByteReader::new(cell));
                while !reader.is_empty() {
                    let (name, shown) = take_retired(&mut reader, &mut text);
                    match tags.iter().find(|(tag, ..)| **tag == *name.of(&text)) {
                        Some((_, number, to)) => {
                            let mut state = Vec::new();
                            revived(shown, &text, to, &mut state);
                            cells.push((*number, state.into()));
                        }
                        None => put_retired(name.of(&text), shown, &text, retired),
                    }
                }
            }
        }
    }
}

/// The target of a cell that the new schema has.
fn target(old: &SchemaCell, new: &SchemaCell, number: u16) -> MigrationTarget {
    match (old, new) {
        (SchemaCell::Tag { states: from, .. }, SchemaCell::Tag { states: to, .. }) if from != to => {
            MigrationTarget::Tag { number, from: from.clone(), to: to.clone() }
        }
        (
            SchemaCell::Series { sums: SumUnit::Millionths, .. },
            SchemaCell::Series { sums: SumUnit::Billionths, .. },
        ) => MigrationTarget::FinerSums(number),
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
        // Retired tags are searched for some that have come back.
        SchemaCell::RetiredTags | SchemaCell::Vacant => None,
    }
}
