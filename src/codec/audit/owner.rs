//! Whose finding it is: what takes events of certain types that pass a `where`.

use std::fmt;

use crate::catalog::{Catalog, EventTypeSet, Expr, Intake};
use crate::model::ArrayId;

/// A counter, its reset or a step of it, or an attribute, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Attribute(Box<str>),
    Counter(Box<str>),
    /// `since` of this counter.
    Reset(Box<str>),
    /// A step of this counter's `sequence`, from 1.
    Step(Box<str>, usize),
}

impl Owner {
    pub fn name(&self) -> &str {
        match self {
            Owner::Attribute(name) | Owner::Counter(name) | Owner::Reset(name) | Owner::Step(name, _) => name,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Attribute(name) => write!(f, "attribute {name}"),
            Owner::Counter(name) => write!(f, "counter {name}"),
            Owner::Reset(name) => write!(f, "counter {name}, its `since`"),
            Owner::Step(name, step) => write!(f, "counter {name}, step {step}"),
        }
    }
}

/// Events that something takes.
#[derive(Clone, Debug)]
pub(super) struct Intended {
    pub owner: Owner,
    /// As the catalog has them.
    pub written: EventTypeSet,
    /// With all that they stand for.
    pub on: EventTypeSet,
    pub filter: Option<Expr>,
    /// The array whose elements it takes instead of the events.
    pub each: Option<ArrayId>,
}

impl Intended {
    /// All that a catalog takes, in its order.
    pub(super) fn of(catalog: &Catalog) -> Vec<Intended> {
        let mut all = Vec::new();
        let mut add = |owner, on: &EventTypeSet, filter: &Option<Expr>, each| {
            all.push(Intended { owner, written: on.clone(), on: catalog.expanded(on), filter: filter.clone(), each });
        };
        for attribute in &catalog.attributes {
            add(Owner::Attribute(attribute.name.clone()), &attribute.from, &attribute.filter, None);
        }
        for counter in &catalog.counters {
            let is_sequence = matches!(counter.intake, Intake::Sequence { .. });
            if !is_sequence {
                add(Owner::Counter(counter.name.clone()), &counter.on, &counter.filter, counter.each);
            }
            for (selector, step) in counter.intake.selectors().iter().zip(1..) {
                let name = counter.name.clone();
                let owner = if is_sequence { Owner::Step(name, step) } else { Owner::Reset(name) };
                add(owner, &selector.on, &selector.filter, None);
            }
        }
        all
    }
}
