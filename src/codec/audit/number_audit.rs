//! Numbers that `sum`, `avg`, `min` and `max` rounded, or that are too large for them.

use super::owner::Owner;
use crate::catalog::{Aggregate, Catalog, EventTypeSet, Expr, NumberSource};
use crate::engine::{EventPart, Program, passes};
use crate::model::{ArrayId, Decimal, Event, Property};

/// A number of no more characters has neither too many digits nor too many decimals.
const SHORT_MAX: usize = 7;

/// The numbers of a counter that were not counted as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InexactNumbers {
    pub owner: Owner,
    /// Numbers that were rounded.
    pub rounded: u64,
    /// Numbers that are too large to count.
    pub too_large: u64,
}

#[derive(Debug)]
struct WatchedNumber {
    on: EventTypeSet,
    filter: Option<Expr>,
    each: Option<ArrayId>,
    of: NumberSource,
    found: InexactNumbers,
}

impl WatchedNumber {
    fn note(&mut self, part: EventPart<'_>, program: &Program) {
        let property = match self.of {
            NumberSource::Property(path) => part.property(path),
            NumberSource::Item(path) => part.item(path),
            NumberSource::Formula(_) => return,
        };
        let digits = match property {
            Property::Integer(_, digits) | Property::Number(_, digits) => part.text(digits),
            Property::String(text) if part.number_in(part.text(text)).is_some() => part.text(text),
            _ => return,
        };
        if digits.len() <= SHORT_MAX {
            return;
        }
        let (is_too_large, is_rounded) = (Decimal::rounded(digits).is_none(), !Decimal::is_exact(digits));
        if (is_too_large || is_rounded) && passes(self.filter.as_ref(), part, &program.zone) {
            self.found.too_large += u64::from(is_too_large);
            self.found.rounded += u64::from(is_rounded && !is_too_large);
        }
    }
}

#[derive(Debug)]
pub(super) struct NumberAudit {
    watched: Vec<WatchedNumber>,
}

impl NumberAudit {
    pub(super) fn new(catalog: &Catalog) -> Self {
        let watched = catalog.counters.iter().filter_map(|counter| {
            Some(WatchedNumber {
                on: catalog.expanded(&counter.on),
                filter: counter.filter.clone(),
                each: counter.each,
                of: written_number(counter.aggregate)?,
                found: InexactNumbers { owner: Owner::Counter(counter.name.clone()), rounded: 0, too_large: 0 },
            })
        });
        NumberAudit { watched: watched.collect() }
    }

    pub(super) fn note(&mut self, event: &Event, program: &Program) {
        for watched in self.watched.iter_mut().filter(|watched| watched.on.contains(event.event_type)) {
            match watched.each {
                None => watched.note(event.into(), program),
                Some(array) => {
                    event.items(array).for_each(|item| watched.note(EventPart::of_item(event, item), program))
                }
            }
        }
    }

    pub(super) fn found(&self) -> impl Iterator<Item = &InexactNumbers> {
        self.watched.iter().map(|watched| &watched.found).filter(|found| found.rounded + found.too_large > 0)
    }
}

/// Where the numbers of an aggregate stand; `None` for what is computed.
fn written_number(aggregate: Aggregate) -> Option<NumberSource> {
    match aggregate {
        Aggregate::Sum(of) | Aggregate::Avg(of) | Aggregate::Min(of) | Aggregate::Max(of) => {
            Some(of).filter(|of| !matches!(of, NumberSource::Formula(_)))
        }
        _ => None,
    }
}
