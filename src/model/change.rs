//! A tag change: what the service exists to write.

use super::{Scalar, Timestamp};

/// How a tag's value moved.
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

/// What made the verdict differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// An event of the entity.
    Event,
    /// An instant that came without one.
    Timer,
    /// The entity was evaluated under a changed catalog.
    Catalog,
    /// A command.
    Command,
    /// The entity was erased by a command.
    Erased,
    /// The entity was silent for so long that it is forgotten.
    Forgotten,
}

impl Cause {
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

/// One change of one tag of one entity (spec 6), borrowed from the engine for as long as it is written.
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
    /// How many entities of this key have ended at this very instant: what came after an end is told apart by it.
    pub life: u32,
    pub cause: Cause,
    /// What the verdict was made of: label and value, in order of mention.
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

/// A tag that an entity has now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurrentTag<'a> {
    pub tag: &'a str,
    pub value: Scalar<'a>,
    /// Since when it has this value.
    pub since: Timestamp,
}
