//! The names that expressions can mention, with their ids and types; the tables of event types and property paths.

use std::collections::HashMap;

use super::types::{NumberForm, Type};
use crate::catalog::compiled::{AttributeId, CounterId, EventTypeSet, Expr, FormulaId, TagId};
use crate::catalog::raw::EventTypes;
use crate::model::{ArrayId, EntityKindId, EventTypeId, PathId};

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Attribute(AttributeId, Type),
    Counter(CounterId, Type, NumberForm),
}

/// The kind of entity that something belongs to; `None` after a mistake in it that has been reported.
pub(crate) type Owner = Option<EntityKindId>;

/// All names of a catalog.
#[derive(Debug, Default)]
pub(crate) struct NameTable {
    values: HashMap<String, (Meaning, Owner)>,
    /// In the order of the file.
    value_order: Vec<String>,
    tags: HashMap<String, TagId>,
    tag_order: Vec<String>,
    /// The type of the tag in an expression; `Any` until the tag is compiled.
    tag_types: Vec<(Type, NumberForm)>,
    tag_owners: Vec<Owner>,
}

impl NameTable {
    pub(crate) fn add_value(&mut self, name: &str, meaning: Meaning, owner: Owner) {
        if self.values.insert(name.to_owned(), (meaning, owner)).is_none() {
            self.value_order.push(name.to_owned());
        }
    }

    pub(crate) fn add_tag(&mut self, name: &str, id: TagId, owner: Owner) {
        self.tags.insert(name.to_owned(), id);
        self.tag_order.push(name.to_owned());
        self.tag_types.push((Type::Any, NumberForm::Other));
        self.tag_owners.push(owner);
    }

    pub(crate) fn set_tag_type(&mut self, id: TagId, ty: Type, form: NumberForm) {
        self.tag_types[usize::from(id.0)] = (ty, form);
    }

    pub(crate) fn value(&self, name: &str) -> Option<Meaning> {
        self.values.get(name).map(|(meaning, _)| *meaning)
    }

    /// The owner of an attribute or counter.
    pub(crate) fn owner(&self, name: &str) -> Owner {
        self.values.get(name).and_then(|(_, owner)| *owner)
    }

    pub(crate) fn tag_owner(&self, id: TagId) -> Owner {
        self.tag_owners[usize::from(id.0)]
    }

    pub(crate) fn tag(&self, name: &str) -> Option<(TagId, Type, NumberForm)> {
        let id = *self.tags.get(name)?;
        let (ty, form) = self.tag_types[usize::from(id.0)];
        Some((id, ty, form))
    }

    /// The names of an entity's attributes, counters and times.
    pub(crate) fn value_names(&self, of: Owner) -> impl Iterator<Item = &str> {
        let own = self.value_order.iter().filter(move |name| is_shared(self.owner(name), of));
        own.map(String::as_str).chain(["first_seen", "last_seen"])
    }

    /// The names whose type may be time, as the time functions take them.
    pub(crate) fn time_names(&self, of: Owner) -> impl Iterator<Item = &str> {
        let is_time = |name: &&str| {
            !matches!(
                self.value(name),
                Some(Meaning::Attribute(_, ty) | Meaning::Counter(_, ty, _)) if !matches!(ty, Type::Time | Type::Date)
            )
        };
        self.value_names(of).filter(is_time)
    }

    pub(crate) fn tag_names(&self, of: Owner) -> impl Iterator<Item = &str> {
        let tags = self.tag_order.iter().zip(&self.tag_owners);
        tags.filter(move |(_, owner)| is_shared(**owner, of)).map(|(name, _)| name.as_str())
    }
}

/// Whether two owners are, or may be, the same.
pub(super) fn is_shared(a: Owner, b: Owner) -> bool {
    a.is_none() || b.is_none() || a == b
}

/// Paths, each once.
#[derive(Debug, Default)]
struct PathTable {
    paths: Vec<Vec<Box<str>>>,
    ids: HashMap<Vec<String>, u16>,
}

impl PathTable {
    fn id(&mut self, segments: &[String]) -> u16 {
        if let Some(id) = self.ids.get(segments) {
            return *id;
        }
        let id = self.paths.len() as u16;
        self.paths.push(segments.iter().map(|segment| segment.as_str().into()).collect());
        self.ids.insert(segments.to_vec(), id);
        id
    }
}

/// What a catalog mentions of events, each once, when all of it has been read.
#[derive(Debug)]
pub(crate) struct EventTables {
    pub event_types: Vec<Box<str>>,
    pub paths: Vec<Vec<Box<str>>>,
    pub arrays: Vec<Vec<Box<str>>>,
    pub item_paths: Vec<Vec<Box<str>>>,
    pub formulas: Vec<Expr>,
}

/// The tables of what a catalog mentions of events, while it is read.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    event_types: Vec<Box<str>>,
    event_type_ids: HashMap<String, EventTypeId>,
    paths: PathTable,
    arrays: PathTable,
    item_paths: PathTable,
    formulas: Vec<Expr>,
}

/// The most event types and property paths of a catalog, each: ids have 16 bits.
pub(crate) const INTERNED_MAX: usize = 20_000;

impl Interner {
    pub(crate) fn event_types(&mut self, types: &EventTypes) -> EventTypeSet {
        let EventTypes::Of(names) = types else {
            return EventTypeSet::Any;
        };
        let mut ids: Vec<EventTypeId> = names.iter().map(|name| self.event_type(name)).collect();
        ids.sort_unstable_by_key(|id| id.0);
        ids.dedup();
        EventTypeSet::Of(ids)
    }

    fn event_type(&mut self, name: &str) -> EventTypeId {
        if let Some(id) = self.event_type_ids.get(name) {
            return *id;
        }
        self.event_types.push(name.into());
        let id = EventTypeId(self.event_types.len() as u16);
        self.event_type_ids.insert(name.to_owned(), id);
        id
    }

    pub(crate) fn path(&mut self, segments: &[String]) -> PathId {
        PathId(self.paths.id(segments))
    }

    /// A path below `item`.
    pub(crate) fn item_path(&mut self, segments: &[String]) -> PathId {
        PathId(self.item_paths.id(segments))
    }

    /// An array whose elements are looked at.
    pub(crate) fn array(&mut self, segments: &[String]) -> ArrayId {
        ArrayId(self.arrays.id(segments))
    }

    pub(crate) fn formula(&mut self, expr: Expr) -> FormulaId {
        let known = self.formulas.iter().position(|formula| *formula == expr);
        let index = known.unwrap_or_else(|| {
            self.formulas.push(expr);
            self.formulas.len() - 1
        });
        FormulaId(index as u16)
    }

    /// Whether the tables are within their limit.
    pub(crate) fn fits(&self) -> bool {
        let paths = [&self.paths, &self.arrays, &self.item_paths].map(|table| table.paths.len());
        self.event_types.len() <= INTERNED_MAX && paths.into_iter().all(|len| len <= INTERNED_MAX)
    }

    pub(crate) fn into_tables(self) -> EventTables {
        EventTables {
            event_types: self.event_types,
            paths: self.paths.paths,
            arrays: self.arrays.paths,
            item_paths: self.item_paths.paths,
            formulas: self.formulas,
        }
    }
}
