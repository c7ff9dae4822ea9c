//! Where aggregates and attributes take their values from.

use crate::model::PathId;

/// Index into `Catalog::formulas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FormulaId(pub u16);

/// Where an aggregate takes its number from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberSource {
    Property(PathId),
    /// Of the element, as [`Source::Item`].
    Item(PathId),
    Formula(FormulaId),
}

/// Where an aggregate takes its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Property(PathId),
    /// Of the element: an index into `Catalog::item_paths`.
    Item(PathId),
    /// The event's time.
    Time,
    /// The event's type.
    EventType,
}
