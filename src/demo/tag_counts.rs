//! What the changes so far add up to: how many members have each tag now, and the latest changes.

use std::collections::VecDeque;

use serde_json::Value;

use crate::catalog::{Catalog, TagDefinition};
use crate::codec::ParsedChange;

/// The counts of one tag.
#[derive(Clone, Debug)]
pub struct TagCount {
    pub name: Box<str>,
    pub on: u64,
    pub entered: u64,
    pub changed: u64,
    pub left: u64,
    /// How many members have each value now: bands and stages in the catalog's order, other values in the order of their
    /// first change. Empty for a tag that is on or off.
    pub values: Vec<(String, u64)>,
}

#[derive(Debug)]
pub struct TagCounts {
    /// In the catalog's order.
    rows: Vec<TagCount>,
    /// The newest last.
    latest: VecDeque<ParsedChange>,
    changes: u64,
    by_timer: u64,
}

/// More than any screen shows.
const LATEST_MAX: usize = 200;

impl TagCounts {
    pub fn new(catalog: &Catalog) -> Self {
        let row = |name: &str, values: Vec<String>| TagCount {
            name: name.into(),
            on: 0,
            entered: 0,
            changed: 0,
            left: 0,
            values: values.into_iter().map(|value| (value, 0)).collect(),
        };
        let rows = catalog.tags.iter().map(|tag| row(&tag.name, values_of(&tag.definition))).collect();
        TagCounts { rows, latest: VecDeque::new(), changes: 0, by_timer: 0 }
    }

    pub fn take(&mut self, change: ParsedChange) {
        self.changes += 1;
        self.by_timer += u64::from(change.cause == "timer");
        if let Some(row) = self.rows.iter_mut().find(|row| *row.name == change.tag) {
            row.take(&change.previous, &change.value);
        }
        if self.latest.len() == LATEST_MAX {
            self.latest.pop_front();
        }
        self.latest.push_back(change);
    }

    pub fn rows(&self) -> &[TagCount] {
        &self.rows
    }

    /// The newest last.
    pub fn latest(&self) -> &VecDeque<ParsedChange> {
        &self.latest
    }

    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Changes that a timer caused.
    pub fn by_timer(&self) -> u64 {
        self.by_timer
    }
}

impl TagCount {
    fn take(&mut self, previous: &Value, value: &Value) {
        match (previous.is_null(), value.is_null()) {
            (true, _) => {
                self.on += 1;
                self.entered += 1;
            }
            (false, true) => {
                self.on = self.on.saturating_sub(1);
                self.left += 1;
            }
            (false, false) => self.changed += 1,
        }
        if let Some(count) = self.count_of(previous) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.count_of(value) {
            *count += 1;
        }
    }

    /// The count of a value that is a string.
    fn count_of(&mut self, value: &Value) -> Option<&mut u64> {
        let name = value.as_str()?;
        let place = self.values.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.values.push((name.to_owned(), 0));
            self.values.len() - 1
        });
        Some(&mut self.values[place].1)
    }
}

fn values_of(definition: &TagDefinition) -> Vec<String> {
    definition.labels().into_iter().map(str::to_owned).collect()
}
