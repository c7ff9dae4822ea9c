//! The elements of the arrays that the catalog looks at one by one.

use super::extract::Extractor;
use super::json::{FoundValue, JsonType, RawValue, Scanner};
use super::plan::ItemPlan;
use super::shape_cache::ScanTrace;
use super::values::property;
use crate::catalog::{Catalog, EventTypeSet};
use crate::model::{ArrayId, Event, EventTypeId};

/// The most elements of an array that count (spec 9.3).
const ITEMS_MAX: usize = 1_000;

/// The types of events whose elements somebody looks at.
#[derive(Clone, Debug)]
pub(super) struct ArrayListeners {
    /// By array, then by type; no array has an element in events of other types.
    types: Vec<Vec<bool>>,
}

impl ArrayListeners {
    pub(super) fn new(catalog: &Catalog) -> Self {
        let none = vec![false; catalog.event_types.len() + 1];
        let mut types = vec![none; catalog.arrays.len()];
        for counter in &catalog.counters {
            let Some(array) = counter.each else { continue };
            let listens = &mut types[array.index()];
            match catalog.expanded(&counter.on) {
                EventTypeSet::Any => listens.fill(true),
                EventTypeSet::Of(on) => on.iter().for_each(|event_type| listens[event_type.index()] = true),
            }
        }
        ArrayListeners { types }
    }

    pub(super) fn look_at(&self, array: ArrayId, event_type: EventTypeId) -> bool {
        self.types[array.index()].get(event_type.index()).copied().unwrap_or(false)
    }
}

/// Reads elements. It keeps its buffers.
#[derive(Clone, Debug)]
pub(super) struct ItemReader {
    /// By node of the plan.
    found: Vec<FoundValue>,
    trace: ScanTrace,
}

impl ItemReader {
    pub(super) fn new(plan: &ItemPlan) -> Self {
        ItemReader { found: vec![FoundValue::default(); plan.nodes.len()], trace: ScanTrace::default() }
    }

    /// Reads the elements of the next array; anything else has none.
    pub(super) fn read(
        &mut self,
        plan: &ItemPlan,
        record: &str,
        raw: RawValue,
        event: &mut Event,
        scratch: &mut String,
    ) {
        event.begin_items(plan.paths.len());
        if raw.json_type() != JsonType::Array {
            return;
        }
        let mut scanner = Scanner::new(record, raw.start());
        // The record is known to be JSON, so an error can only mean the end.
        let mut more = scanner.open(0).is_ok() && !scanner.take(b']');
        let mut count = 0;
        while more {
            if count < ITEMS_MAX {
                self.trace.begin(false);
                let extractor = Extractor::new(&plan.nodes, record, &mut self.found, scratch, &mut self.trace);
                let Ok(end) = extractor.element(scanner.at()) else { return };
                scanner = Scanner::new(record, end);
                event.begin_item();
                for node in &plan.paths {
                    let value = property(record, self.found[*node].property(), event, scratch);
                    event.push_item_value(value);
                }
            } else {
                event.items_left_out += u64::from(scanner.value(1).is_ok());
            }
            count += 1;
            more = scanner.another(b']').unwrap_or(false);
        }
    }
}
