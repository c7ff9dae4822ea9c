//! The table behind `--summary`: how each tag's audience moved.

use std::collections::HashMap;

use comfy_table::{CellAlignment, Table, presets};

use crate::catalog::Catalog;
use crate::model::{ChangeKind, TagChange};

#[derive(Debug, Default)]
struct Row {
    entered: u64,
    changed: u64,
    left: u64,
    /// Changes by entity.
    flips: HashMap<Box<str>, u64>,
}

#[derive(Debug)]
pub struct Summary {
    /// In the catalog's order.
    rows: Vec<(Box<str>, Row)>,
    places: HashMap<Box<str>, usize>,
}

impl Summary {
    pub fn new(catalog: &Catalog) -> Self {
        let names = catalog.tags.iter().map(|tag| tag.name.clone());
        Summary {
            rows: names.clone().map(|name| (name, Row::default())).collect(),
            places: names.enumerate().map(|(place, name)| (name, place)).collect(),
        }
    }

    pub fn count(&mut self, change: &TagChange<'_>) {
        let Some((_, row)) = self.places.get(change.tag).and_then(|place| self.rows.get_mut(*place)) else {
            return;
        };
        match change.kind() {
            ChangeKind::Added => row.entered += 1,
            ChangeKind::Changed => row.changed += 1,
            ChangeKind::Removed => row.left += 1,
        }
        match row.flips.get_mut(change.key) {
            Some(flips) => *flips += 1,
            None => {
                row.flips.insert(change.key.into(), 1);
            }
        }
    }

    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_header(["tag", "entered", "changed", "left", "now on", "entities", "flips an entity"]);
        for (name, row) in &self.rows {
            let flips: u64 = row.flips.values().sum();
            let mean = flips as f64 / (row.flips.len().max(1)) as f64;
            table.add_row([
                name.to_string(),
                row.entered.to_string(),
                row.changed.to_string(),
                row.left.to_string(),
                (row.entered - row.left).to_string(),
                row.flips.len().to_string(),
                format!("{mean:.2}"),
            ]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.to_string()
    }
}
