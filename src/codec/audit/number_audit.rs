//! Numbers that `sum`, `avg`, `min` and `max` rounded, or that are too large for them.

use super::owner::Owner;
use crate::catalog::{Aggregate, Catalog, EventTypeSet, Expr, NumberSource};
use crate::engine::{Program, passes};
use crate::model::{Decimal, Event, PathId, Property};

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
struct Watched {
    on: EventTypeSet,
    filter: Option<Expr>,
    path: PathId,
    found: InexactNumbers,
}

#[derive(Debug)]
pub(super) struct NumberAudit {
    watched: Vec<Watched>,
}

impl NumberAudit {
    pub(super) fn new(catalog: &Catalog) -> Self {
        let watched = catalog.counters.iter().filter_map(|counter| {
            Some(Watched {
                on: catalog.expanded(&counter.on),
                filter: counter.filter.clone(),
                path: number_path(counter.aggregate)?,
                found: InexactNumbers { owner: Owner::Counter(counter.name.clone()), rounded: 0, too_large: 0 },
            })
        });
        NumberAudit { watched: watched.collect() }
    }

    pub(super) fn note(&mut self, event: &Event, program: &Program) {
        for watched in &mut self.watched {
            let digits = match event.property(watched.path) {
                Property::Integer(_, digits) | Property::Number(_, digits) => event.text(digits),
                Property::String(text) if event.number_in(event.text(text)).is_some() => event.text(text),
                _ => continue,
            };
            if digits.len() <= SHORT_MAX || !watched.on.contains(event.event_type) {
                continue;
            }
            let (is_too_large, is_rounded) = (Decimal::rounded(digits).is_none(), !Decimal::is_exact(digits));
            if (is_too_large || is_rounded) && passes(watched.filter.as_ref(), event, &program.zone) {
                watched.found.too_large += u64::from(is_too_large);
                watched.found.rounded += u64::from(is_rounded && !is_too_large);
            }
        }
    }

    pub(super) fn found(&self) -> impl Iterator<Item = &InexactNumbers> {
        self.watched.iter().map(|watched| &watched.found).filter(|found| found.rounded + found.too_large > 0)
    }
}

/// Where the numbers of an aggregate stand.
fn number_path(aggregate: Aggregate) -> Option<PathId> {
    match aggregate {
        Aggregate::Sum(of) | Aggregate::Avg(of) | Aggregate::Min(of) | Aggregate::Max(of) => match of {
            NumberSource::Property(path) => Some(path),
            NumberSource::Item(_) | NumberSource::Formula(_) => None,
        },
        _ => None,
    }
}
