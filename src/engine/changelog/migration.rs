//! States of one schema read under another: what means the same keeps its state, whatever its number and its name.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::engine::encoding::{ByteReader, put_unsigned};
use crate::engine::entity::{put_retired, restate, revived, shown_state, take_retired};
use crate::engine::program::{CellName, Schema, SchemaCell, TagForm, TagStates};

/// What became of attributes, counters and tags between the catalog that wrote a state and the one that reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// Under their present names.
    pub kept: BTreeSet<CellName>,
    /// Under the names that they had.
    pub dropped: BTreeSet<CellName>,
    /// They begin empty.
    pub new: BTreeSet<CellName>,
}

impl MigrationReport {
    /// Joins what another schema of the log says.
    pub fn add(&mut self, other: &MigrationReport) {
        self.kept.extend(other.kept.iter().cloned());
        self.dropped.extend(other.dropped.iter().cloned());
        self.new.extend(other.new.iter().cloned());
        self.new.retain(|name| !self.kept.contains(name));
    }
}

/// Where a cell of another schema goes.
#[derive(Clone, Debug)]
enum MigrationTarget {
    /// To a cell that holds the same.
    Cell(u16),
    /// To the tag of its name, whose states may be others.
    Tag { slot: u16, from: TagStates, to: TagStates },
    /// To the tags that are gone.
    Retired { name: Box<str>, from: TagStates },
    /// Tags that were gone already; those that have come back go to these.
    Revived(Vec<(Box<str>, u16, TagStates)>),
}

/// The way from one schema to another.
#[derive(Clone, Debug)]
pub(crate) struct Migration {
    /// By the number of a cell that is read.
    targets: Vec<Vec<MigrationTarget>>,
    retired_slot: u16,
    pub change: MigrationReport,
}

impl Migration {
    /// From the schema `old`; without `dedup` nothing would make room among the remembered ids.
    pub(crate) fn new(old: &Schema, new: &Schema, dedup: bool) -> Self {
        let mut targets = vec![Vec::new(); old.cells().len()];
        let mut change = MigrationReport::default();
        for (slot, cell) in (0_u16..).zip(new.cells()) {
            if *cell == SchemaCell::SeenIds && !dedup {
                continue;
            }
            let source = source_of(cell, old.cells());
            if let Some(index) = source {
                targets[index].push(target(&old.cells()[index], cell, slot));
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
        let retired_slot = new.cells().len().saturating_sub(1) as u16;
        Migration { targets, retired_slot, change }
    }

    /// Appends a state with the cells of the present schema.
    pub(crate) fn state(&self, packed: &[u8], out: &mut Vec<u8>) {
        let mut reader = ByteReader::new(packed);
        let key_len = reader.unsigned() as usize;
        reader.take(key_len);
        // The sequence number, the first and the last event.
        (0..3).for_each(|_| {
            reader.unsigned();
        });
        out.extend_from_slice(&packed[..packed.len() - reader.remaining()]);
        let mut cells: Vec<(u16, Cow<'_, [u8]>)> = Vec::new();
        let mut retired = Vec::new();
        while !reader.is_empty() {
            let slot = reader.unsigned() as usize;
            let len = reader.unsigned() as usize;
            let cell = reader.take(len);
            for target in self.targets.get(slot).into_iter().flatten() {
                target.put(cell, &mut cells, &mut retired);
            }
        }
        cells.push((self.retired_slot, retired.into()));
        cells.sort_by_key(|(slot, _)| *slot);
        for (slot, cell) in cells {
            if !cell.is_empty() {
                put_unsigned(out, u64::from(slot));
                put_unsigned(out, cell.len() as u64);
                out.extend_from_slice(&cell);
            }
        }
    }
}

impl MigrationTarget {
    fn put<'a>(&self, cell: &'a [u8], cells: &mut Vec<(u16, Cow<'a, [u8]>)>, retired: &mut Vec<u8>) {
        match self {
            MigrationTarget::Cell(slot) => cells.push((*slot, cell.into())),
            MigrationTarget::Tag { slot, from, to } => {
                let mut state = Vec::new();
                restate(cell, from, to, &mut state);
                cells.push((*slot, state.into()));
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
                        Some((_, slot, to)) => {
                            let mut state = Vec::new();
                            revived(shown, &text, to, &mut state);
                            cells.push((*slot, state.into()));
                        }
                        None => put_retired(name.of(&text), shown, &text, retired),
                    }
                }
            }
        }
    }
}

/// Where a cell goes that has a place in the present schema.
fn target(old: &SchemaCell, new: &SchemaCell, slot: u16) -> MigrationTarget {
    match (old, new) {
        (SchemaCell::Tag { states: from, .. }, SchemaCell::Tag { states: to, .. }) if from != to => {
            MigrationTarget::Tag { slot, from: from.clone(), to: to.clone() }
        }
        _ => MigrationTarget::Cell(slot),
    }
}

/// Where a cell goes that has none.
fn last_target(cell: &SchemaCell, new: &Schema) -> Option<MigrationTarget> {
    match cell {
        SchemaCell::Tag { name, states } => Some(MigrationTarget::Retired { name: name.clone(), from: states.clone() }),
        SchemaCell::RetiredTags => {
            let tags = (0_u16..).zip(new.cells()).filter_map(|(slot, cell)| match cell {
                SchemaCell::Tag { name, states } if states.form != TagForm::Manual => {
                    Some((name.clone(), slot, states.clone()))
                }
                _ => None,
            });
            Some(MigrationTarget::Revived(tags.collect()))
        }
        _ => None,
    }
}

/// The cell of another schema whose state a cell takes over.
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
            // The same one, else the least that holds all that is wanted, else the one that holds most of it.
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
        // Those that were gone are looked through for some that have come back.
        SchemaCell::RetiredTags | SchemaCell::Vacant => None,
    }
}
