//! Tag changes: the output of the service.

use super::{Scalar, Timestamp};

/// The type of a tag change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeType {
    /// From nothing to a value.
    Added,
    /// Between two values.
    Changed,
    /// From a value to nothing.
    Removed,
}

impl ChangeType {
    pub const ALL: [ChangeType; 3] = [ChangeType::Added, ChangeType::Changed, ChangeType::Removed];

    pub fn name(self) -> &'static str {
        match self {
            ChangeType::Added => "added",
            ChangeType::Changed => "changed",
            ChangeType::Removed => "removed",
        }
    }
}

/// Why a tag changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// An event of the entity.
    Event,
    /// A timer of the entity was due.
    Timer,
    /// The entity was evaluated under a changed catalog.
    Catalog,
    /// A command.
    Command,
    /// The entity was erased by a command.
    Erased,
    /// The entity was forgotten: it had no event for `forget_after`.
    Forgotten,
}

impl Cause {
    pub const ALL: [Cause; 6] =
        [Cause::Event, Cause::Timer, Cause::Catalog, Cause::Command, Cause::Erased, Cause::Forgotten];

    /// The cause with a name of a tag change.
    pub fn named(name: &str) -> Option<Self> {
        Cause::ALL.into_iter().find(|cause| cause.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Cause::Event => "event",
            Cause::Timer => "timer",
            Cause::Catalog => "catalog",
            Cause::Command => "command",
            Cause::Erased => "erased",
            Cause::Forgotten => "forgotten",
        }
    }
}

/// One change of one tag of one entity (spec 6), borrowed from the engine while it is written.
#[derive(Clone, Copy, Debug)]
pub struct TagChange<'a> {
    /// The kind of entity: `user`.
    pub entity: &'a str,
    pub key: &'a str,
    pub tag: &'a str,
    /// Absent when removed.
    pub value: Scalar<'a>,
    /// Absent when added.
    pub previous: Scalar<'a>,
    pub at: Timestamp,
    /// Counts the entity's changes from 1.
    pub seq: u64,
    /// How many entities of this key have ended at this instant: distinguishes changes before an end from those after it.
    pub life: u32,
    pub cause: Cause,
    /// The values behind the decision: label and value, in the order in which the tag's condition mentions them.
    pub because: &'a [(&'a str, Scalar<'a>)],
    /// The catalog's fingerprint, in hex.
    pub catalog: &'a str,
}

impl TagChange<'_> {
    pub fn change_type(&self) -> ChangeType {
        if self.previous.is_absent() {
            ChangeType::Added
        } else if self.value.is_absent() {
            ChangeType::Removed
        } else {
            ChangeType::Changed
        }
    }
}

/// A tag that an entity has at present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurrentTag<'a> {
    pub tag: &'a str,
    pub value: Scalar<'a>,
    /// Since when it has this value.
    pub since: Timestamp,
}
