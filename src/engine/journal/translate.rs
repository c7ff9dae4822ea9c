//! States of one schema read under another: what means the same keeps its state, whatever its number and its name.

use std::collections::BTreeSet;

use super::schema::{Cell, Schema};
use crate::catalog::CalendarUnit;
use crate::engine::packed::{Reader, put_unsigned};
use crate::engine::tag_state::renumber_state;
use crate::engine::window::Reach;

/// What became of attributes, counters and tags between the catalog that wrote a state and the one that reads it, as
/// `attribute plan`, `counter visits, spend` (counters that share what they keep) or `tag active`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogChange {
    /// Under their present names.
    pub kept: BTreeSet<String>,
    /// Under the names that they had.
    pub dropped: BTreeSet<String>,
    /// They begin empty.
    pub new: BTreeSet<String>,
}

impl CatalogChange {
    /// Joins what another schema of the log says.
    pub fn add(&mut self, other: &CatalogChange) {
        self.kept.extend(other.kept.iter().cloned());
        self.dropped.extend(other.dropped.iter().cloned());
        self.new.extend(other.new.iter().cloned());
        self.new.retain(|name| !self.kept.contains(name));
    }
}

/// A cell of the present schema that is filled from one of another.
#[derive(Clone, Debug)]
struct Target {
    slot: u16,
    /// For tags in bands or stages: the present index of each.
    names: Option<Vec<Option<u16>>>,
}

/// The way from one schema to another.
#[derive(Clone, Debug)]
pub struct Translation {
    /// By the number of a cell that is read.
    targets: Vec<Vec<Target>>,
    pub change: CatalogChange,
}

impl Translation {
    /// From the schema `old`; without `dedup` nothing would make room among the remembered ids.
    pub fn new(old: &Schema, new: &Schema, dedup: bool) -> Self {
        let mut targets = vec![Vec::new(); old.cells().len()];
        let mut change = CatalogChange::default();
        for (slot, cell) in new.cells().iter().enumerate() {
            if *cell == Cell::Seen && !dedup {
                continue;
            }
            let source = source_of(cell, old.cells());
            if let Some(index) = source {
                let names = renumbered(&old.cells()[index], cell);
                targets[index].push(Target { slot: slot as u16, names });
            }
            let list = if source.is_some() { &mut change.kept } else { &mut change.new };
            list.extend(cell.label());
        }
        for (targets, cell) in targets.iter().zip(old.cells()) {
            if targets.is_empty() {
                change.dropped.extend(cell.label());
            }
        }
        Translation { targets, change }
    }

    /// Appends a state with the cells of the present schema.
    pub fn state(&self, packed: &[u8], out: &mut Vec<u8>) {
        let mut reader = Reader::new(packed);
        let key_len = reader.unsigned() as usize;
        reader.take(key_len);
        // The sequence number, the first and the last event.
        (0..3).for_each(|_| {
            reader.unsigned();
        });
        out.extend_from_slice(&packed[..packed.len() - reader.remaining()]);
        let mut cells: Vec<(&Target, &[u8])> = Vec::new();
        while !reader.is_empty() {
            let slot = reader.unsigned() as usize;
            let len = reader.unsigned() as usize;
            let cell = reader.take(len);
            cells.extend(self.targets.get(slot).into_iter().flatten().map(|target| (target, cell)));
        }
        cells.sort_unstable_by_key(|(target, _)| target.slot);
        let mut renumbered = Vec::new();
        for (target, mut cell) in cells {
            if let Some(names) = &target.names {
                renumbered.clear();
                renumber_state(cell, names, &mut renumbered);
                cell = &renumbered;
            }
            if !cell.is_empty() {
                put_unsigned(out, u64::from(target.slot));
                put_unsigned(out, cell.len() as u64);
                out.extend_from_slice(cell);
            }
        }
    }
}

/// The cell of another schema whose state a cell takes over.
fn source_of(cell: &Cell, old: &[Cell]) -> Option<usize> {
    match cell {
        Cell::Attribute { meaning: wanted, .. } => {
            old.iter().position(|cell| matches!(cell, Cell::Attribute { meaning, .. } if meaning == wanted))
        }
        Cell::Series { meaning: wanted, reach: wanted_reach, .. } => {
            let wanted_width = width(*wanted_reach);
            let candidates = old.iter().enumerate().filter_map(|(index, cell)| match cell {
                Cell::Series { meaning, reach, .. } if meaning == wanted => Some((index, *reach)),
                _ => None,
            });
            // The same one, else the least that holds all that is wanted, else the one that holds most of it.
            let best = candidates.min_by_key(|(_, reach)| {
                let width = width(*reach);
                let missing = wanted_width.saturating_sub(width);
                (reach != wanted_reach, missing, width)
            });
            best.map(|(index, _)| index)
        }
        Cell::Tag { name: wanted, state: wanted_state, .. } => old
            .iter()
            .position(|cell| matches!(cell, Cell::Tag { name, state, .. } if name == wanted && state == wanted_state)),
        Cell::Seen => old.iter().position(|cell| *cell == Cell::Seen),
        Cell::Vacant => None,
    }
}

/// About how many panes a reach holds.
fn width(reach: Reach) -> u64 {
    match reach {
        Reach::Back(panes) => u64::from(panes) + 1,
        Reach::Period(CalendarUnit::Day) => 1,
        Reach::Period(CalendarUnit::Week) => 7,
        Reach::Period(CalendarUnit::Month) => 31,
        Reach::Period(CalendarUnit::Year) => 366,
        Reach::Forever => u64::MAX,
    }
}

/// The present index of each band or stage of another schema's tag.
fn renumbered(old: &Cell, new: &Cell) -> Option<Vec<Option<u16>>> {
    let (Cell::Tag { names: old, .. }, Cell::Tag { names: new, .. }) = (old, new) else {
        return None;
    };
    let place = |name: &str| new.iter().position(|known| **known == *name).map(|index| index as u16);
    (old != new).then(|| old.iter().map(|name| place(name)).collect())
}
