//! The table of `--summary`: how many entities entered and left each tag.

use std::collections::HashMap;

use comfy_table::{CellAlignment, Table, presets};

use crate::catalog::Catalog;
use crate::model::{ChangeType, TagChange};

#[derive(Debug, Default)]
struct TagTotals {
    entered: u64,
    changed: u64,
    left: u64,
    /// Entities with at least one change.
    entities: u64,
}

#[derive(Debug)]
pub(crate) struct Summary {
    /// In the catalog's order.
    rows: Vec<(Box<str>, TagTotals)>,
    places: HashMap<Box<str>, usize>,
    /// By key, one bit for each tag that has changed: counts would need more memory than the whole state.
    changed: HashMap<Box<str>, Box<[u64]>>,
}

impl Summary {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let names = catalog.tags.iter().map(|tag| tag.name.clone());
        Summary {
            rows: names.clone().map(|name| (name, TagTotals::default())).collect(),
            places: names.enumerate().map(|(place, name)| (name, place)).collect(),
            changed: HashMap::new(),
        }
    }

    pub(crate) fn count(&mut self, change: &TagChange<'_>) {
        let Some(place) = self.places.get(change.tag).copied() else {
            return;
        };
        let row = &mut self.rows[place].1;
        match change.change_type() {
            ChangeType::Added => row.entered += 1,
            ChangeType::Changed => row.changed += 1,
            ChangeType::Removed => row.left += 1,
        }
        let words = self.places.len().div_ceil(64);
        let (word, bit) = (place / 64, 1 << (place % 64));
        match self.changed.get_mut(change.key) {
            Some(changed) => {
                row.entities += u64::from(changed[word] & bit == 0);
                changed[word] |= bit;
            }
            None => {
                let mut changed = vec![0; words].into_boxed_slice();
                changed[word] = bit;
                row.entities += 1;
                self.changed.insert(change.key.into(), changed);
            }
        }
    }

    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_header(["tag", "entered", "changed", "left", "now on", "entities", "flips an entity"]);
        for (name, row) in &self.rows {
            let flips = row.entered + row.changed + row.left;
            let mean = flips as f64 / row.entities.max(1) as f64;
            table.add_row([
                name.to_string(),
                row.entered.to_string(),
                row.changed.to_string(),
                row.left.to_string(),
                (row.entered - row.left).to_string(),
                row.entities.to_string(),
                format!("{mean:.2}"),
            ]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.to_string()
    }
}
