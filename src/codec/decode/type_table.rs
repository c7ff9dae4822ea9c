//! The event types that a catalog mentions: in full, or by their beginning.

use super::name_table::NameTable;
use crate::catalog::type_prefix;
use crate::model::EventTypeId;

/// Finds the number of an event's type.
#[derive(Clone, Debug)]
pub(super) struct TypeTable {
    full: NameTable,
    /// Of names that end in `*`, what stands before it.
    beginnings: NameTable,
    /// The different lengths of beginnings, the longest first.
    lengths: Vec<usize>,
}

impl TypeTable {
    pub(super) fn new(event_types: &[Box<str>]) -> Self {
        let numbered = || event_types.iter().zip(1..);
        let full = numbered().filter(|(name, _)| type_prefix(name).is_none());
        let beginnings = numbered().filter_map(|(name, id)| Some((Box::from(type_prefix(name)?), id)));
        let mut lengths: Vec<usize> = event_types.iter().filter_map(|name| Some(type_prefix(name)?.len())).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.dedup();
        let full = NameTable::new(full.map(|(name, id)| (name.clone(), id)));
        TypeTable { full, beginnings: NameTable::new(beginnings), lengths }
    }

    /// A type that is mentioned in full is found as such, any other by its longest beginning that is mentioned.
    pub(super) fn get(&self, name: &[u8]) -> EventTypeId {
        let beginning = |len: &usize| self.beginnings.get(name.get(..*len)?);
        let id = self.full.get(name).or_else(|| self.lengths.iter().find_map(beginning));
        id.map_or(EventTypeId::OTHER, |id| EventTypeId(id as u16))
    }
}
